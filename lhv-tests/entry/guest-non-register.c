/* Checks on guest non-register state: activity, interruptibility, pending debug exceptions, VMCS link pointer. */
#include "lhv-tests/entry/rule.h"

/* ---- Activity state --------------------------------------------------------------------------------- */

/* IA32_VMX_MISC[8:6]: HLT, shutdown, wait-for-SIPI */
static bool not_supported(struct entry *e, const struct entry_rule *rule, u64 activity)
{
	(void)rule;
	return activity >= ACTIVITY_HLT && activity <= ACTIVITY_SIPI && !(e->caps->vmx.misc & BIT(5 + activity));
}

static bool hlt_dpl(struct entry *e, const struct entry_rule *rule, u64 activity)
{
	(void)rule;
	return activity == ACTIVITY_HLT && AR_DPL(GET(GUEST_SS_ACCESS_RIGHTS));
}

static bool not_active_sti(struct entry *e, const struct entry_rule *rule, u64 activity)
{
	(void)rule;
	return activity != ACTIVITY_ACTIVE && (GET(GUEST_INTERRUPTIBILITY) & BLOCKED_STI);
}

static bool not_active_mov_ss(struct entry *e, const struct entry_rule *rule, u64 activity)
{
	(void)rule;
	return activity != ACTIVITY_ACTIVE && (GET(GUEST_INTERRUPTIBILITY) & BLOCKED_MOV_SS);
}

static bool hlt_hardware(struct entry *e, const struct entry_rule *rule, u64 activity)
{
	(void)rule;
	u64 info = GET(ENTRY_INTERRUPTION_INFO);

	return activity == ACTIVITY_HLT && INFO_TYPE(info) == EVENT_HARDWARE && INFO_VECTOR(info) != 1 &&
	       INFO_VECTOR(info) != 18;
}

static bool hlt_software(struct entry *e, const struct entry_rule *rule, u64 activity)
{
	(void)rule;
	unsigned type = INFO_TYPE(GET(ENTRY_INTERRUPTION_INFO));

	return activity == ACTIVITY_HLT && type >= EVENT_SOFTWARE_INTERRUPT && type <= EVENT_SOFTWARE_EXCEPTION;
}

/* Of other events only the pending MTF VM exit may wake */
static bool hlt_other(struct entry *e, const struct entry_rule *rule, u64 activity)
{
	(void)rule;
	u64 info = GET(ENTRY_INTERRUPTION_INFO);

	return activity == ACTIVITY_HLT && INFO_TYPE(info) == EVENT_OTHER && INFO_VECTOR(info) && IN_FORCE(FACT,
		FRED);
}

static bool shutdown_event(struct entry *e, const struct entry_rule *rule, u64 activity)
{
	(void)rule;
	u64 info = GET(ENTRY_INTERRUPTION_INFO);
	bool machine_check = INFO_TYPE(info) == EVENT_HARDWARE && INFO_VECTOR(info) == 18;

	return activity == ACTIVITY_SHUTDOWN && INFO_TYPE(info) != EVENT_NMI && !machine_check;
}

static bool sipi(struct entry *e, const struct entry_rule *rule, u64 activity)
{
	(void)e, (void)rule;
	return activity == ACTIVITY_SIPI;
}

/* ---- Interruptibility state -------------------------------------------------------------------------- */

static bool both(struct entry *e, const struct entry_rule *rule, u64 state)
{
	(void)e, (void)rule;
	return (state & BLOCKED_STI) && (state & BLOCKED_MOV_SS);
}

static bool sti_without_if(struct entry *e, const struct entry_rule *rule, u64 state)
{
	(void)rule;
	return (state & BLOCKED_STI) && !(GET(GUEST_RFLAGS) & RFLAGS_IF);
}

/* An event of type of[0] of the row's bits is injected while the state has the bit of[1]. */
#define BLOCKS(type, bit) ((u64)(type) << 32 | (bit))
static bool blocked(struct entry *e, const struct entry_rule *rule, u64 state)
{
	return INFO_TYPE(GET(ENTRY_INTERRUPTION_INFO)) == rule->bits >> 32 && (state & (u32)rule->bits);
}

static bool enclave_mov_ss(struct entry *e, const struct entry_rule *rule, u64 state)
{
	(void)e, (void)rule;
	return (state & ENCLAVE_INTERRUPTION) && (state & BLOCKED_MOV_SS);
}

static bool sti_ring_3(struct entry *e, const struct entry_rule *rule, u64 state)
{
	(void)rule;
	return (state & BLOCKED_STI) && AR_DPL(GET(GUEST_SS_ACCESS_RIGHTS)) == 3;
}

