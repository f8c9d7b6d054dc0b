/*
 * hashes.c - C functions of hashes with runtime keys, and hashes made in a
 * rule's block.
 *
 * The cell of a hash made in the block holds key, value, key, value, ... in the
 * order they were put there. Keys that may be equal on some path never stand
 * side by side on that path: storing replaces there.
 */
#include "compiler/lift/methods.h"

#include <string.h>

/* The pairs of a hash, as key, value, key, value ... */
static const struct val *pairs_of(struct lifter *l, struct state *st, const struct call *c, size_t *n)
{
	const struct val *pairs;
	if (!val_pairs(l, st, c->recv, &pairs, n))
		method_needs_known(l, c);
	return pairs;
}

static const struct val *own_pairs(struct lifter *l, struct state *st, const struct call *c, size_t *n)
{
	if (c->recv.kind != V_HASH)
		method_refuse_write(l, c, "build a new hash instead");
	lift_refuse_frozen(l, st, c->recv.u.cell);
	return pairs_of(l, st, c, n);
}

/* Can nothing be equal to two of the keys? They differ, and nothing changes them. */
static bool are_apart(struct lifter *l, const struct val *pairs, size_t n)
{
	for (size_t i = 0; i < n; i += 2) {
		mrb_value key = pairs[i].u.st;
		if (pairs[i].kind != V_STATIC || !(mrb_integer_p(key) || mrb_symbol_p(key) || mrb_string_p(key)) ||
		    class_redefines(l, mrb_class(l->mrb, key), "eql?"))
			return false;
	}
	return true;
}

/* Where a key is: a condition for each pair, disjoint; returns that for none. */
static term locate(struct lifter *l, struct state *st, const struct val *pairs, size_t n, struct val key,
                   term *here)
{
	term found = T_FALSE;
	bool apart = are_apart(l, pairs, n);
	for (size_t i = 0; i < n; i += 2) {
		term equal = lift_equal(l, st, pairs[i], key, true);
		here[i / 2] = apart ? equal : term_and(l->terms, equal, term_not(l->terms, found));
		found = term_or(l->terms, found, equal);
	}
	for (size_t i = 0; i < n / 2; i++)
		path_implies(l, here[i], found);
	return term_not(l->terms, found);
}

/* What a hash answers for a key it lacks: only one made outside of the block has a default. */
static struct val default_of(struct lifter *l, struct val hash)
{
	mrb_state *mrb = l->mrb;
	struct RClass *class = val_class(l, hash);
	if (!MRB_METHOD_CFUNC_P(mruby_method(mrb, &class, mrb_intern_lit(mrb, "default"))))
		lift_refuse(l, "give the method another name", "Hash#default is redefined");
	if (hash.kind != V_STATIC)
		return val_nil();
	if (mrb_test(mrb_funcall(mrb, hash.u.st, "default_proc", 0)))
		lift_refuse(l, "give it a default value instead", "a hash with a default block");
	return val_static(mrb_funcall(mrb, hash.u.st, "default", 0));
}

static struct flow h_hash_get(struct lifter *l, struct state *st, const struct call *c, int only_key)
{
	size_t n;
	const struct val *pairs = pairs_of(l, st, c, &n);
	if (c->n != 1)
		method_needs_known(l, c);
	term *here = arena_alloc(l->arena, (n / 2 + 1) * sizeof *here);
	term none = locate(l, st, pairs, n, c->args[0], here);
	if (only_key)
		return flow_value(st, val_bool(l, term_not(l->terms, none)));
	struct arm *arms = arena_alloc(l->arena, (n / 2 + 1) * sizeof *arms);
	for (size_t i = 0; i < n / 2; i++)
		arms[i] = (struct arm){here[i], pairs[2 * i + 1]};
	arms[n / 2] = (struct arm){none, default_of(l, c->recv)};
	return flow_value(st, val_from_arms(l, arms, n / 2 + 1));
}

/* The pairs with one more, or with another value at a pair (at < n). */
static struct val with_pair(struct lifter *l, const struct val *pairs, size_t n, size_t at, struct val key,
                            struct val value)
{
	size_t size = at < n ? n : n + 2;
	struct tuple *t = arena_alloc(l->arena, sizeof *t + size * sizeof *pairs);
	t->n = size;
	if (n)
		memcpy(t->items, pairs, n * sizeof *pairs);
	if (at == n)
		t->items[at] = key;
	t->items[at + 1] = value;
	return (struct val){.kind = V_TUPLE, .u.tuple = t};
}

void hash_store(struct lifter *l, struct state *st, uint32_t cell, struct val key, struct val value)
{
	const struct arm *held;
	struct arm *arms = NULL;
	size_t count = val_arms(l, st, state_get(st, cell), &held), narms = 0, cap = 0;
	lift_refuse_frozen(l, st, cell);
	state_keeps(l, st, value);
	for (size_t k = 0; k < count; k++) {
		const struct tuple *t = held[k].v.u.tuple;
		term *here = arena_alloc(l->arena, (t->n / 2 + 1) * sizeof *here);
		here[t->n / 2] = locate(l, st, t->items, t->n, key, here);
		for (size_t i = 0; i <= t->n / 2; i++) {
			term guard = term_and(l->terms, held[k].guard, here[i]);
			if (guard != T_FALSE)
				*ARENA_PUSH(l->arena, arms, narms, cap) = (struct arm){
					guard, with_pair(l, t->items, t->n, 2 * i, key, value)};
		}
	}
	state_set(l, st, cell, val_from_arms(l, arms, narms));
}

