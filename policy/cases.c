/*
 * cases.c - NAME.cases files: one expected verdict a line.
 *
 * Every line is a case, a comment, blank, or an error with its place: a case
 * that is skipped would be a test that never fails.
 */
#include "policy/text.h"
#include "policy/cases.h"
#include "policy/host.h"

#include <string.h>

#define CASE_HINT "a case is \"allow c 1:3 rw\" or \"deny b 8:0 w uid=1000\""

/* Nobody reads thousands of errors, and each case takes memory for every engine. */
enum { SOURCE_LIMIT = 160, ERRORS_MOST = 100, CASES_MOST = 100000 };

static void bad_line(struct diags *d, struct span at, struct slice line, const char *hint,
                     const char *error)
{
	size_t n = line.n < 2 * SOURCE_LIMIT ? line.n : 2 * SOURCE_LIMIT;
	char *source = arena_strndup(d->arena, line.s, n);
	for (size_t i = 0; i < n; i++)
		if (source[i] == '\t')
			source[i] = ' ';
	struct diag *item = diag_add(d, DIAG_ERROR, at, hint, "%s", error);
	item->source = text_safe(d->arena, source, n, SOURCE_LIMIT);
}

static void bad_verdict(struct diags *d, struct span at, struct slice line, struct slice word)
{
	static const char *const verdicts[] = {"allow", "deny"};
	const char *safe = text_safe(d->arena, word.s, word.n, 32);
	const char *near = did_you_mean(safe, verdicts, 2);
	bad_line(d, at, line, near ? arena_printf(d->arena, "did you mean %s?", near) : CASE_HINT,
	         arena_printf(d->arena, "unknown verdict \"%s\"", safe));
}

/* False: it is one case more than there may be. */
static bool parse_line(struct diags *d, struct span at, struct slice line, struct cases *out)
{
	struct slice rest = line, word;
	struct test_case c = {.at = at};
	struct fault f;
	if (memchr(line.s, '\0', line.n)) {
		bad_line(d, at, line, "a cases file is text: remove it", "NUL byte in the line");
		return true;
	}
	if (memchr(line.s, '\r', line.n)) {
		bad_line(d, at, line, "end lines with a newline",
		         "carriage return within the line");
		return true;
	}
	if (!next_word(&rest, &word) || word.s[0] == '#')
		return true;
	if (out->n == CASES_MOST) {
		diag_add(d, DIAG_ERROR, at, "split the file, and name each part with --cases", "more than %d cases", CASES_MOST);
		return false;
	}
	c.allow = slice_is(word, "allow");
	if (!c.allow && !slice_is(word, "deny")) {
		bad_verdict(d, at, line, word);
		return true;
	}
	if (request_read(d->arena, &host_dev, rest.s, rest.n, &c.request, &f))
		bad_line(d, at, line, f.hint, f.error);
	else
		*ARENA_PUSH(d->arena, out->items, out->n, out->cap) = c;
	return true;
}

int cases_parse(struct diags *d, const char *file, const char *text, size_t len, struct cases *out)
{
	size_t before = d->errors;
	struct span at = {.file = file ? arena_strdup(d->arena, file) : NULL};
	*out = (struct cases){0};
	bool more = true;
	for (size_t i = 0; i < len && more;) {
		const char *newline = memchr(text + i, '\n', len - i);
		struct slice line = {text + i, newline ? (size_t)(newline - text) - i : len - i};
		i += line.n + (newline != NULL);
		if (line.n && line.s[line.n - 1] == '\r')
			line.n--;
		at.line++;
		more = parse_line(d, at, line, out);
		if (more && i < len && d->errors == before + ERRORS_MOST) {
			diag_add(d, DIAG_ERROR, at, NULL, "%d errors: the rest of the file is not read", ERRORS_MOST);
			more = false;
		}
	}
	if (out->n == 0 && d->errors == before) {
		at.line = 0;
		diag_add(d, DIAG_ERROR, at, CASE_HINT, "no cases");
	}
	return d->errors == before ? 0 : -1;
}
