/*
 * VPIDs: what tags translations, and what INVVPID drops. The guest has page tables of its own and never changes them; the host
 * rewrites them in memory between entries, so that only a cached translation can show what was there before.
 */
#include "harness/rule.h"
#include "lhv-guest/hypercall.h"
#include "lhv-guest/window.h"
#include "vmx/stale.h"

#define TAGS "29.1 Virtual Processor Identifiers (VPIDs)"
#define CACHED "29.4.2 Creating and Using Cached Translation Information"
#define DROPS "29.4.3.1 Operations that Invalidate Cached Mappings"
#define INVVPID "31.3 INVVPID - Invalidate Translations Based on VPID"

#define VPID_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "vpid." id_text, .title = title_text, .sdm = section, .needs = NEED_VMX_ROOT | NEED_VPID | NEED_INVVPID, \
	     .opt = OPT_VPID, ##__VA_ARGS__)

/* IA32_VMX_EPT_VPID_CAP (A.10): bit 40 + type */
#define CAP_TYPE(type) BIT(40 + (type))

/* VPIDs that no other rule uses */
#define VPID_A 0x1234
#define VPID_B 0x4321

#define PAGES 2 /* pages behind the window and behind the page after it */
#define OLD 0x01d01d00u
#define NEW 0x2e32e300u
#define PTE_GLOBAL BIT(8)

/* A guest that looks at two pages, each of which can be exchanged for another one */
struct two_pages {
	struct guest *guest;
	struct guest_tables tables;
	pte_t flags;
};

static outcome_t invalidate(ulong type, u64 vpid, u64 linear)
{
	return invvpid(type, (struct invvpid_descriptor){vpid, linear});
}

/* What a rule finds cached is only what it made so itself */
static void drop_everything(void)
{
	const u64 caps = this_cpu()->caps.ept_vpid;

	if (caps & CAP_TYPE(INVVPID_ALL_CONTEXTS)) {
		expect_outcome("INVVPID, all contexts", invalidate(INVVPID_ALL_CONTEXTS, 0, 0), SUCCEEDED);
	} else if (caps & CAP_TYPE(INVVPID_SINGLE_CONTEXT)) {
		expect_outcome("INVVPID, single context", invalidate(INVVPID_SINGLE_CONTEXT, VPID_A, 0), SUCCEEDED);
		expect_outcome("INVVPID, single context", invalidate(INVVPID_SINGLE_CONTEXT, VPID_B, 0), SUCCEEDED);
	} else {
		rule_skip("the CPU has neither INVVPID type 1 nor 2");
	}
}

static pte_t mapping(const struct two_pages *pages, u32 first_word)
{
	u32 *page = scratch_page();

	*page = first_word;
	return guest_entry(physical(page)) | pages->flags;
}

/* Both pages hold OLD. flags: for their page-table entries. */
static struct two_pages start(pte_t flags)
{
	struct two_pages pages = {.guest = window_guest(ACCESS_READ), .flags = flags};
	const struct vmx_caps *caps = &this_cpu()->caps;

	if (!(vmread(VMCS_PROC_CONTROLS) & PROC_ACTIVATE_SECONDARY_CONTROLS)) {
		controls_set(VMCS_PROC_CONTROLS, &caps->proc, PROC_ACTIVATE_SECONDARY_CONTROLS, "activate secondary controls");
		vmwrite(VMCS_PROC2_CONTROLS, caps->proc2.must_be_1);
	}
	controls_set(VMCS_PROC2_CONTROLS, &caps->proc2, PROC2_ENABLE_VPID, "enable VPID");
	vmwrite(VMCS_VPID, VPID_A);
	pages.tables = guest_tables_create(WINDOW);
	guest_tables_use(&pages.tables);
	for (unsigned i = 0; i < PAGES; i++)
		pages.tables.entry[pages.tables.levels - 1][i] = mapping(&pages, OLD + i);
	drop_everything();
	return pages;
}

static u32 look(const struct two_pages *pages, unsigned index)
{
	window_look_at(WINDOW + index * PAGE_SIZE);
	return window_read(pages->guest) - index;
}

static void exchange(const struct two_pages *pages, unsigned index)
{
	stale_rewrite_guest(&pages->tables.entry[pages->tables.levels - 1][index], mapping(pages, NEW + index), WINDOW + index * PAGE_SIZE);
}

