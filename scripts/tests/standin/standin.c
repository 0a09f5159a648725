/*
 * A stand-in for XMHF's first stage. It is no hypervisor. It takes the place of XMHF on the boot medium and does what
 * the guest notices of XMHF's start: it moves itself to 256 MiB, hides that memory, copies the boot sector that is its
 * second module to 7C00h and jumps there in real mode with DL set. One CPU it keeps, hidden from the ACPI tables: that
 * one writes to the serial port of the guest, and ends the machine, when the guest's screen shows the breadcrumb of a
 * rule that its orders name.
 *
 * Orders, lines of the first module:
 *	noise RULE	write a short line when the rule's breadcrumb is seen
 *	tear RULE	write at length, without line ends and bytes that are no text, so that the guest's lines are torn
 *	halt RULE	say what XMHF says when it halts, and stop
 *	fault RULE	end in a triple fault
 *	reset RULE	reset the machine
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned u32;

void leave(u8 drive);
void hook_memory_map(void);
void place_trampoline(void);
void start(const u32 *info);
void haunt(void);

#define COM1 0x3f8
enum { FIFO_CONTROL = 2, LINE_CONTROL = 3, LINE_STATUS = 5 };
#define EIGHT_BITS 3
#define THR_EMPTY 0x20
#define FIFO_SIZE 16
#define FIFO_ON 1

#define GUEST_SECTOR ((void *)0x7c00)
#define SCREEN ((volatile u16 *)0xb8000)
#define COLUMNS 80
#define ROWS (32 * 1024 / 2 / COLUMNS)

#define LAPIC_ID ((volatile u32 *)0xfee00020)
#define LAPIC_ICR_LOW ((volatile u32 *)0xfee00300)
#define LAPIC_ICR_HIGH ((volatile u32 *)0xfee00310)
#define ICR_INIT 0x4500u
#define ICR_STARTUP 0x4608u /* at page 8: see TRAMPOLINE */

enum { INFO_COMMAND_LINE = 4, INFO_MODULES = 5, INFO_MODULE_LIST = 6 };

static char orders[4096];
static volatile u32 second_runs;

static void out8(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "d"(port));
}

static u8 in8(u16 port)
{
	u8 value;

	asm volatile("inb %1, %0" : "=a"(value) : "d"(port));
	return value;
}

static void stop(void)
{
	for (;;)
		asm volatile("cli; hlt");
}

/* Writes a text, as much at a time as the UART's FIFO takes, which stays in one piece among the guest's lines */
static void write(const char *text)
{
	while (*text) {
		while (!(in8(COM1 + LINE_STATUS) & THR_EMPTY))
			asm volatile("pause");
		for (u32 i = 0; i < FIFO_SIZE && *text; i++)
			out8(COM1, *text++);
	}
}

static void wait(u32 loops)
{
	while (loops--)
		asm volatile("pause");
}

