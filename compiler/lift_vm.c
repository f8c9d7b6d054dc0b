/*
 * lift_vm.c - one frame of bytecode, evaluated on all its paths at once.
 *
 * Pending states wait in ascending order of pc; the lowest goes on until it
 * reaches one that waits, where both merge. So code after an `if` is evaluated
 * once, however many paths lead there, and the cost is linear in the bytecode
 * (with loops unrolled), not in its paths.
 */
#include "compiler/lift.h"

#include <string.h>

/* ---- flows ------------------------------------------------------------------------ */

struct flow flow_value(struct state *st, struct val v)
{
	st->result = v;
	return (struct flow){.ret = st};
}

struct flow flow_join(struct lifter *l, struct flow a, struct flow b)
{
	a.ret = state_merge(l, a.ret, b.ret);
	for (struct leave *x = b.leaves, *next; x; x = next) {
		next = x->next;
		struct leave *same = a.leaves;
		while (same && (same->frame != x->frame || same->is_break != x->is_break))
			same = same->next;
		if (same) {
			same->state = state_merge(l, same->state, x->state);
		} else {
			x->next = a.leaves;
			a.leaves = x;
		}
	}
	return a;
}

struct region flow_open(const struct lifter *l, const struct state *st)
{
	return (struct region){st->guard, l->nraised};
}

struct flow flow_close(struct lifter *l, struct region r, struct flow f)
{
	if (f.ret && !f.leaves && l->nraised == r.nraised)
		f.ret->guard = r.guard;
	return f;
}

struct flow lift_pairs(struct lifter *l, struct state *st, pair_op fn, int op, struct val a, struct val b)
{
	const struct arm *x, *y;
	size_t n = val_arms(l, st, a, &x), m = val_arms(l, st, b, &y);
	if (n == 1 && m == 1)
		return fn(l, st, op, x[0].v, y[0].v);
	if (n * m > 4096)
		lift_refuse(l, "split the expression over several rules", "an operation has %zu cases", n * m);
	struct region r = flow_open(l, st);
	struct flow all = {0};
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < m; j++) {
			struct state *s = state_fork(l, st);
			if (state_assume(l, s, term_and(l->terms, x[i].guard, y[j].guard)))
				all = flow_join(l, all, fn(l, s, op, x[i].v, y[j].v));
		}
	return flow_close(l, r, all);
}

/* ---- a frame being evaluated --------------------------------------------------------- */

struct run {
	struct lifter *l;
	struct frame *fr;
	struct state *pending; /* ascending pc */
	struct flow out;
};

static struct val get(struct run *r, struct state *st, uint32_t reg)
{
	return val_settle(r->l, st, state_get(st, r->fr->base + reg));
}

static void set(struct run *r, struct state *st, uint32_t reg, struct val v)
{
	state_set(r->l, st, r->fr->base + reg, v);
}

static void wait_at(struct run *r, struct state *st, uint32_t pc)
{
	struct state **at = &r->pending;
	while (*at && (*at)->pc < pc)
		at = &(*at)->next;
	st->pc = pc;
	if (*at && (*at)->pc == pc) {
		struct state *next = (*at)->next;
		*at = state_merge(r->l, *at, st);
		(*at)->next = next;
		(*at)->pc = pc;
	} else {
		st->next = *at;
		*at = st;
	}
}

static void leave(struct run *r, struct state *st, struct val v, bool is_break, uint32_t frame)
{
	struct leave *x = arena_alloc(r->l->arena, sizeof *x);
	st->result = v;
	*x = (struct leave){.is_break = is_break, .frame = frame, .state = st};
	r->out = flow_join(r->l, r->out, (struct flow){.leaves = x});
}

static void finish(struct run *r, struct state *st, struct val v)
{
	r->out = flow_join(r->l, r->out, flow_value(st, v));
}

/* Continues after an operation: its value goes to a register, control to `next`. */
static void proceed(struct run *r, struct flow f, uint32_t reg, uint32_t next)
{
	for (struct leave *x = f.leaves, *after; x; x = after) {
		after = x->next;
		if (x->frame != r->fr->id) {
			x->next = NULL;
			r->out = flow_join(r->l, r->out, (struct flow){.leaves = x});
			continue;
		}
		/* what the frames it left had in registers is gone */
		state_keeps(r->l, x->state, x->state->result);
		state_truncate(r->l, x->state, r->fr->end, r->fr->escaped);
		if (x->is_break) {
			set(r, x->state, reg, x->state->result);
			wait_at(r, x->state, next);
		} else {
			finish(r, x->state, x->state->result);
		}
	}
	if (f.ret) {
		set(r, f.ret, reg, f.ret->result);
		wait_at(r, f.ret, next);
	}
}

/* ---- branches ----------------------------------------------------------------------------- */

static uint32_t target(const struct insn *in, uint32_t offset)
{
	return in->next + (uint32_t)(int32_t)(int16_t)offset;
}

