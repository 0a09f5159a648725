/*
 * From a legal VMCS to one that violates just one rule: the rows' set-ups and steps, or what follows from the kind
 * of check.
 */
#include "lhv-tests/entry/establish.h"

#define VTPR 0x80u
#define MSR_SYSENTER_CS 0x174u
#define MSR_EFER_INDEX 0xc0000080u
#define MSR_ENTRIES 8u /* of the MSR area, for set-ups */

static bool write_memory(const struct entry_place *place, u64 address, const void *from, u32 size)
{
	const struct entry_memory *memory = place->memory;

	return memory && memory->write && memory->write(memory->context, address, from, size);
}

static bool write_u32(const struct entry_place *place, u64 address, u32 value)
{
	return write_memory(place, address, &value, sizeof(value));
}

static bool write_u64(const struct entry_place *place, u64 address, u64 value)
{
	return write_memory(place, address, &value, sizeof(value));
}

/* The first word of the linked VMCS as the rules want it, changed by difference */
static bool write_linked(const struct vmcs_image *image, const struct entry_place *place, u64 difference)
{
	struct entry entry, *e = &entry;

	entry_open(e, image, place);
	u64 word = caps_revision(&place->caps->vmx) | (IN_FORCE(PROC2, VMCS_SHADOWING) ? BIT(31) : 0);
	return write_u32(place, place->page[PAGE_LINKED], (u32)(word ^ difference));
}

/* What set-ups find in their pages */
static bool fill_memory(const struct vmcs_image *image, const struct entry_place *place)
{
	bool fine = write_linked(image, place, 0) && write_u32(place, place->page[PAGE_VIRTUAL_APIC] + VTPR, 0);

	for (unsigned i = 0; i < 4; i++)
		fine = fine && write_u64(place, place->page[PAGE_PDPTES] + 8 * i, 0);
	for (unsigned i = 0; i < MSR_ENTRIES; i++)
		fine = fine && write_u64(place, place->page[PAGE_MSRS] + 16 * i, MSR_SYSENTER_CS) &&
		       write_u64(place, place->page[PAGE_MSRS] + 16 * i + 8, 0);
	return fine;
}

/* ---- Bits that a field has, and steps ---------------------------------------------------------------- */

/* May the image have these bits of the field, as far as its width and the allowed controls go? */
static bool put(struct vmcs_image *image, const struct entry_place *place, unsigned field, u64 value)
{
	if (!image->there[field] || (value & ~entry_field_bits(place->caps, field)))
		return false;
	for (unsigned kind = CONTROL_NONE + 1; kind < CONTROL_KIND_END; kind++)
		if (entry_control_field(kind) == field &&
		    (value & ~image->value[field] & ~control_kind_caps(kind, &place->caps->vmx).may_be_1))
			return false;
	image->value[field] = value;
	return true;
}

static u64 guest_efer(const struct vmcs_image *image, const struct entry_place *place)
{
	struct entry entry, *e = &entry;

	entry_open(e, image, place);
	if (IN_FORCE(ENTRY, LOAD_EFER))
		return GET(GUEST_IA32_EFER);
	return IN_FORCE(ENTRY, IA32E_MODE_GUEST) ? EFER_LMA | EFER_LME : 0;
}

static bool activity_not_offered(struct vmcs_image *image, const struct entry_place *place)
{
	for (u64 activity = ACTIVITY_HLT; activity <= ACTIVITY_SIPI; activity++)
		if (!(place->caps->vmx.misc & BIT(5 + activity))) {
			image->value[IMAGE_GUEST_ACTIVITY_STATE] = activity;
			return true;
		}
	return false;
}

