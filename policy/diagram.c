/*
 * diagram.c - hash-consed interval decision diagrams: how they are kept.
 *
 * A diagram is a node: a terminal (an outcome, told by its top bit) or an
 * interval switch on one variable. Variables appear in one order on every path
 * and at most once; adjacent intervals differ and a switch has at least two.
 * Hence equal functions are equal nodes. A switch has a larger number than those
 * it leads to: ascending numbers are an order with the children first.
 */
#include "policy/diagram_internal.h"

#include <string.h>

struct diagrams *diagrams_new(struct arena *a, struct terms *ts, enum diagram_order order)
{
	struct diagrams *dg = arena_alloc(a, sizeof *dg);
	dg->arena = a;
	dg->terms = ts;
	dg->budget = DIAGRAM_BUDGET;
	/* the enum's order has the device first; facts first rotates it */
	for (uint32_t i = 0; i < INPUT_MAX; i++)
		dg->level[i] = order == ORDER_FACTS_LAST ? i
		               : i < IN_UID              ? i + INPUT_MAX - IN_UID
		                                         : i - IN_UID;
	return dg;
}

bool diagram_ok(const struct diagrams *dg)
{
	return !dg->over_budget;
}

void diagrams_allow(struct diagrams *dg, size_t nodes)
{
	dg->budget = nodes;
}

/* ---- variables ----------------------------------------------------------------- */

uint32_t diagram_level(const struct diagrams *dg, uint32_t var)
{
	return var < INPUT_MAX ? dg->level[var] : var;
}

int64_t diagram_var_max(const struct diagrams *dg, uint32_t var)
{
	(void)dg;
	if (var >= INPUT_MAX)
		return 1;
	switch (var) {
	case IN_TYPE:
	case IN_REQUESTED: return UINT16_MAX; /* halves of the kernel's access_type */
	case IN_ACCESS: return ACC_ALL;
	default: return input_is_wide((enum input)var) ? INT64_MAX : UINT32_MAX;
	}
}

int64_t diagram_var_min(const struct diagrams *dg, uint32_t var)
{
	(void)dg;
	return var == IN_COMM_0 || var == IN_COMM_1 || (var >= IN_PARAM_0 && var < INPUT_MAX) ? INT64_MIN : 0;
}

term diagram_free_term(const struct diagrams *dg, uint32_t var)
{
	return dg->free_terms[var - INPUT_MAX];
}

input_set diagram_var_inputs(const struct diagrams *dg, uint32_t var)
{
	return var < INPUT_MAX ? INPUT(var) : term_get(dg->terms, diagram_free_term(dg, var))->inputs;
}

uint32_t diagram_free_var(struct diagrams *dg, term t)
{
	for (size_t i = 0; i < dg->nfree; i++)
		if (dg->free_terms[i] == t)
			return INPUT_MAX + (uint32_t)i;
	if (dg->nfree == FREE_MAX) {
		dg->over_budget = true;
		return INPUT_MAX;
	}
	*ARENA_PUSH(dg->arena, dg->free_terms, dg->nfree, dg->free_cap) = t;
	return INPUT_MAX + (uint32_t)dg->nfree - 1;
}

/* ---- nodes ------------------------------------------------------------------------ */

node diagram_terminal(outcome o)
{
	return TERMINAL_BIT | o;
}

bool node_is_terminal(node n, outcome *out)
{
	if (out)
		*out = n & ~TERMINAL_BIT;
	return n & TERMINAL_BIT;
}

size_t diagram_nodes(const struct diagrams *dg)
{
	return dg->nnodes;
}

struct switch_node node_switch(const struct diagrams *dg, node n)
{
	const struct stored_node *s = &dg->nodes[n];
	return (struct switch_node){.var = s->var, .n = s->n, .edges = dg->edges + s->first};
}

int64_t switch_edge_lo(const struct diagrams *dg, const struct switch_node *s, uint32_t edge)
{
	return edge ? s->edges[edge - 1].hi + 1 : diagram_var_min(dg, s->var);
}

static uint32_t hash_edges(uint32_t var, const struct edge *e, size_t n)
{
	uint64_t h = table_mix(var, n);
	for (size_t i = 0; i < n; i++)
		h = table_mix(table_mix(h, (uint64_t)e[i].hi), e[i].to);
	return (uint32_t)h;
}

static bool same_edges(const struct edge *x, const struct edge *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (x[i].hi != y[i].hi || x[i].to != y[i].to)
			return false;
	return true;
}

