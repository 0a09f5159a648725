/*
 * Basic checks: how the VM entry is asked for. They give VMfailInvalid or VM-instruction errors of their own, in
 * this order.
 */
#include "lhv-tests/entry/rule.h"

/* `bits` of a row is the VM-instruction error; 0: VMfailInvalid. */
static bool no_vmcs(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)rule, (void)value;
	return e->mode->no_vmcs;
}

static bool shadow_vmcs(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)rule, (void)value;
	return e->mode->shadow;
}

static bool mov_ss(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)rule, (void)value;
	return e->mode->mov_ss;
}

static bool launch_state(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)rule, (void)value;
	return e->mode->launched != e->mode->resume;
}

#define NO_WAY .flags = RULE_NO_WAY
#define NO_FIELD .field = IMAGE_FIELDS

/* clang-format off */
static const struct entry_rule rules[] = {
	{"entry.basic.no-current", "there is a current VMCS", NO_FIELD, UNLESS(no_vmcs), NO_WAY},
	{"entry.basic.shadow-current", "the current VMCS is not a shadow VMCS", NO_FIELD, UNLESS(shadow_vmcs),
		NO_WAY},
	{"entry.basic.mov-ss", "events are not blocked by MOV SS", NO_FIELD, UNLESS(mov_ss), NO_WAY,
		.bits = ERROR_ENTRY_MOV_SS},
	{"entry.basic.launch-nonclear", "VMLAUNCH is of a VMCS whose launch state is clear", NO_FIELD,
		WHEN(OFF(FACT, RESUME)), UNLESS(launch_state), NO_WAY, .bits = ERROR_VMLAUNCH_NOT_CLEAR},
	{"entry.basic.resume-nonlaunched", "VMRESUME is of a VMCS whose launch state is launched", NO_FIELD,
		WHEN(ON(FACT, RESUME)), UNLESS(launch_state), NO_WAY, .bits = ERROR_VMRESUME_NOT_LAUNCHED},
};
/* clang-format on */

GROUP(group_basic, "27.1 Basic VM-Entry Checks", rules, STAGE_BASIC, 0);
