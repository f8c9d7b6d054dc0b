/*
 * comm_words.c - the name of a process as people write it in a request, and read it in an answer.
 *
 * Between ' and ' or " and " nothing is escaped. $'...' takes \xHH, \\ and \', so that every name can be written;
 * a shell that prints one with %q writes it alike.
 */
#include "policy/comm_words.h"
#include "policy/arena.h"
#include "policy/input.h"

#include <stdio.h>
#include <string.h>

/* ---- written ------------------------------------------------------------------------------------ */

static const char *escaped(struct arena *a, const char *name, size_t n)
{
	enum { ESCAPE = 4 };
	char *out = arena_alloc(a, sizeof "$''" + n * ESCAPE), *to = out + sprintf(out, "$'");
	for (size_t i = 0; i < n; i++) {
		unsigned char byte = (unsigned char)name[i];
		if (byte >= ' ' && byte <= '~' && byte != '\'' && byte != '\\')
			*to++ = name[i];
		else
			to += sprintf(to, "\\x%02X", byte);
	}
	memcpy(to, "'", sizeof "'");
	return out;
}

const char *comm_fact(struct arena *a, const int64_t half[2])
{
	char name[COMM_SIZE + 1] = "";
	memcpy(name, half, COMM_SIZE);
	size_t n = strlen(name);
	const char *quote = strchr(name, '"') ? "'" : "\"";
	if (text_unsafe(name, n) < n || strchr(name, *quote))
		return escaped(a, name, n);
	if (n && !name[strcspn(name, " \"'#")])
		return arena_strdup(a, name);
	return arena_printf(a, "%s%s%s", quote, name, quote);
}

/* ---- read --------------------------------------------------------------------------------------- */

static bool has_escapes(const char *s, size_t n)
{
	return n > 1 && s[0] == '$' && s[1] == '\'';
}

size_t comm_quoted(const char *s, size_t n)
{
	bool escapes = has_escapes(s, n);
	size_t i = escapes ? 2 : 1;
	if (!escapes && !(n && (*s == '"' || *s == '\'')))
		return 0;
	while (i < n && s[i] != s[escapes])
		i += escapes && s[i] == '\\' ? 2 : 1;
	return i < n ? i + 1 : SIZE_MAX;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What stands for a byte at s, which is behind a backslash: its length; 0: nothing does. */
static size_t escape(const char *s, size_t n, char *byte)
{
	int high = n > 2 && *s == 'x' ? hex_digit(s[1]) : -1, low = high < 0 ? -1 : hex_digit(s[2]);
	*byte = low < 0 ? *s : (char)(high << 4 | low);
	return low >= 0 && *byte ? 3 : n && (*s == '\\' || *s == '\'') ? 1 : 0;
}

static int unescape(struct fault *f, struct slice *value)
{
	char *out = arena_alloc(f->arena, value->n + 1);
	size_t n = 0;
	for (size_t i = 0; i < value->n; i++) {
		out[n] = value->s[i];
		if (value->s[i] == '\\') {
			size_t len = escape(value->s + i + 1, value->n - i - 1, &out[n]);
			if (!len)
				return fault_set(f, "in $'...' write \\xHH for a byte (not 00), \\\\ and \\'", "comm has a backslash before %s",
				                 text_quoted(f->arena, (struct slice){value->s + i + 1, i + 1 < value->n}));
			i += len;
		}
		n++;
	}
	*value = (struct slice){out, n};
	return 0;
}

int comm_read(struct fault *f, struct slice value, int64_t half[2])
{
	bool escapes = has_escapes(value.s, value.n);
	size_t end = comm_quoted(value.s, value.n);
	if (value.n == 0)
		return fault_set(f, "an empty name is comm=\"\"", "missing comm");
	if (end == SIZE_MAX)
		return fault_set(f, "quotes come in pairs; nothing is escaped in them, but in $'...'", "comm has no closing %c", value.s[escapes]);
	if (end && end != value.n)
		return fault_set(f, "quote the whole name: comm=\"a b\" or comm='a b'", "text after the closing %c of comm", value.s[escapes]);
	if (end)
		value = (struct slice){value.s + 1 + escapes, value.n - 2 - escapes};
	if (escapes && unescape(f, &value))
		return -1;
	if (value.n >= COMM_SIZE)
		return fault_set(f, arena_printf(f->arena, "the kernel keeps the first 15 bytes: %s", text_quoted(f->arena, (struct slice){value.s, 15})),
		                 "comm %s has %zu bytes, over the limit of 15", text_quoted(f->arena, value), value.n);
	char name[COMM_SIZE] = "";
	memcpy(name, value.s, value.n);
	memcpy(half, name, sizeof name);
	return 0;
}
