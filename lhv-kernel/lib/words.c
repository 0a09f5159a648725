/* Words that a user has typed. */
#include "words.h"
#include "string.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

bool same_name(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b))
		a++, b++;
	return lower(*a) == lower(*b);
}

const char *shown(const char *text, char buffer[SHOWN_SIZE])
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

const char *closest_name(const char *word, const char *const *names, size_t count)
{
	const char *best = names[0];

	for (size_t i = 1; i < count; i++)
		if (edit_distance(word, names[i]) < edit_distance(word, best))
			best = names[i];
	return best;
}

enum number parse_number(const char *text, u64 *value)
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

/* Returns what follows the number, or 0 where there is none or it is too large for any list. */
static const char *decimal(const char *text, u32 *value)
{
	const char *start = text;

	for (*value = 0; *text >= '0' && *text <= '9' && text - start < 9; text++)
		*value = *value * 10 + (u32)(*text - '0');
	return text == start ? 0 : text;
}

bool parse_range(const char *text, u32 *first, u32 *last)
{
	text = decimal(text, first);
	*last = *first;
	if (text && *text == '-')
		text = decimal(text + 1, last);
	return text && !*text && *first <= *last;
}
