/* Memory types, and the one that the MTRRs give a physical address. Pure functions: also built for the host's unit tests. */
#pragma once
#include "lib/types.h"

/* SDM 12.11, table 12-8: the encodings that MTRRs may hold; all others are reserved */
#define MEMORY_UC 0
#define MEMORY_WC 1
#define MEMORY_WT 4
#define MEMORY_WP 5
#define MEMORY_WB 6
/* SDM 12.12.2, table 12-10: PAT only */
#define MEMORY_UC_MINUS 7

#define MTRR_FIXED_COUNT 11
#define MTRR_VARIABLE_MAX 32

#define MTRR_VALID BIT(11) /* of a PHYSMASK */

/* The MTRRs of one CPU */
struct mtrr_state {
	bool present;	    /* CPUID.1:EDX.MTRR and a readable IA32_MTRRCAP */
	bool enabled;	    /* IA32_MTRR_DEF_TYPE.E */
	bool fixed_enabled; /* IA32_MTRR_DEF_TYPE.FE, where the CPU has fixed-range MTRRs */
	u8 default_type;
	u8 variable_count; /* pairs in variable[] */
	u8 width;	   /* physical-address bits */
	u64 fixed[MTRR_FIXED_COUNT]; /* FIX64K_00000, FIX16K_80000, FIX16K_A0000, FIX4K_C0000 to FIX4K_F8000 */
	struct {
		u64 base, mask; /* IA32_MTRR_PHYSBASEn and PHYSMASKn as read, with type and valid bit */
	} variable[MTRR_VARIABLE_MAX];
};

/* The MTRRs of this machine, which guests' memory types come from: filled by lhv-mtrr at start-up. */
extern struct mtrr_state memory_types;

/* Is this one of the five types that an MTRR may hold? */
bool memory_type_valid(u8 type);

/* "UC", "WC", "WT", "WP", "WB", "UC-", or "reserved". */
const char *memory_type_name(u8 type);

/*
 * The memory type of a physical address, which is below 2^width. Where the SDM leaves it open (overlaps other than of
 * equal types, with UC, or of WT and WB) and where there are no MTRRs, it is UC: slow, never wrong.
 */
u8 mtrr_type(const struct mtrr_state *mtrrs, u64 address);

/*
 * Does the whole range have one type? *type is that of its first byte in any case. A range of size 0 has one;
 * one that passes the end of the 64-bit addresses ends there. Goes from border to border, not page by page
 * (piece by piece of a mask that is not contiguous).
 */
bool mtrr_uniform(const struct mtrr_state *mtrrs, u64 address, u64 size, u8 *type);

/* Is the mask of a PHYSMASK of the kind that gives one range (12.11.2.3 discourages others)? */
bool mtrr_mask_contiguous(const struct mtrr_state *mtrrs, u64 mask);
