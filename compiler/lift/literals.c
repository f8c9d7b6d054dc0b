/*
 * literals.c - values as code writes them: numbers, strings and symbols; arrays, ranges and
 * hashes that it builds, spreads and takes apart.
 */
#include "compiler/lift/run.h"

#include <string.h>

/* ---- numbers, symbols, strings ------------------------------------------------------------- */

static mrb_value pool_string(struct run *r, uint32_t i)
{
	const mrb_pool_value *p = &r->fr->irep->pool[i];
	return mrb_str_new(r->l->mrb, p->u.str, p->tt >> 2);
}

static mrb_value pool_number(struct run *r, uint32_t i)
{
	const mrb_pool_value *p = &r->fr->irep->pool[i];
	switch (p->tt) {
	case IREP_TT_INT32: return mrb_int_value(r->l->mrb, p->u.i32);
	case IREP_TT_INT64: return mrb_int_value(r->l->mrb, p->u.i64);
	case IREP_TT_FLOAT: return mrb_float_value(r->l->mrb, p->u.f);
	default: lift_refuse(r->l, "write a smaller number: an Integer has 64 bits", "a number this version does not know");
	}
}

static void append_string(struct run *r, struct state *st, const struct insn *in)
{
	mrb_value a, b;
	struct val text = {.kind = V_TEXT};
	if (val_known(r->l, st, run_get(r, st, in->a), &a) && val_known(r->l, st, run_get(r, st, in->a + 1), &b)) {
		text = val_static(mrb_str_dup(r->l->mrb, a));
		mrb_str_concat(r->l->mrb, text.u.st, b);
	}
	run_set(r, st, in->a, text);
}

bool run_literal(struct run *r, struct state *st, const struct insn *in)
{
	mrb_state *mrb = r->l->mrb;
	mrb_value v;
	switch (in->op) {
	case OP_LOADL: v = pool_number(r, in->b); break;
	case OP_LOADI: v = mrb_int_value(mrb, in->b); break;
	case OP_LOADINEG: v = mrb_int_value(mrb, -(mrb_int)in->b); break;
	case OP_LOADI__1: case OP_LOADI_0: case OP_LOADI_1: case OP_LOADI_2: case OP_LOADI_3:
	case OP_LOADI_4: case OP_LOADI_5: case OP_LOADI_6: case OP_LOADI_7:
		v = mrb_int_value(mrb, (mrb_int)in->op - OP_LOADI_0);
		break;
	case OP_LOADI16: v = mrb_int_value(mrb, (int16_t)in->b); break;
	case OP_LOADI32: v = mrb_int_value(mrb, (int32_t)(in->b << 16 | in->c)); break;
	case OP_LOADSYM: v = mrb_symbol_value(r->fr->irep->syms[in->b]); break;
	case OP_LOADNIL:
	case OP_EXCEPT: v = mrb_nil_value(); break; /* EXCEPT: reached without an exception */
	case OP_LOADT: v = mrb_true_value(); break;
	case OP_LOADF: v = mrb_false_value(); break;
	case OP_STRING: v = pool_string(r, in->b); break;
	case OP_SYMBOL: v = mrb_symbol_value(mrb_intern_str(mrb, pool_string(r, in->b))); break;
	case OP_OCLASS: v = mrb_obj_value(mrb->object_class); break;
	default: return false;
	}
	run_set(r, st, in->a, val_static(v));
	return true;
}

/* ---- arrays -------------------------------------------------------------------------------- */

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

static struct val joined(struct run *r, struct state *st, struct val a, struct val b)
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

/* A value that is no array stands for an array of itself. */
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

static struct val element(struct run *r, struct state *st, struct val v, uint32_t i)
{
	const struct val *items;
	size_t n;
	run_spread(r, st, &v, &items, &n);
	return i < n ? items[i] : val_nil();
}

/* *R[a], R[a+1]..R[a+c] = R[a][b..] */
static void destructure(struct run *r, struct state *st, const struct insn *in)
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

/* ---- ranges -------------------------------------------------------------------------------- */

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
	if ((a.kind != V_COMM && b.kind != V_COMM) || other.kind == V_PATH) {
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

/* ---- hashes -------------------------------------------------------------------------------- */

void run_add_pairs(struct run *r, struct state *st, struct val hash, uint32_t first, uint32_t n)
{
	if (hash.kind != V_HASH)
		lift_refuse(r->l, "build it outside of the block", "a hash that depends on the request");
	for (uint32_t i = 0; i < n; i++)
		hash_store(r->l, st, hash.u.cell, run_get(r, st, first + 2 * i), run_get(r, st, first + 2 * i + 1));
}

/* `{..., **other}` */
static void add_hash(struct run *r, struct state *st, struct val hash, struct val other)
{
	const struct val *pairs;
	size_t n;
	if (hash.kind != V_HASH || !val_pairs(r->l, st, other, &pairs, &n))
		lift_refuse(r->l, "write its pairs", "a hash made of another that depends on the request");
	for (size_t i = 0; i < n; i += 2)
		hash_store(r->l, st, hash.u.cell, pairs[i], pairs[i + 1]);
}

bool run_collection(struct run *r, struct state *st, const struct insn *in)
{
	struct lifter *l = r->l;
	struct val v;
	switch (in->op) {
	case OP_STRCAT: append_string(r, st, in); return true;
	case OP_ARRAY: v = val_array(l, st, run_registers(r, st, in->a, in->b), in->b); break;
	case OP_ARRAY2: v = val_array(l, st, run_registers(r, st, in->b, in->c), in->c); break;
	case OP_ARYCAT: v = joined(r, st, run_get(r, st, in->a), run_get(r, st, in->a + 1)); break;
	case OP_SPLAT: v = joined(r, st, val_nil(), run_get(r, st, in->a)); break;
	case OP_ARYPUSH:
		v = val_array(l, st, run_registers(r, st, in->a + 1, in->b), in->b);
		v = joined(r, st, run_get(r, st, in->a), v);
		break;
	case OP_AREF: v = element(r, st, run_get(r, st, in->b), in->c); break;
	case OP_APOST: destructure(r, st, in); return true;
	case OP_HASH:
		v = val_hash(l, st, NULL, 0);
		run_add_pairs(r, st, v, in->a, in->b);
		break;
	case OP_HASHCAT: add_hash(r, st, run_get(r, st, in->a), run_get(r, st, in->a + 1)); return true;
	case OP_HASHADD: run_add_pairs(r, st, run_get(r, st, in->a), in->a + 1, in->b); return true;
	default: return false;
	}
	run_set(r, st, in->a, v);
	return true;
}
