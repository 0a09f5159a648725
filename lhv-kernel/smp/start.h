/* Starting the application processors. */
#pragma once
#include "lib/types.h"

/*
 * Starts every enabled CPU that the MADT names, with one INIT-SIPI-SIPI each, and waits until each is in ap_main
 * or its time is over. Those that came are in cpus[]. limit: start no more than so many CPUs in all (0: no limit).
 * Returns how many enabled CPUs the platform names, started or not.
 */
unsigned smp_start(unsigned limit);
