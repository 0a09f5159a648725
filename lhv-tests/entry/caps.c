/* What the VM-entry checks go by that depends on the processor: widths, features, reserved bits. */
#include "lhv-tests/entry/rule.h"

#define LEAF(name) (&caps->cpuid[ENTRY_LEAF_##name])
#define EFER_LEAF_SYSCALL BIT(11) /* CPUID.80000001H:EDX */
#define EFER_LEAF_NX BIT(20)
#define EFER_LEAF_LONG_MODE BIT(29)

bool entry_intel64(const struct entry_caps *caps)
{
	return (LEAF(81)->edx & EFER_LEAF_LONG_MODE) != 0;
}

u8 entry_physical_width(const struct entry_caps *caps)
{
	u8 width = LEAF(88)->eax & 0xff;

	return width >= 32 && width <= 52 ? width : 36;
}

u8 entry_linear_width(const struct entry_caps *caps)
{
	u8 width = LEAF(88)->eax >> 8 & 0xff;

	return width >= 48 && width <= 63 ? width : 48;
}

bool entry_has(const struct entry_caps *caps, enum entry_fact fact)
{
	switch (fact) {
	case FACT_ALWAYS:
		return true;
	case FACT_INTEL64:
		return entry_intel64(caps);
	case FACT_BASIC_56:
		return (caps->vmx.basic & BIT(56)) != 0;
	case FACT_NESTED:
		return (caps->vmx.basic & BIT(58)) != 0;
	case FACT_ADDRESSES_32:
		return (caps->vmx.basic & BIT(48)) != 0;
	case FACT_MISC_30:
		return (caps->vmx.misc & BIT(30)) != 0;
	case FACT_SGX:
		return (LEAF(7)->ebx & BIT(2)) != 0;
	case FACT_RTM:
		return (LEAF(7)->ebx & BIT(11)) != 0;
	case FACT_BUS_LOCK:
		return (LEAF(7)->ecx & BIT(24)) != 0;
	case FACT_LAM: /* CPUID.(7,1):EAX is not among the leaves; CR4.LAM_SUP says the same */
		return (caps->vmx.cr4_fixed1 & BIT(28)) != 0;
	case FACT_CET:
		return (caps->vmx.cr4_fixed1 & CR4_CET) != 0;
	case FACT_PCID:
		return (caps->vmx.cr4_fixed1 & CR4_PCIDE) != 0;
	case FACT_CR4_FRED:
		return (caps->vmx.cr4_fixed1 & CR4_FRED) != 0 && caps->natural_width == 64;
	case FACT_MTF:
		return caps_allow(&caps->vmx.proc, PROC_MONITOR_TRAP_FLAG);
	case FACT_HLT:
		return (caps->vmx.misc & BIT(6)) != 0;
	case FACT_SHUTDOWN:
		return (caps->vmx.misc & BIT(7)) != 0;
	case FACT_SIPI:
		return (caps->vmx.misc & BIT(8)) != 0;
	case FACT_IBT:
		return (LEAF(7)->edx & BIT(20)) != 0;
	default:
		return false;
	}
}

u64 entry_field_bits(const struct entry_caps *caps, unsigned field)
{
	switch (vmcs_width(vmcs_fields[field].encoding)) {
	case VMCS_16_BIT:
		return BITS(15, 0);
	case VMCS_32_BIT:
		return BITS(31, 0);
	case VMCS_NATURAL_WIDTH:
		return BITS(caps->natural_width == 64 && entry_intel64(caps) ? 63 : 31, 0);
	default:
		return ~0ull;
	}
}

/*
 * CHECK_ZERO of a physical address: bits at and above the physical-address width, or the 32 that VMX structures
 * may have
 */
u64 mask_beyond_width(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	u8 width = entry_has(e->caps, FACT_ADDRESSES_32) ? 32 : entry_physical_width(e->caps);

	return BITS(63, width);
}

/* CR3: IA32_VMX_BASIC[48] says nothing of it; with LAM its bits 62:61 are no address bits. */
u64 mask_cr3(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	u64 mask = BITS(63, entry_physical_width(e->caps));

	return entry_has(e->caps, FACT_LAM) ? mask & ~BITS(62, 61) : mask;
}

static bool canonical(u64 address, u8 width)
{
	u64 high = address >> (width - 1);

	return !high || high == BITS(64 - width, 0);
}

bool entry_not_canonical(struct entry *e, u64 address)
{
	bool in_largest = canonical(address, entry_linear_width(e->caps));

	if (in_largest && !canonical(address, 48))
		e->open = true;
	return !in_largest || e->open;
}

