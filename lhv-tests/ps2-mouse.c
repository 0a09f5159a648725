/*
 * The 8042 keyboard controller's auxiliary port, where a PS/2 mouse is, and its IRQ 12: a line of the second 8259A, which
 * hypervisors that pass the devices on forget first. Nothing is sent to a mouse: the controller puts the byte into its
 * output buffer itself.
 */
#include "cpu/port.h"
#include "cpu/registers.h"
#include "cpu/time.h"
#include "harness/rule.h"
#include "interrupts/interrupts.h"
#include "interrupts/pic.h"
#include "lhv-guest/guest.h"
#include "smp/cpu.h"

#define DATA_SHEET "none: IBM PS/2 Hardware Interface Technical Reference, Keyboard and Auxiliary Device Controller"
#define DATA 0x60
#define STATUS 0x64 /* read; write: command */

#define STATUS_OUTPUT_FULL BIT(0)
#define STATUS_INPUT_FULL BIT(1)
#define STATUS_AUXILIARY BIT(5) /* the byte in the output buffer is of the auxiliary device */

#define READ_CONFIGURATION 0x20
#define WRITE_CONFIGURATION 0x60
#define TEST_CONTROLLER 0xaa
#define TEST_AUXILIARY 0xa9
#define DISABLE_AUXILIARY 0xa7
#define ENABLE_AUXILIARY 0xa8
#define DISABLE_KEYBOARD 0xad
#define WRITE_AUXILIARY_OUTPUT 0xd3
#define CONTROLLER_GOOD 0x55
#define AUXILIARY_GOOD 0x00
#define CONFIGURATION_AUXILIARY_INTERRUPT BIT(1)
#define CONFIGURATION_KEYBOARD_INTERRUPT BIT(0)

#define MOUSE_IRQ 12
#define VECTOR_MOUSE (VECTOR_PIC + MOUSE_IRQ)
#define PATIENCE_MS 100

