/* VM entry and VM exit, with the faults that may be planted there. */
#include "vmx/enter.h"
#include "harness/fault.h"
#include "vmx/stale.h"
#include "vmx/vmcs-faults.h"
#include "vmx/planted.h"

ulong vm_enter_raw(struct registers *registers, bool resume);

bool vm_enter(struct registers *registers, bool resume, outcome_t *outcome)
{
	if (fault(FAULT_ENTRY_REGISTERS))
		registers->si = 0;
	if (faults_planted)
		stale_before_entry();
	if (vmcs_faults_planted && !entry_planted(&resume, outcome))
		return false;

	if (faults_planted)
		planted_before_entry();

	ulong result = vm_enter_raw(registers, resume);

	while (faults_planted && planted_after_exit(registers, result == ~0ul)) {
		planted_before_entry();
		result = vm_enter_raw(registers, true);
	}
	if (result != ~0ul) {
		*outcome = outcome_of(result);
		return false;
	}
	*outcome = SUCCEEDED;
	if (vmcs_faults_planted)
		exit_planted();
	if (fault(FAULT_EXIT_REGISTERS))
		registers->di = 0;
	return true;
}
