/*
 * What a soak adds to the rules that it repeats: the PIT (on the bootstrap processor) and the local APIC timer of every CPU
 * tick while they run (harness/ticking.h), and once in each iteration two rules want to see them tick, in the host and in a guest.
 */
#include "console/art.h"
#include "cpu/registers.h"
#include "cpu/time.h"
#include "harness/rule.h"
#include "harness/watchdog.h"
#include "interrupts/devices.h"
#include "interrupts/interrupts.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"
#include "lhv-timer/apic-timer.h"
#include "lhv-timer/pit.h"
#include "lhv-timer/soak.h"

#define VECTOR_PIT (VECTOR_PIC + PIT_IRQ)
#define PIT_PERIOD (PIT_HZ / 20)  /* 50 ms */
#define APIC_PERIOD_MS 20
#define PIT_TICKS 2
#define APIC_TICKS 5
/* Of the time that one rule has, half: for each of the two, where all goes well, it is some 100 ms */
#define PATIENCE_MS (watchdog_deadline_ms() / 2)

static bool has_pit(const struct cpu *cpu)
{
	return cpu->boot && devices.pic && devices.pit;
}

static void start_timers(void)
{
	apic_timer_periodic(APIC_PERIOD_MS * apic_timer_ticks_per_ms());
	if (has_pit(this_cpu()))
		pit_start_irq(PIT_RATE, PIT_PERIOD);
}

/* While the other rules run: often, since most of them are over within a millisecond */
static void tick_through(bool on)
{
	if (!on)
		apic_timer_stop();
	else if (devices.apic_timer)
		apic_timer_periodic(apic_timer_ticks_per_ms());
	if (!has_pit(this_cpu()))
		return;
	if (on)
		pit_start_irq(PIT_RATE, PIT_HZ / 1000);
	else
		pit_stop();
}

void soak_start(void)
{
	devices.soak_timers = tick_through;
}

/* Moves a bar to where its counter is. Returns the counter. */
static u32 show(bool guest, enum art_timer timer, u32 now, u32 shown)
{
	if (now != shown)
		art_tick(this_cpu()->index, guest, timer, now - shown);
	return now;
}

/* Runs in host and guest: lets interrupts in until both timers have ticked, or time is over */
static void let_tick(bool guest)
{
	struct cpu *cpu = this_cpu();
	volatile u32 *counters = guest ? cpu->guest_interrupts : cpu->interrupts;
	u64 start = rdtsc(), patience = PATIENCE_MS * time_ticks_per_ms();
	u32 pit = 0, apic = 0, pit_wanted = has_pit(cpu) ? PIT_TICKS : 0;

	interrupts_on();
	while ((pit < pit_wanted || apic < APIC_TICKS) && rdtsc() - start < patience) {
		pause();
		pit = show(guest, ART_PIT, counters[VECTOR_PIT], pit);
		apic = show(guest, ART_APIC, counters[VECTOR_APIC_TIMER], apic);
	}
	interrupts_off();
}

static void expect_ticks(const char *pit_where, const char *apic_where, volatile u32 *counters)
{
	expect_range(apic_where, counters[VECTOR_APIC_TIMER], APIC_TICKS, ~0u);
	if (has_pit(this_cpu()))
		expect_range(pit_where, counters[VECTOR_PIT], PIT_TICKS, ~0u);
}

RULE(ticks_host, .id = "soak.ticks.host", .title = "In a soak the timers of every CPU tick in the host", .sdm = "11.5.4 APIC Timer",
     .needs = NEED_APIC_TIMER | NEED_INTERRUPTS)
{
	start_timers();
	let_tick(false);
	expect_ticks("interrupts of IRQ 0 in the host", "local APIC timer interrupts in the host", this_cpu()->interrupts);
}

static void guest_ticks(void)
{
	let_tick(true);
}

RULE(ticks_guest, .id = "soak.ticks.guest", .title = "In a soak the timers of every CPU tick in a guest",
     .sdm = "26.2 Other Causes of VM Exits (external interrupts)", .needs = NEED_APIC_TIMER | NEED_INTERRUPTS | NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_ticks);

	guest_gets_interrupts();
	start_timers();
	expect_done(guest);
	expect_ticks("interrupts of IRQ 0 in the guest", "local APIC timer interrupts in the guest", this_cpu()->guest_interrupts);
}
