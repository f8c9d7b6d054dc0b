/*
 * verify.c - proves that the instructions of a raw program do its steps, and nothing else.
 *
 * Instructions and steps are gone through side by side. What holds before an instruction (struct state) is how far
 * the steps are, registers and stack as terms, and what is known. A function of the kernel that does or tells something
 * must be what the next step does, with the same operands; the branches that a step takes by itself are its phases. A
 * conditional jump is two states, each with its condition; an IF is entered as soon as what is known decides it. The
 * program only jumps forward, so that each instruction is looked at once for each state, and ways that meet with the
 * same steps done are one state.
 *
 * Only what the emitter may write is understood, everything else is refused.
 */
#include "compiler/raw/verify.h"
#include "policy/budget.h"

#include <string.h>

enum { WORK_MAX = 1 << 29 };

/* ---- jumps ---------------------------------------------------------------------------------------------------- */

/* The rest of a program that decides follows the steps. */
static bool is_within(const struct prover *v, size_t pc)
{
	return pc < v->n || (pc == v->n && v->raw->section == RAW_DEVICE);
}

static bool send(struct prover *v, struct state *st, size_t pc)
{
	if (!is_within(v, pc))
		return prover_refuse(v, st, "it goes on out of the program");
	prover_send(v, st, pc);
	return true;
}

/* A way that nothing goes ends here. */
static bool send_if(struct prover *v, bool possible, struct state *st, size_t pc)
{
	if (!possible)
		prover_free_state(v, st);
	return !possible || send(v, st, pc);
}

/* An address is compared with 0: the entry is there, or it is not. */
static void find_entry(struct prover *v, struct state *st, struct value entry, bool there)
{
	const struct step *s = v->places.list[entry.a].step;
	for (int i = 0; i < 10; i++)
		if (st->reg[i].kind == V_ENTRY && st->reg[i].a == entry.a) {
			st->reg[i].b = false;
			if (!there)
				st->reg[i] = prover_of_term(term_const(v->terms, 0));
		}
	if (s->kind == STEP_GET) {
		prover_know(v, st, s->found, there);
	} else if (st->phase == PHASE_LOOKED) {
		st->phase = there ? PHASE_PRESENT : PHASE_ABSENT;
	} else if (st->phase == PHASE_AGAIN) {
		st->phase = there ? PHASE_PRESENT : PHASE_LOST;
	} else if (there) {
		st->phase = PHASE_COUNTING;
	} else { /* the counter of a map is always there */
		prover_advance(v, st);
	}
}

/* The answer of a function is compared with 0. */
static void take_answer(struct prover *v, struct state *st, bool no_place)
{
	for (int i = 0; i < 10; i++)
		if (st->reg[i].kind == V_ANSWER)
			st->reg[i] = (struct value){0};
	if (no_place)
		st->phase = PHASE_LOST;
	else
		prover_advance(v, st);
}

/* The condition of a comparison of terms as it is when it is true. False: it is not understood. */
static bool condition(struct prover *v, const struct bpf_insn *in, term a, term b, term *out)
{
	struct terms *ts = v->terms;
	struct term_node x = *term_get(ts, a), y = *term_get(ts, b);
	bool narrow = BPF_CLASS(in->code) == BPF_JMP32;
	bool sign = x.lo < 0 || y.lo < 0;
	if (narrow && (sign || x.hi > UINT32_MAX || y.hi > UINT32_MAX))
		return false;
	if (narrow && BPF_OP(in->code) >= BPF_JSGT && (x.hi > INT32_MAX || y.hi > INT32_MAX))
		return false;
	switch (BPF_OP(in->code)) {
	case BPF_JEQ: *out = term_eq(ts, a, b); return true;
	case BPF_JNE: *out = term_not(ts, term_eq(ts, a, b)); return true;
	case BPF_JSLT: *out = term_lt(ts, a, b); return true;
	case BPF_JSGE: *out = term_not(ts, term_lt(ts, a, b)); return true;
	case BPF_JSGT: *out = term_lt(ts, b, a); return true;
	case BPF_JSLE: *out = term_not(ts, term_lt(ts, b, a)); return true;
	case BPF_JLT: *out = term_lt(ts, a, b); return !sign;
	case BPF_JGE: *out = term_not(ts, term_lt(ts, a, b)); return !sign;
	case BPF_JGT: *out = term_lt(ts, b, a); return !sign;
	case BPF_JLE: *out = term_not(ts, term_lt(ts, b, a)); return !sign;
	default: return false;
	}
}

