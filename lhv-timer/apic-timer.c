/* The local APIC timer. */
#include "lhv-timer/apic-timer.h"
#include "cpu/time.h"
#include "interrupts/devices.h"
#include "interrupts/interrupts.h"
#include "interrupts/lapic.h"

static u32 ticks_per_ms;

#define MEASURE_US 500

void apic_timer_start(void)
{
	if (!lapic_there())
		return;
	lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VECTOR_APIC_TIMER);
	lapic_write(LAPIC_TIMER_INITIAL, ~0u);
	delay_us(MEASURE_US);
	ticks_per_ms = (~0u - lapic_read(LAPIC_TIMER_CURRENT)) * (1000 / MEASURE_US);
	lapic_write(LAPIC_TIMER_INITIAL, 0);
	devices.apic_timer = ticks_per_ms != 0;
}

static void run(u32 mode, u32 count)
{
	lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, mode | VECTOR_APIC_TIMER);
	lapic_write(LAPIC_TIMER_INITIAL, count);
}

void apic_timer_one_shot(u32 count)
{
	run(0, count);
}

void apic_timer_periodic(u32 count)
{
	run(LVT_PERIODIC, count);
}

void apic_timer_stop(void)
{
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VECTOR_APIC_TIMER);
	lapic_write(LAPIC_TIMER_INITIAL, 0);
}

u32 apic_timer_ticks_per_ms(void)
{
	return ticks_per_ms;
}
