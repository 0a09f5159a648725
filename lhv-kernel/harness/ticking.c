/* The timers of a soak. */
#include "harness/ticking.h"
#include "console/art.h"
#include "console/console.h"
#include "harness/rule.h"
#include "harness/select.h"
#include "interrupts/devices.h"
#include "interrupts/interrupts.h"
#include "interrupts/lapic.h"
#include "interrupts/pic.h"

/* Rules of these bits set up timers, interrupt controllers or NMIs themselves (the IRET of a handler ends blocking by NMI) */
#define OPT_OWN_INTERRUPTS (OPT_TIMER | OPT_IRQ7 | OPT_PS2_MOUSE | OPT_PREEMPTION_TIMER | OPT_NMI)

static const u8 vectors[2] = {[ART_PIT] = VECTOR_PIC, [ART_APIC] = VECTOR_APIC_TIMER};
static u32 sums[MAX_CPUS][3][2]; /* CPU; host, guest, or host between rules; timer */
enum { HOST, GUEST, BETWEEN };

static bool bears_ticks(const struct rule *rule)
{
	return !(rule->needs & NEED_INTERRUPTS) && !(rule->opt & OPT_OWN_INTERRUPTS);
}

void ticking_stop(struct cpu *cpu)
{
	if (cpu->ticking)
		devices.soak_timers(false);
	cpu->ticking = false;
	lapic_reset();
	if (cpu->boot && devices.pic)
		pic_reset();
	if (!(option_mask & OPT_NO_EFLAGS_IF))
		interrupts_let_in(); /* what is latched already would come to the next rule */
}

void ticking_prepare(struct cpu *cpu, const struct rule *rule)
{
	bool wanted = options.iterations != 1 && cpu->needs_met & NEED_INTERRUPTS && devices.soak_timers && bears_ticks(rule);

	if (wanted && !cpu->ticking)
		devices.soak_timers(true);
	else if (!wanted && cpu->ticking)
		ticking_stop(cpu);
	cpu->ticking = wanted;
}

void ticking_count(struct cpu *cpu, bool in_rule)
{
	if (!cpu->ticking)
		return;
	for (unsigned guest = 0; guest < 2; guest++)
		for (unsigned timer = 0; timer < 2; timer++) {
			volatile u32 *counter = &(guest ? cpu->guest_interrupts : cpu->interrupts)[vectors[timer]];
			u32 ticks = *counter;

			if (!ticks)
				continue;
			*counter -= ticks;
			sums[cpu->index][in_rule ? guest : BETWEEN][timer] += ticks;
			art_tick(cpu->index, guest, timer, ticks);
		}
}

void ticking_report(void)
{
	u32 sum[3][2] = {{0, 0}, {0, 0}, {0, 0}};

	if (options.iterations == 1)
		return;
	for (unsigned i = 0; i < cpu_count; i++)
		for (unsigned where = HOST; where <= BETWEEN; where++)
			for (unsigned timer = 0; timer < 2; timer++)
				sum[where][timer] += sums[i][where][timer];
	print("# ticks in rules: PIT: %u in the host, %u in guests; local APIC timers: %u in the host, %u in guests", sum[HOST][ART_PIT],
	      sum[GUEST][ART_PIT], sum[HOST][ART_APIC], sum[GUEST][ART_APIC]);
	print("# ticks between rules: PIT: %u; local APIC timers: %u", sum[BETWEEN][ART_PIT], sum[BETWEEN][ART_APIC]);
}
