/* The local APIC timer. SDM 3A "APIC Timer". */
#pragma once
#include "lib/types.h"

/* Once, on the bootstrap processor: does the timer count? Sets devices.apic_timer. */
void apic_timer_start(void);

/* Counts down from count at the bus frequency divided by 1, then interrupts at VECTOR_APIC_TIMER. */
void apic_timer_one_shot(u32 count);

/* The same, again and again. */
void apic_timer_periodic(u32 count);

void apic_timer_stop(void);

/* Ticks of the timer in a millisecond, as measured at start-up. */
u32 apic_timer_ticks_per_ms(void);
