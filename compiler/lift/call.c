/*
 * call.c - method dispatch and calls of Ruby code, inlined.
 *
 * Dispatch is the VM's: the class of the receiver, its method table, whatever
 * the policy has put there. A receiver with several cases is called in each.
 *
 * Here the lifter's one circle closes: an instruction (vm.c) sends (send.c), and what is sent
 * runs a frame of instructions (lift_invoke). It ends at DEPTH_MAX.
 */
#include "compiler/lift/run.h"

enum { DEPTH_MAX = 250 };

struct flow lift_invoke(struct lifter *l, struct state *st, const struct closure *code, struct val self,
                        const struct call *c)
{
	if (++l->depth > DEPTH_MAX)
		lift_refuse(l, "a method that calls itself must end by values known when the policy is compiled",
		            "calls nest deeper than %d", DEPTH_MAX);
	struct frame *fr = arena_alloc(l->arena, sizeof *fr);
	*fr = (struct frame){.up = l->frame, .code = code, .irep = code->irep, .base = st->top,
	                     .id = ++l->next_frame, .call = c, .is_root = !l->frame};
	uint32_t base = st->top, escaped = st->escaped;
	struct region region = flow_open(l, st);
	/* arguments are laid out by ENTER; code without it takes none */
	uint16_t nregs = code->irep->nregs > code->irep->nlocals ? code->irep->nregs : code->irep->nlocals;
	fr->end = state_reserve(l, st, nregs + 2u);
	fr->escaped = st->escaped;
	state_set(l, st, base, self);
	for (uint32_t i = 1; i < code->irep->nlocals; i++)
		state_set(l, st, base + i, val_nil());
	l->frame = fr;
	struct flow f = flow_close(l, region, lift_frame(l, fr, st));
	l->frame = fr->up;
	l->depth--;
	if (f.ret) {
		state_keeps(l, f.ret, f.ret->result);
		state_truncate(l, f.ret, base, escaped);
	}
	return f;
}

static struct flow call_closure(struct lifter *l, struct state *st, const struct closure *code,
                                const struct call *c)
{
	if (code->irep)
		return lift_invoke(l, st, code, code->self, c);
	if (!c->n) {
		lift_raise(l, st, mrb_class_get(l->mrb, "ArgumentError"), "no receiver given");
		return (struct flow){0};
	}
	struct call sent = {.mid = code->sends, .recv = c->args[0], .args = c->args + 1, .n = c->n - 1,
	                    .block = val_nil(), .keywords = c->keywords};
	return lift_send(l, st, &sent);
}

/* What the rule's block calls its parameter; NULL: it has none. In a method of
 * the policy it is called ctx for want of anything better. */
static const char *parameter_name(struct lifter *l)
{
	const struct frame *f = l->frame, *root = f;
	while (root->up)
		root = root->up;
	if (!root->call->n)
		return NULL;
	return f == root && f->irep->lv && f->irep->lv[0] ? ruby_name(l->rb, f->irep->lv[0]) : "ctx";
}

static const char *method_hint(struct lifter *l, struct val recv, const char *name)
{
	if (l->raw && val_is_nil(recv) && strchr("+-*/<>", *name))
		return "what is not in a map is nil: write MAP[key] += 1, or (MAP[key] || 0) + 1";
	if (recv.kind == V_CTX)
		return hint_ctx_method(l->rb, l->all->said, name);
	bool main = recv.kind == V_STATIC && mrb_obj_eq(l->mrb, recv.u.st, mrb_top_self(l->mrb));
	if (main && l->raw)
		return raw_function_hint(l, name);
	if (main)
		return hint_main_method(l->rb, l->all->said, name, parameter_name(l));
	return hint_value_method(l->rb, l->all->said, val_class(l, recv), name);
}

static struct flow no_method(struct lifter *l, struct state *st, const struct call *c)
{
	struct RClass *class = val_class(l, c->recv);
	mrb_method_t missing = mruby_method(l->mrb, &class, mrb_intern_lit(l->mrb, "method_missing"));
	if (!MRB_METHOD_UNDEF_P(missing) && !MRB_METHOD_CFUNC_P(missing))
		lift_refuse(l, "define the method itself", "method_missing inside a rule's block");
	lift_refuse_path(l, &(struct call){.mid = c->mid, .recv = c->recv});
	const char *name = ruby_name(l->rb, c->mid);
	lift_raise(l, st, mrb_class_get(l->mrb, "NoMethodError"), "undefined method '%s' for %s", name,
	           val_describe(l, c->recv));
	const struct call *user = lift_user_call(l, NULL);
	l->raised[l->nraised - 1].hint =
		user ? arena_printf(l->arena, "the values do not go together in %s", lift_call_text(l, user))
		     : method_hint(l, c->recv, name);
	return (struct flow){0};
}

