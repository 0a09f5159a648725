/*
 * The three MSR areas: VM-entry MSR-load (27.4), VM-exit MSR-store (28.4) and VM-exit MSR-load (28.6). An entry that a
 * VM exit cannot store or load is a VMX abort, which ends the machine: those rules stand in no test.
 *
 * Three kinds of MSR: EFER, SYSENTER_* and PAT, which VM entry and VM exit touch themselves; MTRRs, which a hypervisor
 * below emulates (a pair with V = 0, so that nothing changes); and plain ones.
 */
#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/registers.h"
#include "harness/restore.h"
#include "harness/rule.h"
#include "lhv-mtrr/mtrr.h"
#include "lhv-tests/msr-access.h"
#include "lhv-tests/msr-areas.h"

const struct msr_area entry_load = {VMCS_ENTRY_MSR_LOAD_ADDRESS, VMCS_ENTRY_MSR_LOAD_COUNT};
const struct msr_area exit_store = {VMCS_EXIT_MSR_STORE_ADDRESS, VMCS_EXIT_MSR_STORE_COUNT};
const struct msr_area exit_load = {VMCS_EXIT_MSR_LOAD_ADDRESS, VMCS_EXIT_MSR_LOAD_COUNT};

void msr_area_use(const struct msr_area *area, const struct msr_entry *entries, unsigned count)
{
	vmwrite(area->address, physical(entries));
	vmwrite(area->count, count);
}

static void guest_nothing(void)
{
}

struct guest *msr_guest(void)
{
	struct guest *guest = guest_golden(guest_nothing);

	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_USE_MSR_BITMAPS, "use MSR bitmaps");
	return guest;
}

/* ---- The MSRs -------------------------------------------------------------------------------------- */

#define EFER_SCE BIT(0)
#define FREE_MTRR_BASE 0xfffffffe /* stand for PHYSBASE and PHYSMASK of a pair that the firmware left free */
#define FREE_MTRR_MASK 0xffffffff
#define MTRR_VALID BIT(11)

static const struct msr_subject efer = {MSR_EFER, EFER_SCE, "IA32_EFER"};
const struct msr_subject msr_physbase = {FREE_MTRR_BASE, 0x00500000, "IA32_MTRR_PHYSBASEn"};
static const struct msr_subject physmask = {FREE_MTRR_MASK, 0x00500000, "IA32_MTRR_PHYSMASKn"};
const struct msr_subject msr_pat = {MSR_PAT, 0, "IA32_PAT"};
const struct msr_subject msr_sysenter_cs = {MSR_SYSENTER_CS, 0x5a58, "IA32_SYSENTER_CS"};
static const struct msr_subject sysenter_esp = {MSR_SYSENTER_ESP, 0x12345670, "IA32_SYSENTER_ESP"};
static const struct msr_subject sysenter_eip = {MSR_SYSENTER_EIP, 0x23456780, "IA32_SYSENTER_EIP"};
static const struct msr_subject star = {MSR_STAR, 0x0008001012345678, "IA32_STAR"};
const struct msr_subject msr_lstar = {MSR_LSTAR, 0x12345000, "IA32_LSTAR"};
static const struct msr_subject fmask = {MSR_FMASK, 0x45500, "IA32_FMASK"};
const struct msr_subject msr_kernel_gs_base = {MSR_KERNEL_GS_BASE, 0x1234567000, "IA32_KERNEL_GS_BASE"};
static const struct msr_subject tsc_aux = {MSR_TSC_AUX, 0x55aa, "IA32_TSC_AUX"};

/* An MTRR pair with V = 0 */
static u32 free_mtrr(void)
{
	u64 cap, mask;

	if (!(cpuid(1, 0).edx & CPUID_1_EDX_MTRR) || msr_try_read(MSR_MTRRCAP, &cap) != SUCCEEDED)
		rule_skip("the CPU has no MTRRs");
	for (unsigned i = MTRRCAP_VCNT(cap); i--;)
		if (msr_try_read(MSR_MTRR_PHYSMASK(i), &mask) == SUCCEEDED && !(mask & MTRR_VALID))
			return MSR_MTRR_PHYSBASE(i);
	rule_skip("the firmware uses every variable-range MTRR");
}

/* PA7, which no page uses, as another type that is allowed */
static u64 other_pat(u64 value)
{
	u8 last = value >> 56;

	return (value & BITS(55, 0)) | (u64)(last == 5 ? 4 : 5) << 56;
}

