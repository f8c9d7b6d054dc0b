/*
 * state.c - the contents of all registers and arrays on a path.
 *
 * Cells live in a tree of fixed depth shared between states and copied on write
 * (a node belongs to the state whose owner number it carries), so that a fork
 * costs O(1) and a merge only looks where two states differ. Merged cells become
 * choices unread: most are dead temporaries.
 */
#include "compiler/lift/lifter.h"

#include <string.h>

/* Registers come first, arrays after them. */
enum { FAN_BITS = 4, FAN = 1 << FAN_BITS, LEVELS = 5, CELLS_MAX = 1 << (FAN_BITS * LEVELS),
       REGISTERS_MAX = 1 << (FAN_BITS * (LEVELS - 1) + 1) };

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
	st->guard = path_new(l);
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

static void refuse_size(struct lifter *l)
{
	lift_refuse(l, "compute parts of it when the file runs, outside of the block",
	            "the block needs too many values at once");
}

uint32_t state_new_cell(struct lifter *l)
{
	if (l->next_cell >= CELLS_MAX - REGISTERS_MAX)
		refuse_size(l);
	return REGISTERS_MAX + l->next_cell++;
}

uint32_t state_reserve(struct lifter *l, struct state *st, uint32_t n)
{
	if (n > REGISTERS_MAX - st->top)
		refuse_size(l);
	return st->top += n;
}

void state_set(struct lifter *l, struct state *st, uint32_t cell, struct val v)
{
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
		if (from >= REGISTERS_MAX)
			break;
		if (level == 0)
			own(l, st, at)->u.values[i] = (struct val){.kind = V_UNSET};
		else if (from >= top && (*at)->u.below[i])
			own(l, st, at)->u.below[i] = NULL;
		else if (from < top && (*at)->u.below[i])
			truncate(l, st, &own(l, st, at)->u.below[i], level - 1, from, top);
	}
}

void state_truncate(struct lifter *l, struct state *st, uint32_t top, uint32_t escaped)
{
	if (st->top <= top || st->escaped != escaped)
		return;
	truncate(l, st, &st->root, LEVELS - 1, 0, top);
	st->top = top;
}

void state_keeps(struct lifter *l, struct state *st, struct val v)
{
	st->escaped += val_has_closure(l, v);
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

static bool may_differ(struct val v)
{
	return val_is_integer(v) || v.kind == V_CHOICE;
}

/* Contents of one array, hash or object that differ in integers only: merged one by one, for else
 * what is done to each would multiply the contents. False: they are not like that. */
static bool merge_contents(struct merge *m, const struct tuple *a, const struct tuple *b, struct val *out)
{
	if (a->n != b->n || a->frozen != b->frozen)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same_val(&a->items[i], &b->items[i]) && (!may_differ(a->items[i]) || !may_differ(b->items[i])))
			return false;
	struct tuple *t = arena_alloc(m->l->arena, sizeof *t + a->n * sizeof *t->items);
	t->n = a->n;
	t->frozen = a->frozen;
	for (size_t i = 0; i < a->n; i++)
		t->items[i] = same_val(&a->items[i], &b->items[i])
		              ? a->items[i] : val_choice2(m->l, m->ga, a->items[i], m->gb, b->items[i]);
	*out = (struct val){.kind = V_TUPLE, .u.tuple = t};
	return true;
}

