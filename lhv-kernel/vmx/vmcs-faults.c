/* Planted faults of VMCLEAR, VMPTRLD, VMPTRST and the launch state. */
#include "vmx/vmcs-faults.h"
#include "cpu/cpuid.h"
#include "harness/scratch.h"
#include "lib/string.h"
#include "smp/cpu.h"
#include "vmx/exit-reasons.h"
#include "vmx/fields.h"
#include "vmx/instructions.h"
#include "vmx/root.h"

#define NO_VMCS (~0ull)
#define DATA_OFFSET 8 /* the VMCS data: 25.2 Format of the VMCS Region */

/* What the broken platform remembers of a VMCS */
struct memory {
	u64 vmcs;
	u8 *copy;	/* the region as it was when it became active; 0: not kept */
	bool active;
	bool launched;	/* as the broken platform has it */
	bool really;	/* as the processor below has it */
};

static struct memory memories[MAX_CPUS][ACTIVE_VMCSS];

static struct memory *memory_of(u64 vmcs)
{
	struct memory *list = memories[this_cpu()->index];

	for (unsigned i = 0; i < ACTIVE_VMCSS; i++) {
		if (!list[i].vmcs)
			list[i].vmcs = vmcs;
		if (list[i].vmcs == vmcs)
			return &list[i];
	}
	return &list[0]; /* more VMCSs than any rule has */
}

void vmcs_faults_end(void)
{
	memset(memories[this_cpu()->index], 0, sizeof(memories[0]));
}

static u64 current_vmcs(void)
{
	u64 current;

	return vmptrst_raw(&current) == SUCCEEDED ? current : NO_VMCS;
}

static void keep_copy(u64 vmcs)
{
	struct memory *memory = memory_of(vmcs);

	if (!memory->copy)
		memory->copy = scratch_page();
	memcpy(memory->copy, (void *)(ulong)vmcs, PAGE_SIZE);
}

static void zero_fields(void)
{
	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (vmcs_field_exists(&vmcs_fields[i], &this_cpu()->caps))
			vmwrite_try(vmcs_fields[i].encoding, 0);
}

static bool all_zero(u64 vmcs)
{
	const u8 *bytes = (const u8 *)(ulong)vmcs;

	for (unsigned i = DATA_OFFSET; i < PAGE_SIZE; i++)
		if (bytes[i])
			return false;
	return true;
}

/* No fault but #UD: the operand seems to be there */
static outcome_t without_fault(outcome_t outcome)
{
	return fault(FAULT_POINTER_NO_FAULT) && outcome != FAULT_UD ? SUCCEEDED : outcome;
}

static bool vmclear_accepts(u64 vmcs)
{
	return fault(vmcs == this_cpu()->vmxon_last ? FAULT_VMXON_POINTER_ACCEPTED : FAULT_VMCLEAR_ANY_POINTER);
}

outcome_t vmclear_planted(const void *operand)
{
	u64 current = current_vmcs(), vmcs;
	outcome_t outcome = vmclear_raw(operand);
	struct memory *memory;

	if (OUTCOME_IS_FAULT(outcome))
		return without_fault(outcome);
	vmcs = *(const u64 *)operand;
	if (outcome != SUCCEEDED)
		return vmclear_accepts(vmcs) ? SUCCEEDED : outcome;
	memory = memory_of(vmcs);
	memory->active = memory->really = false;
	if (memory->copy)
		memcpy((void *)(ulong)vmcs, memory->copy, PAGE_SIZE);
	memory->copy = 0;
	if (fault(FAULT_VMCLEAR_ZEROES))
		memset((void *)(ulong)vmcs, 0, PAGE_SIZE);
	if (fault(FAULT_VMCLEAR_STAYS_CURRENT) && current == vmcs)
		vmptrld_raw(operand);
	if (fault(FAULT_VMCLEAR_DROPS_CURRENT) && current != vmcs && current != NO_VMCS)
		vmclear_raw(&current);
	return SUCCEEDED;
}

static outcome_t vmptrld_refused(u64 vmcs, outcome_t outcome)
{
	u32 *revision = (u32 *)(ulong)vmcs, wrong;

	if (vmcs == this_cpu()->vmxon_last)
		return fault(FAULT_VMXON_POINTER_ACCEPTED) ? SUCCEEDED : outcome;
	if (vmcs % PAGE_SIZE || vmcs >> cpuid_physical_width())
		return fault(FAULT_VMPTRLD_ANY_POINTER) ? SUCCEEDED : outcome;
	if (!fault(FAULT_VMPTRLD_ANY_REVISION))
		return outcome;
	wrong = *revision;
	*revision = caps_revision(&this_cpu()->caps);
	outcome = vmptrld_raw(&vmcs);
	*revision = wrong;
	return outcome;
}

/* The VMCS that was current loses its fields */
static void lose_fields(u64 before, u64 now)
{
	vmptrld_raw(&before);
	zero_fields();
	vmptrld_raw(&now);
}

outcome_t vmptrld_planted(const void *operand)
{
	u64 current = current_vmcs(), vmcs;
	outcome_t outcome = vmptrld_raw(operand);
	struct memory *memory;

	if (OUTCOME_IS_FAULT(outcome))
		return without_fault(outcome);
	vmcs = *(const u64 *)operand;
	if (outcome != SUCCEEDED)
		return vmptrld_refused(vmcs, outcome);
	memory = memory_of(vmcs);
	if (!memory->active) {
		if (fault(FAULT_VMCLEAR_FORGETS))
			keep_copy(vmcs);
		if (fault(FAULT_VMPTRLD_ZEROES))
			zero_fields();
		if (all_zero(vmcs)) /* where the launch state is, too */
			memory->launched = false;
	}
	memory->active = true;
	if (fault(FAULT_VMPTRLD_LOSES) && current != NO_VMCS && current != vmcs)
		lose_fields(current, vmcs);
	return SUCCEEDED;
}

outcome_t vmptrst_planted(void *operand)
{
	outcome_t outcome = vmptrst_raw(operand);
	u64 *value = operand;

	if (OUTCOME_IS_FAULT(outcome))
		return without_fault(outcome);
	if (fault(FAULT_VMPTRST_WRONG) && outcome == SUCCEEDED && this_cpu()->in_rule)
		*value = *value == NO_VMCS ? 0 : *value + PAGE_SIZE;
	return outcome;
}

bool entry_planted(bool *resume, outcome_t *outcome)
{
	const struct memory *memory = memory_of(current_vmcs());
	u64 link;

	if (fault(FAULT_VMCLEAR_FORGETS_SHADOW) && vmread_try(VMCS_LINK_POINTER, &link) == SUCCEEDED && link != NO_VMCS)
		keep_copy(link);
	if (!fault(FAULT_LAUNCH_STATE_KEPT) || !memory->launched || memory->really)
		return true;
	if (!*resume) {
		*outcome = VMFAIL_VALID(4);
		return false;
	}
	*resume = false;
	return true;
}

void exit_planted(void)
{
	struct memory *memory = memory_of(current_vmcs());
	u64 reason;

	if (vmread_try(VMCS_EXIT_REASON, &reason) == SUCCEEDED && !(reason & EXIT_REASON_ENTRY_FAILURE))
		memory->launched = memory->really = true;
}
