/*
 * The options on the boot command line.
 *
 * Every mistake is answered with one sentence that says what to do, never with a guess: a run with other tests than
 * those that were asked for is worse than no run.
 */
#include "harness/options.h"
#include "console/memory-log.h"
#include "lib/format.h"
#include "lib/string.h"
#include "lib/words.h"

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

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

static bool take_log_memory(struct options *options, const char *value)
{
	char text[SHOWN_SIZE];
	u64 address = 0;

	if (parse_number(value, &address) == NUMBER && address >= LOG_MEMORY_FIRST && address <= LOG_MEMORY_LAST &&
	    address % LOG_MEMORY_SIZE == 0) {
		options->log_memory = (u32)address;
		return true;
	}
	format(options->error, sizeof(options->error),
	       "log_memory=%s is no place for the log: write a multiple of 0x%x from 0x%x to 0x%x", shown(value, text),
	       LOG_MEMORY_SIZE, LOG_MEMORY_FIRST, LOG_MEMORY_LAST);
	return false;
}

static bool take_dump(struct options *options, const char *value)
{
	char text[SHOWN_SIZE];

	options->dump_vmcs = !strcmp(value, "vmcs");
	if (!options->dump_vmcs)
		format(options->error, sizeof(options->error), "dump=%s is not known: use dump=vmcs", shown(value, text));
	return options->dump_vmcs;
}

static const struct {
	const char *name;
	bool (*take)(struct options *options, const char *value);
} words[] = {
	{"lhv_opt", take_lhv_opt}, {"tests", take_tests}, {"skip", take_skip},
	{"after", take_after},	   {"iter", take_iter},	  {"seed", take_seed},
	{"order", take_order},
	{"deadline", take_deadline}, {"fault", take_fault}, {"dump", take_dump}, {"console", take_console},
	{"log_memory", take_log_memory},
};

#define KNOWN_WORDS "lhv_opt=, tests=, skip=, after=, iter=, seed=, order=, deadline=, fault=, dump=, console=, log_memory="

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
	return options_check_mask(options->mask, from_build, options->error, sizeof(options->error));
}
