/* lib/string.c: what the compiler relies on in a kernel without a C library. */
#include "check.h"

void *lhv_memcpy(void *to, const void *from, size_t size);
void *lhv_memmove(void *to, const void *from, size_t size);
void *lhv_memset(void *to, int value, size_t size);
int lhv_memcmp(const void *a, const void *b, size_t size);
size_t lhv_strlen(const char *s);
int lhv_strcmp(const char *a, const char *b);
int lhv_strncmp(const char *a, const char *b, size_t size);

TEST(string_copy, "string: memcpy and memset write exactly their bytes and return the target")
{
	char buffer[8] = "ABCDEFG";

	CHECK(lhv_memcpy(buffer + 1, "xyz", 2) == buffer + 1);
	CHECK_TEXT(buffer, "AxyDEFG");
	CHECK(lhv_memset(buffer + 3, '-' | 0x100, 3) == buffer + 3);
	CHECK_TEXT(buffer, "Axy---G");
	lhv_memcpy(buffer, "?", 0);
	lhv_memset(buffer, '?', 0);
	CHECK_TEXT(buffer, "Axy---G");
}

TEST(string_move, "string: memmove at every distance of two overlapping ranges")
{
	for (unsigned from = 0; from < 8; from++)
		for (unsigned to = 0; to < 8; to++) {
			char own[] = "abcdefghijklmno", theirs[] = "abcdefghijklmno";

			CHECK(lhv_memmove(own + to, own + from, 7) == own + to);
			memmove(theirs + to, theirs + from, 7);
			CHECK_TEXT(own, theirs);
		}
}

TEST(string_compare, "string: comparisons have the sign of the first difference, as unsigned characters")
{
	CHECK_EQ(lhv_strcmp("abc", "abc"), 0);
	CHECK(lhv_strcmp("abc", "abd") < 0);
	CHECK(lhv_strcmp("abd", "abc") > 0);
	CHECK(lhv_strcmp("ab", "abc") < 0);
	CHECK(lhv_strcmp("abc", "ab") > 0);
	CHECK(lhv_strcmp("\x80", "\x7f") > 0);
	CHECK_EQ(lhv_strcmp("", ""), 0);
	CHECK_EQ(lhv_strncmp("abcX", "abcY", 3), 0);
	CHECK(lhv_strncmp("abcX", "abcY", 4) < 0);
	CHECK_EQ(lhv_strncmp("a", "b", 0), 0);
	CHECK_EQ(lhv_strncmp("ab\0x", "ab\0y", 4), 0);
	CHECK_EQ(lhv_memcmp("ab\0x", "ab\0x", 4), 0);
	CHECK(lhv_memcmp("ab\0x", "ab\0y", 4) < 0);
	CHECK(lhv_memcmp("\xff", "\x01", 1) > 0);
	CHECK_EQ(lhv_memcmp("a", "b", 0), 0);
}

TEST(string_length, "string: strlen counts up to the zero")
{
	CHECK_EQ(lhv_strlen(""), 0);
	CHECK_EQ(lhv_strlen("a"), 1);
	CHECK_EQ(lhv_strlen("ab\0cd"), 2);
}
