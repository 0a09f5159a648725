/*
 * The model of the VM-entry checks as a filter, for scripts/lhv explain. Standard input, a line each, numbers in hexadecimal:
 *
 *	field NAME VALUE           a field of the VMCS, by its encoding or its name in vmx/fields.h
 *	msr INDEX VALUE            a capability MSR
 *	cpuid LEAF SUBLEAF EAX EBX ECX EDX
 *	mode NAME VALUE            ia32e, smm, resume, launched, mov_ss, pae, cr3, current_vmcs
 *	memory ADDRESS VALUE       a 32-bit word
 *
 * What is not given stays unknown; capabilities are those of a processor with every feature. Standard output, fields
 * separated by tabs: "violated ID SENTENCE", "outcome SENTENCE", "unknown COUNT ID SENTENCE". With the argument --rules:
 * "rule ID SECTION SENTENCE" for each, those of unchecked fields too.
 */
#include "processor.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VIOLATIONS 64u
#define WORDS 4096u

static const char *const field_names[] = {
#define X(encoding, name, text, availability) #name,
	VMCS_FIELDS(X)
#undef X
};

static struct vmcs_image image;
static struct entry_caps caps;
static struct entry_mode mode;
static struct {
	u64 address;
	u32 value;
} words[WORDS];
static unsigned word_count;

static bool read_word(u64 address, u32 *value)
{
	for (unsigned i = 0; i < word_count; i++)
		if (words[i].address == address) {
			*value = words[i].value;
			return true;
		}
	return false;
}

static bool read_memory(void *context, u64 address, void *to, u32 size)
{
	(void)context;
	for (u32 i = 0; i < size; i += 4) {
		u32 value;

		if (!read_word(address + i, &value))
			return false;
		memcpy((u8 *)to + i, &value, 4);
	}
	return true;
}

static bool take_field(const char *name, u64 value)
{
	char *end;
	unsigned long encoding = strtoul(name, &end, 16);

	for (unsigned i = 0; i < IMAGE_FIELDS; i++)
		if (!strcmp(field_names[i], name) || (!*end && vmcs_fields[i].encoding == encoding)) {
			image.value[i] = value;
			image.there[i] = true;
			return true;
		}
	return false;
}

static bool take_cpuid(u32 leaf, u32 subleaf, struct entry_leaf registers)
{
#define X(name, number, sub) \
	if (leaf == number && subleaf == sub) { \
		caps.cpuid[ENTRY_##name] = registers; \
		return true; \
	}
	ENTRY_CPUID(X)
#undef X
	return true; /* a leaf that no check depends on */
}

static bool take_mode(const char *name, u64 value)
{
	static const struct {
		const char *name;
		bool *flag;
	} flags[] = {{"ia32e", &mode.ia32e}, {"smm", &mode.smm},	     {"resume", &mode.resume},
		     {"launched", &mode.launched}, {"mov_ss", &mode.mov_ss}, {"pae", &mode.pae}};

	for (unsigned i = 0; i < COUNT(flags); i++)
		if (!strcmp(flags[i].name, name)) {
			*flags[i].flag = value != 0;
			return true;
		}
	if (!strcmp(name, "cr3"))
		mode.cr3 = value;
	else if (!strcmp(name, "current_vmcs"))
		mode.current_vmcs = value, mode.address_known = true;
	else
		return false;
	return true;
}

static bool take_line(const char *line)
{
	char name[64];
	u64 a, b;
	struct entry_leaf r;
	u32 leaf, subleaf;

	if (sscanf(line, "field %63s %llx", name, &a) == 2)
		return take_field(name, a);
	if (sscanf(line, "mode %63s %llx", name, &a) == 2)
		return take_mode(name, a);
	if (sscanf(line, "cpuid %x %x %x %x %x %x", &leaf, &subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx) == 6)
		return take_cpuid(leaf, subleaf, r);
	if (sscanf(line, "msr %llx %llx", &a, &b) == 2) {
		if (a < MSR_VMX_BASIC || a - MSR_VMX_BASIC >= COUNT(caps.vmx.msr))
			return false;
		caps.vmx.msr[a - MSR_VMX_BASIC] = b;
		caps.vmx.msr_there |= BIT(a - MSR_VMX_BASIC);
		return true;
	}
	if (sscanf(line, "memory %llx %llx", &a, &b) == 2 && word_count < WORDS) {
		words[word_count].address = a;
		words[word_count++].value = (u32)b;
		return true;
	}
	return false;
}

static void explain(void)
{
	static struct violation found[VIOLATIONS];
	const struct entry_memory memory = {read_memory, 0, 0};
	const struct entry_place place = {.caps = &caps, .mode = &mode, .memory = &memory};
	struct entry_outcome outcomes[ENTRY_OUTCOMES_MAX];
	struct entry_unknown unknown;
	char text[400];
	unsigned count = entry_check(&image, &place, found, VIOLATIONS, &unknown);

	if (count > VIOLATIONS)
		count = VIOLATIONS;
	for (unsigned i = 0; i < count; i++) {
		entry_violation_format(text, sizeof(text), &found[i]);
		printf("violated\t%s\t%s\n", entry_rule_id(found[i].rule), text);
	}
	unsigned possible = entry_outcomes(found, count, outcomes);
	for (unsigned i = 0; i < possible; i++) {
		entry_outcome_format(text, sizeof(text), &outcomes[i]);
		printf("outcome\t%s\n", text);
	}
	if (unknown.rules)
		printf("unknown\t%u\t%s\t%s\n", unknown.rules, entry_rule_id(unknown.first), entry_rule_text(unknown.first));
}

static void list_rules(void)
{
	const struct entry_group *group;

	for (unsigned i = 0; i < entry_rule_count(); i++) {
		const struct entry_rule *rule = entry_rule_at(i, &group);
		printf("rule\t%s\t%s\t%s\n", entry_rule_id(rule), group->sdm, entry_rule_text(rule));
	}
	for (unsigned i = 0; i < entry_free_count(); i++)
		printf("rule\t%s\tnot checked\t%s\n", entry_free_id(entry_free_at(i)), entry_free_text(entry_free_at(i)));
}

int main(int count, char **arguments)
{
	char line[200];

	if (count > 1 && !strcmp(arguments[1], "--rules")) {
		list_rules();
		return 0;
	}
	processor_everything(&caps);
	caps.cpuid[ENTRY_LEAF_88].eax = 52 | 48 << 8; /* nobody says otherwise: as wide as any */
	while (fgets(line, sizeof(line), stdin))
		if (!take_line(line)) {
			fprintf(stderr, "not understood: %s", line);
			return 2;
		}
	processor_take_msrs(&caps);
	explain();
	return 0;
}
