/*
 * The rules of the MTRRs: what they hold, and what they refuse to hold (SDM 3A, 12.11 Memory Type Range Registers).
 *
 * Nothing here changes how memory is cached. Values that must be refused change nothing where they are, and are taken
 * back where they are not; values that must be accepted are those that are there already, or go to a pair of
 * variable-range MTRRs that is not in use. Rules that write run on one CPU only, since logical processors may share
 * their MTRRs (9.7.3 Memory Type Range Registers), and would then take back each other's values.
 */
#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "harness/expect.h"
#include "harness/rule.h"
#include "harness/watchdog.h"
#include "cpu/registers.h"
#include "lib/format.h"
#include "msr-probe.h"
#include "mtrr.h"

#define SDM_CAP "12.11.1 MTRR Feature Identification"
#define SDM_DEF_TYPE "12.11.2.1 IA32_MTRR_DEF_TYPE MSR"
#define SDM_FIXED "12.11.2.2 Fixed Range MTRRs"
#define SDM_VARIABLE "12.11.2.3 Variable Range MTRRs"

/* Encodings that table 12-8 reserves: the nearest neighbours of the legal ones, UC- (which only the PAT has), each higher bit */
static const u8 reserved_types[] = {2, 3, 7, 8, 0x10, 0x20, 0x40, 0x80, 0x86, 0xff};

static u64 cap(void)
{
	return expect_read(MSR_MTRRCAP, "IA32_MTRRCAP");
}

static void need_fixed(void)
{
	if (!(cap() & MTRRCAP_FIX))
		rule_skip("the CPU has no fixed-range MTRRs (IA32_MTRRCAP[8] = 0)");
}

static unsigned need_variable(void)
{
	unsigned count = MTRRCAP_VCNT(cap());

	if (!count)
		rule_skip("the CPU has no variable-range MTRRs (IA32_MTRRCAP[7:0] = 0)");
	return count < MTRR_VARIABLE_MAX ? count : MTRR_VARIABLE_MAX;
}

/* A pair that is not in use, so that its contents have no effect */
static unsigned need_free_pair(void)
{
	unsigned count = need_variable();

	for (unsigned i = 0; i < count; i++)
		if (!(expect_read(MSR_MTRR_PHYSMASK(i), "IA32_MTRR_PHYSMASKn") & MTRR_VALID))
			return i;
	rule_skip("the firmware uses all %u variable-range MTRR pairs", count);
}

static u64 beyond_physical_width(void)
{
	return BITS(63, cpuid_physical_width());
}

static void note_if_there(u32 msr, const char *name)
{
	u64 value;

	if (msr_try_read(msr, &value) == SUCCEEDED)
		rule_note("RDMSR of %s (%xh) gives 0x%llx", name, msr, value);
}

static void expect_valid_type(const char *register_name, unsigned n, u8 type)
{
	if (!memory_type_valid(type))
		rule_fail("memory type", "0, 1, 4, 5 or 6", "0x%x in %s, number %u", type, register_name, n);
}

/* --- IA32_MTRRCAP --- */

RULE(cap_readable, .id = "mtrr.cap.readable", .title = "IA32_MTRRCAP can be read where CPUID announces MTRRs",
     .sdm = SDM_CAP, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	expect_read(MSR_MTRRCAP, "IA32_MTRRCAP");
}

RULE(cap_read_only, .id = "mtrr.cap.read-only", .title = "WRMSR to IA32_MTRRCAP gives #GP(0), even of the value that it has",
     .sdm = SDM_CAP, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	expect_refused(MSR_MTRRCAP, "IA32_MTRRCAP", cap());
}

RULE(cap_reserved, .id = "mtrr.cap.reserved", .title = "IA32_MTRRCAP has no bits set that are reserved as of this edition",
     .sdm = SDM_CAP, .class = OBSERVED, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	/* Newer processors have given bits from 12 up a meaning, which is what reserved bits are for */
	rule_note("IA32_MTRRCAP is 0x%llx, its bits 9 and 63:12 are 0x%llx", cap(), cap() & (BIT(9) | BITS(63, 12)));
}

