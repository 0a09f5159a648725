/*
 * lhv-tests/entry/: each rule can be violated alone, what is legal stays legal, and outcomes follow from what is
 * violated.
 */
#include "check.h"
#include "entry-places.h"
#include "vmx/errors.h"
#include "vmx/exit-reasons.h"
#include <stdio.h>

#define MANY 64u

static struct place place;
static struct vmcs_image image, near;
static struct violation found[MANY];

static unsigned check_image(const struct vmcs_image *what)
{
	return entry_check(what, &place.place, found, MANY, 0);
}

/* Prints what is violated, for a test that has failed. */
static void say(const char *what, unsigned place_number, unsigned count)
{
	char text[300];

	printf("#   %s, %s: %u violated\n", what, place_name(place_number), count);
	for (unsigned i = 0; i < count && i < MANY; i++) {
		entry_violation_format(text, sizeof(text), &found[i]);
		printf("#     %s: %s\n", entry_rule_id(found[i].rule), text);
	}
}

static bool among(const struct entry_rule *rule, unsigned count)
{
	for (unsigned i = 0; i < count && i < MANY; i++)
		if (found[i].rule == rule)
			return true;
	return false;
}

TEST(entry_ids, "entry: at least 424 rules, each with an id of its area and a text, ids used once")
{
	unsigned rules = entry_rule_count(), all = rules + entry_free_count();
	static const char *ids[1000];

	CHECK(rules >= 424 && all < COUNT(ids));
	for (unsigned i = 0; i < all; i++) {
		const struct entry_group *group;
		const char *text = i < rules ? entry_rule_text(entry_rule_at(i,
		&group)) : entry_free_text(entry_free_at(i - rules));

		ids[i] = i < rules ? entry_rule_id(entry_rule_at(i,
		&group)) : entry_free_id(entry_free_at(i - rules));
		bool fine = CHECK(!strncmp(ids[i], "entry.", 6)) && CHECK(text && *text);
		for (unsigned j = 0; j < i; j++)
			fine &= CHECK(strcmp(ids[i], ids[j]) != 0);
		if (!fine)
			printf("#   %s\n", ids[i]);
		if (i < rules)
			CHECK(entry_rule_find(ids[i], &group) == entry_rule_at(i, &group));
	}
	CHECK(!entry_rule_at(rules, 0));
	CHECK(!entry_rule_find("entry.guest.nothing", 0));
}

TEST(entry_legal_is_legal, "entry: a legal VMCS violates nothing, with every set of capabilities")
{
	for (unsigned p = 0; p < PLACE_COUNT; p++) {
		struct entry_unknown unknown;

		place_make(&place, p);
		entry_legal(&image, &place.place);
		unsigned count = entry_check(&image, &place.place, found, MANY, &unknown);
		if (!CHECK_EQ(count, 0) || !CHECK_EQ(unknown.rules, 0))
			say("legal", p, count);
	}
}

/* Whether a place reached a rule (bit 0) and its legal neighbour is one. */
static bool try_rule(const struct entry_rule *rule, unsigned p)
{
	place_make(&place, p);
	entry_legal(&near, &place.place);
	if (!entry_near(rule, &near, &place.place))
		return false;
	unsigned count = check_image(&near), variants = entry_variants(rule, &near, &place.place);
	bool fine = CHECK_EQ(count, 0);
	if (!fine)
		say("legal neighbour", p, count);
	fine = CHECK(variants > 0) && fine;
	for (unsigned variant = 0; variant < variants; variant++) {
		image = near;
		fine &= CHECK(entry_break(rule, variant, &image, &place.place));
		count = check_image(&image);
		bool right = variant ? among(rule, count) : count == 1 && found[0].rule == rule;
		fine &= right;
		if (!CHECK(right))
			say("violator", p, count);
	}
	if (!fine)
		printf("#   of rule %s\n", entry_rule_id(rule));
	return true;
}

