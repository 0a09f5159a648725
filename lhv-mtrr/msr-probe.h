/* Reads of MSRs that a rule is about, and writes that it tries out and takes back, so that a platform that accepts too much is left as it was. */
#pragma once
#include "lib/types.h"

/* The value of an MSR that must be there, with planted faults applied: the rule fails where RDMSR faults. */
u64 expect_read(u32 msr, const char *name);

/*
 * WRMSR of the value must give #GP(0) and leave the MSR alone. name is the SDM's. Where it does not hold the old value
 * is put back before the rule ends as failed.
 */
void expect_refused(u32 msr, const char *name, u64 value);

/* WRMSR of the value must succeed and RDMSR must then give it back. The old value is put back in any case. */
void expect_accepted(u32 msr, const char *name, u64 value);
