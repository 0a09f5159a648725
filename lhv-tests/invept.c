/* INVEPT: types, descriptors and operands; what it drops; and EPT pointers that need no INVEPT because they differ. */
#include "cpu/fixup.h"
#include "cpu/registers.h"
#include "harness/scratch.h"
#include "lhv-guest/golden.h"
#include "lhv-tests/ept-window.h"
#include "lib/string.h"
#include "vmx/stale.h"

#define INVEPT "31.3 INVEPT - Invalidate Translations Derived from EPT"
#define INVEPT_SHARED .sdm = INVEPT, .needs = NEED_VMX_ROOT | NEED_INVEPT, .opt = OPT_SWITCH_EPT | OPT_VMX_INSTR
#define INVEPT_RULE(name, id_text, title_text) RULE(name, .id = "invept." id_text, .title = title_text, INVEPT_SHARED)

/* IA32_VMX_EPT_VPID_CAP (A.10) */
#define CAP_WALK_5 BIT(7)
#define CAP_UNCACHED BIT(8)
#define CAP_WRITE_BACK BIT(14)
#define CAP_INVEPT BIT(20)
#define CAP_SHADOW_STACK BIT(23)
#define CAP_TYPE(type) BIT(24 + (type))
#define INVALID_OPERAND VMFAIL_VALID(28)

static const ulong types[] = {INVEPT_SINGLE_CONTEXT, INVEPT_ALL_CONTEXTS};

static bool has_type(ulong type)
{
	return this_cpu()->caps.ept_vpid & CAP_TYPE(type);
}

static void skip_without_type(ulong type)
{
	if (!has_type(type))
		rule_skip("the CPU has no INVEPT of type %lu", type);
}

static outcome_t execute(ulong type, u64 pointer)
{
	return invept(type, (struct invept_descriptor){pointer, 0});
}

/* An EPT pointer that VM entry would take */
static u64 good_pointer(void)
{
	struct ept ept = ept_create(scratch_page(), 1);

	return ept_pointer(this_cpu(), &ept);
}

#define TYPE_ROW(function, index, id_text, title_text) \
	ROW(function, .id = "invept." id_text, .title = title_text, .row = &types[index], INVEPT_SHARED)

/* ---- Types ------------------------------------------------------------------------------------------- */

static void succeeds(const struct rule *rule)
{
	ulong type = *(const ulong *)rule->row;

	skip_without_type(type);
	golden_vmcs_load();
	expect_outcome("INVEPT", execute(type, good_pointer()), SUCCEEDED);
}

TYPE_ROW(succeeds, 0, "success-single-context", "INVEPT of type 1, a single context, succeeds")
TYPE_ROW(succeeds, 1, "success-all-contexts", "INVEPT of type 2, all contexts, succeeds")

static void type_unsupported(const struct rule *rule)
{
	ulong type = *(const ulong *)rule->row;

	if (has_type(type))
		rule_skip("the CPU has INVEPT of type %lu", type);
	golden_vmcs_load();
	expect_outcome("INVEPT of a type that IA32_VMX_EPT_VPID_CAP does not announce", execute(type, good_pointer()), INVALID_OPERAND);
}

TYPE_ROW(type_unsupported, 0, "unannounced-single-context", "INVEPT of type 1, where it is not announced, fails with error 28")
TYPE_ROW(type_unsupported, 1, "unannounced-all-contexts", "INVEPT of type 2, where it is not announced, fails with error 28")

INVEPT_RULE(type_reserved, "type-reserved", "INVEPT of a type other than 1 and 2 fails with error 28")
{
	u64 pointer = good_pointer();

	golden_vmcs_load();
	expect_outcome("INVEPT of type 0", execute(0, pointer), INVALID_OPERAND);
	expect_outcome("INVEPT of type 3", execute(3, pointer), INVALID_OPERAND);
	for (unsigned bit = 2; bit < 32; bit++)
		for (ulong low = 0; low < 4; low++)
			expect_outcome("INVEPT of a type above 3", execute(low | 1ul << bit, pointer), INVALID_OPERAND);
}

