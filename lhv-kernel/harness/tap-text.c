/*
 * Texts as TAP 14 and its YAML blocks want them.
 *
 * A rule's texts may hold what a faulty platform left in memory. Whatever it is, the line that it ends up in must
 * stay one line, and a parser must get the same text back.
 */
#include "harness/tap-text.h"
#include "lib/format.h"
#include "lib/string.h"

/* Adds a piece as a whole where it and the reserved characters after it fit. */
static bool add(char *buffer, size_t size, size_t *length, const char *piece, size_t reserved)
{
	size_t more = strlen(piece);

	if (*length + more + reserved >= size)
		return false;
	memcpy(buffer + *length, piece, more + 1);
	*length += more;
	return true;
}

size_t yaml_quote(char *buffer, size_t size, const char *text)
{
	size_t length = 0;

	if (size)
		*buffer = 0;
	if (size < 3)
		return 0;
	add(buffer, size, &length, "\"", 1);
	for (; *text; text++) {
		u8 c = (u8)*text;
		char piece[5] = {(char)c, 0};

		if (c == '\\' || c == '"')
			format(piece, sizeof(piece), "\\%c", c);
		else if (c == '\n' || c == '\t' || c == '\r')
			format(piece, sizeof(piece), "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
		else if (c < ' ' || c > '~')
			format(piece, sizeof(piece), "\\x%02x", c);
		if (!add(buffer, size, &length, piece, 1))
			break;
	}
	add(buffer, size, &length, "\"", 0);
	return length;
}

size_t tap_description(char *buffer, size_t size, const char *text)
{
	size_t length = 0;

	if (size)
		*buffer = 0;
	for (; *text; text++) {
		char piece[3] = {*text, 0};

		if (*text == '\\' || *text == '#')
			format(piece, sizeof(piece), "\\%c", *text);
		else if ((u8)*text < ' ' || *text == 0x7f)
			piece[0] = ' ';
		if (!add(buffer, size, &length, piece, 0))
			break;
	}
	return length;
}

size_t cpu_set_format(char *buffer, size_t size, u32 cpus)
{
	size_t length = 0;

	if (size)
		*buffer = 0;
	if (!cpus)
		add(buffer, size, &length, "none", 0);
	for (unsigned cpu = 0; cpu < 32; cpu++) {
		char piece[16];
		unsigned last = cpu;

		if (!(cpus & BIT(cpu)))
			continue;
		while (last < 31 && cpus & BIT(last + 1))
			last++;
		if (last < cpu + 2) /* two in a row are shorter one by one */
			last = cpu;
		format(piece, sizeof(piece), "%s%u", length ? " " : "", cpu);
		if (last > cpu)
			append(piece, sizeof(piece), "-%u", last);
		if (!add(buffer, size, &length, piece, 0))
			break;
		cpu = last;
	}
	return length;
}