RULE(cap_no_wc, .id = "mtrr.cap.no-wc", .title = "No MTRR in use has type WC where IA32_MTRRCAP.WC is 0", .sdm = SDM_CAP,
     .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	struct mtrr_state mtrrs;

	if (cap() & MTRRCAP_WC)
		rule_skip("the CPU supports type WC (IA32_MTRRCAP[10] = 1)");
	mtrr_read(&mtrrs);
	if (mtrrs.enabled)
		expect(mtrrs.default_type != MEMORY_WC, "IA32_MTRR_DEF_TYPE has another type than WC");
	for (unsigned i = 0; mtrrs.fixed_enabled && i < 8 * MTRR_FIXED_COUNT; i++)
		expect((u8)(mtrrs.fixed[i / 8] >> (8 * (i % 8))) != MEMORY_WC, "a fixed-range MTRR has another type than WC");
	for (unsigned i = 0; i < mtrrs.variable_count; i++)
		if (mtrrs.variable[i].mask & MTRR_VALID)
			expect((u8)mtrrs.variable[i].base != MEMORY_WC, "a variable-range MTRR has another type than WC");
}

/* --- IA32_MTRR_DEF_TYPE --- */

RULE(def_type_readable, .id = "mtrr.def-type.readable",
     .title = "IA32_MTRR_DEF_TYPE can be read where CPUID announces MTRRs", .sdm = SDM_DEF_TYPE, .needs = NEED_MTRR,
     .opt = OPT_MTRR)
{
	expect_read(MSR_MTRR_DEF_TYPE, "IA32_MTRR_DEF_TYPE");
}

RULE(def_type_type, .id = "mtrr.def-type.type", .title = "The default type is one of the five that MTRRs may hold",
     .sdm = SDM_DEF_TYPE, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	u64 value = expect_read(MSR_MTRR_DEF_TYPE, "IA32_MTRR_DEF_TYPE");

	/* 12.11.5 MTRR Initialization: after a reset all of it but E is undefined */
	if (!(value & MTRR_DEF_TYPE_E))
		rule_skip("the firmware has not enabled the MTRRs (IA32_MTRR_DEF_TYPE[11] = 0)");
	expect_valid_type("IA32_MTRR_DEF_TYPE", 0, (u8)value);
}

RULE(def_type_reserved, .id = "mtrr.def-type.reserved", .title = "Bits 9:8 and 63:12 of IA32_MTRR_DEF_TYPE are 0",
     .sdm = SDM_DEF_TYPE, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	expect_clear("IA32_MTRR_DEF_TYPE, reserved bits", expect_read(MSR_MTRR_DEF_TYPE, "IA32_MTRR_DEF_TYPE"), MTRR_DEF_TYPE_RESERVED);
}

RULE(def_type_same, .id = "mtrr.def-type.same-value", .title = "IA32_MTRR_DEF_TYPE accepts the value that it has",
     .sdm = SDM_DEF_TYPE, .cpus = BOOT_CPU, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	u64 value = expect_read(MSR_MTRR_DEF_TYPE, "IA32_MTRR_DEF_TYPE");

	if (!(value & MTRR_DEF_TYPE_E)) /* 12.11.5, as above */
		rule_skip("the firmware has not enabled the MTRRs (IA32_MTRR_DEF_TYPE[11] = 0)");
	expect_accepted(MSR_MTRR_DEF_TYPE, "IA32_MTRR_DEF_TYPE", value);
}

RULE(def_type_write_type, .id = "mtrr.def-type.write-reserved-type",
     .title = "WRMSR of a reserved default type gives #GP(0) and changes nothing", .sdm = SDM_DEF_TYPE, .cpus = BOOT_CPU,
     .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	u64 value = expect_read(MSR_MTRR_DEF_TYPE, "IA32_MTRR_DEF_TYPE") & ~BITS(7, 0);

	for (unsigned i = 0; i < COUNT(reserved_types); i++)
		expect_refused(MSR_MTRR_DEF_TYPE, "IA32_MTRR_DEF_TYPE", value | reserved_types[i]);
}

