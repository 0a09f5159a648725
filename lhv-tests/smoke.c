/*
 * Launch and exit: every CPU enters a guest and comes back. Always selected: what LHV_OPT=0 runs.
 */
#include "cpu/cpuid.h"
#include "cpu/registers.h"
#include "harness/rule.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"
#include "lib/string.h"

#define UNCONDITIONAL "26.1.2 Instructions That Cause VM Exits Unconditionally"
#define CONDITIONAL "26.1.3 Instructions That Cause VM Exits Conditionally"
#define INSTRUCTION_LENGTH "28.2.5 Information for VM Exits Due to Instruction Execution"
#define SAVING_REGISTERS "28.3.3 Saving RIP, RSP, RFLAGS, and SSP"
#define SAVING_SEGMENTS "28.3.2 Saving Segment Registers and Descriptor-Table Registers"
#define LOADING_REGISTERS "28.5.3 Loading Host RIP, RSP, RFLAGS, and SSP"
#define LAUNCH_STATE "25.11.3 Initializing a VMCS"

static void guest_nothing(void)
{
}

static void guest_cpuid(void)
{
	cpuid(0, 0);
}

static void guest_hlt(void)
{
	asm volatile("hlt");
}

/* ---- CPUID --------------------------------------------------------------------------------------- */

RULE(cpuid_reason, .id = "exit.cpuid.reason", .title = "CPUID in VMX non-root operation causes a VM exit with basic reason 10",
     .sdm = UNCONDITIONAL, .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_cpuid);

	expect_exit(guest_run(guest), EXIT_REASON_CPUID);
	guest_skip_instruction();
	expect_done(guest);
}

RULE(cpuid_qualification, .id = "exit.cpuid.qualification", .title = "The exit qualification of a CPUID exit is 0",
     .sdm = "28.2.1 Basic VM-Exit Information", .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_cpuid);

	expect_exit(guest_run(guest), EXIT_REASON_CPUID);
	expect_equal("exit qualification", vmread(VMCS_EXIT_QUALIFICATION), 0);
}

RULE(cpuid_length, .id = "exit.cpuid.length", .title = "A CPUID exit reports the instruction's length, 2 bytes",
     .sdm = INSTRUCTION_LENGTH, .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_cpuid);

	expect_exit(guest_run(guest), EXIT_REASON_CPUID);
	expect_equal("VM-exit instruction length", vmread(VMCS_EXIT_INSTRUCTION_LENGTH), 2);
}

/* 0F A2 */
RULE(cpuid_rip, .id = "exit.cpuid.rip", .title = "A CPUID exit saves the RIP of the CPUID itself", .sdm = SAVING_REGISTERS,
     .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_cpuid);

	expect_exit(guest_run(guest), EXIT_REASON_CPUID);
	expect_equal("the two bytes at guest RIP", *(u16 *)(ulong)vmread(VMCS_GUEST_RIP), 0xa20f);
}

/* ---- VMCALL -------------------------------------------------------------------------------------- */

static void guest_hypercall(void)
{
	hypercall(HYPERCALL_TEST, 0x5a5a);
}

RULE(vmcall_reason, .id = "exit.vmcall.reason", .title = "VMCALL in VMX non-root operation causes a VM exit with basic reason 18",
     .sdm = UNCONDITIONAL, .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_hypercall);
	struct exit exit = guest_run(guest);

	expect_exit(exit, EXIT_REASON_VMCALL);
	expect_hypercall(guest, exit, HYPERCALL_TEST);
	expect_equal("the argument in BX", guest->registers.bx, 0x5a5a);
}

RULE(vmcall_length, .id = "exit.vmcall.length", .title = "A VMCALL exit reports the instruction's length, 3 bytes",
     .sdm = INSTRUCTION_LENGTH, .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_nothing);

	expect_done(guest);
	expect_equal("VM-exit instruction length", vmread(VMCS_EXIT_INSTRUCTION_LENGTH), 3);
}

/* ---- HLT ----------------------------------------------------------------------------------------- */