/* ---- CR0 and CR4: A.7 and A.8 VMX-Fixed Bits --------------------------------------------------------- */

static u64 natural(const struct entry *e)
{
	return e->caps->natural_width == 64 ? ~0ull : BITS(31, 0);
}

u64 mask_host_cr0_one(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	return e->caps->vmx.cr0_fixed0 & ~(CR0_NW | CR0_CD) & natural(e);
}

u64 mask_guest_cr0_one(const struct entry *e, const struct entry_rule *rule)
{
	return mask_host_cr0_one(e, rule) & ~(CR0_PE | CR0_PG);
}

u64 mask_cr0_zero(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	return ~e->caps->vmx.cr0_fixed1 & ~(CR0_NW | CR0_CD) & natural(e);
}

u64 mask_cr4_one(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	return e->caps->vmx.cr4_fixed0 & natural(e);
}

u64 mask_cr4_zero(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	return ~e->caps->vmx.cr4_fixed1 & natural(e);
}

/* ---- MSRs: only bits that are reserved for certain ---------------------------------------------------- */

u64 mask_efer(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	const struct entry_caps *caps = e->caps;
	u64 known = 0;

	if (LEAF(81)->edx & EFER_LEAF_SYSCALL || entry_intel64(caps))
		known |= EFER_SCE;
	if (LEAF(81)->edx & EFER_LEAF_NX)
		known |= EFER_NXE;
	if (entry_intel64(caps))
		known |= EFER_LME | EFER_LMA;
	return ~known;
}

u64 mask_debugctl(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	u64 reserved = BITS(63, 16) | BITS(5, 3);

	if (!entry_has(e->caps, FACT_BUS_LOCK))
		reserved |= BIT(2);
	if (!entry_has(e->caps, FACT_RTM))
		reserved |= BIT(15);
	return reserved;
}

u64 mask_perf_global_ctrl(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	const struct entry_caps *caps = e->caps;
	unsigned general = LEAF(A)->eax >> 8 & 0xff, fixed = LEAF(A)->edx & 0x1f;
	u64 known = BIT(48); /* EN_PERF_METRICS: by an MSR that the model does not have */

	if (general)
		known |= BITS(general > 32 ? 31 : general - 1, 0);
	if (fixed)
		known |= BITS(fixed > 16 ? 47 : 31 + fixed, 32);
	return ~known;
}

/* 33.2.7.2 IA32_RTIT_CTL: fields that no processor has, and those whose feature CPUID.14H does not name */
u64 mask_rtit_ctl(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	const struct entry_caps *caps = e->caps;
	u32 features = LEAF(14)->ebx, outputs = LEAF(14)->ecx;
	unsigned ranges = LEAF(14_1)->eax & 7;
	u64 known = BIT(0) | BITS(3, 2) | BITS(11, 10) | BIT(13) | BIT(7);

	if (features & BIT(1))
		known |= BIT(1) | BITS(22, 19) | BITS(27, 24); /* cycle-accurate mode, PSB frequency */
	if (features & BIT(3))
		known |= BIT(9) | BITS(17, 14); /* MTC */
	if (features & BIT(4))
		known |= BIT(12) | BIT(5); /* PTWRITE */
	if (features & BIT(5))
		known |= BIT(4); /* power events */
	if (features & BIT(6))
		known |= BIT(56);
	if (features & BIT(7))
		known |= BIT(31); /* event trace */
	if (features & BIT(8))
		known |= BIT(55);
	if (outputs & BIT(0))
		known |= BIT(8);
	if (outputs & BIT(3))
		known |= BIT(6);
	if (ranges)
		known |= BITS(31 + 4 * (ranges > 4 ? 4 : ranges), 32);
	return ~known;
}

u64 mask_lbr_ctl(const struct entry *e, const struct entry_rule *rule)
{
	(void)e, (void)rule;
	return BITS(63, 23) | BITS(15, 4);
}

u64 mask_s_cet(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	const struct entry_caps *caps = e->caps;
	u64 reserved = BITS(9, 6);

	if (!(LEAF(7)->ecx & BIT(7))) /* no shadow stacks */
		reserved |= BITS(1, 0);
	if (!(LEAF(7)->edx & BIT(20))) /* no indirect-branch tracking */
		reserved |= BITS(63, 10) | BITS(5, 2);
	return reserved & (caps->natural_width == 64 ? ~0ull : BITS(31, 0));
}

u64 mask_spec_ctrl(const struct entry *e, const struct entry_rule *rule)
{
	(void)e, (void)rule;
	return BITS(63, 11) | BIT(9);
}
