/*
 * numbers.c - methods of numbers with runtime values.
 */
#include "compiler/lift/methods.h"

enum { UNARY_MINUS, UNARY_PLUS, UNARY_INVERT, UNARY_SUCC, UNARY_SAME, UNARY_ABS, UNARY_ZERO,
       UNARY_POSITIVE, UNARY_NEGATIVE, UNARY_NONZERO };
enum { BITS_ALL, BITS_ANY, BITS_NONE };

static struct flow h_arithmetic(struct lifter *l, struct state *st, const struct call *c, int op)
{
	if (c->n != 1)
		method_needs_known(l, c);
	return lift_binary(l, st, (enum term_op)op, c->recv, call_arg(c, 0));
}

static struct flow h_compare(struct lifter *l, struct state *st, const struct call *c, int op)
{
	if (c->n != 1)
		method_needs_known(l, c);
	return lift_compare(l, st, (enum compare_op)op, c->recv, call_arg(c, 0));
}

static struct flow h_power(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	struct val n = call_arg(c, 0), base = c->recv;
	(void)unused;
	if (c->n != 1 || n.kind != V_STATIC || !mrb_integer_p(n.u.st) || mrb_integer(n.u.st) < 0 || mrb_integer(n.u.st) > 63)
		method_needs_known(l, c);
	struct flow f = flow_value(st, val_static(mrb_int_value(l->mrb, 1)));
	for (mrb_int i = 0; i < mrb_integer(n.u.st); i++)
		f = lift_binary(l, f.ret, TERM_MUL, f.ret->result, base);
	return f;
}

static struct flow h_divmod(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	if (c->n != 1)
		method_needs_known(l, c);
	struct flow f = lift_binary(l, st, TERM_DIV, c->recv, call_arg(c, 0));
	if (!f.ret)
		return f;
	struct val both[2] = {f.ret->result};
	f = lift_binary(l, f.ret, TERM_MOD, c->recv, call_arg(c, 0));
	if (!f.ret)
		return f;
	both[1] = f.ret->result;
	return flow_value(f.ret, val_array(l, f.ret, both, 2));
}

static struct flow h_unary(struct lifter *l, struct state *st, const struct call *c, int which)
{
	struct terms *ts = l->terms;
	term x, zero = term_const(ts, 0);
	if (!val_as_term(l, c->recv, &x) || c->n)
		method_needs_known(l, c);
	term below = term_lt(ts, x, zero);
	switch (which) {
	case UNARY_MINUS: return lift_negate(l, st, c->recv);
	case UNARY_INVERT: return flow_value(st, val_int(l, term_op(ts, TERM_BXOR, x, term_const(ts, -1))));
	case UNARY_SUCC: return lift_binary(l, st, TERM_ADD, c->recv, val_static(mrb_int_value(l->mrb, 1)));
	case UNARY_ABS: {
		struct flow f = lift_negate(l, st, c->recv);
		return flow_value(f.ret, val_choice2(l, below, f.ret->result, term_not(ts, below), c->recv));
	}
	case UNARY_ZERO: return flow_value(st, val_bool(l, term_eq(ts, x, zero)));
	case UNARY_POSITIVE: return flow_value(st, val_bool(l, term_lt(ts, zero, x)));
	case UNARY_NEGATIVE: return flow_value(st, val_bool(l, below));
	case UNARY_NONZERO: {
		term nought = term_eq(ts, x, zero);
		return flow_value(st, val_choice2(l, nought, val_nil(), term_not(ts, nought), c->recv));
	}
	default: return flow_value(st, c->recv);
	}
}

static struct flow h_bits(struct lifter *l, struct state *st, const struct call *c, int which)
{
	struct terms *ts = l->terms;
	term x, mask;
	if (c->n != 1 || !val_as_term(l, c->recv, &x) || !val_as_term(l, call_arg(c, 0), &mask))
		method_needs_known(l, c);
	term common = term_op(ts, TERM_BAND, x, mask);
	term none = term_eq(ts, common, term_const(ts, 0));
	term answer = which == BITS_ALL ? term_eq(ts, common, mask) : which == BITS_NONE ? none
	                                                             : term_not(ts, none);
	return flow_value(st, val_bool(l, answer));
}

