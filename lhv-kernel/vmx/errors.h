/* VM-instruction errors: what VMfailValid leaves in the VMCS (31.4 VM Instruction Error Numbers). */
#pragma once
#include "lib/types.h"

/* clang-format off */
/* X(number, NAME, meaning). 14, 21 and 27 are not assigned. */
#define VM_INSTRUCTION_ERRORS(X) \
	X(1,  VMCALL_IN_ROOT,            "VMCALL in VMX root operation") \
	X(2,  VMCLEAR_ADDRESS,           "VMCLEAR with invalid physical address") \
	X(3,  VMCLEAR_VMXON_POINTER,     "VMCLEAR with VMXON pointer") \
	X(4,  VMLAUNCH_NOT_CLEAR,        "VMLAUNCH with non-clear VMCS") \
	X(5,  VMRESUME_NOT_LAUNCHED,     "VMRESUME with non-launched VMCS") \
	X(6,  VMRESUME_AFTER_VMXOFF,     "VMRESUME after VMXOFF") \
	X(7,  ENTRY_CONTROL_FIELDS,      "VM entry with invalid control field(s)") \
	X(8,  ENTRY_HOST_STATE,          "VM entry with invalid host-state field(s)") \
	X(9,  VMPTRLD_ADDRESS,           "VMPTRLD with invalid physical address") \
	X(10, VMPTRLD_VMXON_POINTER,     "VMPTRLD with VMXON pointer") \
	X(11, VMPTRLD_REVISION,          "VMPTRLD with incorrect VMCS revision identifier") \
	X(12, UNSUPPORTED_COMPONENT,     "VMREAD or VMWRITE of unsupported VMCS component") \
	X(13, READ_ONLY_COMPONENT,       "VMWRITE to read-only VMCS component") \
	X(15, VMXON_IN_ROOT,             "VMXON in VMX root operation") \
	X(16, ENTRY_EXECUTIVE_POINTER,   "VM entry with invalid executive-VMCS pointer") \
	X(17, ENTRY_EXECUTIVE_LAUNCH,    "VM entry with non-launched executive VMCS") \
	X(18, ENTRY_EXECUTIVE_NOT_VMXON, "VM entry with executive-VMCS pointer that is not the VMXON pointer") \
	X(19, VMCALL_NOT_CLEAR,          "VMCALL with non-clear VMCS") \
	X(20, VMCALL_EXIT_CONTROLS,      "VMCALL with invalid VM-exit control fields") \
	X(22, VMCALL_MSEG_REVISION,      "VMCALL with incorrect MSEG revision identifier") \
	X(23, VMXOFF_DUAL_MONITOR,       "VMXOFF under dual-monitor treatment") \
	X(24, VMCALL_SMM_FEATURES,       "VMCALL with invalid SMM-monitor features") \
	X(25, ENTRY_EXECUTIVE_CONTROLS,  "VM entry with invalid VM-execution control fields in executive VMCS") \
	X(26, ENTRY_MOV_SS,              "VM entry with events blocked by MOV SS") \
	X(28, INVALID_OPERAND,           "invalid operand to INVEPT or INVVPID")
/* clang-format on */

#define X(number, name, text) ERROR_##name = number,
enum vm_instruction_error { VM_INSTRUCTION_ERRORS(X) };
#undef X

/* What the number means; "unassigned VM-instruction error" where the SDM gives it no meaning. */
const char *vm_instruction_error_name(u32 number);
