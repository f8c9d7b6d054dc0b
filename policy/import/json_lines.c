/*
 * json_lines.c - on which lines of a JSON text the elements of an array begin: jansson does not
 * keep them.
 *
 * The text is one that jansson has read, without a key twice. A key that is written with escapes is not found:
 * then the lines are not known. Linear in the text.
 */
#include "policy/import/json.h"

#include <string.h>

struct scan {
	const char *at, *end;
	uint32_t line;
};

/* The next byte that means something, '\0' at the end. */
static char next(struct scan *s)
{
	for (; s->at < s->end && strchr(" \t\r\n", *s->at); s->at++)
		s->line += *s->at == '\n';
	return s->at < s->end ? *s->at : '\0';
}

/* At a quote: what stands in it. */
static struct slice string(struct scan *s)
{
	const char *from = ++s->at;
	while (s->at < s->end && *s->at != '"')
		s->at += *s->at == '\\' && s->at + 1 < s->end ? 2 : 1;
	struct slice out = {from, (size_t)(s->at - from)};
	s->at += s->at < s->end;
	return out;
}

static void skip_value(struct scan *s)
{
	int depth = 0;
	for (char c; (c = next(s)); ) {
		if (!depth && strchr(",]}", c))
			return;
		if (c == '"') {
			string(s);
			continue;
		}
		depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
		s->at++;
	}
}

/* Goes to the value of that key. False: there is none. */
static bool enter(struct scan *s, const char *key)
{
	if (next(s) == '[')
		s->at++;
	if (next(s) != '{')
		return false;
	s->at++;
	while (next(s) == '"') {
		struct slice name = string(s);
		if (next(s) != ':')
			return false;
		s->at++;
		if (slice_is(name, key))
			return true;
		skip_value(s);
		if (next(s) == ',')
			s->at++;
	}
	return false;
}

void json_place(struct arena *a, struct foreign *out, const char *text, size_t len, const struct json_array *of)
{
	struct scan s = {text, text + len, 1};
	uint32_t *lines = NULL;
	size_t n = 0, cap = 0;
	for (const char *const *key = of->path; *key; key++)
		if (!enter(&s, *key))
			return;
	if (next(&s) != '[')
		return;
	s.at++;
	while (next(&s) && *s.at != ']') {
		*ARENA_PUSH(a, lines, n, cap) = s.line;
		skip_value(&s);
		if (next(&s) == ',')
			s.at++;
	}
	for (size_t i = 0; i < out->n; i++) {
		struct foreign_entry *e = &out->entries[i];
		if (!e->file && e->in_rules == of->in_rules && e->in_requests == of->in_requests && e->place < n)
			e->line = lines[e->place];
	}
}
