/* Rules on the VMX-preemption timer. Each uses it itself, so that the watchdog of its guests is the NMI alone. */
#include "cpu/port.h"
#include "cpu/registers.h"
#include "cpu/time.h"
#include "harness/rule.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"

#define TIMER "26.5.1 VMX-Preemption Timer"
#define SAVING "28.3.4 Saving Non-Register State"

#define TIMER_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "timer.preemption." id_text, .title = title_text, .sdm = section, .needs = NEED_VMX_ROOT | NEED_PREEMPTION_TIMER, \
	     .opt = OPT_PREEMPTION_TIMER, ##__VA_ARGS__)

#define ACTIVITY_HLT 1
#define ACTIVITY_SHUTDOWN 2
#define MISC_ACTIVITY(state) BIT(5 + (state))
#define LONGEST 0xffffffffu
#define SYSTEM_CONTROL_PORT 0x61

static u32 rate(void)
{
	return this_cpu()->caps.misc & 0x1f;
}

/* The timer's value for so many microseconds, rounded up: at least 2 */
static u32 value_for(u32 us)
{
	return ((us * time_ticks_per_ms() / 1000) >> rate()) + 2;
}

/*
 * Reading the port does nothing, but under a hypervisor it is a VM exit that the host does not see. KVM counts the timer with one
 * of its own, whose interrupt Bochs keeps from it while a guest runs with RFLAGS.IF = 0 (docs/known-issues.md,
 * bochs-interrupt-exit-if0): that would end the machine here.
 */
static void guest_spins(void)
{
	for (;;)
		in8(SYSTEM_CONTROL_PORT);
}

static void guest_nothing(void)
{
}

/* Long enough for the timer to count several times, whatever its rate */
static void guest_waits(void)
{
	u64 start = rdtsc();

	while (rdtsc() - start < 4ull << rate())
		pause();
}

static void guest_waits_1ms(void)
{
	delay_us(1000);
}

static void guest_hlt(void)
{
	for (;;)
		asm volatile("hlt");
}

static struct guest *golden(void (*function)(void), u32 value)
{
	struct guest *guest = guest_golden(function);

	guest->own_timer = true;
	controls_set(VMCS_PIN_CONTROLS, &this_cpu()->caps.pin, PIN_ACTIVATE_PREEMPTION_TIMER, "activate VMX-preemption timer");
	vmwrite(VMCS_PREEMPTION_TIMER, value);
	return guest;
}

static void save_value(void)
{
	controls_set(VMCS_EXIT_CONTROLS, &this_cpu()->caps.exit, EXIT_SAVE_PREEMPTION_TIMER, "save VMX-preemption timer value");
}

static void expect_timer_exit(struct guest *guest)
{
	expect_exit(guest_run(guest), EXIT_REASON_PREEMPTION_TIMER);
}

/* For rules that only observe: any other exit is noted, too */
static bool noted_other_exit(struct guest *guest)
{
	struct exit exit = guest_run(guest);
	char text[200];

	if (exit.entry == SUCCEEDED && exit.reason == EXIT_REASON_PREEMPTION_TIMER)
		return false;
	exit_format(text, sizeof(text), guest, exit);
	rule_note("instead of the timer's VM exit: %s", text);
	return true;
}

TIMER_RULE(fires, "fires", "When the VMX-preemption timer has counted down to 0 a VM exit with basic reason 52 happens", TIMER)
{
	expect_timer_exit(golden(guest_spins, value_for(200)));
	expect_equal("exit qualification", vmread(VMCS_EXIT_QUALIFICATION), 0);
}

TIMER_RULE(not_early, "not-early", "The timer counts down by 1 each time bit X of the TSC changes, not faster", TIMER)
{
	u32 value = value_for(1000);
	struct guest *guest = golden(guest_spins, value);
	u64 before = rdtsc();

	expect_timer_exit(guest);
	expect_range("TSC ticks from before the VM entry to after the VM exit", rdtsc() - before, (value - 1ull) << rate(), ~0ull);
}

TIMER_RULE(measured, "rate", "The timer's rate is that of IA32_VMX_MISC[4:0]", TIMER, .class = OBSERVED)
{
	u32 value = value_for(1000);
	struct guest *guest = golden(guest_spins, value);
	u64 before = rdtsc();

	if (!noted_other_exit(guest))
		rule_note("X = %u; a value of %u took %llu TSC ticks, exit and entry included, of %llu", rate(), value, rdtsc() - before,
			  (u64)value << rate());
}

