/* Checks on guest RIP, RFLAGS and SSP. */
#include "lhv-tests/entry/rule.h"

static bool code_64(struct entry *e)
{
	return IN_FORCE(ENTRY, IA32E_MODE_GUEST) && IN_FORCE(FACT, CODE_64);
}

static bool rip_high(struct entry *e, const struct entry_rule *rule, u64 rip)
{
	(void)rule;
	return !code_64(e) && rip >> 32;
}

/* Bits 63:N of a processor with N linear-address bits; bit N - 1 is not looked at. */
static bool beyond_linear_width(struct entry *e, u64 address)
{
	u8 width = entry_linear_width(e->caps);
	u64 high = address >> width;

	return high && high != BITS(63 - width, 0);
}

static bool rip_width(struct entry *e, const struct entry_rule *rule, u64 rip)
{
	(void)rule;
	return code_64(e) && beyond_linear_width(e, rip);
}

static bool ssp_width(struct entry *e, const struct entry_rule *rule, u64 ssp)
{
	(void)rule;
	return code_64(e) && beyond_linear_width(e, ssp);
}

static bool external_interrupt(struct entry *e, const struct entry_rule *rule, u64 rflags)
{
	(void)rule;
	return INFO_TYPE(GET(ENTRY_INTERRUPTION_INFO)) == EVENT_EXTERNAL && !(rflags & RFLAGS_IF);
}

static bool iopl(struct entry *e, const struct entry_rule *rule, u64 rflags)
{
	(void)rule;
	return AR_DPL(GET(GUEST_SS_ACCESS_RIGHTS)) == 3 && (rflags & RFLAGS_IOPL);
}

/* clang-format off */
static const struct entry_rule rules[] = {
	{"entry.guest.rip.high", "bits 63:32 of RIP are 0 where the guest is not in 64-bit mode",
		WHEN(ON(FACT, INTEL64)), ABOUT(GUEST_RIP), UNLESS(rip_high), GIVEN(DO(OFF(ENTRY, IA32E_MODE_GUEST))),
		BY(SET_BITS(GUEST_RIP, BIT(32)))},
	{"entry.guest.rip.linear-width", "bits of RIP beyond the linear-address width are the same in 64-bit mode",
		WHEN(ON(ENTRY, IA32E_MODE_GUEST), ON(FACT, CODE_64)), ABOUT(GUEST_RIP), UNLESS(rip_width),
		BY(SET_BITS(GUEST_RIP, BIT(62)))},
	{"entry.guest.rflags.reserved-0", "bits 63:22, 15, 5 and 3 are 0", ABOUT(GUEST_RFLAGS),
		ZERO(BITS(63, 22) | BIT(15) | BIT(5) | BIT(3))},
	{"entry.guest.rflags.reserved-1", "bit 1 is 1", ABOUT(GUEST_RFLAGS), ONE(RFLAGS_FIXED)},
	{"entry.guest.rflags.vm-ia32e", "VM is 0 in an IA-32e mode guest", WHEN(ON(ENTRY, IA32E_MODE_GUEST)),
		ABOUT(GUEST_RFLAGS), ZERO(RFLAGS_VM), BY(SET_V86)},
	{"entry.guest.rflags.vm-pe0", "VM is 0 where CR0.PE = 0",
		WHEN(OFF(FACT, GUEST_PE), ON(PROC2, UNRESTRICTED_GUEST)), ABOUT(GUEST_RFLAGS), ZERO(RFLAGS_VM),
		BY(SET_V86)},
	{"entry.guest.rflags.if-extint", "IF is 1 where an external interrupt is injected", WHEN(ON(FACT, INJECT)),
		ABOUT(GUEST_RFLAGS), UNLESS(external_interrupt),
		GIVEN(SET_BITS(GUEST_RFLAGS, RFLAGS_IF), SET(ENTRY_INTERRUPTION_INFO, INFO(EVENT_EXTERNAL, 0x20))),
		BY(CLEAR(GUEST_RFLAGS, RFLAGS_IF))},
	{"entry.guest.fred.iopl", "IOPL is 0 where CR4.FRED = 1 and SS.DPL = 3", WHEN(ON(FACT, FRED)),
		ABOUT(GUEST_RFLAGS), UNLESS(iopl),
		GIVEN(SET_BITS(GUEST_SS_ACCESS_RIGHTS, 3 << 5), SET_BITS(GUEST_SS_SELECTOR, 3),
			SET_BITS(GUEST_CS_ACCESS_RIGHTS, 3 << 5), SET_BITS(GUEST_CS_SELECTOR, 3)),
		BY(SET_BITS(GUEST_RFLAGS, BIT(12)))},
	{"entry.guest.ssp.align", "bits 1:0 of SSP are 0", WHEN(ON(ENTRY, LOAD_CET)), ABOUT(GUEST_SSP), ALIGNED(2)},
	{"entry.guest.ssp.linear-width", "bits of SSP beyond the linear-address width are the same in 64-bit mode",
		WHEN(ON(ENTRY, LOAD_CET), ON(ENTRY, IA32E_MODE_GUEST), ON(FACT, CODE_64)), ABOUT(GUEST_SSP),
		UNLESS(ssp_width), BY(SET_BITS(GUEST_SSP, BIT(62)))},
	{"entry.guest.ssp.high", "bits 63:32 of SSP are 0 outside IA-32e mode",
		WHEN(ON(ENTRY, LOAD_CET), OFF(ENTRY, IA32E_MODE_GUEST)), ABOUT(GUEST_SSP), ZERO(BITS(63, 32)), OPEN},
};
/* clang-format on */

GROUP(group_guest_rip, "27.3.1.4 Checks on Guest RIP, RFLAGS, and SSP", rules, STAGE_GUEST, 0);
