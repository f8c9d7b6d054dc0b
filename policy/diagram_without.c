/* diagram_without.c - a boolean diagram without some of its variables: where it is true whatever they are, or for some values. */
#include "policy/diagram_internal.h"

static bool goes(const struct diagrams *dg, uint32_t var, input_set inputs)
{
	return (var >= INPUT_MAX && inputs & ALL_COMPARISONS) || diagram_var_inputs(dg, var) & inputs;
}

static node all_of(struct diagrams *dg, const struct edge *e, size_t n, bool all)
{
	node sum = e[0].to;
	for (size_t i = 1; i < n; i++)
		sum = all ? diagram_ite(dg, sum, e[i].to, NODE_FALSE) : diagram_ite(dg, sum, NODE_TRUE, e[i].to);
	return sum;
}

/* Children come before their parents. */
node diagram_without(struct diagrams *dg, node root, input_set inputs, bool all)
{
	if (root & TERMINAL_BIT || !inputs || !diagram_ok(dg))
		return diagram_ok(dg) ? root : NODE_FALSE;
	struct arena *scratch = arena_scratch(dg->arena);
	const bool *below = diagram_below(scratch, dg, &root, 1);
	node *made = arena_alloc(scratch, ((size_t)root + 1) * sizeof *made);
	for (node k = 0; k <= root && diagram_ok(dg); k++) {
		if (!below[k])
			continue;
		struct switch_node s = node_switch(dg, k);
		struct edge *e = arena_alloc(scratch, s.n * sizeof *e);
		for (uint32_t i = 0; i < s.n; i++)
			e[i] = (struct edge){s.edges[i].hi, s.edges[i].to & TERMINAL_BIT ? s.edges[i].to : made[s.edges[i].to]};
		made[k] = goes(dg, s.var, inputs) ? all_of(dg, e, s.n, all) : diagram_switch(dg, s.var, e, s.n);
	}
	node out = diagram_ok(dg) ? made[root] : NODE_FALSE;
	arena_free(scratch);
	return out;
}
