/* Which rules run. */
#include "harness/select.h"
#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "interrupts/devices.h"
#include "interrupts/lapic.h"
#include "lib/format.h"
#include "lib/string.h"
#include "lib/words.h"
#include "memory/pages.h"
#include "smp/cpu.h"
#include "vmx/controls.h"

const char *const rule_class_names[3] = {[MUST] = "must", [UNDEFINED] = "undefined", [OBSERVED] = "observed"};
const char *const rule_cpus_names[3] = {[EVERY_CPU] = "every", [BOOT_CPU] = "boot", [TWO_CPUS] = "two"};
const char *const need_names[NEED_COUNT] = {
#define X(name, bit, why) [bit] = #name,
	RULE_NEEDS(X)
#undef X
};
const char *const need_reasons[NEED_COUNT] = {
#define X(name, bit, why) [bit] = why,
	RULE_NEEDS(X)
#undef X
};

struct options options;
u64 option_mask;
struct plan plan;

#define EPT_VPID_CAP_INVEPT BIT(20)
#define EPT_VPID_CAP_INVVPID BIT(32)

/* "Auth": AMD's CPUs, and emulators of them, have SYSENTER outside 64-bit mode only */
#define VENDOR_AMD 0x68747541

u64 needs_of(const struct cpu *cpu)
{
	const struct vmx_caps *caps = &cpu->caps;
	struct cpuid features = cpuid(1, 0);
	u64 needs = 0, value;

#define HAS(need, condition) \
	if (condition) \
	needs |= NEED_##need
	HAS(VMX, caps->vmx);
	HAS(NO_VMX, !caps->vmx);
	HAS(VMX_ROOT, caps->vmx && !cpu->vmx_trouble[0]);
	HAS(TRUE_CONTROLS, caps->basic & BIT(55));
	HAS(SECONDARY_CONTROLS, caps_allow(&caps->proc, PROC_ACTIVATE_SECONDARY_CONTROLS));
	HAS(TERTIARY_CONTROLS, caps_allow(&caps->proc, PROC_ACTIVATE_TERTIARY_CONTROLS));
	HAS(SECONDARY_EXIT_CONTROLS, caps_allow(&caps->exit, EXIT_ACTIVATE_SECONDARY_CONTROLS));
	HAS(EPT, caps_allow(&caps->proc2, PROC2_ENABLE_EPT));
	HAS(VPID, caps_allow(&caps->proc2, PROC2_ENABLE_VPID));
	HAS(UNRESTRICTED_GUEST, caps_allow(&caps->proc2, PROC2_UNRESTRICTED_GUEST));
	HAS(VMFUNC, caps_allow(&caps->proc2, PROC2_ENABLE_VM_FUNCTIONS));
	HAS(VMCS_SHADOWING, caps_allow(&caps->proc2, PROC2_VMCS_SHADOWING));
	HAS(PREEMPTION_TIMER, caps_allow(&caps->pin, PIN_ACTIVATE_PREEMPTION_TIMER));
	HAS(INVEPT, caps->ept_vpid & EPT_VPID_CAP_INVEPT);
	HAS(INVVPID, caps->ept_vpid & EPT_VPID_CAP_INVVPID);
	HAS(APIC, lapic_there());
	HAS(APIC_TIMER, devices.apic_timer);
	HAS(TSC_DEADLINE, lapic_there() && features.ecx & CPUID_1_ECX_TSC_DEADLINE);
	HAS(PIC, devices.pic);
	HAS(PIT, devices.pit);
	HAS(MTRR, features.edx & CPUID_1_EDX_MTRR);
	HAS(PAT, features.edx & CPUID_1_EDX_PAT);
	HAS(FEATURE_CONTROL, msr_try_read(MSR_FEATURE_CONTROL, &value) == SUCCEEDED);
	HAS(SYSENTER, features.edx & CPUID_1_EDX_SEP && (sizeof(ulong) == 4 || cpuid(0, 0).ebx != VENDOR_AMD));
	HAS(LONG_MODE, sizeof(ulong) == 8);
	HAS(LEGACY_PAGING, sizeof(ulong) == 4);
	HAS(INTERRUPTS, !(option_mask & (OPT_NO_EFLAGS_IF | OPT_NO_INTERRUPT)));
#undef HAS
	return needs;
}

bool select_mask(u64 needs_met)
{
	const u64 wants[][2] = {
		{OPT_EPT, NEED_EPT},
		{OPT_VPID, NEED_VPID},
		{OPT_UNRESTRICTED_GUEST, NEED_UNRESTRICTED_GUEST},
	};
	u64 impossible = 0;
	char names[80];

	for (unsigned i = 0; i < COUNT(wants); i++)
		if (!(needs_met & wants[i][1]))
			impossible |= wants[i][0];
	if (impossible & OPT_EPT)
		impossible |= OPT_SWITCH_EPT | OPT_UNRESTRICTED_GUEST | OPT_LARGE_PAGE;
	option_mask = options.mask_given ? options.mask : OPT_KNOWN & ~OPT_RESTRICTIONS & ~impossible;
	/* without VMX no guest runs at all, and the rules say so themselves */
	if (!options.mask_given || !(needs_met & NEED_VMX_ROOT) || !(option_mask & impossible))
		return true;
	options_format_mask(names, sizeof(names), option_mask & impossible);
	format(options.error, sizeof(options.error), "lhv_opt=0x%llx needs %s, which this CPU does not have: lhv_opt=0x%llx would work",
	       option_mask, names, option_mask & ~impossible);
	return false;
}

static bool chosen_by_mask(const struct rule *rule)
{
	return !rule->opt || rule->opt & option_mask;
}

