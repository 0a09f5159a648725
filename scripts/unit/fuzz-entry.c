/*
 * libFuzzer target: any VMCS, any capabilities, any memory. The model ends and stays inside its buffers, its outcomes follow
 * from its violations, "legal" stays legal when a bit moves that is said not to be checked, and a step that is to violate a
 * rule does.
 */
#include "entry-places.h"
#include <stdlib.h>
#include <string.h>

#define FEW 8u
#define MANY 4096u

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct place place;
static struct vmcs_image image, other;
static struct violation many[MANY];

static void must(bool holds)
{
	if (!holds)
		abort();
}

struct input {
	const u8 *data;
	size_t size;
};

/* The next number of so many bytes; zeros past the end */
static u64 take(struct input *in, size_t size)
{
	u64 value = 0;
	size_t there = in->size < size ? in->size : size;

	memcpy(&value, in->data, there);
	in->data += there;
	in->size -= there;
	return value;
}

/* Half of the inputs keep sane capabilities, so that what lies behind the first checks is reached. */
static void edit_caps(struct input *in)
{
	struct vmx_caps *vmx = &place.caps.vmx;
	u64 *const words[] = {&vmx->basic, &vmx->misc, &vmx->ept_vpid, &vmx->vmfunc, &vmx->cr0_fixed0, &vmx->cr0_fixed1,
			      &vmx->cr4_fixed0, &vmx->cr4_fixed1, &vmx->pin.must_be_1, &vmx->pin.may_be_1, &vmx->proc.must_be_1,
			      &vmx->proc.may_be_1, &vmx->proc2.may_be_1, &vmx->proc3.may_be_1, &vmx->exit.must_be_1,
			      &vmx->exit.may_be_1, &vmx->exit2.may_be_1, &vmx->entry.must_be_1, &vmx->entry.may_be_1};
	u8 mode = (u8)take(in, 1);

	if (mode & 1)
		for (unsigned edits = (u8)take(in, 1) % 16; edits; edits--)
			*words[(u8)take(in, 1) % COUNT(words)] ^= take(in, 8);
	if (mode & 2)
		for (unsigned edits = (u8)take(in, 1) % 8; edits; edits--)
			((u32 *)place.caps.cpuid)[(u8)take(in, 1) % (sizeof(place.caps.cpuid) / 4)] ^= (u32)take(in, 4);
	if (mode & 4)
		place.caps.natural_width = 32;
	place.mode.ia32e ^= (mode & 8) != 0;
	place.mode.smm ^= (mode & 16) != 0;
	place.mode.launched = place.mode.resume = (mode & 32) != 0;
}

static void edit_image(struct input *in)
{
	for (unsigned edits = (u8)take(in, 1) % 32; edits; edits--) {
		unsigned field = (u8)take(in, 1) % IMAGE_FIELDS;
		u8 how = (u8)take(in, 1);

		if (how < 200)
			image.value[field] ^= BIT(how % 64);
		else if (how < 250)
			image.value[field] = take(in, 8);
		else
			image.there[field] ^= true;
	}
	for (unsigned edits = (u8)take(in, 1) % 8; edits; edits--) {
		u64 word = take(in, 8);
		place.memory.write(&place, place.place.page[0] + take(in, 2), &word, sizeof(word));
	}
}

static void check_outcomes(unsigned count)
{
	struct entry_outcome *outcomes = malloc(ENTRY_OUTCOMES_MAX * sizeof(*outcomes));
	char text[64];

	must(outcomes != 0);
	unsigned possible = entry_outcomes(many, count < MANY ? count : MANY, outcomes);
	must(possible >= 1 && possible <= ENTRY_OUTCOMES_MAX);
	must(count || (possible == 1 && outcomes[0].result == ENTRY_SUCCEEDS));
	for (unsigned i = 0; i < possible; i++)
		must(entry_outcome_format(text, sizeof(text), &outcomes[i]) < sizeof(text));
	for (unsigned i = 0; i < count && i < MANY; i++) {
		must(many[i].rule != 0 && many[i].group != 0 && many[i].field <= IMAGE_FIELDS);
		must(entry_violation_format(text, sizeof(text), &many[i]) < sizeof(text));
	}
	free(outcomes);
}

/* A free bit of a legal image is moved. */
static void move_free_bit(struct input *in)
{
	const struct entry_free *row = entry_free_at((u8)take(in, 1) % entry_free_count());
	u64 bits = entry_free_bits(row, &image, &place.place), bit = BIT(take(in, 1) % 64);

	other = image;
	other.value[entry_free_field(row)] ^= bits & bit;
	must(entry_check(&other, &place.place, 0, 0, 0) == 0);
}

static void try_rule(struct input *in)
{
	const struct entry_rule *rule = entry_rule_at((unsigned)take(in, 2) % entry_rule_count(), 0);
	struct violation *few = malloc(FEW * sizeof(*few)); /* its own block, so that the sanitizer sees its end */
	bool among = false;

	must(few != 0);
	entry_legal(&other, &place.place);
	if (entry_near(rule, &other, &place.place) && !entry_check(&other, &place.place, few, FEW, 0) &&
	    entry_break(rule, (u8)take(in, 1), &other, &place.place)) {
		unsigned count = entry_check(&other, &place.place, few, FEW, 0);
		for (unsigned i = 0; i < count && i < FEW; i++)
			among |= few[i].rule == rule;
		must(among || count > FEW);
	}
	free(few);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = {data, size};
	struct entry_unknown unknown;

	place_make(&place, (u8)take(&in, 1) % PLACE_COUNT);
	edit_caps(&in);
	entry_legal(&image, &place.place);
	edit_image(&in);
	unsigned count = entry_check(&image, &place.place, many, MANY, &unknown);
	must(count == entry_check(&image, &place.place, 0, 0, 0));
	check_outcomes(count);
	if (!count)
		move_free_bit(&in);
	try_rule(&in);
	return 0;
}
