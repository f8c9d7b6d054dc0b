/*
 * compare.c - comparisons and equality of values that are no choices, as mruby 3.1 defines them.
 */
#include "compiler/lift/flow.h"

#include <math.h>
#include <string.h>

/* ---- numbers ------------------------------------------------------------------------------- */

/* x < f, x <= f and x == f for a Float, exactly. */
static term float_less(struct lifter *l, term x, double f, bool or_equal)
{
	double whole = floor(f);
	if (isnan(f))
		return T_FALSE;
	if (whole >= 9223372036854775808.0)
		return T_TRUE;
	if (whole < -9223372036854775808.0)
		return T_FALSE;
	term k = term_const(l->terms, (int64_t)whole);
	/* x < 3.5 is x <= 3; x < 3.0 is x < 3; x <= f is x <= floor(f) */
	return whole == f && !or_equal ? term_lt(l->terms, x, k) : term_le(l->terms, x, k);
}

static term float_equal(struct lifter *l, term x, double f)
{
	if (isnan(f) || floor(f) != f || f >= 9223372036854775808.0 || f < -9223372036854775808.0)
		return T_FALSE;
	return term_eq(l->terms, x, term_const(l->terms, (int64_t)f));
}

struct three { term less, equal; bool comparable; }; /* neither: greater (or not comparable) */

/* Both are numbers. */
static struct three compare_numbers(struct lifter *l, struct val a, struct val b)
{
	struct terms *ts = l->terms;
	term x, y;
	bool ia = val_as_term(l, a, &x), ib = val_as_term(l, b, &y);
	double f = ia ? 0 : mrb_float(a.u.st), g = ib ? 0 : mrb_float(b.u.st);
	if (ia && ib)
		return (struct three){term_lt(ts, x, y), term_eq(ts, x, y), true};
	if (ia)
		return (struct three){float_less(l, x, g, false), float_equal(l, x, g), !isnan(g)};
	if (ib)
		return (struct three){isnan(f) ? T_FALSE : term_not(ts, float_less(l, y, f, true)),
		                      float_equal(l, y, f), !isnan(f)};
	return (struct three){f < g ? T_TRUE : T_FALSE, f == g ? T_TRUE : T_FALSE, !isnan(f) && !isnan(g)};
}

struct flow lift_compare(struct lifter *l, struct state *st, enum compare_op op, struct val a, struct val b)
{
	struct terms *ts = l->terms;
	if (op == OP2_EQ)
		return flow_value(st, val_bool(l, lift_equal(l, st, a, b, false)));
	if (!val_is_number(a) || !val_is_number(b)) {
		if (op == OP2_CMP)
			return flow_value(st, val_nil());
		lift_raise(l, st, mrb_class_get(l->mrb, "ArgumentError"), "comparison of %s with %s failed",
		           val_describe(l, a), val_describe(l, b));
		return (struct flow){0};
	}
	struct three c = compare_numbers(l, a, b);
	if (!c.comparable) /* with NaN */
		return flow_value(st, op == OP2_CMP ? val_nil() : val_bool(l, T_FALSE));
	term le = term_or(ts, c.less, c.equal);
	switch (op) {
	case OP2_LT: return flow_value(st, val_bool(l, c.less));
	case OP2_LE: return flow_value(st, val_bool(l, le));
	case OP2_GT: return flow_value(st, val_bool(l, term_not(ts, le)));
	case OP2_GE: return flow_value(st, val_bool(l, term_not(ts, c.less)));
	default: break;
	}
	struct arm arms[] = {
		{c.less, val_static(mrb_int_value(l->mrb, -1))},
		{c.equal, val_static(mrb_int_value(l->mrb, 0))},
		{term_not(ts, le), val_static(mrb_int_value(l->mrb, 1))},
	};
	return flow_value(st, val_from_arms(l, arms, 3));
}

/* ---- ctx.comm ------------------------------------------------------------------------------ */

