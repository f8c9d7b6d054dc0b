/*
 * handlers.c - C functions of objects, numbers and ctx on runtime values.
 */
#include "compiler/lift/handlers.h"
#include "compiler/lift/run.h"

#include <string.h>

mrb_value mrb_exc_message(struct lifter *l, mrb_value exc)
{
	mrb_value text = mrb_funcall(l->mrb, exc, "message", 0);
	return mrb_string_p(text) ? text : mrb_str_new_lit(l->mrb, "exception");
}

/* ---- ctx ---------------------------------------------------------------------------- */

static struct val ctx_type(struct lifter *l)
{
	term wanted = term_const(l->terms, DEV_CHAR);
	term is_char = term_eq(l->terms, term_input(l->terms, IN_TYPE), wanted);
	return val_choice2(l, is_char, val_static(mrb_symbol_value(mrb_intern_lit(l->mrb, "char"))),
	                   term_not(l->terms, is_char),
	                   val_static(mrb_symbol_value(mrb_intern_lit(l->mrb, "block"))));
}

struct flow ctx_method(struct lifter *l, struct state *st, const struct call *c)
{
	static const struct { const char *name; enum input in; int value; } tests[] = {
		{"char?", IN_TYPE, DEV_CHAR}, {"block?", IN_TYPE, DEV_BLOCK}, {"read?", IN_ACCESS, ACC_READ},
		{"write?", IN_ACCESS, ACC_WRITE}, {"mknod?", IN_ACCESS, ACC_MKNOD}};
	struct terms *ts = l->terms;
	const char *name = ruby_name(l->rb, c->mid);
	if (c->n || !val_is_nil(c->block)) {
		lift_raise(l, st, mrb_class_get(l->mrb, "ArgumentError"),
		           "wrong number of arguments (given %zu, expected 0)", c->n);
		lift_hint_count(l, c);
		return (struct flow){0};
	}
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		if (!strcmp(name, tests[i].name)) {
			term wanted = term_const(ts, tests[i].value);
			return flow_value(st, val_bool(l, term_eq(ts, term_input(ts, tests[i].in), wanted)));
		}
	if (!strcmp(name, "type"))
		return flow_value(st, ctx_type(l));
	if (!strcmp(name, "comm"))
		return flow_value(st, (struct val){.kind = V_COMM});
	if (!strcmp(name, "access_type")) {
		term shift = term_const(ts, 16);
		term access = term_op(ts, TERM_SHL, term_input(ts, IN_ACCESS), shift);
		return flow_value(st, val_int(l, term_op(ts, TERM_BOR, access, term_input(ts, IN_TYPE))));
	}
	int in = ctx_input(l->rb, name);
	if (in < 0)
		method_needs_known(l, c);
	return flow_value(st, val_int(l, term_input(ts, (enum input)in)));
}

/* ---- numbers ------------------------------------------------------------------------- */

struct flow h_arithmetic(struct lifter *l, struct state *st, const struct call *c, int op)
{
	if (c->n != 1)
		method_needs_known(l, c);
	return lift_binary(l, st, (enum term_op)op, c->recv, call_arg(c, 0));
}

struct flow h_compare(struct lifter *l, struct state *st, const struct call *c, int op)
{
	if (c->n != 1)
		method_needs_known(l, c);
	return lift_compare(l, st, (enum compare_op)op, c->recv, call_arg(c, 0));
}

struct flow h_power(struct lifter *l, struct state *st, const struct call *c, int unused)
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

struct flow h_divmod(struct lifter *l, struct state *st, const struct call *c, int unused)
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

struct flow h_unary(struct lifter *l, struct state *st, const struct call *c, int which)
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

struct flow h_bits(struct lifter *l, struct state *st, const struct call *c, int which)
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

struct flow h_between(struct lifter *l, struct state *st, const struct call *c, int unused)
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

/* ---- objects ------------------------------------------------------------------------------ */

