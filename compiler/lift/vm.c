/*
 * vm.c - one frame of bytecode, evaluated on all its paths at once.
 *
 * Pending states wait in ascending order of pc; the lowest goes on until it
 * reaches one that waits, where both merge. So code after an `if` is evaluated
 * once, however many paths lead there, and the cost is linear in the bytecode
 * (with loops unrolled), not in its paths.
 */
#include "compiler/lift/run.h"

/* ---- a frame being evaluated --------------------------------------------------------- */

static void wait_at(struct run *r, struct state *st, uint32_t pc)
{
	struct state **at = &r->pending;
	while (*at && (*at)->pc < pc)
		at = &(*at)->next;
	st->pc = pc;
	if (*at && (*at)->pc == pc && !r->l->raw) {
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

/* Of a raw program, paths that parted last have most in common of what they did. */
static void finish(struct run *r, struct state *st, struct val v)
{
	if (r->l->raw) {
		st->result = v;
		*ARENA_PUSH(r->l->arena, r->returned, r->nreturned, r->returned_cap) = st;
		return;
	}
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
			wait_at(r, x->state, next);
		} else {
			finish(r, x->state, x->state->result);
		}
	}
	if (f.ret) {
		run_set(r, f.ret, reg, f.ret->result);
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
	if (path_assume(l, other, term_not(l->terms, cond)))
		wait_at(r, other, no);
	if (path_assume(l, st, cond))
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

/* Refuses a form of code, or the method of the library that is written so. */
static void __attribute__((noreturn)) refuse_form(struct run *r, const char *hint, const char *text)
{
	const struct call *c = lift_user_call(r->l, NULL);
	if (c)
		lift_refuse_method(r->l, c, " is not supported inside a rule's block",
		                   "a block may compare, compute and look up; do the rest before it");
	lift_refuse(r->l, hint, "%s", text);
}

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

/* Does the next instruction (but for a copy of the value) assign the value in `reg` to an element of something? */
static bool assigns_element(const mrb_irep *irep, uint32_t pc, uint32_t reg, struct insn *out, uint32_t *at)
{
	*at = pc;
	if (!insn_decode(irep, pc, out))
		return false;
	if (out->op == OP_MOVE) {
		*at = out->next;
		if (!insn_decode(irep, *at, out))
			return false;
	}
	if (out->a + 2 != reg)
		return false;
	return out->op == OP_SETIDX || (out->op == OP_SEND && out->c == 2);
}

/* `MAP[key] += n` is: read, add, and the next instruction stores where it was read. */
static bool adds_to_map(struct run *r, struct state *st, const struct insn *in, struct val a, struct val b, struct flow *out)
{
	struct insn next;
	uint32_t at;
	bool add = in->op == OP_ADD || in->op == OP_ADDI, subtract = in->op == OP_SUB || in->op == OP_SUBI;
	if (!r->l->raw || !(add || subtract) || in->a < 2 || !assigns_element(r->fr->irep, in->next, in->a, &next, &at))
		return false;
	if (next.op == OP_SEND && r->fr->irep->syms[next.b] != mrb_intern_lit(r->l->mrb, "[]="))
		return false;
	struct val map = run_get(r, st, next.a), key = run_get(r, st, next.a + 1);
	if (!raw_map_sum(r->l, st, map, key, a, b, subtract))
		return false;
	r->l->sum_irep = r->fr->irep;
	r->l->sum_pc = at;
	*out = flow_value(st, (struct val){.kind = V_SUM, .u.cell = (uint32_t)raw_map_of(r->l, map)});
	return true;
}

/* Operators of two values. False: not one of them. */
static bool two_operands(struct run *r, struct state *st, const struct insn *in, struct flow *out)
{
	static const struct { uint8_t op; int kind; pair_op of; } operators[] = {
		{OP_ADD, TERM_ADD, run_arithmetic_pair}, {OP_SUB, TERM_SUB, run_arithmetic_pair},
		{OP_MUL, TERM_MUL, run_arithmetic_pair}, {OP_DIV, TERM_DIV, run_arithmetic_pair},
		{OP_ADDI, TERM_ADD, run_arithmetic_pair}, {OP_SUBI, TERM_SUB, run_arithmetic_pair},
		{OP_EQ, OP2_EQ, run_compare_pair}, {OP_LT, OP2_LT, run_compare_pair},
		{OP_LE, OP2_LE, run_compare_pair}, {OP_GT, OP2_GT, run_compare_pair},
		{OP_GE, OP2_GE, run_compare_pair}, {OP_GETIDX, 0, run_index_pair},
	};
	size_t i = 0, n = sizeof operators / sizeof *operators;
	while (i < n && operators[i].op != in->op)
		i++;
	if (i == n)
		return false;
	struct val a = run_get(r, st, in->a), b;
	b = in->op == OP_ADDI || in->op == OP_SUBI ? val_static(mrb_int_value(r->l->mrb, in->b))
	                                           : run_get(r, st, in->a + 1);
	if (in->op == OP_EQ)
		lint_equal(r->l, st, a, b);
	if (adds_to_map(r, st, in, a, b, out))
		return true;
	*out = lift_pairs(r->l, st, operators[i].of, operators[i].kind, a, b);
	return true;
}

static struct flow set_index(struct run *r, struct state *st, const struct insn *in)
{
	struct val args[] = {run_get(r, st, in->a + 1), run_get(r, st, in->a + 2)};
	struct call c = {.mid = mrb_intern_lit(r->l->mrb, "[]="), .recv = run_get(r, st, in->a), .args = args,
	                 .n = 2, .block = val_nil()};
	return lift_send(r->l, st, &c);
}

static struct flow constant_of(struct run *r, struct state *st, const struct insn *in)
{
	struct val module = run_get(r, st, in->a);
	if (module.kind != V_STATIC)
		lift_refuse(r->l, "name the module: Module::NAME", "a constant of %s", val_describe(r->l, module));
	return run_const_in(r, st, (struct lookup){module.u.st, r->fr->irep->syms[in->b]});
}

/* Operations that have a flow of their own. False: not one of them. */
static bool operation(struct run *r, struct state *st, const struct insn *in, struct flow *out)
{
	if (two_operands(r, st, in, out))
		return true;
	switch (in->op) {
	case OP_SEND: *out = run_send(r, st, in, false, false); return true;
	case OP_SENDB: *out = run_send(r, st, in, false, true); return true;
	case OP_SSEND: *out = run_send(r, st, in, true, false); return true;
	case OP_SSENDB: *out = run_send(r, st, in, true, true); return true;
	case OP_BLKPUSH: *out = run_given_block(r, st, in->b); return true;
	case OP_SETIDX: *out = set_index(r, st, in); return true;
	case OP_RANGE_INC:
	case OP_RANGE_EXC: *out = run_make_range(r, st, in, in->op == OP_RANGE_EXC); return true;
	case OP_GETCONST: *out = run_constant(r, st, r->fr->irep->syms[in->b]); return true;
	case OP_GETMCNST: *out = constant_of(r, st, in); return true;
	case OP_KEY_P:
	case OP_KARG: *out = run_keyword(r, st, in); return true;
	case OP_INTERN: *out = run_send_to(r, st, "to_sym", run_get(r, st, in->a)); return true;
	default: return false;
	}
}

/* Refuses an operation that always raises: the block is wrong, whatever the request. */
static void refuse_mistake(struct lifter *l, struct flow f, size_t first, term guard)
{
	bool certain = !f.ret && !f.leaves && l->nraised > first;
	for (size_t i = first; i < l->nraised; i++)
		certain &= l->raised[i].certain_class;
	if (!certain || !path_possible(l, guard))
		return;
	const struct raised *x = &l->raised[first];
	lift_refuse(l, x->hint ? x->hint : hint_mistake(x->what), "%s", x->what);
}

/* What goes on elsewhere than at the next instruction, or leaves no value. */
static void control(struct run *r, struct state *st, const struct insn *in)
{
	struct lifter *l = r->l;
	struct flow f;
	uint32_t next = in->next;
	switch (in->op) {
	case OP_NOP: wait_at(r, st, next); return;
	case OP_RAISEIF:
		if (!val_is_nil(run_get(r, st, in->a)))
			refuse_op(r, OP_RESCUE);
		wait_at(r, st, next);
		return;
	case OP_KEYEND:
		f = run_keyword(r, st, in);
		if (f.ret)
			wait_at(r, f.ret, next);
		return;
	case OP_ENTER:
		if (run_enter(r, st, in, &next))
			wait_at(r, st, next);
		return;
	case OP_JMP:
	case OP_JMPUW: wait_at(r, st, target(in, in->a)); return;
	case OP_JMPIF: branch(r, st, val_truth(l, st, run_get(r, st, in->a)), target(in, in->b), next); return;
	case OP_JMPNOT: branch(r, st, val_truth(l, st, run_get(r, st, in->a)), next, target(in, in->b)); return;
	case OP_JMPNIL: branch(r, st, nil_condition(r, st, run_get(r, st, in->a)), target(in, in->b), next); return;
	case OP_RETURN: refuse_in_ensure(r); finish(r, st, run_passed(r, st, in->a)); return;
	case OP_RETURN_BLK: refuse_in_ensure(r); return_from_block(r, st, run_get(r, st, in->a)); return;
	case OP_BREAK: refuse_in_ensure(r); break_from_block(r, st, run_get(r, st, in->a)); return;
	default: refuse_op(r, in->op);
	}
}

/* Evaluates one instruction of a state; what follows is put among the pending. */
static void step(struct run *r, struct state *st)
{
	struct lifter *l = r->l;
	struct insn in;
	struct flow f;
	r->fr->pc = st->pc;
	if (!insn_decode(r->fr->irep, st->pc, &in))
		lift_refuse(l, "this mruby is newer than the tool", "an unknown instruction");
	lift_spend(l);
	size_t raised = l->nraised;
	term guard = st->guard->full;
	if (run_literal(r, st, &in) || run_variable(r, st, &in) || run_collection(r, st, &in)) {
		wait_at(r, st, in.next);
	} else if (operation(r, st, &in, &f)) {
		refuse_mistake(l, f, raised, guard);
		proceed(r, f, in.a, in.next);
	} else {
		control(r, st, &in);
	}
}

static struct state *next_pending(struct run *r)
{
	struct state *next = r->pending;
	r->pending = next->next;
	next->next = NULL;
	return next;
}

/* All that wait at one place are merged there, as far as they can be. */
static struct state *next_of_several(struct run *r)
{
	struct state **list = NULL;
	size_t n = 0, cap = 0;
	uint32_t pc = r->pending->pc;
	while (r->pending && r->pending->pc == pc)
		*ARENA_PUSH(r->l->arena, list, n, cap) = next_pending(r);
	n = states_merge(r->l, list, n);
	while (n > 1)
		wait_at(r, list[--n], pc);
	list[0]->pc = pc;
	return list[0];
}

struct flow lift_frame(struct lifter *l, struct frame *fr, struct state *st)
{
	struct run r = {.l = l, .fr = fr};
	wait_at(&r, st, 0);
	while (r.pending)
		step(&r, l->raw ? next_of_several(&r) : next_pending(&r));
	r.nreturned = states_merge(l, r.returned, r.nreturned);
	for (size_t i = 0; i < r.nreturned; i++) /* where they cannot be merged that is said */
		r.out.ret = state_merge(l, r.out.ret, r.returned[i]);
	return r.out;
}
