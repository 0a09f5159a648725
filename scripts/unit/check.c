/* Runs the registered tests, or those whose title holds the word that is given: TAP on standard output, status 1 on failure. */
#include "check.h"
#include <stdio.h>

static struct unit_test *tests, **tests_end = &tests;
static unsigned failed_checks;

void unit_register(struct unit_test *test)
{
	*tests_end = test;
	tests_end = &test->next;
}

static bool outcome(const char *file, int line, const char *what, bool holds)
{
	if (!holds) {
		printf("# %s:%d: %s\n", file, line, what);
		failed_checks++;
	}
	return holds;
}

bool unit_check(const char *file, int line, const char *what, bool holds)
{
	return outcome(file, line, what, holds);
}

bool unit_check_equal(const char *file, int line, const char *what, u64 actual, u64 expected)
{
	if (!outcome(file, line, what, actual == expected))
		printf("#   got      0x%llx (%lld)\n#   expected 0x%llx (%lld)\n", actual, (long long)actual, expected,
		       (long long)expected);
	return actual == expected;
}

bool unit_check_text(const char *file, int line, const char *what, const char *actual, const char *expected)
{
	bool same = !strcmp(actual, expected);

	if (!outcome(file, line, what, same))
		printf("#   got      '%s'\n#   expected '%s'\n", actual, expected);
	return same;
}

bool unit_check_holds(const char *file, int line, const char *what, const char *actual, const char *part)
{
	bool there = strstr(actual, part) != 0;

	if (!outcome(file, line, what, there))
		printf("#   got      '%s'\n#   which does not hold '%s'\n", actual, part);
	return there;
}

int main(int count, char **words)
{
	unsigned number = 0, planned = 0, failed = 0;

	for (struct unit_test *test = tests; test; test = test->next)
		planned += count < 2 || strstr(test->title, words[1]);
	printf("TAP version 14\n1..%u\n", planned);
	for (struct unit_test *test = tests; test; test = test->next) {
		if (count >= 2 && !strstr(test->title, words[1]))
			continue;
		fflush(stdout); /* so that a sanitizer's words come after the tests before */
		failed_checks = 0;
		test->run();
		printf("%sok %u - %s\n", failed_checks ? "not " : "", ++number, test->title);
		failed += failed_checks != 0;
	}
	printf("# %u passed, %u failed\n", planned - failed, failed);
	return failed || !planned;
}
