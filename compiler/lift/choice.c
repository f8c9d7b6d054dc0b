/*
 * choice.c - values that are one of several, by path.
 *
 * A choice made by a merge is kept as it is (two arms, perhaps choices again)
 * and flattened when it is first read; equal arms are joined, arms that the path
 * excludes are dropped. Integers of which one is known at run time only become one
 * arm, a term that chooses: so what is computed from them does not multiply. Known
 * ones stay arms, which loops and tables need, while they are few.
 */
#include "compiler/lift/lifter.h"

#include <string.h>

enum { ARMS_MAX = 16384 };

struct val val_choice2(struct lifter *l, term ga, struct val a, term gb, struct val b)
{
	struct choice *c = arena_alloc(l->arena, sizeof *c + 2 * sizeof *c->arms);
	c->n = 2;
	c->arms[0] = (struct arm){ga, a};
	c->arms[1] = (struct arm){gb, b};
	return (struct val){.kind = V_CHOICE, .u.choice = c};
}

struct val val_bool(struct lifter *l, term cond)
{
	if (cond == T_TRUE || cond == T_FALSE)
		return val_static(mrb_bool_value(cond == T_TRUE));
	return val_choice2(l, cond, val_static(mrb_true_value()), term_not(l->terms, cond),
	                   val_static(mrb_false_value()));
}

static void add_arm(struct lifter *l, struct arms *to, term guard, struct val v)
{
	if (guard == T_FALSE)
		return;
	if (v.kind == V_UNSET)
		v = val_nil();
	for (size_t i = 0; i < to->n; i++)
		if (val_same(l, to->list[i].v, v)) {
			to->list[i].guard = term_or(l->terms, to->list[i].guard, guard);
			return;
		}
	if (to->n == ARMS_MAX)
		lift_refuse(l, "look it up in fewer steps, or split the rule",
		            "a value of the block has more than %d cases", ARMS_MAX);
	*ARENA_PUSH(l->arena, to->list, to->n, to->cap) = (struct arm){guard, v};
}

static bool is_truthy(struct val v)
{
	return v.kind != V_STATIC || mrb_test(v.u.st);
}

/* A comparison or its negation is a better condition to choose by than a conjunction. */
static bool is_comparison(struct lifter *l, term t)
{
	const struct term_node *n = term_get(l->terms, t);
	if (n->op == TERM_NOT)
		n = term_get(l->terms, n->a);
	return n->op == TERM_EQ || n->op == TERM_LT;
}

/* The integers among the arms as one term: of the last one the guard is what is left. */
static void join_integers(struct lifter *l, struct arms *out)
{
	struct arms others = {0};
	term all = T_FALSE, value = T_FALSE, t;
	for (size_t i = out->n; i-- > 0;) {
		struct arm a = out->list[i];
		if (!val_as_term(l, a.v, &t))
			continue;
		bool swap = !is_comparison(l, a.guard) && is_comparison(l, all);
		value = all == T_FALSE ? t : swap ? term_ite(l->terms, all, value, t) : term_ite(l->terms, a.guard, t, value);
		all = term_or(l->terms, all, a.guard);
	}
	/* the arms cover the path: this one is where no other is, mostly the shorter condition */
	term rest = T_TRUE;
	for (size_t i = 0; i < out->n; i++) {
		if (val_is_integer(out->list[i].v))
			continue;
		add_arm(l, &others, out->list[i].guard, out->list[i].v);
		rest = term_and(l->terms, rest, term_not(l->terms, out->list[i].guard));
	}
	add_arm(l, &others, others.n < out->n / 2 + 1 ? rest : all, val_int(l, value));
	*out = others;
}

enum { KNOWN_KEPT = 8 };

/* Known integers may stay arms where one side of a merge has at most one: a counter, a table
 * with a default. From two sides with several each they multiply with every merge. */
static bool to_be_joined(const struct arms *out, const size_t sides[2])
{
	size_t known = 0, unknown = 0;
	for (size_t i = 0; i < out->n; i++) {
		unknown += out->list[i].v.kind == V_INT;
		known += out->list[i].v.kind == V_STATIC && val_is_integer(out->list[i].v);
	}
	return unknown ? known + unknown > 1 : known > KNOWN_KEPT && sides[0] > 1 && sides[1] > 1;
}

