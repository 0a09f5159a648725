/* Processor registers and single instructions. The _try forms survive a fault and return it as an outcome. */
#pragma once
#include "lib/types.h"
#include "vmx/outcome.h"

#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_VME BIT(0)
#define CR4_TSD BIT(2)
#define CR4_DE BIT(3)
#define CR4_PSE BIT(4)
#define CR4_PAE BIT(5)
#define CR4_MCE BIT(6)
#define CR4_PGE BIT(7)
#define CR4_PCE BIT(8)
#define CR4_OSFXSR BIT(9)
#define CR4_VMXE BIT(13)
#define CR4_SMXE BIT(14)
#define CR4_OSXSAVE BIT(18)

#define RFLAGS_CF BIT(0)
#define RFLAGS_FIXED BIT(1) /* always 1 */
#define RFLAGS_PF BIT(2)
#define RFLAGS_AF BIT(4)
#define RFLAGS_ZF BIT(6)
#define RFLAGS_SF BIT(7)
#define RFLAGS_TF BIT(8)
#define RFLAGS_IF BIT(9)
#define RFLAGS_DF BIT(10)
#define RFLAGS_OF BIT(11)
#define RFLAGS_VM BIT(17)
#define RFLAGS_AC BIT(18)
#define RFLAGS_ID BIT(21)

#define READ_REGISTER(name) \
	static inline ulong read_##name(void) \
	{ \
		ulong value; \
		asm volatile("mov %%" #name ", %0" : "=r"(value) : : "memory"); \
		return value; \
	}
#define WRITE_REGISTER(name) \
	static inline void write_##name(ulong value) \
	{ \
		asm volatile("mov %0, %%" #name : : "r"(value) : "memory"); \
	}

READ_REGISTER(cr0)
READ_REGISTER(cr2)
READ_REGISTER(cr3)
READ_REGISTER(cr4)
READ_REGISTER(dr7)
WRITE_REGISTER(cr0)
WRITE_REGISTER(cr2)
WRITE_REGISTER(cr3)
WRITE_REGISTER(cr4)
WRITE_REGISTER(dr7)
#undef READ_REGISTER
#undef WRITE_REGISTER

outcome_t write_cr0_try(ulong value);
outcome_t write_cr4_try(ulong value);

static inline ulong read_flags(void)
{
	ulong value;

	asm volatile("pushf\n\tpop %0" : "=rm"(value) : : "memory");
	return value;
}

static inline u64 rdtsc(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}

static inline void pause(void)
{
	asm volatile("pause" : : : "memory");
}

/* Lets one interrupt in: STI blocks until the instruction after it, so that none is lost before HLT. */
static inline void wait_for_interrupt(void)
{
	asm volatile("sti\n\thlt\n\tcli" : : : "memory");
}

static inline void interrupts_on(void)
{
	asm volatile("sti" : : : "memory");
}

static inline void interrupts_off(void)
{
	asm volatile("cli" : : : "memory");
}
