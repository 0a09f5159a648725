#include "processor.h"
#include "vmx/controls.h"

static struct control_caps every(enum control_kind kind, u64 must_be_1)
{
	return (struct control_caps){must_be_1, control_named(kind) | must_be_1};
}

void processor_everything(struct entry_caps *caps)
{
	struct vmx_caps *vmx = &caps->vmx;

	*caps = (struct entry_caps){.natural_width = 64};
	vmx->vmx = true;
	vmx->basic = BIT(55) | BIT(56) | BIT(58);
	vmx->misc = BITS(8, 6) | 4ull << 16 | BIT(30) | BIT(5);
	vmx->ept_vpid = BIT(0) | BIT(6) | BIT(7) | BIT(8) | BIT(14) | BIT(16) | BIT(17) | BIT(21) | BIT(23);
	vmx->vmfunc = VMFUNC_EPTP_SWITCHING;
	vmx->cr0_fixed0 = 0x80000021;
	vmx->cr0_fixed1 = 0xffffffff;
	vmx->cr4_fixed0 = BIT(13);
	vmx->cr4_fixed1 = BITS(14, 0) | BITS(18, 16) | BITS(25, 20) | BIT(28) | BIT(32);
	vmx->pin = every(CONTROL_PIN, PIN_DEFAULT1);
	vmx->proc = every(CONTROL_PROC, PROC_DEFAULT1 & ~(PROC_CR3_LOAD_EXITING | PROC_CR3_STORE_EXITING));
	vmx->proc2 = every(CONTROL_PROC2, 0);
	vmx->proc3 = every(CONTROL_PROC3, 0);
	vmx->exit = every(CONTROL_EXIT, EXIT_DEFAULT1 & ~EXIT_SAVE_DEBUG_CONTROLS);
	vmx->exit2 = every(CONTROL_EXIT2, 0);
	vmx->entry = every(CONTROL_ENTRY, ENTRY_DEFAULT1 & ~ENTRY_LOAD_DEBUG_CONTROLS);
	caps->cpuid[ENTRY_LEAF_7] = (struct entry_leaf){.ebx = BIT(2) | BIT(11), .ecx = BIT(7) | BIT(24), .edx = BIT(20)};
	caps->cpuid[ENTRY_LEAF_A] = (struct entry_leaf){.eax = 8 << 8 | 5, .edx = 3};
	caps->cpuid[ENTRY_LEAF_14] = (struct entry_leaf){.ebx = 0x1ff, .ecx = 0xf};
	caps->cpuid[ENTRY_LEAF_14_1] = (struct entry_leaf){.eax = 2};
	caps->cpuid[ENTRY_LEAF_81] = (struct entry_leaf){.edx = BIT(11) | BIT(20) | BIT(29)};
	caps->cpuid[ENTRY_LEAF_88] = (struct entry_leaf){.eax = 46 | 48 << 8};
}

static bool there(const struct vmx_caps *vmx, u32 msr)
{
	return vmx->msr_there & BIT(msr - MSR_VMX_BASIC);
}

static u64 value(const struct vmx_caps *vmx, u32 msr)
{
	return vmx->msr[msr - MSR_VMX_BASIC];
}

/* Allowed 0-settings in bits 31:0, allowed 1-settings in bits 63:32; the TRUE MSR where there is one */
static void take_controls(struct control_caps *controls, const struct vmx_caps *vmx, u32 msr, u32 true_msr)
{
	u32 from = true_msr && there(vmx, true_msr) ? true_msr : msr;

	if (there(vmx, from))
		*controls = (struct control_caps){value(vmx, from) & BITS(31, 0), value(vmx, from) >> 32};
}

static void take_number(u64 *number, const struct vmx_caps *vmx, u32 msr)
{
	if (there(vmx, msr))
		*number = value(vmx, msr);
}

void processor_take_msrs(struct entry_caps *caps)
{
	struct vmx_caps *vmx = &caps->vmx;

	take_number(&vmx->basic, vmx, MSR_VMX_BASIC);
	take_number(&vmx->misc, vmx, MSR_VMX_MISC);
	take_number(&vmx->ept_vpid, vmx, MSR_VMX_EPT_VPID_CAP);
	take_number(&vmx->vmfunc, vmx, MSR_VMX_VMFUNC);
	take_number(&vmx->cr0_fixed0, vmx, MSR_VMX_CR0_FIXED0);
	take_number(&vmx->cr0_fixed1, vmx, MSR_VMX_CR0_FIXED1);
	take_number(&vmx->cr4_fixed0, vmx, MSR_VMX_CR4_FIXED0);
	take_number(&vmx->cr4_fixed1, vmx, MSR_VMX_CR4_FIXED1);
	take_number(&vmx->proc3.may_be_1, vmx, MSR_VMX_PROCBASED_CTLS3);
	take_number(&vmx->exit2.may_be_1, vmx, MSR_VMX_EXIT_CTLS2);
	take_controls(&vmx->pin, vmx, MSR_VMX_PINBASED_CTLS, MSR_VMX_TRUE_PINBASED_CTLS);
	take_controls(&vmx->proc, vmx, MSR_VMX_PROCBASED_CTLS, MSR_VMX_TRUE_PROCBASED_CTLS);
	take_controls(&vmx->proc2, vmx, MSR_VMX_PROCBASED_CTLS2, 0);
	take_controls(&vmx->exit, vmx, MSR_VMX_EXIT_CTLS, MSR_VMX_TRUE_EXIT_CTLS);
	take_controls(&vmx->entry, vmx, MSR_VMX_ENTRY_CTLS, MSR_VMX_TRUE_ENTRY_CTLS);
}
