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

/*
 * Which VMCSs are active on this CPU: VMPTRLD and VMCLEAR tell by themselves, VM entry with a VMCS link pointer does not.
 * What is active when a rule ends is cleared, because its memory is the next rule's.
 */
void vmcs_note_active(u64 vmcs);
void vmcs_note_inactive(u64 vmcs);
bool vmcs_is_active(u64 vmcs);

#define FEATURE_CONTROL_LOCK BIT(0)
#define FEATURE_CONTROL_VMX_IN_SMX BIT(1)
#define FEATURE_CONTROL_VMX_OUTSIDE_SMX BIT(2)
