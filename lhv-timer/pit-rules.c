/* Rules on the 8254 interval timer: it counts, and IRQ 0 arrives in host and guest. */
#include "cpu/registers.h"
#include "cpu/time.h"
#include "harness/rule.h"
#include "interrupts/interrupts.h"
#include "interrupts/pic.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"
#include "lhv-timer/pit.h"
#include "lhv-timer/wait.h"

#define DATA_SHEET "none: Intel 8254 data sheet"
#define MASKABLE "6.3.2 Maskable Hardware Interrupts"
#define EXTERNAL_INTERRUPT "26.2 Other Causes of VM Exits (external interrupts)"

#define PIT_RULE(name, id_text, title_text, section, more_needs) \
	RULE(name, .id = "timer.pit." id_text, .title = title_text, .sdm = section, .cpus = BOOT_CPU, .needs = NEED_PIT | more_needs, \
	     .opt = OPT_TIMER)
#define IRQ_NEEDS (NEED_PIC | NEED_APIC | NEED_INTERRUPTS)
#define GUEST_NEEDS (IRQ_NEEDS | NEED_VMX_ROOT)

#define VECTOR_PIT (VECTOR_PIC + PIT_IRQ)
#define TICKS_PER_MS (PIT_HZ / 1000)
/* An interrupt that is due within 1 ms has come after this long, on slow emulators too */
#define PATIENCE_MS 200

PIT_RULE(counts, "counts-down", "The counter goes down while time passes", DATA_SHEET, 0)
{
	u16 first;

	pit_start(PIT_RATE, 0);
	delay_us(1000);
	first = pit_count();
	delay_us(1000);
	/* a wide margin: the TSC may run at several times the speed that it was measured at */
	expect((u16)(first - pit_count()) >= TICKS_PER_MS / 8, "the counter went down by at least 125 us' ticks in a millisecond");
}

PIT_RULE(reload, "mode2-reload", "In mode 2 the counter stays between 1 and the count that was written", DATA_SHEET, 0)
{
	pit_start(PIT_RATE, 1000);
	delay_us(2000);
	for (unsigned i = 0; i < 50; i++)
		expect_range("the counter of a count of 1000", pit_count(), 1, 1000);
}

/* Mode and access bits: 5:1 */
#define STATUS_PROGRAMMED BITS(5, 0)
#define STATUS_BOTH_BYTES 0x30

static const u8 modes[] = {PIT_ONE_SHOT, PIT_RATE, PIT_SQUARE_WAVE};

static void status_shows_mode(const struct rule *rule)
{
	u8 mode = *(const u8 *)rule->row;

	pit_start(mode, 50000);
	expect_equal("access and mode in the status byte", pit_status() & STATUS_PROGRAMMED, STATUS_BOTH_BYTES | mode << 1);
}

#define STATUS_ROW(index, id_text, text) \
	ROW(status_shows_mode, .id = "timer.pit." id_text, .title = "The read-back command tells mode " text, .sdm = DATA_SHEET, \
	    .row = &modes[index], .cpus = BOOT_CPU, .needs = NEED_PIT, .opt = OPT_TIMER)
STATUS_ROW(0, "readback-mode0", "0")
STATUS_ROW(1, "readback-mode2", "2")
STATUS_ROW(2, "readback-mode3", "3")

PIT_RULE(mode0_out, "mode0-out", "In mode 0 OUT is low until the count is over and high from then on", DATA_SHEET, 0)
{
	u64 start = rdtsc();
	u8 status;

	pit_start(PIT_ONE_SHOT, 20 * TICKS_PER_MS);
	status = pit_status();
	if (rdtsc() - start < 10 * time_ticks_per_ms()) /* not held up in between */
		expect_clear("OUT in the status byte, before", status, PIT_STATUS_OUT);
	delay_us(40000);
	expect_set("OUT in the status byte, after", pit_status(), PIT_STATUS_OUT);
	delay_us(1000);
	expect_set("OUT in the status byte, later", pit_status(), PIT_STATUS_OUT);
}

static u16 read_latched_count(void)
{
	u8 low = pit_read_byte();

	return low | pit_read_byte() << 8;
}

/* The counter of 65,536 goes round in 55 ms: what took longer says nothing */
#define NOT_ROUND_MS 40

PIT_RULE(readback_count, "readback-count", "A latched count stays until it is read, whatever is latched in between", DATA_SHEET, 0)
{
	u64 start;
	u16 first;

	pit_start(PIT_RATE, 0);
	delay_us(1000);
	start = rdtsc();
	pit_latch(true, false);
	delay_us(8000);
	pit_latch(true, false);
	first = read_latched_count();
	u16 passed = first - pit_count();

	if (rdtsc() - start > NOT_ROUND_MS * time_ticks_per_ms())
		rule_skip("the CPU was held up for longer than the counter goes round");
	expect_range("ticks from the latched count to the present one", passed, TICKS_PER_MS, 0xffff);
}

