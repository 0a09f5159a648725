/* How a rule that goes wrong is left: by an expectation, an unexpected exception, or the watchdog's NMI. */
#pragma once
#include "harness/result.h"
#include "lib/types.h"

struct trap_frame;
struct rule;

/*
 * Runs a rule's test on this CPU; this_cpu()->result says how it went. Whatever the test does, control comes back
 * here, unless the CPU hangs beyond the reach of an NMI.
 */
void rule_run(const struct rule *rule);

/* Ends the rule that runs on this CPU with the result that stands in this_cpu()->result. */
NORETURN void rule_end(void);

/* Where a rule fails on this CPU, whatever makes it fail: does nothing, and is there for the breakpoint of a debugger. */
void rule_failed(void);

/* Records that the rule took too long, with where this CPU was (0: not known), and ends it. */
NORETURN void rule_hung(const char *where, ulong ip);

/* An unexpected exception: inside a rule it becomes the rule's failure, the frame resumes in rule_run(); else false. */
bool recover_from_trap(struct trap_frame *frame);

/* Every NMI of the host: the watchdog's ends the rule, others are counted. */
void recover_from_nmi(struct trap_frame *frame);
