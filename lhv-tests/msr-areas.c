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

#define LOADING_AT_ENTRY "27.4 Loading MSRs"
#define STORING "28.4 Saving MSRs"
#define LOADING_AT_EXIT "28.6 Loading MSRs"
#define ENTRY_FAILURES "27.8 VM-Entry Failures During or After Loading Guest State"

/* Table 25-15: the format of an MSR entry */
struct entry {
	u32 index, reserved;
	u64 data;
};

struct area {
	enum vmcs_field address, count;
};

static const struct area entry_load = {VMCS_ENTRY_MSR_LOAD_ADDRESS, VMCS_ENTRY_MSR_LOAD_COUNT};
static const struct area exit_store = {VMCS_EXIT_MSR_STORE_ADDRESS, VMCS_EXIT_MSR_STORE_COUNT};
static const struct area exit_load = {VMCS_EXIT_MSR_LOAD_ADDRESS, VMCS_EXIT_MSR_LOAD_COUNT};

static void use(const struct area *area, const struct entry *entries, unsigned count)
{
	vmwrite(area->address, physical(entries));
	vmwrite(area->count, count);
}

static void guest_nothing(void)
{
}

/* The guest whose RDMSR and WRMSR do not exit */
static struct guest *guest_with_msrs(void)
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

struct subject {
	u32 msr;
	u64 flip; /* bits that may change without any effect on host and guest */
	const char *name;
};

static const struct subject efer = {MSR_EFER, EFER_SCE, "IA32_EFER"};
static const struct subject physbase = {FREE_MTRR_BASE, 0x00500000, "IA32_MTRR_PHYSBASEn"};
static const struct subject physmask = {FREE_MTRR_MASK, 0x00500000, "IA32_MTRR_PHYSMASKn"};
static const struct subject pat = {MSR_PAT, 0, "IA32_PAT"};
static const struct subject sysenter_cs = {MSR_SYSENTER_CS, 0x5a58, "IA32_SYSENTER_CS"};
static const struct subject sysenter_esp = {MSR_SYSENTER_ESP, 0x12345670, "IA32_SYSENTER_ESP"};
static const struct subject sysenter_eip = {MSR_SYSENTER_EIP, 0x23456780, "IA32_SYSENTER_EIP"};
static const struct subject star = {MSR_STAR, 0x0008001012345678, "IA32_STAR"};
static const struct subject lstar = {MSR_LSTAR, 0x12345000, "IA32_LSTAR"};
static const struct subject fmask = {MSR_FMASK, 0x45500, "IA32_FMASK"};
static const struct subject kernel_gs_base = {MSR_KERNEL_GS_BASE, 0x1234567000, "IA32_KERNEL_GS_BASE"};
static const struct subject tsc_aux = {MSR_TSC_AUX, 0x55aa, "IA32_TSC_AUX"};

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

/* An MSR that the rule may change: what it holds, and another value that it may hold as well */
struct chosen {
	u32 msr;
	u64 before, other;
};

