/* The host's page tables. SDM 3A chapter "Paging": 32-bit, PAE and 4-level paging. */
#include "cpu/paging.h"
#include "cpu/registers.h"
#include "memory/pages.h"

#if defined(__x86_64__)
#define LEVELS 4
#define TOP_SHIFT 39
const char *const paging_mode = "4-level";
#elif defined(LHV_PAE)
#define LEVELS 3
#define TOP_SHIFT 30
const char *const paging_mode = "PAE";
#else
#define LEVELS 2
#define TOP_SHIFT 22
const char *const paging_mode = "32-bit";
#endif

#define TABLE(entry) ((pte_t *)(ulong)((entry)&PTE_ADDRESS))

static pte_t *table_create(void)
{
	return pages_allocate(1);
}

pte_t *paging_entry(ulong address)
{
	pte_t *table = (pte_t *)(read_cr3() & ~0x1ful);

	for (unsigned shift = TOP_SHIFT; shift > 12; shift -= PAGE_TABLE_SHIFT) {
		pte_t *entry = &table[address >> shift & (PAGE_TABLE_ENTRIES - 1)];

		if (*entry & PTE_LARGE) {
			pte_t *smaller = table_create();

			for (unsigned i = 0; i < PAGE_TABLE_ENTRIES; i++)
				smaller[i] = (*entry & ~(pte_t)PTE_LARGE) + ((pte_t)i << (shift - PAGE_TABLE_SHIFT));
			*entry = (ulong)smaller | PTE_PRESENT | PTE_WRITE | PTE_USER;
		}
		table = TABLE(*entry);
	}
	return &table[address >> 12 & (PAGE_TABLE_ENTRIES - 1)];
}

void paging_unmap(ulong address)
{
	*paging_entry(address) = 0;
	invlpg(address);
}

void paging_uncached(ulong address)
{
	*paging_entry(address) |= PTE_CACHE_DISABLE;
	invlpg(address);
}

#ifndef __x86_64__
/* The PDPTEs of PAE paging have no write and user bits (they are reserved): present only */
#define LARGE_PAGE_SHIFT (12 + PAGE_TABLE_SHIFT)
#define LARGE_PAGES (1u << (32 - LARGE_PAGE_SHIFT))

void paging_init(void)
{
	pte_t *top = table_create(), *directory = top;

	for (unsigned i = 0; i < LARGE_PAGES; i++) {
		if (LEVELS == 3 && i % PAGE_TABLE_ENTRIES == 0) {
			directory = table_create();
			top[i / PAGE_TABLE_ENTRIES] = (ulong)directory | PTE_PRESENT;
		}
		directory[i % PAGE_TABLE_ENTRIES] =
			((pte_t)i << LARGE_PAGE_SHIFT) | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
	}
	write_cr4(read_cr4() | (LEVELS == 3 ? CR4_PAE : CR4_PSE));
	write_cr3((ulong)top);
	write_cr0(read_cr0() | CR0_PG | CR0_NE);
}
#else
void paging_init(void)
{
}
#endif
