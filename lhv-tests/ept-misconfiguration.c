/* EPT misconfigurations: entries that no CPU may use, at each level. */
#include "lhv-tests/ept-window.h"

#define MISCONFIGURATIONS "29.3.3.1 EPT Misconfigurations"
#define PRIORITIES "29.3.3.3 Prioritization of EPT Misconfigurations and EPT Violations"
#define MISCONFIGURATION_SHARED .needs = EPT_NEEDS, .opt = OPT_EPT | OPT_EPT_RULES

#define MISCONFIGURATION_RULE(name, id_text, title_text, section) \
	RULE(name, .id = "ept.misconfiguration." id_text, .title = title_text, .sdm = section, MISCONFIGURATION_SHARED)

static void expect_misconfiguration(struct exit exit, u64 address)
{
	expect_exit(exit, EXIT_REASON_EPT_MISCONFIGURATION);
	expect_equal("guest-physical address", vmread(VMCS_GUEST_PHYSICAL_ADDRESS), address);
}

/* ---- Rights ----------------------------------------------------------------------------------------- */

struct rights_row {
	unsigned level;
	u64 rights;
};

static void bad_rights(const struct rule *rule)
{
	const struct rights_row *row = rule->row;
	struct ept_window window;

	if (row->rights == EPT_EXECUTE && this_cpu()->caps.ept_vpid & CAP_EXECUTE_ONLY)
		rule_skip("the CPU has execute-only EPT entries");
	ept_window_open(&window, row->level == EPT_PML4E);
	/* whatever the access, also one that the rights would allow */
	for (enum access access = ACCESS_READ; access <= ACCESS_FETCH; access++)
		expect_misconfiguration(ept_window_access(&window, row->level, (window.good[row->level] & ~EPT_RWX) | row->rights, access),
					window.physical);
}

#define RIGHTS_ROW(level_name, level, id_text, rights_text, rights) \
	ROW(bad_rights, .id = "ept.misconfiguration." id_text, .title = "Rights " rights_text " in an EPT " level_name " are a misconfiguration for every access", \
	    .sdm = MISCONFIGURATIONS, .row = &(const struct rights_row){level, rights}, MISCONFIGURATION_SHARED)

RIGHTS_ROW("PTE", EPT_4K, "pte-w", "W without R", EPT_WRITE)
RIGHTS_ROW("PTE", EPT_4K, "pte-wx", "WX without R", EPT_WRITE | EPT_EXECUTE)
RIGHTS_ROW("PTE", EPT_4K, "pte-x-unsupported", "X alone, where the CPU has no execute-only entries,", EPT_EXECUTE)
RIGHTS_ROW("PDE", EPT_2M, "pde-w", "W without R", EPT_WRITE)
RIGHTS_ROW("PDE", EPT_2M, "pde-wx", "WX without R", EPT_WRITE | EPT_EXECUTE)
RIGHTS_ROW("PDPTE", EPT_1G, "pdpte-w", "W without R", EPT_WRITE)
RIGHTS_ROW("PDPTE", EPT_1G, "pdpte-wx", "WX without R", EPT_WRITE | EPT_EXECUTE)
RIGHTS_ROW("PML4E", EPT_PML4E, "pml4e-w", "W without R", EPT_WRITE)
RIGHTS_ROW("PML4E", EPT_PML4E, "pml4e-wx", "WX without R", EPT_WRITE | EPT_EXECUTE)

/* ---- Reserved bits ---------------------------------------------------------------------------------- */

/* Each bit of the range alone, set in the entry. Only reads: where they succeed they do no harm. */
static void expect_bits_reserved(struct ept_window *window, unsigned level, u64 entry, unsigned low, unsigned high)
{
	for (unsigned bit = low; bit <= high; bit++)
		expect_misconfiguration(ept_window_access(window, level, entry | BIT(bit), ACCESS_READ), window->physical);
}

static const unsigned levels[] = {EPT_4K, EPT_2M, EPT_1G, EPT_PML4E};

#define LEVEL_ROW(function, index, id_text, title_text) \
	ROW(function, .id = "ept.misconfiguration." id_text, .title = title_text, .sdm = MISCONFIGURATIONS, .row = &levels[index], MISCONFIGURATION_SHARED)

#define ADDRESS_END 51 /* the last bit that an address in an entry may have */

