/*
 * cases.c - NAME.cases files: one expected verdict a line.
 *
 * Every line is a case, a comment, blank, or an error with its place: a case
 * that is skipped would be a test that never fails.
 */
#include "policy/text.h"

#include <string.h>

#define CASE_HINT "a case is \"allow c 1:3 rw\" or \"deny b 8:0 w uid=1000\""

enum { SOURCE_LIMIT = 160 };

static void bad_line(struct diags *d, struct span at, struct slice line, const char *hint,
                     const char *error)
{
	char *source = arena_strndup(d->arena, line.s, line.n);
	for (size_t i = 0; i < line.n; i++)
		if (source[i] == '\t')
			source[i] = ' ';
	struct diag *item = diag_add(d, DIAG_ERROR, at, hint, "%s", error);
	item->source = text_safe(d->arena, source, line.n, SOURCE_LIMIT);
}

static void bad_verdict(struct diags *d, struct span at, struct slice line, struct slice word)
{
	static const char *const verdicts[] = {"allow", "deny"};
	const char *safe = text_safe(d->arena, word.s, word.n, 32);
	const char *near = did_you_mean(safe, verdicts, 2);
	bad_line(d, at, line, near ? arena_printf(d->arena, "did you mean %s?", near) : CASE_HINT,
	         arena_printf(d->arena, "unknown verdict \"%s\"", safe));
}

static void parse_line(struct diags *d, struct span at, struct slice line, struct cases *out)
{
	struct slice rest = line, word;
	struct test_case c = {.at = at};
	struct fault f;
	if (memchr(line.s, '\0', line.n)) {
		bad_line(d, at, line, "a cases file is text: remove it", "NUL byte in the line");
		return;
	}
	if (memchr(line.s, '\r', line.n)) {
		bad_line(d, at, line, "end lines with a newline",
		         "carriage return within the line");
		return;
	}
	if (!next_word(&rest, &word) || word.s[0] == '#')
		return;
	c.allow = slice_is(word, "allow");
	if (!c.allow && !slice_is(word, "deny")) {
		bad_verdict(d, at, line, word);
		return;
	}
	if (request_read(d->arena, &host_dev, rest.s, rest.n, &c.request, &f))
		bad_line(d, at, line, f.hint, f.error);
	else
		*ARENA_PUSH(d->arena, out->items, out->n, out->cap) = c;
}

int cases_parse(struct diags *d, const char *file, const char *text, size_t len, struct cases *out)
{
	size_t before = d->errors;
	struct span at = {.file = file ? arena_strdup(d->arena, file) : NULL};
	*out = (struct cases){0};
	for (size_t i = 0; i < len;) {
		const char *newline = memchr(text + i, '\n', len - i);
		struct slice line = {text + i, newline ? (size_t)(newline - text) - i : len - i};
		i += line.n + (newline != NULL);
		if (line.n && line.s[line.n - 1] == '\r')
			line.n--;
		at.line++;
		parse_line(d, at, line, out);
	}
	if (out->n == 0 && d->errors == before) {
		at.line = 0;
		diag_add(d, DIAG_ERROR, at, CASE_HINT, "no cases");
	}
	return d->errors == before ? 0 : -1;
}
