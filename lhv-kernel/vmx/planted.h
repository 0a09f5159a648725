/*
 * Planted faults of VM entry and VM exit themselves: what they load, store and heed (MSR areas, bitmaps, controls). The VMCS is
 * bent for the time of one run of the guest. Those of VMCLEAR, VMPTRLD, VMPTRST and the launch state are in vmcs-faults.h,
 * those of cached translations in stale.h.
 */
#pragma once
#include "lib/types.h"

struct registers;

/* Before VM entry, with the current VMCS. Only called where a fault is planted. */
void planted_before_entry(void);

/* After it: the VMCS as the test had it. exited: there was a VM exit. Returns true where the guest must be entered again. */
bool planted_after_exit(const struct registers *registers, bool exited);
