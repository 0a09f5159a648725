/* What is done with every interrupt. */
#include "interrupts/interrupts.h"
#include "harness/fault.h"
#include "interrupts/lapic.h"
#include "interrupts/pic.h"
#include "smp/cpu.h"

#define MOUSE_IRQ 12

void interrupt_handle(u8 vector, bool guest)
{
	struct cpu *cpu = this_cpu();
	volatile u32 *count = guest ? &cpu->guest_interrupts[vector] : &cpu->interrupts[vector];
	bool lost = guest && fault(FAULT_INTERRUPT_LOST_GUEST);

	if (vector >= VECTOR_PIC && vector < VECTOR_PIC + PIC_IRQS) {
		unsigned irq = vector - VECTOR_PIC;

		if (pic_acknowledge(irq)) {
			*count += !lost && !fault(irq == MOUSE_IRQ ? FAULT_NO_IRQ12 : FAULT_NO_PIT_TICK);
		} else {
			volatile u32 *spurious = guest ? cpu->guest_spurious : cpu->spurious;

			spurious[irq / 8]++;
		}
	} else {
		*count += !fault(FAULT_NO_APIC_TICK) && !lost;
		if (vector != VECTOR_APIC_SPURIOUS && !fault(FAULT_EOI_MISSING))
			lapic_eoi();
	}
}
