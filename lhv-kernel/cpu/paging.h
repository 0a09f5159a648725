/* The host's page tables: memory below 4 GiB mapped one to one, in the paging mode of the build. */
#pragma once
#include "lib/types.h"

#if defined(__x86_64__) || defined(LHV_PAE)
typedef u64 pte_t;
#define PAGE_TABLE_SHIFT 9
#else
typedef u32 pte_t;
#define PAGE_TABLE_SHIFT 10
#endif
#define PAGE_TABLE_ENTRIES (1u << PAGE_TABLE_SHIFT)

#define PTE_PRESENT BIT(0)
#define PTE_WRITE BIT(1)
#define PTE_USER BIT(2)
#define PTE_CACHE_DISABLE BIT(4)
#define PTE_LARGE BIT(7)
#define PTE_ADDRESS ((pte_t)0x000ffffffffff000ull)

/* The name of the mode: "4-level", "PAE", "32-bit". */
extern const char *const paging_mode;

/* Builds the tables (32-bit builds; the 64-bit build came up on them) and turns paging on. */
void paging_init(void);

/* The 4-KByte entry that maps an address, large pages split on the way (pages_allocate). Flush after a change. */
pte_t *paging_entry(ulong address);

/* Makes a page fault on every access, on all CPUs that have not started yet and on this one. */
void paging_unmap(ulong address);

/* Maps a page without caching (device registers). */
void paging_uncached(ulong address);

static inline void invlpg(ulong address)
{
	asm volatile("invlpg %0" : : "m"(*(const char *)address) : "memory");
}
