/*
 * term.c - hash-consed expressions over the inputs of a request: how they are kept.
 *
 * Equal expressions are the same id; operands always have smaller ids than
 * their term, so that ascending ids are a topological order. What an expression
 * simplifies to is decided above: term_logic.c, term_fold.c.
 */
#include "policy/term_internal.h"

struct terms *terms_new(struct arena *a)
{
	struct terms *ts = arena_alloc(a, sizeof *ts);
	ts->arena = a;
	ts->table_size = 128;
	ts->table = arena_alloc(a, ts->table_size * sizeof *ts->table);
	for (int i = 0; i < INPUT_MAX; i++)
		input_range((enum input)i, &ts->range_lo[i], &ts->range_hi[i]);
	*ARENA_PUSH(a, ts->nodes, ts->n, ts->cap) = (struct term_node){.op = TERM_FALSE};
	*ARENA_PUSH(a, ts->nodes, ts->n, ts->cap) = (struct term_node){.op = TERM_TRUE, .lo = 1, .hi = 1};
	return ts;
}

void terms_input_range(struct terms *ts, enum input in, int64_t lo, int64_t hi)
{
	ts->range_lo[in] = lo;
	ts->range_hi[in] = hi;
}

const struct term_node *term_get(const struct terms *ts, term t)
{
	return &ts->nodes[t];
}

size_t terms_count(const struct terms *ts)
{
	return ts->n;
}

/* ---- hash consing ---------------------------------------------------------- */

static uint64_t hash_node(const struct term_node *k)
{
	uint64_t h = k->op * 0x9e3779b97f4a7c15ull;
	h = (h ^ k->a) * 0xff51afd7ed558ccdull;
	h = (h ^ (h >> 29) ^ k->b) * 0xc4ceb9fe1a85ec53ull;
	if (k->op == TERM_ITE)
		h = (h ^ (h >> 31) ^ k->c) * 0x9e3779b97f4a7c15ull;
	if (k->op == TERM_CONST)
		h = (h ^ (h >> 31) ^ (uint64_t)k->lo) * 0x9e3779b97f4a7c15ull;
	return h ^ (h >> 32);
}

static bool same_node(const struct term_node *x, const struct term_node *y)
{
	return x->op == y->op && x->a == y->a && x->b == y->b && x->c == y->c &&
	       (x->op != TERM_CONST || x->lo == y->lo);
}

static void rehash(struct terms *ts)
{
	size_t size = ts->table_size * 2;
	term *table = arena_alloc(ts->arena, size * sizeof *table);
	for (term t = 2; t < ts->n; t++) {
		size_t i = hash_node(&ts->nodes[t]) & (size - 1);
		while (table[i])
			i = (i + 1) & (size - 1);
		table[i] = t;
	}
	ts->table = table;
	ts->table_size = size;
}

term term_intern(struct terms *ts, const struct term_node *key)
{
	if (ts->n * 2 > ts->table_size)
		rehash(ts);
	size_t i = hash_node(key) & (ts->table_size - 1);
	for (; ts->table[i]; i = (i + 1) & (ts->table_size - 1))
		if (same_node(&ts->nodes[ts->table[i]], key))
			return ts->table[i];
	term t = (term)ts->n, below[3];
	struct term_node *made = ARENA_PUSH(ts->arena, ts->nodes, ts->n, ts->cap);
	*made = *key;
	made->chooses = key->op == TERM_ITE;
	made->inputs = key->op == TERM_INPUT ? 1u << key->a : 0;
	for (size_t k = term_operands(key, below); k-- > 0;) {
		const struct term_node *n = &ts->nodes[below[k]];
		made->inputs |= n->inputs;
		made->height = n->height + 1 > made->height ? n->height + 1 : made->height;
		made->chooses |= n->chooses;
	}
	ts->table[i] = t;
	return t;
}

term term_const(struct terms *ts, int64_t v)
{
	return term_intern(ts, &(struct term_node){.op = TERM_CONST, .lo = v, .hi = v});
}

term term_input(struct terms *ts, enum input in)
{
	return term_intern(ts, &(struct term_node){.op = TERM_INPUT, .a = in, .lo = ts->range_lo[in],
	                                      .hi = ts->range_hi[in]});
}

/* ---- operands ---------------------------------------------------------------- */

bool term_commutes(enum term_op op)
{
	return op == TERM_AND || op == TERM_EQ || op == TERM_ADD || op == TERM_MUL || op == TERM_BAND ||
	       op == TERM_BOR || op == TERM_BXOR;
}

void term_order(const struct terms *ts, term *a, term *b)
{
	bool first = ts->nodes[*a].op == TERM_CONST, second = ts->nodes[*b].op == TERM_CONST;
	if (first || (!second && *b < *a)) {
		term swap = *a;
		*a = *b;
		*b = swap;
	}
}

size_t term_operands(const struct term_node *k, term out[3])
{
	out[0] = k->a;
	out[1] = k->b;
	out[2] = k->c;
	return !term_has_operands(k->op) ? 0 : k->op == TERM_NOT ? 1 : k->op == TERM_ITE ? 3 : 2;
}
