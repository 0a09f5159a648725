/*
 * The VMX instructions where they are not recognized: outside VMX operation, in the modes that have none of them, with the LOCK
 * prefix; and that each looks at this before the privilege level, and at that before its operand. 31.3, "Operation" of each.
 */
#include "lhv-guest/golden.h"
#include "lhv-tests/vmx-instruction.h"
#include "vmx/instructions.h"

#define REFERENCE(name) "31.3 " #name
#define INSTRUCTION_ROW(function, name, id_text, title_text, need, ...) \
	ROW(function, .id = id_text, .title = title_text, .sdm = REFERENCE(name), .row = &vmx_instructions[INSTRUCTION_##name], \
	    .needs = NEED_VMX_ROOT | need, .opt = OPT_VMX_INSTR, ##__VA_ARGS__)

static enum vmx_instruction_name which(const struct rule *rule)
{
	return ((const struct vmx_instruction *)rule->row)->which;
}

static outcome_t run(const struct rule *rule, enum execute_mode mode, ulong operand)
{
	struct execution execution = vmx_execution(which(rule), mode, operand, vmx_good_second(which(rule)));

	return vmx_execute(&execution, which(rule));
}

/* Code runs in that mode at all, and its end is seen: without this a #UD would say nothing */
static void expect_code_runs(enum execute_mode mode)
{
	struct execution execution = {.code = {0x90}, .length = 1, .mode = mode}; /* NOP */

	execute(&execution);
	expect_outcome("NOP in the same mode", execution.outcome, SUCCEEDED);
}

/* Out of VMX operation, and out of what VMXON itself asks for */
static void leave(const struct rule *rule)
{
	vmx_leave();
	if (which(rule) == INSTRUCTION_VMXON)
		write_cr4(read_cr4() & ~CR4_VMXE);
}

/* ---- Not in VMX operation (VMXON: CR4.VMXE = 0) ----------------------------------------------------------- */

static void ud_before_cpl(const struct rule *rule)
{
	leave(rule);
	expect_outcome("the instruction at CPL 3 outside VMX operation", run(rule, EXECUTE_RING3, vmx_good_operand(which(rule))), FAULT_UD);
}

#define X(name, id, need, ...) \
	INSTRUCTION_ROW(ud_before_cpl, name, id ".ud-before-cpl", #name " outside VMX operation gives #UD at CPL 3 too", need)
VMX_INSTRUCTIONS(X)
#undef X

static void ud_before_operand(const struct rule *rule)
{
	leave(rule);
	expect_outcome("the instruction outside VMX operation with an operand in an unmapped page",
		       run(rule, EXECUTE_RING0, vmx_unmapped()), FAULT_UD);
}

#define X(name, id, need, ...) \
	INSTRUCTION_ROW(ud_before_operand, name, id ".ud-before-operand", #name " outside VMX operation gives #UD before it looks at its operand", need)
VMX_MEMORY_INSTRUCTIONS(X)
#undef X

static void ud_in_root(const struct rule *rule)
{
	expect_outcome("the instruction in VMX root operation", run(rule, EXECUTE_RING0, 0), FAULT_UD);
	expect_outcome("the instruction at CPL 3", run(rule, EXECUTE_RING3, 0), FAULT_UD);
	vmx_leave();
	expect_outcome("the instruction outside VMX operation", run(rule, EXECUTE_RING0, 0), FAULT_UD);
}

INSTRUCTION_ROW(ud_in_root, VMFUNC, "vmfunc.root-ud", "VMFUNC gives #UD outside VMX non-root operation, at every CPL", 0)

/* ---- The privilege level and the operand ------------------------------------------------------------------- */

static void cpl_before_operand(const struct rule *rule)
{
	golden_vmcs_load();
	expect_outcome("the instruction at CPL 3 with an operand in an unmapped page", run(rule, EXECUTE_RING3, vmx_unmapped()), FAULT_GP0);
}

#define X(name, id, need, ...) \
	INSTRUCTION_ROW(cpl_before_operand, name, id ".cpl-before-operand", #name " at CPL 3 gives #GP(0) before it looks at its operand", need)
VMX_MEMORY_INSTRUCTIONS(X)
#undef X

/* ---- Compatibility mode -------------------------------------------------------------------------------------- */

static void compatibility_ud(const struct rule *rule)
{
	expect_code_runs(EXECUTE_COMPATIBILITY);
	expect_code_runs(EXECUTE_COMPATIBILITY_3);
	golden_vmcs_load();
	expect_outcome("the instruction in compatibility mode", run(rule, EXECUTE_COMPATIBILITY, vmx_good_operand(which(rule))), FAULT_UD);
	expect_outcome("the same at CPL 3 with an operand in an unmapped page", run(rule, EXECUTE_COMPATIBILITY_3, vmx_unmapped()), FAULT_UD);
	if (which(rule) != INSTRUCTION_VMXON)
		return;
	vmx_leave();
	expect_outcome("VMXON in compatibility mode, outside VMX operation",
		       run(rule, EXECUTE_COMPATIBILITY, vmx_good_operand(which(rule))), FAULT_UD);
}

#define X(name, id, need, ...) \
	INSTRUCTION_ROW(compatibility_ud, name, id ".compatibility-ud", #name " in compatibility mode gives #UD, whatever the CPL and operand", \
			need | NEED_LONG_MODE)
VMX_INSTRUCTIONS(X)
#undef X

/* ---- Virtual-8086 mode ----------------------------------------------------------------------------------------- */

static void v86_ud(const struct rule *rule)
{
	expect_code_runs(EXECUTE_VIRTUAL_8086);
	golden_vmcs_load();
	expect_outcome("the instruction in virtual-8086 mode", run(rule, EXECUTE_VIRTUAL_8086, 0), FAULT_UD);
	if (which(rule) != INSTRUCTION_VMXON)
		return;
	vmx_leave();
	expect_outcome("VMXON in virtual-8086 mode, outside VMX operation", run(rule, EXECUTE_VIRTUAL_8086, 0), FAULT_UD);
}

#define X(name, id, need, ...) \
	INSTRUCTION_ROW(v86_ud, name, id ".virtual-8086-ud", #name " in virtual-8086 mode gives #UD, not #GP for CPL 3", need | NEED_LEGACY_PAGING)
VMX_INSTRUCTIONS(X)
#undef X

/* ---- Real-address mode: there is no VMX operation in it, but CR4.VMXE may be 1 ----------------------------------- */

static void real_ud(const struct rule *rule)
{
	vmx_leave();
	expect_code_runs(EXECUTE_REAL);
	expect_outcome("the instruction in real-address mode with CR4.VMXE = 1", run(rule, EXECUTE_REAL, 0x600), FAULT_UD);
}

#define X(name, id, need, ...) \
	INSTRUCTION_ROW(real_ud, name, id ".real-mode-ud", #name " in real-address mode gives #UD", need, .cpus = BOOT_CPU)
VMX_INSTRUCTIONS(X)
#undef X

/* ---- Prefixes ----------------------------------------------------------------------------------------------------- */

/* volume 2, LOCK: #UD with any instruction that is not in its list */
static void lock_ud(const struct rule *rule)
{
	static const u8 lock = 0xf0;
	struct execution execution = vmx_execution(INSTRUCTION_COUNT, EXECUTE_RING0, vmx_good_operand(which(rule)), vmx_good_second(which(rule)));

	golden_vmcs_load();
	vmx_append_bytes(&execution, &lock, 1);
	vmx_append(&execution, which(rule));
	expect_outcome("the instruction with the LOCK prefix", vmx_execute(&execution, which(rule)), FAULT_UD);
}

#define X(name, id, need, ...) INSTRUCTION_ROW(lock_ud, name, id ".lock-ud", #name " with the LOCK prefix gives #UD", need)
VMX_INSTRUCTIONS(X)
#undef X

/* volume 2, 3.1.1.1: "NP" in the opcode column: 66, F2 and F3 give #UD, or another instruction (no Intel processor has one there) */
static void prefix_ud(const struct rule *rule)
{
	static const u8 prefixes[] = {0x66, 0xf2, 0xf3};

	golden_vmcs_load();
	for (unsigned i = 0; i < COUNT(prefixes); i++) {
		struct execution execution = vmx_execution(INSTRUCTION_COUNT, EXECUTE_RING0, vmx_good_operand(which(rule)), vmx_good_second(which(rule)));

		vmx_append_bytes(&execution, &prefixes[i], 1);
		vmx_append(&execution, which(rule));
		expect_outcome("the instruction with the prefix 66, F2 or F3", vmx_execute(&execution, which(rule)), FAULT_UD);
	}
}

#define PREFIX_ROW(name, id) INSTRUCTION_ROW(prefix_ud, name, id ".prefix-ud", #name " with one of the prefixes 66H, F2H and F3H gives #UD", 0)
PREFIX_ROW(VMREAD, "vmread")
PREFIX_ROW(VMWRITE, "vmwrite")

/* No "NP" is said of these */
static void prefix_seen(const struct rule *rule)
{
	static const u8 prefixes[] = {0x66, 0xf2, 0xf3};
	char text[100];

	for (unsigned i = 0; i < COUNT(prefixes); i++) {
		struct execution execution = vmx_execution(INSTRUCTION_COUNT, EXECUTE_RING0, 0, 0);

		vmx_append_bytes(&execution, &prefixes[i], 1);
		vmx_append(&execution, which(rule));
		outcome_format(text, sizeof(text), vmx_execute(&execution, which(rule)));
		rule_note("prefix %xH: %s", prefixes[i], text);
	}
}

#define SEEN_ROW(name, id) \
	INSTRUCTION_ROW(prefix_seen, name, id ".prefix", "What does " #name " do with one of the prefixes 66H, F2H and F3H?", 0, .class = OBSERVED)
SEEN_ROW(VMCALL, "vmcall")
SEEN_ROW(VMLAUNCH, "vmlaunch")
SEEN_ROW(VMRESUME, "vmresume")
SEEN_ROW(VMXOFF, "vmxoff")
