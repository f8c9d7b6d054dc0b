/* diagram_internal.h - how diagrams are kept: shared by the diagram files only. */
#ifndef DEVGUARD_POLICY_DIAGRAM_INTERNAL_H
#define DEVGUARD_POLICY_DIAGRAM_INTERNAL_H

#include "policy/arena.h"
#include "policy/budget.h"
#include "policy/diagram.h"
#include "policy/table.h"

/* An operation that was done. */
struct memo { uint32_t op, a, b, c, result; };

struct stored_node { uint32_t var, first, n; };

struct diagrams {
	struct arena *arena;
	struct terms *terms;
	uint32_t level[INPUT_MAX];

	struct stored_node *nodes;
	size_t nnodes, nodes_cap;
	struct edge *edges;
	size_t nedges, edges_cap;
	struct table unique; /* of nodes */

	struct memo *memo;
	size_t nmemo, memo_cap;
	struct table done; /* of memo */
	struct edge *scratch; /* a stack of edges under construction */
	size_t scratch_n, scratch_cap;

	term *free_terms; /* by free variable */
	size_t nfree, free_cap;

	node *of_term; /* memo of diagram_of_term: 0 = none yet, else 1 + node (terminals keep their bit) */
	size_t of_term_cap;
	uint32_t *uses; /* scratch of diagram_of_term, by term: parents met; all 0 between calls */
	size_t uses_cap;
	size_t budget; /* of nodes; there may be more edges, and operations remembered */
	bool over_budget;
};

#define TERMINAL_BIT 0x80000000u
#define NODE_TRUE (TERMINAL_BIT | OUT_ALLOW)
#define NODE_FALSE (TERMINAL_BIT | OUT_PASS)

enum { FREE_MAX = 4096, EDGES_A_NODE = 5, OPERATIONS_A_NODE = 4 };

/* The free variable of a comparison, made when it is new. */
uint32_t diagram_free_var(struct diagrams *dg, term t);
/* Edges under construction are on top of the stack `scratch`, from `begin` on: adds one, or
 * widens the one before; makes a node of them. */
void diagram_add_edge(struct diagrams *dg, size_t begin, int64_t hi, node to);
node diagram_end_edges(struct diagrams *dg, size_t begin, uint32_t var);

#endif
