/*
 * names.c - variables: registers of the frame and of the code around it, of objects, classes
 * and the file; closures, which keep them; constants.
 */
#include "compiler/lift/run.h"

#include <string.h>

/* ---- registers ----------------------------------------------------------------------------- */

/* Is it, or may it be, what the kernel adds up? */
static bool is_sum(struct lifter *l, const struct state *st, struct val v)
{
	const struct arm *arms;
	size_t n = v.kind == V_CHOICE ? val_arms(l, st, v, &arms) : 0;
	bool found = v.kind == V_SUM;
	for (size_t i = 0; i < n; i++)
		found |= arms[i].v.kind == V_SUM;
	return found;
}

struct val run_passed(struct run *r, struct state *st, uint32_t reg)
{
	return val_settle(r->l, st, state_get(st, r->fr->base + reg));
}

struct val run_get(struct run *r, struct state *st, uint32_t reg)
{
	struct lifter *l = r->l;
	struct val v = run_passed(r, st, reg);
	bool stores = r->fr->irep == l->sum_irep && r->fr->pc == l->sum_pc;
	if (l->sum_irep && !stores && is_sum(l, st, v))
		raw_refuse_sum(l);
	return v;
}

void run_set(struct run *r, struct state *st, uint32_t reg, struct val v)
{
	state_set(r->l, st, r->fr->base + reg, v);
}

/* ---- closures ------------------------------------------------------------------------------ */

struct closure *closure_of_proc(struct lifter *l, const struct RProc *p)
{
	struct closure *c = arena_alloc(l->arena, sizeof *c);
	*c = (struct closure){.irep = p->body.irep, .proc = p, .strict = MRB_PROC_STRICT_P(p),
	                      .self = val_static(mrb_top_self(l->mrb))};
	struct REnv *env = MRB_PROC_ENV(p);
	if (env && MRB_ENV_LEN(env) > 0 && env->stack)
		c->self = val_static(env->stack[0]); /* a block's self is that of its surroundings */
	return c;
}

static struct val make_closure(struct run *r, struct state *st, uint32_t rep, bool strict)
{
	struct closure *c = arena_alloc(r->l->arena, sizeof *c);
	*c = (struct closure){.irep = r->fr->irep->reps[rep], .upper = (struct closure *)r->fr->code,
	                      .home_base = r->fr->base, .home_frame = r->fr->id,
	                      .self = run_get(r, st, 0), .maker = r->fr, .strict = strict};
	return (struct val){.kind = V_CLOSURE, .u.closure = c};
}

/* ---- variables of surrounding code --------------------------------------------------------- */

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
	struct val v = run_get(r, st, in->a);
	state_keeps(r->l, st, v);
	state_set(r->l, st, c->home_base + in->b, v);
}

/* The block given to the method at that level: `yield`. */
struct flow run_given_block(struct run *r, struct state *st, uint32_t spec)
{
	uint32_t at = 1 + (spec >> 11 & 31) + (spec >> 10 & 1) + (spec >> 5 & 31) + (spec >> 4 & 1);
	uint32_t level = spec & 15;
	struct val blk = level ? captured(r, st, around(r, level - 1), at) : run_get(r, st, at);
	if (!val_is_nil(blk))
		return flow_value(st, blk);
	lift_raise(r->l, st, mrb_class_get(r->l->mrb, "LocalJumpError"), "no block given (yield)");
	return (struct flow){0};
}

/* ---- variables by name --------------------------------------------------------------------- */

static struct val instance_variable(struct run *r, struct state *st, mrb_sym name)
{
	struct val self = run_get(r, st, 0);
	if (self.kind == V_OBJECT)
		return object_get(r->l, st, self, name);
	if (self.kind != V_STATIC)
		lift_refuse(r->l, "use a local variable", "an instance variable of %s", val_describe(r->l, self));
	return val_static(mrb_iv_get(r->l->mrb, self.u.st, name));
}

static void set_instance_variable(struct run *r, struct state *st, mrb_sym name, struct val v)
{
	struct val self = run_get(r, st, 0);
	if (self.kind != V_OBJECT)
		lift_refuse(r->l, "use a local variable",
		            "a rule's block reads; it does not write: assignment to an instance variable");
	object_set(r->l, st, self, name, v);
}

/* The code of the file or library that is lexically around the code; NULL: none. */
static const struct RProc *proc_around(const struct run *r)
{
	const struct closure *c = r->fr->code;
	while (c && !c->proc)
		c = c->upper;
	return c ? c->proc : NULL;
}

/* A class variable: of the class whose body is around the code. */
static struct val class_variable(struct run *r, mrb_sym name)
{
	mrb_state *mrb = r->l->mrb;
	const struct RProc *p = proc_around(r);
	while (p && (!MRB_PROC_TARGET_CLASS(p) || MRB_PROC_TARGET_CLASS(p)->tt == MRB_TT_SCLASS))
		p = p->upper;
	struct RClass *in = p ? MRB_PROC_TARGET_CLASS(p) : mrb->object_class;
	if (!mrb_mod_cv_defined(mrb, in, name))
		lift_refuse(r->l, "assign it in the class's body", "class variable %s is not set here",
		            ruby_name(r->l->rb, name));
	return val_static(mrb_mod_cv_get(mrb, in, name));
}

bool run_variable(struct run *r, struct state *st, const struct insn *in)
{
	const mrb_irep *irep = r->fr->irep;
	struct val v;
	switch (in->op) {
	case OP_MOVE: v = state_get(st, r->fr->base + in->b); break;
	case OP_LOADSELF: v = run_get(r, st, 0); break;
	case OP_GETGV: v = val_static(mrb_gv_get(r->l->mrb, irep->syms[in->b])); break;
	case OP_GETIV: v = instance_variable(r, st, irep->syms[in->b]); break;
	case OP_GETCV: v = class_variable(r, irep->syms[in->b]); break;
	case OP_GETUPVAR: v = captured(r, st, around(r, in->c), in->b); break;
	case OP_SETIV: set_instance_variable(r, st, irep->syms[in->b], run_get(r, st, in->a)); return true;
	case OP_SETUPVAR: set_captured(r, st, in); return true;
	case OP_BLOCK:
	case OP_LAMBDA: v = make_closure(r, st, in->b, in->op == OP_LAMBDA); break;
	default: return false;
	}
	run_set(r, st, in->a, v);
	return true;
}

/* ---- constants ----------------------------------------------------------------------------- */

static mrb_value const_body(mrb_state *mrb, void *p)
{
	struct lookup *k = p;
	return mrb_const_get(mrb, k->in, k->name);
}

struct flow run_const_in(struct run *r, struct state *st, struct lookup k)
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
struct flow run_constant(struct run *r, struct state *st, mrb_sym name)
{
	mrb_state *mrb = r->l->mrb;
	const struct RProc *p = proc_around(r);
	struct RClass *first = NULL;
	for (; p; p = p->upper) {
		struct RClass *in = MRB_PROC_TARGET_CLASS(p);
		in = in ? in : mrb->object_class;
		first = first ? first : in;
		if (mrb_const_defined_at(mrb, mrb_obj_value(in), name))
			return run_const_in(r, st, (struct lookup){mrb_obj_value(in), name});
	}
	return run_const_in(r, st, (struct lookup){mrb_obj_value(first ? first : mrb->object_class), name});
}
