/* The MTRRs of the CPU that this runs on: their MSR numbers, and reading them all. */
#pragma once
#include "memory/memory-type.h"
#include "cpu/msr.h"

#define MTRRCAP_VCNT(cap) ((unsigned)((cap)&0xff)) /* variable-range pairs */
#define MTRRCAP_FIX BIT(8)			   /* fixed-range MTRRs */
#define MTRRCAP_WC BIT(10)			   /* memory type WC */

#define MTRR_DEF_TYPE_FE BIT(10)
#define MTRR_DEF_TYPE_E BIT(11)
#define MTRR_DEF_TYPE_RESERVED (BITS(63, 12) | BITS(9, 8))

#define MSR_MTRR_PHYSBASE(n) (MSR_MTRR_PHYSBASE0 + 2 * (n))
#define MSR_MTRR_PHYSMASK(n) (MSR_MTRR_PHYSMASK0 + 2 * (n))

/* The fixed-range MSRs, in the order of the addresses that they map */
extern const u32 mtrr_fixed_msrs[MTRR_FIXED_COUNT];

/*
 * Reads the state. Nothing that CPUID and IA32_MTRRCAP do not announce is touched, and what cannot be read counts as 0.
 * At most MTRR_VARIABLE_MAX pairs are read (no CPU has more than 10).
 */
void mtrr_read(struct mtrr_state *mtrrs);