/* Bytes at..at+n of comm equal those given: a masked comparison of each word. */
term comm_matches(struct lifter *l, size_t at, const char *bytes, size_t n, bool whole)
{
	unsigned char want[COMM_SIZE] = {0}, mask[COMM_SIZE] = {0};
	/* comm ends with a NUL: 15 bytes at most, and no NUL in them */
	if (at + n > COMM_SIZE - 1 || memchr(bytes, 0, n))
		return T_FALSE;
	memcpy(want + at, bytes, n);
	memset(mask + at, 0xff, n + (whole ? 1 : 0));
	term all = T_TRUE;
	for (int w = 0; w < 2; w++) {
		int64_t k, m;
		memcpy(&k, want + 8 * w, 8);
		memcpy(&m, mask + 8 * w, 8);
		term word = term_input(l->terms, w ? IN_COMM_1 : IN_COMM_0);
		if (whole && at == 0) /* the kernel pads with NULs */
			m = -1;
		term masked = term_op(l->terms, TERM_BAND, word, term_const(l->terms, m));
		all = term_and(l->terms, all, term_eq(l->terms, masked, term_const(l->terms, k)));
	}
	return all;
}

/* ---- equality ------------------------------------------------------------------------------ */

enum { NESTING_MAX = 32 };

/* What is asked of two values: == or eql?, so deep in arrays. */
struct equality {
	struct lifter *l;
	const struct state *st;
	bool eql;
	int depth;
};

static term equal_arms(const struct equality *e, struct val a, struct val b);

static bool is_known(struct val v)
{
	return v.kind == V_STATIC;
}

/* What mruby says. */
static term equal_known(const struct equality *e, struct val x, struct val y)
{
	mrb_state *mrb = e->l->mrb;
	mrb_value a = x.u.st, b = y.u.st;
	bool equal;
	if (mrb_float_p(a) && mrb_float_p(b))
		equal = mrb_float(a) == mrb_float(b); /* a NaN is no key again */
	else if (!e->eql)
		equal = mrb_equal(mrb, a, b);
	else
		equal = mrb_string_p(a) && mrb_string_p(b) ? mrb_str_equal(mrb, a, b) : mrb_eql(mrb, a, b);
	return equal ? T_TRUE : T_FALSE;
}

static term equal_arrays(const struct equality *e, struct val a, struct val b)
{
	struct lifter *l = e->l;
	struct equality inside = *e;
	const char *method = e->eql ? "eql?" : "==";
	const struct val *x, *y;
	size_t n, m;
	if (class_redefines(l, val_class(l, a), method))
		lift_refuse(l, "give the method another name", "Array#%s is redefined", method);
	if (!val_items(l, e->st, a, &x, &n) || !val_items(l, e->st, b, &y, &m))
		lift_refuse(l, "compare the elements one by one",
		            "comparison of arrays whose length depends on the request");
	if (n != m)
		return T_FALSE;
	term all = T_TRUE;
	inside.depth++;
	for (size_t i = 0; i < n && all != T_FALSE; i++)
		all = term_and(l->terms, all, equal_arms(&inside, x[i], y[i]));
	return all;
}

/* 1.eql?(1.0) is false. */
static term equal_numbers(const struct equality *e, struct val a, struct val b)
{
	bool mixed = val_is_float(a) || val_is_float(b);
	return e->eql && mixed ? T_FALSE : compare_numbers(e->l, a, b).equal;
}

/* An object of the policy's own that answers itself whether it is equal. */
static bool has_own_equality(struct lifter *l, struct val v)
{
	if (v.kind != V_OBJECT && (v.kind != V_STATIC || mrb_type(v.u.st) != MRB_TT_OBJECT))
		return false;
	static const char *const questions[] = {"==", "eql?", "hash"};
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		struct RClass *class = val_class(l, v), *object = l->mrb->object_class;
		mrb_sym name = mrb_intern_cstr(l->mrb, questions[i]);
		mrb_method_t own = mruby_method(l->mrb, &class, name);
		mrb_method_t usual = mruby_method(l->mrb, &object, name);
		if (!MRB_METHOD_CFUNC_P(own) || MRB_METHOD_CFUNC(own) != MRB_METHOD_CFUNC(usual))
			return true;
	}
	return false;
}

