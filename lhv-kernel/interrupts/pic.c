/* The pair of 8259A interrupt controllers. */
#include "interrupts/pic.h"
#include "cpu/port.h"
#include "harness/fault.h"
#include "interrupts/interrupts.h"

#define MASTER 0x20
#define SLAVE 0xa0
#define DATA 1 /* offset of the mask register */

#define ICW1_INIT_ICW4 0x11
#define ICW4_8086 0x01
#define OCW2_EOI 0x20
#define OCW2_SPECIFIC_EOI 0x60
#define OCW3_READ_IRR 0x0a
#define OCW3_READ_ISR 0x0b
#define CASCADE 2

static u16 read(u8 what)
{
	out8(MASTER, what);
	out8(SLAVE, what);
	return in8(MASTER) | in8(SLAVE) << 8;
}

u16 pic_in_service(void)
{
	return read(OCW3_READ_ISR);
}

u16 pic_requested(void)
{
	return read(OCW3_READ_IRR);
}

static void start(void)
{
	out8(MASTER, ICW1_INIT_ICW4);
	out8(SLAVE, ICW1_INIT_ICW4);
	out8(MASTER + DATA, VECTOR_PIC);
	out8(SLAVE + DATA, VECTOR_PIC + 8);
	out8(MASTER + DATA, 1 << CASCADE);
	out8(SLAVE + DATA, CASCADE);
	out8(MASTER + DATA, ICW4_8086);
	out8(SLAVE + DATA, ICW4_8086);
	out8(MASTER + DATA, 0xff);
	out8(SLAVE + DATA, 0xff);
	/* The data sheet does not say that initialization ends what is in service, and in KVM's 8259A it does not */
	for (unsigned i = 0; i < PIC_IRQS / 2 && pic_in_service(); i++) {
		out8(SLAVE, OCW2_EOI);
		out8(MASTER, OCW2_EOI);
	}
}

bool pic_init(void)
{
	start();
	/* the mask register is the one that can be written and read back */
	out8(MASTER + DATA, 0xa5);
	bool there = in8(MASTER + DATA) == 0xa5;
	out8(MASTER + DATA, 0xff);
	return there;
}

void pic_reset(void)
{
	u8 masks = in8(MASTER + DATA) & in8(SLAVE + DATA);

	if (masks != 0xff || pic_in_service() || pic_requested())
		start();
}

static u16 port_of(unsigned irq)
{
	return (irq < 8 ? MASTER : SLAVE) + DATA;
}

void pic_unmask(unsigned irq)
{
	out8(port_of(irq), in8(port_of(irq)) & ~(1 << irq % 8));
	if (irq >= 8)
		pic_unmask(CASCADE);
}

bool pic_acknowledge(unsigned irq)
{
	/* only the lowest priority line of a chip can be spurious; the chips keep the rest apart */
	if (irq % 8 == 7 && !fault(FAULT_SPURIOUS_EOI) && !(pic_in_service() >> irq & 1)) {
		if (irq >= 8 && !fault(FAULT_EOI_MISSING))
			out8(MASTER, OCW2_SPECIFIC_EOI | CASCADE);
		return false;
	}
	if (fault(FAULT_EOI_MISSING))
		return true;
	if (irq >= 8)
		out8(SLAVE, OCW2_EOI);
	out8(MASTER, OCW2_EOI);
	return true;
}