static void branch(struct run *r, struct state *st, term cond, uint32_t yes, uint32_t no)
{
	struct lifter *l = r->l;
	if (cond == T_TRUE || cond == T_FALSE) {
		wait_at(r, st, cond == T_TRUE ? yes : no);
		return;
	}
	struct state *other = state_fork(l, st);
	if (state_assume(l, other, term_not(l->terms, cond)))
		wait_at(r, other, no);
	if (state_assume(l, st, cond))
		wait_at(r, st, yes);
}

static term nil_condition(struct run *r, struct state *st, struct val v)
{
	const struct arm *arms;
	size_t n = val_arms(r->l, st, v, &arms), others = 0;
	term nil = T_FALSE;
	for (size_t i = 0; i < n; i++) {
		if (val_is_nil(arms[i].v))
			nil = term_or(r->l->terms, nil, arms[i].guard);
		else
			others++;
	}
	return others ? nil : T_TRUE;
}

/* ---- variables of surrounding code ------------------------------------------------------------ */

/* NULL: there is nothing around it at that level. */
static const struct closure *lexical(struct run *r, uint32_t levels)
{
	const struct closure *c = r->fr->code;
	while (c && levels--)
		c = c->upper ? c->upper
		    : c->proc && c->proc->upper ? closure_of_proc(r->l, c->proc->upper) : NULL;
	return c;
}

static bool has_super(const mrb_irep *irep)
{
	struct insn in;
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next)
		if (in.op == OP_SUPER)
			return true;
	return false;
}

static const struct closure *around(struct run *r, uint32_t levels)
{
	const struct closure *c = lexical(r, levels);
	if (!c && has_super(r->fr->irep))
		lift_refuse(r->l, "call the method by its name", "super inside a rule's block");
	if (!c)
		lift_refuse(r->l, "pass the value as an argument", "a variable of unknown surroundings");
	return c;
}

static struct val captured(struct run *r, struct state *st, const struct closure *c, uint32_t reg)
{
	if (!c->proc)
		return val_settle(r->l, st, state_get(st, c->home_base + reg));
	struct REnv *env = MRB_PROC_ENV(c->proc);
	if (!env || (mrb_int)reg >= MRB_ENV_LEN(env))
		lift_refuse(r->l, "pass the value as an argument", "a variable of unknown surroundings");
	return val_static(env->stack[reg]);
}

static void set_captured(struct run *r, struct state *st, const struct insn *in)
{
	const struct closure *c = around(r, in->c);
	if (c->proc)
		lift_refuse(r->l, "use a variable of the block itself",
		            "a rule's block reads; it does not write: assignment to a variable outside of it");
	struct val v = get(r, st, in->a);
	state_keeps(r->l, st, v);
	state_set(r->l, st, c->home_base + in->b, v);
}

/* The block given to the method at that level: `yield`. */
static struct flow given_block(struct run *r, struct state *st, uint32_t spec)
{
	uint32_t at = 1 + (spec >> 11 & 31) + (spec >> 10 & 1) + (spec >> 5 & 31) + (spec >> 4 & 1);
	uint32_t level = spec & 15;
	struct val blk = level ? captured(r, st, around(r, level - 1), at) : get(r, st, at);
	if (!val_is_nil(blk))
		return flow_value(st, blk);
	lift_raise(r->l, st, mrb_class_get(r->l->mrb, "LocalJumpError"), "no block given (yield)");
	return (struct flow){0};
}

static struct val make_closure(struct run *r, struct state *st, uint32_t rep, bool strict)
{
	struct closure *c = arena_alloc(r->l->arena, sizeof *c);
	*c = (struct closure){.irep = r->fr->irep->reps[rep], .upper = (struct closure *)r->fr->code,
	                      .home_base = r->fr->base, .home_frame = r->fr->id,
	                      .self = get(r, st, 0), .maker = r->fr, .strict = strict};
	return (struct val){.kind = V_CLOSURE, .u.closure = c};
}

/* ---- constants ------------------------------------------------------------------------------------ */

struct lookup { mrb_value in; mrb_sym name; };

static mrb_value const_body(mrb_state *mrb, void *p)
{
	struct lookup *k = p;
	return mrb_const_get(mrb, k->in, k->name);
}

static struct flow const_in(struct run *r, struct state *st, struct lookup k)
{
	mrb_bool failed = FALSE;
	mrb_value v = mrb_protect_error(r->l->mrb, const_body, &k, &failed);
	if (!failed)
		return flow_value(st, val_static(v));
	const char *name = ruby_name(r->l->rb, k.name);
	lift_raise(r->l, st, mrb_class_get(r->l->mrb, "NameError"), "uninitialized constant %s%s", name,
	           strcmp(name, "Regexp") ? "" : ": regular expressions are not available in policies");
	r->l->raised[r->l->nraised - 1].hint = hint_constant(r->l->rb, k.in, name);
	return (struct flow){0};
}

