/*
 * What each VMX instruction leaves of RFLAGS, and where it puts the error number: 31.2 "Conventions". Every one is executed with
 * all six status flags 1 and with all 0 before; the other flags and the next instruction must stay.
 */
#include "lhv-guest/golden.h"
#include "lhv-tests/vmcs-values.h"
#include "lhv-tests/vmx-instruction.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"
#include "vmx/root.h"

#define CONVENTIONS "31.2 Conventions"
#define STATUS_FLAGS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)
#define OTHER_FLAGS RFLAGS_DF

/* One instruction, its operands, and what must come of it */
struct flags_case {
	enum vmx_instruction_name which;
	u8 wrong; /* enum wrong */
	u32 expected;
};

enum wrong { GOOD, UNALIGNED, BAD_ENCODING, BAD_TYPE };

#define UNSUPPORTED_ENCODING 0x7000 /* bit 12 */
#define UNSUPPORTED_TYPE 0xffff

static void execute_with(const struct flags_case *it, ulong flags)
{
	ulong operand = vmx_good_operand(it->which), second = vmx_good_second(it->which);
	struct execution execution;
	outcome_t outcome;
	ulong expected = it->expected == SUCCEEDED ? 0 : it->expected == VMFAIL_INVALID ? RFLAGS_CF : RFLAGS_ZF;

	if (it->wrong == UNALIGNED)
		*(u64 *)operand |= 1;
	if (it->wrong == BAD_ENCODING)
		second = UNSUPPORTED_ENCODING;
	if (it->wrong == BAD_TYPE)
		second = UNSUPPORTED_TYPE;
	execution = vmx_execution(it->which, EXECUTE_RING0, operand, second);
	execution.frame.flags = flags;
	outcome = vmx_execute(&execution, it->which);
	if (OUTCOME_IS_FAULT(it->expected)) {
		expect_outcome("the instruction", outcome, it->expected);
		expected = flags & STATUS_FLAGS;
	}
	expect_equal("offset of the next instruction, or of the one that faulted", execution.at, OUTCOME_IS_FAULT(it->expected) ? 0 : execution.length);
	expect_equal("CF, PF, AF, ZF, SF and OF afterwards", execution.frame.flags & STATUS_FLAGS, expected);
	expect_equal("DF afterwards", execution.frame.flags & OTHER_FLAGS, flags & OTHER_FLAGS);
	expect_outcome("the instruction", outcome, it->expected);
}

static void flags(const struct rule *rule)
{
	const struct flags_case *it = rule->row;
	static const ulong before[] = {STATUS_FLAGS, 0, STATUS_FLAGS | OTHER_FLAGS};

	for (unsigned i = 0; i < COUNT(before); i++) {
		if (it->expected != VMFAIL_INVALID || it->which == INSTRUCTION_VMXOFF)
			golden_vmcs_load();
		if (it->which == INSTRUCTION_VMXON && (it->expected == SUCCEEDED || (it->expected == VMFAIL_INVALID && !i)))
			vmx_leave();
		execute_with(it, before[i]);
		if (it->expected == SUCCEEDED && it->which == INSTRUCTION_VMXOFF)
			expect_outcome("VMXON", vmxon(this_cpu()->vmxon_region), SUCCEEDED);
	}
}

