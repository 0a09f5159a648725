/*
 * The spurious IRQ 7. An 8259A whose request is withdrawn before the CPU acknowledges it answers with its lowest
 * line, 7, and sets no in-service bit (Intel 8259A data sheet, "Interrupt Request", default IR7). Whoever sends an EOI
 * for it ends some other interrupt instead: the bug that these rules are about.
 */
#include "cpu/registers.h"
#include "cpu/time.h"
#include "harness/rule.h"
#include "interrupts/interrupts.h"
#include "interrupts/pic.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"
#include "lhv-timer/pit.h"
#include "lhv-timer/wait.h"

#define DATA_SHEET "none: Intel 8259A data sheet; 6.3.2 Maskable Hardware Interrupts"

#define IRQ7_RULE(name, id_text, title_text, more_needs, ...) \
	RULE(name, .id = "irq7." id_text, .title = title_text, .sdm = DATA_SHEET, .cpus = BOOT_CPU, \
	     .needs = NEED_PIC | NEED_PIT | NEED_APIC | NEED_INTERRUPTS | more_needs, .opt = OPT_IRQ7, ##__VA_ARGS__)

#define VECTOR_PIT (VECTOR_PIC + PIT_IRQ)
#define VECTOR_IRQ7 (VECTOR_PIC + 7)
#define PATIENCE_MS 200

/* A request of IRQ 0 with IF = 0, withdrawn again: mode 0 takes OUT, and with it the line, down */
static void withdraw_request(void)
{
	pit_start_irq(PIT_ONE_SHOT, 10);
	delay_us(100);
	pit_set_mode(PIT_ONE_SHOT);
}

/* Lets in what the 8259A still has to say */
static void let_interrupts_in(void)
{
	interrupts_on();
	delay_us(100);
	interrupts_off();
}

static void expect_nothing_in_service(void)
{
	expect_equal("interrupts in service afterwards", pic_in_service(), 0);
}

static void expect_ticks_still_come(volatile u32 *count)
{
	u32 before = *count;

	pit_start(PIT_RATE, PIT_HZ / 1000);
	expect_range("interrupts of IRQ 0 afterwards", wait_for_count(count, before + 3, PATIENCE_MS) - before, 3, 1000);
	pit_stop();
}

static void guest_waits(void)
{
	wait_for_count(&this_cpu()->guest_interrupts[VECTOR_PIT], 1, PATIENCE_MS);
}

/* Leaves IRQ 0 in service, with nobody who would end it: a VM exit that acknowledges the interrupt runs no handler */
static void put_irq0_in_service(void)
{
	struct guest *guest = guest_golden(guest_waits);

	controls_set(VMCS_PIN_CONTROLS, &this_cpu()->caps.pin, PIN_EXTERNAL_INTERRUPT_EXITING, "external-interrupt exiting");
	controls_set(VMCS_EXIT_CONTROLS, &this_cpu()->caps.exit, EXIT_ACKNOWLEDGE_INTERRUPT, "acknowledge interrupt on exit");
	pit_start_irq(PIT_ONE_SHOT, 100);
	expect_exit(guest_run(guest), EXIT_REASON_EXTERNAL_INTERRUPT);
	expect_equal("interrupts in service: IRQ 0", pic_in_service(), BIT(PIT_IRQ));
}

/* ---- In the host ---------------------------------------------------------------------------------- */

IRQ7_RULE(host_arrives, "host.withdrawn", "A request that is withdrawn before it is acknowledged arrives as IRQ 7 with nothing in service", 0,
	  .class = OBSERVED)
{
	u32 before = this_cpu()->spurious[0];

	withdraw_request();
	let_interrupts_in();
	rule_note("a withdrawn request of IRQ 0 gave %u spurious IRQ 7 and %u IRQ 0", this_cpu()->spurious[0] - before,
		  this_cpu()->interrupts[VECTOR_PIT]);
}

IRQ7_RULE(host_harmless, "host.nothing-in-service", "After a withdrawn request nothing is in service", 0)
{
	withdraw_request();
	let_interrupts_in();
	expect_nothing_in_service();
	expect_equal("real interrupts of IRQ 7", this_cpu()->interrupts[VECTOR_IRQ7], 0);
}

IRQ7_RULE(host_ticks, "host.ticks-go-on", "After a withdrawn request ordinary interrupts still arrive", 0)
{
	withdraw_request();
	let_interrupts_in();
	expect_ticks_still_come(&this_cpu()->interrupts[VECTOR_PIT]);
}

IRQ7_RULE(host_storm, "host.storm", "A hundred withdrawn requests do no harm", 0)
{
	for (unsigned i = 0; i < 100; i++) {
		withdraw_request();
		let_interrupts_in();
	}
	expect_nothing_in_service();
	expect_ticks_still_come(&this_cpu()->interrupts[VECTOR_PIT]);
}

/* INT 27H goes to the same handler with the in-service bit of IRQ 7 clear, on every platform alike */
IRQ7_RULE(host_no_eoi, "host.no-eoi", "A spurious IRQ 7 is not acknowledged: what is in service stays so", NEED_VMX_ROOT)
{
	u32 before = this_cpu()->spurious[0];

	put_irq0_in_service();
	asm volatile("int %0" : : "i"(VECTOR_IRQ7) : "memory");
	expect_equal("spurious IRQ 7 counted", this_cpu()->spurious[0] - before, 1);
	expect_equal("interrupts in service: IRQ 0 still", pic_in_service(), BIT(PIT_IRQ));
}

/* ---- In a guest ----------------------------------------------------------------------------------- */

static void guest_withdraws(void)
{
	withdraw_request();
	let_interrupts_in();
}

static void guest_no_eoi(void)
{
	asm volatile("int %0" : : "i"(VECTOR_IRQ7) : "memory");
}

IRQ7_RULE(guest_harmless, "guest.nothing-in-service", "After a request withdrawn in a guest nothing is in service", NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_withdraws);

	guest_gets_interrupts();
	expect_done(guest);
	expect_nothing_in_service();
}

