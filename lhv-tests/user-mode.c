/*
 * Ring 3 in the host, and in a guest. In the guest the question is which comes first: the fault for the privilege level,
 * or the VM exit (26.1.1 Relative Priority of Faults and VM Exits).
 */
#include "cpu/user.h"
#include "cpu/cpuid.h"
#include "cpu/fixup.h"
#include "cpu/msr.h"
#include "cpu/registers.h"
#include "harness/fault.h"
#include "harness/rule.h"
#include "harness/select.h"
#include "interrupts/lapic.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"
#include "lhv-timer/wait.h"

#define PRIVILEGED "6.9 Privileged Instructions" /* of the chapter "Protection" */
#define CONVENTIONS "31.3 VMX Instructions"
#define PRIORITY "26.1.1 Relative Priority of Faults and VM Exits"
#define CONDITIONAL "26.1.3 Instructions That Cause VM Exits Conditionally"
#define UNCONDITIONAL "26.1.2 Instructions That Cause VM Exits Unconditionally"

/* ---- Ring 3 in the host ---------------------------------------------------------------------------------- */

/* RFLAGS of ring 3: interrupts are let in where the options do not forbid it */
static ulong user_flags(void)
{
	return RFLAGS_FIXED | (option_mask & (OPT_NO_EFLAGS_IF | OPT_NO_INTERRUPT) ? 0 : RFLAGS_IF);
}

/* What a function that runs in ring 3 gets */
struct attempt {
	outcome_t outcome;
	ulong value;
};

static outcome_t in_ring3(void (*function)(void *))
{
	struct attempt attempt = {UNDEFINED_FLAGS, 0};

	user_run(user_page_tables(0), function, &attempt, user_flags());
	if (fault(FAULT_CPL_IGNORED) && OUTCOME_IS_FAULT(attempt.outcome))
		return SUCCEEDED;
	return attempt.outcome;
}

#define HOST_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "user.host." id_text, .title = title_text, .sdm = section, .opt = OPT_USER_MODE, ##__VA_ARGS__)

