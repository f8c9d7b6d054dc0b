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

/* ---- facts about the calling task ----------------------------------------------------------- */

static struct val task_fact(struct lifter *l, enum input in)
{
	struct terms *ts = l->terms;
	term value = term_input(ts, in);
	term none = term_eq(ts, value, term_const(ts, ID_NONE));
	switch (input_kind(in)) {
	case FACT_YES_NO: return val_bool(l, term_eq(ts, value, term_const(ts, 1)));
	case FACT_FILE: return (struct val){.kind = V_PATH, .u.t = value};
	case FACT_OR_NONE: return val_choice2(l, none, val_nil(), term_not(ts, none), val_int(l, value));
	default: return val_int(l, value);
	}
}

/* One answer, to a question whose argument is known. */
static term question(struct lifter *l, const struct call *c, enum ask_kind kind, struct val argument)
{
	struct asked *asked = terms_asked(l->terms);
	struct who_fault f;
	struct ask ask;
	if (argument.kind != V_STATIC)
		lift_refuse(l, arena_printf(l->arena, "write it down, as in %s; a parameter without a range is known, too", who_example(kind)),
		            "`%s` of what is known only when a device is asked for", ruby_name(l->rb, c->mid));
	/* what was said is kept by those who are asked after us */
	struct said *said = l->all->said;
	if (who_question(said, l->rb, kind, argument.u.st, lift_place(l), &ask, &f))
		lift_refuse(l, f.hint, "%s", f.text);
	if (who_is_root(&ask))
		return T_TRUE;
	int k = asked_ask(asked, kind, ask.number, ask.text, ask.at);
	if (k < 0)
		lift_refuse(l, "ask for one group, or one cgroup, that stands for several",
		            "the policy asks more than %d different questions by in_group?, capable? and under?", TASK_ASKS_MAX);
	return term_eq(l->terms, term_input(l->terms, IN_ASK_0 + k), term_const(l->terms, 1));
}

/* in_group?, capable?, under? */
static struct flow ask(struct lifter *l, struct state *st, const struct call *c, enum ask_kind kind)
{
	const struct arm *arms;
	term yes = T_FALSE;
	if (c->n != 1 || !val_is_nil(c->block)) {
		lift_raise(l, st, mrb_class_get(l->mrb, "ArgumentError"), "wrong number of arguments (given %zu, expected 1)", c->n);
		lift_hint_count(l, c);
		return (struct flow){0};
	}
	size_t n = val_arms(l, st, c->args[0], &arms);
	for (size_t i = 0; i < n; i++)
		yes = term_or(l->terms, yes, term_and(l->terms, arms[i].guard, question(l, c, kind, arms[i].v)));
	return flow_value(st, val_bool(l, yes));
}

/* ---- all ------------------------------------------------------------------------------------- */

struct flow ctx_method(struct lifter *l, struct state *st, const struct call *c)
{
	static const struct { const char *name; enum input in; int value; } tests[] = {
		{"char?", IN_TYPE, DEV_CHAR}, {"block?", IN_TYPE, DEV_BLOCK}, {"read?", IN_ACCESS, ACC_READ},
		{"write?", IN_ACCESS, ACC_WRITE}, {"mknod?", IN_ACCESS, ACC_MKNOD}};
	struct terms *ts = l->terms;
	const char *name = ruby_name(l->rb, c->mid);
	int kind = who_kind(name);
	if (kind >= 0)
		return ask(l, st, c, (enum ask_kind)kind);
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
	return flow_value(st, task_fact(l, (enum input)in));
}
