/* utf8.c - which characters may be shown as they are. */
#include "policy/utf8.h"

/* Length of the UTF-8 sequence at s (n bytes are left) and its code point; 0
 * when it is invalid. */
static size_t decode(const unsigned char *s, size_t n, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = s[0] < 0x80       ? 1
	             : s[0] >> 5 == 6  ? 2
	             : s[0] >> 4 == 14 ? 3
	             : s[0] >> 3 == 30 ? 4
	                               : 0;
	if (len == 0 || len > n)
		return 0;
	*code = len == 1 ? s[0] : s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	if (*code < smallest[len] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return len;
}

/* Control codes, line separators, what turns the direction of text, what is not seen. */
static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xfeff || (c >= 0x200b && c <= 0x200d) ||
	       c == 0x2028 || c == 0x2029 || utf8_turns(c);
}

bool utf8_turns(uint32_t c)
{
	return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

size_t utf8_shown(const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t code = 0;
	if (!n || (s[0] >= 0x20 && s[0] < 0x7f))
		return n > 0;
	size_t len = decode(s, n, &code);
	return len && !is_unsafe(code) ? len : 0;
}

size_t utf8_code(const char *s, size_t n, uint32_t *code)
{
	return n ? decode((const unsigned char *)s, n, code) : 0;
}
