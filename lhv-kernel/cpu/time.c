/* Time in TSC ticks. */
#include "cpu/time.h"
#include "cpu/port.h"
#include "cpu/registers.h"

#define PIT_CHANNEL_2 0x42
#define PIT_CONTROL 0x43
#define CHANNEL_2_MODE_0 0xb0 /* both bytes, interrupt on terminal count */
#define LATCH_CHANNEL_2 0x80
#define SPEAKER_PORT 0x61
#define GATE_2 0x01
#define SPEAKER 0x02

#define PIT_TICKS_PER_MS 1193
#define MEASURE_MS 4
#define PATIENCE 10000000
#define PATIENCE_STILL 10000 /* reads of a counter that does not move: each takes a microsecond at least */

static u64 ticks_per_ms = 1000000;

static u16 count(void)
{
	out8(PIT_CONTROL, LATCH_CHANNEL_2);
	u8 low = in8(PIT_CHANNEL_2);
	return low | in8(PIT_CHANNEL_2) << 8;
}

bool time_init(void)
{
	u8 before = in8(SPEAKER_PORT);
	bool counts = false;

	out8(SPEAKER_PORT, (before & ~SPEAKER) | GATE_2);
	out8(PIT_CONTROL, CHANNEL_2_MODE_0);
	out8(PIT_CHANNEL_2, 0xff);
	out8(PIT_CHANNEL_2, 0xff);
	u16 first = count();
	u64 start = rdtsc();
	for (u32 i = 0; i < PATIENCE; i++) {
		u16 passed = first - count();

		if (!passed && i == PATIENCE_STILL)
			break;

		if (passed >= MEASURE_MS * PIT_TICKS_PER_MS) {
			u64 ticks = rdtsc() - start;

			ticks_per_ms = ticks * PIT_TICKS_PER_MS / passed;
			counts = ticks_per_ms != 0;
			break;
		}
	}
	out8(SPEAKER_PORT, before);
	if (!counts)
		ticks_per_ms = 1000000;
	return counts;
}

u64 time_ticks_per_ms(void)
{
	return ticks_per_ms;
}

void delay_us(u32 us)
{
	u64 start = rdtsc(), ticks = ticks_per_ms * us / 1000;

	while (rdtsc() - start < ticks)
		pause();
}
