/* Globs of rule ids, and comma-separated lists of them. */
#pragma once
#include "types.h"

/* Does the whole text match the glob (* any run, ? any one character)? */
bool glob_match(const char *glob, const char *text);

/* Does any of the comma-separated globs match the text? An empty list matches nothing. */
bool globs_match(const char *globs, const char *text);

/* The i-th (from 0) of the comma-separated words, into word. Returns false past the last. */
bool list_word(const char *list, unsigned i, char *word, size_t size);
