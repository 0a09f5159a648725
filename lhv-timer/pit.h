/* Channel 0 of the 8254 interval timer, which is IRQ 0. Intel 8254 data sheet. */
#pragma once
#include "lib/types.h"

#define PIT_HZ 1193182
#define PIT_IRQ 0

enum pit_mode { PIT_ONE_SHOT = 0, PIT_RATE = 2, PIT_SQUARE_WAVE = 3 };

/*
 * Starts the channel: mode 0 raises IRQ 0 once after count + 1 ticks, modes 2 and 3 every count ticks. 0 counts as 65,536.
 * Writing the mode takes the line down in mode 0, up in the others.
 */
void pit_start(enum pit_mode mode, u16 count);

/* The same with IRQ 0 unmasked, and no interrupt of what the channel did before. */
void pit_start_irq(enum pit_mode mode, u16 count);

/* Writes the mode only: OUT goes to its initial level (low in mode 0) and counting waits for a count. */
void pit_set_mode(enum pit_mode mode);

/* The channel's count as it is now. */
u16 pit_count(void);

/* The status byte of the read-back command: OUT (bit 7), null count (6), access (5:4), mode (3:1), BCD (0). */
u8 pit_status(void);
#define PIT_STATUS_OUT BIT(7)
#define PIT_STATUS_NULL BIT(6)

/* The read-back command: latches the count, the status, or both, unless latched already; pit_read_byte() then gives them. */
void pit_latch(bool count, bool status);

/* The next byte that the channel gives: a latched status first, then the low and the high byte of the count. */
u8 pit_read_byte(void);

/* No more interrupts: mode 0, counting stopped for want of a count. */
void pit_stop(void);
