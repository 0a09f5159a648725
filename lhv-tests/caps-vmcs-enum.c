/* IA32_VMX_VMCS_ENUM: the highest index of any VMCS field, against the fields that VMREAD finds. SDM appendix A.9. */
#include "caps-msr.h"
#include "lhv-guest/golden.h"
#include "vmx/fields.h"
#include "vmx/instructions.h"

#define ENUM_SECTION "A.9 VMCS Enumeration"
#define VMCS_ENUM_RESERVED (BIT(0) | BITS(63, 10))

static u64 reported_index(void)
{
	return FIELD(capability(MSR_VMX_VMCS_ENUM), 9, 1);
}

/* The highest index among all encodings, named by the SDM or not, that VMREAD can read; *encoding: one that has it. */
static u64 highest_index(u32 *encoding)
{
	/* thousands of VMREADs, each perhaps a VM exit of a hypervisor below: once for both rules */
	static struct {
		u32 encoding;
		bool known;
	} found[MAX_CPUS];
	unsigned cpu = this_cpu()->index;

	if (found[cpu].known) {
		*encoding = found[cpu].encoding;
		return FIELD(*encoding, 9, 1);
	}
	golden_vmcs_load();
	for (unsigned index = VMCS_INDEX_MAX;; index--)
		for (unsigned width = VMCS_16_BIT; width <= VMCS_NATURAL_WIDTH; width++)
			for (unsigned type = VMCS_CONTROL; type <= VMCS_HOST_STATE; type++) {
				*encoding = VMCS_ENCODING(width, type, index, 0);
				if (vmread_exists(*encoding)) {
					found[cpu].encoding = *encoding;
					found[cpu].known = true;
					return index;
				}
				if (!index && width == VMCS_NATURAL_WIDTH && type == VMCS_HOST_STATE)
					rule_fail("VMREAD of all encodings", "some field is there", "none is");
			}
}

RULE(not_below, .id = "caps.vmcs-enum.not-below", .title = "No VMCS field has an index above the one reported",
     .sdm = ENUM_SECTION, .needs = NEED_VMX | NEED_VMX_ROOT, .opt = OPT_CAPS)
{
	u32 encoding;
	u64 found = highest_index(&encoding);

	if (found > reported_index())
		rule_fail("fields that VMREAD finds", "no index above IA32_VMX_VMCS_ENUM[9:1]",
			  "reported index %llu, but field 0x%x (%s) with index %llu is there", reported_index(),
			  encoding, vmcs_field_name(encoding), found);
}

/* Some CPUs report more than can be found */
RULE(highest_there, .id = "caps.vmcs-enum.index",
     .title = "The highest index reported is that of a field that is there",
     .sdm = ENUM_SECTION, .class = OBSERVED, .needs = NEED_VMX | NEED_VMX_ROOT, .opt = OPT_CAPS)
{
	u32 encoding;
	u64 found = highest_index(&encoding);

	if (found != reported_index())
		rule_note("reported index %llu, highest found %llu (field 0x%x)", reported_index(), found, encoding);
}

RULE(enum_reserved, .id = "caps.vmcs-enum.reserved", .title = "The reserved bits of IA32_VMX_VMCS_ENUM are 0",
     .sdm = ENUM_SECTION, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	expect_clear("IA32_VMX_VMCS_ENUM", capability(MSR_VMX_VMCS_ENUM), VMCS_ENUM_RESERVED);
}