static struct flow h_hash_store(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	(void)unused;
	own_pairs(l, st, c, &n);
	if (c->n != 2)
		method_needs_known(l, c);
	hash_store(l, st, c->recv.u.cell, val_settle(l, st, c->args[0]), c->args[1]);
	return flow_value(st, c->args[1]);
}

/* Takes a key out; its value, or nil. */
static struct flow h_hash_delete(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	const struct val *pairs = own_pairs(l, st, c, &n);
	(void)unused;
	if (c->n != 1)
		method_needs_known(l, c);
	term *here = arena_alloc(l->arena, (n / 2 + 1) * sizeof *here);
	here[n / 2] = locate(l, st, pairs, n, c->args[0], here);
	struct region r = flow_open(l, st);
	struct flow all = {0};
	for (size_t i = 0; i <= n / 2; i++) {
		struct state *s = state_fork(l, st);
		if (!path_assume(l, s, here[i]))
			continue;
		struct val *left = arena_alloc(l->arena, (n + 1) * sizeof *left), gone = val_nil();
		size_t size = 0;
		for (size_t k = 0; k < n; k++)
			if (k / 2 != i)
				left[size++] = pairs[k];
		if (i < n / 2)
			gone = pairs[2 * i + 1];
		val_set_items(l, s, c->recv, left, size);
		all = flow_join(l, all, flow_value(s, gone));
	}
	return flow_close(l, r, all);
}

/* keys, values */
static struct flow h_hash_list(struct lifter *l, struct state *st, const struct call *c, int values)
{
	size_t n;
	const struct val *pairs = pairs_of(l, st, c, &n);
	struct val *items = arena_alloc(l->arena, (n / 2 + 1) * sizeof *items);
	for (size_t i = 0; i < n / 2; i++)
		items[i] = pairs[2 * i + (size_t)values];
	return flow_value(st, val_array(l, st, items, n / 2));
}

/* value? */
static struct flow h_hash_value(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	const struct val *pairs = pairs_of(l, st, c, &n);
	term any = T_FALSE;
	(void)unused;
	if (c->n != 1)
		method_needs_known(l, c);
	for (size_t i = 1; i < n; i += 2)
		any = term_or(l->terms, any, lift_equal(l, st, c->args[0], pairs[i], false));
	return flow_value(st, val_bool(l, any));
}

static struct flow h_hash_size(struct lifter *l, struct state *st, const struct call *c, int empty)
{
	size_t n;
	pairs_of(l, st, c, &n);
	return flow_value(st, val_static(empty ? mrb_bool_value(!n) : mrb_int_value(l->mrb, (mrb_int)(n / 2))));
}

static struct flow h_hash_clear(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	own_pairs(l, st, c, &n);
	(void)unused;
	val_set_items(l, st, c->recv, NULL, 0);
	return flow_value(st, c->recv);
}

static struct flow h_hash_new(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	if (c->n || !val_is_nil(c->block))
		lift_refuse(l, "use `{}` and `hash.fetch(key, default)`", "a hash with a default made inside a rule's block");
	return flow_value(st, c->recv);
}

/* default, default_proc of a hash made in the block */
static struct flow h_hash_default(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	if (c->recv.kind != V_HASH)
		method_needs_known(l, c);
	return flow_value(st, val_nil());
}

const struct method hash_methods[] = {
	ONLY("Hash", "initialize", h_hash_new, 0), BOTH("Hash", "[]", h_hash_get, 0),
	BOTH("Hash", "key?", h_hash_get, 1), BOTH("Hash", "has_key?", h_hash_get, 1),
	BOTH("Hash", "include?", h_hash_get, 1), BOTH("Hash", "member?", h_hash_get, 1),
	RAW("Hash", "[]=", h_hash_store, 0), RAW("Hash", "store", h_hash_store, 0),
	ONLY("Hash", "__delete", h_hash_delete, 0), RAW("Hash", "clear", h_hash_clear, 0),
	NEW("Hash", "keys", h_hash_list, 0), NEW("Hash", "values", h_hash_list, 1),
	BOTH("Hash", "size", h_hash_size, 0), BOTH("Hash", "length", h_hash_size, 0),
	BOTH("Hash", "empty?", h_hash_size, 1), BOTH("Hash", "default", h_hash_default, 0),
	BOTH("Hash", "default_proc", h_hash_default, 0), BOTH("Hash", "value?", h_hash_value, 0),
	BOTH("Hash", "has_value?", h_hash_value, 0), FRESH("Hash", "values_at"), FRESH("Hash", "slice"),
	FRESH("Hash", "except"), PURE("Hash", "hash"),
	METHODS_END,
};
