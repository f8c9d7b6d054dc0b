/*
 * literals.c - arrays, ranges, strings and hashes as code builds and spreads them.
 */
#include "compiler/lift/run.h"

#include <string.h>

/* ---- arrays, ranges, strings -------------------------------------------------------------------------- */

struct val *run_registers(struct run *r, struct state *st, uint32_t first, uint32_t n)
{
	struct val *v = arena_alloc(r->l->arena, (n + 1) * sizeof *v);
	for (uint32_t i = 0; i < n; i++)
		v[i] = run_get(r, st, first + i);
	return v;
}

static mrb_value splat_body(mrb_state *mrb, void *p)
{
	return mrb_ary_splat(mrb, *(mrb_value *)p);
}

/* What `*v` stands for. */
void run_splat(struct run *r, struct state *st, struct val v, const struct val **items, size_t *n)
{
	mrb_value known;
	mrb_bool failed = FALSE;
	if (val_spread(r->l, st, v, items, n))
		return;
	if (v.kind == V_CHOICE || (v.kind != V_STATIC && val_responds(r->l, v, "to_a")))
		lift_refuse(r->l, "splat an array whose length is known when the policy is compiled",
		            "a splat of an array that depends on the request");
	struct val *one = arena_alloc(r->l->arena, sizeof *one);
	*one = v;
	*items = one;
	*n = 1;
	if (v.kind == V_STATIC) {
		known = mrb_protect_error(r->l->mrb, splat_body, &v.u.st, &failed);
		if (failed)
			lift_refuse(r->l, "splat an Array: *[1, 2]", "this cannot be splatted");
		val_items(r->l, st, val_static(known), items, n);
	}
}

struct val run_joined(struct run *r, struct state *st, struct val a, struct val b)
{
	const struct val *x = NULL, *y;
	size_t n = 0, m;
	if (!val_is_nil(a))
		run_splat(r, st, a, &x, &n);
	run_splat(r, st, b, &y, &m);
	struct val *all = arena_alloc(r->l->arena, (n + m + 1) * sizeof *all);
	if (n)
		memcpy(all, x, n * sizeof *all);
	if (m)
		memcpy(all + n, y, m * sizeof *all);
	return val_array(r->l, st, all, n + m);
}

/* The arrays a value can be when it is spread over variables; a value that is no
 * array stands for an array of itself. */
void run_spread(struct run *r, struct state *st, const struct val *v, const struct val **items, size_t *n)
{
	if (val_spread(r->l, st, *v, items, n))
		return;
	const struct arm *arms;
	size_t count = val_arms(r->l, st, *v, &arms);
	for (size_t i = 0; i < count; i++)
		if (val_is_array(arms[i].v))
			lift_refuse(r->l, "take the elements by index",
			            "an array of a length that depends on the request, spread over variables");
	*items = v;
	*n = 1;
}

struct val run_element(struct run *r, struct state *st, struct val v, uint32_t i)
{
	const struct val *items;
	size_t n;
	run_spread(r, st, &v, &items, &n);
	return i < n ? items[i] : val_nil();
}

/* *R[a], R[a+1]..R[a+c] = R[a][b..] */
void run_destructure(struct run *r, struct state *st, const struct insn *in)
{
	struct val v = run_get(r, st, in->a);
	const struct val *items;
	size_t n, rest;
	run_spread(r, st, &v, &items, &n);
	rest = n > in->b + in->c ? n - in->b - in->c : 0;
	size_t first = in->b < n ? in->b : n;
	struct val array = val_array(r->l, st, items + first, rest);
	for (uint32_t i = 0; i < in->c; i++)
		run_set(r, st, in->a + 1 + i, in->b + rest + i < n ? items[in->b + rest + i] : val_nil());
	run_set(r, st, in->a, array);
}

struct ends { mrb_value lo, hi; mrb_bool exclusive; };

static mrb_value range_body(mrb_state *mrb, void *p)
{
	struct ends *e = p;
	return mrb_range_new(mrb, e->lo, e->hi, e->exclusive);
}

