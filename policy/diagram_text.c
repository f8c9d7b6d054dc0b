/*
 * diagram_text.c - diagrams for people, as numbered text.
 *
 * Nodes are numbered in depth-first order from the root, so that the same
 * function prints the same text in any set of diagrams.
 */
#include "policy/asked.h"
#include "policy/diagram_internal.h"

#include <inttypes.h>

struct listing {
	const struct diagrams *dg;
	uint32_t *number; /* by node: 1 + its number, 0 = not listed */
	node *order;
	size_t n, cap;
};

static void number_nodes(struct listing *l, node root)
{
	struct arena *a = l->dg->arena;
	node *stack = NULL;
	size_t n = 0, cap = 0;
	l->number = arena_alloc(a, (l->dg->nnodes + 1) * sizeof *l->number);
	*ARENA_PUSH(a, stack, n, cap) = root;
	while (n) {
		node k = stack[--n];
		if (k & TERMINAL_BIT || l->number[k])
			continue;
		*ARENA_PUSH(a, l->order, l->n, l->cap) = k;
		l->number[k] = (uint32_t)l->n;
		struct switch_node s = node_switch(l->dg, k);
		for (uint32_t i = s.n; i-- > 0;)
			*ARENA_PUSH(a, stack, n, cap) = s.edges[i].to;
	}
}

static void write_target(FILE *out, const struct listing *l, node n)
{
	static const char *const kinds[] = {"pass", "deny", "allow", "error"};
	outcome o;
	if (!node_is_terminal(n, &o)) {
		fprintf(out, "n%" PRIu32, l->number[n]);
		return;
	}
	fputs(kinds[OUTCOME_KIND(o)], out);
	if (OUTCOME_RULE(o))
		fprintf(out, "@%" PRIu32, OUTCOME_RULE(o));
}

static void write_variable(FILE *out, const struct diagrams *dg, uint32_t var)
{
	if (var < INPUT_MAX)
		fputs(terms_input_name(dg->terms, (enum input)var), out);
	else
		fprintf(out, "(%s)", term_text(dg->arena, dg->terms, diagram_free_term(dg, var), 60));
	if (var == IN_COMM_0 || var == IN_COMM_1)
		fputs(var == IN_COMM_0 ? "[0,8]" : "[8,8]", out);
}

static void write_interval(FILE *out, const struct diagrams *dg, const struct switch_node *s, uint32_t edge)
{
	int64_t lo = switch_edge_lo(dg, s, edge), hi = s->edges[edge].hi;
	bool first = edge == 0, last = edge + 1 == s->n, file = s->var < IN_PARAM_0 && input_kind((enum input)s->var) == FACT_FILE;
	const char *path = file && lo == hi ? asked_path_text(terms_asked(dg->terms), lo) : NULL;
	if (path)
		fputs(path, out);
	else if (lo == hi)
		fprintf(out, "%" PRId64, lo);
	else if (last)
		fprintf(out, "%" PRId64 "..", lo);
	else if (first && lo < 0)
		fprintf(out, "..%" PRId64, hi);
	else
		fprintf(out, "%" PRId64 "..%" PRId64, lo, hi);
}

void diagram_dump(FILE *out, const struct diagrams *dg, node root)
{
	struct listing l = {.dg = dg};
	number_nodes(&l, root);
	if (root & TERMINAL_BIT) {
		write_target(out, &l, root);
		fputc('\n', out);
	}
	for (size_t k = 0; k < l.n; k++) {
		struct switch_node s = node_switch(dg, l.order[k]);
		fprintf(out, "n%zu: ", k + 1);
		write_variable(out, dg, s.var);
		fputc('\n', out);
		for (uint32_t i = 0; i < s.n; i++) {
			fputs("    ", out);
			write_interval(out, dg, &s, i);
			fputs(" -> ", out);
			write_target(out, &l, s.edges[i].to);
			fputc('\n', out);
		}
	}
}
