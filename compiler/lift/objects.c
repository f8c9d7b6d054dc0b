/*
 * objects.c - objects made in a rule's block: of the policy's own classes,
 * exceptions, and mruby's Enumerator.
 *
 * The cell of an object holds its instance variables, name and value by turns,
 * as that of a hash holds its pairs.
 */
#include "compiler/lift/methods.h"

static struct val name_of(mrb_sym name)
{
	return val_static(mrb_symbol_value(name));
}

struct val object_get(struct lifter *l, const struct state *st, struct val object, mrb_sym name)
{
	const struct arm *held;
	size_t n = val_arms(l, st, state_get(st, object.u.object->cell), &held);
	struct arm *arms = arena_alloc(l->arena, n * sizeof *arms);
	for (size_t k = 0; k < n; k++) {
		const struct tuple *t = held[k].v.u.tuple;
		arms[k] = (struct arm){held[k].guard, val_nil()};
		for (size_t i = 0; i < t->n; i += 2)
			if (mrb_symbol(t->items[i].u.st) == name)
				arms[k].v = t->items[i + 1];
	}
	return val_from_arms(l, arms, n);
}

void object_set(struct lifter *l, struct state *st, struct val object, mrb_sym name, struct val value)
{
	hash_store(l, st, object.u.object->cell, name_of(name), value);
}

/* Array.new, Hash.new, Thing.new; their initialize follows. */
static struct flow h_allocate(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	struct RClass *class = NULL;
	(void)unused;
	if (l->frame->irep != l->rb->class_new)
		lift_refuse(l, "make it by `new`", "an object that is not initialized (`allocate`)");
	if (c->recv.kind == V_STATIC && mrb_type(c->recv.u.st) == MRB_TT_CLASS)
		class = mrb_class_ptr(c->recv.u.st);
	struct val fresh = val_hash(l, st, NULL, 0);
	if (class == l->mrb->array_class)
		return flow_value(st, val_array(l, st, NULL, 0));
	if (class == l->mrb->hash_class)
		return flow_value(st, fresh);
	enum mrb_vtype made = class ? MRB_INSTANCE_TT(class) : MRB_TT_FALSE;
	if (!class || (made != MRB_TT_FALSE && made != MRB_TT_OBJECT && made != MRB_TT_EXCEPTION))
		lift_refuse(l, "make the object outside of the block, or use an array",
		            "an object of %s made inside a rule's block", val_describe(l, c->recv));
	struct object_val *o = arena_alloc(l->arena, sizeof *o);
	*o = (struct object_val){class, fresh.u.cell};
	return flow_value(st, (struct val){.kind = V_OBJECT, .u.object = o});
}

/* Exception#initialize: only the class and message matter. */
static struct flow h_exception_new(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	if (c->recv.kind != V_OBJECT || c->n > 1)
		method_needs_known(l, c);
	if (c->n)
		object_set(l, st, c->recv, mrb_intern_lit(l->mrb, "message"), c->args[0]);
	return flow_value(st, c->recv);
}

/* The variable that a method made by attr_reader or attr_writer stands for. */
static mrb_sym variable_of(struct lifter *l, const struct call *c)
{
	struct RClass *class = val_class(l, c->recv);
	mrb_method_t m = mruby_method(l->mrb, &class, c->mid);
	const struct REnv *env = MRB_METHOD_PROC_P(m) ? MRB_PROC_ENV(MRB_METHOD_PROC(m)) : NULL;
	if (!env || !MRB_ENV_LEN(env) || !mrb_symbol_p(env->stack[0]) || c->recv.kind != V_OBJECT)
		method_needs_known(l, c);
	return mrb_symbol(env->stack[0]);
}

static struct flow h_attr_reader(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	return flow_value(st, object_get(l, st, c->recv, variable_of(l, c)));
}

static struct flow h_attr_writer(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	if (c->recv.kind != V_OBJECT)
		lift_refuse(l, "use a local variable",
		            "a rule's block reads; it does not write: `%s` of an object made outside of it",
		            ruby_name(l->rb, c->mid));
	object_set(l, st, c->recv, variable_of(l, c), call_arg(c, 0));
	return flow_value(st, call_arg(c, 0));
}

const struct method object_methods[] = {
	ONLY("Class", "allocate", h_allocate, 0), RAW("Exception", "initialize", h_exception_new, 0),
	METHODS_END,
};

const struct method attribute_methods[] = {
	BOTH("Object", "probe", h_attr_reader, 0),
	RAW("Object", "probe=", h_attr_writer, 0),
	METHODS_END,
};