IRQ7_RULE(guest_ticks, "guest.ticks-go-on", "After a request withdrawn in a guest ordinary interrupts still arrive in the host", NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_withdraws);

	guest_gets_interrupts();
	expect_done(guest);
	expect_ticks_still_come(&this_cpu()->interrupts[VECTOR_PIT]);
}

IRQ7_RULE(guest_eoi, "guest.no-eoi", "A spurious IRQ 7 in a guest is not acknowledged", NEED_VMX_ROOT)
{
	u32 before = this_cpu()->guest_spurious[0];

	put_irq0_in_service();
	expect_done(guest_golden(guest_no_eoi));
	expect_equal("spurious IRQ 7 counted in the guest", this_cpu()->guest_spurious[0] - before, 1);
	expect_equal("interrupts in service: IRQ 0 still", pic_in_service(), BIT(PIT_IRQ));
}

static void guest_storm(void)
{
	for (unsigned i = 0; i < 100; i++) {
		withdraw_request();
		let_interrupts_in();
	}
}

IRQ7_RULE(guest_storm_harmless, "guest.storm", "A hundred requests withdrawn in a guest do no harm", NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_storm);

	guest_gets_interrupts();
	expect_done(guest);
	expect_nothing_in_service();
	expect_ticks_still_come(&this_cpu()->interrupts[VECTOR_PIT]);
}

static void guest_waits_for_three(void)
{
	wait_for_count(&this_cpu()->guest_interrupts[VECTOR_PIT], 3, PATIENCE_MS);
}

IRQ7_RULE(guest_ticks_in_guest, "guest.ticks-in-guest", "After a request withdrawn in a guest ordinary interrupts still arrive in a guest",
	  NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_withdraws);

	guest_gets_interrupts();
	expect_done(guest);
	guest = guest_golden(guest_waits_for_three);
	guest_gets_interrupts();
	pit_start(PIT_RATE, PIT_HZ / 1000);
	expect_done(guest);
	pit_stop();
	expect_range("interrupts of IRQ 0 in the guest", this_cpu()->guest_interrupts[VECTOR_PIT], 3, 1000);
}
