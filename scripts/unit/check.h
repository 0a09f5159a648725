/* A small test harness for the host: named tests that register themselves, checks that print both sides, TAP output. */
#pragma once
#include "lib/types.h"
#include <string.h>

struct unit_test {
	const char *title;
	void (*run)(void);
	struct unit_test *next;
};

void unit_register(struct unit_test *test);

/* TEST(name, "subject: what must hold") { CHECK...; }: name is that of the function. */
#define TEST(name, text) \
	static void name(void); \
	static struct unit_test name##_test = {text, name, 0}; \
	__attribute__((constructor)) static void name##_register(void) \
	{ \
		unit_register(&name##_test); \
	} \
	static void name(void)

/* A failed check is printed and fails the test, which goes on: the rest may say more. Each returns whether it held. */
#define CHECK(condition) unit_check(__FILE__, __LINE__, #condition, condition)
#define CHECK_EQ(actual, expected) unit_check_equal(__FILE__, __LINE__, #actual, actual, expected)
#define CHECK_TEXT(actual, expected) unit_check_text(__FILE__, __LINE__, #actual, actual, expected)
#define CHECK_HOLDS(actual, part) unit_check_holds(__FILE__, __LINE__, #actual, actual, part)

bool unit_check(const char *file, int line, const char *what, bool holds);
bool unit_check_equal(const char *file, int line, const char *what, u64 actual, u64 expected);
bool unit_check_text(const char *file, int line, const char *what, const char *actual, const char *expected);
/* part stands somewhere in actual */
bool unit_check_holds(const char *file, int line, const char *what, const char *actual, const char *part);