/* Lexical surroundings first, then the ancestors: as the VM looks it up. */
static struct flow constant(struct run *r, struct state *st, mrb_sym name)
{
	mrb_state *mrb = r->l->mrb;
	const struct closure *c = r->fr->code;
	while (c && !c->proc)
		c = c->upper;
	const struct RProc *p = c ? c->proc : NULL;
	struct RClass *first = NULL;
	for (; p; p = p->upper) {
		struct RClass *in = MRB_PROC_TARGET_CLASS(p);
		in = in ? in : mrb->object_class;
		first = first ? first : in;
		if (mrb_const_defined_at(mrb, mrb_obj_value(in), name))
			return const_in(r, st, (struct lookup){mrb_obj_value(in), name});
	}
	return const_in(r, st, (struct lookup){mrb_obj_value(first ? first : mrb->object_class), name});
}

/* A class variable: of the class whose body is around the code. */
static struct val class_variable(struct run *r, mrb_sym name)
{
	mrb_state *mrb = r->l->mrb;
	const struct closure *c = r->fr->code;
	while (c && !c->proc)
		c = c->upper;
	const struct RProc *p = c ? c->proc : NULL;
	while (p && (!MRB_PROC_TARGET_CLASS(p) || MRB_PROC_TARGET_CLASS(p)->tt == MRB_TT_SCLASS))
		p = p->upper;
	struct RClass *in = p ? MRB_PROC_TARGET_CLASS(p) : mrb->object_class;
	if (!mrb_mod_cv_defined(mrb, in, name))
		lift_refuse(r->l, "assign it in the class's body", "class variable %s is not set here",
		            ruby_name(r->l->rb, name));
	return val_static(mrb_mod_cv_get(mrb, in, name));
}

/* ---- arrays, ranges, strings -------------------------------------------------------------------------- */

static struct val *registers(struct run *r, struct state *st, uint32_t first, uint32_t n)
{
	struct val *v = arena_alloc(r->l->arena, (n + 1) * sizeof *v);
	for (uint32_t i = 0; i < n; i++)
		v[i] = get(r, st, first + i);
	return v;
}

static mrb_value splat_body(mrb_state *mrb, void *p)
{
	return mrb_ary_splat(mrb, *(mrb_value *)p);
}

/* What `*v` stands for. */
static void splat(struct run *r, struct state *st, struct val v, const struct val **items, size_t *n)
{
	mrb_value known;
	mrb_bool failed = FALSE;
	if (val_spread(r->l, st, v, items, n))
		return;
	if (v.kind == V_CHOICE || v.kind == V_ARRAY || v.kind == V_HASH || v.kind == V_RANGE)
		lift_refuse(r->l, "splat an array whose length is known when the policy is compiled",
		            "a splat of an array that depends on the request");
	struct val *one = arena_alloc(r->l->arena, sizeof *one);
	*one = v;
	*items = one;
	*n = 1;
	if (v.kind == V_STATIC) {
		known = mrb_protect_error(r->l->mrb, splat_body, &v.u.st, &failed);
		if (failed)
			lift_refuse(r->l, "splat an Array: *[1, 2]", "this cannot be splatted");
		val_items(r->l, st, val_static(known), items, n);
	}
}

static struct val joined(struct run *r, struct state *st, struct val a, struct val b)
{
	const struct val *x = NULL, *y;
	size_t n = 0, m;
	if (!val_is_nil(a))
		splat(r, st, a, &x, &n);
	splat(r, st, b, &y, &m);
	struct val *all = arena_alloc(r->l->arena, (n + m + 1) * sizeof *all);
	if (n)
		memcpy(all, x, n * sizeof *all);
	if (m)
		memcpy(all + n, y, m * sizeof *all);
	return val_array(r->l, st, all, n + m);
}

/* The arrays a value can be when it is spread over variables; a value that is no
 * array stands for an array of itself. */
static void spread(struct run *r, struct state *st, const struct val *v, const struct val **items, size_t *n)
{
	if (val_spread(r->l, st, *v, items, n))
		return;
	const struct arm *arms;
	size_t count = val_arms(r->l, st, *v, &arms);
	for (size_t i = 0; i < count; i++)
		if (arms[i].v.kind == V_ARRAY || (arms[i].v.kind == V_STATIC && mrb_array_p(arms[i].v.u.st)))
			lift_refuse(r->l, "take the elements by index",
			            "an array of a length that depends on the request, spread over variables");
	*items = v;
	*n = 1;
}

static struct val element(struct run *r, struct state *st, struct val v, uint32_t i)
{
	const struct val *items;
	size_t n;
	spread(r, st, &v, &items, &n);
	return i < n ? items[i] : val_nil();
}

/* *R[a], R[a+1]..R[a+c] = R[a][b..] */
static void destructure(struct run *r, struct state *st, const struct insn *in)
{
	struct val v = get(r, st, in->a);
	const struct val *items;
	size_t n, rest;
	spread(r, st, &v, &items, &n);
	rest = n > in->b + in->c ? n - in->b - in->c : 0;
	size_t first = in->b < n ? in->b : n;
	struct val array = val_array(r->l, st, items + first, rest);
	for (uint32_t i = 0; i < in->c; i++)
		set(r, st, in->a + 1 + i, in->b + rest + i < n ? items[in->b + rest + i] : val_nil());
	set(r, st, in->a, array);
}

