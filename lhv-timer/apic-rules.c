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

APIC_RULE(guest_one, "one-shot-guest", "A timer that the host started interrupts the guest, through the guest's IDT", EXTERNAL_INTERRUPT,
	  GUEST_NEEDS)
{
	struct guest *guest = guest_golden(guest_waits_for_one);

	guest_gets_interrupts();
	apic_timer_one_shot(apic_timer_ticks_per_ms());
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_equal("timer interrupts in the guest", guest->registers.bx, 1);
	expect_equal("timer interrupts in the host", *ticks(), 0);
}

APIC_RULE(guest_periodic, "periodic-guest", "Periodic timer interrupts arrive in the guest again and again", EXTERNAL_INTERRUPT, GUEST_NEEDS)
{
	struct guest *guest = guest_golden(guest_waits_for_five);

	guest_gets_interrupts();
	apic_timer_periodic(apic_timer_ticks_per_ms());
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_range("timer interrupts in the guest", guest->registers.bx, 5, 1000);
	apic_timer_stop();
}

APIC_RULE(guest_wakes, "wakes-hlt-guest", "The timer's interrupt ends HLT in the guest with \"HLT exiting\" 0", EXTERNAL_INTERRUPT, GUEST_NEEDS)
{
	struct guest *guest = guest_golden(guest_hlt);

	guest_gets_interrupts();
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

#define OTHER_VECTOR 0x51
#define INTERRUPTION_VALID BIT(31)
#define NMI_UNBLOCKING BIT(12) /* undefined for this exit */

APIC_RULE(guest_acknowledges, "exit-acknowledges",
	  "With \"acknowledge interrupt on exit\" 1 the VM exit takes the timer's vector from the local APIC", EXTERNAL_INTERRUPT, GUEST_NEEDS)
{
	struct guest *guest = guest_golden(guest_waits_for_one);

	controls_set(VMCS_PIN_CONTROLS, &this_cpu()->caps.pin, PIN_EXTERNAL_INTERRUPT_EXITING, "external-interrupt exiting");
	controls_set(VMCS_EXIT_CONTROLS, &this_cpu()->caps.exit, EXIT_ACKNOWLEDGE_INTERRUPT, "acknowledge interrupt on exit");
	apic_timer_one_shot(apic_timer_ticks_per_ms());
	expect_exit(guest_run(guest), EXIT_REASON_EXTERNAL_INTERRUPT);
	expect_equal("VM-exit interruption information", vmread(VMCS_EXIT_INTERRUPTION_INFO) & ~NMI_UNBLOCKING,
		     INTERRUPTION_VALID | VECTOR_APIC_TIMER);
	expect_set("in-service register, the vector's word", lapic_read(LAPIC_ISR + VECTOR_APIC_TIMER / 32 * 16), BIT(VECTOR_APIC_TIMER % 32));
}

/* ---- Vectors, modes, counts ------------------------------------------------------------------------ */

APIC_RULE(vector, "vector-host", "The interrupt has the vector of the LVT timer entry", APIC_TIMER, NEED_INTERRUPTS)
{
	lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, OTHER_VECTOR);
	lapic_write(LAPIC_TIMER_INITIAL, apic_timer_ticks_per_ms() / 2);
	expect_equal("interrupts of the vector written", wait_for_count(&this_cpu()->interrupts[OTHER_VECTOR], 1, PATIENCE_MS), 1);
	expect_equal("interrupts of the usual vector", *ticks(), 0);
}

APIC_RULE(restart, "initial-restarts", "Writing the initial count starts the count anew", APIC_TIMER, 0)
{
	lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_1);
	lapic_write(LAPIC_TIMER_INITIAL, 0x1000000);
	lapic_write(LAPIC_TIMER_INITIAL, 0xf0000000);
	expect(lapic_read(LAPIC_TIMER_CURRENT) > 0x1000000, "the current count is above the initial count of before");
}

/* Per TSC tick, as divide, with the largest divisor */
#define LAPIC_DIVIDE_BY_128 0xa

APIC_RULE(divide_128, "divide-128", "Divided by 128 the timer counts less than a thirtieth of what it counts divided by 1", APIC_TIMER, 0)
{
	u64 counted[2], took[2];

	for (unsigned i = 0; i < 2; i++) {
		u64 start;

		lapic_write(LAPIC_TIMER_DIVIDE, i ? LAPIC_DIVIDE_BY_128 : LAPIC_DIVIDE_BY_1);
		start = rdtsc();
		lapic_write(LAPIC_TIMER_INITIAL, 0xffffffff);
		delay_us(1000);
		counted[i] = 0xffffffff - lapic_read(LAPIC_TIMER_CURRENT);
		took[i] = rdtsc() - start;
	}
	expect(counted[1] * took[0] < (counted[0] / 30 + 1) * took[1], "it counts less than a thirtieth in the same time");
}