/* A method in C. */
static struct flow call_cfunc(struct lifter *l, struct state *st, const struct call *c, mrb_method_t m,
                              struct RClass *owner)
{
	if (!val_is_nil(c->keywords))
		lift_refuse(l, "pass the values by position", "keyword arguments for `%s` of %s",
		            ruby_name(l->rb, c->mid), val_describe(l, c->recv));
	if (MRB_METHOD_NOARG_P(m) && MRB_METHOD_FUNC_P(m) && c->n) {
		lift_raise(l, st, mrb_class_get(l->mrb, "ArgumentError"),
		           "wrong number of arguments (given %zu, expected 0)", c->n);
		lift_hint_count(l, c);
		return (struct flow){0};
	}
	return lift_cfunc(l, st, c, MRB_METHOD_CFUNC(m), owner);
}

/* A method in Ruby; Proc#call is one, of a single instruction. */
static struct flow call_proc(struct lifter *l, struct state *st, const struct call *c, const struct RProc *p)
{
	struct flow known;
	if (lift_library(l, st, c, p->body.irep, &known))
		return known;
	if (p->body.irep->iseq[0] != OP_CALL)
		return lift_invoke(l, st, closure_of_proc(l, p), c->recv, c);
	if (c->recv.kind == V_CLOSURE)
		return call_closure(l, st, c->recv.u.closure, c);
	const struct RProc *called = mrb_proc_ptr(c->recv.u.st);
	if (MRB_PROC_CFUNC_P(called))
		lift_refuse(l, "write a lambda", "a call of a proc made of a C function");
	return call_closure(l, st, closure_of_proc(l, called), c);
}

static struct flow dispatch(struct lifter *l, struct state *st, const struct call *c)
{
	struct flow raw;
	if (l->raw && raw_send(l, st, c, &raw))
		return raw;
	struct RClass *owner = val_class(l, c->recv);
	mrb_method_t m = mruby_method(l->mrb, &owner, c->mid);
	if (MRB_METHOD_UNDEF_P(m))
		return no_method(l, st, c);
	if (c->mid == mrb_intern_lit(l->mrb, "`"))
		lift_refuse_method(l, c, " is not supported inside a rule's block", NULL);
	if (MRB_METHOD_CFUNC_P(m))
		return call_cfunc(l, st, c, m, owner);
	return call_proc(l, st, c, MRB_METHOD_PROC(m));
}

/* An array or hash whose content depends on the path is called once for each content. */
static struct flow with_content(struct lifter *l, struct state *st, const struct call *c)
{
	const struct arm *arms;
	size_t n;
	if (!val_is_own(c->recv))
		return dispatch(l, st, c);
	n = val_arms(l, st, state_get(st, c->recv.u.cell), &arms);
	if (n == 1)
		return dispatch(l, st, c);
	struct region r = flow_open(l, st);
	struct flow all = {0};
	for (size_t i = 0; i < n; i++) {
		struct state *s = state_fork(l, st);
		if (!path_assume(l, s, arms[i].guard))
			continue;
		state_set(l, s, c->recv.u.cell, arms[i].v);
		all = flow_join(l, all, dispatch(l, s, c));
	}
	return flow_close(l, r, all);
}

struct flow lift_send(struct lifter *l, struct state *st, const struct call *c)
{
	const struct arm *arms;
	size_t n = val_arms(l, st, c->recv, &arms);
	struct call one = *c;
	if (n == 1) {
		one.recv = arms[0].v;
		return with_content(l, st, &one);
	}
	struct region r = flow_open(l, st);
	struct flow all = {0};
	for (size_t i = 0; i < n; i++) {
		struct state *s = state_fork(l, st);
		one.recv = arms[i].v;
		if (path_assume(l, s, arms[i].guard))
			all = flow_join(l, all, with_content(l, s, &one));
	}
	return flow_close(l, r, all);
}
