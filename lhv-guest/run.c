/* Running a guest until its next exit, and what may be expected of that. */
#include "lhv-guest/guest.h"
#include "cpu/registers.h"
#include "harness/fault.h"
#include "harness/recover.h"
#include "harness/ticking.h"
#include "harness/watchdog.h"
#include "lhv-guest/hypercall.h"
#include "lib/format.h"

#define INTERRUPTION_TYPE(info) ((info) >> 8 & 7)
#define INTERRUPTION_NMI 2
#define MISC_TIMER_RATE 0x1f
#define ENTRY_FAILURE EXIT_REASON_ENTRY_FAILURE
#define BLOCKING_BY_STI_OR_MOV_SS 3
#define BLOCKING_BY_NMI 8

static bool timer_guards(const struct guest *guest)
{
	return !guest->own_timer && vmread(VMCS_PIN_CONTROLS) & PIN_ACTIVATE_PREEMPTION_TIMER;
}

/* The VMX-preemption timer runs out when the rule's time does. */
static void set_timer(void)
{
	struct cpu *cpu = this_cpu();
	u64 used = rdtsc() - cpu->rule_start, time = watchdog_deadline_ticks();
	u64 left = (used < time ? time - used : 0) >> (cpu->caps.misc & MISC_TIMER_RATE);

	vmwrite(VMCS_PREEMPTION_TIMER, left > 0xffffffff ? 0xffffffff : left);
}

/*
 * A VM exit for an NMI saves blocking by NMI as it was before, which is off: the NMI came. Bochs 2.7 saves it on (see
 * docs/known-issues.md), and the guest would never see another.
 */
static void unblock_guest_nmis(void)
{
	u64 state = vmread(VMCS_GUEST_INTERRUPTIBILITY);

	if (state & BLOCKING_BY_NMI)
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY, state & ~(u64)BLOCKING_BY_NMI);
}

/* Exits that are the watchdog's, not the test's. A guest that took too long does not come back from here. */
static bool is_watchdogs(struct guest *guest, u32 reason, bool guarded)
{
	if (reason == EXIT_REASON_PREEMPTION_TIMER && guarded) {
		if (watchdog_expired())
			rule_hung("in the guest", vmread(VMCS_GUEST_RIP));
		return true;
	}
	if (reason == EXIT_REASON_EXCEPTION_NMI && !guest->own_nmi &&
	    INTERRUPTION_TYPE(vmread(VMCS_EXIT_INTERRUPTION_INFO)) == INTERRUPTION_NMI) {
		watchdog_nmi();
		nmi_unblock();
		if (this_cpu()->abandon)
			rule_hung("in the guest", vmread(VMCS_GUEST_RIP));
		unblock_guest_nmis();
		this_cpu()->nmis++;
		return true;
	}
	if (reason == EXIT_REASON_VMCALL && guest->registers.ax == HYPERCALL_ABANDON)
		rule_hung("in the guest", 0);
	return false;
}

/* Planted faults of the platform, by way of fields that the test does not look at meanwhile. Returns the timer's value. */
static u64 plant_before_entry(const struct guest *guest)
{
	u64 timer = guest->own_timer ? vmread(VMCS_PREEMPTION_TIMER) : 0;

	if (fault(FAULT_TSC_OFFSET_IGNORED))
		vmwrite(VMCS_TSC_OFFSET, 0);
	if (fault(FAULT_RDTSCP_ALWAYS) && caps_allow(&this_cpu()->caps.proc2, PROC2_ENABLE_RDTSCP)) {
		vmwrite(VMCS_PROC_CONTROLS, vmread(VMCS_PROC_CONTROLS) | PROC_ACTIVATE_SECONDARY_CONTROLS);
		vmwrite(VMCS_PROC2_CONTROLS, vmread(VMCS_PROC2_CONTROLS) | PROC2_ENABLE_RDTSCP);
	}
	if (guest->own_timer && fault(FAULT_PREEMPTION_TIMER_EARLY))
		vmwrite(VMCS_PREEMPTION_TIMER, timer / 4);
	if (guest->own_timer && fault(FAULT_PREEMPTION_TIMER_NEVER))
		vmwrite(VMCS_PIN_CONTROLS, vmread(VMCS_PIN_CONTROLS) & ~(u64)PIN_ACTIVATE_PREEMPTION_TIMER);
	return timer;
}

static void plant_after_exit(const struct guest *guest, u64 timer)
{
	if (guest->own_timer && (fault(FAULT_PREEMPTION_TIMER_NOT_SAVED) || fault(FAULT_PREEMPTION_TIMER_EARLY)))
		vmwrite(VMCS_PREEMPTION_TIMER, timer);
}

struct exit guest_run(struct guest *guest)
{
	bool guarded = timer_guards(guest);
	u64 timer = 0;
	struct exit exit = {SUCCEEDED, 0};

