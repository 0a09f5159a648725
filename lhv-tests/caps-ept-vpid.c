/* IA32_VMX_EPT_VPID_CAP and IA32_VMX_VMFUNC: what EPT, VPID and VM functions can do. SDM appendix A.10 and A.11. */
#include "caps-msr.h"
#include "vmx/controls.h"

#define EPT_VPID_SECTION "A.10 VPID and EPT Capabilities"
#define VMFUNC_SECTION "A.11 VM Functions"

#define EPT_WALK_4 BIT(6)
#define EPT_WALK_5 BIT(7)
#define EPT_UNCACHEABLE BIT(8)
#define EPT_WRITE_BACK BIT(14)
#define INVEPT_THERE BIT(20)
#define EPT_ACCESSED_DIRTY BIT(21)
#define INVEPT_TYPES BITS(26, 25)  /* single-context, all-context */
#define INVVPID_THERE BIT(32)
#define INVVPID_TYPES BITS(43, 40) /* individual-address, single-context, all-context, ditto retaining globals */
/*
 * Reserved once, not now: bit 7 (5-level walk), 22 (advanced VM-exit information for EPT violations), 23 (supervisor
 * shadow-stack control), 53:48 (largest HLAT prefix size).
 */
#define EPT_VPID_RESERVED \
	(BITS(5, 1) | BITS(13, 9) | BIT(15) | BITS(19, 18) | BIT(24) | BITS(31, 27) | BITS(39, 33) | BITS(47, 44) | \
	 BITS(63, 54))

static u64 secondary(void)
{
	return capability(MSR_VMX_PROCBASED_CTLS2) >> 32;
}

/* The MSR's value; ends the rule as skipped where it is not there. */
static u64 ept_vpid(void)
{
	if (!capability_there(MSR_VMX_EPT_VPID_CAP))
		rule_skip("the CPU has neither EPT nor VPID");
	return capability(MSR_VMX_EPT_VPID_CAP);
}

RULE(ept_vpid_exists, .id = "caps.ept-vpid.exists",
     .title = "IA32_VMX_EPT_VPID_CAP exists exactly where \"enable EPT\" or \"enable VPID\" may be 1",
     .sdm = EPT_VPID_SECTION, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	expect_exists_if("RDMSR of IA32_VMX_EPT_VPID_CAP (48CH)", MSR_VMX_EPT_VPID_CAP,
			 secondary() & (PROC2_ENABLE_EPT | PROC2_ENABLE_VPID));
}

RULE(ept_vpid_reserved, .id = "caps.ept-vpid.reserved", .title = "The reserved bits of IA32_VMX_EPT_VPID_CAP are 0",
     .sdm = EPT_VPID_SECTION, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	expect_clear("IA32_VMX_EPT_VPID_CAP", ept_vpid(), EPT_VPID_RESERVED);
}

RULE(ept_minimum, .id = "caps.ept-vpid.ept-minimum",
     .title = "EPT comes with a page walk of 4 levels and a memory type",
     .sdm = EPT_VPID_SECTION, .class = OBSERVED, .needs = NEED_VMX | NEED_EPT, .opt = OPT_CAPS)
{
	if (!(ept_vpid() & EPT_WALK_4) || !(ept_vpid() & (EPT_UNCACHEABLE | EPT_WRITE_BACK)))
		rule_note("IA32_VMX_EPT_VPID_CAP is 0x%llx", ept_vpid());
}

RULE(invept_types, .id = "caps.ept-vpid.invept-types", .title = "INVEPT comes with a type that it can be used with",
     .sdm = EPT_VPID_SECTION, .class = OBSERVED, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	if (ept_vpid() & INVEPT_THERE && !(ept_vpid() & INVEPT_TYPES))
		rule_note("IA32_VMX_EPT_VPID_CAP[20] is 1, bits 26:25 are 0");
}

RULE(invvpid_types, .id = "caps.ept-vpid.invvpid-types", .title = "INVVPID comes with a type that it can be used with",
     .sdm = EPT_VPID_SECTION, .class = OBSERVED, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	if (ept_vpid() & INVVPID_THERE && !(ept_vpid() & INVVPID_TYPES))
		rule_note("IA32_VMX_EPT_VPID_CAP[32] is 1, bits 43:40 are 0");
}

RULE(invept_needs_ept, .id = "caps.ept-vpid.invept-needs-ept",
     .title = "INVEPT is announced only with EPT, without which it gives #UD",
     .sdm = "31.3 INVEPT - Invalidate Translations Derived from EPT", .needs = NEED_VMX, .opt = OPT_CAPS)
{
	if (ept_vpid() & INVEPT_THERE)
		expect_set("IA32_VMX_PROCBASED_CTLS2[63:32]", secondary(), PROC2_ENABLE_EPT);
}

RULE(invvpid_needs_vpid, .id = "caps.ept-vpid.invvpid-needs-vpid",
     .title = "INVVPID is announced only with VPIDs, without which it gives #UD",
     .sdm = "31.3 INVVPID - Invalidate Translations Based on VPID", .needs = NEED_VMX, .opt = OPT_CAPS)
{
	if (ept_vpid() & INVVPID_THERE)
		expect_set("IA32_VMX_PROCBASED_CTLS2[63:32]", secondary(), PROC2_ENABLE_VPID);
}

RULE(pml_needs_ad, .id = "caps.dep.pml-needs-ad",
     .title = "Page-modification logging comes with accessed and dirty flags for EPT", .sdm = EPT_VPID_SECTION,
     .class = OBSERVED, .needs = NEED_VMX | NEED_EPT, .opt = OPT_CAPS)
{
	if (secondary() & PROC2_ENABLE_PML && !(ept_vpid() & EPT_ACCESSED_DIRTY))
		rule_note("\"enable PML\" may be 1, IA32_VMX_EPT_VPID_CAP[21] is 0");
}

RULE(vmfunc_exists, .id = "caps.vmfunc.exists",
     .title = "IA32_VMX_VMFUNC exists exactly where \"enable VM functions\" may be 1", .sdm = VMFUNC_SECTION,
     .needs = NEED_VMX, .opt = OPT_CAPS)
{
	expect_exists_if("RDMSR of IA32_VMX_VMFUNC (491H)", MSR_VMX_VMFUNC, secondary() & PROC2_ENABLE_VM_FUNCTIONS);
}

RULE(vmfunc_named, .id = "caps.vmfunc.named", .title = "EPTP switching is the only VM function", .sdm = VMFUNC_SECTION,
     .class = OBSERVED, .needs = NEED_VMX | NEED_VMFUNC, .opt = OPT_CAPS)
{
	u64 unnamed = capability(MSR_VMX_VMFUNC) & ~(u64)VMFUNC_EPTP_SWITCHING;

	if (unnamed)
		rule_note("VM-function controls 0x%llx may be 1 too", unnamed);
}