#define MOUSE_RULE(name, id_text, title_text, more_needs, ...) \
	RULE(name, .id = "ps2." id_text, .title = title_text, .sdm = DATA_SHEET, .cpus = BOOT_CPU, .needs = more_needs, .opt = OPT_PS2_MOUSE, ##__VA_ARGS__)

/* Waits until those bits of the status are `wanted`. False where that takes too long. */
static bool wait_status(u8 bits, u8 wanted)
{
	u64 start = rdtsc(), patience = PATIENCE_MS * time_ticks_per_ms();

	while ((in8(STATUS) & bits) != wanted)
		if (rdtsc() - start > patience)
			return false;
	return true;
}

/* No controller: nothing drives the port, or it never takes a command */
static void command(u8 value)
{
	if (in8(STATUS) == 0xff || !wait_status(STATUS_INPUT_FULL, 0))
		rule_skip("no 8042 keyboard controller answers");
	out8(STATUS, value);
}

static void data(u8 value)
{
	if (!wait_status(STATUS_INPUT_FULL, 0))
		rule_skip("no 8042 keyboard controller answers");
	out8(DATA, value);
}

static void drain(void)
{
	for (unsigned i = 0; i < 32 && in8(STATUS) & STATUS_OUTPUT_FULL; i++)
		in8(DATA);
}

static bool answer(u8 *value)
{
	if (!wait_status(STATUS_OUTPUT_FULL, STATUS_OUTPUT_FULL))
		return false;
	*value = in8(DATA);
	return true;
}

static u8 expect_answer(void)
{
	u8 value = 0;

	expect(answer(&value), "the controller answers the command");
	return value;
}

/* The configuration byte; skips where no controller answers. Both devices are still for the time being. */
static u8 find_controller(void)
{
	u8 configuration;

	drain();
	command(READ_CONFIGURATION);
	if (!answer(&configuration))
		rule_skip("no 8042 keyboard controller answers");
	command(DISABLE_KEYBOARD);
	command(DISABLE_AUXILIARY);
	drain();
	return configuration;
}

/* As it was: the byte also says which of the two devices are enabled */
static void put_back(u8 configuration)
{
	drain();
	command(WRITE_CONFIGURATION);
	data(configuration);
	drain();
}

MOUSE_RULE(controller, "controller.self-test", "The keyboard controller passes its self-test", 0)
{
	u8 configuration = find_controller(), result;

	command(TEST_CONTROLLER);
	result = expect_answer();
	put_back(configuration);
	expect_equal("the result of command AAH", result, CONTROLLER_GOOD);
}

MOUSE_RULE(port, "auxiliary.port-test", "The auxiliary port passes its test", 0)
{
	u8 configuration = find_controller(), result;

	command(TEST_AUXILIARY);
	result = expect_answer();
	put_back(configuration);
	expect_equal("the result of command A9H", result, AUXILIARY_GOOD);
}

#define BYTE_FROM_MOUSE 0x5a

/* A byte as from the mouse is in the output buffer, its interrupt enabled */
static void byte_from_mouse(u8 configuration)
{
	command(WRITE_CONFIGURATION);
	data((configuration | CONFIGURATION_AUXILIARY_INTERRUPT) & ~CONFIGURATION_KEYBOARD_INTERRUPT);
	command(ENABLE_AUXILIARY);
	command(WRITE_AUXILIARY_OUTPUT);
	data(BYTE_FROM_MOUSE);
}

MOUSE_RULE(byte, "auxiliary.output", "Command D3H puts a byte into the output buffer as from the auxiliary device", 0)
{
	u8 configuration = find_controller(), status, value = 0;
	bool full;

	byte_from_mouse(configuration);
	full = wait_status(STATUS_OUTPUT_FULL, STATUS_OUTPUT_FULL);
	status = in8(STATUS);
	answer(&value);
	put_back(configuration);
	expect(full, "the output buffer is full");
	expect_set("status", status, STATUS_AUXILIARY);
	expect_equal("the byte", value, BYTE_FROM_MOUSE);
}

#define IRQ_NEEDS (NEED_PIC | NEED_APIC | NEED_INTERRUPTS)

/* Lets interrupts in until IRQ 12 is counted. Runs in host and guest. */
static void take_interrupts(volatile u32 *count)
{
	u64 start = rdtsc(), patience = PATIENCE_MS * time_ticks_per_ms();

	interrupts_on();
	while (!*count && rdtsc() - start < patience)
		pause();
	interrupts_off();
}

MOUSE_RULE(host, "irq12.host", "A byte of the auxiliary device gives one IRQ 12 in the host", IRQ_NEEDS)
{
	struct cpu *cpu = this_cpu();
	u8 configuration = find_controller(), value = 0;

	pic_unmask(MOUSE_IRQ);
	byte_from_mouse(configuration);
	take_interrupts(&cpu->interrupts[VECTOR_MOUSE]);
	answer(&value);
	put_back(configuration);
	expect_equal("interrupts of IRQ 12", cpu->interrupts[VECTOR_MOUSE], 1);
	expect_equal("the byte", value, BYTE_FROM_MOUSE);
	expect_equal("interrupts in service afterwards", pic_in_service(), 0);
}

static void guest_takes_interrupts(void)
{
	take_interrupts(&this_cpu()->guest_interrupts[VECTOR_MOUSE]);
}

MOUSE_RULE(guest, "irq12.guest", "Without \"external-interrupt exiting\" IRQ 12 comes to the guest", IRQ_NEEDS | NEED_VMX_ROOT)
{
	struct cpu *cpu = this_cpu();
	u8 configuration = find_controller(), value = 0;
	struct guest *guest = guest_golden(guest_takes_interrupts);
	struct exit exit;

	pic_unmask(MOUSE_IRQ);
	byte_from_mouse(configuration);
	exit = guest_run(guest);
	answer(&value);
	put_back(configuration);
	expect_exit(exit, EXIT_REASON_VMCALL);
	expect_equal("interrupts of IRQ 12 in the guest", cpu->guest_interrupts[VECTOR_MOUSE], 1);
	expect_equal("interrupts of IRQ 12 in the host", cpu->interrupts[VECTOR_MOUSE], 0);
	expect_equal("the byte", value, BYTE_FROM_MOUSE);
}

MOUSE_RULE(masked, "irq12.masked", "With IRQ 12 masked at the 8259A no interrupt comes", IRQ_NEEDS)
{
	struct cpu *cpu = this_cpu();
	u8 configuration = find_controller();

	byte_from_mouse(configuration);
	wait_status(STATUS_OUTPUT_FULL, STATUS_OUTPUT_FULL);
	interrupts_on();
	for (unsigned i = 0; i < 1000; i++)
		pause();
	interrupts_off();
	put_back(configuration);
	expect_equal("interrupts of IRQ 12", cpu->interrupts[VECTOR_MOUSE], 0);
}
