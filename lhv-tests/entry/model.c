/* The walk over the rules of the VM-entry model, and the outcomes that follow from what they say. */
#include "lhv-tests/entry/rule.h"

const struct entry_group *const entry_groups[] = {
	&group_basic,	      &group_controls_execution,
		&group_controls_exit,	&group_controls_entry,	   &group_host_control,
	&group_host_segments,
		&group_host_size,		 &group_guest_control,	&group_guest_segments,	   &group_guest_tables,
	&group_guest_rip,     &group_guest_non_register, &group_guest_pdptes,	&group_msr_load,
};
const unsigned entry_group_count = COUNT(entry_groups);

unsigned entry_rule_count(void)
{
	unsigned count = 0;

	for (unsigned g = 0; g < entry_group_count; g++)
		count += entry_groups[g]->count;
	return count;
}

const struct entry_rule *entry_rule_at(unsigned number, const struct entry_group **group)
{
	for (unsigned g = 0; g < entry_group_count; number -= entry_groups[g++]->count)
		if (number < entry_groups[g]->count) {
			if (group)
				*group = entry_groups[g];
			return &entry_groups[g]->rules[number];
		}
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

const struct entry_rule *entry_rule_find(const char *id, const struct entry_group **group)
{
	for (unsigned i = 0; i < entry_rule_count(); i++) {
		const struct entry_rule *rule = entry_rule_at(i, group);

		if (same_text(rule->id, id))
			return rule;
	}
	return 0;
}

const char *entry_rule_id(const struct entry_rule *rule)
{
	return rule->id;
}

const char *entry_rule_text(const struct entry_rule *rule)
{
	return rule->text;
}

/* ---- One violation ---------------------------------------------------------------------------------- */

static void blame(struct entry *e, const struct entry_group *group, const struct entry_rule *rule, u64 value,
		struct violation *v)
{
	u64 bits = entry_rule_bits(e, rule);

	*v = (struct violation){.rule = rule, .group = group, .field = rule->field, .value = value,
				.open = e->open || (rule->flags & RULE_OPEN)};
	v->qualification = group->stage == STAGE_GUEST ? rule->qualification : e->msr_number;
	v->legal_known = true;
	if (rule->check == CHECK_ZERO)
		v->legal = value & ~bits;
	else if (rule->check == CHECK_ONE)
		v->legal = value | bits;
	else if (rule->check == CHECK_EQUAL || rule->check == CHECK_AT_MOST)
		v->legal = bits;
	else
		v->legal_known = false;
	if (group->stage == STAGE_LOAD) {
		v->msr = (u32)e->msr_head;
		v->value = e->msr_value;
		v->legal_known = false;
	}
}

struct list {
	struct violation *out;
	unsigned max, count;
	struct entry_unknown unknown;
};

static void check_rule(struct entry *e, const struct entry_group *group, const struct entry_rule *rule,
		struct list *list)
{
	struct violation violation;
	u64 value = 0;

	e->unknown = e->open = false;
	bool bad = entry_rule_applies(e, rule) && !e->unknown && entry_rule_bad(e, rule, &value);
	if (e->unknown) {
		if (!list->unknown.rules++)
			list->unknown.first = rule;
		return;
	}
	if (!bad)
		return;
	blame(e, group, rule, value, &violation);
	if (list->count < list->max)
		list->out[list->count] = violation;
	list->count++;
}

static void check_msr_area(struct entry *e, struct list *list)
{
	u32 entries = entry_msr_count(e);

	for (u32 number = 1; number <= entries; number++) {
		e->unknown = false;
		entry_msr_take(e, number);
		if (e->unknown) { /* nor is what follows */
			list->unknown.rules += group_msr_load.count;
			if (!list->unknown.first)
				list->unknown.first = group_msr_load.rules;
			return;
		}
		for (unsigned i = 0; i < group_msr_load.count; i++)
			check_rule(e, &group_msr_load, &group_msr_load.rules[i], list);
	}
}

unsigned entry_check(const struct vmcs_image *image, const struct entry_place *place, struct violation *out,
		unsigned max,
		     struct entry_unknown *unknown)
{
	struct list list = {out, max, 0, {0, 0}};
	struct entry e;

	entry_open(&e, image, place);
	for (unsigned g = 0; g < entry_group_count; g++) {
		const struct entry_group *group = entry_groups[g];

		if (group->stage == STAGE_LOAD)
			check_msr_area(&e, &list);
		else
			for (unsigned i = 0; i < group->count; i++)
				check_rule(&e, group, &group->rules[i], &list);
	}
	if (unknown)
		*unknown = list.unknown;
	return list.count;
}

/* ---- Outcomes --------------------------------------------------------------------------------------- */

struct outcomes {
	struct entry_outcome *out;
	unsigned count;
};

static void may_come(struct outcomes *set, enum entry_result result, u32 number, u64 qualification)
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->out[i].result == result && set->out[i].number == number &&
		    set->out[i].qualification == qualification)
			return;
	if (set->count < ENTRY_OUTCOMES_MAX)
		set->out[set->count++] = (struct entry_outcome){result, number, qualification};
}

static void outcomes_of(struct outcomes *set, const struct violation *v)
{
	switch (v->group->stage) {
	case STAGE_BASIC:
		if (v->rule->bits)
			may_come(set, ENTRY_FAIL_VALID, (u32)v->rule->bits, 0);
		else
			may_come(set, ENTRY_FAIL_INVALID, 0, 0);
		break;
	case STAGE_CONTROLS_HOST:
		may_come(set, ENTRY_FAIL_VALID, v->group->error, 0);
		if (v->rule->flags & RULE_HOST_OR_CONTROL)
			may_come(set, ENTRY_FAIL_VALID, ERROR_ENTRY_CONTROL_FIELDS, 0);
		break;
	case STAGE_GUEST:
		may_come(set, ENTRY_FAILURE_EXIT, EXIT_REASON_INVALID_GUEST_STATE, v->qualification);
		break;
	default:
		may_come(set, ENTRY_FAILURE_EXIT, EXIT_REASON_MSR_LOADING, v->qualification);
	}
}

unsigned entry_outcomes(const struct violation *violations, unsigned count, struct entry_outcome *out)
{
	struct outcomes set = {out, 0};
	bool sure = false; /* some rule is violated that every processor checks */
	unsigned stage = STAGE_BASIC;

	for (unsigned i = 0; i < count; i++) {
		const struct violation *v = &violations[i];

		if (sure && v->group->stage != stage)
			break;
		/* 27.1 and 27.4 give an order of their own: the first that every processor checks decides */
		bool next_entry = stage == STAGE_LOAD && i && v->qualification > violations[i - 1].qualification;
		if (sure && (stage == STAGE_BASIC || next_entry))
			break;
		stage = v->group->stage;
		outcomes_of(&set, v);
		sure |= !v->open;
	}
	if (!sure)
		may_come(&set, ENTRY_SUCCEEDS, 0, 0);
	return set.count;
}
