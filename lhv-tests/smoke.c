/* Launch and exit: every CPU enters a guest and comes back. Always selected: what LHV_OPT=0 runs. */
#include "cpu/cpuid.h"
#include "harness/rule.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"

static void guest_cpuid(void)
{
	cpuid(0, 0);
}

RULE(cpuid_exits, .id = "exit.cpuid.reason", .title = "CPUID in VMX non-root operation causes a VM exit with basic reason 10",
     .sdm = "26.1.2 Instructions That Cause VM Exits Unconditionally", .needs = NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_cpuid);

	expect_exit(guest_run(guest), EXIT_REASON_CPUID);
	guest_skip_instruction(guest);
	expect_done(guest);
}