	this_cpu()->in_guest = 1;
	do {
		if (guarded)
			set_timer();
		if (faults_planted)
			timer = plant_before_entry(guest);
		if (!vm_enter(&guest->registers, guest->launched, &exit.entry))
			break;
		if (faults_planted)
			plant_after_exit(guest, timer);
		exit.reason = vmread(VMCS_EXIT_REASON);
		guest->launched |= !(exit.reason & ENTRY_FAILURE);
	} while (is_watchdogs(guest, exit.reason, guarded));
	this_cpu()->in_guest = 0;
	ticking_window();
	if (fault(FAULT_EXIT_REASON) && exit.entry == SUCCEEDED)
		exit.reason++;
	if (fault(FAULT_EPT_NO_MISCONFIGURATION) && exit.reason == EXIT_REASON_EPT_MISCONFIGURATION)
		exit.reason = EXIT_REASON_EPT_VIOLATION;
	if (fault(FAULT_EXIT_BEFORE_CPL) && exit.reason == EXIT_REASON_VMCALL && guest->registers.ax == HYPERCALL_EXCEPTION &&
	    guest->exception.cs & 3)
		exit.reason = EXIT_REASON_HLT;
	return exit;
}

void guest_skip_instruction(void)
{
	u64 state = vmread(VMCS_GUEST_INTERRUPTIBILITY);

	vmwrite(VMCS_GUEST_RIP, vmread(VMCS_GUEST_RIP) + vmread(VMCS_EXIT_INSTRUCTION_LENGTH));
	if (state & BLOCKING_BY_STI_OR_MOV_SS)
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY, state & ~(u64)BLOCKING_BY_STI_OR_MOV_SS);
}

size_t exit_format(char *buffer, size_t size, const struct guest *guest, struct exit exit)
{
	u32 basic = exit.reason & 0xffff;
	size_t length;

	if (exit.entry != SUCCEEDED) {
		length = format(buffer, size, "VM entry: ");
		return length + outcome_format(buffer + length, size - length, exit.entry);
	}
	if (exit.reason & ENTRY_FAILURE)
		return format(buffer, size, "VM-entry failure %u %s, exit qualification 0x%llx", basic, exit_reason_name(basic),
			      vmread(VMCS_EXIT_QUALIFICATION));
	if (exit.reason == EXIT_REASON_VMCALL && guest->registers.ax == HYPERCALL_EXCEPTION) {
		length = format(buffer, size, "guest took ");
		return length + trap_describe(buffer + length, size - length, &guest->exception);
	}
	length = format(buffer, size, "VM exit %u %s at 0x%llx", basic, exit_reason_name(basic), vmread(VMCS_GUEST_RIP));
	if (exit.reason == EXIT_REASON_VMCALL)
		length = append(buffer, size, " (hypercall 0x%lx)", guest->registers.ax);
	return length;
}

static NORETURN void unexpected(const struct guest *guest, struct exit exit, const char *expected)
{
	char text[300];

	exit_format(text, sizeof(text), guest, exit);
	rule_fail("the guest's next VM exit", expected, "%s", text);
}

void expect_exit(struct exit exit, u32 reason)
{
	char text[100];

	if (exit.entry == SUCCEEDED && exit.reason == reason)
		return;
	format(text, sizeof(text), reason & ENTRY_FAILURE ? "VM-entry failure %u %s" : "VM exit %u %s", reason & 0xffff,
	       exit_reason_name(reason & 0xffff));
	unexpected(this_cpu()->guest, exit, text);
}

void expect_hypercall(struct guest *guest, struct exit exit, u32 number)
{
	char text[60];

	if (exit.entry == SUCCEEDED && exit.reason == EXIT_REASON_VMCALL && guest->registers.ax == number)
		return;
	format(text, sizeof(text), "VM exit 18 VMCALL (hypercall 0x%x)", number);
	unexpected(guest, exit, text);
}

void expect_done(struct guest *guest)
{
	expect_hypercall(guest, guest_run(guest), HYPERCALL_DONE);
}

void controls_set(enum vmcs_field field, const struct control_caps *caps, u64 bits, const char *name)
{
	if (!caps_allow(caps, bits))
		rule_skip("the CPU does not allow the control \"%s\" to be 1", name);
	vmwrite(field, vmread(field) | bits);
}

void controls_clear(enum vmcs_field field, const struct control_caps *caps, u64 bits, const char *name)
{
	if (caps->must_be_1 & bits)
		rule_skip("the CPU does not allow the control \"%s\" to be 0", name);
	vmwrite(field, vmread(field) & ~bits);
}

void guest_gets_interrupts(void)
{
	controls_clear(VMCS_PIN_CONTROLS, &this_cpu()->caps.pin, PIN_EXTERNAL_INTERRUPT_EXITING, "external-interrupt exiting");
}
