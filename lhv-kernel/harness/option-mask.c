/* The bits of LHV_OPT. */
#include "harness/options.h"
#include "lib/format.h"
#include "lib/words.h"

#define X(name, bit, needs, what) [bit] = #name,
const char *const option_names[OPT_COUNT] = {LHV_OPTIONS(X)};
#undef X

#define X(name, bit, needs, what) [bit] = what,
const char *const option_meanings[OPT_COUNT] = {LHV_OPTIONS(X)};
#undef X

#define X(name, bit, needs, what) [bit] = needs,
static const u64 option_needs[OPT_COUNT] = {LHV_OPTIONS(X)};
#undef X

/* One number or name of a mask. */
static bool parse_mask_word(const char *word, u64 *mask, char *error, size_t size)
{
	char text[SHOWN_SIZE];
	u64 value = 0;

	if (!*word) {
		format(error, size, "a mask has an empty part: write names or numbers joined by \"+\", such as ept+vpid");
		return false;
	}
	if (*word >= '0' && *word <= '9') {
		enum number kind = parse_number(word, &value);

		if (kind != NUMBER)
			format(error, size, "\"%s\" is %s: write a mask such as 0x1fc, or names such as ept+vpid",
			       shown(word, text), kind == TOO_LARGE ? "wider than 64 bits" : "not a number");
		else if (value & ~OPT_KNOWN)
			format(error, size, "\"%s\" has bits that are no option: 0x%llx; the known bits are 0x%llx",
			       shown(word, text), value & ~OPT_KNOWN, OPT_KNOWN);
		*mask |= value;
		return kind == NUMBER && !(value & ~OPT_KNOWN);
	}
	if (same_name(word, "none")) /* as options_format_mask says it */
		return true;
	for (unsigned bit = 0; bit < OPT_COUNT; bit++)
		if (same_name(word, option_names[bit])) {
			*mask |= BIT(bit);
			return true;
		}
	format(error, size, "\"%s\" is no option of the mask: did you mean %s?", shown(word, text),
	       closest_name(word, option_names, OPT_COUNT));
	return false;
}

bool options_parse_mask(const char *text, u64 *mask, char *error, size_t size)
{
	u64 result = 0;

	for (;;) {
		char word[SHOWN_SIZE], cut[SHOWN_SIZE];
		size_t length = 0;

		for (; text[length] && text[length] != '+' && text[length] != ','; length++)
			if (length + 1 < sizeof(word))
				word[length] = text[length];
		word[length < sizeof(word) ? length : sizeof(word) - 1] = 0;
		if (length >= sizeof(word)) {
			format(error, size, "\"%s\" is too long: write a mask such as 0x1fc, or names such as ept+vpid",
			       shown(text, cut));
			return false;
		}
		text += length;
		if (!parse_mask_word(word, &result, error, size))
			return false;
		if (!*text)
			break;
		text++;
	}
	*mask = result;
	return true;
}

size_t options_format_mask(char *buffer, size_t size, u64 mask)
{
	size_t length = format(buffer, size, "%s", mask ? "" : "none");

	for (unsigned bit = 0; bit < OPT_COUNT; bit++)
		if (mask & BIT(bit))
			length = append(buffer, size, "%s%s", length ? "+" : "", option_names[bit]);
	if (mask & ~OPT_KNOWN)
		length = append(buffer, size, "%s0x%llx", length ? "+" : "", mask & ~OPT_KNOWN);
	return length;
}

bool options_check_mask(u64 mask, bool from_build, char *error, size_t size)
{
	const char *source = from_build ? "the LHV_OPT of this build, " : "lhv_opt=";
	u64 missing = 0, asking = 0;
	char askers[80] = "", names[80] = "";

	for (unsigned bit = 0; bit < OPT_COUNT; bit++)
		if (mask & BIT(bit) && option_needs[bit] & ~mask) {
			missing |= option_needs[bit] & ~mask;
			asking |= BIT(bit);
		}
	if (mask & ~OPT_KNOWN)
		format(error, size, "%s0x%llx has bits that are no option: 0x%llx; the known bits are 0x%llx", source, mask,
		       mask & ~OPT_KNOWN, OPT_KNOWN);
	else if (missing) {
		options_format_mask(askers, sizeof(askers), asking);
		options_format_mask(names, sizeof(names), missing);
		format(error, size, "%s0x%llx (%s) needs %s (0x%llx): use lhv_opt=0x%llx", source, mask, askers, names, missing,
		       mask | missing);
	}
	return !missing && !(mask & ~OPT_KNOWN);
}
