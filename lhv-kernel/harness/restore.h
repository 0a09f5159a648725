/* The golden host state: what a CPU has when a rule begins, put back after each rule whatever it did. */
#pragma once
#include "lib/types.h"

struct cpu;

/* Remembers the MSRs and control registers of this CPU as they are now. */
void host_state_save(struct cpu *cpu);

/* Descriptor tables, control registers, MSRs, interrupt controllers and VMX root operation as they were saved. */
void host_state_restore(struct cpu *cpu);

/*
 * One more MSR that the running rule is about to change: its value of now comes back when the rule has ended, however it
 * ends. Ends the rule as skipped where RDMSR of it faults. name: the SDM's.
 */
u64 msr_restore_after_rule(u32 msr, const char *name);
