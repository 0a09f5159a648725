/* harness/options.c: what each word means, every mistake and its sentence, masks, globs and lists. */
#include "check.h"
#include "harness/options.h"
#include "lib/words.h"
#include <stdio.h>

static struct options options;

static bool parse(const char *line)
{
	memset(&options, 0xa5, sizeof(options)); /* all of it must be set */
	return options_parse(&options, line, false, 0);
}

static void accepts(const char *line)
{
	if (!CHECK(parse(line)))
		printf("#   refused %s: %s\n", line, options.error);
	CHECK_TEXT(options.error, "");
}

/* Refused, with one sentence that fits and holds the part. */
static void refuses(const char *line, const char *part)
{
	if (!CHECK(!parse(line)))
		printf("#   accepted %s\n", line);
	CHECK_HOLDS(options.error, part);
	CHECK(strlen(options.error) < sizeof(options.error) - 1);
	for (const char *c = options.error; *c; c++)
		if (!CHECK(*c >= ' ' && *c <= '~'))
			return;
}

/* --- Words --- */

static void check_defaults(void)
{
	CHECK_EQ(options.mask_given, false);
	CHECK_EQ(options.mask, 0);
	CHECK_TEXT(options.tests, "");
	CHECK_TEXT(options.skip, "");
	CHECK_TEXT(options.after, "");
	CHECK_TEXT(options.faults, "");
	CHECK_EQ(options.iterations, 1);
	CHECK_EQ(options.seed, 1);
	CHECK_EQ(options.deadline_ms, 2000);
	CHECK_EQ(options.console, 0);
	CHECK_TEXT(options.error, "");
}

TEST(options_defaults, "options: the defaults of an empty line, blanks, and a path alone")
{
	static const char *const lines[] = {"", "   ", "\t\n\v\f\r", "/boot/lhv.bin", "lhv.bin", "(hd0,1)/lhv=1.bin", " \t/a=b/lhv "};

	for (unsigned i = 0; i < COUNT(lines); i++) {
		accepts(lines[i]);
		check_defaults();
	}
}

TEST(options_each_word, "options: each word sets its own field")
{
	accepts("lhv_opt=0x1fc");
	CHECK_EQ(options.mask, 0x1fc);
	CHECK_EQ(options.mask_given, true);
	accepts("tests=vmxon.*,caps.basic.?");
	CHECK_TEXT(options.tests, "vmxon.*,caps.basic.?");
	accepts("skip=irq7.*");
	CHECK_TEXT(options.skip, "irq7.*");
	CHECK_TEXT(options.tests, "");
	accepts("after=mtrr.cap.read-only_2");
	CHECK_TEXT(options.after, "mtrr.cap.read-only_2");
	accepts("iter=7");
	CHECK_EQ(options.iterations, 7);
	accepts("iter=0");
	CHECK_EQ(options.iterations, 0);
	accepts("iter=4294967295");
	CHECK_EQ(options.iterations, 0xffffffff);
	accepts("seed=0");
	CHECK_EQ(options.seed, 0);
	accepts("seed=18446744073709551615");
	CHECK_EQ(options.seed, ~0ull);
	accepts("deadline=1");
	CHECK_EQ(options.deadline_ms, 1);
	accepts("deadline=0xffffffff");
	CHECK_EQ(options.deadline_ms, 0xffffffff);
	accepts("fault=msr:480:flip:1,vmxon-any-cr0");
	CHECK_TEXT(options.faults, "msr:480:flip:1,vmxon-any-cr0");
}

TEST(options_together, "options: several words, in any order, with any white space, names in any case")
{
	accepts("  /boot/lhv.bin\tITER=3 Lhv_Opt=ept\n seed=0x10   skip=a.*  ");
	CHECK_EQ(options.iterations, 3);
	CHECK_EQ(options.mask, OPT_EPT);
	CHECK_EQ(options.seed, 16);
	CHECK_TEXT(options.skip, "a.*");
	CHECK_EQ(options.deadline_ms, 2000);
}

