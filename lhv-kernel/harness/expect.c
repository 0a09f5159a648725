/* Expectations. */
#include "harness/expect.h"
#include "harness/recover.h"
#include "harness/select.h"
#include "harness/ticking.h"
#include "lib/format.h"
#include "smp/cpu.h"
#include "vmx/dump.h"

void rule_fail(const char *what, const char *expected, const char *actual, ...)
{
	struct result *result = &this_cpu()->result;
	va_list args;

	result->state = FAILED;
	copy_string(result->what, what, sizeof(result->what));
	copy_string(result->expected, expected, sizeof(result->expected));
	va_start(args, actual);
	vformat(result->actual, sizeof(result->actual), actual, args);
	va_end(args);
	if (options.dump_vmcs)
		vmcs_print();
	rule_failed();
	rule_end();
}

void rule_skip(const char *reason, ...)
{
	struct result *result = &this_cpu()->result;
	va_list args;

	result->state = SKIPPED;
	va_start(args, reason);
	vformat(result->actual, sizeof(result->actual), reason, args);
	va_end(args);
	rule_end();
}

void rule_note(const char *text, ...)
{
	struct result *result = &this_cpu()->result;
	va_list args;

	va_start(args, text);
	vformat(result->note, sizeof(result->note), text, args);
	va_end(args);
}

void expect(bool holds, const char *what)
{
	ticking_window();
	if (!holds)
		rule_fail(what, "true", "false");
}

void expect_equal(const char *what, u64 actual, u64 expected)
{
	char text[32];

	ticking_window();
	if (actual == expected)
		return;
	format(text, sizeof(text), "0x%llx", expected);
	rule_fail(what, text, "0x%llx", actual);
}

void expect_clear(const char *what, u64 value, u64 mask)
{
	char text[64];

	ticking_window();
	if (!(value & mask))
		return;
	format(text, sizeof(text), "the bits 0x%llx are 0", mask);
	rule_fail(what, text, "0x%llx has 0x%llx set", value, value & mask);
}

void expect_set(const char *what, u64 value, u64 mask)
{
	char text[64];

	ticking_window();
	if ((value & mask) == mask)
		return;
	format(text, sizeof(text), "the bits 0x%llx are 1", mask);
	rule_fail(what, text, "0x%llx lacks 0x%llx", value, mask & ~value);
}

void expect_range(const char *what, u64 value, u64 low, u64 high)
{
	char text[64];

	ticking_window();
	if (low <= value && value <= high)
		return;
	format(text, sizeof(text), "%llu to %llu", low, high);
	rule_fail(what, text, "%llu", value);
}

void expect_outcome(const char *what, outcome_t actual, outcome_t expected)
{
	char expected_text[100], actual_text[100];

	ticking_window();
	if (actual == expected)
		return;
	outcome_format(expected_text, sizeof(expected_text), expected);
	outcome_format(actual_text, sizeof(actual_text), actual);
	rule_fail(what, expected_text, "%s", actual_text);
}