static void beyond_width(const struct rule *rule)
{
	unsigned level = *(const unsigned *)rule->row, width = cpuid_physical_width();
	struct ept_window window;

	if (width > ADDRESS_END)
		rule_skip("the CPU's physical addresses have %u bits, and none in an EPT entry is reserved", width);
	ept_window_open(&window, level == EPT_PML4E);
	expect_bits_reserved(&window, level, window.good[level], width, ADDRESS_END);
}

LEVEL_ROW(beyond_width, 0, "pte-address", "An EPT PTE with an address beyond the physical-address width is a misconfiguration")
LEVEL_ROW(beyond_width, 1, "pde-address", "An EPT PDE with an address beyond the physical-address width is a misconfiguration")
LEVEL_ROW(beyond_width, 2, "pdpte-address", "An EPT PDPTE with an address beyond the physical-address width is a misconfiguration")
LEVEL_ROW(beyond_width, 3, "pml4e-address", "An EPT PML4E with an address beyond the physical-address width is a misconfiguration")

static void low_bits(const struct rule *rule)
{
	unsigned level = *(const unsigned *)rule->row;
	struct ept_window window;

	ept_window_open(&window, level == EPT_PML4E);
	/* bit 7 of the middle levels makes them leaves */
	expect_bits_reserved(&window, level, window.good[level], 3, level == EPT_PML4E ? 7 : 6);
}

LEVEL_ROW(low_bits, 1, "pde-low-bits", "An EPT PDE that names a page table, with a bit of 6:3 set, is a misconfiguration")
LEVEL_ROW(low_bits, 2, "pdpte-low-bits", "An EPT PDPTE that names a page directory, with a bit of 6:3 set, is a misconfiguration")
LEVEL_ROW(low_bits, 3, "pml4e-low-bits", "An EPT PML4E with a bit of 7:3 set is a misconfiguration")

/* ---- Leaves ----------------------------------------------------------------------------------------- */

/* A good leaf of that level, leading to where the window's page is (or its surroundings) */
static u64 leaf_of(const struct ept_window *window, unsigned level)
{
	u64 size = (u64)PAGE_SIZE << 9 * level;

	return (physical(window->page) & ~(size - 1)) | EPT_RWX | (level == EPT_4K ? 0 : EPT_LEAF);
}

static void skip_without_leaf(unsigned level)
{
	if (level == EPT_2M && !(this_cpu()->caps.ept_vpid & CAP_2M))
		rule_skip("the CPU has no 2-MByte EPT pages");
	if (level == EPT_1G && !(this_cpu()->caps.ept_vpid & CAP_1G))
		rule_skip("the CPU has no 1-GByte EPT pages");
}

static void bad_memory_type(const struct rule *rule)
{
	static const u8 types[] = {2, 3, 7};
	unsigned level = *(const unsigned *)rule->row;
	struct ept_window window;

	skip_without_leaf(level);
	ept_window_open(&window, false);
	for (unsigned i = 0; i < COUNT(types); i++)
		expect_misconfiguration(ept_window_access(&window, level, leaf_of(&window, level) | EPT_MEMORY_TYPE(types[i]), ACCESS_READ),
					window.physical);
}

LEVEL_ROW(bad_memory_type, 0, "4k-memory-type", "A 4-KByte EPT leaf with memory type 2, 3 or 7 is a misconfiguration")
LEVEL_ROW(bad_memory_type, 1, "2m-memory-type", "A 2-MByte EPT leaf with memory type 2, 3 or 7 is a misconfiguration")
LEVEL_ROW(bad_memory_type, 2, "1g-memory-type", "A 1-GByte EPT leaf with memory type 2, 3 or 7 is a misconfiguration")

static void offset_bits(const struct rule *rule)
{
	unsigned level = *(const unsigned *)rule->row;
	struct ept_window window;

	skip_without_leaf(level);
	ept_window_open(&window, false);
	/* bit 12 has rules of its own: where it is lost, the others can still be seen */
	expect_bits_reserved(&window, level, leaf_of(&window, level), 13, 12 + 9 * level - 1);
}

static void offset_bit_12(const struct rule *rule)
{
	unsigned level = *(const unsigned *)rule->row;
	struct ept_window window;

	skip_without_leaf(level);
	ept_window_open(&window, false);
	expect_bits_reserved(&window, level, leaf_of(&window, level), 12, 12);
}

