/*
 * term_walk.c - over all that is below a term: its value, the range of its values, and the
 * term with some of it known.
 *
 * A term is listed once, operands first (ascending ids are such an order), and then evaluated
 * as often as needed in one pass over the list. Nothing here recurses, and what is shared is
 * visited once.
 */
#include "policy/term_internal.h"

#include <stdlib.h>
#include <string.h>

static void prepare(struct terms *ts)
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

/* ---- the value for one request -------------------------------------------------------- */

static int64_t apply(const struct terms *ts, const struct term_node *k)
{
	switch (k->op) {
	case TERM_NOT: return !ts->value[k->a];
	case TERM_ITE: return ts->value[ts->value[k->c] ? k->a : k->b];
	default: return term_apply(k->op, ts->value[k->a], ts->value[k->b]);
	}
}

int64_t term_eval(struct terms *ts, term root, const int64_t *inputs)
{
	prepare(ts);
	size_t n = 0;
	push(ts, &n, root);
	while (n) {
		term t = ts->stack[n - 1], below[3];
		const struct term_node *k = &ts->nodes[t];
		size_t count = term_operands(k, below), waiting = n;
		for (size_t i = 0; i < count; i++)
			if (ts->stamp[below[i]] != ts->epoch)
				push(ts, &n, below[i]);
		if (n > waiting)
			continue;
		if (ts->stamp[t] != ts->epoch)
			ts->value[t] = count ? apply(ts, k) : k->op == TERM_INPUT ? inputs[k->a] : k->lo;
		ts->stamp[t] = ts->epoch;
		n--;
	}
	return ts->value[root];
}

/* ---- lists ---------------------------------------------------------------------------- */

static int by_id(const void *x, const void *y)
{
	term a = ((const struct term_step *)x)->t, b = ((const struct term_step *)y)->t;
	return a < b ? -1 : a > b;
}

static void note(struct terms *ts, term t)
{
	if (ts->stamp[t] == ts->epoch)
		return;
	ts->stamp[t] = ts->epoch;
	*ARENA_PUSH(ts->arena, ts->steps, ts->nsteps, ts->steps_cap) = (struct term_step){.t = t};
}

size_t term_list(struct terms *ts, term root, const struct term_step **steps)
{
	prepare(ts);
	ts->nsteps = 0;
	note(ts, root);
	for (size_t i = 0; i < ts->nsteps; i++) {
		term below[3];
		for (size_t k = term_operands(&ts->nodes[ts->steps[i].t], below); k-- > 0;)
			note(ts, below[k]);
	}
	qsort(ts->steps, ts->nsteps, sizeof *ts->steps, by_id);
	for (size_t i = 0; i < ts->nsteps; i++) {
		struct term_step *s = &ts->steps[i];
		const struct term_node *k = &ts->nodes[s->t];
		uint32_t *to[] = {&s->a, &s->b, &s->c};
		term below[3];
		ts->value[s->t] = (int64_t)i;
		s->op = k->op;
		s->lo = k->lo;
		s->hi = k->hi;
		s->a = k->a;
		for (size_t n = term_operands(k, below), j = 0; j < n; j++)
			*to[j] = (uint32_t)ts->value[below[j]];
	}
	*steps = ts->steps;
	return ts->nsteps;
}

/* ---- the values while one input is within bounds ---------------------------------------- */

static struct term_range truth(bool yes, bool no)
{
	return (struct term_range){yes, !no};
}

struct term_range term_step_range(const struct term_step *s, const struct term_range *r)
{
	struct term_range a, b, c;
	if (s->op == TERM_NOT)
		return (struct term_range){!r[s->a].hi, !r[s->a].lo};
	a = r[s->a];
	b = r[s->b];
	switch (s->op) {
	case TERM_AND: return (struct term_range){a.lo & b.lo, a.hi & b.hi};
	case TERM_EQ: return truth(a.lo == a.hi && b.lo == b.hi && a.lo == b.lo, a.hi < b.lo || b.hi < a.lo);
	case TERM_LT: return truth(a.hi < b.lo, a.lo >= b.hi);
	case TERM_ITE:
		c = r[s->c];
		if (c.lo == c.hi)
			return c.lo ? a : b;
		return range_hull(a, b);
	default:
		if (a.lo == a.hi && b.lo == b.hi)
			a.lo = a.hi = term_apply(s->op, a.lo, b.lo);
		else
			a = term_op_range(s->op, a, b);
		return a;
	}
}