/* Flattens nested choices, last arms first on an explicit stack. */
static struct choice *flatten(struct lifter *l, struct choice *c)
{
	if (c->flat)
		return c->flat;
	struct arms todo = {0}, out = {0};
	size_t sides[2] = {0}, side = 0, after_first = c->n - 1;
	for (size_t i = c->n; i-- > 0;)
		*ARENA_PUSH(l->arena, todo.list, todo.n, todo.cap) = c->arms[i];
	while (todo.n) {
		struct arm a = todo.list[--todo.n];
		if (todo.n < after_first)
			side = 1;
		if (a.v.kind != V_CHOICE) {
			sides[side]++;
			add_arm(l, &out, a.guard, a.v);
			continue;
		}
		const struct choice *inner = a.v.u.choice->flat ? a.v.u.choice->flat : a.v.u.choice;
		for (size_t i = inner->n; i-- > 0;)
			*ARENA_PUSH(l->arena, todo.list, todo.n, todo.cap) = (struct arm){
				path_and(l, a.guard, inner->arms[i].guard), inner->arms[i].v};
	}
	if (to_be_joined(&out, sides))
		join_integers(l, &out);
	struct choice *flat = arena_alloc(l->arena, sizeof *flat + out.n * sizeof *flat->arms);
	flat->n = out.n;
	if (out.n)
		memcpy(flat->arms, out.list, out.n * sizeof *out.list);
	return c->flat = flat->flat = flat;
}

bool val_has_closure(struct lifter *l, struct val v)
{
	if (v.kind != V_CHOICE)
		return v.kind == V_CLOSURE;
	const struct choice *c = flatten(l, v.u.choice);
	for (size_t i = 0; i < c->n; i++)
		if (c->arms[i].v.kind == V_CLOSURE)
			return true;
	return false;
}

/* An integer that differs by path, where the path says which it is. */
static struct val integer_here(struct lifter *l, const struct state *st, struct val v)
{
	const struct term_node *n = v.kind == V_INT ? term_get(l->terms, v.u.t) : NULL;
	while (n && n->op == TERM_ITE) {
		bool never = path_excludes(l, st, n->c);
		if (!never && !path_excludes(l, st, term_not(l->terms, n->c)))
			break;
		v = val_int(l, never ? n->b : n->a);
		n = v.kind == V_INT ? term_get(l->terms, v.u.t) : NULL;
	}
	return v;
}

size_t val_arms(struct lifter *l, const struct state *st, struct val v, const struct arm **arms)
{
	v = integer_here(l, st, v);
	if (v.kind != V_CHOICE) {
		struct arm *one = arena_alloc(l->arena, sizeof *one);
		*one = (struct arm){T_TRUE, v.kind == V_UNSET ? val_nil() : v};
		*arms = one;
		return 1;
	}
	struct choice *c = flatten(l, v.u.choice);
	struct arm *kept = arena_alloc(l->arena, c->n * sizeof *kept);
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++)
		if (!path_excludes(l, st, c->arms[i].guard))
			kept[n++] = c->arms[i];
	if (n == 1)
		kept[0].guard = T_TRUE; /* the arms cover the path */
	*arms = kept;
	return n;
}

struct val val_from_arms(struct lifter *l, const struct arm *arms, size_t n)
{
	struct arms out = {0};
	for (size_t i = 0; i < n; i++)
		add_arm(l, &out, arms[i].guard, arms[i].v);
	if (out.n == 0)
		return val_nil();
	if (out.n == 1)
		return out.list[0].v;
	struct choice *c = arena_alloc(l->arena, sizeof *c + out.n * sizeof *c->arms);
	c->n = out.n;
	memcpy(c->arms, out.list, out.n * sizeof *out.list);
	for (size_t i = 0; i < out.n; i++)
		if (out.list[i].v.kind == V_CHOICE)
			return (struct val){.kind = V_CHOICE, .u.choice = flatten(l, c)};
	c->flat = c;
	return (struct val){.kind = V_CHOICE, .u.choice = c};
}

struct val val_settle(struct lifter *l, const struct state *st, struct val v)
{
	const struct arm *arms;
	if (v.kind == V_UNSET)
		return val_nil();
	if (v.kind != V_CHOICE)
		return integer_here(l, st, v);
	size_t n = val_arms(l, st, v, &arms);
	return n == 1 ? integer_here(l, st, arms[0].v) : n == 0 ? val_nil() : v;
}

size_t val_join_integers(struct lifter *l, const struct arm **arms, size_t n)
{
	struct arms all = {0};
	size_t integers = 0;
	for (size_t i = 0; i < n; i++) {
		add_arm(l, &all, (*arms)[i].guard, (*arms)[i].v);
		integers += val_is_integer((*arms)[i].v);
	}
	if (integers < 2)
		return n;
	join_integers(l, &all);
	*arms = all.list;
	return all.n;
}

term val_truth(struct lifter *l, const struct state *st, struct val v)
{
	const struct arm *arms;
	size_t n = val_arms(l, st, v, &arms), falsy = 0;
	term truth = T_FALSE, lie = T_FALSE;
	for (size_t i = 0; i < n; i++) {
		bool yes = is_truthy(arms[i].v);
		term *side = yes ? &truth : &lie;
		falsy += !yes;
		*side = term_or(l->terms, *side, arms[i].guard);
	}
	if (!falsy)
		return T_TRUE;
	/* the arms cover the path: of the two the shorter condition, by which an arm is excluded then */
	if (2 * falsy < n)
		truth = term_not(l->terms, lie);
	for (size_t i = 0; n > 2 && i < n; i++)
		if (is_truthy(arms[i].v))
			path_implies(l, arms[i].guard, truth);
	return truth;
}
