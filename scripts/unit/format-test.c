/* lib/format.c. The buffers stand between watched bytes: what is written outside shows. */
#include "check.h"
#include "lib/format.h"
#include <limits.h>

static struct {
	char before[8], text[64], after[8];
} room;

static void prepare(void)
{
	memset(&room, '~', sizeof(room));
}

static bool untouched(size_t size)
{
	char watched[64 + 8];

	memset(watched, '~', sizeof(watched));
	return !memcmp(room.before, watched, sizeof(room.before)) && !memcmp(room.text + size, watched, 64 + 8 - size);
}

/* Formats with room to spare, checks the text and the length, then again with each smaller size. */
#define FORMATS(expected, ...) \
	do { \
		prepare(); \
		CHECK_EQ(format(room.text, 64, __VA_ARGS__), strlen(expected)); \
		CHECK_TEXT(room.text, expected); \
		for (size_t size = 1; size < 64; size++) { \
			size_t length = strlen(expected) < size - 1 ? strlen(expected) : size - 1; \
			prepare(); \
			bool fine = CHECK_EQ(format(room.text, size, __VA_ARGS__), length) && CHECK(untouched(size)) && \
				    CHECK_EQ(strlen(room.text), length) && CHECK(!strncmp(room.text, expected, length)); \
			if (!fine) \
				break; \
		} \
	} while (0)

TEST(format_plain, "format: plain text, %% and %c")
{
	FORMATS("", "%s", "");
	FORMATS("plain text", "plain text");
	FORMATS("100%", "%d%%", 100);
	FORMATS("a-b", "%c-%c", 'a', 'b');
}

TEST(format_strings, "format: %s with width, to the left and to the right, and without a string")
{
	const char *volatile none = 0;

	FORMATS("[abc]", "[%s]", "abc");
	FORMATS("[  abc]", "[%5s]", "abc");
	FORMATS("[abc  ]", "[%-5s]", "abc");
	FORMATS("[abc]", "[%2s]", "abc");
	FORMATS("[abc]", "[%-2s]", "abc");
	FORMATS("[(none)]", "[%s]", none);
	FORMATS("[   x]", "[%*s]", 4, "x");
}

TEST(format_decimal, "format: %d and %u from INT_MIN to UINT_MAX")
{
	FORMATS("0", "%d", 0);
	FORMATS("-1", "%d", -1);
	FORMATS("2147483647", "%d", INT_MAX);
	FORMATS("-2147483648", "%d", INT_MIN);
	FORMATS("0", "%u", 0u);
	FORMATS("4294967295", "%u", UINT_MAX);
	FORMATS("-9223372036854775808", "%lld", LLONG_MIN);
	FORMATS("9223372036854775807", "%lld", LLONG_MAX);
	FORMATS("18446744073709551615", "%llu", ULLONG_MAX);
	FORMATS("-9223372036854775808", "%ld", LONG_MIN);
	FORMATS("18446744073709551615", "%lu", ULONG_MAX);
}

TEST(format_hexadecimal, "format: %x, %lx and %llx take as many bits as they say")
{
	FORMATS("0", "%x", 0u);
	FORMATS("deadbeef", "%x", 0xdeadbeefu);
	FORMATS("ffffffffffffffff", "%llx", ULLONG_MAX);
	FORMATS("123456789abcdef0", "%llx", 0x123456789abcdef0ull);
	FORMATS("123456789abcdef0", "%lx", 0x123456789abcdef0ul);
	FORMATS("1 2 3", "%llx %x %lx", 1ull, 2u, 3ul);
}

TEST(format_width, "format: width with blanks, zeros, to the left, and taken from an argument")
{
	FORMATS("[   42]", "[%5d]", 42);
	FORMATS("[42   ]", "[%-5d]", 42);
	FORMATS("[00042]", "[%05d]", 42);
	FORMATS("[0000002a]", "[%08x]", 42u);
	FORMATS("[000000000000002a]", "[%016llx]", 42ull);
	FORMATS("[12345]", "[%3d]", 12345);
	FORMATS("[   -7]", "[%5d]", -7);
	FORMATS("[  7]", "[%*d]", 3, 7);
	FORMATS("[        10]", "[%10d]", 10);
}

TEST(format_pointer, "format: %p shows every digit")
{
	FORMATS("0x0000000012345678", "%p", (void *)0x12345678);
	FORMATS("0x0000000000000000", "%p", (void *)0);
}

TEST(format_wrong, "format: an unknown conversion shows, and one that the text ends in ends it")
{
	/* the compiler would refuse these where it sees them */
	static const char unknown[] = "a%yb", unfinished[] = "a%", width_only[] = "a%5";
	size_t (*formatted)(char *, size_t, const char *, ...) = format;

	prepare();
	CHECK_EQ(formatted(room.text, 64, unknown), 4);
	CHECK_TEXT(room.text, "a%?b");
	CHECK_EQ(formatted(room.text, 64, unfinished), 3);
	CHECK_TEXT(room.text, "a%?");
	CHECK_EQ(formatted(room.text, 64, width_only), 3);
	CHECK_TEXT(room.text, "a%?");
}

TEST(format_append, "append: adds, cuts at the end, and leaves a full buffer alone")
{
	prepare();
	room.text[0] = 0;
	CHECK_EQ(append(room.text, 10, "%s", "abc"), 3);
	CHECK_EQ(append(room.text, 10, "%d", 12), 5);
	CHECK_TEXT(room.text, "abc12");
	CHECK_EQ(append(room.text, 10, "%s", "defgh"), 9);
	CHECK_TEXT(room.text, "abc12defg");
	CHECK_EQ(append(room.text, 10, "more"), 9);
	CHECK_TEXT(room.text, "abc12defg");
	CHECK(untouched(10));
}

TEST(format_copy_string, "copy_string: says whether it had to cut")
{
	prepare();
	CHECK(copy_string(room.text, "abc", 4));
	CHECK_TEXT(room.text, "abc");
	CHECK(untouched(4));
	prepare();
	CHECK(!copy_string(room.text, "abcd", 4));
	CHECK_TEXT(room.text, "abc");
	CHECK(untouched(4));
	CHECK(!copy_string(room.text, "a", 1));
	CHECK_TEXT(room.text, "");
	CHECK(copy_string(room.text, "", 1));
}