/* What the list's last term can be while each input is within lo..hi: exact for lo == hi. */
static struct term_range range_in_box(struct terms *ts, const int64_t *lo, const int64_t *hi)
{
	for (size_t i = 0; i < ts->nsteps; i++) {
		const struct term_step *s = &ts->steps[i];
		if (s->op == TERM_INPUT)
			ts->ranges[i] = (struct term_range){larger(lo[s->a], s->lo), smaller(hi[s->a], s->hi)};
		else if (!term_has_operands(s->op))
			ts->ranges[i] = (struct term_range){s->lo, s->hi};
		else
			ts->ranges[i] = term_step_range(s, ts->ranges);
	}
	return ts->ranges[ts->nsteps - 1];
}

static void room_for_ranges(struct terms *ts, size_t nsteps)
{
	if (ts->ranges_cap < nsteps) {
		ts->ranges_cap = 2 * nsteps;
		ts->ranges = arena_alloc(ts->arena, ts->ranges_cap * sizeof *ts->ranges);
	}
}

void term_bounds(struct terms *ts, term t, const int64_t *lo, const int64_t *hi, int64_t *least, int64_t *most)
{
	const struct term_step *steps;
	room_for_ranges(ts, term_list(ts, t, &steps));
	struct term_range r = range_in_box(ts, lo, hi);
	*least = r.lo;
	*most = r.hi;
}

static int64_t value_at(struct terms *ts, int64_t input)
{
	int64_t *v = ts->value; /* by step: term_list() is done with it */
	for (size_t i = 0; i < ts->nsteps; i++) {
		const struct term_step *s = &ts->steps[i];
		switch (s->op) {
		case TERM_INPUT: v[i] = input; break;
		case TERM_FALSE:
		case TERM_TRUE:
		case TERM_CONST: v[i] = s->lo; break;
		case TERM_NOT: v[i] = !v[s->a]; break;
		case TERM_ITE: v[i] = v[s->c] ? v[s->a] : v[s->b]; break;
		default: v[i] = term_apply(s->op, v[s->a], v[s->b]);
		}
	}
	return v[ts->nsteps - 1];
}

enum { WORK_MAX = 1 << 26, ONE_BY_ONE = 16 };

struct pieces { struct term_piece *list; size_t n, max; };

static bool add_piece(struct pieces *p, int64_t hi, bool value)
{
	if (p->n && p->list[p->n - 1].value == value) {
		p->list[p->n - 1].hi = hi;
		return true;
	}
	if (p->n == p->max)
		return false;
	p->list[p->n++] = (struct term_piece){hi, value};
	return true;
}

size_t term_pieces(struct terms *ts, term root, enum input in, int64_t lo, int64_t hi,
                   struct term_piece *out, size_t max)
{
	const struct term_step *steps;
	struct pieces p = {.list = out, .max = max};
	struct term_range todo[66];
	size_t n = 0, nsteps = term_list(ts, root, &steps);
	long long work = WORK_MAX;
	int64_t low[INPUT_MAX] = {0}, high[INPUT_MAX] = {0}; /* it reads no other input */
	room_for_ranges(ts, nsteps);
	/* halves, the lower one on top; a range that decides is a piece */
	todo[n++] = (struct term_range){lo, hi};
	while (n) {
		struct term_range part = todo[--n];
		if ((uint64_t)part.hi - (uint64_t)part.lo < ONE_BY_ONE) {
			for (int64_t v = part.lo;; v++) {
				if (!add_piece(&p, v, value_at(ts, v)))
					return 0;
				if (v == part.hi)
					break;
			}
			work -= ONE_BY_ONE * (long long)nsteps;
		} else {
			low[in] = part.lo;
			high[in] = part.hi;
			struct term_range r = range_in_box(ts, low, high);
			int64_t mid = (int64_t)((uint64_t)part.lo + ((uint64_t)part.hi - (uint64_t)part.lo) / 2);
			work -= 4 * (long long)nsteps;
			if (r.lo == r.hi && !add_piece(&p, part.hi, r.lo))
				return 0;
			if (r.lo != r.hi) {
				todo[n++] = (struct term_range){mid + 1, part.hi};
				todo[n++] = (struct term_range){part.lo, mid};
			}
		}
		if (work < 0)
			return 0;
	}
	return p.n;
}