/* ---- Pending debug exceptions ------------------------------------------------------------------------- */

static u64 pending_reserved(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	u64 reserved = BITS(63, 17) | BIT(15) | BIT(13) | BITS(11, 4);

	return entry_has(e->caps, FACT_BUS_LOCK) ? reserved & ~PENDING_BUS_LOCK : reserved;
}

/* Where BS must say whether a single-step trap is pending: the rows' bits */
enum { AFTER_STI = 1, AFTER_MOV_SS, IN_HLT };

static bool step_known(struct entry *e, unsigned where)
{
	switch (where) {
	case AFTER_STI:
		return (GET(GUEST_INTERRUPTIBILITY) & BLOCKED_STI) != 0;
	case AFTER_MOV_SS: /* one blocking is enough for one message */
		return (GET(GUEST_INTERRUPTIBILITY) & (BLOCKED_MOV_SS | BLOCKED_STI)) == BLOCKED_MOV_SS;
	default:
		return GET(GUEST_ACTIVITY_STATE) == ACTIVITY_HLT &&
		       !(GET(GUEST_INTERRUPTIBILITY) & (BLOCKED_MOV_SS | BLOCKED_STI));
	}
}

static bool single_step(struct entry *e)
{
	return (GET(GUEST_RFLAGS) & RFLAGS_TF) && !(GET(GUEST_IA32_DEBUGCTL) & DEBUGCTL_BTF);
}

static bool bs_missing(struct entry *e, const struct entry_rule *rule, u64 pending)
{
	return step_known(e, rule->bits) && single_step(e) && !(pending & PENDING_BS);
}

static bool bs_forbidden(struct entry *e, const struct entry_rule *rule, u64 pending)
{
	return step_known(e, rule->bits) && !single_step(e) && (pending & PENDING_BS);
}

static bool rtm_others(struct entry *e, const struct entry_rule *rule, u64 pending)
{
	(void)e, (void)rule;
	return (pending & PENDING_RTM) && (pending & (BITS(3, 0) | PENDING_BUS_LOCK | PENDING_BS));
}

static bool rtm_enabled(struct entry *e, const struct entry_rule *rule, u64 pending)
{
	(void)e, (void)rule;
	return (pending & PENDING_RTM) && !(pending & PENDING_ENABLED);
}

static bool rtm_mov_ss(struct entry *e, const struct entry_rule *rule, u64 pending)
{
	(void)rule;
	return (pending & PENDING_RTM) && (GET(GUEST_INTERRUPTIBILITY) & BLOCKED_MOV_SS);
}

/* ---- VMCS link pointer -------------------------------------------------------------------------------- */

/* Only an address that is one can be looked at. */
static bool link_readable(struct entry *e, u64 pointer)
{
	return !(pointer & (BITS(11, 0) | mask_beyond_width(e, 0)));
}

static bool link_revision(struct entry *e, const struct entry_rule *rule, u64 pointer)
{
	(void)rule;
	return link_readable(e, pointer) && (entry_read32(e, pointer) & BITS(30,
		0)) != caps_revision(&e->caps->vmx) && !e->unknown;
}

static bool link_not_shadow(struct entry *e, const struct entry_rule *rule, u64 pointer)
{
	(void)rule;
	return link_readable(e, pointer) && !(entry_read32(e, pointer) & BIT(31)) && !e->unknown;
}

static bool link_shadow(struct entry *e, const struct entry_rule *rule, u64 pointer)
{
	(void)rule;
	return link_readable(e, pointer) && (entry_read32(e, pointer) & BIT(31)) && !e->unknown;
}

static bool link_current(struct entry *e, const struct entry_rule *rule, u64 pointer)
{
	(void)rule;
	if (!e->mode->address_known)
		e->unknown = true;
	return e->mode->address_known && pointer == e->mode->current_vmcs;
}

static bool link_executive(struct entry *e, const struct entry_rule *rule, u64 pointer)
{
	(void)rule;
	return pointer == GET(EXECUTIVE_POINTER);
}

