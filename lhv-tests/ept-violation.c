/* EPT violations: rights at each level and over the levels, what the exit says, and what a host does about it. */
#include "cpu/registers.h"
#include "cpu/traps.h"
#include "lhv-tests/ept-window.h"

#define VIOLATIONS "29.3.3.2 EPT Violations"
#define QUALIFICATION "28.2.1 Basic VM-Exit Information"
#define PRIORITIES "29.3.3.3 Prioritization of EPT Misconfigurations and EPT Violations"

#define VIOLATION_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "ept.violation." id_text, .title = title_text, .sdm = section, .needs = EPT_NEEDS, \
	     .opt = OPT_EPT | OPT_EPT_RULES, ##__VA_ARGS__)

/* Wants the access to violate, and the exit to say so. rights: AND over the levels, 0 where an entry is not present. */
static void expect_violation(const struct ept_window *window, struct exit exit, enum access access, u64 rights)
{
	expect_exit(exit, EXIT_REASON_EPT_VIOLATION);
	expect_equal("exit qualification: access, rights of the entries, linear address",
		     vmread(VMCS_EXIT_QUALIFICATION) & VIOLATION_BITS,
		     BIT(access) | rights << VIOLATION_RIGHTS_SHIFT | VIOLATION_LINEAR_VALID | VIOLATION_TRANSLATED);
	expect_equal("guest-physical address", vmread(VMCS_GUEST_PHYSICAL_ADDRESS), window->physical);
	expect_equal("guest linear address", vmread(VMCS_GUEST_LINEAR_ADDRESS), WINDOW);
}

/* ---- Each combination of rights at each level ------------------------------------------------------ */

struct rights_row {
	unsigned level;
	u64 rights;
};

static void rights_at_level(const struct rule *rule)
{
	const struct rights_row *row = rule->row;
	struct ept_window window;

	if (row->rights == EPT_EXECUTE && !(this_cpu()->caps.ept_vpid & CAP_EXECUTE_ONLY))
		rule_skip("the CPU has no execute-only EPT entries");
	ept_window_open(&window, row->level == EPT_PML4E);
	for (enum access access = ACCESS_READ; access <= ACCESS_FETCH; access++) {
		u64 value = (window.good[row->level] & ~EPT_RWX) | row->rights;
		struct exit exit = ept_window_access(&window, row->level, value, access);

		if (row->rights & BIT(access))
			expect_access_done(&window, exit, access);
		else
			expect_violation(&window, exit, access, row->rights);
	}
}

