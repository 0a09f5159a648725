/* Planted faults around VM entry and VM exit: the VMCS is bent for the time of one run of the guest. */
#pragma once
#include "lib/types.h"

struct registers;

/* Before VM entry, with the current VMCS. Only called where a fault is planted. */
void planted_before_entry(void);

/* After it: the VMCS as the test had it. exited: there was a VM exit. Returns true where the guest must be entered again. */
bool planted_after_exit(const struct registers *registers, bool exited);
