/* The model of the VM-entry checks (entry/) against the golden VMCS: where it holds a rule for violated, one of them is wrong. */
#include "harness/rule.h"
#include "lhv-guest/guest.h"
#include "lhv-tests/entry/here.h"

#define TEXT 300

static void guest_nothing(void)
{
}

RULE(golden_is_legal, .id = "entry.model.golden", .title = "The VMCS that every test starts from violates no VM-entry rule that the model knows",
     .sdm = "27.2 Checks on VMX Controls and Host-State Area", .needs = NEED_VMX_ROOT,
     .opt = OPT_ENTRY_CTLS | OPT_ENTRY_HOST | OPT_ENTRY_GUEST)
{
	struct guest *guest = guest_golden(guest_nothing);
	struct entry_here *here = scratch_page();
	struct vmcs_image *image = scratch_page();
	struct violation violation;
	struct entry_unknown unknown;
	char text[TEXT];

	_Static_assert(sizeof(*here) <= PAGE_SIZE && sizeof(*image) <= PAGE_SIZE, "each fits into a page");
	entry_here(here);
	vmwrite(VMCS_HOST_RSP, 0); /* vm_enter() sets it; no rule is about it */
	entry_image_read(image);
	if (entry_check(image, &here->place, &violation, 1, &unknown)) {
		entry_violation_format(text, sizeof(text), &violation);
		rule_fail("rules violated", "none", "%s: %s", entry_rule_id(violation.rule), text);
	}
	expect_equal("rules that the model cannot judge", unknown.rules, 0);
	expect_done(guest);
}

/* ---- Violations, from the golden VMCS, not entered: the set-ups hang together with what this processor has ---- */

/* One rule of the model: from the golden image to its violation. Returns false where the processor cannot violate it. */
static bool violated_alone(const struct entry_rule *wanted, const struct vmcs_image *golden, struct vmcs_image *image,
			   const struct entry_place *place)
{
	struct violation found[2];
	char text[TEXT] = "";

	*image = *golden;
	if (!entry_near(wanted, image, place))
		return false;
	expect(entry_break(wanted, 0, image, place), entry_rule_id(wanted));
	unsigned count = entry_check(image, place, found, COUNT(found), 0);
	if (count == 1 && found[0].rule == wanted)
		return true;
	if (count)
		entry_violation_format(text, sizeof(text), &found[count > 1 && found[0].rule == wanted]);
	rule_fail(entry_rule_id(wanted), "violated alone", "%u violated: %s", count, text);
}

static void violators(const struct rule *rule)
{
	struct entry_here *here = scratch_page();
	struct vmcs_image *golden = scratch_page(), *image = scratch_page();
	const struct entry_group *group = entry_groups[*(const u8 *)rule->row], *of;
	unsigned reached = 0;

	guest_golden(guest_nothing);
	entry_here(here);
	entry_image_read(golden);
	entry_prepare(golden, &here->place);
	for (unsigned i = 0; i < entry_rule_count(); i++) {
		const struct entry_rule *wanted = entry_rule_at(i, &of);

		reached += of == group && violated_alone(wanted, golden, image, &here->place);
	}
	rule_note("%u of %u rules of %s can be violated here", reached, group->count, group->sdm);
}

#define GROUP_ROW(number, name, section, option) \
	static const u8 group_##number = number; \
	ROW(violators, .id = "entry.model.reach-" name, \
	    .title = "From the golden VMCS the model violates one rule at a time: " name, .sdm = section, .cpus = BOOT_CPU, \
	    .needs = NEED_VMX_ROOT, .opt = option, .row = &group_##number)

GROUP_ROW(1, "controls-execution", "27.2.1.1 VM-Execution Control Fields", OPT_ENTRY_CTLS)
GROUP_ROW(2, "controls-exit", "27.2.1.2 VM-Exit Control Fields", OPT_ENTRY_CTLS)
GROUP_ROW(3, "controls-entry", "27.2.1.3 VM-Entry Control Fields", OPT_ENTRY_CTLS)
GROUP_ROW(4, "host-control", "27.2.2 Checks on Host Control Registers, MSRs, and SSP", OPT_ENTRY_HOST)
GROUP_ROW(5, "host-segments", "27.2.3 Checks on Host Segment and Descriptor-Table Registers", OPT_ENTRY_HOST)
GROUP_ROW(6, "host-size", "27.2.4 Checks Related to Address-Space Size", OPT_ENTRY_HOST)
GROUP_ROW(7, "guest-control", "27.3.1.1 Checks on Guest Control Registers, Debug Registers, and MSRs", OPT_ENTRY_GUEST)
GROUP_ROW(8, "guest-segments", "27.3.1.2 Checks on Guest Segment Registers", OPT_ENTRY_GUEST)
GROUP_ROW(9, "guest-tables", "27.3.1.3 Checks on Guest Descriptor-Table Registers", OPT_ENTRY_GUEST)
GROUP_ROW(10, "guest-rip", "27.3.1.4 Checks on Guest RIP, RFLAGS, and SSP", OPT_ENTRY_GUEST)
GROUP_ROW(11, "guest-non-register", "27.3.1.5 Checks on Guest Non-Register State", OPT_ENTRY_GUEST)
GROUP_ROW(12, "guest-pdptes", "27.3.1.6 Checks on Guest Page-Directory-Pointer-Table Entries", OPT_ENTRY_GUEST)
GROUP_ROW(13, "msr-load", "27.4 Loading MSRs", OPT_ENTRY_GUEST)
