/*
 * Checks on guest segment registers: selectors, bases, limits, access rights. The rules of one kind stand side by
 * side for all.
 */
#include "lhv-tests/entry/rule.h"

#define AR(segment) entry_get(e, IMAGE_GUEST_ES_ACCESS_RIGHTS + (segment))
#define SELECTOR(segment) entry_get(e, IMAGE_GUEST_ES_SELECTOR + (segment))

static bool rpl_differs(struct entry *e, const struct entry_rule *rule, u64 selector)
{
	(void)rule;
	return (selector & 3) != (GET(GUEST_CS_SELECTOR) & 3);
}

static bool v86_base(struct entry *e, const struct entry_rule *rule, u64 base)
{
	return base != SELECTOR(entry_segment_of(rule->field)) << 4;
}

/* ---- Access rights ---------------------------------------------------------------------------------- */

/* Type 3 is legal with unrestricted guest; without, a rule of its own says that it is not. */
static bool cs_type(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	(void)e, (void)rule;
	unsigned type = AR_TYPE(rights);

	return type != 3 && (type & 9) != 9;
}

static bool cs_type_3(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	(void)e, (void)rule;
	return AR_TYPE(rights) == 3;
}

static bool ss_type(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	(void)e, (void)rule;
	return AR_TYPE(rights) != 3 && AR_TYPE(rights) != 7;
}

/* A readable code segment, or data */
static bool not_readable(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	(void)e, (void)rule;
	return (rights & 8) && !(rights & 2);
}

static bool cs_type_3_dpl(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	(void)e, (void)rule;
	return AR_TYPE(rights) == 3 && AR_DPL(rights);
}

static bool cs_not_conforming_dpl(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	(void)rule;
	return (AR_TYPE(rights) & 13) == 9 && AR_DPL(rights) != AR_DPL(AR(SEGMENT_SS));
}

static bool cs_conforming_dpl(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	(void)rule;
	return (AR_TYPE(rights) & 13) == 13 && AR_DPL(rights) > AR_DPL(AR(SEGMENT_SS));
}

static bool ss_dpl_rpl(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	(void)rule;
	return AR_DPL(rights) != (GET(GUEST_SS_SELECTOR) & 3);
}

static bool ss_dpl_cs_type_3(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	(void)rule;
	return AR_TYPE(AR(SEGMENT_CS)) == 3 && AR_DPL(rights);
}

static bool dpl_not_0(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	(void)e, (void)rule;
	return AR_DPL(rights);
}

/* Data segments and code segments that are not conforming */
static bool data_dpl(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	return AR_TYPE(rights) < 12 && AR_DPL(rights) < (SELECTOR(entry_segment_of(rule->field)) & 3);
}

static bool granularity_low(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	u64 limit = entry_get(e, IMAGE_GUEST_ES_LIMIT + entry_segment_of(rule->field));

	return (rights & AR_G) && (limit & BITS(11, 0)) != BITS(11, 0);
}

static bool granularity_high(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	u64 limit = entry_get(e, IMAGE_GUEST_ES_LIMIT + entry_segment_of(rule->field));

	return !(rights & AR_G) && (limit & BITS(31, 20));
}

static bool db_and_l(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	(void)e, (void)rule;
	return (rights & AR_L) && (rights & AR_DB);
}

/* Available TSSs have a rule of their own. */
static bool tr_available(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	(void)e, (void)rule;
	return AR_TYPE(rights) == 1 || AR_TYPE(rights) == 9;
}

static bool tr_type_ia32e(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	return AR_TYPE(rights) != 11 && !tr_available(e, rule, rights);
}

static bool tr_type_legacy(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	return AR_TYPE(rights) != 3 && AR_TYPE(rights) != 11 && !tr_available(e, rule, rights);
}

static bool ldtr_type(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	(void)e, (void)rule;
	return AR_TYPE(rights) != 2;
}

/* FRED event delivery knows rings 0 and 3 only, and no compatibility mode in ring 0. */
static bool fred_dpl(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	(void)e, (void)rule;
	return AR_DPL(rights) == 1 || AR_DPL(rights) == 2;
}

static bool fred_not_64(struct entry *e, const struct entry_rule *rule, u64 rights)
{
	(void)rule;
	return !(rights & AR_L) && !AR_DPL(AR(SEGMENT_SS));
}

