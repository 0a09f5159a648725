/* Real-address mode and back. SDM 3A 10.9 "Mode Switching". The boot CPU alone: there is one page. */
#include "cpu/execute-real.h"
#include "cpu/registers.h"
#include "harness/expect.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "smp/cpu.h"

/* The page below 1 MiB that the AP trampoline was in: it is done with. Offsets as in execute-real-enter.S */
struct low_page {
	u8 blob[0x400];
	u16 vectors[256][2]; /* offset, segment */
	u8 code[0x100];
	struct {
		u64 gdt[6];
		u16 gdt_limit;
		u32 gdt_base;
		u16 idt_limit;
		u32 idt_base;
		u16 real_offset, real_segment; /* where real-address mode begins */
		u32 cx, dx, flags, cr0;
		u16 vector, ip, cs, end_flags;
	} __attribute__((packed)) data;
};
_Static_assert(offsetof(struct low_page, data) == 0x900, "as execute-real-enter.S has it");

extern const u8 execute_real_begin[], execute_real_end[], execute_real_start[], execute_real_stubs[], execute_real_ignore[];
void execute_real_enter(struct low_page *low);

#define STUB_SIZE 4
#define STUB_VECTORS 32
#define CODE_32 0x00cf9b000000ffffull
#define DATA_32 0x00cf93000000ffffull
#define CODE_64 0x00af9b000000ffffull
#define CODE_16 0x00009b000000ffffull
#define DATA_16 0x000093000000ffffull

bool execute_real_possible(void)
{
	return pages_low();
}

static u16 offset_of(const u8 *label)
{
	return label - execute_real_begin;
}

static void fill(struct low_page *low, const struct execution *execution, const u8 *code)
{
	u32 base = (ulong)low;

	memset(low, 0, sizeof(*low));
	memcpy(low->blob, execute_real_begin, execute_real_end - execute_real_begin);
	memcpy(low->code, code, EXECUTE_CODE_MAX + 2);
	for (unsigned vector = 0; vector < COUNT(low->vectors); vector++) {
		low->vectors[vector][0] = vector < STUB_VECTORS ? offset_of(execute_real_stubs) + vector * STUB_SIZE : offset_of(execute_real_ignore);
		low->vectors[vector][1] = base >> 4;
	}
	low->vectors[VECTOR_NMI][0] = offset_of(execute_real_ignore);
	low->data.gdt[1] = CODE_32;
	low->data.gdt[2] = DATA_32;
	low->data.gdt[3] = CODE_16 | (u64)base << 16;
	low->data.gdt[4] = DATA_16;
	low->data.gdt[5] = CODE_64;
	low->data.gdt_limit = sizeof(low->data.gdt) - 1;
	low->data.gdt_base = (ulong)low->data.gdt;
	low->data.idt_limit = sizeof(low->vectors) - 1;
	low->data.idt_base = (ulong)low->vectors;
	low->data.real_offset = offset_of(execute_real_start);
	low->data.real_segment = base >> 4;
	low->data.cx = execution->frame.cx;
	low->data.dx = execution->frame.dx;
	low->data.flags = RFLAGS_FIXED | (execution->frame.flags & ~(RFLAGS_IF | RFLAGS_VM));
	low->data.cr0 = read_cr0();
}

void execute_real(struct execution *execution, const u8 *code)
{
	struct cpu *cpu = this_cpu();
	struct low_page *low = (struct low_page *)(ulong)pages_low();

	if (!low)
		rule_skip("there is no free memory below 512 KiB");
	fill(low, execution, code);
	execute_real_enter(low);
	descriptors_load(&cpu->descriptors, cpu->idt, (ulong)cpu);
	execution->frame.vector = low->data.vector;
	execution->frame.error_code = 0; /* there is none in this mode */
	execution->frame.flags = low->data.end_flags;
	execution->frame.ip = (ulong)code + (low->data.ip - offsetof(struct low_page, code));
}
