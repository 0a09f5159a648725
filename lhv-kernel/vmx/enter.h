/* VM entry and VM exit: the one place where the CPU goes into a guest and comes back. */
#pragma once
#include "lib/types.h"
#include "vmx/outcome.h"

/* General-purpose registers of a guest: what neither VM entry nor VM exit switches. RSP, RIP and RFLAGS are in the VMCS. */
struct registers {
	ulong ax, cx, dx, bx, bp, si, di;
#ifdef __x86_64__
	ulong r8, r9, r10, r11, r12, r13, r14, r15;
#endif
	ulong host_flags; /* not the guest's: the host's RFLAGS right after the last VM exit */
};

/*
 * VMLAUNCH (or VMRESUME) with the current VMCS. Sets the host's RSP in it; its host RIP must be vm_exit.
 * Returns true after a VM exit (which may tell of a failed VM entry, bit 31 of the reason), with the guest's registers;
 * false where the instruction itself failed or faulted, with *outcome saying how.
 */
bool vm_enter(struct registers *registers, bool resume, outcome_t *outcome);

/* Where VM exits arrive. */
void vm_exit(void);

/* What RFLAGS, or a fault, after a VMX instruction mean. */
outcome_t outcome_of(ulong result);
