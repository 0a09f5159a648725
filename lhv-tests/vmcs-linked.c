/* A shadow VMCS in use by a guest ("VMCS shadowing"): what the guest writes into it is in it, also after VMCLEAR. */
#include "harness/expect.h"
#include "harness/rule.h"
#include "lhv-guest/golden.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"
#include "lhv-tests/vmcs-values.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"
#include "vmx/root.h"

#define SHADOW "25.10 VMCS Types: Ordinary and Shadow"
#define SOFTWARE_USE "25.11.1 Software Use of Virtual-Machine Control Structures"
#define VMWRITE "31.3 VMWRITE - Write Field to Virtual-Machine Control Structure"

#define LINKED_RULE(name, id_text, title_text, section) \
	RULE(name, .id = "vmcs.linked." id_text, .title = title_text, .sdm = section, .needs = NEED_VMX_ROOT | NEED_VMCS_SHADOWING, \
	     .opt = OPT_VMXOFF | OPT_SHADOW_VMCS)

/* What the guest of each CPU is told, and tells */
static struct {
	const u64 *kept;
	u32 outcome;
	unsigned other, example;
} shared[MAX_CPUS];

static void shadow_revision(u64 shadow)
{
	*(u32 *)(ulong)shadow = caps_revision(&this_cpu()->caps) | BIT(31);
}

/* Its identifier written once more: the loss of it has rules of its own */
static void shadow_load(u64 shadow)
{
	shadow_revision(shadow);
	vmcs_load(shadow);
}

/* A shadow VMCS with the values 0 in all fields, inactive */
static u64 shadow_filled(void)
{
	u64 shadow = physical(scratch_page());

	shadow_revision(shadow);
	vmcs_clear(shadow);
	shadow_load(shadow);
	shared[this_cpu()->index].kept = vmcs_bits_kept();
	vmcs_fill(shared[this_cpu()->index].kept, 0);
	vmcs_clear(shadow);
	shadow_revision(shadow);
	return shadow;
}

/* A guest whose VMREAD and VMWRITE of any field use the shadow VMCS */
static struct guest *guest_linked(void (*function)(void), u64 shadow)
{
	struct guest *guest = guest_golden(function);

	if (!(vmread(VMCS_PROC_CONTROLS) & PROC_ACTIVATE_SECONDARY_CONTROLS)) {
		controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_ACTIVATE_SECONDARY_CONTROLS, "activate secondary controls");
		vmwrite(VMCS_PROC2_CONTROLS, this_cpu()->caps.proc2.must_be_1);
	}
	controls_set(VMCS_PROC2_CONTROLS, &this_cpu()->caps.proc2, PROC2_VMCS_SHADOWING, "VMCS shadowing");
	vmwrite(VMCS_VMREAD_BITMAP, physical(scratch_page()));
	vmwrite(VMCS_VMWRITE_BITMAP, physical(scratch_page()));
	vmwrite(VMCS_LINK_POINTER, shadow);
	vmcs_note_active(shadow); /* by the VM entry to come */
	return guest;
}

/* Writes the values 1, then says at each further entry how many fields do not have them */
static void guest_writes(void)
{
	unsigned index = this_cpu()->index;

	shared[index].outcome = vmcs_fill_try(shared[index].kept, 1);
	for (;;) {
		hypercall(HYPERCALL_TEST, 0);
		shared[index].other = vmcs_count_other(shared[index].kept, 1, &shared[index].example);
	}
}

static void guest_reads(void)
{
	unsigned index = this_cpu()->index;

	shared[index].other = vmcs_count_other(shared[index].kept, 0, &shared[index].example);
}

static void expect_none_other(const char *what)
{
	unsigned index = this_cpu()->index;

	if (shared[index].other)
		rule_fail(what, "the values that were written", "%u fields have others, the first is %s", shared[index].other,
			  vmcs_fields[shared[index].example].name);
}

static struct guest *guest_has_written(u64 shadow)
{
	struct guest *guest = guest_linked(guest_writes, shadow);

	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	guest_skip_instruction();
	expect_outcome("VMWRITEs in the guest", shared[this_cpu()->index].outcome, SUCCEEDED);
	return guest;
}

