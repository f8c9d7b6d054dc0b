/* learn_patch.c - lines put into a text, and the same as a unified diff. Linear in the text. */
#include "policy/arena.h"
#include "policy/learn.h"
#include "policy/text.h"

#include <string.h>

enum { CONTEXT = 3 };

/* Where line n (from 1) begins; the end of the text where there are fewer. */
static const char *line_at(const char *text, size_t len, int n)
{
	const char *at = text, *end = text + len;
	for (int i = 1; i < n && at < end; i++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		at = stop ? stop + 1 : end;
	}
	return at;
}

static int lines_of(const char *text, size_t len)
{
	int n = 0;
	for (const char *at = text, *end = text + len; at < end; n++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		at = stop ? stop + 1 : end;
	}
	return n;
}

char *learned_insert(struct arena *a, const char *text, size_t len, int after, const char *added)
{
	size_t n = (size_t)(line_at(text, len, after + 1) - text), more = strlen(added);
	bool open = n && text[n - 1] != '\n';
	char *out = arena_alloc(a, len + more + 2);
	memcpy(out, text, n);
	if (open)
		out[n] = '\n';
	memcpy(out + n + open, added, more);
	memcpy(out + n + open + more, text + n, len - n);
	return out;
}

/* Lines from..to with a mark before each. */
static void put_lines(FILE *out, const char *text, size_t len, int from, int to, char mark)
{
	for (int i = from; i <= to; i++) {
		const char *at = line_at(text, len, i), *next = line_at(text, len, i + 1);
		bool whole = next > at && next[-1] == '\n';
		fprintf(out, "%c%.*s\n%s", mark, (int)(next - at - whole), at, whole ? "" : "\\ No newline at end of file\n");
	}
}

void learned_patch(FILE *out, struct arena *a, const char *file, const char *text, size_t len, int after, const char *added)
{
	int lines = lines_of(text, len), new = lines_of(added, strlen(added));
	int from = after < CONTEXT ? 1 : after - CONTEXT + 1, to = after + CONTEXT < lines ? after + CONTEXT : lines,
	    kept = to - from + 1;
	const char *name = text_safe(a, file, strlen(file), LEARN_PATH_MAX);
	bool open = after == lines && len && text[len - 1] != '\n';
	fprintf(out, "--- %s\n+++ %s\n@@ -%d,%d +%d,%d @@\n", name, name, kept ? from : 0, kept, from, kept + new);
	put_lines(out, text, len, from, open ? after - 1 : after, ' ');
	if (open) {
		put_lines(out, text, len, after, after, '-');
		fprintf(out, "+%s\n", line_at(text, len, after));
	}
	put_lines(out, added, strlen(added), 1, new, '+');
	put_lines(out, text, len, after + 1, to, ' ');
}
