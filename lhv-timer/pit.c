/* Channel 0 of the 8254 interval timer. */
#include "lhv-timer/pit.h"
#include "cpu/port.h"
#include "harness/fault.h"
#include "interrupts/pic.h"

#define CHANNEL_0 0x40
#define CONTROL 0x43
#define BOTH_BYTES 0x30
#define LATCH_COUNT 0x00
#define READ_BACK_STATUS_0 0xe2
#define READ_BACK_0 0xc2
#define READ_BACK_NO_COUNT 0x20
#define READ_BACK_NO_STATUS 0x10

void pit_set_mode(enum pit_mode mode)
{
	out8(CONTROL, BOTH_BYTES | mode << 1);
}

void pit_start(enum pit_mode mode, u16 count)
{
	pit_set_mode(mode);
	out8(CHANNEL_0, count & 0xff);
	out8(CHANNEL_0, count >> 8);
}

void pit_start_irq(enum pit_mode mode, u16 count)
{
	pit_start(PIT_ONE_SHOT, 0); /* quiet for 55 ms; KVM's 8254 goes on with the old count until it gets another one */
	pic_reset(); /* some 8259As remember an edge although the line has gone down since */
	pit_start(mode, count);
	pic_unmask(PIT_IRQ);
}

u8 pit_read_byte(void)
{
	u8 value = in8(CHANNEL_0);

	return fault(FAULT_PIT_READS_0) ? 0 : value;
}

u16 pit_count(void)
{
	out8(CONTROL, LATCH_COUNT);
	u8 low = pit_read_byte();
	return low | pit_read_byte() << 8;
}

u8 pit_status(void)
{
	out8(CONTROL, READ_BACK_STATUS_0);
	return pit_read_byte();
}

void pit_latch(bool latch_count, bool latch_status)
{
	out8(CONTROL, READ_BACK_0 | (latch_count ? 0 : READ_BACK_NO_COUNT) | (latch_status ? 0 : READ_BACK_NO_STATUS));
}

void pit_stop(void)
{
	pit_set_mode(PIT_ONE_SHOT);
}
