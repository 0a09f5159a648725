/*
 * The VMX instructions in VMX non-root operation: #UD comes before the VM exit in modes that do not have them, and the VM exit
 * before faults of the operand. VMCALL exits in every mode. 31.3, "Operation" of each; 26.1.1.
 */
#include "cpu/descriptors.h"
#include "harness/select.h"
#include "lhv-guest/ept.h"
#include "lhv-guest/guest.h"
#include "lhv-tests/vmx-instruction.h"
#include "lib/string.h"

#define INFO_UD 0x80000306 /* valid, hardware exception, vector 6 */
#define LOW_CODE 0x8000u
#define RFLAGS_IOPL3 0x3000
#define CODE_16 0x009b
#define DATA_16 0x0093
#define V86_RIGHTS 0x00f3
#define COMPATIBILITY_CODE 0xc09b
#define LIMIT_16 0xffff
#define UNUSABLE 0x10000

static enum vmx_instruction_name which(const struct rule *rule)
{
	return ((const struct vmx_instruction *)rule->row)->which;
}

static void guest_nothing(void)
{
}

/* The instruction in a page of its own */
static u8 *code_of(const struct rule *rule)
{
	const struct vmx_instruction *instruction = rule->row;

	return memcpy(scratch_page(), instruction->code, instruction->length);
}

/* #UD, or for VMCALL its VM exit; here is where it happens */
static void expect_ud(const struct rule *rule, struct guest *guest, ulong here)
{
	struct exit exit;

	guest->registers.ax = (ulong)-1;
	guest->registers.cx = 0x600;
	guest->registers.dx = vmx_good_second(which(rule));
	vmwrite(VMCS_EXCEPTION_BITMAP, BIT(6));
	exit = guest_run(guest);
	if (which(rule) == INSTRUCTION_VMCALL) {
		expect_exit(exit, EXIT_REASON_VMCALL);
	} else {
		expect_exit(exit, EXIT_REASON_EXCEPTION_NMI);
		expect_equal("VM-exit interruption information", vmread(VMCS_EXIT_INTERRUPTION_INFO) & ~BIT(12), INFO_UD);
	}
	expect_equal("guest RIP, at the instruction", vmread(VMCS_GUEST_RIP), here);
}

