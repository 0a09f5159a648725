/* What a rule looks at: fields, controls in force, memory; and whether it applies and holds. */
#include "lhv-tests/entry/rule.h"

u64 entry_get(struct entry *e, unsigned field)
{
	if (field >= IMAGE_FIELDS)
		return 0;
	if (!e->image->there[field])
		e->unknown = true;
	return e->image->there[field] ? e->image->value[field] : 0;
}

static bool read_memory(struct entry *e, u64 address, void *to, u32 size)
{
	const struct entry_memory *memory = e->place->memory;

	if (memory && memory->read && memory->read(memory->context, address, to, size))
		return true;
	e->unknown = true;
	return false;
}

u32 entry_read32(struct entry *e, u64 address)
{
	u32 value = 0;

	return read_memory(e, address, &value, sizeof(value)) ? value : 0;
}

u64 entry_read64(struct entry *e, u64 address)
{
	u64 value = 0;

	return read_memory(e, address, &value, sizeof(value)) ? value : 0;
}

/* ---- Controls and facts in force ------------------------------------------------------------------- */

/* A control that may not be 1 is not in force: its own rule is violated, what would depend on it is left alone. */
static void take_controls(struct entry *e, enum control_kind kind, unsigned field, bool active, bool active_known)
{
	e->unknown = false;
	u64 value = active ? entry_get(e, field) & control_kind_caps(kind, &e->caps->vmx).may_be_1 : 0;
	e->in_force[kind] = value;
	e->not_known[kind] = e->unknown || !active_known ? ~0ull : 0;
}

static void take_all_controls(struct entry *e)
{
	take_controls(e, CONTROL_PIN, IMAGE_PIN_CONTROLS, true, true);
	take_controls(e, CONTROL_PROC, IMAGE_PROC_CONTROLS, true, true);
	bool known = !e->not_known[CONTROL_PROC];
	take_controls(e, CONTROL_PROC2, IMAGE_PROC2_CONTROLS, IN_FORCE(PROC, ACTIVATE_SECONDARY_CONTROLS), known);
	take_controls(e, CONTROL_PROC3, IMAGE_PROC3_CONTROLS, IN_FORCE(PROC, ACTIVATE_TERTIARY_CONTROLS), known);
	take_controls(e, CONTROL_VMFUNC, IMAGE_VM_FUNCTION_CONTROLS, IN_FORCE(PROC2, ENABLE_VM_FUNCTIONS),
		!e->not_known[CONTROL_PROC2]);
	take_controls(e, CONTROL_EXIT, IMAGE_EXIT_CONTROLS, true, true);
	take_controls(e, CONTROL_EXIT2, IMAGE_EXIT2_CONTROLS, IN_FORCE(EXIT, ACTIVATE_SECONDARY_CONTROLS),
		!e->not_known[CONTROL_EXIT]);
	take_controls(e, CONTROL_ENTRY, IMAGE_ENTRY_CONTROLS, true, true);
}

static void take_fact(struct entry *e, enum entry_fact fact, bool holds)
{
	if (holds)
		e->in_force[CONTROL_FACT] |= fact;
	if (e->unknown)
		e->not_known[CONTROL_FACT] |= fact;
	e->unknown = false;
}

static void take_facts(struct entry *e)
{
	static const enum entry_fact of_processor[] = {
		FACT_ALWAYS, FACT_INTEL64, FACT_BASIC_56, FACT_MISC_30, FACT_SGX, FACT_RTM, FACT_LAM, FACT_BUS_LOCK,
		FACT_ADDRESSES_32,
		FACT_CET, FACT_PCID, FACT_CR4_FRED, FACT_MTF, FACT_NESTED, FACT_IBT,
		FACT_HLT, FACT_SHUTDOWN, FACT_SIPI};
	bool ia32e = IN_FORCE(ENTRY, IA32E_MODE_GUEST);

	e->unknown = false;
	for (unsigned i = 0; i < COUNT(of_processor); i++)
		take_fact(e, of_processor[i], entry_has(e->caps, of_processor[i]));
	take_fact(e, FACT_SMM, e->mode->smm);
	take_fact(e, FACT_LAUNCHED, e->mode->launched);
	take_fact(e, FACT_RESUME, e->mode->resume);
	take_fact(e, FACT_IA32E, e->mode->ia32e);
	take_fact(e, FACT_V86, GET(GUEST_RFLAGS) & RFLAGS_VM);
	take_fact(e, FACT_INJECT, GET(ENTRY_INTERRUPTION_INFO) & INFO_VALID);
	take_fact(e, FACT_GUEST_PE, GET(GUEST_CR0) & CR0_PE);
	take_fact(e, FACT_GUEST_PG, GET(GUEST_CR0) & CR0_PG);
	take_fact(e, FACT_PAE_PAGING, !ia32e && (GET(GUEST_CR0) & CR0_PG) && (GET(GUEST_CR4) & CR4_PAE));
	take_fact(e, FACT_LINK, GET(LINK_POINTER) != NO_LINK);
	take_fact(e, FACT_FRED, entry_has(e->caps, FACT_CR4_FRED) && (GET(GUEST_CR4) & CR4_FRED));
	take_fact(e, FACT_CODE_64, GET(GUEST_CS_ACCESS_RIGHTS) & AR_L);
	u64 info = GET(ENTRY_INTERRUPTION_INFO);
	unsigned type = INFO_TYPE(info);
	bool software = (type >= EVENT_SOFTWARE_INTERRUPT && type <= EVENT_SOFTWARE_EXCEPTION) ||
			(type == EVENT_OTHER && INFO_VECTOR(info));
	take_fact(e, FACT_SOFTWARE, (info & INFO_VALID) && software);
	take_fact(e, FACT_ERROR_CODE, (info & INFO_VALID) && (info & INFO_ERROR_CODE));
	take_fact(e, FACT_STEP_CHECKED, (GET(GUEST_INTERRUPTIBILITY) & (BLOCKED_STI | BLOCKED_MOV_SS)) ||
						GET(GUEST_ACTIVITY_STATE) == ACTIVITY_HLT);
	take_fact(e, FACT_STORE_AREA, GET(EXIT_MSR_STORE_COUNT));
	take_fact(e, FACT_LOAD_AREA, GET(EXIT_MSR_LOAD_COUNT));
	take_fact(e, FACT_ENTRY_AREA, GET(ENTRY_MSR_LOAD_COUNT));
	take_fact(e, FACT_CANONICAL_RIP, !(GET(GUEST_RIP) >> 48) && entry_linear_width(e->caps) == 48);
	take_fact(e, FACT_HOST_CET, entry_has(e->caps, FACT_CET) && (GET(HOST_CR4) & CR4_CET));
	take_fact(e, FACT_GUEST_CET, entry_has(e->caps, FACT_CET) && (GET(GUEST_CR4) & CR4_CET));
}