static struct flow send_equal(struct lifter *l, struct state *st, const struct call *c)
{
	struct call equal = {.mid = mrb_intern_lit(l->mrb, "=="), .recv = c->recv, .args = c->args, .n = c->n,
	                     .block = val_nil()};
	return lift_send(l, st, &equal);
}

struct flow h_equal(struct lifter *l, struct state *st, const struct call *c, int eql)
{
	if (c->n != 1)
		method_needs_known(l, c);
	return flow_value(st, val_bool(l, lift_equal(l, st, c->recv, call_arg(c, 0), eql)));
}

struct flow h_case_equal(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	if (c->n == 1 && val_same(l, c->recv, c->args[0]))
		return flow_value(st, val_static(mrb_true_value()));
	return send_equal(l, st, c);
}

struct flow h_not_equal(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	/* of one object, and of numbers, == is not asked */
	struct flow f = c->n != 1 ? send_equal(l, st, c)
	                          : lift_pairs(l, st, run_compare_pair, OP2_EQ, c->recv, c->args[0]);
	if (f.ret)
		f.ret->result = val_bool(l, term_not(l->terms, val_truth(l, f.ret, f.ret->result)));
	return f;
}

struct flow h_not(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	return flow_value(st, val_bool(l, term_not(l->terms, val_truth(l, st, c->recv))));
}

/* The receiver, or (Integer(x)) the argument. */
struct flow h_itself(struct lifter *l, struct state *st, const struct call *c, int of_argument)
{
	if (of_argument && (c->n != 1 || c->args[0].kind != V_INT))
		method_needs_known(l, c);
	return flow_value(st, of_argument ? c->args[0] : c->recv);
}

/* The cell of what the block made and may freeze. False: nothing of that kind. */
static bool own_cell(struct val v, uint32_t *cell)
{
	if (v.kind != V_ARRAY && v.kind != V_HASH && v.kind != V_OBJECT)
		return false;
	*cell = v.kind == V_OBJECT ? v.u.object->cell : v.u.cell;
	return true;
}

/* Of what the block did not make nothing is noted: it cannot change that anyway. */
struct flow h_freeze(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	const struct arm *held;
	uint32_t cell;
	(void)unused;
	if (!own_cell(c->recv, &cell))
		return flow_value(st, c->recv);
	size_t n = val_arms(l, st, state_get(st, cell), &held);
	struct arm *arms = arena_alloc(l->arena, n * sizeof *arms);
	for (size_t i = 0; i < n; i++) {
		const struct tuple *t = held[i].v.u.tuple;
		struct tuple *copy = arena_alloc(l->arena, sizeof *t + t->n * sizeof *t->items);
		memcpy(copy, t, sizeof *t + t->n * sizeof *t->items);
		copy->frozen = true;
		arms[i] = (struct arm){held[i].guard, {.kind = V_TUPLE, .u.tuple = copy}};
	}
	state_set(l, st, cell, val_from_arms(l, arms, n));
	return flow_value(st, c->recv);
}

struct flow h_frozen(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	const struct arm *held;
	uint32_t cell;
	term frozen = T_FALSE;
	(void)unused;
	if (own_cell(c->recv, &cell)) {
		size_t n = val_arms(l, st, state_get(st, cell), &held);
		for (size_t i = 0; i < n; i++)
			if (held[i].v.u.tuple->frozen)
				frozen = term_or(l->terms, frozen, held[i].guard);
		return flow_value(st, val_bool(l, frozen));
	}
	bool yes = c->recv.kind == V_INT ||
	           (c->recv.kind == V_STATIC &&
	            (mrb_immediate_p(c->recv.u.st) || mrb_frozen_p(mrb_basic_ptr(c->recv.u.st))));
	if (!yes) /* the block may have frozen it */
		lift_refuse(l, "only Arrays, Hashes and objects made in the block are asked whether they are frozen",
		            "`frozen?` of %s", val_describe(l, c->recv));
	return flow_value(st, val_static(mrb_true_value()));
}

