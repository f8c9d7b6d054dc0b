/* term_box.h - what a condition says while each of its inputs is within bounds, asked often. */
#ifndef DEVGUARD_POLICY_TERM_BOX_H
#define DEVGUARD_POLICY_TERM_BOX_H

#include "policy/term.h"

struct arena;

/* A term prepared for that, of any kind; `steps`: what one question costs. */
struct term_box {
	term t;
	size_t steps;
	const struct term_step *list;
	struct term_range *ranges; /* scratch */
};
struct term_box term_box_of(struct arena *a, struct terms *ts, term t);
/* A range of its values while each input (by enum input) is within lo..hi: exact where all of them are
 * single values. */
void term_box_range(const struct term_box *b, const int64_t *lo, const int64_t *hi, int64_t *least, int64_t *most);
/* The same of a condition: 0, 1, or -1: not told. */
int term_box_value(const struct term_box *b, const int64_t *lo, const int64_t *hi);

/* The n-th of the numbers that it names, from 0 on; false: it names fewer. */
bool term_box_number(const struct term_box *b, size_t n, int64_t *v);

#endif
