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

/* ---- Planted faults: what a broken platform seems to have done ------------------------------------------------- */

static bool has_prefix(const struct execution *execution, u8 prefix)
{
	return execution->code[0] == prefix && execution->length > 1;
}

/* What came of a mode, level or prefix in which the instruction must not work, if it seems to work nevertheless */
static outcome_t planted_mode(const struct execution *execution, enum vmx_instruction_name which, outcome_t outcome)
{
	const struct vmx_instruction *instruction = &vmx_instructions[which];
	bool in_ring3 = execution->mode == EXECUTE_RING3 || execution->mode == EXECUTE_COMPATIBILITY_3;
	bool not_64_bit = execution->mode == EXECUTE_COMPATIBILITY || execution->mode == EXECUTE_REAL;

	if (fault(FAULT_OPERAND_BEFORE_CPL) && outcome == FAULT_GP0 && in_ring3 && execution->frame.cx == vmx_unmapped())
		return FAULTED(VECTOR_PF, 4);
	if (fault(FAULT_CPL_BEFORE_UD) && outcome == FAULT_UD && in_ring3)
		return FAULT_GP0;
	if (fault(FAULT_MODE_IGNORED) && outcome == FAULT_UD && not_64_bit)
		return SUCCEEDED;
	if (fault(FAULT_PREFIX_IGNORED) && outcome == FAULT_UD && execution->length > instruction->length &&
	    (has_prefix(execution, 0xf0) || has_prefix(execution, 0x66) || has_prefix(execution, 0xf2) || has_prefix(execution, 0xf3)))
		return SUCCEEDED;
	if (fault(FAULT_OPERAND_UNCHECKED) && OUTCOME_IS_FAULT(outcome) && outcome != FAULT_UD && execution->mode == EXECUTE_RING0)
		return SUCCEEDED;
	return outcome;
}

#define NOT_EXTENDED 0xa5a5a5a5a5a50000ull /* what the tests had there before, above 16 bits */

static void planted_vmread(struct execution *execution, outcome_t outcome)
{
	bool to_memory = execution->code[execution->length - 1] == 0x11;
	ulong *destination = to_memory ? (ulong *)execution->frame.cx : &execution->frame.bx;
	bool failed = outcome == VMFAIL_INVALID || outcome == VMFAIL_VALID(12);

	if (execution->mode != EXECUTE_RING0 || execution->frame.cx == vmx_unmapped())
		return;
	if (fault(FAULT_VMREAD_FAIL_WRITES) && failed)
		*destination = 0;
	if (fault(FAULT_NOT_ZERO_EXTENDED) && outcome == SUCCEEDED && vmcs_width(execution->frame.dx) == VMCS_16_BIT)
		*destination |= (ulong)NOT_EXTENDED;
	if (fault(FAULT_NOT_ZERO_EXTENDED) && outcome == SUCCEEDED && vmcs_width(execution->frame.dx) == VMCS_32_BIT)
		*destination |= (ulong)(NOT_EXTENDED & ~0xffffffffull);
}

static outcome_t planted_entry(struct execution *execution, outcome_t outcome)
{
	u64 count;

	if (fault(FAULT_ENTRY_FAIL_REGISTER))
		execution->frame.si = 0;
	if (fault(FAULT_MOV_SS_IGNORED) && outcome == VMFAIL_VALID(26))
		return VMFAIL_VALID(execution->code[execution->length - 1] == 0xc2 ? 4 : 5);
	if (fault(FAULT_LAUNCH_STATE_LAST) && (outcome == VMFAIL_VALID(4) || outcome == VMFAIL_VALID(5)) &&
	    vmread_try(VMCS_CR3_TARGET_COUNT, &count) == SUCCEEDED && count == 0xffffffff)
		return VMFAIL_VALID(7);
	return outcome;
}

static outcome_t planted(struct execution *execution, enum vmx_instruction_name which, outcome_t outcome)
{
	outcome = planted_mode(execution, which, outcome);
	if (fault(FAULT_FLAGS_KEPT) && outcome == SUCCEEDED)
		execution->frame.flags |= RFLAGS_PF;
	if (which == INSTRUCTION_VMREAD)
		planted_vmread(execution, outcome);
	return which == INSTRUCTION_VMLAUNCH || which == INSTRUCTION_VMRESUME ? planted_entry(execution, outcome) : outcome;
}

/* ---- Execution -------------------------------------------------------------------------------------------------------- */

outcome_t vmx_execute(struct execution *execution, enum vmx_instruction_name which)
{
	outcome_t outcome;

	execute(execution);
	outcome = execution->outcome == SUCCEEDED ? outcome_of(execution->frame.flags) : execution->outcome;
	if (faults_planted)
		outcome = planted(execution, which, outcome);
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
