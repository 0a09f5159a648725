/* The end of the machine. */
#include "harness/finish.h"
#include "console/console.h"
#include "cpu/port.h"
#include "cpu/registers.h"
#include "harness/platform.h"
#include "lib/format.h"
#include "lib/string.h"
#include "smp/acpi.h"

u8 finish_code = FINISH_REFUSED;

#define QEMU_EXIT_PORT 0xf4	/* isa-debug-exit: ends QEMU with status 2 * code + 1 */
#define BOCHS_SHUTDOWN_PORT 0x8900 /* ends Bochs at the last letter of "Shutdown" */
#define PM1_SLEEP_ENABLE BIT(13)

/* A few thousand instructions: an emulator that was told to end does so within them */
static void give_it_time(void)
{
	for (unsigned i = 0; i < 100000; i++)
		pause();
}

void finish(void)
{
	interrupts_off();
	console_drain();
	/* these ports mean something else, or nothing, on a real machine, whose screen must stay up to be read */
	if (platform_is_emulator() && !console_is_only_screen()) {
		out8(QEMU_EXIT_PORT, finish_code);
		for (const char *c = "Shutdown"; *c; c++)
			out8(BOCHS_SHUTDOWN_PORT, *c);
		give_it_time();
		if (acpi.soft_off && acpi.pm1a_control) {
			out16(acpi.pm1a_control, acpi.soft_off_type << 10 | PM1_SLEEP_ENABLE);
			give_it_time();
		}
	}
	print_block("# LHV has halted this machine: the verdict is above\n");
	for (;;)
		asm volatile("cli\n\thlt");
}

void panic(const char *text, ...)
{
	char line[LINE_SIZE] = "\nBail out! ";
	va_list args;

	va_start(args, text);
	vformat(line + strlen(line), sizeof(line) - strlen(line), text, args);
	va_end(args);
	append(line, sizeof(line), "\n# verdict: refused\n");
	console_last_words(line);
	finish();
}
