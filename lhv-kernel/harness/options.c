/*
 * The options on the boot command line, the bits of LHV_OPT, and globs of rule ids.
 *
 * Every mistake is answered with one sentence that says what to do, never with a guess: a run with other tests than
 * those that were asked for is worse than no run.
 */
#include "harness/options.h"
#include "lib/format.h"
#include "lib/string.h"

#define X(name, bit, needs, what) [bit] = #name,
const char *const option_names[OPT_COUNT] = {LHV_OPTIONS(X)};
#undef X

#define X(name, bit, needs, what) [bit] = what,
const char *const option_meanings[OPT_COUNT] = {LHV_OPTIONS(X)};
#undef X

#define X(name, bit, needs, what) [bit] = needs,
static const u64 option_needs[OPT_COUNT] = {LHV_OPTIONS(X)};
#undef X

#define SHOWN_SIZE 41 /* a word of the user's as an error sentence shows it: cut, and only printable characters */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool same_name(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b))
		a++, b++;
	return lower(*a) == lower(*b);
}

/* The text as it may stand in an error sentence: one line, no quotes, "..." where it had to be cut. */
static const char *shown(const char *text, char buffer[SHOWN_SIZE])
{
	size_t i;

	for (i = 0; i + 1 < SHOWN_SIZE && text[i]; i++)
		buffer[i] = text[i] < ' ' || text[i] > '~' || text[i] == '"' ? '?' : text[i];
	if (text[i])
		for (size_t dot = 1; dot <= 3; dot++)
			buffer[i - dot] = '.';
	buffer[i] = 0;
	return buffer;
}

/* Insertions, deletions and replacements that make a of b, without regard to case. Only the first letters count. */
static unsigned edit_distance(const char *a, const char *b)
{
	u8 row[SHOWN_SIZE + 1];
	size_t width = strlen(b) < SHOWN_SIZE ? strlen(b) : SHOWN_SIZE;

	for (size_t j = 0; j <= width; j++)
		row[j] = (u8)j;
	for (size_t i = 0; a[i] && i < SHOWN_SIZE; i++) {
		u8 diagonal = row[0];

		row[0] = (u8)(i + 1);
		for (size_t j = 0; j < width; j++) {
			u8 replace = diagonal + (lower(a[i]) != lower(b[j]));
			u8 above = row[j + 1] + 1, left = row[j] + 1;

			diagonal = row[j + 1];
			row[j + 1] = above < left ? above : left;
			if (replace < row[j + 1])
				row[j + 1] = replace;
		}
	}
	return row[width];
}

static const char *closest(const char *word, const char *const *names, size_t count)
{
	const char *best = names[0];

	for (size_t i = 1; i < count; i++)
		if (edit_distance(word, names[i]) < edit_distance(word, best))
			best = names[i];
	return best;
}

/* --- Numbers and masks --- */

enum number { NUMBER, NOT_A_NUMBER, TOO_LARGE };

/* Decimal, 0x... or, with a leading 0, octal, as in C. The whole text must be the number. */
static enum number parse_number(const char *text, u64 *value)
{
	unsigned base = 10;
	bool large = false;
	u64 result = 0;

	if (text[0] == '0' && lower(text[1]) == 'x') {
		base = 16;
		text += 2;
	} else if (text[0] == '0' && text[1]) {
		base = 8;
		text++;
	}
	if (!*text)
		return NOT_A_NUMBER;
	for (; *text; text++) {
		char c = lower(*text);
		unsigned digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;

		if (digit >= base)
			return NOT_A_NUMBER;
		/* The top digit tells before it is lost: a division of 64 bits would be a library call on i386. */
		large |= base == 10 ? result > 0x1999999999999999 || (result == 0x1999999999999999 && digit > 5) :
				      result >> (base == 16 ? 60 : 61) != 0;
		result = result * base + digit;
	}
	if (large)
		return TOO_LARGE;
	*value = result;
	return NUMBER;
}

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
	       closest(word, option_names, OPT_COUNT));
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

/* Refuses what cannot work, and says which mask would. */
static bool check_combination(u64 mask, bool from_build, char *error, size_t size)
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

/* --- Globs and lists --- */