/* Uses both pages under the VPID and then exchanges what is behind them */
static void cache_and_exchange(const struct two_pages *pages, u16 vpid)
{
	vmwrite(VMCS_VPID, vpid);
	for (unsigned i = 0; i < PAGES; i++)
		expect_equal("what the guest reads at first", look(pages, i), OLD);
	for (unsigned i = 0; i < PAGES; i++)
		exchange(pages, i);
}

static const char *seen(u32 value)
{
	return value == OLD ? "the cached translation" : value == NEW ? "the new translation" : "neither the old nor the new page";
}

/* ---- Tags -------------------------------------------------------------------------------------------- */

VPID_RULE(other_vpid, "other-not-used", "A translation cached under one VPID is not used under another", CACHED)
{
	struct two_pages pages = start(0);

	cache_and_exchange(&pages, VPID_A);
	vmwrite(VMCS_VPID, VPID_B);
	expect_equal("what the guest reads under a VPID that has nothing cached", look(&pages, 0), NEW);
}

VPID_RULE(other_global, "other-not-used-global", "A global translation cached under one VPID is not used under another", CACHED)
{
	struct two_pages pages = start(PTE_GLOBAL);

	vmwrite(VMCS_GUEST_CR4, vmread(VMCS_GUEST_CR4) | BIT(7)); /* CR4.PGE */
	cache_and_exchange(&pages, VPID_A);
	vmwrite(VMCS_VPID, VPID_B);
	expect_equal("what the guest reads under a VPID that has nothing cached", look(&pages, 0), NEW);
}

VPID_RULE(other_values, "other-bits", "VPIDs that differ in one bit are different", TAGS)
{
	struct two_pages pages = start(0);

	for (unsigned bit = 0; bit < 16; bit++) {
		drop_everything();
		cache_and_exchange(&pages, VPID_A);
		vmwrite(VMCS_VPID, VPID_A ^ BIT(bit));
		if (!(this_cpu()->caps.ept_vpid & CAP_TYPE(INVVPID_ALL_CONTEXTS)))
			expect_outcome("INVVPID, single context", invalidate(INVVPID_SINGLE_CONTEXT, VPID_A ^ BIT(bit), 0), SUCCEEDED);
		expect_equal("what the guest reads under a VPID that has nothing cached", look(&pages, 0), NEW);
		for (unsigned i = 0; i < PAGES; i++)
			*(u32 *)(ulong)(pages.tables.entry[pages.tables.levels - 1][i] & -(pte_t)PAGE_SIZE) = OLD + i;
	}
}

VPID_RULE(kept, "kept-over-transitions", "Which translation is used after a change in memory, under the same VPID?", "28.5.5 Updating Non-Register State",
	  .class = OBSERVED)
{
	struct two_pages pages = start(0);

	cache_and_exchange(&pages, VPID_A);
	rule_note("before INVVPID: %s", seen(look(&pages, 0)));
}

VPID_RULE(kept_over_switch, "kept-over-switch", "Which translation is used after another VPID was used between?", TAGS, .class = OBSERVED)
{
	struct two_pages pages = start(0);

	cache_and_exchange(&pages, VPID_A);
	vmwrite(VMCS_VPID, VPID_B);
	look(&pages, 0);
	vmwrite(VMCS_VPID, VPID_A);
	rule_note("back under the first VPID: %s", seen(look(&pages, 0)));
}

VPID_RULE(vpid_off, "off-drops", "With \"enable VPID\" 0 no translation survives a VM exit and a VM entry", DROPS)
{
	struct two_pages pages = start(0);

	controls_clear(VMCS_PROC2_CONTROLS, &this_cpu()->caps.proc2, PROC2_ENABLE_VPID, "enable VPID");
	for (unsigned i = 0; i < PAGES; i++)
		expect_equal("what the guest reads at first", look(&pages, i), OLD);
	exchange(&pages, 0);
	expect_equal("what the guest reads after the change", look(&pages, 0), NEW);
}

/* ---- INVVPID ----------------------------------------------------------------------------------------- */

static void skip_without_type(ulong type)
{
	if (!(this_cpu()->caps.ept_vpid & CAP_TYPE(type)))
		rule_skip("the CPU has no INVVPID of type %lu", type);
}

static void drops(const struct rule *rule)
{
	ulong type = *(const ulong *)rule->row;
	struct two_pages pages = start(0);

	skip_without_type(type);
	cache_and_exchange(&pages, VPID_A);
	expect_outcome("INVVPID", invalidate(type, VPID_A, WINDOW), SUCCEEDED);
	expect_equal("what the guest reads after INVVPID", look(&pages, 0), NEW);
}

