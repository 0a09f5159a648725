/* Checks on host control registers, MSRs and SSP. */
#include "lhv-tests/entry/rule.h"

/* SUPPRESS and TRACKER of an IA32_S_CET */
static bool suppress_and_tracker(struct entry *e, const struct entry_rule *rule, u64 s_cet)
{
	(void)e, (void)rule;
	return (s_cet & BITS(11, 10)) == BITS(11, 10);
}

static bool efer_lma(struct entry *e, const struct entry_rule *rule, u64 efer)
{
	(void)rule;
	return !(efer & EFER_LMA) != !IN_FORCE(EXIT, HOST_ADDRESS_SPACE_SIZE);
}

static bool efer_lme(struct entry *e, const struct entry_rule *rule, u64 efer)
{
	(void)rule;
	return !(efer & EFER_LME) != !IN_FORCE(EXIT, HOST_ADDRESS_SPACE_SIZE);
}

/* The linear address in an IA32_FRED_CONFIG is in its bits 63:12. */
static bool fred_config_address(struct entry *e, const struct entry_rule *rule, u64 config)
{
	(void)rule;
	return entry_not_canonical(e, config & ~BITS(11, 0));
}

#define WITH(name) WHEN(ON(EXIT, name))
#define WITH_FRED WHEN(ON(EXIT2, LOAD_FRED))
#define FRED_STACK(n) \
	{"entry.host.fred.rsp" #n ".canonical", "the stack pointer is canonical", WITH_FRED, \
		ABOUT(HOST_IA32_FRED_RSP##n), CANONICAL}, \
	{"entry.host.fred.rsp" #n ".align", "bits 5:0 of the stack pointer are 0", WITH_FRED, \
		ABOUT(HOST_IA32_FRED_RSP##n), ALIGNED(6)}, \
	{"entry.host.fred.ssp" #n ".canonical", "the shadow-stack pointer is canonical", WITH_FRED, \
		ABOUT(HOST_IA32_FRED_SSP##n), CANONICAL, OPEN}, \
	{"entry.host.fred.ssp" #n ".align", "bits 2:0 of the shadow-stack pointer are 0", WITH_FRED, \
		ABOUT(HOST_IA32_FRED_SSP##n), ALIGNED(3), OPEN}

/* clang-format off */
static const struct entry_rule rules[] = {
	{"entry.host.cr0.fixed-1", "bits that VMX operation fixes to 1 are 1", ABOUT(HOST_CR0),
		ONE_BY(mask_host_cr0_one)},
	{"entry.host.cr0.fixed-0", "bits that VMX operation fixes to 0 are 0, NW and CD apart", ABOUT(HOST_CR0),
		ZERO_BY(mask_cr0_zero)},
	{"entry.host.cr4.fixed-1", "bits that VMX operation fixes to 1 are 1", ABOUT(HOST_CR4), ONE_BY(mask_cr4_one)},
	{"entry.host.cr4.fixed-0", "bits that VMX operation fixes to 0 are 0", ABOUT(HOST_CR4),
		ZERO_BY(mask_cr4_zero)},
	{"entry.host.cr4.cet-wp", "CR0.WP = 1 where CR4.CET = 1", WHEN(ON(FACT, HOST_CET)), ABOUT(HOST_CR0),
		ONE(CR0_WP)},
	{"entry.host.cr3.width", "CR3 is within the physical-address width", WHEN(ON(FACT, INTEL64)),
		ABOUT(HOST_CR3), ZERO_BY(mask_cr3)},
	{"entry.host.sysenter-esp", "the address is canonical", WHEN(ON(FACT, INTEL64)),
		ABOUT(HOST_IA32_SYSENTER_ESP), CANONICAL},
	{"entry.host.sysenter-eip", "the address is canonical", WHEN(ON(FACT, INTEL64)),
		ABOUT(HOST_IA32_SYSENTER_EIP), CANONICAL},
	{"entry.host.ssp-table.canonical", "the address is canonical", WITH(LOAD_CET),
		ABOUT(HOST_IA32_INTERRUPT_SSP_TABLE), CANONICAL},
	{"entry.host.perf-global.reserved", "reserved bits are 0", WITH(LOAD_PERF_GLOBAL_CTRL),
		ABOUT(HOST_IA32_PERF_GLOBAL_CTRL), ZERO_BY(mask_perf_global_ctrl)},
	{"entry.host.pat.type", "each byte is 0, 1, 4, 5, 6 or 7", WITH(LOAD_PAT), ABOUT(HOST_IA32_PAT),
		.check = CHECK_PAT},
	{"entry.host.efer.reserved", "reserved bits are 0", WITH(LOAD_EFER), ABOUT(HOST_IA32_EFER),
		ZERO_BY(mask_efer)},
	{"entry.host.efer.lma", "LMA equals host address-space size", WHEN(ON(EXIT, LOAD_EFER), ON(FACT, INTEL64)),
		ABOUT(HOST_IA32_EFER), UNLESS(efer_lma), BY(FLIP(HOST_IA32_EFER, EFER_LMA))},
	{"entry.host.efer.lme", "LME equals host address-space size", WHEN(ON(EXIT, LOAD_EFER), ON(FACT, INTEL64)),
		ABOUT(HOST_IA32_EFER), UNLESS(efer_lme), BY(FLIP(HOST_IA32_EFER, EFER_LME))},
	{"entry.host.s-cet.reserved", "reserved bits are 0", WITH(LOAD_CET), ABOUT(HOST_IA32_S_CET),
		ZERO_BY(mask_s_cet)},
	{"entry.host.s-cet.suppress-tracker", "SUPPRESS and TRACKER are not both 1",
		WHEN(ON(EXIT, LOAD_CET), ON(FACT, IBT)), ABOUT(HOST_IA32_S_CET), UNLESS(suppress_and_tracker),
		GIVEN(SET_BITS(HOST_IA32_S_CET, BIT(10))), BY(SET_BITS(HOST_IA32_S_CET, BIT(11)))},
	{"entry.host.ssp.align", "bits 1:0 of SSP are 0", WITH(LOAD_CET), ABOUT(HOST_SSP), ALIGNED(2)},
	{"entry.host.pkrs.high", "bits 63:32 are 0", WITH(LOAD_PKRS), ABOUT(HOST_IA32_PKRS), ZERO(BITS(63, 32))},
	{"entry.host.spec-ctrl.reserved", "reserved bits are 0", WHEN(ON(EXIT2, LOAD_SPEC_CTRL)),
		ABOUT(HOST_IA32_SPEC_CTRL), ZERO_BY(mask_spec_ctrl), OPEN},
	{"entry.host.fred.config.reserved", "bits 11, 5, 4 and 2 are 0", WITH_FRED, ABOUT(HOST_IA32_FRED_CONFIG),
		ZERO(BIT(11) | BITS(5, 4) | BIT(2))},
	{"entry.host.fred.config.canonical", "the address in bits 63:12 is canonical", WITH_FRED,
		ABOUT(HOST_IA32_FRED_CONFIG), UNLESS(fred_config_address), BY(SET(HOST_IA32_FRED_CONFIG, BIT(62)))},
	FRED_STACK(1),
	FRED_STACK(2),
	FRED_STACK(3),
};
/* clang-format on */

GROUP(group_host_control, "27.2.2 Checks on Host Control Registers, MSRs, and SSP", rules, STAGE_CONTROLS_HOST,
		ERROR_ENTRY_HOST_STATE);
