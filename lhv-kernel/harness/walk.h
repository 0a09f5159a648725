/* The walk over the rules: all CPUs in step, one rule at a time. */
#pragma once
#include "lib/types.h"

/* On the bootstrap processor, with the others waiting in harness_join(): runs all selected rules and ends the machine. */
NORETURN void harness_run(void);

/* On an application processor: takes part until the end. */
NORETURN void harness_join(void);
