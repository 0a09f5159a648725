/* The golden host state: what a CPU has when a rule begins, put back after each rule whatever it did. */
#pragma once

struct cpu;

/* Remembers the MSRs and control registers of this CPU as they are now. */
void host_state_save(struct cpu *cpu);

/* Descriptor tables, control registers, MSRs, interrupt controllers and VMX root operation as they were saved. */
void host_state_restore(struct cpu *cpu);
