/* The local APIC. */
#include "interrupts/lapic.h"
#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/paging.h"
#include "cpu/registers.h"
#include "harness/fault.h"
#include "interrupts/interrupts.h"
#include "smp/cpu.h"

#define APIC_BASE_ENABLE BIT(11)
#define APIC_BASE_X2APIC BIT(10)
#define SVR_ENABLE BIT(8)
#define SEND_PATIENCE 1000000

/* The same on every CPU: firmware puts all local APICs at one address and in one mode */
static volatile u8 *registers;
static bool there, x2apic;

bool lapic_there(void)
{
	return there;
}

bool lapic_is_x2apic(void)
{
	return x2apic;
}

u32 lapic_read(unsigned reg)
{
	if (fault(FAULT_APIC_COUNT_STUCK) && reg == LAPIC_TIMER_CURRENT && this_cpu()->in_rule)
		return 0xffffffff;
	if (x2apic)
		return msr_read(MSR_X2APIC_BASE + reg / 16);
	return *(volatile u32 *)(registers + reg);
}

void lapic_write(unsigned reg, u32 value)
{
	this_cpu()->lapic_used = true;
	if (x2apic)
		msr_write(MSR_X2APIC_BASE + reg / 16, value);
	else
		*(volatile u32 *)(registers + reg) = value;
}

u32 lapic_id(void)
{
	u32 id = there ? lapic_read(LAPIC_ID) : 0;

	return x2apic ? id : id >> 24;
}

void lapic_eoi(void)
{
	if (there)
		lapic_write(LAPIC_EOI, 0);
}

bool lapic_init(bool boot)
{
	u64 base;

	if (!(cpuid(1, 0).edx & CPUID_1_EDX_APIC) || msr_try_read(MSR_APIC_BASE, &base) != SUCCEEDED)
		return false;
	if (!(base & APIC_BASE_ENABLE) && msr_try_write(MSR_APIC_BASE, base | APIC_BASE_ENABLE) != SUCCEEDED)
		return false;
	if (boot) {
		x2apic = base & APIC_BASE_X2APIC;
		registers = (volatile u8 *)(ulong)(base & BITS(31, 12));
		if (!x2apic)
			paging_uncached((ulong)registers);
	} else if (x2apic && !(base & APIC_BASE_X2APIC)) {
		msr_write(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	}
	there = true;
	lapic_write(LAPIC_SVR, SVR_ENABLE | VECTOR_APIC_SPURIOUS);
	/* virtual wire: the 8259A reaches the bootstrap processor through LINT0 */
	lapic_write(LAPIC_LVT_LINT0, boot ? LVT_EXTINT : LVT_MASKED | LVT_EXTINT);
	lapic_reset();
	return true;
}

void lapic_reset(void)
{
	if (!there || !this_cpu()->lapic_used)
		return;
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VECTOR_APIC_TIMER);
	lapic_write(LAPIC_TIMER_INITIAL, 0);
	lapic_write(LAPIC_TPR, 0);
	/* at most one EOI for each vector that can be in service */
	for (unsigned i = 0; i < 256; i++) {
		u32 in_service = 0;

		for (unsigned word = 0; word < 8; word++)
			in_service |= lapic_read(LAPIC_ISR + word * 16);
		if (!in_service)
			break;
		lapic_eoi();
	}
	this_cpu()->lapic_used = false;
}

void lapic_send(u32 apic_id, u32 command)
{
	for (unsigned i = 0; i < cpu_count; i++)
		cpus[i].lapic_used = true; /* the interrupt is in service there, then */
	if (x2apic) {
		asm volatile("mfence" : : : "memory"); /* this WRMSR does not serialise */
		msr_write(MSR_X2APIC_BASE + LAPIC_ICR / 16, (u64)apic_id << 32 | command);
		return;
	}
	lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
	lapic_write(LAPIC_ICR, command);
	for (u32 i = 0; i < SEND_PATIENCE && lapic_read(LAPIC_ICR) & ICR_PENDING; i++)
		pause();
}
