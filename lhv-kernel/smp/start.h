/* Starting the application processors. */
#pragma once
#include "lib/types.h"

/*
 * Starts every enabled CPU that the MADT names, up to MAX_CPUS in all, with one INIT-SIPI-SIPI each. Each runs the function,
 * which does not return, on its own stack. Those that do not come in time are named, and lost.
 */
void smp_start(void (*function)(void));
