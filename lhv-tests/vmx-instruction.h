/* The VMX instructions as bytes, for rules that execute each of them where inline assembly cannot: see cpu/execute.h. */
#pragma once
#include "cpu/execute.h"
#include "cpu/registers.h"
#include "harness/expect.h"
#include "harness/rule.h"
#include "lib/types.h"

/*
 * X(NAME, "id", what the CPU must have besides VMX, bytes in every mode but 16-bit ones). The last byte of those with a
 * memory operand is the ModRM byte: [(R)CX], with (R)DX as the register operand where there is one.
 */
#define VMX_MEMORY_INSTRUCTIONS(X) \
	X(VMXON, "vmxon", 0, 0xf3, 0x0f, 0xc7, 0x31) \
	X(VMCLEAR, "vmclear", 0, 0x66, 0x0f, 0xc7, 0x31) \
	X(VMPTRLD, "vmptrld", 0, 0x0f, 0xc7, 0x31) \
	X(VMPTRST, "vmptrst", 0, 0x0f, 0xc7, 0x39) \
	X(VMREAD, "vmread", 0, 0x0f, 0x78, 0x11) \
	X(VMWRITE, "vmwrite", 0, 0x0f, 0x79, 0x11) \
	X(INVEPT, "invept", NEED_INVEPT, 0x66, 0x0f, 0x38, 0x80, 0x11) \
	X(INVVPID, "invvpid", NEED_INVVPID, 0x66, 0x0f, 0x38, 0x81, 0x11)
#define VMX_OTHER_INSTRUCTIONS(X) \
	X(VMCALL, "vmcall", 0, 0x0f, 0x01, 0xc1) \
	X(VMLAUNCH, "vmlaunch", 0, 0x0f, 0x01, 0xc2) \
	X(VMRESUME, "vmresume", 0, 0x0f, 0x01, 0xc3) \
	X(VMXOFF, "vmxoff", 0, 0x0f, 0x01, 0xc4)
#define VMX_INSTRUCTIONS(X) \
	VMX_MEMORY_INSTRUCTIONS(X) \
	VMX_OTHER_INSTRUCTIONS(X)

#define X(name, ...) INSTRUCTION_##name,
enum vmx_instruction_name { VMX_INSTRUCTIONS(X) INSTRUCTION_VMFUNC, INSTRUCTION_COUNT };
#undef X

struct vmx_instruction {
	enum vmx_instruction_name which;
	u8 length, code[6];
};

extern const struct vmx_instruction vmx_instructions[INSTRUCTION_COUNT];

/* The bytes of an instruction behind what the code holds already. */
void vmx_append(struct execution *execution, enum vmx_instruction_name which);

/* Bytes behind what the code holds already. */
void vmx_append_bytes(struct execution *execution, const u8 *bytes, unsigned count);

/* An execution of one instruction, all status flags 1 before; operand: address in (R)CX; second: (R)DX. */
struct execution vmx_execution(enum vmx_instruction_name which, enum execute_mode mode, ulong operand, ulong second);

/*
 * Executes it and tells what the VMX instruction did: succeeded, VMfail or faulted, the flags looked at. Through here go the
 * planted faults.
 */
outcome_t vmx_execute(struct execution *execution, enum vmx_instruction_name which);

/* The operands with which the instruction would succeed, or fail for no other reason than the one looked for. */
ulong vmx_good_operand(enum vmx_instruction_name which);
ulong vmx_good_second(enum vmx_instruction_name which);

/* An address whose page is not there. */
ulong vmx_unmapped(void);

/* VMXOFF, with success. */
void vmx_leave(void);
