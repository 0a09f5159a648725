/* The VMX instructions. */
#include "vmx/instructions.h"
#include "cpu/fixup.h"
#include "cpu/registers.h"
#include "harness/expect.h"
#include "harness/fault.h"
#include "lib/format.h"
#include "smp/cpu.h"
#include "vmx/enter.h"
#include "vmx/stale.h"
#include "vmx/root.h"
#include "vmx/vmcs-faults.h"
#include "vmx/exit-reasons.h"

/*
 * Runs one VMX instruction: result gets RFLAGS, or the outcome of a fault (whose high bits tell it apart: bits
 * 31:22 of RFLAGS are 0). The flags are set to the opposite of success first.
 */
#define EXECUTE(result, instruction, inputs...) \
	asm volatile("mov $0xd5, %%ah\n\t" /* CF, PF, AF, ZF, SF */ \
		     "sahf\n" \
		     "1:\t" instruction "\n\t" \
		     "pushf\n\t" \
		     "pop %%" REG_AX "\n" \
		     "2:\n\t" FIXUP("1b", "2b") : "=&a"(result) : inputs : "memory", "cc")
#ifdef __x86_64__
#define REG_AX "rax"
#else
#define REG_AX "eax"
#endif

#define ARITHMETIC_FLAGS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* SDM "Conventions" of the VMX instruction reference: VMsucceed, VMfailInvalid, VMfailValid */
outcome_t outcome_of(ulong result)
{
	ulong flags = result & ARITHMETIC_FLAGS;
	u64 error;

	if (OUTCOME_IS_FAULT((u32)result))
		return result;
	if (!flags)
		return SUCCEEDED;
	if (flags == RFLAGS_CF)
		return VMFAIL_INVALID;
	if (flags != RFLAGS_ZF)
		return UNDEFINED_FLAGS | flags;
	/* the error number is there: VMfailValid needs a current VMCS */
	if (vmread_try(VMCS_INSTRUCTION_ERROR, &error) != SUCCEEDED)
		return UNDEFINED_FLAGS | flags;
	return VMFAIL_VALID(error + fault(FAULT_ERROR_NUMBER));
}

/* What VMXON seems to do with planted faults */
static outcome_t vmxon_planted(outcome_t outcome)
{
	bool cr0_wrong = ~read_cr0() & this_cpu()->caps.cr0_fixed0;

	if ((fault(FAULT_VMXON_ANY_CR0) && outcome == FAULT_GP0 && cr0_wrong) ||
	    (fault(FAULT_VMXON_ANY_CR4) && outcome == FAULT_UD) ||
	    (fault(FAULT_VMXON_ANY_REGION) && outcome == VMFAIL_INVALID) ||
	    (fault(FAULT_VMXON_NO_FAULT) && OUTCOME_IS_FAULT(outcome)) ||
	    (fault(FAULT_VMXON_IN_ROOT) && (outcome == VMFAIL_VALID(15) || outcome == VMFAIL_INVALID)))
		return SUCCEEDED;
	return outcome;
}

outcome_t vmxon_operand(const void *operand)
{
	ulong result;

	EXECUTE(result, "vmxon %1", "m"(*(const u64 *)operand));
	if (!OUTCOME_IS_FAULT((u32)result) && !(result & ARITHMETIC_FLAGS))
		this_cpu()->vmxon_last = *(const u64 *)operand;
	return vmxon_planted(outcome_of(result));
}

outcome_t vmxon(u64 region)
{
	return vmxon_operand(&region);
}

outcome_t vmxoff(void)
{
	ulong result;

	if (fault(FAULT_VMXOFF_IGNORED))
		return SUCCEEDED;
	EXECUTE(result, "vmxoff");
	return outcome_of(result);
}

outcome_t vmclear_raw(const void *operand)
{
	ulong result;
	outcome_t outcome;

	EXECUTE(result, "vmclear %1", "m"(*(const u64 *)operand));
	outcome = outcome_of(result);
	if (outcome == SUCCEEDED)
		vmcs_note_inactive(*(const u64 *)operand);
	return outcome;
}

outcome_t vmclear_operand(const void *operand)
{
	return vmcs_faults_planted ? vmclear_planted(operand) : vmclear_raw(operand);
}