APIC_RULE(periodic_to_one_shot, "periodic-to-one-shot-host", "Started in one-shot mode after periodic mode, the timer interrupts once",
	  APIC_TIMER, NEED_INTERRUPTS)
{
	u32 before;

	apic_timer_periodic(apic_timer_ticks_per_ms() / 2);
	expect_range("timer interrupts in periodic mode", wait_for_count(ticks(), 2, PATIENCE_MS), 2, 1000);
	apic_timer_stop();
	before = wait_for_count(ticks(), ~0u, 1); /* what was under way */
	apic_timer_one_shot(apic_timer_ticks_per_ms() / 2);
	expect_equal("timer interrupts in one-shot mode", wait_for_count(ticks(), before + 1, PATIENCE_MS) - before, 1);
	expect_equal("timer interrupts in one-shot mode, later", wait_for_count(ticks(), before + 2, 3) - before, 1);
}

/* ---- TSC-deadline mode ----------------------------------------------------------------------------- */

#define DEADLINE_RULE(name, id_text, title_text, more_needs) \
	APIC_RULE(name, "tsc-deadline-" id_text, title_text, TSC_DEADLINE, NEED_TSC_DEADLINE | more_needs)

static void tsc_deadline_mode(void)
{
	lapic_write(LAPIC_LVT_TIMER, LVT_TSC_DEADLINE | VECTOR_APIC_TIMER);
	asm volatile("mfence" : : : "memory"); /* as above */
}

DEADLINE_RULE(deadline_past, "past-host", "A deadline that the TSC has passed already interrupts at once", NEED_INTERRUPTS)
{
	tsc_deadline_mode();
	msr_write(MSR_TSC_DEADLINE, rdtsc() - 1);
	expect_equal("timer interrupts", wait_for_count(ticks(), 1, PATIENCE_MS), 1);
}

DEADLINE_RULE(deadline_zero, "zero-disarms", "Writing 0 to IA32_TSC_DEADLINE disarms the timer", NEED_INTERRUPTS)
{
	u64 start = rdtsc();

	tsc_deadline_mode();
	msr_write(MSR_TSC_DEADLINE, start + 5 * time_ticks_per_ms());
	msr_write(MSR_TSC_DEADLINE, 0);
	if (rdtsc() - start > 4 * time_ticks_per_ms())
		rule_skip("the CPU was held up for so long that the deadline may have come before it was disarmed");
	expect_equal("IA32_TSC_DEADLINE", msr_read(MSR_TSC_DEADLINE), 0);
	expect_equal("timer interrupts", wait_for_count(ticks(), 1, 10), 0);
}

#define FAR (1ull << 40)

DEADLINE_RULE(deadline_reads, "reads-back", "An armed IA32_TSC_DEADLINE reads as it was written", 0)
{
	u64 deadline = rdtsc() + FAR, reads;

	tsc_deadline_mode();
	msr_write(MSR_TSC_DEADLINE, deadline);
	reads = msr_read(MSR_TSC_DEADLINE);
	msr_write(MSR_TSC_DEADLINE, 0);
	expect_equal("IA32_TSC_DEADLINE", reads, deadline);
}

DEADLINE_RULE(deadline_other_mode, "other-mode", "Outside TSC-deadline mode IA32_TSC_DEADLINE reads 0 and writes to it are ignored", 0)
{
	u64 reads;

	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VECTOR_APIC_TIMER);
	msr_write(MSR_TSC_DEADLINE, rdtsc() + FAR);
	reads = msr_read(MSR_TSC_DEADLINE);
	expect_equal("IA32_TSC_DEADLINE in one-shot mode", reads, 0);
}

DEADLINE_RULE(deadline_transition, "transition-disarms", "Leaving TSC-deadline mode and coming back leaves the timer disarmed", NEED_INTERRUPTS)
{
	u64 start = rdtsc();

	tsc_deadline_mode();
	msr_write(MSR_TSC_DEADLINE, start + 5 * time_ticks_per_ms());
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VECTOR_APIC_TIMER);
	tsc_deadline_mode();
	if (rdtsc() - start > 4 * time_ticks_per_ms())
		rule_skip("the CPU was held up for so long that the deadline may have come before the mode was left");
	expect_equal("timer interrupts", wait_for_count(ticks(), 1, 10), 0);
}

DEADLINE_RULE(deadline_initial, "ignores-initial", "In TSC-deadline mode writes to the initial count are ignored and the current count reads 0", 0)
{
	tsc_deadline_mode();
	lapic_write(LAPIC_TIMER_INITIAL, 0xffffffff);
	expect_equal("current count", lapic_read(LAPIC_TIMER_CURRENT), 0);
}

static void guest_reads_deadline(void)
{
	u64 value = msr_read(MSR_TSC_DEADLINE);

	hypercall(HYPERCALL_TEST, (u32)value ^ (u32)(value >> 32));
}

DEADLINE_RULE(deadline_offset, "offset-guest", "The TSC offset is not added to IA32_TSC_DEADLINE in a guest", NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_reads_deadline);
	u64 deadline = rdtsc() + FAR;

	if (!(vmread(VMCS_PROC_CONTROLS) & PROC_USE_MSR_BITMAPS))
		rule_skip("the CPU has no MSR bitmaps: RDMSR always exits");
	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_USE_TSC_OFFSETTING, "use TSC offsetting");
	vmwrite(VMCS_TSC_OFFSET, 0x12345);
	tsc_deadline_mode();
	msr_write(MSR_TSC_DEADLINE, deadline);
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_equal("IA32_TSC_DEADLINE in the guest, both halves by exclusive or", (u32)guest->registers.bx,
		     (u32)deadline ^ (u32)(deadline >> 32));
}
