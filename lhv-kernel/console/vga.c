/*
 * The VGA text screen. Rows go down the 32 KiB of text memory while the CRT controller's start address follows,
 * so that a line costs its own cells only: on nested platforms each access may be a VM exit.
 */
#include "console/vga.h"
#include "cpu/port.h"

#define COLUMNS VGA_COLUMNS
#define ROWS VGA_ROWS
#define MEMORY_ROWS (32 * 1024 / 2 / COLUMNS)
#define BLANK 0x0720u
#define ATTRIBUTE 0x0700u

#define CRTC_INDEX 0x3d4
#define CRTC_DATA 0x3d5
enum { START_HIGH = 0x0c, START_LOW = 0x0d, CURSOR_HIGH = 0x0e, CURSOR_LOW = 0x0f };

static volatile u16 *const cells = (volatile u16 *)0xb8000;
static unsigned row, column;

static void crtc(u8 index, u8 value)
{
	out8(CRTC_INDEX, index);
	out8(CRTC_DATA, value);
}

static void clear_row(unsigned at)
{
	volatile u32 *pair = (volatile u32 *)(cells + at * COLUMNS);

	for (unsigned i = 0; i < COLUMNS / 2; i++)
		pair[i] = BLANK << 16 | BLANK;
}

static void show(void)
{
	unsigned start = (row < ROWS ? 0 : row - ROWS + 1) * COLUMNS, cursor = row * COLUMNS + column;

	crtc(START_HIGH, start >> 8);
	crtc(START_LOW, start & 0xff);
	crtc(CURSOR_HIGH, cursor >> 8);
	crtc(CURSOR_LOW, cursor & 0xff);
}

/* Is there a CRT controller? A machine without one may have RAM where the text memory would be */
static bool controller_answers(void)
{
	crtc(CURSOR_LOW, 0x5a);
	if (in8(CRTC_DATA) != 0x5a)
		return false;
	crtc(CURSOR_LOW, 0xa5);
	return in8(CRTC_DATA) == 0xa5;
}

bool vga_init(void)
{
	u16 before = cells[0];

	cells[0] = 0x1234;
	bool there = cells[0] == 0x1234;
	cells[0] = before;
	if (!there || !controller_answers())
		return false;
	for (unsigned i = 0; i < ROWS; i++)
		clear_row(i);
	row = column = 0;
	show();
	return true;
}

/* At the end of the memory: the last screenful goes to the beginning */
static void wrap(void)
{
	for (unsigned i = 0; i < (ROWS - 1) * COLUMNS; i++)
		cells[i] = cells[(MEMORY_ROWS - ROWS + 1) * COLUMNS + i];
	row = ROWS - 1;
}

static void new_line(void)
{
	column = 0;
	if (++row >= MEMORY_ROWS)
		wrap();
	clear_row(row);
}

void vga_write(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			new_line();
			continue;
		}
		if (column == COLUMNS)
			new_line();
		cells[row * COLUMNS + column++] = ATTRIBUTE | (u8)*text;
	}
	show();
}

void vga_picture(void)
{
	/* NUL looks like a space; Bochs 2.7 passes over some of the spaces that replace scrolled text on its terminal */
	for (unsigned i = 0; i < ROWS * COLUMNS; i++)
		cells[i] = ATTRIBUTE;
	row = column = 0;
	show();
	crtc(CURSOR_HIGH, 0xff); /* the cursor out of sight, the next row of text below the picture */
	row = ROWS - 1;
	column = COLUMNS;
}

void vga_put(unsigned at_row, unsigned at_column, char c, u8 attribute)
{
	cells[at_row * COLUMNS + at_column] = attribute << 8 | (u8)c;
}