TEST(options_later_wins, "options: of two words with one name the later wins")
{
	accepts("iter=3 iter=4 tests=aaaa tests=b lhv_opt=0xc lhv_opt=0x10 console=com2 console=com1");
	CHECK_EQ(options.iterations, 4);
	CHECK_TEXT(options.tests, "b");
	CHECK_EQ(options.mask, 0x10);
	CHECK_EQ(options.console, 0x3f8);
	accepts("lhv_opt=0x8 lhv_opt=0xc");
	CHECK_EQ(options.mask, 0xc);
	refuses("lhv_opt=0xc lhv_opt=0x8", "needs EPT");
}

TEST(options_console, "options: console= takes com1 to com4 and ports")
{
	accepts("console=com1");
	CHECK_EQ(options.console, 0x3f8);
	accepts("console=COM2");
	CHECK_EQ(options.console, 0x2f8);
	accepts("console=com3");
	CHECK_EQ(options.console, 0x3e8);
	accepts("console=com4");
	CHECK_EQ(options.console, 0x2e8);
	accepts("console=0xf0a0");
	CHECK_EQ(options.console, 0xf0a0);
	accepts("console=1016");
	CHECK_EQ(options.console, 0x3f8);
	accepts("console=0xfff8");
	accepts("console=1");
	refuses("console=0xfff9", "console=0xfff9 is no serial port");
	refuses("console=0", "write com1 to com4");
	refuses("console=com0", "write com1 to com4");
	refuses("console=com5", "write com1 to com4");
	refuses("console=com", "write com1 to com4");
	refuses("console=com11", "write com1 to com4");
	refuses("console=3f8", "console=0x3f8");
	refuses("console=0x13f8f", "is no serial port");
}

TEST(options_quotes, "options: quotes around a value or a whole word are taken off")
{
	accepts("tests=\"a.*,b\" skip='c.d' \"iter=5\" 'seed=6' lhv_opt=\"0x4\"");
	CHECK_TEXT(options.tests, "a.*,b");
	CHECK_TEXT(options.skip, "c.d");
	CHECK_EQ(options.iterations, 5);
	CHECK_EQ(options.seed, 6);
	CHECK_EQ(options.mask, 4);
	accepts("\"\" '' iter=2");
	CHECK_EQ(options.iterations, 2);
	accepts("/home/o'neil/lhv.bin iter=4");
	CHECK_EQ(options.iterations, 4);
	accepts("\"/home/my folder/lhv.bin\" iter=4");
	CHECK_EQ(options.iterations, 4);
	refuses("tests=\"a.b iter=3", "quote that is not closed");
	refuses("'", "quote that is not closed");
	refuses("iter='3\"", "quote that is not closed");
	refuses("tests=a\"b\"", "tests=a?b? has the character \"?\"");
	refuses("iter=\"3 4\"", "iter=3 4 is not a number");
}

TEST(options_paths, "options: the image's path may come first, and may hold blanks; other bare words are mistakes")
{
	accepts("/home/my user/lhv.bin iter=2");
	CHECK_EQ(options.iterations, 2);
	accepts("lhv iter=3");
	CHECK_EQ(options.iterations, 3);
	refuses("lhv.bin lhvopt", "\"lhvopt\" is not of the form name=value");
	refuses("iter=2 smoke", "\"smoke\" is not of the form name=value; the known words are lhv_opt=, tests=");
	refuses("a b", "\"b\" is not");
}

TEST(options_log_memory, "options: log_memory= takes an address that is aligned and in range")
{
	accepts("iter=1");
	CHECK_EQ(options.log_memory, 0);
	accepts("log_memory=0x4000000");
	CHECK_EQ(options.log_memory, 0x4000000);
	accepts("log_memory=16777216");
	accepts("log_memory=0xb0000000");
	refuses("log_memory=0x4001000", "write a multiple of 0x400000 from 0x1000000 to 0xb0000000");
	refuses("log_memory=0xc00000", "no place for the log");
	refuses("log_memory=0xb0400000", "no place for the log");
	refuses("log_memory=0x100000000", "no place for the log");
	refuses("log_memory=high", "log_memory=high is no place");
}

