/*
 * term_logic.c - not, and, or; and what one condition says about another.
 *
 * Conjunctions are simplified by looking one level into their operands, at a bounded number of
 * conjuncts.
 */
#include "policy/term_internal.h"

term term_not(struct terms *ts, term a)
{
	if (a == T_FALSE || a == T_TRUE)
		return a == T_FALSE ? T_TRUE : T_FALSE;
	if (ts->nodes[a].op == TERM_NOT)
		return ts->nodes[a].a;
	return term_intern(ts, &(struct term_node){.op = TERM_NOT, .a = a, .lo = 0, .hi = 1});
}

bool term_window(const struct terms *ts, term t, struct window *w)
{
	bool negated = ts->nodes[t].op == TERM_NOT;
	const struct term_node *n = &ts->nodes[negated ? ts->nodes[t].a : t];
	if ((n->op != TERM_EQ && n->op != TERM_LT) || ts->nodes[n->b].op != TERM_CONST)
		return false;
	int64_t k = ts->nodes[n->b].lo;
	w->of = n->a;
	w->outside = negated;
	w->lo = n->op == TERM_EQ ? k : INT64_MIN;
	w->hi = n->op == TERM_EQ ? k : k - 1; /* x < INT64_MIN folds to false */
	if (negated && n->op == TERM_LT) {
		w->outside = false;
		w->lo = k;
		w->hi = INT64_MAX;
	}
	return true;
}

enum term_relation term_relate(const struct terms *ts, term p, term q)
{
	if (p == q)
		return IMPLIES;
	if ((ts->nodes[p].op == TERM_NOT && ts->nodes[p].a == q) ||
	    (ts->nodes[q].op == TERM_NOT && ts->nodes[q].a == p))
		return EXCLUDES;
	struct window v, w;
	if (!term_window(ts, p, &v) || !term_window(ts, q, &w) || v.of != w.of || v.outside)
		return UNRELATED;
	bool apart = v.hi < w.lo || w.hi < v.lo, within = w.lo <= v.lo && v.hi <= w.hi;
	if (w.outside ? within : apart)
		return EXCLUDES;
	if (w.outside ? apart : within)
		return IMPLIES;
	return UNRELATED;
}

enum { CONJUNCTS_SCANNED = 24 };

/* Looks for what the conjunction `chain` says about t. */
static enum term_relation chain_relation(const struct terms *ts, term chain, term t)
{
	term todo[8];
	int n = 0, budget = CONJUNCTS_SCANNED;
	todo[n++] = chain;
	while (n && budget--) {
		term c = todo[--n];
		enum term_relation r = term_relate(ts, c, t);
		if (r != UNRELATED)
			return r;
		if (ts->nodes[c].op == TERM_AND && n + 2 <= 8) {
			todo[n++] = ts->nodes[c].a;
			todo[n++] = ts->nodes[c].b;
		}
	}
	return UNRELATED;
}

static bool is_and(const struct terms *ts, term t)
{
	return ts->nodes[t].op == TERM_AND;
}

/* not (x and y), as (x, y). */
static bool is_nand(const struct terms *ts, term t, term *x, term *y)
{
	if (ts->nodes[t].op != TERM_NOT || !is_and(ts, ts->nodes[t].a))
		return false;
	*x = ts->nodes[ts->nodes[t].a].a;
	*y = ts->nodes[ts->nodes[t].a].b;
	return true;
}

enum simpler { NO_CHANGE, DECIDED, SIMPLER_B };

/* a and not (x and y), where the conjuncts of a may decide x or y: a and not (a and y) is a
 * and not y. */
static enum simpler drop_decided(struct terms *ts, term a, term x, term y, term *out)
{
	enum term_relation rx = chain_relation(ts, a, x), ry = chain_relation(ts, a, y);
	if (rx == EXCLUDES || ry == EXCLUDES) {
		*out = a;
		return DECIDED;
	}
	if (rx != IMPLIES && ry != IMPLIES)
		return NO_CHANGE;
	bool keep_y = x == a || (y != a && rx == IMPLIES);
	*out = term_not(ts, keep_y ? y : x);
	return SIMPLER_B;
}

/* not (x and y) and not (x and not y) is not x. */
static enum simpler join_nands(struct terms *ts, term a, term x, term y, term *out)
{
	term v, w;
	if (!is_nand(ts, a, &v, &w))
		return NO_CHANGE;
	term nx = term_not(ts, x), ny = term_not(ts, y);
	if ((v == x && w == ny) || (w == x && v == ny))
		*out = nx;
	else if ((v == y && w == nx) || (w == y && v == nx))
		*out = ny;
	else
		return NO_CHANGE;
	return DECIDED;
}

/* Rules that look one level into b: the conjunction is *out (DECIDED), or a
 * together with *out (SIMPLER_B). */
static enum simpler simplify_and(struct terms *ts, term a, term b, term *out)
{
	term x, y;
	enum term_relation r = chain_relation(ts, a, b);
	if (r != UNRELATED) {
		*out = r == IMPLIES ? a : T_FALSE;
		return DECIDED;
	}
	if (!is_nand(ts, b, &x, &y))
		return NO_CHANGE;
	enum simpler s = drop_decided(ts, a, x, y, out);
	return s != NO_CHANGE ? s : join_nands(ts, a, x, y, out);
}

term term_and(struct terms *ts, term a, term b)
{
	/* every turn makes an operand a proper part of what it was */
	for (;;) {
		if (a == T_FALSE || b == T_FALSE)
			return T_FALSE;
		if (a == T_TRUE || a == b)
			return b;
		if (b == T_TRUE)
			return a;
		term out;
		enum simpler s = simplify_and(ts, a, b, &out);
		if (s == DECIDED)
			return out;
		if (s == SIMPLER_B) {
			b = out;
			continue;
		}
		s = simplify_and(ts, b, a, &out);
		if (s == DECIDED)
			return out;
		if (s == NO_CHANGE)
			break;
		a = out;
	}
	term_order(ts, &a, &b);
	return term_intern(ts, &(struct term_node){.op = TERM_AND, .a = a, .b = b, .lo = 0, .hi = 1});
}

term term_or(struct terms *ts, term a, term b)
{
	term nb = term_not(ts, b);
	term na = term_not(ts, a);
	return term_not(ts, term_and(ts, na, nb));
}
