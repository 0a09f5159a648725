/* Says in words what one instruction did: the conventions of the SDM's section 31.2, and the names of its table 6-1. */
#include "vmx/outcome.h"
#include "lib/format.h"
#include "vmx/errors.h"

/* 6.2 Exception and Interrupt Vectors, table 6-1: vectors 9, 15 and from 22 on have no mnemonic. */
static const char *const vector_names[] = {
	[0] = "#DE",  [1] = "#DB",  [2] = "NMI",  [3] = "#BP",	[4] = "#OF",  [5] = "#BR",  [6] = "#UD",
	[7] = "#NM",  [8] = "#DF",  [10] = "#TS", [11] = "#NP", [12] = "#SS", [13] = "#GP", [14] = "#PF",
	[16] = "#MF", [17] = "#AC", [18] = "#MC", [19] = "#XM", [20] = "#VE", [21] = "#CP",
};

/* The vectors that push an error code */
#define PUSHES_ERROR_CODE (BIT(8) | BITS(14, 10) | BIT(17) | BIT(21))

const char *vector_name(u8 vector, char buffer[16])
{
	if (vector < COUNT(vector_names) && vector_names[vector])
		return vector_names[vector];
	format(buffer, 16, "vector %u", vector);
	return buffer;
}

static size_t fault_format(char *buffer, size_t size, outcome_t outcome)
{
	u8 vector = OUTCOME_VECTOR(outcome);
	u32 error_code = outcome & 0xffff;
	char name[16];

	if (vector >= 64 || !(PUSHES_ERROR_CODE & BIT(vector)))
		return format(buffer, size, "%s", vector_name(vector, name));
	/* As the SDM writes it: #GP(0) */
	return format(buffer, size, "%s(%s%x)", vector_name(vector, name), error_code ? "0x" : "", error_code);
}

size_t outcome_format(char *buffer, size_t size, outcome_t outcome)
{
	u32 number = outcome & 0x0fffffff;

	if (OUTCOME_IS_FAULT(outcome))
		return fault_format(buffer, size, outcome);
	switch (outcome) {
	case SUCCEEDED:
		return format(buffer, size, "succeeded");
	case VMFAIL_INVALID:
		return format(buffer, size, "VMfailInvalid");
	case UNDEFINED_FLAGS:
		return format(buffer, size, "flags that no outcome has");
	}
	if (outcome >> 28 == VMFAIL_VALID(0) >> 28)
		return format(buffer, size, "VMfailValid(%u) %s", number, vm_instruction_error_name(number));
	return format(buffer, size, "no outcome (0x%x)", outcome);
}
