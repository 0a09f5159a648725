/* A guest whose window has EPT entries of its own at every level: for the rules on EPT violations, misconfigurations and pages. */
#pragma once
#include "cpu/cpuid.h"
#include "harness/rule.h"
#include "lhv-guest/hypercall.h"
#include "lhv-guest/window.h"

#define EPT_NEEDS (NEED_VMX_ROOT | NEED_EPT)

/* IA32_VMX_EPT_VPID_CAP (A.10) */
#define CAP_EXECUTE_ONLY BIT(0)
#define CAP_2M BIT(16)
#define CAP_1G BIT(17)
#define CAP_INVEPT_SINGLE BIT(25)
#define CAP_INVEPT_ALL BIT(26)
#define CAP_ACCESSED_DIRTY BIT(21)

/* Exit qualification of EPT violations, table 28-7 */
#define VIOLATION_RIGHTS_SHIFT 3 /* the AND of bits 2:0 of the entries used */
#define VIOLATION_LINEAR_VALID BIT(7)
#define VIOLATION_TRANSLATED BIT(8) /* the access was to the translation of the linear address, not to a paging structure */
#define VIOLATION_BITS (BITS(5, 0) | VIOLATION_LINEAR_VALID | VIOLATION_TRANSLATED)

/* Levels of EPT: index of an entry, and size of what it maps as a leaf. EPT_4K, EPT_2M and EPT_1G are the lower three. */
#define EPT_PML4E 3
#define EPT_LEVELS 4

struct ept_window {
	struct ept ept;
	struct guest *guest;
	u32 *page;	   /* of the host, behind the window */
	u64 physical;	   /* guest-physical address of the window */
	u64 *entry[EPT_LEVELS]; /* EPT entries of the window, PTE first */
	u64 good[EPT_LEVELS];	/* and what they hold at first */
};

/*
 * A guest behind an identity map in which the window leads to a page of its own. high: with an EPT PML4 entry of its own as well,
 * from page tables of the guest's own; the rule is skipped where the build's or the CPU's addresses are too narrow.
 */
static inline void ept_window_open(struct ept_window *window, bool high)
{
	window->page = scratch_page();
	window->physical = WINDOW;
	window->ept = ept_create(scratch_pages(WINDOW_TABLES), WINDOW_TABLES);
	window->guest = window_guest(ACCESS_READ);
	if (high) {
		window->physical = BIT(39);
		if (sizeof(pte_t) == 4)
			rule_skip("this build's page tables do not reach beyond 4 GiB");
		if (cpuid_physical_width() <= 39)
			rule_skip("the CPU's physical addresses have only %u bits", cpuid_physical_width());
		struct guest_tables tables = guest_tables_create(WINDOW);

		*tables.entry[tables.levels - 1] = guest_entry((pte_t)window->physical);
		guest_tables_use(&tables);
	}
	ept_map_identity(&window->ept);
	ept_map(&window->ept, window->physical, physical(window->page), EPT_4K, EPT_RWX, MEMORY_WB);
	for (unsigned level = 0; level < EPT_LEVELS; level++) {
		window->entry[level] = ept_entry(&window->ept, window->physical, level);
		window->good[level] = *window->entry[level];
	}
	*window->page = WINDOW_PATTERN;
	window_use_ept(&window->ept);
}

/* Makes one access after one entry was changed to the value, with nothing cached of what it was. */
static inline struct exit ept_window_access(struct ept_window *window, unsigned level, u64 value, enum access access)
{
	ept_write(window->entry[level], value);
	ept_use(&window->ept);
	return window_access(window->guest, access);
}

/* Ends the rule where the access did not go through as on the page. */
static inline void expect_access_done(struct ept_window *window, struct exit exit, enum access access)
{
	expect_hypercall(window->guest, exit, HYPERCALL_TEST);
	if (access == ACCESS_READ)
		expect_equal("what the guest read", window->guest->registers.bx, WINDOW_PATTERN);
	if (access == ACCESS_WRITE)
		expect_equal("what the guest wrote, as the host reads it", *window->page, WINDOW_ANSWER);
	*window->page = WINDOW_PATTERN;
}
