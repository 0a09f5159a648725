/* Words that a user has typed: names in any case, numbers, and how an error sentence shows them. */
#pragma once
#include "types.h"

/* The same name, in any case? */
bool same_name(const char *a, const char *b);

/* The name of the list that is closest to the word by insertions, deletions and replacements. */
const char *closest_name(const char *word, const char *const *names, size_t count);

#define SHOWN_SIZE 41

/* The text as it may stand in an error sentence: one line, no quotes, "..." where it had to be cut. */
const char *shown(const char *text, char buffer[SHOWN_SIZE]);

enum number { NUMBER, NOT_A_NUMBER, TOO_LARGE };

/* Decimal, 0x... or, with a leading 0, octal, as in C. The whole text must be the number. */
enum number parse_number(const char *text, u64 *value);

/* Decimal numbers such as 12 or 3-7, in a list of names that begin with letters. Returns false where it is neither. */
bool parse_range(const char *text, u32 *first, u32 *last);
