/*
 * ranges.c - C functions of ranges with runtime values.
 */
#include "compiler/lift/methods.h"

static struct range_val range_of(struct lifter *l, const struct call *c)
{
	if (c->recv.kind == V_RANGE)
		return *c->recv.u.range;
	if (c->recv.kind != V_STATIC || mrb_type(c->recv.u.st) != MRB_TT_RANGE)
		method_needs_known(l, c);
	struct RRange *r = mrb_range_ptr(l->mrb, c->recv.u.st);
	return (struct range_val){val_static(RANGE_BEG(r)), val_static(RANGE_END(r)), RANGE_EXCL(r)};
}

/* A value that a number cannot be compared with, whatever it is. */
static bool is_incomparable(struct val v)
{
	return v.kind == V_COMM || v.kind == V_PATH || v.kind == V_TEXT || v.kind == V_ARRAY || v.kind == V_HASH ||
	       (v.kind == V_STATIC && (mrb_immediate_p(v.u.st) || mrb_string_p(v.u.st) || mrb_array_p(v.u.st)));
}

/* a op b for numbers; what cannot be compared is outside of the range. */
static term ordered(struct lifter *l, struct state *st, enum compare_op op, struct val a, struct val b)
{
	if (val_is_number(a) != val_is_number(b) && is_incomparable(val_is_number(a) ? b : a))
		return T_FALSE;
	if (!val_is_number(a) || !val_is_number(b))
		lift_refuse(l, "compare the values themselves with <= and >=", "a range whose ends or value are %s",
		            val_describe(l, val_is_number(a) ? b : a));
	struct flow f = lift_compare(l, st, op, a, b);
	return val_truth(l, f.ret, f.ret->result);
}

static struct flow h_range(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	struct range_val r = range_of(l, c);
	struct val x = call_arg(c, 0);
	(void)unused;
	if (c->n != 1 || (val_is_nil(r.lo) && val_is_nil(r.hi)) || x.kind == V_COMM || x.kind == V_PATH || r.lo.kind == V_CHOICE || r.hi.kind == V_CHOICE)
		method_needs_known(l, c);
	term in = val_is_nil(r.lo) ? T_TRUE : ordered(l, st, OP2_LE, r.lo, x);
	if (!val_is_nil(r.hi))
		in = term_and(l->terms, in, ordered(l, st, r.exclusive ? OP2_LT : OP2_LE, x, r.hi));
	return flow_value(st, val_bool(l, in));
}

static struct flow h_range_end(struct lifter *l, struct state *st, const struct call *c, int last)
{
	struct range_val r = range_of(l, c);
	if (c->n)
		method_needs_known(l, c);
	return flow_value(st, last ? r.hi : r.lo);
}

const struct method range_methods[] = {
	FRESH("Range", "to_a"), BOTH("Range", "include?", h_range, 0),
	BOTH("Range", "member?", h_range, 0), BOTH("Range", "===", h_range, 0),
	BOTH("Range", "cover?", h_range, 0), BOTH("Range", "begin", h_range_end, 0),
	BOTH("Range", "end", h_range_end, 1), BOTH("Range", "first", h_range_end, 0),
	BOTH("Range", "last", h_range_end, 1), PURE("Range", "exclude_end?"), PURE("Range", "=="),
	PURE("Range", "eql?"), PURE("Range", "size"), FRESH("Range", "__num_to_a"), PURE("Range", "to_s"),
	PURE("Range", "inspect"), PURE("Range", "hash"),
	METHODS_END,
};
