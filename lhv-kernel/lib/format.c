/* Formatted text into a buffer. */
#include "format.h"
#include "string.h"

struct output {
	char *at, *end;
};

static void put(struct output *out, char c)
{
	if (out->at < out->end)
		*out->at++ = c;
}

static void put_padded(struct output *out, const char *text, size_t length, int width, bool left, char pad)
{
	int padding = width > (int)length ? width - (int)length : 0;

	for (int i = 0; !left && i < padding; i++)
		put(out, pad);
	for (size_t i = 0; i < length; i++)
		put(out, text[i]);
	for (int i = 0; left && i < padding; i++)
		put(out, ' ');
}

static void put_number(struct output *out, u64 value, bool negative, unsigned base, int width, bool left, char pad)
{
	char digits[24];
	int at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative && pad == '0') { /* the sign goes before the zeros */
		put(out, '-');
		width--;
	} else if (negative) {
		digits[--at] = '-';
	}
	put_padded(out, digits + at, sizeof(digits) - at, width, left, pad);
}

size_t vformat(char *buffer, size_t size, const char *text, va_list args)
{
	struct output out = {buffer, buffer + size - 1};

	if (!size)
		return 0;
	for (; *text; text++) {
		if (*text != '%') {
			put(&out, *text);
			continue;
		}

		bool left = false, wide = false, longer = false;
		char pad = ' ';
		int width = 0;
		for (text++; *text == '-' || *text == '0'; text++) {
			left |= *text == '-';
			pad = *text == '0' ? '0' : pad;
		}
		if (*text == '*') {
			width = va_arg(args, int);
			text++;
		}
		for (; *text >= '0' && *text <= '9'; text++)
			width = width * 10 + *text - '0';
		for (; *text == 'l'; text++) {
			wide = longer;
			longer = true;
		}

		switch (*text) {
		case 'd': {
			long long value = wide ? va_arg(args, long long) : longer ? va_arg(args, long) : va_arg(args, int);
			put_number(&out, value < 0 ? 0 - (u64)value : (u64)value, value < 0, 10, width, left, pad);
			break;
		}
		case 'u':
		case 'x': {
			u64 value = wide ? va_arg(args, u64) : longer ? va_arg(args, ulong) : va_arg(args, unsigned);
			put_number(&out, value, false, *text == 'u' ? 10 : 16, width, left, pad);
			break;
		}
		case 'p':
			put_padded(&out, "0x", 2, 0, false, ' ');
			put_number(&out, (uintptr_t)va_arg(args, void *), false, 16, 2 * sizeof(void *), false, '0');
			break;
		case 's': {
			const char *s = va_arg(args, const char *);
			s = s ? s : "(none)";
			put_padded(&out, s, strlen(s), width, left, ' ');
			break;
		}
		case 'c':
			put(&out, (char)va_arg(args, int));
			break;
		case '%':
			put(&out, '%');
			break;
		default: /* said, so that a wrong text shows */
			put_padded(&out, "%?", 2, 0, false, ' ');
			if (!*text)
				text--;
		}
	}
	*out.at = 0;
	return out.at - buffer;
}

size_t format(char *buffer, size_t size, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	size_t length = vformat(buffer, size, text, args);
	va_end(args);
	return length;
}

size_t append(char *buffer, size_t size, const char *text, ...)
{
	size_t used = strlen(buffer);
	va_list args;

	if (used + 1 >= size)
		return used;
	va_start(args, text);
	used += vformat(buffer + used, size - used, text, args);
	va_end(args);
	return used;
}

bool copy_string(char *to, const char *from, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size && from[i]; i++)
		to[i] = from[i];
	to[i] = 0;
	return !from[i];
}
