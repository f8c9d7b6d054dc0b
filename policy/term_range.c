/*
 * term_range.c - what values a term can have where a condition is known to hold.
 *
 * Sound, and bounded: so many conjuncts, so many operations deep.
 */
#include "policy/term_internal.h"

enum { CONJUNCTS_SCANNED = 96 };

/* Narrows *r, a range of t; and says what the conjunction says about `cond`, a condition (or
 * T_FALSE). */
static enum term_relation narrow(const struct terms *ts, term given, term t, term cond, struct term_range *r)
{
	enum term_relation found = UNRELATED;
	term todo[16];
	int n = 0, budget = CONJUNCTS_SCANNED;
	todo[n++] = given;
	while (n && budget--) {
		term c = todo[--n];
		struct window w;
		bool about = term_window(ts, c, &w) && w.of == t;
		if (about && !w.outside) {
			r->lo = larger(w.lo, r->lo);
			r->hi = smaller(w.hi, r->hi);
		} else if (about) {
			r->lo += w.lo <= r->lo && r->lo <= w.hi && r->lo < r->hi;
			r->hi -= w.lo <= r->hi && r->hi <= w.hi && r->lo < r->hi;
		}
		if (cond && found == UNRELATED)
			found = term_relate(ts, c, cond);
		if (ts->nodes[c].op == TERM_AND && n + 2 <= 16) {
			todo[n++] = ts->nodes[c].a;
			todo[n++] = ts->nodes[c].b;
		}
	}
	return found;
}

enum { DEPTH_MAX = 6 };

static struct term_range range_given(const struct terms *ts, term given, term t, int depth)
{
	struct term_node n = ts->nodes[t];
	struct term_range r = {n.lo, n.hi}, q = r;
	bool below = depth < DEPTH_MAX, chooses = n.op == TERM_ITE;
	enum term_relation says = narrow(ts, given, t, below && chooses ? n.c : T_FALSE, &r);
	if (below && chooses) {
		struct term_range a = range_given(ts, given, n.a, depth + 1), b = range_given(ts, given, n.b, depth + 1);
		q = says == IMPLIES ? a : says == EXCLUDES ? b : range_hull(a, b);
	} else if (below && n.op >= TERM_ADD) {
		q = term_op_range(n.op, range_given(ts, given, n.a, depth + 1), range_given(ts, given, n.b, depth + 1));
	}
	r.lo = larger(q.lo, r.lo);
	r.hi = smaller(q.hi, r.hi);
	return r;
}

struct term_range term_range_near(const struct terms *ts, term given, term t)
{
	return range_given(ts, given, t, DEPTH_MAX - 2);
}

void term_range_given(const struct terms *ts, term given, term t, int64_t *lo, int64_t *hi)
{
	struct term_range r = range_given(ts, given, t, 0);
	*lo = r.lo;
	*hi = r.hi;
}