/* The node of edges that are already merged and at least two. */
static node intern(struct diagrams *dg, uint32_t var, const struct edge *e, size_t n)
{
	uint32_t hash = hash_edges(var, e, n);
	for (struct table_look l = table_look(&dg->unique, hash); table_next(&dg->unique, &l);) {
		const struct stored_node *s = &dg->nodes[l.place];
		if (s->var == var && s->n == n && same_edges(dg->edges + s->first, e, n))
			return l.place;
	}
	if (dg->nnodes >= dg->budget || dg->nedges + n > EDGES_A_NODE * dg->budget) {
		dg->over_budget = true;
		return NODE_FALSE;
	}
	uint32_t first = (uint32_t)dg->nedges;
	for (size_t k = 0; k < n; k++)
		*ARENA_APPEND(dg->arena, dg->edges, dg->nedges, dg->edges_cap) = e[k];
	*ARENA_APPEND(dg->arena, dg->nodes, dg->nnodes, dg->nodes_cap) =
		(struct stored_node){.var = var, .first = first, .n = (uint32_t)n};
	table_add(&dg->unique, dg->arena, hash, (node)dg->nnodes - 1);
	return (node)dg->nnodes - 1;
}

/* Edges under construction live on one stack: begin remembers its height. */
void diagram_add_edge(struct diagrams *dg, size_t begin, int64_t hi, node to)
{
	if (dg->scratch_n > begin && dg->scratch[dg->scratch_n - 1].to == to)
		dg->scratch[dg->scratch_n - 1].hi = hi;
	else
		*ARENA_APPEND(dg->arena, dg->scratch, dg->scratch_n, dg->scratch_cap) =
			(struct edge){hi, to};
}

node diagram_end_edges(struct diagrams *dg, size_t begin, uint32_t var)
{
	size_t n = dg->scratch_n - begin;
	node result = n == 1 ? dg->scratch[begin].to : intern(dg, var, dg->scratch + begin, n);
	dg->scratch_n = begin;
	return result;
}

node diagram_switch(struct diagrams *dg, uint32_t var, const struct edge *edges, size_t n)
{
	size_t begin = dg->scratch_n;
	for (size_t i = 0; i < n; i++)
		diagram_add_edge(dg, begin, edges[i].hi, edges[i].to);
	return diagram_end_edges(dg, begin, var);
}

/* ---- what is below ------------------------------------------------------------------------ */

bool *diagram_below(struct arena *a, const struct diagrams *dg, const node *roots, size_t n)
{
	bool *below = arena_alloc(a, dg->nnodes + 1);
	for (size_t i = 0; i < n; i++)
		if (!(roots[i] & TERMINAL_BIT))
			below[roots[i]] = true;
	for (node k = (node)dg->nnodes; k-- > 0;)
		for (uint32_t i = 0; below[k] && i < dg->nodes[k].n; i++) {
			node to = dg->edges[dg->nodes[k].first + i].to;
			if (!(to & TERMINAL_BIT))
				below[to] = true;
		}
	return below;
}

input_set diagram_inputs(struct arena *a, const struct diagrams *dg, node root)
{
	const bool *below = diagram_below(a, dg, &root, 1);
	input_set inputs = 0;
	for (node k = 0; k < diagram_nodes(dg); k++)
		if (below[k])
			inputs |= diagram_var_inputs(dg, node_switch(dg, k).var);
	return inputs;
}

void diagram_size(const struct diagrams *dg, node root, size_t *nodes, size_t *edges)
{
	struct arena *scratch = arena_scratch(dg->arena);
	const bool *below = diagram_below(scratch, dg, &root, 1);
	*nodes = *edges = 0;
	for (node k = 0; k < dg->nnodes; k++) {
		*nodes += below[k];
		*edges += below[k] ? dg->nodes[k].n : 0;
	}
	arena_free(scratch);
}

struct diagrams *diagrams_kept(struct arena *a, const struct diagrams *from, node *roots, size_t n)
{
	struct diagrams *dg = diagrams_new(a, from->terms, ORDER_FACTS_LAST);
	struct arena *scratch = arena_scratch(a);
	const bool *below = diagram_below(scratch, from, roots, n);
	node *copy = arena_alloc(scratch, (from->nnodes + 1) * sizeof *copy);
	dg->budget = from->budget;
	memcpy(dg->level, from->level, sizeof dg->level);
	for (size_t i = 0; i < from->nfree; i++)
		*ARENA_PUSH(a, dg->free_terms, dg->nfree, dg->free_cap) = from->free_terms[i];
	for (node k = 0; k < from->nnodes; k++) {
		struct switch_node s = node_switch(from, k);
		size_t begin = dg->scratch_n;
		for (uint32_t i = 0; below[k] && i < s.n; i++)
			diagram_add_edge(dg, begin, s.edges[i].hi, s.edges[i].to & TERMINAL_BIT ? s.edges[i].to : copy[s.edges[i].to]);
		if (below[k])
			copy[k] = diagram_end_edges(dg, begin, s.var);
	}
	for (size_t i = 0; i < n; i++)
		roots[i] = roots[i] & TERMINAL_BIT ? roots[i] : copy[roots[i]];
	arena_free(scratch);
	return dg;
}