static struct flow h_between(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	if (c->n != 2)
		method_needs_known(l, c);
	struct flow lo = lift_compare(l, st, OP2_GE, c->recv, call_arg(c, 0));
	if (!lo.ret)
		return lo;
	term above = val_truth(l, lo.ret, lo.ret->result);
	struct flow hi = lift_compare(l, lo.ret, OP2_LE, c->recv, call_arg(c, 1));
	if (!hi.ret)
		return hi;
	term below = val_truth(l, hi.ret, hi.ret->result);
	return flow_value(hi.ret, val_bool(l, term_and(l->terms, above, below)));
}

const struct method number_methods[] = {
	BOTH("Integer", "+", h_arithmetic, TERM_ADD), BOTH("Integer", "-", h_arithmetic, TERM_SUB),
	BOTH("Integer", "*", h_arithmetic, TERM_MUL), BOTH("Integer", "/", h_arithmetic, TERM_DIV),
	BOTH("Integer", "div", h_arithmetic, TERM_DIV), BOTH("Integer", "%", h_arithmetic, TERM_MOD),
	BOTH("Integer", "modulo", h_arithmetic, TERM_MOD), BOTH("Integer", "&", h_arithmetic, TERM_BAND),
	BOTH("Integer", "|", h_arithmetic, TERM_BOR), BOTH("Integer", "^", h_arithmetic, TERM_BXOR),
	BOTH("Integer", "<<", h_arithmetic, TERM_SHL), BOTH("Integer", ">>", h_arithmetic, TERM_SHR),
	BOTH("Integer", "**", h_power, 0), BOTH("Integer", "divmod", h_divmod, 0),
	BOTH("Integer", "<", h_compare, OP2_LT), BOTH("Integer", "<=", h_compare, OP2_LE),
	BOTH("Integer", ">", h_compare, OP2_GT), BOTH("Integer", ">=", h_compare, OP2_GE),
	BOTH("Integer", "<=>", h_compare, OP2_CMP), BOTH("Integer", "-@", h_unary, UNARY_MINUS),
	BOTH("Integer", "+@", h_unary, UNARY_PLUS), BOTH("Integer", "~", h_unary, UNARY_INVERT),
	BOTH("Integer", "succ", h_unary, UNARY_SUCC), BOTH("Integer", "next", h_unary, UNARY_SUCC),
	BOTH("Integer", "to_i", h_unary, UNARY_SAME), BOTH("Integer", "to_int", h_unary, UNARY_SAME),
	BOTH("Integer", "floor", h_unary, UNARY_SAME), BOTH("Integer", "ceil", h_unary, UNARY_SAME),
	BOTH("Integer", "round", h_unary, UNARY_SAME), BOTH("Integer", "truncate", h_unary, UNARY_SAME),
	BOTH("Integer", "abs", h_unary, UNARY_ABS), BOTH("Integer", "zero?", h_unary, UNARY_ZERO),
	BOTH("Integer", "positive?", h_unary, UNARY_POSITIVE),
	BOTH("Integer", "negative?", h_unary, UNARY_NEGATIVE),
	BOTH("Integer", "nonzero?", h_unary, UNARY_NONZERO), CLASS("Integer", "integer?"),
	BOTH("Integer", "allbits?", h_bits, BITS_ALL), BOTH("Integer", "anybits?", h_bits, BITS_ANY),
	BOTH("Integer", "nobits?", h_bits, BITS_NONE), BOTH("Integer", "between?", h_between, 0),
	PURE("Integer", "__coerce_step_counter"), CLASS("Integer", "nan?"), CLASS("Integer", "infinite?"),
	CLASS("Integer", "finite?"), PURE("Integer", "to_f"), PURE("Integer", "chr"),
	PURE("Integer", "quo"), PURE("Integer", "hash"),
	PURE("Float", "+"), PURE("Float", "-"), PURE("Float", "*"), PURE("Float", "/"), PURE("Float", "%"),
	PURE("Float", "**"), PURE("Float", "-@"), BOTH("Float", "<", h_compare, OP2_LT),
	BOTH("Float", "<=", h_compare, OP2_LE), BOTH("Float", ">", h_compare, OP2_GT),
	BOTH("Float", ">=", h_compare, OP2_GE), BOTH("Float", "<=>", h_compare, OP2_CMP),
	PURE("Float", "to_i"), PURE("Float", "floor"), PURE("Float", "ceil"), PURE("Float", "round"),
	PURE("Float", "truncate"), PURE("Float", "to_f"), PURE("Float", "nan?"),
	PURE("Float", "infinite?"), PURE("Float", "finite?"), PURE("Float", "to_s"),
	METHODS_END,
};
