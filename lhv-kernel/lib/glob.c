/* Globs, and lists of words. */
#include "glob.h"
#include "string.h"

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