RULE(def_type_write_reserved, .id = "mtrr.def-type.write-reserved-bit",
     .title = "WRMSR of IA32_MTRR_DEF_TYPE with a reserved bit set gives #GP(0) and changes nothing", .sdm = SDM_DEF_TYPE,
     .cpus = BOOT_CPU, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	u64 value = expect_read(MSR_MTRR_DEF_TYPE, "IA32_MTRR_DEF_TYPE");

	for (unsigned bit = 0; bit < 64; bit++)
		if (MTRR_DEF_TYPE_RESERVED & BIT(bit))
			expect_refused(MSR_MTRR_DEF_TYPE, "IA32_MTRR_DEF_TYPE", value | BIT(bit));
}

RULE(def_type_state, .id = "mtrr.def-type.enabled", .title = "The firmware has enabled the MTRRs",
     .sdm = "12.11.5 MTRR Initialization", .class = OBSERVED, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	struct mtrr_state mtrrs;
	unsigned used = 0;

	mtrr_read(&mtrrs);
	for (unsigned i = 0; i < mtrrs.variable_count; i++)
		used += (mtrrs.variable[i].mask & MTRR_VALID) != 0;
	rule_note("MTRRs %s, fixed ranges %s, default type %s, %u of %u variable ranges in use", mtrrs.enabled ? "on" : "off",
		  mtrrs.fixed_enabled ? "on" : "off", memory_type_name(mtrrs.default_type), used, mtrrs.variable_count);
}

/* --- Fixed-range MTRRs --- */

RULE(fixed_readable, .id = "mtrr.fixed.readable",
     .title = "All eleven fixed-range MTRRs can be read where IA32_MTRRCAP.FIX is 1", .sdm = SDM_CAP, .needs = NEED_MTRR,
     .opt = OPT_MTRR)
{
	need_fixed();
	for (unsigned i = 0; i < MTRR_FIXED_COUNT; i++)
		expect_read(mtrr_fixed_msrs[i], "a fixed-range MTRR");
}

RULE(fixed_absent, .id = "mtrr.fixed.absent",
     .title = "RDMSR of each fixed-range MTRR gives #GP(0) where IA32_MTRRCAP.FIX is 0", .sdm = SDM_CAP, .class = OBSERVED,
     .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	if (cap() & MTRRCAP_FIX)
		rule_skip("the CPU has fixed-range MTRRs (IA32_MTRRCAP[8] = 1)");
	for (unsigned i = 0; i < MTRR_FIXED_COUNT; i++)
		note_if_there(mtrr_fixed_msrs[i], "a fixed-range MTRR");
}

RULE(fixed_types, .id = "mtrr.fixed.types", .title = "Each field of a fixed-range MTRR has one of the five types",
     .sdm = SDM_FIXED, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	struct mtrr_state mtrrs;

	need_fixed();
	mtrr_read(&mtrrs);
	/* 12.11.5: undefined until the firmware has set them */
	if (!mtrrs.enabled || !mtrrs.fixed_enabled)
		rule_skip("the firmware has not enabled the fixed-range MTRRs (IA32_MTRR_DEF_TYPE[11:10])");
	for (unsigned i = 0; i < 8 * MTRR_FIXED_COUNT; i++)
		expect_valid_type("the fields of the fixed-range MTRRs", i, (u8)(mtrrs.fixed[i / 8] >> (8 * (i % 8))));
}

