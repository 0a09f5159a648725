/* Windows. */
#include "lhv-guest/window.h"
#include "harness/scratch.h"
#include "cpu/registers.h"
#include "lhv-guest/hypercall.h"
#include "lib/string.h"

#if defined(__x86_64__)
#define LEVELS 4
#define TOP_SHIFT 39
#elif defined(LHV_PAE)
#define LEVELS 3
#define TOP_SHIFT 30
#else
#define LEVELS 2
#define TOP_SHIFT 22
#endif

#define PTE_ACCESSED BIT(5)
#define PTE_DIRTY BIT(6)
#define TABLE_RIGHTS (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

/* What this CPU's guest is to do, and where its guests begin */
static struct {
	volatile u32 *at;
	enum access access;
	u64 rip, rsp;
} window[MAX_CPUS];

static void guest_accesses(void)
{
	volatile u32 *at = window[this_cpu()->index].at;

	switch (window[this_cpu()->index].access) {
	case ACCESS_READ: hypercall(HYPERCALL_TEST, *at); return;
	case ACCESS_WRITE: *at = WINDOW_ANSWER; break;
	case ACCESS_FETCH: asm volatile("call *%0" : : "r"(at) : "memory", "cc"); break;
	}
	hypercall(HYPERCALL_TEST, 0);
}

void window_look_at(ulong linear)
{
	window[this_cpu()->index].at = (volatile u32 *)linear;
}

struct guest *window_guest(enum access access)
{
	struct guest *guest = guest_golden(guest_accesses);

	window_look_at(WINDOW);
	window[this_cpu()->index].access = access;
	window[this_cpu()->index].rip = vmread(VMCS_GUEST_RIP);
	window[this_cpu()->index].rsp = vmread(VMCS_GUEST_RSP);
	return guest;
}

struct exit window_access(struct guest *guest, enum access access)
{
	window[this_cpu()->index].access = access;
	vmwrite(VMCS_GUEST_RIP, window[this_cpu()->index].rip);
	vmwrite(VMCS_GUEST_RSP, window[this_cpu()->index].rsp);
	return guest_run(guest);
}

u32 window_read(struct guest *guest)
{
	expect_hypercall(guest, window_access(guest, ACCESS_READ), HYPERCALL_TEST);
	return guest->registers.bx;
}

#ifdef LHV_PAE
/* With EPT, VM entry takes them from the VMCS (27.3.2.1) */
static void write_pdptes(const pte_t *pdptes)
{
	for (unsigned i = 0; i < 4; i++)
		vmwrite(VMCS_GUEST_PDPTE0 + 2 * i, pdptes[i]);
}
#endif

void window_use_ept(const struct ept *ept)
{
	const struct vmx_caps *caps = &this_cpu()->caps;

	if (!(vmread(VMCS_PROC_CONTROLS) & PROC_ACTIVATE_SECONDARY_CONTROLS)) {
		controls_set(VMCS_PROC_CONTROLS, &caps->proc, PROC_ACTIVATE_SECONDARY_CONTROLS, "activate secondary controls");
		vmwrite(VMCS_PROC2_CONTROLS, caps->proc2.must_be_1);
	}
	controls_set(VMCS_PROC2_CONTROLS, &caps->proc2, PROC2_ENABLE_EPT, "enable EPT");
	ept_use(ept);
#ifdef LHV_PAE
	write_pdptes((const pte_t *)(ulong)(vmread(VMCS_GUEST_CR3) & ~0x1full));
#endif
}

pte_t guest_entry(u64 guest_physical)
{
	return guest_physical | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY;
}

struct guest_tables guest_tables_create(ulong linear)
{
	struct guest_tables tables = {.levels = LEVELS, .linear = linear};
	const pte_t *copied = (const pte_t *)(read_cr3() & ~0x1ful);
	u64 large = 0; /* the large page of the kernel's tables that is split from here on */

	for (unsigned i = 0, shift = TOP_SHIFT; i < LEVELS; i++, shift -= PAGE_TABLE_SHIFT) {
		pte_t *table = tables.table[i] = scratch_page();
		unsigned index = linear >> shift & (PAGE_TABLE_ENTRIES - 1);

		if (copied)
			memcpy(table, copied, LEVELS == 3 && i == 0 ? 4 * sizeof(pte_t) : PAGE_SIZE);
		else
			for (unsigned j = 0; j < PAGE_TABLE_ENTRIES; j++)
				table[j] = (large + ((u64)j << shift)) | TABLE_RIGHTS | PTE_DIRTY | (i == LEVELS - 1 ? 0 : PTE_LARGE);
		tables.entry[i] = &table[index];
		if (i == LEVELS - 1)
			break;
		if (table[index] & PTE_LARGE && !(LEVELS == 3 && i == 0)) {
			large = table[index] & PTE_ADDRESS & ~((1ull << shift) - 1);
			copied = 0;
		} else if (copied) {
			copied = (const pte_t *)(ulong)(table[index] & PTE_ADDRESS);
		}
	}
	for (unsigned i = 0; i + 1 < LEVELS; i++)
		*tables.entry[i] = (ulong)tables.table[i + 1] | (LEVELS == 3 && i == 0 ? PTE_PRESENT : TABLE_RIGHTS);
	*tables.entry[LEVELS - 1] = guest_entry(linear & -(ulong)PAGE_SIZE);
	return tables;
}

void guest_tables_use(const struct guest_tables *tables)
{
	vmwrite(VMCS_GUEST_CR3, (ulong)tables->table[0]);
#ifdef LHV_PAE
	if (vmread(VMCS_PROC_CONTROLS) & PROC_ACTIVATE_SECONDARY_CONTROLS && vmread(VMCS_PROC2_CONTROLS) & PROC2_ENABLE_EPT)
		write_pdptes(tables->table[0]);
#endif
}
