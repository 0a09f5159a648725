/* A guest behind extended page tables: one to one, and through a leaf of each size to somewhere else. */
#include "harness/rule.h"
#include "lhv-guest/ept.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"

#define EPT_MECHANISM "29.3.2 EPT Translation Mechanism"
#define NEEDS (NEED_VMX_ROOT | NEED_EPT)

/* IA32_VMX_EPT_VPID_CAP: what leaves there are (A.10) */
#define CAP_2M BIT(16)
#define CAP_1G BIT(17)

/* Guest-physical addresses from 3 GiB up: nothing that a guest of ours uses */
#define WINDOW (3 * GIB)
/* The identity map, and tables for one more leaf, split from it */
#define TABLES (EPT_IDENTITY_PAGES + 3)

#define PATTERN 0x600dc0de
#define ANSWER 0x0ddba11

/* What the guest looks at: set by the host before it runs */
static volatile u32 *window[MAX_CPUS];

static void guest_read_write(void)
{
	volatile u32 *at = window[this_cpu()->index];

	hypercall(HYPERCALL_TEST, *at);
	*at = ANSWER;
}

static void expect_read_write(struct guest *guest, volatile u32 *seen_by_host)
{
	*seen_by_host = PATTERN;
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_equal("what the guest reads", guest->registers.bx, PATTERN);
	guest_skip_instruction();
	expect_done(guest);
	expect_equal("what the guest wrote, as the host reads it", *seen_by_host, ANSWER);
}

RULE(identity, .id = "ept.identity.run", .title = "A guest behind an identity map runs, reads and writes memory", .sdm = EPT_MECHANISM,
     .needs = NEEDS, .opt = OPT_EPT)
{
	u32 *page = scratch_page();
	struct guest *guest = guest_golden(guest_read_write);

	window[this_cpu()->index] = page;
	expect_read_write(guest, page);
}

/* Maps a page of the host into the window by a leaf of this size and lets the guest use it there */
static void through_leaf(enum ept_leaf leaf)
{
	u64 size = PAGE_SIZE << 9 * leaf;
	u8 *page = scratch_page(), type;
	struct ept ept = ept_create(scratch_pages(TABLES), TABLES);
	struct guest *guest = guest_golden(guest_read_write);

	ept_map_identity(&ept);
	/* a large page may hold device memory, which must not be cached, however the CPU looks ahead */
	if (!mtrr_uniform(&memory_types, physical(page) & ~(size - 1), size, &type))
		type = MEMORY_UC;
	ept_map(&ept, WINDOW, physical(page) & ~(size - 1), leaf, EPT_RWX, type);
	ept_use(&ept);
	window[this_cpu()->index] = (u32 *)(ulong)(WINDOW + (physical(page) & (size - 1)));
	expect_read_write(guest, (u32 *)page);
}

RULE(leaf_4k, .id = "ept.leaf.4k", .title = "A 4-KByte leaf maps its page", .sdm = EPT_MECHANISM, .needs = NEEDS, .opt = OPT_EPT)
{
	through_leaf(EPT_4K);
}

RULE(leaf_2m, .id = "ept.leaf.2m", .title = "A 2-MByte leaf maps its page, offset included", .sdm = EPT_MECHANISM, .needs = NEEDS,
     .opt = OPT_LARGE_PAGE)
{
	if (!(this_cpu()->caps.ept_vpid & CAP_2M))
		rule_skip("the CPU has no 2-MByte EPT pages");
	through_leaf(EPT_2M);
}

RULE(leaf_1g, .id = "ept.leaf.1g", .title = "A 1-GByte leaf maps its page, offset included", .sdm = EPT_MECHANISM, .needs = NEEDS,
     .opt = OPT_LARGE_PAGE)
{
	if (!(this_cpu()->caps.ept_vpid & CAP_1G))
		rule_skip("the CPU has no 1-GByte EPT pages");
	through_leaf(EPT_1G);
}

/* Exit qualification of EPT violations, table 28-7 */
#define VIOLATION_READ BIT(0)
#define VIOLATION_WRITE BIT(1)
#define VIOLATION_FETCH BIT(2)
#define VIOLATION_ENTRY_RIGHTS BITS(5, 3)
#define VIOLATION_LINEAR_VALID BIT(7)
#define VIOLATION_TRANSLATED BIT(8) /* the access was to the translation of the linear address, not to a paging structure */

RULE(violation, .id = "ept.violation.not-present", .title = "A read through an EPT entry that is not present causes an EPT violation that says where",
     .sdm = "29.3.3.2 EPT Violations", .needs = NEEDS, .opt = OPT_EPT)
{
	struct ept ept = ept_create(scratch_pages(TABLES), TABLES);
	struct guest *guest = guest_golden(guest_read_write);

	ept_map_identity(&ept);
	ept_map(&ept, WINDOW, WINDOW, EPT_4K, 0, 0);
	ept_use(&ept);
	window[this_cpu()->index] = (u32 *)(ulong)(WINDOW + 0x678);
	expect_exit(guest_run(guest), EXIT_REASON_EPT_VIOLATION);
	expect_equal("guest-physical address", vmread(VMCS_GUEST_PHYSICAL_ADDRESS), WINDOW + 0x678);
	expect_equal("guest linear address", vmread(VMCS_GUEST_LINEAR_ADDRESS), WINDOW + 0x678);
	expect_equal("exit qualification: access, rights of the entry, linear address",
		     vmread(VMCS_EXIT_QUALIFICATION) & (VIOLATION_READ | VIOLATION_WRITE | VIOLATION_FETCH | VIOLATION_ENTRY_RIGHTS |
							VIOLATION_LINEAR_VALID | VIOLATION_TRANSLATED),
		     VIOLATION_READ | VIOLATION_LINEAR_VALID | VIOLATION_TRANSLATED);
}

RULE(violation_resume, .id = "ept.violation.resumed", .title = "After an EPT violation is mended, the guest's access is made anew",
     .sdm = "29.3.3.2 EPT Violations", .needs = NEEDS, .opt = OPT_EPT)
{
	u32 *page = scratch_page();
	struct ept ept = ept_create(scratch_pages(TABLES), TABLES);
	struct guest *guest = guest_golden(guest_read_write);

	ept_map_identity(&ept);
	ept_map(&ept, WINDOW, WINDOW, EPT_4K, 0, 0);
	ept_use(&ept);
	window[this_cpu()->index] = (u32 *)(ulong)WINDOW;
	expect_exit(guest_run(guest), EXIT_REASON_EPT_VIOLATION);
	/* an EPT violation drops the cached translations of its own guest-physical address: no INVEPT (29.4.3.1) */
	ept_map(&ept, WINDOW, physical(page), EPT_4K, EPT_RWX, MEMORY_WB);
	expect_read_write(guest, page);
}
