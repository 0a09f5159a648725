/* What VMX operation blocks and leaves as it is besides CR0 and CR4: INIT, SIPI, MONITOR, Intel PT, IA32_APIC_BASE. 24.8. */
#include "cpu/cpuid.h"
#include "cpu/fixup.h"
#include "cpu/msr.h"
#include "cpu/time.h"
#include "harness/watchdog.h"
#include "interrupts/lapic.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"
#include "lhv-tests/vmx-instruction.h"

#define RESTRICTIONS "24.8 Restrictions on VMX Operation"
#define OPERATION_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = id_text, .title = title_text, .sdm = section, .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR, ##__VA_ARGS__)

static void guest_calls(void)
{
	for (;;)
		hypercall(HYPERCALL_TEST, 0);
}

/* ---- INIT and SIPI, from each CPU to the next ------------------------------------------------------------------ */

#define SETTLE_US 100

static u32 sent[MAX_CPUS]; /* the barrier at which the CPU last sent its command: another in every rule */

static void exchange(u32 command)
{
	const struct cpu *cpu = this_cpu(), *before = &cpus[(cpu->index + cpu_count - 1) % cpu_count];
	u32 now = cpu->arrived;

	lapic_send(cpus[(cpu->index + 1) % cpu_count].apic_id, command);
	__atomic_store_n(&sent[cpu->index], now, __ATOMIC_SEQ_CST);
	while ((int)(__atomic_load_n(&sent[before->index], __ATOMIC_SEQ_CST) - now) < 0) {
		if (before->lost || watchdog_expired())
			rule_skip("CPU %u did not send its command", before->index);
		pause();
	}
	delay_us(SETTLE_US);
}

/* One exit for a latched INIT, or none; then the guest goes on. Returns whether there was one */
static bool runs_after_init(void)
{
	struct guest *guest = guest_golden(guest_calls);
	struct exit exit;

	exchange(ICR_INIT | ICR_ASSERT);
	exit = guest_run(guest);
	if (exit.reason != EXIT_REASON_INIT) {
		expect_hypercall(guest, exit, HYPERCALL_TEST);
		return false;
	}
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	return true;
}

RULE(init_blocked, .id = "vmxon.op.init-blocked-root", .title = "INIT is blocked in VMX root operation: the CPU goes on, and so does its guest",
     .sdm = RESTRICTIONS, .needs = NEED_VMX_ROOT | NEED_APIC, .cpus = TWO_CPUS, .opt = OPT_VMX_INSTR)
{
	runs_after_init();
}

RULE(init_latched, .id = "vmxon.op.init-latched", .title = "Does an INIT that was blocked in VMX root operation cause a VM exit after the next VM entry?",
     .sdm = RESTRICTIONS, .needs = NEED_VMX_ROOT | NEED_APIC, .cpus = TWO_CPUS, .opt = OPT_VMX_INSTR, .class = OBSERVED)
{
	rule_note("%s", runs_after_init() ? "a VM exit for INIT" : "no VM exit: the INIT is lost");
}

RULE(sipi_ignored, .id = "vmxon.op.sipi-ignored-root", .title = "A SIPI in VMX root operation has no effect, then or later", .sdm = RESTRICTIONS,
     .needs = NEED_VMX_ROOT | NEED_APIC, .cpus = TWO_CPUS, .opt = OPT_VMX_INSTR)
{
	struct guest *guest = guest_golden(guest_calls);

	exchange(ICR_STARTUP | ICR_ASSERT | 0x9f); /* a page that has no code */
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
}

/* ---- Address-range monitoring --------------------------------------------------------------------------------------- */

#define CPUID_1_ECX_MONITOR BIT(3)

/* MONITOR of a page that nobody writes to */
static void arm_monitor(void)
{
	ulong address = (ulong)scratch_page();

	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_MONITOR))
		rule_skip("the CPU has no MONITOR (CPUID.1:ECX[3])");
	asm volatile(".byte 0x0f, 0x01, 0xc8" : : "a"(address), "c"(0), "d"(0) : "memory");
}

/* IF is 0: an MWAIT that waits is ended by the watchdog alone */
static void mwait_returns(void)
{
	asm volatile(".byte 0x0f, 0x01, 0xc9" : : "a"(0), "c"(0) : "memory");
}