PIT_RULE(readback_both, "readback-both", "With count and status latched together the status is read first, then the count", DATA_SHEET, 0)
{
	pit_start(PIT_RATE, 0x7f7f);
	delay_us(1000);
	pit_latch(true, true);
	expect_equal("access and mode in the first byte", pit_read_byte() & STATUS_PROGRAMMED, STATUS_BOTH_BYTES | PIT_RATE << 1);
	expect_range("the count in the next two", read_latched_count(), 1, 0x7f7f);
}

PIT_RULE(null_count, "null-count", "The null-count flag is 1 from writing the mode until the count has been loaded", DATA_SHEET, 0)
{
	pit_set_mode(PIT_RATE);
	expect_set("status after the mode", pit_status(), PIT_STATUS_NULL);
	pit_start(PIT_RATE, 1000);
	delay_us(1000);
	expect_clear("status once the count is loaded", pit_status(), PIT_STATUS_NULL);
}

PIT_RULE(mode3_even, "mode3-by-two", "In mode 3 with an even count the counter goes down by two and is even", DATA_SHEET, 0)
{
	pit_start(PIT_SQUARE_WAVE, 1000);
	delay_us(2000);
	for (unsigned i = 0; i < 50; i++) {
		u16 count = pit_count();

		expect_range("the counter of a count of 1000", count, 2, 1000);
		expect_clear("the counter's lowest bit", count, 1);
	}
}

/* ---- IRQ 0 in the host --------------------------------------------------------------------------- */

PIT_RULE(one_shot, "one-shot-host", "Mode 0 gives one interrupt in the host", MASKABLE, IRQ_NEEDS)
{
	pit_start_irq(PIT_ONE_SHOT, TICKS_PER_MS);
	expect_equal("interrupts of IRQ 0", wait_for_count(&this_cpu()->interrupts[VECTOR_PIT], 1, PATIENCE_MS), 1);
	expect_equal("interrupts of IRQ 0, later", wait_for_count(&this_cpu()->interrupts[VECTOR_PIT], 2, 5), 1);
}

PIT_RULE(periodic, "periodic-host", "Mode 2 gives interrupts again and again in the host", MASKABLE, IRQ_NEEDS)
{
	pit_start_irq(PIT_RATE, TICKS_PER_MS);
	expect_range("interrupts of IRQ 0", wait_for_count(&this_cpu()->interrupts[VECTOR_PIT], 5, PATIENCE_MS), 5, 1000);
	pit_stop();
}

PIT_RULE(square_wave, "mode3-host", "Mode 3 gives interrupts again and again in the host", MASKABLE, IRQ_NEEDS)
{
	pit_start_irq(PIT_SQUARE_WAVE, TICKS_PER_MS);
	expect_range("interrupts of IRQ 0", wait_for_count(&this_cpu()->interrupts[VECTOR_PIT], 5, PATIENCE_MS), 5, 1000);
	pit_stop();
}

PIT_RULE(masked_if, "if0-host", "With RFLAGS.IF = 0 the interrupt waits until IF is 1", MASKABLE, IRQ_NEEDS)
{
	pit_start_irq(PIT_ONE_SHOT, 100);
	delay_us(2000);
	expect_equal("interrupts of IRQ 0 with IF = 0", this_cpu()->interrupts[VECTOR_PIT], 0);
	expect_equal("interrupts of IRQ 0 with IF = 1", wait_for_count(&this_cpu()->interrupts[VECTOR_PIT], 1, PATIENCE_MS), 1);
}

PIT_RULE(hlt, "wakes-hlt-host", "The interrupt ends HLT in the host", MASKABLE, IRQ_NEEDS)
{
	pit_start_irq(PIT_ONE_SHOT, TICKS_PER_MS);
	expect_equal("interrupts of IRQ 0 after HLT", hlt_until_count(&this_cpu()->interrupts[VECTOR_PIT]), 1);
}

/* ---- IRQ 0 in a guest ----------------------------------------------------------------------------- */

static void guest_waits_for_one(void)
{
	hypercall(HYPERCALL_TEST, wait_for_count(&this_cpu()->guest_interrupts[VECTOR_PIT], 1, PATIENCE_MS));
}

static void guest_waits_for_five(void)
{
	hypercall(HYPERCALL_TEST, wait_for_count(&this_cpu()->guest_interrupts[VECTOR_PIT], 5, PATIENCE_MS));
}

static void guest_hlt(void)
{
	hypercall(HYPERCALL_TEST, hlt_until_count(&this_cpu()->guest_interrupts[VECTOR_PIT]));
}

/* RFLAGS.IF is 0 in the golden state */
static void guest_busy_if0(void)
{
	delay_us(5000);
}

