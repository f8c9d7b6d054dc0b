/*
 * steps.c - states at instructions: which are one, in which order they are executed, and what
 * they are together.
 *
 * Instructions have an order (scan.c) in which each comes before those that it leads to, but for returns; so the state in
 * the deepest function with the first instruction is next, and everything that leads to a step is executed before it.
 */
#include "compiler/decode/internal.h"

#include <string.h>

/* ---- equal states ------------------------------------------------------------------------- */

static uint64_t hash_value(uint64_t h, const struct value *v)
{
	h = table_mix(h, v->kind);
	if (v->kind != V_UNKNOWN)
		h = table_mix(h, (uint64_t)v->a << 32 | v->b);
	return table_mix(h, (uint64_t)v->k);
}

static uint64_t hash_callers(uint64_t h, const struct caller *up)
{
	for (; up; up = up->up) {
		h = table_mix(h, up->back);
		for (int i = 0; i < 4; i++)
			h = hash_value(h, &up->saved[i]);
	}
	return h;
}

static uint32_t hash_state(uint32_t pc, const struct state *st)
{
	uint64_t h = hash_callers(pc, st->up);
	for (int i = 0; i < REGISTERS; i++)
		h = hash_value(h, &st->reg[i]);
	for (size_t i = 0; i < st->npieces; i++) {
		const struct piece *p = &st->pieces[i];
		h = table_mix(h, (uint64_t)(uint16_t)p->at << 16 | (uint64_t)p->size << 8 | p->frame);
		h = hash_value(h, &p->v);
	}
	h = table_mix(h, (uint64_t)st->retval << 8 | (uint64_t)st->splits << 1 | st->sets);
	return (uint32_t)h;
}

static bool same_values(const struct value *x, const struct value *y, int n)
{
	for (int i = 0; i < n; i++)
		if (!value_same(&x[i], &y[i]))
			return false;
	return true;
}

static bool same_callers(const struct caller *x, const struct caller *y)
{
	for (; x && y; x = x->up, y = y->up)
		if (x == y)
			return true;
		else if (x->back != y->back || !same_values(x->saved, y->saved, 4))
			return false;
	return x == y;
}

static bool same_pieces(const struct state *x, const struct state *y)
{
	if (x->npieces != y->npieces)
		return false;
	for (size_t i = 0; i < x->npieces && x->pieces != y->pieces; i++) {
		const struct piece *p = &x->pieces[i], *q = &y->pieces[i];
		if (p->at != q->at || p->size != q->size || p->frame != q->frame || !value_same(&p->v, &q->v))
			return false;
	}
	return true;
}

static bool same_state(const struct state *x, const struct state *y)
{
	return x->retval == y->retval && x->sets == y->sets && x->splits == y->splits && same_values(x->reg, y->reg, REGISTERS) &&
	       same_callers(x->up, y->up) && same_pieces(x, y);
}

/* ---- the order ------------------------------------------------------------------------------ */

/* The places in the order of instructions at which it is, from the program itself to the deepest function. */
static uint32_t places(const struct decoder *r, const struct step *s, uint32_t out[DEPTH_MAX + 1])
{
	uint32_t depth = s->state->up ? s->state->up->depth : 0;
	out[depth] = r->rank[s->pc];
	for (const struct caller *up = s->state->up; up; up = up->up)
		out[up->depth - 1] = r->rank[up->back];
	return depth;
}

static bool is_first(const struct decoder *r, uint32_t x, uint32_t y)
{
	const struct step *s = &r->steps[x], *t = &r->steps[y];
	uint32_t p[DEPTH_MAX + 1], q[DEPTH_MAX + 1];
	bool fewer = s->state->splits < t->state->splits; /* split states may meet, too */
	if (!s->state->up && !t->state->up)
		return s->pc != t->pc ? r->rank[s->pc] < r->rank[t->pc] : fewer;
	uint32_t m = places(r, s, p), n = places(r, t, q);
	for (uint32_t i = 0; i <= m && i <= n; i++)
		if (p[i] != q[i])
			return p[i] < q[i];
	return m != n ? m > n /* the one that is in a call comes before what is behind the call */ : fewer;
}

static void heap_add(struct decoder *r, uint32_t step)
{
	*ARENA_PUSH(r->arena, r->heap, r->nheap, r->heap_cap) = step;
	size_t at = r->nheap - 1;
	for (; at && is_first(r, step, r->heap[(at - 1) / 2]); at = (at - 1) / 2)
		r->heap[at] = r->heap[(at - 1) / 2];
	r->heap[at] = step;
}