/* A path that is compared as a file: with a path that is known, which is its name in programs. */
static term equal_path(struct lifter *l, struct val path, struct val other)
{
	struct who_fault f;
	int64_t value;
	const char *name = val_describe(l, path);
	if (other.kind == V_PATH || other.kind == V_COMM)
		lift_refuse(l, arena_printf(l->arena, "write the path: %s == \"/usr/bin/qemu-system-x86_64\"", name),
		            "%s is compared with %s, and a file is compared with a path that is known when the policy is compiled", name,
		            other.kind == V_COMM ? "ctx.comm" : val_describe(l, other));
	if (other.kind != V_STATIC || !mrb_string_p(other.u.st))
		return T_FALSE;
	if (who_file(l->all->said, l->rb, other.u.st, lift_place(l), &value, &f))
		lift_refuse(l, f.hint, "%s", f.text);
	return term_eq(l->terms, path.u.t, term_const(l->terms, value));
}

/* Values of other kinds, or of two: some cannot be compared, the rest are equal to themselves. */
static term equal_others(const struct equality *e, struct val a, struct val b)
{
	static const struct { enum vkind kind; const char *hint, *text; } refused[] = {
		{V_HASH, "compare its values", "comparison of a hash made in the block"},
		{V_RANGE, "compare its ends", "comparison of a range made from the request"},
	};
	struct lifter *l = e->l;
	if (has_own_equality(l, a) || has_own_equality(l, b))
		lift_refuse(l, "compare its fields", "comparison of an object of the policy's own with the request");
	lift_refuse_text(l, a);
	lift_refuse_text(l, b);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (a.kind == refused[i].kind || b.kind == refused[i].kind)
			lift_refuse(l, refused[i].hint, "%s", refused[i].text);
	if (a.kind == V_PATH && val_same(l, a, b))
		return T_TRUE;
	if (a.kind == V_PATH || b.kind == V_PATH)
		return equal_path(l, a.kind == V_PATH ? a : b, a.kind == V_PATH ? b : a);
	if (a.kind == b.kind)
		return val_same(l, a, b) ? T_TRUE : T_FALSE;
	struct val s = a.kind == V_COMM ? b : a;
	if ((a.kind != V_COMM && b.kind != V_COMM) || s.kind != V_STATIC || !mrb_string_p(s.u.st))
		return T_FALSE;
	return comm_matches(l, 0, RSTRING_PTR(s.u.st), (size_t)RSTRING_LEN(s.u.st), true);
}

static term equal_at(const struct equality *e, struct val a, struct val b)
{
	static const struct {
		bool (*is)(struct val v);
		term (*equal)(const struct equality *e, struct val a, struct val b);
	} kinds[] = {
		{is_known, equal_known}, {val_is_array, equal_arrays}, {val_is_number, equal_numbers},
	};
	if (e->depth > NESTING_MAX)
		lift_refuse(e->l, "compare the elements one by one", "arrays nest too deep to compare");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (kinds[i].is(a) && kinds[i].is(b))
			return kinds[i].equal(e, a, b);
	return equal_others(e, a, b);
}

static term equal_arms(const struct equality *e, struct val a, struct val b)
{
	struct terms *ts = e->l->terms;
	const struct arm *x, *y;
	size_t n = val_arms(e->l, e->st, a, &x), m = val_arms(e->l, e->st, b, &y);
	term any = T_FALSE;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < m; j++) {
			term both = term_and(ts, x[i].guard, y[j].guard);
			if (both != T_FALSE)
				any = term_or(ts, any, term_and(ts, both, equal_at(e, x[i].v, y[j].v)));
		}
	return any;
}

term lift_equal(struct lifter *l, const struct state *st, struct val a, struct val b, bool eql)
{
	struct equality e = {l, st, eql, 0};
	return equal_arms(&e, a, b);
}