TEST(options_unknown, "options: an unknown name is answered with all known ones")
{
	refuses("lhvopt=0x4", "\"lhvopt=\" is no option; the known words are lhv_opt=, tests=, skip=, after=, iter=, seed=, "
			      "order=, deadline=, fault=, dump=, console=, log_memory=");
	refuses("test=a", "\"test=\" is no option");
	refuses("testss=a", "\"testss=\" is no option");
	refuses("=5", "\"=\" is no option");
	refuses("iter=1 a\x01\xff.=5", "\"a??.=\" is no option");
	refuses("iter=1 a\x7f~=5", "\"a?~=\" is no option");
	refuses("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz=1", "\"abcdefghijklmnopqrstuvwxyzabcdefghijk...=\"");
}

TEST(options_empty_values, "options: no word may be without a value")
{
	static const char *const names[] = {"lhv_opt", "tests", "skip", "after", "iter", "seed", "deadline", "fault", "console", "log_memory"};

	for (unsigned i = 0; i < COUNT(names); i++) {
		char line[32], part[48];

		snprintf(line, sizeof(line), "%s=", names[i]);
		snprintf(part, sizeof(part), "%s= has no value", names[i]);
		refuses(line, part);
		snprintf(line, sizeof(line), "%s=\"\"", names[i]);
		refuses(line, part);
	}
}

/* --- Numbers --- */

TEST(options_numbers, "options: decimal, hexadecimal and octal numbers up to 64 bits")
{
	static const struct {
		const char *text;
		u64 value;
	} rows[] = {
		{"seed=0", 0}, {"seed=00", 0}, {"seed=9", 9}, {"seed=010", 8}, {"seed=0x10", 16}, {"seed=0X1aF", 0x1af},
		{"seed=18446744073709551610", 18446744073709551610ull}, {"seed=0xffffffffffffffff", ~0ull},
		{"seed=01777777777777777777777", ~0ull}, {"seed=0x00000000000000000000000000000001", 1},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		accepts(rows[i].text);
		CHECK_EQ(options.seed, rows[i].value);
	}
}

TEST(options_malformed_numbers, "options: what is not a number is said to be none")
{
	static const char *const values[] = {"0x", "0xzz", "zz", "12a", "08", "09", "0b1", "-1", "+1", "1 ", "0x1g", "1.5", "x1"};

	for (unsigned i = 0; i < COUNT(values); i++) {
		char line[32];

		snprintf(line, sizeof(line), "seed='%s'", values[i]);
		refuses(line, "is not a number: write it such as seed=1");
	}
	refuses("iter=ten", "iter=ten is not a number: write it such as iter=10 (0 runs for ever)");
	refuses("deadline=2s", "deadline=2s is not a number: write it such as deadline=2000 (milliseconds)");
}

TEST(options_large_numbers, "options: a number that does not fit is too large, and no digit is lost")
{
	refuses("seed=18446744073709551616", "is too large: it must be at most 18446744073709551615");
	refuses("seed=18446744073709551620", "is too large");
	refuses("seed=99999999999999999999", "is too large");
	refuses("seed=0x10000000000000000", "is too large");
	refuses("seed=02000000000000000000000", "is too large");
	refuses("seed=184467440737095516150", "is too large");
	refuses("iter=4294967296", "iter=4294967296 is too large: it must be at most 4294967295");
	refuses("iter=0x1ffffffff", "is too large");
	refuses("deadline=4294967296", "is too large");
	refuses("deadline=0", "deadline=0 is too small: it must be at least 1");
}

/* --- Masks --- */

static char reason[240];

static void masks(const char *text, u64 expected)
{
	u64 mask = 0x5555;

	reason[0] = 0;
	CHECK(options_parse_mask(text, &mask, reason, sizeof(reason)));
	CHECK_EQ(mask, expected);
	CHECK_TEXT(reason, "");
}

