/* Values for every field of a VMCS, for rules on what becomes of them. */
#pragma once
#include "lib/types.h"

#define VMCS_FIELDS_MAX (PAGE_SIZE / sizeof(u64))

/* A fresh VMCS region of this CPU in scratch memory: revision identifier written, cleared, inactive. */
u64 vmcs_fresh(void);

/* Clears the VMCS and makes it current again. Its revision identifier is written once more between: its loss has rules of its own. */
void vmcs_clear_and_load(u64 vmcs);

/* VMCLEAR, VMPTRLD, VMPTRST that must succeed. */
void vmcs_clear(u64 vmcs);
void vmcs_load(u64 vmcs);
u64 vmcs_current(void);

/*
 * Which bits each field of the current VMCS keeps, found by VMWRITE and VMREAD of ones and zeros, in the order of
 * vmcs_fields[]; 0 for a field that the CPU does not have or that cannot be written.
 */
const u64 *vmcs_bits_kept(void);

/* A value for a field: not 0, and another one for each field of a VMCS and for each `which` from 0 to 2. */
u64 vmcs_value(const u64 *kept, unsigned field, unsigned which);

/* VMWRITEs every field of the current VMCS. The _try form is for guests: returns the first outcome that is no success. */
void vmcs_fill(const u64 *kept, unsigned which);
u32 vmcs_fill_try(const u64 *kept, unsigned which);

/* Makes the VMCS current, finds which bits its fields keep, and fills it. Returns those bits. */
const u64 *vmcs_load_filled(u64 vmcs, unsigned which);

/* Every field of the current VMCS reads back as vmcs_fill() wrote it; when: such as "after VMXOFF and VMXON". */
void vmcs_expect_filled(const char *when, const u64 *kept, unsigned which);

/* How many fields do not; *example is the first of them. */
unsigned vmcs_count_other(const u64 *kept, unsigned which, unsigned *example);

/* All fields of the current VMCS as they are, in the order of vmcs_fields[], in scratch memory. */
const u64 *vmcs_snapshot(void);

/* VMWRITEs what a snapshot has, but for fields that cannot be written. */
void vmcs_write_snapshot(const u64 *snapshot);

/* Every field of the current VMCS is as in the snapshot. */
void vmcs_expect_snapshot(const char *when, const u64 *snapshot);
