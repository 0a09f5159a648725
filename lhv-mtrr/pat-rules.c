/*
 * The rules of the PAT: what IA32_PAT holds, and what it refuses to hold (SDM 3A, 12.12 Page Attribute Table (PAT)).
 *
 * Each logical processor has a PAT of its own (9.7.4 Page Attribute Table), so these rules run on all. They change no
 * entry but PA7 for longer than an instruction: only pages with PAT, PCD and PWT all set use it, and LHV maps none.
 */
#include "cpu/msr.h"
#include "harness/expect.h"
#include "harness/rule.h"
#include "memory/memory-type.h"
#include "msr-probe.h"

#define SDM_PAT "12.12.2 IA32_PAT MSR"
#define SDM_PROGRAMMING "12.12.4 Programming the PAT"

#define PAT_AT_RESET 0x0007040600070406ull /* table 12-12: WB, WT, UC-, UC, and the same again */

/* An entry with another type (8 bits, so that reserved bits can be tried) */
static u64 with_entry(u64 pat, unsigned entry, u8 type)
{
	return (pat & ~(0xffull << (8 * entry))) | (u64)type << (8 * entry);
}

static bool pat_type_valid(u8 type)
{
	return memory_type_valid(type) || type == MEMORY_UC_MINUS;
}

RULE(pat_readable, .id = "mtrr.pat.readable", .title = "IA32_PAT can be read where CPUID announces the PAT",
     .sdm = "12.12.1 Detecting Support for the PAT Feature", .needs = NEED_PAT, .opt = OPT_MTRR)
{
	expect_read(MSR_PAT, "IA32_PAT");
}

RULE(pat_types, .id = "mtrr.pat.types", .title = "Each entry of IA32_PAT has a type that the PAT may hold, and its reserved bits are 0",
     .sdm = SDM_PAT, .needs = NEED_PAT, .opt = OPT_MTRR)
{
	u64 pat = expect_read(MSR_PAT, "IA32_PAT");

	for (unsigned entry = 0; entry < 8; entry++) {
		u8 type = (u8)(pat >> (8 * entry));

		if (!pat_type_valid(type))
			rule_fail("memory type", "0, 1, 4, 5, 6 or 7", "0x%x in PA%u of IA32_PAT", type, entry);
	}
}

RULE(pat_write_type, .id = "mtrr.pat.write-reserved-type",
     .title = "WRMSR of IA32_PAT with type 2 or 3 in any entry gives #GP(0) and changes nothing", .sdm = SDM_PROGRAMMING,
     .needs = NEED_PAT, .opt = OPT_MTRR)
{
	u64 pat = expect_read(MSR_PAT, "IA32_PAT");

	for (unsigned entry = 0; entry < 8; entry++) {
		expect_refused(MSR_PAT, "IA32_PAT", with_entry(pat, entry, 2));
		expect_refused(MSR_PAT, "IA32_PAT", with_entry(pat, entry, 3));
	}
}

RULE(pat_write_reserved, .id = "mtrr.pat.write-reserved-bit",
     .title = "WRMSR of IA32_PAT with one of bits 7:3 of any entry set gives #GP(0) and changes nothing",
     .sdm = SDM_PROGRAMMING, .needs = NEED_PAT, .opt = OPT_MTRR)
{
	u64 pat = expect_read(MSR_PAT, "IA32_PAT");

	for (unsigned entry = 0; entry < 8; entry++)
		for (unsigned bit = 3; bit < 8; bit++)
			expect_refused(MSR_PAT, "IA32_PAT", pat | BIT(8 * entry + bit));
}

RULE(pat_same, .id = "mtrr.pat.same-value", .title = "IA32_PAT accepts the value that it has", .sdm = SDM_PROGRAMMING,
     .needs = NEED_PAT, .opt = OPT_MTRR)
{
	expect_accepted(MSR_PAT, "IA32_PAT", expect_read(MSR_PAT, "IA32_PAT"));
}

RULE(pat_write_types, .id = "mtrr.pat.write-type", .title = "IA32_PAT accepts each of the six types in PA7 and gives it back",
     .sdm = SDM_PROGRAMMING, .needs = NEED_PAT, .opt = OPT_MTRR)
{
	u64 pat = expect_read(MSR_PAT, "IA32_PAT");

	for (u8 type = 0; type < 8; type++)
		if (pat_type_valid(type))
			expect_accepted(MSR_PAT, "IA32_PAT", with_entry(pat, 7, type));
}

RULE(pat_layout, .id = "mtrr.pat.layout", .title = "IA32_PAT has the value that a reset gives it", .sdm = SDM_PROGRAMMING,
     .class = OBSERVED, .needs = NEED_PAT, .opt = OPT_MTRR)
{
	u64 pat = expect_read(MSR_PAT, "IA32_PAT");

	rule_note("IA32_PAT is 0x%llx, %s", pat, pat == PAT_AT_RESET ? "as after a reset" : "not as after a reset");
}
