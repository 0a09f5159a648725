/* The machine from power-on to all CPUs ready. */
#include "start.h"
#include "boot/multiboot.h"
#include "config.h"
#include "console/console.h"
#include "cpu/paging.h"
#include "cpu/time.h"
#include "harness/fault.h"
#include "harness/finish.h"
#include "harness/select.h"
#include "harness/walk.h"
#include "harness/watchdog.h"
#include "interrupts/devices.h"
#include "interrupts/lapic.h"
#include "interrupts/pic.h"
#include "memory/pages.h"
#include "smp/acpi.h"
#include "smp/cpu.h"
#include "smp/start.h"

struct devices devices;

static void read_options(bool loader_known)
{
	bool good = options_parse(&options, boot_info.command_line, LHV_OPT_GIVEN, LHV_OPT) &&
		    faults_plant(options.faults, options.error, sizeof(options.error));
	const char *consoles = console_init(options.console, options.log_memory);

	print("TAP version 14");
	print("# LHV " LHV_VERSION " " LHV_ARCH);
	print("# boot options: %s", boot_info.command_line);
	print("# consoles: %s", consoles);
	if (!loader_known)
		panic("no Multiboot loader started this kernel: boot it with GRUB's multiboot or multiboot2 command, or QEMU's -kernel");
	if (boot_info.command_line_cut)
		panic("the command line is longer than %u characters", COMMAND_LINE_SIZE - 1);
	if (!good)
		panic("%s", options.error);
}

void kernel_start(u32 magic, u32 info)
{
	struct cpu *cpu;

	read_options(multiboot_read(magic, info));
	if (!pages_init(options.log_memory))
		panic("the loader's memory map shows no usable memory between the kernel and 256 MiB");
	paging_init();
	cpu = cpu_prepare(0, true);
	cpu_load(cpu);
	cpu->online = true;
	acpi_read();
	devices.pic = pic_init();
	devices.pit = time_init();
	lapic_init(true);
	cpu->apic_id = lapic_id();
}

void kernel_start_cpus(void)
{
	print("# memory map: %u usable ranges, %s, ACPI %s", boot_info.memory_ranges, boot_info.protocol,
	      acpi.found ? acpi.oem : "not found");
	smp_start(harness_run);
	print("# watchdog: %u ms for a rule, %s", options.deadline_ms, watchdog_init(options.deadline_ms));
}
