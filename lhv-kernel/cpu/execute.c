/* Code in other modes. SDM 3A "Architectural Control of the Mode": IRET leads into all of them but real-address mode. */
#include "cpu/execute.h"
#include "cpu/execute-real.h"
#include "cpu/paging.h"
#include "cpu/registers.h"
#include "cpu/user.h"
#include "harness/expect.h"
#include "harness/scratch.h"
#include "lib/string.h"
#include "smp/cpu.h"

#define STACK_PAGES 2
#define STATUS_FLAGS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF | RFLAGS_DF)
#define LOW_CODE 0x8000u /* where virtual-8086 mode finds its code: a linear address that only it has a page for */

NORETURN void execute_enter(struct trap_frame *frame);

#ifdef __x86_64__
static const u16 code_selectors[] = {KERNEL_CS, USER_CS64, KERNEL_CS32, USER_CS32};
#else
static const u16 code_selectors[] = {KERNEL_CS, USER_CS32};
#endif

static bool is_ring3(enum execute_mode mode)
{
	return mode == EXECUTE_RING3 || mode == EXECUTE_COMPATIBILITY_3 || mode == EXECUTE_VIRTUAL_8086;
}

#ifdef __x86_64__
ulong execute_low_tables(const void *page, ulong address)
{
	(void)page, (void)address;
	rule_skip("this build runs in 64-bit mode");
}
#else
#ifdef LHV_PAE
#define TOP_SHIFT 30
#else
#define TOP_SHIFT 22
#endif

/* Copied page tables, all of small pages on the way to the address, and their entry for it */
static pte_t *entry_of(ulong top, ulong address)
{
	pte_t *table = (pte_t *)top;

	for (unsigned shift = TOP_SHIFT; shift > 12; shift -= PAGE_TABLE_SHIFT)
		table = (pte_t *)(ulong)(table[address >> shift & (PAGE_TABLE_ENTRIES - 1)] & PTE_ADDRESS);
	return &table[address >> 12 & (PAGE_TABLE_ENTRIES - 1)];
}

ulong execute_low_tables(const void *page, ulong address)
{
	ulong tables = user_page_tables(address);

	*entry_of(tables, address) = (ulong)page | PTE_PRESENT | PTE_WRITE | PTE_USER;
	return tables;
}

/* What IRET pops behind SS on its way to virtual-8086 mode */
struct v86_frame {
	struct trap_frame frame;
	ulong es, ds, fs, gs;
};

static void fill_v86(struct trap_frame *frame)
{
	struct v86_frame *v86 = (struct v86_frame *)frame;

	frame->flags |= RFLAGS_VM;
	frame->cs = frame->ss = LOW_CODE >> 4;
	frame->ip = 0;
	v86->es = v86->ds = v86->fs = v86->gs = 0;
}
#endif

/* The frame to enter with, at the end of the stack */
static void fill(struct execution *execution, struct trap_frame *frame, ulong code, ulong stack)
{
	bool ring3 = is_ring3(execution->mode);

	*frame = execution->frame;
	frame->ip = code;
	frame->flags = RFLAGS_FIXED | (frame->flags & (STATUS_FLAGS | RFLAGS_IF));
	frame->sp = stack;
	frame->ss = ring3 ? USER_DS : KERNEL_DS;
#ifdef __x86_64__
	frame->cs = execution->cs ? execution->cs : code_selectors[execution->mode];
#else
	frame->ds = frame->es = frame->ss;
	frame->fs = 0;
	frame->gs = ring3 ? 0 : CPU_SELECTOR;
	if (execution->mode == EXECUTE_VIRTUAL_8086)
		fill_v86(frame);
	else
		frame->cs = execution->cs ? execution->cs : code_selectors[execution->mode];
#endif
}

/* 0: those of the kernel */
static ulong tables_of(enum execute_mode mode, const u8 *code)
{
	if (mode == EXECUTE_VIRTUAL_8086)
		return execute_low_tables(code, LOW_CODE);
	return is_ring3(mode) ? user_page_tables(0) : 0;
}

static void go(struct execution *execution, const u8 *code)
{
	struct cpu *cpu = this_cpu();
	u8 *stack = scratch_pages(STACK_PAGES);
	ulong top = (ulong)stack + STACK_PAGES * PAGE_SIZE - 256; /* what comes before the frame is for traps */
	ulong tables = tables_of(execution->mode, code);

	fill(execution, (struct trap_frame *)top, (ulong)code, top);
	cpu->execution = execution;
	if (!context_save(&execution->context)) {
		if (tables)
			write_cr3(tables);
		*user_kernel_stack() = top;
		execute_enter((struct trap_frame *)top);
	}
	asm volatile("mov %0, %%ss" : : "r"(KERNEL_DS) : "memory");
	if (tables)
		write_cr3(cpu->cr3);
	*user_kernel_stack() = cpu->stack_top;
}

bool execute_trapped(const struct trap_frame *frame)
{
	struct cpu *cpu = this_cpu();
	struct execution *execution = cpu->execution;

	if (!execution || !cpu->in_rule)
		return false;
	cpu->execution = 0;
	execution->frame = *frame;
	context_resume(&execution->context);
}

void execute(struct execution *execution)
{
	u8 *code = scratch_page();

	memcpy(code, execution->code, execution->length);
	code[execution->length] = 0x0f; /* UD2 */
	code[execution->length + 1] = 0x0b;
	if (execution->mode == EXECUTE_REAL)
		execute_real(execution, code);
	else
		go(execution, code);
	execution->at = (execution->frame.ip - (ulong)code) & (PAGE_SIZE - 1);
	execution->outcome = execution->at == execution->length && execution->frame.vector == 6
				     ? SUCCEEDED : FAULTED(execution->frame.vector, execution->frame.error_code);
}
