/* diag.h - collected diagnostics. */
#ifndef DEVGUARD_POLICY_DIAG_H
#define DEVGUARD_POLICY_DIAG_H

#include <stddef.h>

struct arena;

/* A place in a source text; line and column count from 1, 0 = not known. */
struct span {
	const char *file;
	int line;
	int column;
};

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

struct diag {
	enum diag_level level;
	struct span at;     /* at.file may be NULL */
	const char *text;   /* what is wrong: one line, no full stop */
	const char *hint;   /* what to do about it, or NULL */
	const char *source; /* the source line's text, or NULL */
	/* Of a parameter that was given, which one; and how to say it to those who did not give it by
	 * --param, where that is another text or another hint: NULL, it is the same. */
	const char *param, *param_text, *param_hint;
};

struct diags {
	struct arena *arena;
	struct diag *items;
	size_t n, cap;
	size_t errors, warnings;
};

void diags_init(struct diags *d, struct arena *a);
/* Adds one diagnostic and returns it (source is left NULL). A hint is copied;
 * NULL for none. */
struct diag *diag_add(struct diags *d, enum diag_level level, struct span at, const char *hint,
                      const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* diag_add(DIAG_ERROR) without a place; always returns -1, so that a failing
 * function can `return diag_fail(...)`. */
int diag_fail(struct diags *d, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "did you mean NEAR?", or `otherwise` where nothing is near (NULL). */
const char *near_hint(struct arena *a, const char *near, const char *otherwise);
/* The nearest of n candidates within an edit distance a typo explains, or NULL. */
const char *did_you_mean(const char *word, const char *const *candidates, size_t n);

#endif
