/*
 * attribute.c - which rule an edge of the verdict diagram stands for.
 *
 * The verdict diagram has forgotten the rules; the attribution diagram is the
 * same function with them. Walking both together gives every edge the first
 * rule that decides through it. The kernel never asks for mknod together with
 * another access: the rule of such a request is taken only where no other request
 * comes through, else a rule for mknod would name the whole program. Work is bounded
 * by PAIRS_MAX a walk; beyond, the rest of the edges count as the default (only the
 * lines shown suffer).
 */
#include "compiler/bpf/internal.h"
#include "policy/table.h"

enum { PAIRS_MAX = 1 << 20, NO_RULE = UINT32_MAX };

struct pair { node v, a; };

struct walk {
	struct arena *arena;
	const struct diagrams *dg;
	struct attribution out;
	struct pair *todo;
	size_t n, cap, nbase, base_cap, nrule, rule_cap;
	bool all;        /* also the requests that the kernel does not make */
	size_t nsettled; /* edges of the walk before, which keep their rule */
	bool *settled;
	struct pair *met; /* in this walk */
	size_t nmet, met_cap;
	struct table seen; /* of them */
	const uint32_t *first; /* by node: the first rule below */
};

static uint32_t terminal_rule(node n)
{
	outcome o;
	node_is_terminal(n, &o);
	return OUTCOME_RULE(o) ? OUTCOME_RULE(o) : NO_RULE - 1;
}

/* The first rule below each node. */
static uint32_t *first_rules(struct arena *a, const struct diagrams *dg)
{
	uint32_t *first = arena_alloc(a, (diagram_nodes(dg) + 1) * sizeof *first);
	for (node k = 0; k < diagram_nodes(dg); k++) { /* children first */
		struct switch_node s = node_switch(dg, k);
		first[k] = NO_RULE - 1;
		for (uint32_t i = 0; i < s.n; i++) {
			node to = s.edges[i].to;
			uint32_t r = node_is_terminal(to, NULL) ? terminal_rule(to) : first[to];
			first[k] = r < first[k] ? r : first[k];
		}
	}
	return first;
}

/* Is the pair met for the first time in this walk? */
static bool see(struct walk *w, struct pair p)
{
	uint32_t hash = (uint32_t)table_mix(0, (uint64_t)p.v << 32 | p.a);
	for (struct table_look l = table_look(&w->seen, hash); table_next(&w->seen, &l);)
		if (w->met[l.place].v == p.v && w->met[l.place].a == p.a)
			return false;
	table_add(&w->seen, w->arena, hash, (uint32_t)w->nmet);
	*ARENA_APPEND(w->arena, w->met, w->nmet, w->met_cap) = p;
	return true;
}

static uint32_t edge_base(struct walk *w, node v, uint32_t edges)
{
	while (w->nbase <= v)
		*ARENA_PUSH(w->arena, w->out.base, w->nbase, w->base_cap) = NO_RULE;
	if (w->out.base[v] == NO_RULE) {
		w->out.base[v] = (uint32_t)w->nrule;
		for (uint32_t i = 0; i < edges; i++)
			*ARENA_PUSH(w->arena, w->out.rule, w->nrule, w->rule_cap) = NO_RULE;
	}
	return w->out.base[v];
}

/* One edge of v met together with (part of) attribution child a. */
static void meet(struct walk *w, uint32_t edge, node v, node a)
{
	uint32_t rule = node_is_terminal(a, NULL) ? terminal_rule(a) : w->first[a];
	if (rule < w->out.rule[edge] && (edge >= w->nsettled || !w->settled[edge]))
		w->out.rule[edge] = rule;
	if (!node_is_terminal(v, NULL) && w->nmet < PAIRS_MAX && see(w, (struct pair){v, a}))
		*ARENA_PUSH(w->arena, w->todo, w->n, w->cap) = (struct pair){v, a};
}

/* Is edge i of an attribution node taken by requests to be shown in this walk? */
static bool wanted(const struct walk *w, const struct switch_node *a, uint32_t i)
{
	if (w->all || a->var != IN_REQUESTED)
		return true;
	for (int64_t set = switch_edge_lo(w->dg, a, i); set <= a->edges[i].hi; set++)
		if (set > ACC_ALL)
			return false;
		else if (!(set & ACC_MKNOD) || set == ACC_MKNOD)
			return true;
	return false;
}

static void visit(struct walk *w, struct pair p)
{
	struct switch_node v = node_switch(w->dg, p.v);
	uint32_t base = edge_base(w, p.v, v.n);
	bool split = !node_is_terminal(p.a, NULL);
	struct switch_node a = {0};
	if (split) {
		a = node_switch(w->dg, p.a);
		uint32_t lv = diagram_level(w->dg, v.var), la = diagram_level(w->dg, a.var);
		if (la < lv) { /* the rules differ here, the verdict does not */
			for (uint32_t i = 0; i < a.n; i++)
				if (wanted(w, &a, i) && see(w, (struct pair){p.v, a.edges[i].to}))
					*ARENA_PUSH(w->arena, w->todo, w->n, w->cap) =
						(struct pair){p.v, a.edges[i].to};
			return;
		}
		split = la == lv;
	}
	for (uint32_t i = 0, j = 0; i < v.n;) {
		if (!split || wanted(w, &a, j))
			meet(w, base + i, v.edges[i].to, split ? a.edges[j].to : p.a);
		if (!split || v.edges[i].hi < a.edges[j].hi)
			i++;
		else if (v.edges[i].hi > a.edges[j].hi)
			j++;
		else
			i++, j++;
	}
}

static void walk(struct walk *w, const struct policy_diagram *pd)
{
	struct pair root = {pd->verdict, pd->attribution};
	w->seen = (struct table){0};
	w->nmet = 0;
	see(w, root);
	*ARENA_PUSH(w->arena, w->todo, w->n, w->cap) = root;
	while (w->n)
		visit(w, w->todo[--w->n]);
}

static void settle(struct walk *w)
{
	w->settled = arena_alloc(w->arena, w->nrule * sizeof *w->settled);
	w->nsettled = w->nrule;
	for (size_t i = 0; i < w->nrule; i++)
		w->settled[i] = w->out.rule[i] != NO_RULE;
}

struct attribution attribute(struct arena *arena, const struct policy_diagram *pd)
{
	struct walk w = {.arena = arena, .dg = pd->dg, .first = first_rules(arena, pd->dg)};
	if (!node_is_terminal(pd->verdict, NULL)) {
		walk(&w, pd);
		settle(&w);
		w.all = true;
		walk(&w, pd);
	}
	for (size_t i = 0; i < w.nrule; i++)
		if (w.out.rule[i] >= NO_RULE - 1)
			w.out.rule[i] = 0;
	return w.out;
}
