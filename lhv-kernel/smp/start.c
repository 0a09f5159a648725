/* Starting the application processors. SDM 3A, "Multiple-Processor (MP) Initialization". */
#include "smp/start.h"
#include "console/console.h"
#include "cpu/paging.h"
#include "cpu/registers.h"
#include "cpu/time.h"
#include "harness/walk.h"
#include "interrupts/lapic.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "smp/acpi.h"
#include "smp/cpu.h"

extern const u8 trampoline_begin[], trampoline_end[];

/* What the trampoline hands to the CPU that wakes up: one at a time */
ulong ap_boot_stack, ap_boot_cr3, ap_boot_cr4;
struct cpu *ap_boot_cpu;

#define INIT_DELAY_US 10000
#define SIPI_DELAY_US 200
#define START_PATIENCE_US 200000

void ap_main(struct cpu *cpu);

void ap_main(struct cpu *cpu)
{
	cpu_load(cpu);
	lapic_init(false);
	__atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
	harness_join();
}

static bool comes(struct cpu *cpu, u32 us)
{
	for (u32 waited = 0; waited < us; waited += 10) {
		if (__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE))
			return true;
		delay_us(10);
	}
	return false;
}

static bool start_one(u32 apic_id, u32 page)
{
	struct cpu *cpu = cpu_prepare(apic_id, false);

	ap_boot_cpu = cpu;
	ap_boot_stack = cpu->stack_top;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	lapic_send(apic_id, ICR_STARTUP | ICR_ASSERT | page >> 12);
	if (comes(cpu, SIPI_DELAY_US))
		return true;
	lapic_send(apic_id, ICR_STARTUP | ICR_ASSERT | page >> 12);
	if (comes(cpu, START_PATIENCE_US))
		return true;
	/* its place and stack stay taken: it may wake up yet, in an ap_main that then finds itself lost */
	cpu->lost = cpu->lost_said = true;
	return false;
}

unsigned smp_start(unsigned limit)
{
	u32 own = lapic_id(), page = pages_low();
	unsigned others = 0;

	if (!acpi.madt || !lapic_there() || !page) {
		print("# CPUs: only this one is used: %s",
		      !acpi.found ? "no ACPI tables were found" : !acpi.madt ? "ACPI has no MADT" :
		      !lapic_there() ? "there is no local APIC" : "no free memory below 512 KiB");
		return 1;
	}
	memcpy((void *)(ulong)page, trampoline_begin, trampoline_end - trampoline_begin);
	ap_boot_cr3 = read_cr3();
	ap_boot_cr4 = read_cr4();
	for (unsigned i = 0; i < acpi.cpu_count; i++)
		others += acpi.apic_ids[i] != own;
	if (!limit || limit > MAX_CPUS)
		limit = MAX_CPUS;
	if (others && limit > 1) {
		for (unsigned i = 0, sent = 1; i < acpi.cpu_count && sent < limit; i++)
			if (acpi.apic_ids[i] != own) {
				lapic_send(acpi.apic_ids[i], ICR_INIT | ICR_ASSERT);
				sent++;
			}
		delay_us(INIT_DELAY_US);
	}
	for (unsigned i = 0; i < acpi.cpu_count && cpu_count < limit; i++)
		if (acpi.apic_ids[i] != own && !start_one(acpi.apic_ids[i], page))
			print("# cpu %u: APIC id %u, did not start", cpu_count - 1, acpi.apic_ids[i]);
	if (others + 1 > limit)
		print("# CPUs: the platform has %u, LHV uses %u", others + 1, limit);
	return others + 1;
}
