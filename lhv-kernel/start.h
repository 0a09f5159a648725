/* The machine from power-on to all CPUs ready for the harness. */
#pragma once
#include "lib/types.h"

/*
 * Reads what the loader says and the options, finds consoles, memory, interrupt controllers, and starts this CPU's
 * own tables. magic and info: as the loader left them in EAX and EBX. Options that are wrong end the machine with
 * a sentence. The devices of upper floors can be started after it.
 */
void kernel_start(u32 magic, u32 info);

/* Starts the other CPUs, which wait in the harness. */
void kernel_start_cpus(void);
