/*
 * diagram_build.c - boolean terms to diagrams.
 *
 * Conjunctions are flattened and combined in halves. A comparison that reads
 * one input becomes exact intervals: by its shape when it compares the input
 * with a constant, else by the values of a small input. A choice in it is decided
 * first where that is cheap (term_cases.c). What has too many intervals, or reads
 * several wide inputs, becomes a free boolean variable.
 */
#include "policy/diagram_internal.h"

#include <stdlib.h>

enum { TABLE_INTERVALS_MAX = 256, TABLE_VALUES_MAX = 1 << 20 };

static void remember(struct diagrams *dg, term t, node n)
{
	if (t >= dg->of_term_cap) {
		size_t cap = dg->of_term_cap ? dg->of_term_cap : 256;
		while (cap <= t)
			cap *= 2;
		dg->of_term = arena_move(dg->arena, dg->of_term, dg->of_term_cap * sizeof *dg->of_term,
		                         cap * sizeof *dg->of_term);
		dg->of_term_cap = cap;
	}
	dg->of_term[t] = n + 1;
}

static bool recall(const struct diagrams *dg, term t, node *n)
{
	if (t >= dg->of_term_cap || !dg->of_term[t])
		return false;
	*n = dg->of_term[t] - 1;
	return true;
}

/* ---- comparisons ------------------------------------------------------------------ */

static node in_window(struct diagrams *dg, uint32_t var, int64_t lo, int64_t hi)
{
	int64_t min = diagram_var_min(dg, var), max = diagram_var_max(dg, var);
	struct edge e[3];
	size_t n = 0;
	if (lo > min)
		e[n++] = (struct edge){lo - 1, NODE_FALSE};
	e[n++] = (struct edge){hi < max ? hi : max, NODE_TRUE};
	if (hi < max)
		e[n++] = (struct edge){max, NODE_FALSE};
	return diagram_switch(dg, var, e, n);
}

/* input == k and input < k, on raw values. */
static bool by_shape(struct diagrams *dg, const struct term_node *c, node *out)
{
	const struct term_node *x = term_get(dg->terms, c->a), *k = term_get(dg->terms, c->b);
	if (x->op != TERM_INPUT || k->op != TERM_CONST)
		return false;
	if (c->op == TERM_EQ)
		*out = in_window(dg, x->a, k->lo, k->lo);
	else
		*out = in_window(dg, x->a, diagram_var_min(dg, x->a), k->lo - 1);
	return true;
}

/* type, access and requested have so few values that each gets its own term. */
static bool by_cases(struct diagrams *dg, term t, node *out)
{
	static const int64_t types[] = {1, 2}, sets[] = {0, 1, 2, 3, 4, 5, 6, 7}, single[] = {0, 1, 2, 4};
	static const struct { enum input in; const int64_t *values; size_t n; } few[] = {
		{IN_TYPE, types, 2}, {IN_REQUESTED, sets, 8}, {IN_ACCESS, single, 4}};
	input_set inputs = term_get(dg->terms, t)->inputs;
	for (size_t i = 0; i < sizeof few / sizeof *few; i++) {
		if (!(inputs & INPUT(few[i].in)))
			continue;
		node all = NODE_FALSE;
		for (size_t k = 0; k < few[i].n; k++) {
			term s = term_substitute(dg->terms, t, few[i].in, few[i].values[k]);
			node cond = s == T_TRUE    ? NODE_TRUE
			            : s == T_FALSE ? NODE_FALSE
			                           : diagram_of_term(dg, s);
			all = diagram_ite(dg, in_window(dg, few[i].in, few[i].values[k], few[i].values[k]),
			                  cond, all);
		}
		*out = all;
		return true;
	}
	return false;
}

/* By the values of the one small input. */
static bool by_table(struct diagrams *dg, term t, node *out)
{
	const struct term_node *c = term_get(dg->terms, t);
	if (c->inputs & (c->inputs - 1))
		return false;
	enum input in = (enum input)__builtin_ctzll(c->inputs);
	const struct term_node x = *term_get(dg->terms, term_input(dg->terms, in));
	if ((uint64_t)x.hi - (uint64_t)x.lo >= TABLE_VALUES_MAX)
		return false;
	struct term_piece pieces[TABLE_INTERVALS_MAX];
	struct edge e[TABLE_INTERVALS_MAX];
	size_t n = term_pieces(dg->terms, t, in, x.lo, x.hi, pieces, TABLE_INTERVALS_MAX);
	if (!n)
		return false;
	for (size_t i = 0; i < n; i++)
		e[i] = (struct edge){pieces[i].hi, pieces[i].value ? NODE_TRUE : NODE_FALSE};
	e[n - 1].hi = diagram_var_max(dg, in);
	*out = diagram_switch(dg, in, e, n);
	return true;
}