TEST(entry_violators, "entry: each rule can be violated alone, from a legal neighbour, with some set of capabilities")
{
	/* what no VMCS does: the instruction, the launch state, the processor's mode */
	static const char *const unreachable[] = {"entry.basic.", "entry.ctl.entry.rtit-tracing",
		"entry.load.msr.wrmsr-gp"};

	for (unsigned i = 0; i < entry_rule_count(); i++) {
		const struct entry_rule *rule = entry_rule_at(i, 0);
		unsigned reached = 0;
		bool none = false;

		for (unsigned p = 0; p < PLACE_COUNT; p++)
			reached += try_rule(rule, p);
		for (unsigned j = 0; j < COUNT(unreachable); j++)
			none |= !strncmp(entry_rule_id(rule), unreachable[j], strlen(unreachable[j]));
		if (!CHECK_EQ(reached == 0, none))
			printf("#   rule %s\n", entry_rule_id(rule));
	}
}

static bool try_free(const struct entry_free *row, unsigned p)
{
	place_make(&place, p);
	entry_legal(&near, &place.place);
	if (!entry_free_near(row, &near, &place.place))
		return false;
	unsigned count = check_image(&near);
	bool fine = CHECK_EQ(count, 0);
	if (!fine)
		say("where bits are free", p, count);
	u64 bits = entry_free_bits(row, &near, &place.place);
	for (u64 bit = 1; bit; bit <<= 1) {
		if (!(bits & bit))
			continue;
		image = near;
		image.value[entry_free_field(row)] ^= bit;
		count = check_image(&image);
		fine &= CHECK_EQ(count, 0);
		if (count)
			say("a free bit moved", p, count);
	}
	if (!fine)
		printf("#   of %s\n", entry_free_id(row));
	return true;
}

TEST(entry_free_bits_move, "entry: no bit that is said not to be checked makes a legal VMCS illegal")
{
	for (unsigned i = 0; i < entry_free_count(); i++) {
		unsigned reached = 0;

		for (unsigned p = 0; p < PLACE_COUNT; p++)
			reached += try_free(entry_free_at(i), p);
		if (!CHECK(reached > 0))
			printf("#   %s\n", entry_free_id(entry_free_at(i)));
	}
}

/* ---- Outcomes --------------------------------------------------------------------------------------- */

static struct entry_outcome outcomes[ENTRY_OUTCOMES_MAX];

static unsigned outcomes_of_image(void)
{
	return entry_outcomes(found, check_image(&image), outcomes);
}

static bool only(unsigned count, u32 result, u32 number, u64 qualification)
{
	return CHECK_EQ(count, 1) & CHECK_EQ(outcomes[0].result, result) & CHECK_EQ(outcomes[0].number, number) &
	       CHECK_EQ(outcomes[0].qualification, qualification);
}

static void start(unsigned p)
{
	place_make(&place, p);
	entry_legal(&image, &place.place);
}

TEST(entry_outcome_stages,
		"entry: controls and host state in any order, both before guest state, that before MSR loading")
{
	start(PLACE_EVERYTHING);
	only(outcomes_of_image(), ENTRY_SUCCEEDS, 0, 0);
	u64 bad_msr[2] = {0xc0000100, 0};
	place.memory.write(&place, place.place.page[PAGE_MSRS], bad_msr, sizeof(bad_msr));
	image.value[IMAGE_ENTRY_MSR_LOAD_COUNT] = 1;
	only(outcomes_of_image(), ENTRY_FAILURE_EXIT, EXIT_REASON_MSR_LOADING, 1);
	image.value[IMAGE_GUEST_RFLAGS] = 0;
	only(outcomes_of_image(), ENTRY_FAILURE_EXIT, EXIT_REASON_INVALID_GUEST_STATE, 0);
	image.value[IMAGE_LINK_POINTER] = 1;
	CHECK_EQ(outcomes_of_image(), 2); /* qualification 0 or 4 */
	image.value[IMAGE_HOST_TR_SELECTOR] = 0;
	only(outcomes_of_image(), ENTRY_FAIL_VALID, ERROR_ENTRY_HOST_STATE, 0);
	image.value[IMAGE_PIN_CONTROLS] = 0;
	CHECK_EQ(outcomes_of_image(), 2); /* error 7 or 8 */
	place.mode.mov_ss = true;
	place.mode.resume = true;
	only(outcomes_of_image(), ENTRY_FAIL_VALID, ERROR_ENTRY_MOV_SS, 0);
	place.mode.mov_ss = false;
	only(outcomes_of_image(), ENTRY_FAIL_VALID, ERROR_VMRESUME_NOT_LAUNCHED, 0);
	place.mode.launched = true;
	CHECK_EQ(outcomes_of_image(), 2);
	place.mode.resume = false;
	only(outcomes_of_image(), ENTRY_FAIL_VALID, ERROR_VMLAUNCH_NOT_CLEAR, 0);
	place.mode.no_vmcs = true;
	only(outcomes_of_image(), ENTRY_FAIL_INVALID, 0, 0);
}

