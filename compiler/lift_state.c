/*
 * lift_state.c - what is true on a path: its guard, and the contents of all
 * registers and arrays.
 *
 * Cells live in a tree of fixed depth shared between states and copied on write
 * (a node belongs to the state whose owner number it carries), so that a fork
 * costs O(1) and a merge only looks where two states differ. Merged cells become
 * choices unread: most are dead temporaries.
 */
#include "compiler/lift.h"

#include <string.h>

enum { FAN_BITS = 4, FAN = 1 << FAN_BITS, LEVELS = 5, CELLS_MAX = 1 << (FAN_BITS * LEVELS) };

struct cells {
	uint64_t owner;
	union {
		struct cells *below[FAN];
		struct val values[FAN];
	} u;
};

struct state *state_new(struct lifter *l)
{
	struct state *st = arena_alloc(l->arena, sizeof *st);
	st->owner = ++l->next_owner;
	st->guard = arena_alloc(l->arena, sizeof *st->guard);
	*st->guard = (struct guard){.literal = T_TRUE, .full = T_TRUE};
	return st;
}

struct val state_get(const struct state *st, uint32_t cell)
{
	const struct cells *c = st->root;
	for (int level = LEVELS - 1; level > 0 && c; level--)
		c = c->u.below[cell >> (FAN_BITS * level) & (FAN - 1)];
	return c ? c->u.values[cell & (FAN - 1)] : (struct val){.kind = V_UNSET};
}

/* The node at *at as one this state may write. */
static struct cells *own(struct lifter *l, struct state *st, struct cells **at)
{
	struct cells *c = *at;
	if (c && c->owner == st->owner)
		return c;
	struct cells *copy = arena_alloc(l->arena, sizeof *copy);
	if (c)
		*copy = *c;
	copy->owner = st->owner;
	return *at = copy;
}

void state_set(struct lifter *l, struct state *st, uint32_t cell, struct val v)
{
	if (cell >= CELLS_MAX)
		lift_refuse(l, "compute parts of it when the file runs, outside of the block",
		            "the block needs too many values at once");
	struct cells **at = &st->root;
	for (int level = LEVELS - 1; level > 0; level--)
		at = &own(l, st, at)->u.below[cell >> (FAN_BITS * level) & (FAN - 1)];
	own(l, st, at)->u.values[cell & (FAN - 1)] = v;
}

static void truncate(struct lifter *l, struct state *st, struct cells **at, int level, uint32_t first,
                     uint32_t top)
{
	uint32_t span = 1u << (FAN_BITS * level);
	if (!*at)
		return;
	for (uint32_t i = 0; i < FAN; i++) {
		uint32_t from = first + i * span;
		if (from + span <= top)
			continue;
		if (level == 0)
			own(l, st, at)->u.values[i] = (struct val){.kind = V_UNSET};
		else if (from >= top && (*at)->u.below[i])
			own(l, st, at)->u.below[i] = NULL;
		else if (from < top && (*at)->u.below[i])
			truncate(l, st, &own(l, st, at)->u.below[i], level - 1, from, top);
	}
}

void state_truncate(struct lifter *l, struct state *st, uint32_t top)
{
	if (st->top <= top)
		return;
	truncate(l, st, &st->root, LEVELS - 1, 0, top);
	st->top = top;
}

struct state *state_fork(struct lifter *l, struct state *st)
{
	struct state *copy = arena_alloc(l->arena, sizeof *copy);
	*copy = *st;
	copy->next = NULL;
	copy->owner = ++l->next_owner;
	st->owner = ++l->next_owner;
	return copy;
}

/* ---- guards ------------------------------------------------------------------------ */

bool state_assume(struct lifter *l, struct state *st, term literal)
{
	if (literal == T_TRUE)
		return true;
	struct guard *g = arena_alloc(l->arena, sizeof *g);
	*g = (struct guard){.up = st->guard, .literal = literal, .depth = st->guard->depth + 1,
	                    .full = term_and(l->terms, st->guard->full, literal)};
	st->guard = g;
	return g->full != T_FALSE;
}

/* The conjunction of the literals from g up to, not including, its ancestor. */
static term relative(struct lifter *l, const struct guard *g, const struct guard *ancestor)
{
	term all = T_TRUE;
	for (; g != ancestor; g = g->up)
		all = all == T_TRUE ? g->literal : term_and(l->terms, g->literal, all);
	return all;
}

/* ---- merging ------------------------------------------------------------------------- */

struct merge {
	struct lifter *l;
	struct state *into;
	term ga, gb;
};

static bool same_val(const struct val *a, const struct val *b)
{
	return a->kind == b->kind && memcmp(&a->u, &b->u, sizeof a->u) == 0;
}

static struct val merge_val(struct merge *m, struct val a, struct val b)
{
	if (b.kind == V_UNSET || same_val(&a, &b))
		return a;
	if (a.kind == V_UNSET)
		return b;
	return val_choice2(m->l, m->ga, a, m->gb, b);
}

static void merge_cells(struct merge *m, struct cells **a, struct cells *b, int level)
{
	if (*a == b || !b)
		return;
	if (!*a) {
		*a = b; /* of another owner: copied before it is written */
		return;
	}
	struct cells *into = own(m->l, m->into, a);
	for (int i = 0; i < FAN; i++) {
		if (level > 0)
			merge_cells(m, &into->u.below[i], b->u.below[i], level - 1);
		else
			into->u.values[i] = merge_val(m, into->u.values[i], b->u.values[i]);
	}
}

struct state *state_merge(struct lifter *l, struct state *a, struct state *b)
{
	if (!a || !b)
		return a ? a : b;
	struct guard *ga = a->guard, *gb = b->guard;
	while (ga->depth > gb->depth)
		ga = ga->up;
	while (gb->depth > ga->depth)
		gb = gb->up;
	while (ga != gb) {
		ga = ga->up;
		gb = gb->up;
	}
	struct merge m = {.l = l, .into = a, .ga = relative(l, a->guard, ga),
	                  .gb = relative(l, b->guard, ga)};
	/* b's nodes stay shared with whatever b was forked from */
	merge_cells(&m, &a->root, b->root, LEVELS - 1);
	a->result = merge_val(&m, a->result, b->result);
	a->top = a->top > b->top ? a->top : b->top;
	a->heap = a->heap > b->heap ? a->heap : b->heap;
	a->guard = ga;
	state_assume(l, a, term_or(l->terms, m.ga, m.gb));
	return a;
}
