/*
 * Rewriting entries of paging structures that the CPU may have cached: a guest's own and EPT's. Rules on what INVVPID,
 * INVEPT and the tags do rewrite through here, so that planted faults can keep the old translation in use as a CPU would
 * that does not drop it; without them these are plain stores. SDM 3C "Caching Translation Information".
 */
#pragma once
#include "cpu/paging.h"
#include "lib/types.h"
#include "vmx/instructions.h"

/* Of the guest of the current VMCS, whose VPID tags what may be cached. linear: the address that the entry maps. */
void stale_rewrite_guest(pte_t *entry, pte_t value, ulong linear);

/* Of the tree that the current VMCS's EPT pointer names. */
void stale_rewrite_ept(u64 *entry, u64 value);

/* With planted faults: what INVVPID and INVEPT drop, what a VM entry then sees, and that a rule has ended. */
void stale_invvpid(ulong type, struct invvpid_descriptor descriptor);
void stale_invept(ulong type, struct invept_descriptor descriptor);
void stale_before_entry(void);
void stale_forget(void);
