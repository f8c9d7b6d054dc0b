/*
 * ops.c - arithmetic of Integers, as mruby 3.1 defines it.
 *
 * Operands are no choices. Where an operation can leave 64 bits on some path
 * the block is refused: mruby raises there, and a rule that depends on it is a
 * mistake.
 */
#include "compiler/lift/flow.h"

static struct flow raised(struct lifter *l, struct state *st, struct RClass *class, const char *text)
{
	lift_raise(l, st, class, "%s", text);
	return (struct flow){0};
}

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

/* A raw program computes with all 64 bits of what has 64 bits: as C does, it wraps. */
static bool wraps(const struct lifter *l, struct bounds a, struct bounds b)
{
	return l->raw && (a.lo == INT64_MIN || a.hi == INT64_MAX || b.lo == INT64_MIN || b.hi == INT64_MAX);
}

enum { PATHS_DEEP = 5 };

/* Does the result stay within 64 bits? Where both operands differ by path they may be large on
 * different ones only: then each path is looked at. */
static bool stays(struct lifter *l, term given, enum term_op op, term a, term b, int depth)
{
	struct bounds x, y;
	term_range_given(l->terms, given, a, &x.lo, &x.hi);
	term_range_given(l->terms, given, b, &y.lo, &y.hi);
	if (fits(op, x, y) || given == T_FALSE || wraps(l, x, y))
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
		if (path_assume(l, by_zero, zero))
			lift_raise(l, by_zero, error, "divided by 0");
		if (!path_assume(l, st, term_not(ts, zero)))
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
	if (!fits(TERM_SHL, bounds_of(l, st, a), y) && !(y.hi < 64 && wraps(l, bounds_of(l, st, a), y)))
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
		if (val_is_float(a) || val_is_float(b))
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
