/* Checks on guest control registers, debug registers and MSRs. */
#include "lhv-tests/entry/rule.h"

/* 27.3.1.1: PG needs PE. Without unrestricted guest PE is fixed to 1 anyway, and its own rule says so. */
static bool paging_without_protection(struct entry *e, const struct entry_rule *rule, u64 cr0)
{
	(void)e, (void)rule;
	return (cr0 & CR0_PG) && !(cr0 & CR0_PE);
}

static u64 fixed_pe(const struct entry *e, const struct entry_rule *rule)
{
	return mask_host_cr0_one(e, rule) & CR0_PE;
}

static u64 fixed_pg(const struct entry *e, const struct entry_rule *rule)
{
	return mask_host_cr0_one(e, rule) & CR0_PG;
}

static bool efer_lma(struct entry *e, const struct entry_rule *rule, u64 efer)
{
	(void)rule;
	return !(efer & EFER_LMA) != !IN_FORCE(ENTRY, IA32E_MODE_GUEST);
}

static bool efer_lme(struct entry *e, const struct entry_rule *rule, u64 efer)
{
	(void)e, (void)rule;
	return !(efer & EFER_LMA) != !(efer & EFER_LME);
}

static bool bound_directory(struct entry *e, const struct entry_rule *rule, u64 bndcfgs)
{
	(void)rule;
	return entry_not_canonical(e, bndcfgs & ~BITS(11, 0));
}

static bool suppress_and_tracker(struct entry *e, const struct entry_rule *rule, u64 s_cet)
{
	(void)e, (void)rule;
	return (s_cet & BITS(11, 10)) == BITS(11, 10);
}

static bool s_cet_address(struct entry *e, const struct entry_rule *rule, u64 s_cet)
{
	(void)rule;
	return entry_not_canonical(e, s_cet) || (!IN_FORCE(ENTRY, IA32E_MODE_GUEST) && s_cet >> 32);
}