static void no_mask(const char *text, const char *part)
{
	u64 mask = 0x5555;

	reason[0] = 0;
	CHECK(!options_parse_mask(text, &mask, reason, sizeof(reason)));
	CHECK_EQ(mask, 0x5555);
	CHECK_HOLDS(reason, part);
}

TEST(mask_numbers_and_names, "mask: numbers, names in any case, and both together")
{
	masks("0", 0);
	masks("9", 9);
	masks("508", 508);
	masks("0x1fc", 0x1fc);
	masks("0774", 0x1fc);
	masks("ept", OPT_EPT);
	masks("EPT+vpid+VmxOff", OPT_EPT | OPT_VPID | OPT_VMXOFF);
	masks("ept,vpid", OPT_EPT | OPT_VPID);
	masks("0x4+vpid,8", OPT_EPT | OPT_VPID | OPT_SWITCH_EPT);
	masks("ept+ept", OPT_EPT);
	masks("none", 0);
	masks("none+ept", OPT_EPT);
	masks("0x3ffffffff", OPT_KNOWN);
	masks("bench", BIT(33));
	masks("fuzz", BIT(32));
	masks("vmfunc", BIT(31));
}

TEST(mask_every_bit, "mask: each option's name gives its bit, and its bit its name")
{
	for (unsigned bit = 0; bit < OPT_COUNT; bit++) {
		char text[40];

		if (!CHECK(option_names[bit] && option_meanings[bit] && *option_meanings[bit]))
			continue;
		masks(option_names[bit], BIT(bit));
		CHECK_EQ(options_format_mask(text, sizeof(text), BIT(bit)), strlen(option_names[bit]));
		CHECK_TEXT(text, option_names[bit]);
		for (unsigned other = 0; other < bit; other++)
			CHECK(strcmp(option_names[bit], option_names[other]) != 0);
	}
	/* the bits that older LHVs gave a meaning keep it */
	CHECK_TEXT(option_names[0], "MSR_LOAD");
	CHECK_TEXT(option_names[8], "LARGE_PAGE");
	CHECK_TEXT(option_names[13], "NO_VGA_ART");
	CHECK_TEXT(option_names[14], "SHADOW_VMCS");
	CHECK_TEXT(option_names[33], "BENCH");
}

TEST(mask_mistakes, "mask: unknown names are answered with the closest, unknown bits with the known ones")
{
	no_mask("epd", "\"epd\" is no option of the mask: did you mean EPT?");
	no_mask("ept+vpidd", "did you mean VPID?");
	no_mask("vmx_off", "did you mean VMXOFF?");
	no_mask("largepage", "did you mean LARGE_PAGE?");
	no_mask("NO_INTERUPTS", "did you mean NO_INTERRUPT?");
	no_mask("mouse", "did you mean");
	no_mask("", "empty part");
	no_mask("ept+", "empty part");
	no_mask("+ept", "empty part");
	no_mask("ept,,vpid", "empty part");
	no_mask("0x", "not a number");
	no_mask("0xept", "not a number");
	no_mask("1fc", "\"1fc\" is not a number: write a mask such as 0x1fc");
	no_mask("0x10000000000000000", "wider than 64 bits");
	no_mask("0x400000000", "has bits that are no option: 0x400000000; the known bits are 0x3ffffffff");
	no_mask("0xffffffffffffffff", "no option: 0xfffffffc00000000");
	no_mask("0x00000000000000000000000000000000000000000000000000000004", "is too long");
	no_mask("a_name_that_is_much_longer_than_any_that_there_is", "is too long");
	no_mask("ep\x01", "\"ep?\"");
	refuses("lhv_opt=epd", "lhv_opt=epd: \"epd\" is no option of the mask");
	refuses("lhv_opt=0x400000000", "lhv_opt=0x400000000: \"0x400000000\" has bits");
}

