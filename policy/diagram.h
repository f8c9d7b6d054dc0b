/* diagram.h - decision diagrams. */
#ifndef DEVGUARD_POLICY_DIAGRAM_H
#define DEVGUARD_POLICY_DIAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/term.h"

/* A node is an interval switch on one variable, hash-consed: equal functions
 * are equal nodes. Terminals are outcomes. Variables are the inputs, then free
 * boolean variables, one for each comparison that is no predicate of one input. */
typedef uint32_t node;

/* Outcome of one access or request: which rule decided and how. */
typedef uint32_t outcome;
enum { OUT_PASS = 0, OUT_DENY = 1, OUT_ALLOW = 2, OUT_ERROR = 3, OUTCOME_BITS = 2 };
#define OUTCOME(kind, rule) ((outcome)(kind) | (outcome)(rule) << OUTCOME_BITS)
#define OUTCOME_KIND(o) ((o) & ((1u << OUTCOME_BITS) - 1))
#define OUTCOME_RULE(o) ((o) >> OUTCOME_BITS) /* 1 + index in the policy; 0 = the default */

enum diagram_order { ORDER_FACTS_LAST, ORDER_FACTS_FIRST };
enum { DIAGRAM_ORDERS = 2 };

struct diagrams; /* a set of diagrams that share nodes and a variable order */
struct diagrams *diagrams_new(struct arena *a, struct terms *ts, enum diagram_order order);
/* A new set with the order and the free variables of another, and of its nodes only
 * what is below the roots, which become nodes of the new one. */
struct diagrams *diagrams_kept(struct arena *a, const struct diagrams *from, node *roots, size_t n);

struct edge { int64_t hi; node to; }; /* values up to hi, from the edge before */
struct switch_node {
	uint32_t var;       /* enum input, or INPUT_MAX + i: free variable i */
	uint32_t n;
	const struct edge *edges; /* ascending; the last hi is the variable's largest value */
};
/* How many nodes the set holds: every node that is no terminal is below it. */
size_t diagram_nodes(const struct diagrams *dg);
/* Which of them are below some roots, or are one. A switch has a larger number than those it leads
 * to: ascending, the children come first. */
bool *diagram_below(struct arena *a, const struct diagrams *dg, const node *roots, size_t n);
/* The inputs that some way below a root asks for, as a set. */
input_set diagram_inputs(struct arena *a, const struct diagrams *dg, node root);
bool node_is_terminal(node n, outcome *out);
struct switch_node node_switch(const struct diagrams *dg, node n);
/* The smallest value of an edge. */
int64_t switch_edge_lo(const struct diagrams *dg, const struct switch_node *s, uint32_t edge);
/* The comparison a free variable stands for. */
term diagram_free_term(const struct diagrams *dg, uint32_t var);
/* The inputs that a variable is about, as a set. */
input_set diagram_var_inputs(const struct diagrams *dg, uint32_t var);
/* Smallest and largest raw value of a variable, as a program may meet it. */
int64_t diagram_var_min(const struct diagrams *dg, uint32_t var);
int64_t diagram_var_max(const struct diagrams *dg, uint32_t var);
/* Position of a variable in the order; terminals come last. */
uint32_t diagram_level(const struct diagrams *dg, uint32_t var);

node diagram_terminal(outcome o);
/* Interval switch; edges are merged where equal. */
node diagram_switch(struct diagrams *dg, uint32_t var, const struct edge *edges, size_t n);
/* if cond then yes else no: cond is boolean; linear in the sizes' product. */
node diagram_ite(struct diagrams *dg, node cond, node yes, node no);
/* A boolean term as a diagram of OUT_ALLOW (true) and OUT_PASS (false). */
node diagram_of_term(struct diagrams *dg, term t);
/* a where it decides, else b. */
node diagram_over(struct diagrams *dg, node a, node b);
/* a where it denies; else b where that denies; else a. */
node diagram_first_deny(struct diagrams *dg, node a, node b);
/* The diagram with one variable fixed. */
node diagram_restrict(struct diagrams *dg, node n, uint32_t var, int64_t value);
/* The diagram with other terminals, each by its label. `fill`: what becomes OUT_PASS does not
 * matter, and becomes what makes the diagram smaller. */
node diagram_relabel(struct diagrams *dg, node n, outcome (*label)(const void *arg, outcome o), const void *arg,
                     bool fill);
/* Where a boolean diagram is true whatever some inputs are (`all`), or for some values of them: without these, and
 * without the free variables that read one of them; ALL_COMPARISONS: without any. Beyond the budget: false. */
#define ALL_COMPARISONS INPUT(63)
node diagram_without(struct diagrams *dg, node root, input_set inputs, bool all);
/* Overlays n diagrams in order, in halves. */
node diagram_over_all(struct diagrams *dg, const node *parts, size_t n);
/* Values of the inputs by enum input; an input not in the set `known` that is
 * asked for ends the walk: *missing (enum input) is set and OUT_ERROR returned;
 * *missing is -1 otherwise. */
outcome diagram_eval(struct diagrams *dg, node root, const int64_t *inputs, input_set known,
                     int *missing);
/* The inputs on which the outcome depends still, beside those that are known: 0, none. *allows: of the ways that are open, the
 * first rule's OUT_ALLOW, or the default's; OUT_PASS: they allow nothing. */
input_set diagram_open(struct arena *a, struct diagrams *dg, node root, const int64_t *inputs, input_set known, outcome *allows);
/* Nodes and edges below root. */
void diagram_size(const struct diagrams *dg, node root, size_t *nodes, size_t *edges);
/* Text of the diagram, one node a line. */
void diagram_dump(FILE *out, const struct diagrams *dg, node root);
/* False once the node budget (DIAGRAM_BUDGET) was exceeded: results are then
 * meaningless and must not be used. */
enum { DIAGRAM_BUDGET = 512 << 10 };
bool diagram_ok(const struct diagrams *dg);
/* Sets the budget of a set; what is kept of it has the same. */
void diagrams_allow(struct diagrams *dg, size_t nodes);

#endif
