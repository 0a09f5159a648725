/*
 * Loading MSRs: the VM-entry MSR-load area, entry by entry. What WRMSR would refuse is known for some MSRs only,
 * those of the table at the end; of the others the model says that it does not know.
 */
#include "lhv-tests/entry/rule.h"

#define FS_BASE 0xc0000100u
#define GS_BASE 0xc0000101u
#define KERNEL_GS_BASE 0xc0000102u
#define TSC_AUX 0xc0000103u
#define STAR 0xc0000081u
#define LSTAR 0xc0000082u
#define CSTAR 0xc0000083u
#define FMASK 0xc0000084u
#define EFER 0xc0000080u
#define SYSENTER_CS 0x174u
#define SYSENTER_ESP 0x175u
#define SYSENTER_EIP 0x176u
#define PAT 0x277u
#define DEBUGCTL 0x1d9u
#define TIME_STAMP_COUNTER 0x10u
#define APIC_BASE 0x1bu
#define FEATURE_CONTROL 0x3au
#define BIOS_UPDT_TRIG 0x79u
#define SMM_MONITOR_CTL 0x9bu
#define MTRRCAP 0xfeu
#define MTRR_DEF_TYPE 0x2ffu
#define VMX_FIRST MSR_VMX_BASIC
#define VMX_LAST MSR_VMX_EXIT_CTLS2

#define ENTRIES_PER_STEP 512u /* A.6: the recommended maximum is this × (IA32_VMX_MISC[27:25] + 1) */

u32 entry_msr_count(struct entry *e)
{
	u64 count = GET(ENTRY_MSR_LOAD_COUNT), address = GET(ENTRY_MSR_LOAD_ADDRESS);
	u32 most = ENTRIES_PER_STEP * ((u32)FIELD(e->caps->vmx.misc, 27, 25) + 1);

	/* an area that breaks the rules of its own is never read; beyond the maximum the SDM defines nothing */
	if ((address & (BITS(3, 0) | mask_beyond_width(e, 0))))
		return 0;
	return count < most ? (u32)count : most;
}

void entry_msr_take(struct entry *e, u32 number)
{
	u64 address = GET(ENTRY_MSR_LOAD_ADDRESS) + 16ull * (number - 1);

	e->msr_number = number;
	e->msr_head = entry_read64(e, address);
	e->msr_value = entry_read64(e, address + 8);
}

/* ---- Rules: `bits` of a row is the MSR that it is about --------------------------------------------- */

static bool is(struct entry *e, const struct entry_rule *rule)
{
	return (u32)e->msr_head == rule->bits;
}

static bool index_barred(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)value;
	return is(e, rule);
}

static bool x2apic(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)rule, (void)value;
	return FIELD(e->msr_head, 31, 8) == 8;
}

static bool head_reserved(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)rule, (void)value;
	return e->msr_head >> 32;
}

static bool vmx_capability(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)rule, (void)value;
	return (u32)e->msr_head >= VMX_FIRST && (u32)e->msr_head <= VMX_LAST;
}

static bool not_canonical(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)value;
	return is(e, rule) && entry_not_canonical(e, e->msr_value);
}

static bool high_half(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)value;
	return is(e, rule) && e->msr_value >> 32;
}

static bool efer_reserved(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)value;
	return is(e, rule) && (e->msr_value & mask_efer(e, rule));
}

/* LME as the guest state has loaded it: 27.3.2.1 */
static bool efer_lme(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)value;
	if (!is(e, rule) || !IN_FORCE(FACT, GUEST_PG))
		return false;
	bool lme = IN_FORCE(ENTRY, LOAD_EFER) ? (GET(GUEST_IA32_EFER) & EFER_LME) != 0 : IN_FORCE(ENTRY,
		IA32E_MODE_GUEST);
	return lme != ((e->msr_value & EFER_LME) != 0);
}

static bool pat_type(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)value;
	if (!is(e, rule))
		return false;
	for (unsigned i = 0; i < 64; i += 8) {
		u64 type = e->msr_value >> i & 0xff;

		if (type > 7 || type == 2 || type == 3)
			return true;
	}
	return false;
}

