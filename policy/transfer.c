/*
 * transfer.c - diagrams of one set as diagrams of another.
 *
 * Two policies are about two sets of terms, in diagrams of different orders, with parameters and questions of the same
 * numbers.
 * To be compared they must be in one set: a node is made again of the nodes below it, children first. An
 * input that is a number there is gone then, and conditions about it are what they are for that number.
 */
#include "policy/transfer.h"
#include "policy/asked.h"
#include "policy/diagram_internal.h"

/* ---- what is asked of the calling task ------------------------------------------------------ */

int terms_joined(struct terms *to, const struct terms *from, input_set used, term inputs[INPUT_MAX], const char **why)
{
	const struct asked *theirs = terms_asked(from);
	for (int in = 0; in < INPUT_MAX; in++)
		inputs[in] = in < IN_ASK_0 ? term_input(to, (enum input)in) : term_const(to, 0);
	for (size_t i = 0; i < theirs->nasks; i++) {
		const struct ask *k = &theirs->asks[i];
		if (!(used & INPUT(IN_ASK_0 + i)))
			continue;
		int place = asked_ask(terms_asked(to), k->kind, k->number, k->text, k->at);
		*why = "together ask too many questions about the caller: more than 20";
		if (place < 0)
			return -1;
		inputs[IN_ASK_0 + i] = term_input(to, (enum input)(IN_ASK_0 + place));
	}
	for (size_t i = 0; i < theirs->npaths; i++) {
		const struct path_named *k = &theirs->paths[i];
		*why = "name two paths that have one value in programs";
		if (!asked_path(terms_asked(to), k->path, k->is_cgroup, k->at))
			return -1;
	}
	*why = NULL;
	return 0;
}

/* ---- diagrams ------------------------------------------------------------------------------- */

struct copying {
	struct diagrams *to;
	const struct diagrams *from;
	const term *inputs;
	node *free;         /* by free variable of `from`: 0: not yet, else 1 + its condition in `to` */
	node *copy;         /* by node of `from` */
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

static node condition(struct copying *c, uint32_t i)
{
	if (!c->free[i])
		c->free[i] = 1 + diagram_of_term(c->to, term_brought(c->to->terms, c->from->terms, c->from->free_terms[i], c->inputs));
	return c->free[i] - 1;
}

static node node_moved(struct copying *c, node n)
{
	struct switch_node s = node_switch(c->from, n);
	if (s.var >= INPUT_MAX)
		return diagram_ite(c->to, condition(c, s.var - INPUT_MAX), child_at(c, &s, 1), child_at(c, &s, 0));
	const struct term_node *is = term_get(c->to->terms, c->inputs[s.var]);
	return is->op == TERM_INPUT ? switched(c, &s, is->a) : child_at(c, &s, is->lo);
}

node diagram_moved(struct diagrams *to, const struct diagrams *from, node root, const term inputs[INPUT_MAX])
{
	struct arena *scratch = arena_scratch(to->arena);
	struct copying c = {.to = to, .from = from, .inputs = inputs};
	const bool *below = diagram_below(scratch, from, &root, 1);
	size_t widest = 1;
	c.free = arena_alloc(scratch, (from->nfree + 1) * sizeof *c.free);
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
