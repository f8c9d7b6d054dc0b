/*
 * ops.c - operators of Integer and comparisons, as mruby 3.1 defines them.
 *
 * Operands are no choices. Where an operation can leave 64 bits on some path
 * the block is refused: mruby raises there, and a rule that depends on it is a
 * mistake.
 */
#include "compiler/lift/lift.h"

#include <math.h>
#include <string.h>

static struct flow raised(struct lifter *l, struct state *st, struct RClass *class, const char *text)
{
	lift_raise(l, st, class, "%s", text);
	return (struct flow){0};
}

/* ---- arithmetic -------------------------------------------------------------------- */

struct bounds { int64_t lo, hi; };

static struct bounds bounds_of(struct lifter *l, const struct state *st, term t)
{
	struct bounds b;
	term_range_given(l->terms, st->guard->full, t, &b.lo, &b.hi);
	return b;
}

static bool fits(enum term_op op, struct bounds a, struct bounds b)
{
	__int128 c[4] = {0}, x[2] = {a.lo, a.hi}, y[2] = {b.lo, b.hi};
	for (int i = 0; i < 4; i++) {
		__int128 p = x[i & 1], q = y[i >> 1];
		c[i] = op == TERM_ADD ? p + q : op == TERM_SUB ? p - q : op == TERM_MUL ? p * q
		       : p * ((__int128)1 << (q < 64 ? q : 64));
		if (c[i] < INT64_MIN || c[i] > INT64_MAX)
			return false;
	}
	return true;
}

enum { PATHS_DEEP = 5 };

/* Does the result stay within 64 bits? Where both operands differ by path they may be large on
 * different ones only: then each path is looked at. */
static bool stays(struct lifter *l, term given, enum term_op op, term a, term b, int depth)
{
	struct bounds x, y;
	term_range_given(l->terms, given, a, &x.lo, &x.hi);
	term_range_given(l->terms, given, b, &y.lo, &y.hi);
	if (fits(op, x, y) || given == T_FALSE)
		return true;
	term choice = term_get(l->terms, a)->op == TERM_ITE ? a : b;
	struct term_node n = *term_get(l->terms, choice);
	if (n.op != TERM_ITE || depth == PATHS_DEEP)
		return false;
	for (int i = 0; i < 2; i++) {
		term arm = i ? n.b : n.a, path = term_and(l->terms, given, i ? term_not(l->terms, n.c) : n.c);
		if (!stays(l, path, op, choice == a ? arm : a, a == choice && a != b ? b : arm, depth + 1))
			return false;
	}
	return true;
}

static struct flow divide(struct lifter *l, struct state *st, bool modulo, term a, term b)
{
	struct terms *ts = l->terms;
	struct bounds y = bounds_of(l, st, b);
	term zero = term_eq(ts, b, term_const(ts, 0));
	struct RClass *error = mrb_class_get(l->mrb, "ZeroDivisionError");
	if (zero == T_TRUE)
		return raised(l, st, error, "divided by 0");
	if (zero != T_FALSE && y.lo <= 0 && y.hi >= 0) {
		struct state *by_zero = state_fork(l, st);
		if (state_assume(l, by_zero, zero))
			lift_raise(l, by_zero, error, "divided by 0");
		if (!state_assume(l, st, term_not(ts, zero)))
			return (struct flow){0};
	}
	enum term_op op = modulo ? TERM_MOD : TERM_DIV;
	term positive = term_op(ts, op, a, b);
	if (y.lo >= 0)
		return flow_value(st, val_int(l, positive));
	/* a / b is -a / -b, and a % b is -(-a % -b) */
	term nought = term_const(ts, 0), na = term_op(ts, TERM_SUB, nought, a);
	if (bounds_of(l, st, a).lo == INT64_MIN || y.lo == INT64_MIN)
		lift_refuse(l, "keep the divisor positive", "a division may leave 64 bits");
	term negative = term_op(ts, op, na, term_op(ts, TERM_SUB, nought, b));
	if (modulo)
		negative = term_op(ts, TERM_SUB, nought, negative);
	term below = term_lt(ts, b, nought);
	if (y.hi < 0 || below == T_TRUE)
		return flow_value(st, val_int(l, negative));
	return flow_value(st, val_choice2(l, below, val_int(l, negative), term_not(ts, below),
	                                  val_int(l, positive)));
}

static struct flow shift_right(struct lifter *l, struct state *st, term a, term b, struct bounds y)
{
	struct terms *ts = l->terms;
	term sign = term_op(ts, TERM_SHR, a, term_const(ts, 63));
	if (y.lo > 63)
		return flow_value(st, val_int(l, sign));
	term shifted = term_op(ts, TERM_SHR, a, b);
	if (y.hi <= 63)
		return flow_value(st, val_int(l, shifted));
	term small = term_le(ts, b, term_const(ts, 63));
	return flow_value(st, val_choice2(l, small, val_int(l, shifted), term_not(ts, small),
	                                  val_int(l, sign)));
}

