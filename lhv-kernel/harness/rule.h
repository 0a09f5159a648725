/* A rule: one statement of the SDM that can be checked, and how a test file registers it. */
#pragma once
#include "lib/types.h"
#include "harness/options.h"
#include "harness/scratch.h"

/* What the SDM says of the behaviour. */
enum rule_class {
	MUST,	   /* the SDM requires it */
	UNDEFINED, /* the SDM leaves it open: recorded, never failed */
	OBSERVED,  /* all known processors do it, the SDM does not promise it: recorded, never failed */
};

/* Which CPUs run the test. */
enum rule_cpus {
	EVERY_CPU, /* all, at the same time */
	BOOT_CPU,  /* the bootstrap processor, because the device is wired to it */
	TWO_CPUS,  /* all, and there must be at least two */
};

/* What a platform must have before a rule can be checked. X(name, bit, why a rule is skipped without it) */
#define RULE_NEEDS(X) \
	X(VMX, 0, "the CPU has no VMX (CPUID.1:ECX.VMX = 0)") \
	X(VMX_ROOT, 1, "this CPU cannot enter VMX root operation") \
	X(TRUE_CONTROLS, 2, "IA32_VMX_BASIC[55] = 0: no TRUE control MSRs") \
	X(SECONDARY_CONTROLS, 3, "the CPU has no secondary processor-based controls") \
	X(TERTIARY_CONTROLS, 4, "the CPU has no tertiary processor-based controls") \
	X(SECONDARY_EXIT_CONTROLS, 5, "the CPU has no secondary VM-exit controls") \
	X(EPT, 6, "the CPU has no EPT") \
	X(VPID, 7, "the CPU has no VPID") \
	X(UNRESTRICTED_GUEST, 8, "the CPU has no unrestricted guest") \
	X(VMFUNC, 9, "the CPU has no VM functions") \
	X(PREEMPTION_TIMER, 10, "the CPU has no VMX-preemption timer") \
	X(APIC, 11, "there is no local APIC") \
	X(APIC_TIMER, 12, "the local APIC timer does not count") \
	X(PIC, 13, "there is no 8259 interrupt controller") \
	X(PIT, 14, "there is no 8254 interval timer") \
	X(MTRR, 15, "the CPU has no MTRRs (CPUID.1:EDX.MTRR = 0)") \
	X(PAT, 16, "the CPU has no PAT (CPUID.1:EDX.PAT = 0)") \
	X(FEATURE_CONTROL, 17, "IA32_FEATURE_CONTROL is not there") \
	X(LONG_MODE, 18, "this build does not run in 64-bit mode") \
	X(INTERRUPTS, 19, "the options forbid interrupts (NO_EFLAGS_IF or NO_INTERRUPT)") \
	X(NO_VMX, 20, "the CPU has VMX") \
	X(INVEPT, 21, "the CPU has no INVEPT") \
	X(INVVPID, 22, "the CPU has no INVVPID") \
	X(TSC_DEADLINE, 23, "the local APIC timer has no TSC-deadline mode") \
	X(LEGACY_PAGING, 24, "this build runs in 64-bit mode") \
	X(VMCS_SHADOWING, 25, "the CPU has no VMCS shadowing") \
	X(SYSENTER, 26, "the CPU has no SYSENTER in the mode of this build")

#define X(name, bit, why) NEED_##name = BIT(bit),
enum rule_needs { RULE_NEEDS(X) };
#undef X
#define X(name, bit, why) +1
enum { NEED_COUNT = RULE_NEEDS(X) };
#undef X

struct rule {
	const char *id;	   /* area.subject.rule: stable */
	const char *title; /* the statement, in one sentence of our own */
	const char *sdm;   /* section number and title */
	void (*test)(const struct rule *rule);
	const void *row; /* what a table-driven test is about; else 0 */
	u32 class, cpus;
	u64 needs; /* NEED_*: all of them */
	u64 opt;   /* OPT_*: any one of them selects the rule; 0: always selected */
};

/*
 * Registers a rule and opens the function that checks it:
 *
 *	RULE(name, .id = "area.subject.rule", .title = "...", .sdm = "A.1 Basic VMX Information", .opt = OPT_CAPS)
 *	{
 *		expect_equal("what is looked at", actual, expected);
 *	}
 *
 * class, cpus and needs default to MUST, EVERY_CPU and nothing. The function sees its record as `rule`.
 */
#define RULE(name, ...) \
	static void name(const struct rule *rule); \
	REGISTER(name, __COUNTER__, __VA_ARGS__) \
	static void name(const struct rule *rule __attribute__((unused)))

/* Registers one more rule that an existing function checks: a table row. */
#define ROW(function, ...) REGISTER(function, __COUNTER__, __VA_ARGS__)

#define REGISTER(function, n, ...) REGISTER_(function, n, __VA_ARGS__)
#define REGISTER_(function, n, ...) \
	static const struct rule rule_##function##_##n = {.test = function, __VA_ARGS__}; \
	static const struct rule *const rule_##function##_##n##_entry \
		__attribute__((section("rules"), used)) = &rule_##function##_##n;

/* All rules, in link order; rules_end is past the last. */
extern const struct rule *const rules_begin[], *const rules_end[];

/* Names of the classes, CPU choices and needs, indexed by value (needs: by bit); why a rule without that need is skipped. */
extern const char *const rule_class_names[3], *const rule_cpus_names[3], *const need_names[NEED_COUNT], *const need_reasons[NEED_COUNT];