static bool debugctl_reserved(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)value;
	return is(e, rule) && (e->msr_value & mask_debugctl(e, rule));
}

static bool apic_base_reserved(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)value;
	return is(e, rule) && (e->msr_value & (BITS(7, 0) | BIT(9) | BITS(63, entry_physical_width(e->caps))));
}

static bool mtrr_default_type(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)value;
	u64 type = e->msr_value & 0xff;

	return is(e, rule) && (type > 6 || type == 2 || type == 3 || (e->msr_value & (BITS(63, 12) | BITS(9, 8))));
}

/* MSRs of which the rows above and below say all that there is to say */
static bool not_known(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)rule, (void)value;
	static const u32 known[] = {FS_BASE, GS_BASE, KERNEL_GS_BASE, STAR, LSTAR, CSTAR, EFER, SYSENTER_CS,
		SYSENTER_ESP, SYSENTER_EIP,
				    PAT, TIME_STAMP_COUNTER, FEATURE_CONTROL, SMM_MONITOR_CTL, MTRRCAP,
				MTRR_DEF_TYPE};
	u32 msr = (u32)e->msr_head;

	for (unsigned i = 0; i < COUNT(known); i++)
		if (msr == known[i])
			return false;
	e->unknown = !x2apic(e, rule, value) && !vmx_capability(e, rule, value) && !head_reserved(e, rule, value);
	return false;
}

#define AREA .field = IMAGE_ENTRY_MSR_LOAD_ADDRESS
#define LEGAL_ENTRY GIVEN(SET_MSR(0, SYSENTER_CS, 0), SET(ENTRY_MSR_LOAD_COUNT, 1))
#define GIVEN_MSR(msr, value) GIVEN(SET_MSR(0, msr, value), SET(ENTRY_MSR_LOAD_COUNT, 1))
#define BY_MSR(msr, value) BY(SET_MSR(0, msr, value))
#define CANONICAL_MSR(id, what, msr) \
	{"entry.load.msr." id ".canonical", what " holds a canonical address", WHEN(ON(FACT, INTEL64)), AREA, \
		UNLESS(not_canonical), .bits = msr, \
		GIVEN_MSR(msr, 0x7fffffffffff), BY_MSR(msr, BIT(62))}

