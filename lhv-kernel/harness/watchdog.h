/*
 * The watchdog over the rule that runs: works while interrupts are off. CPUs that are done watch those that are not,
 * and send them an NMI; the real-time clock's NMI through the I/O APIC watches when all CPUs hang at once; guests
 * are ended by their preemption timer or by the NMI's VM exit (lhv-guest).
 */
#pragma once
#include "lib/types.h"

/* Once, on the bootstrap processor: deadline of each rule, and the real-time clock where there is an I/O APIC. Returns what was found. */
const char *watchdog_init(u32 deadline_ms);

u32 watchdog_deadline_ms(void);

/* The deadline in TSC ticks from the start of a rule. */
u64 watchdog_deadline_ticks(void);

/* On the bootstrap processor (elsewhere they do nothing) when a rule begins and ends: run the real-time clock's NMIs. */
void watchdog_arm(void);
void watchdog_disarm(void);

/* From the NMI handler: finds CPUs that are beyond the deadline, this one included, and tells them to leave. */
void watchdog_nmi(void);

/* Is this CPU's rule beyond its time? */
bool watchdog_expired(void);

/*
 * All CPUs that take part come here, within so many milliseconds of the first. A CPU that does not is told to leave its
 * rule, and half a second later counted as lost.
 */
void watchdog_barrier(u32 ms);

/* For barriers behind which no rule runs: starting CPUs and printing take their time. */
#define WATCHDOG_PATIENT 60000
