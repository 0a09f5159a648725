/* Time in TSC ticks, measured against the 8254 once; nothing else is trusted to tell time. */
#pragma once
#include "lib/types.h"

/* Measures the TSC against PIT channel 2. Returns false where the PIT does not count; then 1 GHz is assumed. */
bool time_init(void);

/* TSC ticks in a millisecond; never 0. */
u64 time_ticks_per_ms(void);

/* Waits at least so long by the TSC. */
void delay_us(u32 us);
