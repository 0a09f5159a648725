/* VM exits for non-maskable interrupts, which a guest sends to its own CPU. */
#include "cpu/registers.h"
#include "cpu/time.h"
#include "harness/watchdog.h"
#include "harness/rule.h"
#include "interrupts/lapic.h"
#include "lhv-guest/guest.h"

#define NEEDS (NEED_VMX_ROOT | NEED_APIC)
#define INTERRUPTION_NMI 0x80000202 /* valid, type NMI, vector 2 */
#define BLOCKING_BY_NMI BIT(3)

static void guest_sends_nmi(void)
{
	lapic_send(this_cpu()->apic_id, ICR_NMI | ICR_ASSERT);
	for (;;)
		pause();
}

/* Runs a guest to its NMI exit; NMIs are unblocked again then, as the host wants them. */
static void run_to_nmi_exit(void)
{
	struct guest *guest = guest_golden(guest_sends_nmi);

	controls_set(VMCS_PIN_CONTROLS, &this_cpu()->caps.pin, PIN_NMI_EXITING, "NMI exiting");
	guest->own_nmi = true;
	watchdog_disarm(); /* its NMI would do as well */
	expect_exit(guest_run(guest), EXIT_REASON_EXCEPTION_NMI);
	nmi_unblock();
}

RULE(reason, .id = "exit.nmi.information", .title = "With \"NMI exiting\" 1 an NMI causes a VM exit with basic reason 0 that tells vector 2, type NMI",
     .sdm = "28.2.2 Information for VM Exits Due to Vectored Events", .needs = NEEDS, .opt = OPT_NMI)
{
	run_to_nmi_exit();
	expect_equal("VM-exit interruption information, but for NMI unblocking due to IRET",
		     vmread(VMCS_EXIT_INTERRUPTION_INFO) & ~BIT(12), INTERRUPTION_NMI);
}

RULE(blocking, .id = "exit.nmi.blocking-saved-as-before",
     .title = "A VM exit caused by an NMI saves blocking by NMI as it was before the NMI: off",
     .sdm = "28.3.4 Saving Non-Register State", .needs = NEEDS, .opt = OPT_NMI)
{
	run_to_nmi_exit();
	expect_clear("guest interruptibility state", vmread(VMCS_GUEST_INTERRUPTIBILITY), BLOCKING_BY_NMI);
}

/* No IRET between the exit and the second NMI: it stays pending in the host until one is executed */
RULE(blocked, .id = "exit.nmi.blocks-nmis", .title = "After a VM exit caused by an NMI, NMIs are blocked until the next IRET",
     .sdm = "28.5.5 Updating Non-Register State", .needs = NEEDS, .opt = OPT_NMI)
{
	struct guest *guest = guest_golden(guest_sends_nmi);
	u32 before = this_cpu()->nmis;

	controls_set(VMCS_PIN_CONTROLS, &this_cpu()->caps.pin, PIN_NMI_EXITING, "NMI exiting");
	guest->own_nmi = true;
	watchdog_disarm();
	expect_exit(guest_run(guest), EXIT_REASON_EXCEPTION_NMI);
	lapic_send(this_cpu()->apic_id, ICR_NMI | ICR_ASSERT);
	delay_us(100);
	expect_equal("NMIs taken by the host before the IRET", this_cpu()->nmis - before, 0);
	nmi_unblock();
	delay_us(100);
	expect_equal("NMIs taken by the host after the IRET", this_cpu()->nmis - before, 1);
}