struct ends { mrb_value lo, hi; mrb_bool exclusive; };

static mrb_value range_body(mrb_state *mrb, void *p)
{
	struct ends *e = p;
	return mrb_range_new(mrb, e->lo, e->hi, e->exclusive);
}

static struct flow make_range(struct run *r, struct state *st, const struct insn *in, bool exclusive)
{
	struct val lo = get(r, st, in->a), hi = get(r, st, in->a + 1);
	if (lo.kind == V_STATIC && hi.kind == V_STATIC) {
		mrb_bool failed = FALSE;
		struct ends e = {lo.u.st, hi.u.st, exclusive};
		mrb_value v = mrb_protect_error(r->l->mrb, range_body, &e, &failed);
		if (!failed)
			return flow_value(st, val_static(v));
		lift_raise(r->l, st, mrb_class_get(r->l->mrb, "ArgumentError"), "bad value for range");
		return (struct flow){0};
	}
	struct range_val *range = arena_alloc(r->l->arena, sizeof *range);
	*range = (struct range_val){lo, hi, exclusive};
	return flow_value(st, (struct val){.kind = V_RANGE, .u.range = range});
}

static struct val pool_string(struct run *r, uint32_t i)
{
	const mrb_pool_value *p = &r->fr->irep->pool[i];
	return val_static(mrb_str_new(r->l->mrb, p->u.str, p->tt >> 2));
}

static struct val pool_number(struct run *r, uint32_t i)
{
	const mrb_pool_value *p = &r->fr->irep->pool[i];
	switch (p->tt) {
	case IREP_TT_INT32: return val_static(mrb_int_value(r->l->mrb, p->u.i32));
	case IREP_TT_INT64: return val_static(mrb_int_value(r->l->mrb, p->u.i64));
	case IREP_TT_FLOAT: return val_static(mrb_float_value(r->l->mrb, p->u.f));
	default: lift_refuse(r->l, "write a smaller number: an Integer has 64 bits", "a number this version does not know");
	}
}

static void append_string(struct run *r, struct state *st, const struct insn *in)
{
	mrb_value a, b;
	struct val text = {.kind = V_TEXT};
	if (val_known(r->l, st, get(r, st, in->a), &a) && val_known(r->l, st, get(r, st, in->a + 1), &b)) {
		text = val_static(mrb_str_dup(r->l->mrb, a));
		mrb_str_concat(r->l->mrb, text.u.st, b);
	}
	set(r, st, in->a, text);
}

/* Pairs from registers on, one after the other: a key given twice keeps its last value. */
static void add_pairs(struct run *r, struct state *st, struct val hash, uint32_t first, uint32_t n)
{
	if (hash.kind != V_HASH)
		lift_refuse(r->l, "build it outside of the block", "a hash that depends on the request");
	for (uint32_t i = 0; i < n; i++)
		hash_store(r->l, st, hash.u.cell, get(r, st, first + 2 * i), get(r, st, first + 2 * i + 1));
}

/* `{..., **other}` */
static void add_hash(struct run *r, struct state *st, struct val hash, struct val other)
{
	const struct val *pairs;
	size_t n;
	if (hash.kind != V_HASH || !val_pairs(r->l, st, other, &pairs, &n))
		lift_refuse(r->l, "write its pairs", "a hash made of another that depends on the request");
	for (size_t i = 0; i < n; i += 2)
		hash_store(r->l, st, hash.u.cell, pairs[i], pairs[i + 1]);
}

/* ---- calls ------------------------------------------------------------------------------------------- */

static struct val block_value(struct run *r, struct val v)
{
	if (v.kind == V_CLOSURE || val_is_nil(v) ||
	    (v.kind == V_STATIC && mrb_type(v.u.st) == MRB_TT_PROC))
		return v;
	if (v.kind == V_STATIC && mrb_symbol_p(v.u.st)) {
		struct closure *c = arena_alloc(r->l->arena, sizeof *c);
		*c = (struct closure){.sends = mrb_symbol(v.u.st), .strict = true, .self = val_nil()};
		return (struct val){.kind = V_CLOSURE, .u.closure = c};
	}
	lift_refuse(r->l, "give a block, a lambda or `&:name`", "a block argument that is %s",
	            val_describe(r->l, v));
}

/* The keyword arguments of a call, from registers on; returns the register after
 * them. None, or an empty hash passed on, is nil. */
static uint32_t keywords(struct run *r, struct state *st, uint32_t first, uint32_t pairs, struct val *out)
{
	const struct val *items;
	size_t n;
	*out = val_nil();
	if (pairs == 15) { /* `**hash` */
		struct val given = get(r, st, first);
		if (!val_pairs(r->l, st, given, &items, &n))
			lift_refuse(r->l, "name the keywords", "keyword arguments that depend on the request");
		if (n)
			*out = val_hash(r->l, st, items, n);
		return first + 1;
	}
	if (pairs) {
		*out = val_hash(r->l, st, NULL, 0);
		add_pairs(r, st, *out, first, pairs);
	}
	return first + 2 * pairs;
}