RULE(fixed_same, .id = "mtrr.fixed.same-value", .title = "A fixed-range MTRR accepts the value that it has", .sdm = SDM_FIXED,
     .cpus = BOOT_CPU, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	need_fixed();
	if (~expect_read(MSR_MTRR_DEF_TYPE, "IA32_MTRR_DEF_TYPE") & (MTRR_DEF_TYPE_E | MTRR_DEF_TYPE_FE))
		rule_skip("the firmware has not enabled the fixed-range MTRRs (IA32_MTRR_DEF_TYPE[11:10])");
	expect_accepted(MSR_MTRR_FIX64K_00000, "IA32_MTRR_FIX64K_00000", expect_read(MSR_MTRR_FIX64K_00000, "IA32_MTRR_FIX64K_00000"));
}

RULE(fixed_write_type, .id = "mtrr.fixed.write-reserved-type",
     .title = "WRMSR of a fixed-range MTRR with a reserved type in any field gives #GP(0) and changes nothing",
     .sdm = SDM_FIXED, .cpus = BOOT_CPU, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	need_fixed();
	for (unsigned i = 0; i < MTRR_FIXED_COUNT; i++) {
		u64 value = expect_read(mtrr_fixed_msrs[i], "a fixed-range MTRR");

		for (unsigned field = 0; field < 8; field++) {
			u64 type = reserved_types[(i + field) % COUNT(reserved_types)];

			expect_refused(mtrr_fixed_msrs[i], "a fixed-range MTRR",
				       (value & ~(0xffull << (8 * field))) | type << (8 * field));
		}
	}
}

/* --- Variable-range MTRRs --- */

RULE(variable_readable, .id = "mtrr.variable.readable",
     .title = "As many variable-range pairs can be read as IA32_MTRRCAP.VCNT says", .sdm = SDM_CAP, .needs = NEED_MTRR,
     .opt = OPT_MTRR)
{
	unsigned count = need_variable();

	for (unsigned i = 0; i < count; i++) {
		expect_read(MSR_MTRR_PHYSBASE(i), "IA32_MTRR_PHYSBASEn");
		expect_read(MSR_MTRR_PHYSMASK(i), "IA32_MTRR_PHYSMASKn");
	}
}

RULE(variable_past_count, .id = "mtrr.variable.past-count",
     .title = "There is no variable-range pair past the last that IA32_MTRRCAP.VCNT announces", .sdm = SDM_CAP,
     .class = OBSERVED, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	unsigned count = MTRRCAP_VCNT(cap());
	char text[64];
	u64 value;

	if (count >= MTRR_VARIABLE_MAX)
		rule_skip("IA32_MTRRCAP[7:0] announces %u pairs, and what is past them is something else", count);
	outcome_format(text, sizeof(text), msr_try_read(MSR_MTRR_PHYSBASE(count), &value));
	rule_note("RDMSR of MSR %xh, past the last of %u pairs: %s", MSR_MTRR_PHYSBASE(count), count, text);
}

RULE(variable_types, .id = "mtrr.variable.types", .title = "Each variable-range pair in use has one of the five types",
     .sdm = SDM_VARIABLE, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	unsigned count = need_variable(), used = 0;

	for (unsigned i = 0; i < count; i++)
		if (expect_read(MSR_MTRR_PHYSMASK(i), "IA32_MTRR_PHYSMASKn") & MTRR_VALID) {
			expect_valid_type("IA32_MTRR_PHYSBASEn", i, (u8)expect_read(MSR_MTRR_PHYSBASE(i), "IA32_MTRR_PHYSBASEn"));
			used++;
		}
	/* 12.11.5: those that are not in use are undefined */
	if (!used)
		rule_skip("the firmware uses no variable-range MTRRs");
}

RULE(variable_base_reserved, .id = "mtrr.variable.base-reserved",
     .title = "Bits 11:8 and those from MAXPHYADDR up of each IA32_MTRR_PHYSBASEn are 0", .sdm = SDM_VARIABLE,
     .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	unsigned count = need_variable();

	for (unsigned i = 0; i < count; i++)
		expect_clear("IA32_MTRR_PHYSBASEn, reserved bits", expect_read(MSR_MTRR_PHYSBASE(i), "IA32_MTRR_PHYSBASEn"),
			     BITS(11, 8) | beyond_physical_width());
}