outcome_t vmclear(u64 vmcs)
{
	return vmclear_operand(&vmcs);
}

outcome_t vmptrld_raw(const void *operand)
{
	ulong result;
	outcome_t outcome;

	EXECUTE(result, "vmptrld %1", "m"(*(const u64 *)operand));
	outcome = outcome_of(result);
	if (outcome == SUCCEEDED)
		vmcs_note_active(*(const u64 *)operand);
	return outcome;
}

outcome_t vmptrld_operand(const void *operand)
{
	return vmcs_faults_planted ? vmptrld_planted(operand) : vmptrld_raw(operand);
}

outcome_t vmptrld(u64 vmcs)
{
	return vmptrld_operand(&vmcs);
}

outcome_t vmptrst_raw(void *operand)
{
	ulong result;

	EXECUTE(result, "vmptrst (%1)", "r"(operand));
	return outcome_of(result);
}

outcome_t vmptrst_operand(void *operand)
{
	return vmcs_faults_planted ? vmptrst_planted(operand) : vmptrst_raw(operand);
}

outcome_t vmptrst(u64 *vmcs)
{
	return vmptrst_operand(vmcs);
}

/* Fields that a broken platform forgot */
static bool is_missing(ulong encoding)
{
	encoding &= ~1ul;
	return fault(FAULT_FIELDS_MISSING) && (encoding == VMCS_EXECUTIVE_POINTER || encoding == VMCS_GUEST_SMBASE ||
					       (encoding >= VMCS_CR3_TARGET_0 && encoding <= VMCS_CR3_TARGET_3) ||
					       (encoding >= VMCS_IO_RCX && encoding <= VMCS_IO_RIP));
}

outcome_t vmread_word(ulong encoding, ulong *value)
{
	if (is_missing(encoding))
		encoding |= VMCS_ENCODING(0, 0, VMCS_INDEX_MAX, 0);

	ulong result;
	outcome_t outcome;

	*value = 0;
	EXECUTE(result, "vmread %2, (%1)", "r"(value), "r"(encoding));
	if (!OUTCOME_IS_FAULT((u32)result) && !(result & ARITHMETIC_FLAGS))
		return SUCCEEDED;
	/* not through outcome_of() for the error field itself: it reads that field */
	if (encoding == VMCS_INSTRUCTION_ERROR && !OUTCOME_IS_FAULT((u32)result))
		return VMFAIL_INVALID;
	outcome = outcome_of(result);
	*value = 0;
	return fault(FAULT_UNSUPPORTED_READ) && outcome == VMFAIL_VALID(12) ? SUCCEEDED : outcome;
}

bool vmread_exists(u32 encoding)
{
	ulong value, result;

	EXECUTE(result, "vmread %2, (%1)", "r"(&value), "r"((ulong)encoding));
	return !OUTCOME_IS_FAULT((u32)result) && !(result & ARITHMETIC_FLAGS);
}

outcome_t vmwrite_word(ulong encoding, ulong value)
{
	outcome_t outcome;
	ulong result;

	if (is_missing(encoding))
		encoding |= VMCS_ENCODING(0, 0, VMCS_INDEX_MAX, 0);
	if (fault(FAULT_HIGH_WRITES_LOW) && vmcs_width(encoding) == VMCS_64_BIT)
		encoding &= ~1ul;
	if (fault(FAULT_READ_ONLY_REFUSED) && vmcs_field_find(encoding) && vmcs_type(encoding) == VMCS_READ_ONLY_DATA)
		return VMFAIL_VALID(13);

	EXECUTE(result, "vmwrite %1, %2", "r"(value), "r"((ulong)encoding));
	outcome = outcome_of(result);
	return fault(FAULT_UNSUPPORTED_WRITTEN) && outcome == VMFAIL_VALID(12) ? SUCCEEDED : outcome;
}

/* Encodings of 64-bit fields have width 1 in bits 14:13 (appendix B); bit 0 picks the high half */
#define IS_64_BIT_FIELD(encoding) (((encoding) >> 13 & 3) == 1 && !((encoding)&1))
#define NEEDS_TWO_ACCESSES(encoding) (sizeof(ulong) == 4 && IS_64_BIT_FIELD(encoding))