RULE(type_64, .id = "invept.type-high-bits", .title = "In 64-bit mode INVEPT looks at all 64 bits of the type", .sdm = INVEPT,
     .needs = NEED_VMX_ROOT | NEED_INVEPT | NEED_LONG_MODE, .opt = OPT_SWITCH_EPT | OPT_VMX_INSTR)
{
	u64 pointer = good_pointer();

	golden_vmcs_load();
	for (unsigned bit = 32; bit < 64; bit++)
		for (ulong low = 1; low < 3; low++)
			expect_outcome("INVEPT with a bit of the type's high half set", execute(low | (ulong)BIT(bit), pointer), INVALID_OPERAND);
}

/* ---- Descriptors: an EPT pointer that VM entry would not take --------------------------------------------- */

#define BAD_RULE(name, id_text, title_text) INVEPT_RULE(name, "single.bad-" id_text, title_text)

static void expect_bad(u64 pointer)
{
	expect_outcome("INVEPT of type 1 with a bad EPT pointer", execute(INVEPT_SINGLE_CONTEXT, pointer), INVALID_OPERAND);
}

BAD_RULE(bad_type, "memory-type", "INVEPT of type 1 with a memory type that EPT pointers cannot have fails with error 28")
{
	u64 caps = this_cpu()->caps.ept_vpid, pointer = good_pointer() & ~BITS(2, 0);

	skip_without_type(INVEPT_SINGLE_CONTEXT);
	golden_vmcs_load();
	for (unsigned type = 0; type < 8; type++)
		if (type == MEMORY_UC ? caps & CAP_UNCACHED : type == MEMORY_WB && caps & CAP_WRITE_BACK)
			expect_outcome("INVEPT of type 1", execute(INVEPT_SINGLE_CONTEXT, pointer | type), SUCCEEDED);
		else
			expect_bad(pointer | type);
}

BAD_RULE(bad_walk, "walk-length", "INVEPT of type 1 with a page-walk length that EPT does not have fails with error 28")
{
	u64 pointer = good_pointer() & ~BITS(5, 3);

	skip_without_type(INVEPT_SINGLE_CONTEXT);
	golden_vmcs_load();
	for (unsigned length = 1; length <= 8; length++)
		if (length != 4 && !(length == 5 && this_cpu()->caps.ept_vpid & CAP_WALK_5))
			expect_bad(pointer | (length - 1) << 3);
}

BAD_RULE(bad_reserved, "reserved-bits", "INVEPT of type 1 with a reserved bit of the EPT pointer set fails with error 28")
{
	u64 pointer = good_pointer();

	skip_without_type(INVEPT_SINGLE_CONTEXT);
	golden_vmcs_load();
	for (unsigned bit = 8; bit < 12; bit++)
		expect_bad(pointer | BIT(bit));
	if (!(this_cpu()->caps.ept_vpid & CAP_ACCESSED_DIRTY))
		expect_bad(pointer | BIT(6));
	if (!(this_cpu()->caps.ept_vpid & CAP_SHADOW_STACK))
		expect_bad(pointer | BIT(7));
}

BAD_RULE(bad_width, "beyond-width", "INVEPT of type 1 with an EPT pointer beyond the physical-address width fails with error 28")
{
	u64 pointer = good_pointer();

	skip_without_type(INVEPT_SINGLE_CONTEXT);
	golden_vmcs_load();
	for (unsigned bit = cpuid_physical_width(); bit < 64; bit++)
		expect_bad(pointer | BIT(bit));
}

INVEPT_RULE(all_any, "all.any-pointer", "INVEPT of type 2 does not look at the EPT pointer")
{
	skip_without_type(INVEPT_ALL_CONTEXTS);
	golden_vmcs_load();
	expect_outcome("INVEPT of type 2 with EPT pointer 0", execute(INVEPT_ALL_CONTEXTS, 0), SUCCEEDED);
	expect_outcome("INVEPT of type 2 with EPT pointer FFFFFFFFFFFFFFFFH", execute(INVEPT_ALL_CONTEXTS, ~0ull), SUCCEEDED);
}

RULE(high_half, .id = "invept.reserved-high-half", .title = "What does INVEPT with bits 127:64 of its descriptor set do?", .sdm = INVEPT,
     .needs = NEED_VMX_ROOT | NEED_INVEPT, .opt = OPT_SWITCH_EPT | OPT_VMX_INSTR, .class = OBSERVED)
{
	struct invept_descriptor descriptor = {good_pointer(), 1};
	char text[100];

	golden_vmcs_load();
	for (unsigned i = 0; i < COUNT(types); i++)
		if (has_type(types[i])) {
			outcome_format(text, sizeof(text), invept_operand(types[i], &descriptor));
			rule_note("type %lu with bit 64 set: %s", types[i], text);
		}
}

