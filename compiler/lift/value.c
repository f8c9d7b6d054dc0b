/*
 * value.c - values that are partly known: what can be asked of any value.
 */
#include "compiler/lift/lift.h"

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

/* ---- questions ------------------------------------------------------------------------- */

bool val_is_nil(struct val v)
{
	return v.kind == V_UNSET || (v.kind == V_STATIC && mrb_nil_p(v.u.st));
}

bool val_is_integer(struct val v)
{
	return v.kind == V_INT || (v.kind == V_STATIC && mrb_integer_p(v.u.st));
}

bool val_is_number(struct val v)
{
	return val_is_integer(v) || (v.kind == V_STATIC && mrb_float_p(v.u.st));
}

bool val_is_array(struct val v)
{
	return v.kind == V_ARRAY || (v.kind == V_STATIC && mrb_array_p(v.u.st));
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
	case V_TEXT: return l->mrb->string_class;
	case V_CTX: return l->rb->ctx_class;
	case V_ARRAY: return l->mrb->array_class;
	case V_HASH: return l->mrb->hash_class;
	case V_OBJECT: return v.u.object->class;
	case V_RANGE: return l->mrb->range_class;
	case V_CLOSURE: return l->mrb->proc_class;
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
	if (v.kind == V_CHOICE)
		return "a value that depends on the request";
	if (v.kind == V_STATIC && mrb_obj_eq(l->mrb, v.u.st, mrb_top_self(l->mrb)))
		return "main";
	if (v.kind == V_STATIC && (mrb_type(v.u.st) == MRB_TT_CLASS || mrb_type(v.u.st) == MRB_TT_MODULE))
		return arena_strdup(l->arena, mrb_class_name(l->mrb, mrb_class_ptr(v.u.st)));
	const char *name = mrb_class_name(l->mrb, mrb_class_real(val_class(l, v)));
	return arena_printf(l->arena, "%s %s", strchr("AEIO", name[0]) ? "an" : "a", name);
}

/* ---- arrays ------------------------------------------------------------------------------- */

void val_set_items(struct lifter *l, struct state *st, struct val v, const struct val *items, size_t n)
{
	struct tuple *t = arena_alloc(l->arena, sizeof *t + n * sizeof *items);
	t->n = n;
	if (n)
		memcpy(t->items, items, n * sizeof *items);
	for (size_t i = 0; i < n; i++)
		state_keeps(l, st, items[i]);
	state_set(l, st, v.u.cell, (struct val){.kind = V_TUPLE, .u.tuple = t});
}

void lift_refuse_frozen(struct lifter *l, const struct state *st, uint32_t cell)
{
	const struct arm *held;
	size_t n = val_arms(l, st, state_get(st, cell), &held);
	for (size_t i = 0; i < n; i++)
		if (held[i].v.u.tuple->frozen)
			lift_refuse(l, "leave the `freeze` out, or change a copy (`dup`)", "a change of what the block froze");
}

static struct val fresh(struct lifter *l, struct state *st, enum vkind kind, const struct val *items, size_t n)
{
	struct val v = {.kind = kind, .u.cell = state_new_cell(l)};
	val_set_items(l, st, v, items, n);
	return v;
}

struct val val_array(struct lifter *l, struct state *st, const struct val *items, size_t n)
{
	return fresh(l, st, V_ARRAY, items, n);
}

struct val val_hash(struct lifter *l, struct state *st, const struct val *pairs, size_t n)
{
	return fresh(l, st, V_HASH, pairs, n);
}

/* What the cell of an array or hash holds; NULL: it depends on the path. */
static const struct tuple *content(struct lifter *l, const struct state *st, struct val v)
{
	struct val held = val_settle(l, st, state_get(st, v.u.cell));
	return held.kind == V_TUPLE ? held.u.tuple : NULL;
}

bool val_items(struct lifter *l, const struct state *st, struct val v, const struct val **items, size_t *n)
{
	if (v.kind == V_ARRAY) {
		const struct tuple *t = content(l, st, v);
		*items = t ? t->items : NULL;
		*n = t ? t->n : 0;
		return t;
	}
	if (v.kind != V_STATIC || !mrb_array_p(v.u.st))
		return false;
	*n = (size_t)RARRAY_LEN(v.u.st);
	struct val *list = arena_alloc(l->arena, *n * sizeof *list);
	for (size_t i = 0; i < *n; i++)
		list[i] = val_static(RARRAY_PTR(v.u.st)[i]);
	*items = list;
	return true;
}

