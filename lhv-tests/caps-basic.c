/* IA32_VMX_BASIC: the VMCS region's revision and size, and what kind of VMX it is. SDM appendix A.1. */
#include "caps-msr.h"
#include "cpu/cpuid.h"

#define BASIC "A.1 Basic VMX Information"
#define MSR_SMM_MONITOR_CTL 0x9b

#define BASIC_WIDTH_32 BIT(48)	    /* addresses in VMX structures are limited to 32 bits */
#define BASIC_DUAL_MONITOR BIT(49)  /* dual-monitor treatment of SMIs and SMM */
#define BASIC_TRUE_CONTROLS BIT(55) /* default1 controls may be 0, 48DH to 490H exist */
/*
 * Bit 56 (hardware exceptions with or without error code) and bit 58 (nested exceptions, with FRED) were reserved once;
 * 57 and 63:59 still are.
 */
#define BASIC_RESERVED (BITS(47, 45) | BIT(57) | BITS(63, 59))

static u64 region_size(u64 basic)
{
	return FIELD(basic, 44, 32);
}

static u64 memory_type(u64 basic)
{
	return FIELD(basic, 53, 50);
}

RULE(revision_bit31, .id = "caps.basic.revision-bit31",
     .title = "The VMCS revision identifier has 31 bits: bit 31 of IA32_VMX_BASIC is 0", .sdm = BASIC,
     .needs = NEED_VMX, .opt = OPT_CAPS)
{
	expect_clear("IA32_VMX_BASIC", capability(MSR_VMX_BASIC), BIT(31));
}

RULE(size, .id = "caps.basic.size", .title = "VMXON and VMCS regions take more than 0 and at most 4096 bytes",
     .sdm = BASIC, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	expect_range("region size, IA32_VMX_BASIC[44:32]", region_size(capability(MSR_VMX_BASIC)), 1, 4096);
}

RULE(width48, .id = "caps.basic.width48",
     .title = "Addresses in VMX structures are not limited to 32 bits on CPUs with Intel 64", .sdm = BASIC, .needs = NEED_VMX,
     .opt = OPT_CAPS)
{
	if (!(cpuid_if_there(0x80000001, 0).edx & CPUID_81_EDX_LONG_MODE))
		rule_skip("the CPU has no Intel 64");
	expect_clear("IA32_VMX_BASIC", capability(MSR_VMX_BASIC), BASIC_WIDTH_32);
}

RULE(dual_monitor, .id = "caps.basic.dual-monitor",
     .title = "IA32_SMM_MONITOR_CTL exists where the dual-monitor treatment is announced",
     .sdm = "32.15.5 Enabling the Dual-Monitor Treatment", .needs = NEED_VMX, .opt = OPT_CAPS)
{
	u64 value;

	if (!(capability(MSR_VMX_BASIC) & BASIC_DUAL_MONITOR))
		rule_skip("the dual-monitor treatment is not announced (IA32_VMX_BASIC[49] = 0)");
	expect_outcome("RDMSR of IA32_SMM_MONITOR_CTL (9BH)", msr_try_read(MSR_SMM_MONITOR_CTL, &value), SUCCEEDED);
}

RULE(memtype, .id = "caps.basic.memtype", .title = "The memory type for the VMCS is uncacheable (0) or write-back (6)",
     .sdm = BASIC, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	u64 type = memory_type(capability(MSR_VMX_BASIC));

	if (type != 0)
		expect_equal("memory type, IA32_VMX_BASIC[53:50]", type, 6);
}

RULE(memtype_wb, .id = "caps.basic.memtype-write-back", .title = "The memory type for the VMCS is write-back (6)",
     .sdm = BASIC, .class = OBSERVED, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	u64 type = memory_type(capability(MSR_VMX_BASIC));

	if (type != 6)
		rule_note("IA32_VMX_BASIC[53:50] is %llu", type);
}

RULE(true_ctls, .id = "caps.basic.true-ctls",
     .title = "The TRUE control MSRs exist exactly where IA32_VMX_BASIC[55] is 1", .sdm = BASIC, .needs = NEED_VMX,
     .opt = OPT_CAPS)
{
	bool announced = capability(MSR_VMX_BASIC) & BASIC_TRUE_CONTROLS;

	expect_exists_if("RDMSR of IA32_VMX_TRUE_PINBASED_CTLS (48DH)", MSR_VMX_TRUE_PINBASED_CTLS, announced);
	expect_exists_if("RDMSR of IA32_VMX_TRUE_PROCBASED_CTLS (48EH)", MSR_VMX_TRUE_PROCBASED_CTLS, announced);
	expect_exists_if("RDMSR of IA32_VMX_TRUE_EXIT_CTLS (48FH)", MSR_VMX_TRUE_EXIT_CTLS, announced);
	expect_exists_if("RDMSR of IA32_VMX_TRUE_ENTRY_CTLS (490H)", MSR_VMX_TRUE_ENTRY_CTLS, announced);
}

RULE(reserved, .id = "caps.basic.reserved", .title = "The reserved bits of IA32_VMX_BASIC are 0", .sdm = BASIC,
     .needs = NEED_VMX, .opt = OPT_CAPS)
{
	expect_clear("IA32_VMX_BASIC", capability(MSR_VMX_BASIC), BASIC_RESERVED);
}

RULE(same_revision_same_size, .id = "caps.basic.same-revision-same-size",
     .title = "CPUs with the same VMCS revision identifier use the same region size", .sdm = BASIC, .cpus = TWO_CPUS,
     .needs = NEED_VMX, .opt = OPT_CAPS)
{
	const struct vmx_caps *here = &this_cpu()->caps, *boot = &cpus[0].caps;

	if (caps_revision(here) == caps_revision(boot))
		expect_equal("region size, against that of the bootstrap processor", region_size(here->basic),
			     region_size(boot->basic));
}