/* Rules whose ids begin so run only where a glob that begins so names them */
static const char *const only_by_name[] = {"selftest.", "vmcs.layout"};

static const char *name_wanted(const struct rule *rule)
{
	for (unsigned i = 0; i < COUNT(only_by_name); i++)
		if (!strncmp(rule->id, only_by_name[i], strlen(only_by_name[i])))
			return only_by_name[i];
	return 0;
}

/* For each rule of the image: does tests= name it? */
static u8 *named;

static u32 rule_count(void)
{
	return rules_end - rules_begin;
}

/* Marks the rules with these numbers; those that want to be named, where there is just one number */
static void name_range(u32 first, u32 last)
{
	for (u32 i = first - 1; i < last && i < rule_count(); i++)
		named[i] |= first == last || !name_wanted(rules_begin[i]);
}

static void name_glob(const char *glob)
{
	for (u32 i = 0; i < rule_count(); i++) {
		const char *wanted = name_wanted(rules_begin[i]);

		named[i] |= (!wanted || !strncmp(glob, wanted, strlen(wanted))) && glob_match(glob, rules_begin[i]->id);
	}
}

static void find_named(void)
{
	char word[80];
	u32 first, last;

	named = pages_allocate(rule_count() / PAGE_SIZE + 1);
	if (!options.tests[0])
		name_glob("*");
	for (unsigned i = 0; list_word(options.tests, i, word, sizeof(word)); i++)
		if (parse_range(word, &first, &last))
			name_range(first, last);
		else
			name_glob(word);
}

static bool chosen_by_globs(u32 i)
{
	return named[i] && !(options.skip[0] && globs_match(options.skip, rules_begin[i]->id));
}

#define SOAK "soak."

static bool is_soak(const struct rule *rule)
{
	return !strncmp(rule->id, SOAK, sizeof(SOAK) - 1);
}

static bool chosen(u32 i)
{
	const struct rule *rule = rules_begin[i];

	if (is_soak(rule))
		return options.iterations != 1 && !globs_match(options.skip, rule->id);
	return chosen_by_mask(rule) && chosen_by_globs(i);
}

/* Does each word of the list, a glob or (only in tests=) a range of numbers, name some rule? Else says so. */
static bool all_match(const char *option, const char *globs)
{
	char glob[80];
	u32 first, last;

	for (unsigned i = 0; list_word(globs, i, glob, sizeof(glob)); i++) {
		bool found = false;

		for (u32 rule = 0; rule < rule_count() && !found; rule++)
			found = glob_match(glob, rules_begin[rule]->id);
		if (globs == options.tests && parse_range(glob, &first, &last))
			found = first && last <= rule_count();
		if (found)
			continue;
		format(options.error, sizeof(options.error), "%s=%s matches no rule: `scripts/lhv list` shows the rules", option, glob);
		return false;
	}
	return true;
}

/* xorshift64: George Marsaglia, "Xorshift RNGs". The state must not be 0. */
static u64 random_next(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/*
 * The numbers of all rules in the order that was asked for. Rules are chosen afterwards, so that a shuffle leaves two
 * rules in their order whatever else is chosen.
 */
static u16 *order_of_all(void)
{
	u32 count = rule_count();
	u16 *order = pages_allocate(count * sizeof(*order) / PAGE_SIZE + 1);
	u64 state = options.seed * 2 + 1;

	for (u32 i = 0; i < count; i++)
		order[i] = options.order == ORDER_REVERSE ? count - 1 - i : i;
	for (u32 i = count; options.order == ORDER_RANDOM && i > 1; i--) {
		u32 other = random_next(&state) % i;
		u16 was = order[i - 1];

		order[i - 1] = order[other];
		order[other] = was;
	}
	return order;
}

/* Rules up to and including the one that after= names have had their turn in an earlier boot */
static void leave_out_what_was(void)
{
	for (unsigned i = 0; options.after[0] && i < plan.count; i++)
		if (!strcmp(plan.rules[i]->id, options.after)) {
			plan.rules += i + 1;
			plan.count -= i + 1;
			return;
		}
}

bool select_plan(void)
{
	const u16 *order;
	unsigned asked_for = 0; /* without what every soak brings along */
	u64 would = 0;
	char names[120];

	if (!all_match("tests", options.tests) || !all_match("skip", options.skip) || !all_match("after", options.after))
		return false;
	find_named();
	order = order_of_all();
	plan.rules = pages_allocate(rule_count() * sizeof(*plan.rules) / PAGE_SIZE + 1);
	for (u32 i = 0; i < rule_count(); i++) {
		const struct rule *rule = rules_begin[order[i]];

		if (chosen(order[i])) {
			plan.rules[plan.count++] = rule;
			asked_for += !is_soak(rule) || (options.tests[0] && named[order[i]]);
		}
		if (chosen_by_globs(order[i]))
			would |= rule->opt;
	}
	leave_out_what_was();
	if (asked_for && plan.count)
		return true;
	options_format_mask(names, sizeof(names), would);
	if (would && options.mask_given)
		format(options.error, sizeof(options.error),
		       "no rule is in both lhv_opt=0x%llx and tests=%s: those rules need one of the bits %s", option_mask,
		       options.tests, names);
	else
		format(options.error, sizeof(options.error), "no rule is left to run with tests=%s skip=%s after=%s", options.tests,
		       options.skip, options.after);
	return false;
}

const char *missing_need(const struct rule *rule, u64 needs_met)
{
	for (unsigned i = 0; i < COUNT(need_reasons); i++)
		if (rule->needs & BIT(i) & ~needs_met)
			return need_reasons[i];
	return 0;
}
