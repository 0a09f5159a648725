/* Rules on the local APIC timer, in host and guest. */
#include "cpu/msr.h"
#include "cpu/registers.h"
#include "cpu/time.h"
#include "harness/rule.h"
#include "interrupts/interrupts.h"
#include "interrupts/lapic.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"
#include "lhv-timer/apic-timer.h"
#include "lhv-timer/wait.h"

#define APIC_TIMER "11.5.4 APIC Timer"
#define TSC_DEADLINE "11.5.4.1 TSC-Deadline Mode"
#define EXTERNAL_INTERRUPT "26.2 Other Causes of VM Exits (external interrupts)"

#define APIC_RULE(name, id_text, title_text, section, more_needs) \
	RULE(name, .id = "timer.apic." id_text, .title = title_text, .sdm = section, .needs = NEED_APIC_TIMER | more_needs, .opt = OPT_TIMER)
#define GUEST_NEEDS (NEED_INTERRUPTS | NEED_VMX_ROOT)

#define PATIENCE_MS 200

static volatile u32 *ticks(void)
{
	return &this_cpu()->interrupts[VECTOR_APIC_TIMER];
}

APIC_RULE(counts, "counts-down", "The current count goes down from the initial count while time passes", APIC_TIMER, 0)
{
	lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_1);
	lapic_write(LAPIC_TIMER_INITIAL, 0xffffffff);
	u32 first = lapic_read(LAPIC_TIMER_CURRENT);

	delay_us(200);
	expect(lapic_read(LAPIC_TIMER_CURRENT) < first, "the current count after 200 us is below the one before");
}

APIC_RULE(zero_stops, "initial-zero-stops", "An initial count of 0 stops the timer", APIC_TIMER, 0)
{
	lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_1);
	lapic_write(LAPIC_TIMER_INITIAL, 0xffffffff);
	lapic_write(LAPIC_TIMER_INITIAL, 0);
	delay_us(100);
	expect_equal("current count", lapic_read(LAPIC_TIMER_CURRENT), 0);
}

/* Counts per TSC tick, divided by 1 and by 16: at least four times fewer, however this CPU was held up in between */
APIC_RULE(divide, "divide", "The divide configuration register slows the count", APIC_TIMER, 0)
{
	u64 counted[2], took[2];

	for (unsigned i = 0; i < 2; i++) {
		u64 start = rdtsc();

		lapic_write(LAPIC_TIMER_DIVIDE, i ? LAPIC_DIVIDE_BY_16 : LAPIC_DIVIDE_BY_1);
		lapic_write(LAPIC_TIMER_INITIAL, 0xffffffff);
		delay_us(1000);
		counted[i] = 0xffffffff - lapic_read(LAPIC_TIMER_CURRENT);
		took[i] = rdtsc() - start;
	}
	expect(4 * counted[1] * took[0] < counted[0] * took[1],
	       "divided by 16 the timer counts less than a quarter of what it counts divided by 1 in the same time");
}

APIC_RULE(masked, "masked", "A masked timer entry gives no interrupt", APIC_TIMER, NEED_INTERRUPTS)
{
	lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VECTOR_APIC_TIMER);
	lapic_write(LAPIC_TIMER_INITIAL, apic_timer_ticks_per_ms() / 10);
	expect_equal("timer interrupts", wait_for_count(ticks(), 1, 2), 0);
}

APIC_RULE(one_shot, "one-shot-host", "One-shot mode gives one interrupt in the host", APIC_TIMER, NEED_INTERRUPTS)
{
	apic_timer_one_shot(apic_timer_ticks_per_ms() / 2);
	expect_equal("timer interrupts", wait_for_count(ticks(), 1, PATIENCE_MS), 1);
	expect_equal("timer interrupts, later", wait_for_count(ticks(), 2, 3), 1);
	expect_equal("current count", lapic_read(LAPIC_TIMER_CURRENT), 0);
}

APIC_RULE(periodic, "periodic-host", "Periodic mode gives interrupts again and again in the host", APIC_TIMER, NEED_INTERRUPTS)
{
	apic_timer_periodic(apic_timer_ticks_per_ms());
	expect_range("timer interrupts", wait_for_count(ticks(), 5, PATIENCE_MS), 5, 1000);
	apic_timer_stop();
}

APIC_RULE(hlt, "wakes-hlt-host", "The timer's interrupt ends HLT in the host", APIC_TIMER, NEED_INTERRUPTS)
{
	apic_timer_one_shot(apic_timer_ticks_per_ms());
	expect_equal("timer interrupts after HLT", hlt_until_count(ticks()), 1);
}

