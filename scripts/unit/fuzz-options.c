/*
 * libFuzzer target: whatever a loader hands over, options_parse ends, stays inside its buffers (AddressSanitizer sees to
 * that) and either takes the line or says a sentence; masks and globs agree with themselves.
 */
#include "harness/options.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool ends(const char *text, size_t size)
{
	return memchr(text, 0, size) != 0;
}

static void check_line(const char *line)
{
	struct options *options = malloc(sizeof(*options)); /* its own block, so that the sanitizer sees its end */
	char text[512], reason[200];
	u64 mask = 0;

	must(options != 0);
	bool fine = options_parse(options, line, false, 0);
	must(ends(options->error, sizeof(options->error)) && ends(options->tests, GLOBS_SIZE) && ends(options->skip, GLOBS_SIZE) &&
	     ends(options->faults, GLOBS_SIZE) && ends(options->after, sizeof(options->after)));
	must(fine == !options->error[0]);
	if (fine) {
		must(options->deadline_ms > 0 && !(options->mask & ~OPT_KNOWN) && (options->mask_given || !options->mask));
		must(options->mask & OPT_EPT || !(options->mask & (OPT_SWITCH_EPT | OPT_UNRESTRICTED_GUEST | OPT_LARGE_PAGE)));
		options_format_mask(text, sizeof(text), options->mask);
		must(options_parse_mask(text, &mask, reason, sizeof(reason)) && mask == options->mask);
		for (unsigned i = 0; list_word(options->tests, i, text, sizeof(text)); i++)
			must(*text);
	}
	free(options);
}

/* The line's first half as a list of globs, the second as a text */
static void check_globs(char *line)
{
	size_t half = strlen(line) / 2;
	char word[64];

	if (!half)
		return;
	const char *text = line + half + 1;
	line[half] = 0;
	must(glob_match("*", text));
	bool any = false;
	for (unsigned i = 0; list_word(line, i, word, sizeof(word)); i++)
		any |= *word && strlen(word) < sizeof(word) - 1 && glob_match(word, text);
	must(!any || globs_match(line, text));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *line = malloc(size + 1);

	must(line != 0);
	memcpy(line, data, size);
	line[size] = 0;
	check_line(line);
	check_globs(line);
	free(line);
	return 0;
}
