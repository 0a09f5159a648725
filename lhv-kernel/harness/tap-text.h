/* Texts as TAP 14 and its YAML blocks want them. Pure functions: also built for the host's unit tests. */
#pragma once
#include "lib/types.h"

/*
 * Each writes at most size - 1 characters and a terminating zero (nothing where size is 0), cuts what does not fit
 * between two characters of the text, and returns the length of what was written.
 */

/* A double-quoted YAML scalar: "...", with \, " and everything but printable ASCII escaped. Always closed; nothing where size < 3. */
size_t yaml_quote(char *buffer, size_t size, const char *text);

/* A description for a test line: \ and # escaped, and a space for each control character. */
size_t tap_description(char *buffer, size_t size, const char *text);

/* A set of CPUs, bit n for CPU n: "0 1 3", "0-3 5" (three and more in a row), "none". */
size_t cpu_set_format(char *buffer, size_t size, u32 cpus);