outcome_t vmread_try(u32 encoding, u64 *value)
{
	ulong low, high = 0;
	outcome_t outcome = vmread_word(encoding, &low);

	if (outcome == SUCCEEDED && NEEDS_TWO_ACCESSES(encoding))
		outcome = vmread_word(encoding + 1, &high);
	*value = outcome == SUCCEEDED ? (u64)high << (8 * sizeof(ulong) - 1) << 1 | low : 0;
	return outcome;
}

outcome_t vmwrite_try(u32 encoding, u64 value)
{
	outcome_t outcome = vmwrite_word(encoding, value);

	if (outcome == SUCCEEDED && NEEDS_TWO_ACCESSES(encoding))
		outcome = vmwrite_word(encoding + 1, value >> 32);
	return outcome;
}

static void must_succeed(const char *instruction, u32 field, outcome_t outcome)
{
	char what[120];

	if (outcome == SUCCEEDED)
		return;
	format(what, sizeof(what), "%s of field 0x%x (%s)", instruction, field, vmcs_field_name(field));
	expect_outcome(what, outcome, SUCCEEDED);
}

u64 vmread(enum vmcs_field field)
{
	u64 value;

	must_succeed("VMREAD", field, vmread_try(field, &value));
	if (fault(FAULT_EXIT_LENGTH) && field == VMCS_EXIT_INSTRUCTION_LENGTH)
		value = 0;
	if (fault(FAULT_MSR_FAILURE_NUMBER) && field == VMCS_EXIT_QUALIFICATION &&
	    vmread(VMCS_EXIT_REASON) == (EXIT_REASON_ENTRY_FAILURE | EXIT_REASON_MSR_LOADING))
		value--;
	return value;
}

void vmwrite(enum vmcs_field field, u64 value)
{
	must_succeed("VMWRITE", field, vmwrite_try(field, value));
}

outcome_t vmlaunch(void)
{
	ulong result;

	EXECUTE(result, "vmlaunch");
	return outcome_of(result);
}

outcome_t vmresume(void)
{
	ulong result;

	EXECUTE(result, "vmresume");
	return outcome_of(result);
}

/* A hypervisor below may take it for a hypercall: EAX holds a number that none has */
outcome_t vmcall(void)
{
	ulong result;

	EXECUTE(result, "mov $-1, %%eax\n1:\tvmcall");
	return outcome_of(result);
}

/* What INVEPT and INVVPID seem to do with planted faults */
static outcome_t planted_inv(outcome_t outcome, bool any_type)
{
	if ((any_type && outcome == VMFAIL_VALID(28)) ||
	    (fault(FAULT_INV_NO_FAULT) && OUTCOME_IS_FAULT(outcome) && outcome != FAULT_UD))
		return SUCCEEDED;
	return fault(FAULT_INV_FAILS) && outcome == SUCCEEDED ? VMFAIL_VALID(28) : outcome;
}

outcome_t invept_operand(ulong type, const void *operand)
{
	ulong result;

	EXECUTE(result, "invept %1, %2", "m"(*(const struct invept_descriptor *)operand), "r"(type));
	return planted_inv(outcome_of(result), fault(FAULT_INVEPT_ANY_TYPE));
}

outcome_t invept(ulong type, struct invept_descriptor descriptor)
{
	outcome_t outcome = invept_operand(type, &descriptor);

	if (faults_planted && outcome == SUCCEEDED)
		stale_invept(type, descriptor);
	return outcome;
}

outcome_t invvpid_operand(ulong type, const void *operand)
{
	ulong result;

	EXECUTE(result, "invvpid %1, %2", "m"(*(const struct invvpid_descriptor *)operand), "r"(type));
	return planted_inv(outcome_of(result), fault(FAULT_INVVPID_ANY_TYPE));
}

outcome_t invvpid(ulong type, struct invvpid_descriptor descriptor)
{
	outcome_t outcome = invvpid_operand(type, &descriptor);

	if (faults_planted && outcome == SUCCEEDED)
		stale_invvpid(type, descriptor);
	return outcome;
}
