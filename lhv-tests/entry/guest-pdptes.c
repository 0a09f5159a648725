/* Checks on guest page-directory-pointer-table entries. */
#include "lhv-tests/entry/rule.h"

/* 4.4.1 PDPTE Registers: bits of a present PDPTE that are reserved. `bits` of a row is the number of the PDPTE. */
#define PRESENT 1

static u64 reserved(const struct entry *e)
{
	return BITS(63, entry_physical_width(e->caps)) | BITS(8, 5) | BITS(2, 1);
}

static bool field_reserved(struct entry *e, const struct entry_rule *rule, u64 pdpte)
{
	(void)rule;
	return (pdpte & PRESENT) && (pdpte & reserved(e));
}

/* Where the host uses PAE paging already, with the same CR3, the check is the processor's choice. */
static bool memory_reserved(struct entry *e, const struct entry_rule *rule, u64 cr3)
{
	if (cr3 & mask_cr3(e, rule))
		return false;
	u64 pdpte = entry_read64(e, (cr3 & BITS(31, 5)) + 8 * rule->bits);
	e->open = e->mode->pae && e->mode->cr3 == cr3;
	return !e->unknown && (pdpte & PRESENT) && (pdpte & reserved(e));
}

#define IN_MEMORY(n) \
	{"entry.guest.pdpte.cr3." #n, \
		"reserved bits of PDPTE " #n " in memory are 0 where it is present, without EPT", \
		WHEN(ON(FACT, PAE_PAGING), OFF(PROC2, ENABLE_EPT)), ABOUT(GUEST_CR3), UNLESS(memory_reserved), \
		.bits = n, .qualification = 2, \
		GIVEN(SET_PAGE(GUEST_CR3, PAGE_PDPTES)), BY(SET_PDPTE(n, PRESENT | BIT(5)))}
#define IN_FIELD(n) \
	{"entry.guest.pdpte.ept" #n, "reserved bits of PDPTE " #n " are 0 where it is present, with EPT", \
		WHEN(ON(FACT, PAE_PAGING), ON(PROC2, ENABLE_EPT)), ABOUT(GUEST_PDPTE##n), UNLESS(field_reserved), \
		.qualification = 2, \
		BY(SET(GUEST_PDPTE##n, PRESENT | BIT(5)))}

/* clang-format off */
static const struct entry_rule rules[] = {
	IN_MEMORY(0), IN_MEMORY(1), IN_MEMORY(2), IN_MEMORY(3),
	IN_FIELD(0), IN_FIELD(1), IN_FIELD(2), IN_FIELD(3),
};
/* clang-format on */

GROUP(group_guest_pdptes, "27.3.1.6 Checks on Guest Page-Directory-Pointer-Table Entries", rules, STAGE_GUEST, 0);
