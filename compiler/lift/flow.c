/*
 * flow.c - where control may go from an operation: on, out of a block, or
 * nowhere; operations on values with several cases.
 */
#include "compiler/lift/flow.h"

struct flow flow_value(struct state *st, struct val v)
{
	st->result = v;
	return (struct flow){.ret = st};
}

struct flow flow_join(struct lifter *l, struct flow a, struct flow b)
{
	a.ret = state_merge(l, a.ret, b.ret);
	for (struct leave *x = b.leaves, *next; x; x = next) {
		next = x->next;
		struct leave *same = l->raw ? NULL : a.leaves; /* of a raw program they meet where they all come to */
		while (same && (same->frame != x->frame || same->is_break != x->is_break))
			same = same->next;
		if (same) {
			same->state = state_merge(l, same->state, x->state);
		} else {
			x->next = a.leaves;
			a.leaves = x;
		}
	}
	return a;
}

struct region flow_open(const struct lifter *l, const struct state *st)
{
	return (struct region){st->guard, l->nraised};
}

struct flow flow_close(struct lifter *l, struct region r, struct flow f)
{
	if (f.ret && !f.leaves && l->nraised == r.nraised)
		f.ret->guard = r.guard;
	return f;
}

/* Pairs of integers beyond the first number are computed as two values that differ by path. */
enum { JOINED_ABOVE = 256, PAIRS_MAX = 16384 };

struct flow lift_pairs(struct lifter *l, struct state *st, pair_op fn, int op, struct val a, struct val b)
{
	const struct arm *x, *y;
	size_t n = val_arms(l, st, a, &x), m = val_arms(l, st, b, &y);
	if (n > 1 && m > 1 && n * m > JOINED_ABOVE) {
		n = val_join_integers(l, &x, n);
		m = val_join_integers(l, &y, m);
	}
	if (n == 1 && m == 1)
		return fn(l, st, op, x[0].v, y[0].v);
	if (n * m > PAIRS_MAX)
		lift_refuse(l, "split the expression over several rules", "an operation has %zu cases", n * m);
	struct region r = flow_open(l, st);
	struct flow all = {0};
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < m; j++) {
			struct state *s = state_fork(l, st);
			if (path_assume(l, s, term_and(l->terms, x[i].guard, y[j].guard)))
				all = flow_join(l, all, fn(l, s, op, x[i].v, y[j].v));
		}
	return flow_close(l, r, all);
}
