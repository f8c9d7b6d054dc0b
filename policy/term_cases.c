/*
 * term_cases.c - comparisons of values that differ by path.
 *
 * `(c ? a : b) == k` is decided as c, then a == k or b == k: so what a person writes with
 * conditions in it stays exact, and a program asks the condition once. Cases multiply where one
 * choice is computed from another, and what reads several inputs is no more exact for it: beyond
 * a few of those the comparison stays whole, as one free variable of diagrams. Whether it does
 * depends on the comparison alone, so that equal comparisons are equal diagrams.
 */
#include "policy/term_internal.h"

/* ---- choices ---------------------------------------------------------------------- */

/* Marks what is reached from the last step without going into a choice's condition. */
static void mark_reached(struct terms *ts)
{
	for (size_t i = 0; i < ts->nsteps; i++)
		ts->steps[i].reached = i + 1 == ts->nsteps;
	for (size_t i = ts->nsteps; i-- > 0;) {
		const struct term_step *s = &ts->steps[i];
		if (!s->reached || !term_has_operands(s->op))
			continue;
		ts->steps[s->a].reached = true;
		if (s->op != TERM_NOT)
			ts->steps[s->b].reached = true;
	}
}

/* A choice that is an operand of the comparison t, with no other in its condition; T_FALSE: none. */
static term top_choice(const struct terms *ts, term t)
{
	const struct term_node *n = &ts->nodes[t];
	for (int i = 0; i < 2 && (n->op == TERM_EQ || n->op == TERM_LT); i++) {
		const struct term_node *x = &ts->nodes[i ? n->b : n->a];
		if (x->op == TERM_ITE && !ts->nodes[x->c].chooses)
			return i ? n->b : n->a;
	}
	return T_FALSE;
}

term term_choice_in(struct terms *ts, term t)
{
	const struct term_step *steps;
	if (!ts->nodes[t].chooses)
		return T_FALSE;
	size_t n = term_list(ts, t, &steps);
	mark_reached(ts);
	for (size_t i = 0; i < n; i++)
		if (steps[i].reached && steps[i].op == TERM_ITE)
			return steps[i].t;
	return T_FALSE;
}

/* Does each comparison in a condition read one input only? */
static bool reads_one(struct terms *ts, term t)
{
	const struct term_step *steps;
	size_t n = term_list(ts, t, &steps);
	for (size_t i = 0; i < n; i++) {
		input_set inputs = ts->nodes[steps[i].t].inputs;
		if ((steps[i].op == TERM_EQ || steps[i].op == TERM_LT) && inputs & (inputs - 1))
			return false;
	}
	return true;
}

/* ---- cases ------------------------------------------------------------------------ */

/* When each comparison in them reads one input (a table), and otherwise. */
enum { TABLE_CASES_MAX = 1024, CASES_MAX = 4 };

struct split {
	struct terms *terms;
	struct arena *arena;
	struct term_case *parts;
	size_t n, cap;
	size_t leaves, wide_leaves; /* wide: a comparison reads several inputs */
	bool wide;                  /* of a condition */
};

/* The condition that t is split by, and what t is then; T_FALSE: t has no choices. */
static term split_by(struct terms *ts, term t, term *yes, term *no)
{
	term choice = top_choice(ts, t);
	struct term_node n = *term_get(ts, t), c = *term_get(ts, choice);
	if (choice != T_FALSE && n.op == TERM_EQ) {
		*yes = term_eq(ts, c.a, choice == n.a ? n.b : n.a);
		*no = term_eq(ts, c.b, choice == n.a ? n.b : n.a);
		return c.c;
	}
	if (choice != T_FALSE) {
		*yes = choice == n.a ? term_lt(ts, c.a, n.b) : term_lt(ts, n.a, c.a);
		*no = choice == n.a ? term_lt(ts, c.b, n.b) : term_lt(ts, n.a, c.b);
		return c.c;
	}
	choice = term_choice_in(ts, t);
	if (choice == T_FALSE)
		return T_FALSE;
	term cond = term_get(ts, choice)->c;
	*yes = term_assume(ts, t, cond);
	*no = term_assume(ts, t, term_not(ts, cond));
	return cond;
}

static size_t cases_max(const struct split *s)
{
	return s->wide ? CASES_MAX : TABLE_CASES_MAX;
}

/* A path of so many decisions has more cases beside it. */
static bool expand(struct split *s, term t, size_t depth, uint32_t *at)
{
	struct terms *ts = s->terms;
	struct term_case p = {.leaf = t};
	term yes, no;
	p.cond = split_by(ts, t, &yes, &no);
	if (p.cond == T_FALSE) {
		s->wide_leaves += !reads_one(ts, t);
		if (++s->leaves > cases_max(s) || s->wide_leaves > CASES_MAX)
			return false;
	} else {
		s->wide |= !s->wide && !reads_one(ts, p.cond);
		if (depth >= cases_max(s) || !expand(s, yes, depth + 1, &p.yes) || !expand(s, no, depth + 1, &p.no))
			return false;
	}
	*at = (uint32_t)s->n;
	*ARENA_PUSH(s->arena, s->parts, s->n, s->cap) = p;
	return true;
}

size_t term_cases(struct terms *ts, struct arena *a, term t, struct term_case **parts)
{
	struct split s = {.terms = ts, .arena = a};
	uint32_t root;
	if (!term_get(ts, t)->chooses || !expand(&s, t, 0, &root))
		return 0;
	*parts = s.parts;
	return s.n;
}
