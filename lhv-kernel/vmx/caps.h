/* What VMX offers on a CPU: CPUID and the IA32_VMX_* MSRs, read once per CPU, nothing touched that is not announced. */
#pragma once
#include "lib/types.h"

/* Allowed settings of one vector of controls (appendix A): a bit of must_be_1 must be 1, a bit outside may_be_1 must be 0. */
struct control_caps {
	u64 must_be_1, may_be_1;
};

struct vmx_caps {
	bool vmx; /* CPUID.1:ECX.VMX[bit 5]; where false all else is 0 */
	u64 basic, misc, vmcs_enum, ept_vpid, vmfunc;
	u64 cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	u64 msr[20];  /* 480H + i as read, 0 where not there */
	u32 msr_there; /* bit i: RDMSR of 480H + i did not fault */

	/* What software goes by: the TRUE variants where IA32_VMX_BASIC[55] = 1 */
	struct control_caps pin, proc, proc2, proc3, exit, exit2, entry;
};

#define MSR_VMX_BASIC 0x480
#define MSR_VMX_PINBASED_CTLS 0x481
#define MSR_VMX_PROCBASED_CTLS 0x482
#define MSR_VMX_EXIT_CTLS 0x483
#define MSR_VMX_ENTRY_CTLS 0x484
#define MSR_VMX_MISC 0x485
#define MSR_VMX_CR0_FIXED0 0x486
#define MSR_VMX_CR0_FIXED1 0x487
#define MSR_VMX_CR4_FIXED0 0x488
#define MSR_VMX_CR4_FIXED1 0x489
#define MSR_VMX_VMCS_ENUM 0x48a
#define MSR_VMX_PROCBASED_CTLS2 0x48b
#define MSR_VMX_EPT_VPID_CAP 0x48c
#define MSR_VMX_TRUE_PINBASED_CTLS 0x48d
#define MSR_VMX_TRUE_PROCBASED_CTLS 0x48e
#define MSR_VMX_TRUE_EXIT_CTLS 0x48f
#define MSR_VMX_TRUE_ENTRY_CTLS 0x490
#define MSR_VMX_VMFUNC 0x491
#define MSR_VMX_PROCBASED_CTLS3 0x492
#define MSR_VMX_EXIT_CTLS2 0x493

/* Reads the capabilities of the CPU that this runs on. Planted faults (msr:…) are applied to what is read. */
void vmx_caps_read(struct vmx_caps *caps);

/* Is the secondary processor-based (pin-based, …) control of this bit allowed to be 1? */
static inline bool caps_allow(const struct control_caps *controls, u64 bit)
{
	return (controls->may_be_1 & bit) == bit;
}

static inline u32 caps_revision(const struct vmx_caps *caps)
{
	return caps->basic & 0x7fffffff;
}
