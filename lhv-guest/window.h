/*
 * A window: one linear address of a guest, with page tables and extended page tables of the rule's own behind it, and what
 * a guest does there. For rules on translation and its caching.
 */
#pragma once
#include "cpu/paging.h"
#include "lhv-guest/ept.h"
#include "lhv-guest/guest.h"

/* Linear and, behind the kernel's page tables, guest-physical address: in a GByte that has nothing a guest of ours uses */
#define WINDOW (2 * GIB)
/* Tables for the identity map and one more 4-KByte leaf, all of whose tables are new */
#define WINDOW_TABLES (EPT_IDENTITY_PAGES + 3)

/* What a page behind a window holds: data, and as code a RET */
#define WINDOW_PATTERN 0x600dc0c3u
#define WINDOW_ANSWER 0x0ddba1c3u

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };

/* Where this CPU's guests look; WINDOW unless a rule says otherwise. Set by window_guest(). */
void window_look_at(ulong linear);

/* A golden guest that makes one access at the window, then the hypercall TEST with what it read (else 0), then DONE. */
struct guest *window_guest(enum access access);

/* Starts it anew, with this access, and returns its next exit: TEST, or what the access came to. */
struct exit window_access(struct guest *guest, enum access access);

/* The same with a read that must succeed. Returns what the guest read. */
u32 window_read(struct guest *guest);

/* Makes the current VMCS use EPT and this tree, whatever the options say. Ends the rule as skipped where it cannot. */
void window_use_ept(const struct ept *ept);

/* Page tables of a guest's own: the kernel's but for the path to one linear address. */
struct guest_tables {
	pte_t *table[4]; /* top first */
	pte_t *entry[4]; /* of the linear address, in each of them; the last maps a 4-KByte page */
	unsigned levels;
	ulong linear;
};

/* Makes them, for the linear address, which maps to the same guest-physical address; accessed and dirty flags set. */
struct guest_tables guest_tables_create(ulong linear);

/* Makes the current VMCS's guest use them; also PDPTEs where EPT wants them in the VMCS. */
void guest_tables_use(const struct guest_tables *tables);

/* An entry that maps a page of the guest, present, writable, accessed and dirty. */
pte_t guest_entry(u64 guest_physical);