#define ACTIVITY .field = IMAGE_GUEST_ACTIVITY_STATE
#define STATE .field = IMAGE_GUEST_INTERRUPTIBILITY
#define PENDING .field = IMAGE_GUEST_PENDING_DEBUG
#define LINK .field = IMAGE_LINK_POINTER, .qualification = 4
#define ENTER(number) SET(GUEST_ACTIVITY_STATE, number)
#define HLT_OFFERED DO(ON(FACT, HLT))
#define INJECTED(type, vector) SET(ENTRY_INTERRUPTION_INFO, INFO(type, vector))
#define BLOCK(bits) SET(GUEST_INTERRUPTIBILITY, bits)
#define STI SET_BITS(GUEST_RFLAGS, RFLAGS_IF), BLOCK(BLOCKED_STI)
/* two rows for each place where BS must be right */
#define BS_ROWS(id, where, place_number, ...) \
	{"entry.guest.pdbg.bs-required." id, "BS is 1 " where ", where RFLAGS.TF = 1 and IA32_DEBUGCTL.BTF = 0", \
		PENDING, UNLESS(bs_missing), .bits = place_number, \
		GIVEN(__VA_ARGS__, SET_BITS(GUEST_RFLAGS, RFLAGS_TF), SET(GUEST_PENDING_DEBUG, PENDING_BS)), \
		BY(SET(GUEST_PENDING_DEBUG, 0))}, \
	{"entry.guest.pdbg.bs-forbidden." id, "BS is 0 " where ", where RFLAGS.TF = 0 or IA32_DEBUGCTL.BTF = 1", \
		PENDING, UNLESS(bs_forbidden), .bits = place_number, \
		GIVEN(__VA_ARGS__), BY(SET(GUEST_PENDING_DEBUG, PENDING_BS))}

