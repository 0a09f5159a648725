/* Extended page tables. */
#include "lhv-guest/ept.h"
#include "harness/expect.h"
#include "harness/fault.h"
#include "memory/memory-type.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"

#define ADDRESS BITS(51, 12)
#define ENTRIES 512
#define SHIFT(leaf) (12 + 9 * (leaf))
#define ROOT_SHIFT 39
#define ROOT_LEVEL 3

/* IA32_VMX_EPT_VPID_CAP (A.10) */
#define CAP_UNCACHED BIT(8)
#define CAP_WRITE_BACK BIT(14)
#define CAP_2M BIT(16)
#define CAP_1G BIT(17)
#define CAP_INVEPT_SINGLE BIT(25)
#define CAP_INVEPT_ALL BIT(26)
#define EPTP_WALK_4 (3 << 3)

static u64 *new_table(struct ept *ept)
{
	if (ept->used == ept->count)
		rule_skip("LHV has only %u pages for extended page tables, too few for this CPU's EPT page sizes and MTRRs", ept->count);
	return (u64 *)(ept->pages + PAGE_SIZE * ept->used++);
}

struct ept ept_create(void *pages, unsigned count)
{
	struct ept ept = {0, pages, 0, count};

	ept.root = new_table(&ept);
	return ept;
}

static void split(struct ept *ept, u64 *entry, unsigned shift)
{
	u64 *table = new_table(ept);

	for (unsigned i = 0; i < ENTRIES; i++) {
		table[i] = *entry + ((u64)i << (shift - 9));
		if (shift - 9 == SHIFT(EPT_4K))
			table[i] &= ~EPT_LEAF;
	}
	*entry = physical(table) | EPT_RWX;
}

void ept_map(struct ept *ept, u64 guest, u64 host, enum ept_leaf leaf, u64 rights, u8 memory_type)
{
	u64 *table = ept->root;

	for (unsigned shift = ROOT_SHIFT; shift > SHIFT(leaf); shift -= 9) {
		u64 *entry = &table[guest >> shift & (ENTRIES - 1)];

		if (!*entry)
			*entry = physical(new_table(ept)) | EPT_RWX;
		else if (*entry & EPT_LEAF)
			split(ept, entry, shift);
		table = (u64 *)(ulong)(*entry & ADDRESS);
	}
	if (fault(FAULT_EPT_NEXT_PAGE) && guest != host)
		host += 1ull << SHIFT(leaf);
	ept_write(&table[guest >> SHIFT(leaf) & (ENTRIES - 1)],
		  host | rights | EPT_MEMORY_TYPE(memory_type) | (leaf == EPT_4K ? 0 : EPT_LEAF));
}

void ept_write(u64 *entry, u64 value)
{
	if (fault(FAULT_EPT_RIGHT_IGNORED) && value & EPT_READ)
		value |= EPT_RWX;
	*(volatile u64 *)entry = value;
}

u64 *ept_entry(struct ept *ept, u64 guest, enum ept_leaf leaf)
{
	u64 *table = ept->root;

	for (unsigned shift = ROOT_SHIFT; shift > SHIFT(leaf); shift -= 9) {
		u64 entry = table[guest >> shift & (ENTRIES - 1)];

		if (!(entry & EPT_RWX) || entry & EPT_LEAF)
			return 0;
		table = (u64 *)(ulong)(entry & ADDRESS);
	}
	return &table[guest >> SHIFT(leaf) & (ENTRIES - 1)];
}

/* One range one to one: as one leaf where the CPU has the size and the range one memory type, else in smaller ones. */
static void map_range(struct ept *ept, u64 address, enum ept_leaf leaf, u64 capabilities)
{
	bool has = leaf == EPT_4K || (leaf == EPT_2M && capabilities & CAP_2M) || (leaf == EPT_1G && capabilities & CAP_1G);
	u64 size = 1ull << SHIFT(leaf);
	u8 type;

	if (leaf == EPT_4K || (mtrr_uniform(&memory_types, address, size, &type) && has)) {
		type = fault(FAULT_EPT_TYPE_WB) ? MEMORY_WB : mtrr_type(&memory_types, address);
		ept_map(ept, address, address, leaf, EPT_RWX, type);
		return;
	}
	for (unsigned i = 0; i < ENTRIES; i++)
		map_range(ept, address + ((u64)i << SHIFT(leaf - 1)), leaf - 1, capabilities);
}

static struct ept identity[MAX_CPUS];

/* Moves what leads from a copied table to those below it along with the copy. level: 0 for a table of 4-KByte leaves. */
static void move_tables(u64 *table, unsigned level, u64 by)
{
	for (unsigned i = 0; level && i < ENTRIES; i++)
		if (table[i] && !(table[i] & EPT_LEAF)) {
			table[i] += by;
			move_tables((u64 *)(ulong)(table[i] & ADDRESS), level - 1, by);
		}
}

void ept_map_identity(struct ept *ept)
{
	const struct ept *own = &identity[this_cpu()->index];

	/* this CPU has made it once: a copy is much faster */
	if (ept->used == 1 && own->root && own->used <= ept->count) {
		memcpy(ept->pages, own->pages, own->used * PAGE_SIZE);
		ept->used = own->used;
		move_tables(ept->root, ROOT_LEVEL, physical(ept->pages) - physical(own->pages));
		return;
	}
	for (u64 address = 0; address < 4 * GIB; address += GIB)
		map_range(ept, address, EPT_1G, this_cpu()->caps.ept_vpid);
}

u64 ept_pointer(const struct cpu *cpu, const struct ept *ept)
{
	u8 type = cpu->caps.ept_vpid & CAP_WRITE_BACK || !(cpu->caps.ept_vpid & CAP_UNCACHED) ? MEMORY_WB : MEMORY_UC;

	return physical(ept->root) | EPTP_WALK_4 | type;
}

void ept_use(const struct ept *ept)
{
	const struct cpu *cpu = this_cpu();
	u64 pointer = ept_pointer(cpu, ept);

	vmwrite(VMCS_EPT_POINTER, pointer);
	if (cpu->caps.ept_vpid & CAP_INVEPT_SINGLE)
		expect_outcome("INVEPT, single context", invept(INVEPT_SINGLE_CONTEXT, (struct invept_descriptor){pointer, 0}), SUCCEEDED);
	else if (cpu->caps.ept_vpid & CAP_INVEPT_ALL)
		expect_outcome("INVEPT, all contexts", invept(INVEPT_ALL_CONTEXTS, (struct invept_descriptor){0, 0}), SUCCEEDED);
}

u64 ept_identity_pointer(struct cpu *cpu)
{
	struct ept *own = &identity[cpu->index];

	if (!own->root) {
		struct ept made = ept_create(pages_allocate(EPT_IDENTITY_PAGES), EPT_IDENTITY_PAGES);

		ept_map_identity(&made);
		*own = made;
	}
	return ept_pointer(cpu, own);
}