/* One instruction at CPL 3 and what must come of it */
#define HOST_INSTRUCTION(name, id_text, title_text, section, need, expected, instruction, inputs...) \
	static void ring3_##name(void *attempt) \
	{ \
		outcome_t outcome; \
\
		TRY(outcome, instruction, inputs); \
		((struct attempt *)attempt)->outcome = outcome; \
	} \
	HOST_RULE(name, id_text, title_text, section, .needs = need) \
	{ \
		expect_outcome("the instruction at CPL 3", in_ring3(ring3_##name), expected); \
	}

#define PRIVILEGED_GP(name, id_text, text, need, instruction, inputs...) \
	HOST_INSTRUCTION(name, "gp." id_text, text " at CPL 3 gives #GP(0)", PRIVILEGED, need, FAULT_GP0, instruction, inputs)

/* Operands that are harmless even where the privilege level is not checked */
static struct pseudo_descriptor no_table;
static u64 no_region;
static struct invept_descriptor no_descriptor;

PRIVILEGED_GP(hlt, "hlt", "HLT", 0, "hlt")
PRIVILEGED_GP(clts, "clts", "CLTS", 0, "clts")
PRIVILEGED_GP(wbinvd, "wbinvd", "WBINVD", 0, "wbinvd")
PRIVILEGED_GP(from_cr0, "mov-from-cr0", "MOV from CR0", 0, "mov %%cr0, %1", "r"(0ul))
PRIVILEGED_GP(from_cr3, "mov-from-cr3", "MOV from CR3", 0, "mov %%cr3, %1", "r"(0ul))
PRIVILEGED_GP(to_cr2, "mov-to-cr2", "MOV to CR2", 0, "mov %1, %%cr2", "r"(0ul))
PRIVILEGED_GP(from_dr7, "mov-from-dr7", "MOV from DR7", 0, "mov %%dr7, %1", "r"(0ul))
PRIVILEGED_GP(to_dr7, "mov-to-dr7", "MOV to DR7", 0, "mov %1, %%dr7", "r"(0x400ul))
PRIVILEGED_GP(lmsw, "lmsw", "LMSW", 0, "lmsw %w1", "r"(0x31))
PRIVILEGED_GP(lgdt, "lgdt", "LGDT", 0, "lgdt %1", "m"(no_table))
PRIVILEGED_GP(lidt, "lidt", "LIDT", 0, "lidt %1", "m"(no_table))
PRIVILEGED_GP(lldt, "lldt", "LLDT", 0, "lldt %w1", "r"(0))
PRIVILEGED_GP(ltr, "ltr", "LTR", 0, "ltr %w1", "r"(TSS_SELECTOR))
PRIVILEGED_GP(invlpg, "invlpg", "INVLPG", 0, "invlpg %1", "m"(no_region))
PRIVILEGED_GP(rdmsr, "rdmsr", "RDMSR", 0, "rdmsr", "c"(MSR_SYSENTER_CS))
PRIVILEGED_GP(wrmsr, "wrmsr", "WRMSR", 0, "wrmsr", "c"(MSR_SYSENTER_CS), "d"(0))
PRIVILEGED_GP(sysexit, "sysexit", "SYSEXIT", NEED_SYSENTER, "sysexit")
PRIVILEGED_GP(cli, "cli", "CLI with IOPL 0", 0, "cli")
PRIVILEGED_GP(sti, "sti", "STI with IOPL 0", 0, "sti")
PRIVILEGED_GP(in_80, "in", "IN with IOPL 0 and no I/O permission", 0, "inb $0x80, %%al")
PRIVILEGED_GP(out_80, "out", "OUT with IOPL 0 and no I/O permission", 0, "outb %%al, $0x80")
PRIVILEGED_GP(swapgs, "swapgs", "SWAPGS", NEED_LONG_MODE, ".byte 0x0f, 0x01, 0xf8")

HOST_INSTRUCTION(monitor, "ud.monitor", "MONITOR at CPL 3 gives #UD", "volume 2, MONITOR—Set Up Monitor Address", 0, FAULT_UD,
		 ".byte 0x0f, 0x01, 0xc8", "c"(0), "d"(0))
HOST_INSTRUCTION(mwait, "ud.mwait", "MWAIT at CPL 3 gives #UD", "volume 2, MWAIT—Monitor Wait", 0, FAULT_UD, ".byte 0x0f, 0x01, 0xc9", "c"(0))
HOST_INSTRUCTION(load_ds, "gp.kernel-ds", "Loading DS with a selector of DPL 0 at CPL 3 gives #GP(selector)",
		 "5.6 Privilege Level Checking When Accessing Data Segments", 0, FAULTED(VECTOR_GP, KERNEL_DS), "mov %w1, %%ds", "r"(KERNEL_DS))
#define VECTOR_DPL0 0x21
HOST_INSTRUCTION(int_dpl0, "gp.int-dpl0", "INT n through a gate of DPL 0 at CPL 3 gives #GP(vector * 8 + 2)",
		 "6.12.1.2 Protection of Exception- and Interrupt-Handler Procedures", 0, FAULTED(VECTOR_GP, VECTOR_DPL0 * 8 + 2), "int $0x21")

/* VMX instructions in VMX root operation */
#define VMX_GP(name, id_text, text, need, instruction, inputs...) \
	HOST_INSTRUCTION(name, "vmx." id_text, text " at CPL 3 in VMX root operation gives #GP(0)", "31.3 " text, NEED_VMX_ROOT | need, FAULT_GP0, \
			 instruction, inputs)

VMX_GP(vmcall_3, "vmcall", "VMCALL", 0, "vmcall")
VMX_GP(vmclear_3, "vmclear", "VMCLEAR", 0, "vmclear %1", "m"(no_region))
VMX_GP(vmlaunch_3, "vmlaunch", "VMLAUNCH", 0, "vmlaunch")
VMX_GP(vmresume_3, "vmresume", "VMRESUME", 0, "vmresume")
VMX_GP(vmptrld_3, "vmptrld", "VMPTRLD", 0, "vmptrld %1", "m"(no_region))
VMX_GP(vmptrst_3, "vmptrst", "VMPTRST", 0, "vmptrst %1", "m"(no_region))
VMX_GP(vmread_3, "vmread", "VMREAD", 0, "vmread %1, %1", "r"((ulong)VMCS_GUEST_RIP))
VMX_GP(vmwrite_3, "vmwrite", "VMWRITE", 0, "vmwrite %1, %1", "r"((ulong)VMCS_GUEST_RIP))
VMX_GP(vmxoff_3, "vmxoff", "VMXOFF", 0, "vmxoff")
VMX_GP(vmxon_3, "vmxon", "VMXON", 0, "vmxon %1", "m"(no_region))
VMX_GP(invept_3, "invept", "INVEPT", NEED_INVEPT, "invept %1, %2", "m"(no_descriptor), "r"((ulong)INVEPT_ALL_CONTEXTS))
VMX_GP(invvpid_3, "invvpid", "INVVPID", NEED_INVVPID, "invvpid %1, %2", "m"(no_descriptor), "r"((ulong)INVVPID_ALL_CONTEXTS))

HOST_RULE(vmxon_outside, "vmx.vmxon-outside", "VMXON at CPL 3 outside VMX operation, CR4.VMXE = 1, gives #GP(0)", "31.3 VMXON", .needs = NEED_VMX_ROOT)
{
	expect_outcome("VMXOFF", vmxoff(), SUCCEEDED);
	expect_outcome("VMXON at CPL 3", in_ring3(ring3_vmxon_3), FAULT_GP0);
}

HOST_RULE(vmclear_outside, "vmx.vmclear-outside", "VMCLEAR at CPL 3 outside VMX operation gives #UD: that comes before the privilege level", "31.3 VMCLEAR",
	  .needs = NEED_VMX_ROOT)
{
	expect_outcome("VMXOFF", vmxoff(), SUCCEEDED);
	expect_outcome("VMCLEAR at CPL 3", in_ring3(ring3_vmclear_3), FAULT_UD);
}

/* What ring 3 may do */
static void ring3_registers(void *at)
{
	struct attempt *attempt = at;
	ulong selector;

	asm volatile("mov %%cs, %0" : "=r"(selector));
	attempt->value = selector;
	attempt->outcome = SUCCEEDED;
}

HOST_RULE(runs, "runs", "IRET to a selector of RPL 3 enters ring 3, and an interrupt gate of DPL 3 leads back", "5.8.5 Returning from a Called Procedure")
{
	struct attempt attempt = {UNDEFINED_FLAGS, 0};
	ulong flags = user_run(user_page_tables(0), ring3_registers, &attempt, user_flags());

	expect_outcome("what ring 3 did", attempt.outcome, SUCCEEDED);
	expect_equal("RPL of CS in ring 3", attempt.value & 3, 3);
	expect_equal("RFLAGS.IF in ring 3", flags & RFLAGS_IF, user_flags() & RFLAGS_IF);
}

static void ring3_popf(void *at)
{
	asm volatile("pushf\n\t"
#ifdef __x86_64__
		     "xorl $0x200, (%%rsp)\n\t"
#else
		     "xorl $0x200, (%%esp)\n\t"
#endif
		     "popf" : : : "memory", "cc");
	((struct attempt *)at)->outcome = SUCCEEDED;
}

HOST_RULE(popf, "popf-if", "POPF at CPL 3 with IOPL 0 does not change IF and does not fault", "volume 2, POPF/POPFD/POPFQ—Pop Stack Into EFLAGS Register")
{
	struct attempt attempt = {UNDEFINED_FLAGS, 0};
	ulong flags = user_run(user_page_tables(0), ring3_popf, &attempt, user_flags());

	expect_outcome("POPF at CPL 3", attempt.outcome, SUCCEEDED);
	expect_equal("RFLAGS.IF in ring 3", flags & RFLAGS_IF, user_flags() & RFLAGS_IF);
}

static void ring3_read(void *at)
{
	struct attempt *attempt = at;
	outcome_t outcome;

	TRY(outcome, "mov (%1), %1", "r"(attempt->value));
	attempt->outcome = outcome;
}

static void ring3_write(void *at)
{
	struct attempt *attempt = at;
	outcome_t outcome;

	TRY(outcome, "movl $1, (%1)", "r"(attempt->value));
	attempt->outcome = outcome;
}

#define PF_PRESENT 1
#define PF_WRITE 2
#define PF_USER 4

static void touch(void (*function)(void *), u32 error_code)
{
	struct attempt attempt = {UNDEFINED_FLAGS, 0};
	ulong page = (ulong)scratch_page();

	attempt.value = page + 0x678;
	user_run(user_page_tables(page), function, &attempt, user_flags());
	if (fault(FAULT_CPL_IGNORED))
		attempt.outcome = SUCCEEDED;
	expect_outcome("the access at CPL 3", attempt.outcome, FAULTED(VECTOR_PF, error_code));
	expect_equal("CR2", read_cr2(), page + 0x678);
}

HOST_RULE(supervisor_read, "pf.read", "A read of a supervisor page at CPL 3 gives #PF with error code 5", "4.6 Access Rights")
{
	touch(ring3_read, PF_PRESENT | PF_USER);
}

HOST_RULE(supervisor_write, "pf.write", "A write to a supervisor page at CPL 3 gives #PF with error code 7", "4.6 Access Rights")
{
	touch(ring3_write, PF_PRESENT | PF_WRITE | PF_USER);
}

static void ring3_rdtsc(void *at)
{
	outcome_t outcome;

	TRY(outcome, "mov %%edx, %%ecx\n1:\trdtsc\n\tmov %%ecx, %%edx\n\txor %%eax, %%eax", "c"(0));
	((struct attempt *)at)->outcome = outcome;
}

HOST_RULE(tsd, "gp.rdtsc-tsd", "RDTSC at CPL 3 gives #GP(0) with CR4.TSD = 1, and is executed with CR4.TSD = 0", "18.17 Time-Stamp Counter")
{
	expect_outcome("RDTSC at CPL 3, TSD = 0", in_ring3(ring3_rdtsc), SUCCEEDED);
	write_cr4(read_cr4() | CR4_TSD);
	expect_outcome("RDTSC at CPL 3, TSD = 1", in_ring3(ring3_rdtsc), FAULT_GP0);
}

/* ---- Interrupts ------------------------------------------------------------------------------------------- */

#define VECTOR_TO_SELF 0x51

/* Bounded: it ends when it has been interrupted, or when it has waited long enough */
static void ring3_wait(void *at)
{
	volatile u32 *count = (volatile u32 *)((struct attempt *)at)->value;

	for (unsigned i = 0; i < 1000000 && !*count; i++)
		pause();
	((struct attempt *)at)->outcome = SUCCEEDED;
}

HOST_RULE(interrupted, "interrupt", "An interrupt in ring 3 is handled in ring 0, and ring 3 goes on", "6.12.1 Exception- or Interrupt-Handler Procedures",
	  .needs = NEED_INTERRUPTS | NEED_APIC)
{
	struct cpu *cpu = this_cpu();
	struct attempt attempt = {UNDEFINED_FLAGS, (ulong)&cpu->interrupts[VECTOR_TO_SELF]};

	lapic_send(cpu->apic_id, VECTOR_TO_SELF | ICR_ASSERT); /* IF is 0: it waits */
	expect_equal("interrupts before ring 3", cpu->interrupts[VECTOR_TO_SELF], 0);
	user_run(user_page_tables(0), ring3_wait, &attempt, RFLAGS_FIXED | RFLAGS_IF);
	expect_outcome("ring 3 afterwards", attempt.outcome, SUCCEEDED);
	expect_equal("interrupts in ring 3", cpu->interrupts[VECTOR_TO_SELF], 1);
}

#define PATIENCE_MS 200

static void ring3_wait_a_while(void *at)
{
	volatile u32 *count = (volatile u32 *)((struct attempt *)at)->value;

	for (unsigned i = 0; i < 1000 && !*count; i++)
		pause();
	((struct attempt *)at)->outcome = SUCCEEDED;
}

HOST_RULE(masked, "interrupt-if0", "With IF = 0 no interrupt comes in ring 3", "6.8.1 Masking Maskable Hardware Interrupts", .needs = NEED_INTERRUPTS | NEED_APIC)
{
	struct cpu *cpu = this_cpu();
	struct attempt attempt = {UNDEFINED_FLAGS, (ulong)&cpu->interrupts[VECTOR_TO_SELF]};

	lapic_send(cpu->apic_id, VECTOR_TO_SELF | ICR_ASSERT);
	user_run(user_page_tables(0), ring3_wait_a_while, &attempt, RFLAGS_FIXED);
	expect_outcome("ring 3 afterwards", attempt.outcome, SUCCEEDED);
	expect_equal("interrupts in ring 3", cpu->interrupts[VECTOR_TO_SELF], 0);
	expect_equal("interrupts once IF is 1", wait_for_count(&cpu->interrupts[VECTOR_TO_SELF], 1, PATIENCE_MS), 1);
}

/* ---- SYSENTER and SYSCALL ------------------------------------------------------------------------------------ */

static void ring3_sysenter(void *at)
{
	outcome_t outcome;

	((struct attempt *)at)->value = 1;
	TRY(outcome, "sysenter", "r"(0));
	((struct attempt *)at)->outcome = outcome; /* where it faults */
}

HOST_RULE(sysenter, "sysenter", "SYSENTER goes from ring 3 to ring 0 as the three MSRs say", "5.8.7 Performing Fast Calls to System Procedures",
	  .needs = NEED_SYSENTER)
{
	struct attempt attempt = {SUCCEEDED, 0};

	msr_write(MSR_SYSENTER_CS, KERNEL_CS);
	msr_write(MSR_SYSENTER_ESP, (ulong)user_kernel_stack());
	msr_write(MSR_SYSENTER_EIP, (ulong)user_return_sysenter);
	user_run(user_page_tables(0), ring3_sysenter, &attempt, user_flags());
	expect_outcome("SYSENTER", attempt.outcome, SUCCEEDED);
	expect_equal("ring 3 came to the SYSENTER", attempt.value, 1);
	expect_equal("RFLAGS.IF after SYSENTER", read_flags() & RFLAGS_IF, 0);
}

HOST_RULE(sysenter_null, "gp.sysenter-null", "SYSENTER with IA32_SYSENTER_CS 0 gives #GP(0)", "5.8.7 Performing Fast Calls to System Procedures",
	  .needs = NEED_SYSENTER)
{
	msr_write(MSR_SYSENTER_CS, 0);
	expect_outcome("SYSENTER", in_ring3(ring3_sysenter), FAULT_GP0);
}

#ifdef __x86_64__
static void ring3_syscall(void *at)
{
	struct attempt *attempt = at;
	outcome_t outcome;
	ulong stack = attempt->value;

	TRY(outcome, "syscall", "D"(stack));
	attempt->outcome = outcome; /* where it faults */
}
#endif

#define EFER_SCE BIT(0)

static outcome_t syscall_with(u64 sce)
{
#ifdef __x86_64__
	struct attempt attempt = {SUCCEEDED, (ulong)user_kernel_stack()};

	msr_write(MSR_EFER, (msr_read(MSR_EFER) & ~EFER_SCE) | sce);
	msr_write(MSR_STAR, (u64)KERNEL_CS << 32);
	msr_write(MSR_LSTAR, (ulong)user_return_syscall);
	msr_write(MSR_FMASK, RFLAGS_IF);
	user_run(user_page_tables(0), ring3_syscall, &attempt, user_flags());
	return attempt.outcome;
#else
	return sce ? SUCCEEDED : FAULT_UD; /* not reached */
#endif
}

HOST_RULE(syscall, "syscall", "SYSCALL goes from ring 3 to ring 0 as the MSRs say", "5.8.8 Fast System Calls in 64-Bit Mode", .needs = NEED_LONG_MODE)
{
	expect_outcome("SYSCALL", syscall_with(EFER_SCE), SUCCEEDED);
}

HOST_RULE(syscall_ud, "ud.syscall-sce0", "SYSCALL with IA32_EFER.SCE = 0 gives #UD", "5.8.8 Fast System Calls in 64-Bit Mode", .needs = NEED_LONG_MODE)
{
	expect_outcome("SYSCALL", syscall_with(0), FAULT_UD);
}

/* ---- Ring 3 in a guest ------------------------------------------------------------------------------------------ */

#ifdef __x86_64__
#define USER_CODE_RIGHTS 0xa0fb
#define USER_CS USER_CS64
#else
#define USER_CODE_RIGHTS 0xc0fb
#define USER_CS USER_CS32
#endif
#define USER_DATA_RIGHTS 0xc0f3
#define RFLAGS_IOPL3 0x3000
#define CODE_MAX 8

/* What must come of the instruction: its VM exit, or a fault that the guest's own IDT gets */
#define EXITS(reason) EXIT_REASON_##reason
#define FAULTS(outcome) (outcome)

struct guest_instruction {
	u8 code[CODE_MAX]; /* VMCALL follows what stands here */
	u32 expected;	   /* exit reason, or outcome of a fault */
	enum vmcs_field controls;
	u64 set; /* of those controls */
	const char *name;
	u64 cr4_set, flags; /* CR4 and RFLAGS, besides what the golden guest has */
	bool bitmaps_off;
};

static void guest_nothing(void)
{
}

/* A guest whose first instruction, at CPL 3, is that of the code */
static struct guest *guest_ring3(const u8 *code)
{
	struct guest *guest = guest_golden(guest_nothing);
	ulong tables = user_page_tables(0);

	vmwrite(VMCS_GUEST_CR3, tables);
#ifdef LHV_PAE
	if (option_mask & OPT_EPT)
		for (unsigned i = 0; i < 4; i++)
			vmwrite(VMCS_GUEST_PDPTE0 + 2 * i, ((const u64 *)tables)[i]);
#endif
	vmwrite(VMCS_GUEST_CS_SELECTOR, USER_CS);
	vmwrite(VMCS_GUEST_CS_ACCESS_RIGHTS, USER_CODE_RIGHTS);
	vmwrite(VMCS_GUEST_SS_SELECTOR, USER_DS);
	vmwrite(VMCS_GUEST_SS_ACCESS_RIGHTS, USER_DATA_RIGHTS);
	vmwrite(VMCS_GUEST_DS_SELECTOR, USER_DS);
	vmwrite(VMCS_GUEST_DS_ACCESS_RIGHTS, USER_DATA_RIGHTS);
	vmwrite(VMCS_GUEST_ES_SELECTOR, USER_DS);
	vmwrite(VMCS_GUEST_ES_ACCESS_RIGHTS, USER_DATA_RIGHTS);
	vmwrite(VMCS_GUEST_RSP, (ulong)scratch_page() + PAGE_SIZE);
	vmwrite(VMCS_GUEST_RIP, (ulong)code);
	return guest;
}

/* The page that (R)CX points to, for instructions with a memory operand */
static void give_operand(struct guest *guest)
{
	guest->registers.cx = (ulong)scratch_page();
}

static void apply(const struct guest_instruction *it)
{
	const struct vmx_caps *caps = &this_cpu()->caps;

	if (it->controls == VMCS_PROC2_CONTROLS) {
		u64 now = vmread(VMCS_PROC_CONTROLS) & PROC_ACTIVATE_SECONDARY_CONTROLS ? vmread(VMCS_PROC2_CONTROLS) : caps->proc2.must_be_1;

		controls_set(VMCS_PROC_CONTROLS, &caps->proc, PROC_ACTIVATE_SECONDARY_CONTROLS, "activate secondary controls");
		vmwrite(VMCS_PROC2_CONTROLS, now);
		controls_set(VMCS_PROC2_CONTROLS, &caps->proc2, it->set, it->name);
	} else if (it->set) {
		controls_set(VMCS_PROC_CONTROLS, &caps->proc, it->set, it->name);
	}
	if (it->bitmaps_off)
		controls_clear(VMCS_PROC_CONTROLS, &caps->proc, PROC_USE_MSR_BITMAPS, "use MSR bitmaps");
	if (it->cr4_set & ~(this_cpu()->caps.cr4_fixed1))
		rule_skip("the CPU does not have a bit of CR4 that this takes");
	vmwrite(VMCS_GUEST_CR4, vmread(VMCS_GUEST_CR4) | it->cr4_set);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | it->flags);
}

static void guest_instruction(const struct rule *rule)
{
	const struct guest_instruction *it = rule->row;
	struct guest *guest = guest_ring3(it->code);
	struct exit exit;

	give_operand(guest);
	apply(it);
	exit = guest_run(guest);
	if (OUTCOME_IS_FAULT(it->expected)) {
		expect_hypercall(guest, exit, HYPERCALL_EXCEPTION);
		expect_outcome("the instruction at CPL 3 in the guest", FAULTED(guest->exception.vector, guest->exception.error_code), it->expected);
		expect_equal("RPL of CS where it faulted", guest->exception.cs & 3, 3);
		expect_equal("where it faulted", guest->exception.ip, (ulong)it->code);
		return;
	}
	expect_exit(exit, it->expected);
	expect_equal("guest RIP, at the instruction", vmread(VMCS_GUEST_RIP), (ulong)it->code);
	expect_equal("RPL of the guest's CS", vmread(VMCS_GUEST_CS_SELECTOR) & 3, 3);
	expect_equal("DPL in the guest's SS access rights", vmread(VMCS_GUEST_SS_ACCESS_RIGHTS) >> 5 & 3, 3);
}

#define GUEST_ROW(id_name, id_text, title_text, section, need, ...) \
	static const struct guest_instruction id_name = __VA_ARGS__; \
	ROW(guest_instruction, .id = "user.guest." id_text, .title = title_text, .sdm = section, .row = &id_name, .needs = NEED_VMX_ROOT | need, \
	    .opt = OPT_NESTED_USER_MODE)

#define NO_CONTROLS .controls = VMCS_PROC_CONTROLS, .name = ""
#define PROC(bit, text) .controls = VMCS_PROC_CONTROLS, .set = bit, .name = text
#define PROC2(bit, text) .controls = VMCS_PROC2_CONTROLS, .set = bit, .name = text

GUEST_ROW(g_cpuid, "exit.cpuid", "CPUID at CPL 3 exits", UNCONDITIONAL, 0, {{0x0f, 0xa2}, EXITS(CPUID), NO_CONTROLS})
GUEST_ROW(g_vmcall, "exit.vmcall", "VMCALL at CPL 3 exits", UNCONDITIONAL, 0, {{0x0f, 0x01, 0xc1}, EXITS(VMCALL), NO_CONTROLS})
GUEST_ROW(g_pause, "exit.pause", "PAUSE at CPL 3 exits with \"PAUSE exiting\"", CONDITIONAL, 0, {{0xf3, 0x90}, EXITS(PAUSE), PROC(PROC_PAUSE_EXITING, "PAUSE exiting")})
GUEST_ROW(g_rdtsc, "exit.rdtsc", "RDTSC at CPL 3 exits with \"RDTSC exiting\" and CR4.TSD = 0", CONDITIONAL, 0, {{0x0f, 0x31}, EXITS(RDTSC), PROC(PROC_RDTSC_EXITING, "RDTSC exiting")})
GUEST_ROW(g_rdpmc, "exit.rdpmc", "RDPMC at CPL 3 exits with \"RDPMC exiting\" and CR4.PCE = 1", CONDITIONAL, 0, {{0x0f, 0x33}, EXITS(RDPMC), PROC(PROC_RDPMC_EXITING, "RDPMC exiting"), .cr4_set = CR4_PCE})
GUEST_ROW(g_movdr, "exit.mov-dr", "MOV DR at CPL 3 exits with \"MOV-DR exiting\": here the exit comes before the privilege level", CONDITIONAL, 0, {{0x0f, 0x23, 0xf9}, EXITS(MOV_DR), PROC(PROC_MOV_DR_EXITING, "MOV-DR exiting")})
GUEST_ROW(g_in3, "exit.in-iopl3", "IN at CPL 3 with IOPL 3 exits with \"unconditional I/O exiting\"", CONDITIONAL, 0, {{0xe4, 0x80}, EXITS(IO), PROC(PROC_UNCONDITIONAL_IO_EXITING, "unconditional I/O exiting"), .flags = RFLAGS_IOPL3})
GUEST_ROW(g_sgdt, "exit.sgdt", "SGDT at CPL 3 exits with \"descriptor-table exiting\"", CONDITIONAL, 0, {{0x0f, 0x01, 0x01}, EXITS(GDTR_IDTR), PROC2(PROC2_DESCRIPTOR_TABLE_EXITING, "descriptor-table exiting")})
GUEST_ROW(g_sldt, "exit.sldt", "SLDT at CPL 3 exits with \"descriptor-table exiting\"", CONDITIONAL, 0, {{0x0f, 0x00, 0xc1}, EXITS(LDTR_TR), PROC2(PROC2_DESCRIPTOR_TABLE_EXITING, "descriptor-table exiting")})

#define VMX_EXIT(id_name, id_text, text, need, ...) \
	GUEST_ROW(g_##id_name, "exit." id_text, text " at CPL 3 exits: that comes before the privilege level", "31.3 " text, need, {__VA_ARGS__, NO_CONTROLS})
#define BYTES(...) {__VA_ARGS__}

VMX_EXIT(vmclear, "vmclear", "VMCLEAR", 0, BYTES(0x66, 0x0f, 0xc7, 0x31), EXITS(VMCLEAR))
VMX_EXIT(vmlaunch, "vmlaunch", "VMLAUNCH", 0, BYTES(0x0f, 0x01, 0xc2), EXITS(VMLAUNCH))
VMX_EXIT(vmresume, "vmresume", "VMRESUME", 0, BYTES(0x0f, 0x01, 0xc3), EXITS(VMRESUME))
VMX_EXIT(vmptrld, "vmptrld", "VMPTRLD", 0, BYTES(0x0f, 0xc7, 0x31), EXITS(VMPTRLD))
VMX_EXIT(vmptrst, "vmptrst", "VMPTRST", 0, BYTES(0x0f, 0xc7, 0x39), EXITS(VMPTRST))
VMX_EXIT(vmread, "vmread", "VMREAD", 0, BYTES(0x0f, 0x78, 0xc9), EXITS(VMREAD))
VMX_EXIT(vmwrite, "vmwrite", "VMWRITE", 0, BYTES(0x0f, 0x79, 0xc9), EXITS(VMWRITE))
VMX_EXIT(vmxoff, "vmxoff", "VMXOFF", 0, BYTES(0x0f, 0x01, 0xc4), EXITS(VMXOFF))
VMX_EXIT(vmxon, "vmxon", "VMXON", 0, BYTES(0xf3, 0x0f, 0xc7, 0x31), EXITS(VMXON))
VMX_EXIT(invept, "invept", "INVEPT", NEED_INVEPT, BYTES(0x66, 0x0f, 0x38, 0x80, 0x09), EXITS(INVEPT))
VMX_EXIT(invvpid, "invvpid", "INVVPID", NEED_INVVPID, BYTES(0x66, 0x0f, 0x38, 0x81, 0x09), EXITS(INVVPID))

#define GP_ROW(id_name, id_text, text, ...) \
	GUEST_ROW(id_name, "gp." id_text, text " at CPL 3 gives #GP(0) and no VM exit", PRIORITY, 0, __VA_ARGS__)
#define GP FAULTS(FAULT_GP0)

GP_ROW(p_hlt, "hlt", "HLT", {{0xf4}, GP, PROC(PROC_HLT_EXITING, "HLT exiting")})
GP_ROW(p_invd, "invd", "INVD", {{0x0f, 0x08}, GP, NO_CONTROLS})
GP_ROW(p_wbinvd, "wbinvd", "WBINVD", {{0x0f, 0x09}, GP, PROC2(PROC2_WBINVD_EXITING, "WBINVD exiting")})
GP_ROW(p_rdmsr, "rdmsr", "RDMSR", {{0x0f, 0x32}, GP, NO_CONTROLS, .bitmaps_off = true})
GP_ROW(p_wrmsr, "wrmsr", "WRMSR", {{0x0f, 0x30}, GP, NO_CONTROLS, .bitmaps_off = true})
GP_ROW(p_rdtsc, "rdtsc-tsd", "RDTSC with CR4.TSD = 1", {{0x0f, 0x31}, GP, PROC(PROC_RDTSC_EXITING, "RDTSC exiting"), .cr4_set = CR4_TSD})
GP_ROW(p_rdpmc, "rdpmc-pce0", "RDPMC with CR4.PCE = 0", {{0x0f, 0x33}, GP, PROC(PROC_RDPMC_EXITING, "RDPMC exiting")})
GP_ROW(p_invlpg, "invlpg", "INVLPG", {{0x0f, 0x01, 0x39}, GP, PROC(PROC_INVLPG_EXITING, "INVLPG exiting")})
GP_ROW(p_to_cr3, "mov-to-cr3", "MOV to CR3", {{0x0f, 0x22, 0xd9}, GP, PROC(PROC_CR3_LOAD_EXITING, "CR3-load exiting")})
GP_ROW(p_from_cr3, "mov-from-cr3", "MOV from CR3", {{0x0f, 0x20, 0xd9}, GP, PROC(PROC_CR3_STORE_EXITING, "CR3-store exiting")})
GP_ROW(p_lgdt, "lgdt", "LGDT", {{0x0f, 0x01, 0x11}, GP, PROC2(PROC2_DESCRIPTOR_TABLE_EXITING, "descriptor-table exiting")})
GP_ROW(p_lldt, "lldt", "LLDT", {{0x0f, 0x00, 0xd1}, GP, PROC2(PROC2_DESCRIPTOR_TABLE_EXITING, "descriptor-table exiting")})
GP_ROW(p_in, "in-iopl0", "IN with IOPL 0 and no I/O permission", {{0xe4, 0x80}, GP, PROC(PROC_UNCONDITIONAL_IO_EXITING, "unconditional I/O exiting")})
GP_ROW(p_out, "out-iopl0", "OUT with IOPL 0 and no I/O permission", {{0xe6, 0x80}, GP, PROC(PROC_UNCONDITIONAL_IO_EXITING, "unconditional I/O exiting")})
GP_ROW(p_xsetbv, "xsetbv", "XSETBV with CR4.OSXSAVE = 1", {{0x0f, 0x01, 0xd1}, GP, NO_CONTROLS, .cr4_set = CR4_OSXSAVE})
GP_ROW(p_movdr, "mov-dr-no-exit", "MOV DR without \"MOV-DR exiting\"", {{0x0f, 0x23, 0xf9}, GP, NO_CONTROLS})
GUEST_ROW(p_monitor, "ud.monitor", "MONITOR at CPL 3 gives #UD and no VM exit", PRIORITY, 0, {{0x0f, 0x01, 0xc8}, FAULTS(FAULT_UD), PROC(PROC_MONITOR_EXITING, "MONITOR exiting")})
GUEST_ROW(p_mwait, "ud.mwait", "MWAIT at CPL 3 gives #UD and no VM exit", PRIORITY, 0, {{0x0f, 0x01, 0xc9}, FAULTS(FAULT_UD), PROC(PROC_MWAIT_EXITING, "MWAIT exiting")})

/* ---- TrustVisor ---------------------------------------------------------------------------------------------------- */

#define TRUSTVISOR_HYPERVISOR 0x46484d58 /* "XMHF", in EAX of this very leaf */
#define TRUSTVISOR_LEAF 0x7a567254	 /* "TrVz" */
#define TRUSTVISOR_ANSWER 0x7a767274
#define TRUSTVISOR_NO_PAL 0xffffffff

HOST_RULE(trustvisor, "trustvisor.no-pal", "TrustVisor says that no PAL runs, outside one", "none: XMHF's TrustVisor, CPUID leaf 7A567254H", .class = OBSERVED)
{
	struct cpuid answer = cpuid(TRUSTVISOR_LEAF, 0);

	if (cpuid(TRUSTVISOR_HYPERVISOR, 0).eax != TRUSTVISOR_HYPERVISOR || answer.eax != TRUSTVISOR_ANSWER)
		rule_skip("there is no TrustVisor below (CPUID leaves 46484D58h and 7A567254h)");
	rule_note("TrustVisor answers EBX = 0x%x (0x%x: outside a PAL)", answer.ebx, TRUSTVISOR_NO_PAL);
}
