/*
 * prover_term.c - terms of a raw program by what is known, and their bytes.
 *
 * Instructions and steps come to the same term where both are built by the same operations (prover_op()) from values
 * seen in the same way: so what is compared is first built anew, with what is known put in.
 */
#include "compiler/raw/verify.h"

#include <string.h>

bool prover_refuse(struct prover *v, const struct state *st, const char *fmt, ...)
{
	const struct step *s = prover_step(v, st);
	struct span at = s ? s->at : v->raw->at;
	va_list ap;
	va_start(ap, fmt);
	const char *why = arena_vprintf(v->d->arena, fmt, ap);
	va_end(ap);
	if (!v->failed)
		diag_add(v->d, DIAG_ERROR, at, "the program is damaged, or this is a bug of the compiler",
		         "the program cannot be proven: instruction %zu: %s", v->pc, why);
	v->failed = true;
	return false;
}

static struct term_node node_of(const struct prover *v, term t)
{
	return *term_get(v->terms, t);
}

struct value prover_of_term(term t)
{
	return (struct value){.kind = V_TERM, .a = t};
}

term prover_value(struct prover *v, uint32_t number)
{
	const struct raw_value *x = &v->raw->values[number];
	return term_value(v->terms, number, x->lo, x->hi);
}

bool prover_const(const struct prover *v, const struct value *x, int64_t *out)
{
	if (x->kind != V_TERM || node_of(v, x->a).op != TERM_CONST)
		return false;
	*out = node_of(v, x->a).lo;
	return true;
}

/* ---- operations ------------------------------------------------------------------------------------------ */

static bool is_const(const struct prover *v, term t, int64_t k)
{
	struct term_node n = node_of(v, t);
	return n.op == TERM_CONST && n.lo == k;
}

bool prover_flag(const struct prover *v, term t, term *condition)
{
	struct term_node n = node_of(v, t);
	*condition = n.lo == 0 ? T_FALSE : T_TRUE;
	if (n.op != TERM_ITE)
		return is_const(v, t, 0) || is_const(v, t, 1);
	bool yes = is_const(v, n.a, 1) && is_const(v, n.b, 0), no = is_const(v, n.a, 0) && is_const(v, n.b, 1);
	*condition = yes ? n.c : term_not(v->terms, n.c);
	return yes || no;
}

static term number_of(struct prover *v, term condition)
{
	return term_ite(v->terms, condition, term_const(v->terms, 1), term_const(v->terms, 0));
}

/* All bits of the low bytes, as a mask. */
static int64_t mask_of(unsigned size)
{
	return size < 8 ? (int64_t)((UINT64_C(1) << 8 * size) - 1) : -1;
}

term prover_low(struct prover *v, term t, unsigned size)
{
	struct term_node n = node_of(v, t);
	if (size >= 8 || (n.lo >= 0 && n.hi <= mask_of(size)))
		return t;
	return prover_op(v, TERM_BAND, t, term_const(v->terms, mask_of(size)));
}

/* (x << k) >> k: x where its sign is in bit 63 - k already; T_FALSE: it is none of that. */
static term extended(struct prover *v, term a, term b)
{
	struct term_node shift = node_of(v, b), n = node_of(v, a), x;
	if (shift.op != TERM_CONST || shift.lo <= 0 || shift.lo > 63 || n.op != TERM_SHL || n.b != b)
		return T_FALSE;
	int64_t most = INT64_MAX >> shift.lo, bits = (int64_t)(UINT64_MAX >> shift.lo);
	term t = n.a;
	x = node_of(v, t);
	if (x.op == TERM_BAND && node_of(v, x.b).op == TERM_CONST && (node_of(v, x.b).lo & bits) == bits)
		t = x.a;
	x = node_of(v, t);
	return x.lo >= -most - 1 && x.hi <= most ? t : T_FALSE;
}

/* x & k without the bits of k that x never has. */
static term masked(struct prover *v, term a, term b)
{
	if (node_of(v, a).op == TERM_CONST)
		return node_of(v, b).op == TERM_CONST ? term_op(v->terms, TERM_BAND, a, b) : masked(v, b, a);
	struct term_node x = node_of(v, a), k = node_of(v, b);
	if (k.op != TERM_CONST || x.lo < 0)
		return term_op(v->terms, TERM_BAND, a, b);
	int64_t bits = x.hi ? (int64_t)(UINT64_MAX >> __builtin_clzll((uint64_t)x.hi)) : 0;
	return (k.lo & bits) == bits ? a : term_op(v->terms, TERM_BAND, a, term_const(v->terms, k.lo & bits));
}