TIMER_RULE(zero, "zero", "A value of 0 causes the VM exit before any instruction of the guest", TIMER)
{
	struct guest *guest = golden(guest_spins, 0);
	u64 rip = vmread(VMCS_GUEST_RIP), rsp = vmread(VMCS_GUEST_RSP);

	expect_timer_exit(guest);
	expect_equal("guest RIP", vmread(VMCS_GUEST_RIP), rip);
	expect_equal("guest RSP", vmread(VMCS_GUEST_RSP), rsp);
}

/* Valid, external interrupt */
#define INJECTED_VECTOR 0x50
#define INJECT BIT(31)

TIMER_RULE(zero_injected, "zero-with-injection", "With a value of 0 an injected event is delivered first: the VM exit has the handler's RIP", TIMER)
{
	struct guest *guest = golden(guest_spins, 0);

	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_IF);
	vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, INJECT | INJECTED_VECTOR);
	expect_timer_exit(guest);
	expect_equal("guest RIP: the handler's first instruction", vmread(VMCS_GUEST_RIP), (ulong)guest_stubs[INJECTED_VECTOR]);
}

TIMER_RULE(saved_zero, "saved-zero", "With \"save VMX-preemption timer value\" 1 the VM exit by the timer saves 0", SAVING)
{
	struct guest *guest = golden(guest_spins, value_for(200));

	save_value();
	expect_timer_exit(guest);
	expect_equal("VMX-preemption timer value", vmread(VMCS_PREEMPTION_TIMER), 0);
}

TIMER_RULE(saved, "saved-counted-down", "With \"save VMX-preemption timer value\" 1 other VM exits save the value as counted down", SAVING)
{
	struct guest *guest = golden(guest_waits, LONGEST);
	u64 before = rdtsc(), most;

	save_value();
	expect_done(guest);
	most = ((rdtsc() - before) >> rate()) + 1;
	/* it waited for four changes of bit X: one may have been under way at each end */
	expect_range("what the timer has counted", LONGEST - vmread(VMCS_PREEMPTION_TIMER), 2, most);
}

TIMER_RULE(saved_continues, "saved-continues", "Entered again with the saved value, the timer goes on from there", TIMER)
{
	struct guest *guest = golden(guest_waits, LONGEST);
	static const u8 vmcall_again[] = {0x0f, 0x01, 0xc1, 0xeb, 0xfb}; /* VMCALL, and back to it */
	u32 first;

	save_value();
	expect_done(guest);
	first = vmread(VMCS_PREEMPTION_TIMER);
	vmwrite(VMCS_GUEST_RIP, (ulong)vmcall_again);
	expect_exit(guest_run(guest), EXIT_REASON_VMCALL);
	expect_range("VMX-preemption timer value after the second VM exit", vmread(VMCS_PREEMPTION_TIMER), 0, first);
}

TIMER_RULE(not_saved, "not-saved", "With \"save VMX-preemption timer value\" 0 the VM exit leaves the field alone", SAVING)
{
	struct guest *guest = golden(guest_waits, LONGEST);

	controls_clear(VMCS_EXIT_CONTROLS, &this_cpu()->caps.exit, EXIT_SAVE_PREEMPTION_TIMER, "save VMX-preemption timer value");
	expect_done(guest);
	expect_equal("VMX-preemption timer value", vmread(VMCS_PREEMPTION_TIMER), LONGEST);
}

TIMER_RULE(reloaded, "reloaded", "Each VM entry loads the timer anew from the field", TIMER)
{
	u32 value = value_for(100);
	struct guest *guest = golden(guest_spins, value);

	controls_clear(VMCS_EXIT_CONTROLS, &this_cpu()->caps.exit, EXIT_SAVE_PREEMPTION_TIMER, "save VMX-preemption timer value");
	for (unsigned i = 0; i < 4; i++) {
		u64 before = rdtsc();

		expect_timer_exit(guest);
		expect_range("TSC ticks from before the VM entry to after the VM exit", rdtsc() - before, (value - 1ull) << rate(), ~0ull);
		expect_equal("VMX-preemption timer value", vmread(VMCS_PREEMPTION_TIMER), value);
	}
}

