/* Checks on host segment and descriptor-table registers. */
#include "lhv-tests/entry/rule.h"

#define SELECTOR(id, name) \
	{"entry.host." id ".rpl-ti", "RPL and TI are 0", ABOUT(HOST_##name##_SELECTOR), ZERO(BITS(2, 0))}
#define BASE(id, name) \
	{"entry.host." id ".base", "the base is canonical", WHEN(ON(FACT, INTEL64)), ABOUT(HOST_##name##_BASE), \
		CANONICAL}

/* clang-format off */
static const struct entry_rule rules[] = {
	SELECTOR("cs", CS),
	SELECTOR("ss", SS),
	SELECTOR("ds", DS),
	SELECTOR("es", ES),
	SELECTOR("fs", FS),
	SELECTOR("gs", GS),
	SELECTOR("tr", TR),
	{"entry.host.cs.null", "the selector is not 0000H", ABOUT(HOST_CS_SELECTOR), NOT_EQUAL(0)},
	{"entry.host.tr.null", "the selector is not 0000H", ABOUT(HOST_TR_SELECTOR), NOT_EQUAL(0)},
	{"entry.host.ss.null", "the selector is not 0000H with host address-space size 0",
		WHEN(OFF(EXIT, HOST_ADDRESS_SPACE_SIZE)), ABOUT(HOST_SS_SELECTOR), NOT_EQUAL(0)},
	BASE("fs", FS),
	BASE("gs", GS),
	BASE("gdtr", GDTR),
	BASE("idtr", IDTR),
	BASE("tr", TR),
};
/* clang-format on */

GROUP(group_host_segments, "27.2.3 Checks on Host Segment and Descriptor-Table Registers", rules, STAGE_CONTROLS_HOST,
		ERROR_ENTRY_HOST_STATE);
