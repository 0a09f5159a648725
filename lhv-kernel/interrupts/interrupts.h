/* Interrupt vectors and what is done with every interrupt, in host and guest: counted and acknowledged. */
#pragma once
#include "lib/types.h"

#define VECTOR_PIC 0x20 /* IRQ 0..15 */
#define VECTOR_APIC_TIMER 0x40
#define VECTOR_APIC_SPURIOUS 0xff

/*
 * Counts the interrupt in this CPU's counters and sends the EOI that it needs: none for spurious ones.
 * Prints nothing: it runs in interrupt handlers, of the host and (guest) of a guest.
 */
void interrupt_handle(u8 vector, bool guest);
