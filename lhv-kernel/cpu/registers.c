/* Control register writes that survive a fault. */
#include "cpu/registers.h"
#include "cpu/fixup.h"
#include "harness/fault.h"

outcome_t write_cr0_try(ulong value)
{
	outcome_t outcome;

	TRY(outcome, "mov %1, %%cr0", "r"(value));
	return fault(FAULT_CR_NOT_FIXED) ? SUCCEEDED : outcome;
}

outcome_t write_cr4_try(ulong value)
{
	outcome_t outcome;

	TRY(outcome, "mov %1, %%cr4", "r"(value));
	return fault(FAULT_CR_NOT_FIXED) ? SUCCEEDED : outcome;
}