#define GUEST_ROW(function, name, id_text, title_text, need, section) \
	ROW(function, .id = id_text, .title = title_text, .sdm = section, .row = &vmx_instructions[INSTRUCTION_##name], .needs = NEED_VMX_ROOT | need, \
	    .opt = OPT_VMX_INSTR)
#define UD_TEXT(name, mode) #name " in a guest in " mode " gives #UD and no VM exit"

/* ---- Compatibility mode ------------------------------------------------------------------------------------ */

static void compatibility(const struct rule *rule)
{
	struct guest *guest = guest_golden(guest_nothing);
	u8 *code = code_of(rule);

	vmwrite(VMCS_GUEST_CS_SELECTOR, KERNEL_CS32);
	vmwrite(VMCS_GUEST_CS_ACCESS_RIGHTS, COMPATIBILITY_CODE);
	vmwrite(VMCS_GUEST_RIP, (ulong)code);
	expect_ud(rule, guest, (ulong)code);
}

#define X(name, id, need, ...) \
	GUEST_ROW(compatibility, name, id ".guest-compatibility", UD_TEXT(name, "compatibility mode"), need | NEED_LONG_MODE, "31.3 " #name)
VMX_MEMORY_INSTRUCTIONS(X)
X(VMLAUNCH, "vmlaunch", 0)
X(VMRESUME, "vmresume", 0)
X(VMXOFF, "vmxoff", 0)
#undef X
GUEST_ROW(compatibility, VMCALL, "vmcall.guest-compatibility", "VMCALL in a guest in compatibility mode exits", NEED_LONG_MODE, "31.3 VMCALL")

/* ---- Virtual-8086 mode, on page tables that have the code below 1 MiB -------------------------------------------- */

static void segment_16(enum vmcs_field selector_field, u16 selector, u64 base, u32 rights)
{
	unsigned i = selector_field - VMCS_GUEST_ES_SELECTOR;

	vmwrite(selector_field, selector);
	vmwrite(VMCS_GUEST_ES_BASE + i, base);
	vmwrite(VMCS_GUEST_ES_LIMIT + i, LIMIT_16);
	vmwrite(VMCS_GUEST_ES_ACCESS_RIGHTS + i, rights);
}

static void v86(const struct rule *rule)
{
	struct guest *guest = guest_golden(guest_nothing);
	ulong tables = execute_low_tables(code_of(rule), LOW_CODE);

	vmwrite(VMCS_GUEST_CR3, tables);
#ifdef LHV_PAE
	if (option_mask & OPT_EPT)
		for (unsigned i = 0; i < 4; i++)
			vmwrite(VMCS_GUEST_PDPTE0 + 2 * i, ((const u64 *)tables)[i]);
#endif
	for (unsigned field = VMCS_GUEST_ES_SELECTOR; field <= VMCS_GUEST_GS_SELECTOR; field += 2)
		segment_16(field, 0, 0, V86_RIGHTS);
	segment_16(VMCS_GUEST_CS_SELECTOR, LOW_CODE >> 4, LOW_CODE, V86_RIGHTS);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_VM | RFLAGS_IOPL3);
	vmwrite(VMCS_GUEST_RIP, 0);
	expect_ud(rule, guest, 0);
}

#define X(name, id, need, ...) \
	GUEST_ROW(v86, name, id ".guest-virtual-8086", UD_TEXT(name, "virtual-8086 mode"), need | NEED_LEGACY_PAGING, "31.3 " #name)
VMX_MEMORY_INSTRUCTIONS(X)
X(VMLAUNCH, "vmlaunch", 0)
X(VMRESUME, "vmresume", 0)
X(VMXOFF, "vmxoff", 0)
#undef X
GUEST_ROW(v86, VMCALL, "vmcall.guest-virtual-8086", "VMCALL in a guest in virtual-8086 mode exits", NEED_LEGACY_PAGING, "31.3 VMCALL")

/* ---- Real-address mode: an unrestricted guest ---------------------------------------------------------------------- */

static void real(const struct rule *rule)
{
	struct cpu *cpu = this_cpu();
	struct guest *guest = guest_golden(guest_nothing);
	bool active = vmread(VMCS_PROC_CONTROLS) & PROC_ACTIVATE_SECONDARY_CONTROLS;
	u64 proc2 = active ? vmread(VMCS_PROC2_CONTROLS) : cpu->caps.proc2.must_be_1;
	u8 *code = code_of(rule);

	vmwrite(VMCS_PROC_CONTROLS, vmread(VMCS_PROC_CONTROLS) | PROC_ACTIVATE_SECONDARY_CONTROLS);
	vmwrite(VMCS_PROC2_CONTROLS, proc2 | PROC2_ENABLE_EPT | PROC2_UNRESTRICTED_GUEST);
	vmwrite(VMCS_EPT_POINTER, ept_identity_pointer(cpu));
	if (sizeof(ulong) == 8)
		controls_clear(VMCS_ENTRY_CONTROLS, &cpu->caps.entry, ENTRY_IA32E_MODE_GUEST, "IA-32e mode guest");
	vmwrite(VMCS_GUEST_CR0, cpu->cr0 & ~(CR0_PE | CR0_PG));
	for (unsigned field = VMCS_GUEST_ES_SELECTOR; field <= VMCS_GUEST_GS_SELECTOR; field += 2)
		segment_16(field, 0, 0, DATA_16);
	segment_16(VMCS_GUEST_CS_SELECTOR, 0x1000, (ulong)code, CODE_16);
	vmwrite(VMCS_GUEST_RIP, 0);
	expect_ud(rule, guest, 0);
}

#define REAL_NEEDS (NEED_EPT | NEED_UNRESTRICTED_GUEST)
#define X(name, id, need, ...) \
	GUEST_ROW(real, name, id ".guest-real-mode", UD_TEXT(name, "real-address mode"), need | REAL_NEEDS, "31.3 " #name)
VMX_MEMORY_INSTRUCTIONS(X)
X(VMLAUNCH, "vmlaunch", 0)
X(VMRESUME, "vmresume", 0)
X(VMXOFF, "vmxoff", 0)
#undef X
GUEST_ROW(real, VMCALL, "vmcall.guest-real-mode", "VMCALL in a guest in real-address mode exits", REAL_NEEDS, "31.3 VMCALL")

/* ---- The VM exit comes before the operand --------------------------------------------------------------------------- */

static u32 exit_reason(enum vmx_instruction_name name)
{
	switch (name) {
	case INSTRUCTION_VMXON: return EXIT_REASON_VMXON;
	case INSTRUCTION_VMCLEAR: return EXIT_REASON_VMCLEAR;
	case INSTRUCTION_VMPTRLD: return EXIT_REASON_VMPTRLD;
	case INSTRUCTION_VMPTRST: return EXIT_REASON_VMPTRST;
	case INSTRUCTION_VMREAD: return EXIT_REASON_VMREAD;
	default: return EXIT_REASON_VMWRITE;
	}
}

static void exit_before_operand(const struct rule *rule)
{
	struct guest *guest = guest_golden(guest_nothing);
	u8 *code = code_of(rule);

	guest->registers.cx = vmx_unmapped();
	guest->registers.dx = vmx_good_second(which(rule));
	vmwrite(VMCS_GUEST_RIP, (ulong)code);
	expect_exit(guest_run(guest), exit_reason(which(rule)));
	expect_equal("guest RIP, at the instruction", vmread(VMCS_GUEST_RIP), (ulong)code);
}

#define EXIT_ROW(name, id) \
	GUEST_ROW(exit_before_operand, name, id ".in-guest", #name " in a guest exits before it looks at its operand", 0, "26.1.1 Relative Priority of Faults and VM Exits")
EXIT_ROW(VMXON, "vmxon")
EXIT_ROW(VMCLEAR, "vmclear")
EXIT_ROW(VMPTRLD, "vmptrld")
EXIT_ROW(VMPTRST, "vmptrst")
EXIT_ROW(VMREAD, "vmread")
EXIT_ROW(VMWRITE, "vmwrite")

/* ---- VMFUNC ------------------------------------------------------------------------------------------------------------ */

static void vmfunc_off(const struct rule *rule)
{
	struct guest *guest = guest_golden(guest_nothing);
	u8 *code = code_of(rule);

	vmwrite(VMCS_GUEST_RIP, (ulong)code);
	expect_ud(rule, guest, (ulong)code);
}

GUEST_ROW(vmfunc_off, VMFUNC, "vmfunc.control-off-ud", "VMFUNC in a guest gives #UD where \"enable VM functions\" is 0", 0, "26.5.6.1 Enabling VM Functions")

static void vmfunc_large(const struct rule *rule)
{
	struct guest *guest = guest_golden(guest_nothing);
	u8 *code = code_of(rule);

	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_ACTIVATE_SECONDARY_CONTROLS, "activate secondary controls");
	vmwrite(VMCS_PROC2_CONTROLS, vmread(VMCS_PROC2_CONTROLS) | PROC2_ENABLE_VM_FUNCTIONS);
	vmwrite(VMCS_VM_FUNCTION_CONTROLS, 0);
	vmwrite(VMCS_GUEST_RIP, (ulong)code);
	expect_ud(rule, guest, (ulong)code); /* EAX FFFFFFFFH */
	guest->registers.ax = 63;
	expect_exit(guest_run(guest), EXIT_REASON_VMFUNC);
	guest->registers.ax = 64;
	expect_exit(guest_run(guest), EXIT_REASON_EXCEPTION_NMI);
}

GUEST_ROW(vmfunc_large, VMFUNC, "vmfunc.eax-above-63-ud", "VMFUNC with EAX above 63 gives #UD; with 63, which is not enabled, it exits", NEED_VMFUNC, "26.5.6.2 General Operation of the VMFUNC Instruction")