static bool take_step(const struct entry_step *step, struct vmcs_image *image, const struct entry_place *place)
{
	u64 value = image->value[step->field], msr = place->page[PAGE_MSRS] + 16ull * step->of;

	switch (step->kind) {
	case STEP_SET:
		return put(image, place, step->field, step->value);
	case STEP_BITS:
		return put(image, place, step->field, value | step->value);
	case STEP_CLEAR:
		return put(image, place, step->field, value & ~step->value);
	case STEP_FLIP:
		return put(image, place, step->field, value ^ step->value);
	case STEP_CONDITION:
		return entry_establish(image, place, step->condition);
	case STEP_V86:
		entry_set_v86(image);
		return true;
	case STEP_ACTIVITY:
		return activity_not_offered(image, place);
	case STEP_CURRENT:
		image->value[IMAGE_LINK_POINTER] = place->mode->current_vmcs;
		return place->mode->address_known;
	case STEP_EXECUTIVE:
		return put(image, place, IMAGE_EXECUTIVE_POINTER, image->value[IMAGE_LINK_POINTER]);
	case STEP_TOP:
		return put(image, place, step->field,
			   BIT(entry_has(place->caps,
			FACT_ADDRESSES_32) ? 32 : entry_physical_width(place->caps)) - step->value);
	case STEP_PAGE:
		return put(image, place, step->field, place->page[step->of]);
	case STEP_TPR:
		return write_u32(place, place->page[PAGE_VIRTUAL_APIC] + VTPR, (u32)step->value);
	case STEP_LINKED:
		return write_linked(image, place, step->value);
	case STEP_PDPTE:
		return write_u64(place, place->page[PAGE_PDPTES] + 8ull * step->of, step->value);
	case STEP_MSR:
		return write_u64(place, msr, step->value);
	case STEP_MSR_VALUE:
		return write_u64(place, msr + 8, step->value);
	case STEP_EFER:
		return write_u64(place, msr, MSR_EFER_INDEX) && write_u64(place, msr + 8, guest_efer(image,
		place) ^ step->value);
	default:
		return false;
	}
}

static bool take_steps(const struct entry_step *steps, struct vmcs_image *image, const struct entry_place *place)
{
	for (; steps && steps->kind != STEP_END; steps++)
		if (!take_step(steps, image, place))
			return false;
	return true;
}

/* ---- The legal neighbour ------------------------------------------------------------------------------ */

static void make_usable(struct vmcs_image *image, unsigned segment)
{
	u64 *rights = &image->value[IMAGE_GUEST_ES_ACCESS_RIGHTS + segment];

	if (!(*rights & AR_UNUSABLE))
		return;
	*rights = segment == SEGMENT_LDTR ? 0x82 : 0x93;
	image->value[IMAGE_GUEST_ES_LIMIT + segment] = 0xffff;
}

static bool applies(const struct entry_rule *rule, const struct vmcs_image *image, const struct entry_place *place)
{
	struct entry e;

	entry_open(&e, image, place);
	return entry_rule_applies(&e, rule) && !e.unknown;
}

bool entry_near(const struct entry_rule *rule, struct vmcs_image *image, const struct entry_place *place)
{
	if ((rule->flags & RULE_NO_WAY) || rule->field >= IMAGE_FIELDS)
		return false;
	for (unsigned i = 0; i < COUNT(rule->when); i++)
		if (!entry_establish(image, place, rule->when[i]))
			return false;
	if (rule->check == CHECK_CONTROL && !(rule->must.bit & OFF_BIT) &&
	    !entry_drop_dependents(image, place, rule->must, rule->when, COUNT(rule->when)))
		return false;
	if (rule->flags & RULE_USABLE)
		make_usable(image, entry_segment_of(rule->field));
	if (!image->there[rule->field] || !fill_memory(image, place) || !take_steps(rule->given, image, place))
		return false;
	/* the controls may have been changed since */
	return write_linked(image, place, 0) && applies(rule, image, place) && entry_variants(rule, image, place);
}

/* ---- The last step ------------------------------------------------------------------------------------ */

static unsigned count_bits(u64 bits)
{
	unsigned count = 0;

	for (; bits; bits &= bits - 1)
		count++;
	return count;
}

static const u8 bad_memory_types[] = {2, 3, 8, 0x80};