RULE(variable_mask_reserved, .id = "mtrr.variable.mask-reserved",
     .title = "Bits 10:0 and those from MAXPHYADDR up of each IA32_MTRR_PHYSMASKn are 0", .sdm = SDM_VARIABLE,
     .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	unsigned count = need_variable();

	for (unsigned i = 0; i < count; i++)
		expect_clear("IA32_MTRR_PHYSMASKn, reserved bits", expect_read(MSR_MTRR_PHYSMASK(i), "IA32_MTRR_PHYSMASKn"),
			     BITS(10, 0) | beyond_physical_width());
}

RULE(variable_write_type, .id = "mtrr.variable.write-reserved-type",
     .title = "WRMSR of IA32_MTRR_PHYSBASEn with a reserved type gives #GP(0) and changes nothing", .sdm = SDM_VARIABLE,
     .cpus = BOOT_CPU, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	u32 msr = MSR_MTRR_PHYSBASE(need_free_pair());
	u64 value = expect_read(msr, "IA32_MTRR_PHYSBASEn") & ~BITS(7, 0);

	for (unsigned i = 0; i < COUNT(reserved_types); i++)
		expect_refused(msr, "IA32_MTRR_PHYSBASEn", value | reserved_types[i]);
}

RULE(variable_write_base, .id = "mtrr.variable.write-base-reserved-bit",
     .title = "WRMSR of IA32_MTRR_PHYSBASEn with a reserved bit set gives #GP(0) and changes nothing", .sdm = SDM_VARIABLE,
     .cpus = BOOT_CPU, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	u32 msr = MSR_MTRR_PHYSBASE(need_free_pair());
	u64 reserved = BITS(11, 8) | beyond_physical_width();

	for (unsigned bit = 0; bit < 64; bit++)
		if (reserved & BIT(bit))
			expect_refused(msr, "IA32_MTRR_PHYSBASEn", MEMORY_WB | BIT(bit));
}

RULE(variable_write_mask, .id = "mtrr.variable.write-mask-reserved-bit",
     .title = "WRMSR of IA32_MTRR_PHYSMASKn with a reserved bit set gives #GP(0) and changes nothing", .sdm = SDM_VARIABLE,
     .cpus = BOOT_CPU, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	u32 msr = MSR_MTRR_PHYSMASK(need_free_pair());
	u64 reserved = BITS(10, 0) | beyond_physical_width();

	for (unsigned bit = 0; bit < 64; bit++)
		if (reserved & BIT(bit))
			expect_refused(msr, "IA32_MTRR_PHYSMASKn", BIT(bit));
}

RULE(variable_accepts_types, .id = "mtrr.variable.write-type",
     .title = "IA32_MTRR_PHYSBASEn accepts each of the five types (WC where IA32_MTRRCAP.WC is 1) and gives it back",
     .sdm = SDM_VARIABLE, .cpus = BOOT_CPU, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	u32 msr = MSR_MTRR_PHYSBASE(need_free_pair());

	for (u8 type = 0; type < 8; type++)
		if (memory_type_valid(type) && (type != MEMORY_WC || cap() & MTRRCAP_WC))
			expect_accepted(msr, "IA32_MTRR_PHYSBASEn", 0x100000 | type);
}

/* The address bits that software may use: with multi-key memory encryption the top ones carry key ids and are refused. */
static unsigned usable_physical_width(void)
{
	unsigned width = cpuid_physical_width();
	u64 activate;

	if (cpuid_if_there(7, 0).ecx & BIT(13) && msr_try_read(0x982 /* IA32_TME_ACTIVATE */, &activate) == SUCCEEDED)
		width -= (unsigned)FIELD(activate, 35, 32);
	return width;
}

