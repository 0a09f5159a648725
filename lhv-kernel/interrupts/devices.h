/* Which of the machine's timers and controllers were found at start-up. */
#pragma once
#include "lib/types.h"

struct devices {
	bool pic, pit, apic_timer;
};

extern struct devices devices;
