/*
 * The harness's own tests: rules that go wrong on purpose, one for each way, and a last one that must still pass.
 * They run only where a glob names them ("selftest.…"). scripts/tests/test_boot_selftest.py says what each must give.
 */
#include "cpu/fixup.h"
#include "cpu/msr.h"
#include "cpu/paging.h"
#include "cpu/registers.h"
#include "harness/rule.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"

#define SELFTEST(name, id_text, title_text, ...) \
	RULE(name, .id = "selftest." id_text, .title = title_text, .sdm = "none: the harness tests itself", __VA_ARGS__)

SELFTEST(wrong_value, "wrong-value", "a wrong value is reported with both sides")
{
	expect_equal("six times nine", 6 * 9, 42);
}

SELFTEST(wrong_outcome, "wrong-outcome", "a wrong outcome is reported decoded", .needs = NEED_VMX_ROOT)
{
	expect_outcome("VMXON in VMX root operation without a current VMCS", vmxon(this_cpu()->vmxon_region), FAULT_UD);
}

SELFTEST(one_cpu_only, "one-cpu-fails", "a failure of one CPU names that CPU", .cpus = TWO_CPUS)
{
	expect(this_cpu()->boot, "this is the bootstrap processor");
}

/* A selector outside the GDT gives #GP(selector) in every build */
SELFTEST(host_gp, "host-gp", "a host #GP ends the rule")
{
	asm volatile("mov %0, %%fs" : : "r"(0xfff8));
}

SELFTEST(host_pf, "host-pf", "a host #PF on the stack's guard page ends the rule")
{
	*(volatile u8 *)this_cpu()->stack_guard = 1;
}

/* The push that overflows the stack cannot deliver its #PF there either: a double fault, on a stack of its own */
SELFTEST(stack_overflow, "stack-overflow", "running off the host's stack ends the rule")
{
#ifdef __x86_64__
	asm volatile("mov %0, %%rsp\n\tpush %%rax" : : "r"(this_cpu()->stack_guard + PAGE_SIZE) : "memory");
#else
	asm volatile("mov %0, %%esp\n\tpush %%eax" : : "r"(this_cpu()->stack_guard + PAGE_SIZE) : "memory");
#endif
}

static void guest_nothing(void)
{
}

SELFTEST(entry_fails_control, "entry-fails-control", "a VM entry with a wrong control is reported decoded", .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_nothing);

	vmwrite(VMCS_CR3_TARGET_COUNT, 0x1ff);
	expect_done(guest);
}

SELFTEST(entry_fails_guest, "entry-fails-guest", "a VM entry with wrong guest state is reported decoded", .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_nothing);

	vmwrite(VMCS_GUEST_RFLAGS, 0); /* bit 1 must be 1 */
	expect_done(guest);
}

static void guest_cpuid(void)
{
	asm volatile("cpuid" : : "a"(0), "c"(0) : "ebx", "edx");
}

SELFTEST(unexpected_exit, "unexpected-exit", "an exit that the test does not expect is reported decoded", .needs = NEED_VMX_ROOT)
{
	expect_done(guest_golden(guest_cpuid));
}

static void guest_ud(void)
{
	asm volatile("ud2");
}

SELFTEST(guest_exception, "guest-exception", "an exception of the guest is reported decoded", .needs = NEED_VMX_ROOT)
{
	expect_done(guest_golden(guest_ud));
}

static void guest_triple_fault(void)
{
	struct pseudo_descriptor none = {0, 0};

	asm volatile("lidt %0\n\tud2" : : "m"(none));
}

SELFTEST(guest_triple, "guest-triple-fault", "a triple fault of the guest is reported as the exit that it is", .needs = NEED_VMX_ROOT)
{
	expect_done(guest_golden(guest_triple_fault));
}

static void spin(void)
{
	interrupts_off();
	for (;;)
		pause();
}

SELFTEST(guest_hangs, "guest-hangs", "a guest that spins with IF=0 is ended and named", .needs = NEED_VMX_ROOT)
{
	expect_done(guest_golden(spin));
}

SELFTEST(guest_hangs_untimed, "guest-hangs-no-timer", "the same without the VMX-preemption timer: by NMI", .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(spin);

	guest->own_timer = true;
	vmwrite(VMCS_PIN_CONTROLS, vmread(VMCS_PIN_CONTROLS) & ~(u64)PIN_ACTIVATE_PREEMPTION_TIMER);
	expect_done(guest);
}

SELFTEST(guest_hangs_nmi, "guest-hangs-nmi-in-guest", "the same where NMIs go to the guest itself", .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(spin);

	guest->own_timer = true;
	vmwrite(VMCS_PIN_CONTROLS,
		vmread(VMCS_PIN_CONTROLS) & ~(u64)(PIN_ACTIVATE_PREEMPTION_TIMER | PIN_NMI_EXITING | PIN_VIRTUAL_NMIS));
	expect_done(guest);
}

SELFTEST(host_hangs, "host-hangs", "a CPU that spins with IF=0 in the host is ended and named", .cpus = TWO_CPUS)
{
	if (this_cpu()->index == 1)
		spin();
}

SELFTEST(all_hang, "all-hang", "all CPUs that spin with IF=0 in the host are ended and named")
{
	spin();
}

SELFTEST(host_hangs_in_hlt, "host-halts", "a CPU that halts with IF=0 in the host is ended and named", .cpus = TWO_CPUS)
{
	if (this_cpu()->index == 1)
		asm volatile("cli\n\thlt");
}

/* Last but one: the CPU is gone for the rest of the run */
SELFTEST(lost_cpu, "lost-cpu", "a CPU that not even an NMI brings back is named and left behind", .cpus = TWO_CPUS)
{
	struct cpu *cpu = this_cpu();

	if (cpu->index != 1)
		return;
	cpu->in_rule = 0; /* the NMI handler takes this CPU for one outside any rule */
	spin();
}

/* The machine dies: the runner goes on in a fresh boot */
SELFTEST(host_triple_fault, "host-triple-fault", "a triple fault of the host costs this rule only", .cpus = BOOT_CPU)
{
	struct pseudo_descriptor none = {0, 0};

	asm volatile("lidt %0\n\tud2" : : "m"(none));
}

SELFTEST(runs_on, "runs-on", "the rule after all of them still runs")
{
	expect_equal("two and two", 2 + 2, 4);
}
