/* IA32_FEATURE_CONTROL, through which firmware permits VMXON and then locks the door. SDM 24.7. */
#include "caps-msr.h"
#include "cpu/cpuid.h"
#include "vmx/root.h"

#define ENABLING "24.7 Enabling and Entering VMX Operation"

static u64 feature_control(void)
{
	u64 value;

	expect_outcome("RDMSR of IA32_FEATURE_CONTROL (3AH)", msr_try_read(MSR_FEATURE_CONTROL, &value), SUCCEEDED);
	return value;
}

/* A WRMSR that must give #GP(0). Where the platform lets it through, the old value is put back. */
static outcome_t try_to_set(u64 old, u64 new)
{
	outcome_t outcome = msr_try_write(MSR_FEATURE_CONTROL, new);

	if (outcome == SUCCEEDED)
		msr_try_write(MSR_FEATURE_CONTROL, old);
	return outcome;
}

RULE(locked, .id = "caps.feature-control.locked", .title = "In VMX operation IA32_FEATURE_CONTROL is locked",
     .sdm = ENABLING, .needs = NEED_VMX_ROOT | NEED_FEATURE_CONTROL, .opt = OPT_CAPS)
{
	expect_set("IA32_FEATURE_CONTROL", feature_control(), FEATURE_CONTROL_LOCK);
}

RULE(enabled, .id = "caps.feature-control.enabled",
     .title = "In VMX operation IA32_FEATURE_CONTROL permits VMXON outside SMX operation, or in it", .sdm = ENABLING,
     .needs = NEED_VMX_ROOT | NEED_FEATURE_CONTROL, .opt = OPT_CAPS)
{
	expect(feature_control() & (FEATURE_CONTROL_VMX_OUTSIDE_SMX | FEATURE_CONTROL_VMX_IN_SMX),
	       "IA32_FEATURE_CONTROL[2] or [1] is 1 after VMXON succeeded");
}

RULE(locked_write_gp, .id = "caps.feature-control.locked-write-gp",
     .title = "WRMSR of a locked IA32_FEATURE_CONTROL gives #GP(0), even of the value that it has, and changes nothing",
     .sdm = ENABLING, .needs = NEED_VMX | NEED_FEATURE_CONTROL, .opt = OPT_CAPS)
{
	u64 value = feature_control();

	if (!(value & FEATURE_CONTROL_LOCK))
		rule_skip("IA32_FEATURE_CONTROL is not locked");
	expect_outcome("WRMSR of IA32_FEATURE_CONTROL", msr_try_write(MSR_FEATURE_CONTROL, value), FAULT_GP0);
	expect_equal("IA32_FEATURE_CONTROL after it", feature_control(), value);
}

/* Bit 1 cannot have become 1 where no attempt to set it succeeds */
RULE(smx_bit_clear, .id = "caps.feature-control.smx-bit-clear",
     .title = "Without SMX, IA32_FEATURE_CONTROL does not permit VMXON in SMX operation", .sdm = ENABLING,
     .needs = NEED_VMX | NEED_FEATURE_CONTROL, .opt = OPT_CAPS)
{
	if (cpuid(1, 0).ecx & CPUID_1_ECX_SMX)
		rule_skip("the CPU has SMX");
	expect_clear("IA32_FEATURE_CONTROL", feature_control(), FEATURE_CONTROL_VMX_IN_SMX);
}

RULE(smx_bit_needs_both, .id = "caps.feature-control.smx-bit-needs-both",
     .title = "Without SMX, WRMSR that sets IA32_FEATURE_CONTROL[1] gives #GP(0)", .sdm = ENABLING,
     .needs = NEED_VMX | NEED_FEATURE_CONTROL, .opt = OPT_CAPS)
{
	u64 value = feature_control();

	if (cpuid(1, 0).ecx & CPUID_1_ECX_SMX)
		rule_skip("the CPU has SMX");
	if (value & FEATURE_CONTROL_LOCK)
		rule_skip("IA32_FEATURE_CONTROL is locked, so that every WRMSR of it faults");
	expect_outcome("WRMSR that sets IA32_FEATURE_CONTROL[1]", try_to_set(value, value | FEATURE_CONTROL_VMX_IN_SMX),
		       FAULT_GP0);
}

/* Where the MSR itself is missing, WRMSR faults all the same */
RULE(vmx_bit_needs_vmx, .id = "caps.feature-control.vmx-bit-needs-vmx",
     .title = "Without VMX, WRMSR that sets IA32_FEATURE_CONTROL[2] gives #GP(0)", .sdm = ENABLING,
     .needs = NEED_NO_VMX, .opt = OPT_CAPS)
{
	u64 value;

	msr_try_read(MSR_FEATURE_CONTROL, &value);
	expect_outcome("WRMSR that sets IA32_FEATURE_CONTROL[2]",
		       try_to_set(value, value | FEATURE_CONTROL_VMX_OUTSIDE_SMX), FAULT_GP0);
}
