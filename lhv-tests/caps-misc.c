/* IA32_VMX_MISC: odds and ends, each with what it promises elsewhere. SDM appendix A.6. */
#include "caps-msr.h"
#include "cpu/cpuid.h"
#include "lhv-guest/golden.h"
#include "vmx/controls.h"
#include "vmx/errors.h"
#include "vmx/instructions.h"

#define MISC "A.6 Miscellaneous Data"
#define MSR_SMBASE 0x9e

#define MISC_STORE_LMA BIT(5)	   /* VM exits store EFER.LMA into "IA-32e mode guest" */
#define MISC_PT BIT(14)		   /* Intel PT can be used in VMX operation */
#define MISC_VMXOFF_SMI BIT(28)	   /* IA32_SMM_MONITOR_CTL[2] may be 1 */
#define MISC_VMWRITE_ANY BIT(29)   /* VMWRITE to VM-exit information fields */
#define MISC_RESERVED (BITS(13, 9) | BIT(31))
#define BASIC_DUAL_MONITOR BIT(49) /* of IA32_VMX_BASIC */
#define CPUID_7_EBX_PT BIT(25)

RULE(efer_lma_store, .id = "caps.misc.efer-lma-store",
     .title = "VM exits store EFER.LMA into the VM-entry controls wherever unrestricted guest may be 1", .sdm = MISC,
     .needs = NEED_VMX | NEED_UNRESTRICTED_GUEST, .opt = OPT_CAPS)
{
	expect_set("IA32_VMX_MISC", capability(MSR_VMX_MISC), MISC_STORE_LMA);
}

RULE(cr3_targets, .id = "caps.misc.cr3-targets", .title = "There are at most 256 CR3-target values", .sdm = MISC,
     .needs = NEED_VMX, .opt = OPT_CAPS)
{
	expect_range("CR3-target values, IA32_VMX_MISC[24:16]", FIELD(capability(MSR_VMX_MISC), 24, 16), 0, 256);
}

RULE(smbase, .id = "caps.misc.smbase", .title = "RDMSR of IA32_SMBASE outside SMM gives #GP(0), announced or not",
     .sdm = "32.15.6.4 Saving Guest State", .needs = NEED_VMX, .opt = OPT_CAPS)
{
	u64 value;

	expect_outcome("RDMSR of IA32_SMBASE (9EH)", msr_try_read(MSR_SMBASE, &value), FAULT_GP0);
}

RULE(vmwrite_any, .id = "caps.misc.vmwrite-any",
     .title = "VMWRITE to a VM-exit information field succeeds where IA32_VMX_MISC[29] is 1, else gives error 13",
     .sdm = MISC, .needs = NEED_VMX | NEED_VMX_ROOT, .opt = OPT_CAPS)
{
	u64 value;

	golden_vmcs_load();
	expect_outcome("VMREAD of the exit qualification", vmread_try(VMCS_EXIT_QUALIFICATION, &value), SUCCEEDED);
	expect_outcome("VMWRITE of the exit qualification", vmwrite_try(VMCS_EXIT_QUALIFICATION, value),
		       capability(MSR_VMX_MISC) & MISC_VMWRITE_ANY ? SUCCEEDED :
								     VMFAIL_VALID(ERROR_READ_ONLY_COMPONENT));
}

RULE(misc_reserved, .id = "caps.misc.reserved", .title = "The reserved bits of IA32_VMX_MISC are 0", .sdm = MISC,
     .needs = NEED_VMX, .opt = OPT_CAPS)
{
	expect_clear("IA32_VMX_MISC", capability(MSR_VMX_MISC), MISC_RESERVED);
}

RULE(pt_in_vmx, .id = "caps.misc.pt-in-vmx",
     .title = "Intel PT in VMX operation is announced only where CPUID has Intel PT",
     .sdm = MISC, .class = OBSERVED, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	if (capability(MSR_VMX_MISC) & MISC_PT && !(cpuid_if_there(7, 0).ebx & CPUID_7_EBX_PT))
		rule_note("IA32_VMX_MISC[14] is 1, CPUID.7:EBX.INTEL_PT[25] is 0");
}

RULE(vmxoff_smi, .id = "caps.misc.vmxoff-smi",
     .title = "IA32_SMM_MONITOR_CTL[2] is announced only with the dual-monitor treatment", .sdm = MISC,
     .class = OBSERVED, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	if (capability(MSR_VMX_MISC) & MISC_VMXOFF_SMI && !(capability(MSR_VMX_BASIC) & BASIC_DUAL_MONITOR))
		rule_note("IA32_VMX_MISC[28] is 1, IA32_VMX_BASIC[49] is 0");
}

RULE(vmwrite_any_shadowing, .id = "caps.misc.vmwrite-any-shadowing",
     .title = "VMCS shadowing comes with VMWRITE to VM-exit information fields", .sdm = MISC, .class = OBSERVED,
     .needs = NEED_VMX, .opt = OPT_CAPS)
{
	if (control_supported(CONTROL_PROC2, PROC2_VMCS_SHADOWING, &this_cpu()->caps) &&
	    !(capability(MSR_VMX_MISC) & MISC_VMWRITE_ANY))
		rule_note("\"VMCS shadowing\" may be 1, IA32_VMX_MISC[29] is 0");
}