static const ulong types[] = {INVVPID_ADDRESS, INVVPID_SINGLE_CONTEXT, INVVPID_ALL_CONTEXTS, INVVPID_SINGLE_RETAINING_GLOBALS};

#define TYPE_ROW(function, type, id_text, title_text) \
	ROW(function, .id = "vpid.invvpid." id_text, .title = title_text, .sdm = INVVPID, .row = &types[type], \
	    .needs = NEED_VMX_ROOT | NEED_VPID | NEED_INVVPID, .opt = OPT_VPID)

TYPE_ROW(drops, 0, "address", "After INVVPID of an address its cached translation is not used")
TYPE_ROW(drops, 1, "single-context", "After INVVPID of a VPID its cached translations are not used")
TYPE_ROW(drops, 2, "all-contexts", "After INVVPID of all contexts no cached translation is used")
TYPE_ROW(drops, 3, "retaining-globals", "After INVVPID of a VPID that retains globals, no other cached translation of it is used")

static void drops_all_addresses(const struct rule *rule)
{
	ulong type = *(const ulong *)rule->row;
	struct two_pages pages = start(0);

	skip_without_type(type);
	cache_and_exchange(&pages, VPID_A);
	/* these types do not look at the address */
	expect_outcome("INVVPID", invalidate(type, VPID_A, WINDOW), SUCCEEDED);
	for (unsigned i = 0; i < PAGES; i++)
		expect_equal("what the guest reads after INVVPID, at this page and the next", look(&pages, i), NEW);
}

TYPE_ROW(drops_all_addresses, 1, "all-addresses-single-context", "INVVPID of a VPID drops the translations of all its addresses")
TYPE_ROW(drops_all_addresses, 2, "all-addresses-all-contexts", "INVVPID of all contexts drops the translations of all addresses")
TYPE_ROW(drops_all_addresses, 3, "all-addresses-retaining-globals", "INVVPID of a VPID that retains globals drops all its other translations")

static void drops_globals(const struct rule *rule)
{
	ulong type = *(const ulong *)rule->row;
	struct two_pages pages = start(PTE_GLOBAL);

	skip_without_type(type);
	vmwrite(VMCS_GUEST_CR4, vmread(VMCS_GUEST_CR4) | BIT(7)); /* CR4.PGE */
	cache_and_exchange(&pages, VPID_A);
	expect_outcome("INVVPID", invalidate(type, VPID_A, WINDOW), SUCCEEDED);
	expect_equal("what the guest reads after INVVPID", look(&pages, 0), NEW);
}

TYPE_ROW(drops_globals, 0, "address-global", "INVVPID of an address drops a global translation, too")
TYPE_ROW(drops_globals, 1, "single-context-global", "INVVPID of a VPID drops its global translations, too")
TYPE_ROW(drops_globals, 2, "all-contexts-global", "INVVPID of all contexts drops global translations, too")

VPID_RULE(two_vpids, "invvpid.all-contexts-two", "INVVPID of all contexts drops the translations of every VPID", INVVPID)
{
	struct two_pages pages = start(0);

	skip_without_type(INVVPID_ALL_CONTEXTS);
	vmwrite(VMCS_VPID, VPID_B);
	for (unsigned i = 0; i < PAGES; i++)
		expect_equal("what the guest reads at first", look(&pages, i), OLD);
	cache_and_exchange(&pages, VPID_A);
	expect_outcome("INVVPID", invalidate(INVVPID_ALL_CONTEXTS, 0, 0), SUCCEEDED);
	expect_equal("what the guest reads under the one VPID", look(&pages, 0), NEW);
	vmwrite(VMCS_VPID, VPID_B);
	expect_equal("what the guest reads under the other VPID", look(&pages, 0), NEW);
}

VPID_RULE(globals_retained, "invvpid.retaining-globals-global", "Is a global translation used after INVVPID that retains globals?", INVVPID,
	  .class = OBSERVED)
{
	struct two_pages pages = start(PTE_GLOBAL);

	skip_without_type(INVVPID_SINGLE_RETAINING_GLOBALS);
	vmwrite(VMCS_GUEST_CR4, vmread(VMCS_GUEST_CR4) | BIT(7)); /* CR4.PGE */
	cache_and_exchange(&pages, VPID_A);
	expect_outcome("INVVPID", invalidate(INVVPID_SINGLE_RETAINING_GLOBALS, VPID_A, 0), SUCCEEDED);
	rule_note("after INVVPID of type 3: %s", seen(look(&pages, 0)));
}