#define WITH(name) WHEN(ON(ENTRY, name))
#define FRED_STACK(n) \
	{"entry.guest.fred.rsp" #n ".canonical", "the stack pointer is canonical", WITH(LOAD_FRED), \
		ABOUT(GUEST_IA32_FRED_RSP##n), CANONICAL}, \
	{"entry.guest.fred.rsp" #n ".align", "bits 5:0 of the stack pointer are 0", WITH(LOAD_FRED), \
		ABOUT(GUEST_IA32_FRED_RSP##n), ALIGNED(6)}, \
	{"entry.guest.fred.ssp" #n ".canonical", "the shadow-stack pointer is canonical", WITH(LOAD_FRED), \
		ABOUT(GUEST_IA32_FRED_SSP##n), CANONICAL, OPEN}, \
	{"entry.guest.fred.ssp" #n ".align", "bits 2:0 of the shadow-stack pointer are 0", WITH(LOAD_FRED), \
		ABOUT(GUEST_IA32_FRED_SSP##n), ALIGNED(3), OPEN}

/* clang-format off */
static const struct entry_rule rules[] = {
	{"entry.guest.cr0.fixed-1", "bits that VMX operation fixes to 1 are 1, PE and PG apart", ABOUT(GUEST_CR0),
		ONE_BY(mask_guest_cr0_one)},
	{"entry.guest.cr0.pe-required", "CR0.PE = 1 without unrestricted guest",
		WHEN(OFF(PROC2, UNRESTRICTED_GUEST)), ABOUT(GUEST_CR0), ONE_BY(fixed_pe)},
	{"entry.guest.cr0.pg-required", "CR0.PG = 1 without unrestricted guest",
		WHEN(OFF(PROC2, UNRESTRICTED_GUEST)), ABOUT(GUEST_CR0), ONE_BY(fixed_pg)},
	{"entry.guest.cr0.fixed-0", "bits that VMX operation fixes to 0 are 0, NW and CD apart", ABOUT(GUEST_CR0),
		ZERO_BY(mask_cr0_zero)},
	{"entry.guest.cr0.pg-no-pe", "CR0.PE = 1 where CR0.PG = 1", WHEN(ON(PROC2, UNRESTRICTED_GUEST)),
		ABOUT(GUEST_CR0), UNLESS(paging_without_protection),
		GIVEN(DO(OFF(ENTRY, IA32E_MODE_GUEST)), DO(OFF(FACT, GUEST_PE)), SET_BITS(GUEST_CR0, CR0_PE)),
		BY(SET_BITS(GUEST_CR0, CR0_PG), CLEAR(GUEST_CR0, CR0_PE))},
	{"entry.guest.cr4.fixed-1", "bits that VMX operation fixes to 1 are 1", ABOUT(GUEST_CR4),
		ONE_BY(mask_cr4_one)},
	{"entry.guest.cr4.fixed-0", "bits that VMX operation fixes to 0 are 0", ABOUT(GUEST_CR4),
		ZERO_BY(mask_cr4_zero)},
	{"entry.guest.cr4.cet-wp", "CR0.WP = 1 where CR4.CET = 1", WHEN(ON(FACT, GUEST_CET)), ABOUT(GUEST_CR0),
		ONE(CR0_WP)},
	{"entry.guest.debugctl.reserved", "reserved bits are 0", WITH(LOAD_DEBUG_CONTROLS),
		ABOUT(GUEST_IA32_DEBUGCTL), ZERO_BY(mask_debugctl)},
	{"entry.guest.size.pg", "CR0.PG = 1 in an IA-32e mode guest",
		WHEN(ON(ENTRY, IA32E_MODE_GUEST), ON(PROC2, UNRESTRICTED_GUEST)), ABOUT(GUEST_CR0), ONE(CR0_PG)},
	{"entry.guest.size.pae", "CR4.PAE = 1 in an IA-32e mode guest", WHEN(ON(ENTRY, IA32E_MODE_GUEST)),
		ABOUT(GUEST_CR4), ONE(CR4_PAE)},
	{"entry.guest.size.pcide", "CR4.PCIDE = 0 outside IA-32e mode",
		WHEN(OFF(ENTRY, IA32E_MODE_GUEST), ON(FACT, PCID)), ABOUT(GUEST_CR4), ZERO(CR4_PCIDE)},
	{"entry.guest.fred.cr4-32bit", "CR4.FRED = 0 outside IA-32e mode",
		WHEN(OFF(ENTRY, IA32E_MODE_GUEST), ON(FACT, CR4_FRED)), ABOUT(GUEST_CR4), ZERO(CR4_FRED),
		BY(SET_BITS(GUEST_CR4, CR4_FRED), SET_BITS(GUEST_CS_ACCESS_RIGHTS, AR_L))},
	{"entry.guest.cr3.width", "CR3 is within the physical-address width", WHEN(ON(FACT, INTEL64)),
		ABOUT(GUEST_CR3), ZERO_BY(mask_cr3)},
	{"entry.guest.dr7.high", "bits 63:32 of DR7 are 0", WHEN(ON(ENTRY, LOAD_DEBUG_CONTROLS), ON(FACT, INTEL64)),
		ABOUT(GUEST_DR7), ZERO(BITS(63, 32))},
	{"entry.guest.sysenter-esp", "the address is canonical", WHEN(ON(FACT, INTEL64)),
		ABOUT(GUEST_IA32_SYSENTER_ESP), CANONICAL},
	{"entry.guest.sysenter-eip", "the address is canonical", WHEN(ON(FACT, INTEL64)),
		ABOUT(GUEST_IA32_SYSENTER_EIP), CANONICAL},
	{"entry.guest.ssp-table.canonical", "the address is canonical", WITH(LOAD_CET),
		ABOUT(GUEST_IA32_INTERRUPT_SSP_TABLE), CANONICAL},
	{"entry.guest.perf-global.reserved", "reserved bits are 0", WITH(LOAD_PERF_GLOBAL_CTRL),
		ABOUT(GUEST_IA32_PERF_GLOBAL_CTRL), ZERO_BY(mask_perf_global_ctrl)},
	{"entry.guest.pat.type", "each byte is 0, 1, 4, 5, 6 or 7", WITH(LOAD_PAT), ABOUT(GUEST_IA32_PAT),
		.check = CHECK_PAT},
	{"entry.guest.efer.reserved", "reserved bits are 0", WITH(LOAD_EFER), ABOUT(GUEST_IA32_EFER),
		ZERO_BY(mask_efer)},
	{"entry.guest.efer.lma", "LMA equals IA-32e mode guest", WHEN(ON(ENTRY, LOAD_EFER), ON(FACT, INTEL64)),
		ABOUT(GUEST_IA32_EFER), UNLESS(efer_lma), BY(FLIP(GUEST_IA32_EFER, EFER_LMA | EFER_LME))},
	{"entry.guest.efer.lme", "LME equals LMA where CR0.PG = 1",
		WHEN(ON(ENTRY, LOAD_EFER), ON(FACT, GUEST_PG), ON(FACT, INTEL64)), ABOUT(GUEST_IA32_EFER),
		UNLESS(efer_lme), BY(FLIP(GUEST_IA32_EFER, EFER_LME))},
	{"entry.guest.bndcfgs.reserved", "bits 11:2 are 0", WITH(LOAD_BNDCFGS), ABOUT(GUEST_IA32_BNDCFGS),
		ZERO(BITS(11, 2))},
	{"entry.guest.bndcfgs.canonical", "the address in bits 63:12 is canonical", WITH(LOAD_BNDCFGS),
		ABOUT(GUEST_IA32_BNDCFGS), UNLESS(bound_directory), BY(SET(GUEST_IA32_BNDCFGS, BIT(62)))},
	{"entry.guest.rtit-ctl.reserved", "reserved bits are 0", WITH(LOAD_RTIT_CTL), ABOUT(GUEST_IA32_RTIT_CTL),
		ZERO_BY(mask_rtit_ctl)},
	{"entry.guest.s-cet.reserved", "reserved bits are 0", WITH(LOAD_CET), ABOUT(GUEST_IA32_S_CET),
		ZERO_BY(mask_s_cet)},
	{"entry.guest.s-cet.suppress-tracker", "SUPPRESS and TRACKER are not both 1",
		WHEN(ON(ENTRY, LOAD_CET), ON(FACT, IBT)), ABOUT(GUEST_IA32_S_CET), UNLESS(suppress_and_tracker),
		GIVEN(SET_BITS(GUEST_IA32_S_CET, BIT(10))), BY(SET_BITS(GUEST_IA32_S_CET, BIT(11)))},
	{"entry.guest.s-cet.canonical", "the address is canonical, and has 32 bits outside IA-32e mode",
		WHEN(ON(ENTRY, LOAD_CET), ON(FACT, IBT)), ABOUT(GUEST_IA32_S_CET), UNLESS(s_cet_address),
		BY(SET(GUEST_IA32_S_CET, BIT(62))), OPEN},
	{"entry.guest.lbr-ctl.reserved", "reserved bits are 0", WITH(LOAD_LBR_CTL), ABOUT(GUEST_IA32_LBR_CTL),
		ZERO_BY(mask_lbr_ctl)},
	{"entry.guest.pkrs.high", "bits 63:32 are 0", WITH(LOAD_PKRS), ABOUT(GUEST_IA32_PKRS), ZERO(BITS(63, 32))},
	{"entry.guest.uinv.high", "bits 15:8 are 0", WITH(LOAD_UINV), ABOUT(GUEST_UINV), ZERO(BITS(15, 8))},
	{"entry.guest.spec-ctrl.reserved", "reserved bits are 0", WITH(LOAD_SPEC_CTRL), ABOUT(GUEST_IA32_SPEC_CTRL),
		ZERO_BY(mask_spec_ctrl), OPEN},
	{"entry.guest.fred.config.reserved", "bits 11, 5, 4 and 2 are 0", WITH(LOAD_FRED),
		ABOUT(GUEST_IA32_FRED_CONFIG), ZERO(BIT(11) | BITS(5, 4) | BIT(2))},
	{"entry.guest.fred.config.canonical", "the address in bits 63:12 is canonical", WITH(LOAD_FRED),
		ABOUT(GUEST_IA32_FRED_CONFIG), UNLESS(bound_directory), BY(SET(GUEST_IA32_FRED_CONFIG, BIT(62)))},
	FRED_STACK(1),
	FRED_STACK(2),
	FRED_STACK(3),
};
/* clang-format on */

GROUP(group_guest_control, "27.3.1.1 Checks on Guest Control Registers, Debug Registers, and MSRs", rules,
		STAGE_GUEST, 0);
