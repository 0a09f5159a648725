/* Reads of MSRs that a rule is about, and writes that it tries out and takes back. */
#include "msr-probe.h"
#include "cpu/msr.h"
#include "harness/expect.h"
#include "lib/format.h"

struct probe {
	u64 before, after;
	outcome_t written;
};

u64 expect_read(u32 msr, const char *name)
{
	char what[96];
	u64 value;

	format(what, sizeof(what), "RDMSR of %s (%xh)", name, msr);
	expect_outcome(what, msr_try_read(msr, &value), SUCCEEDED);
	return value;
}

/*
 * Nothing between write and restore may end the rule: the expectations come after it. What is put back is what
 * msr_read gives: no planted fault must get into it.
 */
static struct probe probe(u32 msr, u64 value)
{
	struct probe probe;

	probe.before = msr_read(msr);
	probe.written = msr_try_write(msr, value);
	probe.after = msr_read(msr);
	if (probe.after != probe.before)
		msr_try_write(msr, probe.before);
	return probe;
}

void expect_refused(u32 msr, const char *name, u64 value)
{
	struct probe result = probe(msr, value);
	char what[96];

	format(what, sizeof(what), "WRMSR of 0x%llx to %s (%xh)", value, name, msr);
	expect_outcome(what, result.written, FAULT_GP0);
	format(what, sizeof(what), "%s (%xh) after the refused WRMSR of 0x%llx", name, msr, value);
	expect_equal(what, result.after, result.before);
}

void expect_accepted(u32 msr, const char *name, u64 value)
{
	struct probe result = probe(msr, value);
	char what[96];

	format(what, sizeof(what), "WRMSR of 0x%llx to %s (%xh)", value, name, msr);
	expect_outcome(what, result.written, SUCCEEDED);
	format(what, sizeof(what), "%s (%xh) after WRMSR", name, msr);
	expect_equal(what, result.after, value);
}
