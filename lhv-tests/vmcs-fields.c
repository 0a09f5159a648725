/*
 * The fields of appendix B, one rule each, out of the table in vmx/fields.h: it is there exactly where the capabilities say so, has
 * its width, and can be written unless it is VM-exit information. Access rights keep the bits that are not reserved.
 */
#include "lhv-guest/golden.h"
#include "harness/expect.h"
#include "harness/rule.h"
#include "smp/cpu.h"
#include "vmx/fields.h"
#include "vmx/instructions.h"

#define MISC_VMWRITE_ANY_FIELD BIT(29)
#define ACCESS_RIGHTS_KEPT 0x1f0ffull /* 25.4.1: bits 11:8 and 31:17 are reserved */
#define PATTERN 0x5a5a5a5a5a5a5a5aull

static void expect_absent(u32 encoding)
{
	ulong value;

	expect_outcome("VMREAD of a field that the capabilities do not give", vmread_word(encoding, &value), VMFAIL_VALID(12));
	expect_outcome("VMWRITE of a field that the capabilities do not give", vmwrite_word(encoding, 0), VMFAIL_VALID(12));
}

static u64 bits_of(u32 encoding)
{
	if (encoding >= VMCS_GUEST_ES_ACCESS_RIGHTS && encoding <= VMCS_GUEST_TR_ACCESS_RIGHTS)
		return ACCESS_RIGHTS_KEPT;
	switch (vmcs_width(encoding)) {
	case VMCS_16_BIT:
		return 0xffff;
	case VMCS_32_BIT:
		return 0xffffffff;
	case VMCS_64_BIT:
		return ~0ull;
	default:
		return (ulong)~0ul;
	}
}

static void expect_keeps(u32 encoding, u64 value)
{
	u64 bits = bits_of(encoding), back;

	expect_outcome("VMWRITE", vmwrite_try(encoding, value & bits), SUCCEEDED);
	expect_outcome("VMREAD", vmread_try(encoding, &back), SUCCEEDED);
	expect_equal("the field as read back", back, value & bits);
}

static void field(const struct rule *rule)
{
	u32 encoding = (ulong)rule->row;
	bool is_64_bit = vmcs_width(encoding) == VMCS_64_BIT;
	ulong value;

	golden_vmcs_load();
	if (!vmcs_field_exists(vmcs_field_find(encoding), &this_cpu()->caps)) {
		expect_absent(encoding);
		if (is_64_bit)
			expect_absent(encoding + 1);
		return;
	}
	expect_outcome("VMREAD", vmread_word(encoding, &value), SUCCEEDED);
	expect_outcome("VMREAD with the high access type", vmread_word(encoding + 1, &value), is_64_bit ? SUCCEEDED : VMFAIL_VALID(12));
	if (vmcs_type(encoding) == VMCS_READ_ONLY_DATA && !(this_cpu()->caps.misc & MISC_VMWRITE_ANY_FIELD)) {
		expect_outcome("VMWRITE of a VM-exit information field", vmwrite_word(encoding, 0), VMFAIL_VALID(13));
		return;
	}
	expect_keeps(encoding, 0);
	expect_keeps(encoding, PATTERN);
	expect_keeps(encoding, ~PATTERN);
	expect_keeps(encoding, ~0ull);
}

#define X(number, name, text, availability) \
	ROW(field, .id = "vmcs.field." #number, .title = text ": existence, width, access", \
	    .sdm = "B Field Encoding in VMCS", .row = (const void *)number, .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR)
VMCS_FIELDS(X)