bool val_pairs(struct lifter *l, const struct state *st, struct val v, const struct val **pairs, size_t *n)
{
	if (v.kind == V_HASH) {
		const struct tuple *t = content(l, st, v);
		*pairs = t ? t->items : NULL;
		*n = t ? t->n : 0;
		return t;
	}
	if (v.kind != V_STATIC || !mrb_hash_p(v.u.st))
		return false;
	mrb_value keys = mrb_hash_keys(l->mrb, v.u.st), values = mrb_hash_values(l->mrb, v.u.st);
	*n = 2 * (size_t)RARRAY_LEN(keys);
	struct val *list = arena_alloc(l->arena, *n * sizeof *list);
	for (size_t i = 0; i < *n; i++)
		list[i] = val_static(RARRAY_PTR(i % 2 ? values : keys)[i / 2]);
	*pairs = list;
	return true;
}

/* Adds the arrays v can be, on the condition they have, to a list. */
static bool add_arrays(struct lifter *l, const struct state *st, term guard, struct val v, struct arms *to)
{
	const struct arm *arms;
	size_t n = val_arms(l, st, v.kind == V_ARRAY ? state_get(st, v.u.cell) : v, &arms);
	for (size_t i = 0; i < n; i++) {
		term both = term_and(l->terms, guard, arms[i].guard);
		if (v.kind == V_CHOICE ? !add_arrays(l, st, both, arms[i].v, to)
		                       : arms[i].v.kind != V_TUPLE && !(arms[i].v.kind == V_STATIC &&
		                                                        mrb_array_p(arms[i].v.u.st)))
			return false;
		if (v.kind != V_CHOICE)
			*ARENA_PUSH(l->arena, to->list, to->n, to->cap) = (struct arm){both, arms[i].v};
	}
	return true;
}

bool val_spread(struct lifter *l, const struct state *st, struct val v, const struct val **items, size_t *n)
{
	struct arms arrays = {0};
	if (val_items(l, st, v, items, n))
		return true;
	if ((v.kind != V_CHOICE && v.kind != V_ARRAY) || !add_arrays(l, st, T_TRUE, v, &arrays) || !arrays.n)
		return false;
	const struct val **lists = arena_alloc(l->arena, arrays.n * sizeof *lists);
	for (size_t i = 0; i < arrays.n; i++) {
		struct val a = arrays.list[i].v;
		size_t len = a.kind == V_TUPLE ? a.u.tuple->n : 0;
		lists[i] = a.kind == V_TUPLE ? a.u.tuple->items : NULL;
		if (a.kind != V_TUPLE)
			val_items(l, st, a, &lists[i], &len);
		if (i && len != *n)
			return false;
		*n = len;
	}
	struct val *mixed = arena_alloc(l->arena, (*n + 1) * sizeof *mixed);
	struct arm *arms = arena_alloc(l->arena, arrays.n * sizeof *arms);
	for (size_t k = 0; k < *n; k++) {
		for (size_t i = 0; i < arrays.n; i++)
			arms[i] = (struct arm){arrays.list[i].guard, lists[i][k]};
		mixed[k] = val_from_arms(l, arms, arrays.n);
	}
	*items = mixed;
	return true;
}

enum { NESTING_MAX = 32 };

static bool known_at(struct lifter *l, const struct state *st, struct val v, mrb_value *out, int depth);

static bool known_hash(struct lifter *l, const struct state *st, const struct val *pairs, size_t n, mrb_value *out,
                       int depth)
{
	mrb_value key, value;
	*out = mrb_hash_new(l->mrb);
	for (size_t i = 0; i < n; i += 2) {
		if (!known_at(l, st, pairs[i], &key, depth + 1) || !known_at(l, st, pairs[i + 1], &value, depth + 1))
			return false;
		mrb_hash_set(l->mrb, *out, key, value);
	}
	return true;
}

static bool known_at(struct lifter *l, const struct state *st, struct val v, mrb_value *out, int depth)
{
	v = val_settle(l, st, v);
	if (v.kind == V_STATIC) {
		*out = v.u.st;
		return true;
	}
	const struct val *items;
	size_t n;
	if (depth > NESTING_MAX)
		return false;
	if (val_pairs(l, st, v, &items, &n))
		return known_hash(l, st, items, n, out, depth);
	if (v.kind != V_ARRAY || !val_items(l, st, v, &items, &n))
		return false;
	mrb_value array = mrb_ary_new_capa(l->mrb, (mrb_int)n);
	for (size_t i = 0; i < n; i++) {
		mrb_value item;
		if (!known_at(l, st, items[i], &item, depth + 1))
			return false;
		mrb_ary_push(l->mrb, array, item);
	}
	*out = array;
	return true;
}

bool val_known(struct lifter *l, const struct state *st, struct val v, mrb_value *out)
{
	return known_at(l, st, v, out, 0);
}
