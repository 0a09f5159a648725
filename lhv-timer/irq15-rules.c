/*
 * The spurious IRQ 15: the slave 8259A's lowest line with no in-service bit set there. The slave gets no EOI for it, the
 * master gets one for its line 2, to which the slave had the interrupt acknowledged (Intel 8259A data sheet). IRQ 8, the
 * real-time clock's, is the line of the slave that can be made to ask.
 */
#include "cpu/port.h"
#include "cpu/registers.h"
#include "cpu/time.h"
#include "harness/rule.h"
#include "harness/watchdog.h"
#include "interrupts/interrupts.h"
#include "interrupts/pic.h"
#include "lhv-guest/guest.h"
#include "lhv-timer/wait.h"

#define DATA_SHEET "none: Intel 8259A data sheet; 6.3.2 Maskable Hardware Interrupts"

#define SLAVE_RULE(name, id_text, title_text, more_needs, ...) \
	RULE(name, .id = "irq7.slave." id_text, .title = title_text, .sdm = DATA_SHEET, .cpus = BOOT_CPU, \
	     .needs = NEED_PIC | NEED_APIC | NEED_INTERRUPTS | more_needs, .opt = OPT_IRQ7, ##__VA_ARGS__)

/* Motorola MC146818 */
#define RTC_INDEX 0x70
#define RTC_DATA 0x71
enum { RTC_A = 0x0a, RTC_B = 0x0b, RTC_C = 0x0c };
#define RTC_A_1024_HZ 0x26
#define RTC_B_PERIODIC 0x40
#define RTC_IRQ 8

#define VECTOR_RTC (VECTOR_PIC + RTC_IRQ)
#define VECTOR_IRQ15 (VECTOR_PIC + 15)
#define CASCADE_IN_SERVICE BIT(2)
#define SLAVE_COMMAND 0xa0
#define EOI 0x20
#define PATIENCE_MS 200

static u8 rtc_read(u8 reg)
{
	out8(RTC_INDEX, reg);
	return in8(RTC_DATA);
}

static void rtc_write(u8 reg, u8 value)
{
	out8(RTC_INDEX, reg);
	out8(RTC_DATA, value);
}

static void need_rtc(void)
{
	if (rtc_read(RTC_A) == 0xff)
		rule_skip("there is no real-time clock");
}

/* Takes the clock from the watchdog, which takes it back when the next rule begins, and starts its periodic interrupt */
static void rtc_start(void)
{
	watchdog_disarm();
	pic_reset();
	rtc_write(RTC_A, RTC_A_1024_HZ);
	rtc_write(RTC_B, rtc_read(RTC_B) | RTC_B_PERIODIC);
	pic_unmask(RTC_IRQ);
	rtc_read(RTC_C); /* takes the line down, so that the next period gives an edge */
}

static void rtc_stop(void)
{
	rtc_write(RTC_B, rtc_read(RTC_B) & ~RTC_B_PERIODIC);
	rtc_read(RTC_C);
}

static void let_interrupts_in(void)
{
	interrupts_on();
	delay_us(100);
	interrupts_off();
}

static void guest_waits(void)
{
	wait_for_count(&this_cpu()->guest_interrupts[VECTOR_RTC], 1, PATIENCE_MS);
}

/* Leaves IRQ 8 in service on the slave and line 2 on the master: a VM exit that acknowledges an interrupt runs no handler */
static void put_irq8_in_service(void)
{
	need_rtc();
	struct guest *guest = guest_golden(guest_waits);

	controls_set(VMCS_PIN_CONTROLS, &this_cpu()->caps.pin, PIN_EXTERNAL_INTERRUPT_EXITING, "external-interrupt exiting");
	controls_set(VMCS_EXIT_CONTROLS, &this_cpu()->caps.exit, EXIT_ACKNOWLEDGE_INTERRUPT, "acknowledge interrupt on exit");
	rtc_start();
	expect_exit(guest_run(guest), EXIT_REASON_EXTERNAL_INTERRUPT);
	rtc_stop();
	expect_equal("interrupts in service: IRQ 8, and line 2 of the master", pic_in_service(), BIT(RTC_IRQ) | CASCADE_IN_SERVICE);
}

/* INT 2FH goes to the same handler as IRQ 15, with its in-service bit clear on every platform alike */
static void int_irq15(void)
{
	asm volatile("int %0" : : "i"(VECTOR_IRQ15) : "memory");
}

SLAVE_RULE(arrives, "irq8-host", "An interrupt of the slave arrives in the host, and both controllers get their EOI", 0)
{
	u32 count;

	need_rtc();
	rtc_start();
	for (count = 0; count < 3; count++) {
		wait_for_count(&this_cpu()->interrupts[VECTOR_RTC], count + 1, PATIENCE_MS);
		rtc_read(RTC_C);
	}
	rtc_stop();
	let_interrupts_in();
	expect_range("interrupts of IRQ 8", this_cpu()->interrupts[VECTOR_RTC], 3, 1000);
	expect_equal("interrupts in service afterwards", pic_in_service(), 0);
}

SLAVE_RULE(host_slave, "host.no-eoi", "The slave gets no EOI for a spurious IRQ 15: what is in service there stays so", NEED_VMX_ROOT)
{
	u32 before = this_cpu()->spurious[1];

	put_irq8_in_service();
	int_irq15();
	expect_equal("spurious IRQ 15 counted", this_cpu()->spurious[1] - before, 1);
	expect_equal("interrupts in service: IRQ 8 still", pic_in_service() & ~CASCADE_IN_SERVICE, BIT(RTC_IRQ));
}

SLAVE_RULE(host_master, "host.eoi-master", "The master gets an EOI for a spurious IRQ 15", NEED_VMX_ROOT)
{
	put_irq8_in_service();
	out8(SLAVE_COMMAND, EOI);
	expect_equal("interrupts in service: line 2 of the master", pic_in_service(), CASCADE_IN_SERVICE);
	int_irq15();
	expect_equal("interrupts in service after the spurious IRQ 15", pic_in_service(), 0);
}

SLAVE_RULE(guest_slave, "guest.no-eoi", "The slave gets no EOI for a spurious IRQ 15 in a guest", NEED_VMX_ROOT)
{
	u32 before = this_cpu()->guest_spurious[1];

	put_irq8_in_service();
	expect_done(guest_golden(int_irq15));
	expect_equal("spurious IRQ 15 counted in the guest", this_cpu()->guest_spurious[1] - before, 1);
	expect_equal("interrupts in service: IRQ 8 still", pic_in_service() & ~CASCADE_IN_SERVICE, BIT(RTC_IRQ));
}

SLAVE_RULE(guest_master, "guest.eoi-master", "The master gets an EOI for a spurious IRQ 15 in a guest", NEED_VMX_ROOT)
{
	put_irq8_in_service();
	out8(SLAVE_COMMAND, EOI);
	expect_done(guest_golden(int_irq15));
	expect_equal("interrupts in service after the spurious IRQ 15", pic_in_service(), 0);
}

/* A request of IRQ 8 with IF = 0, withdrawn again by reading register C. Returns false where none came. */
static bool withdraw_request(void)
{
	u64 start = rdtsc();

	rtc_start();
	while (!(pic_requested() & BIT(RTC_IRQ)))
		if (rdtsc() - start > PATIENCE_MS * time_ticks_per_ms())
			return false;
	rtc_stop();
	return true;
}

SLAVE_RULE(withdrawn, "host.withdrawn", "A request of the slave that is withdrawn arrives as a spurious IRQ 15 or IRQ 7", 0, .class = OBSERVED)
{
	const struct cpu *cpu = this_cpu();
	u32 irq7 = cpu->spurious[0], irq15 = cpu->spurious[1];

	need_rtc();
	bool came = withdraw_request();

	let_interrupts_in();
	rule_note("%s request of IRQ 8 gave %u spurious IRQ 7, %u spurious IRQ 15 and %u IRQ 8", came ? "a withdrawn" : "a missing",
		  cpu->spurious[0] - irq7, cpu->spurious[1] - irq15, cpu->interrupts[VECTOR_RTC]);
}

static void expect_slave_still_works(void)
{
	u32 before;

	expect_equal("interrupts in service afterwards", pic_in_service(), 0);
	before = this_cpu()->interrupts[VECTOR_RTC];
	rtc_start();
	wait_for_count(&this_cpu()->interrupts[VECTOR_RTC], before + 1, PATIENCE_MS);
	rtc_stop();
	expect_range("interrupts of IRQ 8 afterwards", this_cpu()->interrupts[VECTOR_RTC] - before, 1, 1000);
}

SLAVE_RULE(host_storm, "host.storm", "After twenty withdrawn requests of the slave nothing is in service and IRQ 8 still arrives", 0)
{
	need_rtc();
	for (unsigned i = 0; i < 20; i++) {
		expect(withdraw_request(), "the request of IRQ 8 comes");
		let_interrupts_in();
	}
	expect_slave_still_works();
}

static void guest_withdraws(void)
{
	withdraw_request();
	let_interrupts_in();
}

SLAVE_RULE(guest_harmless, "guest.goes-on", "After a slave's request withdrawn in a guest nothing is in service and IRQ 8 still arrives in the host",
	   NEED_VMX_ROOT)
{
	need_rtc();
	struct guest *guest = guest_golden(guest_withdraws);

	guest_gets_interrupts();
	expect_done(guest);
	expect_slave_still_works();
}