/* clang-format off */
#define V86 ON(FACT, V86)
#define NOT_V86 OFF(FACT, V86)
#define RESTRICTED OFF(PROC2, UNRESTRICTED_GUEST)
#define UNRESTRICTED ON(PROC2, UNRESTRICTED_GUEST)
#define RIGHTS(name) .field = IMAGE_GUEST_##name##_ACCESS_RIGHTS
#define ID(segment, what) "entry.guest." segment "." what
#define SIX(ROW) ROW("cs", CS), ROW("ss", SS), ROW("ds", DS), ROW("es", ES), ROW("fs", FS), ROW("gs", GS)
#define DATA(ROW) ROW("ds", DS), ROW("es", ES), ROW("fs", FS), ROW("gs", GS)
/* Each row gets an id, a name, flags and a condition. CS is always checked, the others where they are usable. */
#define CHECKED(ROW) \
	ROW("cs", CS, 0, NOT_V86), ROW("ss", SS, RULE_USABLE, NOT_V86), ROW("ds", DS, RULE_USABLE, NOT_V86), \
	ROW("es", ES, RULE_USABLE, NOT_V86), ROW("fs", FS, RULE_USABLE, NOT_V86), ROW("gs", GS, RULE_USABLE, NOT_V86)
#define SYSTEM(ROW) ROW("tr", TR, 0, ON(FACT, ALWAYS)), ROW("ldtr", LDTR, RULE_USABLE, ON(FACT, ALWAYS))

