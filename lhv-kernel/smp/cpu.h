/* Per-CPU state: everything that belongs to one logical processor. */
#pragma once
#include "cpu/context.h"
#include "cpu/descriptors.h"
#include "harness/result.h"
#include "lib/types.h"
#include "vmx/caps.h"

#define MAX_CPUS 16
#define SCRATCH_PAGES 64
#define ACTIVE_VMCSS 8

struct guest;
struct execution;

struct cpu {
	struct cpu *self;	   /* at offset 0 of GS */
	struct context *recovery_at; /* &recovery, for context_land */
	struct context recovery;   /* where a rule that must end goes on */
	unsigned index;		   /* 0..cpu_count - 1, dense */
	u32 apic_id;		   /* sparse */
	bool boot;		   /* bootstrap processor */
	bool online;		   /* has started and takes part */
	char vmx_trouble[160];	   /* why this CPU cannot enter VMX root operation; empty: it can */

	struct descriptors descriptors;
	struct gate *idt;
	ulong stack_top, nmi_stack_top, double_fault_stack_top, stack_guard; /* stack_guard: address of a page that is not mapped */

	/* The golden host state, restored after each rule */
	ulong cr0, cr3, cr4;

	struct vmx_caps caps;
	u64 vmxon_region, golden_vmcs; /* physical addresses */
	u64 vmxon_last;		       /* region of the last VMXON that succeeded */
	u64 active_vmcs[ACTIVE_VMCSS]; /* made active here, not cleared yet; 0: none */
	u64 needs_met;		       /* NEED_*: what this CPU has */
	struct guest *guest;	       /* of the rule that runs */
	struct execution *execution;   /* what execute() is executing; 0: nothing */

	/* Interrupts counted since the rule began, by vector; spurious ones by PIC (0: IRQ 7, 1: IRQ 15), since power-on */
	volatile u32 interrupts[IDT_ENTRIES], guest_interrupts[IDT_ENTRIES];
	volatile u32 spurious[2], guest_spurious[2];
	volatile u32 nmis;
	bool ticking;	 /* the timers of a soak run */
	bool lapic_used; /* since lapic_reset(): its registers were written, or another CPU sent it an interrupt */

	/* The harness */
	volatile u32 arrived;	 /* barriers that this CPU has come to */
	volatile u32 in_rule;	 /* between recovery saved and result known */
	volatile u32 in_guest;	 /* in guest_run(): what takes long is the guest */
	volatile u32 abandon;	 /* the watchdog wants this CPU to leave its rule: told once per rule */
	volatile u32 lost;	 /* did not leave it either: takes part no more */
	bool lost_said;		 /* and the report has said so */
	volatile u64 rule_start; /* TSC */
	struct result result;
	u8 *scratch;		 /* SCRATCH_PAGES pages, free to each rule */
	unsigned scratch_used;
};

extern struct cpu cpus[MAX_CPUS];
extern unsigned cpu_count; /* CPUs that are online */

static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	asm("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

/* The physical address of kernel memory: the kernel is mapped one to one. */
static inline u64 physical(const void *address)
{
	return (ulong)address;
}

/* Gives a CPU its stacks, descriptors and scratch pages, and its place in cpus[]. */
struct cpu *cpu_prepare(u32 apic_id, bool boot);

/* On the CPU itself: loads its descriptor tables and control registers. */
void cpu_load(struct cpu *cpu);
