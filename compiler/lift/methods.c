/*
 * methods.c - mruby's C functions inside a rule's block.
 *
 * They are known by the function that dispatch finds in an untouched
 * interpreter, so a policy that redefines a method gets its own; Ruby code of the
 * library by its bytecode. A function in
 * the table may be run by mruby itself when all it needs is known (PURE), and may
 * have a meaning on runtime values (a handler). Whatever is not here is refused.
 */
#include "compiler/lift/lift.h"
#include "compiler/lift/handlers.h"

#include <string.h>

enum { METHODS_MAX = 512 };

struct known { uintptr_t code; const struct method *method; };

struct methods {
	struct known table[METHODS_MAX * 2]; /* open addressing by the address of the code */
};

static size_t slot(const struct methods *m, uintptr_t code)
{
	size_t i = (code * 0x9e3779b97f4a7c15ull >> 40) % (METHODS_MAX * 2);
	while (m->table[i].code && m->table[i].code != code)
		i = (i + 1) % (METHODS_MAX * 2);
	return i;
}

static void learn(struct methods *m, mrb_state *mrb, struct RClass *class, const struct method *method)
{
	struct RClass *owner = class;
	mrb_method_t found = mruby_method(mrb, &owner, mrb_intern_cstr(mrb, method->name));
	if (MRB_METHOD_UNDEF_P(found))
		return; /* not in this mruby */
	uintptr_t code = MRB_METHOD_CFUNC_P(found) ? (uintptr_t)MRB_METHOD_CFUNC(found)
	                                           : (uintptr_t)MRB_METHOD_PROC(found)->body.irep;
	size_t i = slot(m, code);
	if (!m->table[i].code)
		m->table[i] = (struct known){code, method};
}

/* attr_reader, attr_writer and Struct make C functions of their own for each class. */
static void learn_readers(struct methods *m, mrb_state *mrb)
{
	static const struct method reader = {"Object", "probe", METHOD_PURE, h_attr_reader, 0};
	static const struct method writer = {"Object", "probe=", METHOD_RAW, h_attr_writer, 0};
	static const struct method member = {"Object", "probe", METHOD_PURE, NULL, 0};
	struct RClass *class = mrb_class_new(mrb, mrb->object_class);
	mrb_funcall(mrb, mrb_obj_value(class), "attr_accessor", 1,
	            mrb_symbol_value(mrb_intern_lit(mrb, "probe")));
	learn(m, mrb, class, &reader);
	learn(m, mrb, class, &writer);
	mrb_value made = mrb_funcall(mrb, mrb_obj_value(mrb_class_get(mrb, "Struct")), "new", 1,
	                             mrb_symbol_value(mrb_intern_lit(mrb, "probe")));
	if (mrb_type(made) == MRB_TT_CLASS)
		learn(m, mrb, mrb_class_ptr(made), &member);
}

struct methods *methods_new(struct ruby *rb)
{
	struct methods *m = arena_alloc(rb->arena, sizeof *m);
	const char *name = "";
	struct RClass *class = NULL;
	for (const struct method *x = method_table; x->name; x++) {
		if (strcmp(x->class, name)) /* most follow one of the same class */
			class = mrb_class_defined(rb->mrb, x->class) ? mrb_class_get(rb->mrb, x->class) : NULL;
		name = x->class;
		if (class)
			learn(m, rb->mrb, class, x);
	}
	learn_readers(m, rb->mrb);
	return m;
}

/* ---- calls -------------------------------------------------------------------------- */

struct native { mrb_value recv; mrb_sym mid; mrb_int n; const mrb_value *args; };

static mrb_value native_body(mrb_state *mrb, void *p)
{
	struct native *c = p;
	return mrb_funcall_argv(mrb, c->recv, c->mid, c->n, c->args);
}

static bool is_own(struct val v)
{
	return v.kind == V_ARRAY || v.kind == V_HASH;
}

/* Does an array or hash of the block hold another one? */
static bool holds_own(struct lifter *l, const struct state *st, struct val v)
{
	const struct val *items;
	size_t n;
	if (!is_own(v) || !(val_items(l, st, v, &items, &n) || val_pairs(l, st, v, &items, &n)))
		return false;
	for (size_t i = 0; i < n; i++)
		if (items[i].kind == V_CHOICE || is_own(items[i]))
			return true;
	return false;
}

