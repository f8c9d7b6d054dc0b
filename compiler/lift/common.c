/*
 * common.c - methods that every object has, with runtime values.
 */
#include "compiler/lift/run.h"

#include <string.h>

static struct flow send_equal(struct lifter *l, struct state *st, const struct call *c)
{
	struct call equal = {.mid = mrb_intern_lit(l->mrb, "=="), .recv = c->recv, .args = c->args, .n = c->n,
	                     .block = val_nil()};
	return lift_send(l, st, &equal);
}

static struct flow h_equal(struct lifter *l, struct state *st, const struct call *c, int eql)
{
	if (c->n != 1)
		method_needs_known(l, c);
	return flow_value(st, val_bool(l, lift_equal(l, st, c->recv, call_arg(c, 0), eql)));
}

static struct flow h_case_equal(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	if (c->n == 1 && val_same(l, c->recv, c->args[0]))
		return flow_value(st, val_static(mrb_true_value()));
	return send_equal(l, st, c);
}

static struct flow h_not_equal(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	/* of one object, and of numbers, == is not asked */
	struct flow f = c->n != 1 ? send_equal(l, st, c)
	                          : lift_pairs(l, st, run_compare_pair, OP2_EQ, c->recv, c->args[0]);
	if (f.ret)
		f.ret->result = val_bool(l, term_not(l->terms, val_truth(l, f.ret, f.ret->result)));
	return f;
}

static struct flow h_not(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	return flow_value(st, val_bool(l, term_not(l->terms, val_truth(l, st, c->recv))));
}

/* The receiver, or (Integer(x)) the argument. */
static struct flow h_itself(struct lifter *l, struct state *st, const struct call *c, int of_argument)
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
static struct flow h_freeze(struct lifter *l, struct state *st, const struct call *c, int unused)
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

static struct flow h_frozen(struct lifter *l, struct state *st, const struct call *c, int unused)
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
static struct flow h_dup(struct lifter *l, struct state *st, const struct call *c, int unused)
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

static struct flow h_raise(struct lifter *l, struct state *st, const struct call *c, int unused)
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

static struct flow h_lambda(struct lifter *l, struct state *st, const struct call *c, int strict)
{
	if (c->block.kind != V_CLOSURE)
		return flow_value(st, c->block);
	struct closure *copy = arena_alloc(l->arena, sizeof *copy);
	*copy = *c->block.u.closure;
	copy->strict |= strict;
	return flow_value(st, (struct val){.kind = V_CLOSURE, .u.closure = copy});
}

static struct flow h_block_given(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)c, (void)unused;
	const struct frame *f = l->frame;
	while (f && !f->code->strict && f->code->maker)
		f = f->code->maker;
	return flow_value(st, val_static(mrb_bool_value(f && !val_is_nil(f->call->block))));
}

static struct flow h_send(struct lifter *l, struct state *st, const struct call *c, int unused)
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
static struct flow h_case_splat(struct lifter *l, struct state *st, const struct call *c, int unused)
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

const struct method common_methods[] = {
	RAW("Object", "!", h_not, 0), RAW("Object", "!=", h_not_equal, 0),
	BOTH("Object", "==", h_equal, 0), BOTH("Object", "eql?", h_equal, 1),
	BOTH("Object", "===", h_case_equal, 0), RAW("Object", "__case_eqq", h_case_splat, 0),
	RAW("Object", "raise", h_raise, 0), RAW("Object", "fail", h_raise, 0),
	RAW("Object", "lambda", h_lambda, 1), RAW("Object", "proc", h_lambda, 0),
	RAW("Object", "block_given?", h_block_given, 0), ONLY("Object", "__send__", h_send, 0),
	ONLY("Object", "send", h_send, 0), ONLY("Object", "public_send", h_send, 0),
	RAW("Object", "itself", h_itself, 0), RAW("Object", "freeze", h_freeze, 0),
	CLASS("Object", "nil?"), CLASS("Object", "is_a?"), CLASS("Object", "kind_of?"),
	CLASS("Object", "instance_of?"), CLASS("Object", "class"), CLASS("Object", "respond_to?"),
	RAW("Object", "frozen?", h_frozen, 0), PURE("Object", "hash"), PURE("Object", "inspect"),
	PURE("Object", "to_s"), NEW("Object", "dup", h_dup, 0), PURE("Object", "__to_int"),
	BOTH("Object", "Integer", h_itself, 1), PURE("Object", "Float"), PURE("Object", "String"),
	PURE("Object", "format"), PURE("Object", "sprintf"), PURE("Object", "instance_variable_get"),
	PURE("Object", "instance_variable_defined?"), CLASS("BasicObject", "initialize"),
	/* those of which classes have their own function */
	BOTH("Integer", "==", h_equal, 0), BOTH("Integer", "eql?", h_equal, 1),
	BOTH("Float", "==", h_equal, 0), BOTH("Float", "eql?", h_equal, 1),
	BOTH("String", "==", h_equal, 0), BOTH("String", "eql?", h_equal, 1),
	BOTH("String", "to_s", h_itself, 0), BOTH("String", "to_str", h_itself, 0),
	BOTH("Array", "==", h_equal, 0), BOTH("Array", "eql?", h_equal, 1), NEW("Hash", "dup", h_dup, 0),
	METHODS_END,
};