RULE(variable_address_bits, .id = "mtrr.variable.address-bits",
     .title = "A variable-range pair keeps every address bit from 12 to MAXPHYADDR - 1", .sdm = SDM_VARIABLE,
     .cpus = BOOT_CPU, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	unsigned pair = need_free_pair(), width = usable_physical_width();

	for (unsigned bit = 12; bit < width; bit++) {
		expect_accepted(MSR_MTRR_PHYSBASE(pair), "IA32_MTRR_PHYSBASEn", BIT(bit) | MEMORY_WB);
		expect_accepted(MSR_MTRR_PHYSMASK(pair), "IA32_MTRR_PHYSMASKn", BIT(bit)); /* V = 0 */
	}
}

RULE(variable_contiguous, .id = "mtrr.variable.contiguous",
     .title = "The mask of each variable-range pair in use gives one range, not several", .sdm = SDM_VARIABLE,
     .class = OBSERVED, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	struct mtrr_state mtrrs;
	unsigned scattered = 0;

	need_variable();
	mtrr_read(&mtrrs);
	for (unsigned i = 0; i < mtrrs.variable_count; i++)
		if (mtrrs.variable[i].mask & MTRR_VALID && !mtrr_mask_contiguous(&mtrrs, mtrrs.variable[i].mask))
			scattered++;
	rule_note("%u variable ranges are not contiguous", scattered);
}

/* 12.11.4.1: equal types, any with UC, and WT with WB are defined */
static bool overlap_undefined(u8 a, u8 b)
{
	return a != b && a != MEMORY_UC && b != MEMORY_UC &&
	       !((a == MEMORY_WT && b == MEMORY_WB) || (a == MEMORY_WB && b == MEMORY_WT));
}

RULE(variable_overlap, .id = "mtrr.variable.overlap",
     .title = "Overlapping variable ranges have types whose combination is defined", .sdm = "12.11.4.1 MTRR Precedences",
     .class = UNDEFINED, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	struct mtrr_state mtrrs;
	unsigned undefined = 0;

	need_variable();
	mtrr_read(&mtrrs);
	for (unsigned i = 0; i < mtrrs.variable_count; i++)
		for (unsigned j = 0; j < i; j++) {
			u64 common = mtrrs.variable[i].mask & mtrrs.variable[j].mask;
			u64 differ = mtrrs.variable[i].base ^ mtrrs.variable[j].base;

			if (common & MTRR_VALID && !(differ & common & BITS(63, 12)))
				undefined += overlap_undefined((u8)mtrrs.variable[i].base, (u8)mtrrs.variable[j].base);
		}
	rule_note("%u pairs of ranges overlap in a way that the SDM leaves undefined", undefined);
}

/* --- All CPUs --- */

/* Which register differs, or 0 */
static const char *difference(const struct mtrr_state *a, const struct mtrr_state *b)
{
	if (a->enabled != b->enabled || a->fixed_enabled != b->fixed_enabled || a->default_type != b->default_type)
		return "IA32_MTRR_DEF_TYPE";
	if (a->variable_count != b->variable_count)
		return "IA32_MTRRCAP";
	for (unsigned i = 0; i < MTRR_FIXED_COUNT; i++)
		if (a->fixed[i] != b->fixed[i])
			return "a fixed-range MTRR";
	for (unsigned i = 0; i < MTRR_VARIABLE_MAX; i++) {
		if (a->variable[i].mask != b->variable[i].mask)
			return "a variable-range MTRR";
		if (a->variable[i].mask & MTRR_VALID && a->variable[i].base != b->variable[i].base)
			return "a variable-range MTRR";
	}
	return 0;
}

