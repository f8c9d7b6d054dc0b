/*
 * transfer.c - diagrams of one set as diagrams of another.
 *
 * Two policies are about two sets of terms, in diagrams of different orders, with parameters of the same numbers.
 * To be compared they must be in one set: a node is made again of the nodes below it, children first. A
 * parameter that has a value is gone then, and conditions about it are what they are for that value.
 */
#include "policy/transfer.h"
#include "policy/arena.h"
#include "policy/diagram_internal.h"

/* ---- conditions ------------------------------------------------------------------------- */

/* From one set of terms to another, each term once. */
struct moving {
	struct arena *arena;
	struct terms *to;
	const struct terms *from;
	const struct transfer *how;
	term *made; /* by term of `from`: 0: not yet, else 1 + term */
};

static term input_moved(const struct moving *m, enum input in)
{
	if (in < IN_PARAM_0)
		return term_input(m->to, in);
	size_t i = (size_t)in - IN_PARAM_0;
	return m->how->param[i].fixed ? term_const(m->to, m->how->param[i].value) : term_input(m->to, m->how->param[i].in);
}

/* The operands are there. */
static term one_moved(const struct moving *m, term t)
{
	const struct term_node *k = term_get(m->from, t);
	term below[3] = {T_FALSE}, of[3] = {T_FALSE};
	size_t n = term_operands(k, below);
	for (size_t i = 0; i < n; i++)
		of[i] = m->made[below[i]] - 1;
	switch (k->op) {
	case TERM_FALSE:
	case TERM_TRUE: return t;
	case TERM_CONST: return term_const(m->to, k->lo);
	case TERM_INPUT: return input_moved(m, (enum input)k->a);
	case TERM_NOT: return term_not(m->to, of[0]);
	case TERM_AND: return term_and(m->to, of[0], of[1]);
	case TERM_EQ: return term_eq(m->to, of[0], of[1]);
	case TERM_LT: return term_lt(m->to, of[0], of[1]);
	case TERM_ITE: return term_ite(m->to, m->made[k->c] - 1, m->made[k->a] - 1, m->made[k->b] - 1);
	default: return term_op(m->to, (enum term_op)k->op, of[0], of[1]);
	}
}

static term moved(struct moving *m, term root)
{
	term *todo = NULL;
	size_t n = 0, cap = 0;
	*ARENA_PUSH(m->arena, todo, n, cap) = root;
	while (n) {
		term t = todo[n - 1], below[3];
		size_t count = term_operands(term_get(m->from, t), below), waiting = n;
		for (size_t i = 0; i < count; i++)
			if (!m->made[below[i]])
				*ARENA_PUSH(m->arena, todo, n, cap) = below[i];
		if (n > waiting)
			continue;
		if (!m->made[t])
			m->made[t] = one_moved(m, t) + 1;
		n--;
	}
	return m->made[root] - 1;
}

static struct moving moving_of(struct arena *a, struct terms *to, const struct terms *from, const struct transfer *how)
{
	return (struct moving){.arena = a, .to = to, .from = from, .how = how,
	                       .made = arena_alloc(a, (terms_count(from) + 1) * sizeof(term))};
}

term term_moved(struct arena *a, struct terms *to, const struct terms *from, term t, const struct transfer *how)
{
	struct moving m = moving_of(a, to, from, how);
	return moved(&m, t);
}

/* ---- diagrams ---------------------------------------------------------------------------- */

struct copying {
	struct moving terms;
	struct diagrams *to;
	const struct diagrams *from;
	node *copy; /* by node of `from` */
	struct edge *edges; /* of the node that is made */
	size_t room;
};

static node child(const struct copying *c, node n)
{
	outcome o;
	if (node_is_terminal(n, &o))
		return OUTCOME_KIND(o) == OUT_ALLOW ? NODE_TRUE : NODE_FALSE;
	return c->copy[n];
}

/* The child that a value leads to. */
static node child_at(const struct copying *c, const struct switch_node *s, int64_t value)
{
	uint32_t i = 0;
	while (i + 1 < s->n && s->edges[i].hi < value)
		i++;
	return child(c, s->edges[i].to);
}

/* Is everything below behind the variable in the order of the new set? */
static bool in_order(const struct copying *c, uint32_t level)
{
	for (size_t i = 0; i < c->room; i++) {
		node to = c->edges[i].to;
		if (!(to & TERMINAL_BIT) && diagram_level(c->to, node_switch(c->to, to).var) <= level)
			return false;
	}
	return true;
}

/* A switch on an input, whatever is below it. */
static node switched(struct copying *c, const struct switch_node *s, uint32_t var)
{
	struct edge e[3];
	node all = NODE_FALSE;
	c->room = s->n;
	for (uint32_t i = 0; i < s->n; i++)
		c->edges[i] = (struct edge){s->edges[i].hi, child(c, s->edges[i].to)};
	/* the last interval ends where the variable does, which another parameter may do elsewhere */
	c->edges[s->n - 1].hi = diagram_var_max(c->to, var);
	if (in_order(c, diagram_level(c->to, var)))
		return diagram_switch(c->to, var, c->edges, s->n);
	for (uint32_t i = 0; i < s->n && diagram_ok(c->to); i++) {
		size_t n = 0;
		if (i)
			e[n++] = (struct edge){c->edges[i - 1].hi, NODE_FALSE};
		e[n++] = (struct edge){c->edges[i].hi, NODE_TRUE};
		if (i + 1 < s->n)
			e[n++] = (struct edge){c->edges[s->n - 1].hi, NODE_FALSE};
		all = diagram_ite(c->to, diagram_switch(c->to, var, e, n), c->edges[i].to, all);
	}
	return all;
}

static node node_moved(struct copying *c, node n)
{
	struct switch_node s = node_switch(c->from, n);
	if (s.var >= INPUT_MAX) {
		node is = diagram_of_term(c->to, moved(&c->terms, diagram_free_term(c->from, s.var)));
		return diagram_ite(c->to, is, child_at(c, &s, 1), child_at(c, &s, 0));
	}
	if (s.var < IN_PARAM_0)
		return switched(c, &s, s.var);
	size_t param = s.var - IN_PARAM_0;
	return c->terms.how->param[param].fixed ? child_at(c, &s, c->terms.how->param[param].value)
	                                        : switched(c, &s, c->terms.how->param[param].in);
}

node diagram_moved(struct arena *a, struct diagrams *to, struct terms *ts, const struct diagrams *from,
                   const struct terms *of, node root, const struct transfer *how)
{
	struct arena *scratch = arena_scratch(a);
	struct copying c = {.terms = moving_of(scratch, ts, of, how), .to = to, .from = from};
	const bool *below = diagram_below(scratch, from, &root, 1);
	size_t widest = 1;
	c.copy = arena_alloc(scratch, (diagram_nodes(from) + 1) * sizeof *c.copy);
	for (node k = 0; k < diagram_nodes(from); k++)
		if (below[k] && node_switch(from, k).n > widest)
			widest = node_switch(from, k).n;
	c.edges = arena_alloc(scratch, widest * sizeof *c.edges);
	for (node k = 0; k < diagram_nodes(from) && diagram_ok(to); k++)
		if (below[k])
			c.copy[k] = node_moved(&c, k);
	node out = diagram_ok(to) ? child(&c, root) : NODE_FALSE;
	arena_free(scratch);
	return out;
}
