/*
 * MTRRs and guests: a guest's accesses to the MSRs, and the memory types of a guest behind EPT (SDM 3C, 29.3.7.2). Values that
 * are written go to a pair of variable-range MTRRs that is not in use, and are taken back.
 */
#include "cpu/msr.h"
#include "cpu/registers.h"
#include "harness/rule.h"
#include "harness/select.h"
#include "lhv-guest/ept.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"
#include "lib/string.h"
#include "msr-probe.h"
#include "mtrr.h"

#define MSR_BITMAPS "25.6.9 MSR-Bitmap Address"
#define VARIABLE "12.11.2.3 Variable Range MTRRs"
#define TRANSLATED "29.3.7.2 Memory Type Used for Translated Guest-Physical Addresses"
#define GUEST_NEEDS (NEED_MTRR | NEED_VMX_ROOT)
#define VECTOR_GP 13

#define GUEST_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "mtrr." id_text, .title = title_text, .sdm = section, .needs = GUEST_NEEDS, .opt = OPT_MTRR, ##__VA_ARGS__)

static unsigned free_pair(void)
{
	struct mtrr_state mtrrs;

	mtrr_read(&mtrrs);
	for (unsigned i = 0; i < mtrrs.variable_count; i++)
		if (!(mtrrs.variable[i].mask & MTRR_VALID))
			return i;
	rule_skip("there is no variable-range MTRR pair that the firmware does not use");
}

/* ---- Pairs ----------------------------------------------------------------------------------------- */

#define BASE_WRITTEN (0x5000000ull | MEMORY_WT)
#define MASK_WRITTEN 0xffb000000ull /* V = 0 */

RULE(pair, .id = "mtrr.variable.pair", .title = "Base and mask of a pair with V = 0 are kept side by side, and no other pair changes",
     .sdm = VARIABLE, .cpus = BOOT_CPU, .needs = NEED_MTRR, .opt = OPT_MTRR)
{
	struct mtrr_state before, during;
	unsigned pair = free_pair();

	mtrr_read(&before);
	msr_try_write(MSR_MTRR_PHYSBASE(pair), BASE_WRITTEN);
	msr_try_write(MSR_MTRR_PHYSMASK(pair), MASK_WRITTEN);
	mtrr_read(&during);
	msr_try_write(MSR_MTRR_PHYSBASE(pair), before.variable[pair].base);
	msr_try_write(MSR_MTRR_PHYSMASK(pair), before.variable[pair].mask);
	expect_equal("IA32_MTRR_PHYSBASEn", during.variable[pair].base, BASE_WRITTEN);
	expect_equal("IA32_MTRR_PHYSMASKn", during.variable[pair].mask, MASK_WRITTEN);
	for (unsigned i = 0; i < before.variable_count; i++)
		if (i != pair) {
			expect_equal("IA32_MTRR_PHYSBASE of another pair", during.variable[i].base, before.variable[i].base);
			expect_equal("IA32_MTRR_PHYSMASK of another pair", during.variable[i].mask, before.variable[i].mask);
		}
}

/* ---- A guest's RDMSR and WRMSR ---------------------------------------------------------------------- */

static struct {
	u32 msr;
	u64 value;
} job[MAX_CPUS]; /* what the guest of each CPU reads or writes */

static void guest_reads(void)
{
	job[this_cpu()->index].value = msr_read(job[this_cpu()->index].msr);
}

static void guest_writes(void)
{
	msr_write(job[this_cpu()->index].msr, job[this_cpu()->index].value);
}

static struct guest *golden(void (*function)(void), u32 msr, u64 value)
{
	struct guest *guest = guest_golden(function);

	if (!(vmread(VMCS_PROC_CONTROLS) & PROC_USE_MSR_BITMAPS))
		rule_skip("the CPU has no MSR bitmaps: RDMSR and WRMSR always exit");
	job[this_cpu()->index].msr = msr;
	job[this_cpu()->index].value = value;
	return guest;
}

/* A bit for each MSR up to 1FFFH: reads, then (from byte 800H on) writes */
#define BITMAP_WRITE_LOW 0x800

static void let_exit(u32 msr, bool write)
{
	u8 *bitmap = scratch_page();

	bitmap[(write ? BITMAP_WRITE_LOW : 0) + msr / 8] = 1 << msr % 8;
	vmwrite(VMCS_MSR_BITMAPS, physical(bitmap));
}

