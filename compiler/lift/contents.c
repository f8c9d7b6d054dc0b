/*
 * contents.c - what arrays and hashes hold, those made in the block and those made before it.
 */
#include "compiler/lift/lifter.h"

#include <string.h>

void val_set_items(struct lifter *l, struct state *st, struct val v, const struct val *items, size_t n)
{
	struct tuple *t = arena_alloc(l->arena, sizeof *t + n * sizeof *items);
	t->n = n;
	if (n)
		memcpy(t->items, items, n * sizeof *items);
	for (size_t i = 0; i < n; i++)
		state_keeps(l, st, items[i]);
	state_set(l, st, v.u.cell, (struct val){.kind = V_TUPLE, .u.tuple = t});
}

void lift_refuse_frozen(struct lifter *l, const struct state *st, uint32_t cell)
{
	const struct arm *held;
	size_t n = val_arms(l, st, state_get(st, cell), &held);
	for (size_t i = 0; i < n; i++)
		if (held[i].v.u.tuple->frozen)
			lift_refuse(l, "leave the `freeze` out, or change a copy (`dup`)", "a change of what the block froze");
}

static struct val fresh(struct lifter *l, struct state *st, enum vkind kind, const struct val *items, size_t n)
{
	struct val v = {.kind = kind, .u.cell = state_new_cell(l)};
	val_set_items(l, st, v, items, n);
	return v;
}

struct val val_array(struct lifter *l, struct state *st, const struct val *items, size_t n)
{
	return fresh(l, st, V_ARRAY, items, n);
}

struct val val_hash(struct lifter *l, struct state *st, const struct val *pairs, size_t n)
{
	return fresh(l, st, V_HASH, pairs, n);
}

/* What the cell of an array or hash holds; NULL: it depends on the path. */
static const struct tuple *content(struct lifter *l, const struct state *st, struct val v)
{
	struct val held = val_settle(l, st, state_get(st, v.u.cell));
	return held.kind == V_TUPLE ? held.u.tuple : NULL;
}

bool val_items(struct lifter *l, const struct state *st, struct val v, const struct val **items, size_t *n)
{
	if (v.kind == V_ARRAY) {
		const struct tuple *t = content(l, st, v);
		*items = t ? t->items : NULL;
		*n = t ? t->n : 0;
		return t;
	}
	if (v.kind != V_STATIC || !mrb_array_p(v.u.st))
		return false;
	*n = (size_t)RARRAY_LEN(v.u.st);
	struct val *list = arena_alloc(l->arena, *n * sizeof *list);
	for (size_t i = 0; i < *n; i++)
		list[i] = val_static(RARRAY_PTR(v.u.st)[i]);
	*items = list;
	return true;
}

bool val_pairs(struct lifter *l, const struct state *st, struct val v, const struct val **pairs, size_t *n)
{
	if (v.kind == V_HASH) {
		const struct tuple *t = content(l, st, v);
		*pairs = t ? t->items : NULL;
		*n = t ? t->n : 0;
		return t;
	}
	if (v.kind != V_STATIC || !mrb_hash_p(v.u.st))
		return false;
	mrb_value keys = mrb_hash_keys(l->mrb, v.u.st), values = mrb_hash_values(l->mrb, v.u.st);
	*n = 2 * (size_t)RARRAY_LEN(keys);
	struct val *list = arena_alloc(l->arena, *n * sizeof *list);
	for (size_t i = 0; i < *n; i++)
		list[i] = val_static(RARRAY_PTR(i % 2 ? values : keys)[i / 2]);
	*pairs = list;
	return true;
}

/* Adds the arrays v can be, on the condition they have, to a list. */
static bool add_arrays(struct lifter *l, const struct state *st, term guard, struct val v, struct arms *to)
{
	const struct arm *arms;
	size_t n = val_arms(l, st, v.kind == V_ARRAY ? state_get(st, v.u.cell) : v, &arms);
	for (size_t i = 0; i < n; i++) {
		term both = term_and(l->terms, guard, arms[i].guard);
		if (v.kind == V_CHOICE ? !add_arrays(l, st, both, arms[i].v, to)
		                       : arms[i].v.kind != V_TUPLE && !(arms[i].v.kind == V_STATIC &&
		                                                        mrb_array_p(arms[i].v.u.st)))
			return false;
		if (v.kind != V_CHOICE)
			*ARENA_PUSH(l->arena, to->list, to->n, to->cap) = (struct arm){both, arms[i].v};
	}
	return true;
}

bool val_spread(struct lifter *l, const struct state *st, struct val v, const struct val **items, size_t *n)
{
	struct arms arrays = {0};
	if (val_items(l, st, v, items, n))
		return true;
	if ((v.kind != V_CHOICE && v.kind != V_ARRAY) || !add_arrays(l, st, T_TRUE, v, &arrays) || !arrays.n)
		return false;
	const struct val **lists = arena_alloc(l->arena, arrays.n * sizeof *lists);
	for (size_t i = 0; i < arrays.n; i++) {
		struct val a = arrays.list[i].v;
		size_t len = a.kind == V_TUPLE ? a.u.tuple->n : 0;
		lists[i] = a.kind == V_TUPLE ? a.u.tuple->items : NULL;
		if (a.kind != V_TUPLE)
			val_items(l, st, a, &lists[i], &len);
		if (i && len != *n)
			return false;
		*n = len;
	}
	struct val *mixed = arena_alloc(l->arena, (*n + 1) * sizeof *mixed);
	struct arm *arms = arena_alloc(l->arena, arrays.n * sizeof *arms);
	for (size_t k = 0; k < *n; k++) {
		for (size_t i = 0; i < arrays.n; i++)
			arms[i] = (struct arm){arrays.list[i].guard, lists[i][k]};
		mixed[k] = val_from_arms(l, arms, arrays.n);
	}
	*items = mixed;
	return true;
}

enum { NESTING_MAX = 32 };

static bool known_at(struct lifter *l, const struct state *st, struct val v, mrb_value *out, int depth);

static bool known_hash(struct lifter *l, const struct state *st, const struct val *pairs, size_t n, mrb_value *out,
                       int depth)
{
	mrb_value key, value;
	*out = mrb_hash_new(l->mrb);
	for (size_t i = 0; i < n; i += 2) {
		if (!known_at(l, st, pairs[i], &key, depth + 1) || !known_at(l, st, pairs[i + 1], &value, depth + 1))
			return false;
		mrb_hash_set(l->mrb, *out, key, value);
	}
	return true;
}

static bool known_at(struct lifter *l, const struct state *st, struct val v, mrb_value *out, int depth)
{
	v = val_settle(l, st, v);
	if (v.kind == V_STATIC) {
		*out = v.u.st;
		return true;
	}
	const struct val *items;
	size_t n;
	if (depth > NESTING_MAX)
		return false;
	if (val_pairs(l, st, v, &items, &n))
		return known_hash(l, st, items, n, out, depth);
	if (v.kind != V_ARRAY || !val_items(l, st, v, &items, &n))
		return false;
	mrb_value array = mrb_ary_new_capa(l->mrb, (mrb_int)n);
	for (size_t i = 0; i < n; i++) {
		mrb_value item;
		if (!known_at(l, st, items[i], &item, depth + 1))
			return false;
		mrb_ary_push(l->mrb, array, item);
	}
	*out = array;
	return true;
}

bool val_known(struct lifter *l, const struct state *st, struct val v, mrb_value *out)
{
	return known_at(l, st, v, out, 0);
}
