/* EPT pages: sizes and offsets, memory types, ignored bits, accessed and dirty flags, PDPTEs of PAE paging. */
#include "cpu/registers.h"
#include "lhv-tests/ept-window.h"

#define MECHANISM "29.3.2 EPT Translation Mechanism"
#define FLAGS "29.3.5 Accessed and Dirty Flags for EPT"
#define VIOLATIONS "29.3.3.2 EPT Violations"
#define OVERVIEW "29.3.1 EPT Overview"

#define PAGE_RULE(name, id_text, title_text, section, options, ...) \
	RULE(name, .id = "ept." id_text, .title = title_text, .sdm = section, .needs = EPT_NEEDS, .opt = options, ##__VA_ARGS__)

/* ---- Large pages ------------------------------------------------------------------------------------- */

static void map_large(struct ept_window *window, u64 guest, u64 host, enum ept_leaf leaf)
{
	u64 size = (u64)PAGE_SIZE << 9 * leaf;
	u8 type;

	/* a large page may hold device memory, which must not be cached */
	if (!mtrr_uniform(&memory_types, host & ~(size - 1), size, &type))
		type = MEMORY_UC;
	ept_map(&window->ept, guest, host & ~(size - 1), leaf, EPT_RWX, type);
}

static void expect_offsets(enum ept_leaf leaf)
{
	u64 size = (u64)PAGE_SIZE << 9 * leaf;
	struct ept_window window;
	u32 *pages[12];

	ept_window_open(&window, false);
	map_large(&window, WINDOW, physical(window.page), leaf);
	ept_use(&window.ept);
	for (unsigned i = 0; i < COUNT(pages); i++) {
		pages[i] = scratch_page();
		pages[i][i] = 0xa0b0c000 + i;
	}
	for (unsigned i = 0; i < COUNT(pages); i++) {
		if ((physical(pages[i]) ^ physical(window.page)) & ~(size - 1))
			continue; /* on the other side of a border */
		window_look_at(WINDOW + (physical(&pages[i][i]) & (size - 1)));
		expect_equal("what the guest read", window_read(window.guest), 0xa0b0c000 + i);
	}
}

PAGE_RULE(offsets_2m, "page.2m-offsets", "In a 2-MByte EPT page bits 20:0 of the address are the offset", MECHANISM, OPT_LARGE_PAGE)
{
	if (!(this_cpu()->caps.ept_vpid & CAP_2M))
		rule_skip("the CPU has no 2-MByte EPT pages");
	expect_offsets(EPT_2M);
}

PAGE_RULE(offsets_1g, "page.1g-offsets", "In a 1-GByte EPT page bits 29:0 of the address are the offset", MECHANISM, OPT_LARGE_PAGE)
{
	if (!(this_cpu()->caps.ept_vpid & CAP_1G))
		rule_skip("the CPU has no 1-GByte EPT pages");
	expect_offsets(EPT_1G);
}

/* Memory that is only read: somewhere that is not this CPU's scratch memory */
#define ELSEWHERE (16 * MIB)

PAGE_RULE(swap_2m, "page.2m-swapped", "Two 2-MByte EPT leaves swap what the guest sees", MECHANISM, OPT_LARGE_PAGE)
{
	struct ept_window window;
	ulong offset;

	if (!(this_cpu()->caps.ept_vpid & CAP_2M))
		rule_skip("the CPU has no 2-MByte EPT pages");
	ept_window_open(&window, false);
	offset = physical(window.page) & (2 * MIB - 1);
	if (physical(window.page) - offset == ELSEWHERE)
		rule_skip("LHV's own memory is where this rule looks");
	u32 other = *(volatile u32 *)(ulong)(ELSEWHERE + offset);

	*window.page = ~other; /* whatever is there */
	for (unsigned swapped = 0; swapped < 4; swapped++) {
		map_large(&window, WINDOW + (swapped & 1 ? 2 * MIB : 0), physical(window.page), EPT_2M);
		map_large(&window, WINDOW + (swapped & 1 ? 0 : 2 * MIB), ELSEWHERE, EPT_2M);
		ept_use(&window.ept);
		window_look_at(WINDOW + offset);
		expect_equal("what the guest read behind the first", window_read(window.guest), swapped & 1 ? other : ~other);
		window_look_at(WINDOW + 2 * MIB + offset);
		expect_equal("what the guest read behind the second", window_read(window.guest), swapped & 1 ? ~other : other);
	}
}

static void large_right(enum ept_leaf leaf)
{
	struct ept_window window;

	ept_window_open(&window, false);
	map_large(&window, WINDOW, physical(window.page), leaf);
	ept_write(window.entry[leaf], *window.entry[leaf] & ~(EPT_WRITE | EPT_EXECUTE));
	ept_use(&window.ept);
	window_look_at(WINDOW + (physical(window.page) & (((u64)PAGE_SIZE << 9 * leaf) - 1)));
	expect_access_done(&window, window_access(window.guest, ACCESS_READ), ACCESS_READ);
	for (enum access access = ACCESS_WRITE; access <= ACCESS_FETCH; access++) {
		expect_exit(window_access(window.guest, access), EXIT_REASON_EPT_VIOLATION);
		expect_equal("exit qualification: access and rights", vmread(VMCS_EXIT_QUALIFICATION) & BITS(5, 0),
			     BIT(access) | EPT_READ << VIOLATION_RIGHTS_SHIFT);
	}
}

PAGE_RULE(right_2m, "page.2m-read-only", "A 2-MByte EPT leaf with right R lets the guest read and nothing else", VIOLATIONS, OPT_LARGE_PAGE)
{
	if (!(this_cpu()->caps.ept_vpid & CAP_2M))
		rule_skip("the CPU has no 2-MByte EPT pages");
	large_right(EPT_2M);
}

PAGE_RULE(right_1g, "page.1g-read-only", "A 1-GByte EPT leaf with right R lets the guest read and nothing else", VIOLATIONS, OPT_LARGE_PAGE)
{
	if (!(this_cpu()->caps.ept_vpid & CAP_1G))
		rule_skip("the CPU has no 1-GByte EPT pages");
	large_right(EPT_1G);
}

PAGE_RULE(pml4_index, "page.pml4-index", "Bits 47:39 of a guest-physical address choose the EPT PML4E", MECHANISM, OPT_EPT | OPT_EPT_RULES)
{
	struct ept_window window;

	ept_window_open(&window, true);
	expect_access_done(&window, window_access(window.guest, ACCESS_READ), ACCESS_READ);
	expect_access_done(&window, window_access(window.guest, ACCESS_WRITE), ACCESS_WRITE);
}

/* ---- Memory types and ignored bits --------------------------------------------------------------------- */

#define IGNORE_PAT BIT(6)

/* XMHF accepted only WB and UC: its bug 085 */
static void memory_type_accepted(const struct rule *rule)
{
	u8 type = *(const u8 *)rule->row;
	struct ept_window window;

	ept_window_open(&window, false);
	for (unsigned ignore_pat = 0; ignore_pat < 2; ignore_pat++)
		for (enum access access = ACCESS_READ; access <= ACCESS_FETCH; access++) {
			u64 value = physical(window.page) | EPT_RWX | EPT_MEMORY_TYPE(type) | (ignore_pat ? IGNORE_PAT : 0);
			struct exit exit = ept_window_access(&window, EPT_4K, value, access);

			expect_access_done(&window, exit, access);
		}
}

static const u8 memory_types_valid[] = {MEMORY_UC, MEMORY_WC, MEMORY_WT, MEMORY_WP, MEMORY_WB};

#define TYPE_ROW(index, id_text, name) \
	ROW(memory_type_accepted, .id = "ept.memory-type." id_text, .title = "An EPT leaf with memory type " name " works, with the PAT taken into account and without", \
	    .sdm = "29.3.7.2 Memory Type Used for Translated Guest-Physical Addresses", .row = &memory_types_valid[index], .needs = EPT_NEEDS, \
	    .opt = OPT_EPT | OPT_EPT_RULES)

TYPE_ROW(0, "uc", "UC")
TYPE_ROW(1, "wc", "WC")
TYPE_ROW(2, "wt", "WT")
TYPE_ROW(3, "wp", "WP")
TYPE_ROW(4, "wb", "WB")

static const unsigned levels[] = {EPT_4K, EPT_2M, EPT_1G, EPT_PML4E};

/* Bits 8, 9 and 10, and some of 62:52, have meanings with controls or EPTP bits that are 0 here */
static void ignored_bits(const struct rule *rule)
{
	unsigned level = *(const unsigned *)rule->row;
	struct ept_window window;
	const u64 ignored = BITS(62, 52) | BITS(11, 8) | (level == EPT_4K ? BIT(7) : 0);

	ept_window_open(&window, level == EPT_PML4E);
	for (enum access access = ACCESS_READ; access <= ACCESS_FETCH; access++)
		expect_access_done(&window, ept_window_access(&window, level, window.good[level] | ignored, access), access);
	expect_equal("the entry", *window.entry[level], window.good[level] | ignored);
}

#define IGNORED_ROW(index, id_text, name) \
	ROW(ignored_bits, .id = "ept.ignored-bits." id_text, .title = "The ignored bits of an EPT " name " change nothing", .sdm = MECHANISM, \
	    .row = &levels[index], .needs = EPT_NEEDS, .opt = OPT_EPT | OPT_EPT_RULES)

IGNORED_ROW(0, "pte", "PTE")
IGNORED_ROW(1, "pde", "PDE")
IGNORED_ROW(2, "pdpte", "PDPTE")
IGNORED_ROW(3, "pml4e", "PML4E")

/* ---- Accessed and dirty flags -------------------------------------------------------------------------- */

#define EPTP_FLAGS BIT(6) /* enables them */
#define ACCESSED BIT(8)
#define DIRTY BIT(9)

#define FLAGS_RULE(name, id_text, title_text, section, ...) \
	PAGE_RULE(name, "flags." id_text, title_text, section, OPT_EPT | OPT_EPT_RULES, ##__VA_ARGS__)

static void skip_without_flags(void)
{
	if (!(this_cpu()->caps.ept_vpid & CAP_ACCESSED_DIRTY))
		rule_skip("the CPU has no accessed and dirty flags for EPT");
}

static void flags_on(const struct ept_window *window)
{
	ept_use(&window->ept);
	vmwrite(VMCS_EPT_POINTER, vmread(VMCS_EPT_POINTER) | EPTP_FLAGS);
}

FLAGS_RULE(flags_off, "off", "With EPTP bit 6 0 no accessed or dirty flag of EPT is set", FLAGS)
{
	struct ept_window window;

	ept_window_open(&window, false);
	expect_access_done(&window, window_access(window.guest, ACCESS_READ), ACCESS_READ);
	expect_access_done(&window, window_access(window.guest, ACCESS_WRITE), ACCESS_WRITE);
	for (unsigned level = 0; level < EPT_LEVELS; level++)
		expect_equal("an EPT entry, PTE first", *window.entry[level], window.good[level]);
}

FLAGS_RULE(flags_accessed, "accessed", "A read sets the accessed flag of every EPT entry that it uses, and no dirty flag", FLAGS)
{
	struct ept_window window;

	skip_without_flags();
	ept_window_open(&window, false);
	flags_on(&window);
	expect_access_done(&window, window_access(window.guest, ACCESS_READ), ACCESS_READ);
	for (unsigned level = 0; level < EPT_LEVELS; level++)
		expect_equal("an EPT entry, PTE first", *window.entry[level], window.good[level] | ACCESSED);
}

FLAGS_RULE(flags_fetch, "fetched", "A fetch sets the accessed flag of the EPT entries and not the dirty flag", FLAGS)
{
	struct ept_window window;

	skip_without_flags();
	ept_window_open(&window, false);
	flags_on(&window);
	expect_access_done(&window, window_access(window.guest, ACCESS_FETCH), ACCESS_FETCH);
	for (unsigned level = 0; level < EPT_LEVELS; level++)
		expect_equal("an EPT entry, PTE first", *window.entry[level], window.good[level] | ACCESSED);
}

FLAGS_RULE(flags_dirty, "dirty", "A write sets the dirty flag of the EPT entry that maps the page, and of no other", FLAGS)
{
	struct ept_window window;

	skip_without_flags();
	ept_window_open(&window, false);
	flags_on(&window);
	expect_access_done(&window, window_access(window.guest, ACCESS_WRITE), ACCESS_WRITE);
	expect_equal("the EPT PTE", *window.entry[EPT_4K], window.good[EPT_4K] | ACCESSED | DIRTY);
	for (unsigned level = EPT_2M; level < EPT_LEVELS; level++)
		expect_equal("an EPT entry above it, PDE first", *window.entry[level], window.good[level] | ACCESSED);
}

FLAGS_RULE(flags_dirty_later, "dirty-after-read", "A write after a read of the same page still sets the dirty flag", FLAGS)
{
	struct ept_window window;

	skip_without_flags();
	ept_window_open(&window, false);
	flags_on(&window);
	expect_access_done(&window, window_access(window.guest, ACCESS_READ), ACCESS_READ);
	expect_access_done(&window, window_access(window.guest, ACCESS_WRITE), ACCESS_WRITE);
	expect_equal("the EPT PTE", *window.entry[EPT_4K], window.good[EPT_4K] | ACCESSED | DIRTY);
}

FLAGS_RULE(flags_sticky, "sticky", "The CPU clears no accessed or dirty flag of EPT", FLAGS)
{
	struct ept_window window;

	skip_without_flags();
	ept_window_open(&window, false);
	for (unsigned level = 0; level < EPT_LEVELS; level++)
		ept_write(window.entry[level], window.good[level] | ACCESSED | (level == EPT_4K ? DIRTY : 0));
	flags_on(&window);
	expect_access_done(&window, window_access(window.guest, ACCESS_READ), ACCESS_READ);
	expect_access_done(&window, window_access(window.guest, ACCESS_WRITE), ACCESS_WRITE);
	for (unsigned level = 0; level < EPT_LEVELS; level++)
		expect_equal("an EPT entry, PTE first", *window.entry[level], window.good[level] | ACCESSED | (level == EPT_4K ? DIRTY : 0));
}

FLAGS_RULE(flags_2m, "dirty-2m", "A write sets the dirty flag of a 2-MByte EPT leaf", FLAGS)
{
	struct ept_window window;

	skip_without_flags();
	if (!(this_cpu()->caps.ept_vpid & CAP_2M))
		rule_skip("the CPU has no 2-MByte EPT pages");
	ept_window_open(&window, false);
	map_large(&window, WINDOW, physical(window.page), EPT_2M);
	flags_on(&window);
	window_look_at(WINDOW + (physical(window.page) & (2 * MIB - 1)));
	expect_access_done(&window, window_access(window.guest, ACCESS_READ), ACCESS_READ);
	expect_equal("flags of the EPT PDE after a read", *window.entry[EPT_2M] & (ACCESSED | DIRTY), ACCESSED);
	expect_access_done(&window, window_access(window.guest, ACCESS_WRITE), ACCESS_WRITE);
	expect_equal("flags of the EPT PDE after a write", *window.entry[EPT_2M] & (ACCESSED | DIRTY), ACCESSED | DIRTY);
}

/* The guest's page table, mapped by a 4-KByte EPT leaf of its own with these rights. Returns that leaf. */
static u64 *guest_page_table(struct ept_window *window, u64 rights)
{
	struct guest_tables tables = guest_tables_create(WINDOW);
	u64 table = physical(tables.table[tables.levels - 1]);

	guest_tables_use(&tables);
	ept_map(&window->ept, table, table, EPT_4K, rights, MEMORY_WB);
	window_use_ept(&window->ept);
	flags_on(window);
	return ept_entry(&window->ept, table, EPT_4K);
}

FLAGS_RULE(flags_walk, "walk-dirty", "With EPTP bit 6 1 a mere look at a guest page table sets the dirty flag of its page", FLAGS)
{
	struct ept_window window;
	u64 *entry;

	skip_without_flags();
	ept_window_open(&window, false);
	entry = guest_page_table(&window, EPT_RWX);
	expect_access_done(&window, window_access(window.guest, ACCESS_READ), ACCESS_READ);
	expect_set("the EPT PTE of the guest's page table", *entry, ACCESSED | DIRTY);
}

FLAGS_RULE(flags_walk_violation, "walk-read-only", "With EPTP bit 6 1 a guest page table in an EPT read-only page causes an EPT violation", VIOLATIONS)
{
	struct ept_window window;

	skip_without_flags();
	ept_window_open(&window, false);
	guest_page_table(&window, EPT_READ);
	expect_exit(window_access(window.guest, ACCESS_READ), EXIT_REASON_EPT_VIOLATION);
	expect_equal("exit qualification: write, rights, linear address", vmread(VMCS_EXIT_QUALIFICATION) & VIOLATION_BITS & ~BIT(ACCESS_READ),
		     BIT(ACCESS_WRITE) | EPT_READ << VIOLATION_RIGHTS_SHIFT | VIOLATION_LINEAR_VALID);
}

FLAGS_RULE(flags_walk_both, "walk-read-only-both", "That EPT violation says read and write", "28.2.1 Basic VM-Exit Information")
{
	struct ept_window window;

	skip_without_flags();
	ept_window_open(&window, false);
	guest_page_table(&window, EPT_READ);
	expect_exit(window_access(window.guest, ACCESS_READ), EXIT_REASON_EPT_VIOLATION);
	expect_set("exit qualification", vmread(VMCS_EXIT_QUALIFICATION), BIT(ACCESS_READ) | BIT(ACCESS_WRITE));
}

FLAGS_RULE(flags_violation, "not-on-violation", "Is the accessed flag set in a leaf whose rights do not allow the access?", FLAGS, .class = OBSERVED)
{
	struct ept_window window;

	skip_without_flags();
	ept_window_open(&window, false);
	ept_write(window.entry[EPT_4K], window.good[EPT_4K] & ~EPT_WRITE);
	flags_on(&window);
	expect_exit(window_access(window.guest, ACCESS_WRITE), EXIT_REASON_EPT_VIOLATION);
	rule_note("accessed and dirty flags of the leaf after the violation: 0x%x", (unsigned)(*window.entry[EPT_4K] >> 8 & 3));
}

/* ---- PDPTEs of PAE paging ------------------------------------------------------------------------------- */

#define PDPTE_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "ept.pdptes." id_text, .title = title_text, .sdm = section, .opt = OPT_EPT | OPT_EPT_RULES, ##__VA_ARGS__)

static const u8 mov_cr3_vmcall[] = {0x0f, 0x22, 0xdb, 0x0f, 0x01, 0xc1}; /* MOV EBX, CR3 */
static const u8 mov_cr0_vmcall[] = {0x0f, 0x22, 0xc3, 0x0f, 0x01, 0xc1}; /* MOV EBX, CR0 */

/* A guest whose next instruction loads the PDPTEs, from a page with these EPT rights */
static u64 pdptes_in_page(struct ept_window *window, u64 rights, const u8 *code, ulong bx)
{
	u32 *pdptes = scratch_page();

#ifndef LHV_PAE
	rule_skip("this build does not use PAE paging");
#endif
	ept_window_open(window, false);
	for (unsigned i = 0; i < 8; i++)
		pdptes[i] = ((const u32 *)(read_cr3() & ~0x1ful))[i];
	controls_clear(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_CR3_LOAD_EXITING, "CR3-load exiting");
	ept_map(&window->ept, physical(pdptes), physical(pdptes), EPT_4K, rights, MEMORY_WB);
	ept_use(&window->ept);
	vmwrite(VMCS_GUEST_RIP, (ulong)code);
	window->guest->registers.bx = bx ? bx : (ulong)pdptes;
	return physical(pdptes);
}

static void expect_pdpte_violation(struct ept_window *window, u64 pdptes, const u8 *code)
{
	expect_exit(guest_run(window->guest), EXIT_REASON_EPT_VIOLATION);
	expect_equal("exit qualification: access, rights, linear address", vmread(VMCS_EXIT_QUALIFICATION) & (BITS(5, 0) | VIOLATION_LINEAR_VALID), BIT(ACCESS_READ));
	expect_equal("page of the guest-physical address", vmread(VMCS_GUEST_PHYSICAL_ADDRESS) & -(u64)PAGE_SIZE, pdptes);
	expect_equal("guest RIP", vmread(VMCS_GUEST_RIP), (ulong)code);
	ept_map(&window->ept, pdptes, pdptes, EPT_4K, EPT_RWX, MEMORY_WB);
	expect_exit(guest_run(window->guest), EXIT_REASON_VMCALL);
}

PDPTE_RULE(pdptes_cr3, "mov-cr3", "MOV to CR3 that loads PDPTEs from a page absent in EPT causes an EPT violation without a linear address", OVERVIEW, .needs = EPT_NEEDS)
{
	struct ept_window window;
	u64 pdptes = pdptes_in_page(&window, 0, mov_cr3_vmcall, 0);

	expect_pdpte_violation(&window, pdptes, mov_cr3_vmcall);
	expect_equal("CR3 of the guest", vmread(VMCS_GUEST_CR3), pdptes);
}

/* KVM went on without: kernel bugzilla 216212 */
PDPTE_RULE(pdptes_pg, "set-pg", "Setting CR0.PG with the PDPTEs in a page absent in EPT causes an EPT violation", OVERVIEW,
	   .needs = EPT_NEEDS | NEED_UNRESTRICTED_GUEST)
{
	struct ept_window window;
	u64 pdptes = pdptes_in_page(&window, 0, mov_cr0_vmcall, read_cr0());

	controls_set(VMCS_PROC2_CONTROLS, &this_cpu()->caps.proc2, PROC2_UNRESTRICTED_GUEST, "unrestricted guest");
	vmwrite(VMCS_GUEST_CR0, vmread(VMCS_GUEST_CR0) & ~CR0_PG);
	vmwrite(VMCS_GUEST_CR3, pdptes);
	expect_pdpte_violation(&window, pdptes, mov_cr0_vmcall);
	expect_set("CR0 of the guest", vmread(VMCS_GUEST_CR0), CR0_PG);
}

PDPTE_RULE(pdptes_read, "read-only-with-flags", "PDPTEs in an EPT read-only page can be loaded, with EPTP bit 6 1 too", VIOLATIONS, .needs = EPT_NEEDS)
{
	struct ept_window window;

	pdptes_in_page(&window, EPT_READ, mov_cr3_vmcall, 0);
	skip_without_flags();
	flags_on(&window);
	expect_exit(guest_run(window.guest), EXIT_REASON_VMCALL);
}
