/* harness/tap-text.c */
#include "check.h"
#include "harness/tap-text.h"

static char text[128];

/* At every size: ended within it, nothing written past it. */
static void check_sizes(size_t (*write)(char *, size_t, const char *), const char *from)
{
	for (size_t size = 0; size < 40; size++) {
		memset(text, '~', sizeof(text));
		size_t length = write(text, size, from);

		if (size)
			CHECK(length < size && strlen(text) == length);
		else
			CHECK_EQ(length, 0);
		for (size_t i = size; i < sizeof(text); i++)
			if (!CHECK_EQ(text[i], '~'))
				return;
	}
}

#define QUOTES(from, expected) \
	do { \
		CHECK_EQ(yaml_quote(text, sizeof(text), from), strlen(expected)); \
		CHECK_TEXT(text, expected); \
		check_sizes(yaml_quote, from); \
	} while (0)

TEST(yaml_plain, "yaml_quote: plain text between quotes")
{
	QUOTES("", "\"\"");
	QUOTES("VMfailValid(7): a # b", "\"VMfailValid(7): a # b\"");
	QUOTES(" ~", "\" ~\"");
}

TEST(yaml_escapes, "yaml_quote: quotes, backslashes, control characters and bytes past ASCII are escaped")
{
	QUOTES("a\"b", "\"a\\\"b\"");
	QUOTES("a\\b", "\"a\\\\b\"");
	QUOTES("a\nb\tc\rd", "\"a\\nb\\tc\\rd\"");
	QUOTES("\x01\x1f\x7f\x80\xff", "\"\\x01\\x1f\\x7f\\x80\\xff\"");
}

TEST(yaml_cut, "yaml_quote: cuts between characters and still closes the quote")
{
	CHECK_EQ(yaml_quote(text, 6, "abcdef"), 5);
	CHECK_TEXT(text, "\"abc\"");
	CHECK_EQ(yaml_quote(text, 6, "ab\"cd"), 4);
	CHECK_TEXT(text, "\"ab\"");
	CHECK_EQ(yaml_quote(text, 7, "ab\"cd"), 6);
	CHECK_TEXT(text, "\"ab\\\"\"");
	CHECK_EQ(yaml_quote(text, 8, "ab\x01"), 4);
	CHECK_TEXT(text, "\"ab\"");
	CHECK_EQ(yaml_quote(text, 3, "abc"), 2);
	CHECK_TEXT(text, "\"\"");
	CHECK_EQ(yaml_quote(text, 2, "abc"), 0);
	CHECK_TEXT(text, "");
}

#define DESCRIBES(from, expected) \
	do { \
		CHECK_EQ(tap_description(text, sizeof(text), from), strlen(expected)); \
		CHECK_TEXT(text, expected); \
		check_sizes(tap_description, from); \
	} while (0)

TEST(description_escapes, "tap_description: no text can look like a directive or end the line")
{
	DESCRIBES("plain", "plain");
	DESCRIBES("a # TODO b", "a \\# TODO b");
	DESCRIBES("a \\# SKIP", "a \\\\\\# SKIP");
	DESCRIBES("two\nlines\r\x7f.", "two lines  .");
	DESCRIBES("\x1f\x01", "  ");
}

TEST(description_cut, "tap_description: never cuts between a backslash and what it escapes")
{
	CHECK_EQ(tap_description(text, 4, "ab#c"), 2);
	CHECK_TEXT(text, "ab");
	CHECK_EQ(tap_description(text, 5, "ab#c"), 4);
	CHECK_TEXT(text, "ab\\#");
	CHECK_EQ(tap_description(text, 1, "ab"), 0);
	CHECK_TEXT(text, "");
}

static void cpus(u32 set, const char *expected)
{
	CHECK_EQ(cpu_set_format(text, sizeof(text), set), strlen(expected));
	CHECK_TEXT(text, expected);
}

TEST(cpu_sets, "cpu_set_format: single CPUs, ranges of three and more, none, all")
{
	cpus(0, "none");
	cpus(1, "0");
	cpus(3, "0 1");
	cpus(7, "0-2");
	cpus(0xb, "0 1 3");
	cpus(0xf, "0-3");
	cpus(0x2f, "0-3 5");
	cpus(0xaaaa, "1 3 5 7 9 11 13 15");
	cpus(0x80000000, "31");
	cpus(0xc0000000, "30 31");
	cpus(0xe0000001, "0 29-31");
	cpus(0xffffffff, "0-31");
}

static size_t every_other_cpu(char *buffer, size_t size, const char *unused)
{
	(void)unused;
	return cpu_set_format(buffer, size, 0x5555f00f);
}

TEST(cpu_sets_cut, "cpu_set_format: cuts between two CPUs")
{
	check_sizes(every_other_cpu, "");
	CHECK_EQ(cpu_set_format(text, 6, 0x5555f00f), 3);
	CHECK_TEXT(text, "0-3");
	CHECK_EQ(cpu_set_format(text, 1, 1), 0);
	CHECK_TEXT(text, "");
}
