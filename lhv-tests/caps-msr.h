/* What the rules about capability MSRs share: the values that this CPU gave at start-up, and whether an MSR exists. */
#pragma once
#include "cpu/msr.h"
#include "harness/expect.h"
#include "harness/rule.h"
#include "smp/cpu.h"
#include "vmx/caps.h"

/* A capability MSR (480H to 493H) as read at start-up; 0 where it is not there. */
static inline u64 capability(u32 msr)
{
	return this_cpu()->caps.msr[msr - MSR_VMX_BASIC];
}

static inline bool capability_there(u32 msr)
{
	return this_cpu()->caps.msr_there & BIT(msr - MSR_VMX_BASIC);
}

/* The MSR can be read where it is announced, and only there: RDMSR gives #GP(0) else. what: "RDMSR of …". */
static inline void expect_exists_if(const char *what, u32 msr, bool announced)
{
	u64 value;

	expect_outcome(what, msr_try_read(msr, &value), announced ? SUCCEEDED : FAULT_GP0);
}