GUEST_RULE(reads, "guest.read", "RDMSR in a guest without a VM exit reads the MTRRs that the host reads", MSR_BITMAPS)
{
	static const u32 some[] = {MSR_MTRRCAP, MSR_MTRR_DEF_TYPE, MSR_MTRR_FIX64K_00000, MSR_MTRR_PHYSBASE0, MSR_MTRR_PHYSMASK0};

	for (unsigned i = 0; i < COUNT(some); i++) {
		u64 value;

		if (msr_try_read(some[i], &value) != SUCCEEDED)
			continue;
		expect_done(golden(guest_reads, some[i], ~value));
		expect_equal("what the guest read, in the order of MTRRCAP, DEF_TYPE, FIX64K_00000, PHYSBASE0, PHYSMASK0",
			     job[this_cpu()->index].value, value);
	}
}

GUEST_RULE(read_exits, "guest.read-exits", "RDMSR of an MTRR whose bit in the read bitmap is 1 causes a VM exit with basic reason 31", MSR_BITMAPS)
{
	struct guest *guest = golden(guest_reads, MSR_MTRR_DEF_TYPE, 0);

	let_exit(MSR_MTRR_DEF_TYPE, false);
	expect_exit(guest_run(guest), EXIT_REASON_RDMSR);
	expect_equal("guest ECX", (u32)guest->registers.cx, MSR_MTRR_DEF_TYPE);
}

GUEST_RULE(write_exits, "guest.write-exits", "WRMSR of an MTRR whose bit in the write bitmap is 1 causes a VM exit with basic reason 32, and writes nothing",
	   MSR_BITMAPS, .cpus = BOOT_CPU)
{
	u32 msr = MSR_MTRR_PHYSBASE(free_pair());
	u64 before = msr_read(msr);
	struct guest *guest = golden(guest_writes, msr, before ^ 0x7000000);
	struct exit exit;
	u64 after;

	let_exit(msr, true);
	exit = guest_run(guest);
	after = msr_read(msr);
	if (after != before)
		msr_try_write(msr, before);
	expect_exit(exit, EXIT_REASON_WRMSR);
	expect_equal("IA32_MTRR_PHYSBASEn afterwards", after, before);
}

GUEST_RULE(writes, "guest.write", "WRMSR of an MTRR in a guest without a VM exit writes the processor's own", MSR_BITMAPS, .cpus = BOOT_CPU)
{
	u32 msr = MSR_MTRR_PHYSBASE(free_pair());
	u64 before = msr_read(msr), after;
	struct guest *guest = golden(guest_writes, msr, BASE_WRITTEN);
	struct exit exit = guest_run(guest);

	after = msr_read(msr);
	msr_try_write(msr, before);
	expect_hypercall(guest, exit, HYPERCALL_DONE);
	expect_equal("IA32_MTRR_PHYSBASEn after the guest's WRMSR", after, BASE_WRITTEN);
}

GUEST_RULE(write_gp, "guest.write-reserved-gp", "WRMSR of a reserved memory type in a guest gives #GP(0) there", VARIABLE, .cpus = BOOT_CPU)
{
	u32 msr = MSR_MTRR_PHYSBASE(free_pair());
	u64 before = msr_read(msr);
	struct guest *guest = golden(guest_writes, msr, 3);
	struct exit exit = guest_run(guest);

	if (msr_read(msr) != before)
		msr_try_write(msr, before);
	expect_hypercall(guest, exit, HYPERCALL_EXCEPTION);
	expect_equal("vector of the guest's exception: #GP", guest->exception.vector, VECTOR_GP);
	expect_equal("its error code", guest->exception.error_code, 0);
}

/* ---- Memory types behind EPT ------------------------------------------------------------------------- */

#define EPT_NEEDS (GUEST_NEEDS | NEED_EPT)
#define ADDRESS BITS(51, 12)
#define LEAF_TYPE(entry) ((u8)FIELD(entry, 5, 3))

/* The leaf that maps an address, whatever its level */
static u64 leaf_of(u64 pointer, u64 address)
{
	u64 entry = pointer;

	for (unsigned shift = 39;; shift -= 9) {
		entry = ((const u64 *)(ulong)(entry & ADDRESS))[address >> shift & 511];
		if (shift == 12 || entry & EPT_LEAF)
			return entry;
	}
}

static void expect_type_at(const struct mtrr_state *mtrrs, u64 pointer, u64 address)
{
	u8 wanted = mtrr_type(mtrrs, address), type = LEAF_TYPE(leaf_of(pointer, address));

	if (type != wanted)
		rule_fail("EPT memory type of the identity map", memory_type_name(wanted), "%s at 0x%llx", memory_type_name(type), address);
}

