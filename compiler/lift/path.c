/*
 * path.c - what is assumed on a path: a list of literals, and their conjunction.
 */
#include "compiler/lift/lifter.h"

struct guard *path_new(struct lifter *l)
{
	struct guard *g = arena_alloc(l->arena, sizeof *g);
	*g = (struct guard){.literal = T_TRUE, .full = T_TRUE, .jump = g};
	return g;
}

void path_implies(struct lifter *l, term a, term b)
{
	if (a >= l->implied_cap) {
		size_t cap = terms_count(l->terms) * 2;
		l->implied = arena_move(l->arena, l->implied, l->implied_cap * sizeof *l->implied,
		                        cap * sizeof *l->implied);
		l->implied_cap = cap;
	}
	l->implied[a] = b;
}

/* What is remembered of a condition, T_FALSE: nothing. */
static term implied_by(const struct lifter *l, term condition)
{
	return condition < l->implied_cap ? l->implied[condition] : T_FALSE;
}

term path_and(struct lifter *l, term path, term condition)
{
	term known = implied_by(l, condition);
	if (known != T_FALSE && known == path)
		return condition;
	if (known != T_FALSE && known == term_not(l->terms, path))
		return T_FALSE;
	return term_and(l->terms, path, condition);
}

/* The path with one literal more, which may imply its latest one. */
static term with_literal(struct lifter *l, const struct guard *g, term literal)
{
	term known = implied_by(l, literal);
	bool implies = g->up && known != T_FALSE && known == g->literal;
	return term_and(l->terms, implies ? g->up->full : g->full, literal);
}

bool path_assume(struct lifter *l, struct state *st, term literal)
{
	if (literal == T_TRUE)
		return true;
	struct guard *g = arena_alloc(l->arena, sizeof *g);
	struct guard *up = st->guard, *far = up->jump;
	/* skips double in length as the levels of a skew binary number do */
	bool doubles = up->depth - far->depth == far->depth - far->jump->depth;
	*g = (struct guard){.up = up, .jump = doubles ? far->jump : up, .literal = literal, .depth = up->depth + 1,
	                    .full = with_literal(l, st->guard, literal)};
	st->guard = g;
	return g->full != T_FALSE;
}

enum { LITERALS_LOOKED_AT = 16 };

bool path_excludes(struct lifter *l, const struct state *st, term condition)
{
	const struct guard *g = st->guard;
	for (int i = 0; g->up && i < LITERALS_LOOKED_AT; g = g->up, i++)
		if (path_and(l, g->literal, condition) == T_FALSE)
			return true;
	return false;
}

struct guard *path_parting(struct guard *a, struct guard *b)
{
	while (a->depth != b->depth) {
		struct guard **deeper = a->depth > b->depth ? &a : &b;
		unsigned least = a->depth > b->depth ? b->depth : a->depth;
		*deeper = (*deeper)->jump->depth >= least ? (*deeper)->jump : (*deeper)->up;
	}
	while (a != b) {
		bool skip = a->jump != b->jump;
		a = skip ? a->jump : a->up;
		b = skip ? b->jump : b->up;
	}
	return a;
}

/* A loop merges every round's state with the same one: each guard remembers its answer, so
 * that a round costs what it added. */
term path_since(struct lifter *l, struct guard *g, const struct guard *ancestor)
{
	size_t n = 0;
	for (const struct guard *up = g; up != ancestor && up->since != ancestor; up = up->up)
		n++;
	struct guard **path = arena_alloc(l->arena, n * sizeof *path);
	for (size_t i = n; i-- > 0; g = g->up)
		path[i] = g;
	term all = g == ancestor ? T_TRUE : g->relative;
	for (size_t i = 0; i < n; i++) {
		all = all == T_TRUE ? path[i]->literal : term_and(l->terms, all, path[i]->literal);
		path[i]->since = ancestor;
		path[i]->relative = all;
	}
	return all;
}

bool path_possible(struct lifter *l, term condition)
{
	outcome o;
	struct lifting *all = l->all;
	if (l->raw) /* its values are no inputs of requests */
		return condition != T_FALSE;
	if (!all->guards)
		all->guards = diagrams_new(all->rb->arena, l->terms, ORDER_FACTS_LAST);
	node n = diagram_of_term(all->guards, condition);
	return !diagram_ok(all->guards) || !node_is_terminal(n, &o) || o == OUT_ALLOW;
}
