/* Waiting for interrupts to be counted, in host and guest, with a bound: time is told by the TSC only. */
#pragma once
#include "lib/types.h"

/*
 * Lets interrupts in until the counter has reached at_least or ms milliseconds are over; interrupts are off again then.
 * Returns what the counter says. Runs in host and guest alike.
 */
u32 wait_for_count(volatile u32 *counter, u32 at_least, u32 ms);

/*
 * Halts until the counter is no longer 0; interrupts are off again then. Other things, such as NMIs, end HLT too: then it
 * halts again. The watchdog ends it where the interrupt never comes. Returns what the counter says.
 */
u32 hlt_until_count(volatile u32 *counter);
