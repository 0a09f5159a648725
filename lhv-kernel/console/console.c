/* Output to every console that was found: UART, port E9 of emulators, VGA text. */
#include "console/console.h"
#include "console/memory-log.h"
#include "console/uart.h"
#include "console/vga.h"
#include "cpu/port.h"
#include "cpu/registers.h"
#include "lib/format.h"
#include "lib/string.h"

#define DEBUG_PORT 0xe9 /* reads as its own number where an emulator listens */

static struct uart serial;
static bool debug_port, screen, only_screen, lent;

/* Broken after a while: a CPU that died while it wrote must not silence the others */
static volatile u32 lock;
#define LOCK_PATIENCE 20000000

/* A CPU that panics has the last word; others that want to print stop */
static volatile bool panicking;

static NORETURN void halt(void)
{
	for (;;)
		asm volatile("cli\n\thlt");
}

static void console_take(void)
{
	if (panicking)
		halt();
	for (u32 i = 0; i < LOCK_PATIENCE && __atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE); i++)
		pause();
}

static void console_release(void)
{
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

static void write(const char *text)
{
	if (memory_log_write(text)) {
		uart_ring(&serial);
		return;
	}
	if (debug_port)
		for (const char *c = text; *c; c++)
			out8(DEBUG_PORT, *c);
	uart_write(&serial, text);
	if (screen && !lent)
		vga_write(text);
}

const char *console_init(u16 serial_port, u32 log_memory)
{
	static char found[120];

	debug_port = in8(DEBUG_PORT) == DEBUG_PORT;
	screen = vga_init();
	uart_init(&serial, serial_port);
	only_screen = screen && !serial.port && !debug_port;
	if (serial.port)
		append(found, sizeof(found), "serial port 0x%x, ", serial.port);
	append(found, sizeof(found), "%s%s", debug_port ? "port E9, " : "", screen ? "VGA text, " : "");
	if (log_memory && memory_log_init(log_memory))
		append(found, sizeof(found), "memory at 0x%x, and nothing else until that is full, ", log_memory);
	size_t length = strlen(found);
	found[length ? length - 2 : 0] = 0;
	return found;
}

void print_block(const char *text)
{
	ulong flags = read_flags();

	interrupts_off();
	console_take();
	write(text);
	console_release();
	if (flags & RFLAGS_IF)
		interrupts_on();
}

void print(const char *text, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, text);
	size_t length = vformat(line, sizeof(line) - 1, text, args);
	va_end(args);
	line[length] = '\n';
	line[length + 1] = 0;
	print_block(line);
}

void console_last_words(const char *text)
{
	interrupts_off();
	console_take();
	panicking = true;
	lent = false;
	write(text);
}

bool console_is_only_screen(void)
{
	return only_screen;
}

bool console_lend_screen(void)
{
	console_take();
	if (screen)
		vga_picture();
	lent = screen;
	console_release();
	return lent;
}

void console_take_screen_back(void)
{
	console_take();
	lent = false;
	console_release();
}

void console_drain(void)
{
	uart_drain(&serial);
}
