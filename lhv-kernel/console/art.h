/*
 * The soak screen, 80 by 25 cells: left half host, right half guests, a bar of digits for each timer that goes round as
 * its interrupts come, so that one sees at a glance which CPU's interrupts are alive. The bottom row says where the run is.
 */
#pragma once
#include "lib/types.h"

enum art_timer { ART_PIT, ART_APIC };

/* Takes the screen for the bars of so many CPUs. Does nothing where there is no screen. */
void art_start(unsigned count);

/* Gives the screen back to the text console, which goes on below the bars. */
void art_stop(void);

/*
 * Moves a bar by so many ticks. Called by the CPU itself, in host or guest, and not by its interrupt handlers: no two
 * callers share a bar, so that there is no lock.
 */
void art_tick(unsigned cpu, bool guest, enum art_timer timer, u32 ticks);

/* The bottom row. One caller at a time. Only cells that change are written. */
void art_status(const char *text);