/* A copy; of numbers and the like, themselves. */
struct flow h_dup(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	const struct val *items;
	size_t n;
	(void)unused;
	if (c->recv.kind == V_ARRAY && val_items(l, st, c->recv, &items, &n))
		return flow_value(st, val_array(l, st, items, n));
	if (c->recv.kind == V_HASH && val_pairs(l, st, c->recv, &items, &n))
		return flow_value(st, val_hash(l, st, items, n));
	if (c->recv.kind == V_ARRAY || c->recv.kind == V_HASH || c->recv.kind == V_CTX || c->recv.kind == V_OBJECT)
		method_needs_known(l, c);
	return flow_value(st, c->recv);
}

struct flow h_raise(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	struct RClass *class = mrb_class_get(l->mrb, "RuntimeError");
	mrb_value text = mrb_str_new_lit(l->mrb, "unhandled exception"), given;
	for (size_t i = 0; i < c->n && i < 2; i++) {
		if (c->args[i].kind == V_OBJECT) {
			class = c->args[i].u.object->class;
			if (val_known(l, st, object_get(l, st, c->args[i], mrb_intern_lit(l->mrb, "message")), &given) &&
			    mrb_string_p(given))
				text = given;
			continue;
		}
		if (c->args[i].kind == V_TEXT) {
			text = mrb_str_new_lit(l->mrb, "...");
			continue;
		}
		if (!val_known(l, st, c->args[i], &given))
			lift_refuse(l, "raise a constant message", "an exception made from the request");
		if (mrb_string_p(given))
			text = given;
		else if (mrb_type(given) == MRB_TT_CLASS)
			class = mrb_class_ptr(given);
		else if (mrb_obj_is_kind_of(l->mrb, given, l->mrb->eException_class))
			class = mrb_obj_class(l->mrb, given);
	}
	lift_raise(l, st, class, "%.*s", (int)RSTRING_LEN(text), RSTRING_PTR(text));
	l->raised[l->nraised - 1].on_purpose = true;
	l->raised[l->nraised - 1].certain_class = false;
	return (struct flow){0};
}

struct flow h_lambda(struct lifter *l, struct state *st, const struct call *c, int strict)
{
	if (c->block.kind != V_CLOSURE)
		return flow_value(st, c->block);
	struct closure *copy = arena_alloc(l->arena, sizeof *copy);
	*copy = *c->block.u.closure;
	copy->strict |= strict;
	return flow_value(st, (struct val){.kind = V_CLOSURE, .u.closure = copy});
}

struct flow h_block_given(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)c, (void)unused;
	const struct frame *f = l->frame;
	while (f && !f->code->strict && f->code->maker)
		f = f->code->maker;
	return flow_value(st, val_static(mrb_bool_value(f && !val_is_nil(f->call->block))));
}

struct flow h_send(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	mrb_value name;
	(void)unused;
	if (!c->n || !val_known(l, st, c->args[0], &name) || !(mrb_symbol_p(name) || mrb_string_p(name)))
		method_needs_known(l, c);
	struct call sent = {.mid = mrb_obj_to_sym(l->mrb, name), .recv = c->recv, .args = c->args + 1,
	                    .n = c->n - 1, .block = c->block, .keywords = c->keywords};
	return lift_send(l, st, &sent);
}

/* `when *LIST`: does any element === the argument? */
struct flow h_case_splat(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	const struct val *items;
	size_t n, raised = l->nraised;
	term any = T_FALSE;
	(void)unused;
	if (!val_items(l, st, c->recv, &items, &n)) {
		items = &c->recv;
		n = 1;
	}
	for (size_t i = 0; i < n; i++) {
		struct call one = {.mid = mrb_intern_lit(l->mrb, "==="), .recv = items[i], .args = c->args,
		                   .n = c->n, .block = val_nil()};
		struct flow f = lift_send(l, st, &one);
		if (!f.ret || f.leaves || l->nraised != raised)
			lift_refuse(l, "write the cases one by one", "an element of `when *list` may raise");
		st = f.ret;
		any = term_or(l->terms, any, val_truth(l, st, st->result));
	}
	return flow_value(st, val_bool(l, any));
}
