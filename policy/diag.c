/*
 * diag.c - diagnostics are collected, never printed: the caller decides how
 * they are shown (text or JSON) and what they mean for the exit code.
 */
#include "policy/arena.h"
#include "policy/diag.h"

#include <string.h>

void diags_init(struct diags *d, struct arena *a)
{
	*d = (struct diags){.arena = a};
}

static struct diag *add(struct diags *d, enum diag_level level, struct span at, const char *hint,
                        const char *fmt, va_list ap)
{
	struct diag *item = ARENA_PUSH(d->arena, d->items, d->n, d->cap);
	*item = (struct diag){
		.level = level,
		.at = at,
		.text = arena_vprintf(d->arena, fmt, ap),
		.hint = hint ? arena_strdup(d->arena, hint) : NULL,
	};
	d->errors += level == DIAG_ERROR;
	d->warnings += level == DIAG_WARNING;
	return item;
}

struct diag *diag_add(struct diags *d, enum diag_level level, struct span at, const char *hint,
                      const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct diag *item = add(d, level, at, hint, fmt, ap);
	va_end(ap);
	return item;
}

int diag_fail(struct diags *d, const char *hint, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add(d, DIAG_ERROR, (struct span){0}, hint, fmt, ap);
	va_end(ap);
	return -1;
}

enum { WORD_MAX = 32 };

/* Optimal string alignment distance: insert, delete, replace, swap neighbours. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t d[WORD_MAX + 1][WORD_MAX + 1];
	for (size_t i = 0; i <= n; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	return d[n][m];
}

const char *did_you_mean(const char *word, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	size_t len = strlen(word), best_distance = len <= 3 ? 1 : 2;
	if (len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t m = strlen(candidates[i]);
		if (m > WORD_MAX)
			continue;
		size_t d = distance(word, len, candidates[i], m);
		if (d < best_distance || (d == best_distance && !best)) {
			best = candidates[i];
			best_distance = d;
		}
	}
	return best;
}

const char *near_hint(struct arena *a, const char *near, const char *otherwise)
{
	return near ? arena_printf(a, "did you mean %s?", near) : otherwise;
}