LEVEL_ROW(offset_bits, 1, "2m-offset-bits", "A 2-MByte EPT leaf with a bit of 20:13 set is a misconfiguration")
LEVEL_ROW(offset_bits, 2, "1g-offset-bits", "A 1-GByte EPT leaf with a bit of 29:13 set is a misconfiguration")
LEVEL_ROW(offset_bit_12, 1, "2m-bit-12", "A 2-MByte EPT leaf with bit 12 set is a misconfiguration")
LEVEL_ROW(offset_bit_12, 2, "1g-bit-12", "A 1-GByte EPT leaf with bit 12 set is a misconfiguration")

static void leaf_unsupported(const struct rule *rule)
{
	unsigned level = *(const unsigned *)rule->row;
	struct ept_window window;

	if (this_cpu()->caps.ept_vpid & (level == EPT_2M ? CAP_2M : CAP_1G))
		rule_skip("the CPU has EPT pages of that size");
	ept_window_open(&window, false);
	expect_misconfiguration(ept_window_access(&window, level, leaf_of(&window, level) | EPT_MEMORY_TYPE(MEMORY_UC), ACCESS_READ), window.physical);
}

LEVEL_ROW(leaf_unsupported, 1, "2m-unsupported", "A 2-MByte EPT leaf, where the CPU has none, is a misconfiguration")
LEVEL_ROW(leaf_unsupported, 2, "1g-unsupported", "A 1-GByte EPT leaf, where the CPU has none, is a misconfiguration")

/* ---- What the exit says, and what comes first ---------------------------------------------------------- */

/* XMHF: exit qualification was not 0 (its bug 090) */
MISCONFIGURATION_RULE(qualification, "qualification", "The exit qualification of an EPT misconfiguration is 0", "28.2.1 Basic VM-Exit Information")
{
	struct ept_window window;

	ept_window_open(&window, false);
	window_look_at(WINDOW + 0x344);
	expect_misconfiguration(ept_window_access(&window, EPT_4K, (window.good[EPT_4K] & ~EPT_RWX) | EPT_WRITE, ACCESS_WRITE), window.physical + 0x344);
	expect_equal("exit qualification", vmread(VMCS_EXIT_QUALIFICATION), 0);
}

MISCONFIGURATION_RULE(mended, "resumed", "After an EPT misconfiguration is mended, the access is made anew without INVEPT", "29.4.3.1 Operations that Invalidate Cached Mappings")
{
	struct ept_window window;

	ept_window_open(&window, false);
	expect_misconfiguration(ept_window_access(&window, EPT_4K, (window.good[EPT_4K] & ~EPT_RWX) | EPT_WRITE, ACCESS_READ), window.physical);
	ept_write(window.entry[EPT_4K], window.good[EPT_4K]);
	expect_access_done(&window, guest_run(window.guest), ACCESS_READ);
}

MISCONFIGURATION_RULE(before_rights, "before-rights", "A misconfiguration comes before the violation of an entry above it that gives fewer rights", PRIORITIES)
{
	struct ept_window window;

	ept_window_open(&window, false);
	ept_write(window.entry[EPT_2M], window.good[EPT_2M] & ~(EPT_WRITE | EPT_EXECUTE));
	expect_misconfiguration(ept_window_access(&window, EPT_4K, (window.good[EPT_4K] & ~EPT_RWX) | EPT_WRITE, ACCESS_WRITE), window.physical);
}

MISCONFIGURATION_RULE(behind_absent, "behind-absent", "A misconfigured entry behind one that is not present is not seen: EPT violation", PRIORITIES)
{
	struct ept_window window;

	ept_window_open(&window, false);
	ept_write(window.entry[EPT_2M], window.good[EPT_2M] & ~EPT_RWX);
	expect_exit(ept_window_access(&window, EPT_4K, (window.good[EPT_4K] & ~EPT_RWX) | EPT_WRITE, ACCESS_READ), EXIT_REASON_EPT_VIOLATION);
}

MISCONFIGURATION_RULE(in_walk, "guest-page-table", "A misconfiguration on the way to a guest page table is one, too", MISCONFIGURATIONS)
{
	struct ept_window window;
	struct guest_tables tables;
	u64 table;

	ept_window_open(&window, false);
	tables = guest_tables_create(WINDOW);
	guest_tables_use(&tables);
	table = physical(tables.table[tables.levels - 1]);
	ept_map(&window.ept, table, table, EPT_4K, EPT_WRITE, MEMORY_WB);
	window_use_ept(&window.ept);
	expect_exit(window_access(window.guest, ACCESS_READ), EXIT_REASON_EPT_MISCONFIGURATION);
	expect_equal("page of the guest-physical address", vmread(VMCS_GUEST_PHYSICAL_ADDRESS) & -(u64)PAGE_SIZE, table);
}
