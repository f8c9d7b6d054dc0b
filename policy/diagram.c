/*
 * diagram.c - hash-consed interval decision diagrams.
 *
 * A diagram is a node: a terminal (an outcome, told by its top bit) or an
 * interval switch on one variable. Variables appear in one order on every path
 * and at most once; adjacent intervals differ and a switch has at least two.
 * Hence equal functions are equal nodes. Operations are memoised: a binary one
 * costs at most the product of the operands' edges, mostly their sum. Recursion
 * is as deep as there are variables (FREE_MAX + INPUT_MAX), never as there are rules.
 */
#include "policy/diagram_internal.h"

#include <string.h>

enum { TABLE_FIRST = 128 }; /* entries; both tables double when they are half full */
enum memo_op { MEMO_ITE = 1, MEMO_OVER, MEMO_FIRST_DENY, MEMO_RESTRICT };
enum { MEMO_OP_BITS = 3 }; /* of an operation; a variable may stand above them */

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
	dg->unique_size = TABLE_FIRST;
	dg->unique = arena_alloc(a, dg->unique_size * sizeof *dg->unique);
	dg->memo.size = TABLE_FIRST;
	dg->memo.entries = arena_alloc(a, dg->memo.size * sizeof *dg->memo.entries);
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
	return var >= IN_COMM_0 && var < INPUT_MAX ? INT64_MIN : 0;
}

term diagram_free_term(const struct diagrams *dg, uint32_t var)
{
	return dg->free_terms[var - INPUT_MAX];
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

static uint32_t hash_edges(uint32_t var, const struct edge *e, size_t n)
{
	uint64_t h = var * 0x9e3779b97f4a7c15ull + n;
	for (size_t i = 0; i < n; i++) {
		h = (h ^ (uint64_t)e[i].hi) * 0xff51afd7ed558ccdull;
		h = (h ^ (h >> 32) ^ e[i].to) * 0xc4ceb9fe1a85ec53ull;
	}
	return (uint32_t)(h ^ (h >> 29));
}

static void grow_unique(struct diagrams *dg)
{
	size_t size = dg->unique_size * 2;
	node *table = arena_alloc(dg->arena, size * sizeof *table);
	for (size_t k = 0; k < dg->nnodes; k++) {
		size_t i = dg->nodes[k].hash & (size - 1);
		while (table[i])
			i = (i + 1) & (size - 1);
		table[i] = (node)k + 1;
	}
	arena_release(dg->arena, dg->unique, dg->unique_size * sizeof *table);
	dg->unique = table;
	dg->unique_size = size;
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
	if (dg->nnodes * 2 > dg->unique_size)
		grow_unique(dg);
	uint32_t hash = hash_edges(var, e, n);
	size_t i = hash & (dg->unique_size - 1);
	for (; dg->unique[i]; i = (i + 1) & (dg->unique_size - 1)) {
		const struct stored_node *s = &dg->nodes[dg->unique[i] - 1];
		if (s->hash == hash && s->var == var && s->n == n && same_edges(dg->edges + s->first, e, n))
			return dg->unique[i] - 1;
	}
	if (dg->nnodes >= dg->budget || dg->nedges + n > EDGES_A_NODE * dg->budget) {
		dg->over_budget = true;
		return NODE_FALSE;
	}
	uint32_t first = (uint32_t)dg->nedges;
	for (size_t k = 0; k < n; k++)
		*ARENA_APPEND(dg->arena, dg->edges, dg->nedges, dg->edges_cap) = e[k];
	*ARENA_APPEND(dg->arena, dg->nodes, dg->nnodes, dg->nodes_cap) =
		(struct stored_node){.var = var, .first = first, .n = (uint32_t)n, .hash = hash};
	dg->unique[i] = (node)dg->nnodes;
	return (node)dg->nnodes - 1;
}

/* Edges under construction live on one stack: begin remembers its height. */
static void add_edge(struct diagrams *dg, size_t begin, int64_t hi, node to)
{
	if (dg->scratch_n > begin && dg->scratch[dg->scratch_n - 1].to == to)
		dg->scratch[dg->scratch_n - 1].hi = hi;
	else
		*ARENA_APPEND(dg->arena, dg->scratch, dg->scratch_n, dg->scratch_cap) =
			(struct edge){hi, to};
}

static node finish_edges(struct diagrams *dg, size_t begin, uint32_t var)
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
		add_edge(dg, begin, edges[i].hi, edges[i].to);
	return finish_edges(dg, begin, var);
}

/* ---- memoised operations ------------------------------------------------------------- */

static size_t memo_slot(const struct memo *m, uint32_t op, uint32_t a, uint32_t b, uint32_t c)
{
	uint64_t h = (op * 0x9e3779b97f4a7c15ull) ^ a;
	h = h * 0xff51afd7ed558ccdull ^ b;
	h = (h ^ (h >> 32)) * 0xc4ceb9fe1a85ec53ull ^ c;
	h = (h ^ (h >> 31)) * 0x9e3779b97f4a7c15ull;
	size_t i = (h >> 20) & (m->size - 1);
	for (; m->entries[i].op; i = (i + 1) & (m->size - 1)) {
		const struct memo_entry *e = &m->entries[i];
		if (e->op == op && e->a == a && e->b == b && e->c == c)
			break;
	}
	return i;
}

void diagrams_forget(struct diagrams *dg)
{
	arena_release(dg->arena, dg->memo.entries, dg->memo.size * sizeof *dg->memo.entries);
	dg->memo = (struct memo){.size = TABLE_FIRST};
	dg->memo.entries = arena_alloc(dg->arena, dg->memo.size * sizeof *dg->memo.entries);
}