/* What mruby returned, as a value the block may change when it is new. */
static struct val native_result(struct lifter *l, struct state *st, const struct call *c, int flags, mrb_value v)
{
	const struct val *items;
	size_t n;
	bool inside = holds_own(l, st, c->recv);
	for (size_t i = 0; i < c->n; i++)
		inside |= holds_own(l, st, c->args[i]);
	/* mruby was given copies: what it gives back may stand for the block's own */
	if (inside && (mrb_array_p(v) || mrb_hash_p(v)))
		method_needs_known(l, c);
	if (flags & METHOD_FRESH && val_items(l, st, val_static(v), &items, &n))
		return val_array(l, st, items, n);
	if (flags & METHOD_FRESH && mrb_hash_p(v) && mrb_nil_p(mrb_funcall(l->mrb, v, "default", 0)) &&
	    mrb_nil_p(mrb_funcall(l->mrb, v, "default_proc", 0)) &&
	    val_pairs(l, st, val_static(v), &items, &n))
		return val_hash(l, st, items, n);
	return val_static(v);
}

/* Runs the function in mruby: all it needs is known. False: something is not. */
static bool run_native(struct lifter *l, struct state *st, const struct call *c, int flags, struct flow *out)
{
	mrb_value recv, *args = arena_alloc(l->arena, (c->n + 1) * sizeof *args);
	if (!val_is_nil(c->block) || !val_known(l, st, c->recv, &recv))
		return false;
	for (size_t i = 0; i < c->n; i++)
		if (!val_known(l, st, c->args[i], &args[i]))
			return false;
	struct native call = {recv, c->mid, (mrb_int)c->n, args};
	mrb_bool failed = FALSE;
	mrb_value v = mrb_protect_error(l->mrb, native_body, &call, &failed);
	if (!failed) {
		*out = flow_value(st, native_result(l, st, c, flags, v));
		return true;
	}
	if (l->rb->differs)
		longjmp(l->bail, 1);
	mrb_value message = mrb_exc_message(l, v);
	lift_raise(l, st, mrb_obj_class(l->mrb, v), "%s", RSTRING_PTR(message));
	lift_hint_count(l, c);
	*out = (struct flow){0};
	return true;
}

/* A value of the same class, for questions about the class only. */
static struct val stand_in(struct lifter *l, struct val v)
{
	mrb_state *mrb = l->mrb;
	switch (v.kind) {
	case V_INT: return val_static(mrb_int_value(mrb, 0));
	case V_COMM: return val_static(mrb_str_new_lit(mrb, ""));
	case V_CTX: return val_static(mrb_obj_value(mrb_obj_alloc(mrb, MRB_TT_OBJECT, l->rb->ctx_class)));
	case V_ARRAY: return val_static(mrb_ary_new(mrb));
	case V_HASH: return val_static(mrb_hash_new(mrb));
	case V_OBJECT: return val_static(mrb_obj_value(mrb_obj_alloc(mrb, MRB_TT_OBJECT, v.u.object->class)));
	case V_TEXT: return val_static(mrb_str_new_lit(mrb, ""));
	case V_RANGE: return val_static(mrb_range_new(mrb, mrb_int_value(mrb, 0), mrb_int_value(mrb, 0), FALSE));
	default: return v;
	}
}

static struct flow apply(struct lifter *l, struct state *st, const struct call *c, const struct method *m)
{
	struct flow out;
	struct call known = *c;
	if (m->flags & METHOD_CLASS_ONLY) {
		struct val *args = arena_alloc(l->arena, (c->n + 1) * sizeof *args);
		for (size_t i = 0; i < c->n; i++)
			args[i] = stand_in(l, c->args[i]);
		known.recv = stand_in(l, c->recv);
		known.args = args;
	}
	/* the block's own arrays keep their identity in a handler */
	bool own = m->handler && (is_own(c->recv) || (c->n && is_own(c->args[0])));
	if (!own && m->flags & METHOD_PURE && run_native(l, st, &known, m->flags, &out))
		return out;
	if (m->handler)
		return m->handler(l, st, c, m->arg);
	method_needs_known(l, c);
}

