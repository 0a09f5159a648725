/* The watchdog and the barrier that it stands at. */
#include "harness/watchdog.h"
#include "cpu/paging.h"
#include "cpu/port.h"
#include "cpu/registers.h"
#include "cpu/time.h"
#include "harness/ticking.h"
#include "interrupts/lapic.h"
#include "smp/acpi.h"
#include "smp/cpu.h"

/* The real-time clock: Motorola MC146818, registers A to C */
#define RTC_INDEX 0x70
#define RTC_DATA 0x71
enum { RTC_A = 0x0a, RTC_B = 0x0b, RTC_C = 0x0c };
#define RTC_A_2_HZ 0x2f
#define RTC_B_PERIODIC 0x40
#define RTC_IRQ 8

/* The I/O APIC: Intel 82093AA */
#define IO_APIC_SELECT 0x00
#define IO_APIC_WINDOW 0x10
#define IO_APIC_VERSION 0x01
#define IO_APIC_ENTRY(n) (0x10 + 2 * (n))
#define ENTRY_NMI 0x400
#define ENTRY_MASKED BIT(16)

static u32 deadline_ms = 2000;
static volatile u8 *io_apic; /* 0: the real-time clock cannot send NMIs */
static u32 rtc_pin;

static void io_apic_write(u8 reg, u32 value)
{
	*(volatile u32 *)(io_apic + IO_APIC_SELECT) = reg;
	*(volatile u32 *)(io_apic + IO_APIC_WINDOW) = value;
}

static u32 io_apic_read(u8 reg)
{
	*(volatile u32 *)(io_apic + IO_APIC_SELECT) = reg;
	return *(volatile u32 *)(io_apic + IO_APIC_WINDOW);
}

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

const char *watchdog_init(u32 ms)
{
	const char *with = cpu_count > 1 ? "NMIs of the other CPUs" : "none for the host: this CPU is alone";
	u32 pins;

	deadline_ms = ms;
	if (!acpi.io_apic || acpi.io_apic >> 32 || !lapic_there() || lapic_id() > 0xff)
		return with;
	io_apic = (volatile u8 *)(ulong)acpi.io_apic;
	paging_uncached((ulong)io_apic);
	pins = (io_apic_read(IO_APIC_VERSION) >> 16 & 0xff) + 1;
	rtc_pin = acpi.irq_gsi[RTC_IRQ] - acpi.io_apic_gsi;
	if (rtc_pin >= pins || rtc_read(RTC_A) == 0xff) {
		io_apic = 0;
		return with;
	}
	io_apic_write(IO_APIC_ENTRY(rtc_pin) + 1, lapic_id() << 24);
	io_apic_write(IO_APIC_ENTRY(rtc_pin), ENTRY_NMI | ENTRY_MASKED);
	return cpu_count > 1 ? "NMIs of the other CPUs and of the real-time clock" : "NMIs of the real-time clock";
}

u32 watchdog_deadline_ms(void)
{
	return deadline_ms;
}

u64 watchdog_deadline_ticks(void)
{
	return deadline_ms * time_ticks_per_ms();
}

void watchdog_arm(void)
{
	if (!io_apic || !this_cpu()->boot)
		return;
	rtc_write(RTC_A, RTC_A_2_HZ);
	rtc_write(RTC_B, rtc_read(RTC_B) | RTC_B_PERIODIC);
	rtc_read(RTC_C);
	io_apic_write(IO_APIC_ENTRY(rtc_pin), ENTRY_NMI);
}

void watchdog_disarm(void)
{
	if (!io_apic || !this_cpu()->boot)
		return;
	io_apic_write(IO_APIC_ENTRY(rtc_pin), ENTRY_NMI | ENTRY_MASKED);
	rtc_write(RTC_B, rtc_read(RTC_B) & ~RTC_B_PERIODIC);
}

/* Once per rule: a stream of NMIs would keep the CPU from ever leaving */
static void tell_to_leave(struct cpu *cpu)
{
	if (!__atomic_exchange_n(&cpu->abandon, 1, __ATOMIC_SEQ_CST) && cpu != this_cpu())
		lapic_send(cpu->apic_id, ICR_NMI | ICR_ASSERT);
}

void watchdog_nmi(void)
{
	if (!this_cpu()->boot || !io_apic)
		return;
	rtc_read(RTC_C); /* lets the next one come */
	/* Xen sends a tick that goes out as NMI again at each VM entry, until the interrupt is switched off */
	rtc_write(RTC_B, rtc_read(RTC_B) & ~RTC_B_PERIODIC);
	rtc_write(RTC_B, rtc_read(RTC_B) | RTC_B_PERIODIC);
	for (unsigned i = 0; i < cpu_count; i++)
		if (cpus[i].in_rule && rdtsc() - this_cpu()->rule_start > watchdog_deadline_ticks())
			tell_to_leave(&cpus[i]);
}

bool watchdog_expired(void)
{
	return this_cpu()->abandon || rdtsc() - this_cpu()->rule_start > watchdog_deadline_ticks();
}

/* How long a CPU may take, beyond the rule's own time, to get here after it was told to leave */
#define GRACE_MS 500

void watchdog_barrier(u32 ms)
{
	struct cpu *me = this_cpu();
	u32 turn = me->arrived + 1;
	u64 start = rdtsc(), patience = ms * time_ticks_per_ms(), grace = GRACE_MS * time_ticks_per_ms();

	__atomic_store_n(&me->arrived, turn, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < cpu_count; i++) {
		struct cpu *other = &cpus[i];

		while (!other->lost && (int)(__atomic_load_n(&other->arrived, __ATOMIC_SEQ_CST) - turn) < 0) {
			u64 waited = rdtsc() - start;

			if (waited > patience + grace) {
				other->lost = true;
			} else if (waited > patience && lapic_there()) {
				tell_to_leave(other);
			}
			if (me->lost)
				break;
			ticking_window();
			pause();
		}
	}
	/* the others gave this CPU up while it was away: they go on without it */
	while (me->lost) {
		interrupts_off();
		asm volatile("hlt");
	}
}
