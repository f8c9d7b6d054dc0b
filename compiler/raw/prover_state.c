/*
 * prover_state.c - what holds before an instruction: how far the steps are, what registers and the stack have, which
 * conditions and values are known.
 *
 * Ways that meet with the same steps done are one state, in which holds what holds in both. Two constants may be the two
 * values of what differs by the way (found or not): a value of the program that is known to be each of them.
 */
#include "compiler/raw/verify.h"

#include <string.h>

const struct step *prover_step(const struct prover *v, const struct state *st)
{
	return st && st->place < v->places.n ? v->places.list[st->place].step : NULL;
}

static size_t size_of(const struct prover *v)
{
	return sizeof(struct state) + (v->raw->nvalues + 1) * sizeof(struct known);
}

struct state *prover_new_state(struct prover *v)
{
	struct state *st = v->spare;
	if (!st)
		return arena_alloc(v->arena, size_of(v));
	v->spare = st->next;
	memset(st, 0, size_of(v));
	return st;
}

void prover_free_state(struct prover *v, struct state *st)
{
	st->next = v->spare;
	v->spare = st;
}

struct state *prover_copy(struct prover *v, const struct state *st)
{
	return memcpy(prover_new_state(v), st, size_of(v));
}

/* ---- what is known ------------------------------------------------------------------------------------------ */

void prover_know(struct prover *v, struct state *st, uint32_t value, int64_t k)
{
	st->known[value] = (struct known){.is = true, .k = k};
	if (k == 0 && v->partner[value] != NO_VALUE)
		st->known[v->partner[value]] = (struct known){.is = true};
}

/* A comparison may leave one value. */
static void learn(struct prover *v, struct state *st, term literal)
{
	const struct term_node *n = term_get(v->terms, literal);
	if (n->op == TERM_NOT)
		n = term_get(v->terms, n->a);
	if (n->op != TERM_EQ && n->op != TERM_LT)
		return;
	term of = n->a;
	int64_t number = raw_value_of(term_get(v->terms, of)), lo, hi;
	if (number < 0 || (uint64_t)number >= v->raw->nvalues)
		return;
	term_range_given(v->terms, literal, of, &lo, &hi);
	if (lo == hi)
		prover_know(v, st, (uint32_t)number, lo);
}

static void add_literal(struct prover *v, struct state *st, term literal)
{
	const struct term_node n = *term_get(v->terms, literal);
	if (literal == T_TRUE)
		return;
	if (n.op == TERM_AND) {
		add_literal(v, st, n.a);
		add_literal(v, st, n.b);
		return;
	}
	for (size_t i = 0; i < st->nliterals; i++)
		if (st->literals[i] == literal)
			return;
	learn(v, st, literal);
	if (st->nliterals == LITERALS_MAX) /* those of long ago matter least */
		memmove(st->literals, st->literals + 1, --st->nliterals * sizeof literal);
	st->literals[st->nliterals++] = literal;
}

/* A condition without what differs by the way: alike wherever the step is come to. */
static term plain(struct prover *v, const struct state *st, term t)
{
	v->by = SEE_EARLY;
	t = prover_canon(v, st, t);
	v->by = SEE_ALL;
	return t;
}

static void go_to(struct prover *v, struct state *st, uint32_t place)
{
	st->place = place;
	st->phase = PHASE_NEW;
	const struct step *s = prover_step(v, st);
	st->condition = s && s->kind == STEP_IF ? s->condition : T_TRUE;
}

/* Is the IF at the state's place decided: does it go on in one of its lists? */
static bool enter(struct prover *v, struct state *st)
{
	const struct step *s = prover_step(v, st);
	if (!s || s->kind != STEP_IF)
		return false;
	const struct raw_place *place = &v->places.list[st->place];
	if (place->yes == place->no) {
		go_to(v, st, place->yes);
		return true;
	}
	/* what was left of it on the way here, or the whole of it */
	term left = prover_canon(v, st, st->condition), whole = left;
	if (left > T_TRUE)
		whole = prover_canon(v, st, s->condition);
	st->condition = left;
	if (whole > T_TRUE)
		return false;
	bool yes = whole == T_TRUE;
	term holds = plain(v, st, s->condition);
	add_literal(v, st, yes ? holds : term_not(v->terms, holds));
	go_to(v, st, yes ? place->yes : place->no);
	return true;
}

void prover_settle(struct prover *v, struct state *st)
{
	while (enter(v, st))
		;
}

/* Can a literal hold by the ranges of what it compares? */
static bool possible(const struct prover *v, const struct state *st, term literal)
{
	struct term_node n = *term_get(v->terms, literal);
	int64_t alo, ahi, blo, bhi;
	bool negated = n.op == TERM_NOT;
	if (negated)
		n = *term_get(v->terms, n.a);
	if (n.op != TERM_EQ && n.op != TERM_LT)
		return true;
	prover_range(v, st, n.a, &alo, &ahi);
	prover_range(v, st, n.b, &blo, &bhi);
	if (n.op == TERM_EQ)
		return negated ? alo < ahi || blo < bhi || alo != blo : alo <= bhi && blo <= ahi;
	return negated ? ahi >= blo : alo < bhi;
}

