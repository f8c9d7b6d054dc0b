/*
 * diagram_split.c - comparisons of values that differ by path.
 *
 * `(c ? a : b) == k` is decided as c, then a == k or b == k: so what a person writes with
 * conditions in it stays exact, and a program asks the condition once. Cases multiply where one
 * choice is computed from another, and what reads several inputs is no more exact for it: beyond
 * a few of those the comparison stays whole, as one free variable. Whether it does depends on the
 * comparison alone, so that equal comparisons are equal diagrams.
 */
#include "policy/diagram_internal.h"

/* Cases when each comparison in them reads one input (a table), and otherwise. */
enum { TABLE_CASES_MAX = 1024, CASES_MAX = 4 };

struct part {
	term cond; /* T_FALSE: a leaf */
	term leaf;
	uint32_t yes, no;
};

struct split {
	struct diagrams *dg;
	struct part *parts;
	size_t n, cap;
	size_t leaves, wide_leaves; /* wide: a comparison reads several inputs */
	bool wide;                  /* of a condition */
};

/* The condition that t is split by, and what t is then; T_FALSE: t has no choices. */
static term split_by(struct terms *ts, term t, term *yes, term *no)
{
	term choice = term_top_choice(ts, t);
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
	struct terms *ts = s->dg->terms;
	struct part p = {.leaf = t};
	term yes, no;
	p.cond = split_by(ts, t, &yes, &no);
	if (p.cond == T_FALSE) {
		s->wide_leaves += !term_reads_one(ts, t);
		if (++s->leaves > cases_max(s) || s->wide_leaves > CASES_MAX)
			return false;
	} else {
		s->wide |= !s->wide && !term_reads_one(ts, p.cond);
		if (depth >= cases_max(s) || !expand(s, yes, depth + 1, &p.yes) || !expand(s, no, depth + 1, &p.no))
			return false;
	}
	*at = (uint32_t)s->n;
	*ARENA_PUSH(s->dg->arena, s->parts, s->n, s->cap) = p;
	return true;
}

bool diagram_by_choices(struct diagrams *dg, term t, node *out)
{
	struct split s = {.dg = dg};
	uint32_t root;
	if (!term_get(dg->terms, t)->chooses || !expand(&s, t, 0, &root))
		return false;
	/* parts come before what they are part of */
	node *of = arena_alloc(dg->arena, s.n * sizeof *of);
	for (size_t i = 0; i < s.n; i++) {
		const struct part *p = &s.parts[i];
		of[i] = p->cond == T_FALSE ? diagram_of_term(dg, p->leaf)
		                           : diagram_ite(dg, diagram_of_term(dg, p->cond), of[p->yes], of[p->no]);
	}
	*out = of[root];
	return true;
}
