/* Exceptions and interrupts of the host: what the CPU pushed, the fixup table, register dumps. */
#pragma once
#include "cpu/descriptors.h"
#include "lib/types.h"

#ifdef __x86_64__
struct trap_frame {
	ulong r15, r14, r13, r12, r11, r10, r9, r8, di, si, bp, bx, dx, cx, ax;
	ulong vector, error_code, ip, cs, flags, sp, ss;
};
#else
struct trap_frame {
	ulong gs, fs, es, ds, di, si, bp, unused_sp, bx, dx, cx, ax;
	ulong vector, error_code, ip, cs, flags, sp, ss; /* sp and ss only on a change of privilege */
};
#endif

#define VECTOR_DB 1
#define VECTOR_NMI 2
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_GP 13
#define VECTOR_PF 14
#define VECTOR_MACHINE_CHECK 18
#define EXCEPTION_VECTORS 32

/* Entry stubs of the 256 vectors: of the host's IDT and of a guest's. */
extern void (*const host_stubs[IDT_ENTRIES])(void), (*const guest_stubs[IDT_ENTRIES])(void);

/* Fills an IDT with the host's stubs and stacks. */
void traps_fill_idt(struct gate *idt);

/* Where does execution go on after a fault there? 0 where that was not expected. */
ulong fixup_find(ulong ip);

/* If the fault at the frame has a fixup: makes the frame resume there with the outcome in AX. */
bool fixup_apply(struct trap_frame *frame);

/* The stack pointer that was interrupted: in 32-bit builds the CPU pushes it only on a change of privilege. */
ulong trap_stack_pointer(const struct trap_frame *frame);

/* "#PF(0x2) at 0x101234 (address 0x1000)". Returns the length. */
size_t trap_describe(char *buffer, size_t size, const struct trap_frame *frame);

/* Prints all registers of the frame, several comment lines. */
void trap_dump(const struct trap_frame *frame);

/*
 * Ends blocking by NMI, by an IRET to the next instruction: an NMI handler that is left by other ways than its own IRET,
 * and a VM exit for an NMI, leave it on.
 */
void nmi_unblock(void);

/* The C side of the stubs. The guest's is in lhv-guest. */
void host_trap(struct trap_frame *frame);
void guest_trap(struct trap_frame *frame);