void entry_open(struct entry *e, const struct vmcs_image *image, const struct entry_place *place)
{
	*e = (struct entry){.place = place, .image = image, .caps = place->caps, .mode = place->mode};
	take_all_controls(e);
	take_facts(e);
}

/* ---- Rules ------------------------------------------------------------------------------------------ */

bool entry_condition_holds(struct entry *e, struct entry_condition condition)
{
	u64 bit = BIT(condition.bit & 63);
	bool wanted = !(condition.bit & OFF_BIT);

	if (e->not_known[condition.kind] & bit)
		e->unknown = true;
	return ((e->in_force[condition.kind] & bit) != 0) == wanted;
}

unsigned entry_segment_of(unsigned field)
{
	if (field >= IMAGE_GUEST_ES_BASE && field <= IMAGE_GUEST_TR_BASE)
		return field - IMAGE_GUEST_ES_BASE;
	if (field >= IMAGE_GUEST_ES_LIMIT && field <= IMAGE_GUEST_TR_LIMIT)
		return field - IMAGE_GUEST_ES_LIMIT;
	if (field >= IMAGE_GUEST_ES_ACCESS_RIGHTS && field <= IMAGE_GUEST_TR_ACCESS_RIGHTS)
		return field - IMAGE_GUEST_ES_ACCESS_RIGHTS;
	return field - IMAGE_GUEST_ES_SELECTOR;
}

/* A condition that is known to fail settles it, whatever else is not known. */
bool entry_rule_applies(struct entry *e, const struct entry_rule *rule)
{
	bool unknown = false;

	for (unsigned i = 0; i < COUNT(rule->when) && (rule->when[i].kind || rule->when[i].bit); i++) {
		e->unknown = false;
		if (!entry_condition_holds(e, rule->when[i]) && !e->unknown)
			return false;
		unknown |= e->unknown;
	}
	e->unknown = false;
	if ((rule->flags & RULE_USABLE) && !entry_usable(e, entry_segment_of(rule->field)) && !e->unknown)
		return false;
	e->unknown |= unknown;
	return true;
}

u64 entry_rule_bits(const struct entry *e, const struct entry_rule *rule)
{
	return rule->mask ? rule->mask(e, rule) : rule->bits;
}

static bool pat_is_bad(u64 value)
{
	for (unsigned i = 0; i < 8; i++, value >>= 8)
		if ((value & 0xff) > 7 || (value & 0xff) == 2 || (value & 0xff) == 3)
			return true;
	return false;
}

bool entry_rule_bad(struct entry *e, const struct entry_rule *rule, u64 *value)
{
	u64 bits = entry_rule_bits(e, rule);

	*value = entry_get(e, rule->field);
	switch (rule->check) {
	case CHECK_ZERO:
		return *value & bits;
	case CHECK_ONE:
		return ~*value & bits;
	case CHECK_EQUAL:
		return *value != bits;
	case CHECK_NOT_EQUAL:
		return *value == bits;
	case CHECK_AT_MOST:
		return *value > bits;
	case CHECK_CANONICAL:
		return entry_not_canonical(e, *value);
	case CHECK_PAT:
		return pat_is_bad(*value);
	case CHECK_CONTROL:
		return !entry_condition_holds(e, rule->must);
	default:
		return rule->bad(e, rule, *value);
	}
}
