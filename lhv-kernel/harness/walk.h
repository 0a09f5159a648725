/* The walk over the rules: all CPUs in step, one rule at a time. */
#pragma once
#include "lib/types.h"

/* On every CPU, which wait for each other: runs all selected rules and ends the machine. */
NORETURN void harness_run(void);