TEST(entry_outcome_msrs, "entry: the first bad entry of the MSR-load area decides")
{
	u64 area[8] = {0x174, 0, 0x175, 1, 0xc0000101, 0, 0x277, 2};

	start(PLACE_EVERYTHING);
	place.memory.write(&place, place.place.page[PAGE_MSRS], area, sizeof(area));
	image.value[IMAGE_ENTRY_MSR_LOAD_COUNT] = 2;
	only(outcomes_of_image(), ENTRY_SUCCEEDS, 0, 0);
	image.value[IMAGE_ENTRY_MSR_LOAD_COUNT] = 4;
	only(outcomes_of_image(), ENTRY_FAILURE_EXIT, EXIT_REASON_MSR_LOADING, 3);
	CHECK_EQ(check_image(&image), 2);
	CHECK_EQ(found[1].qualification, 4);
}

TEST(entry_outcome_open, "entry: an NMI with blocking by STI may succeed, or fail with qualification 3")
{
	start(PLACE_EVERYTHING);
	CHECK(entry_near(entry_rule_find("entry.guest.intr.nmi-sti", 0), &image, &place.place));
	CHECK(entry_break(entry_rule_find("entry.guest.intr.nmi-sti", 0), 0, &image, &place.place));
	CHECK_EQ(outcomes_of_image(), 2);
	CHECK(outcomes[0].result == ENTRY_FAILURE_EXIT && outcomes[0].qualification == 3);
	CHECK(outcomes[1].result == ENTRY_SUCCEEDS);
}

TEST(entry_outcome_size, "entry: a host of the wrong size fails with error 8 or 7")
{
	start(PLACE_EVERYTHING);
	image.value[IMAGE_EXIT_CONTROLS] &= ~BIT(9);
	CHECK_EQ(outcomes_of_image(), 2);
}

TEST(entry_unknown_fields, "entry: what is not known is counted, and never violated")
{
	struct entry_unknown unknown;

	start(PLACE_EVERYTHING);
	image.value[IMAGE_GUEST_RFLAGS] = 0;
	CHECK_EQ(check_image(&image), 1);
	image.there[IMAGE_GUEST_RFLAGS] = false;
	CHECK_EQ(entry_check(&image, &place.place, found, MANY, &unknown), 0);
	CHECK(unknown.rules > 2 && unknown.first);
	memset(&image, 0, sizeof(image));
	CHECK_EQ(entry_check(&image, &place.place, found, MANY, &unknown), 0);
	CHECK(unknown.rules > 200);
	start(PLACE_EVERYTHING);
	image.value[IMAGE_LINK_POINTER] = 0; /* no memory there */
	CHECK_EQ(entry_check(&image, &place.place, found, MANY, &unknown), 0);
	CHECK_EQ(unknown.rules, 2);
}

TEST(entry_texts, "entry: violations and outcomes in words")
{
	char text[300];

	start(PLACE_EVERYTHING);
	image.value[IMAGE_GUEST_GDTR_LIMIT] = 0x12345;
	CHECK_EQ(check_image(&image), 1);
	entry_violation_format(text, sizeof(text), &found[0]);
	CHECK_TEXT(text, "guest GDTR limit = 12345h: bits 31:16 are 0; legal: 2345h "
			 "(27.3.1.3 Checks on Guest Descriptor-Table Registers)");
	outcomes_of_image();
	entry_outcome_format(text, sizeof(text), &outcomes[0]);
	CHECK_TEXT(text, "exit reason 33 (VM-entry failure: invalid guest state), qualification 0");
	entry_outcome_format(text, sizeof(text), &(struct entry_outcome){ENTRY_FAIL_VALID, 7, 0});
	CHECK_TEXT(text, "VMfailValid(7) VM entry with invalid control field(s)");
	entry_outcome_format(text, sizeof(text), &(struct entry_outcome){ENTRY_SUCCEEDS, 0, 0});
	CHECK_TEXT(text, "VM entry succeeds");
	entry_violation_format(text, 20, &found[0]);
	CHECK_TEXT(text, "guest GDTR limit = ");
}
