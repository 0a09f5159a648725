/*
 * The fields of appendix B, one rule each, out of the table in vmx/fields.h: where the capabilities say so it is there, has its width,
 * and can be written unless it is VM-exit information. Access rights keep the bits that are not reserved. Fields that the capabilities
 * do not give are not there.
 */
#include "lhv-guest/golden.h"
#include "harness/expect.h"
#include "harness/rule.h"
#include "lib/format.h"
#include "smp/cpu.h"
#include "vmx/fields.h"
#include "vmx/instructions.h"

#define MISC_VMWRITE_ANY_FIELD BIT(29)
#define ACCESS_RIGHTS_KEPT 0x1f0ffull /* 25.4.1: bits 11:8 and 31:17 are reserved */
#define PATTERN 0x5a5a5a5a5a5a5a5aull

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
	ulong value;

	if (!vmcs_field_exists(vmcs_field_find(encoding), &this_cpu()->caps))
		rule_skip("the CPU has not the controls that bring this field");
	golden_vmcs_load();
	expect_outcome("VMREAD", vmread_word(encoding, &value), SUCCEEDED);
	if (vmcs_width(encoding) == VMCS_64_BIT)
		expect_outcome("VMREAD with the high access type", vmread_word(encoding + 1, &value), SUCCEEDED);
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
#undef X

/* ---- Fields that the capabilities do not give ----------------------------------------------------------------------- */

static outcome_t read_absent(u32 encoding)
{
	ulong value;

	return vmread_word(encoding, &value);
}

static outcome_t write_absent(u32 encoding)
{
	return vmwrite_word(encoding, 0);
}

static void expect_absent(outcome_t (*access)(u32 encoding), u32 encoding)
{
	outcome_t outcome = access(encoding);
	char what[120];

	if (outcome == VMFAIL_VALID(12))
		return;
	format(what, sizeof(what), "access to field 0x%x, %s, without the controls that bring it", encoding, vmcs_field_name(encoding));
	expect_outcome(what, outcome, VMFAIL_VALID(12));
}

static void expect_all_absent(outcome_t (*access)(u32 encoding))
{
	unsigned absent = 0;

	golden_vmcs_load();
	for (unsigned i = 0; i < vmcs_field_count; i++) {
		if (vmcs_field_exists(&vmcs_fields[i], &this_cpu()->caps))
			continue;
		absent++;
		expect_absent(access, vmcs_fields[i].encoding);
		if (vmcs_width(vmcs_fields[i].encoding) == VMCS_64_BIT)
			expect_absent(access, vmcs_fields[i].encoding + 1);
	}
	if (!absent)
		rule_skip("the CPU has every field that there is");
}

#define ABSENT_RULE(name, id_text, title_text) \
	RULE(name, .id = "vmcs.absent-field." id_text, .title = title_text, .sdm = "25.11.2 VMREAD, VMWRITE, and Encodings of VMCS Fields", \
	     .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR)

ABSENT_RULE(absent_read, "vmread-error12", "VMREAD of a field whose controls the CPU does not have gives VMfailValid(12)")
{
	expect_all_absent(read_absent);
}

ABSENT_RULE(absent_write, "vmwrite-error12", "VMWRITE of a field whose controls the CPU does not have gives VMfailValid(12)")
{
	expect_all_absent(write_absent);
}
