/* The VMX instructions as bytes. */
#include "lhv-tests/vmx-instruction.h"
#include "harness/fault.h"
#include "lib/string.h"
#include "lhv-tests/vmcs-values.h"
#include "smp/cpu.h"
#include "vmx/enter.h"
#include "vmx/instructions.h"
#include "vmx/root.h"

#define STATUS_FLAGS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

#define X(name, id, need, ...) \
	[INSTRUCTION_##name] = {.which = INSTRUCTION_##name, .length = sizeof((const u8[]){__VA_ARGS__}), .code = {__VA_ARGS__}},
const struct vmx_instruction vmx_instructions[INSTRUCTION_COUNT] = {
	VMX_INSTRUCTIONS(X)
	X(VMFUNC, "vmfunc", 0, 0x0f, 0x01, 0xd4)
};
#undef X

void vmx_append_bytes(struct execution *execution, const u8 *bytes, unsigned count)
{
	memcpy(execution->code + execution->length, bytes, count);
	execution->length += count;
}

void vmx_append(struct execution *execution, enum vmx_instruction_name which)
{
	vmx_append_bytes(execution, vmx_instructions[which].code, vmx_instructions[which].length);
}

struct execution vmx_execution(enum vmx_instruction_name which, enum execute_mode mode, ulong operand, ulong second)
{
	struct execution execution = {.mode = mode};

	execution.frame.flags = STATUS_FLAGS;
	execution.frame.cx = operand;
	execution.frame.dx = second;
	if (which == INSTRUCTION_VMCALL)
		execution.frame.ax = (ulong)-1; /* a hypervisor below may take it for a hypercall: none has this number */
	if (which != INSTRUCTION_COUNT)
		vmx_append(&execution, which);
	return execution;
}

/* What the kernel remembers, so that it can put things right after the rule */
static void note_success(const struct execution *execution, enum vmx_instruction_name which)
{
	if (which == INSTRUCTION_VMXON)
		this_cpu()->vmxon_last = *(const u64 *)execution->frame.cx;
	else if (which == INSTRUCTION_VMCLEAR)
		vmcs_note_inactive(*(const u64 *)execution->frame.cx);
	else if (which == INSTRUCTION_VMPTRLD)
		vmcs_note_active(*(const u64 *)execution->frame.cx);
}

outcome_t vmx_execute(struct execution *execution, enum vmx_instruction_name which)
{
	outcome_t outcome;

	execute(execution);
	outcome = execution->outcome == SUCCEEDED ? outcome_of(execution->frame.flags) : execution->outcome;
	if (outcome == SUCCEEDED && execution->mode == EXECUTE_RING0)
		note_success(execution, which);
	return outcome;
}

ulong vmx_good_operand(enum vmx_instruction_name which)
{
	u64 *operand = scratch_page();

	switch (which) {
	case INSTRUCTION_VMXON:
		operand[0] = this_cpu()->vmxon_region;
		break;
	case INSTRUCTION_VMCLEAR:
	case INSTRUCTION_VMPTRLD:
		operand[0] = vmcs_region(this_cpu(), scratch_page());
		break;
	default: /* INVEPT and INVVPID for all contexts take a descriptor of zeros */
		break;
	}
	return (ulong)operand;
}

ulong vmx_good_second(enum vmx_instruction_name which)
{
	return which == INSTRUCTION_INVEPT || which == INSTRUCTION_INVVPID ? (ulong)INVVPID_ALL_CONTEXTS : (ulong)VMCS_GUEST_ES_BASE;
}

ulong vmx_unmapped(void)
{
	return this_cpu()->stack_guard;
}

void vmx_leave(void)
{
	expect_outcome("VMXOFF", vmxoff(), SUCCEEDED);
}
