/* The VGA text screen, 80 columns by 25 rows, scrolled by the CRT controller. */
#pragma once
#include "lib/types.h"

/* Is there text memory at B8000h? Clears it. */
bool vga_init(void);

void vga_write(const char *text);