/* Refuses a form of code, or the method of the library that is written so. */
static void __attribute__((noreturn)) refuse_form(struct run *r, const char *hint, const char *text)
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

static struct flow send(struct run *r, struct state *st, const struct insn *in, bool to_self, bool with_block)
{
	struct call c = {.mid = r->fr->irep->syms[in->b], .block = val_nil()};
	uint32_t n = in->c & 15, pairs = in->c >> 4, after;
	c.recv = to_self ? get(r, st, 0) : get(r, st, in->a);
	if (n == 15) {
		splat(r, st, get(r, st, in->a + 1), &c.args, &c.n);
		after = in->a + 2;
	} else {
		c.args = registers(r, st, in->a + 1, n);
		c.n = n;
		after = in->a + n + 1;
	}
	after = keywords(r, st, after, pairs, &c.keywords);
	if (with_block)
		c.block = block_value(r, get(r, st, after));
	lint_send(r->l, st, &c);
	return lift_send(r->l, st, &c);
}

static struct flow send_to(struct run *r, struct state *st, const char *name, struct val recv, struct val arg)
{
	struct call c = {.mid = mrb_intern_cstr(r->l->mrb, name), .recv = recv, .args = &arg, .n = 1,
	                 .block = val_nil()};
	return lift_send(r->l, st, &c);
}

static const char *const arithmetic_names[TERM_OPS] = {
	[TERM_ADD] = "+", [TERM_SUB] = "-", [TERM_MUL] = "*", [TERM_DIV] = "/"};

static bool is_integer(struct val v)
{
	return v.kind == V_INT || (v.kind == V_STATIC && mrb_integer_p(v.u.st));
}

/* Opcodes for two Integers ignore a redefined operator; all else is a call. */
static struct flow arithmetic_pair(struct lifter *l, struct state *st, int op, struct val a, struct val b)
{
	if (is_integer(a) && is_integer(b))
		return lift_binary(l, st, (enum term_op)op, a, b);
	struct call c = {.mid = mrb_intern_cstr(l->mrb, arithmetic_names[op]), .recv = a, .args = &b,
	                 .n = 1, .block = val_nil()};
	return lift_send(l, st, &c);
}

static bool is_number(struct val v)
{
	return is_integer(v) || (v.kind == V_STATIC && mrb_float_p(v.u.st));
}

static struct flow compare_pair(struct lifter *l, struct state *st, int op, struct val a, struct val b)
{
	static const char *const names[] = {"==", "<", "<=", ">", ">="};
	if (is_number(a) && is_number(b))
		return lift_compare(l, st, (enum compare_op)op, a, b);
	if (op == OP2_EQ && a.kind == V_STATIC && b.kind == V_STATIC && mrb_obj_eq(l->mrb, a.u.st, b.u.st))
		return flow_value(st, val_static(mrb_true_value()));
	struct call c = {.mid = mrb_intern_cstr(l->mrb, names[op]), .recv = a, .args = &b, .n = 1,
	                 .block = val_nil()};
	return lift_send(l, st, &c);
}

