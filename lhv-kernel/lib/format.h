/* Formatted and copied text into a buffer: %s %c %d %u %x %lx %llx %p %%, with width, 0 and - flags, and %*. */
#pragma once
#include <stdarg.h>
#include "types.h"

/*
 * Writes at most size - 1 characters and a terminating zero.
 * Returns the length of what was written (never more than size - 1).
 */
size_t vformat(char *buffer, size_t size, const char *text, va_list args) PRINTF(3, 0);
size_t format(char *buffer, size_t size, const char *text, ...) PRINTF(3, 4);

/* Appends to a string that already stands in a buffer of this size. Returns the new length. */
size_t append(char *buffer, size_t size, const char *text, ...) PRINTF(3, 4);

/* Copies at most size - 1 characters of a string and ends it. Returns false where it had to cut. */
bool copy_string(char *to, const char *from, size_t size);
