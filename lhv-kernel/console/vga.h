/* The VGA text screen, 80 columns by 25 rows, scrolled by the CRT controller. */
#pragma once
#include "lib/types.h"

#define VGA_COLUMNS 80
#define VGA_ROWS 25

/* Is there text memory at B8000h? Clears it. */
bool vga_init(void);

void vga_write(const char *text);

/* The first screenful for vga_put(): cleared, no cursor. vga_write() goes on below it when it is called again. */
void vga_picture(void);

/* One cell of that screenful. Writes text memory and nothing else: no lock is needed for cells of one's own. */
void vga_put(unsigned at_row, unsigned at_column, char c, u8 attribute);
