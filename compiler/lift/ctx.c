/*
 * ctx.c - the methods of ctx.
 */
#include "compiler/lift/methods.h"

#include <string.h>

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
	int in = ctx_input(l->all->said, name);
	if (in < 0)
		method_needs_known(l, c);
	return flow_value(st, val_int(l, term_input(ts, (enum input)in)));
}