/* Every combination of the arguments' cases on a path of its own. */
static struct flow expand(struct lifter *l, struct state *st, const struct call *c, const struct method *m,
                          size_t from)
{
	for (size_t i = from; i < c->n; i++) {
		const struct arm *arms;
		size_t n = val_arms(l, st, c->args[i], &arms);
		if (n == 1 && c->args[i].kind != V_CHOICE)
			continue;
		struct region r = flow_open(l, st);
		struct flow all = {0};
		struct call one = *c;
		struct val *args = arena_alloc(l->arena, c->n * sizeof *args);
		memcpy(args, c->args, c->n * sizeof *args);
		one.args = args;
		for (size_t k = 0; k < n; k++) {
			struct state *s = state_fork(l, st);
			args[i] = arms[k].v;
			if (state_assume(l, s, arms[k].guard))
				all = flow_join(l, all, expand(l, s, &one, m, i + 1));
		}
		return flow_close(l, r, all);
	}
	return apply(l, st, c, m);
}

bool lift_library(struct lifter *l, struct state *st, const struct call *c, const mrb_irep *irep,
                  struct flow *out)
{
	const struct method *m = l->rb->methods->table[slot(l->rb->methods, (uintptr_t)irep)].method;
	return m && val_is_nil(c->keywords) && run_native(l, st, c, m->flags, out);
}

/* Wrong whatever the values are: mruby refuses this many arguments for values of
 * the same classes. Its text, or NULL. */
static const char *wrong_count(struct lifter *l, const struct call *c)
{
	mrb_value *args = arena_alloc(l->arena, (c->n + 1) * sizeof *args);
	mrb_bool failed = FALSE;
	for (size_t i = 0; i < c->n; i++) {
		struct val v = stand_in(l, c->args[i]);
		if (v.kind != V_STATIC)
			return NULL;
		args[i] = v.u.st;
	}
	struct val recv = stand_in(l, c->recv);
	if (recv.kind != V_STATIC || !val_is_nil(c->block))
		return NULL;
	struct native call = {recv.u.st, c->mid, (mrb_int)c->n, args};
	mrb_value v = mrb_protect_error(l->mrb, native_body, &call, &failed);
	if (!failed)
		return NULL;
	const char *text = ruby_exception_text(l->rb, v);
	return strstr(text, "wrong number of arguments") ? text : NULL;
}

struct val call_arg(const struct call *c, size_t i)
{
	return i < c->n ? c->args[i] : val_nil();
}

void method_refuse_write(struct lifter *l, const struct call *c, const char *hint)
{
	lift_refuse(l, hint, "a rule's block reads; it does not write: `%s` of %s that was made outside of it",
	            ruby_name(l->rb, c->mid), val_describe(l, c->recv));
}

void method_needs_known(struct lifter *l, const struct call *c)
{
	lift_refuse_text(l, c->recv);
	for (size_t i = 0; i < c->n; i++)
		lift_refuse_text(l, c->args[i]);
	const char *wrong = wrong_count(l, c);
	if (wrong)
		lift_refuse(l, lift_takes(l, lift_user_call(l, c), wrong), "%s", wrong);
	lift_refuse_method(l, c, " on a value that is known only when a device is asked for",
	                   "compare the value itself, or compute what you need before the block");
}

struct flow lift_cfunc(struct lifter *l, struct state *st, const struct call *c, mrb_func_t fn,
                       struct RClass *owner)
{
	if (c->recv.kind == V_CTX && owner == l->rb->ctx_class)
		return ctx_method(l, st, c);
	const struct method *m = l->rb->methods->table[slot(l->rb->methods, (uintptr_t)fn)].method;
	const char *name = ruby_name(l->rb, c->mid);
	if (!strcmp(name, "equal?")) /* one C function with Object#==, another question */
		lift_refuse(l, "compare with ==", "`equal?` inside a rule's block: identity is not a value");
	if (!m)
		lift_refuse_method(l, c, " is not supported inside a rule's block",
		                   "a block may compare, compute and look up; do the rest before it");
	if (m->flags & METHOD_RAW)
		return m->handler(l, st, c, m->arg);
	return expand(l, st, c, m, 0);
}
