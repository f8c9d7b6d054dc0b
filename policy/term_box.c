/*
 * term_box.c - terms while each input is within bounds.
 *
 * The list of what is below a term is kept, so that a question is one pass over it.
 */
#include "policy/term_box.h"
#include "policy/term_internal.h"

#include <string.h>

struct term_box term_box_of(struct arena *a, struct terms *ts, term t)
{
	const struct term_step *steps;
	struct term_box b = {.t = t, .steps = term_list(ts, t, &steps)};
	struct term_step *list = arena_alloc(a, b.steps * sizeof *list);
	memcpy(list, steps, b.steps * sizeof *list);
	b.list = list;
	b.ranges = arena_alloc(a, b.steps * sizeof *b.ranges);
	return b;
}

static bool is_one(struct term_range r)
{
	return r.lo == r.hi;
}

/* The low bits in which values of the range may differ, as a mask. */
static int64_t loose_bits(struct term_range r)
{
	uint64_t differ = (uint64_t)r.lo ^ (uint64_t)r.hi;
	return differ ? (int64_t)(~0ull >> __builtin_clzll(differ)) : 0;
}

/* What two ranges come to, closer than their ends say: boxes get small, and then high bits and
 * quotients are known. */
static struct term_range closer(enum term_op op, struct term_range a, struct term_range b, struct term_range r)
{
	if (op == TERM_MOD && is_one(b) && b.lo > 0 && term_apply(TERM_DIV, a.lo, b.lo) == term_apply(TERM_DIV, a.hi, b.lo))
		return (struct term_range){term_apply(op, a.lo, b.lo), term_apply(op, a.hi, b.lo)};
	if (op != TERM_BAND && op != TERM_BOR && op != TERM_BXOR)
		return r;
	int64_t loose = loose_bits(a) | loose_bits(b), known = term_apply(op, a.lo, b.lo);
	if (loose < 0)
		return r;
	return (struct term_range){larger(r.lo, known & ~loose), smaller(r.hi, known | loose)};
}

static struct term_range of_step(const struct term_step *s, const struct term_range *ranges)
{
	if (s->op == TERM_NOT || s->op == TERM_ITE)
		return term_step_range(s, ranges);
	struct term_range a = ranges[s->a], b = ranges[s->b];
	if (is_one(a) && is_one(b)) {
		int64_t v = term_apply(s->op, a.lo, b.lo);
		return (struct term_range){v, v};
	}
	return closer(s->op, a, b, term_step_range(s, ranges));
}

void term_box_range(const struct term_box *b, const int64_t *lo, const int64_t *hi, int64_t *least, int64_t *most)
{
	for (size_t i = 0; i < b->steps; i++) {
		const struct term_step *s = &b->list[i];
		if (s->op == TERM_INPUT)
			b->ranges[i] = (struct term_range){lo[s->a], hi[s->a]};
		else if (term_has_operands(s->op))
			b->ranges[i] = of_step(s, b->ranges);
		else
			b->ranges[i] = (struct term_range){s->lo, s->hi};
	}
	*least = b->ranges[b->steps - 1].lo;
	*most = b->ranges[b->steps - 1].hi;
}

int term_box_value(const struct term_box *b, const int64_t *lo, const int64_t *hi)
{
	int64_t least, most;
	term_box_range(b, lo, hi, &least, &most);
	return least == most ? (int)least : -1;
}

bool term_box_number(const struct term_box *b, size_t n, int64_t *v)
{
	for (size_t i = 0; i < b->steps; i++) {
		if (b->list[i].op != TERM_CONST)
			continue;
		*v = b->list[i].lo;
		if (!n--)
			return true;
	}
	return false;
}
