/* Which rules run: the option mask, the globs, and what the platform has. */
#pragma once
#include "harness/rule.h"
#include "lib/types.h"

/* The options as given on the boot command line. */
extern struct options options;
/* The mask in force: given, or everything that this platform can do. */
extern u64 option_mask;

/* NEED_*: what this CPU has. */
struct cpu;
u64 needs_of(const struct cpu *cpu);

/* Takes the mask in force for what the platform has. Returns false, with options.error set, where it cannot be. */
bool select_mask(u64 needs_met);

/* The rules that run (some perhaps to be skipped for a need), in the order that the options ask for. */
struct plan {
	const struct rule **rules;
	unsigned count;
};
extern struct plan plan;

/*
 * Makes the plan. Rules "selftest.*" and "vmcs.layout" are in it only where a glob names them, rules "soak.*" in every run of more
 * than one iteration and in no other. Returns false, with options.error set, where
 * a glob matches nothing or no rule is left.
 */
bool select_plan(void);

/* Why a rule that needs what is missing is skipped, or 0 where nothing is missing. */
const char *missing_need(const struct rule *rule, u64 needs_met);
