/*
 * native.c - C functions that mruby itself runs, when all that they need is known; and what a
 * handler says when it is not.
 */
#include "compiler/lift/methods.h"

#include <string.h>

struct val call_arg(const struct call *c, size_t i)
{
	return i < c->n ? c->args[i] : val_nil();
}

struct native { mrb_value recv; mrb_sym mid; mrb_int n; const mrb_value *args; };

static mrb_value native_body(mrb_state *mrb, void *p)
{
	struct native *c = p;
	return mrb_funcall_argv(mrb, c->recv, c->mid, c->n, c->args);
}

struct val native_stand_in(struct lifter *l, struct val v)
{
	mrb_state *mrb = l->mrb;
	switch (v.kind) {
	case V_INT: return val_static(mrb_int_value(mrb, 0));
	case V_COMM:
	case V_PATH: return val_static(mrb_str_new_lit(mrb, ""));
	case V_CTX: return val_static(mrb_obj_value(mrb_obj_alloc(mrb, MRB_TT_OBJECT, l->rb->ctx_class)));
	case V_ARRAY: return val_static(mrb_ary_new(mrb));
	case V_HASH: return val_static(mrb_hash_new(mrb));
	case V_OBJECT: return val_static(mrb_obj_value(mrb_obj_alloc(mrb, MRB_TT_OBJECT, v.u.object->class)));
	case V_TEXT: return val_static(mrb_str_new_lit(mrb, ""));
	case V_RANGE: return val_static(mrb_range_new(mrb, mrb_int_value(mrb, 0), mrb_int_value(mrb, 0), FALSE));
	default: return v;
	}
}

/* ---- refusals ------------------------------------------------------------------------------ */

/* Wrong whatever the values are: mruby refuses this many arguments for values of
 * the same classes. Its text, or NULL. */
static const char *wrong_count(struct lifter *l, const struct call *c)
{
	mrb_value *args = arena_alloc(l->arena, (c->n + 1) * sizeof *args);
	mrb_bool failed = FALSE;
	for (size_t i = 0; i < c->n; i++) {
		struct val v = native_stand_in(l, c->args[i]);
		if (v.kind != V_STATIC)
			return NULL;
		args[i] = v.u.st;
	}
	struct val recv = native_stand_in(l, c->recv);
	if (recv.kind != V_STATIC || !val_is_nil(c->block))
		return NULL;
	struct native call = {recv.u.st, c->mid, (mrb_int)c->n, args};
	mrb_value v = mrb_protect_error(l->mrb, native_body, &call, &failed);
	if (!failed)
		return NULL;
	const char *text = ruby_exception_text(l->rb, v);
	return strstr(text, "wrong number of arguments") ? text : NULL;
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
	lift_refuse_path(l, c);
	const char *wrong = wrong_count(l, c);
	if (wrong)
		lift_refuse(l, lift_takes(l, lift_user_call(l, c), wrong), "%s", wrong);
	lift_refuse_method(l, c, " on a value that is known only when a device is asked for",
	                   "compare the value itself, or compute what you need before the block");
}

/* ---- calls --------------------------------------------------------------------------------- */

/* Does an array or hash of the block hold another one? */
static bool holds_own(struct lifter *l, const struct state *st, struct val v)
{
	const struct val *items;
	size_t n;
	if (!val_is_own(v) || !(val_items(l, st, v, &items, &n) || val_pairs(l, st, v, &items, &n)))
		return false;
	for (size_t i = 0; i < n; i++)
		if (items[i].kind == V_CHOICE || val_is_own(items[i]))
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

static mrb_value message_of(struct lifter *l, mrb_value exc)
{
	mrb_value text = mrb_funcall(l->mrb, exc, "message", 0);
	return mrb_string_p(text) ? text : mrb_str_new_lit(l->mrb, "exception");
}

bool native_run(struct lifter *l, struct state *st, const struct call *c, int flags, struct flow *out)
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
	mrb_value message = message_of(l, v);
	lift_raise(l, st, mrb_obj_class(l->mrb, v), "%s", RSTRING_PTR(message));
	lift_hint_count(l, c);
	*out = (struct flow){0};
	return true;
}