term prover_op(struct prover *v, enum term_op op, term a, term b)
{
	term x, y, simpler = op == TERM_SHR ? extended(v, a, b) : T_FALSE;
	if (simpler)
		return simpler;
	if (op == TERM_BAND && prover_flag(v, a, &x) && prover_flag(v, b, &y))
		return number_of(v, term_and(v->terms, x, y));
	if (op == TERM_MUL && prover_flag(v, a, &x))
		return term_ite(v->terms, x, b, term_const(v->terms, 0));
	if (op == TERM_MUL && prover_flag(v, b, &x))
		return term_ite(v->terms, x, a, term_const(v->terms, 0));
	return op == TERM_BAND ? masked(v, a, b) : term_op(v->terms, op, a, b);
}

/* ---- by what is known --------------------------------------------------------------------------------------- */

static bool is_known(const struct prover *v, const struct known *k)
{
	return k->is && (v->by != SEE_EARLY || k->early);
}

/* Fields of the same bytes are one value: the first, of which others are the number with or without a sign. */
static term input(struct prover *v, const struct state *st, term t)
{
	struct term_node n = node_of(v, t);
	int64_t number = raw_value_of(&n);
	if (number < 0 || (uint64_t)number >= v->raw->nvalues)
		return t;
	uint32_t first = v->field[number];
	const struct raw_field *f = &v->raw->values[number].field, *other = &v->raw->values[first].field;
	bool whole = is_known(v, &st->known[number]), part = is_known(v, &st->known[first]);
	if (whole)
		return term_const(v->terms, st->known[number].k);
	term is = part ? term_const(v->terms, st->known[first].k) : prover_value(v, first);
	if (first == number || f->size == 8 || f->is_signed == other->is_signed)
		return is;
	if (!f->is_signed)
		return prover_low(v, is, f->size);
	term unused = term_const(v->terms, 64 - 8 * f->size);
	return prover_op(v, TERM_SHR, prover_op(v, TERM_SHL, is, unused), unused);
}

void prover_range(const struct prover *v, const struct state *st, term t, int64_t *lo, int64_t *hi)
{
	*lo = node_of(v, t).lo;
	*hi = node_of(v, t).hi;
	for (size_t i = 0; i < st->nliterals; i++) {
		struct term_node n = node_of(v, st->literals[i]);
		int64_t least, most;
		if (n.op == TERM_NOT)
			n = node_of(v, n.a);
		if ((n.op != TERM_EQ && n.op != TERM_LT) || n.a != t)
			continue;
		term_range_given(v->terms, st->literals[i], t, &least, &most);
		*lo = least > *lo ? least : *lo;
		*hi = most < *hi ? most : *hi;
	}
}

/* What the literals say about a condition that is no NOT. */
static term by_literals(struct prover *v, const struct state *st, term t)
{
	struct term_node n = node_of(v, t);
	int64_t alo, ahi, blo, bhi;
	if (v->by != SEE_ALL || t <= T_TRUE)
		return t;
	if (n.op == TERM_NOT)
		return term_not(v->terms, by_literals(v, st, n.a));
	v->work -= v->work < st->nliterals ? v->work : st->nliterals;
	for (size_t i = 0; i < st->nliterals; i++) {
		struct term_node l = node_of(v, st->literals[i]);
		if (st->literals[i] == t)
			return T_TRUE;
		if (l.op == TERM_NOT && l.a == t)
			return T_FALSE;
	}
	if (n.op == TERM_AND)
		return t;
	prover_range(v, st, n.a, &alo, &ahi);
	prover_range(v, st, n.b, &blo, &bhi);
	if (n.op == TERM_EQ ? ahi < blo || bhi < alo : alo >= bhi)
		return T_FALSE;
	return (n.op == TERM_EQ ? alo == ahi && blo == bhi : ahi < blo) ? T_TRUE : t;
}