LINKED_RULE(host_values, "host-values-seen", "A guest's VMREADs give what the host has put into the shadow VMCS",
	    "31.3 VMREAD - Read Field from Virtual-Machine Control Structure")
{
	struct guest *guest = guest_linked(guest_reads, shadow_filled());

	expect_done(guest);
	expect_none_other("what the guest reads in the shadow VMCS");
}

LINKED_RULE(guest_values, "guest-values-vmclear", "What a guest VMWRITEs is in the shadow VMCS after its VMCLEAR and VMPTRLD", VMWRITE)
{
	u64 shadow = shadow_filled();

	guest_has_written(shadow);
	vmcs_clear(shadow);
	shadow_load(shadow);
	vmcs_expect_filled("of the shadow VMCS after the guest's VMWRITE, VMCLEAR and VMPTRLD", shared[this_cpu()->index].kept, 1);
}

LINKED_RULE(guest_values_again, "guest-values-reentry", "What a guest VMWRITEs is what it reads after VMCLEAR of the shadow VMCS and one more VM entry", VMWRITE)
{
	u64 shadow = shadow_filled();
	struct guest *guest = guest_has_written(shadow);

	vmcs_clear(shadow);
	shadow_revision(shadow);
	vmcs_note_active(shadow); /* by the VM entry */
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_none_other("what the guest reads in the shadow VMCS after VMCLEAR of it");
}

LINKED_RULE(guest_values_kept, "values-kept-between-entries", "What a guest VMWRITEs is what it reads after the next VM entry", VMWRITE)
{
	struct guest *guest = guest_has_written(shadow_filled());

	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_none_other("what the guest reads in the shadow VMCS");
}

LINKED_RULE(guest_values_vmxoff, "guest-values-vmxoff", "What a guest VMWRITEs is in the shadow VMCS after VMCLEAR of both VMCSs, VMXOFF and VMXON", SOFTWARE_USE)
{
	u64 shadow = shadow_filled();

	guest_has_written(shadow);
	vmcs_clear(shadow);
	vmcs_clear(this_cpu()->golden_vmcs);
	expect_outcome("VMXOFF", vmxoff(), SUCCEEDED);
	expect_outcome("VMXON", vmxon(this_cpu()->vmxon_region), SUCCEEDED);
	shadow_load(shadow);
	vmcs_expect_filled("of the shadow VMCS after VMXOFF and VMXON", shared[this_cpu()->index].kept, 1);
}

LINKED_RULE(ordinary_kept, "ordinary-keeps", "A guest's VMWRITEs to the shadow VMCS change no control or host-state field of the VMCS that it runs with", SHADOW)
{
	struct guest *guest = guest_linked(guest_writes, shadow_filled());
	const u64 *before = vmcs_snapshot();

	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_outcome("VMWRITEs in the guest", shared[this_cpu()->index].outcome, SUCCEEDED);
	for (unsigned i = 0; i < vmcs_field_count; i++) {
		u32 encoding = vmcs_fields[i].encoding;

		if ((vmcs_type(encoding) != VMCS_CONTROL && vmcs_type(encoding) != VMCS_HOST_STATE) || encoding == VMCS_HOST_RSP)
			continue;
		if (vmread_exists(encoding) && vmread(encoding) != before[i])
			rule_fail(vmcs_fields[i].name, "the guest's VMWRITEs leave it alone", "it changed from 0x%llx to 0x%llx", before[i],
				  vmread(encoding));
	}
}

LINKED_RULE(ordinary_vmclear, "ordinary-vmclear-keeps", "VMCLEAR of a VMCS that has used a shadow VMCS keeps every field of both", SOFTWARE_USE)
{
	u64 shadow = shadow_filled();
	const u64 *fields;

	guest_has_written(shadow);
	fields = vmcs_snapshot();
	vmcs_clear_and_load(this_cpu()->golden_vmcs);
	vmcs_expect_snapshot("after VMCLEAR and VMPTRLD", fields);
	vmcs_clear(shadow);
	shadow_load(shadow);
	vmcs_expect_filled("of the shadow VMCS", shared[this_cpu()->index].kept, 1);
}
