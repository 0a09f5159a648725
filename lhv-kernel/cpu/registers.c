/* Control register writes that survive a fault. */
#include "cpu/registers.h"
#include "cpu/fixup.h"

outcome_t write_cr0_try(ulong value)
{
	outcome_t outcome;

	TRY(outcome, "mov %1, %%cr0", "r"(value));
	return outcome;
}

outcome_t write_cr4_try(ulong value)
{
	outcome_t outcome;

	TRY(outcome, "mov %1, %%cr4", "r"(value));
	return outcome;
}
