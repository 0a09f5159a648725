/* Translations that planted faults keep. */
#include "vmx/stale.h"
#include "harness/fault.h"
#include "smp/cpu.h"
#include "vmx/controls.h"

#define EP4TA BITS(51, 12) /* what tags guest-physical and combined mappings (29.4.1) */

struct record {
	pte_t *guest_entry; /* or else: */
	u64 *ept_entry;
	u64 old, new, tag; /* tag: VPID or EP4TA */
	ulong linear;
};

static struct {
	struct record records[8];
	unsigned count;
	u64 first_pointer; /* EPT pointer of the rule's first VM entry */
} kept[MAX_CPUS];

static bool faults_keep(void)
{
	return fault(FAULT_INVVPID_NO_EFFECT) || fault(FAULT_INVVPID_ONE_ADDRESS) || fault(FAULT_INVVPID_SPARES_COMBINED) ||
	       fault(FAULT_VPID_IGNORED) || fault(FAULT_INVEPT_NO_EFFECT);
}

/* 0 without a current VMCS, which INVVPID and INVEPT do not need */
static u64 read_field(u32 field)
{
	u64 value;

	return vmread_try(field, &value) == SUCCEEDED ? value : 0;
}

static bool secondary(u64 control)
{
	return read_field(VMCS_PROC_CONTROLS) & PROC_ACTIVATE_SECONDARY_CONTROLS && read_field(VMCS_PROC2_CONTROLS) & control;
}

static u64 current_vpid(void)
{
	return secondary(PROC2_ENABLE_VPID) ? vmread(VMCS_VPID) : 0;
}

static u64 current_ep4ta(void)
{
	return secondary(PROC2_ENABLE_EPT) ? vmread(VMCS_EPT_POINTER) & EP4TA : 0;
}

static void keep(struct record record)
{
	struct record *records = kept[this_cpu()->index].records;
	unsigned *count = &kept[this_cpu()->index].count;

	if (record.tag && *count < COUNT(kept->records))
		records[(*count)++] = record;
}

void stale_rewrite_guest(pte_t *entry, pte_t value, ulong linear)
{
	pte_t old = *entry;

	*(volatile pte_t *)entry = value;
	if (faults_keep() && !fault(FAULT_INVEPT_NO_EFFECT))
		keep((struct record){entry, 0, old, value, current_vpid(), linear});
}

void stale_rewrite_ept(u64 *entry, u64 value)
{
	u64 old = *entry;

	*(volatile u64 *)entry = value;
	if (fault(FAULT_INVEPT_NO_EFFECT))
		keep((struct record){0, entry, old, value, current_ep4ta(), 0});
}

static void store(const struct record *record, u64 value)
{
	if (record->guest_entry)
		*(volatile pte_t *)record->guest_entry = value;
	else
		*(volatile u64 *)record->ept_entry = value;
}

void stale_invvpid(ulong type, struct invvpid_descriptor descriptor)
{
	struct record *records = kept[this_cpu()->index].records;
	unsigned *count = &kept[this_cpu()->index].count, left = 0;

	/* what a guest behind EPT uses are combined mappings (29.4.1) */
	if (fault(FAULT_INVVPID_NO_EFFECT) || (fault(FAULT_INVVPID_SPARES_COMBINED) && current_ep4ta()))
		return;
	for (unsigned i = 0; i < *count; i++) {
		const struct record record = records[i];
		bool one_address = type == INVVPID_ADDRESS || fault(FAULT_INVVPID_ONE_ADDRESS);
		bool drops = record.guest_entry && (type == INVVPID_ALL_CONTEXTS || record.tag == descriptor.vpid) &&
			     (!one_address || (record.linear & -PAGE_SIZE) == (descriptor.linear_address & -PAGE_SIZE));

		if (drops)
			store(&record, record.new);
		else
			records[left++] = record;
	}
	*count = left;
}

void stale_invept(ulong type, struct invept_descriptor descriptor)
{
	struct record *records = kept[this_cpu()->index].records;
	unsigned *count = &kept[this_cpu()->index].count, left = 0;

	if (fault(FAULT_INVEPT_NO_EFFECT))
		return;
	for (unsigned i = 0; i < *count; i++)
		if (records[i].ept_entry && (type == INVEPT_ALL_CONTEXTS || records[i].tag == (descriptor.eptp & EP4TA)))
			store(&records[i], records[i].new);
		else
			records[left++] = records[i];
	*count = left;
}

void stale_before_entry(void)
{
	struct record *records = kept[this_cpu()->index].records;
	u64 *first = &kept[this_cpu()->index].first_pointer;

	for (unsigned i = 0; i < kept[this_cpu()->index].count; i++) {
		u64 tag = records[i].guest_entry ? current_vpid() : current_ep4ta();

		store(&records[i], tag == records[i].tag || (tag && fault(FAULT_VPID_IGNORED)) ? records[i].old : records[i].new);
	}
	if (!fault(FAULT_EPT_POINTER_IGNORED) || !current_ep4ta())
		return;
	if (*first)
		vmwrite(VMCS_EPT_POINTER, *first);
	else
		*first = vmread(VMCS_EPT_POINTER);
}

void stale_forget(void)
{
	kept[this_cpu()->index].count = 0;
	kept[this_cpu()->index].first_pointer = 0;
}