/* Does the glob that ends before end match the whole text? Goes back to the latest * only, which is enough. */
static bool match(const char *glob, const char *end, const char *text)
{
	const char *star = 0, *resume = 0;

	while (*text) {
		if (glob < end && *glob == '*') {
			star = ++glob;
			resume = text;
		} else if (glob < end && (*glob == '?' || *glob == *text)) {
			glob++;
			text++;
		} else if (star) {
			glob = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (glob < end && *glob == '*')
		glob++;
	return glob == end;
}

static const char *end_of_word(const char *list)
{
	while (*list && *list != ',')
		list++;
	return list;
}

bool glob_match(const char *glob, const char *text)
{
	return match(glob, glob + strlen(glob), text);
}

bool globs_match(const char *globs, const char *text)
{
	for (;;) {
		const char *end = end_of_word(globs);

		if (end > globs && match(globs, end, text))
			return true;
		if (!*end)
			return false;
		globs = end + 1;
	}
}

bool list_word(const char *list, unsigned i, char *word, size_t size)
{
	const char *end = end_of_word(list);
	size_t length = 0;

	if (!*list)
		return false;
	for (; i; i--) {
		if (!*end)
			return false;
		list = end + 1;
		end = end_of_word(list);
	}
	for (; list < end && length + 1 < size; list++)
		word[length++] = *list;
	word[length] = 0;
	return true;
}

/* --- The words of the command line --- */

static bool in_rule_id(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

/* Copies a comma-separated list whose words may hold the characters of rule ids and those in more. */
static bool take_list(struct options *options, const char *name, const char *value, const char *more, const char *example,
		      char *to, size_t size)
{
	char text[SHOWN_SIZE];

	for (const char *c = value; *c; c++) {
		bool fine = in_rule_id(*c) || (*c == ',' && c > value && c[-1] != ',' && c[1]);

		for (const char *m = more; *m; m++)
			fine |= *c == *m;
		if (!fine && *c == ',') {
			format(options->error, sizeof(options->error), "%s=%s has an empty part: write it such as %s=%s", name,
			       shown(value, text), name, example);
			return false;
		}
		if (!fine) {
			char wrong[2] = {*c, 0}, wrong_shown[SHOWN_SIZE];

			format(options->error, sizeof(options->error),
			       "%s=%s has the character \"%s\", which cannot stand there: write it such as %s=%s", name,
			       shown(value, text), shown(wrong, wrong_shown), name, example);
			return false;
		}
	}
	if (!copy_string(to, value, size)) {
		*to = 0;
		format(options->error, sizeof(options->error), "%s=%s is too long: at most %u characters fit, so make it shorter",
		       name, shown(value, text), (unsigned)size - 1);
		return false;
	}
	return true;
}

static bool take_number(struct options *options, const char *name, const char *value, u64 low, u64 high, const char *example,
			u64 *to)
{
	char text[SHOWN_SIZE];
	u64 number = 0;
	enum number kind = parse_number(value, &number);

	if (kind == NUMBER && number >= low && number <= high) {
		*to = number;
		return true;
	}
	if (kind == NOT_A_NUMBER)
		format(options->error, sizeof(options->error), "%s=%s is not a number: write it such as %s=%s", name,
		       shown(value, text), name, example);
	else if (kind == NUMBER && number < low)
		format(options->error, sizeof(options->error), "%s=%s is too small: it must be at least %llu, such as %s=%s", name,
		       shown(value, text), low, name, example);
	else
		format(options->error, sizeof(options->error), "%s=%s is too large: it must be at most %llu, such as %s=%s", name,
		       shown(value, text), high, name, example);
	return false;
}

static bool take_lhv_opt(struct options *options, const char *value)
{
	char reason[200], text[SHOWN_SIZE];

	if (!options_parse_mask(value, &options->mask, reason, sizeof(reason))) {
		format(options->error, sizeof(options->error), "lhv_opt=%s: %s", shown(value, text), reason);
		return false;
	}
	options->mask_given = true;
	return true;
}

static bool take_tests(struct options *options, const char *value)
{
	return take_list(options, "tests", value, "*?", "vmxon.*,caps.basic.*", options->tests, sizeof(options->tests));
}

static bool take_skip(struct options *options, const char *value)
{
	return take_list(options, "skip", value, "*?", "irq7.*", options->skip, sizeof(options->skip));
}

static bool take_after(struct options *options, const char *value)
{
	for (const char *c = value; *c; c++)
		if (*c == ',') {
			format(options->error, sizeof(options->error),
			       "after= names more than one rule: give the one after which the run goes on");
			return false;
		}
	return take_list(options, "after", value, "", "caps.basic.revision", options->after, sizeof(options->after));
}

static bool take_fault(struct options *options, const char *value)
{
	return take_list(options, "fault", value, ":", "msr:480:flip:1", options->faults, sizeof(options->faults));
}

static bool take_iter(struct options *options, const char *value)
{
	u64 number = options->iterations;
	bool fine = take_number(options, "iter", value, 0, 0xffffffff, "10 (0 runs for ever)", &number);

	options->iterations = (u32)number;
	return fine;
}

static bool take_order(struct options *options, const char *value)
{
	static const char *const names[] = {[ORDER_LIST] = "list", [ORDER_REVERSE] = "reverse", [ORDER_RANDOM] = "random"};
	char text[SHOWN_SIZE];

	for (unsigned i = 0; i < COUNT(names); i++)
		if (!strcmp(value, names[i])) {
			options->order = i;
			return true;
		}
	format(options->error, sizeof(options->error), "order=%s is not known: use order=list, order=reverse or order=random",
	       shown(value, text));
	return false;
}

static bool take_seed(struct options *options, const char *value)
{
	return take_number(options, "seed", value, 0, ~0ull, "1", &options->seed);
}

static bool take_deadline(struct options *options, const char *value)
{
	u64 number = options->deadline_ms;
	bool fine = take_number(options, "deadline", value, 1, 0xffffffff, "2000 (milliseconds)", &number);

	options->deadline_ms = (u32)number;
	return fine;
}

static bool take_console(struct options *options, const char *value)
{
	/* Where the PC has always had its four serial ports */
	static const u16 ports[4] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
	char text[SHOWN_SIZE];
	u64 port = 0;

	for (unsigned i = 0; i < COUNT(ports); i++) {
		char name[5] = {'c', 'o', 'm', (char)('1' + i), 0};

		if (same_name(value, name)) {
			options->console = ports[i];
			return true;
		}
	}
	/* A UART has eight registers, and 0 means that none was named. */
	if (parse_number(value, &port) == NUMBER && port >= 1 && port <= 0xfff8) {
		options->console = (u16)port;
		return true;
	}
	format(options->error, sizeof(options->error),
	       "console=%s is no serial port: write com1 to com4, or an I/O port from 0x1 to 0xfff8 such as console=0x3f8",
	       shown(value, text));
	return false;
}

static const struct {
	const char *name;
	bool (*take)(struct options *options, const char *value);
} words[] = {
	{"lhv_opt", take_lhv_opt}, {"tests", take_tests}, {"skip", take_skip},
	{"after", take_after},	   {"iter", take_iter},	  {"seed", take_seed},
	{"order", take_order},
	{"deadline", take_deadline}, {"fault", take_fault}, {"console", take_console},
};

#define KNOWN_WORDS "lhv_opt=, tests=, skip=, after=, iter=, seed=, order=, deadline=, fault=, console="

static bool take_word(struct options *options, char *word)
{
	char text[SHOWN_SIZE];
	char *value = word;

	while (*value && *value != '=')
		value++;
	if (!*value) {
		format(options->error, sizeof(options->error), "\"%s\" is not of the form name=value; the known words are " KNOWN_WORDS,
		       shown(word, text));
		return false;
	}
	*value++ = 0;
	for (unsigned i = 0; i < COUNT(words); i++) {
		if (!same_name(word, words[i].name))
			continue;
		if (*value)
			return words[i].take(options, value);
		format(options->error, sizeof(options->error), "%s= has no value: give it one, or leave the word out",
		       words[i].name);
		return false;
	}
	format(options->error, sizeof(options->error), "\"%s=\" is no option; the known words are " KNOWN_WORDS, shown(word, text));
	return false;
}

/*
 * Copies the next word without its quotes and returns where the line goes on. A quote opens at the start of a word or
 * of its value only: names of folders may hold an apostrophe. *length becomes that of the whole word, also where it
 * does not fit, or ~0 where a quote is not closed.
 */
static const char *next_word(const char *line, char *word, size_t size, size_t *length)
{
	char quote = 0, previous = '=';

	*length = 0;
	while (is_space(*line))
		line++;
	for (; *line && (quote || !is_space(*line)); previous = *line++) {
		if (*line == quote) {
			quote = 0;
		} else if (!quote && previous == '=' && (*line == '"' || *line == '\'')) {
			quote = *line;
		} else {
			if (*length + 1 < size)
				word[*length] = *line;
			(*length)++;
		}
	}
	word[*length < size ? *length : size - 1] = 0;
	if (quote)
		*length = ~(size_t)0;
	return line;
}

static bool holds(const char *text, char c)
{
	while (*text && *text != c)
		text++;
	return *text == c;
}

static bool take_words(struct options *options, const char *line)
{
	char word[GLOBS_SIZE + 64], text[SHOWN_SIZE];
	size_t length;

	for (bool first = true;; first = false) {
		line = next_word(line, word, sizeof(word), &length);
		if (!length && !*line)
			return true;
		/*
		 * Some loaders put the path of the image before the options: not ours, whatever is in it, and in several
		 * words where a folder's name has a space.
		 */
		bool path = *word == '/' || *word == '(' || (!holds(word, '=') && (first || holds(word, '/')));
		if (length == ~(size_t)0) {
			format(options->error, sizeof(options->error), "%s has a quote that is not closed: close it, or leave it out",
			       shown(word, text));
			return false;
		}
		if (path || !length)
			continue;
		if (length >= sizeof(word)) {
			format(options->error, sizeof(options->error), "%s is too long: at most %u characters fit, so make it shorter",
			       shown(word, text), (unsigned)sizeof(word) - 1);
			return false;
		}
		if (!take_word(options, word))
			return false;
	}
}

bool options_parse(struct options *options, const char *command_line, bool default_given, u64 default_mask)
{
	memset(options, 0, sizeof(*options));
	options->iterations = 1;
	options->seed = 1;
	options->deadline_ms = 2000;

	if (!take_words(options, command_line))
		return false;
	bool from_build = !options->mask_given && default_given;
	if (from_build) {
		options->mask = default_mask;
		options->mask_given = true;
	}
	return check_combination(options->mask, from_build, options->error, sizeof(options->error));
}
