/* What a test says: expectations that end the rule where they do not hold, and reasons to skip it. */
#pragma once
#include "lib/types.h"
#include "vmx/outcome.h"

/* Each of these returns where the expectation holds, else records what was looked at, expected and actual and ends the rule. */

/* Holds: what says in words what must be so. */
void expect(bool holds, const char *what);

/* Equal numbers, printed in hexadecimal where they differ. */
void expect_equal(const char *what, u64 actual, u64 expected);

/* The bits of value that are in mask are all 0. */
void expect_clear(const char *what, u64 value, u64 mask);

/* The bits of value that are in mask are all 1. */
void expect_set(const char *what, u64 value, u64 mask);

/* low <= value <= high, printed in decimal. */
void expect_range(const char *what, u64 value, u64 low, u64 high);

/* An instruction did what it should, printed decoded. */
void expect_outcome(const char *what, outcome_t actual, outcome_t expected);

/* Ends the rule as failed, with texts of one's own. */
NORETURN void rule_fail(const char *what, const char *expected, const char *actual, ...) PRINTF(3, 4);

/* Ends the rule as skipped on this CPU, with a reason that starts like "the CPU has no …". */
NORETURN void rule_skip(const char *reason, ...) PRINTF(1, 2);

/* Notes a fact beside the result (classes UNDEFINED and OBSERVED: what was seen). Does not end the rule. */
void rule_note(const char *text, ...) PRINTF(1, 2);