RULE(hlt_exits, .id = "exit.hlt.reason", .title = "HLT causes a VM exit with basic reason 12 if \"HLT exiting\" is 1",
     .sdm = CONDITIONAL, .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_hlt);

	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_HLT_EXITING, "HLT exiting");
	expect_exit(guest_run(guest), EXIT_REASON_HLT);
	expect_equal("VM-exit instruction length", vmread(VMCS_EXIT_INSTRUCTION_LENGTH), 1);
	guest_skip_instruction();
	expect_done(guest);
}

RULE(hlt_state, .id = "exit.hlt.activity-active", .title = "A HLT exit saves activity state active: the HLT has not executed",
     .sdm = "28.1 Architectural State Before a VM Exit", .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_hlt);

	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_HLT_EXITING, "HLT exiting");
	expect_exit(guest_run(guest), EXIT_REASON_HLT);
	expect_equal("activity state", vmread(VMCS_GUEST_ACTIVITY_STATE), 0);
}

/* ---- Registers and state across entry and exit --------------------------------------------------- */

#define GENERAL_PURPOSE (offsetof(struct registers, host_flags) / sizeof(ulong))

/* Exits with the registers as the host gave them: nothing but VMCALL is executed */
RULE(registers_kept, .id = "exit.registers.general-purpose", .title = "VM entry and VM exit leave the general-purpose registers alone",
     .sdm = "28.3 Saving Guest State", .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_nothing);
	static const u8 vmcall_bytes[] = {0x0f, 0x01, 0xc1};
	ulong *words = (ulong *)&guest->registers;

	for (unsigned i = 0; i < GENERAL_PURPOSE; i++)
		words[i] = 0x1111 * (i + 1);
	vmwrite(VMCS_GUEST_RIP, (ulong)vmcall_bytes);
	expect_exit(guest_run(guest), EXIT_REASON_VMCALL);
	for (unsigned i = 0; i < GENERAL_PURPOSE; i++)
		expect_equal("a register, in the order AX CX DX BX BP SI DI R8..R15", words[i], 0x1111 * (i + 1));
}

RULE(rsp_saved, .id = "exit.registers.rsp", .title = "VM entry loads RSP and VM exit saves it", .sdm = SAVING_REGISTERS,
     .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_nothing);
	static const u8 push_vmcall[] = {0x50, 0x0f, 0x01, 0xc1};

	vmwrite(VMCS_GUEST_RIP, (ulong)push_vmcall);
	vmwrite(VMCS_GUEST_RSP, guest->stack_top);
	expect_exit(guest_run(guest), EXIT_REASON_VMCALL);
	expect_equal("guest RSP after one push", vmread(VMCS_GUEST_RSP), guest->stack_top - sizeof(ulong));
}

RULE(rflags_saved, .id = "exit.registers.rflags", .title = "VM entry loads RFLAGS and VM exit saves it", .sdm = SAVING_REGISTERS,
     .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_nothing);
	static const u8 stc_vmcall[] = {0xf9, 0x0f, 0x01, 0xc1};

	vmwrite(VMCS_GUEST_RIP, (ulong)stc_vmcall);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_ZF | RFLAGS_OF);
	expect_exit(guest_run(guest), EXIT_REASON_VMCALL);
	expect_equal("guest RFLAGS after STC", vmread(VMCS_GUEST_RFLAGS), RFLAGS_FIXED | RFLAGS_ZF | RFLAGS_OF | RFLAGS_CF);
}

RULE(segments_saved, .id = "exit.registers.segments", .title = "VM exit saves the segment selectors, bases and rights that VM entry loaded",
     .sdm = SAVING_SEGMENTS, .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_nothing);
	/* ES to GS: the limit and rights of TR and LDTR have rules of their own elsewhere */
	u64 before[6][3];

	for (unsigned i = 0; i < 6; i++) {
		before[i][0] = vmread(VMCS_GUEST_ES_SELECTOR + 2 * i);
		before[i][1] = vmread(VMCS_GUEST_ES_BASE + 2 * i);
		before[i][2] = vmread(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * i);
	}
	expect_done(guest);
	for (unsigned i = 0; i < 6; i++) {
		expect_equal("selector, in the order ES CS SS DS FS GS", vmread(VMCS_GUEST_ES_SELECTOR + 2 * i), before[i][0]);
		expect_equal("base, in the order ES CS SS DS FS GS", vmread(VMCS_GUEST_ES_BASE + 2 * i), before[i][1]);
		expect_equal("unusable bit, in the order ES CS SS DS FS GS", vmread(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * i) & BIT(16),
			     before[i][2] & BIT(16));
	}
}

