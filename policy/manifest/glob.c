/*
 * glob.c - patterns of names and paths. There is no escape character, since a
 * backslash is an ordinary one in the names systemd gives: [*] is a star.
 *
 * Time is at most the product of the lengths: of the stars met, only the last one
 * and the last double one before it are taken up again.
 */
#include "policy/manifest/internal.h"

#include <string.h>

/* The end of the set that starts at p ("[a-z]"), or NULL when it has none. */
static const char *set_end(const char *p)
{
	p += p[1] == '!' ? 2 : 1;
	return *p ? strchr(p + 1, ']') : NULL;
}

const char *glob_check(const char *pattern)
{
	for (const char *p = pattern; *p; p++) {
		if (*p != '[')
			continue;
		const char *end = set_end(p);
		if (!end)
			return "a [ without its ]";
		for (const char *s = p; s < end; s++)
			if ((unsigned char)*s >= 0x80)
				return "only ASCII characters can stand between [ and ]";
		p = end;
	}
	return NULL;
}

static bool in_set(const char *p, const char *end, unsigned char c)
{
	bool negated = p[1] == '!', found = false;
	for (p += negated ? 2 : 1; p < end; p++) {
		unsigned char lo = (unsigned char)*p, hi = lo;
		if (p[1] == '-' && p + 2 < end) {
			hi = (unsigned char)p[2];
			p += 2;
		}
		found |= lo <= c && c <= hi;
	}
	return found != negated;
}

/* One character of text against one place of the pattern that is no star. The
 * length matched, 0: it differs; *next is the place after. */
static size_t match_one(const char *p, const char *text, bool path, const char **next)
{
	unsigned char c = (unsigned char)*text;
	size_t width = 1;
	*next = p + 1;
	if (!c)
		return 0;
	if (*p != '?' && *p != '[')
		return *p == *text;
	while (c >= 0xc0 && ((unsigned char)text[width] & 0xc0) == 0x80)
		width++;
	if (path && c == '/')
		return 0;
	if (*p == '?')
		return width;
	const char *end = set_end(p);
	*next = end + 1;
	return in_set(p, end, c) ? width : 0;
}

bool glob_matches(const char *p, const char *text, bool path)
{
	/* where to go on when something differs: after a star, and how far it reaches */
	const char *star = NULL, *star_text = NULL, *wide = NULL, *wide_text = NULL, *next;
	for (;;) {
		if (*p == '*') {
			bool crosses = !path || p[1] == '*';
			while (*p == '*')
				p++;
			if (crosses) {
				wide = p, wide_text = text;
				star = NULL;
			} else {
				star = p, star_text = text;
			}
			continue;
		}
		if (!*p && !*text)
			return true;
		size_t n = *p ? match_one(p, text, path, &next) : 0;
		if (n) {
			p = next;
			text += n;
		} else if (star && *star_text && *star_text != '/') {
			p = star;
			text = ++star_text;
		} else if (wide && *wide_text) {
			p = wide;
			text = ++wide_text;
			star = NULL;
		} else {
			return false;
		}
	}
}
