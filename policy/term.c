/*
 * term.c - hash-consed expressions over the inputs of a request.
 *
 * Equal expressions are the same id; operands always have smaller ids than
 * their term, so that ascending ids are a topological order. Every term carries
 * a sound range of its values, used to fold comparisons. Constructors cost
 * amortised O(1) (conjunctions scan a bounded number of conjuncts).
 */
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

struct terms {
	struct arena *arena;
	struct term_node *nodes;
	size_t n, cap;
	term *table; /* open addressing; 0 is empty: FALSE is never looked up */
	size_t table_size;
	int64_t range_lo[INPUT_MAX], range_hi[INPUT_MAX];
	/* scratch of term_eval: values by term, valid where stamp == epoch */
	int64_t *value;
	uint32_t *stamp, epoch;
	size_t scratch_cap;
	term *stack;
	size_t stack_cap;
};

struct terms *terms_new(struct arena *a)
{
	struct terms *ts = arena_alloc(a, sizeof *ts);
	ts->arena = a;
	ts->table_size = 1024;
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
	if (k->op == TERM_CONST)
		h = (h ^ (h >> 31) ^ (uint64_t)k->lo) * 0x9e3779b97f4a7c15ull;
	return h ^ (h >> 32);
}

static bool same_node(const struct term_node *x, const struct term_node *y)
{
	return x->op == y->op && x->a == y->a && x->b == y->b &&
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

static term intern(struct terms *ts, const struct term_node *key)
{
	if (ts->n * 2 > ts->table_size)
		rehash(ts);
	size_t i = hash_node(key) & (ts->table_size - 1);
	for (; ts->table[i]; i = (i + 1) & (ts->table_size - 1))
		if (same_node(&ts->nodes[ts->table[i]], key))
			return ts->table[i];
	term t = (term)ts->n;
	*ARENA_PUSH(ts->arena, ts->nodes, ts->n, ts->cap) = *key;
	ts->table[i] = t;
	return t;
}

term term_const(struct terms *ts, int64_t v)
{
	return intern(ts, &(struct term_node){.op = TERM_CONST, .lo = v, .hi = v});
}

term term_input(struct terms *ts, enum input in)
{
	return intern(ts, &(struct term_node){.op = TERM_INPUT, .a = in, .lo = ts->range_lo[in],
	                                      .hi = ts->range_hi[in], .inputs = 1u << in});
}

/* ---- integer operations ------------------------------------------------------ */

static int64_t floor_div(int64_t a, int64_t b)
{
	uint64_t s = (uint64_t)(a >> 63);
	uint64_t q = b ? ((uint64_t)a ^ s) / (uint64_t)b : 0;
	return (int64_t)(q ^ s);
}

int64_t term_apply(enum term_op op, int64_t a, int64_t b)
{
	uint64_t x = (uint64_t)a, y = (uint64_t)b;
	switch (op) {
	case TERM_ADD: return (int64_t)(x + y);
	case TERM_SUB: return (int64_t)(x - y);
	case TERM_MUL: return (int64_t)(x * y);
	/* the sign mask of a negative dividend is all ones also for x / 0 */
	case TERM_DIV: return floor_div(a, b);
	case TERM_MOD: return (int64_t)(x - y * (uint64_t)floor_div(a, b));
	case TERM_BAND: return a & b;
	case TERM_BOR: return a | b;
	case TERM_BXOR: return a ^ b;
	case TERM_SHL: return (int64_t)(x << (y & 63));
	case TERM_SHR: return a >> (y & 63);
	case TERM_EQ: return a == b;
	case TERM_LT: return a < b;
	case TERM_AND: return a & b;
	default: return 0;
	}
}

struct range { int64_t lo, hi; };
static const struct range ANY = {INT64_MIN, INT64_MAX};

static bool corner(enum term_op op, int64_t a, int64_t b, int64_t *out)
{
	switch (op) {
	case TERM_ADD: return !__builtin_add_overflow(a, b, out);
	case TERM_SUB: return !__builtin_sub_overflow(a, b, out);
	default: return !__builtin_mul_overflow(a, b, out);
	}
}

/* All bits that a value up to hi can have: 2^k - 1. */
static int64_t bits_up_to(int64_t hi)
{
	return hi <= 0 ? 0 : (int64_t)(~0ull >> __builtin_clzll((uint64_t)hi));
}

/* A sound range of a total operation; ANY when it may wrap. */
static struct range op_range(enum term_op op, const struct term_node *a, const struct term_node *b)
{
	switch (op) {
	case TERM_ADD:
	case TERM_SUB:
	case TERM_MUL: {
		int64_t c[4];
		if (!corner(op, a->lo, b->lo, &c[0]) || !corner(op, a->lo, b->hi, &c[1]) ||
		    !corner(op, a->hi, b->lo, &c[2]) || !corner(op, a->hi, b->hi, &c[3]))
			return ANY;
		struct range r = {c[0], c[0]};
		for (int i = 1; i < 4; i++) {
			r.lo = c[i] < r.lo ? c[i] : r.lo;
			r.hi = c[i] > r.hi ? c[i] : r.hi;
		}
		return r;
	}
	case TERM_DIV: /* the quotient's magnitude never exceeds the dividend's */
		if (b->lo == b->hi && b->lo > 0)
			return (struct range){floor_div(a->lo, b->lo), floor_div(a->hi, b->lo)};
		return (struct range){a->lo < 0 ? a->lo : 0, a->hi < 0 ? -1 : a->hi};
	case TERM_MOD:
		if (b->lo <= 0)
			return a->lo >= 0 && b->lo >= 0 ? (struct range){0, a->hi} : ANY;
		return (struct range){0, a->lo >= 0 && a->hi < b->hi - 1 ? a->hi : b->hi - 1};
	case TERM_BAND:
		if (a->lo >= 0 && b->lo >= 0)
			return (struct range){0, a->hi < b->hi ? a->hi : b->hi};
		if (b->lo >= 0)
			return (struct range){0, b->hi};
		if (a->lo >= 0)
			return (struct range){0, a->hi};
		return ANY;
	case TERM_BOR:
	case TERM_BXOR:
		if (a->lo >= 0 && b->lo >= 0)
			return (struct range){0, bits_up_to(a->hi | b->hi)};
		return ANY;
	case TERM_SHL:
		if (b->lo == b->hi && b->lo >= 0 && b->lo < 63 && a->lo >= INT64_MIN >> b->lo &&
		    a->hi <= INT64_MAX >> b->lo)
			return (struct range){a->lo * (1ll << b->lo), a->hi * (1ll << b->lo)};
		if (a->lo >= 0 && b->lo >= 0 && b->hi < 63 && a->hi <= INT64_MAX >> b->hi)
			return (struct range){0, a->hi << b->hi};
		return ANY;
	case TERM_SHR:
		if (b->lo == b->hi)
			return (struct range){a->lo >> (b->lo & 63), a->hi >> (b->lo & 63)};
		return (struct range){a->lo < 0 ? a->lo : 0, a->hi < 0 ? -1 : a->hi};
	default:
		return ANY;
	}
}

static bool commutes(enum term_op op)
{
	return op == TERM_ADD || op == TERM_MUL || op == TERM_BAND || op == TERM_BOR ||
	       op == TERM_BXOR;
}

/* x + 0, x * 1, x & -1 ...: the operand itself, or no term (T_FALSE). */
static term identity(struct terms *ts, enum term_op op, term a, term b)
{
	int64_t k = ts->nodes[b].lo;
	if (ts->nodes[b].op != TERM_CONST)
		return T_FALSE;
	switch (op) {
	case TERM_ADD:
	case TERM_SUB:
	case TERM_BOR:
	case TERM_BXOR:
	case TERM_SHL:
	case TERM_SHR: return k == 0 ? a : T_FALSE;
	case TERM_MUL: return k == 1 ? a : k == 0 ? b : T_FALSE;
	case TERM_DIV: return k == 1 ? a : T_FALSE;
	case TERM_MOD: return k == 1 ? term_const(ts, 0) : T_FALSE;
	case TERM_BAND: return k == -1 ? a : k == 0 ? b : T_FALSE;
	default: return T_FALSE;
	}
}

/* a - (a / b) * b is a % b for every a and b: one form of both. */
static term as_modulo(struct terms *ts, term a, term b)
{
	const struct term_node *m = &ts->nodes[b];
	if (m->op != TERM_MUL)
		return T_FALSE;
	const struct term_node *x = &ts->nodes[m->a], *y = &ts->nodes[m->b];
	if (x->op == TERM_DIV && x->a == a && x->b == m->b)
		return term_op(ts, TERM_MOD, a, m->b);
	if (y->op == TERM_DIV && y->a == a && y->b == m->a)
		return term_op(ts, TERM_MOD, a, m->a);
	return T_FALSE;
}

term term_op(struct terms *ts, enum term_op op, term a, term b)
{
	if (ts->nodes[a].op == TERM_CONST && ts->nodes[b].op == TERM_CONST)
		return term_const(ts, term_apply(op, ts->nodes[a].lo, ts->nodes[b].lo));
	if (commutes(op) && (ts->nodes[a].op == TERM_CONST || (ts->nodes[b].op != TERM_CONST && b < a))) {
		term swap = a;
		a = b;
		b = swap;
	}
	term same = identity(ts, op, a, b);
	if (!same && op == TERM_SUB)
		same = as_modulo(ts, a, b);
	if (same)
		return same;
	struct range r = op_range(op, &ts->nodes[a], &ts->nodes[b]);
	if (r.lo == r.hi)
		return term_const(ts, r.lo);
	return intern(ts, &(struct term_node){.op = (uint8_t)op, .a = a, .b = b, .lo = r.lo, .hi = r.hi,
	                                      .inputs = ts->nodes[a].inputs | ts->nodes[b].inputs});
}

/* ---- comparisons --------------------------------------------------------------- */

static term compare(struct terms *ts, enum term_op op, term a, term b)
{
	return intern(ts, &(struct term_node){.op = (uint8_t)op, .a = a, .b = b, .lo = 0, .hi = 1,
	                                      .inputs = ts->nodes[a].inputs | ts->nodes[b].inputs});
}

term term_eq(struct terms *ts, term a, term b)
{
	if (ts->nodes[a].op == TERM_CONST || (ts->nodes[b].op != TERM_CONST && b < a)) {
		term swap = a;
		a = b;
		b = swap;
	}
	const struct term_node *x = &ts->nodes[a], *y = &ts->nodes[b];
	if (a == b)
		return T_TRUE;
	if (x->hi < y->lo || y->hi < x->lo)
		return T_FALSE;
	if (x->op == TERM_CONST && y->op == TERM_CONST)
		return T_FALSE; /* equal constants are one term */
	/* of two values keep one form: type == BLOCK is not (type == CHAR) */
	if (y->op == TERM_CONST && x->lo + 1 == x->hi && y->lo == x->lo)
		return term_not(ts, compare(ts, TERM_EQ, a, term_const(ts, x->hi)));
	return compare(ts, TERM_EQ, a, b);
}

term term_lt(struct terms *ts, term a, term b)
{
	const struct term_node *x = &ts->nodes[a], *y = &ts->nodes[b];
	if (a == b || x->lo >= y->hi)
		return T_FALSE;
	if (x->hi < y->lo)
		return T_TRUE;
	/* keep the constant on the right: k < x is not (x < k + 1) */
	if (x->op == TERM_CONST)
		return term_not(ts, term_lt(ts, b, term_const(ts, x->lo + 1)));
	if (y->op == TERM_CONST) {
		if (y->lo == x->lo + 1)
			return term_eq(ts, a, term_const(ts, x->lo));
		if (y->lo == x->hi)
			return term_not(ts, term_eq(ts, a, b));
	}
	return compare(ts, TERM_LT, a, b);
}

term term_le(struct terms *ts, term a, term b)
{
	return term_not(ts, term_lt(ts, b, a));
}

term term_between(struct terms *ts, term a, int64_t lo, int64_t hi)
{
	if (lo > hi)
		return T_FALSE;
	if (lo == hi)
		return term_eq(ts, a, term_const(ts, lo));
	term below = term_le(ts, a, term_const(ts, hi));
	term above = term_le(ts, term_const(ts, lo), a);
	return term_and(ts, above, below);
}

/* ---- booleans -------------------------------------------------------------------- */

term term_not(struct terms *ts, term a)
{
	if (a == T_FALSE || a == T_TRUE)
		return a == T_FALSE ? T_TRUE : T_FALSE;
	if (ts->nodes[a].op == TERM_NOT)
		return ts->nodes[a].a;
	return intern(ts, &(struct term_node){.op = TERM_NOT, .a = a, .lo = 0, .hi = 1,
	                                      .inputs = ts->nodes[a].inputs});
}

/* A comparison of one term with a constant, possibly negated, as the interval
 * of values where it holds (outside = where it does not). */
struct window {
	term of;
	int64_t lo, hi;
	bool outside;
};

static bool as_window(const struct terms *ts, term t, struct window *w)
{
	bool negated = ts->nodes[t].op == TERM_NOT;
	const struct term_node *n = &ts->nodes[negated ? ts->nodes[t].a : t];
	if ((n->op != TERM_EQ && n->op != TERM_LT) || ts->nodes[n->b].op != TERM_CONST)
		return false;
	int64_t k = ts->nodes[n->b].lo;
	w->of = n->a;
	w->outside = negated;
	w->lo = n->op == TERM_EQ ? k : INT64_MIN;
	w->hi = n->op == TERM_EQ ? k : k - 1; /* x < INT64_MIN folds to false */
	if (negated && n->op == TERM_LT) {
		w->outside = false;
		w->lo = k;
		w->hi = INT64_MAX;
	}
	return true;
}

enum relation { UNRELATED, IMPLIES, EXCLUDES };

/* What p being true says about q. */
static enum relation relate(const struct terms *ts, term p, term q)
{
	if (p == q)
		return IMPLIES;
	if ((ts->nodes[p].op == TERM_NOT && ts->nodes[p].a == q) ||
	    (ts->nodes[q].op == TERM_NOT && ts->nodes[q].a == p))
		return EXCLUDES;
	struct window v, w;
	if (!as_window(ts, p, &v) || !as_window(ts, q, &w) || v.of != w.of || v.outside)
		return UNRELATED;
	bool apart = v.hi < w.lo || w.hi < v.lo, within = w.lo <= v.lo && v.hi <= w.hi;
	if (w.outside ? within : apart)
		return EXCLUDES;
	if (w.outside ? apart : within)
		return IMPLIES;
	return UNRELATED;
}

enum { CONJUNCTS_SCANNED = 24 };

/* Looks for what the conjunction `chain` says about t. */
static enum relation chain_relation(const struct terms *ts, term chain, term t)
{
	term todo[8];
	int n = 0, budget = CONJUNCTS_SCANNED;
	todo[n++] = chain;
	while (n && budget--) {
		term c = todo[--n];
		enum relation r = relate(ts, c, t);
		if (r != UNRELATED)
			return r;
		if (ts->nodes[c].op == TERM_AND && n + 2 <= 8) {
			todo[n++] = ts->nodes[c].a;
			todo[n++] = ts->nodes[c].b;
		}
	}
	return UNRELATED;
}

static bool is_and(const struct terms *ts, term t)
{
	return ts->nodes[t].op == TERM_AND;
}

/* not (x and y), as (x, y). */
static bool is_nand(const struct terms *ts, term t, term *x, term *y)
{
	if (ts->nodes[t].op != TERM_NOT || !is_and(ts, ts->nodes[t].a))
		return false;
	*x = ts->nodes[ts->nodes[t].a].a;
	*y = ts->nodes[ts->nodes[t].a].b;
	return true;
}

enum simpler { NO_CHANGE, DECIDED, SIMPLER_B };

/* Rules that look one level into b: the conjunction is *out (DECIDED), or a
 * together with *out (SIMPLER_B). */
static enum simpler simplify_and(struct terms *ts, term a, term b, term *out)
{
	enum relation r = chain_relation(ts, a, b);
	if (r != UNRELATED) {
		*out = r == IMPLIES ? a : T_FALSE;
		return DECIDED;
	}
	term x, y, v, w;
	if (!is_nand(ts, b, &x, &y))
		return NO_CHANGE;
	/* the conjuncts of a may decide x or y: a and not (a and y) is a and not y */
	enum relation rx = chain_relation(ts, a, x), ry = chain_relation(ts, a, y);
	if (rx == EXCLUDES || ry == EXCLUDES) {
		*out = a;
		return DECIDED;
	}
	if (x == a || y == a || rx == IMPLIES || ry == IMPLIES) {
		*out = term_not(ts, x == a || (y != a && rx == IMPLIES) ? y : x);
		return SIMPLER_B;
	}
	/* not (x and y) and not (x and not y) is not x */
	if (is_nand(ts, a, &v, &w)) {
		term nx = term_not(ts, x), ny = term_not(ts, y);
		if ((v == x && w == ny) || (w == x && v == ny))
			*out = nx;
		else if ((v == y && w == nx) || (w == y && v == nx))
			*out = ny;
		else
			return NO_CHANGE;
		return DECIDED;
	}
	return NO_CHANGE;
}

term term_and(struct terms *ts, term a, term b)
{
	/* every turn makes an operand a proper part of what it was */
	for (;;) {
		if (a == T_FALSE || b == T_FALSE)
			return T_FALSE;
		if (a == T_TRUE || a == b)
			return b;
		if (b == T_TRUE)
			return a;
		term out;
		enum simpler s = simplify_and(ts, a, b, &out);
		if (s == DECIDED)
			return out;
		if (s == SIMPLER_B) {
			b = out;
			continue;
		}
		s = simplify_and(ts, b, a, &out);
		if (s == DECIDED)
			return out;
		if (s == NO_CHANGE)
			break;
		a = out;
	}
	if (b < a) {
		term swap = a;
		a = b;
		b = swap;
	}
	return intern(ts, &(struct term_node){.op = TERM_AND, .a = a, .b = b, .lo = 0, .hi = 1,
	                                      .inputs = ts->nodes[a].inputs | ts->nodes[b].inputs});
}

term term_or(struct terms *ts, term a, term b)
{
	term nb = term_not(ts, b);
	term na = term_not(ts, a);
	return term_not(ts, term_and(ts, na, nb));
}

static void narrow(const struct terms *ts, term given, term t, int64_t *lo, int64_t *hi)
{
	term todo[16];
	int n = 0, budget = 4 * CONJUNCTS_SCANNED;
	todo[n++] = given;
	while (n && budget--) {
		term c = todo[--n];
		struct window w;
		if (as_window(ts, c, &w) && w.of == t && !w.outside) {
			*lo = w.lo > *lo ? w.lo : *lo;
			*hi = w.hi < *hi ? w.hi : *hi;
		} else if (as_window(ts, c, &w) && w.of == t) {
			*lo += w.lo <= *lo && *lo <= w.hi && *lo < *hi;
			*hi -= w.lo <= *hi && *hi <= w.hi && *lo < *hi;
		}
		if (is_and(ts, c) && n + 2 <= 16) {
			todo[n++] = ts->nodes[c].a;
			todo[n++] = ts->nodes[c].b;
		}
	}
}

static struct range range_given(const struct terms *ts, term given, term t, int depth)
{
	struct term_node n = ts->nodes[t];
	struct range r = {n.lo, n.hi};
	if (n.op >= TERM_ADD && depth < 6) {
		struct range a = range_given(ts, given, n.a, depth + 1);
		struct range b = range_given(ts, given, n.b, depth + 1);
		struct term_node x = {.lo = a.lo, .hi = a.hi}, y = {.lo = b.lo, .hi = b.hi};
		struct range q = op_range(n.op, &x, &y);
		r.lo = q.lo > r.lo ? q.lo : r.lo;
		r.hi = q.hi < r.hi ? q.hi : r.hi;
	}
	narrow(ts, given, t, &r.lo, &r.hi);
	return r;
}

void term_range_given(const struct terms *ts, term given, term t, int64_t *lo, int64_t *hi)
{
	struct range r = range_given(ts, given, t, 0);
	*lo = r.lo;
	*hi = r.hi;
}

/* ---- evaluation --------------------------------------------------------------------- */

static void eval_prepare(struct terms *ts)
{
	if (ts->scratch_cap < ts->n) {
		size_t cap = ts->cap;
		ts->value = arena_alloc(ts->arena, cap * sizeof *ts->value);
		ts->stamp = arena_alloc(ts->arena, cap * sizeof *ts->stamp);
		ts->scratch_cap = cap;
		ts->epoch = 0;
	}
	if (++ts->epoch == 0) {
		memset(ts->stamp, 0, ts->scratch_cap * sizeof *ts->stamp);
		ts->epoch = 1;
	}
}

static void push(struct terms *ts, size_t *n, term t)
{
	*ARENA_PUSH(ts->arena, ts->stack, *n, ts->stack_cap) = t;
}

static bool has_operands(enum term_op op)
{
	return op != TERM_FALSE && op != TERM_TRUE && op != TERM_CONST && op != TERM_INPUT;
}

int64_t term_eval(struct terms *ts, term root, const int64_t *inputs)
{
	eval_prepare(ts);
	size_t n = 0;
	push(ts, &n, root);
	while (n) {
		term t = ts->stack[n - 1];
		const struct term_node *k = &ts->nodes[t];
		if (ts->stamp[t] == ts->epoch) {
			n--;
			continue;
		}
		if (has_operands(k->op)) {
			bool unary = k->op == TERM_NOT;
			bool ready = ts->stamp[k->a] == ts->epoch &&
			             (unary || ts->stamp[k->b] == ts->epoch);
			if (!ready) {
				term a = k->a, b = k->b;
				push(ts, &n, a);
				if (!unary)
					push(ts, &n, b);
				continue;
			}
			ts->value[t] = unary ? !ts->value[k->a]
			                     : term_apply(k->op, ts->value[k->a], ts->value[k->b]);
		} else {
			ts->value[t] = k->op == TERM_INPUT ? inputs[k->a] : k->lo;
		}
		ts->stamp[t] = ts->epoch;
		n--;
	}
	return ts->value[root];
}
