/* The end of the machine. */
#pragma once
#include "lib/types.h"

/* Tries every exit that the platform has, in turn; else stops this CPU for good with the screen as it is. */
NORETURN void finish(void);

/* For QEMU's exit device, whose status is then 2 * code + 1: 0 where the verdict is good. Set before finish(). */
extern u8 finish_code;
#define FINISH_REFUSED 3