PIT_RULE(guest_one, "one-shot-guest",
	 "With \"external-interrupt exiting\" 0 the interrupt goes through the guest's IDT", EXTERNAL_INTERRUPT, GUEST_NEEDS)
{
	struct guest *guest = guest_golden(guest_waits_for_one);

	guest_gets_interrupts();
	pit_start_irq(PIT_ONE_SHOT, TICKS_PER_MS);
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_equal("interrupts of IRQ 0 in the guest", guest->registers.bx, 1);
	expect_equal("interrupts of IRQ 0 in the host", this_cpu()->interrupts[VECTOR_PIT], 0);
}

PIT_RULE(guest_periodic, "periodic-guest", "Interrupts arrive in the guest again and again", EXTERNAL_INTERRUPT, GUEST_NEEDS)
{
	struct guest *guest = guest_golden(guest_waits_for_five);

	guest_gets_interrupts();
	pit_start_irq(PIT_RATE, TICKS_PER_MS);
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_range("interrupts of IRQ 0 in the guest", guest->registers.bx, 5, 1000);
	pit_stop();
}

PIT_RULE(guest_wakes, "wakes-hlt-guest", "The interrupt ends HLT in the guest with \"HLT exiting\" 0", EXTERNAL_INTERRUPT, GUEST_NEEDS)
{
	struct guest *guest = guest_golden(guest_hlt);

	guest_gets_interrupts();
	controls_clear(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_HLT_EXITING, "HLT exiting");
	pit_start_irq(PIT_ONE_SHOT, TICKS_PER_MS);
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_equal("interrupts of IRQ 0 in the guest", guest->registers.bx, 1);
}

PIT_RULE(guest_exits, "exits-guest",
	 "With \"external-interrupt exiting\" 1 the interrupt causes a VM exit and waits for the host",
	 EXTERNAL_INTERRUPT, GUEST_NEEDS)
{
	struct guest *guest = guest_golden(guest_waits_for_one);

	controls_set(VMCS_PIN_CONTROLS, &this_cpu()->caps.pin, PIN_EXTERNAL_INTERRUPT_EXITING, "external-interrupt exiting");
	controls_clear(VMCS_EXIT_CONTROLS, &this_cpu()->caps.exit, EXIT_ACKNOWLEDGE_INTERRUPT, "acknowledge interrupt on exit");
	pit_start_irq(PIT_ONE_SHOT, TICKS_PER_MS);
	expect_exit(guest_run(guest), EXIT_REASON_EXTERNAL_INTERRUPT);
	expect_equal("interrupts of IRQ 0 in the guest", this_cpu()->guest_interrupts[VECTOR_PIT], 0);
	expect_equal("interrupts of IRQ 0 in the host, once it lets them in",
		     wait_for_count(&this_cpu()->interrupts[VECTOR_PIT], 1, PATIENCE_MS), 1);
}

#define INTERRUPTION_VALID BIT(31)
#define NMI_UNBLOCKING BIT(12) /* undefined for this exit */

PIT_RULE(guest_exits_if0, "exits-guest-if0", "With \"external-interrupt exiting\" 1 the interrupt causes a VM exit even with RFLAGS.IF = 0",
	 EXTERNAL_INTERRUPT, GUEST_NEEDS)
{
	struct guest *guest = guest_golden(guest_busy_if0);

	controls_set(VMCS_PIN_CONTROLS, &this_cpu()->caps.pin, PIN_EXTERNAL_INTERRUPT_EXITING, "external-interrupt exiting");
	pit_start_irq(PIT_ONE_SHOT, TICKS_PER_MS);
	expect_exit(guest_run(guest), EXIT_REASON_EXTERNAL_INTERRUPT);
}

PIT_RULE(guest_acknowledges, "exit-acknowledges",
	 "With \"acknowledge interrupt on exit\" 1 the VM exit takes the vector from the interrupt controller", EXTERNAL_INTERRUPT,
	 GUEST_NEEDS)
{
	struct guest *guest = guest_golden(guest_waits_for_one);

	controls_set(VMCS_PIN_CONTROLS, &this_cpu()->caps.pin, PIN_EXTERNAL_INTERRUPT_EXITING, "external-interrupt exiting");
	controls_set(VMCS_EXIT_CONTROLS, &this_cpu()->caps.exit, EXIT_ACKNOWLEDGE_INTERRUPT, "acknowledge interrupt on exit");
	pit_start_irq(PIT_ONE_SHOT, TICKS_PER_MS);
	expect_exit(guest_run(guest), EXIT_REASON_EXTERNAL_INTERRUPT);
	expect_equal("VM-exit interruption information", vmread(VMCS_EXIT_INTERRUPTION_INFO) & ~NMI_UNBLOCKING,
		     INTERRUPTION_VALID | VECTOR_PIT);
	expect_equal("IRQ 0 in service", pic_in_service(), BIT(PIT_IRQ));
}
