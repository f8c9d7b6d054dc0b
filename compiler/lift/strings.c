/*
 * strings.c - strings that depend on the request: ctx.comm, and texts.
 *
 * A text is a string made from a value that is not known: it can be made into
 * another one, or be an exception's message; anything else is refused.
 */
#include "compiler/lift/methods.h"

#include <string.h>

enum { COMM_START, COMM_END, COMM_INCLUDE };

/* A symbol, or a string, compared with a runtime Integer: not comparable. */
static struct flow h_never(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	if (c->n != 1 || c->args[0].kind != V_INT)
		method_needs_known(l, c);
	return flow_value(st, val_nil());
}

static struct flow h_text(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)l, (void)c, (void)unused;
	return flow_value(st, (struct val){.kind = V_TEXT});
}

/* ---- comm ------------------------------------------------------------------------- */

/* comm is exactly this long: its last byte there, none after. */
static term comm_length_is(struct lifter *l, size_t n)
{
	term end = T_TRUE;
	for (int w = 0; w < 2; w++) {
		unsigned char mask[8] = {0};
		int64_t m;
		for (size_t i = 0; i < 8; i++)
			mask[i] = 8 * (size_t)w + i >= n ? 0xff : 0;
		memcpy(&m, mask, 8);
		term word = term_input(l->terms, w ? IN_COMM_1 : IN_COMM_0);
		term rest = term_op(l->terms, TERM_BAND, word, term_const(l->terms, m));
		end = term_and(l->terms, end, term_eq(l->terms, rest, term_const(l->terms, 0)));
	}
	return end;
}

static term comm_test(struct lifter *l, int which, const char *s, size_t n)
{
	term any = T_FALSE;
	if (n > COMM_SIZE - 1)
		return T_FALSE;
	if (n == 0)
		return T_TRUE;
	if (which == COMM_START)
		return comm_matches(l, 0, s, n, false);
	for (size_t at = 0; at + n <= COMM_SIZE - 1; at++)
		any = term_or(l->terms, any, comm_matches(l, at, s, n, which == COMM_END));
	return any;
}

static struct flow h_comm(struct lifter *l, struct state *st, const struct call *c, int which)
{
	term any = T_FALSE;
	if (c->recv.kind != V_COMM || !c->n || (which == COMM_INCLUDE && c->n != 1))
		method_needs_known(l, c);
	for (size_t i = 0; i < c->n; i++) {
		mrb_value s;
		if (!val_known(l, st, c->args[i], &s))
			method_needs_known(l, c);
		if (!mrb_string_p(s)) {
			lift_raise(l, st, mrb_class_get(l->mrb, "TypeError"), "%s cannot be converted to String",
			           val_describe(l, c->args[i]));
			return (struct flow){0};
		}
		any = term_or(l->terms, any, comm_test(l, which, RSTRING_PTR(s), (size_t)RSTRING_LEN(s)));
	}
	return flow_value(st, val_bool(l, any));
}

static struct flow h_comm_size(struct lifter *l, struct state *st, const struct call *c, int empty)
{
	struct arm arms[COMM_SIZE];
	term shorter = T_FALSE;
	if (c->recv.kind != V_COMM || c->n)
		method_needs_known(l, c);
	if (empty)
		return flow_value(st, val_bool(l, comm_length_is(l, 0)));
	for (size_t n = 0; n < COMM_SIZE; n++) {
		term ends = n == COMM_SIZE - 1 ? T_TRUE : comm_length_is(l, n);
		arms[n] = (struct arm){term_and(l->terms, ends, term_not(l->terms, shorter)),
		                       val_static(mrb_int_value(l->mrb, (mrb_int)n))};
		shorter = term_or(l->terms, shorter, ends);
	}
	return flow_value(st, val_from_arms(l, arms, COMM_SIZE));
}

/* ---- methods ------------------------------------------------------------------------------- */

const struct method string_methods[] = {
	BOTH("String", "start_with?", h_comm, COMM_START), BOTH("String", "end_with?", h_comm, COMM_END),
	BOTH("String", "include?", h_comm, COMM_INCLUDE), BOTH("String", "empty?", h_comm_size, 1),
	BOTH("String", "size", h_comm_size, 0), BOTH("String", "length", h_comm_size, 0),
	BOTH("String", "bytesize", h_comm_size, 0), BOTH("String", "+", h_text, 0), PURE("String", "*"),
	PURE("String", "%"), BOTH("String", "<=>", h_never, 0), PURE("String", "[]"),
	PURE("String", "slice"), PURE("String", "index"), PURE("String", "rindex"), PURE("String", "to_i"),
	PURE("String", "to_f"), PURE("String", "to_sym"), PURE("String", "intern"),
	PURE("String", "upcase"), PURE("String", "downcase"), PURE("String", "capitalize"),
	PURE("String", "reverse"), PURE("String", "strip"), PURE("String", "chomp"),
	PURE("String", "chop"), FRESH("String", "split"), PURE("String", "hash"),
	PURE("String", "inspect"), FRESH("String", "bytes"), PURE("String", "getbyte"),
	PURE("String", "ord"), PURE("String", "chr"), PURE("String", "hex"), PURE("String", "oct"),
	PURE("String", "delete_prefix"), PURE("String", "delete_suffix"), PURE("String", "casecmp"),
	PURE("String", "casecmp?"), PURE("String", "succ"), PURE("String", "tr"),
	PURE("String", "byteindex"), PURE("String", "byteslice"), FRESH("String", "__codepoints"),
	/* of numbers and symbols */
	BOTH("Symbol", "<=>", h_never, 0), BOTH("Integer", "to_s", h_text, 0),
	BOTH("Integer", "inspect", h_text, 0),
	METHODS_END,
};
