/* CPUID, and the few of its bits that the kernel goes by. */
#pragma once
#include "lib/types.h"

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid r;

	asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

/* CPUID.1:ECX */
#define CPUID_1_ECX_VMX BIT(5)
#define CPUID_1_ECX_SMX BIT(6)
#define CPUID_1_ECX_X2APIC BIT(21)
#define CPUID_1_ECX_TSC_DEADLINE BIT(24)
#define CPUID_1_ECX_HYPERVISOR BIT(31)
/* CPUID.1:EDX */
#define CPUID_1_EDX_PSE BIT(3)
#define CPUID_1_EDX_MSR BIT(5)
#define CPUID_1_EDX_PAE BIT(6)
#define CPUID_1_EDX_MCE BIT(7)
#define CPUID_1_EDX_APIC BIT(9)
#define CPUID_1_EDX_SEP BIT(11)
#define CPUID_1_EDX_MTRR BIT(12)
#define CPUID_1_EDX_MCA BIT(14)
#define CPUID_1_EDX_PAT BIT(16)
/* CPUID.80000001H:EDX */
#define CPUID_81_EDX_LONG_MODE BIT(29)

/* A leaf that the CPU has, or all zeros: leaves past the highest answer with those of another leaf. */
static inline struct cpuid cpuid_if_there(u32 leaf, u32 subleaf)
{
	struct cpuid none = {0, 0, 0, 0};
	u32 highest = cpuid(leaf & 0xffff0000, 0).eax;

	return highest >= leaf && (highest & 0xffff0000) == (leaf & 0xffff0000) ? cpuid(leaf, subleaf) : none;
}

/* MAXPHYADDR: CPUID.80000008H:EAX[7:0], or 36 where that leaf is missing. */
static inline u8 cpuid_physical_width(void)
{
	u8 width = cpuid_if_there(0x80000008, 0).eax & 0xff;

	return width ? width : 36;
}
