/*
 * text.c - small things every reader of a text needs: words, decimal numbers,
 * and echoing what was read without handing control bytes to a terminal.
 */
#include "policy/text.h"
#include "policy/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { QUOTE_LIMIT = 64 };

int fault_set(struct fault *f, const char *hint, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	f->error = arena_vprintf(f->arena, fmt, ap);
	va_end(ap);
	f->hint = hint ? arena_strdup(f->arena, hint) : NULL;
	return -1;
}

bool slice_is(struct slice s, const char *word)
{
	return strlen(word) == s.n && !memcmp(s.s, word, s.n);
}

bool slice_has(struct slice s, char c)
{
	return memchr(s.s, c, s.n) != NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct slice cut_at(struct slice *rest, char at)
{
	const char *end = memchr(rest->s, at, rest->n);
	struct slice part = {rest->s, end ? (size_t)(end - rest->s) : rest->n};
	size_t used = part.n + (end != NULL);
	*rest = (struct slice){rest->s + used, rest->n - used};
	return part;
}

bool next_word(struct slice *rest, struct slice *word)
{
	const char *s = rest->s, *end = s + rest->n;
	while (s < end && is_blank(*s))
		s++;
	const char *start = s;
	while (s < end && !is_blank(*s))
		s++;
	*word = (struct slice){start, (size_t)(s - start)};
	*rest = (struct slice){s, (size_t)(end - s)};
	return word->n > 0;
}

struct words words_of(struct slice text)
{
	struct words w = {0};
	struct slice rest = text, word;
	for (; next_word(&rest, &word); w.n++)
		if (w.n < 4)
			w.word[w.n] = word;
	return w;
}

size_t text_unsafe(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n) {
		size_t len = utf8_shown(s + i, n - i);
		if (len == 0)
			break;
		i += len;
	}
	return i;
}

char *text_safe(struct arena *a, const char *s, size_t n, size_t limit)
{
	enum { ESCAPE = 4 }; /* also the longest character */
	size_t room = n < limit ? n * ESCAPE : limit + ESCAPE;
	char *out = arena_alloc(a, room + sizeof "...");
	size_t used = 0, i = 0;
	while (i < n && used < limit) {
		size_t len = utf8_shown(s + i, n - i);
		if (len) {
			memcpy(out + used, s + i, len);
			used += len, i += len;
		} else {
			used += (size_t)snprintf(out + used, ESCAPE + 1, "\\x%02x",
			                         (unsigned char)s[i++]);
		}
	}
	if (i < n)
		memcpy(out + used, "...", 3);
	return out;
}

char *text_quoted(struct arena *a, struct slice s)
{
	return arena_printf(a, "\"%s\"", text_safe(a, s.s, s.n, QUOTE_LIMIT));
}

int text_check(struct fault *f, const char *s, size_t n)
{
	size_t bad = text_unsafe(s, n);
	if (bad == n)
		return 0;
	return fault_set(f,
	                 s[bad] == '\t' ? "write a space instead of the tab"
	                                : "write printable text, in UTF-8",
	                 "unprintable byte \\x%02x after %s", (unsigned char)s[bad],
	                 text_quoted(f->arena, (struct slice){s, bad}));
}

bool split_numbers(struct slice numbers, struct slice *major, struct slice *minor)
{
	const char *colon = memchr(numbers.s, ':', numbers.n);
	if (!colon)
		return false;
	*major = (struct slice){numbers.s, (size_t)(colon - numbers.s)};
	*minor = (struct slice){colon + 1, numbers.n - major->n - 1};
	return true;
}

/* The number without its leading zeros, and as octal when that differs. */
static int ambiguous(struct fault *f, const char *what, struct slice s)
{
	char *quoted = text_quoted(f->arena, s);
	while (s.n > 1 && *s.s == '0')
		s.s++, s.n--;
	char *digits = text_safe(f->arena, s.s, s.n, QUOTE_LIMIT), *end;
	unsigned long long octal = strtoull(digits, &end, 8);
	const char *hint =
		s.n > 1 && s.n < 20 && !*end
			? arena_printf(f->arena,
	                               "numbers are decimal: write %s, or %llu if octal was meant",
	                               digits, octal)
			: arena_printf(f->arena, "numbers are decimal: write %s", digits);
	return fault_set(f, hint, "%s %s is ambiguous: it has a leading zero", what, quoted);
}

int read_number(struct fault *f, const char *what, struct slice s, uint64_t max, int64_t *out)
{
	uint64_t value = 0;
	size_t i = 0;
	for (; i < s.n && s.s[i] >= '0' && s.s[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(s.s[i] - '0');
		value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
	}
	if (i == s.n && i > 0 && value <= max && (s.s[0] != '0' || i == 1)) {
		*out = (int64_t)value;
		return 0;
	}
	const char *hint = arena_printf(f->arena, "numbers are decimal, from 0 to %llu",
	                                (unsigned long long)max);
	if (s.n == 0)
		return fault_set(f, hint, "missing %s", what);
	if (s.s[0] == '-' || s.s[0] == '+')
		return fault_set(f, hint, "%s %s has a sign", what, text_quoted(f->arena, s));
	if (i < s.n)
		return fault_set(f, hint, "%s %s is not a decimal number", what,
		                 text_quoted(f->arena, s));
	if (s.s[0] == '0')
		return ambiguous(f, what, s);
	return fault_set(f, hint, "%s %s is over the limit of %llu", what,
	                 text_safe(f->arena, s.s, s.n, QUOTE_LIMIT), (unsigned long long)max);
}