TIMER_RULE(off, "off", "With \"activate VMX-preemption timer\" 0 the timer does not count", TIMER)
{
	struct guest *guest = golden(guest_waits_1ms, 1);

	controls_clear(VMCS_PIN_CONTROLS, &this_cpu()->caps.pin, PIN_ACTIVATE_PREEMPTION_TIMER, "activate VMX-preemption timer");
	expect_done(guest);
	expect_equal("VMX-preemption timer value", vmread(VMCS_PREEMPTION_TIMER), 1);
}

TIMER_RULE(save_alone, "save-needs-activate",
	   "\"save VMX-preemption timer value\" 1 with \"activate VMX-preemption timer\" 0 makes VM entry fail with error 7",
	   "27.2.1.2 VM-Exit Control Fields")
{
	struct guest *guest = golden(guest_nothing, LONGEST);

	save_value();
	controls_clear(VMCS_PIN_CONTROLS, &this_cpu()->caps.pin, PIN_ACTIVATE_PREEMPTION_TIMER, "activate VMX-preemption timer");
	expect_outcome("VMLAUNCH", guest_run(guest).entry, VMFAIL_VALID(7));
}

TIMER_RULE(longest, "longest", "The value is an unsigned number: FFFFFFFFH is the longest time", TIMER)
{
	expect_done(golden(guest_waits, LONGEST));
}

TIMER_RULE(if_0, "if0", "The timer causes its VM exit with RFLAGS.IF = 0", TIMER)
{
	struct guest *guest = golden(guest_spins, value_for(200));

	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);
	expect_timer_exit(guest);
	expect_clear("guest RFLAGS", vmread(VMCS_GUEST_RFLAGS), RFLAGS_IF);
}

TIMER_RULE(if_1, "if1", "The timer causes its VM exit with RFLAGS.IF = 1", TIMER)
{
	struct guest *guest = golden(guest_spins, value_for(200));

	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_IF);
	expect_timer_exit(guest);
	expect_set("guest RFLAGS", vmread(VMCS_GUEST_RFLAGS), RFLAGS_IF);
}

TIMER_RULE(hlt, "wakes-hlt", "The timer causes its VM exit from HLT, and the activity state HLT is saved", TIMER)
{
	struct guest *guest = golden(guest_hlt, value_for(500));

	controls_clear(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_HLT_EXITING, "HLT exiting");
	expect_timer_exit(guest);
	expect_equal("guest activity state", vmread(VMCS_GUEST_ACTIVITY_STATE), ACTIVITY_HLT);
}

/* A guest that VM entry puts into an activity state stays there until the timer ends it */
static void expect_exit_from(u32 state, const char *name)
{
	struct guest *guest = golden(guest_nothing, value_for(200));
	u64 rip = vmread(VMCS_GUEST_RIP);

	if (!(this_cpu()->caps.misc & MISC_ACTIVITY(state)))
		rule_skip("the CPU does not support the activity state %s (IA32_VMX_MISC[8:6])", name);
	vmwrite(VMCS_GUEST_ACTIVITY_STATE, state);
	expect_timer_exit(guest);
	expect_equal("guest activity state", vmread(VMCS_GUEST_ACTIVITY_STATE), state);
	expect_equal("guest RIP", vmread(VMCS_GUEST_RIP), rip);
}

TIMER_RULE(state_hlt, "activity-hlt", "The timer counts and causes its VM exit in a guest entered in the activity state HLT", TIMER)
{
	expect_exit_from(ACTIVITY_HLT, "HLT");
}

TIMER_RULE(state_shutdown, "activity-shutdown", "The timer counts and causes its VM exit in a guest entered in the activity state shutdown", TIMER)
{
	expect_exit_from(ACTIVITY_SHUTDOWN, "shutdown");
}

#define BLOCKING_BY_STI BIT(0)

TIMER_RULE(zero_sti, "zero-with-sti", "With a value of 0 and blocking by STI the VM exit happens at once", TIMER, .class = OBSERVED)
{
	struct guest *guest = golden(guest_spins, 0);
	u64 rip = vmread(VMCS_GUEST_RIP);

	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_IF);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_BY_STI);
	if (!noted_other_exit(guest))
		rule_note("the VM exit came %s", vmread(VMCS_GUEST_RIP) == rip ? "before the first instruction" : "after an instruction");
}