VPID_RULE(other_kept, "invvpid.of-another", "Which translation is used after INVVPID of another VPID?", INVVPID, .class = OBSERVED)
{
	struct two_pages pages = start(0);

	skip_without_type(INVVPID_SINGLE_CONTEXT);
	cache_and_exchange(&pages, VPID_A);
	expect_outcome("INVVPID", invalidate(INVVPID_SINGLE_CONTEXT, VPID_B, 0), SUCCEEDED);
	rule_note("after INVVPID of another VPID: %s", seen(look(&pages, 0)));
}

VPID_RULE(other_address, "invvpid.of-another-address", "Which translation is used after INVVPID of another address?", INVVPID, .class = OBSERVED)
{
	struct two_pages pages = start(0);

	skip_without_type(INVVPID_ADDRESS);
	cache_and_exchange(&pages, VPID_A);
	expect_outcome("INVVPID", invalidate(INVVPID_ADDRESS, VPID_A, WINDOW), SUCCEEDED);
	rule_note("after INVVPID of the page before: %s", seen(look(&pages, 1)));
}

VPID_RULE(within_page, "invvpid.address-within-page", "INVVPID of an address drops the translation of the page that it is in", INVVPID)
{
	struct two_pages pages = start(0);

	skip_without_type(INVVPID_ADDRESS);
	cache_and_exchange(&pages, VPID_A);
	expect_outcome("INVVPID", invalidate(INVVPID_ADDRESS, VPID_A, WINDOW + PAGE_SIZE + 0xabc), SUCCEEDED);
	expect_equal("what the guest reads after INVVPID", look(&pages, 1), NEW);
}

/* ---- The guest's own instructions --------------------------------------------------------------------- */

static const u8 invlpg_vmcall[] = {0x0f, 0x01, 0x3b, 0x0f, 0x01, 0xc1};	   /* INVLPG (BX) */
static const u8 mov_cr3_vmcall[] = {0x0f, 0x22, 0xdb, 0x0f, 0x01, 0xc1}; /* MOV EBX, CR3 */

/* The guest executes one instruction and looks again; nothing of what the planted faults do applies */
static void expect_dropped_by(const struct two_pages *pages, const u8 *code, ulong bx)
{
	const struct vmx_caps *caps = &this_cpu()->caps;

	controls_clear(VMCS_PROC_CONTROLS, &caps->proc, PROC_INVLPG_EXITING, "INVLPG exiting");
	controls_clear(VMCS_PROC_CONTROLS, &caps->proc, PROC_CR3_LOAD_EXITING, "CR3-load exiting");
	for (unsigned i = 0; i < PAGES; i++)
		expect_equal("what the guest reads at first", look(pages, i), OLD);
	pages->tables.entry[pages->tables.levels - 1][0] = mapping(pages, NEW);
	pages->guest->registers.bx = bx;
	vmwrite(VMCS_GUEST_RIP, (ulong)code);
	expect_exit(guest_run(pages->guest), EXIT_REASON_VMCALL);
	expect_equal("what the guest reads after its instruction", look(pages, 0), NEW);
}

VPID_RULE(invlpg_rule, "guest.invlpg", "INVLPG in the guest drops the translation under its VPID", DROPS)
{
	struct two_pages pages = start(0);

	expect_dropped_by(&pages, invlpg_vmcall, WINDOW);
}

VPID_RULE(mov_cr3, "guest.mov-cr3", "MOV to CR3 in the guest drops the translations under its VPID", DROPS)
{
	struct two_pages pages = start(0);

	expect_dropped_by(&pages, mov_cr3_vmcall, (ulong)pages.tables.table[0]);
}

VPID_RULE(page_fault, "guest.page-fault-dropped", "An entry that caused a page fault is used as it is in memory when the access is made again", CACHED)
{
	struct two_pages pages = start(0);
	pte_t *entry = pages.tables.entry[pages.tables.levels - 1], good = *entry;

	*entry = 0;
	window_look_at(WINDOW);
	expect_hypercall(pages.guest, window_access(pages.guest, ACCESS_READ), HYPERCALL_EXCEPTION);
	expect_equal("vector of the guest's exception", pages.guest->exception.vector, VECTOR_PF);
	*entry = good; /* an entry that is not present is never cached */
	expect_equal("what the guest reads", look(&pages, 0), OLD);
}
