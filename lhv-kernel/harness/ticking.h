/*
 * The timers of a soak, which tick while the rules run: the PIT (on the bootstrap processor) and each CPU's local APIC timer.
 * RFLAGS.IF stays 0 as in any run; the interrupts are let in through windows, where a rule can bear them, so that a rule
 * gives the same result in a soak as alone.
 */
#pragma once
#include "cpu/registers.h"
#include "smp/cpu.h"

struct rule;

/* Timers on for a rule that can bear them, off for one that has interrupts or timers of its own. On each CPU, before the rule. */
void ticking_prepare(struct cpu *cpu, const struct rule *rule);

/* Timers off, interrupt controllers as between rules, nothing pending. */
void ticking_stop(struct cpu *cpu);

/* Adds the interrupts since it was called last to the sums, and moves the bars. in_rule: they came while the rule ran. */
void ticking_count(struct cpu *cpu, bool in_rule);

/* The sums as a line of the report; nothing where no timer ticked. */
void ticking_report(void);

/* Emulators look for interrupts only now and then */
#define WINDOW_PAUSES 10

/* Lets in the interrupts that are pending; they are off again then. */
static inline void interrupts_let_in(void)
{
	interrupts_on();
	for (unsigned i = 0; i < WINDOW_PAUSES; i++)
		pause();
	interrupts_off();
}

/* The same while timers tick, and nothing else otherwise: one load and one test. In host and guest. */
static inline void ticking_window(void)
{
	if (__builtin_expect(this_cpu()->ticking, false))
		interrupts_let_in();
}
