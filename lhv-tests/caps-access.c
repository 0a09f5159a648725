/* The capability MSRs as registers: there, read-only, constant, alike on every CPU. SDM appendix A, introduction. */
#include "caps-msr.h"

#define APPENDIX_A "Appendix A: VMX Capability Reporting Facility"

static const char *const names[] = {
	"IA32_VMX_BASIC",		"IA32_VMX_PINBASED_CTLS",	"IA32_VMX_PROCBASED_CTLS",
	"IA32_VMX_EXIT_CTLS",		"IA32_VMX_ENTRY_CTLS",		"IA32_VMX_MISC",
	"IA32_VMX_CR0_FIXED0",		"IA32_VMX_CR0_FIXED1",		"IA32_VMX_CR4_FIXED0",
	"IA32_VMX_CR4_FIXED1",		"IA32_VMX_VMCS_ENUM",		"IA32_VMX_PROCBASED_CTLS2",
	"IA32_VMX_EPT_VPID_CAP",	"IA32_VMX_TRUE_PINBASED_CTLS",	"IA32_VMX_TRUE_PROCBASED_CTLS",
	"IA32_VMX_TRUE_EXIT_CTLS",	"IA32_VMX_TRUE_ENTRY_CTLS",	"IA32_VMX_VMFUNC",
	"IA32_VMX_PROCBASED_CTLS3",	"IA32_VMX_EXIT_CTLS2",
};

RULE(always_there, .id = "caps.msr.always-there",
     .title = "A CPU with VMX has the capability MSRs 480H to 48AH, whatever else it has", .sdm = APPENDIX_A,
     .needs = NEED_VMX, .opt = OPT_CAPS)
{
	u64 value;

	for (u32 msr = MSR_VMX_BASIC; msr <= MSR_VMX_VMCS_ENUM; msr++)
		expect_outcome(names[msr - MSR_VMX_BASIC], msr_try_read(msr, &value), SUCCEEDED);
}

RULE(read_only, .id = "caps.msr.read-only",
     .title = "WRMSR of a capability MSR gives #GP(0), even where the value stays the same", .sdm = APPENDIX_A,
     .needs = NEED_VMX, .opt = OPT_CAPS)
{
	for (unsigned i = 0; i < COUNT(names); i++)
		if (capability_there(MSR_VMX_BASIC + i))
			expect_outcome(names[i], msr_try_write(MSR_VMX_BASIC + i, capability(MSR_VMX_BASIC + i)),
				       FAULT_GP0);
}

RULE(constant, .id = "caps.msr.constant",
     .title = "The capability MSRs read the same in VMX root operation as before VMXON", .sdm = APPENDIX_A,
     .class = OBSERVED, .needs = NEED_VMX | NEED_VMX_ROOT, .opt = OPT_CAPS)
{
	u64 value;

	for (unsigned i = 0; i < COUNT(names); i++) {
		if (!capability_there(MSR_VMX_BASIC + i))
			continue;
		if (msr_try_read(MSR_VMX_BASIC + i, &value) != SUCCEEDED || value != capability(MSR_VMX_BASIC + i)) {
			rule_note("%s was 0x%llx, is 0x%llx", names[i], capability(MSR_VMX_BASIC + i), value);
			return;
		}
	}
}

RULE(alike, .id = "caps.msr.alike", .title = "All CPUs report the same capabilities", .sdm = APPENDIX_A,
     .class = OBSERVED, .cpus = TWO_CPUS, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	const struct vmx_caps *here = &this_cpu()->caps, *boot = &cpus[0].caps;

	for (unsigned i = 0; i < COUNT(names); i++)
		if (here->msr[i] != boot->msr[i] || (here->msr_there ^ boot->msr_there) & BIT(i)) {
			rule_note("%s is 0x%llx here, 0x%llx on the bootstrap processor", names[i], here->msr[i],
				  boot->msr[i]);
			return;
		}
}
