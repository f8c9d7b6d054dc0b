/* ways.h - when a diagram about the caller allows, as alternatives. Private to policy/explain_when.c and
 * policy/conditions.c. */
#ifndef DEVGUARD_POLICY_WAYS_H
#define DEVGUARD_POLICY_WAYS_H

#include "policy/diagram.h"
#include "policy/interval.h"

enum { WAYS_MAX = 6, ASKS_MAX = 8 };

/* Of one variable: it is in these intervals. */
struct asks { uint32_t var; const struct interval *ranges; size_t n; };
/* All of these. */
struct way { struct asks list[ASKS_MAX]; size_t n; };

struct ways {
	struct arena *arena;
	const struct diagrams *dg;
	const struct terms *terms;
	bool allow;            /* it is allowed when one of them holds; else denied */
	struct way list[WAYS_MAX];
	size_t n;
	bool too_many;         /* then they are of no use */
};

/* The ways to OUT_ALLOW of a diagram that is no terminal, or those to deny where they are easier to read. */
struct ways *ways_of(struct arena *a, const struct diagrams *dg, const struct terms *ts, node n);
/* What all ways ask goes out of them. */
struct way ways_take_common(struct ways *w);
/* All values of a switch that lead to the same node as one edge. */
struct asks asks_to(const struct ways *w, const struct switch_node *s, uint32_t edge);
/* The values of a variable that are not asked for. How many intervals. */
size_t asks_others(const struct ways *w, const struct asks *k, struct interval **out);
/* Are those easier to say? */
bool asks_by_others(const struct ways *w, const struct asks *k, struct interval **out, size_t *n);
/* Are some values, that are not these, easier to say? */
bool asks_rather_not(const struct asks *k, const struct interval *not, size_t n);
/* Of a number that may be unset (ID_NONE): is it among them, and what are they if it is set? `not`: the other values. */
struct number_or_none { bool none; struct asks set; struct interval *not; size_t nnot; };
struct number_or_none asks_with_none(const struct ways *w, const struct asks *k);
/* The letters that a comparison asks a half of comm (IN_COMM_0, IN_COMM_1) to begin with; NULL: it is another. */
const char *asks_beginning(const struct ways *w, const struct asks *k, enum input *half);

#endif
