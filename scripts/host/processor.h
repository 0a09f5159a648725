/* Processors as data for programs of the host: one that has every feature, and one that capability MSRs describe. */
#pragma once
#include "lhv-tests/entry/model.h"

/* Every control and feature that has a name; 46 physical and 48 linear address bits, 64-bit fields. */
void processor_everything(struct entry_caps *caps);

/* Takes the capability MSRs that caps->vmx.msr[] holds (msr_there: which) into what they say; leaves the rest as it is. */
void processor_take_msrs(struct entry_caps *caps);
