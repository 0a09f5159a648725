/* What a VMCS holds stays: every field, over VMCLEAR, VMPTRLD of others, VMXOFF and VM exits. */
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
#define SOFTWARE_USE "25.11.1 Software Use of Virtual-Machine Control Structures"
#define VMCLEAR "31.3 VMCLEAR - Clear Virtual-Machine Control Structure"

#define VMCS_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "vmcs." id_text, .title = title_text, .sdm = section, .needs = NEED_VMX_ROOT, \
	     .opt = OPT_VMXOFF | OPT_VMX_INSTR, ##__VA_ARGS__)

static void vmxoff_and_vmxon(void)
{
	expect_outcome("VMXOFF", vmxoff(), SUCCEEDED);
	expect_outcome("VMXON", vmxon(this_cpu()->vmxon_region), SUCCEEDED);
}

/* ---- VMCLEAR and VMPTRLD --------------------------------------------------------------------------- */

VMCS_RULE(vmclear_vmptrld, "persistence.vmclear", "Every field keeps its value over VMCLEAR and VMPTRLD", VMCLEAR)
{
	u64 vmcs = vmcs_fresh();
	const u64 *kept = vmcs_load_filled(vmcs, 0);

	vmcs_expect_filled("before VMCLEAR", kept, 0);
	vmcs_clear_and_load(vmcs);
	vmcs_expect_filled("after VMCLEAR and VMPTRLD", kept, 0);
}

VMCS_RULE(newest, "persistence.newest", "What VMCLEAR and VMPTRLD bring back is the newest value of every field, each time", VMCLEAR)
{
	u64 vmcs = vmcs_fresh();
	const u64 *kept;

	vmcs_load(vmcs);
	kept = vmcs_bits_kept();
	for (unsigned round = 0; round < 4; round++) {
		vmcs_fill(kept, round % 3);
		vmcs_clear_and_load(vmcs);
		vmcs_expect_filled("after one more VMWRITE, VMCLEAR and VMPTRLD", kept, round % 3);
	}
}

VMCS_RULE(repeated_vmclear, "persistence.repeated-vmclear", "Every field keeps its value over VMCLEARs of a VMCS that is clear already", VMCLEAR)
{
	u64 vmcs = vmcs_fresh();
	const u64 *kept = vmcs_load_filled(vmcs, 0);

	for (unsigned i = 0; i < 3; i++)
		vmcs_clear(vmcs);
	vmcs_clear_and_load(vmcs);
	vmcs_expect_filled("after four VMCLEARs and VMPTRLD", kept, 0);
}

static void guest_nothing(void)
{
}

VMCS_RULE(after_exit, "persistence.after-exit", "What a VM exit has saved, and every other field, stays over VMCLEAR and VMPTRLD", VMCLEAR)
{
	const u64 *fields;

	expect_done(guest_golden(guest_nothing));
	fields = vmcs_snapshot();
	vmcs_clear_and_load(this_cpu()->golden_vmcs);
	vmcs_expect_snapshot("after a VM exit, VMCLEAR and VMPTRLD", fields);
}

RULE(shadow_type, .id = "vmcs.persistence.shadow-vmclear", .title = "Every field of a shadow VMCS keeps its value over VMCLEAR and VMPTRLD",
     .sdm = "25.10 VMCS Types: Ordinary and Shadow", .needs = NEED_VMX_ROOT | NEED_VMCS_SHADOWING,
     .opt = OPT_VMXOFF | OPT_VMX_INSTR | OPT_SHADOW_VMCS)
{
	u64 vmcs = vmcs_fresh();
	u32 *first_word = (u32 *)(ulong)vmcs, shadow_revision = *first_word | BIT(31);
	const u64 *kept;

	*first_word = shadow_revision;
	kept = vmcs_load_filled(vmcs, 0);
	vmcs_clear(vmcs);
	*first_word = shadow_revision;
	vmcs_load(vmcs);
	vmcs_expect_filled("of a shadow VMCS after VMCLEAR and VMPTRLD", kept, 0);
}

/* ---- Several active VMCSs -------------------------------------------------------------------------- */

VMCS_RULE(switch_two, "persistence.switch", "Every field of a VMCS keeps its value while another one is current", OVERVIEW)
{
	u64 vmcs = vmcs_fresh(), other = vmcs_fresh();
	const u64 *kept = vmcs_load_filled(vmcs, 0);

	vmcs_load(other);
	vmcs_fill(kept, 1);
	vmcs_load(vmcs);
	vmcs_expect_filled("after another VMCS was current", kept, 0);
	vmcs_load(other);
	vmcs_expect_filled("of the other VMCS", kept, 1);
}

/* Three, because XMHF allows four */
VMCS_RULE(switch_three, "persistence.switch-three", "Three active VMCSs keep every field, however often the current one changes", OVERVIEW)
{
	const u64 vmcs[] = {vmcs_fresh(), vmcs_fresh(), vmcs_fresh()};
	const u64 *kept = 0;

	for (unsigned i = 0; i < 3; i++) {
		vmcs_load(vmcs[i]);
		if (!kept)
			kept = vmcs_bits_kept();
		vmcs_fill(kept, i);
	}
	for (unsigned turn = 0; turn < 6; turn++) {
		vmcs_load(vmcs[turn * 2 % 3]);
		vmcs_expect_filled("while three VMCSs take turns", kept, turn * 2 % 3);
	}
}

