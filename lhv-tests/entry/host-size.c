/* Checks related to address-space size. */
#include "lhv-tests/entry/rule.h"

#define HOST_64 ON(EXIT, HOST_ADDRESS_SPACE_SIZE)
#define HOST_32 OFF(EXIT, HOST_ADDRESS_SPACE_SIZE)
#define NO_NUMBER .flags = RULE_HOST_OR_CONTROL

/* clang-format off */
static const struct entry_rule rules[] = {
	{"entry.host.size.legacy-guest64", "IA-32e mode guest is 0 where the VM entry is from outside IA-32e mode",
		WHEN(OFF(FACT, IA32E), ON(FACT, INTEL64)), ABOUT(ENTRY_CONTROLS), MUST(OFF(ENTRY, IA32E_MODE_GUEST)),
		NO_NUMBER, BY(SET_BITS(GUEST_CR4, CR4_PAE), SET_BITS(ENTRY_CONTROLS, ENTRY_IA32E_MODE_GUEST))},
	{"entry.host.size.legacy-host64",
		"host address-space size is 0 where the VM entry is from outside IA-32e mode",
		WHEN(OFF(FACT, IA32E), ON(FACT, INTEL64)), ABOUT(EXIT_CONTROLS), MUST(HOST_32), NO_NUMBER,
		BY(SET_BITS(HOST_CR4, CR4_PAE), SET_BITS(EXIT_CONTROLS, EXIT_HOST_ADDRESS_SPACE_SIZE))},
	{"entry.host.size.long-host32", "host address-space size is 1 where the VM entry is from IA-32e mode",
		WHEN(ON(FACT, IA32E)), ABOUT(EXIT_CONTROLS), MUST(HOST_64), NO_NUMBER},
	{"entry.host.size.pae", "CR4.PAE = 1 with host address-space size 1", WHEN(HOST_64, ON(FACT, INTEL64)),
		ABOUT(HOST_CR4), ONE(CR4_PAE)},
	{"entry.host.size.rip-canonical", "RIP is canonical with host address-space size 1",
		WHEN(HOST_64, ON(FACT, INTEL64)), ABOUT(HOST_RIP), CANONICAL},
	{"entry.host.size.rip-high", "bits 63:32 of RIP are 0 with host address-space size 0",
		WHEN(HOST_32, ON(FACT, INTEL64)), ABOUT(HOST_RIP), ZERO(BITS(63, 32))},
	{"entry.host.size.pcide", "CR4.PCIDE = 0 with host address-space size 0",
		WHEN(HOST_32, ON(FACT, INTEL64), ON(FACT, PCID)), ABOUT(HOST_CR4), ZERO(CR4_PCIDE)},
	{"entry.host.fred.cr4-32bit", "CR4.FRED = 0 with host address-space size 0",
		WHEN(HOST_32, ON(FACT, INTEL64), ON(FACT, CR4_FRED)), ABOUT(HOST_CR4), ZERO(CR4_FRED)},
	{"entry.host.size.scet-canonical", "IA32_S_CET is canonical with host address-space size 1",
		WHEN(HOST_64, ON(EXIT, LOAD_CET), ON(FACT, IBT)), ABOUT(HOST_IA32_S_CET), CANONICAL},
	{"entry.host.size.ssp-canonical", "SSP is canonical with host address-space size 1",
		WHEN(HOST_64, ON(EXIT, LOAD_CET)), ABOUT(HOST_SSP), CANONICAL},
	{"entry.host.size.scet-high", "bits 63:32 of IA32_S_CET are 0 with host address-space size 0",
		WHEN(HOST_32, ON(EXIT, LOAD_CET), ON(FACT, IBT)), ABOUT(HOST_IA32_S_CET), ZERO(BITS(63, 32))},
	{"entry.host.size.ssp-high", "bits 63:32 of SSP are 0 with host address-space size 0",
		WHEN(HOST_32, ON(EXIT, LOAD_CET)), ABOUT(HOST_SSP), ZERO(BITS(63, 32))},
	{"entry.host.size.no-intel64-guest", "IA-32e mode guest is 0 on a processor without Intel 64",
		WHEN(OFF(FACT, INTEL64)), ABOUT(ENTRY_CONTROLS), MUST(OFF(ENTRY, IA32E_MODE_GUEST)), NO_NUMBER,
		BY(SET_BITS(GUEST_CR4, CR4_PAE), SET_BITS(ENTRY_CONTROLS, ENTRY_IA32E_MODE_GUEST))},
	{"entry.host.size.no-intel64-host", "host address-space size is 0 on a processor without Intel 64",
		WHEN(OFF(FACT, INTEL64)), ABOUT(EXIT_CONTROLS), MUST(HOST_32), NO_NUMBER},
};
/* clang-format on */

GROUP(group_host_size, "27.2.4 Checks Related to Address-Space Size", rules, STAGE_CONTROLS_HOST,
		ERROR_ENTRY_HOST_STATE);