/* ---- Without a current VMCS, and the operand ------------------------------------------------------------- */

INVEPT_RULE(no_vmcs, "no-current-vmcs", "INVEPT needs no current VMCS; where it fails without one it is VMfailInvalid")
{
	u64 vmcs;

	expect_outcome("VMPTRST", vmptrst(&vmcs), SUCCEEDED);
	expect_equal("the current-VMCS pointer", vmcs, ~0ull);
	for (unsigned i = 0; i < COUNT(types); i++)
		if (has_type(types[i]))
			expect_outcome("INVEPT without a current VMCS", execute(types[i], good_pointer()), SUCCEEDED);
	expect_outcome("INVEPT of type FFFFH without a current VMCS", execute(0xffff, good_pointer()), VMFAIL_INVALID);
}

static void operand_page_fault(const struct rule *rule)
{
	ulong type = *(const ulong *)rule->row, guard = this_cpu()->stack_guard;

	skip_without_type(type);
	golden_vmcs_load();
	expect_outcome("INVEPT with a descriptor in an unmapped page", invept_operand(type, (void *)guard), FAULTED(14, 0));
	expect_equal("CR2", read_cr2(), guard);
}

TYPE_ROW(operand_page_fault, 0, "operand-page-fault-single-context", "INVEPT of type 1 with its descriptor in an unmapped page gives #PF")
TYPE_ROW(operand_page_fault, 1, "operand-page-fault-all-contexts", "INVEPT of type 2 with its descriptor in an unmapped page gives #PF")

RULE(operand_canonical, .id = "invept.operand-non-canonical", .title = "INVEPT with its descriptor at a non-canonical address gives #GP(0)",
     .sdm = INVEPT, .needs = NEED_VMX_ROOT | NEED_INVEPT | NEED_LONG_MODE, .opt = OPT_SWITCH_EPT | OPT_VMX_INSTR)
{
	golden_vmcs_load();
	for (unsigned i = 0; i < COUNT(types); i++)
		if (has_type(types[i]))
			expect_outcome("INVEPT with its descriptor at a non-canonical address",
				       invept_operand(types[i], (void *)(ulong)0x8000000000000000ull), FAULT_GP0);
}

RULE(type_first, .id = "invept.type-before-operand", .title = "Does INVEPT of a type that no CPU has look at its descriptor?", .sdm = INVEPT,
     .needs = NEED_VMX_ROOT | NEED_INVEPT, .opt = OPT_SWITCH_EPT | OPT_VMX_INSTR, .class = OBSERVED)
{
	char text[100];

	golden_vmcs_load();
	outcome_format(text, sizeof(text), invept_operand(0xffff, (void *)this_cpu()->stack_guard));
	rule_note("type FFFFH with a descriptor in an unmapped page: %s", text);
}

INVEPT_RULE(register_operand, "register-ud", "INVEPT with a register as its second operand gives #UD")
{
	outcome_t outcome;

	TRY(outcome, ".byte 0x66, 0x0f, 0x38, 0x80, 0xc9"); /* INVEPT ECX, ECX */
	expect_outcome("INVEPT with a register operand", outcome, FAULT_UD);
}

RULE(not_there, .id = "invept.unsupported-ud", .title = "INVEPT gives #UD where the CPU does not announce it", .sdm = INVEPT, .needs = NEED_VMX_ROOT,
     .opt = OPT_SWITCH_EPT | OPT_VMX_INSTR)
{
	if (this_cpu()->caps.ept_vpid & CAP_INVEPT)
		rule_skip("the CPU has INVEPT");
	expect_outcome("INVEPT", execute(INVEPT_ALL_CONTEXTS, 0), FAULT_UD);
}

static void guest_invept(void)
{
	invept_operand(INVEPT_ALL_CONTEXTS, (void *)this_cpu()->stack_guard);
}

INVEPT_RULE(in_guest, "in-guest", "INVEPT in a guest causes a VM exit with basic reason 50, before its descriptor is read")
{
	struct guest *guest = guest_golden(guest_invept);

	expect_exit(guest_run(guest), EXIT_REASON_INVEPT);
}