/* Both sides of a border: most mistakes are made there */
static void expect_types_around(const struct mtrr_state *mtrrs, u64 pointer, u64 border)
{
	if (border && border <= 4 * GIB)
		expect_type_at(mtrrs, pointer, border - PAGE_SIZE);
	if (border < 4 * GIB)
		expect_type_at(mtrrs, pointer, border);
}

RULE(identity_types, .id = "mtrr.ept.identity-types", .title = "The identity map of this CPU's guests has the memory types that its MTRRs give",
     .sdm = "12.11.4.1 MTRR Precedences", .needs = EPT_NEEDS, .opt = OPT_MTRR)
{
	struct mtrr_state mtrrs;
	u64 pointer = ept_identity_pointer(this_cpu());

	mtrr_read(&mtrrs);
	for (u64 address = 0; address <= MIB; address += 16 * KIB)
		expect_types_around(&mtrrs, pointer, address);
	for (unsigned i = 0; i < mtrrs.variable_count; i++) {
		u64 mask = mtrrs.variable[i].mask & BITS(mtrrs.width - 1, 12), base = mtrrs.variable[i].base & mask;

		if (!(mtrrs.variable[i].mask & MTRR_VALID))
			continue;
		expect_types_around(&mtrrs, pointer, base);
		expect_types_around(&mtrrs, pointer, base + (mask & -mask));
	}
	expect_types_around(&mtrrs, pointer, 4 * GIB);
}

#define TABLES (EPT_IDENTITY_PAGES + 3)
#define WINDOW (3 * GIB)

static void guest_uses_window(void)
{
	volatile u32 *at = (volatile u32 *)(ulong)WINDOW;

	for (u32 i = 1;; i++) {
		*at = 0xc0de0000 + i;
		hypercall(HYPERCALL_TEST, *at == 0xc0de0000 + i);
	}
}

static void set_pat(u8 type)
{
	u64 pat = type * 0x0101010101010101ull;

	vmwrite(VMCS_GUEST_IA32_PAT, pat);
}

RULE(combinations, .id = "mtrr.ept.pat-combinations", .title = "A guest reads what it wrote with each EPT memory type and each PAT type",
     .sdm = TRANSLATED, .class = OBSERVED, .needs = EPT_NEEDS | NEED_PAT, .opt = OPT_MTRR)
{
	static const u8 ept_types[] = {MEMORY_UC, MEMORY_WC, MEMORY_WT, MEMORY_WP, MEMORY_WB};
	static const u8 pat_types[] = {MEMORY_UC, MEMORY_WC, MEMORY_WT, MEMORY_WP, MEMORY_WB, MEMORY_UC_MINUS};
	struct cpu *cpu = this_cpu();
	u8 *page = scratch_page();
	struct ept ept = ept_create(scratch_pages(TABLES), TABLES);
	struct guest *guest = guest_golden(guest_uses_window);
	unsigned good = 0, tried = 0;

	controls_set(VMCS_PROC_CONTROLS, &cpu->caps.proc, PROC_ACTIVATE_SECONDARY_CONTROLS, "activate secondary controls");
	controls_set(VMCS_PROC2_CONTROLS, &cpu->caps.proc2, PROC2_ENABLE_EPT, "enable EPT");
	controls_set(VMCS_ENTRY_CONTROLS, &cpu->caps.entry, ENTRY_LOAD_PAT, "load IA32_PAT");
	controls_set(VMCS_EXIT_CONTROLS, &cpu->caps.exit, EXIT_LOAD_PAT, "load IA32_PAT");
	vmwrite(VMCS_HOST_IA32_PAT, msr_read(MSR_PAT));
	ept_map_identity(&ept);
	for (unsigned e = 0; e < COUNT(ept_types); e++)
		for (unsigned p = 0; p < COUNT(pat_types); p++) {
			struct exit exit;

			ept_map(&ept, WINDOW, physical(page), EPT_4K, EPT_RWX, ept_types[e]);
			ept_use(&ept);
			set_pat(pat_types[p]);
			exit = guest_run(guest);
			tried++;
			if (exit.entry != SUCCEEDED || exit.reason != EXIT_REASON_VMCALL)
				goto out;
			good += guest->registers.bx == 1;
			guest_skip_instruction();
		}
out:
	rule_note("%u of %u combinations tried, the guest read what it wrote in %u", tried,
		  (unsigned)(COUNT(ept_types) * COUNT(pat_types)), good);
}
