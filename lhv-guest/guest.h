/* A guest: a function of this image that runs in VMX non-root operation, and what a test does with it. */
#pragma once
#include "cpu/descriptors.h"
#include "cpu/traps.h"
#include "harness/expect.h"
#include "lib/types.h"
#include "smp/cpu.h"
#include "vmx/controls.h"
#include "vmx/enter.h"
#include "vmx/exit-reasons.h"
#include "vmx/fields.h"
#include "vmx/instructions.h"

struct guest {
	struct registers registers; /* RSP, RIP and RFLAGS are in the VMCS */
	bool launched;		    /* launch state of its VMCS: VMRESUME from now on */
	bool own_timer;		    /* the test uses the VMX-preemption timer itself: no watchdog by it */
	bool own_nmi;		    /* the test wants NMI exits itself */
	void (*function)(void);
	struct descriptors *descriptors;
	struct gate *idt;
	ulong stack_top;
	struct trap_frame exception; /* what hypercall EXCEPTION is about */
};

/* What one VM entry came to. */
struct exit {
	outcome_t entry; /* SUCCEEDED, or how VMLAUNCH or VMRESUME failed: then there is no reason */
	u32 reason;	 /* exit reason field, bit 31 included */
};

/*
 * Golden state: a fresh guest of this CPU whose VMCS is current and clear, in the mode of the build, on the host's page
 * tables, with a stack, GDT, TSS and IDT of its own, and the environment that the options ask for (EPT, VPID). It will
 * run the function, then make the hypercall DONE. Controls: the fewest that the CPU allows; NMI exiting and the
 * VMX-preemption timer, for the watchdog; MSR bitmaps that let all through. Ends the rule where a field cannot be
 * written. The guest lives until the rule ends.
 */
struct guest *guest_golden(void (*function)(void));

/* Enters the guest and returns its next exit. A guest that takes too long ends the rule as hung. */
struct exit guest_run(struct guest *guest);

/* RIP goes past the instruction that exited; blocking by STI and MOV SS ends. */
void guest_skip_instruction(void);

/* Ends the rule, decoded, where the exit is not for this basic reason. */
void expect_exit(struct exit exit, u32 reason);

/* Ends the rule where the exit is not this hypercall. */
void expect_hypercall(struct guest *guest, struct exit exit, u32 number);

/* Runs the guest to its hypercall DONE; any other exit ends the rule. */
void expect_done(struct guest *guest);

/*
 * Sets or clears a control in a field of controls. Where the CPU does not allow that setting, the rule is skipped with the
 * reason. name: the SDM's.
 */
void controls_set(enum vmcs_field field, const struct control_caps *caps, u64 bits, const char *name);
void controls_clear(enum vmcs_field field, const struct control_caps *caps, u64 bits, const char *name);

/* "External-interrupt exiting" 0: interrupts go through the guest's own IDT, where its RFLAGS.IF is 1. */
void guest_gets_interrupts(void);

/* "VM exit 10 CPUID at 0x101234", "VM entry: VMfailValid(7) …", "guest took #PF(0x0) at …". */
size_t exit_format(char *buffer, size_t size, const struct guest *guest, struct exit exit);
