/* Model-specific registers: numbers, and access that survives registers that are not there. */
#pragma once
#include "lib/types.h"
#include "vmx/outcome.h"

#define MSR_TSC 0x10
#define MSR_APIC_BASE 0x1b
#define MSR_FEATURE_CONTROL 0x3a
#define MSR_TSC_ADJUST 0x3b
#define MSR_MTRRCAP 0xfe
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_DEBUGCTL 0x1d9
#define MSR_MTRR_PHYSBASE0 0x200
#define MSR_MTRR_PHYSMASK0 0x201
#define MSR_MTRR_FIX64K_00000 0x250
#define MSR_MTRR_FIX16K_80000 0x258
#define MSR_MTRR_FIX16K_A0000 0x259
#define MSR_MTRR_FIX4K_C0000 0x268
#define MSR_PAT 0x277
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC_BASE 0x800
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_FMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103

#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)

/* SUCCEEDED, or how RDMSR faulted (*value is then 0). Planted faults (fault=msr:N:flip:BITS) are applied to the value. */
outcome_t msr_try_read(u32 msr, u64 *value);

/* SUCCEEDED, or how WRMSR faulted. */
outcome_t msr_try_write(u32 msr, u64 value);

/* For MSRs that must be there: a fault is an unexpected exception and ends the rule. */
u64 msr_read(u32 msr);
void msr_write(u32 msr, u64 value);