/* clang-format off */
static const struct entry_rule rules[] = {
	{"entry.load.msr.fs-base", "the MSR is not IA32_FS_BASE", AREA, UNLESS(index_barred), .bits = FS_BASE,
		LEGAL_ENTRY, BY_MSR(FS_BASE, 0)},
	{"entry.load.msr.gs-base", "the MSR is not IA32_GS_BASE", AREA, UNLESS(index_barred), .bits = GS_BASE,
		LEGAL_ENTRY, BY_MSR(GS_BASE, 0)},
	{"entry.load.msr.x2apic", "the MSR is not one of 800H to 8FFH", AREA, UNLESS(x2apic), LEGAL_ENTRY,
		BY_MSR(0x808, 0)},
	{"entry.load.msr.smm-only", "the MSR can be written outside SMM: not IA32_SMM_MONITOR_CTL",
		WHEN(OFF(FACT, SMM)), AREA, UNLESS(index_barred), .bits = SMM_MONITOR_CTL, LEGAL_ENTRY,
		BY_MSR(SMM_MONITOR_CTL, 0)},
	{"entry.load.msr.model-specific",
		"the MSR is none that VM entries cannot load for model-specific reasons: IA32_BIOS_UPDT_TRIG", AREA,
		UNLESS(index_barred), .bits = BIOS_UPDT_TRIG, OPEN, LEGAL_ENTRY, BY_MSR(BIOS_UPDT_TRIG, 0)},
	{"entry.load.msr.reserved", "bits 63:32 of the entry are 0", AREA, UNLESS(head_reserved), LEGAL_ENTRY,
		BY_MSR(SYSENTER_CS | BIT(32), 0)},
	{"entry.load.msr.vmx-capability", "the MSR is not read-only: no capability MSR of VMX", AREA,
		UNLESS(vmx_capability), LEGAL_ENTRY, BY_MSR(VMX_FIRST, 0)},
	{"entry.load.msr.mtrrcap", "the MSR is not read-only: not IA32_MTRRCAP", AREA, UNLESS(index_barred),
		.bits = MTRRCAP, LEGAL_ENTRY, BY_MSR(MTRRCAP, 0)},
	{"entry.load.msr.feature-control", "the MSR is not IA32_FEATURE_CONTROL, which is locked in VMX operation",
		AREA, UNLESS(index_barred), .bits = FEATURE_CONTROL, LEGAL_ENTRY, BY_MSR(FEATURE_CONTROL, 5)},
	{"entry.load.msr.efer.reserved", "reserved bits of IA32_EFER are 0", WHEN(ON(FACT, INTEL64)), AREA,
		UNLESS(efer_reserved), .bits = EFER, LEGAL_ENTRY, BY(STEP_WITH(STEP_EFER, BIT(1)))},
	{"entry.load.msr.efer-lme", "IA32_EFER.LME does not change while CR0.PG = 1",
		WHEN(ON(FACT, INTEL64), ON(FACT, GUEST_PG)), AREA, UNLESS(efer_lme), .bits = EFER, LEGAL_ENTRY,
		BY(STEP_WITH(STEP_EFER, EFER_LME))},
	{"entry.load.msr.pat.type", "each byte of IA32_PAT is 0, 1, 4, 5, 6 or 7", AREA, UNLESS(pat_type),
		.bits = PAT, GIVEN_MSR(PAT, 0x0007040600070406), BY_MSR(PAT, 0x0007040600070402)},
	{"entry.load.msr.debugctl.reserved", "reserved bits of IA32_DEBUGCTL are 0", AREA, UNLESS(debugctl_reserved),
		.bits = DEBUGCTL, LEGAL_ENTRY, BY_MSR(DEBUGCTL, BIT(63))},
	{"entry.load.msr.apic-base.reserved", "reserved bits of IA32_APIC_BASE are 0", AREA,
		UNLESS(apic_base_reserved), .bits = APIC_BASE, LEGAL_ENTRY, BY_MSR(APIC_BASE, 0xfee00001)},
	{"entry.load.msr.mtrr-def-type", "IA32_MTRR_DEF_TYPE holds a memory type and nothing reserved", AREA,
		UNLESS(mtrr_default_type), .bits = MTRR_DEF_TYPE, LEGAL_ENTRY, BY_MSR(MTRR_DEF_TYPE, 0xc02)},
	CANONICAL_MSR("sysenter-esp", "IA32_SYSENTER_ESP", SYSENTER_ESP),
	CANONICAL_MSR("sysenter-eip", "IA32_SYSENTER_EIP", SYSENTER_EIP),
	CANONICAL_MSR("lstar", "IA32_LSTAR", LSTAR),
	CANONICAL_MSR("cstar", "IA32_CSTAR", CSTAR),
	CANONICAL_MSR("kernel-gs-base", "IA32_KERNEL_GS_BASE", KERNEL_GS_BASE),
	{"entry.load.msr.fmask.high", "bits 63:32 of IA32_FMASK are 0", WHEN(ON(FACT, INTEL64)), AREA,
		UNLESS(high_half), .bits = FMASK, OPEN, LEGAL_ENTRY, BY_MSR(FMASK, BIT(32))},
	{"entry.load.msr.tsc-aux.high", "bits 63:32 of IA32_TSC_AUX are 0", AREA, UNLESS(high_half), .bits = TSC_AUX,
		OPEN, LEGAL_ENTRY, BY_MSR(TSC_AUX, BIT(32))},
	{"entry.load.msr.wrmsr-gp", "WRMSR would not fault (not known of MSRs without a rule here)", AREA,
		UNLESS(not_known), .flags = RULE_NO_WAY},
};
/* clang-format on */

GROUP(group_msr_load, "27.4 Loading MSRs", rules, STAGE_LOAD, 0);