static struct flow shift(struct lifter *l, struct state *st, bool left, term a, term b)
{
	struct bounds y = bounds_of(l, st, b);
	if (y.hi < 0 && y.lo > INT64_MIN) { /* a negative count shifts the other way */
		left = !left;
		b = term_op(l->terms, TERM_SUB, term_const(l->terms, 0), b);
		y = (struct bounds){-y.hi, -y.lo};
	}
	if (y.lo < 0)
		lift_refuse(l, "compare the count with 0 before shifting",
		            "the count of a shift may be negative on one request and not on another");
	if (!left)
		return shift_right(l, st, a, b, y);
	if (!fits(TERM_SHL, bounds_of(l, st, a), y))
		lift_refuse(l, "compare the count before shifting, for example `n < 32 && (1 << n) & mask != 0`",
		            "a shift may leave 64 bits");
	return flow_value(st, val_int(l, term_op(l->terms, TERM_SHL, a, b)));
}

static const char *op_text(enum term_op op)
{
	switch (op) {
	case TERM_ADD: return "an addition";
	case TERM_SUB: return "a subtraction";
	default: return "a multiplication";
	}
}

struct flow lift_binary(struct lifter *l, struct state *st, enum term_op op, struct val a, struct val b)
{
	term x, y;
	if (!val_as_term(l, a, &x) || !val_as_term(l, b, &y)) {
		if ((a.kind == V_STATIC && mrb_float_p(a.u.st)) || (b.kind == V_STATIC && mrb_float_p(b.u.st)))
			lift_refuse(l, "BPF has integers only: use Integer arithmetic (a Float may be compared with)",
			            "Float arithmetic on a value that is known only when a device is asked for");
		return raised(l, st, mrb_class_get(l->mrb, "TypeError"),
		              arena_printf(l->arena, "can't convert %s into Integer",
		                           val_describe(l, b)));
	}
	switch (op) {
	case TERM_DIV:
	case TERM_MOD: return divide(l, st, op == TERM_MOD, x, y);
	case TERM_SHL:
	case TERM_SHR: return shift(l, st, op == TERM_SHL, x, y);
	case TERM_ADD:
	case TERM_SUB:
	case TERM_MUL:
		if (!stays(l, st->guard->full, op, x, y, 0))
			lift_refuse(l, "compare the operands with limits before, or use smaller numbers",
			            "%s may leave 64 bits", op_text(op));
		break;
	default: break;
	}
	return flow_value(st, val_int(l, term_op(l->terms, op, x, y)));
}

struct flow lift_negate(struct lifter *l, struct state *st, struct val a)
{
	return lift_binary(l, st, TERM_SUB, val_static(mrb_int_value(l->mrb, 0)), a);
}

/* ---- comparisons ---------------------------------------------------------------------- */

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

static struct three compare_numbers(struct lifter *l, struct val a, struct val b)
{
	struct terms *ts = l->terms;
	term x, y;
	bool ia = val_as_term(l, a, &x), ib = val_as_term(l, b, &y);
	if (ia && ib)
		return (struct three){term_lt(ts, x, y), term_eq(ts, x, y), true};
	if (a.kind == V_STATIC && b.kind == V_STATIC && mrb_float_p(a.u.st) && mrb_float_p(b.u.st)) {
		double f = mrb_float(a.u.st), g = mrb_float(b.u.st);
		return (struct three){f < g ? T_TRUE : T_FALSE, f == g ? T_TRUE : T_FALSE, !isnan(f) && !isnan(g)};
	}
	if (ia && b.kind == V_STATIC && mrb_float_p(b.u.st)) {
		double f = mrb_float(b.u.st);
		return (struct three){float_less(l, x, f, false), float_equal(l, x, f), !isnan(f)};
	}
	if (ib && a.kind == V_STATIC && mrb_float_p(a.u.st)) {
		double f = mrb_float(a.u.st);
		return (struct three){isnan(f) ? T_FALSE : term_not(ts, float_less(l, y, f, true)),
		                      float_equal(l, y, f), !isnan(f)};
	}
	return (struct three){0};
}

