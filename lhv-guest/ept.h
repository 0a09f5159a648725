/* Extended page tables: a builder with 4-KByte, 2-MByte and 1-GByte leaves. SDM 3C "The Extended Page Table Mechanism". */
#pragma once
#include "lib/types.h"
#include "memory/memory-type.h"

#define EPT_READ BIT(0)
#define EPT_WRITE BIT(1)
#define EPT_EXECUTE BIT(2)
#define EPT_RWX (EPT_READ | EPT_WRITE | EPT_EXECUTE)
#define EPT_MEMORY_TYPE(type) ((u64)(type) << 3)
#define EPT_LEAF BIT(7)

/* Size of what one leaf maps */
enum ept_leaf { EPT_4K = 0, EPT_2M = 1, EPT_1G = 2 };

/* Tables, taken from pages that the caller gives. */
struct ept {
	u64 *root;
	u8 *pages;
	unsigned used, count;
};

/* An empty tree. pages: count zeroed pages, for the root and each table to come; where they run out the rule is skipped. */
struct ept ept_create(void *pages, unsigned count);

/*
 * Maps one leaf: guest-physical to host-physical address, both multiples of the leaf's size; rights: EPT_READ …,
 * memory type: MEMORY_WB …. Replaces what was there; a larger leaf in the way is split.
 */
void ept_map(struct ept *ept, u64 guest, u64 host, enum ept_leaf leaf, u64 rights, u8 memory_type);

/* Writes an entry of a tree, found by ept_entry(): all of it, so that it can be wrong. */
void ept_write(u64 *entry, u64 value);

/* The entry that maps a guest-physical address at that level, or 0 where the tree does not reach down to it. */
u64 *ept_entry(struct ept *ept, u64 guest, enum ept_leaf leaf);

/* The first 4 GiB one to one, with the MTRRs' memory types, in the largest leaves that the CPU has. */
void ept_map_identity(struct ept *ept);
#define EPT_IDENTITY_PAGES 16 /* enough where the CPU has 2-MByte leaves and the MTRRs' borders are few */

/* The EPT pointer for the tree, with write-back paging structures where the CPU has them. */
struct cpu;
u64 ept_pointer(const struct cpu *cpu, const struct ept *ept);

/* Makes the current VMCS use the tree, with nothing cached of an earlier one at the same place. */
void ept_use(const struct ept *ept);

/* This CPU's own identity map, made once: part of the golden state. */
u64 ept_identity_pointer(struct cpu *cpu);
