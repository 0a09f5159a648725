/* GDT, TSS and IDT. */
#include "cpu/descriptors.h"
#include "cpu/msr.h"
#include "lib/string.h"

#define DESCRIPTOR_TSS 0x89ull /* present, available TSS of the mode's width */

static u64 system_descriptor(ulong base, u32 limit, u64 type)
{
	return (limit & 0xffff) | (base & 0xffffffull) << 16 | type << 40 | (base >> 24 & 0xffull) << 56;
}

void descriptors_fill(struct descriptors *d, ulong gs_base, ulong stack_top)
{
	memset(d, 0, sizeof(*d));
	d->gdt[USER_CS32 / 8] = 0x00cffb000000ffff;
	d->gdt[KERNEL_DS / 8] = 0x00cf93000000ffff;
	d->gdt[USER_DS / 8] = 0x00cff3000000ffff;
	d->gdt[KERNEL_CS32 / 8] = 0x00cf9b000000ffff;
	d->gdt[TSS_SELECTOR / 8] = system_descriptor((ulong)&d->tss, TSS_LIMIT, DESCRIPTOR_TSS);
	d->tss.io_map = sizeof(struct tss);
#ifdef __x86_64__
	(void)gs_base;
	d->gdt[KERNEL_CS / 8] = 0x00af9b000000ffff;
	d->gdt[USER_CS64 / 8] = 0x00affb000000ffff;
	d->gdt[TSS_SELECTOR / 8 + 1] = (u64)&d->tss >> 32;
	d->tss.rsp[0] = stack_top;
#else
	d->gdt[KERNEL_CS / 8] = 0x00cf9b000000ffff;
	d->gdt[CPU_SELECTOR / 8] = 0x00cf93000000ffff | (gs_base & 0xffffffull) << 16 | (u64)(gs_base >> 24) << 56;
	d->gdt[DOUBLE_FAULT_SELECTOR / 8] = system_descriptor((ulong)&d->double_fault_tss, TSS_LIMIT, DESCRIPTOR_TSS);
	d->tss.ss0 = KERNEL_DS;
	d->tss.esp0 = stack_top;
#endif
}

void idt_set(struct gate *idt, u8 vector, void (*handler)(void), unsigned stack)
{
	ulong offset = (ulong)handler;
	struct gate *gate = &idt[vector];

	memset(gate, 0, sizeof(*gate));
	gate->offset_low = offset & 0xffff;
	gate->selector = KERNEL_CS;
	gate->attributes = GATE_INTERRUPT | stack;
#ifdef __x86_64__
	gate->offset_middle = offset >> 16 & 0xffff;
	gate->offset_high = offset >> 32;
#else
	gate->offset_high = offset >> 16;
#endif
}

void idt_set_task(struct gate *idt, u8 vector, u16 selector)
{
	memset(&idt[vector], 0, sizeof(*idt));
	idt[vector].selector = selector;
	idt[vector].attributes = GATE_TASK;
}

void descriptors_load(struct descriptors *d, const struct gate *idt, ulong gs_base)
{
	struct pseudo_descriptor gdtr = {sizeof(d->gdt) - 1, (ulong)d->gdt};
	struct pseudo_descriptor idtr = {IDT_ENTRIES * sizeof(*idt) - 1, (ulong)idt};

	d->gdt[TSS_SELECTOR / 8] &= ~(2ull << 40); /* not busy, so that LTR takes it again */
	asm volatile("lgdt %0" : : "m"(gdtr) : "memory");
	asm volatile("lidt %0" : : "m"(idtr) : "memory");
#ifdef __x86_64__
	asm volatile("pushq %0\n\t"
		     "lea 1f(%%rip), %%rax\n\t"
		     "pushq %%rax\n\t"
		     "lretq\n"
		     "1:" : : "i"(KERNEL_CS) : "rax", "memory");
#else
	asm volatile("ljmp %0, $1f\n1:" : : "i"(KERNEL_CS) : "memory");
#endif
	asm volatile("mov %0, %%ds\n\tmov %0, %%es\n\tmov %0, %%ss" : : "r"(KERNEL_DS) : "memory");
	asm volatile("mov %0, %%fs\n\tmov %1, %%gs" : : "r"(0), "r"(HOST_GS_SELECTOR) : "memory");
	asm volatile("ltr %w0" : : "r"(TSS_SELECTOR) : "memory");
	asm volatile("lldt %w0" : : "r"(0) : "memory");
#ifdef __x86_64__
	msr_write(MSR_GS_BASE, gs_base);
#else
	(void)gs_base;
#endif
}
