/*
 * The soak screen. Row 0 has the titles, row 2 the PIT's bars (it interrupts the bootstrap processor only), then each CPU
 * has a row for its local APIC timer. A bar is half full: each tick sets the digit in front and blanks the last behind.
 */
#include "console/art.h"
#include "console/console.h"
#include "console/vga.h"
#include "lib/format.h"
#include "smp/cpu.h"

#define HALF (VGA_COLUMNS / 2)
#define LABEL 7 /* cells in front of a bar */
#define BAR (HALF - LABEL - 2)
#define PIT_ROW 2
#define APIC_ROW 4
#define STATUS_ROW (VGA_ROWS - 1)
#define ROOMY_CPUS 10 /* up to so many get a blank row between them */

#define PLAIN 0x07
#define TITLE 0x0f
#define REVERSE 0x70
#define BRIGHT 0x09	    /* the first bright colour: blue; 7 of them up to white */
#define PIT_BACKGROUND 0x10 /* tells the PIT's bar from the others: on blue */

static bool on;
static unsigned cpus_shown;
static u8 at[MAX_CPUS][2][2]; /* the front of each bar: CPU, host or guest, timer */

static void put(unsigned row, unsigned column, const char *text, u8 attribute)
{
	for (; *text && column < VGA_COLUMNS; text++)
		vga_put(row, column++, *text, attribute);
}

static u8 colour(unsigned cpu, bool guest, enum art_timer timer)
{
	unsigned bright = BRIGHT + (1 + 2 * cpu + guest) % 7;

	return bright | (timer == ART_PIT ? PIT_BACKGROUND : 0);
}

static unsigned row_of(unsigned cpu, enum art_timer timer)
{
	return timer == ART_PIT ? PIT_ROW : APIC_ROW + cpu * (cpus_shown <= ROOMY_CPUS ? 2 : 1);
}

static char digit(unsigned cpu)
{
	return cpu < 10 ? '0' + cpu : 'A' + cpu - 10;
}

static void draw_bar(unsigned cpu, bool guest, enum art_timer timer)
{
	unsigned row = row_of(cpu, timer), left = guest ? HALF + 1 : 0;
	char label[LABEL + 1];

	if (timer == ART_PIT)
		format(label, sizeof(label), "PIT");
	else
		format(label, sizeof(label), "CPU %u", cpu);
	put(row, left, label, PLAIN);
	for (unsigned i = 0; i < BAR; i++)
		vga_put(row, left + LABEL + i, i < BAR / 2 ? digit(cpu) : ' ', colour(cpu, guest, timer));
	at[cpu][guest][timer] = BAR / 2;
}

void art_start(unsigned count)
{
	if (!console_lend_screen())
		return;
	cpus_shown = count;
	put(0, 0, "host: PIT and local APIC timers", TITLE);
	put(0, HALF + 1, "guests: PIT and local APIC timers", TITLE);
	for (unsigned row = 0; row < STATUS_ROW; row++)
		vga_put(row, HALF - 1, '|', PLAIN);
	for (unsigned cpu = 0; cpu < count; cpu++)
		for (unsigned guest = 0; guest < 2; guest++) {
			draw_bar(cpu, guest, ART_APIC);
			if (cpus[cpu].boot)
				draw_bar(cpu, guest, ART_PIT);
		}
	on = true;
}

void art_stop(void)
{
	if (on)
		console_take_screen_back();
	on = false;
}

void art_tick(unsigned cpu, bool guest, enum art_timer timer, u32 ticks)
{
	unsigned row = row_of(cpu, timer), left = (guest ? HALF + 1 : 0) + LABEL;
	u8 *front = &at[cpu][guest][timer];

	if (!on)
		return;
	for (ticks %= BAR; ticks; ticks--) {
		vga_put(row, left + *front, digit(cpu), colour(cpu, guest, timer));
		vga_put(row, left + (*front + BAR - BAR / 2) % BAR, ' ', colour(cpu, guest, timer));
		*front = (*front + 1) % BAR;
	}
}

void art_status(const char *text)
{
	static char shown[VGA_COLUMNS];

	if (!on)
		return;
	for (unsigned column = 0; column < VGA_COLUMNS; column++) {
		char c = *text ? *text++ : ' ';

		if (c != shown[column])
			vga_put(STATUS_ROW, column, c, REVERSE);
		shown[column] = c;
	}
}
