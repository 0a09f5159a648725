/* The pair of 8259A interrupt controllers. Intel 8259A data sheet. */
#pragma once
#include "lib/types.h"

#define PIC_IRQS 16

/* Moves IRQ 0..15 to VECTOR_PIC.., all masked, nothing in service. Returns false where no 8259A answers. */
bool pic_init(void);

/* All lines masked again, nothing in service, no edge remembered: the state between rules. */
void pic_reset(void);

void pic_unmask(unsigned irq);

/* In-service and request registers: bit i is IRQ i. */
u16 pic_in_service(void);
u16 pic_requested(void);

/*
 * Ends an interrupt that arrived as this IRQ. Returns false for a spurious IRQ 7 or 15 (its in-service bit is 0):
 * then nothing is in service on that chip and it gets no EOI; behind a spurious IRQ 15 the master still gets one.
 */
bool pic_acknowledge(unsigned irq);