struct msr_chosen msr_choose(const struct msr_subject *subject)
{
	struct msr_chosen chosen = {.msr = subject->msr};
	u64 now;

	if (subject->msr == FREE_MTRR_BASE || subject->msr == FREE_MTRR_MASK)
		chosen.msr = free_mtrr() + (subject->msr & 1);
	chosen.before = msr_restore_after_rule(chosen.msr, subject->name);
	chosen.other = subject->msr == MSR_PAT ? other_pat(chosen.before) : chosen.before ^ subject->flip;
	/* by WRMSR first, in the host: what follows is about the areas */
	if (msr_try_write(chosen.msr, chosen.other) != SUCCEEDED || msr_try_read(chosen.msr, &now) != SUCCEEDED ||
	    now != chosen.other)
		rule_skip("%s (MSR %xh) does not keep 0x%llx", subject->name, chosen.msr, chosen.other);
	msr_write(chosen.msr, chosen.before);
	return chosen;
}

u64 msr_host_reads(u32 msr)
{
	u64 value;

	expect_outcome("RDMSR in the host", msr_try_read(msr, &value), SUCCEEDED);
	return value;
}

/* One rule for each MSR. Hyper-threads share MTRRs: there one CPU is enough. */
#define EACH_MSR(function, area, title_text, section) \
	AREA_ROW(function, area ".efer", title_text " IA32_EFER", section, efer) \
	AREA_ROW(function, area ".mtrr-physbase", title_text " IA32_MTRR_PHYSBASEn", section, msr_physbase, .cpus = BOOT_CPU) \
	AREA_ROW(function, area ".mtrr-physmask", title_text " IA32_MTRR_PHYSMASKn", section, physmask, .cpus = BOOT_CPU) \
	AREA_ROW(function, area ".pat", title_text " IA32_PAT", section, msr_pat) \
	AREA_ROW(function, area ".sysenter-cs", title_text " IA32_SYSENTER_CS", section, msr_sysenter_cs) \
	AREA_ROW(function, area ".sysenter-esp", title_text " IA32_SYSENTER_ESP", section, sysenter_esp) \
	AREA_ROW(function, area ".sysenter-eip", title_text " IA32_SYSENTER_EIP", section, sysenter_eip) \
	AREA_ROW(function, area ".star", title_text " IA32_STAR", section, star) \
	AREA_ROW(function, area ".lstar", title_text " IA32_LSTAR", section, msr_lstar) \
	AREA_ROW(function, area ".fmask", title_text " IA32_FMASK", section, fmask) \
	AREA_ROW(function, area ".kernel-gs-base", title_text " IA32_KERNEL_GS_BASE", section, msr_kernel_gs_base) \
	AREA_ROW(function, area ".tsc-aux", title_text " IA32_TSC_AUX", section, tsc_aux)

/* ---- Each MSR in each area -------------------------------------------------------------------------- */

static void loaded_at_entry(const struct rule *rule)
{
	struct guest *guest = msr_guest();
	struct msr_chosen chosen = msr_choose(rule->row);
	struct msr_entry *list = scratch_page();

	list[0] = (struct msr_entry){chosen.msr, 0, chosen.other};
	msr_area_use(&entry_load, list, 1);
	expect_equal("what RDMSR gives in the guest", expect_guest_reads(guest, chosen.msr), chosen.other);
}

EACH_MSR(loaded_at_entry, "entry-load", "The VM-entry MSR-load area loads", LOADING_AT_ENTRY)

static void stored_at_exit(const struct rule *rule)
{
	struct guest *guest = msr_guest();
	struct msr_chosen chosen = msr_choose(rule->row);
	struct msr_entry *list = scratch_page();

	list[0] = (struct msr_entry){chosen.msr, 0, ~chosen.other};
	msr_area_use(&exit_store, list, 1);
	expect_guest_writes(guest, chosen.msr, chosen.other);
	expect_equal("the value in the VM-exit MSR-store area", list[0].data, chosen.other);
}

EACH_MSR(stored_at_exit, "exit-store", "The VM-exit MSR-store area gets what the guest has written to", STORING)