static struct chosen choose(const struct subject *subject)
{
	struct chosen chosen = {.msr = subject->msr};
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

static u64 host_reads(u32 msr)
{
	u64 value;

	expect_outcome("RDMSR in the host", msr_try_read(msr, &value), SUCCEEDED);
	return value;
}

#define AREA_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "msr." id_text, .title = title_text, .sdm = section, .needs = NEED_VMX_ROOT, .opt = OPT_MSR_LOAD, ##__VA_ARGS__)
#define AREA_ROW(function, id_text, title_text, section, subject, ...) \
	ROW(function, .id = "msr." id_text, .title = title_text, .sdm = section, .row = &subject, .needs = NEED_VMX_ROOT, \
	    .opt = OPT_MSR_LOAD, ##__VA_ARGS__)

/* One rule for each MSR. Hyper-threads share MTRRs: there one CPU is enough. */
#define EACH_MSR(function, area, title_text, section) \
	AREA_ROW(function, area ".efer", title_text " IA32_EFER", section, efer) \
	AREA_ROW(function, area ".mtrr-physbase", title_text " IA32_MTRR_PHYSBASEn", section, physbase, .cpus = BOOT_CPU) \
	AREA_ROW(function, area ".mtrr-physmask", title_text " IA32_MTRR_PHYSMASKn", section, physmask, .cpus = BOOT_CPU) \
	AREA_ROW(function, area ".pat", title_text " IA32_PAT", section, pat) \
	AREA_ROW(function, area ".sysenter-cs", title_text " IA32_SYSENTER_CS", section, sysenter_cs) \
	AREA_ROW(function, area ".sysenter-esp", title_text " IA32_SYSENTER_ESP", section, sysenter_esp) \
	AREA_ROW(function, area ".sysenter-eip", title_text " IA32_SYSENTER_EIP", section, sysenter_eip) \
	AREA_ROW(function, area ".star", title_text " IA32_STAR", section, star) \
	AREA_ROW(function, area ".lstar", title_text " IA32_LSTAR", section, lstar) \
	AREA_ROW(function, area ".fmask", title_text " IA32_FMASK", section, fmask) \
	AREA_ROW(function, area ".kernel-gs-base", title_text " IA32_KERNEL_GS_BASE", section, kernel_gs_base) \
	AREA_ROW(function, area ".tsc-aux", title_text " IA32_TSC_AUX", section, tsc_aux)

/* ---- Each MSR in each area -------------------------------------------------------------------------- */

static void loaded_at_entry(const struct rule *rule)
{
	struct guest *guest = guest_with_msrs();
	struct chosen chosen = choose(rule->row);
	struct entry *list = scratch_page();

	list[0] = (struct entry){chosen.msr, 0, chosen.other};
	use(&entry_load, list, 1);
	expect_equal("what RDMSR gives in the guest", expect_guest_reads(guest, chosen.msr), chosen.other);
}

EACH_MSR(loaded_at_entry, "entry-load", "The VM-entry MSR-load area loads", LOADING_AT_ENTRY)

static void stored_at_exit(const struct rule *rule)
{
	struct guest *guest = guest_with_msrs();
	struct chosen chosen = choose(rule->row);
	struct entry *list = scratch_page();

	list[0] = (struct entry){chosen.msr, 0, ~chosen.other};
	use(&exit_store, list, 1);
	expect_guest_writes(guest, chosen.msr, chosen.other);
	expect_equal("the value in the VM-exit MSR-store area", list[0].data, chosen.other);
}

EACH_MSR(stored_at_exit, "exit-store", "The VM-exit MSR-store area gets what the guest has written to", STORING)

static void loaded_at_exit(const struct rule *rule)
{
	struct guest *guest = guest_with_msrs();
	struct chosen chosen = choose(rule->row);
	struct entry *list = scratch_page();

	list[0] = (struct entry){chosen.msr, 0, chosen.other};
	use(&exit_load, list, 1);
	expect_done(guest);
	expect_equal("what RDMSR gives in the host", host_reads(chosen.msr), chosen.other);
}

EACH_MSR(loaded_at_exit, "exit-load", "The VM-exit MSR-load area loads", LOADING_AT_EXIT)

/* MSRs that no field of the VMCS and no VM-exit area switches back */
static void stays(const struct rule *rule)
{
	struct guest *guest = guest_with_msrs();
	struct chosen chosen = choose(rule->row);
	struct entry *list = scratch_page();

	controls_clear(VMCS_EXIT_CONTROLS, &this_cpu()->caps.exit, EXIT_LOAD_PAT | EXIT_LOAD_EFER, "load IA32_PAT and IA32_EFER");
	list[0] = (struct entry){chosen.msr, 0, chosen.other};
	use(&entry_load, list, 1);
	expect_done(guest);
	expect_equal("what RDMSR gives in the host", host_reads(chosen.msr), chosen.other);
}

#define STAYS(id_text, subject, ...) \
	AREA_ROW(stays, "entry-load.stays-" id_text, "What only the VM-entry MSR-load area names stays after the VM exit: " id_text, \
		 "28.5.1 Loading Host Control Registers, Debug Registers, MSRs", subject, ##__VA_ARGS__)

STAYS("efer-sce", efer)
STAYS("mtrr-physbase", physbase, .cpus = BOOT_CPU)
STAYS("pat", pat)
STAYS("lstar", lstar)
STAYS("star", star)
STAYS("kernel-gs-base", kernel_gs_base)

/* ---- Order, count, place ----------------------------------------------------------------------------- */

/* Plain MSRs that the CPU has and that are good for lists of several: at least one (IA32_SYSENTER_CS) */
#define LIST_MAX 8

static unsigned choose_several(struct chosen chosen[LIST_MAX])
{
	static const struct subject *const plain[LIST_MAX] = {&sysenter_cs, &sysenter_esp, &sysenter_eip, &star, &lstar, &fmask,
							      &kernel_gs_base, &pat};
	unsigned count = 0;
	u64 value;

	for (unsigned i = 0; i < COUNT(plain); i++)
		if (msr_try_read(plain[i]->msr, &value) == SUCCEEDED)
			chosen[count++] = choose(plain[i]);
	return count;
}

/* A list of count entries: all MSRs in turn, with their values of before, but for the last entry of each: the other value */
static void fill(struct entry *list, unsigned count, const struct chosen *chosen, unsigned msrs)
{
	for (unsigned i = 0; i < count; i++) {
		const struct chosen *it = &chosen[i % msrs];

		list[i] = (struct entry){it->msr, 0, i + msrs >= count ? it->other : it->before};
	}
}

/* The number of entries that IA32_VMX_MISC[27:25] recommends as the most (A.6), as far as the rule's memory reaches */
static unsigned most_entries(void)
{
	unsigned count = 512 * ((this_cpu()->caps.misc >> 25 & 7) + 1), room = 32 * PAGE_SIZE / sizeof(struct entry);

	return count < room ? count : room;
}

/* How long a list is, and where it begins in its first page */
struct shape {
	unsigned count, offset; /* count 0: most_entries() */
};

static const struct shape sixteen = {16, 0}, across = {16, PAGE_SIZE - 2 * sizeof(struct entry)}, most = {0, 0};

static struct entry *list_of(const struct shape *shape, unsigned *count)
{
	u8 *pages = scratch_pages(33);

	*count = shape->count ? shape->count : most_entries();
	return (struct entry *)(pages + shape->offset);
}

static void entry_loads_many(const struct rule *rule)
{
	struct guest *guest = guest_with_msrs();
	struct chosen chosen[LIST_MAX];
	unsigned msrs = choose_several(chosen), count;
	struct entry *list = list_of(rule->row, &count);

	fill(list, count, chosen, msrs);
	use(&entry_load, list, count);
	for (unsigned i = 0; i < msrs; i++)
		expect_equal("one of the MSRs in the guest", expect_guest_reads(guest, chosen[i].msr), chosen[i].other);
}

static void exit_loads_many(const struct rule *rule)
{
	struct guest *guest = guest_with_msrs();
	struct chosen chosen[LIST_MAX];
	unsigned msrs = choose_several(chosen), count;
	struct entry *list = list_of(rule->row, &count);

	fill(list, count, chosen, msrs);
	use(&exit_load, list, count);
	expect_done(guest);
	for (unsigned i = 0; i < msrs; i++)
		expect_equal("one of the MSRs in the host", host_reads(chosen[i].msr), chosen[i].other);
}

static void exit_stores_many(const struct rule *rule)
{
	struct guest *guest = guest_with_msrs();
	struct chosen chosen[LIST_MAX];
	unsigned msrs = choose_several(chosen), count;
	struct entry *list = list_of(rule->row, &count);

	for (unsigned i = 0; i < count; i++)
		list[i] = (struct entry){chosen[i % msrs].msr, 0, ~0ull};
	use(&exit_store, list, count); /* each VM exit fills it anew */
	for (unsigned i = 0; i < msrs; i++)
		expect_guest_writes(guest, chosen[i].msr, chosen[i].other);
	for (unsigned i = 0; i < count; i++) {
		const struct chosen *it = &chosen[i % msrs];

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
	struct guest *guest = guest_with_msrs();
	struct chosen cs = choose(&sysenter_cs);
	struct entry *list = scratch_page();

	list[0] = (struct entry){cs.msr, 0, cs.before};
	list[1] = (struct entry){cs.msr, 0, cs.other};
	use(&entry_load, list, 2);
	expect_equal("IA32_SYSENTER_CS in the guest", expect_guest_reads(guest, cs.msr), cs.other);
	list[0].data = cs.other;
	list[1].data = cs.before;
	expect_equal("IA32_SYSENTER_CS in the guest, entries exchanged", expect_guest_reads(guest, cs.msr), cs.before);
}

AREA_RULE(exit_load_order, "exit-load.last-wins", "Of two entries for one MSR the later one holds in the host", LOADING_AT_EXIT)
{
	struct guest *guest = guest_with_msrs();
	struct chosen cs = choose(&sysenter_cs);
	struct entry *list = scratch_page();

	list[0] = (struct entry){cs.msr, 0, cs.before};
	list[1] = (struct entry){cs.msr, 0, cs.other};
	use(&exit_load, list, 2);
	expect_done(guest);
	expect_equal("IA32_SYSENTER_CS in the host", host_reads(cs.msr), cs.other);
}

/* An address that no count but 0 would let pass (27.2.1.2, 27.2.1.3) */
#define BAD_ADDRESS 0xfffffff1

static void unused_area(const struct rule *rule)
{
	const struct area *area = rule->row;
	struct guest *guest = guest_with_msrs();

	vmwrite(area->address, BAD_ADDRESS);
	vmwrite(area->count, 0);
	expect_done(guest);
}

AREA_ROW(unused_area, "entry-load.count-zero", "With a VM-entry MSR-load count of 0 the address is not looked at", "27.2.1.3 VM-Entry Control Fields", entry_load)
AREA_ROW(unused_area, "exit-store.count-zero", "With a VM-exit MSR-store count of 0 the address is not looked at", "27.2.1.2 VM-Exit Control Fields", exit_store)
AREA_ROW(unused_area, "exit-load.count-zero", "With a VM-exit MSR-load count of 0 the address is not looked at", "27.2.1.2 VM-Exit Control Fields", exit_load)

AREA_RULE(entry_beyond_count, "entry-load.beyond-count", "Entries behind the count are not loaded", LOADING_AT_ENTRY)
{
	struct guest *guest = guest_with_msrs();
	struct chosen cs = choose(&sysenter_cs), esp = choose(&sysenter_esp);
	struct entry *list = scratch_page();

	list[0] = (struct entry){cs.msr, 0, cs.other};
	list[1] = (struct entry){esp.msr, 0, esp.other};
	use(&entry_load, list, 1);
	expect_equal("IA32_SYSENTER_ESP in the guest", expect_guest_reads(guest, esp.msr), vmread(VMCS_GUEST_IA32_SYSENTER_ESP));
	expect_equal("IA32_SYSENTER_CS in the guest", vmread(VMCS_GUEST_IA32_SYSENTER_CS), cs.other);
}

AREA_RULE(store_beyond_count, "exit-store.beyond-count", "Entries behind the count are not stored", STORING)
{
	struct guest *guest = guest_with_msrs();
	struct entry *list = scratch_page();

	list[0] = list[1] = (struct entry){MSR_SYSENTER_CS, 0, ~0ull};
	use(&exit_store, list, 1);
	expect_guest_writes(guest, choose(&sysenter_cs).msr, 0x5a58);
	expect_equal("the first entry", list[0].data, 0x5a58);
	expect_equal("the second entry, behind the count", list[1].data, ~0ull);
}

AREA_RULE(every_time, "entry-load.every-entry", "The VM-entry MSR-load area is loaded by VMLAUNCH and by each VMRESUME", LOADING_AT_ENTRY)
{
	struct guest *guest = guest_with_msrs();
	struct chosen cs = choose(&sysenter_cs);
	struct entry *list = scratch_page();

	use(&entry_load, list, 1);
	for (unsigned i = 1; i <= 4; i++) {
		list[0] = (struct entry){cs.msr, 0, i << 3};
		expect_equal("IA32_SYSENTER_CS in the guest", expect_guest_reads(guest, cs.msr), i << 3);
	}
}

/* ---- The areas against the fields, and against each other --------------------------------------------- */

AREA_RULE(entry_over_field, "entry-load.after-pat-field", "The VM-entry MSR-load area comes after \"load IA32_PAT\"", LOADING_AT_ENTRY)
{
	struct guest *guest = guest_with_msrs();
	struct chosen value = choose(&pat);
	struct entry *list = scratch_page();

	controls_set(VMCS_ENTRY_CONTROLS, &this_cpu()->caps.entry, ENTRY_LOAD_PAT, "load IA32_PAT");
	vmwrite(VMCS_GUEST_IA32_PAT, value.before);
	expect_equal("IA32_PAT from the field", expect_guest_reads(guest, MSR_PAT), value.before);
	list[0] = (struct entry){MSR_PAT, 0, value.other};
	use(&entry_load, list, 1);
	expect_equal("IA32_PAT from the area", expect_guest_reads(guest, MSR_PAT), value.other);
}

AREA_RULE(exit_over_field, "exit-load.after-pat-field", "The VM-exit MSR-load area comes after \"load IA32_PAT\"", LOADING_AT_EXIT)
{
	struct guest *guest = guest_with_msrs();
	struct chosen value = choose(&pat);
	struct entry *list = scratch_page();

	controls_set(VMCS_EXIT_CONTROLS, &this_cpu()->caps.exit, EXIT_LOAD_PAT, "load IA32_PAT");
	vmwrite(VMCS_HOST_IA32_PAT, value.before);
	expect_guest_writes(guest, MSR_PAT, value.other);
	expect_equal("IA32_PAT from the field", host_reads(MSR_PAT), value.before);
	list[0] = (struct entry){MSR_PAT, 0, value.other};
	use(&exit_load, list, 1);
	expect_guest_writes(guest, MSR_PAT, value.before);
	expect_equal("IA32_PAT from the area", host_reads(MSR_PAT), value.other);
}

AREA_RULE(store_before_load, "exit-store.before-exit-load", "The VM-exit MSR-store area gets the guest's value of an MSR that is loaded too", STORING)
{
	struct guest *guest = guest_with_msrs();
	struct chosen value = choose(&lstar);
	struct entry *store = scratch_page(), *load = scratch_page();

	store[0] = (struct entry){value.msr, 0, 0};
	load[0] = (struct entry){value.msr, 0, value.before};
	use(&exit_store, store, 1);
	use(&exit_load, load, 1);
	expect_guest_writes(guest, value.msr, value.other);
	expect_equal("the value stored", store[0].data, value.other);
	expect_equal("the value loaded", host_reads(value.msr), value.before);
}

AREA_RULE(switched, "areas.switched", "An area that is both stored at VM exits and loaded at VM entries keeps a guest's MSR apart from the host's", STORING)
{
	struct guest *guest = guest_with_msrs();
	struct chosen value = choose(&kernel_gs_base);
	struct entry *guests = scratch_page(), *hosts = scratch_page();

	guests[0] = (struct entry){value.msr, 0, value.other};
	hosts[0] = (struct entry){value.msr, 0, value.before};
	use(&entry_load, guests, 1);
	use(&exit_store, guests, 1);
	use(&exit_load, hosts, 1);
	for (unsigned i = 0; i < 4; i++) {
		expect_guest_writes(guest, value.msr, value.other + i);
		expect_equal("the host's value", host_reads(value.msr), value.before);
		expect_equal("the guest's value, next time", expect_guest_reads(guest, value.msr), value.other + i);
	}
}

AREA_RULE(store_tsc, "exit-store.tsc", "IA32_TIME_STAMP_COUNTER is stored as RDMSR would read it", STORING)
{
	struct guest *guest = guest_with_msrs();
	struct entry *list = scratch_page();
	u64 before;

	list[0] = (struct entry){MSR_TSC, 0, 0};
	use(&exit_store, list, 1);
	before = msr_read(MSR_TSC);
	expect_done(guest);
	expect_range("the time-stamp counter stored", list[0].data, before, msr_read(MSR_TSC));
}

AREA_RULE(store_tsc_offset, "exit-store.tsc-offset", "The TSC offset of the guest is not in the value that is stored", STORING, .class = OBSERVED)
{
	struct guest *guest = guest_with_msrs();
	struct entry *list = scratch_page();
	u64 before;

	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_USE_TSC_OFFSETTING, "use TSC offsetting");
	vmwrite(VMCS_TSC_OFFSET, BIT(50));
	list[0] = (struct entry){MSR_TSC, 0, 0};
	use(&exit_store, list, 1);
	before = msr_read(MSR_TSC);
	expect_done(guest);
	rule_note("IA32_TIME_STAMP_COUNTER was stored %s the TSC offset",
		  list[0].data >= before && list[0].data <= msr_read(MSR_TSC) ? "without" : "with");
}

/* ---- Entries that make the VM entry fail --------------------------------------------------------------- */

#define MSR_ABSENT 0x1fff /* the last of the low range: no CPU has it */
#define MSR_SMM_MONITOR_CTL 0x9b
#define MSR_SMBASE 0x9e
#define MTRR_TYPE_RESERVED 2
#define PAT_TYPE_RESERVED 2
#define EFER_RESERVED BIT(1)
#define NOT_CANONICAL BIT(63)

struct bad {
	struct entry entry;
	bool flips; /* data is what to change in the MSR's value of now */
	bool high;  /* an MSR of 64-bit CPUs only */
};

/* Runs the guest with the bad entry as the number-th (from 1), good ones before it; it must fail to enter. */
static void expect_refused(struct guest *guest, struct entry bad, unsigned number)
{
	struct entry *list = scratch_page();

	for (unsigned i = 0; i < 20; i++)
		list[i] = (struct entry){MSR_SYSENTER_CS, 0, 0x5a58};
	list[number - 1] = bad;
	use(&entry_load, list, 20);
	msr_restore_after_rule(MSR_SYSENTER_CS, "IA32_SYSENTER_CS");
	expect_exit(guest_run(guest), EXIT_REASON_ENTRY_FAILURE | EXIT_REASON_MSR_LOADING);
	expect_equal("exit qualification: number of the entry, from 1", vmread(VMCS_EXIT_QUALIFICATION), number);
}

static void refused(const struct rule *rule)
{
	const struct bad *bad = rule->row;
	struct entry entry = bad->entry;
	struct guest *guest = guest_with_msrs();

	if (bad->high && !(cpuid_if_there(0x80000001, 0).edx & CPUID_81_EDX_LONG_MODE))
		rule_skip("the CPU has no 64-bit mode");
	if (bad->flips)
		entry.data ^= msr_restore_after_rule(entry.index, "MSR of this rule");
	expect_refused(guest, entry, 2);
}

#define REFUSED(name, id_text, title_text, ...) \
	static const struct bad name = __VA_ARGS__; \
	AREA_ROW(refused, "entry-load.refused." id_text, "A VM entry fails with exit reason 34 for an MSR-load entry " title_text, LOADING_AT_ENTRY, name)

REFUSED(bad_fs_base, "fs-base", "of IA32_FS_BASE", {.entry = {MSR_FS_BASE, 0, 0}})
REFUSED(bad_gs_base, "gs-base", "of IA32_GS_BASE", {.entry = {MSR_GS_BASE, 0, 0}})
REFUSED(bad_x2apic_first, "x2apic-first", "of MSR 800H", {.entry = {0x800, 0, 0}})
REFUSED(bad_x2apic_tpr, "x2apic-tpr", "of MSR 808H, the x2APIC TPR", {.entry = {0x808, 0, 0}})
REFUSED(bad_x2apic_last, "x2apic-last", "of MSR 8FFH", {.entry = {0x8ff, 0, 0}})
REFUSED(bad_smm_monitor, "smm-monitor-ctl", "of IA32_SMM_MONITOR_CTL outside SMM", {.entry = {MSR_SMM_MONITOR_CTL, 0, 0}})
REFUSED(bad_smbase, "smbase", "of IA32_SMBASE", {.entry = {MSR_SMBASE, 0, 0}})
REFUSED(bad_reserved_low, "reserved-bit-32", "whose bit 32 is 1", {.entry = {MSR_SYSENTER_CS, 1, 0x5a58}})
REFUSED(bad_reserved_high, "reserved-bit-63", "whose bit 63 is 1", {.entry = {MSR_SYSENTER_CS, BIT(31), 0x5a58}})
REFUSED(bad_absent, "absent", "of an MSR that does not exist", {.entry = {MSR_ABSENT, 0, 0}})
REFUSED(bad_range, "outside-ranges", "of an MSR outside all ranges", {.entry = {0xbfffffff, 0, 0}})
REFUSED(bad_read_only, "read-only", "of IA32_VMX_BASIC, which WRMSR cannot write", {.entry = {MSR_VMX_BASIC, 0, 0}, .flips = true})
REFUSED(bad_pat, "pat-type", "that would give IA32_PAT a reserved type", {.entry = {MSR_PAT, 0, PAT_TYPE_RESERVED}})
REFUSED(bad_efer, "efer-reserved", "that would set a reserved bit of IA32_EFER", {.entry = {MSR_EFER, 0, EFER_RESERVED}, .flips = true, .high = true})
REFUSED(bad_lme, "efer-lme", "that would change IA32_EFER.LME with CR0.PG = 1", {.entry = {MSR_EFER, 0, EFER_LME}, .flips = true, .high = true})
REFUSED(bad_lstar, "lstar-canonical", "that would give IA32_LSTAR an address that is not canonical", {.entry = {MSR_LSTAR, 0, NOT_CANONICAL}, .high = true})
REFUSED(bad_kernel_gs, "kernel-gs-base-canonical", "that would give IA32_KERNEL_GS_BASE an address that is not canonical", {.entry = {MSR_KERNEL_GS_BASE, 0, NOT_CANONICAL}, .high = true})
REFUSED(bad_sysenter_esp, "sysenter-esp-canonical", "that would give IA32_SYSENTER_ESP an address that is not canonical", {.entry = {MSR_SYSENTER_ESP, 0, NOT_CANONICAL}, .high = true})
REFUSED(bad_sysenter_eip, "sysenter-eip-canonical", "that would give IA32_SYSENTER_EIP an address that is not canonical", {.entry = {MSR_SYSENTER_EIP, 0, NOT_CANONICAL}, .high = true})
REFUSED(bad_debugctl, "debugctl-reserved", "that would set a reserved bit of IA32_DEBUGCTL", {.entry = {MSR_DEBUGCTL, 0, BIT(40)}})

AREA_RULE(refused_mtrr, "entry-load.refused.mtrr-type", "A VM entry fails with exit reason 34 for an MSR-load entry that would give an MTRR a reserved type",
	  LOADING_AT_ENTRY, .cpus = BOOT_CPU)
{
	struct guest *guest = guest_with_msrs();
	struct chosen chosen = choose(&physbase);

	expect_refused(guest, (struct entry){chosen.msr, 0, (chosen.before & ~0xffull) | MTRR_TYPE_RESERVED}, 2);
}

static const unsigned first = 1, sixteenth = 16, twentieth = 20;

static void refused_at(const struct rule *rule)
{
	expect_refused(guest_with_msrs(), (struct entry){MSR_ABSENT, 0, 0}, *(const unsigned *)rule->row);
}

AREA_ROW(refused_at, "entry-load.qualification-first", "The exit qualification is 1 where the first entry is bad", LOADING_AT_ENTRY, first)
AREA_ROW(refused_at, "entry-load.qualification-sixteenth", "The exit qualification is 16 where the sixteenth entry is bad", LOADING_AT_ENTRY, sixteenth)
AREA_ROW(refused_at, "entry-load.qualification-last", "The exit qualification is 20 where the last of 20 entries is bad", LOADING_AT_ENTRY, twentieth)

AREA_RULE(refused_two, "entry-load.first-bad-counts", "Of two bad entries the exit qualification names the first", LOADING_AT_ENTRY)
{
	struct guest *guest = guest_with_msrs();
	struct entry *list = scratch_page();

	list[0] = (struct entry){MSR_SYSENTER_CS, 0, 0};
	list[1] = (struct entry){MSR_FS_BASE, 0, 0};
	list[2] = (struct entry){MSR_ABSENT, 0, 0};
	use(&entry_load, list, 3);
	expect_exit(guest_run(guest), EXIT_REASON_ENTRY_FAILURE | EXIT_REASON_MSR_LOADING);
	expect_equal("exit qualification: number of the entry, from 1", vmread(VMCS_EXIT_QUALIFICATION), 2);
}

AREA_RULE(kernel_gs_allowed, "entry-load.kernel-gs-base-allowed", "IA32_KERNEL_GS_BASE, next to the two that are not, may be loaded", LOADING_AT_ENTRY)
{
	struct guest *guest = guest_with_msrs();
	struct chosen value = choose(&kernel_gs_base);
	struct entry *list = scratch_page();

	list[0] = (struct entry){value.msr, 0, value.other};
	use(&entry_load, list, 1);
	expect_done(guest);
}

/* ---- What a failed VM entry leaves ---------------------------------------------------------------------- */

/* A guest whose only MSR-load entry is of an MSR that does not exist */
static struct guest *guest_refused(void)
{
	struct guest *guest = guest_with_msrs();
	struct entry *list = scratch_page();

	list[0] = (struct entry){MSR_ABSENT, 0, 0};
	use(&entry_load, list, 1);
	return guest;
}

static void expect_msr_failure(struct guest *guest)
{
	expect_exit(guest_run(guest), EXIT_REASON_ENTRY_FAILURE | EXIT_REASON_MSR_LOADING);
}

#define FAILURE_RULE(name, id_text, title_text, ...) \
	AREA_RULE(name, "entry-failure." id_text, title_text, ENTRY_FAILURES, ##__VA_ARGS__)

FAILURE_RULE(failure_guest_state, "guest-state-kept", "A VM-entry failure for MSR loading leaves every field of the guest-state area alone")
{
	struct guest *guest = guest_refused();
	u64 *before = scratch_page(), now;
	bool *there = scratch_page();

	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (vmcs_type(vmcs_fields[i].encoding) == VMCS_GUEST_STATE)
			there[i] = vmread_exists(vmcs_fields[i].encoding) && vmread_try(vmcs_fields[i].encoding, &before[i]) == SUCCEEDED;
	expect_msr_failure(guest);
	for (unsigned i = 0; i < vmcs_field_count; i++) {
		if (!there[i] || vmcs_fields[i].encoding == VMCS_PREEMPTION_TIMER) /* which guest_run() sets */
			continue;
		expect_outcome("VMREAD of a guest-state field", vmread_try(vmcs_fields[i].encoding, &now), SUCCEEDED);
		expect_equal(vmcs_fields[i].name, now, before[i]);
	}
}

FAILURE_RULE(failure_host_state, "host-state-loaded", "A VM-entry failure for MSR loading loads the host state")
{
	struct cpu *cpu = this_cpu();
	struct guest *guest = guest_refused();
	struct pseudo_descriptor gdtr, idtr;

	msr_restore_after_rule(MSR_SYSENTER_CS, "IA32_SYSENTER_CS");
	vmwrite(VMCS_GUEST_CR0, cpu->cr0 ^ CR0_MP);
	vmwrite(VMCS_GUEST_CR4, cpu->cr4 ^ CR4_TSD);
	vmwrite(VMCS_HOST_IA32_SYSENTER_CS, 0x5a58);
	expect_msr_failure(guest);
	asm volatile("sgdt %0" : "=m"(gdtr));
	asm volatile("sidt %0" : "=m"(idtr));
	expect_equal("CR0", read_cr0(), cpu->cr0);
	expect_equal("CR3", read_cr3(), cpu->cr3);
	expect_equal("CR4", read_cr4(), cpu->cr4);
	expect_equal("GDTR base", gdtr.base, (ulong)cpu->descriptors.gdt);
	expect_equal("GDTR limit", gdtr.limit, 0xffff);
	expect_equal("IDTR base", idtr.base, (ulong)cpu->idt);
	expect_equal("IDTR limit", idtr.limit, 0xffff);
	expect_equal("IA32_SYSENTER_CS", host_reads(MSR_SYSENTER_CS), 0x5a58);
	expect_equal("RFLAGS", guest->registers.host_flags, RFLAGS_FIXED);
}

FAILURE_RULE(failure_registers, "registers-kept", "A VM-entry failure for MSR loading leaves the general-purpose registers alone")
{
	struct guest *guest = guest_refused();

	guest->registers.ax = 0x1111;
	guest->registers.dx = 0x2222;
	guest->registers.si = 0x3333;
	expect_msr_failure(guest);
	expect_equal("EAX", guest->registers.ax, 0x1111);
	expect_equal("EDX", guest->registers.dx, 0x2222);
	expect_equal("ESI", guest->registers.si, 0x3333);
}

FAILURE_RULE(failure_launch, "launch-state-clear", "A VMLAUNCH that fails for MSR loading leaves the launch state clear")
{
	struct guest *guest = guest_refused();

	expect_msr_failure(guest);
	guest->launched = true;
	expect_outcome("VMRESUME after the failed VMLAUNCH", guest_run(guest).entry, VMFAIL_VALID(5));
	guest->launched = false;
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	expect_done(guest);
}

FAILURE_RULE(failure_resume, "vmresume", "A VMRESUME that fails for MSR loading can be repeated with a good list")
{
	struct guest *guest = guest_refused();

	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	expect_executed(guest, guest_rdmsr(guest, MSR_SYSENTER_CS), rdmsr_vmcall);
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
	expect_msr_failure(guest);
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	expect_executed(guest, guest_rdmsr(guest, MSR_SYSENTER_CS), rdmsr_vmcall);
}

FAILURE_RULE(failure_exit_load, "exit-load-done", "A VM-entry failure for MSR loading loads the VM-exit MSR-load area")
{
	struct guest *guest = guest_refused();
	struct chosen cs = choose(&sysenter_cs);
	struct entry *list = scratch_page();

	list[0] = (struct entry){cs.msr, 0, cs.other};
	use(&exit_load, list, 1);
	expect_msr_failure(guest);
	expect_equal("IA32_SYSENTER_CS in the host", host_reads(cs.msr), cs.other);
}

FAILURE_RULE(failure_no_store, "exit-store-not-done", "A VM-entry failure for MSR loading stores nothing into the VM-exit MSR-store area")
{
	struct guest *guest = guest_refused();
	struct entry *list = scratch_page();

	list[0] = (struct entry){MSR_SYSENTER_CS, 0, ~0ull};
	use(&exit_store, list, 1);
	expect_msr_failure(guest);
	expect_equal("the entry's value", list[0].data, ~0ull);
}

#define INJECT_UD 0x80000306 /* valid, hardware exception, vector 6 */

FAILURE_RULE(failure_injection, "injection-still-valid", "A VM-entry failure for MSR loading leaves the valid bit of the VM-entry interruption information 1")
{
	struct guest *guest = guest_refused();

	vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, INJECT_UD);
	expect_msr_failure(guest);
	expect_equal("VM-entry interruption information", vmread(VMCS_ENTRY_INTERRUPTION_INFO), INJECT_UD);
}

FAILURE_RULE(failure_information, "other-information-kept", "A VM-entry failure for MSR loading changes the exit reason and qualification and no other VM-exit information")
{
	static const enum vmcs_field fields[] = {VMCS_EXIT_INTERRUPTION_INFO, VMCS_EXIT_INTERRUPTION_ERROR, VMCS_IDT_VECTORING_INFO,
						 VMCS_IDT_VECTORING_ERROR, VMCS_EXIT_INSTRUCTION_LENGTH, VMCS_EXIT_INSTRUCTION_INFO,
						 VMCS_GUEST_LINEAR_ADDRESS};
	struct guest *guest = guest_refused();
	u64 before[COUNT(fields)];

	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	expect_done(guest); /* a VMCALL exit: instruction length 3 */
	for (unsigned i = 0; i < COUNT(fields); i++)
		before[i] = vmread(fields[i]);
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
	expect_msr_failure(guest);
	for (unsigned i = 0; i < COUNT(fields); i++)
		expect_equal(vmcs_field_name(fields[i]), vmread(fields[i]), before[i]);
}

FAILURE_RULE(failure_partial, "entries-before", "What becomes of the entries before and behind the bad one", .class = OBSERVED)
{
	struct guest *guest = guest_with_msrs();
	struct chosen before = choose(&pat), behind = choose(&lstar);
	struct entry *list = scratch_page();

	controls_clear(VMCS_EXIT_CONTROLS, &this_cpu()->caps.exit, EXIT_LOAD_PAT, "load IA32_PAT");
	list[0] = (struct entry){before.msr, 0, before.other};
	list[1] = (struct entry){MSR_ABSENT, 0, 0};
	list[2] = (struct entry){behind.msr, 0, behind.other};
	use(&entry_load, list, 3);
	expect_msr_failure(guest);
	rule_note("the entry before the bad one was %sloaded, the one behind it was %sloaded",
		  host_reads(before.msr) == before.other ? "" : "not ", host_reads(behind.msr) == behind.other ? "" : "not ");
}