#define V86_BASE(s, n) \
	{"entry.guest.v86." s ".base", "the base is the selector x 16", WHEN(V86), ABOUT(GUEST_##n##_BASE), \
		UNLESS(v86_base), BY(SET_BITS(GUEST_##n##_BASE, 1))}
#define V86_LIMIT(s, n) \
	{"entry.guest.v86." s ".limit", "the limit is FFFFH", WHEN(V86), ABOUT(GUEST_##n##_LIMIT), EQUAL(0xffff)}
#define V86_RIGHTS(s, n) \
	{"entry.guest.v86." s ".ar", "the access rights are F3H", WHEN(V86), RIGHTS(n), EQUAL(0xf3), \
		BY(SET_BITS(GUEST_##n##_ACCESS_RIGHTS, BIT(12)))}
#define BASE_HIGH(s, n) \
	{ID(s, "base-high"), "bits 63:32 of the base are 0", WHEN(ON(FACT, INTEL64), NOT_V86), ABOUT(GUEST_##n##_BASE), \
		ZERO(BITS(63, 32)), USABLE}
#define S_BIT(s, n, f, w) \
	{ID(s, "s"), "S is 1", WHEN(w), RIGHTS(n), ONE(AR_S), .flags = f}
#define S_CLEAR(s, n, f, w) \
	{ID(s, "s"), "S is 0", WHEN(w), RIGHTS(n), ZERO(AR_S), .flags = f}
#define PRESENT(s, n, f, w) \
	{ID(s, "p"), "P is 1", WHEN(w), RIGHTS(n), ONE(AR_P), .flags = f}
#define AR_11_8(s, n, f, w) \
	{ID(s, "ar-11-8"), "bits 11:8 of the access rights are 0", WHEN(w), RIGHTS(n), ZERO(BITS(11, 8)), .flags = f}
#define AR_31_17(s, n, f, w) \
	{ID(s, "ar-31-17"), "bits 31:17 of the access rights are 0", WHEN(w), RIGHTS(n), ZERO(BITS(31, 17)), .flags = f}
#define G_LOW(s, n, f, w) \
	{ID(s, "g-low"), "G is 0 where a bit of the limit's bits 11:0 is 0", WHEN(w), RIGHTS(n), UNLESS(granularity_low), \
		.flags = f, GIVEN(SET(GUEST_##n##_LIMIT, 0xffff), SET_BITS(GUEST_##n##_ACCESS_RIGHTS, AR_G)), \
		BY(SET(GUEST_##n##_LIMIT, 0xfffe))}
#define G_HIGH(s, n, f, w) \
	{ID(s, "g-high"), "G is 1 where a bit of the limit's bits 31:20 is 1", WHEN(w), RIGHTS(n), UNLESS(granularity_high), \
		.flags = f, GIVEN(SET(GUEST_##n##_LIMIT, 0xfffff), CLEAR(GUEST_##n##_ACCESS_RIGHTS, AR_G)), \
		BY(SET(GUEST_##n##_LIMIT, 0x1fffff))}
#define ACCESSED(s, n) \
	{ID(s, "accessed"), "the accessed bit of the type is 1", WHEN(NOT_V86), RIGHTS(n), ONE(BIT(0)), USABLE}
#define READABLE(s, n) \
	{ID(s, "readable"), "a code segment is readable", WHEN(NOT_V86), RIGHTS(n), UNLESS(not_readable), USABLE, \
		GIVEN(SET_BITS(GUEST_##n##_ACCESS_RIGHTS, 11)), BY(CLEAR(GUEST_##n##_ACCESS_RIGHTS, 2))}
#define DATA_DPL(s, n) \
	{ID(s, "dpl"), "DPL is not below RPL, but for a conforming code segment", WHEN(NOT_V86, RESTRICTED), RIGHTS(n), \
		UNLESS(data_dpl), USABLE, GIVEN(CLEAR(GUEST_##n##_ACCESS_RIGHTS, 12)), \
		BY(SET_BITS(GUEST_##n##_SELECTOR, 3), CLEAR(GUEST_##n##_ACCESS_RIGHTS, BITS(6, 5)))}

static const struct entry_rule rules[] = {
	{"entry.guest.tr.ti", "TI is 0", ABOUT(GUEST_TR_SELECTOR), ZERO(BIT(2))},
	{"entry.guest.ldtr.ti", "TI is 0", ABOUT(GUEST_LDTR_SELECTOR), ZERO(BIT(2)), USABLE},
	{"entry.guest.ss.rpl-cs", "RPL is that of CS, without unrestricted guest", WHEN(NOT_V86, RESTRICTED),
		ABOUT(GUEST_SS_SELECTOR), UNLESS(rpl_differs), BY(FLIP(GUEST_CS_SELECTOR, 3))},
	SIX(V86_BASE),
	{"entry.guest.tr.base", "the base is canonical", WHEN(ON(FACT, INTEL64)), ABOUT(GUEST_TR_BASE), CANONICAL},
	{"entry.guest.fs.base", "the base is canonical", WHEN(ON(FACT, INTEL64), NOT_V86), ABOUT(GUEST_FS_BASE),
		CANONICAL},
	{"entry.guest.gs.base", "the base is canonical", WHEN(ON(FACT, INTEL64), NOT_V86), ABOUT(GUEST_GS_BASE),
		CANONICAL},
	{"entry.guest.ldtr.base", "the base is canonical", WHEN(ON(FACT, INTEL64)), ABOUT(GUEST_LDTR_BASE),
		CANONICAL, USABLE},
	{"entry.guest.cs.base-high", "bits 63:32 of the base are 0", WHEN(ON(FACT, INTEL64), NOT_V86),
		ABOUT(GUEST_CS_BASE), ZERO(BITS(63, 32))},
	BASE_HIGH("ss", SS),
	BASE_HIGH("ds", DS),
	BASE_HIGH("es", ES),
	SIX(V86_LIMIT),
	SIX(V86_RIGHTS),
	{"entry.guest.cs.type", "the type is 9, 11, 13 or 15; 3 with unrestricted guest", WHEN(NOT_V86), RIGHTS(CS),
		UNLESS(cs_type), BY(CLEAR(GUEST_CS_ACCESS_RIGHTS, 1))},
	{"entry.guest.cs.type-3", "the type is 3 with unrestricted guest only", WHEN(NOT_V86, RESTRICTED),
		RIGHTS(CS), UNLESS(cs_type_3),
		BY(CLEAR(GUEST_CS_ACCESS_RIGHTS, 15), SET_BITS(GUEST_CS_ACCESS_RIGHTS, 3))},
	{"entry.guest.ss.type", "the type is 3 or 7", WHEN(NOT_V86), RIGHTS(SS), UNLESS(ss_type), USABLE,
		BY(CLEAR(GUEST_SS_ACCESS_RIGHTS, 1))},
	DATA(ACCESSED),
	DATA(READABLE),
	CHECKED(S_BIT),
	{"entry.guest.cs.dpl-type3", "DPL is 0 where the type is 3", WHEN(NOT_V86, UNRESTRICTED), RIGHTS(CS),
		UNLESS(cs_type_3_dpl),
		GIVEN(DO(OFF(ENTRY, IA32E_MODE_GUEST)), CLEAR(GUEST_CS_ACCESS_RIGHTS, 15),
			SET_BITS(GUEST_CS_ACCESS_RIGHTS, 3)), BY(SET_BITS(GUEST_CS_ACCESS_RIGHTS, BIT(5)))},
	{"entry.guest.cs.dpl-nonconf", "DPL is that of SS where the type is 9 or 11", WHEN(NOT_V86), RIGHTS(CS),
		UNLESS(cs_not_conforming_dpl), GIVEN(CLEAR(GUEST_CS_ACCESS_RIGHTS, 4)),
		BY(FLIP(GUEST_CS_ACCESS_RIGHTS, BIT(5)))},
	{"entry.guest.cs.dpl-conf", "DPL is not above that of SS where the type is 13 or 15", WHEN(NOT_V86),
		RIGHTS(CS), UNLESS(cs_conforming_dpl), GIVEN(SET_BITS(GUEST_CS_ACCESS_RIGHTS, 4)),
		BY(SET_BITS(GUEST_CS_ACCESS_RIGHTS, BIT(5)))},
	{"entry.guest.ss.dpl-rpl", "DPL is RPL, without unrestricted guest", WHEN(NOT_V86, RESTRICTED), RIGHTS(SS),
		UNLESS(ss_dpl_rpl), BY(FLIP(GUEST_SS_SELECTOR, 3), FLIP(GUEST_CS_SELECTOR, 3))},
	{"entry.guest.ss.dpl-zero-type3", "DPL is 0 where the type of CS is 3", WHEN(NOT_V86, UNRESTRICTED),
		RIGHTS(SS), UNLESS(ss_dpl_cs_type_3),
		GIVEN(DO(OFF(ENTRY, IA32E_MODE_GUEST)), CLEAR(GUEST_CS_ACCESS_RIGHTS, 15),
			SET_BITS(GUEST_CS_ACCESS_RIGHTS, 3)), BY(SET_BITS(GUEST_SS_ACCESS_RIGHTS, BIT(5)))},
	{"entry.guest.ss.dpl-zero-pe0", "DPL is 0 where CR0.PE = 0",
		WHEN(NOT_V86, UNRESTRICTED, OFF(FACT, GUEST_PE)), RIGHTS(SS), UNLESS(dpl_not_0),
		BY(SET_BITS(GUEST_SS_ACCESS_RIGHTS, BIT(5)), SET_BITS(GUEST_CS_ACCESS_RIGHTS, BIT(5)))},
	DATA(DATA_DPL),
	CHECKED(PRESENT),
	CHECKED(AR_11_8),
	{"entry.guest.cs.db-l", "D/B is 0 where L is 1, in an IA-32e mode guest",
		WHEN(NOT_V86, ON(ENTRY, IA32E_MODE_GUEST)), RIGHTS(CS), UNLESS(db_and_l),
		BY(SET_BITS(GUEST_CS_ACCESS_RIGHTS, AR_DB))},
	CHECKED(G_LOW),
	CHECKED(G_HIGH),
	CHECKED(AR_31_17),
	{"entry.guest.tr.type-legacy", "the type is 3 or 11", WHEN(OFF(ENTRY, IA32E_MODE_GUEST)), RIGHTS(TR),
		UNLESS(tr_type_legacy), BY(CLEAR(GUEST_TR_ACCESS_RIGHTS, 15), SET_BITS(GUEST_TR_ACCESS_RIGHTS, 2))},
	{"entry.guest.tr.type-ia32e", "the type is 11 in an IA-32e mode guest", WHEN(ON(ENTRY, IA32E_MODE_GUEST)),
		RIGHTS(TR), UNLESS(tr_type_ia32e), BY(CLEAR(GUEST_TR_ACCESS_RIGHTS, 8))},
	{"entry.guest.tr.busy", "the TSS is busy", RIGHTS(TR), UNLESS(tr_available),
		BY(CLEAR(GUEST_TR_ACCESS_RIGHTS, 2))},
	{"entry.guest.tr.unusable", "bit 16 (unusable) is 0", RIGHTS(TR), ZERO(AR_UNUSABLE)},
	{"entry.guest.ldtr.type", "the type is 2", RIGHTS(LDTR), UNLESS(ldtr_type), USABLE,
		BY(CLEAR(GUEST_LDTR_ACCESS_RIGHTS, 2))},
	SYSTEM(S_CLEAR),
	SYSTEM(PRESENT),
	SYSTEM(AR_11_8),
	SYSTEM(G_LOW),
	SYSTEM(G_HIGH),
	SYSTEM(AR_31_17),
	{"entry.guest.fred.ss-dpl", "DPL is 0 or 3 where CR4.FRED = 1", WHEN(ON(FACT, FRED)), RIGHTS(SS), UNLESS(fred_dpl),
		BY(SET_BITS(GUEST_SS_ACCESS_RIGHTS, BIT(5)), SET_BITS(GUEST_SS_SELECTOR, 1),
			SET_BITS(GUEST_CS_ACCESS_RIGHTS, BIT(5)), SET_BITS(GUEST_CS_SELECTOR, 1))},
	{"entry.guest.fred.cs-l", "L is 1 where CR4.FRED = 1 and SS.DPL = 0", WHEN(ON(FACT, FRED)), RIGHTS(CS),
		UNLESS(fred_not_64), BY(CLEAR(GUEST_CS_ACCESS_RIGHTS, AR_L))},
};
/* clang-format on */

GROUP(group_guest_segments, "27.3.1.2 Checks on Guest Segment Registers", rules, STAGE_GUEST, 0);