RULE(cpus_agree, .id = "mtrr.cpus.agree", .title = "The firmware has given all CPUs the same MTRRs",
     .sdm = "12.11.8 MTRR Considerations in MP Systems", .class = OBSERVED, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	/* What the first CPU to come by has; nothing in LHV changes it afterwards */
	static struct mtrr_state first;
	static u32 first_is; /* 0: not there, 1: being written, 2: there */
	struct mtrr_state own;
	u32 nobody = 0;

	mtrr_read(&own);
	if (__atomic_compare_exchange_n(&first_is, &nobody, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
		first = own;
		__atomic_store_n(&first_is, 2, __ATOMIC_RELEASE);
	}
	while (__atomic_load_n(&first_is, __ATOMIC_ACQUIRE) != 2) {
		if (watchdog_expired())
			rule_skip("the CPU that was first did not say what its MTRRs are");
		pause();
	}

	const char *differs = difference(&own, &first);
	if (differs)
		rule_note("%s differs from that of the CPU that was first", differs);
	else
		rule_note("all are the same");
}

/* --- Machine-check MSRs: their presence is as optional as that of the MTRRs, and LHV once took them for granted --- */

#define MSR_MCG_CAP 0x179
#define MSR_MCG_STATUS 0x17a
#define MSR_MC_CTL(bank) (0x400 + 4 * (bank))
#define MSR_MC_STATUS(bank) (0x401 + 4 * (bank))
#define BANKS_MAX 32 /* the next one would be at 480H, IA32_VMX_BASIC */

static unsigned need_machine_check(void)
{
	u64 mcg_cap;

	if (!(cpuid(1, 0).edx & CPUID_1_EDX_MCA))
		rule_skip("the CPU has no machine-check architecture (CPUID.1:EDX.MCA = 0)");
	msr_try_read(MSR_MCG_CAP, &mcg_cap);
	return mcg_cap & 0xff;
}

RULE(machine_check_global, .id = "mtrr.machine-check.global",
     .title = "IA32_MCG_CAP and IA32_MCG_STATUS can be read where CPUID announces MCA",
     .sdm = "16.3.1 Machine-Check Global Control MSRs", .opt = OPT_MTRR)
{
	need_machine_check();
	expect_read(MSR_MCG_CAP, "IA32_MCG_CAP");
	expect_read(MSR_MCG_STATUS, "IA32_MCG_STATUS");
}

RULE(machine_check_banks, .id = "mtrr.machine-check.banks",
     .title = "IA32_MCi_CTL and IA32_MCi_STATUS can be read for as many banks as IA32_MCG_CAP says",
     .sdm = "16.3.2 Error-Reporting Register Banks", .opt = OPT_MTRR)
{
	unsigned banks = need_machine_check();

	if (!banks)
		rule_skip("IA32_MCG_CAP announces no banks, or is not there");
	for (unsigned i = 0; i < banks && i < BANKS_MAX; i++) {
		expect_read(MSR_MC_CTL(i), "IA32_MCi_CTL");
		expect_read(MSR_MC_STATUS(i), "IA32_MCi_STATUS");
	}
}

RULE(machine_check_past, .id = "mtrr.machine-check.past-count",
     .title = "There is no machine-check bank past the last that IA32_MCG_CAP announces",
     .sdm = "16.3.2 Error-Reporting Register Banks", .class = OBSERVED, .opt = OPT_MTRR)
{
	unsigned banks = need_machine_check();
	char text[64];
	u64 value;

	if (banks >= BANKS_MAX)
		rule_skip("IA32_MCG_CAP announces %u banks, and what is past them is something else", banks);
	outcome_format(text, sizeof(text), msr_try_read(MSR_MC_STATUS(banks), &value));
	rule_note("RDMSR of MSR %xh, past the last of %u banks: %s", MSR_MC_STATUS(banks), banks, text);
}

RULE(machine_check_absent, .id = "mtrr.machine-check.absent",
     .title = "RDMSR of IA32_MCG_CAP gives #GP(0) where CPUID announces no MCA", .sdm = "16.3.1 Machine-Check Global Control MSRs",
     .class = OBSERVED, .opt = OPT_MTRR)
{
	if (cpuid(1, 0).edx & CPUID_1_EDX_MCA)
		rule_skip("the CPU has a machine-check architecture (CPUID.1:EDX.MCA = 1)");
	note_if_there(MSR_MCG_CAP, "IA32_MCG_CAP");
}