/* Goes both ways, or the one that is possible. */
static bool branch(struct prover *v, struct state *st, term taken, size_t target)
{
	term c = prover_canon(v, st, taken);
	if (c <= T_TRUE)
		return send(v, st, c == T_TRUE ? target : v->pc + 1);
	struct state *there = prover_copy(v, st);
	bool yes = prover_assume(v, there, c), no = prover_assume(v, st, term_not(v->terms, c));
	return send_if(v, yes, there, target) && send_if(v, no, st, v->pc + 1);
}

/* A jump by whether something is 0 that is no number. */
static bool branch_on_zero(struct prover *v, struct state *st, const struct bpf_insn *in, struct value x, size_t target)
{
	bool eq = in->code == (BPF_JMP | BPF_JEQ | BPF_K), ne = in->code == (BPF_JMP | BPF_JNE | BPF_K);
	bool is_entry = x.kind == V_ENTRY && x.b, is_answer = x.kind == V_ANSWER && x.a == st->place && st->phase == PHASE_ANSWERED;
	if ((!eq && !ne) || in->imm || (!is_entry && !is_answer))
		return prover_refuse(v, st, "comparison of an unknown value");
	struct state *there = prover_copy(v, st);
	if (is_entry) {
		find_entry(v, there, x, ne);
		find_entry(v, st, x, eq);
	} else {
		take_answer(v, there, ne);
		take_answer(v, st, eq);
	}
	return send(v, there, target) && send(v, st, v->pc + 1);
}

static bool jump(struct prover *v, struct state *st, const struct bpf_insn *in)
{
	bool far = in->code == (BPF_JMP32 | BPF_JA), reg = BPF_SRC(in->code) == BPF_X;
	size_t target = code_jump_target(in, v->pc);
	if (in->dst_reg > 10 || in->src_reg > 10 || in->off < 0 || (far && (in->imm < 0 || in->off)) ||
	    (reg && in->imm) || (!reg && in->src_reg))
		return prover_refuse(v, st, "unknown jump");
	if (!is_within(v, target))
		return prover_refuse(v, st, "it goes on out of the program");
	if (BPF_OP(in->code) == BPF_JA) {
		if ((!far && (in->code != (BPF_JMP | BPF_JA) || in->imm)) || in->dst_reg)
			return prover_refuse(v, st, "unknown jump");
		return send(v, st, target);
	}
	struct value x = st->reg[in->dst_reg];
	struct value y = reg ? st->reg[in->src_reg] : prover_of_term(term_const(v->terms, in->imm));
	int64_t k;
	if (BPF_CLASS(in->code) == BPF_JMP32 && !reg && prover_const(v, &y, &k))
		y = prover_of_term(term_const(v->terms, (int64_t)(uint32_t)k));
	if (x.kind != V_TERM)
		return branch_on_zero(v, st, in, x, target);
	term taken;
	if (y.kind != V_TERM || !condition(v, in, x.a, y.a, &taken))
		return prover_refuse(v, st, "unknown comparison");
	return branch(v, st, taken, target);
}

static bool leave(struct prover *v, struct state *st)
{
	if (v->raw->section == RAW_DEVICE)
		return prover_refuse(v, st, "it ends before it decides");
	prover_settle(v, st);
	if (st->place != PLACE_END)
		return prover_refuse(v, st, "it ends before this is done");
	if (st->reg[BPF_REG_0].kind != V_TERM || !prover_same(v, st, st->reg[BPF_REG_0].a, v->raw->result))
		return prover_refuse(v, st, "it returns another result");
	prover_free_state(v, st);
	return true;
}

/* ---- all instructions -------------------------------------------------------------------------------------------- */

/* Executes the instruction at pc in a state, and what belongs to it. */
static bool execute(struct prover *v, struct state *st)
{
	const struct bpf_insn *in = &v->insns[v->pc];
	size_t len = 1;
	if (prover_template(v, st, &len))
		return send(v, st, v->pc + len);
	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64: return prover_alu(v, st, in) && send(v, st, v->pc + 1);
	case BPF_LDX: return prover_load(v, st, in) && send(v, st, v->pc + 1);
	case BPF_ST:
	case BPF_STX: return prover_store(v, st, in) && send(v, st, v->pc + 1);
	case BPF_LD: return prover_wide_constant(v, st) && send(v, st, v->pc + 2);
	default: break;
	}
	if (in->code == (BPF_JMP | BPF_CALL))
		return prover_call(v, st, in) && send(v, st, v->pc + 1);
	if (in->code == (BPF_JMP | BPF_EXIT) && !in->dst_reg && !in->src_reg && !in->off && !in->imm)
		return leave(v, st);
	if (BPF_OP(in->code) == BPF_CALL || BPF_OP(in->code) == BPF_EXIT)
		return prover_refuse(v, st, "unknown jump");
	return jump(v, st, in);
}

