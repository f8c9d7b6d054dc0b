/*
 * vm.c - one frame of bytecode, evaluated on all its paths at once.
 *
 * Pending states wait in ascending order of pc; the lowest goes on until it
 * reaches one that waits, where both merge. So code after an `if` is evaluated
 * once, however many paths lead there, and the cost is linear in the bytecode
 * (with loops unrolled), not in its paths.
 */
#include "compiler/lift/run.h"

#include <string.h>


/* ---- a frame being evaluated --------------------------------------------------------- */

struct val run_get(struct run *r, struct state *st, uint32_t reg)
{
	return val_settle(r->l, st, state_get(st, r->fr->base + reg));
}

void run_set(struct run *r, struct state *st, uint32_t reg, struct val v)
{
	state_set(r->l, st, r->fr->base + reg, v);
}

void run_wait(struct run *r, struct state *st, uint32_t pc)
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
			run_set(r, x->state, reg, x->state->result);
			run_wait(r, x->state, next);
		} else {
			finish(r, x->state, x->state->result);
		}
	}
	if (f.ret) {
		run_set(r, f.ret, reg, f.ret->result);
		run_wait(r, f.ret, next);
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
		run_wait(r, st, cond == T_TRUE ? yes : no);
		return;
	}
	struct state *other = state_fork(l, st);
	if (state_assume(l, other, term_not(l->terms, cond)))
		run_wait(r, other, no);
	if (state_assume(l, st, cond))
		run_wait(r, st, yes);
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
	case OP_SETSV: run_refuse_form(r, "use a local variable", WRITES "assignment to a global variable");
	case OP_SETCV: run_refuse_form(r, "use a local variable", WRITES "assignment to a class variable");
	case OP_SETCONST:
	case OP_SETMCNST: run_refuse_form(r, "assign it outside of the block", WRITES "assignment to a constant");
	case OP_RESCUE: run_refuse_form(r, "test for the case before, an exception denies",
		                    "rescue inside a rule's block");
	case OP_SUPER:
	case OP_ARGARY: run_refuse_form(r, "call the method by its name", "super inside a rule's block");
	case OP_DEF:
	case OP_METHOD:
	case OP_CLASS:
	case OP_MODULE:
	case OP_SCLASS:
	case OP_EXEC:
	case OP_TCLASS:
	case OP_ALIAS:
	case OP_UNDEF: run_refuse_form(r, "define it outside of the block",
		                   "a definition inside a rule's block");
	default: run_refuse_form(r, "write it in another way",
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
	case OP_LOADL: v = run_pool_number(r, in->b); break;
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
	case OP_LOADSELF: v = run_get(r, st, 0); break;
	case OP_LOADT: v = val_static(mrb_true_value()); break;
	case OP_LOADF: v = val_static(mrb_false_value()); break;
	case OP_GETGV: v = val_static(mrb_gv_get(mrb, irep->syms[in->b])); break;
	case OP_GETIV: {
		struct val self = run_get(r, st, 0);
		if (self.kind != V_STATIC && self.kind != V_OBJECT)
			lift_refuse(l, "use a local variable", "an instance variable of %s",
			            val_describe(l, self));
		v = self.kind == V_OBJECT ? object_get(l, st, self, irep->syms[in->b])
		                          : val_static(mrb_iv_get(mrb, self.u.st, irep->syms[in->b]));
		break;
	}
	case OP_SETIV: {
		struct val self = run_get(r, st, 0);
		if (self.kind != V_OBJECT)
			lift_refuse(l, "use a local variable", WRITES "assignment to an instance variable");
		object_set(l, st, self, irep->syms[in->b], run_get(r, st, in->a));
		return true;
	}
	case OP_GETCV: v = run_class_variable(r, irep->syms[in->b]); break;
	case OP_GETUPVAR: v = run_captured(r, st, run_around(r, in->c), in->b); break;
	case OP_SETUPVAR: run_set_captured(r, st, in); return true;
	case OP_STRING: v = run_pool_string(r, in->b); break;
	case OP_SYMBOL:
		v = val_static(mrb_symbol_value(mrb_intern_str(mrb, run_pool_string(r, in->b).u.st)));
		break;
	case OP_STRCAT: run_append_string(r, st, in); return true;
	case OP_ARRAY: v = val_array(l, st, run_registers(r, st, in->a, in->b), in->b); break;
	case OP_ARRAY2: v = val_array(l, st, run_registers(r, st, in->b, in->c), in->c); break;
	case OP_ARYCAT: v = run_joined(r, st, run_get(r, st, in->a), run_get(r, st, in->a + 1)); break;
	case OP_SPLAT: v = run_joined(r, st, val_nil(), run_get(r, st, in->a)); break;
	case OP_ARYPUSH: {
		struct val more = val_array(l, st, run_registers(r, st, in->a + 1, in->b), in->b);
		v = run_joined(r, st, run_get(r, st, in->a), more);
		break;
	}
	case OP_AREF: v = run_element(r, st, run_get(r, st, in->b), in->c); break;
	case OP_APOST: run_destructure(r, st, in); return true;
	case OP_HASH:
		v = val_hash(l, st, NULL, 0);
		run_add_pairs(r, st, v, in->a, in->b);
		break;
	case OP_HASHCAT: run_add_hash(r, st, run_get(r, st, in->a), run_get(r, st, in->a + 1)); return true;
	case OP_HASHADD: run_add_pairs(r, st, run_get(r, st, in->a), in->a + 1, in->b); return true;
	case OP_BLOCK:
	case OP_LAMBDA: v = run_make_closure(r, st, in->b, in->op == OP_LAMBDA); break;
	case OP_OCLASS: v = val_static(mrb_obj_value(mrb->object_class)); break;
	case OP_EXCEPT: v = val_nil(); break; /* reached without an exception */
	case OP_RAISEIF:
		if (!val_is_nil(run_get(r, st, in->a)))
			refuse_op(r, OP_RESCUE);
		return true;
	default: return false;
	}
	run_set(r, st, in->a, v);
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
			a = run_get(r, st, in->a);
			b = two[i].immediate ? val_static(mrb_int_value(l->mrb, in->b)) : run_get(r, st, in->a + 1);
			if (in->op == OP_EQ)
				lint_equal(l, st, a, b);
			*out = lift_pairs(l, st, two[i].compare ? run_compare_pair : run_arithmetic_pair, two[i].kind,
			                  a, b);
			return true;
		}
	switch (in->op) {
	case OP_SEND: *out = run_send(r, st, in, false, false); return true;
	case OP_SENDB: *out = run_send(r, st, in, false, true); return true;
	case OP_SSEND: *out = run_send(r, st, in, true, false); return true;
	case OP_SSENDB: *out = run_send(r, st, in, true, true); return true;
	case OP_BLKPUSH: *out = run_given_block(r, st, in->b); return true;
	case OP_GETIDX:
		*out = lift_pairs(l, st, run_index_pair, 0, run_get(r, st, in->a), run_get(r, st, in->a + 1));
		return true;
	case OP_SETIDX: {
		struct val args[] = {run_get(r, st, in->a + 1), run_get(r, st, in->a + 2)};
		struct call c = {.mid = mrb_intern_lit(l->mrb, "[]="), .recv = run_get(r, st, in->a), .args = args,
		                 .n = 2, .block = val_nil()};
		*out = lift_send(l, st, &c);
		return true;
	}
	case OP_RANGE_INC:
	case OP_RANGE_EXC: *out = run_make_range(r, st, in, in->op == OP_RANGE_EXC); return true;
	case OP_GETCONST: *out = run_constant(r, st, r->fr->irep->syms[in->b]); return true;
	case OP_GETMCNST: {
		a = run_get(r, st, in->a);
		if (a.kind != V_STATIC)
			lift_refuse(l, "name the module: Module::NAME", "a constant of %s", val_describe(l, a));
		*out = run_const_in(r, st, (struct lookup){a.u.st, r->fr->irep->syms[in->b]});
		return true;
	}
	case OP_KEY_P:
	case OP_KARG: *out = run_keyword(r, st, in); return true;
	case OP_INTERN: *out = run_send_to(r, st, "to_sym", run_get(r, st, in->a), val_nil()); return true;
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
		run_wait(r, st, in.next);
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
		f = run_keyword(r, st, &in);
		if (f.ret)
			run_wait(r, f.ret, in.next);
		return;
	case OP_JMP:
	case OP_JMPUW: run_wait(r, st, target(&in, in.a)); return;
	case OP_JMPIF: branch(r, st, val_truth(l, st, run_get(r, st, in.a)), target(&in, in.b), in.next); return;
	case OP_JMPNOT: branch(r, st, val_truth(l, st, run_get(r, st, in.a)), in.next, target(&in, in.b)); return;
	case OP_JMPNIL: branch(r, st, nil_condition(r, st, run_get(r, st, in.a)), target(&in, in.b), in.next); return;
	case OP_ENTER: run_enter(r, st, &in); return;
	case OP_RETURN: refuse_in_ensure(r); finish(r, st, run_get(r, st, in.a)); return;
	case OP_RETURN_BLK: refuse_in_ensure(r); return_from_block(r, st, run_get(r, st, in.a)); return;
	case OP_BREAK: refuse_in_ensure(r); break_from_block(r, st, run_get(r, st, in.a)); return;
	default: refuse_op(r, in.op);
	}
}

struct flow lift_frame(struct lifter *l, struct frame *fr, struct state *st)
{
	struct run r = {.l = l, .fr = fr};
	run_wait(&r, st, 0);
	while (r.pending) {
		struct state *next = r.pending;
		r.pending = next->next;
		next->next = NULL;
		step(&r, next);
	}
	return r.out;
}

