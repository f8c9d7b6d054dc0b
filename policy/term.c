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
	ts->arena = ts->asked.arena = a;
	for (int i = 0; i < INPUT_MAX; i++)
		input_range((enum input)i, &ts->range_lo[i], &ts->range_hi[i]);
	*ARENA_PUSH(a, ts->nodes, ts->n, ts->cap) = (struct term_node){.op = TERM_FALSE};
	*ARENA_PUSH(a, ts->nodes, ts->n, ts->cap) = (struct term_node){.op = TERM_TRUE, .lo = 1, .hi = 1};
	return ts;
}

void terms_param(struct terms *ts, enum input in, const char *name, int64_t lo, int64_t hi)
{
	ts->param_names[in - IN_PARAM_0] = name;
	ts->range_lo[in] = lo;
	ts->range_hi[in] = hi;
}

struct asked *terms_asked(const struct terms *ts)
{
	return (struct asked *)&ts->asked;
}

const char *terms_input_name(const struct terms *ts, enum input in)
{
	if (in >= INPUT_MAX) {
		size_t number = (size_t)in - INPUT_MAX;
		const char *name = number < ts->nvalue_names ? ts->value_names[number] : NULL;
		return name ? name : "value";
	}
	if (input_is_ask(in) && (size_t)in - IN_ASK_0 < ts->asked.nasks)
		return ts->asked.asks[in - IN_ASK_0].name;
	const char *given = in >= IN_PARAM_0 ? ts->param_names[in - IN_PARAM_0] : NULL;
	return given ? given : input_name(in);
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

static uint32_t hash_node(const struct term_node *k)
{
	uint64_t h = table_mix(k->op, (uint64_t)k->a << 32 | k->b);
	if (k->op == TERM_ITE)
		h = table_mix(h, k->c);
	if (k->op == TERM_CONST)
		h = table_mix(h, (uint64_t)k->lo);
	return (uint32_t)h;
}

static bool same_node(const struct term_node *x, const struct term_node *y)
{
	return x->op == y->op && x->a == y->a && x->b == y->b && x->c == y->c &&
	       (x->op != TERM_CONST || x->lo == y->lo);
}

term term_intern(struct terms *ts, const struct term_node *key)
{
	uint32_t hash = hash_node(key);
	for (struct table_look l = table_look(&ts->table, hash); table_next(&ts->table, &l);)
		if (same_node(&ts->nodes[l.place], key))
			return l.place;
	term t = (term)ts->n, below[3];
	struct term_node *made = ARENA_PUSH(ts->arena, ts->nodes, ts->n, ts->cap);
	*made = *key;
	made->chooses = key->op == TERM_ITE;
	made->inputs = key->op == TERM_INPUT ? INPUT(key->a < INPUT_MAX ? key->a : INPUT_VALUES) : 0;
	for (size_t k = term_operands(key, below); k-- > 0;) {
		const struct term_node *n = &ts->nodes[below[k]];
		made->inputs |= n->inputs;
		made->height = n->height + 1 > made->height ? n->height + 1 : made->height;
		made->chooses |= n->chooses;
	}
	table_add(&ts->table, ts->arena, hash, t);
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

term term_value(struct terms *ts, uint32_t number, int64_t lo, int64_t hi)
{
	return term_intern(ts, &(struct term_node){.op = TERM_INPUT, .a = INPUT_MAX + number, .lo = lo, .hi = hi});
}

void terms_value_name(struct terms *ts, uint32_t number, const char *name)
{
	while (ts->nvalue_names <= number)
		*ARENA_PUSH(ts->arena, ts->value_names, ts->nvalue_names, ts->value_names_cap) = NULL;
	ts->value_names[number] = name;
}

/* ---- operands ---------------------------------------------------------------- */

bool term_op_is_bool(enum term_op op)
{
	return op <= TERM_LT;
}

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
