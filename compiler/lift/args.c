/*
 * args.c - calls as instructions make them, and the arguments as a method takes
 * them.
 */
#include "compiler/lift/run.h"

#include <string.h>

/* ---- calls ------------------------------------------------------------------------------------------- */

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

/* Refuses a form of code, or the method of the library that is written so. */
void __attribute__((noreturn)) run_refuse_form(struct run *r, const char *hint, const char *text)
{
	const struct call *c = lift_user_call(r->l, NULL);
	if (c)
		lift_refuse_method(r->l, c, " is not supported inside a rule's block",
		                   "a block may compare, compute and look up; do the rest before it");
	lift_refuse(r->l, hint, "%s", text);
}

static void lint_send(struct lifter *l, const struct state *st, const struct call *c)
{
	if (c->n != 1)
		return;
	if (c->mid == mrb_intern_lit(l->mrb, "!=") || c->mid == mrb_intern_lit(l->mrb, "==="))
		lint_equal(l, st, c->recv, c->args[0]);
	else if (c->mid == mrb_intern_lit(l->mrb, "include?"))
		lint_include(l, st, c->recv, c->args[0]);
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

struct flow run_send_to(struct run *r, struct state *st, const char *name, struct val recv, struct val arg)
{
	struct call c = {.mid = mrb_intern_cstr(r->l->mrb, name), .recv = recv, .args = &arg, .n = 1,
	                 .block = val_nil()};
	return lift_send(r->l, st, &c);
}

static const char *const arithmetic_names[TERM_OPS] = {
	[TERM_ADD] = "+", [TERM_SUB] = "-", [TERM_MUL] = "*", [TERM_DIV] = "/"};

static bool is_string(struct val v)
{
	return v.kind == V_COMM || v.kind == V_TEXT || (v.kind == V_STATIC && mrb_string_p(v.u.st));
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

/* ---- arguments ------------------------------------------------------------------------------------------ */

static void wrong_count(struct run *r, struct state *st, size_t given, size_t want, size_t optional, bool rest)
{
	const struct call *c = r->fr->call;
	lift_raise(r->l, st, mrb_class_get(r->l->mrb, "ArgumentError"),
	           "wrong number of arguments (given %zu, expected %zu)", given, want);
	if (!r->fr->is_root && (optional || rest))
		r->l->raised[r->l->nraised - 1].hint =
			rest ? arena_printf(r->l->arena, "%s takes %zu arguments or more", lift_call_text(r->l, c), want)
			     : arena_printf(r->l->arena, "%s takes %zu to %zu arguments", lift_call_text(r->l, c),
			                    want, want + optional);
	else if (!r->fr->is_root)
		lift_hint_count(r->l, c);
}

/* ENTER: lays the arguments out as the parameter list says (the VM's rules). */
void run_enter(struct run *r, struct state *st, const struct insn *in)
{
	size_t m1 = MRB_ASPEC_REQ(in->a), o = MRB_ASPEC_OPT(in->a), rest = MRB_ASPEC_REST(in->a);
	size_t m2 = MRB_ASPEC_POST(in->a), len = m1 + o + rest + m2, argc = r->fr->call->n;
	const struct val *argv = r->fr->call->args, *items = NULL;
	size_t n;
	bool takes_keywords = MRB_ASPEC_KEY(in->a) || MRB_ASPEC_KDICT(in->a);
	if (!takes_keywords && !val_is_nil(r->fr->call->keywords)) { /* they are a hash, the last argument */
		struct val *more = arena_alloc(r->l->arena, (argc + 1) * sizeof *more);
		if (argc)
			memcpy(more, argv, argc * sizeof *more);
		more[argc++] = r->fr->call->keywords;
		argv = more;
	}
	if (r->fr->code->strict && (argc < m1 + m2 || (!rest && argc > len))) {
		wrong_count(r, st, argc, m1 + m2, o, rest);
		return;
	}
	if (!r->fr->code->strict && len > 1 && argc == 1) {
		struct val *one = arena_alloc(r->l->arena, sizeof *one);
		*one = val_settle(r->l, st, argv[0]);
		run_spread(r, st, one, &items, &n);
		argv = items;
		argc = n;
	}
	size_t given_opt = argc > m1 + m2 ? (argc - m1 - m2 < o ? argc - m1 - m2 : o) : 0;
	size_t given_rest = argc > m1 + o + m2 ? argc - m1 - o - m2 : 0;
	size_t post = argc > m1 ? (argc - m1 < m2 ? argc - m1 : m2) : 0;
	size_t post_from = argc - post;
	if (!rest && post_from > m1 + given_opt)
		post_from = m1 + given_opt; /* a block ignores surplus arguments */
	for (size_t i = 0; i < m1; i++)
		run_set(r, st, (uint32_t)(1 + i), i < argc ? argv[i] : val_nil());
	for (size_t i = 0; i < o; i++)
		run_set(r, st, (uint32_t)(1 + m1 + i), i < given_opt ? argv[m1 + i] : val_nil());
	if (rest)
		run_set(r, st, (uint32_t)(1 + m1 + o), val_array(r->l, st, argv + m1 + given_opt, given_rest));
	for (size_t i = 0; i < m2; i++)
		run_set(r, st, (uint32_t)(1 + m1 + o + rest + i), i < post ? argv[post_from + i] : val_nil());
	if (takes_keywords) {
		struct val given = r->fr->call->keywords;
		if (MRB_ASPEC_KEY(in->a) || val_is_nil(given)) { /* named ones are taken out of a copy */
			if (!val_pairs(r->l, st, given, &items, &n))
				n = 0;
			given = val_hash(r->l, st, items, n);
		}
		run_set(r, st, (uint32_t)(1 + len), given);
		r->fr->keywords_at = (uint32_t)(1 + len);
	}
	run_set(r, st, (uint32_t)(1 + len + takes_keywords), r->fr->call->block);
	/* a table of jumps follows, one for each optional parameter not given */
	run_wait(r, st, in->next + 3 * (uint32_t)given_opt);
}

/* KEY_P, KARG, KEYEND: is a keyword given; its value; are there others? */
struct flow run_keyword(struct run *r, struct state *st, const struct insn *in)
{
	struct lifter *l = r->l;
	struct val hash = run_get(r, st, r->fr->keywords_at);
	const struct val *pairs;
	size_t n, at = 0;
	if (!val_pairs(l, st, hash, &pairs, &n))
		lift_refuse(l, "pass the values by position", "keyword arguments that depend on the request");
	mrb_sym name = in->op == OP_KEYEND ? 0 : r->fr->irep->syms[in->b];
	while (name && at < n && !(pairs[at].kind == V_STATIC && mrb_symbol_p(pairs[at].u.st) &&
	                           mrb_symbol(pairs[at].u.st) == name))
		at += 2;
	if (in->op == OP_KEY_P)
		return flow_value(st, val_static(mrb_bool_value(at < n)));
	if (in->op == OP_KEYEND && n)
		name = pairs[0].kind == V_STATIC && mrb_symbol_p(pairs[0].u.st) ? mrb_symbol(pairs[0].u.st) : 0;
	if (in->op == OP_KEYEND ? n > 0 : at == n) {
		lift_raise(l, st, mrb_class_get(l->mrb, "ArgumentError"), "%s keyword: %s",
		           n && in->op == OP_KEYEND ? "unknown" : "missing", name ? ruby_name(l->rb, name) : "?");
		return (struct flow){0};
	}
	if (in->op == OP_KEYEND)
		return flow_value(st, val_nil());
	struct val value = pairs[at + 1], *left = arena_alloc(l->arena, n * sizeof *left);
	memcpy(left, pairs, at * sizeof *left);
	memcpy(left + at, pairs + at + 2, (n - at - 2) * sizeof *left);
	val_set_items(l, st, hash, left, n - 2);
	return flow_value(st, value);
}

