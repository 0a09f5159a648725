/* What VMX offers on a CPU. SDM 3D appendix A. */
#include "vmx/caps.h"
#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "vmx/controls.h"

#define BASIC_TRUE_CONTROLS BIT(55)

static u64 read(struct vmx_caps *caps, u32 msr)
{
	unsigned i = msr - MSR_VMX_BASIC;

	if (msr_try_read(msr, &caps->msr[i]) == SUCCEEDED)
		caps->msr_there |= 1u << i;
	return caps->msr[i];
}

/* Bits 31:0 say what must be 1, bits 63:32 what may be 1 (A.2) */
static struct control_caps read_controls(struct vmx_caps *caps, u32 msr)
{
	u64 value = read(caps, msr);

	return (struct control_caps){value & 0xffffffff, value >> 32};
}

void vmx_caps_read(struct vmx_caps *caps)
{
	bool truth;

	caps->vmx = cpuid(1, 0).ecx & CPUID_1_ECX_VMX;
	if (!caps->vmx)
		return;
	caps->basic = read(caps, MSR_VMX_BASIC);
	caps->misc = read(caps, MSR_VMX_MISC);
	caps->cr0_fixed0 = read(caps, MSR_VMX_CR0_FIXED0);
	caps->cr0_fixed1 = read(caps, MSR_VMX_CR0_FIXED1);
	caps->cr4_fixed0 = read(caps, MSR_VMX_CR4_FIXED0);
	caps->cr4_fixed1 = read(caps, MSR_VMX_CR4_FIXED1);
	caps->vmcs_enum = read(caps, MSR_VMX_VMCS_ENUM);

	truth = caps->basic & BASIC_TRUE_CONTROLS;
	caps->pin = read_controls(caps, MSR_VMX_PINBASED_CTLS);
	caps->proc = read_controls(caps, MSR_VMX_PROCBASED_CTLS);
	caps->exit = read_controls(caps, MSR_VMX_EXIT_CTLS);
	caps->entry = read_controls(caps, MSR_VMX_ENTRY_CTLS);
	if (truth) {
		caps->pin = read_controls(caps, MSR_VMX_TRUE_PINBASED_CTLS);
		caps->proc = read_controls(caps, MSR_VMX_TRUE_PROCBASED_CTLS);
		caps->exit = read_controls(caps, MSR_VMX_TRUE_EXIT_CTLS);
		caps->entry = read_controls(caps, MSR_VMX_TRUE_ENTRY_CTLS);
	}
	if (caps_allow(&caps->proc, PROC_ACTIVATE_SECONDARY_CONTROLS))
		caps->proc2 = read_controls(caps, MSR_VMX_PROCBASED_CTLS2);
	if (caps_allow(&caps->proc, PROC_ACTIVATE_TERTIARY_CONTROLS))
		caps->proc3.may_be_1 = read(caps, MSR_VMX_PROCBASED_CTLS3);
	if (caps_allow(&caps->exit, EXIT_ACTIVATE_SECONDARY_CONTROLS))
		caps->exit2.may_be_1 = read(caps, MSR_VMX_EXIT_CTLS2);
	if (caps_allow(&caps->proc2, PROC2_ENABLE_EPT) || caps_allow(&caps->proc2, PROC2_ENABLE_VPID))
		caps->ept_vpid = read(caps, MSR_VMX_EPT_VPID_CAP);
	if (caps_allow(&caps->proc2, PROC2_ENABLE_VM_FUNCTIONS))
		caps->vmfunc = read(caps, MSR_VMX_VMFUNC);
}