static void loaded_at_exit(const struct rule *rule)
{
	struct guest *guest = msr_guest();
	struct msr_chosen chosen = msr_choose(rule->row);
	struct msr_entry *list = scratch_page();

	list[0] = (struct msr_entry){chosen.msr, 0, chosen.other};
	msr_area_use(&exit_load, list, 1);
	expect_done(guest);
	expect_equal("what RDMSR gives in the host", msr_host_reads(chosen.msr), chosen.other);
}

EACH_MSR(loaded_at_exit, "exit-load", "The VM-exit MSR-load area loads", LOADING_AT_EXIT)

/* MSRs that no field of the VMCS and no VM-exit area switches back */
static void stays(const struct rule *rule)
{
	struct guest *guest = msr_guest();
	struct msr_chosen chosen = msr_choose(rule->row);
	struct msr_entry *list = scratch_page();

	controls_clear(VMCS_EXIT_CONTROLS, &this_cpu()->caps.exit, EXIT_LOAD_PAT | EXIT_LOAD_EFER, "load IA32_PAT and IA32_EFER");
	list[0] = (struct msr_entry){chosen.msr, 0, chosen.other};
	msr_area_use(&entry_load, list, 1);
	expect_done(guest);
	expect_equal("what RDMSR gives in the host", msr_host_reads(chosen.msr), chosen.other);
}

