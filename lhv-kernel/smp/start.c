/* Starting the application processors. SDM 3A, "Multiple-Processor (MP) Initialization". */
#include "smp/start.h"
#include "console/console.h"
#include "cpu/paging.h"
#include "cpu/registers.h"
#include "cpu/time.h"
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

static void (*ap_function)(void);

void ap_main(struct cpu *cpu);

void ap_main(struct cpu *cpu)
{
	cpu_load(cpu);
	lapic_init(false);
	__atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
	ap_function();
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
	/* back to waiting, so that it never wakes up on a stack that is another's by then */
	lapic_send(apic_id, ICR_INIT | ICR_ASSERT);
	cpu->lost = cpu->lost_said = true;
	return false;
}

/* xAPIC interrupt commands hold 8 bits of id, of which 255 means all */
static bool can_reach(u32 apic_id)
{
	return lapic_is_x2apic() || apic_id < 255;
}

void smp_start(void (*function)(void))
{
	u32 own = lapic_id(), page = pages_low();
	unsigned others = 0;

	if (!acpi.madt || !lapic_there() || !page) {
		print("# CPUs: only this one is used: %s",
		      !acpi.found ? "no ACPI tables were found" : !acpi.madt ? "ACPI has no MADT" :
		      !lapic_there() ? "there is no local APIC" : "no free memory below 512 KiB");
		return;
	}
	memcpy((void *)(ulong)page, trampoline_begin, trampoline_end - trampoline_begin);
	ap_function = function;
	ap_boot_cr3 = read_cr3();
	ap_boot_cr4 = read_cr4();
	for (unsigned i = 0; i < acpi.cpu_count; i++) {
		if (acpi.apic_ids[i] == own)
			continue;
		if (!can_reach(acpi.apic_ids[i]))
			print("# CPUs: APIC id %u is left out: an xAPIC cannot address it", acpi.apic_ids[i]);
		else if (++others < MAX_CPUS)
			lapic_send(acpi.apic_ids[i], ICR_INIT | ICR_ASSERT);
	}
	if (others)
		delay_us(INIT_DELAY_US);
	for (unsigned i = 0; i < acpi.cpu_count && cpu_count < MAX_CPUS; i++)
		if (acpi.apic_ids[i] != own && can_reach(acpi.apic_ids[i]) && !start_one(acpi.apic_ids[i], page))
			print("# cpu %u: APIC id %u, did not start", cpu_count - 1, acpi.apic_ids[i]);
	if (others >= MAX_CPUS)
		print("# CPUs: the platform has %u, LHV uses %u", others + 1, MAX_CPUS);
}
