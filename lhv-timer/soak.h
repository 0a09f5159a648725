/* What a soak adds: timers that tick while the rules run, and rules of its own, soak.ticks.* */
#pragma once

/* Gives the harness the timers for a soak. Once, on the bootstrap processor. */
void soak_start(void);
