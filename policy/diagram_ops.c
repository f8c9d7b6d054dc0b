/*
 * diagram_ops.c - operations on diagrams.
 *
 * They are memoised: a binary one costs at most the product of the operands' edges,
 * mostly their sum. Recursion is as deep as there are variables (FREE_MAX + INPUT_MAX),
 * never as there are rules.
 */
#include "policy/diagram_internal.h"

#include <string.h>

enum memo_op { MEMO_ITE = 1, MEMO_OVER, MEMO_FIRST_DENY, MEMO_RESTRICT };
enum { MEMO_OP_BITS = 3 }; /* of an operation; a variable may stand above them */

/* ---- memoised operations ------------------------------------------------------------- */

static uint32_t memo_hash(struct memo key)
{
	return (uint32_t)table_mix(table_mix(key.op, (uint64_t)key.a << 32 | key.b), key.c);
}

static bool memo_find(const struct diagrams *dg, struct memo key, node *out)
{
	for (struct table_look l = table_look(&dg->done, memo_hash(key)); table_next(&dg->done, &l);) {
		const struct memo *m = &dg->memo[l.place];
		*out = m->result;
		if (m->op == key.op && m->a == key.a && m->b == key.b && m->c == key.c)
			return true;
	}
	return false;
}

static node memo_add(struct diagrams *dg, struct memo key, node result)
{
	table_add(&dg->done, dg->arena, memo_hash(key), (uint32_t)dg->nmemo);
	key.result = result;
	*ARENA_APPEND(dg->arena, dg->memo, dg->nmemo, dg->memo_cap) = key;
	dg->over_budget |= dg->nmemo > OPERATIONS_A_NODE * dg->budget;
	return result;
}

static uint32_t node_level(const struct diagrams *dg, node n)
{
	return n & TERMINAL_BIT ? UINT32_MAX : diagram_level(dg, dg->nodes[n].var);
}

/* Walks one operand's intervals while another's are merged with it. */
struct cursor { node n; uint32_t first, i; bool split; };

static struct cursor cursor_at(const struct diagrams *dg, node n, uint32_t level)
{
	bool split = node_level(dg, n) == level;
	return (struct cursor){.n = n, .first = split ? dg->nodes[n].first : 0, .split = split};
}

static node cursor_child(const struct diagrams *dg, const struct cursor *c)
{
	return c->split ? dg->edges[c->first + c->i].to : c->n;
}

static int64_t cursor_hi(const struct diagrams *dg, const struct cursor *c)
{
	return c->split ? dg->edges[c->first + c->i].hi : INT64_MAX;
}

static node combine(struct diagrams *dg, enum memo_op op, node a, node b, node c);

/* Splits all three operands on the top variable and combines the pieces. */
static node combine_split(struct diagrams *dg, enum memo_op op, node a, node b, node c)
{
	uint32_t level = node_level(dg, a), lb = node_level(dg, b), lc = node_level(dg, c);
	level = lb < level ? lb : level;
	level = lc < level ? lc : level;
	node top = node_level(dg, a) == level ? a : node_level(dg, b) == level ? b : c;
	uint32_t var = dg->nodes[top].var;
	int64_t max = diagram_var_max(dg, var);
	struct cursor cur[3] = {cursor_at(dg, a, level), cursor_at(dg, b, level),
	                        cursor_at(dg, c, level)};
	size_t begin = dg->scratch_n;
	for (int64_t hi = INT64_MIN; hi < max && !dg->over_budget;) {
		hi = max;
		for (int i = 0; i < 3; i++)
			if (cursor_hi(dg, &cur[i]) < hi)
				hi = cursor_hi(dg, &cur[i]);
		node piece = combine(dg, op, cursor_child(dg, &cur[0]), cursor_child(dg, &cur[1]),
		                     cursor_child(dg, &cur[2]));
		diagram_add_edge(dg, begin, hi, piece);
		for (int i = 0; i < 3; i++)
			cur[i].i += cur[i].split && cursor_hi(dg, &cur[i]) == hi;
	}
	if (dg->over_budget) {
		dg->scratch_n = begin;
		return NODE_FALSE;
	}
	return diagram_end_edges(dg, begin, var);
}

static bool denies(node n)
{
	uint32_t kind = OUTCOME_KIND(n & ~TERMINAL_BIT);
	return kind == OUT_DENY || kind == OUT_ERROR;
}