#define STAYS(id_text, subject, ...) \
	AREA_ROW(stays, "entry-load.stays-" id_text, "What only the VM-entry MSR-load area names stays after the VM exit: " id_text, \
		 "28.5.1 Loading Host Control Registers, Debug Registers, MSRs", subject, ##__VA_ARGS__)

STAYS("efer-sce", efer)
STAYS("mtrr-physbase", msr_physbase, .cpus = BOOT_CPU)
STAYS("pat", msr_pat)
STAYS("lstar", msr_lstar)
STAYS("star", star)
STAYS("kernel-gs-base", msr_kernel_gs_base)

/* ---- Order, count, place ----------------------------------------------------------------------------- */

/* Plain MSRs that the CPU has and that are good for lists of several: at least one (IA32_SYSENTER_CS) */
#define LIST_MAX 8

static unsigned choose_several(struct msr_chosen chosen[LIST_MAX])
{
	static const struct msr_subject *const plain[LIST_MAX] = {&msr_sysenter_cs, &sysenter_esp, &sysenter_eip, &star, &msr_lstar, &fmask,
							      &msr_kernel_gs_base, &msr_pat};
	unsigned count = 0;
	u64 value;

	for (unsigned i = 0; i < COUNT(plain); i++)
		if (msr_try_read(plain[i]->msr, &value) == SUCCEEDED)
			chosen[count++] = msr_choose(plain[i]);
	return count;
}

/* A list of count entries: all MSRs in turn, with their values of before, but for the last entry of each: the other value */
static void fill(struct msr_entry *list, unsigned count, const struct msr_chosen *chosen, unsigned msrs)
{
	for (unsigned i = 0; i < count; i++) {
		const struct msr_chosen *it = &chosen[i % msrs];

		list[i] = (struct msr_entry){it->msr, 0, i + msrs >= count ? it->other : it->before};
	}
}

/* The number of entries that IA32_VMX_MISC[27:25] recommends as the most (A.6), as far as the rule's memory reaches */
static unsigned most_entries(void)
{
	unsigned count = 512 * ((this_cpu()->caps.misc >> 25 & 7) + 1), room = 32 * PAGE_SIZE / sizeof(struct msr_entry);

	return count < room ? count : room;
}

/* How long a list is, and where it begins in its first page */
struct shape {
	unsigned count, offset; /* count 0: most_entries() */
};

static const struct shape sixteen = {16, 0}, across = {16, PAGE_SIZE - 2 * sizeof(struct msr_entry)}, most = {0, 0};

static struct msr_entry *list_of(const struct shape *shape, unsigned *count)
{
	u8 *pages = scratch_pages(33);

	*count = shape->count ? shape->count : most_entries();
	return (struct msr_entry *)(pages + shape->offset);
}

static void entry_loads_many(const struct rule *rule)
{
	struct guest *guest = msr_guest();
	struct msr_chosen chosen[LIST_MAX];
	unsigned msrs = choose_several(chosen), count;
	struct msr_entry *list = list_of(rule->row, &count);

	fill(list, count, chosen, msrs);
	msr_area_use(&entry_load, list, count);
	for (unsigned i = 0; i < msrs; i++)
		expect_equal("one of the MSRs in the guest", expect_guest_reads(guest, chosen[i].msr), chosen[i].other);
}

static void exit_loads_many(const struct rule *rule)
{
	struct guest *guest = msr_guest();
	struct msr_chosen chosen[LIST_MAX];
	unsigned msrs = choose_several(chosen), count;
	struct msr_entry *list = list_of(rule->row, &count);

	fill(list, count, chosen, msrs);
	msr_area_use(&exit_load, list, count);
	expect_done(guest);
	for (unsigned i = 0; i < msrs; i++)
		expect_equal("one of the MSRs in the host", msr_host_reads(chosen[i].msr), chosen[i].other);
}

static void exit_stores_many(const struct rule *rule)
{
	struct guest *guest = msr_guest();
	struct msr_chosen chosen[LIST_MAX];
	unsigned msrs = choose_several(chosen), count;
	struct msr_entry *list = list_of(rule->row, &count);

	for (unsigned i = 0; i < count; i++)
		list[i] = (struct msr_entry){chosen[i % msrs].msr, 0, ~0ull};
	msr_area_use(&exit_store, list, count); /* each VM exit fills it anew */
	for (unsigned i = 0; i < msrs; i++)
		expect_guest_writes(guest, chosen[i].msr, chosen[i].other);
	for (unsigned i = 0; i < count; i++) {
		const struct msr_chosen *it = &chosen[i % msrs];

		expect_equal("the index in an entry, which is not written", list[i].index | (u64)list[i].reserved << 32, it->msr);
		expect_equal("the value in an entry", list[i].data, it->other);
	}
}

AREA_ROW(entry_loads_many, "entry-load.sixteen", "A VM-entry MSR-load area of 16 entries is loaded in order, all of it", LOADING_AT_ENTRY, sixteen)
AREA_ROW(entry_loads_many, "entry-load.crosses-page", "A VM-entry MSR-load area may cross a page", LOADING_AT_ENTRY, across)
AREA_ROW(entry_loads_many, "entry-load.most", "A VM-entry MSR-load area may be as long as IA32_VMX_MISC recommends", LOADING_AT_ENTRY, most)
AREA_ROW(exit_stores_many, "exit-store.sixteen", "A VM-exit MSR-store area of 16 entries is filled, all of it", STORING, sixteen)
AREA_ROW(exit_stores_many, "exit-store.crosses-page", "A VM-exit MSR-store area may cross a page", STORING, across)
AREA_ROW(exit_stores_many, "exit-store.most", "A VM-exit MSR-store area may be as long as IA32_VMX_MISC recommends", STORING, most)
AREA_ROW(exit_loads_many, "exit-load.sixteen", "A VM-exit MSR-load area of 16 entries is loaded in order, all of it", LOADING_AT_EXIT, sixteen)
AREA_ROW(exit_loads_many, "exit-load.crosses-page", "A VM-exit MSR-load area may cross a page", LOADING_AT_EXIT, across)
AREA_ROW(exit_loads_many, "exit-load.most", "A VM-exit MSR-load area may be as long as IA32_VMX_MISC recommends", LOADING_AT_EXIT, most)

AREA_RULE(entry_load_order, "entry-load.last-wins", "Of two entries for one MSR the later one holds in the guest", LOADING_AT_ENTRY)
{
	struct guest *guest = msr_guest();
	struct msr_chosen cs = msr_choose(&msr_sysenter_cs);
	struct msr_entry *list = scratch_page();

	list[0] = (struct msr_entry){cs.msr, 0, cs.before};
	list[1] = (struct msr_entry){cs.msr, 0, cs.other};
	msr_area_use(&entry_load, list, 2);
	expect_equal("IA32_SYSENTER_CS in the guest", expect_guest_reads(guest, cs.msr), cs.other);
	list[0].data = cs.other;
	list[1].data = cs.before;
	expect_equal("IA32_SYSENTER_CS in the guest, entries exchanged", expect_guest_reads(guest, cs.msr), cs.before);
}

AREA_RULE(exit_load_order, "exit-load.last-wins", "Of two entries for one MSR the later one holds in the host", LOADING_AT_EXIT)
{
	struct guest *guest = msr_guest();
	struct msr_chosen cs = msr_choose(&msr_sysenter_cs);
	struct msr_entry *list = scratch_page();

	list[0] = (struct msr_entry){cs.msr, 0, cs.before};
	list[1] = (struct msr_entry){cs.msr, 0, cs.other};
	msr_area_use(&exit_load, list, 2);
	expect_done(guest);
	expect_equal("IA32_SYSENTER_CS in the host", msr_host_reads(cs.msr), cs.other);
}

/* An address that no count but 0 would let pass (27.2.1.2, 27.2.1.3) */
#define BAD_ADDRESS 0xfffffff1

static void unused_area(const struct rule *rule)
{
	const struct msr_area *area = rule->row;
	struct guest *guest = msr_guest();

	vmwrite(area->address, BAD_ADDRESS);
	vmwrite(area->count, 0);
	expect_done(guest);
}

AREA_ROW(unused_area, "entry-load.count-zero", "With a VM-entry MSR-load count of 0 the address is not looked at", "27.2.1.3 VM-Entry Control Fields", entry_load)
AREA_ROW(unused_area, "exit-store.count-zero", "With a VM-exit MSR-store count of 0 the address is not looked at", "27.2.1.2 VM-Exit Control Fields", exit_store)
AREA_ROW(unused_area, "exit-load.count-zero", "With a VM-exit MSR-load count of 0 the address is not looked at", "27.2.1.2 VM-Exit Control Fields", exit_load)

AREA_RULE(entry_beyond_count, "entry-load.beyond-count", "Entries behind the count are not loaded", LOADING_AT_ENTRY)
{
	struct guest *guest = msr_guest();
	struct msr_chosen cs = msr_choose(&msr_sysenter_cs), esp = msr_choose(&sysenter_esp);
	struct msr_entry *list = scratch_page();

	list[0] = (struct msr_entry){cs.msr, 0, cs.other};
	list[1] = (struct msr_entry){esp.msr, 0, esp.other};
	msr_area_use(&entry_load, list, 1);
	expect_equal("IA32_SYSENTER_ESP in the guest", expect_guest_reads(guest, esp.msr), vmread(VMCS_GUEST_IA32_SYSENTER_ESP));
	expect_equal("IA32_SYSENTER_CS in the guest", vmread(VMCS_GUEST_IA32_SYSENTER_CS), cs.other);
}

AREA_RULE(store_beyond_count, "exit-store.beyond-count", "Entries behind the count are not stored", STORING)
{
	struct guest *guest = msr_guest();
	struct msr_entry *list = scratch_page();

	list[0] = list[1] = (struct msr_entry){MSR_SYSENTER_CS, 0, ~0ull};
	msr_area_use(&exit_store, list, 1);
	expect_guest_writes(guest, msr_choose(&msr_sysenter_cs).msr, 0x5a58);
	expect_equal("the first entry", list[0].data, 0x5a58);
	expect_equal("the second entry, behind the count", list[1].data, ~0ull);
}

AREA_RULE(every_time, "entry-load.every-entry", "The VM-entry MSR-load area is loaded by VMLAUNCH and by each VMRESUME", LOADING_AT_ENTRY)
{
	struct guest *guest = msr_guest();
	struct msr_chosen cs = msr_choose(&msr_sysenter_cs);
	struct msr_entry *list = scratch_page();

	msr_area_use(&entry_load, list, 1);
	for (unsigned i = 1; i <= 4; i++) {
		list[0] = (struct msr_entry){cs.msr, 0, i << 3};
		expect_equal("IA32_SYSENTER_CS in the guest", expect_guest_reads(guest, cs.msr), i << 3);
	}
}

/* ---- The areas against the fields, and against each other --------------------------------------------- */

AREA_RULE(entry_over_field, "entry-load.after-pat-field", "The VM-entry MSR-load area comes after \"load IA32_PAT\"", LOADING_AT_ENTRY)
{
	struct guest *guest = msr_guest();
	struct msr_chosen value = msr_choose(&msr_pat);
	struct msr_entry *list = scratch_page();

	controls_set(VMCS_ENTRY_CONTROLS, &this_cpu()->caps.entry, ENTRY_LOAD_PAT, "load IA32_PAT");
	vmwrite(VMCS_GUEST_IA32_PAT, value.before);
	expect_equal("IA32_PAT from the field", expect_guest_reads(guest, MSR_PAT), value.before);
	list[0] = (struct msr_entry){MSR_PAT, 0, value.other};
	msr_area_use(&entry_load, list, 1);
	expect_equal("IA32_PAT from the area", expect_guest_reads(guest, MSR_PAT), value.other);
}

AREA_RULE(exit_over_field, "exit-load.after-pat-field", "The VM-exit MSR-load area comes after \"load IA32_PAT\"", LOADING_AT_EXIT)
{
	struct guest *guest = msr_guest();
	struct msr_chosen value = msr_choose(&msr_pat);
	struct msr_entry *list = scratch_page();

	controls_set(VMCS_EXIT_CONTROLS, &this_cpu()->caps.exit, EXIT_LOAD_PAT, "load IA32_PAT");
	vmwrite(VMCS_HOST_IA32_PAT, value.before);
	expect_guest_writes(guest, MSR_PAT, value.other);
	expect_equal("IA32_PAT from the field", msr_host_reads(MSR_PAT), value.before);
	list[0] = (struct msr_entry){MSR_PAT, 0, value.other};
	msr_area_use(&exit_load, list, 1);
	expect_guest_writes(guest, MSR_PAT, value.before);
	expect_equal("IA32_PAT from the area", msr_host_reads(MSR_PAT), value.other);
}

AREA_RULE(store_before_load, "exit-store.before-exit-load", "The VM-exit MSR-store area gets the guest's value of an MSR that is loaded too", STORING)
{
	struct guest *guest = msr_guest();
	struct msr_chosen value = msr_choose(&msr_lstar);
	struct msr_entry *store = scratch_page(), *load = scratch_page();

	store[0] = (struct msr_entry){value.msr, 0, 0};
	load[0] = (struct msr_entry){value.msr, 0, value.before};
	msr_area_use(&exit_store, store, 1);
	msr_area_use(&exit_load, load, 1);
	expect_guest_writes(guest, value.msr, value.other);
	expect_equal("the value stored", store[0].data, value.other);
	expect_equal("the value loaded", msr_host_reads(value.msr), value.before);
}

AREA_RULE(switched, "areas.switched", "An area that is both stored at VM exits and loaded at VM entries keeps a guest's MSR apart from the host's", STORING)
{
	struct guest *guest = msr_guest();
	struct msr_chosen value = msr_choose(&msr_kernel_gs_base);
	struct msr_entry *guests = scratch_page(), *hosts = scratch_page();

	guests[0] = (struct msr_entry){value.msr, 0, value.other};
	hosts[0] = (struct msr_entry){value.msr, 0, value.before};
	msr_area_use(&entry_load, guests, 1);
	msr_area_use(&exit_store, guests, 1);
	msr_area_use(&exit_load, hosts, 1);
	for (unsigned i = 0; i < 4; i++) {
		expect_guest_writes(guest, value.msr, value.other + i);
		expect_equal("the host's value", msr_host_reads(value.msr), value.before);
		expect_equal("the guest's value, next time", expect_guest_reads(guest, value.msr), value.other + i);
	}
}

AREA_RULE(store_tsc, "exit-store.tsc", "IA32_TIME_STAMP_COUNTER is stored as RDMSR would read it", STORING)
{
	struct guest *guest = msr_guest();
	struct msr_entry *list = scratch_page();
	u64 before;

	list[0] = (struct msr_entry){MSR_TSC, 0, 0};
	msr_area_use(&exit_store, list, 1);
	before = msr_read(MSR_TSC);
	expect_done(guest);
	expect_range("the time-stamp counter stored", list[0].data, before, msr_read(MSR_TSC));
}

AREA_RULE(store_tsc_offset, "exit-store.tsc-offset", "The TSC offset of the guest is not in the value that is stored", STORING, .class = OBSERVED)
{
	struct guest *guest = msr_guest();
	struct msr_entry *list = scratch_page();
	u64 before;

	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_USE_TSC_OFFSETTING, "use TSC offsetting");
	vmwrite(VMCS_TSC_OFFSET, BIT(50));
	list[0] = (struct msr_entry){MSR_TSC, 0, 0};
	msr_area_use(&exit_store, list, 1);
	before = msr_read(MSR_TSC);
	expect_done(guest);
	rule_note("IA32_TIME_STAMP_COUNTER was stored %s the TSC offset",
		  list[0].data >= before && list[0].data <= msr_read(MSR_TSC) ? "without" : "with");
}
