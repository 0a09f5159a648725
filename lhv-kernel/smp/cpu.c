/* Per-CPU state. */
#include "smp/cpu.h"
#include "cpu/paging.h"
#include "cpu/registers.h"
#include "cpu/traps.h"
#include "memory/pages.h"

struct cpu cpus[MAX_CPUS];
unsigned cpu_count;

/* A stack with a page below it that is not mapped. Returns its top. */
static ulong stack_create(unsigned pages, ulong *guard)
{
	u8 *base = pages_allocate(pages + 1);

	paging_unmap((ulong)base);
	if (guard)
		*guard = (ulong)base;
	return (ulong)base + (pages + 1) * PAGE_SIZE;
}

#ifndef __x86_64__
void double_fault_task(void);

static void double_fault_task_fill(struct cpu *cpu)
{
	struct tss *tss = &cpu->descriptors.double_fault_tss;

	/* a task switch loads CR3 but never saves it */
	tss->cr3 = cpu->descriptors.tss.cr3 = read_cr3();
	tss->eip = (ulong)double_fault_task;
	tss->eflags = RFLAGS_FIXED;
	tss->esp = tss->esp0 = cpu->double_fault_stack_top;
	tss->ss = tss->ss0 = tss->ds = tss->es = KERNEL_DS;
	tss->cs = KERNEL_CS;
	tss->gs = CPU_SELECTOR;
	tss->io_map = sizeof(*tss);
}
#endif

struct cpu *cpu_prepare(u32 apic_id, bool boot)
{
	struct cpu *cpu = &cpus[cpu_count];

	cpu->self = cpu;
	cpu->recovery_at = &cpu->recovery;
	cpu->index = cpu_count++;
	cpu->apic_id = apic_id;
	cpu->boot = boot;
	cpu->stack_top = stack_create(4, &cpu->stack_guard);
	cpu->nmi_stack_top = stack_create(2, 0);
	cpu->double_fault_stack_top = stack_create(2, 0);
	cpu->idt = pages_allocate(1);
	cpu->scratch = pages_allocate(SCRATCH_PAGES);
	descriptors_fill(&cpu->descriptors, (ulong)cpu, cpu->stack_top);
	traps_fill_idt(cpu->idt);
#ifdef __x86_64__
	cpu->descriptors.tss.ist[IST_NMI - 1] = cpu->nmi_stack_top;
	cpu->descriptors.tss.ist[IST_DOUBLE_FAULT - 1] = cpu->double_fault_stack_top;
	cpu->descriptors.tss.ist[IST_MACHINE_CHECK - 1] = cpu->double_fault_stack_top;
#else
	double_fault_task_fill(cpu);
#endif
	return cpu;
}

void cpu_load(struct cpu *cpu)
{
	descriptors_load(&cpu->descriptors, cpu->idt, (ulong)cpu);
	write_cr0((read_cr0() | CR0_NE | CR0_MP | CR0_WP) & ~(CR0_EM | CR0_TS | CR0_CD | CR0_NW));
	cpu->cr0 = read_cr0();
	cpu->cr3 = read_cr3();
	cpu->cr4 = read_cr4();
}