/* clang-format off */
static const struct entry_rule rules[] = {
	{"entry.guest.activity.range", "the activity state is 0 to 3", ACTIVITY, AT_MOST(3)},
	{"entry.guest.activity.unsupported", "IA32_VMX_MISC[8:6] offers the activity state", ACTIVITY,
		UNLESS(not_supported), BY(STEP(STEP_ACTIVITY))},
	{"entry.guest.activity.hlt-dpl", "SS.DPL is 0 in HLT", ACTIVITY, UNLESS(hlt_dpl),
		GIVEN(HLT_OFFERED, SET_BITS(GUEST_SS_ACCESS_RIGHTS, 3 << 5), SET_BITS(GUEST_SS_SELECTOR, 3),
			SET_BITS(GUEST_CS_ACCESS_RIGHTS, 3 << 5), SET_BITS(GUEST_CS_SELECTOR, 3)),
		BY(ENTER(ACTIVITY_HLT))},
	{"entry.guest.activity.blocking-sti", "it is active with blocking by STI", ACTIVITY, UNLESS(not_active_sti),
		GIVEN(HLT_OFFERED, STI), BY(ENTER(ACTIVITY_HLT))},
	{"entry.guest.activity.blocking-movss", "it is active with blocking by MOV SS", ACTIVITY,
		UNLESS(not_active_mov_ss), GIVEN(HLT_OFFERED, BLOCK(BLOCKED_MOV_SS)), BY(ENTER(ACTIVITY_HLT))},
	{"entry.guest.activity.hlt-inject-hw", "of hardware exceptions only #DB and #MC are injected into HLT",
		WHEN(ON(FACT, INJECT)), ACTIVITY, UNLESS(hlt_hardware),
		GIVEN(HLT_OFFERED, ENTER(ACTIVITY_HLT), INJECTED(EVENT_HARDWARE, 1)),
		BY(INJECTED(EVENT_HARDWARE, 6))},
	{"entry.guest.activity.hlt-inject-sw", "no software event is injected into HLT", WHEN(ON(FACT, INJECT)),
		ACTIVITY, UNLESS(hlt_software),
		GIVEN(HLT_OFFERED, ENTER(ACTIVITY_HLT), INJECTED(EVENT_HARDWARE, 1),
			SET(ENTRY_INSTRUCTION_LENGTH, 2)), BY(INJECTED(EVENT_SOFTWARE_INTERRUPT, 0x80))},
	{"entry.guest.activity.hlt-inject-other",
		"of other events only the pending MTF VM exit is injected into HLT",
		WHEN(ON(FACT, INJECT), ON(FACT, FRED), ON(FACT, MTF)), ACTIVITY, UNLESS(hlt_other),
		GIVEN(HLT_OFFERED, ENTER(ACTIVITY_HLT), INJECTED(EVENT_OTHER, 0)), BY(INJECTED(EVENT_OTHER, 1))},
	{"entry.guest.activity.shutdown-inject", "only NMI and #MC are injected into shutdown",
		WHEN(ON(FACT, INJECT)), ACTIVITY, UNLESS(shutdown_event),
		GIVEN(DO(ON(FACT, SHUTDOWN)), ENTER(ACTIVITY_SHUTDOWN), INJECTED(EVENT_HARDWARE, 18)),
		BY(INJECTED(EVENT_HARDWARE, 1))},
	{"entry.guest.activity.sipi-inject", "nothing is injected into wait-for-SIPI", WHEN(ON(FACT, INJECT)),
		ACTIVITY, UNLESS(sipi), GIVEN(DO(ON(FACT, SIPI))), BY(ENTER(ACTIVITY_SIPI))},
	{"entry.guest.activity.smm-sipi", "entry to SMM is not into wait-for-SIPI",
		WHEN(ON(ENTRY, ENTRY_TO_SMM), ON(FACT, SMM)), ACTIVITY, UNLESS(sipi), GIVEN(DO(ON(FACT, SIPI))),
		BY(ENTER(ACTIVITY_SIPI))},
	{"entry.guest.intr.reserved", "bits 31:5 are 0", STATE, ZERO(BITS(31, 5))},
	{"entry.guest.intr.both", "there is not blocking by both STI and MOV SS", STATE, UNLESS(both), GIVEN(STI),
		BY(BLOCK(BLOCKED_STI | BLOCKED_MOV_SS))},
	{"entry.guest.intr.sti-if0", "RFLAGS.IF = 1 with blocking by STI", STATE, UNLESS(sti_without_if), GIVEN(STI),
		BY(CLEAR(GUEST_RFLAGS, RFLAGS_IF))},
	{"entry.guest.intr.extint-sti", "no external interrupt is injected with blocking by STI",
		WHEN(ON(FACT, INJECT)), STATE, UNLESS(blocked), .bits = BLOCKS(EVENT_EXTERNAL, BLOCKED_STI),
		GIVEN(INJECTED(EVENT_HARDWARE, 6), STI), BY(INJECTED(EVENT_EXTERNAL, 0x20))},
	{"entry.guest.intr.extint-movss", "no external interrupt is injected with blocking by MOV SS",
		WHEN(ON(FACT, INJECT)), STATE, UNLESS(blocked), .bits = BLOCKS(EVENT_EXTERNAL, BLOCKED_MOV_SS),
		GIVEN(SET_BITS(GUEST_RFLAGS, RFLAGS_IF), INJECTED(EVENT_EXTERNAL, 0x20)), BY(BLOCK(BLOCKED_MOV_SS))},
	{"entry.guest.intr.nmi-movss", "no NMI is injected with blocking by MOV SS", WHEN(ON(FACT, INJECT)), STATE,
		UNLESS(blocked), .bits = BLOCKS(EVENT_NMI, BLOCKED_MOV_SS), GIVEN(INJECTED(EVENT_NMI, 2)),
		BY(BLOCK(BLOCKED_MOV_SS))},
	{"entry.guest.intr.nmi-sti", "a processor may refuse an NMI injected with blocking by STI",
		WHEN(ON(FACT, INJECT)), STATE, UNLESS(blocked), .bits = BLOCKS(EVENT_NMI, BLOCKED_STI),
		.qualification = 3, OPEN, GIVEN(STI, INJECTED(EVENT_HARDWARE, 6)), BY(INJECTED(EVENT_NMI, 2))},
	{"entry.guest.intr.smi-outside", "there is no blocking by SMI outside SMM", WHEN(OFF(FACT, SMM)), STATE,
		ZERO(BLOCKED_SMI)},
	{"entry.guest.intr.smi-smm-entry", "there is blocking by SMI on entry to SMM",
		WHEN(ON(ENTRY, ENTRY_TO_SMM), ON(FACT, SMM)), STATE, ONE(BLOCKED_SMI)},
	{"entry.guest.intr.vnmi", "no NMI is injected with blocking by NMI and virtual NMIs",
		WHEN(ON(FACT, INJECT), ON(PIN, VIRTUAL_NMIS)), STATE, UNLESS(blocked),
		.bits = BLOCKS(EVENT_NMI, BLOCKED_NMI), GIVEN(INJECTED(EVENT_NMI, 2)), BY(BLOCK(BLOCKED_NMI))},
	{"entry.guest.intr.enclave-movss", "there is no blocking by MOV SS with enclave interruption", STATE,
		UNLESS(enclave_mov_ss), WHEN(ON(FACT, SGX)), GIVEN(BLOCK(ENCLAVE_INTERRUPTION)),
		BY(BLOCK(ENCLAVE_INTERRUPTION | BLOCKED_MOV_SS))},
	{"entry.guest.intr.enclave-nosgx", "there is no enclave interruption without SGX", WHEN(OFF(FACT, SGX)),
		STATE, ZERO(ENCLAVE_INTERRUPTION)},
	{"entry.guest.intr.fred-sti", "there is no blocking by STI where CR4.FRED = 1 and SS.DPL = 3",
		WHEN(ON(FACT, FRED)), STATE, UNLESS(sti_ring_3),
		GIVEN(SET_BITS(GUEST_RFLAGS, RFLAGS_IF), SET_BITS(GUEST_SS_ACCESS_RIGHTS, 3 << 5),
			SET_BITS(GUEST_SS_SELECTOR, 3), SET_BITS(GUEST_CS_ACCESS_RIGHTS, 3 << 5),
			SET_BITS(GUEST_CS_SELECTOR, 3)), BY(BLOCK(BLOCKED_STI))},
	{"entry.guest.pdbg.reserved", "reserved bits are 0", PENDING, ZERO_BY(pending_reserved)},
	BS_ROWS("sti", "with blocking by STI", AFTER_STI, STI),
	BS_ROWS("movss", "with blocking by MOV SS", AFTER_MOV_SS, BLOCK(BLOCKED_MOV_SS)),
	BS_ROWS("hlt", "in HLT", IN_HLT, HLT_OFFERED, ENTER(ACTIVITY_HLT)),
	{"entry.guest.pdbg.rtm-others", "no other bits but bit 12 with RTM", WHEN(ON(FACT, RTM)), PENDING,
		UNLESS(rtm_others), GIVEN(SET(GUEST_PENDING_DEBUG, PENDING_RTM | PENDING_ENABLED)),
		BY(SET_BITS(GUEST_PENDING_DEBUG, 1))},
	{"entry.guest.pdbg.rtm-no-12", "bit 12 is 1 with RTM", WHEN(ON(FACT, RTM)), PENDING, UNLESS(rtm_enabled),
		GIVEN(SET(GUEST_PENDING_DEBUG, PENDING_RTM | PENDING_ENABLED)),
		BY(CLEAR(GUEST_PENDING_DEBUG, PENDING_ENABLED))},
	{"entry.guest.pdbg.rtm-unsupported", "RTM (bit 16) is 0 on a processor without RTM", WHEN(OFF(FACT, RTM)),
		PENDING, ZERO(PENDING_RTM)},
	{"entry.guest.pdbg.rtm-movss", "there is no blocking by MOV SS with RTM", WHEN(ON(FACT, RTM)), PENDING,
		UNLESS(rtm_mov_ss), GIVEN(SET(GUEST_PENDING_DEBUG, PENDING_RTM | PENDING_ENABLED)),
		BY(BLOCK(BLOCKED_MOV_SS))},
	{"entry.guest.link.align", "bits 11:0 are 0", WHEN(ON(FACT, LINK)), LINK, ALIGNED(12)},
	{"entry.guest.link.width", "the address is within the physical-address width", WHEN(ON(FACT, LINK)), LINK,
		WIDTH},
	{"entry.guest.link.revision", "bits 30:0 of the linked VMCS's first word are the VMCS revision identifier",
		WHEN(ON(FACT, LINK)), LINK, UNLESS(link_revision), BY(SET_LINKED(1))},
	{"entry.guest.link.shadow-bit", "bit 31 of that word is 1 with VMCS shadowing",
		WHEN(ON(FACT, LINK), ON(PROC2, VMCS_SHADOWING)), LINK, UNLESS(link_not_shadow),
		BY(SET_LINKED(BIT(31)))},
	{"entry.guest.link.shadow-bit-clear", "bit 31 of that word is 0 without VMCS shadowing",
		WHEN(ON(FACT, LINK), OFF(PROC2, VMCS_SHADOWING)), LINK, UNLESS(link_shadow), BY(SET_LINKED(BIT(31)))},
	{"entry.guest.link.current", "it is not the current VMCS", WHEN(ON(FACT, LINK), OFF(FACT, SMM)), LINK,
		UNLESS(link_current), GIVEN(DO(OFF(PROC2, VMCS_SHADOWING))), BY(STEP(STEP_CURRENT))},
	{"entry.guest.link.current-smm", "it is not the current VMCS, on entry to SMM",
		WHEN(ON(FACT, LINK), ON(FACT, SMM), ON(ENTRY, ENTRY_TO_SMM)), LINK, UNLESS(link_current),
		GIVEN(DO(OFF(PROC2, VMCS_SHADOWING))), BY(STEP(STEP_CURRENT))},
	{"entry.guest.link.executive", "it is not the executive VMCS, in SMM without entry to SMM",
		WHEN(ON(FACT, LINK), ON(FACT, SMM), OFF(ENTRY, ENTRY_TO_SMM)), LINK, UNLESS(link_executive),
		BY(STEP(STEP_EXECUTIVE))},
};
/* clang-format on */

GROUP(group_guest_non_register, "27.3.1.5 Checks on Guest Non-Register State", rules, STAGE_GUEST, 0);