VMCS_RULE(switch_vmclear, "persistence.switch-then-vmclear", "Each of three active VMCSs keeps every field over its own VMCLEAR, and over those of the others", VMCLEAR)
{
	const u64 vmcs[] = {vmcs_fresh(), vmcs_fresh(), vmcs_fresh()};
	const u64 *kept = 0;

	for (unsigned i = 0; i < 3; i++) {
		vmcs_load(vmcs[i]);
		if (!kept)
			kept = vmcs_bits_kept();
		vmcs_fill(kept, i);
	}
	for (unsigned i = 0; i < 3; i++) {
		vmcs_clear_and_load(vmcs[i]);
		for (unsigned j = 0; j < 3; j++) {
			vmcs_load(vmcs[j]);
			vmcs_expect_filled("after VMCLEAR of one of three active VMCSs", kept, j);
		}
	}
}

/* ---- VMXOFF ---------------------------------------------------------------------------------------- */

VMCS_RULE(vmxoff_vmxon, "persistence.vmxoff", "Every field of a VMCS that is cleared before VMXOFF has its value after VMXON", SOFTWARE_USE)
{
	u64 vmcs = vmcs_fresh();
	const u64 *kept = vmcs_load_filled(vmcs, 0);

	vmcs_clear(vmcs);
	vmxoff_and_vmxon();
	vmcs_region(this_cpu(), (void *)(ulong)vmcs);
	vmcs_load(vmcs);
	vmcs_expect_filled("after VMCLEAR, VMXOFF, VMXON and VMPTRLD", kept, 0);
}

VMCS_RULE(vmxoff_two, "persistence.vmxoff-two", "Two VMCSs that are cleared before VMXOFF both have every field after VMXON", SOFTWARE_USE)
{
	const u64 vmcs[] = {vmcs_fresh(), vmcs_fresh()};
	const u64 *kept = 0;

	for (unsigned i = 0; i < 2; i++) {
		vmcs_load(vmcs[i]);
		if (!kept)
			kept = vmcs_bits_kept();
		vmcs_fill(kept, i);
	}
	for (unsigned i = 0; i < 2; i++)
		vmcs_clear(vmcs[i]);
	vmxoff_and_vmxon();
	for (unsigned i = 0; i < 2; i++) {
		vmcs_region(this_cpu(), (void *)(ulong)vmcs[i]);
		vmcs_load(vmcs[i]);
		vmcs_expect_filled("after VMCLEAR of two VMCSs, VMXOFF, VMXON and VMPTRLD", kept, i);
	}
}

/* The older LHV once took this for a bug of KVM: software has to clear its VMCSs first */
VMCS_RULE(vmxoff_active, "vmxoff.active", "VMXOFF while a VMCS is active may lose its fields", SOFTWARE_USE, .class = UNDEFINED)
{
	u64 vmcs = vmcs_fresh();
	unsigned other, example = 0;
	outcome_t outcome;
	const u64 *kept = vmcs_load_filled(vmcs, 0);

	vmcs_clear_and_load(vmcs);
	vmcs_fill(kept, 1);
	vmxoff_and_vmxon();
	outcome = vmptrld(vmcs);
	if (outcome != SUCCEEDED) {
		rule_note("VMPTRLD after VMXON does not succeed");
		return;
	}
	other = vmcs_count_other(kept, 1, &example);
	if (other)
		rule_note("%u fields have lost their values, the first is %s", other, vmcs_fields[example].name);
	else
		rule_note("every field keeps its value");
}

/* ---- VM entry and VM exit change no more than they should -------------------------------------------- */

/* The guest exits once before the snapshot: the first VM entry has put the host's RSP into the VMCS then */
static void guest_calls_twice(void)
{
	hypercall(HYPERCALL_TEST, 1);
	hypercall(HYPERCALL_TEST, 2);
}

static void expect_kept_by_entry(enum vmcs_type type, const char *when)
{
	struct guest *guest = guest_golden(guest_calls_twice);
	const u64 *before;

	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	guest_skip_instruction();
	before = vmcs_snapshot();
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	for (unsigned i = 0; i < vmcs_field_count; i++) {
		u32 encoding = vmcs_fields[i].encoding;

		if (vmcs_type(encoding) == type && encoding != VMCS_HOST_RSP && vmread_exists(encoding) &&
		    vmread(encoding) != before[i])
			rule_fail(vmcs_fields[i].name, when, "it changed from 0x%llx to 0x%llx", before[i], vmread(encoding));
	}
}

VMCS_RULE(entry_host, "entry.host-state-kept", "VM entry and VM exit change no field of the host-state area", "28.5 Loading Host State")
{
	expect_kept_by_entry(VMCS_HOST_STATE, "no host-state field changes by VM entry and VM exit");
}

VMCS_RULE(entry_controls, "entry.controls-kept", "VM entry and VM exit without event injection change no control field",
	  "28.2 Recording VM-Exit Information and Updating VM-Entry Control Fields")
{
	expect_kept_by_entry(VMCS_CONTROL, "no control field changes by VM entry and VM exit");
}