/* ---- the term when something is known ----------------------------------------------------- */

static term rebuilt(struct terms *ts, const struct term_step *s, const term *of)
{
	switch (s->op) {
	case TERM_NOT: return term_not(ts, of[s->a]);
	case TERM_AND: return term_and(ts, of[s->a], of[s->b]);
	case TERM_EQ: return term_eq(ts, of[s->a], of[s->b]);
	case TERM_LT: return term_lt(ts, of[s->a], of[s->b]);
	case TERM_ITE: return term_ite(ts, of[s->c], of[s->a], of[s->b]);
	default: return term_op(ts, s->op, of[s->a], of[s->b]);
	}
}

/* Lists root and makes room for what becomes of each step. */
static size_t begin_rewriting(struct terms *ts, term root)
{
	const struct term_step *steps;
	size_t n = term_list(ts, root, &steps);
	if (ts->rewritten_cap < n) {
		ts->rewritten_cap = 2 * n;
		ts->rewritten = arena_alloc(ts->arena, ts->rewritten_cap * sizeof *ts->rewritten);
	}
	return n;
}

term term_substitute(struct terms *ts, term root, enum input in, int64_t value)
{
	size_t n = begin_rewriting(ts, root);
	for (size_t i = 0; i < n; i++) {
		const struct term_step *s = &ts->steps[i];
		if (!(ts->nodes[s->t].inputs & INPUT(in)))
			ts->rewritten[i] = s->t;
		else if (s->op == TERM_INPUT)
			ts->rewritten[i] = term_const(ts, value);
		else
			ts->rewritten[i] = rebuilt(ts, s, ts->rewritten);
	}
	return ts->rewritten[n - 1];
}

term term_assume(struct terms *ts, term root, term literal)
{
	size_t n = begin_rewriting(ts, root);
	for (size_t i = 0; i < n; i++) {
		struct term_step s = ts->steps[i];
		enum term_relation says = s.op == TERM_ITE ? term_relate(ts, literal, ts->nodes[s.t].c) : UNRELATED;
		bool changed = false;
		term below[3];
		for (size_t k = term_operands(&ts->nodes[s.t], below); k-- > 0;)
			changed |= ts->rewritten[k == 0 ? s.a : k == 1 ? s.b : s.c] != below[k];
		if (says != UNRELATED)
			ts->rewritten[i] = ts->rewritten[says == IMPLIES ? s.a : s.b];
		else
			ts->rewritten[i] = changed ? rebuilt(ts, &s, ts->rewritten) : s.t;
	}
	return ts->rewritten[n - 1];
}

term term_replaced(struct terms *ts, term root, term old, term by)
{
	size_t n = begin_rewriting(ts, root);
	for (size_t i = 0; i < n; i++) {
		struct term_step s = ts->steps[i];
		bool changed = false;
		term below[3];
		for (size_t k = term_operands(&ts->nodes[s.t], below); k-- > 0;)
			changed |= ts->rewritten[k == 0 ? s.a : k == 1 ? s.b : s.c] != below[k];
		ts->rewritten[i] = s.t == old ? by : changed ? rebuilt(ts, &s, ts->rewritten) : s.t;
	}
	return ts->rewritten[n - 1];
}

term term_brought(struct terms *ts, struct terms *from, term root, const term *inputs)
{
	size_t n = begin_rewriting(from, root);
	for (size_t i = 0; i < n; i++) {
		const struct term_step *s = &from->steps[i];
		switch (s->op) {
		case TERM_FALSE: from->rewritten[i] = T_FALSE; break;
		case TERM_TRUE: from->rewritten[i] = T_TRUE; break;
		case TERM_CONST: from->rewritten[i] = term_const(ts, s->lo); break;
		case TERM_INPUT: from->rewritten[i] = inputs ? inputs[s->a] : term_input(ts, (enum input)s->a); break;
		default: from->rewritten[i] = rebuilt(ts, s, from->rewritten);
		}
	}
	return from->rewritten[n - 1];
}