static struct val merge_val(struct merge *m, struct val a, struct val b)
{
	struct val merged;
	if (b.kind == V_UNSET || same_val(&a, &b))
		return a;
	if (a.kind == V_UNSET)
		return b;
	if (a.kind == V_TUPLE && b.kind == V_TUPLE && merge_contents(m, a.u.tuple, b.u.tuple, &merged))
		return merged;
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

/* ---- of raw programs ------------------------------------------------------------------ */

/* The first that was assumed on a path since. */
static term first_literal(const struct guard *g, const struct guard *ancestor)
{
	term first = T_TRUE;
	for (; g != ancestor; g = g->up)
		first = g->literal;
	return first;
}

/* A condition that holds on path a, and not on b, and that was known when they parted. False: there is none, or what
 * both have in common would not be known to a third that parted from one of them later. */
static bool parts_by(struct lifter *l, const struct state *a, const struct state *b, term *condition)
{
	struct guard *both = path_parting(a->guard, b->guard);
	term ga = path_since(l, a->guard, both), gb = path_since(l, b->guard, both), either = term_or(l->terms, ga, gb);
	term la = first_literal(a->guard, both), lb = first_literal(b->guard, both);
	const term ways[] = {term_and(l->terms, la, gb) == T_FALSE ? la : T_TRUE, term_and(l->terms, lb, ga) == T_FALSE ? term_not(l->terms, lb) : T_TRUE,
	                     ga, term_not(l->terms, gb)};
	*condition = T_TRUE;
	if (trail_reads_since(l, a->trail, b->trail, either))
		return false;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		if (ways[i] != T_TRUE && !trail_reads_since(l, a->trail, b->trail, ways[i])) {
			*condition = ways[i];
			return true;
		}
	return false;
}

/* Are the two all that came of where they parted? A third that parted from one of them later would do again what that one
 * had done, and learn the same values a second time. */
static bool are_all(struct lifter *l, const struct state *a, const struct state *b)
{
	struct guard *both = path_parting(a->guard, b->guard);
	return term_or(l->terms, path_since(l, a->guard, both), path_since(l, b->guard, both)) == T_TRUE;
}

bool state_joins(struct lifter *l, const struct state *a, const struct state *b)
{
	term condition;
	return !l->raw || a->trail == b->trail ||
	       ((!trail_learns_since(a->trail, b->trail) || are_all(l, a, b)) && parts_by(l, a, b, &condition));
}

static void join_trails(struct lifter *l, struct state *a, const struct state *b)
{
	term condition;
	if (a->trail == b->trail)
		return;
	if (!parts_by(l, a, b, &condition))
		lift_refuse(l, "decide first, and then act: leave no loop or method in the middle by what a map, the clock or the kernel's memory says",
		            "what the program does here hangs on what it learned on one of several ways");
	a->trail = trail_merge(l, a->trail, b->trail, condition);
}

size_t states_merge(struct lifter *l, struct state **list, size_t n)
{
	for (bool merged = true; merged && n > 1;) {
		size_t at[2] = {0, 0};
		unsigned deepest = 0;
		merged = false;
		for (size_t i = 0; i < n; i++)
			for (size_t k = i + 1; k < n; k++) {
				unsigned depth = path_parting(list[i]->guard, list[k]->guard)->depth;
				if ((merged && depth <= deepest) || !state_joins(l, list[i], list[k]))
					continue;
				merged = true;
				deepest = depth;
				at[0] = i;
				at[1] = k;
			}
		if (!merged)
			break;
		list[at[0]] = state_merge(l, list[at[0]], list[at[1]]);
		memmove(&list[at[1]], &list[at[1] + 1], (n - at[1] - 1) * sizeof *list);
		n--;
	}
	return n;
}

struct state *state_merge(struct lifter *l, struct state *a, struct state *b)
{
	if (!a || !b)
		return a ? a : b;
	struct guard *ga = path_parting(a->guard, b->guard);
	struct merge m = {.l = l, .into = a, .ga = path_since(l, a->guard, ga),
	                  .gb = path_since(l, b->guard, ga)};
	/* b's nodes stay shared with whatever b was forked from */
	merge_cells(&m, &a->root, b->root, LEVELS - 1);
	a->result = merge_val(&m, a->result, b->result);
	a->top = a->top > b->top ? a->top : b->top;
	a->escaped = a->escaped > b->escaped ? a->escaped : b->escaped;
	if (l->raw)
		join_trails(l, a, b);
	a->guard = ga;
	path_assume(l, a, term_or(l->terms, m.ga, m.gb));
	return a;
}
