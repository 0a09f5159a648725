/* The local APIC, in xAPIC or x2APIC mode as the firmware left it. SDM 3A chapter "Advanced Programmable Interrupt Controller". */
#pragma once
#include "lib/types.h"

/* Registers: MMIO offset; the x2APIC MSR is 800H + offset / 16 */
enum {
	LAPIC_ID = 0x20, LAPIC_VERSION = 0x30, LAPIC_TPR = 0x80, LAPIC_EOI = 0xb0, LAPIC_LDR = 0xd0, LAPIC_SVR = 0xf0,
	LAPIC_ISR = 0x100, LAPIC_IRR = 0x200, LAPIC_ESR = 0x280, LAPIC_ICR = 0x300, LAPIC_ICR_HIGH = 0x310,
	LAPIC_LVT_TIMER = 0x320, LAPIC_LVT_THERMAL = 0x330, LAPIC_LVT_PERFORMANCE = 0x340, LAPIC_LVT_LINT0 = 0x350,
	LAPIC_LVT_LINT1 = 0x360, LAPIC_LVT_ERROR = 0x370, LAPIC_TIMER_INITIAL = 0x380, LAPIC_TIMER_CURRENT = 0x390,
	LAPIC_TIMER_DIVIDE = 0x3e0,
};

#define LVT_MASKED BIT(16)
#define LVT_PERIODIC BIT(17)
#define LVT_TSC_DEADLINE BIT(18)
#define LVT_EXTINT 0x700
#define LVT_NMI 0x400
#define LAPIC_DIVIDE_BY_1 0xb
#define LAPIC_DIVIDE_BY_16 0x3

#define ICR_NMI 0x400
#define ICR_INIT 0x500
#define ICR_STARTUP 0x600
#define ICR_ASSERT BIT(14)
#define ICR_PENDING BIT(12)

/* Is there a local APIC that is enabled, or can be? Enables it on this CPU: virtual wire on the bootstrap processor. */
bool lapic_init(bool boot);

/* The timer stopped and masked, priority 0, nothing in service: the state between rules. Left out where nothing was written
   to this CPU's registers since, because under a hypervisor each access is a VM exit. */
void lapic_reset(void);

bool lapic_there(void);
bool lapic_is_x2apic(void);
u32 lapic_read(unsigned reg);
void lapic_write(unsigned reg, u32 value);
u32 lapic_id(void);
void lapic_eoi(void);

/* Sends an interrupt command (ICR_…, vector) to one CPU; waits until the APIC has taken it. */
void lapic_send(u32 apic_id, u32 command);
