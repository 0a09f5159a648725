/*
 * VMLAUNCH and VMRESUME that fail before they look at the guest: what is looked at first, the error numbers, and what stays.
 * 27.1 Basic VM-Entry Checks; 27.2 for errors 7 and 8. The launch state as such: vmcs-launch-state.c.
 */
#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "lhv-guest/golden.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"
#include "lhv-tests/vmcs-values.h"
#include "lhv-tests/vmx-instruction.h"
#include "smp/cpu.h"
#include "vmx/root.h"

#define BASIC_CHECKS "27.1 Basic VM-Entry Checks"
#define VMLAUNCH "31.3 VMLAUNCH/VMRESUME - Launch/Resume Virtual Machine"
#define CHECKS "27.2 Checks on VMX Controls and Host-State Area"

enum state { NO_VMCS, CLEAR, LAUNCHED };
enum { BAD_CONTROLS = 1, BAD_HOST = 2, BAD_GUEST = 4 };
enum before { NOTHING, MOV_SS, POP_SS, MOV_SS_NOP, STI };

struct entry {
	enum vmx_instruction_name which;
	u8 state, bad, before;
	u32 expected;
};

static void guest_nothing(void)
{
}

static void guest_calls(void)
{
	for (;;)
		hypercall(HYPERCALL_TEST, 0);
}

/* Where a guest would come back to that must not be entered: the #UD there ends the execution */
static const u8 ud2[] = {0x0f, 0x0b};

/* The golden VMCS in that state, with fields that VM entry refuses. Returns the fields as they are; 0 without a VMCS */
static const u64 *prepare(const struct entry *it)
{
	struct guest *guest;
	const u64 *fields;

	if (it->state == NO_VMCS)
		return 0;
	guest = guest_golden(guest_nothing);
	if (it->state == LAUNCHED)
		expect_done(guest);
	vmwrite(VMCS_HOST_RIP, (ulong)ud2);
	vmwrite(VMCS_HOST_RSP, (ulong)scratch_page() + PAGE_SIZE);
	if (it->bad & BAD_CONTROLS)
		vmwrite(VMCS_CR3_TARGET_COUNT, 0xffffffff);
	if (it->bad & BAD_HOST)
		vmwrite(VMCS_HOST_TR_SELECTOR, 0);
	if (it->bad & BAD_GUEST)
		vmwrite(VMCS_GUEST_RFLAGS, 0);
	fields = vmcs_snapshot();
	return fields;
}

static struct execution execution_of(const struct entry *it)
{
	static const struct {
		u8 length, code[4];
	} before[] = {
		[MOV_SS] = {2, {0x8e, 0xd3}},		 /* mov %bx, %ss */
		[POP_SS] = {2, {0x53, 0x17}},		 /* push %ebx; pop %ss */
		[MOV_SS_NOP] = {3, {0x8e, 0xd3, 0x90}},
		[STI] = {1, {0xfb}},
	};
	struct execution execution = vmx_execution(INSTRUCTION_COUNT, EXECUTE_RING0, 0x1111, 0x2222);

	execution.frame.bx = KERNEL_DS;
	vmx_append_bytes(&execution, before[it->before].code, before[it->before].length);
	vmx_append(&execution, it->which);
	return execution;
}

static void entry(const struct rule *rule)
{
	const struct entry *it = rule->row;
	struct execution execution;

	prepare(it);
	execution = execution_of(it);
	expect_outcome("the instruction", vmx_execute(&execution, it->which), it->expected);
	expect_equal("offset of the next instruction", execution.at, execution.length);
	if (it->state != NO_VMCS)
		expect_equal("the VM-instruction error field", vmread(VMCS_INSTRUCTION_ERROR), it->expected & 0xff);
}

