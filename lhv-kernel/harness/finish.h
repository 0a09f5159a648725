/* The end of the machine. */
#pragma once
#include "lib/types.h"

/* Says why the kernel cannot go on, whatever the other CPUs do, and ends the machine. */
NORETURN void panic(const char *text, ...) PRINTF(1, 2);

/* Tries every exit that the platform has, in turn; else stops this CPU for good with the screen as it is. */
NORETURN void finish(void);

/* For QEMU's exit device, whose status is then 2 * code + 1: 0 where the verdict is good. Set before finish(). */
extern u8 finish_code;
#define FINISH_REFUSED 3