/* The bits of CHECK_ZERO that can be set, of CHECK_ONE that can be cleared */
static u64 sweep(const struct entry_rule *rule, const struct vmcs_image *image, const struct entry_place *place)
{
	struct entry e;

	entry_open(&e, image, place);
	u64 value = image->value[rule->field], bits = entry_rule_bits(&e, rule) & entry_field_bits(place->caps,
		rule->field);
	return rule->check == CHECK_ONE ? bits & value : bits & ~value;
}

/* The control that must be so is made not so, and nothing else. */
static bool break_control(struct entry_condition must, struct vmcs_image *image, const struct entry_place *place)
{
	unsigned field = entry_control_field(must.kind);
	u64 bit = BIT(must.bit & 63);

	if (must.bit & OFF_BIT)
		return control_supported(must.kind, bit, &place->caps->vmx) && put(image, place, field,
		image->value[field] | bit);
	return !(control_kind_caps(must.kind, &place->caps->vmx).must_be_1 & bit) && put(image, place, field,
		image->value[field] & ~bit);
}

static bool no_write(void *context, u64 address, const void *from, u32 size)
{
	(void)context, (void)address, (void)from, (void)size;
	return true;
}

/* Can the last step be taken? Tried on a copy, without touching memory. */
static bool can_break(const struct entry_rule *rule, const struct vmcs_image *image, const struct entry_place *place)
{
	const struct entry_memory memory = {place->memory->read, no_write, place->memory->context};
	struct entry_place dry = *place;
	struct vmcs_image copy = *image;

	dry.memory = &memory;
	return rule->by ? take_steps(rule->by, &copy, &dry) : break_control(rule->must, &copy, &dry);
}

unsigned entry_variants(const struct entry_rule *rule, const struct vmcs_image *image,
		const struct entry_place *place)
{
	if (rule->by || rule->check == CHECK_CONTROL)
		return can_break(rule, image, place);
	switch (rule->check) {
	case CHECK_ZERO:
	case CHECK_ONE:
		return count_bits(sweep(rule, image, place));
	case CHECK_PAT:
		return 8 * COUNT(bad_memory_types);
	case CHECK_CANONICAL:
		return entry_field_bits(place->caps, rule->field) == ~0ull;
	default:
		return rule->check != CHECK_FUNCTION;
	}
}

static u64 nth_bit(u64 bits, unsigned n)
{
	while (n--)
		bits &= bits - 1;
	return bits & -bits;
}

bool entry_break(const struct entry_rule *rule, unsigned variant, struct vmcs_image *image,
		const struct entry_place *place)
{
	u64 value = rule->field < IMAGE_FIELDS ? image->value[rule->field] : 0;
	struct entry e;

	if (variant >= entry_variants(rule, image, place))
		return false;
	if (rule->by)
		return take_steps(rule->by, image, place);
	entry_open(&e, image, place);
	u64 bits = entry_rule_bits(&e, rule), bit = nth_bit(sweep(rule, image, place), variant);
	switch (rule->check) {
	case CHECK_ZERO: /* not by put(): bits of controls that may not be 1 are what some rules are about */
		image->value[rule->field] |= bit;
		return true;
	case CHECK_ONE:
		image->value[rule->field] &= ~bit;
		return true;
	case CHECK_EQUAL:
	case CHECK_AT_MOST:
		return put(image, place, rule->field, bits + 1);
	case CHECK_NOT_EQUAL:
		return put(image, place, rule->field, bits);
	case CHECK_CANONICAL:
		return put(image, place, rule->field, BIT(entry_linear_width(place->caps) - 1));
	case CHECK_PAT:
		value &= ~(0xffull << 8 * (variant & 7));
		return put(image, place, rule->field,
		value | (u64)bad_memory_types[variant >> 3] << 8 * (variant & 7));
	case CHECK_CONTROL:
		return break_control(rule->must, image, place);
	default:
		return false;
	}
}