/* Can all literals hold at once? Only what is easily seen: a way that is taken to be possible is looked at in vain.
 * What is left of a literal by the others is one more. */
static bool consistent(struct prover *v, struct state *st)
{
	for (size_t i = 0; i < st->nliterals; i++) {
		term l = st->literals[i];
		st->literals[i] = T_TRUE;
		term by_others = prover_canon(v, st, l);
		st->literals[i] = l;
		if (by_others == T_FALSE || !possible(v, st, l))
			return false;
		if (by_others != T_TRUE && by_others != l && i + 1 < LITERALS_MAX)
			add_literal(v, st, by_others);
	}
	return true;
}

bool prover_assume(struct prover *v, struct state *st, term condition)
{
	prover_settle(v, st);
	add_literal(v, st, condition);
	if (!consistent(v, st))
		return false;
	enter(v, st);
	return true;
}

void prover_advance(struct prover *v, struct state *st)
{
	go_to(v, st, st->place == PLACE_END ? v->places.first : v->places.list[st->place].next);
}

/* ---- ways that meet -------------------------------------------------------------------------------------------- */

static void merge_value(struct prover *v, const struct state *into, const struct state *other, struct value *x,
                        const struct value *y)
{
	if (x->kind == y->kind && x->a == y->a && x->b == y->b && x->n == y->n)
		return;
	if (x->kind != V_TERM || y->kind != V_TERM)
		*x = (struct value){0};
	else if (prover_same(v, into, x->a, y->a))
		*x = *y;
	else if (!prover_same(v, other, x->a, y->a))
		*x = (struct value){0};
}

static bool same_cell(const struct cell *x, const struct cell *y)
{
	return x->kind == y->kind && x->k == y->k && x->t == y->t;
}

/* Two constants: a value that is known to be the one in one state and the other in the other. */
static struct cell value_of_both(struct prover *v, const struct state *into, const struct state *other,
                                 struct cell x, struct cell y, unsigned k)
{
	v->work -= v->work < v->raw->nvalues ? v->work : v->raw->nvalues;
	for (uint32_t i = 0; i < v->raw->nvalues; i++)
		if (into->known[i].is && other->known[i].is && x.k == (uint8_t)((uint64_t)into->known[i].k >> 8 * k) &&
		    y.k == (uint8_t)((uint64_t)other->known[i].k >> 8 * k))
			return prover_byte(v, prover_value(v, i), k);
	return (struct cell){0};
}

static void merge_cell(struct prover *v, const struct state *into, const struct state *other, struct cell *x,
                       const struct cell *y, unsigned k)
{
	if (same_cell(x, y))
		return;
	if (x->kind == CELL_NONE || y->kind == CELL_NONE)
		*x = (struct cell){0};
	else if (y->kind == CELL_BYTE && prover_cell_is(v, into, x, y->t, y->k))
		*x = *y;
	else if (x->kind == CELL_CONST)
		*x = y->kind == CELL_CONST ? value_of_both(v, into, other, *x, *y, k) : (struct cell){0};
	else if (!prover_cell_is(v, other, y, x->t, x->k))
		*x = (struct cell){0};
}

static void merge_literals(struct state *into, const struct state *other)
{
	size_t n = 0;
	for (size_t i = 0; i < into->nliterals; i++) {
		size_t k = 0;
		while (k < other->nliterals && other->literals[k] != into->literals[i])
			k++;
		if (k < other->nliterals)
			into->literals[n++] = into->literals[i];
	}
	into->nliterals = n;
}

static void merge(struct prover *v, struct state *into, const struct state *other)
{
	for (int i = 0; i < 11; i++)
		merge_value(v, into, other, &into->reg[i], &other->reg[i]);
	for (unsigned i = 0; i < STACK_SIZE; i++)
		merge_cell(v, into, other, &into->stack[i], &other->stack[i], i % 8);
	for (uint32_t i = 0; i < v->raw->nvalues; i++) {
		into->known[i].early &= other->known[i].early;
		if (!other->known[i].is || other->known[i].k != into->known[i].k)
			into->known[i] = (struct known){0};
	}
	merge_literals(into, other);
}

void prover_send(struct prover *v, struct state *st, size_t pc)
{
	for (struct state *there = v->at[pc]; there; there = there->next)
		if (there->place == st->place && there->phase == st->phase && there->condition == st->condition) {
			merge(v, there, st);
			prover_free_state(v, st);
			return;
		}
	st->next = v->at[pc];
	v->at[pc] = st;
}