#define ENTRY_ROW(name, id_text, title_text, section, need, entry_state, wrong, in_front, expected_outcome) \
	ROW(entry, .id = id_text, .title = title_text, .sdm = section, \
	    .row = &(const struct entry){INSTRUCTION_##name, entry_state, wrong, in_front, expected_outcome}, .needs = NEED_VMX_ROOT | need, \
	    .opt = OPT_VMX_INSTR)
#define LAUNCH(id_text, title_text, section, need, ...) ENTRY_ROW(VMLAUNCH, "vmlaunch." id_text, "VMLAUNCH " title_text, section, need, __VA_ARGS__)
#define RESUME(id_text, title_text, section, need, ...) ENTRY_ROW(VMRESUME, "vmresume." id_text, "VMRESUME " title_text, section, need, __VA_ARGS__)

/* ---- Blocking by MOV SS ------------------------------------------------------------------------------------ */

LAUNCH("mov-ss.error26", "of a clear VMCS directly behind MOV SS gives VMfailValid(26)", BASIC_CHECKS, 0, CLEAR, 0, MOV_SS, VMFAIL_VALID(26))
RESUME("mov-ss.error26", "of a launched VMCS directly behind MOV SS gives VMfailValid(26)", BASIC_CHECKS, 0, LAUNCHED, 0, MOV_SS, VMFAIL_VALID(26))
LAUNCH("pop-ss.error26", "directly behind POP SS gives VMfailValid(26)", BASIC_CHECKS, NEED_LEGACY_PAGING, CLEAR, 0, POP_SS, VMFAIL_VALID(26))
RESUME("pop-ss.error26", "directly behind POP SS gives VMfailValid(26)", BASIC_CHECKS, NEED_LEGACY_PAGING, LAUNCHED, 0, POP_SS, VMFAIL_VALID(26))
LAUNCH("mov-ss.no-current-first", "without a current VMCS behind MOV SS gives VMfailInvalid", BASIC_CHECKS, 0, NO_VMCS, 0, MOV_SS, VMFAIL_INVALID)
RESUME("mov-ss.no-current-first", "without a current VMCS behind MOV SS gives VMfailInvalid", BASIC_CHECKS, 0, NO_VMCS, 0, MOV_SS, VMFAIL_INVALID)
LAUNCH("mov-ss.before-launch-state", "of a launched VMCS behind MOV SS gives error 26, not 4", BASIC_CHECKS, 0, LAUNCHED, 0, MOV_SS, VMFAIL_VALID(26))
RESUME("mov-ss.before-launch-state", "of a clear VMCS behind MOV SS gives error 26, not 5", BASIC_CHECKS, 0, CLEAR, 0, MOV_SS, VMFAIL_VALID(26))
LAUNCH("mov-ss.before-controls", "with bad controls behind MOV SS gives error 26, not 7", BASIC_CHECKS, 0, CLEAR, BAD_CONTROLS, MOV_SS, VMFAIL_VALID(26))
RESUME("mov-ss.before-controls", "with bad controls behind MOV SS gives error 26, not 7", BASIC_CHECKS, 0, LAUNCHED, BAD_CONTROLS, MOV_SS, VMFAIL_VALID(26))
LAUNCH("mov-ss.ends", "is not blocked any more one instruction after MOV SS", BASIC_CHECKS, 0, LAUNCHED, 0, MOV_SS_NOP, VMFAIL_VALID(4))
RESUME("mov-ss.ends", "is not blocked any more one instruction after MOV SS", BASIC_CHECKS, 0, CLEAR, 0, MOV_SS_NOP, VMFAIL_VALID(5))
LAUNCH("sti.not-blocked", "is not blocked by STI", BASIC_CHECKS, NEED_INTERRUPTS, LAUNCHED, 0, STI, VMFAIL_VALID(4))
RESUME("sti.not-blocked", "is not blocked by STI", BASIC_CHECKS, NEED_INTERRUPTS, CLEAR, 0, STI, VMFAIL_VALID(5))

/* ---- The launch state comes before the fields ------------------------------------------------------------------ */

LAUNCH("launch-state.before-controls", "of a launched VMCS with bad controls gives error 4, not 7", BASIC_CHECKS, 0, LAUNCHED, BAD_CONTROLS, NOTHING, VMFAIL_VALID(4))
LAUNCH("launch-state.before-host", "of a launched VMCS with bad host state gives error 4, not 8", BASIC_CHECKS, 0, LAUNCHED, BAD_HOST, NOTHING, VMFAIL_VALID(4))
LAUNCH("launch-state.before-guest", "of a launched VMCS with bad guest state gives error 4, no VM exit", BASIC_CHECKS, 0, LAUNCHED, BAD_GUEST, NOTHING, VMFAIL_VALID(4))
RESUME("launch-state.before-controls", "of a clear VMCS with bad controls gives error 5, not 7", BASIC_CHECKS, 0, CLEAR, BAD_CONTROLS, NOTHING, VMFAIL_VALID(5))
RESUME("launch-state.before-host", "of a clear VMCS with bad host state gives error 5, not 8", BASIC_CHECKS, 0, CLEAR, BAD_HOST, NOTHING, VMFAIL_VALID(5))
RESUME("launch-state.before-guest", "of a clear VMCS with bad guest state gives error 5, no VM exit", BASIC_CHECKS, 0, CLEAR, BAD_GUEST, NOTHING, VMFAIL_VALID(5))

/* ---- Controls and host state come before guest state ------------------------------------------------------------- */

LAUNCH("controls.error7", "with bad controls gives VMfailValid(7)", CHECKS, 0, CLEAR, BAD_CONTROLS, NOTHING, VMFAIL_VALID(7))
RESUME("controls.error7", "with bad controls gives VMfailValid(7)", CHECKS, 0, LAUNCHED, BAD_CONTROLS, NOTHING, VMFAIL_VALID(7))
LAUNCH("host.error8", "with bad host state gives VMfailValid(8)", CHECKS, 0, CLEAR, BAD_HOST, NOTHING, VMFAIL_VALID(8))
RESUME("host.error8", "with bad host state gives VMfailValid(8)", CHECKS, 0, LAUNCHED, BAD_HOST, NOTHING, VMFAIL_VALID(8))
LAUNCH("controls.before-guest", "with bad controls and bad guest state gives error 7, no VM exit", CHECKS, 0, CLEAR, BAD_CONTROLS | BAD_GUEST, NOTHING, VMFAIL_VALID(7))
RESUME("controls.before-guest", "with bad controls and bad guest state gives error 7, no VM exit", CHECKS, 0, LAUNCHED, BAD_CONTROLS | BAD_GUEST, NOTHING, VMFAIL_VALID(7))
LAUNCH("host.before-guest", "with bad host and guest state gives error 8, no VM exit", CHECKS, 0, CLEAR, BAD_HOST | BAD_GUEST, NOTHING, VMFAIL_VALID(8))
RESUME("host.before-guest", "with bad host and guest state gives error 8, no VM exit", CHECKS, 0, LAUNCHED, BAD_HOST | BAD_GUEST, NOTHING, VMFAIL_VALID(8))

/* Which of them comes first is free */
static void controls_and_host(const struct rule *rule)
{
	const struct entry *it = rule->row;
	struct execution execution;
	outcome_t outcome;

	prepare(it);
	execution = execution_of(it);
	outcome = vmx_execute(&execution, it->which);
	if (outcome != VMFAIL_VALID(8))
		expect_outcome("VM entry with bad controls and bad host state (error 7 or 8)", outcome, VMFAIL_VALID(7));
}

#define BOTH_ROW(name, id_text, entry_state) \
	ROW(controls_and_host, .id = id_text, .title = #name " with bad controls and bad host state gives error 7 or 8", .sdm = CHECKS, \
	    .row = &(const struct entry){INSTRUCTION_##name, entry_state, BAD_CONTROLS | BAD_HOST, NOTHING, 0}, .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR)
BOTH_ROW(VMLAUNCH, "vmlaunch.controls-and-host", CLEAR)
BOTH_ROW(VMRESUME, "vmresume.controls-and-host", LAUNCHED)

/* ---- What a VM entry that fails early leaves alone ------------------------------------------------------------------ */

/* All fields but the one that holds the error number */
static void expect_fields(const u64 *before)
{
	u64 *snapshot = (u64 *)before;

	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (vmcs_fields[i].encoding == VMCS_INSTRUCTION_ERROR)
			snapshot[i] = vmread(VMCS_INSTRUCTION_ERROR);
	vmcs_expect_snapshot("after the VM entry that failed", before);
}

static void leaves_alone(const struct rule *rule)
{
	const struct entry *it = rule->row;
	const u64 *fields = prepare(it);
	struct execution execution = execution_of(it);
	ulong cr0 = read_cr0(), cr3 = read_cr3(), cr4 = read_cr4();

	execution.frame.ax = 0x3333;
	execution.frame.si = 0x4444;
	execution.frame.di = 0x5555;
	execution.frame.bp = 0x6666;
	expect_outcome("the instruction", vmx_execute(&execution, it->which), it->expected);
	expect_equal("CR0", read_cr0(), cr0);
	expect_equal("CR3", read_cr3(), cr3);
	expect_equal("CR4", read_cr4(), cr4);
	expect_equal("(R)AX", execution.frame.ax, 0x3333);
	expect_equal("(R)CX", execution.frame.cx, 0x1111);
	expect_equal("(R)DX", execution.frame.dx, 0x2222);
	expect_equal("(R)SI", execution.frame.si, 0x4444);
	expect_equal("(R)DI", execution.frame.di, 0x5555);
	expect_equal("(R)BP", execution.frame.bp, 0x6666);
	expect_equal("CS", execution.frame.cs & 0xffff, KERNEL_CS);
	expect_equal("the current VMCS", vmcs_current(), this_cpu()->golden_vmcs);
	expect_fields(fields);
}

#define ALONE_ROW(name, id_text, number, entry_state, wrong, in_front) \
	ROW(leaves_alone, .id = id_text ".error" #number "-alone", .title = #name " that fails with error " #number " changes no register and no other field", \
	    .sdm = BASIC_CHECKS, .row = &(const struct entry){INSTRUCTION_##name, entry_state, wrong, in_front, VMFAIL_VALID(number)}, \
	    .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR)
ALONE_ROW(VMLAUNCH, "vmlaunch", 4, LAUNCHED, 0, NOTHING)
ALONE_ROW(VMRESUME, "vmresume", 5, CLEAR, 0, NOTHING)
ALONE_ROW(VMLAUNCH, "vmlaunch", 7, CLEAR, BAD_CONTROLS, NOTHING)
ALONE_ROW(VMRESUME, "vmresume", 7, LAUNCHED, BAD_CONTROLS, NOTHING)
ALONE_ROW(VMLAUNCH, "vmlaunch", 8, CLEAR, BAD_HOST, NOTHING)
ALONE_ROW(VMRESUME, "vmresume", 8, LAUNCHED, BAD_HOST, NOTHING)
ALONE_ROW(VMLAUNCH, "vmlaunch", 26, CLEAR, 0, MOV_SS)
ALONE_ROW(VMRESUME, "vmresume", 26, LAUNCHED, 0, MOV_SS)

/* ---- The other error numbers ------------------------------------------------------------------------------------------ */

RULE(error_over_exit, .id = "vmcs.error.exit-keeps", .title = "VM entry and VM exit leave the VM-instruction error field alone",
     .sdm = "25.9.5 VM-Instruction Error Field", .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR)
{
	struct guest *guest = guest_golden(guest_calls);

	expect_outcome("VMPTRLD with bit 0 of the address set", vmptrld(this_cpu()->golden_vmcs | 1), VMFAIL_VALID(9));
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_equal("the VM-instruction error field after VMLAUNCH and a VM exit", vmread(VMCS_INSTRUCTION_ERROR), 9);
	guest_skip_instruction();
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_equal("the VM-instruction error field after VMRESUME and a VM exit", vmread(VMCS_INSTRUCTION_ERROR), 9);
}

RULE(error_entry_failure, .id = "vmcs.error.entry-failure-keeps", .title = "A VM entry that fails with a VM exit leaves the VM-instruction error field alone",
     .sdm = "27.8 VM-Entry Failures During or After Loading Guest State", .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR)
{
	struct guest *guest = guest_golden(guest_calls);

	expect_outcome("VMPTRLD with bit 0 of the address set", vmptrld(this_cpu()->golden_vmcs | 1), VMFAIL_VALID(9));
	vmwrite(VMCS_GUEST_RFLAGS, 0);
	expect_exit(guest_run(guest), EXIT_REASON_ENTRY_FAILURE | EXIT_REASON_INVALID_GUEST_STATE);
	expect_equal("the VM-instruction error field", vmread(VMCS_INSTRUCTION_ERROR), 9);
}

#define HYPERVISOR BIT(31) /* CPUID.1:ECX, for hypervisors to announce themselves */
#define MSR_SMM_MONITOR_CTL 0x9b

/* A launched VMCS: with that no processor turns on the dual-monitor treatment, whatever it makes of the MSR */
RULE(vmcall_root, .id = "vmcall.root-error1", .title = "VMCALL in VMX root operation gives VMfailValid(1) where no SMM monitor is there",
     .sdm = "31.3 VMCALL - Call to VM Monitor", .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR)
{
	u64 value;

	if (cpuid(1, 0).ecx & HYPERVISOR)
		rule_skip("there is a hypervisor (CPUID.1:ECX[31]), which VMCALL calls");
	if (msr_try_read(MSR_SMM_MONITOR_CTL, &value) == SUCCEEDED && value & 1)
		rule_skip("an SMM monitor is there (IA32_SMM_MONITOR_CTL[0])");
	expect_done(guest_golden(guest_nothing));
	expect_outcome("VMCALL", vmcall(), VMFAIL_VALID(1));
}

RULE(after_vmxoff, .id = "vmresume.after-vmxoff", .title = "What does VMRESUME do with a VMCS that was active and launched over VMXOFF?",
     .sdm = "31.4 VM Instruction Error Numbers", .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR, .class = UNDEFINED)
{
	struct guest *guest = guest_golden(guest_calls);
	u64 vmcs = this_cpu()->golden_vmcs;
	char text[120];
	struct exit exit;

	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	guest_skip_instruction();
	vmx_leave();
	expect_outcome("VMXON", vmxon(this_cpu()->vmxon_region), SUCCEEDED);
	vmcs_load(vmcs);
	exit = guest_run(guest);
	exit_format(text, sizeof(text), guest, exit);
	rule_note("%s", text);
}

RULE(vmxoff_mov_ss, .id = "vmxoff.mov-ss", .title = "What does VMXOFF do directly behind MOV SS?", .sdm = "31.3 VMXOFF - Leave VMX Operation",
     .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR, .class = OBSERVED)
{
	const struct entry it = {INSTRUCTION_VMXOFF, NO_VMCS, 0, MOV_SS, SUCCEEDED};
	struct execution execution = execution_of(&it);
	char text[100];

	outcome_format(text, sizeof(text), vmx_execute(&execution, INSTRUCTION_VMXOFF));
	rule_note("VMXOFF behind MOV SS: %s", text);
}
