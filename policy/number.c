/* number.c - integers as people write them in options and in guard.yaml. */
#include "policy/number.h"

/* 16 and more: none. */
static unsigned digit_of(char c)
{
	return c >= '0' && c <= '9'   ? (unsigned)(c - '0')
	       : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
	       : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
	                              : 16;
}

bool number_read(const char *text, size_t n, int64_t *out)
{
	bool negative = n && *text == '-';
	size_t i = negative;
	unsigned base = n - i > 2 && text[i] == '0' && text[i + 1] == 'x' ? 16 : 10;
	i += base == 16 ? 2 : 0;
	if (i >= n || (base == 10 && text[i] == '0' && n - i > 1)) /* octal, perhaps */
		return false;
	uint64_t value = 0, most = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
	for (; i < n; i++) {
		unsigned digit = digit_of(text[i]);
		if (digit >= base || value > (most - digit) / base)
			return false;
		value = value * base + digit;
	}
	*out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}