static void tell_line(struct prover *v)
{
	const struct image_line *lines = v->image->lines;
	while (v->line < v->image->nlines && lines[v->line].insn <= v->pc)
		v->line++;
	budget_line(arena_budget(v->policy->arena), v->line ? lines[v->line - 1].line : 0);
}

static int too_much(struct prover *v)
{
	diag_add(v->d, DIAG_ERROR, v->raw->at, "split the program, or compute less in its conditions",
	         "while proving the program: more than %d operations", WORK_MAX);
	return -1;
}

static int go_over(struct prover *v)
{
	for (v->pc = 0; v->pc < v->n; v->pc++) {
		tell_line(v);
		while (v->at[v->pc]) {
			struct state *st = v->at[v->pc];
			v->at[v->pc] = st->next;
			if (v->work < STACK_SIZE)
				return too_much(v);
			v->work -= STACK_SIZE / 8;
			if (!execute(v, st))
				return -1;
		}
	}
	return 0;
}

/* What the rest of the program begins with. */
static bool decides_with(struct prover *v, struct state *st)
{
	prover_settle(v, st);
	if (st->place != PLACE_END)
		return prover_refuse(v, st, "it decides before this is done");
	if (st->reg[BPF_REG_1].kind != V_CTX)
		return prover_refuse(v, st, "it decides without the context");
	for (size_t k = 0; k < v->raw->nasked; k++)
		for (unsigned i = 0; i < 8; i++)
			if (!prover_cell_is(v, st, &st->stack[8 * k + i], prover_value(v, v->raw->asked[k]), i))
				return prover_refuse(v, st, "it decides with another value of %s", v->raw->values[v->raw->asked[k]].name);
	return true;
}

static bool scan(struct prover *v)
{
	const struct image *image = v->image;
	v->target = arena_alloc(v->arena, (v->n + 1) * sizeof *v->target);
	v->leader = arena_alloc(v->arena, (v->n + 1) * sizeof *v->leader);
	v->at = arena_alloc(v->arena, (v->n + 1) * sizeof *v->at);
	memset(v->target, 0xff, (v->n + 1) * sizeof *v->target);
	for (size_t i = 0; i < image->nrelocs; i++)
		if (image->relocs[i].insn < v->n)
			v->target[image->relocs[i].insn] = image->relocs[i].target;
	for (size_t i = 0; i < v->n; i++) {
		const struct bpf_insn *in = &v->insns[i];
		bool jumps = BPF_CLASS(in->code) == BPF_JMP || BPF_CLASS(in->code) == BPF_JMP32;
		size_t to = code_jump_target(in, i);
		if (jumps && to > i && to < v->n)
			v->leader[to] = true;
		bool wide = in->code == (BPF_LD | BPF_DW | BPF_IMM);
		if (v->target[i] != UINT32_MAX && !wide)
			return prover_refuse(v, NULL, "an address where no instruction takes one");
		if (wide && i + 1 < v->n && v->target[++i] != UINT32_MAX)
			return prover_refuse(v, NULL, "an address where no instruction takes one");
	}
	return true;
}

static int prove(struct prover *v)
{
	if (!raw_places(v->arena, v->raw->steps, &v->places))
		return diag_fail(v->d, "split the program", "it has more than %d steps", RAW_PLACES_MAX);
	if (!prover_check(v) || !scan(v))
		return -1;
	struct state *st = prover_new_state(v);
	for (uint32_t i = 0; i < v->raw->nvalues; i++)
		if (!v->raw->values[i].is_field)
			st->known[i].is = st->known[i].early = true;
	st->reg[BPF_REG_1] = (struct value){.kind = V_CTX};
	st->reg[BPF_REG_10] = (struct value){.kind = V_STACK};
	st->place = PLACE_END;
	prover_advance(v, st);
	prover_send(v, st, 0);
	if (go_over(v))
		return -1;
	for (st = v->at[v->n]; st; st = st->next)
		if (!decides_with(v, st))
			return -1;
	return v->failed ? -1 : 0;
}

int raw_verify(const struct policy *p, struct diags *d, const struct image *image)
{
	struct arena *scratch = arena_scratch(p->arena);
	struct prover v = {.policy = p, .raw = p->raw, .terms = p->terms, .arena = scratch, .d = d, .image = image,
	                   .insns = image->insns, .lost = raw_lost_map(p->raw), .work = WORK_MAX};
	budget_stage(arena_budget(p->arena), STAGE_PROVE);
	v.n = p->raw->section == RAW_DEVICE ? image->steps : image->ninsns;
	int failed = v.n <= image->ninsns ? prove(&v) : diag_fail(d, NULL, "the program is shorter than its steps");
	arena_free(scratch);
	return failed;
}