#define RIGHTS_ROW(level_name, level, id_text, rights_text, rights, ...) \
	ROW(rights_at_level, .id = "ept.violation." id_text, .title = "With rights " rights_text " in the EPT " level_name " the other accesses cause EPT violations, these do not", \
	    .sdm = VIOLATIONS, .row = &(const struct rights_row){level, rights}, .needs = EPT_NEEDS, .opt = OPT_EPT | OPT_EPT_RULES, ##__VA_ARGS__)
#define RIGHTS_ROWS(level_name, level, prefix) \
	RIGHTS_ROW(level_name, level, prefix "-none", "none", 0) \
	RIGHTS_ROW(level_name, level, prefix "-r", "R", EPT_READ) \
	RIGHTS_ROW(level_name, level, prefix "-rw", "RW", EPT_READ | EPT_WRITE) \
	RIGHTS_ROW(level_name, level, prefix "-rx", "RX", EPT_READ | EPT_EXECUTE) \
	RIGHTS_ROW(level_name, level, prefix "-x", "X", EPT_EXECUTE)

RIGHTS_ROWS("PTE", EPT_4K, "pte")
RIGHTS_ROWS("PDE", EPT_2M, "pde")
RIGHTS_ROWS("PDPTE", EPT_1G, "pdpte")
RIGHTS_ROWS("PML4E", EPT_PML4E, "pml4e")

/* XMHF looked at the leaf alone: its bug 084 */
VIOLATION_RULE(and_over_levels, "and-over-levels", "What an access may do is the AND of the rights in the EPT entries of all levels", VIOLATIONS)
{
	static const u64 rights[] = {EPT_READ, EPT_READ | EPT_WRITE, EPT_READ | EPT_EXECUTE, EPT_RWX};
	struct ept_window window;

	ept_window_open(&window, false);
	for (unsigned combination = 0; combination < 64; combination++) {
		u64 all = EPT_RWX;

		for (unsigned level = EPT_4K; level <= EPT_1G; level++) {
			u64 here = rights[combination >> 2 * level & 3];

			ept_write(window.entry[level], (window.good[level] & ~EPT_RWX) | here);
			all &= here;
		}
		for (enum access access = ACCESS_READ; access <= ACCESS_FETCH; access++) {
			ept_use(&window.ept);
			struct exit exit = window_access(window.guest, access);

			if (all & BIT(access))
				expect_access_done(&window, exit, access);
			else
				expect_violation(&window, exit, access, all);
		}
	}
}

/* ---- Not present: bits that are ignored ------------------------------------------------------------ */

static void not_present_ignores(const struct rule *rule)
{
	unsigned level = *(const unsigned *)rule->row;
	struct ept_window window;

	ept_window_open(&window, level == EPT_PML4E);
	/* bit 10 is a right with mode-based execute control, and bit 63 suppresses #VE: neither control is on, but stay away from them */
	expect_violation(&window, ept_window_access(&window, level, BITS(62, 11) | BITS(9, 3), ACCESS_READ), ACCESS_READ, 0);
}

static const unsigned levels[] = {EPT_4K, EPT_2M, EPT_1G, EPT_PML4E};

#define LEVEL_ROW(function, index, id_text, title_text, section) \
	ROW(function, .id = "ept." id_text, .title = title_text, .sdm = section, .row = &levels[index], .needs = EPT_NEEDS, \
	    .opt = OPT_EPT | OPT_EPT_RULES)

LEVEL_ROW(not_present_ignores, 0, "violation.absent-ignores-pte", "An EPT PTE without rights is not present, whatever its other bits", "29.3.2 EPT Translation Mechanism")
LEVEL_ROW(not_present_ignores, 1, "violation.absent-ignores-pde", "An EPT PDE without rights is not present, whatever its other bits", "29.3.2 EPT Translation Mechanism")
LEVEL_ROW(not_present_ignores, 2, "violation.absent-ignores-pdpte", "An EPT PDPTE without rights is not present, whatever its other bits", "29.3.2 EPT Translation Mechanism")
LEVEL_ROW(not_present_ignores, 3, "violation.absent-ignores-pml4e", "An EPT PML4E without rights is not present, whatever its other bits", "29.3.2 EPT Translation Mechanism")

/* ---- What the exit says ---------------------------------------------------------------------------- */

VIOLATION_RULE(offset, "address-offset", "An EPT violation reports both addresses to the byte", QUALIFICATION)
{
	static const u32 offsets[] = {0, 1, 4, 0x7fc, 0xffc};
	struct ept_window window;

	ept_window_open(&window, false);
	for (unsigned i = 0; i < COUNT(offsets); i++) {
		window_look_at(WINDOW + offsets[i]);
		expect_exit(ept_window_access(&window, EPT_4K, 0, ACCESS_READ), EXIT_REASON_EPT_VIOLATION);
		expect_equal("guest-physical address", vmread(VMCS_GUEST_PHYSICAL_ADDRESS), window.physical + offsets[i]);
		expect_equal("guest linear address", vmread(VMCS_GUEST_LINEAR_ADDRESS), WINDOW + offsets[i]);
	}
}

VIOLATION_RULE(linear_differs, "linear-and-physical", "An EPT violation tells the linear from the guest-physical address", QUALIFICATION)
{
	struct ept_window window;
	struct guest_tables tables;
	const u64 elsewhere = WINDOW + 5 * MIB;

	ept_window_open(&window, false);
	tables = guest_tables_create(WINDOW);
	*tables.entry[tables.levels - 1] = guest_entry(elsewhere);
	guest_tables_use(&tables);
	ept_map(&window.ept, elsewhere, elsewhere, EPT_4K, 0, 0);
	window_look_at(WINDOW + 0x120);
	ept_use(&window.ept);
	expect_exit(window_access(window.guest, ACCESS_WRITE), EXIT_REASON_EPT_VIOLATION);
	expect_equal("guest-physical address", vmread(VMCS_GUEST_PHYSICAL_ADDRESS), elsewhere + 0x120);
	expect_equal("guest linear address", vmread(VMCS_GUEST_LINEAR_ADDRESS), WINDOW + 0x120);
}

VIOLATION_RULE(read_modify_write, "read-modify-write", "A read-modify-write without the right to write causes an EPT violation that says write", VIOLATIONS)
{
	struct ept_window window;
	struct guest *guest;
	static const u8 increment_vmcall[] = {0xff, 0x03, 0x0f, 0x01, 0xc1}; /* INC dword (BX) */

	ept_window_open(&window, false);
	guest = window.guest;
	ept_write(window.entry[EPT_4K], window.good[EPT_4K] & ~EPT_WRITE);
	ept_use(&window.ept);
	vmwrite(VMCS_GUEST_RIP, (ulong)increment_vmcall);
	guest->registers.bx = WINDOW;
	expect_exit(guest_run(guest), EXIT_REASON_EPT_VIOLATION);
	/* whether it says read as well is the CPU's choice */
	expect_set("exit qualification", vmread(VMCS_EXIT_QUALIFICATION), BIT(ACCESS_WRITE));
	rule_note("bit 0 (read) of the exit qualification is %u", (unsigned)(vmread(VMCS_EXIT_QUALIFICATION) & 1));
	expect_equal("what the page holds", *window.page, WINDOW_PATTERN);
	ept_write(window.entry[EPT_4K], window.good[EPT_4K]);
	ept_use(&window.ept);
	expect_exit(guest_run(guest), EXIT_REASON_VMCALL);
	expect_equal("what the page holds after the second run", *window.page, WINDOW_PATTERN + 1);
}

VIOLATION_RULE(crossing, "page-crossing", "An access that crosses into a page without rights causes an EPT violation there, and nothing is written", VIOLATIONS)
{
	struct ept_window window;
	const u64 next = WINDOW + PAGE_SIZE;

	ept_window_open(&window, false);
	ept_map(&window.ept, next, next, EPT_4K, 0, 0);
	ept_use(&window.ept);
	window_look_at(next - 2);
	expect_exit(window_access(window.guest, ACCESS_WRITE), EXIT_REASON_EPT_VIOLATION);
	expect_equal("guest-physical address", vmread(VMCS_GUEST_PHYSICAL_ADDRESS), next);
	expect_equal("the last word of the page before", ((u16 *)window.page)[PAGE_SIZE / 2 - 1], 0);
}

/* CR0.WP lets supervisors write to pages that the guest's page tables make read-only; EPT knows no such thing */
VIOLATION_RULE(write_protect, "cr0-wp-clear", "A write without the right to write causes an EPT violation with CR0.WP = 0 too", VIOLATIONS)
{
	struct ept_window window;

	ept_window_open(&window, false);
	vmwrite(VMCS_GUEST_CR0, vmread(VMCS_GUEST_CR0) & ~CR0_WP);
	expect_violation(&window, ept_window_access(&window, EPT_4K, window.good[EPT_4K] & ~EPT_WRITE, ACCESS_WRITE), ACCESS_WRITE,
			 EPT_READ | EPT_EXECUTE);
}

/* ---- Emulation and resumption ---------------------------------------------------------------------- */

static const u8 load_vmcall[] = {0x8b, 0x03, 0x0f, 0x01, 0xc1};	 /* MOV (BX), EAX */
static const u8 store_vmcall[] = {0x89, 0x03, 0x0f, 0x01, 0xc1}; /* MOV EAX, (BX) */

#define GENERAL_PURPOSE (offsetof(struct registers, host_flags) / sizeof(ulong))
#define INDEX_AX 0
#define INDEX_BX 3

static void run_to_violation(struct ept_window *window, const u8 *code, u64 rights)
{
	ulong *words = (ulong *)&window->guest->registers;

	ept_write(window->entry[EPT_4K], (window->good[EPT_4K] & ~EPT_RWX) | rights);
	ept_use(&window->ept);
	for (unsigned i = 0; i < GENERAL_PURPOSE; i++)
		words[i] = 0x1111 * (i + 1);
	words[INDEX_BX] = WINDOW;
	vmwrite(VMCS_GUEST_RIP, (ulong)code);
	expect_exit(guest_run(window->guest), EXIT_REASON_EPT_VIOLATION);
	expect_equal("guest RIP", vmread(VMCS_GUEST_RIP), (ulong)code);
	for (unsigned i = 0; i < GENERAL_PURPOSE; i++)
		expect_equal("a register, in the order AX CX DX BX BP SI DI R8..R15", words[i], i == INDEX_BX ? WINDOW : 0x1111 * (i + 1));
}

VIOLATION_RULE(emulated, "read-emulated", "After an EPT violation the host can give the guest a value and skip the instruction", "28.1 Architectural State Before a VM Exit")
{
	struct ept_window window;

	ept_window_open(&window, false);
	run_to_violation(&window, load_vmcall, 0);
	window.guest->registers.ax = 0xfee1c0de;
	vmwrite(VMCS_GUEST_RIP, (ulong)load_vmcall + 2);
	expect_exit(guest_run(window.guest), EXIT_REASON_VMCALL);
	expect_equal("EAX of the guest", window.guest->registers.ax, 0xfee1c0de);
	expect_equal("guest RIP", vmread(VMCS_GUEST_RIP), (ulong)load_vmcall + 2);
}

VIOLATION_RULE(read_again, "read-again", "A read that caused an EPT violation succeeds when it is made again with the right to read", VIOLATIONS)
{
	struct ept_window window;

	ept_window_open(&window, false);
	run_to_violation(&window, load_vmcall, 0);
	ept_write(window.entry[EPT_4K], window.good[EPT_4K]); /* no INVEPT: 29.4.3.1 */
	expect_exit(guest_run(window.guest), EXIT_REASON_VMCALL);
	expect_equal("EAX of the guest", window.guest->registers.ax, WINDOW_PATTERN);
}

VIOLATION_RULE(write_again, "write-again", "A write that caused an EPT violation wrote nothing, and succeeds when it is made again with the right to write", VIOLATIONS)
{
	struct ept_window window;

	ept_window_open(&window, false);
	run_to_violation(&window, store_vmcall, EPT_READ);
	expect_equal("what the page holds", *window.page, WINDOW_PATTERN);
	ept_write(window.entry[EPT_4K], window.good[EPT_4K]);
	expect_exit(guest_run(window.guest), EXIT_REASON_VMCALL);
	expect_equal("what the page holds after the second run", *window.page, 0x1111);
}

/* ---- Accesses to the guest's paging structures ------------------------------------------------------- */

/* Takes rights from the page that holds the guest's table, so many levels above its page table. */
static struct guest_tables guest_table_restricted(struct ept_window *window, unsigned above, u64 rights)
{
	struct guest_tables tables = guest_tables_create(WINDOW);
	u64 table;

	if (above >= tables.levels || (tables.levels == 3 && above == 2))
		rule_skip("this build's page tables have no such level");
	guest_tables_use(&tables);
	table = physical(tables.table[tables.levels - 1 - above]);
	ept_map(&window->ept, table, table, EPT_4K, rights, MEMORY_WB);
	window_use_ept(&window->ept);
	return tables;
}

static void walk_violates(const struct rule *rule)
{
	unsigned above = *(const unsigned *)rule->row;
	struct ept_window window;
	struct guest_tables tables;

	ept_window_open(&window, false);
	tables = guest_table_restricted(&window, above, 0);
	expect_exit(window_access(window.guest, ACCESS_WRITE), EXIT_REASON_EPT_VIOLATION);
	expect_equal("exit qualification: access, rights of the entries, linear address", vmread(VMCS_EXIT_QUALIFICATION) & VIOLATION_BITS,
		     BIT(ACCESS_READ) | VIOLATION_LINEAR_VALID);
	expect_equal("page of the guest-physical address", vmread(VMCS_GUEST_PHYSICAL_ADDRESS) & -(u64)PAGE_SIZE,
		     physical(tables.table[tables.levels - 1 - above]));
	/* the uppermost tables translate the guest's code as well */
	expect_equal("guest linear address", vmread(VMCS_GUEST_LINEAR_ADDRESS),
		     *tables.entry[tables.levels - 1 - above] && above < 2 && tables.levels - 1 > above ? WINDOW : vmread(VMCS_GUEST_RIP));
}

#define WALK_ROW(index, name, id_text) \
	ROW(walk_violates, .id = "ept.violation.walk-" id_text, \
	    .title = "A guest " name " behind an absent EPT entry causes an EPT violation with bit 8 of the exit qualification 0", \
	    .sdm = QUALIFICATION, .row = &levels[index], .needs = EPT_NEEDS, .opt = OPT_EPT | OPT_EPT_RULES)

WALK_ROW(0, "page table", "page-table")
WALK_ROW(1, "page directory", "page-directory")
WALK_ROW(2, "page-directory-pointer table", "pdpt")
WALK_ROW(3, "PML4 table", "pml4")

VIOLATION_RULE(walk_read_only, "walk-read-only", "With accessed and dirty flags set, guest page tables need only the EPT right to read", VIOLATIONS)
{
	struct ept_window window;

	ept_window_open(&window, false);
	guest_table_restricted(&window, 0, EPT_READ);
	expect_access_done(&window, window_access(window.guest, ACCESS_WRITE), ACCESS_WRITE);
}

/* What the write that sets a flag in the guest's PTE comes to, its page being read-only */
static void expect_flag_violation(enum access access, pte_t flags)
{
	struct ept_window window;
	struct guest_tables tables;
	pte_t *entry;

	ept_window_open(&window, false);
	tables = guest_table_restricted(&window, 0, EPT_READ);
	entry = tables.entry[tables.levels - 1];
	*entry &= ~flags;
	expect_exit(window_access(window.guest, access), EXIT_REASON_EPT_VIOLATION);
	expect_equal("exit qualification: write, linear address", vmread(VMCS_EXIT_QUALIFICATION) & (BIT(ACCESS_WRITE) | VIOLATION_LINEAR_VALID | VIOLATION_TRANSLATED),
		     BIT(ACCESS_WRITE) | VIOLATION_LINEAR_VALID);
	expect_equal("page of the guest-physical address", vmread(VMCS_GUEST_PHYSICAL_ADDRESS) & -(u64)PAGE_SIZE, physical(entry) & -(u64)PAGE_SIZE);
	expect_clear("the guest's entry", *entry, flags);
}

VIOLATION_RULE(walk_accessed, "walk-sets-accessed", "Setting a guest accessed flag in an EPT read-only page causes an EPT violation that says write", VIOLATIONS)
{
	expect_flag_violation(ACCESS_READ, BIT(5));
}

VIOLATION_RULE(walk_dirty, "walk-sets-dirty", "Setting a guest dirty flag in an EPT read-only page causes an EPT violation that says write", VIOLATIONS)
{
	expect_flag_violation(ACCESS_WRITE, BIT(6));
}

VIOLATION_RULE(walk_on, "walk-resumed", "After an EPT violation in the walk of the guest's page tables is mended, the access is made anew", VIOLATIONS)
{
	struct ept_window window;
	struct guest_tables tables;
	u64 table;

	ept_window_open(&window, false);
	tables = guest_table_restricted(&window, 0, 0);
	expect_exit(window_access(window.guest, ACCESS_READ), EXIT_REASON_EPT_VIOLATION);
	table = physical(tables.table[tables.levels - 1]);
	ept_map(&window.ept, table, table, EPT_4K, EPT_RWX, MEMORY_WB);
	expect_access_done(&window, guest_run(window.guest), ACCESS_READ);
}

/* ---- Priorities ------------------------------------------------------------------------------------- */

static void expect_guest_page_fault(struct guest *guest, struct exit exit, u32 error_code)
{
	expect_hypercall(guest, exit, HYPERCALL_EXCEPTION);
	expect_equal("vector of the guest's exception", guest->exception.vector, VECTOR_PF);
	expect_equal("its error code", guest->exception.error_code, error_code);
}

VIOLATION_RULE(fault_first, "guest-fault-first", "A page fault of the guest's page tables comes before the EPT violation of the page", PRIORITIES)
{
	struct ept_window window;
	struct guest_tables tables;

	ept_window_open(&window, false);
	tables = guest_tables_create(WINDOW);
	guest_tables_use(&tables);
	window_use_ept(&window.ept);
	*tables.entry[tables.levels - 1] &= ~PTE_WRITE;
	expect_guest_page_fault(window.guest, ept_window_access(&window, EPT_4K, window.good[EPT_4K] & ~EPT_WRITE, ACCESS_WRITE), 3);
}

VIOLATION_RULE(absent_first, "guest-absent-first", "Where the guest's page table has no page, there is a page fault and no EPT violation", PRIORITIES)
{
	struct ept_window window;
	struct guest_tables tables;

	ept_window_open(&window, false);
	tables = guest_tables_create(WINDOW);
	guest_tables_use(&tables);
	window_use_ept(&window.ept);
	*tables.entry[tables.levels - 1] = 0;
	expect_guest_page_fault(window.guest, ept_window_access(&window, EPT_4K, 0, ACCESS_READ), 0);
}

VIOLATION_RULE(walk_first, "walk-before-guest-fault", "An EPT violation on a guest page table comes before the page fault of its entry", PRIORITIES)
{
	struct ept_window window;
	struct guest_tables tables;

	ept_window_open(&window, false);
	tables = guest_table_restricted(&window, 0, 0);
	*tables.entry[tables.levels - 1] = 0;
	expect_exit(window_access(window.guest, ACCESS_READ), EXIT_REASON_EPT_VIOLATION);
	expect_clear("exit qualification", vmread(VMCS_EXIT_QUALIFICATION), VIOLATION_TRANSLATED);
}

VIOLATION_RULE(data_structures, "not-for-bitmaps", "Bitmaps that the VMCS names by physical address are not read through EPT", "29.3.1 EPT Overview")
{
	struct ept_window window;
	u8 *bitmaps = scratch_page();

	ept_window_open(&window, false);
	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_USE_MSR_BITMAPS, "use MSR bitmaps");
	vmwrite(VMCS_MSR_BITMAPS, physical(bitmaps));
	/* the window's guest-physical address of that page leads nowhere */
	ept_map(&window.ept, physical(bitmaps), physical(bitmaps), EPT_4K, 0, 0);
	static const u8 rdmsr_vmcall[] = {0x0f, 0x32, 0x0f, 0x01, 0xc1};

	vmwrite(VMCS_GUEST_RIP, (ulong)rdmsr_vmcall);
	window.guest->registers.cx = 0x1b; /* IA32_APIC_BASE */
	ept_use(&window.ept);
	expect_exit(guest_run(window.guest), EXIT_REASON_VMCALL);
	bitmaps[0x1b / 8] = 1 << 0x1b % 8;
	vmwrite(VMCS_GUEST_RIP, (ulong)rdmsr_vmcall);
	expect_exit(guest_run(window.guest), EXIT_REASON_RDMSR);
}