static term rebuilt(struct prover *v, const struct state *st, term t)
{
	struct term_node n = node_of(v, t);
	const term *of = v->mapped;
	switch (n.op) {
	case TERM_FALSE:
	case TERM_TRUE:
	case TERM_CONST: return t;
	case TERM_INPUT: return input(v, st, t);
	case TERM_NOT: return term_not(v->terms, of[n.a]);
	case TERM_AND: return by_literals(v, st, term_and(v->terms, of[n.a], of[n.b]));
	case TERM_EQ: return by_literals(v, st, term_eq(v->terms, of[n.a], of[n.b]));
	case TERM_LT: return by_literals(v, st, term_lt(v->terms, of[n.a], of[n.b]));
	case TERM_ITE: return term_ite(v->terms, of[n.c], of[n.a], of[n.b]);
	default: return prover_op(v, n.op, of[n.a], of[n.b]);
	}
}

static void room(struct prover *v, term root)
{
	if (v->mapped_cap <= root) {
		v->mapped_cap = 2 * (size_t)root + 64;
		v->mapped = arena_alloc(v->arena, v->mapped_cap * sizeof *v->mapped);
		v->stamp = arena_alloc(v->arena, v->mapped_cap * sizeof *v->stamp);
		v->epoch = 0;
	}
	if (++v->epoch == 0) {
		memset(v->stamp, 0, v->mapped_cap * sizeof *v->stamp);
		v->epoch = 1;
	}
}

term prover_canon(struct prover *v, const struct state *st, term root)
{
	size_t n = 0;
	room(v, root);
	*ARENA_PUSH(v->arena, v->todo, n, v->todo_cap) = root;
	while (n) {
		term t = v->todo[n - 1], below[3];
		struct term_node k = node_of(v, t);
		size_t waiting = n;
		for (size_t i = term_operands(&k, below); i-- > 0;)
			if (v->stamp[below[i]] != v->epoch)
				*ARENA_PUSH(v->arena, v->todo, n, v->todo_cap) = below[i];
		if (n > waiting)
			continue;
		if (v->stamp[t] != v->epoch) {
			v->mapped[t] = rebuilt(v, st, t);
			v->work -= v->work > 0;
		}
		v->stamp[t] = v->epoch;
		n--;
	}
	return v->mapped[root];
}

bool prover_same(struct prover *v, const struct state *st, term x, term y)
{
	return x == y || prover_canon(v, st, x) == prover_canon(v, st, y);
}

/* ---- bytes -------------------------------------------------------------------------------------------------- */

/* Is each byte of a mask 0 or 255? */
static bool whole_bytes(uint64_t mask)
{
	for (; mask; mask >>= 8)
		if ((mask & 255) != 0 && (mask & 255) != 255)
			return false;
	return true;
}

struct cell prover_byte(const struct prover *v, term t, unsigned k)
{
	for (;;) {
		struct term_node n = node_of(v, t);
		if (n.op == TERM_CONST)
			return (struct cell){.kind = CELL_CONST, .k = (uint8_t)((uint64_t)n.lo >> 8 * k)};
		if (k && n.lo >= 0 && (uint64_t)n.hi >> 8 * k == 0)
			return (struct cell){.kind = CELL_CONST};
		struct term_node mask = n.op == TERM_BAND ? node_of(v, n.b) : n;
		if (mask.op != TERM_CONST || !whole_bytes((uint64_t)mask.lo))
			return (struct cell){.kind = CELL_BYTE, .k = (uint8_t)k, .t = t};
		if (!((uint64_t)mask.lo >> 8 * k & 255))
			return (struct cell){.kind = CELL_CONST};
		t = n.a;
	}
}

bool prover_cell_is(struct prover *v, const struct state *st, const struct cell *c, term t, unsigned k)
{
	struct cell is = prover_byte(v, t, k);
	if (c->kind == CELL_NONE)
		return false;
	if (c->kind == is.kind && c->k == is.k && (c->kind == CELL_CONST || c->t == is.t))
		return true;
	is = prover_byte(v, prover_canon(v, st, t), k);
	struct cell has = c->kind == CELL_BYTE ? prover_byte(v, prover_canon(v, st, c->t), c->k) : *c;
	return has.kind == is.kind && has.k == is.k && (has.kind == CELL_CONST || has.t == is.t);
}
