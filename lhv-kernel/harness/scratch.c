/* Memory of the rule that runs. */
#include "harness/scratch.h"
#include "harness/expect.h"
#include "lib/string.h"
#include "smp/cpu.h"

void *scratch_pages(unsigned count)
{
	struct cpu *cpu = this_cpu();
	u8 *pages = cpu->scratch + cpu->scratch_used * PAGE_SIZE;

	if (cpu->scratch_used + count > SCRATCH_PAGES)
		rule_fail("scratch pages of this rule", "at most 64", "the rule asked for more");
	cpu->scratch_used += count;
	memset(pages, 0, count * PAGE_SIZE);
	return pages;
}

void *scratch_page(void)
{
	return scratch_pages(1);
}