/* ---- Effect ------------------------------------------------------------------------------------------- */

#define EFFECT_NEEDS (EPT_NEEDS | NEED_INVEPT)
#define EFFECT_ROW(function, index, id_text, title_text) \
	ROW(function, .id = "invept.effect." id_text, .title = title_text, .sdm = INVEPT, .row = &types[index], .needs = EFFECT_NEEDS, .opt = OPT_SWITCH_EPT)

#define OTHER_PATTERN 0x5eed5ec3u

/* A window whose translation is cached for every kind of access */
static void open_cached(struct ept_window *window)
{
	ept_window_open(window, false);
	for (enum access access = ACCESS_READ; access <= ACCESS_FETCH; access++)
		expect_access_done(window, window_access(window->guest, access), access);
}

static u64 current_pointer(void)
{
	return vmread(VMCS_EPT_POINTER);
}

static void drops_page(const struct rule *rule)
{
	ulong type = *(const ulong *)rule->row;
	struct ept_window window;
	u32 *other = scratch_page();

	skip_without_type(type);
	*other = OTHER_PATTERN;
	open_cached(&window);
	stale_rewrite_ept(window.entry[EPT_4K], (window.good[EPT_4K] & BITS(11, 0)) | physical(other));
	expect_outcome("INVEPT", execute(type, current_pointer()), SUCCEEDED);
	expect_equal("what the guest reads after INVEPT", window_read(window.guest), OTHER_PATTERN);
}

EFFECT_ROW(drops_page, 0, "page-single-context", "After INVEPT of its EPT pointer a new page behind an address is used")
EFFECT_ROW(drops_page, 1, "page-all-contexts", "After INVEPT of all contexts a new page behind an address is used")

/* The same with the entry one level up: a new page table */
static void drops_table(const struct rule *rule)
{
	ulong type = *(const ulong *)rule->row;
	struct ept_window window;
	u64 *table = scratch_page();
	u32 *other = scratch_page();

	skip_without_type(type);
	*other = OTHER_PATTERN;
	open_cached(&window);
	table[WINDOW >> 12 & 511] = (window.good[EPT_4K] & BITS(11, 0)) | physical(other);
	stale_rewrite_ept(window.entry[EPT_2M], (window.good[EPT_2M] & BITS(11, 0)) | physical(table));
	expect_outcome("INVEPT", execute(type, current_pointer()), SUCCEEDED);
	expect_equal("what the guest reads after INVEPT", window_read(window.guest), OTHER_PATTERN);
}

EFFECT_ROW(drops_table, 0, "table-single-context", "After INVEPT of its EPT pointer a new EPT page table is used")
EFFECT_ROW(drops_table, 1, "table-all-contexts", "After INVEPT of all contexts a new EPT page table is used")

static void drops_rights(const struct rule *rule)
{
	ulong type = *(const ulong *)rule->row;
	struct ept_window window;
	static const struct {
		enum access access;
		u64 rights;
	} takes[] = {{ACCESS_WRITE, EPT_READ | EPT_EXECUTE}, {ACCESS_FETCH, EPT_READ}, {ACCESS_READ, 0}};

	skip_without_type(type);
	open_cached(&window);
	for (unsigned i = 0; i < COUNT(takes); i++) {
		stale_rewrite_ept(window.entry[EPT_4K], (window.good[EPT_4K] & ~EPT_RWX) | takes[i].rights);
		expect_outcome("INVEPT", execute(type, current_pointer()), SUCCEEDED);
		expect_exit(window_access(window.guest, takes[i].access), EXIT_REASON_EPT_VIOLATION);
	}
}

EFFECT_ROW(drops_rights, 0, "rights-single-context", "After INVEPT of its EPT pointer rights that were taken away are gone")
EFFECT_ROW(drops_rights, 1, "rights-all-contexts", "After INVEPT of all contexts rights that were taken away are gone")

#define EFFECT_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "invept.effect." id_text, .title = title_text, .sdm = section, .needs = EFFECT_NEEDS, .opt = OPT_SWITCH_EPT, ##__VA_ARGS__)

