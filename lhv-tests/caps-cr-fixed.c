/* Which bits of CR0 and CR4 are fixed in VMX operation. SDM appendix A.7 and A.8. */
#include "caps-msr.h"
#include "cpu/cpuid.h"
#include "cpu/registers.h"

#define CR0_SECTION "A.7 VMX-Fixed Bits in CR0"
#define CR4_SECTION "A.8 VMX-Fixed Bits in CR4"

RULE(cr0_consistent, .id = "caps.cr0-fixed.consistent", .title = "A bit of CR0 that must be 1 may be 1",
     .sdm = CR0_SECTION, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	expect_clear("IA32_VMX_CR0_FIXED0", capability(MSR_VMX_CR0_FIXED0), ~capability(MSR_VMX_CR0_FIXED1));
}

/* 24.8 says it only of the first CPUs with VMX */
RULE(pe_ne_pg, .id = "caps.cr0-fixed.pe-ne-pg", .title = "CR0.PE, CR0.NE and CR0.PG are fixed to 1",
     .sdm = "24.8 Restrictions on VMX Operation", .class = OBSERVED, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	u64 flexible = (CR0_PE | CR0_NE | CR0_PG) & ~capability(MSR_VMX_CR0_FIXED0);

	if (flexible)
		rule_note("IA32_VMX_CR0_FIXED0 lacks 0x%llx", flexible);
}

/* Bits 63:32 of CR0 are reserved and cannot be set at all */
RULE(cr0_high, .id = "caps.cr0-fixed.high", .title = "No bit of CR0[63:32] may be 1", .sdm = CR0_SECTION,
     .class = OBSERVED, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	if (capability(MSR_VMX_CR0_FIXED1) >> 32)
		rule_note("IA32_VMX_CR0_FIXED1 is 0x%llx", capability(MSR_VMX_CR0_FIXED1));
}

RULE(cr4_consistent, .id = "caps.cr4-fixed.consistent", .title = "A bit of CR4 that must be 1 may be 1",
     .sdm = CR4_SECTION, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	expect_clear("IA32_VMX_CR4_FIXED0", capability(MSR_VMX_CR4_FIXED0), ~capability(MSR_VMX_CR4_FIXED1));
}

/* 24.7: VMXE cannot be cleared in VMX operation, so it is fixed to 1 on every CPU */
RULE(cr4_vmxe, .id = "caps.cr4-fixed.vmxe", .title = "CR4.VMXE is fixed to 1", .sdm = CR4_SECTION, .needs = NEED_VMX,
     .opt = OPT_CAPS)
{
	expect_set("IA32_VMX_CR4_FIXED0", capability(MSR_VMX_CR4_FIXED0), CR4_VMXE);
}

/* A bit of CR4 and the bit of CPUID that announces it. */
static const struct {
	u8 cr4_bit;
	u8 leaf;
	u8 subleaf;
	char reg; /* last letter of EAX, EBX, ECX, EDX, without the X */
	u8 cpuid_bit;
} features[] = {
	{0, 1, 0, 'd', 1},   /* VME */
	{1, 1, 0, 'd', 1},   /* PVI */
	{2, 1, 0, 'd', 4},   /* TSD */
	{3, 1, 0, 'd', 2},   /* DE */
	{4, 1, 0, 'd', 3},   /* PSE */
	{5, 1, 0, 'd', 6},   /* PAE */
	{6, 1, 0, 'd', 7},   /* MCE */
	{7, 1, 0, 'd', 13},  /* PGE */
	{9, 1, 0, 'd', 24},  /* OSFXSR */
	{10, 1, 0, 'd', 25}, /* OSXMMEXCPT */
	{11, 7, 0, 'c', 2},  /* UMIP */
	{12, 7, 0, 'c', 16}, /* LA57 */
	{13, 1, 0, 'c', 5},  /* VMXE */
	{14, 1, 0, 'c', 6},  /* SMXE */
	{16, 7, 0, 'b', 0},  /* FSGSBASE */
	{17, 1, 0, 'c', 17}, /* PCIDE */
	{18, 1, 0, 'c', 26}, /* OSXSAVE */
	{20, 7, 0, 'b', 7},  /* SMEP */
	{21, 7, 0, 'b', 20}, /* SMAP */
	{22, 7, 0, 'c', 3},  /* PKE */
	{24, 7, 0, 'c', 31}, /* PKS */
	{25, 7, 0, 'd', 5},  /* UINTR */
	{28, 7, 1, 'a', 26}, /* LAM_SUP */
	{32, 7, 1, 'a', 17}, /* FRED */
};

static bool announced(unsigned i)
{
	struct cpuid leaf = cpuid_if_there(features[i].leaf, features[i].subleaf);
	u32 value = features[i].reg == 'a' ? leaf.eax :
		    features[i].reg == 'b' ? leaf.ebx :
		    features[i].reg == 'c' ? leaf.ecx :
					     leaf.edx;

	return value & BIT(features[i].cpuid_bit);
}

RULE(cr4_feature, .id = "caps.cr4-fixed.feature",
     .title = "A bit of CR4 may be 1 exactly where CPUID announces its feature",
     .sdm = CR4_SECTION, .class = OBSERVED, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	u64 allowed = capability(MSR_VMX_CR4_FIXED1), too_many = 0, missing = 0;

	for (unsigned i = 0; i < COUNT(features); i++) {
		u64 bit = BIT(features[i].cr4_bit);

		if (announced(i))
			missing |= bit & ~allowed;
		else
			too_many |= bit & allowed;
	}
	if (missing | too_many)
		rule_note("IA32_VMX_CR4_FIXED1 lacks 0x%llx that CPUID announces, has 0x%llx that it does not", missing,
			  too_many);
}