TEST(mask_closest, "mask: a name with one letter lost, changed, added or doubled is answered with that name")
{
	for (unsigned bit = 0; bit < OPT_COUNT; bit++) {
		const char *name = option_names[bit];
		int length = (int)strlen(name);
		char word[40], part[40];

		snprintf(part, sizeof(part), "did you mean %s?", name);
		for (int i = 0; i < length; i++) {
			snprintf(word, sizeof(word), "%.*s%s", i, name, name + i + 1);
			no_mask(word, part);
			snprintf(word, sizeof(word), "%.*s~%s", i, name, name + i + 1);
			no_mask(word, part);
			snprintf(word, sizeof(word), "%.*s~%s", i, name, name + i);
			no_mask(word, part);
			snprintf(word, sizeof(word), "%.*s%s", i + 1, name, name + i);
			no_mask(word, part);
		}
		snprintf(word, sizeof(word), "%s~", name);
		no_mask(word, part);
	}
	no_mask("unrestricted", "did you mean UNRESTRICTED_GUEST?");
	no_mask("preemption", "did you mean PREEMPTION_TIMER?");
	no_mask("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "did you mean");
}

TEST(mask_longest, "mask: a word of the longest length that fits is read, one more is refused")
{
	char text[48];

	snprintf(text, sizeof(text), "0x%038x", 0x1fc);
	CHECK_EQ(strlen(text), 40);
	masks(text, 0x1fc);
	snprintf(text, sizeof(text), "0x%039x", 0x1fc);
	no_mask(text, "is too long");
}

TEST(mask_format, "mask: said in names, with unknown bits as a number, cut where it does not fit")
{
	char text[512];

	CHECK_EQ(options_format_mask(text, sizeof(text), 0), 4);
	CHECK_TEXT(text, "none");
	CHECK_EQ(options_format_mask(text, sizeof(text), OPT_EPT | OPT_VPID), 8);
	CHECK_TEXT(text, "EPT+VPID");
	options_format_mask(text, sizeof(text), OPT_EPT | BIT(63));
	CHECK_TEXT(text, "EPT+0x8000000000000000");
	options_format_mask(text, sizeof(text), BIT(34));
	CHECK_TEXT(text, "0x400000000");
	options_format_mask(text, sizeof(text), BIT(40));
	CHECK_TEXT(text, "0x10000000000");
	memset(text, '~', sizeof(text));
	CHECK_EQ(options_format_mask(text, 6, OPT_EPT | OPT_VPID), 5);
	CHECK_TEXT(text, "EPT+V");
	CHECK_EQ(text[6], '~');
	CHECK(options_format_mask(text, sizeof(text), OPT_KNOWN) < sizeof(text) - 1);
	masks(text, OPT_KNOWN);
}

/* --- Combinations --- */

TEST(combinations_refused, "combinations: each of 0x8, 0x20 and 0x100 needs 0x4, and the sentence says what would work")
{
	refuses("lhv_opt=0x8", "lhv_opt=0x8 (SWITCH_EPT) needs EPT (0x4): use lhv_opt=0xc");
	refuses("lhv_opt=0x20", "lhv_opt=0x20 (UNRESTRICTED_GUEST) needs EPT (0x4): use lhv_opt=0x24");
	refuses("lhv_opt=0x100", "lhv_opt=0x100 (LARGE_PAGE) needs EPT (0x4): use lhv_opt=0x104");
	refuses("lhv_opt=0x1f8", "lhv_opt=0x1f8 (SWITCH_EPT+UNRESTRICTED_GUEST+LARGE_PAGE) needs EPT (0x4): use lhv_opt=0x1fc");
	refuses("lhv_opt=large_page", "use lhv_opt=0x104");
}

TEST(combinations_accepted, "combinations: every single bit but those three, and those three with 0x4")
{
	for (unsigned bit = 0; bit < OPT_COUNT; bit++) {
		char line[40];
		bool needs_ept = bit == 3 || bit == 5 || bit == 8;

		snprintf(line, sizeof(line), "lhv_opt=0x%llx", BIT(bit));
		CHECK_EQ(parse(line), !needs_ept);
		snprintf(line, sizeof(line), "lhv_opt=0x%llx", BIT(bit) | 4);
		accepts(line);
		CHECK_EQ(options.mask, BIT(bit) | 4);
	}
	accepts("lhv_opt=0x3ffffffff");
	accepts("lhv_opt=0x42"); /* the older line refused it */
}

TEST(build_default, "the build's LHV_OPT counts where no word gives a mask, and is checked as well")
{
	CHECK(options_parse(&options, "iter=2", true, 0x1fc));
	CHECK_EQ(options.mask, 0x1fc);
	CHECK_EQ(options.mask_given, true);
	CHECK(options_parse(&options, "", true, 0));
	CHECK_EQ(options.mask_given, true);
	CHECK(options_parse(&options, "lhv_opt=0x10", true, 0x1fc));
	CHECK_EQ(options.mask, 0x10);
	CHECK(options_parse(&options, "lhv_opt=0", true, 0x1fc));
	CHECK_EQ(options.mask, 0);
	CHECK(options_parse(&options, "", false, 0x1fc));
	CHECK_EQ(options.mask, 0);
	CHECK_EQ(options.mask_given, false);
	CHECK(!options_parse(&options, "", true, 0x8));
	CHECK_TEXT(options.error, "the LHV_OPT of this build, 0x8 (SWITCH_EPT) needs EPT (0x4): use lhv_opt=0xc");
	CHECK(!options_parse(&options, "", true, BIT(34)));
	CHECK_TEXT(options.error, "the LHV_OPT of this build, 0x400000000 has bits that are no option: 0x400000000; the known "
				  "bits are 0x3ffffffff");
	CHECK(!options_parse(&options, "", true, BIT(34) | 4));
	CHECK_HOLDS(options.error, "0x400000004 has bits that are no option: 0x400000000;");
	CHECK(options_parse(&options, "lhv_opt=0xc", true, 0x8));
}

/* --- Lists --- */

TEST(lists_characters, "lists: only characters that can stand in them")
{
	static const char *const names[] = {"tests", "skip", "after", "fault"};
	static const char *const also[] = {"*?", "*?", "", ":"};

	for (unsigned i = 0; i < COUNT(names); i++)
		for (unsigned c = 1; c < 256; c++) {
			char line[32];
			bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';

			if (c == '"' || c == ',')
				continue;
			snprintf(line, sizeof(line), "%s=\"a%cb\"", names[i], c);
			CHECK_EQ(parse(line), plain || strchr(also[i], (int)c) != 0);
		}
	refuses("tests=VMXON.*", "tests=VMXON.* has the character \"V\", which cannot stand there: write it such as tests=vmxon.*");
	refuses("skip=a,b;c", "has the character \";\"");
	refuses("after=a.*", "has the character \"*\"");
	refuses("tests=a/b", "has the character \"/\"");
	refuses("fault=a=b", "has the character \"=\"");
}

TEST(lists_empty_parts, "lists: no empty parts")
{
	refuses("tests=,", "tests=, has an empty part");
	refuses("tests=a,", "has an empty part");
	refuses("skip=,a", "has an empty part");
	refuses("skip=a,,b", "has an empty part");
	refuses("fault=a,,b", "has an empty part");
	accepts("tests=a,b,c");
	refuses("after=a,b", "after= names more than one rule");
}

TEST(lists_long, "lists: what fits is taken whole, one more character is refused")
{
	static char line[GLOBS_SIZE + 200];
	static const struct {
		const char *name;
		unsigned room;
		char *field;
	} rows[] = {
		{"tests", GLOBS_SIZE - 1, options.tests}, {"skip", GLOBS_SIZE - 1, options.skip}, {"after", 79, options.after},
		{"fault", GLOBS_SIZE - 1, options.faults},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		char part[64];
		size_t start = (size_t)snprintf(line, sizeof(line), "%s=", rows[i].name);

		memset(line + start, 'a', rows[i].room);
		line[start + rows[i].room] = 0;
		accepts(line);
		CHECK_EQ(strlen(rows[i].field), rows[i].room);
		line[start + rows[i].room] = 'a';
		line[start + rows[i].room + 1] = 0;
		snprintf(part, sizeof(part), "is too long: at most %u characters fit", rows[i].room);
		refuses(line, part);
	}
	memset(line, 'a', sizeof(line) - 1);
	memcpy(line, "tests=", 6);
	refuses(line, "is too long");
}

TEST(words_long, "options: a word of the longest length that fits is looked at, one more is refused")
{
	static char line[GLOBS_SIZE + 200];

	memset(line, 'a', sizeof(line) - 1);
	memcpy(line, "tests=", 6);
	line[GLOBS_SIZE + 63] = 0;
	refuses(line, "is too long: at most 1023 characters fit");
	line[GLOBS_SIZE + 63] = 'a';
	line[GLOBS_SIZE + 64] = 0;
	refuses(line, "is too long: at most 1087 characters fit");
	line[GLOBS_SIZE + 63] = '=';
	line[5] = 'a';
	memcpy(line + GLOBS_SIZE + 30, " iter=2", 8);
	line[0] = '/'; /* a path may be as long as it likes */
	accepts(line);
	CHECK_EQ(options.iterations, 2);
}

TEST(list_words, "list_word: the words of a list one by one")
{
	char word[4] = "~~~";

	CHECK(list_word("a,bc,d", 0, word, sizeof(word)));
	CHECK_TEXT(word, "a");
	CHECK(list_word("a,bc,d", 1, word, sizeof(word)));
	CHECK_TEXT(word, "bc");
	CHECK(list_word("a,bc,d", 2, word, sizeof(word)));
	CHECK_TEXT(word, "d");
	CHECK(!list_word("a,bc,d", 3, word, sizeof(word)));
	CHECK(!list_word("", 0, word, sizeof(word)));
	CHECK(!list_word("a", 1, word, sizeof(word)));
	CHECK(list_word("a,,b", 1, word, sizeof(word)));
	CHECK_TEXT(word, "");
	CHECK(list_word("abcdef,g", 0, word, sizeof(word)));
	CHECK_TEXT(word, "abc");
	CHECK(list_word("abcdef,g", 1, word, sizeof(word)));
	CHECK_TEXT(word, "g");
}

/* --- Globs --- */

/* The plainest definition, to compare with. */
static bool slow_match(const char *glob, const char *text)
{
	if (*glob == '*')
		return slow_match(glob + 1, text) || (*text && slow_match(glob, text + 1));
	if (!*glob || !*text)
		return !*glob && !*text;
	return (*glob == '?' || *glob == *text) && slow_match(glob + 1, text + 1);
}

TEST(globs_by_hand, "globs: whole texts, *, ?, and both")
{
	static const struct {
		const char *glob, *text;
		bool matches;
	} rows[] = {
		{"", "", true}, {"", "a", false}, {"a", "", false}, {"a", "a", true}, {"a", "ab", false}, {"ab", "a", false},
		{"*", "", true}, {"*", "abc", true}, {"**", "", true}, {"?", "", false}, {"?", "a", true}, {"?", "ab", false},
		{"vmxon.*", "vmxon.cr0", true}, {"vmxon.*", "vmxon.", true}, {"vmxon.*", "vmxon", false},
		{"vmxon.*", "xvmxon.a", false}, {"*.cr0", "vmxon.cr0", true}, {"*.cr0", "vmxon.cr0.x", false},
		{"a*b*c", "abc", true}, {"a*b*c", "aXbYbZc", true}, {"a*b*c", "acb", false}, {"*a*", "bab", true},
		{"a?c", "abc", true}, {"a?c", "ac", false}, {"?*", "", false}, {"?*", "x", true}, {"*?", "x", true},
		{"*ab", "aab", true}, {"*aab", "aaab", true}, {"*.a.*", "x.b.a.c", true}, {"a", "A", false},
	};

	for (unsigned i = 0; i < COUNT(rows); i++)
		if (!CHECK_EQ(glob_match(rows[i].glob, rows[i].text), rows[i].matches))
			printf("#   glob '%s' text '%s'\n", rows[i].glob, rows[i].text);
}

/* The word of this number among all words of a length over an alphabet */
static void spell(char *word, unsigned number, unsigned length, const char *letters)
{
	unsigned count = (unsigned)strlen(letters);

	for (unsigned i = 0; i < length; i++, number /= count)
		word[i] = letters[number % count];
	word[length] = 0;
}

TEST(globs_exhaustive, "globs: all globs of up to 5 characters and texts of up to 5 as the plainest definition says")
{
	char glob[6], text[6];

	for (unsigned glob_length = 0; glob_length <= 5; glob_length++)
		for (unsigned g = 0; g < 1u << (2 * glob_length); g++)
			for (unsigned length = 0; length <= 5; length++)
				for (unsigned t = 0; t < 1u << length; t++) {
					spell(glob, g, glob_length, "ab*?");
					spell(text, t, length, "ab");
					if (!CHECK_EQ(glob_match(glob, text), slow_match(glob, text))) {
						printf("#   glob '%s' text '%s'\n", glob, text);
						return;
					}
				}
}

TEST(globs_many_stars, "globs: many stars take no exponential time")
{
	char text[200];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	CHECK(!glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
	CHECK(glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*", text));
}

TEST(globs_lists, "globs: any of a list, none of an empty one")
{
	CHECK(globs_match("a,b", "a"));
	CHECK(globs_match("a,b", "b"));
	CHECK(!globs_match("a,b", "c"));
	CHECK(!globs_match("a,b", "a,b"));
	CHECK(globs_match("x.*,y.?", "y.z"));
	CHECK(!globs_match("x.*,y.?", "y.zz"));
	CHECK(!globs_match("", "a"));
	CHECK(!globs_match("", ""));
	CHECK(!globs_match(",", ""));
	CHECK(!globs_match(",,b", "a"));
	CHECK(globs_match(",,b", "b"));
	CHECK(globs_match("*", ""));
	CHECK(!globs_match("ab", "a"));
	CHECK(!globs_match("a,bc", "b"));
}

TEST(options_order, "options: order= takes list, reverse and random, and says so")
{
	struct options options;

	CHECK(options_parse(&options, "lhv_opt=0x0", false, 0) && options.order == ORDER_LIST);
	CHECK(options_parse(&options, "order=reverse", false, 0) && options.order == ORDER_REVERSE);
	CHECK(options_parse(&options, "order=random seed=3", false, 0) && options.order == ORDER_RANDOM);
	CHECK(!options_parse(&options, "order=sideways", false, 0));
	CHECK_HOLDS(options.error, "order=sideways is not known: use order=list");
}

/* --- Ranges of numbers --- */

static const char *range(const char *text)
{
	static char buffer[32];
	u32 first, last;

	if (!parse_range(text, &first, &last))
		return "none";
	snprintf(buffer, sizeof(buffer), "%u to %u", first, last);
	return buffer;
}

TEST(ranges, "ranges: a number, two numbers, and what is neither")
{
	CHECK_TEXT(range("7"), "7 to 7");
	CHECK_TEXT(range("3-12"), "3 to 12");
	CHECK_TEXT(range("999999999"), "999999999 to 999999999");
	CHECK_TEXT(range("12-3"), "none");
	CHECK_TEXT(range("1234567890"), "none");
	CHECK_TEXT(range("3-"), "none");
	CHECK_TEXT(range("-3"), "none");
	CHECK_TEXT(range("3-4-5"), "none");
	CHECK_TEXT(range("3.x"), "none");
	CHECK_TEXT(range(""), "none");
}

TEST(dump, "dump=: vmcs, and nothing else")
{
	CHECK(parse("") && !options.dump_vmcs);
	accepts("dump=vmcs");
	CHECK(options.dump_vmcs);
	refuses("dump=gdt", "use dump=vmcs");
	refuses("dump=", "has no value");
}