#define FLAGS_ROW(name, id_text, kind, text, wrong_text, need, expected_outcome) \
	ROW(flags, .id = id_text ".flags-" kind, .title = text, .sdm = CONVENTIONS, \
	    .row = &(const struct flags_case){INSTRUCTION_##name, wrong_text, expected_outcome}, .needs = NEED_VMX_ROOT | need, .opt = OPT_VMX_INSTR)
#define SUCCEED(name, id, need) \
	FLAGS_ROW(name, id, "succeed", #name " that succeeds clears the six status flags and leaves DF", GOOD, need, SUCCEEDED)
#define INVALID(name, id, wrong, need) \
	FLAGS_ROW(name, id, "invalid", #name " without a current VMCS that fails sets CF and clears the other five", wrong, need, VMFAIL_INVALID)
#define VALID(name, id, wrong, number, need) \
	FLAGS_ROW(name, id, "valid", #name " that fails with error " #number " sets ZF and clears the other five", wrong, need, VMFAIL_VALID(number))

SUCCEED(VMXON, "vmxon", 0)
SUCCEED(VMXOFF, "vmxoff", 0)
SUCCEED(VMCLEAR, "vmclear", 0)
SUCCEED(VMPTRLD, "vmptrld", 0)
SUCCEED(VMPTRST, "vmptrst", 0)
SUCCEED(VMREAD, "vmread", 0)
SUCCEED(VMWRITE, "vmwrite", 0)
SUCCEED(INVEPT, "invept", NEED_INVEPT)
SUCCEED(INVVPID, "invvpid", NEED_INVVPID)
INVALID(VMXON, "vmxon", UNALIGNED, 0)
INVALID(VMCLEAR, "vmclear", UNALIGNED, 0)
INVALID(VMPTRLD, "vmptrld", UNALIGNED, 0)
INVALID(VMREAD, "vmread", GOOD, 0)
INVALID(VMWRITE, "vmwrite", GOOD, 0)
INVALID(VMLAUNCH, "vmlaunch", GOOD, 0)
INVALID(VMRESUME, "vmresume", GOOD, 0)
INVALID(INVEPT, "invept", BAD_TYPE, NEED_INVEPT)
INVALID(INVVPID, "invvpid", BAD_TYPE, NEED_INVVPID)
VALID(VMXON, "vmxon", GOOD, 15, 0)
VALID(VMCLEAR, "vmclear", UNALIGNED, 2, 0)
VALID(VMPTRLD, "vmptrld", UNALIGNED, 9, 0)
VALID(VMREAD, "vmread", BAD_ENCODING, 12, 0)
VALID(VMWRITE, "vmwrite", BAD_ENCODING, 12, 0)
VALID(VMRESUME, "vmresume", GOOD, 5, 0)
VALID(INVEPT, "invept", BAD_TYPE, 28, NEED_INVEPT)
VALID(INVVPID, "invvpid", BAD_TYPE, 28, NEED_INVVPID)

/* ---- The VM-instruction error field (25.9.5) ---------------------------------------------------------------------- */

#define ERROR_FIELD "25.9.5 VM-Instruction Error Field"
#define ERROR_RULE(name, id_text, title_text) \
	RULE(name, .id = "vmcs.error." id_text, .title = title_text, .sdm = ERROR_FIELD, .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR)

static void expect_error(const char *when, u64 number)
{
	expect_equal(when, vmread(VMCS_INSTRUCTION_ERROR), number);
}

/* Leaves 9 in the field */
static void fail_with_9(void)
{
	golden_vmcs_load();
	expect_outcome("VMPTRLD with bit 0 of the address set", vmptrld(this_cpu()->golden_vmcs | 1), VMFAIL_VALID(9));
}

ERROR_RULE(by_success, "success-keeps", "VMX instructions that succeed leave the VM-instruction error field alone")
{
	u64 value;

	fail_with_9();
	vmwrite(VMCS_GUEST_RIP, 0x1234);
	expect_error("after VMWRITE", 9);
	expect_outcome("VMPTRST", vmptrst(&value), SUCCEEDED);
	expect_error("after VMREAD and VMPTRST", 9);
	expect_outcome("VMPTRLD of the current VMCS", vmptrld(this_cpu()->golden_vmcs), SUCCEEDED);
	expect_error("after VMPTRLD", 9);
	expect_outcome("VMCLEAR of another", vmclear(vmcs_region(this_cpu(), scratch_page())), SUCCEEDED);
	expect_error("after VMCLEAR of another VMCS", 9);
}

ERROR_RULE(by_fault, "fault-keeps", "VMX instructions that fault leave the VM-instruction error field alone")
{
	fail_with_9();
#define X(name, id, need, ...) \
	if (!((need) & ~this_cpu()->needs_met) && INSTRUCTION_##name != INSTRUCTION_VMXON) { \
		struct execution execution = vmx_execution(INSTRUCTION_##name, EXECUTE_RING0, vmx_unmapped(), vmx_good_second(INSTRUCTION_##name)); \
\
		expect(OUTCOME_IS_FAULT(vmx_execute(&execution, INSTRUCTION_##name)), #name " with an operand in an unmapped page faults"); \
		expect_error("after the fault of " #name, 9); \
	}
	VMX_MEMORY_INSTRUCTIONS(X)
#undef X
}

ERROR_RULE(newest, "newest", "Each VMfailValid replaces the number of the one before")
{
	u64 value;

	fail_with_9();
	expect_outcome("VMCLEAR with bit 0 of the address set", vmclear(this_cpu()->golden_vmcs | 1), VMFAIL_VALID(2));
	expect_error("after VMCLEAR", 2);
	expect_outcome("VMREAD of an unsupported encoding", vmread_try(UNSUPPORTED_ENCODING, &value), VMFAIL_VALID(12));
	expect_error("after VMREAD", 12);
	expect_outcome("VMRESUME of a clear VMCS", vmresume(), VMFAIL_VALID(5));
	expect_error("after VMRESUME", 5);
	expect_outcome("VMXON in root", vmxon(this_cpu()->vmxon_region), VMFAIL_VALID(15));
	expect_error("after VMXON", 15);
}

ERROR_RULE(reads, "read-keeps", "VMREAD of the VM-instruction error field leaves it as it is")
{
	fail_with_9();
	for (unsigned i = 0; i < 3; i++)
		expect_error("read again", 9);
}

ERROR_RULE(invalid, "invalid-stores-none", "VMfailInvalid stores no error number: an active VMCS that is not current keeps its own")
{
	fail_with_9();
	u64 other = vmcs_fresh();

	vmcs_load(other);
	vmcs_clear(other);
	expect_outcome("VMPTRLD with bit 0 of the address set, no VMCS current", vmptrld(other | 1), VMFAIL_INVALID);
	vmcs_load(this_cpu()->golden_vmcs);
	expect_error("in the VMCS that was active meanwhile", 9);
}
