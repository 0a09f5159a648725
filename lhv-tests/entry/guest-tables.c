/* Checks on guest descriptor-table registers. */
#include "lhv-tests/entry/rule.h"

/* clang-format off */
static const struct entry_rule rules[] = {
	{"entry.guest.gdtr.base", "the base is canonical", WHEN(ON(FACT, INTEL64)), ABOUT(GUEST_GDTR_BASE),
		CANONICAL},
	{"entry.guest.idtr.base", "the base is canonical", WHEN(ON(FACT, INTEL64)), ABOUT(GUEST_IDTR_BASE),
		CANONICAL},
	{"entry.guest.gdtr.limit", "bits 31:16 are 0", ABOUT(GUEST_GDTR_LIMIT), ZERO(BITS(31, 16))},
	{"entry.guest.idtr.limit", "bits 31:16 are 0", ABOUT(GUEST_IDTR_LIMIT), ZERO(BITS(31, 16))},
};
/* clang-format on */

GROUP(group_guest_tables, "27.3.1.3 Checks on Guest Descriptor-Table Registers", rules, STAGE_GUEST, 0);