struct flow lift_compare(struct lifter *l, struct state *st, enum compare_op op, struct val a, struct val b)
{
	struct terms *ts = l->terms;
	if (op == OP2_EQ)
		return flow_value(st, val_bool(l, lift_equal(l, st, a, b, false)));
	if (!val_is_number(a) || !val_is_number(b)) {
		if (op == OP2_CMP)
			return flow_value(st, val_nil());
		return raised(l, st, mrb_class_get(l->mrb, "ArgumentError"),
		              arena_printf(l->arena, "comparison of %s with %s failed",
		                           val_describe(l, a), val_describe(l, b)));
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

/* ---- equality ---------------------------------------------------------------------------- */

void lift_refuse_text(struct lifter *l, struct val v)
{
	if (v.kind == V_TEXT)
		lift_refuse(l, "compare the values themselves instead of a text made from them",
		            "a string made from a value that is known only when a device is asked for");
}

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

static term equal_arms(struct lifter *l, const struct state *st, struct val a, struct val b, bool eql, int depth);

static term equal_arrays(struct lifter *l, const struct state *st, struct val a, struct val b, bool eql,
                         int depth)
{
	const struct val *x, *y;
	size_t n, m;
	if (class_redefines(l, val_class(l, a), eql ? "eql?" : "=="))
		lift_refuse(l, "give the method another name", "Array#%s is redefined", eql ? "eql?" : "==");
	if (!val_items(l, st, a, &x, &n) || !val_items(l, st, b, &y, &m))
		lift_refuse(l, "compare the elements one by one",
		            "comparison of arrays whose length depends on the request");
	if (n != m)
		return T_FALSE;
	term all = T_TRUE;
	for (size_t i = 0; i < n && all != T_FALSE; i++)
		all = term_and(l->terms, all, equal_arms(l, st, x[i], y[i], eql, depth + 1));
	return all;
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

static term equal_at(struct lifter *l, const struct state *st, struct val a, struct val b, bool eql, int depth)
{
	if (depth > 32)
		lift_refuse(l, "compare the elements one by one", "arrays nest too deep to compare");
	if (val_is_array(a) && val_is_array(b) && (a.kind != V_STATIC || b.kind != V_STATIC))
		return equal_arrays(l, st, a, b, eql, depth);
	if (a.kind == V_STATIC && b.kind == V_STATIC && mrb_float_p(a.u.st) && mrb_float_p(b.u.st))
		return mrb_float(a.u.st) == mrb_float(b.u.st) ? T_TRUE : T_FALSE; /* a NaN is no key again */
	if (eql && a.kind == V_STATIC && b.kind == V_STATIC && mrb_string_p(a.u.st) && mrb_string_p(b.u.st))
		return mrb_str_equal(l->mrb, a.u.st, b.u.st) ? T_TRUE : T_FALSE;
	if (a.kind == V_STATIC && b.kind == V_STATIC)
		return (eql ? mrb_eql(l->mrb, a.u.st, b.u.st) : mrb_equal(l->mrb, a.u.st, b.u.st)) ? T_TRUE
		                                                                                  : T_FALSE;
	if (val_is_number(a) && val_is_number(b)) {
		bool mixed = (a.kind == V_STATIC && mrb_float_p(a.u.st)) ||
		             (b.kind == V_STATIC && mrb_float_p(b.u.st));
		return eql && mixed ? T_FALSE : compare_numbers(l, a, b).equal;
	}
	if (a.kind == V_COMM && b.kind == V_COMM)
		return T_TRUE;
	if (has_own_equality(l, a) || has_own_equality(l, b))
		lift_refuse(l, "compare its fields", "comparison of an object of the policy's own with the request");
	lift_refuse_text(l, a);
	lift_refuse_text(l, b);
	if (a.kind == V_HASH || b.kind == V_HASH)
		lift_refuse(l, "compare its values", "comparison of a hash made in the block");
	if (a.kind == V_RANGE || b.kind == V_RANGE)
		lift_refuse(l, "compare its ends", "comparison of a range made from the request");
	struct val s = a.kind == V_COMM ? b : a;
	if ((a.kind == V_COMM || b.kind == V_COMM) && s.kind == V_STATIC && mrb_string_p(s.u.st))
		return comm_matches(l, 0, RSTRING_PTR(s.u.st), (size_t)RSTRING_LEN(s.u.st), true);
	if (a.kind == b.kind && a.kind == V_CTX)
		return T_TRUE;
	if (a.kind == V_OBJECT && b.kind == V_OBJECT && a.u.object == b.u.object)
		return T_TRUE;
	if (a.kind == V_CLOSURE && b.kind == V_CLOSURE && a.u.closure == b.u.closure)
		return T_TRUE;
	return T_FALSE;
}

static term equal_arms(struct lifter *l, const struct state *st, struct val a, struct val b, bool eql, int depth)
{
	const struct arm *x, *y;
	size_t n = val_arms(l, st, a, &x), m = val_arms(l, st, b, &y);
	term any = T_FALSE;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < m; j++) {
			term both = term_and(l->terms, x[i].guard, y[j].guard);
			if (both != T_FALSE)
				any = term_or(l->terms, any,
				              term_and(l->terms, both,
				                       equal_at(l, st, x[i].v, y[j].v, eql, depth)));
		}
	return any;
}

term lift_equal(struct lifter *l, const struct state *st, struct val a, struct val b, bool eql)
{
	return equal_arms(l, st, a, b, eql, 0);
}
