/*
 * send.c - calls as instructions make them: a method by its name, an operator, an index.
 */
#include "compiler/lift/run.h"

#include <string.h>

static struct val block_value(struct run *r, struct val v)
{
	if (v.kind == V_CLOSURE || val_is_nil(v) ||
	    (v.kind == V_STATIC && mrb_type(v.u.st) == MRB_TT_PROC))
		return v;
	if (v.kind == V_STATIC && mrb_symbol_p(v.u.st)) {
		if (class_redefines(r->l, r->l->mrb->symbol_class, "to_proc"))
			lift_refuse(r->l, "give the method another name", "Symbol#to_proc is redefined");
		struct closure *c = arena_alloc(r->l->arena, sizeof *c);
		*c = (struct closure){.sends = mrb_symbol(v.u.st), .strict = true, .self = val_nil()};
		return (struct val){.kind = V_CLOSURE, .u.closure = c};
	}
	lift_refuse(r->l, "give a block, a lambda or `&:name`", "a block argument that is %s",
	            val_describe(r->l, v));
}

/* The keyword arguments of a call, from registers on; returns the register after
 * them. None, or an empty hash passed on, is nil; `**hash` alone is that hash itself. */
static uint32_t keywords(struct run *r, struct state *st, uint32_t first, uint32_t pairs, struct val *out)
{
	const struct val *items;
	size_t n;
	*out = val_nil();
	if (pairs == 15) { /* `**hash` */
		struct val given = run_get(r, st, first);
		if (!val_pairs(r->l, st, given, &items, &n))
			lift_refuse(r->l, "name the keywords", "keyword arguments that depend on the request");
		if (n)
			*out = given;
		return first + 1;
	}
	if (pairs) {
		*out = val_hash(r->l, st, NULL, 0);
		run_add_pairs(r, st, *out, first, pairs);
	}
	return first + 2 * pairs;
}

struct flow run_send(struct run *r, struct state *st, const struct insn *in, bool to_self, bool with_block)
{
	struct call c = {.mid = r->fr->irep->syms[in->b], .block = val_nil()};
	uint32_t n = in->c & 15, pairs = in->c >> 4, after;
	c.recv = to_self ? run_get(r, st, 0) : run_get(r, st, in->a);
	if (n == 15) {
		run_splat(r, st, run_get(r, st, in->a + 1), &c.args, &c.n);
		after = in->a + 2;
	} else {
		c.args = run_registers(r, st, in->a + 1, n);
		c.n = n;
		after = in->a + n + 1;
	}
	after = keywords(r, st, after, pairs, &c.keywords);
	if (with_block)
		c.block = block_value(r, run_get(r, st, after));
	lint_send(r->l, st, &c);
	return lift_send(r->l, st, &c);
}

struct flow run_send_to(struct run *r, struct state *st, const char *name, struct val recv)
{
	struct call c = {.mid = mrb_intern_cstr(r->l->mrb, name), .recv = recv, .block = val_nil()};
	return lift_send(r->l, st, &c);
}

/* ---- operators ----------------------------------------------------------------------------- */

static const char *const arithmetic_names[TERM_OPS] = {
	[TERM_ADD] = "+", [TERM_SUB] = "-", [TERM_MUL] = "*", [TERM_DIV] = "/"};

static bool is_string(struct val v)
{
	return v.kind == V_COMM || v.kind == V_PATH || v.kind == V_TEXT || (v.kind == V_STATIC && mrb_string_p(v.u.st));
}

/* The VM's instruction for a C function does not ask whether it is redefined: a call would. */
static void refuse_redefined(struct lifter *l, struct val recv, const char *name)
{
	struct RClass *class = val_class(l, recv);
	if (!MRB_METHOD_CFUNC_P(mruby_method(l->mrb, &class, mrb_intern_cstr(l->mrb, name))))
		lift_refuse(l, "give the method another name", "%s#%s is redefined",
		            mrb_class_name(l->mrb, mrb_class_real(val_class(l, recv))), name);
}

/* Opcodes for two Integers ignore a redefined operator; all else is a call. */
struct flow run_arithmetic_pair(struct lifter *l, struct state *st, int op, struct val a, struct val b)
{
	if (val_is_integer(a) && val_is_integer(b))
		return lift_binary(l, st, (enum term_op)op, a, b);
	if ((val_is_number(a) && val_is_number(b)) || (op == TERM_ADD && is_string(a) && is_string(b)))
		refuse_redefined(l, a, arithmetic_names[op]);
	struct call c = {.mid = mrb_intern_cstr(l->mrb, arithmetic_names[op]), .recv = a, .args = &b,
	                 .n = 1, .block = val_nil()};
	return lift_send(l, st, &c);
}

struct flow run_compare_pair(struct lifter *l, struct state *st, int op, struct val a, struct val b)
{
	static const char *const names[] = {"==", "<", "<=", ">", ">="};
	if (val_is_number(a) && val_is_number(b))
		return lift_compare(l, st, (enum compare_op)op, a, b);
	if (op == OP2_EQ && val_same(l, a, b)) { /* mruby does not ask the class, Ruby does */
		if (class_redefines(l, val_class(l, a), "=="))
			lift_refuse(l, "compare what it is made of", "an object compared with itself, and a class that defines ==");
		return flow_value(st, val_static(mrb_true_value()));
	}
	struct call c = {.mid = mrb_intern_cstr(l->mrb, names[op]), .recv = a, .args = &b, .n = 1,
	                 .block = val_nil()};
	return lift_send(l, st, &c);
}

struct flow run_index_pair(struct lifter *l, struct state *st, int op, struct val a, struct val b)
{
	(void)op;
	const struct val *items;
	size_t n;
	bool array = val_is_array(a);
	if (array && val_is_integer(b) && (a.kind == V_STATIC || val_items(l, st, a, &items, &n)))
		return lift_index(l, st, a, b);
	if ((array && val_is_integer(b)) || a.kind == V_HASH || (a.kind == V_STATIC && mrb_hash_p(a.u.st)) || is_string(a))
		refuse_redefined(l, a, "[]");
	struct call c = {.mid = mrb_intern_lit(l->mrb, "[]"), .recv = a, .args = &b, .n = 1,
	                 .block = val_nil()};
	return lift_send(l, st, &c);
}