/* Results that need no walk. */
static bool combine_quick(enum memo_op op, node a, node b, node c, node *out)
{
	switch (op) {
	case MEMO_ITE:
		if (a & TERMINAL_BIT)
			*out = a == NODE_TRUE ? b : c;
		else if (b == c)
			*out = b;
		else if (b == NODE_TRUE && c == NODE_FALSE)
			*out = a;
		else
			return false;
		return true;
	case MEMO_OVER:
		if (a == NODE_FALSE)
			*out = b;
		else if (b == NODE_FALSE || a == b || (a & TERMINAL_BIT))
			*out = a;
		else
			return false;
		return true;
	case MEMO_FIRST_DENY:
		if (a == b || (a & TERMINAL_BIT && denies(a)))
			*out = a;
		else if (a & b & TERMINAL_BIT)
			*out = denies(b) ? b : a;
		else
			return false;
		return true;
	default: return false;
	}
}

static node combine(struct diagrams *dg, enum memo_op op, node a, node b, node c)
{
	node out;
	struct memo key = {op, a, b, c, 0};
	if (combine_quick(op, a, b, c, &out) || memo_find(dg, key, &out))
		return out;
	return memo_add(dg, key, combine_split(dg, op, a, b, c));
}

node diagram_ite(struct diagrams *dg, node cond, node yes, node no)
{
	return combine(dg, MEMO_ITE, cond, yes, no);
}

node diagram_over(struct diagrams *dg, node a, node b)
{
	return combine(dg, MEMO_OVER, a, b, NODE_FALSE);
}

node diagram_first_deny(struct diagrams *dg, node a, node b)
{
	return combine(dg, MEMO_FIRST_DENY, a, b, NODE_FALSE);
}

static node restrict_below(struct diagrams *dg, node n, uint32_t var, int64_t value)
{
	const struct stored_node s = dg->nodes[n];
	size_t begin = dg->scratch_n;
	for (uint32_t i = 0; i < s.n; i++) {
		struct edge e = dg->edges[s.first + i];
		if (s.var == var && e.hi < value)
			continue;
		if (s.var == var)
			return e.to;
		diagram_add_edge(dg, begin, e.hi, diagram_restrict(dg, e.to, var, value));
	}
	return diagram_end_edges(dg, begin, s.var);
}

node diagram_restrict(struct diagrams *dg, node n, uint32_t var, int64_t value)
{
	node out;
	if (node_level(dg, n) > diagram_level(dg, var))
		return n;
	struct memo key = {MEMO_RESTRICT | var << MEMO_OP_BITS, n, (uint32_t)value, (uint32_t)((uint64_t)value >> 32), 0};
	if (memo_find(dg, key, &out))
		return out;
	return memo_add(dg, key, restrict_below(dg, n, var, value));
}

/* Overlay is associative: combining neighbours pairwise keeps operands small. */
node diagram_over_all(struct diagrams *dg, const node *parts, size_t n)
{
	if (n == 0)
		return NODE_FALSE;
	node *row = arena_alloc(dg->arena, n * sizeof *row);
	memcpy(row, parts, n * sizeof *row);
	while (n > 1) {
		for (size_t i = 0; i < n; i += 2)
			row[i / 2] = i + 1 < n ? diagram_over(dg, row[i], row[i + 1]) : row[i];
		n = (n + 1) / 2;
	}
	return row[0];
}

/* ---- other terminals ------------------------------------------------------------------ */

/* Edges that do not matter go where the one before, or the next one, goes. */
static void fill_edges(struct edge *e, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (e[i].to == NODE_FALSE)
			e[i].to = e[i - 1].to;
	for (size_t i = n - 1; i-- > 0;)
		if (e[i].to == NODE_FALSE)
			e[i].to = e[i + 1].to;
}

node diagram_relabel(struct diagrams *dg, node root, outcome (*label)(const void *arg, outcome o), const void *arg,
                     bool fill)
{
	struct arena *scratch = arena_scratch(dg->arena);
	size_t n = dg->nnodes, room = 0; /* room: for the edges of one node */
	const bool *below = diagram_below(scratch, dg, &root, 1);
	node *become = arena_alloc(scratch, (n + 1) * sizeof *become), to = NODE_FALSE;
	struct edge *e = NULL;
	/* children first; the last one is the root, or the root alone is a terminal */
	for (node k = 0; k < n; k++) {
		struct switch_node s = node_switch(dg, k);
		if (!below[k])
			continue;
		if (s.n > room)
			e = arena_move(scratch, e, room * sizeof *e, 2 * s.n * sizeof *e), room = 2 * s.n;
		for (uint32_t i = 0; i < s.n; i++) {
			to = s.edges[i].to;
			e[i].hi = s.edges[i].hi;
			e[i].to = to & TERMINAL_BIT ? diagram_terminal(label(arg, to & ~TERMINAL_BIT)) : become[to];
		}
		if (fill)
			fill_edges(e, s.n);
		become[k] = diagram_switch(dg, s.var, e, s.n);
	}
	to = root & TERMINAL_BIT ? diagram_terminal(label(arg, root & ~TERMINAL_BIT)) : become[root];
	arena_free(scratch);
	return to;
}