APIC_RULE(tpr, "tpr-blocks", "A task priority of the vector's class holds the interrupt back", "11.8.3.1 Task and Processor Priorities",
	  NEED_INTERRUPTS)
{
	lapic_write(LAPIC_TPR, VECTOR_APIC_TIMER & 0xf0);
	apic_timer_one_shot(apic_timer_ticks_per_ms() / 10);
	expect_equal("timer interrupts with the priority raised", wait_for_count(ticks(), 1, 2), 0);
	lapic_write(LAPIC_TPR, 0);
	expect_equal("timer interrupts with the priority lowered", wait_for_count(ticks(), 1, PATIENCE_MS), 1);
}

APIC_RULE(tsc_deadline, "tsc-deadline-host", "TSC-deadline mode interrupts when the TSC has reached IA32_TSC_DEADLINE, which then reads 0",
	  TSC_DEADLINE, NEED_INTERRUPTS | NEED_TSC_DEADLINE)
{
	u64 deadline;

	lapic_write(LAPIC_LVT_TIMER, LVT_TSC_DEADLINE | VECTOR_APIC_TIMER);
	asm volatile("mfence" : : : "memory"); /* the store to the LVT first, then the WRMSR, as software must see to */
	deadline = rdtsc() + time_ticks_per_ms();
	msr_write(MSR_TSC_DEADLINE, deadline);
	expect_equal("timer interrupts", wait_for_count(ticks(), 1, PATIENCE_MS), 1);
	expect(rdtsc() >= deadline, "the TSC has reached the deadline when the interrupt has come");
	expect_equal("IA32_TSC_DEADLINE afterwards", msr_read(MSR_TSC_DEADLINE), 0);
}

/* ---- In a guest ----------------------------------------------------------------------------------- */

static void guest_waits_for_one(void)
{
	hypercall(HYPERCALL_TEST, wait_for_count(&this_cpu()->guest_interrupts[VECTOR_APIC_TIMER], 1, PATIENCE_MS));
}

static void guest_waits_for_five(void)
{
	hypercall(HYPERCALL_TEST, wait_for_count(&this_cpu()->guest_interrupts[VECTOR_APIC_TIMER], 5, PATIENCE_MS));
}

static void guest_hlt(void)
{
	hypercall(HYPERCALL_TEST, hlt_until_count(&this_cpu()->guest_interrupts[VECTOR_APIC_TIMER]));
}

static void let_guest_have_interrupts(void)
{
	controls_clear(VMCS_PIN_CONTROLS, &this_cpu()->caps.pin, PIN_EXTERNAL_INTERRUPT_EXITING, "external-interrupt exiting");
}

APIC_RULE(guest_one, "one-shot-guest", "A timer that the host started interrupts the guest, through the guest's IDT", EXTERNAL_INTERRUPT,
	  GUEST_NEEDS)
{
	struct guest *guest = guest_golden(guest_waits_for_one);

	let_guest_have_interrupts();
	apic_timer_one_shot(apic_timer_ticks_per_ms());
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_equal("timer interrupts in the guest", guest->registers.bx, 1);
	expect_equal("timer interrupts in the host", *ticks(), 0);
}

APIC_RULE(guest_periodic, "periodic-guest", "Periodic timer interrupts arrive in the guest again and again", EXTERNAL_INTERRUPT, GUEST_NEEDS)
{
	struct guest *guest = guest_golden(guest_waits_for_five);

	let_guest_have_interrupts();
	apic_timer_periodic(apic_timer_ticks_per_ms());
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_range("timer interrupts in the guest", guest->registers.bx, 5, 1000);
	apic_timer_stop();
}

APIC_RULE(guest_wakes, "wakes-hlt-guest", "The timer's interrupt ends HLT in the guest with \"HLT exiting\" 0", EXTERNAL_INTERRUPT, GUEST_NEEDS)
{
	struct guest *guest = guest_golden(guest_hlt);

	let_guest_have_interrupts();
	controls_clear(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_HLT_EXITING, "HLT exiting");
	apic_timer_one_shot(apic_timer_ticks_per_ms());
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_equal("timer interrupts in the guest", guest->registers.bx, 1);
}

APIC_RULE(guest_exits, "exits-guest", "With \"external-interrupt exiting\" 1 the timer's interrupt causes a VM exit", EXTERNAL_INTERRUPT,
	  GUEST_NEEDS)
{
	struct guest *guest = guest_golden(guest_waits_for_one);

	controls_set(VMCS_PIN_CONTROLS, &this_cpu()->caps.pin, PIN_EXTERNAL_INTERRUPT_EXITING, "external-interrupt exiting");
	controls_clear(VMCS_EXIT_CONTROLS, &this_cpu()->caps.exit, EXIT_ACKNOWLEDGE_INTERRUPT, "acknowledge interrupt on exit");
	apic_timer_one_shot(apic_timer_ticks_per_ms());
	expect_exit(guest_run(guest), EXIT_REASON_EXTERNAL_INTERRUPT);
	expect_equal("timer interrupts in the guest", this_cpu()->guest_interrupts[VECTOR_APIC_TIMER], 0);
	expect_equal("timer interrupts in the host, once it lets them in", wait_for_count(ticks(), 1, PATIENCE_MS), 1);
}