static uint32_t heap_take(struct decoder *r)
{
	uint32_t first = r->heap[0], last = r->heap[--r->nheap];
	size_t at = 0;
	for (;;) {
		size_t below = 2 * at + 1;
		if (below + 1 < r->nheap && is_first(r, r->heap[below + 1], r->heap[below]))
			below++;
		if (below >= r->nheap || !is_first(r, r->heap[below], last))
			break;
		r->heap[at] = r->heap[below];
		at = below;
	}
	r->heap[at] = last;
	return first;
}

/* ---- steps ------------------------------------------------------------------------------------ */

static uint32_t new_step(struct decoder *r, struct step s)
{
	*ARENA_PUSH(r->arena, r->steps, r->nsteps, r->steps_cap) = s;
	return (uint32_t)r->nsteps - 1;
}

uint32_t step_at(struct decoder *r, uint32_t pc, const struct state *st, uint16_t mask)
{
	return step_split(r, pc, st, mask, 0);
}

uint32_t step_split(struct decoder *r, uint32_t pc, const struct state *st, uint16_t mask, uint8_t splits)
{
	struct state kept = *st;
	kept.splits = splits;
	for (int i = 0; i < REGISTERS; i++)
		if (!(r->live[pc] & 1u << i))
			kept.reg[i] = (struct value){.kind = V_NONE};
	if (r->rank[pc] >= r->stack_end && !st->up)
		stack_forget(&kept);
	uint32_t hash = hash_state(pc, &kept);
	for (struct table_look l = table_look(&r->known, hash); table_next(&r->known, &l);) {
		struct step *s = &r->steps[l.place];
		if (s->pc == pc && same_state(s->state, &kept)) {
			s->mask |= mask;
			return l.place;
		}
	}
	struct state *copy = arena_alloc(r->arena, sizeof *copy);
	*copy = kept;
	uint32_t step = new_step(r, (struct step){.pc = pc, .mask = mask, .state = copy, .yes = NO_STEP, .no = NO_STEP});
	table_add(&r->known, r->arena, hash, step);
	heap_add(r, step);
	return step;
}

uint32_t step_next(struct decoder *r)
{
	if (!r->nheap)
		return NO_STEP;
	uint32_t step = heap_take(r);
	*ARENA_PUSH(r->arena, r->order, r->norder, r->order_cap) = step;
	return step;
}

uint32_t step_more(struct decoder *r, uint32_t step)
{
	struct step s = {.pc = r->steps[step].pc, .state = r->steps[step].state, .yes = NO_STEP, .no = NO_STEP};
	uint32_t more = new_step(r, s);
	*ARENA_PUSH(r->arena, r->order, r->norder, r->order_cap) = more;
	return more;
}

/* ---- together ------------------------------------------------------------------------------------ */

/* Has every way through the program that step, or ended before it? By place in the order. */
static bool *find_cuts(const struct decoder *r, const uint32_t *place)
{
	bool *cut = arena_alloc(r->arena, r->norder + 1);
	size_t far = 0;
	for (size_t i = 0; i < r->norder; i++) {
		const struct step *s = &r->steps[r->order[i]];
		cut[i] = far <= i;
		if (s->yes != NO_STEP && place[s->yes] > far)
			far = place[s->yes];
		if (s->no != NO_STEP && place[s->no] > far)
			far = place[s->no];
	}
	return cut;
}

static node step_diagram(struct decoder *r, const struct step *s, const node *of)
{
	if (s->yes == NO_STEP)
		return s->end;
	return s->no == NO_STEP ? of[s->yes] : diagram_ite(r->dg, s->cond, of[s->yes], of[s->no]);
}

/* Where all ways meet the program is cut: what is before is a diagram of its own, in which OUT_PASS
 * is going on. So a list of rules costs the rules, not their square. */
node steps_diagram(struct decoder *r)
{
	uint32_t *place = arena_alloc(r->arena, (r->nsteps + 1) * sizeof *place);
	node *of = arena_alloc(r->arena, (r->nsteps + 1) * sizeof *of), *parts = NULL;
	size_t nparts = 0, cap = 0;
	for (size_t i = 0; i < r->norder; i++)
		place[r->order[i]] = (uint32_t)i;
	const bool *cut = find_cuts(r, place);
	for (size_t i = r->norder; i-- > 0 && diagram_ok(r->dg);) {
		uint32_t step = r->order[i];
		of[step] = step_diagram(r, &r->steps[step], of);
		if (!cut[i])
			continue;
		*ARENA_PUSH(r->arena, parts, nparts, cap) = of[step];
		of[step] = diagram_terminal(OUT_PASS);
	}
	for (size_t i = 0; i < nparts / 2; i++) {
		node first = parts[i];
		parts[i] = parts[nparts - 1 - i];
		parts[nparts - 1 - i] = first;
	}
	return diagram_over_all(r->dg, parts, nparts);
}
