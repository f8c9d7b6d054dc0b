/*
 * unit_line.c - the lines of a unit file, and the words of a value.
 */
#include "policy/import/systemd.h"

#include <string.h>

bool unit_is_comment(struct slice s)
{
	return s.n && strchr("#;", s.s[0]);
}

/* Ends in a backslash that none before it takes away, and nothing behind it. */
static bool goes_on(struct slice raw)
{
	size_t n = 0;
	while (n < raw.n && raw.s[raw.n - 1 - n] == '\\')
		n++;
	return n % 2 == 1;
}

/* The line after those that are comments; false: none is left. */
static bool next_part(struct lines *l)
{
	bool got;
	while ((got = lines_next(l)) && unit_is_comment(l->text))
		;
	return got;
}

struct slice unit_joined(struct lines *l)
{
	struct arena *a = l->d->arena;
	char *text = NULL;
	size_t n = 0, cap = 0;
	bool more = goes_on(l->raw);
	if (!more)
		return trimmed(l->text);
	do {
		more = goes_on(l->raw);
		for (size_t i = 0; i < l->text.n - more; i++)
			*ARENA_PUSH(a, text, n, cap) = l->text.s[i];
		*ARENA_PUSH(a, text, n, cap) = ' ';
	} while (more && next_part(l));
	return trimmed((struct slice){text, n});
}

int unit_word(struct fault *f, struct slice *rest, struct slice *word)
{
	char *out = arena_alloc(f->arena, rest->n + 1), quote = 0;
	size_t n = 0, i = 0;
	for (; i < rest->n && (quote || !strchr(" \t", rest->s[i])); i++) {
		char c = rest->s[i];
		if (c == '\\')
			return fault_set(f, "write the device without them", "backslashes are not read: %s",
			                 text_quoted(f->arena, *rest));
		if (c == quote)
			quote = 0;
		else if (!quote && (c == '"' || c == '\''))
			quote = c;
		else
			out[n++] = c;
	}
	if (quote)
		return fault_set(f, "close it", "a quote is not closed in %s", text_quoted(f->arena, *rest));
	*word = (struct slice){out, n};
	*rest = trimmed((struct slice){rest->s + i, rest->n - i});
	return 0;
}