static struct flow index_pair(struct lifter *l, struct state *st, int op, struct val a, struct val b)
{
	(void)op;
	bool array = a.kind == V_ARRAY || (a.kind == V_STATIC && mrb_array_p(a.u.st));
	if (array && is_integer(b))
		return lift_index(l, st, a, b);
	struct RClass *hash = l->mrb->hash_class;
	if (a.kind == V_STATIC && mrb_hash_p(a.u.st) &&
	    !MRB_METHOD_CFUNC_P(mrb_method_search_vm(l->mrb, &hash, mrb_intern_lit(l->mrb, "[]"))))
		lift_refuse(l, "give the method another name", "Hash#[] is redefined");
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
static void enter(struct run *r, struct state *st, const struct insn *in)
{
	size_t m1 = MRB_ASPEC_REQ(in->a), o = MRB_ASPEC_OPT(in->a), rest = MRB_ASPEC_REST(in->a);
	size_t m2 = MRB_ASPEC_POST(in->a), len = m1 + o + rest + m2, argc = r->fr->call->n;
	const struct val *argv = r->fr->call->args, *items;
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
		spread(r, st, one, &items, &n);
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
		set(r, st, (uint32_t)(1 + i), i < argc ? argv[i] : val_nil());
	for (size_t i = 0; i < o; i++)
		set(r, st, (uint32_t)(1 + m1 + i), i < given_opt ? argv[m1 + i] : val_nil());
	if (rest)
		set(r, st, (uint32_t)(1 + m1 + o), val_array(r->l, st, argv + m1 + given_opt, given_rest));
	for (size_t i = 0; i < m2; i++)
		set(r, st, (uint32_t)(1 + m1 + o + rest + i), i < post ? argv[post_from + i] : val_nil());
	if (takes_keywords) {
		struct val given = r->fr->call->keywords;
		set(r, st, (uint32_t)(1 + len), val_is_nil(given) ? val_hash(r->l, st, NULL, 0) : given);
		r->fr->keywords_at = (uint32_t)(1 + len);
	}
	set(r, st, (uint32_t)(1 + len + takes_keywords), r->fr->call->block);
	/* a table of jumps follows, one for each optional parameter not given */
	wait_at(r, st, in->next + 3 * (uint32_t)given_opt);
}

/* KEY_P, KARG, KEYEND: is a keyword given; its value; are there others? */
static struct flow keyword(struct run *r, struct state *st, const struct insn *in)
{
	struct lifter *l = r->l;
	struct val hash = get(r, st, r->fr->keywords_at);
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

/* ---- returns ----------------------------------------------------------------------------------------------- */

static bool is_active(struct lifter *l, uint32_t id)
{
	for (struct frame *f = l->frame; f; f = f->up)
		if (f->id == id)
			return true;
	return false;
}

static void refuse_in_ensure(struct run *r)
{
	const struct mrb_irep_catch_handler *h = mrb_irep_catch_handler_table(r->fr->irep);
	for (uint16_t i = 0; i < r->fr->irep->clen; i++)
		if (h[i].type == MRB_CATCH_ENSURE && handler_covers(&h[i], r->fr->pc))
			lift_refuse(r->l, "leave the `ensure` out", "a return through `ensure`");
}

/* `return` inside a block ends the method (or lambda, or rule) around it. */
static void return_from_block(struct run *r, struct state *st, struct val v)
{
	const struct frame *f = r->fr;
	while (f && !f->is_root && !f->code->strict)
		f = f->code->maker;
	if (!f || !is_active(r->l, f->id))
		lift_refuse(r->l, "use `next`", "a return out of a proc whose method has ended");
	/* mruby raises LocalJumpError when the code around a lambda or a rule has ended */
	if (f != r->fr && f->code->proc &&
	    (!MRB_PROC_SCOPE_P(f->code->proc) ||
	     (MRB_PROC_ENV(f->code->proc) && mrb_debug_get_filename(r->l->mrb, f->irep, 0))))
		lift_refuse(r->l, "use any?, or a method of the policy (`def`) that returns",
		            "a return out of a block within a rule's block or a lambda");
	if (f == r->fr)
		finish(r, st, v);
	else
		leave(r, st, v, false, f->id);
}

static void break_from_block(struct run *r, struct state *st, struct val v)
{
	if (r->fr->is_root)
		lift_refuse(r->l, "use `next` to end the block with a value", "break out of a rule's block");
	if (r->fr->code->strict) {
		finish(r, st, v);
		return;
	}
	if (!r->fr->code->maker || !is_active(r->l, r->fr->code->maker->id))
		lift_refuse(r->l, "use `next`", "a break out of a proc whose method has ended");
	leave(r, st, v, true, r->fr->code->maker->id);
}

/* ---- instructions -------------------------------------------------------------------------------------------- */

#define WRITES "a rule's block reads; it does not write: "

static void __attribute__((noreturn)) refuse_op(struct run *r, uint8_t op)
{
	switch (op) {
	case OP_SETGV:
	case OP_SETSV: refuse_form(r, "use a local variable", WRITES "assignment to a global variable");
	case OP_SETCV: refuse_form(r, "use a local variable", WRITES "assignment to a class variable");
	case OP_SETCONST:
	case OP_SETMCNST: refuse_form(r, "assign it outside of the block", WRITES "assignment to a constant");
	case OP_RESCUE: refuse_form(r, "test for the case before, an exception denies",
		                    "rescue inside a rule's block");
	case OP_SUPER:
	case OP_ARGARY: refuse_form(r, "call the method by its name", "super inside a rule's block");
	case OP_DEF:
	case OP_METHOD:
	case OP_CLASS:
	case OP_MODULE:
	case OP_SCLASS:
	case OP_EXEC:
	case OP_TCLASS:
	case OP_ALIAS:
	case OP_UNDEF: refuse_form(r, "define it outside of the block",
		                   "a definition inside a rule's block");
	default: refuse_form(r, "write it in another way",
		             arena_printf(r->l->arena, "this is not supported (instruction %s)", insn_name(op)));
	}
}

/* Loads and moves. False: not one of them. */
static bool simple(struct run *r, struct state *st, const struct insn *in)
{
	struct lifter *l = r->l;
	mrb_state *mrb = l->mrb;
	const mrb_irep *irep = r->fr->irep;
	struct val v;
	switch (in->op) {
	case OP_NOP: return true;
	case OP_MOVE: v = state_get(st, r->fr->base + in->b); break;
	case OP_LOADL: v = pool_number(r, in->b); break;
	case OP_LOADI: v = val_static(mrb_int_value(mrb, in->b)); break;
	case OP_LOADINEG: v = val_static(mrb_int_value(mrb, -(mrb_int)in->b)); break;
	case OP_LOADI__1: case OP_LOADI_0: case OP_LOADI_1: case OP_LOADI_2: case OP_LOADI_3:
	case OP_LOADI_4: case OP_LOADI_5: case OP_LOADI_6: case OP_LOADI_7:
		v = val_static(mrb_int_value(mrb, (mrb_int)in->op - OP_LOADI_0));
		break;
	case OP_LOADI16: v = val_static(mrb_int_value(mrb, (int16_t)in->b)); break;
	case OP_LOADI32: v = val_static(mrb_int_value(mrb, (int32_t)(in->b << 16 | in->c))); break;
	case OP_LOADSYM: v = val_static(mrb_symbol_value(irep->syms[in->b])); break;
	case OP_LOADNIL: v = val_nil(); break;
	case OP_LOADSELF: v = get(r, st, 0); break;
	case OP_LOADT: v = val_static(mrb_true_value()); break;
	case OP_LOADF: v = val_static(mrb_false_value()); break;
	case OP_GETGV: v = val_static(mrb_gv_get(mrb, irep->syms[in->b])); break;
	case OP_GETIV: {
		struct val self = get(r, st, 0);
		if (self.kind != V_STATIC && self.kind != V_OBJECT)
			lift_refuse(l, "use a local variable", "an instance variable of %s",
			            val_describe(l, self));
		v = self.kind == V_OBJECT ? object_get(l, st, self, irep->syms[in->b])
		                          : val_static(mrb_iv_get(mrb, self.u.st, irep->syms[in->b]));
		break;
	}
	case OP_SETIV: {
		struct val self = get(r, st, 0);
		if (self.kind != V_OBJECT)
			lift_refuse(l, "use a local variable", WRITES "assignment to an instance variable");
		object_set(l, st, self, irep->syms[in->b], get(r, st, in->a));
		return true;
	}
	case OP_GETCV: v = class_variable(r, irep->syms[in->b]); break;
	case OP_GETUPVAR: v = captured(r, st, around(r, in->c), in->b); break;
	case OP_SETUPVAR: set_captured(r, st, in); return true;
	case OP_STRING: v = pool_string(r, in->b); break;
	case OP_SYMBOL:
		v = val_static(mrb_symbol_value(mrb_intern_str(mrb, pool_string(r, in->b).u.st)));
		break;
	case OP_STRCAT: append_string(r, st, in); return true;
	case OP_ARRAY: v = val_array(l, st, registers(r, st, in->a, in->b), in->b); break;
	case OP_ARRAY2: v = val_array(l, st, registers(r, st, in->b, in->c), in->c); break;
	case OP_ARYCAT: v = joined(r, st, get(r, st, in->a), get(r, st, in->a + 1)); break;
	case OP_ARYDUP: v = joined(r, st, val_nil(), get(r, st, in->a)); break;
	case OP_ARYPUSH: {
		struct val more = val_array(l, st, registers(r, st, in->a + 1, in->b), in->b);
		v = joined(r, st, get(r, st, in->a), more);
		break;
	}
	case OP_AREF: v = element(r, st, get(r, st, in->b), in->c); break;
	case OP_APOST: destructure(r, st, in); return true;
	case OP_HASH:
		v = val_hash(l, st, NULL, 0);
		add_pairs(r, st, v, in->a, in->b);
		break;
	case OP_HASHCAT: add_hash(r, st, get(r, st, in->a), get(r, st, in->a + 1)); return true;
	case OP_HASHADD: add_pairs(r, st, get(r, st, in->a), in->a + 1, in->b); return true;
	case OP_BLOCK:
	case OP_LAMBDA: v = make_closure(r, st, in->b, in->op == OP_LAMBDA); break;
	case OP_OCLASS: v = val_static(mrb_obj_value(mrb->object_class)); break;
	case OP_EXCEPT: v = val_nil(); break; /* reached without an exception */
	case OP_RAISEIF:
		if (!val_is_nil(get(r, st, in->a)))
			refuse_op(r, OP_RESCUE);
		return true;
	default: return false;
	}
	set(r, st, in->a, v);
	return true;
}

/* Operations that have a flow of their own. False: not one of them. */
static bool operation(struct run *r, struct state *st, const struct insn *in, struct flow *out)
{
	struct lifter *l = r->l;
	struct val a, b;
	static const struct { uint8_t op; int kind; bool compare, immediate; } two[] = {
		{OP_ADD, TERM_ADD, false, false}, {OP_SUB, TERM_SUB, false, false},
		{OP_MUL, TERM_MUL, false, false}, {OP_DIV, TERM_DIV, false, false},
		{OP_ADDI, TERM_ADD, false, true}, {OP_SUBI, TERM_SUB, false, true},
		{OP_EQ, OP2_EQ, true, false}, {OP_LT, OP2_LT, true, false}, {OP_LE, OP2_LE, true, false},
		{OP_GT, OP2_GT, true, false}, {OP_GE, OP2_GE, true, false},
	};
	for (size_t i = 0; i < sizeof two / sizeof *two; i++)
		if (two[i].op == in->op) {
			a = get(r, st, in->a);
			b = two[i].immediate ? val_static(mrb_int_value(l->mrb, in->b)) : get(r, st, in->a + 1);
			if (in->op == OP_EQ)
				lint_equal(l, st, a, b);
			*out = lift_pairs(l, st, two[i].compare ? compare_pair : arithmetic_pair, two[i].kind,
			                  a, b);
			return true;
		}
	switch (in->op) {
	case OP_SEND: *out = send(r, st, in, false, false); return true;
	case OP_SENDB: *out = send(r, st, in, false, true); return true;
	case OP_SSEND: *out = send(r, st, in, true, false); return true;
	case OP_SSENDB: *out = send(r, st, in, true, true); return true;
	case OP_BLKPUSH: *out = given_block(r, st, in->b); return true;
	case OP_GETIDX:
		*out = lift_pairs(l, st, index_pair, 0, get(r, st, in->a), get(r, st, in->a + 1));
		return true;
	case OP_SETIDX: {
		struct val args[] = {get(r, st, in->a + 1), get(r, st, in->a + 2)};
		struct call c = {.mid = mrb_intern_lit(l->mrb, "[]="), .recv = get(r, st, in->a), .args = args,
		                 .n = 2, .block = val_nil()};
		*out = lift_send(l, st, &c);
		return true;
	}
	case OP_RANGE_INC:
	case OP_RANGE_EXC: *out = make_range(r, st, in, in->op == OP_RANGE_EXC); return true;
	case OP_GETCONST: *out = constant(r, st, r->fr->irep->syms[in->b]); return true;
	case OP_GETMCNST: {
		a = get(r, st, in->a);
		if (a.kind != V_STATIC)
			lift_refuse(l, "name the module: Module::NAME", "a constant of %s", val_describe(l, a));
		*out = const_in(r, st, (struct lookup){a.u.st, r->fr->irep->syms[in->b]});
		return true;
	}
	case OP_KEY_P:
	case OP_KARG: *out = keyword(r, st, in); return true;
	case OP_INTERN: *out = send_to(r, st, "to_sym", get(r, st, in->a), val_nil()); return true;
	default: return false;
	}
}

/* Evaluates one instruction of a state; what follows is put among the pending. */
static void step(struct run *r, struct state *st)
{
	struct lifter *l = r->l;
	struct insn in;
	r->fr->pc = st->pc;
	if (!insn_decode(r->fr->irep, st->pc, &in))
		lift_refuse(l, "this mruby is newer than the tool", "an unknown instruction");
	lift_spend(l);
	if (simple(r, st, &in)) {
		wait_at(r, st, in.next);
		return;
	}
	size_t raised = l->nraised;
	term guard = st->guard->full;
	struct flow f;
	if (operation(r, st, &in, &f)) {
		bool certain = !f.ret && !f.leaves && l->nraised > raised;
		for (size_t i = raised; i < l->nraised; i++)
			certain &= l->raised[i].certain_class;
		if (certain && lift_possible(l, guard))
			lift_refuse(l, l->raised[raised].hint ? l->raised[raised].hint
			                                      : hint_mistake(l->raised[raised].what),
			            "%s", l->raised[raised].what);
		proceed(r, f, in.a, in.next);
		return;
	}
	switch (in.op) {
	case OP_KEYEND:
		f = keyword(r, st, &in);
		if (f.ret)
			wait_at(r, f.ret, in.next);
		return;
	case OP_JMP:
	case OP_JMPUW: wait_at(r, st, target(&in, in.a)); return;
	case OP_JMPIF: branch(r, st, val_truth(l, st, get(r, st, in.a)), target(&in, in.b), in.next); return;
	case OP_JMPNOT: branch(r, st, val_truth(l, st, get(r, st, in.a)), in.next, target(&in, in.b)); return;
	case OP_JMPNIL: branch(r, st, nil_condition(r, st, get(r, st, in.a)), target(&in, in.b), in.next); return;
	case OP_ENTER: enter(r, st, &in); return;
	case OP_RETURN: refuse_in_ensure(r); finish(r, st, get(r, st, in.a)); return;
	case OP_RETURN_BLK: refuse_in_ensure(r); return_from_block(r, st, get(r, st, in.a)); return;
	case OP_BREAK: refuse_in_ensure(r); break_from_block(r, st, get(r, st, in.a)); return;
	default: refuse_op(r, in.op);
	}
}

struct flow lift_frame(struct lifter *l, struct frame *fr, struct state *st)
{
	struct run r = {.l = l, .fr = fr};
	wait_at(&r, st, 0);
	while (r.pending) {
		struct state *next = r.pending;
		r.pending = next->next;
		next->next = NULL;
		step(&r, next);
	}
	return r.out;
}
