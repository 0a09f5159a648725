/* VMX root operation on a CPU: entered once at start-up, found and put right again between rules. */
#pragma once
#include "lib/types.h"

struct cpu;

/*
 * Reads the capabilities, sets and locks IA32_FEATURE_CONTROL where it is unlocked, and enters VMX root operation.
 * Where that cannot be, cpu->vmx_trouble says why in a sentence.
 */
void vmx_root_start(struct cpu *cpu);

/* Back in VMX root operation without a current VMCS that a rule left, if this CPU was in it at start-up. */
void vmx_root_restore(struct cpu *cpu);

/* A zeroed page set up as a VMCS region: the revision identifier in its first word. Returns its physical address. */
u64 vmcs_region(struct cpu *cpu, void *page);

#define FEATURE_CONTROL_LOCK BIT(0)
#define FEATURE_CONTROL_VMX_IN_SMX BIT(1)
#define FEATURE_CONTROL_VMX_OUTSIDE_SMX BIT(2)
