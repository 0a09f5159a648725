/* Reads the MTRRs (SDM 3A, 12.11.1 MTRR Feature Identification and 12.11.2 Setting Memory Ranges with MTRRs). */
#include "mtrr.h"
#include "cpu/cpuid.h"
#include "lib/string.h"

const u32 mtrr_fixed_msrs[MTRR_FIXED_COUNT] = {
	MSR_MTRR_FIX64K_00000,	   MSR_MTRR_FIX16K_80000,     MSR_MTRR_FIX16K_A0000,	 MSR_MTRR_FIX4K_C0000,
	MSR_MTRR_FIX4K_C0000 + 1, MSR_MTRR_FIX4K_C0000 + 2, MSR_MTRR_FIX4K_C0000 + 3, MSR_MTRR_FIX4K_C0000 + 4,
	MSR_MTRR_FIX4K_C0000 + 5, MSR_MTRR_FIX4K_C0000 + 6, MSR_MTRR_FIX4K_C0000 + 7,
};

void mtrr_read(struct mtrr_state *mtrrs)
{
	u64 cap, def_type;

	memset(mtrrs, 0, sizeof(*mtrrs));
	mtrrs->width = cpuid_physical_width();
	mtrrs->present = cpuid(1, 0).edx & CPUID_1_EDX_MTRR && msr_try_read(MSR_MTRRCAP, &cap) == SUCCEEDED;
	if (!mtrrs->present)
		return;

	msr_try_read(MSR_MTRR_DEF_TYPE, &def_type);
	mtrrs->enabled = def_type & MTRR_DEF_TYPE_E;
	mtrrs->fixed_enabled = def_type & MTRR_DEF_TYPE_FE && cap & MTRRCAP_FIX;
	mtrrs->default_type = (u8)def_type;
	for (unsigned i = 0; cap & MTRRCAP_FIX && i < MTRR_FIXED_COUNT; i++)
		msr_try_read(mtrr_fixed_msrs[i], &mtrrs->fixed[i]);
	mtrrs->variable_count = MTRRCAP_VCNT(cap) < MTRR_VARIABLE_MAX ? MTRRCAP_VCNT(cap) : MTRR_VARIABLE_MAX;
	for (unsigned i = 0; i < mtrrs->variable_count; i++) {
		msr_try_read(MSR_MTRR_PHYSBASE(i), &mtrrs->variable[i].base);
		msr_try_read(MSR_MTRR_PHYSMASK(i), &mtrrs->variable[i].mask);
	}
}
