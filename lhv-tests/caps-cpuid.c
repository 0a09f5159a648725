/* CPUID.1:ECX.VMX, and what comes and goes with it. SDM 24.6 and 24.7. */
#include "caps-msr.h"
#include "cpu/cpuid.h"
#include "cpu/registers.h"
#include "vmx/instructions.h"

/* MOV to CR4 with VMXE set, taken back where it was clear. */
static outcome_t try_vmxe(void)
{
	ulong old = read_cr4();
	outcome_t outcome = write_cr4_try(old | CR4_VMXE);

	if (outcome == SUCCEEDED && !(old & CR4_VMXE))
		write_cr4_try(old);
	return outcome;
}

RULE(cpuid_vmxe, .id = "caps.cpuid-vmxe", .title = "CR4.VMXE can be 1 where CPUID announces VMX",
     .sdm = "24.7 Enabling and Entering VMX Operation", .needs = NEED_VMX_ROOT, .opt = OPT_CAPS)
{
	expect_outcome("VMXOFF", vmxoff(), SUCCEEDED);
	expect_outcome("MOV to CR4 with VMXE = 0", write_cr4_try(read_cr4() & ~CR4_VMXE), SUCCEEDED);
	expect_clear("CR4", read_cr4(), CR4_VMXE);
	expect_outcome("MOV to CR4 with VMXE = 1", try_vmxe(), SUCCEEDED);
}

RULE(no_vmx_vmxe, .id = "caps.cpuid-no-vmx-vmxe-gp", .title = "Without VMX, MOV to CR4 that sets VMXE gives #GP(0)",
     .sdm = "24.7 Enabling and Entering VMX Operation", .needs = NEED_NO_VMX, .opt = OPT_CAPS)
{
	expect_outcome("MOV to CR4 with VMXE = 1", try_vmxe(), FAULT_GP0);
}

RULE(no_vmx_msr, .id = "caps.cpuid-no-vmx-msr-gp", .title = "Without VMX, RDMSR of IA32_VMX_BASIC gives #GP(0)",
     .sdm = "Appendix A: VMX Capability Reporting Facility", .needs = NEED_NO_VMX, .opt = OPT_CAPS)
{
	u64 value;

	expect_outcome("RDMSR of IA32_VMX_BASIC (480H)", msr_try_read(MSR_VMX_BASIC, &value), FAULT_GP0);
}
