/*
 * The VMX instructions, one function each, returning what the instruction did. SDM 3C chapter "VMX Instruction
 * Reference". Operands that the SDM takes from memory are passed by value; the _operand forms take the address of
 * the operand, for tests of what faults there.
 */
#pragma once
#include "lib/types.h"
#include "vmx/fields.h"
#include "vmx/outcome.h"

outcome_t vmxon(u64 region);
outcome_t vmxon_operand(const void *operand);
outcome_t vmxoff(void);
outcome_t vmclear(u64 vmcs);
outcome_t vmclear_operand(const void *operand);
outcome_t vmptrld(u64 vmcs);
outcome_t vmptrld_operand(const void *operand);
outcome_t vmptrst(u64 *vmcs);
outcome_t vmptrst_operand(void *operand);

/*
 * A field whole, 64-bit fields in the 32-bit builds by two accesses (their high half has the encoding + 1).
 * *value is 0 where VMREAD does not succeed.
 */
outcome_t vmread_try(u32 encoding, u64 *value);
outcome_t vmwrite_try(u32 encoding, u64 value);

/* One VMREAD or VMWRITE of a register, whatever the encoding. *value is 0 where VMREAD does not succeed. */
outcome_t vmread_word(ulong encoding, ulong *value);
outcome_t vmwrite_word(ulong encoding, ulong value);

/* Does VMREAD of the encoding succeed? One instruction: does not ask for the error number. */
bool vmread_exists(u32 encoding);

/* A field that must be there: anything but success ends the rule, saying which field. */
u64 vmread(enum vmcs_field field);
void vmwrite(enum vmcs_field field, u64 value);

/* VMLAUNCH and VMRESUME where they are not expected to enter the guest. */
outcome_t vmlaunch(void);
outcome_t vmresume(void);
outcome_t vmcall(void);

struct invept_descriptor {
	u64 eptp, reserved;
};
struct invvpid_descriptor {
	u64 vpid; /* bits 15:0; the others reserved */
	u64 linear_address;
};
enum { INVEPT_SINGLE_CONTEXT = 1, INVEPT_ALL_CONTEXTS = 2 };
enum { INVVPID_ADDRESS = 0, INVVPID_SINGLE_CONTEXT = 1, INVVPID_ALL_CONTEXTS = 2, INVVPID_SINGLE_RETAINING_GLOBALS = 3 };

outcome_t invept(ulong type, struct invept_descriptor descriptor);
outcome_t invept_operand(ulong type, const void *operand);
outcome_t invvpid(ulong type, struct invvpid_descriptor descriptor);
outcome_t invvpid_operand(ulong type, const void *operand);