/* Case by case. */
static bool by_choices(struct diagrams *dg, term t, node *out)
{
	struct term_case *parts;
	size_t n = term_cases(dg->terms, dg->arena, t, &parts);
	if (!n)
		return false;
	node *of = arena_alloc(dg->arena, n * sizeof *of);
	for (size_t i = 0; i < n; i++) {
		const struct term_case *p = &parts[i];
		of[i] = p->cond == T_FALSE ? diagram_of_term(dg, p->leaf)
		                           : diagram_ite(dg, diagram_of_term(dg, p->cond), of[p->yes], of[p->no]);
	}
	*out = of[n - 1];
	return true;
}

static node comparison(struct diagrams *dg, term t)
{
	node out;
	const struct term_node *c = term_get(dg->terms, t);
	if (by_shape(dg, c, &out) || by_cases(dg, t, &out) || by_table(dg, t, &out) ||
	    by_choices(dg, t, &out))
		return out;
	struct edge e[] = {{0, NODE_FALSE}, {1, NODE_TRUE}};
	return diagram_switch(dg, diagram_free_var(dg, t), e, 2);
}

/* ---- booleans ------------------------------------------------------------------------- */

/* A term below the root without a diagram yet, and its parents there. */
struct found { term t; uint32_t uses; };

struct walk {
	struct diagrams *dg;
	struct found *found;
	size_t n, cap;
};

static bool is_op(const struct diagrams *dg, term t, enum term_op op)
{
	return term_get(dg->terms, t)->op == op;
}

/* Collects all boolean terms below t, counting how often each is used. A
 * negation counts twice: what it negates needs a diagram of its own. Leaves no
 * count behind: making these diagrams may ask for others. */
static void collect(struct walk *w, term root)
{
	struct diagrams *dg = w->dg;
	if (root >= dg->uses_cap) {
		size_t cap = 2 * ((size_t)root + 1);
		dg->uses = arena_move(dg->arena, dg->uses, dg->uses_cap * sizeof *dg->uses,
		                      cap * sizeof *dg->uses);
		dg->uses_cap = cap;
	}
	*ARENA_PUSH(dg->arena, w->found, w->n, w->cap) = (struct found){.t = root};
	dg->uses[root] = 2;
	for (size_t i = 0; i < w->n; i++) {
		const struct term_node k = *term_get(dg->terms, w->found[i].t);
		if (k.op != TERM_NOT && k.op != TERM_AND)
			continue;
		term below[2] = {k.a, k.b};
		for (int j = 0; j < (k.op == TERM_AND ? 2 : 1); j++) {
			node known;
			if (recall(dg, below[j], &known))
				continue;
			if (!dg->uses[below[j]])
				*ARENA_PUSH(dg->arena, w->found, w->n, w->cap) = (struct found){.t = below[j]};
			dg->uses[below[j]] += k.op == TERM_NOT ? 2 : 1;
		}
	}
	for (size_t i = 0; i < w->n; i++) {
		w->found[i].uses = dg->uses[w->found[i].t];
		dg->uses[w->found[i].t] = 0;
	}
}

static int by_id(const void *x, const void *y)
{
	term a = ((const struct found *)x)->t, b = ((const struct found *)y)->t;
	return a < b ? -1 : a > b;
}

/* The conjuncts of a chain of ANDs, stopping at terms that have a diagram. */
static node conjunction(struct diagrams *dg, term t)
{
	term *todo = NULL;
	node *parts = NULL;
	size_t n = 0, cap = 0, nparts = 0, parts_cap = 0;
	*ARENA_PUSH(dg->arena, todo, n, cap) = t;
	while (n) {
		term c = todo[--n];
		node known;
		if (c != t && recall(dg, c, &known)) {
			/* conjunction by overlay: false decides, true passes */
			*ARENA_PUSH(dg->arena, parts, nparts, parts_cap) =
				diagram_ite(dg, known, NODE_FALSE, NODE_TRUE);
			continue;
		}
		*ARENA_PUSH(dg->arena, todo, n, cap) = term_get(dg->terms, c)->a;
		*ARENA_PUSH(dg->arena, todo, n, cap) = term_get(dg->terms, c)->b;
	}
	return diagram_ite(dg, diagram_over_all(dg, parts, nparts), NODE_FALSE, NODE_TRUE);
}

node diagram_of_term(struct diagrams *dg, term root)
{
	node out = NODE_FALSE;
	if (root == T_FALSE || root == T_TRUE)
		return root == T_TRUE ? NODE_TRUE : NODE_FALSE;
	if (recall(dg, root, &out))
		return out;
	struct walk w = {.dg = dg};
	collect(&w, root);
	/* operands have smaller ids: ascending order meets them first */
	qsort(w.found, w.n, sizeof *w.found, by_id);
	for (size_t i = 0; i < w.n; i++) {
		term t = w.found[i].t;
		if (is_op(dg, t, TERM_NOT)) {
			recall(dg, term_get(dg->terms, t)->a, &out);
			remember(dg, t, diagram_ite(dg, out, NODE_FALSE, NODE_TRUE));
		} else if (is_op(dg, t, TERM_AND)) {
			if (w.found[i].uses > 1) /* an inner link of one chain needs none of its own */
				remember(dg, t, conjunction(dg, t));
		} else {
			remember(dg, t, comparison(dg, t));
		}
	}
	recall(dg, root, &out);
	return out;
}
