/* Values for every field of a VMCS. */
#include "lhv-tests/vmcs-values.h"
#include "harness/expect.h"
#include "harness/scratch.h"
#include "lib/format.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"
#include "vmx/root.h"

#define MISC_VMWRITE_ANY_FIELD BIT(29)
#define FIELDS_LEAST 60 /* a test that compares fewer fields than every CPU has would prove nothing */

u64 vmcs_fresh(void)
{
	u64 vmcs = vmcs_region(this_cpu(), scratch_page());

	vmcs_clear(vmcs);
	return vmcs_region(this_cpu(), (void *)(ulong)vmcs); /* see vmcs_clear_and_load() */
}

void vmcs_clear_and_load(u64 vmcs)
{
	vmcs_clear(vmcs);
	vmcs_region(this_cpu(), (void *)(ulong)vmcs);
	vmcs_load(vmcs);
}

void vmcs_clear(u64 vmcs)
{
	expect_outcome("VMCLEAR", vmclear(vmcs), SUCCEEDED);
}

void vmcs_load(u64 vmcs)
{
	expect_outcome("VMPTRLD", vmptrld(vmcs), SUCCEEDED);
}

u64 vmcs_current(void)
{
	u64 vmcs;

	expect_outcome("VMPTRST", vmptrst(&vmcs), SUCCEEDED);
	return vmcs;
}

static bool there(const struct vmcs_field_info *field)
{
	return vmcs_field_exists(field, &this_cpu()->caps);
}

static bool writable(const struct vmcs_field_info *field)
{
	return there(field) &&
	       (vmcs_type(field->encoding) != VMCS_READ_ONLY_DATA || this_cpu()->caps.misc & MISC_VMWRITE_ANY_FIELD);
}

/* The field after VMWRITE of a value; 0 where it cannot be written or read */
static u64 written(u32 encoding, u64 value, bool *works)
{
	u64 back = 0;

	*works = vmwrite_try(encoding, value) == SUCCEEDED && vmread_try(encoding, &back) == SUCCEEDED;
	return back;
}

const u64 *vmcs_bits_kept(void)
{
	u64 *kept = scratch_page();
	unsigned fields = 0;

	for (unsigned i = 0; i < vmcs_field_count; i++) {
		bool works;

		if (!writable(&vmcs_fields[i]))
			continue;
		kept[i] = written(vmcs_fields[i].encoding, ~0ull, &works);
		if (works)
			kept[i] &= ~written(vmcs_fields[i].encoding, 0, &works);
		fields += kept[i] != 0;
	}
	expect_range("fields of the VMCS that keep what VMWRITE writes", fields, FIELDS_LEAST, vmcs_field_count);
	return kept;
}

/* The low bits of value, moved to the places of the bits of mask */
static u64 deposit(u64 value, u64 mask)
{
	u64 result = 0;

	for (; mask; mask &= mask - 1, value >>= 1)
		if (value & 1)
			result |= mask & -mask;
	return result;
}

#define IDS 255u
_Static_assert(sizeof(u64) * IDS <= PAGE_SIZE, "a page has room for all fields");

u64 vmcs_value(const u64 *kept, unsigned field, unsigned which)
{
	u64 id = 1 + (field + which * (IDS / 3)) % IDS; /* in the low 8 bits; above them something in every byte */
	u64 value = deposit(id | id * 0x9e3779b97f4a7c15ull << 8 | 0x4000800040008100ull, kept[field]);

	return value ? value : kept[field] & -kept[field];
}

u32 vmcs_fill_try(const u64 *kept, unsigned which)
{
	outcome_t outcome = SUCCEEDED;

	for (unsigned i = 0; i < vmcs_field_count && outcome == SUCCEEDED; i++)
		if (kept[i])
			outcome = vmwrite_try(vmcs_fields[i].encoding, vmcs_value(kept, i, which));
	return outcome;
}

void vmcs_fill(const u64 *kept, unsigned which)
{
	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (kept[i])
			vmwrite(vmcs_fields[i].encoding, vmcs_value(kept, i, which));
}

const u64 *vmcs_load_filled(u64 vmcs, unsigned which)
{
	const u64 *kept;

	vmcs_load(vmcs);
	kept = vmcs_bits_kept();
	vmcs_fill(kept, which);
	return kept;
}

static void expect_field(const char *when, const struct vmcs_field_info *field, u64 expected)
{
	char what[160];
	u64 value = vmread(field->encoding);

	if (value == expected)
		return;
	format(what, sizeof(what), "%s (field 0x%x) %s", field->name, field->encoding, when);
	expect_equal(what, value, expected);
}

void vmcs_expect_filled(const char *when, const u64 *kept, unsigned which)
{
	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (kept[i])
			expect_field(when, &vmcs_fields[i], vmcs_value(kept, i, which));
}

unsigned vmcs_count_other(const u64 *kept, unsigned which, unsigned *example)
{
	unsigned count = 0;

	for (unsigned i = 0; i < vmcs_field_count; i++) {
		u64 value;

		if (!kept[i])
			continue;
		if (vmread_try(vmcs_fields[i].encoding, &value) == SUCCEEDED && value == vmcs_value(kept, i, which))
			continue;
		if (!count++)
			*example = i;
	}
	return count;
}

const u64 *vmcs_snapshot(void)
{
	u64 *snapshot = scratch_page();

	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (there(&vmcs_fields[i]))
			vmread_try(vmcs_fields[i].encoding, &snapshot[i]);
	return snapshot;
}

void vmcs_write_snapshot(const u64 *snapshot)
{
	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (there(&vmcs_fields[i]) && vmcs_type(vmcs_fields[i].encoding) != VMCS_READ_ONLY_DATA)
			vmwrite_try(vmcs_fields[i].encoding, snapshot[i]);
}

void vmcs_expect_snapshot(const char *when, const u64 *snapshot)
{
	/* first the error number, which VMREAD of a field that is missing overwrites */
	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (vmcs_fields[i].encoding == VMCS_INSTRUCTION_ERROR)
			expect_field(when, &vmcs_fields[i], snapshot[i]);
	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (vmcs_fields[i].encoding != VMCS_INSTRUCTION_ERROR && there(&vmcs_fields[i]) && vmread_exists(vmcs_fields[i].encoding))
			expect_field(when, &vmcs_fields[i], snapshot[i]);
}