/* Does `a <=> b` give a number, one of them being known at run time only? */
static bool may_be_compared(struct lifter *l, struct val a, struct val b)
{
	struct val other = a.kind == V_COMM ? b : a;
	if (a.kind != V_COMM && b.kind != V_COMM) {
		struct val strange = a.kind != V_INT && a.kind != V_STATIC ? a : b;
		if (strange.kind != V_INT && strange.kind != V_STATIC)
			lift_refuse(l, "compare the values themselves with <= and >=", "a range whose ends or value are %s",
			            val_describe(l, strange));
		return val_is_number(a) && val_is_number(b);
	}
	return other.kind == V_COMM || (other.kind == V_STATIC && mrb_string_p(other.u.st));
}

/* lo..hi, neither of them a choice. Ruby makes no range of values that it cannot compare. */
static struct flow make_range(struct lifter *l, struct state *st, int exclusive, struct val lo, struct val hi)
{
	mrb_bool failed = FALSE;
	if (lo.kind == V_STATIC && hi.kind == V_STATIC) {
		struct ends e = {lo.u.st, hi.u.st, exclusive};
		mrb_value v = mrb_protect_error(l->mrb, range_body, &e, &failed);
		if (!failed)
			return flow_value(st, val_static(v));
	} else if (val_is_nil(lo) || val_is_nil(hi) || may_be_compared(l, lo, hi)) {
		struct range_val *range = arena_alloc(l->arena, sizeof *range);
		*range = (struct range_val){lo, hi, exclusive};
		return flow_value(st, (struct val){.kind = V_RANGE, .u.range = range});
	}
	lift_raise(l, st, mrb_class_get(l->mrb, "ArgumentError"), "bad value for range");
	return (struct flow){0};
}

struct flow run_make_range(struct run *r, struct state *st, const struct insn *in, bool exclusive)
{
	return lift_pairs(r->l, st, make_range, exclusive, run_get(r, st, in->a), run_get(r, st, in->a + 1));
}

struct val run_pool_string(struct run *r, uint32_t i)
{
	const mrb_pool_value *p = &r->fr->irep->pool[i];
	return val_static(mrb_str_new(r->l->mrb, p->u.str, p->tt >> 2));
}

struct val run_pool_number(struct run *r, uint32_t i)
{
	const mrb_pool_value *p = &r->fr->irep->pool[i];
	switch (p->tt) {
	case IREP_TT_INT32: return val_static(mrb_int_value(r->l->mrb, p->u.i32));
	case IREP_TT_INT64: return val_static(mrb_int_value(r->l->mrb, p->u.i64));
	case IREP_TT_FLOAT: return val_static(mrb_float_value(r->l->mrb, p->u.f));
	default: lift_refuse(r->l, "write a smaller number: an Integer has 64 bits", "a number this version does not know");
	}
}

void run_append_string(struct run *r, struct state *st, const struct insn *in)
{
	mrb_value a, b;
	struct val text = {.kind = V_TEXT};
	if (val_known(r->l, st, run_get(r, st, in->a), &a) && val_known(r->l, st, run_get(r, st, in->a + 1), &b)) {
		text = val_static(mrb_str_dup(r->l->mrb, a));
		mrb_str_concat(r->l->mrb, text.u.st, b);
	}
	run_set(r, st, in->a, text);
}

/* Pairs from registers on, one after the other: a key given twice keeps its last value. */
void run_add_pairs(struct run *r, struct state *st, struct val hash, uint32_t first, uint32_t n)
{
	if (hash.kind != V_HASH)
		lift_refuse(r->l, "build it outside of the block", "a hash that depends on the request");
	for (uint32_t i = 0; i < n; i++)
		hash_store(r->l, st, hash.u.cell, run_get(r, st, first + 2 * i), run_get(r, st, first + 2 * i + 1));
}

/* `{..., **other}` */
void run_add_hash(struct run *r, struct state *st, struct val hash, struct val other)
{
	const struct val *pairs;
	size_t n;
	if (hash.kind != V_HASH || !val_pairs(r->l, st, other, &pairs, &n))
		lift_refuse(r->l, "write its pairs", "a hash made of another that depends on the request");
	for (size_t i = 0; i < n; i += 2)
		hash_store(r->l, st, hash.u.cell, pairs[i], pairs[i + 1]);
}

