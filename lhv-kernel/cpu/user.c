/* Ring 3. SDM 3A chapter "Protection", and "Paging" for the user/supervisor bit. */
#include "cpu/user.h"
#include "cpu/paging.h"
#include "cpu/registers.h"
#include "harness/expect.h"
#include "harness/fault.h"
#include "harness/scratch.h"
#include "smp/cpu.h"

#if defined(__x86_64__)
#define TOP_SHIFT 39
#define USER_CS USER_CS64
#elif defined(LHV_PAE)
#define TOP_SHIFT 30
#define USER_CS USER_CS32
#else
#define TOP_SHIFT 22
#define USER_CS USER_CS32
#endif
#define PAE_TOP_SHIFT 30 /* of 32-bit builds: entries whose user bit is reserved */
#define STACK_PAGES 2

/* A page that is mapped by a large entry, as a table of 4-KByte entries */
static void split(pte_t *table, pte_t large)
{
	for (unsigned i = 0; i < PAGE_TABLE_ENTRIES; i++)
		table[i] = (large & ~(pte_t)PTE_LARGE) + ((pte_t)i << 12);
}

static void copy_table(pte_t *copy, const pte_t *table, unsigned shift, ulong base, ulong supervisor_page)
{
	for (unsigned i = 0; i < PAGE_TABLE_ENTRIES; i++) {
		ulong address = base + ((ulong)i << shift);
		bool holds = supervisor_page && supervisor_page >> shift == address >> shift;
		bool no_user_bit = sizeof(ulong) == 4 && shift == PAE_TOP_SHIFT;
		pte_t *below;

		if (no_user_bit && i == 4) /* the PAE top table has four */
			break;
		if (!(table[i] & PTE_PRESENT))
			continue;
		if (shift == 12 || (table[i] & PTE_LARGE && !holds)) {
			copy[i] = shift == 12 && holds ? table[i] & ~(pte_t)PTE_USER : table[i] | PTE_USER;
			continue;
		}
		below = scratch_page();
		if (table[i] & PTE_LARGE) {
			pte_t *smaller = scratch_page();

			split(smaller, table[i]);
			copy_table(below, smaller, 12, address, supervisor_page);
		} else {
			copy_table(below, (const pte_t *)(ulong)(table[i] & PTE_ADDRESS), shift - PAGE_TABLE_SHIFT, address, supervisor_page);
		}
		copy[i] = (ulong)below | PTE_PRESENT | (no_user_bit ? 0 : PTE_WRITE | PTE_USER);
	}
}

ulong user_page_tables(ulong supervisor_page)
{
	pte_t *top = scratch_page();

	copy_table(top, (const pte_t *)(read_cr3() & ~0xffful), TOP_SHIFT, 0, supervisor_page);
	return (ulong)top;
}

ulong *user_kernel_stack(void)
{
	struct tss *tss = &this_cpu()->descriptors.tss;

#ifdef __x86_64__
	return (ulong *)((u8 *)tss + offsetof(struct tss, rsp));
#else
	return (ulong *)((u8 *)tss + offsetof(struct tss, esp0));
#endif
}

/* What user_enter() loads: the order is that of user-entry.S */
struct user_entry {
	void (*function)(void *);
	void *argument;
	ulong sp, cs, ss, flags, *kernel_stack;
};

ulong user_enter(const struct user_entry *entry);

ulong user_run(ulong cr3, void (*function)(void *), void *argument, ulong flags)
{
	struct cpu *cpu = this_cpu();
	struct user_entry entry = {
		.function = function, .argument = argument, .sp = (ulong)scratch_pages(STACK_PAGES) + STACK_PAGES * PAGE_SIZE,
		.cs = USER_CS, .ss = USER_DS, .flags = flags, .kernel_stack = user_kernel_stack(),
	};

	write_cr3(cr3);
	flags = user_enter(&entry);
	write_cr3(cpu->cr3);
	*user_kernel_stack() = cpu->stack_top;
	return flags;
}
