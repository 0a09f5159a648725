/* Memory of the rule that runs: each CPU has some of its own, free again when the rule ends. */
#pragma once
#include "lib/types.h"

/* Zeroed pages, one behind the other, their own physical addresses; the rule ends where there are no more. */
void *scratch_pages(unsigned count);
void *scratch_page(void);