RULE(host_rflags, .id = "exit.host.rflags", .title = "VM exit clears RFLAGS but for bit 1", .sdm = LOADING_REGISTERS,
     .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_nothing);
	static const u8 vmcall_bytes[] = {0x0f, 0x01, 0xc1};

	vmwrite(VMCS_GUEST_RIP, (ulong)vmcall_bytes);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF | RFLAGS_DF |
					   RFLAGS_AC | RFLAGS_ID);
	expect_exit(guest_run(guest), EXIT_REASON_VMCALL);
	expect_equal("RFLAGS at the first instructions after the VM exit", guest->registers.host_flags, RFLAGS_FIXED);
}

RULE(host_control_registers, .id = "exit.host.control-registers", .title = "VM exit loads CR0, CR3 and CR4 from the host-state area",
     .sdm = "28.5.1 Loading Host Control Registers, Debug Registers, MSRs", .needs = NEED_VMX_ROOT)
{
	struct cpu *cpu = this_cpu();
	struct guest *guest = guest_golden(guest_nothing);

	ulong guest_cr3 = (ulong)memcpy(scratch_page(), (void *)(cpu->cr3 & ~0xffful), PAGE_SIZE); /* another top table, alike */

	guest_cr3 += cpu->cr3 & 0xfff;
	vmwrite(VMCS_GUEST_CR3, guest_cr3);
	vmwrite(VMCS_GUEST_CR0, cpu->cr0 ^ CR0_MP);
	vmwrite(VMCS_GUEST_CR4, cpu->cr4 ^ CR4_TSD);
	expect_done(guest);
	expect_equal("CR0", read_cr0(), cpu->cr0);
	expect_equal("CR3", read_cr3(), cpu->cr3);
	expect_equal("CR4", read_cr4(), cpu->cr4);
	expect_equal("guest CR3 as saved", vmread(VMCS_GUEST_CR3), guest_cr3);
	expect_equal("guest CR0 as saved", vmread(VMCS_GUEST_CR0), cpu->cr0 ^ CR0_MP);
	expect_equal("guest CR4 as saved", vmread(VMCS_GUEST_CR4), cpu->cr4 ^ CR4_TSD);
}

/* ---- Launch state -------------------------------------------------------------------------------- */

RULE(vmlaunch_twice, .id = "vmlaunch.launched-error4", .title = "VMLAUNCH of a VMCS whose launch state is launched fails with error 4",
     .sdm = LAUNCH_STATE, .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_nothing);

	expect_done(guest);
	guest->launched = false; /* VMLAUNCH it once more */
	expect_outcome("VMLAUNCH after a VM exit", guest_run(guest).entry, VMFAIL_VALID(4));
}

RULE(vmresume_clear, .id = "vmresume.clear-error5", .title = "VMRESUME of a VMCS whose launch state is clear fails with error 5",
     .sdm = LAUNCH_STATE, .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_nothing);

	guest->launched = true; /* VMRESUME it */
	expect_outcome("VMRESUME before any VMLAUNCH", guest_run(guest).entry, VMFAIL_VALID(5));
	guest->launched = false;
	expect_done(guest);
}

RULE(vmresume_many, .id = "vmresume.again", .title = "VMRESUME enters a launched VMCS again and again", .sdm = LAUNCH_STATE,
     .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_nothing);
	static const u8 jump_to_vmcall[] = {0x0f, 0x01, 0xc1, 0xeb, 0xfb};

	vmwrite(VMCS_GUEST_RIP, (ulong)jump_to_vmcall);
	for (unsigned i = 0; i < 16; i++) {
		guest->registers.ax = i;
		expect_hypercall(guest, guest_run(guest), i);
		guest_skip_instruction();
	}
}
