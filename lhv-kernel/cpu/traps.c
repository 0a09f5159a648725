/* Exceptions and interrupts of the host. */
#include "cpu/traps.h"
#include "console/console.h"
#include "cpu/execute.h"
#include "cpu/fixup.h"
#include "cpu/registers.h"
#include "harness/finish.h"
#include "cpu/user.h"
#include "harness/recover.h"
#include "interrupts/interrupts.h"
#include "lib/format.h"
#include "smp/cpu.h"

void traps_fill_idt(struct gate *idt)
{
	for (unsigned vector = 0; vector < IDT_ENTRIES; vector++)
		idt_set(idt, vector, host_stubs[vector], 0);
	idt_set(idt, VECTOR_USER_RETURN, user_return, 0);
	idt[VECTOR_USER_RETURN].attributes |= GATE_DPL3;
#ifdef __x86_64__
	idt_set(idt, VECTOR_NMI, host_stubs[VECTOR_NMI], IST_NMI);
	idt_set(idt, VECTOR_DOUBLE_FAULT, host_stubs[VECTOR_DOUBLE_FAULT], IST_DOUBLE_FAULT);
	idt_set(idt, VECTOR_MACHINE_CHECK, host_stubs[VECTOR_MACHINE_CHECK], IST_MACHINE_CHECK);
#else
	idt_set_task(idt, VECTOR_DOUBLE_FAULT, DOUBLE_FAULT_SELECTOR);
#endif
}

ulong fixup_find(ulong ip)
{
	for (const struct fixup *fixup = fixups_begin; fixup < fixups_end; fixup++)
		if (fixup->fault == ip)
			return fixup->resume;
	return 0;
}

bool fixup_apply(struct trap_frame *frame)
{
	ulong resume = fixup_find(frame->ip);

	if (!resume)
		return false;
	frame->ip = resume;
	frame->ax = FAULTED(frame->vector, frame->error_code);
	return true;
}

size_t trap_describe(char *buffer, size_t size, const struct trap_frame *frame)
{
	size_t length = outcome_format(buffer, size, FAULTED(frame->vector, frame->error_code));

	length = append(buffer, size, " at 0x%lx", frame->ip);
	if (frame->vector == VECTOR_PF)
		length = append(buffer, size, " (address 0x%lx)", read_cr2());
	return length;
}

ulong trap_stack_pointer(const struct trap_frame *frame)
{
	bool pushed = sizeof(ulong) == 8 || frame->cs & 3 || frame->vector == VECTOR_DOUBLE_FAULT;

	return pushed ? frame->sp : (ulong)&frame->sp;
}

void trap_dump(const struct trap_frame *frame)
{
	char text[160];

	trap_describe(text, sizeof(text), frame);
	print("# %s on CPU %u, error code 0x%lx", text, this_cpu()->index, frame->error_code);
	print("#   CS:IP %04lx:%lx  FLAGS %08lx  CR0 %lx  CR2 %lx  CR3 %lx  CR4 %lx", frame->cs, frame->ip, frame->flags,
	      read_cr0(), read_cr2(), read_cr3(), read_cr4());
	print("#   AX %lx  BX %lx  CX %lx  DX %lx  SI %lx  DI %lx  BP %lx  SP %lx", frame->ax, frame->bx, frame->cx,
	      frame->dx, frame->si, frame->di, frame->bp, trap_stack_pointer(frame));
#ifdef __x86_64__
	print("#   R8 %lx  R9 %lx  R10 %lx  R11 %lx  R12 %lx  R13 %lx  R14 %lx  R15 %lx", frame->r8, frame->r9, frame->r10,
	      frame->r11, frame->r12, frame->r13, frame->r14, frame->r15);
#endif
}

static void unexpected(struct trap_frame *frame)
{
	char text[160];

	if (recover_from_trap(frame))
		return;
	trap_describe(text, sizeof(text), frame);
	trap_dump(frame);
	panic("unexpected exception outside any rule: %s", text);
}

void host_trap(struct trap_frame *frame)
{
	if (frame->vector >= EXCEPTION_VECTORS)
		interrupt_handle(frame->vector, false);
	else if (frame->vector == VECTOR_NMI)
		recover_from_nmi(frame);
	else if (!fixup_apply(frame) && !execute_trapped(frame))
		unexpected(frame);
}

void nmi_unblock(void)
{
#ifdef __x86_64__
	asm volatile("mov %%rsp, %%rax\n\t"
		     "pushq %[ss]\n\t"
		     "push %%rax\n\t"
		     "pushf\n\t"
		     "pushq %[cs]\n\t"
		     "lea 1f(%%rip), %%rax\n\t"
		     "push %%rax\n\t"
		     "iretq\n"
		     "1:" : : [ss] "i"(KERNEL_DS), [cs] "i"(KERNEL_CS) : "rax", "memory", "cc");
#else
	asm volatile("pushf\n\t"
		     "push %0\n\t"
		     "push $1f\n\t"
		     "iret\n"
		     "1:" : : "i"(KERNEL_CS) : "memory", "cc");
#endif
}

#ifndef __x86_64__
void double_fault(u32 error_code);

/* Runs in the double-fault task: what it interrupted is in the CPU's main TSS, which IRET goes back to. */
void double_fault(u32 error_code)
{
	struct tss *tss = &this_cpu()->descriptors.tss;
	struct trap_frame frame = {
		.vector = VECTOR_DOUBLE_FAULT, .error_code = error_code, .ip = tss->eip, .cs = tss->cs, .flags = tss->eflags,
		.ax = tss->eax, .bx = tss->ebx, .cx = tss->ecx, .dx = tss->edx, .si = tss->esi, .di = tss->edi,
		.bp = tss->ebp, .sp = tss->esp, .ss = tss->ss,
	};

	unexpected(&frame);
	tss->eip = frame.ip;
	tss->cs = KERNEL_CS;
	tss->eflags = frame.flags;
	tss->ss = tss->ds = tss->es = KERNEL_DS;
	tss->gs = CPU_SELECTOR;
}
#endif
