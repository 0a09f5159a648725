/* The machine's timers and controllers, as they were found at start-up. */
#pragma once
#include "lib/types.h"

struct devices {
	bool pic, pit, apic_timer;
	/* Starts or stops this CPU's timers for a soak. Set by the floor that has their drivers; 0: none */
	void (*soak_timers)(bool on);
};

extern struct devices devices;