OPERATION_RULE(monitor_vmxoff, "vmxoff.clears-monitor", "VMXOFF ends address-range monitoring: MWAIT does not wait", "31.3 VMXOFF - Leave VMX Operation")
{
	arm_monitor();
	vmx_leave();
	mwait_returns();
}

OPERATION_RULE(monitor_vmxon, "vmxon.clears-monitor", "VMXON ends address-range monitoring: MWAIT does not wait", "31.3 VMXON - Enter VMX Operation")
{
	vmx_leave();
	arm_monitor();
	expect_outcome("VMXON", vmxon(this_cpu()->vmxon_region), SUCCEEDED);
	mwait_returns();
}

/* ---- LMSW, IA32_APIC_BASE, Intel PT ---------------------------------------------------------------------------------- */

OPERATION_RULE(lmsw, "vmxon.op.lmsw-pe-kept", "LMSW in VMX root operation cannot clear CR0.PE, and does not fault", "volume 2, LMSW—Load Machine Status Word")
{
	ulong before = read_cr0();
	outcome_t outcome;

	TRY(outcome, "lmsw %w1", "r"((before & 0xe)));
	expect_outcome("LMSW with PE = 0", outcome, SUCCEEDED);
	expect_equal("CR0", read_cr0(), before);
}

#define APIC_BASE_EXTD BIT(10)
#define APIC_BASE_ENABLED BIT(11)
#define APIC_BASE_RESERVED (BITS(7, 0) | BIT(9))

static void expect_apic_base_refused(const char *what, u64 value)
{
	u64 before = msr_read(MSR_APIC_BASE);
	outcome_t outcome = msr_try_write(MSR_APIC_BASE, value);

	if (outcome == SUCCEEDED)
		msr_try_write(MSR_APIC_BASE, before);
	expect_outcome(what, outcome, FAULT_GP0);
	expect_equal("IA32_APIC_BASE afterwards", msr_read(MSR_APIC_BASE), before);
}

RULE(apic_base, .id = "vmxon.op.apic-base-reserved-gp", .title = "WRMSR of IA32_APIC_BASE with a reserved bit set gives #GP(0) in VMX root operation too",
     .sdm = "11.4.4 Local APIC Status and Location", .needs = NEED_VMX_ROOT | NEED_APIC, .opt = OPT_VMX_INSTR)
{
	u64 now = msr_read(MSR_APIC_BASE);

	for (unsigned bit = 0; bit < 64; bit++)
		if (APIC_BASE_RESERVED & BIT(bit) || bit >= cpuid_physical_width())
			expect_apic_base_refused("WRMSR with a reserved bit set", now | BIT(bit));
	expect_outcome("WRMSR of the value that is there", msr_try_write(MSR_APIC_BASE, now), SUCCEEDED);
}

RULE(apic_mode, .id = "vmxon.op.apic-base-mode-gp", .title = "WRMSR of IA32_APIC_BASE with EXTD = 1 and EN = 0 gives #GP(0) in VMX root operation too",
     .sdm = "11.12.5 x2APIC State Transitions", .needs = NEED_VMX_ROOT | NEED_APIC, .opt = OPT_VMX_INSTR)
{
	expect_apic_base_refused("WRMSR with EXTD = 1 and EN = 0", (msr_read(MSR_APIC_BASE) & ~APIC_BASE_ENABLED) | APIC_BASE_EXTD);
}

#define MSR_RTIT_CTL 0x570
#define RTIT_TRACE_EN BIT(0)
#define MISC_PT_IN_VMX BIT(14)
#define CPUID_7_EBX_PT BIT(25)

OPERATION_RULE(pt, "vmxon.op.pt-traceen-gp", "Where Intel PT cannot be used in VMX operation, WRMSR that sets IA32_RTIT_CTL.TraceEn there gives #GP(0)", RESTRICTIONS)
{
	if (!(cpuid_if_there(7, 0).ebx & CPUID_7_EBX_PT))
		rule_skip("the CPU has no Intel PT (CPUID.7:EBX[25])");
	if (this_cpu()->caps.misc & MISC_PT_IN_VMX)
		rule_skip("Intel PT can be used in VMX operation (IA32_VMX_MISC[14])");
	expect_outcome("WRMSR of IA32_RTIT_CTL with TraceEn = 1", msr_try_write(MSR_RTIT_CTL, msr_read(MSR_RTIT_CTL) | RTIT_TRACE_EN), FAULT_GP0);
}
