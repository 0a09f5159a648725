/* Planted faults around VM entry and VM exit. */
#include "vmx/planted.h"
#include "cpu/msr.h"
#include "harness/fault.h"
#include "lib/string.h"
#include "smp/cpu.h"
#include "vmx/controls.h"
#include "vmx/enter.h"
#include "vmx/exit-reasons.h"
#include "vmx/fields.h"
#include "vmx/instructions.h"

#define LIST_LIMIT 8192u
#define LAST_QUARTER 3072 /* offset and size of the bitmap for WRMSR of the high range */
#define QUARTER_SIZE 1024
#define INJECT_GP 0x80000b0d

struct msr_entry {
	u64 index, data;
};

/* Fields that are bent, and what they held */
enum { STORE_COUNT, EXIT_LOAD_COUNT, ENTRY_LOAD_COUNT, PROC, PROC2, FS_BASE, FIELDS };
static const u32 fields[FIELDS] = {VMCS_EXIT_MSR_STORE_COUNT, VMCS_EXIT_MSR_LOAD_COUNT, VMCS_ENTRY_MSR_LOAD_COUNT,
				   VMCS_PROC_CONTROLS, VMCS_PROC2_CONTROLS, VMCS_GUEST_FS_BASE};

static struct {
	u64 held[FIELDS];
	bool bent[FIELDS];
	u8 *quarter; /* 0: left alone */
	u8 quarter_held[QUARTER_SIZE];
} state[MAX_CPUS];

static u64 read_field(u32 field)
{
	u64 value;

	return vmread_try(field, &value) == SUCCEEDED ? value : 0;
}

static void bend(unsigned i, u64 value)
{
	unsigned index = this_cpu()->index;

	state[index].held[i] = read_field(fields[i]);
	state[index].bent[i] = vmwrite_try(fields[i], value) == SUCCEEDED;
}

/* Two of these leave the list as it was */
static void turn_round(u32 address_field, u32 count_field)
{
	struct msr_entry *list = (struct msr_entry *)(ulong)read_field(address_field);
	u64 count = read_field(count_field);

	for (u64 i = 0; count <= LIST_LIMIT && i < count / 2; i++) {
		struct msr_entry entry = list[i];

		list[i] = list[count - 1 - i];
		list[count - 1 - i] = entry;
	}
}

static void turn_lists_round(void)
{
	if (!fault(FAULT_MSR_LIST_BACKWARDS))
		return;
	turn_round(VMCS_ENTRY_MSR_LOAD_ADDRESS, VMCS_ENTRY_MSR_LOAD_COUNT);
	turn_round(VMCS_EXIT_MSR_LOAD_ADDRESS, VMCS_EXIT_MSR_LOAD_COUNT);
}

void planted_before_entry(void)
{
	unsigned index = this_cpu()->index;
	u64 proc = read_field(VMCS_PROC_CONTROLS), value;

	if (fault(FAULT_MSR_ENTRY_SKIPPED))
		for (unsigned i = STORE_COUNT; i <= ENTRY_LOAD_COUNT; i++)
			if ((value = read_field(fields[i])))
				bend(i, value - 1);
	if (fault(FAULT_MSR_STORE_STALE))
		bend(STORE_COUNT, 0);
	turn_lists_round();
	if (fault(FAULT_MSR_BITMAP_IGNORED))
		bend(PROC, proc & ~(u64)PROC_USE_MSR_BITMAPS);
	if (fault(FAULT_UNRESTRICTED_IGNORED) && proc & PROC_ACTIVATE_SECONDARY_CONTROLS)
		bend(PROC2, read_field(VMCS_PROC2_CONTROLS) & ~(u64)PROC2_UNRESTRICTED_GUEST);
	if (fault(FAULT_MSR_FS_BASE_LOST))
		bend(FS_BASE, read_field(VMCS_GUEST_FS_BASE));
	state[index].quarter = 0;
	if (fault(FAULT_MSR_BITMAP_QUARTER) && proc & PROC_USE_MSR_BITMAPS) {
		state[index].quarter = (u8 *)(ulong)read_field(VMCS_MSR_BITMAPS) + LAST_QUARTER;
		memcpy(state[index].quarter_held, state[index].quarter, QUARTER_SIZE);
		memset(state[index].quarter, 0, QUARTER_SIZE);
	}
}

/* A VM exit for an MSR that is not there: the guest gets #GP(0) instead */
static bool gp_instead(const struct registers *registers)
{
	u64 reason = read_field(VMCS_EXIT_REASON), value;

	if (!fault(FAULT_MSR_GP_BEFORE_EXIT) || (reason != EXIT_REASON_RDMSR && reason != EXIT_REASON_WRMSR) ||
	    msr_try_read(registers->cx, &value) == SUCCEEDED)
		return false;
	vmwrite_try(VMCS_ENTRY_INTERRUPTION_INFO, INJECT_GP);
	vmwrite_try(VMCS_ENTRY_EXCEPTION_ERROR, 0);
	return true;
}

bool planted_after_exit(const struct registers *registers, bool exited)
{
	unsigned index = this_cpu()->index;

	for (unsigned i = 0; i < FIELDS; i++)
		if (state[index].bent[i]) {
			vmwrite_try(fields[i], state[index].held[i]);
			state[index].bent[i] = false;
		}
	turn_lists_round();
	if (exited && fault(FAULT_ERROR_BY_EXIT))
		vmwrite_try(VMCS_INSTRUCTION_ERROR, 0);
	if (state[index].quarter)
		memcpy(state[index].quarter, state[index].quarter_held, QUARTER_SIZE);
	return exited && gp_instead(registers);
}
