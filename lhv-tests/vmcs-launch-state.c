/* The launch state of a VMCS: it has no field, VMLAUNCH and VMRESUME tell. */
#include "cpu/registers.h"
#include "harness/expect.h"
#include "harness/rule.h"
#include "lhv-guest/golden.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"
#include "lhv-tests/vmcs-values.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"
#include "vmx/root.h"

#define OVERVIEW "25.1 Virtual Machine Control Structures: Overview"
#define VMLAUNCH "31.3 VMLAUNCH/VMRESUME - Launch/Resume Virtual Machine"

#define LAUNCH_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "vmcs.launch-state." id_text, .title = title_text, .sdm = section, .needs = NEED_VMX_ROOT, \
	     .opt = OPT_VMX_INSTR | OPT_VMXOFF, ##__VA_ARGS__)

/* Exits each time that it is entered */
static void guest_calls(void)
{
	for (;;)
		hypercall(HYPERCALL_TEST, 0);
}

static void enter(struct guest *guest)
{
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	guest_skip_instruction();
}

/* The current VMCS is clear: VMRESUME gives error 5, VMLAUNCH enters */
static void expect_state_clear(struct guest *guest)
{
	guest->launched = true;
	expect_outcome("VMRESUME of a VMCS that should be clear", guest_run(guest).entry, VMFAIL_VALID(5));
	guest->launched = false;
	enter(guest);
}

/* The current VMCS is launched: VMLAUNCH gives error 4, VMRESUME enters */
static void expect_state_launched(struct guest *guest)
{
	guest->launched = false;
	expect_outcome("VMLAUNCH of a VMCS that should be launched", guest_run(guest).entry, VMFAIL_VALID(4));
	guest->launched = true;
	enter(guest);
}

LAUNCH_RULE(by_vmlaunch, "vmlaunch-launches", "A new VMCS is clear; VMLAUNCH makes it launched, VMRESUME leaves it so", OVERVIEW)
{
	struct guest *guest = guest_golden(guest_calls);

	expect_state_clear(guest);
	expect_state_launched(guest);
	expect_state_launched(guest);
}

LAUNCH_RULE(after_vmclear, "after-vmclear", "VMCLEAR of a launched VMCS makes it clear: VMRESUME gives error 5, VMLAUNCH works", OVERVIEW)
{
	struct guest *guest = guest_golden(guest_calls);

	enter(guest);
	vmcs_clear_and_load(this_cpu()->golden_vmcs);
	expect_state_clear(guest);
	expect_state_launched(guest);
}

/* Another VMCS with the fields of the current one, which stays current */
static u64 twin(void)
{
	u64 current = vmcs_current(), vmcs = vmcs_fresh();
	const u64 *fields = vmcs_snapshot();

	vmcs_load(vmcs);
	vmcs_write_snapshot(fields);
	vmcs_load(current);
	return vmcs;
}

LAUNCH_RULE(vmclear_active, "after-vmclear-not-current", "VMCLEAR makes a launched VMCS clear that is active but not current", OVERVIEW)
{
	struct guest *guest = guest_golden(guest_calls);
	u64 vmcs = this_cpu()->golden_vmcs, other = twin();

	enter(guest);
	vmcs_load(other);
	vmcs_clear_and_load(vmcs);
	expect_state_clear(guest);
}

LAUNCH_RULE(vmclear_repeat, "vmclear-each-time", "VMCLEAR makes a VMCS clear each time that it was launched", OVERVIEW)
{
	struct guest *guest = guest_golden(guest_calls);

	for (unsigned i = 0; i < 4; i++) {
		guest->launched = false;
		enter(guest);
		enter(guest);
		vmcs_clear_and_load(this_cpu()->golden_vmcs);
	}
	expect_state_clear(guest);
}

LAUNCH_RULE(other_vmclear, "other-vmclear-keeps", "VMCLEAR of another VMCS leaves the current one launched", OVERVIEW)
{
	struct guest *guest = guest_golden(guest_calls);

	enter(guest);
	vmcs_clear(vmcs_fresh());
	expect_state_launched(guest);
}