/* ---- evaluation ------------------------------------------------------------------------ */

/* The truth of a free variable; false and *missing when a fact is not known. */
static bool free_value(struct diagrams *dg, uint32_t var, const int64_t *inputs, input_set known,
                       int64_t *value, int *missing)
{
	input_set unknown = diagram_var_inputs(dg, var) & ~known;
	if (unknown) {
		*missing = __builtin_ctzll(unknown);
		return false;
	}
	*value = term_eval(dg->terms, diagram_free_term(dg, var), inputs);
	return true;
}

static node edge_of(const struct switch_node *s, int64_t value)
{
	uint32_t lo = 0, hi = s->n - 1;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		if (value <= s->edges[mid].hi)
			hi = mid;
		else
			lo = mid + 1;
	}
	return s->edges[lo].to;
}

outcome diagram_eval(struct diagrams *dg, node root, const int64_t *inputs, input_set known,
                     int *missing)
{
	*missing = -1;
	while (!(root & TERMINAL_BIT)) {
		struct switch_node s = node_switch(dg, root);
		int64_t value;
		if (s.var >= INPUT_MAX) {
			if (!free_value(dg, s.var, inputs, known, &value, missing))
				return OUT_ERROR;
		} else if (!(known & INPUT(s.var))) {
			*missing = (int)s.var;
			return OUT_ERROR;
		} else {
			value = inputs[s.var];
		}
		root = edge_of(&s, value);
	}
	return root & ~TERMINAL_BIT;
}

/* ---- what is open ---------------------------------------------------------------------- */

/* From each node of some ways one goes on to one other, or, where its value is not known, to several. */
struct open_ways {
	struct diagrams *dg;
	const int64_t *inputs;
	input_set known;
	node *next;    /* where the value is known, by node; else UINT32_MAX */
	node *same;    /* the one terminal that all ways from it end in; UINT32_MAX: several */
};

static bool value_known(const struct open_ways *w, uint32_t var, int64_t *value)
{
	int missing;
	if (var >= INPUT_MAX)
		return free_value(w->dg, var, w->inputs, w->known, value, &missing);
	*value = w->inputs[var];
	return w->known & INPUT(var);
}

static node end_of(const struct open_ways *w, node n)
{
	return n & TERMINAL_BIT ? n : w->same[n];
}

static void settle_node(struct open_ways *w, node n)
{
	struct switch_node s = node_switch(w->dg, n);
	int64_t value;
	w->next[n] = value_known(w, s.var, &value) ? edge_of(&s, value) : UINT32_MAX;
	w->same[n] = end_of(w, w->next[n] == UINT32_MAX ? s.edges[0].to : w->next[n]);
	for (uint32_t i = 1; i < s.n && w->next[n] == UINT32_MAX; i++)
		if (end_of(w, s.edges[i].to) != w->same[n])
			w->same[n] = UINT32_MAX;
}

static void note_end(outcome o, outcome *allows)
{
	if (OUTCOME_KIND(o) == OUT_ALLOW && (!*allows || (OUTCOME_RULE(o) && (!OUTCOME_RULE(*allows) || o < *allows))))
		*allows = o;
}

input_set diagram_open(struct arena *a, struct diagrams *dg, node root, const int64_t *inputs, input_set known, outcome *allows)
{
	const bool *below = diagram_below(a, dg, &root, 1);
	size_t n = dg->nnodes;
	bool *on = arena_alloc(a, n + 1);
	struct open_ways w = {dg, inputs, known, arena_alloc(a, (n + 1) * sizeof *w.next), arena_alloc(a, (n + 1) * sizeof *w.same)};
	input_set open = 0;
	*allows = OUT_PASS;
	for (node k = 0; k < n; k++)
		if (below[k])
			settle_node(&w, k);
	if (end_of(&w, root) != UINT32_MAX)
		return 0;
	on[root] = true;
	for (node k = root + 1; k-- > 0;) {
		struct switch_node s = node_switch(dg, k);
		open |= on[k] && w.next[k] == UINT32_MAX ? diagram_var_inputs(dg, s.var) & ~known : 0;
		for (uint32_t i = 0; on[k] && i < s.n; i++) {
			node to = w.next[k] == UINT32_MAX ? s.edges[i].to : w.next[k], end = end_of(&w, to);
			if (end == UINT32_MAX)
				on[to] = true;
			else
				note_end(end & ~TERMINAL_BIT, allows);
		}
	}
	return open;
}