static void copy(void *to, const void *from, u32 size)
{
	asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

/* What follows a word in a text; 0 where the word is not there */
static const char *behind(const char *text, const char *word)
{
	for (; *text; text++) {
		u32 i = 0;

		while (word[i] && text[i] == word[i])
			i++;
		if (!word[i])
			return text + i;
	}
	return 0;
}

static u8 hexadecimal(const char *text)
{
	u8 value = 0;

	for (;; text++) {
		if (*text >= '0' && *text <= '9')
			value = value << 4 | (*text - '0');
		else if (*text >= 'a' && *text <= 'f')
			value = value << 4 | (*text - 'a' + 10);
		else
			return value;
	}
}

/* ---- The second CPU: hidden, started, and what it does --------------------------------------------- */

/* Takes every CPU but this one out of the MADT, and gives one that was taken out, or -1 */
static int hide_other_cpus(u32 own)
{
	const u8 *rsdp = (const u8 *)0xe0000;
	int other = -1;

	while (rsdp < (const u8 *)0x100000 && (((const u32 *)rsdp)[0] != 0x20445352 || ((const u32 *)rsdp)[1] != 0x20525450))
		rsdp += 16;
	if (rsdp == (const u8 *)0x100000)
		return -1;
	const u32 *rsdt = (const u32 *)((const u32 *)rsdp)[4];

	for (u32 i = 9; i < rsdt[1] / 4; i++) {
		u8 *table = (u8 *)rsdt[i];
		u32 size = ((u32 *)table)[1];

		if (*(u32 *)table != 0x43495041) /* "APIC" */
			continue;
		for (u32 at = 44; at + 2 <= size && table[at + 1]; at += table[at + 1])
			if (table[at] == 0 && table[at + 3] != own && table[at + 4] & 1) {
				other = table[at + 3];
				table[at + 4] &= ~1;
				table[9]++; /* the checksum: the sum of all bytes stays 0 */
			}
	}
	return other;
}

static int start_second(void)
{
	int other = hide_other_cpus(*LAPIC_ID >> 24);

	if (other < 0)
		return 0;
	place_trampoline();
	*LAPIC_ICR_HIGH = (u32)other << 24;
	*LAPIC_ICR_LOW = ICR_INIT;
	wait(100000);
	for (u32 i = 0; i < 2 && !second_runs; i++) {
		*LAPIC_ICR_HIGH = (u32)other << 24;
		*LAPIC_ICR_LOW = ICR_STARTUP;
		wait(100000);
	}
	return second_runs;
}

/* Whether the screen has the breadcrumb of a rule. Argument: the rule's id, up to the end of its line */
static int seen(const char *rule)
{
	for (u32 row = 0; row < ROWS; row++) {
		volatile u16 *cell = SCREEN + row * COLUMNS;
		const char *run = "# run ", *id = rule;

		while (*run && (char)*cell == *run)
			run++, cell++;
		if (*run)
			continue;
		while (*id != '\n' && (char)*cell == *id)
			id++, cell++;
		if (*id == '\n' && (char)*cell == ' ')
			return 1;
	}
	return 0;
}

static void act(char order)
{
	static const struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) no_idt;

	switch (order) {
	case 'n':
		write("\nCPU(1): noise\n");
		break;
	case 't':
		for (u32 i = 0; i < 6; i++)
			write("ok 1 - \x01\xff\x80~");
		break;
	case 'h':
		write("\nFatal: Halting! Condition 'nobody ordered it' failed, line 1, file standin.c\n");
		stop();
		break;
	case 'f':
		asm volatile("lidt %0; int3" : : "m"(no_idt));
		break;
	case 'r':
		out8(0x64, 0xfe);
		stop();
	}
}

void haunt(void)
{
	second_runs = 1;
	for (;;)
		for (char *order = orders; *order;) {
			char *rule = order, *next;

			while (*rule != ' ' && *rule != '\n' && *rule)
				rule++;
			for (next = rule; *next && *next++ != '\n';)
				;
			if (*order != '-' && *rule == ' ' && seen(rule + 1)) {
				act(*order);
				*order = '-'; /* done */
			}
			order = next;
		}
}

/* ---- The first CPU ----------------------------------------------------------------------------------- */

void start(const u32 *info)
{
	const u32 *modules = (const u32 *)info[INFO_MODULE_LIST];
	const char *drive = behind((const char *)info[INFO_COMMAND_LINE], "boot_drive=0x");

	out8(COM1 + LINE_CONTROL, EIGHT_BITS);
	out8(COM1 + FIFO_CONTROL, FIFO_ON);
	write("\nStand-in for XMHF's first stage\nSubarch: amd64\n");
	if (info[INFO_MODULES] != 2 || !drive || modules[1] - modules[0] >= sizeof(orders) ||
	    modules[5] - modules[4] != 512) {
		write("Stand-in: it wants boot_drive=, its orders and a boot sector. Halting!\n");
		stop();
	}
	u8 number = hexadecimal(drive);

	copy(orders, (const void *)modules[0], modules[1] - modules[0]);
	copy(GUEST_SECTOR, (const void *)modules[4], 512);
	for (u32 i = 0; i < ROWS * COLUMNS; i++)
		SCREEN[i] = 0x0720;
	if (!start_second()) {
		write("Stand-in: there is no second CPU. Halting!\n");
		stop();
	}
	hook_memory_map();
	write("Stand-in: to the guest\n");
	leave(number);
}
