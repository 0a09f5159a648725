/* Violations and outcomes in words. */
#include "lhv-tests/entry/rule.h"
#include "lib/format.h"

size_t entry_violation_format(char *buffer, size_t size, const struct violation *v)
{
	size_t length = 0;

	buffer[0] = 0;
	if (v->group->stage == STAGE_LOAD)
		length = append(buffer, size, "VM-entry MSR-load entry %llu, MSR %xh = %llxh", v->qualification,
		v->msr, v->value);
	else if (v->field < IMAGE_FIELDS)
		length = append(buffer, size, "%s = %llxh", vmcs_fields[v->field].name, v->value);
	length = append(buffer, size, "%s%s", length ? ": " : "", v->rule->text);
	if (v->legal_known)
		length = append(buffer, size, "; legal: %llxh", v->legal);
	if (v->open)
		length = append(buffer, size, "; a processor may do without this check");
	return append(buffer, size, " (%s)", v->group->sdm);
}

size_t entry_outcome_format(char *buffer, size_t size, const struct entry_outcome *outcome)
{
	switch (outcome->result) {
	case ENTRY_SUCCEEDS:
		return format(buffer, size, "VM entry succeeds");
	case ENTRY_FAIL_INVALID:
		return format(buffer, size, "VMfailInvalid");
	case ENTRY_FAIL_VALID:
		return format(buffer, size, "VMfailValid(%u) %s", outcome->number,
		vm_instruction_error_name(outcome->number));
	default:
		return format(buffer, size, "exit reason %u (%s), qualification %llu", outcome->number,
		exit_reason_name(outcome->number),
			      outcome->qualification);
	}
}
