/* Waiting for interrupts to be counted. */
#include "lhv-timer/wait.h"
#include "cpu/registers.h"
#include "cpu/time.h"

u32 wait_for_count(volatile u32 *counter, u32 at_least, u32 ms)
{
	u64 start = rdtsc(), patience = ms * time_ticks_per_ms();

	interrupts_on();
	while (*counter < at_least && rdtsc() - start < patience)
		pause();
	interrupts_off();
	return *counter;
}

u32 hlt_until_count(volatile u32 *counter)
{
	while (!*counter)
		wait_for_interrupt();
	return *counter;
}
