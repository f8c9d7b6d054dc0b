/*
 * value.c - one value: its kind, its class, and what a message calls it.
 */
#include "compiler/lift/lifter.h"

#include <string.h>

struct val val_static(mrb_value v)
{
	return (struct val){.kind = V_STATIC, .u.st = v};
}

struct val val_nil(void)
{
	return val_static(mrb_nil_value());
}

struct val val_int(struct lifter *l, term t)
{
	const struct term_node *n = term_get(l->terms, t);
	if (n->op == TERM_CONST)
		return val_static(mrb_int_value(l->mrb, n->lo));
	return (struct val){.kind = V_INT, .u.t = t};
}

/* ---- questions ----------------------------------------------------------------------------- */

bool val_is_nil(struct val v)
{
	return v.kind == V_UNSET || (v.kind == V_STATIC && mrb_nil_p(v.u.st));
}

bool val_is_integer(struct val v)
{
	return v.kind == V_INT || (v.kind == V_STATIC && mrb_integer_p(v.u.st));
}

bool val_is_float(struct val v)
{
	return v.kind == V_STATIC && mrb_float_p(v.u.st);
}

bool val_is_number(struct val v)
{
	return val_is_integer(v) || val_is_float(v);
}

bool val_is_array(struct val v)
{
	return v.kind == V_ARRAY || (v.kind == V_STATIC && mrb_array_p(v.u.st));
}

bool val_is_own(struct val v)
{
	return v.kind == V_ARRAY || v.kind == V_HASH;
}

static bool same_static(struct lifter *l, mrb_value a, mrb_value b)
{
	if (mrb_obj_eq(l->mrb, a, b))
		return true;
	/* large integers are boxed: equal, not identical */
	return mrb_integer_p(a) && mrb_integer_p(b) && mrb_integer(a) == mrb_integer(b);
}

bool val_same(struct lifter *l, struct val a, struct val b)
{
	if (a.kind != b.kind)
		return false;
	switch (a.kind) {
	case V_STATIC: return same_static(l, a.u.st, b.u.st);
	case V_INT:
	case V_PATH: return a.u.t == b.u.t;
	case V_ARRAY:
	case V_HASH: return a.u.cell == b.u.cell;
	case V_TEXT: return false; /* not one value: two may differ */
	case V_COMM:
	case V_CTX:
	case V_UNSET: return true;
	default: return a.u.tuple == b.u.tuple;
	}
}

bool val_as_term(struct lifter *l, struct val v, term *t)
{
	if (v.kind == V_INT)
		*t = v.u.t;
	else if (v.kind == V_STATIC && mrb_integer_p(v.u.st))
		*t = term_const(l->terms, mrb_integer(v.u.st));
	else
		return false;
	return true;
}

struct RClass *val_class(struct lifter *l, struct val v)
{
	switch (v.kind) {
	case V_STATIC: return mrb_class(l->mrb, v.u.st);
	case V_INT: return l->mrb->integer_class;
	case V_COMM:
	case V_PATH:
	case V_TEXT: return l->mrb->string_class;
	case V_CTX: return l->rb->ctx_class;
	case V_ARRAY: return l->mrb->array_class;
	case V_HASH: return l->mrb->hash_class;
	case V_OBJECT: return v.u.object->class;
	case V_RANGE: return l->mrb->range_class;
	case V_CLOSURE: return l->mrb->proc_class;
	case V_PEEK: return v.u.peek->layout->class;
	default: return l->mrb->nil_class;
	}
}

bool val_responds(struct lifter *l, struct val v, const char *method)
{
	struct RClass *class = val_class(l, v);
	return !MRB_METHOD_UNDEF_P(mruby_method(l->mrb, &class, mrb_intern_cstr(l->mrb, method)));
}

bool class_redefines(struct lifter *l, struct RClass *class, const char *method)
{
	mrb_method_t m = mruby_method(l->mrb, &class, mrb_intern_cstr(l->mrb, method));
	return !MRB_METHOD_UNDEF_P(m) && !MRB_METHOD_CFUNC_P(m) &&
	       mrb_debug_get_filename(l->mrb, MRB_METHOD_PROC(m)->body.irep, 0);
}

const char *val_describe(struct lifter *l, struct val v)
{
	if (val_is_nil(v))
		return "nil";
	if (v.kind == V_STATIC && mrb_true_p(v.u.st))
		return "true";
	if (v.kind == V_STATIC && mrb_false_p(v.u.st))
		return "false";
	if (v.kind == V_CTX)
		return "ctx";
	if (v.kind == V_PATH)
		return term_get(l->terms, v.u.t)->a == IN_EXE ? "ctx.exe" : "ctx.parent_exe";
	if (v.kind == V_CHOICE)
		return "a value that depends on the request";
	if (v.kind == V_STATIC && mrb_obj_eq(l->mrb, v.u.st, mrb_top_self(l->mrb)))
		return "main";
	if (v.kind == V_STATIC && (mrb_type(v.u.st) == MRB_TT_CLASS || mrb_type(v.u.st) == MRB_TT_MODULE))
		return arena_strdup(l->arena, mrb_class_name(l->mrb, mrb_class_ptr(v.u.st)));
	const char *name = mrb_class_name(l->mrb, mrb_class_real(val_class(l, v)));
	return arena_printf(l->arena, "%s %s", strchr("AEIO", name[0]) ? "an" : "a", name);
}
