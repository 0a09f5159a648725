/* Checks on VM-exit control fields. */
#include "lhv-tests/entry/rule.h"

static u64 must_be_1(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	return e->caps->vmx.exit.must_be_1;
}

static u64 must_be_0(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	return ~e->caps->vmx.exit.may_be_1 & BITS(31, 0);
}

static u64 secondary_must_be_0(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	return ~e->caps->vmx.exit2.may_be_1;
}

/* The MSR areas. A count of 0 leaves the address alone; `bits` of a row is the number of the count field. */
static bool area_unaligned(struct entry *e, const struct entry_rule *rule, u64 address)
{
	return entry_get(e, rule->bits) && (address & 15);
}

static bool area_too_wide(struct entry *e, const struct entry_rule *rule, u64 address)
{
	return entry_get(e, rule->bits) && (address & mask_beyond_width(e, rule));
}

/* The last byte; counts have 32 bits, and the sum must not lose any. */
static bool area_ends_too_far(struct entry *e, const struct entry_rule *rule, u64 address)
{
	u64 count = entry_get(e, rule->bits), beyond = mask_beyond_width(e, rule);

	return count && !(address & beyond) && ((address + 16 * count - 1) & beyond);
}

#define AREA(id, what, address, count) \
	{id ".align", what " address has bits 3:0 clear, where the count is not 0", ABOUT(address), \
		UNLESS(area_unaligned), \
		.bits = IMAGE_##count, GIVEN(SET(count, 1)), BY(SET_BITS(address, 8))}, \
	{id ".width", what " address is within the physical-address width, where the count is not 0", \
		ABOUT(address), UNLESS(area_too_wide), \
		.bits = IMAGE_##count, GIVEN(SET(count, 1)), BY(SET_TOP(address, 0))}, \
	{id ".last", "the last byte of the " what " area is within the physical-address width", ABOUT(address), \
		UNLESS(area_ends_too_far), \
		.bits = IMAGE_##count, GIVEN(SET_TOP(address, 16), SET(count, 1)), BY(SET(count, 2))}

/* clang-format off */
static const struct entry_rule rules[] = {
	{"entry.ctl.exit.must-be-1", "bits that must be 1 are 1", ABOUT(EXIT_CONTROLS), ONE_BY(must_be_1)},
	{"entry.ctl.exit.must-be-0", "bits that may not be 1 are 0", ABOUT(EXIT_CONTROLS), ZERO_BY(must_be_0)},
	{"entry.ctl.exit2.must-be-0", "bits that may not be 1 are 0", WHEN(ON(EXIT, ACTIVATE_SECONDARY_CONTROLS)),
		ABOUT(EXIT2_CONTROLS), ZERO_BY(secondary_must_be_0)},
	{"entry.ctl.exit.save-timer", "save VMX-preemption timer value needs the timer activated",
		WHEN(ON(EXIT, SAVE_PREEMPTION_TIMER)), ABOUT(EXIT_CONTROLS),
		MUST(ON(PIN, ACTIVATE_PREEMPTION_TIMER))},
	AREA("entry.ctl.exit.msr-store", "VM-exit MSR-store", EXIT_MSR_STORE_ADDRESS, EXIT_MSR_STORE_COUNT),
	AREA("entry.ctl.exit.msr-load", "VM-exit MSR-load", EXIT_MSR_LOAD_ADDRESS, EXIT_MSR_LOAD_COUNT),
};
/* clang-format on */

GROUP(group_controls_exit, "27.2.1.2 VM-Exit Control Fields", rules, STAGE_CONTROLS_HOST, ERROR_ENTRY_CONTROL_FIELDS);
