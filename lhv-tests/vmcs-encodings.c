/* Encodings that are no field of any VMCS. */
#include "lhv-tests/vmcs-encodings.h"
#include "cpu/msr.h"
#include "lib/format.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"

static void expect_12(ulong encoding, outcome_t (*try)(ulong encoding))
{
	char what[80];
	outcome_t outcome = try(encoding);

	if (outcome == VMFAIL_VALID(12))
		return;
	format(what, sizeof(what), "the instruction with encoding 0x%lx", encoding);
	expect_outcome(what, outcome, VMFAIL_VALID(12));
}

static bool there(const struct vmcs_field_info *field)
{
	return vmcs_field_exists(field, &this_cpu()->caps);
}

static void each_bit(unsigned first, unsigned last, outcome_t (*try)(ulong encoding))
{
	static const u16 fields[] = {FIELD_16, FIELD_32, FIELD_64, FIELD_NATURAL, VMCS_EXIT_REASON, VMCS_HOST_RIP, VMCS_PIN_CONTROLS};

	for (unsigned bit = first; bit <= last; bit++)
		for (unsigned i = 0; i < COUNT(fields); i++)
			expect_12(fields[i] | (ulong)BIT(bit), try);
}

static void each_high(enum vmcs_width width, outcome_t (*try)(ulong encoding))
{
	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (vmcs_width(vmcs_fields[i].encoding) == width && there(&vmcs_fields[i]))
			expect_12(vmcs_fields[i].encoding | 1ul, try);
}

static void each_beyond(outcome_t (*try)(ulong encoding))
{
	unsigned highest = FIELD(msr_read(MSR_VMX_VMCS_ENUM), 9, 1);

	for (unsigned index = highest + 1; index <= VMCS_INDEX_MAX; index++)
		for (unsigned width = VMCS_16_BIT; width <= VMCS_NATURAL_WIDTH; width++)
			for (unsigned type = VMCS_CONTROL; type <= VMCS_HOST_STATE; type++)
				expect_12(VMCS_ENCODING(width, type, index, 0), try);
}

void expect_unsupported(enum unsupported kind, outcome_t (*try)(ulong encoding))
{
	switch (kind) {
	case UNSUPPORTED_bit_12:
		each_bit(12, 12, try);
		break;
	case UNSUPPORTED_bits_31_15:
		each_bit(15, 31, try);
		break;
	case UNSUPPORTED_bits_63_32:
		each_bit(32, 63, try);
		break;
	case UNSUPPORTED_high_16:
		each_high(VMCS_16_BIT, try);
		break;
	case UNSUPPORTED_high_32:
		each_high(VMCS_32_BIT, try);
		break;
	case UNSUPPORTED_high_natural:
		each_high(VMCS_NATURAL_WIDTH, try);
		break;
	default:
		each_beyond(try);
		break;
	}
}
