/*
 * Processors, modes and memory for tests of the VM-entry model: each set of capabilities is a place to try VMCSs
 * in.
 */
#pragma once
#include "lhv-tests/entry/model.h"

/* X(NAME, what it is) */
#define PLACES(X) \
	X(EVERYTHING, "every feature, from a 64-bit host") \
	X(STRICT, "most features, the capabilities that relax rules 0") \
	X(HASWELL, "an older processor, from a 64-bit host") \
	X(LEGACY, "every feature, from a 32-bit host in a 32-bit build") \
	X(LEGACY_64, "every feature, from a 32-bit host, fields written by a 64-bit one") \
	X(ADDRESSES_32, "IA32_VMX_BASIC[48] = 1") \
	X(OLD, "no Intel 64, no secondary controls") \
	X(HIDDEN, "every feature but Intel 64, whose controls may be 1 all the same") \
	X(SMM, "every feature, in system-management mode")

#define X(name, text) PLACE_##name,
enum place_number { PLACES(X) PLACE_COUNT };
#undef X

#define PLACE_MEMORY_PAGES 16u

struct place {
	struct entry_place place;
	struct entry_caps caps;
	struct entry_mode mode;
	struct entry_memory memory;
	u8 bytes[PLACE_MEMORY_PAGES * PAGE_SIZE];
};

const char *place_name(enum place_number number);

/* Makes it anew, memory all zeros but for the first word of the current VMCS. */
void place_make(struct place *place, enum place_number number);
