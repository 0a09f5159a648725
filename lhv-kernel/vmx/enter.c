/* VM entry and VM exit, with the faults that may be planted there. */
#include "vmx/enter.h"
#include "harness/fault.h"
#include "vmx/stale.h"

ulong vm_enter_raw(struct registers *registers, bool resume);

bool vm_enter(struct registers *registers, bool resume, outcome_t *outcome)
{
	if (fault(FAULT_ENTRY_REGISTERS))
		registers->si = 0;
	if (faults_planted)
		stale_before_entry();

	ulong result = vm_enter_raw(registers, resume);

	if (result != ~0ul) {
		*outcome = outcome_of(result);
		return false;
	}
	*outcome = SUCCEEDED;
	if (fault(FAULT_EXIT_REGISTERS))
		registers->di = 0;
	return true;
}