LAUNCH_RULE(same_again, "vmptrld-same-keeps", "VMPTRLD of the current VMCS leaves it launched", "31.3 VMPTRLD - Load Pointer to Virtual-Machine Control Structure")
{
	struct guest *guest = guest_golden(guest_calls);

	enter(guest);
	vmcs_load(this_cpu()->golden_vmcs);
	expect_state_launched(guest);
}

LAUNCH_RULE(survives_switch, "survives-switch", "A VMCS stays launched while another is current", OVERVIEW)
{
	struct guest *guest = guest_golden(guest_calls);
	u64 other = twin();

	enter(guest);
	vmcs_load(other);
	vmcs_load(this_cpu()->golden_vmcs);
	expect_state_launched(guest);
}

LAUNCH_RULE(each_its_own, "each-its-own", "Of two active VMCSs one can be launched and the other clear", OVERVIEW)
{
	struct guest *guest = guest_golden(guest_calls);
	u64 other = twin();

	enter(guest);
	vmcs_load(other);
	expect_state_clear(guest);
	vmcs_load(this_cpu()->golden_vmcs);
	expect_state_launched(guest);
	vmcs_load(other);
	expect_state_launched(guest);
}

LAUNCH_RULE(after_vmxoff, "after-vmclear-vmxoff", "A launched VMCS that is cleared before VMXOFF is clear after VMXON",
	    "25.11.1 Software Use of Virtual-Machine Control Structures")
{
	struct guest *guest = guest_golden(guest_calls);
	u64 vmcs = this_cpu()->golden_vmcs;

	enter(guest);
	vmcs_clear(vmcs);
	vmcs_region(this_cpu(), (void *)(ulong)vmcs);
	expect_outcome("VMXOFF", vmxoff(), SUCCEEDED);
	expect_outcome("VMXON", vmxon(this_cpu()->vmxon_region), SUCCEEDED);
	vmcs_load(vmcs);
	expect_state_clear(guest);
}

/* ---- VM entries that fail ---------------------------------------------------------------------------- */

LAUNCH_RULE(failed_controls, "failed-entry-controls", "A VMLAUNCH that fails for a control field leaves the VMCS clear", VMLAUNCH)
{
	struct guest *guest = guest_golden(guest_calls);

	vmwrite(VMCS_CR3_TARGET_COUNT, 0xffffffff);
	expect_outcome("VMLAUNCH with a CR3-target count of FFFFFFFFH", guest_run(guest).entry, VMFAIL_VALID(7));
	vmwrite(VMCS_CR3_TARGET_COUNT, 0);
	expect_state_clear(guest);
}

LAUNCH_RULE(failed_host, "failed-entry-host", "A VMLAUNCH that fails for a host-state field leaves the VMCS clear", VMLAUNCH)
{
	struct guest *guest = guest_golden(guest_calls);
	u64 selector = vmread(VMCS_HOST_TR_SELECTOR);

	vmwrite(VMCS_HOST_TR_SELECTOR, 0);
	expect_outcome("VMLAUNCH with host TR selector 0", guest_run(guest).entry, VMFAIL_VALID(8));
	vmwrite(VMCS_HOST_TR_SELECTOR, selector);
	expect_state_clear(guest);
}

LAUNCH_RULE(failed_guest, "failed-entry-guest", "A VMLAUNCH that fails for a guest-state field, with a VM exit, leaves the VMCS clear", VMLAUNCH)
{
	struct guest *guest = guest_golden(guest_calls);

	vmwrite(VMCS_GUEST_RFLAGS, 0); /* bit 1 must be 1 */
	expect_exit(guest_run(guest), EXIT_REASON_ENTRY_FAILURE | EXIT_REASON_INVALID_GUEST_STATE);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);
	expect_state_clear(guest);
}

LAUNCH_RULE(failed_resume, "failed-resume-stays", "A VMRESUME that fails for a control field leaves the VMCS launched", VMLAUNCH)
{
	struct guest *guest = guest_golden(guest_calls);

	enter(guest);
	vmwrite(VMCS_CR3_TARGET_COUNT, 0xffffffff);
	expect_outcome("VMRESUME with a CR3-target count of FFFFFFFFH", guest_run(guest).entry, VMFAIL_VALID(7));
	vmwrite(VMCS_CR3_TARGET_COUNT, 0);
	expect_state_launched(guest);
}
