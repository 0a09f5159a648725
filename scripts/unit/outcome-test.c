/* vmx/outcome.c, with the names of the errors from vmx/tables.c. */
#include "check.h"
#include "vmx/outcome.h"

static void says(outcome_t outcome, const char *expected)
{
	char text[128];

	CHECK_EQ(outcome_format(text, sizeof(text), outcome), strlen(expected));
	CHECK_TEXT(text, expected);
}

TEST(outcome_vmx, "outcome: succeeded, VMfailInvalid and VMfailValid in words")
{
	says(SUCCEEDED, "succeeded");
	says(VMFAIL_INVALID, "VMfailInvalid");
	says(VMFAIL_VALID(7), "VMfailValid(7) VM entry with invalid control field(s)");
	says(VMFAIL_VALID(1), "VMfailValid(1) VMCALL in VMX root operation");
	says(VMFAIL_VALID(28), "VMfailValid(28) invalid operand to INVEPT or INVVPID");
	says(VMFAIL_VALID(14), "VMfailValid(14) unassigned VM-instruction error");
	says(VMFAIL_VALID(0xfffffff), "VMfailValid(268435455) unassigned VM-instruction error");
	says(UNDEFINED_FLAGS, "flags that no outcome has");
}

TEST(outcome_faults, "outcome: faults with an error code where the vector pushes one")
{
	says(FAULT_GP0, "#GP(0)");
	says(FAULTED(14, 2), "#PF(0x2)");
	says(FAULTED(14, 0xffff), "#PF(0xffff)");
	says(FAULTED(8, 0), "#DF(0)");
	says(FAULTED(10, 0x28), "#TS(0x28)");
	says(FAULTED(11, 0x28), "#NP(0x28)");
	says(FAULTED(12, 0), "#SS(0)");
	says(FAULTED(17, 0), "#AC(0)");
	says(FAULTED(21, 3), "#CP(0x3)");
	says(FAULT_UD, "#UD");
	says(FAULT_DE, "#DE");
	says(FAULTED(1, 0), "#DB");
	says(FAULTED(2, 0), "NMI");
	says(FAULTED(3, 0), "#BP");
	says(FAULTED(9, 0), "vector 9");
	says(FAULTED(16, 0), "#MF");
	says(FAULTED(18, 0), "#MC");
	says(FAULTED(20, 0), "#VE");
	says(FAULTED(63, 0), "vector 63");
	says(FAULTED(64, 0), "vector 64");
	says(FAULTED(64 + 13, 0), "vector 77");
	says(FAULTED(255, 0), "vector 255");
}

TEST(outcome_nonsense, "outcome: a word that is no outcome is shown as it is")
{
	says(1, "no outcome (0x1)");
	says(0x10000001, "no outcome (0x10000001)");
	says(0x40000001, "no outcome (0x40000001)");
	says(0xffffffff, "no outcome (0xffffffff)");
}

TEST(outcome_distinct, "outcome: no two kinds share a value, and faults know their vector")
{
	CHECK(VMFAIL_VALID(0) != VMFAIL_INVALID);
	CHECK(FAULT_DE != SUCCEEDED);
	CHECK(OUTCOME_IS_FAULT(FAULT_DE));
	CHECK(!OUTCOME_IS_FAULT(VMFAIL_VALID(13)));
	CHECK(!OUTCOME_IS_FAULT(UNDEFINED_FLAGS));
	CHECK_EQ(OUTCOME_VECTOR(FAULTED(255, 0xffff)), 255);
	CHECK_EQ(OUTCOME_VECTOR(FAULT_GP0), 13);
}

TEST(outcome_cut, "outcome: a text that does not fit is cut")
{
	char text[8] = "~~~~~~~";

	CHECK_EQ(outcome_format(text, 4, VMFAIL_VALID(7)), 3);
	CHECK_TEXT(text, "VMf");
	CHECK_EQ(text[4], '~');
}

TEST(vector_names, "vector_name: table 6-1, and a number for the others")
{
	static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "vector 9", "#TS",
					    "#NP", "#SS", "#GP", "#PF", "vector 15", "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
					    "vector 22"};
	char buffer[16];

	for (unsigned i = 0; i < COUNT(names); i++)
		CHECK_TEXT(vector_name((u8)i, buffer), names[i]);
	CHECK_TEXT(vector_name(39, buffer), "vector 39");
	CHECK_TEXT(vector_name(255, buffer), "vector 255");
}
