/* Planted faults. */
#include "harness/fault.h"
#include "harness/options.h"
#include "lib/format.h"
#include "lib/string.h"

struct fault_record {
	const char *name, *what, *caught_by, *shows, *touches;
};

extern const struct fault_record faults[];
const struct fault_record faults[] = {
#define X(name, text, what, caught_by, shows, touches) {text, what, caught_by, shows, touches},
	PLANTED_FAULTS(X)
#undef X
};

enum msr_fault_kind { FLIP, READ_FAULTS, READ_SUCCEEDS, WRITE_SUCCEEDS };

struct msr_fault {
	u32 msr;
	enum msr_fault_kind kind;
	u64 bits;
};

bool faults_planted, vmcs_faults_planted, fault_planted[FAULT_COUNT];
static struct msr_fault msr_faults[32];
static unsigned msr_fault_count;

/* A hexadecimal number up to a colon or the end. Returns what follows, or 0 where there is none. */
static const char *hexadecimal(const char *text, u64 *value)
{
	const char *start = text;

	for (*value = 0; *text && *text != ':'; text++) {
		char c = *text;
		unsigned digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;

		if (digit == 16)
			return 0;
		*value = *value << 4 | digit;
	}
	return text == start ? 0 : *text == ':' ? text + 1 : text;
}

static const char *after(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) ? 0 : text + length;
}

/* msr:N:flip:BITS, rdmsr:N:faults, rdmsr:N:succeeds, wrmsr:N:succeeds */
static bool plant_msr(const char *word)
{
	const char *read = after(word, "rdmsr:"), *write = after(word, "wrmsr:"), *flip = after(word, "msr:");
	const char *rest = read ? read : write ? write : flip;
	struct msr_fault found = {0, FLIP, 0};
	u64 msr;

	rest = rest ? hexadecimal(rest, &msr) : 0;
	if (!rest || msr_fault_count == COUNT(msr_faults))
		return false;
	found.msr = msr;
	if (flip) {
		rest = after(rest, "flip:");
		rest = rest ? hexadecimal(rest, &found.bits) : 0;
		if (!rest || *rest)
			return false;
	} else if (read && !strcmp(rest, "faults")) {
		found.kind = READ_FAULTS;
	} else if (read && !strcmp(rest, "succeeds")) {
		found.kind = READ_SUCCEEDS;
	} else if (write && !strcmp(rest, "succeeds")) {
		found.kind = WRITE_SUCCEEDS;
	} else {
		return false;
	}
	msr_faults[msr_fault_count++] = found;
	return true;
}

static bool plant(const char *word)
{
	for (unsigned i = 0; i < COUNT(faults); i++)
		if (!strcmp(word, faults[i].name)) {
			faults_planted = fault_planted[i] = true;
			vmcs_faults_planted |= i >= FAULT_VMCLEAR_ZEROES && i <= FAULT_LAUNCH_STATE_KEPT;
			return true;
		}
	return plant_msr(word);
}

bool faults_plant(const char *list, char *error, size_t size)
{
	char word[80];

	for (unsigned i = 0; list_word(list, i, word, sizeof(word)); i++) {
		if (plant(word))
			continue;
		format(error, size, "fault=%s is not known: use msr:N:flip:BITS, rdmsr:N:faults, rdmsr:N:succeeds, "
		       "wrmsr:N:succeeds (hexadecimal) or a name that `scripts/lhv faults` shows", word);
		return false;
	}
	return true;
}

outcome_t fault_on_msr_read(u32 msr, outcome_t outcome, u64 *value)
{
	for (unsigned i = 0; i < msr_fault_count; i++) {
		const struct msr_fault *planted_here = &msr_faults[i];

		if (planted_here->msr != msr)
			continue;
		if (planted_here->kind == FLIP)
			*value ^= planted_here->bits;
		else if (planted_here->kind == READ_FAULTS)
			outcome = FAULT_GP0;
		else if (planted_here->kind == READ_SUCCEEDS)
			outcome = SUCCEEDED;
	}
	return outcome;
}

/* IA32_MTRR_PHYSBASE0 to IA32_MTRR_DEF_TYPE, but for IA32_PAT */
static bool is_mtrr(u32 msr)
{
	return msr >= 0x200 && msr <= 0x2ff && msr != 0x277;
}

bool fault_on_msr_write(u32 msr, outcome_t *outcome)
{
	if (fault(FAULT_MTRR_WRITE_DROPPED) && is_mtrr(msr)) {
		*outcome = SUCCEEDED;
		return true;
	}
	for (unsigned i = 0; i < msr_fault_count; i++)
		if (msr_faults[i].msr == msr && msr_faults[i].kind == WRITE_SUCCEEDS) {
			*outcome = SUCCEEDED;
			return true;
		}
	return false;
}
