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
	bad_line(d, at, line, near_hint(d->arena, near, CASE_HINT),
	         arena_printf(d->arena, "unknown verdict \"%s\"", safe));
}

/* `7`, or `0-15` as its ends. 0 or -1. */
static int read_ends(struct fault *f, const char *what, struct slice s, uint64_t max, int64_t *lo, int64_t *hi)
{
	const char *dash = memchr(s.s, '-', s.n);
	struct slice first = {s.s, dash ? (size_t)(dash - s.s) : s.n};
	struct slice last = dash ? (struct slice){dash + 1, s.n - first.n - 1} : first;
	if (read_number(f, what, first, max, lo) || read_number(f, what, last, max, hi))
		return -1;
	if (*hi >= *lo)
		return 0;
	return fault_set(f, "write the smaller number first", "%s %s ends before it begins", what, text_quoted(f->arena, s));
}

/* Is the device of a request one with ranges: `c 8:0-15 ...`? */
static bool has_ranges(struct slice rest, struct slice *type, struct slice *numbers)
{
	struct slice major, minor;
	return next_word(&rest, type) && type->n == 1 && next_word(&rest, numbers) && memchr(numbers->s, '-', numbers->n) &&
	       split_numbers(*numbers, &major, &minor);
}

static int too_many(struct diags *d, struct span at)
{
	diag_add(d, DIAG_ERROR, at, "split the file, and name each part with --cases", "more than %d cases", CASES_MOST);
	return -1;
}

/* One case for each device of the ranges. 0, 1: the line is wrong and f says how, -1: there
 * are more than there may be. */
static int add_each(struct diags *d, struct test_case c, struct slice rest, struct slice type, struct slice numbers,
                    struct cases *out, struct fault *f)
{
	const char *after = numbers.s + numbers.n;
	struct slice major, minor;
	int64_t majors[2], minors[2];
	split_numbers(numbers, &major, &minor); /* has_ranges() saw it */
	*f = (struct fault){.arena = d->arena};
	if (read_ends(f, "major", major, MAJOR_MAX, &majors[0], &majors[1]) ||
	    read_ends(f, "minor", minor, MINOR_MAX, &minors[0], &minors[1]))
		return 1;
	for (int64_t m = majors[0]; m <= majors[1]; m++)
		for (int64_t n = minors[0]; n <= minors[1]; n++) {
			if (out->n == CASES_MOST)
				return too_many(d, c.at);
			const char *text = arena_printf(d->arena, "%c %lld:%lld%.*s", *type.s, (long long)m, (long long)n,
			                                (int)(rest.s + rest.n - after), after);
			if (request_read(d->arena, &host_dev, text, strlen(text), &c.request, f))
				return 1;
			*ARENA_PUSH(d->arena, out->items, out->n, out->cap) = c;
		}
	return 0;
}

/* False: it is one case more than there may be. */
static bool parse_line(struct diags *d, struct span at, struct slice line, struct cases *out)
{
	struct slice rest = line, word, type, numbers;
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
	if (out->n == CASES_MOST)
		return too_many(d, at) == 0;
	c.allow = slice_is(word, "allow");
	if (!c.allow && !slice_is(word, "deny")) {
		bad_verdict(d, at, line, word);
		return true;
	}
	if (has_ranges(rest, &type, &numbers)) {
		int result = add_each(d, c, rest, type, numbers, out, &f);
		if (result > 0)
			bad_line(d, at, line, f.hint, f.error);
		return result >= 0;
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