/* 31.3: mappings with the same bits 51:12 of the EPT pointer */
EFFECT_RULE(low_bits, "other-low-bits", "INVEPT of an EPT pointer drops what was cached under one that differs below bit 12 only", INVEPT)
{
	struct ept_window window;
	u32 *other = scratch_page();

	skip_without_type(INVEPT_SINGLE_CONTEXT);
	if (!(this_cpu()->caps.ept_vpid & CAP_ACCESSED_DIRTY))
		rule_skip("the CPU has no accessed and dirty flags for EPT, and no other bit to choose");
	*other = OTHER_PATTERN;
	open_cached(&window);
	stale_rewrite_ept(window.entry[EPT_4K], (window.good[EPT_4K] & BITS(11, 0)) | physical(other));
	expect_outcome("INVEPT", execute(INVEPT_SINGLE_CONTEXT, current_pointer() ^ BIT(6)), SUCCEEDED);
	expect_equal("what the guest reads after INVEPT", window_read(window.guest), OTHER_PATTERN);
}

EFFECT_RULE(every_vpid, "every-vpid", "INVEPT drops what was cached under every VPID", INVEPT)
{
	static const u16 vpids[] = {0x77, 0x88};
	struct ept_window window;
	u32 *other = scratch_page();

	skip_without_type(INVEPT_SINGLE_CONTEXT);
	*other = OTHER_PATTERN;
	ept_window_open(&window, false);
	controls_set(VMCS_PROC2_CONTROLS, &this_cpu()->caps.proc2, PROC2_ENABLE_VPID, "enable VPID");
	for (unsigned i = 0; i < COUNT(vpids); i++) {
		vmwrite(VMCS_VPID, vpids[i]);
		expect_equal("what the guest reads at first", window_read(window.guest), WINDOW_PATTERN);
	}
	stale_rewrite_ept(window.entry[EPT_4K], (window.good[EPT_4K] & BITS(11, 0)) | physical(other));
	expect_outcome("INVEPT", execute(INVEPT_SINGLE_CONTEXT, current_pointer()), SUCCEEDED);
	for (unsigned i = 0; i < COUNT(vpids); i++) {
		vmwrite(VMCS_VPID, vpids[i]);
		expect_equal("what the guest reads after INVEPT", window_read(window.guest), OTHER_PATTERN);
	}
}

static void note_seen(const char *when, u32 value)
{
	rule_note("%s: %s", when, value == WINDOW_PATTERN ? "the cached translation" : value == OTHER_PATTERN ? "the new translation" : "neither page");
}

EFFECT_RULE(before, "before", "Which translation is used after a change in memory, before INVEPT?", INVEPT, .class = OBSERVED)
{
	struct ept_window window;
	u32 *other = scratch_page();

	*other = OTHER_PATTERN;
	open_cached(&window);
	stale_rewrite_ept(window.entry[EPT_4K], (window.good[EPT_4K] & BITS(11, 0)) | physical(other));
	note_seen("before INVEPT", window_read(window.guest));
}

EFFECT_RULE(of_another, "of-another", "Which translation is used after INVEPT of another EPT pointer?", INVEPT, .class = OBSERVED)
{
	struct ept_window window;
	u32 *other = scratch_page();

	skip_without_type(INVEPT_SINGLE_CONTEXT);
	*other = OTHER_PATTERN;
	open_cached(&window);
	stale_rewrite_ept(window.entry[EPT_4K], (window.good[EPT_4K] & BITS(11, 0)) | physical(other));
	expect_outcome("INVEPT", execute(INVEPT_SINGLE_CONTEXT, good_pointer()), SUCCEEDED);
	note_seen("after INVEPT of another EPT pointer", window_read(window.guest));
}

/* ---- Two trees ------------------------------------------------------------------------------------------ */

#define SWITCH_RULE(name, id_text, title_text) \
	RULE(name, .id = "ept.switch." id_text, .title = title_text, .sdm = "29.4.2 Creating and Using Cached Translation Information", \
	     .needs = EPT_NEEDS, .opt = OPT_SWITCH_EPT)

