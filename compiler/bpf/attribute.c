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
	uint64_t *seen; /* hash set of pairs, 0 empty */
	size_t nseen, seen_size;
	uint32_t *first; /* by attribution node: 1 + first rule below, 0 unknown */
};

static uint32_t terminal_rule(node n)
{
	outcome o;
	node_is_terminal(n, &o);
	return OUTCOME_RULE(o) ? OUTCOME_RULE(o) : NO_RULE - 1;
}

/* First rule below an attribution node: children first, memoised. */
static uint32_t first_rule(struct walk *w, node root)
{
	if (node_is_terminal(root, NULL))
		return terminal_rule(root);
	node *stack = NULL;
	size_t n = 0, cap = 0;
	*ARENA_PUSH(w->arena, stack, n, cap) = root;
	while (n) {
		node k = stack[n - 1];
		struct switch_node s = node_switch(w->dg, k);
		uint32_t best = NO_RULE - 1;
		bool ready = true;
		for (uint32_t i = 0; i < s.n && !w->first[k]; i++) {
			node to = s.edges[i].to;
			bool terminal = node_is_terminal(to, NULL);
			if (!terminal && !w->first[to]) {
				*ARENA_PUSH(w->arena, stack, n, cap) = to;
				ready = false;
				continue;
			}
			uint32_t r = terminal ? terminal_rule(to) : w->first[to] - 1;
			best = r < best ? r : best;
		}
		if (!ready)
			continue;
		if (!w->first[k])
			w->first[k] = best + 1;
		n--;
	}
	return w->first[root] - 1;
}

static bool see(struct walk *w, struct pair p)
{
	uint64_t key = ((uint64_t)p.v << 32 | p.a) + 1;
	if (w->nseen * 2 >= w->seen_size) {
		size_t size = w->seen_size ? w->seen_size * 2 : 1024;
		uint64_t *grown = arena_alloc(w->arena, size * sizeof *grown);
		for (size_t k = 0; k < w->seen_size; k++) {
			if (!w->seen[k])
				continue;
			size_t i = (w->seen[k] * 0x9e3779b97f4a7c15ull >> 20) & (size - 1);
			while (grown[i])
				i = (i + 1) & (size - 1);
			grown[i] = w->seen[k];
		}
		w->seen = grown;
		w->seen_size = size;
	}
	size_t i = (key * 0x9e3779b97f4a7c15ull >> 20) & (w->seen_size - 1);
	for (; w->seen[i]; i = (i + 1) & (w->seen_size - 1))
		if (w->seen[i] == key)
			return false;
	w->seen[i] = key;
	w->nseen++;
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
	uint32_t rule = first_rule(w, a);
	if (rule < w->out.rule[edge] && (edge >= w->nsettled || !w->settled[edge]))
		w->out.rule[edge] = rule;
	if (!node_is_terminal(v, NULL) && w->nseen < PAIRS_MAX && see(w, (struct pair){v, a}))
		*ARENA_PUSH(w->arena, w->todo, w->n, w->cap) = (struct pair){v, a};
}

/* Is edge i of an attribution node taken by requests to be shown in this walk? */
static bool wanted(const struct walk *w, const struct switch_node *a, uint32_t i)
{
	if (w->all || a->var != IN_REQUESTED)
		return true;
	for (int64_t set = i ? a->edges[i - 1].hi + 1 : 0; set <= a->edges[i].hi; set++)
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
	w->seen = NULL;
	w->nseen = w->seen_size = 0;
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
	struct walk w = {.arena = arena, .dg = pd->dg};
	w.first = arena_alloc(arena, ((size_t)diagram_nodes(pd->dg) + 1) * sizeof *w.first);
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