static bool memo_find(struct diagrams *dg, uint32_t op, uint32_t a, uint32_t b, uint32_t c, node *out)
{
	const struct memo_entry *e = &dg->memo.entries[memo_slot(&dg->memo, op, a, b, c)];
	*out = e->result;
	return e->op != 0;
}

static node memo_add(struct diagrams *dg, uint32_t op, uint32_t a, uint32_t b, uint32_t c, node result)
{
	struct memo *m = &dg->memo;
	if (m->n * 2 > m->size) {
		struct memo grown = {.size = m->size * 2, .n = m->n};
		grown.entries = arena_alloc(dg->arena, grown.size * sizeof *grown.entries);
		for (size_t i = 0; i < m->size; i++) {
			const struct memo_entry *e = &m->entries[i];
			if (e->op)
				grown.entries[memo_slot(&grown, e->op, e->a, e->b, e->c)] = *e;
		}
		arena_release(dg->arena, m->entries, m->size * sizeof *m->entries);
		*m = grown;
	}
	m->entries[memo_slot(m, op, a, b, c)] = (struct memo_entry){op, a, b, c, result};
	m->n++;
	dg->over_budget |= m->n > OPERATIONS_A_NODE * dg->budget;
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
		add_edge(dg, begin, hi, piece);
		for (int i = 0; i < 3; i++)
			cur[i].i += cur[i].split && cursor_hi(dg, &cur[i]) == hi;
	}
	if (dg->over_budget) {
		dg->scratch_n = begin;
		return NODE_FALSE;
	}
	return finish_edges(dg, begin, var);
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
	if (combine_quick(op, a, b, c, &out) || memo_find(dg, op, a, b, c, &out))
		return out;
	return memo_add(dg, op, a, b, c, combine_split(dg, op, a, b, c));
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
		add_edge(dg, begin, e.hi, diagram_restrict(dg, e.to, var, value));
	}
	return finish_edges(dg, begin, s.var);
}

node diagram_restrict(struct diagrams *dg, node n, uint32_t var, int64_t value)
{
	node out;
	if (node_level(dg, n) > diagram_level(dg, var))
		return n;
	uint32_t op = MEMO_RESTRICT | var << MEMO_OP_BITS, low = (uint32_t)value, high = (uint32_t)((uint64_t)value >> 32);
	if (memo_find(dg, op, n, low, high, &out))
		return out;
	return memo_add(dg, op, n, low, high, restrict_below(dg, n, var, value));
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

/* ---- another set ------------------------------------------------------------------------ */

/* A node of `from` in dg; done: 1 + what was copied, by node. */
static node copy_node(struct diagrams *dg, const struct diagrams *from, node n, node *done)
{
	if (n & TERMINAL_BIT)
		return n;
	if (done[n])
		return done[n] - 1;
	const struct stored_node *s = &from->nodes[n];
	size_t begin = dg->scratch_n;
	for (uint32_t i = 0; i < s->n; i++) {
		const struct edge *e = &from->edges[s->first + i];
		add_edge(dg, begin, e->hi, copy_node(dg, from, e->to, done));
	}
	node copy = finish_edges(dg, begin, s->var);
	done[n] = copy + 1;
	return copy;
}

struct diagrams *diagrams_kept(struct arena *a, const struct diagrams *from, node *roots, size_t n)
{
	struct diagrams *dg = diagrams_new(a, from->terms, ORDER_FACTS_LAST);
	struct arena *scratch = arena_scratch(a);
	node *done = arena_alloc(scratch, (from->nnodes + 1) * sizeof *done);
	dg->budget = from->budget;
	memcpy(dg->level, from->level, sizeof dg->level);
	for (size_t i = 0; i < from->nfree; i++)
		*ARENA_PUSH(a, dg->free_terms, dg->nfree, dg->free_cap) = from->free_terms[i];
	for (size_t i = 0; i < n; i++)
		roots[i] = copy_node(dg, from, roots[i], done);
	arena_free(scratch);
	return dg;
}

/* ---- evaluation ------------------------------------------------------------------------ */

/* The truth of a free variable; false and *missing when a fact is not known. */
static bool free_value(struct diagrams *dg, uint32_t var, const int64_t *inputs, uint32_t known,
                       int64_t *value, int *missing)
{
	term t = diagram_free_term(dg, var);
	uint32_t unknown = term_get(dg->terms, t)->inputs & ~known;
	if (unknown) {
		*missing = __builtin_ctz(unknown);
		return false;
	}
	*value = term_eval(dg->terms, t, inputs);
	return true;
}

outcome diagram_eval(struct diagrams *dg, node root, const int64_t *inputs, uint32_t known,
                     int *missing)
{
	*missing = -1;
	while (!(root & TERMINAL_BIT)) {
		struct switch_node s = node_switch(dg, root);
		int64_t value;
		if (s.var >= INPUT_MAX) {
			if (!free_value(dg, s.var, inputs, known, &value, missing))
				return OUT_ERROR;
		} else if (!(known & 1u << s.var)) {
			*missing = (int)s.var;
			return OUT_ERROR;
		} else {
			value = inputs[s.var];
		}
		uint32_t lo = 0, hi = s.n - 1;
		while (lo < hi) {
			uint32_t mid = (lo + hi) / 2;
			if (value <= s.edges[mid].hi)
				hi = mid;
			else
				lo = mid + 1;
		}
		root = s.edges[lo].to;
	}
	return root & ~TERMINAL_BIT;
}