/* Another tree that shares all tables but those on the way to the window. Returns its PTE of the window, the same as the first tree's. */
static u64 *another_tree(const struct ept_window *window, struct ept *other)
{
	u64 *table = 0;

	*other = (struct ept){0};
	for (unsigned level = EPT_LEVELS; level-- > 0;) {
		u64 *copy = scratch_page();

		memcpy(copy, (void *)((ulong)window->entry[level] & -(ulong)PAGE_SIZE), PAGE_SIZE);
		if (level == EPT_PML4E)
			other->root = copy;
		else
			*table = (*table & BITS(11, 0)) | physical(copy);
		table = &copy[(ulong)window->entry[level] % PAGE_SIZE / sizeof(u64)];
	}
	return table;
}

static void switch_to(const struct ept *ept)
{
	vmwrite(VMCS_EPT_POINTER, ept_pointer(this_cpu(), ept));
}

/* Two trees, nothing cached of either, and a page of its own behind the window in the second */
static u64 *open_two(struct ept_window *window, struct ept *other)
{
	u32 *page = scratch_page();
	u64 *entry;

	*page = OTHER_PATTERN;
	ept_window_open(window, false);
	entry = another_tree(window, other);
	ept_write(entry, (window->good[EPT_4K] & BITS(11, 0)) | physical(page));
	ept_use(other);
	ept_use(&window->ept);
	return entry;
}

SWITCH_RULE(two, "two-trees", "After another EPT pointer is written, its tree is used without INVEPT, to and fro")
{
	struct ept_window window;
	struct ept other;

	open_two(&window, &other);
	for (unsigned i = 0; i < 8; i++) {
		switch_to(i & 1 ? &other : &window.ept);
		expect_equal("what the guest reads", window_read(window.guest), i & 1 ? OTHER_PATTERN : WINDOW_PATTERN);
	}
}

SWITCH_RULE(rights, "rights", "After another EPT pointer is written, the rights of its tree hold without INVEPT")
{
	struct ept_window window;
	struct ept other;
	u64 *entry = open_two(&window, &other);

	ept_write(entry, *entry & ~(EPT_WRITE | EPT_EXECUTE));
	for (unsigned i = 0; i < 4; i++) {
		switch_to(i & 1 ? &other : &window.ept);
		if (i & 1)
			expect_exit(window_access(window.guest, ACCESS_WRITE), EXIT_REASON_EPT_VIOLATION);
		else
			expect_access_done(&window, window_access(window.guest, ACCESS_WRITE), ACCESS_WRITE);
	}
}

SWITCH_RULE(absent, "absent", "A page that only the tree of another EPT pointer has is not there")
{
	struct ept_window window;
	struct ept other;

	ept_write(open_two(&window, &other), 0);
	switch_to(&other);
	expect_exit(window_access(window.guest, ACCESS_READ), EXIT_REASON_EPT_VIOLATION);
	switch_to(&window.ept);
	expect_access_done(&window, window_access(window.guest, ACCESS_READ), ACCESS_READ);
	switch_to(&other);
	expect_exit(window_access(window.guest, ACCESS_READ), EXIT_REASON_EPT_VIOLATION);
}

#define TURNS 32
#define TURN_PAGES 16

/* As the older LHV did: a page of sixteen behind either tree, the tree's entry rewritten and INVEPT executed at each turn */
SWITCH_RULE(turns, "32-pages", "32 times another tree or page: each is seen, after INVEPT where the tree was used before")
{
	struct ept_window window;
	struct ept other;
	u32 *pages = scratch_pages(TURN_PAGES);
	u64 *entries[2];

	entries[1] = open_two(&window, &other);
	entries[0] = window.entry[EPT_4K];
	for (unsigned i = 0; i < TURN_PAGES; i++)
		pages[i * PAGE_SIZE / sizeof(u32)] = 0x01010101u * i;
	for (unsigned turn = 0; turn < 2 * TURNS; turn++) {
		const struct ept *tree = turn / TURN_PAGES & 1 ? &other : &window.ept;
		u32 *page = pages + turn % TURN_PAGES * PAGE_SIZE / sizeof(u32);

		/* in turn 0 of each tree there is no page */
		ept_write(entries[turn / TURN_PAGES & 1], turn % TURN_PAGES ? (window.good[EPT_4K] & BITS(11, 0)) | physical(page) : 0);
		ept_use(tree);
		if (turn % TURN_PAGES)
			expect_equal("what the guest reads", window_read(window.guest), *page);
		else
			expect_exit(window_access(window.guest, ACCESS_READ), EXIT_REASON_EPT_VIOLATION);
	}
}
