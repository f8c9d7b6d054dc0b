/*
 * verify.c - proves that a program means what its policy means.
 *
 * The instructions are read back in two passes over a program that only jumps
 * forward. Forwards, every register is known as an input, a term or an address
 * (or not at all: where two paths meet with different values it is forgotten).
 * Backwards, each instruction gets the diagram of the verdict from there on: an
 * exit is a terminal, a conditional jump chooses between two diagrams. The
 * diagram of the first instruction must be the very node the policy has. Where all
 * ways meet, the program is cut: what is before has a diagram of its own, in which
 * OUT_PASS stands for going on, and is overlaid on what follows once, not at each
 * of its instructions.
 *
 * A program that reports ends in a tail (report.c), entered by jumps with the
 * outcome in a register: such a jump is a terminal too, and the tail must be what
 * the emitter writes, bit by bit.
 *
 * Only what the emitter writes is understood; everything else is refused. The
 * device's fields are taken as raw 32-bit values, so that a program that lets a
 * request outside the domain pass is refused as well.
 */
#include "compiler/internal.h"

#include <inttypes.h>
#include <string.h>

enum kind {
	V_UNKNOWN,
	V_CTX,     /* the context's address */
	V_STACK,   /* frame pointer + n */
	V_PARAM,   /* address of parameter n */
	V_RAW,     /* input n as the kernel gives it */
	V_TERM,    /* term n */
	V_FLAG,    /* 0 or 1: is condition n true */
	V_RESULT,  /* what the helper of home n returned */
};

struct value {
	enum kind kind;
	int64_t n;
};

/* A search tree read back passes through a node of each of its depths. */
enum { PROOF_BUDGET = 3 * DIAGRAM_BUDGET };

enum { SLOTS = 4 }; /* 8-byte stack slots: -8, -16, -24, -32 */

/* The stack slots of an expression: nothing is kept there over a jump. */
struct spills {
	struct value slot[SPILL_SLOTS];
	bool used;
};

struct state {
	struct value reg[11];
	struct value slot[SLOTS];
	struct state *free; /* in the list of those to be used again */
};

struct verifier {
	const struct policy *policy;
	struct arena *arena; /* of the proof alone */
	struct diagrams *dg;
	const struct bpf_insn *insns;
	size_t n;
	const struct image *image;
	size_t next_reloc;
	struct state now;
	struct spills spills;
	bool live;              /* does control reach here from the instruction before? */
	struct state **pending; /* by instruction: the state jumps bring, or NULL */
	struct state *spare;
	uint32_t *reach;        /* by jump: where to, 0 for the tail */
	node *cond;             /* by conditional jump: when it is taken */
	const char *why;        /* what was not understood */
	bool has_errno;         /* of the policy */
};

/* ---- values -------------------------------------------------------------------- */

static struct value of_term(term t)
{
	return (struct value){.kind = V_TERM, .n = t};
}

static bool same_value(const struct value *x, const struct value *y)
{
	return x->kind == y->kind && x->n == y->n;
}

static void forget_differences(struct state *into, const struct state *other)
{
	for (int i = 0; i < 11; i++)
		if (!same_value(&into->reg[i], &other->reg[i]))
			into->reg[i] = (struct value){0};
	for (int i = 0; i < SLOTS; i++)
		if (!same_value(&into->slot[i], &other->slot[i]))
			into->slot[i] = (struct value){0};
}

/* The value as a term; inputs are in their domain wherever arithmetic is met,
 * because outside it the program has already denied (or the final comparison
 * of diagrams fails). */
static bool as_term(struct verifier *v, const struct value *x, term *out)
{
	if (x->kind == V_RAW)
		*out = term_input(v->policy->terms, (enum input)x->n);
	else if (x->kind == V_TERM)
		*out = (term)x->n;
	else if (x->kind == V_FLAG)
		*out = term_ite(v->policy->terms, (term)x->n, term_const(v->policy->terms, 1),
		                term_const(v->policy->terms, 0));
	else
		return false;
	return true;
}

static bool as_const(struct verifier *v, const struct value *x, int64_t *out)
{
	if (x->kind != V_TERM || term_get(v->policy->terms, (term)x->n)->op != TERM_CONST)
		return false;
	*out = term_get(v->policy->terms, (term)x->n)->lo;
	return true;
}

static int slot_of(int64_t offset)
{
	return offset < 0 && offset >= -8 * SLOTS && offset % 8 == 0 ? (int)(-offset / 8) - 1 : -1;
}

/* What an offset from the frame pointer holds, or NULL. */
static struct value *stack_value(struct verifier *v, int64_t offset)
{
	int slot = slot_of(offset);
	if (slot >= 0)
		return &v->now.slot[slot];
	if (offset % 8 || offset > STACK_SPILL || offset <= STACK_SPILL - 8 * SPILL_SLOTS)
		return NULL;
	v->spills.used = true;
	return &v->spills.slot[(STACK_SPILL - offset) / 8];
}

static void forget_spills(struct verifier *v)
{
	if (v->spills.used)
		v->spills = (struct spills){0};
}

static bool refuse(struct verifier *v, const char *why)
{
	v->why = why;
	return false;
}

/* ---- arithmetic ------------------------------------------------------------------- */

static bool alu_term_op(uint8_t op, enum term_op *out)
{
	switch (op) {
	case BPF_ADD: *out = TERM_ADD; return true;
	case BPF_SUB: *out = TERM_SUB; return true;
	case BPF_MUL: *out = TERM_MUL; return true;
	case BPF_DIV: *out = TERM_DIV; return true;
	case BPF_MOD: *out = TERM_MOD; return true;
	case BPF_AND: *out = TERM_BAND; return true;
	case BPF_OR: *out = TERM_BOR; return true;
	case BPF_XOR: *out = TERM_BXOR; return true;
	case BPF_LSH: *out = TERM_SHL; return true;
	case BPF_ARSH: *out = TERM_SHR; return true;
	default: return false;
	}
}

static bool arithmetic(struct verifier *v, enum term_op op, struct value *dst, const struct value *src)
{
	struct terms *ts = v->policy->terms;
	term a, b;
	int64_t one;
	if (dst->kind == V_FLAG && op == TERM_BXOR && as_const(v, src, &one) && one == 1) {
		dst->n = term_not(ts, (term)dst->n);
		return true;
	}
	if (dst->kind == V_FLAG && op == TERM_BAND && src->kind == V_FLAG) {
		dst->n = term_and(ts, (term)dst->n, (term)src->n);
		return true;
	}
	if (!as_term(v, dst, &a) || !as_term(v, src, &b))
		return refuse(v, "arithmetic on an unknown value");
	if ((op == TERM_DIV || op == TERM_MOD) && term_get(ts, a)->lo < 0)
		return refuse(v, "unsigned division of a value that may be negative");
	*dst = of_term(term_op(ts, op, a, b));
	return true;
}

/* Pieces of what helpers return: uid is the low half, gid the high one, ... */
static bool helper_piece(struct value *dst, const struct bpf_insn *in)
{
	bool low = in->code == (BPF_ALU | BPF_MOV | BPF_X);
	bool high = in->code == (BPF_ALU64 | BPF_RSH | BPF_K) && in->imm == 32;
	bool seconds = in->code == (BPF_ALU64 | BPF_DIV | BPF_K) && in->imm == NSEC_PER_SEC;
	if (dst->kind != V_RESULT)
		return false;
	switch (dst->n) {
	case HOME_UID_GID:
		*dst = (struct value){.kind = V_RAW, .n = low ? IN_UID : IN_GID};
		return low || high;
	case HOME_PID_TGID:
		*dst = (struct value){.kind = V_RAW, .n = low ? IN_TID : IN_PID};
		return low || high;
	case HOME_UPTIME:
		*dst = (struct value){.kind = V_RAW, .n = IN_UPTIME};
		return seconds;
	default: return false;
	}
}

static bool alu(struct verifier *v, const struct bpf_insn *in)
{
	uint8_t op = BPF_OP(in->code);
	bool wide = BPF_CLASS(in->code) == BPF_ALU64, reg = BPF_SRC(in->code) == BPF_X;
	if (in->dst_reg >= 10 || in->src_reg > 10 || in->off || (reg ? in->imm : in->src_reg))
		return refuse(v, "unknown operand");
	struct value *dst = &v->now.reg[in->dst_reg];
	struct value src = reg ? v->now.reg[in->src_reg] : of_term(term_const(v->policy->terms, in->imm));
	if (op == BPF_MOV) {
		*dst = src;
		if (!wide && !(reg && helper_piece(dst, in)))
			return refuse(v, "32-bit move");
		return src.kind != V_UNKNOWN || refuse(v, "move of an unknown value");
	}
	if (!wide)
		return refuse(v, "32-bit arithmetic");
	if (!reg && helper_piece(dst, in))
		return true;
	if (dst->kind == V_STACK && op == BPF_ADD && !reg) {
		dst->n += in->imm;
		return true;
	}
	enum term_op top;
	if (!alu_term_op(op, &top))
		return refuse(v, "unknown arithmetic");
	return arithmetic(v, top, dst, &src);
}

/* What takes several instructions. False: it is none of that, or not with these values. */
static bool template(struct verifier *v, size_t pc, size_t *len)
{
	struct terms *ts = v->policy->terms;
	struct template t;
	term x, y;
	if (!template_read(v->insns + pc, v->n - pc, &t, len))
		return false;
	for (size_t i = 1; i < *len; i++)
		if (v->pending[pc + i])
			return false;
	struct value *reg = v->now.reg, imm = of_term(term_const(ts, t.imm));
	if (!as_term(v, &reg[t.x], &x) || !as_term(v, t.y < 0 ? &imm : &reg[t.y], &y))
		return false;
	switch (t.kind) {
	case TEMPLATE_DIVIDE:
	case TEMPLATE_MODULO:
		reg[t.x] = of_term(term_op(ts, t.kind == TEMPLATE_DIVIDE ? TERM_DIV : TERM_MOD, x, y));
		reg[t.s] = (struct value){0};
		if (t.kind == TEMPLATE_MODULO)
			reg[t.t] = (struct value){0};
		return true;
	case TEMPLATE_CHOOSE:
		if (reg[t.s].kind != V_FLAG)
			return false;
		reg[t.s] = of_term(term_ite(ts, (term)reg[t.s].n, x, y));
		reg[t.x] = (struct value){0};
		return true;
	case TEMPLATE_DIFFER:
		reg[t.x] = (struct value){.kind = V_FLAG, .n = term_not(ts, term_eq(ts, x, y))};
		reg[t.s] = (struct value){0};
		return true;
	case TEMPLATE_LESS:
		if (!terms_differ_within(term_get(ts, x), term_get(ts, y)))
			return false;
		reg[t.x] = (struct value){.kind = V_FLAG, .n = term_lt(ts, x, y)};
		return true;
	default:
		reg[t.x] = (struct value){.kind = V_FLAG, .n = term_lt(ts, x, y)};
		reg[t.s] = reg[t.t] = (struct value){0};
		return true;
	}
}

/* ---- memory and helpers --------------------------------------------------------------- */

static bool load_context(struct verifier *v, const struct bpf_insn *in, struct value *dst)
{
	static const enum input fields[] = {IN_TYPE, IN_REQUESTED, IN_MAJOR, IN_MINOR};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (in->off == ctx_offset(fields[i]) && BPF_SIZE(in->code) == ctx_load_size(fields[i])) {
			*dst = (struct value){.kind = V_RAW, .n = fields[i]};
			return true;
		}
	return refuse(v, "load of an unknown field of the context");
}

static bool load(struct verifier *v, const struct bpf_insn *in)
{
	if (in->dst_reg >= 10 || in->src_reg > 10 || BPF_MODE(in->code) != BPF_MEM || in->imm)
		return refuse(v, "unknown load");
	struct value *dst = &v->now.reg[in->dst_reg], src = v->now.reg[in->src_reg];
	if (src.kind == V_CTX)
		return load_context(v, in, dst);
	if (BPF_SIZE(in->code) != BPF_DW)
		return refuse(v, "narrow load");
	if (src.kind == V_PARAM && in->off == 0) {
		*dst = (struct value){.kind = V_RAW, .n = IN_PARAM_0 + src.n};
		return true;
	}
	const struct value *held = src.kind == V_STACK ? stack_value(v, src.n + in->off) : NULL;
	if (!held || held->kind == V_UNKNOWN)
		return refuse(v, "load from an unknown address");
	*dst = *held;
	return true;
}

static bool store(struct verifier *v, const struct bpf_insn *in)
{
	if (in->code != (BPF_STX | BPF_MEM | BPF_DW) || in->dst_reg > 10 || in->src_reg > 10 || in->imm)
		return refuse(v, "unknown store");
	const struct value *to = &v->now.reg[in->dst_reg];
	struct value *slot = to->kind == V_STACK ? stack_value(v, to->n + in->off) : NULL;
	struct value x = v->now.reg[in->src_reg];
	if (!slot)
		return refuse(v, "store to an unknown address");
	if (x.kind == V_RESULT && x.n == HOME_CGROUP)
		x = (struct value){.kind = V_RAW, .n = IN_CGROUP_ID};
	*slot = x;
	return true;
}

static bool call(struct verifier *v, const struct bpf_insn *in)
{
	int home = 0;
	while (home < HOMES && home_helper((enum fact_home)home) != in->imm)
		home++;
	if (home == HOMES || in->src_reg || in->dst_reg)
		return refuse(v, "call of an unknown helper");
	if (home == HOME_COMM) {
		const struct value *buffer = &v->now.reg[BPF_REG_1];
		int64_t size;
		if (buffer->kind != V_STACK || buffer->n != STACK_COMM ||
		    !as_const(v, &v->now.reg[BPF_REG_2], &size) || size != COMM_SIZE)
			return refuse(v, "unknown arguments of a helper");
		v->now.slot[slot_of(STACK_COMM)] = (struct value){.kind = V_RAW, .n = IN_COMM_0};
		v->now.slot[slot_of(STACK_COMM + 8)] = (struct value){.kind = V_RAW, .n = IN_COMM_1};
	}
	for (int i = 0; i <= BPF_REG_5; i++)
		v->now.reg[i] = (struct value){0};
	v->now.reg[BPF_REG_0] = (struct value){.kind = V_RESULT, .n = home};
	return true;
}

static bool wide_constant(struct verifier *v, size_t pc)
{
	const struct bpf_insn *in = &v->insns[pc];
	if (pc + 1 >= v->n || in[1].code || in[1].dst_reg || in[1].src_reg || in[1].off ||
	    in->dst_reg >= 10 || in->src_reg || in->off || v->pending[pc + 1])
		return refuse(v, "broken 64-bit constant");
	const struct image *image = v->image;
	if (v->next_reloc < image->nrelocs && image->relocs[v->next_reloc].insn == pc) {
		uint32_t param = image->relocs[v->next_reloc++].target;
		if (param >= v->policy->nparams || in->imm || in[1].imm)
			return refuse(v, "relocation of an unknown parameter");
		v->now.reg[in->dst_reg] = (struct value){.kind = V_PARAM, .n = param};
		return true;
	}
	int64_t k = (int64_t)((uint64_t)(uint32_t)in[1].imm << 32 | (uint32_t)in->imm);
	v->now.reg[in->dst_reg] = of_term(term_const(v->policy->terms, k));
	return true;
}

/* ---- jumps ----------------------------------------------------------------------------- */

static node interval(struct verifier *v, uint32_t var, int64_t lo, int64_t hi)
{
	int64_t min = diagram_var_min(v->dg, var), max = diagram_var_max(v->dg, var);
	struct edge e[3];
	size_t n = 0;
	if (lo > max || hi < min || lo > hi)
		return diagram_terminal(OUT_PASS);
	if (lo > min)
		e[n++] = (struct edge){lo - 1, diagram_terminal(OUT_PASS)};
	e[n++] = (struct edge){hi < max ? hi : max, diagram_terminal(OUT_ALLOW)};
	if (hi < max)
		e[n++] = (struct edge){max, diagram_terminal(OUT_PASS)};
	return diagram_switch(v->dg, var, e, n);
}

static node negate(struct verifier *v, node n)
{
	return diagram_ite(v->dg, n, diagram_terminal(OUT_PASS), diagram_terminal(OUT_ALLOW));
}

/* A raw input compared with a constant. */
static bool compare_raw(struct verifier *v, uint8_t op, bool narrow, uint32_t var, int64_t k, node *out)
{
	int64_t max = diagram_var_max(v->dg, var);
	bool is_unsigned = op == BPF_JGT || op == BPF_JLE;
	if (narrow && max > UINT32_MAX)
		return refuse(v, "32-bit comparison of a 64-bit value");
	if (narrow)
		k = (uint32_t)k;
	if (is_unsigned && (k < 0 || max == INT64_MAX))
		return refuse(v, "unsigned comparison of a signed value");
	switch (op) {
	case BPF_JEQ: *out = interval(v, var, k, k); return true;
	case BPF_JNE: *out = negate(v, interval(v, var, k, k)); return true;
	case BPF_JGT:
	case BPF_JSGT: *out = k == INT64_MAX ? diagram_terminal(OUT_PASS)
	                                     : interval(v, var, k + 1, INT64_MAX);
		return !(narrow && op == BPF_JSGT) || refuse(v, "signed 32-bit comparison");
	case BPF_JLE:
	case BPF_JSLE: *out = interval(v, var, INT64_MIN, k);
		return !(narrow && op == BPF_JSLE) || refuse(v, "signed 32-bit comparison");
	default: return refuse(v, "unknown comparison of an input");
	}
}

static bool compare_terms(struct verifier *v, uint8_t op, term a, term b, node *out)
{
	struct terms *ts = v->policy->terms;
	term t;
	switch (op) {
	case BPF_JEQ: t = term_eq(ts, a, b); break;
	case BPF_JNE: t = term_not(ts, term_eq(ts, a, b)); break;
	case BPF_JSLT: t = term_lt(ts, a, b); break;
	case BPF_JSGE: t = term_not(ts, term_lt(ts, a, b)); break;
	default: return refuse(v, "unknown comparison");
	}
	*out = diagram_of_term(v->dg, t);
	return true;
}

static bool condition(struct verifier *v, const struct bpf_insn *in, node *out)
{
	bool narrow = BPF_CLASS(in->code) == BPF_JMP32;
	if (in->dst_reg > 10 || in->src_reg > 10)
		return refuse(v, "unknown operand");
	const struct value *x = &v->now.reg[in->dst_reg];
	struct value y = BPF_SRC(in->code) == BPF_X ? v->now.reg[in->src_reg]
	                                            : of_term(term_const(v->policy->terms, in->imm));
	int64_t k;
	term a, b;
	if (x->kind == V_RAW && as_const(v, &y, &k))
		return compare_raw(v, BPF_OP(in->code), narrow, (uint32_t)x->n, k, out);
	if (narrow || !as_term(v, x, &a) || !as_term(v, &y, &b))
		return refuse(v, "comparison of an unknown value");
	return compare_terms(v, BPF_OP(in->code), a, b, out);
}

static bool send_state(struct verifier *v, size_t pc, size_t target)
{
	if (target >= v->n)
		return refuse(v, "jump out of the program");
	if (v->pending[target]) {
		forget_differences(v->pending[target], &v->now);
	} else {
		struct state *st = v->spare ? v->spare : arena_alloc(v->arena, sizeof *st);
		v->spare = st->free;
		*st = v->now;
		v->pending[target] = st;
	}
	v->reach[pc] = (uint32_t)target;
	return true;
}

/* A jump to the tail: what is reported is in registers. */
static bool enter_tail(struct verifier *v, size_t pc)
{
	int64_t o, error = 0;
	const struct policy *p = v->policy;
	v->live = false;
	if (v->now.reg[REG_CTX].kind != V_CTX || !as_const(v, &v->now.reg[REG_OUTCOME], &o) ||
	    o < 0 || o > INT32_MAX || OUTCOME_KIND((outcome)o) == OUT_PASS)
		return refuse(v, "report of an unknown outcome");
	if (v->has_errno && (!as_const(v, &v->now.reg[REG_ERROR], &error) ||
	                     error != policy_outcome_errno(p, (outcome)o)))
		return refuse(v, "a denial with the wrong errno");
	v->cond[pc] = diagram_terminal((outcome)o);
	return true;
}

static bool jump(struct verifier *v, size_t pc)
{
	const struct bpf_insn *in = &v->insns[pc];
	uint8_t op = BPF_OP(in->code);
	if (in->code == (BPF_JMP | BPF_CALL))
		return call(v, in);
	if (in->code == (BPF_JMP | BPF_EXIT)) {
		int64_t verdict;
		v->live = false;
		if (!as_const(v, &v->now.reg[0], &verdict) || (verdict != 0 && verdict != 1))
			return refuse(v, "exit with a value that is not 0 or 1");
		v->cond[pc] = diagram_terminal(verdict ? OUT_ALLOW : OUT_DENY);
		return true;
	}
	bool is_long = in->code == (BPF_JMP32 | BPF_JA);
	if (in->off < 0 || (is_long && (in->imm < 0 || in->off)))
		return refuse(v, "backward jump");
	size_t target = code_jump_target(in, pc);
	forget_spills(v);
	if (op == BPF_JA) {
		v->live = false;
		if ((!is_long && in->code != (BPF_JMP | BPF_JA)) || in->dst_reg || in->src_reg ||
		    (!is_long && in->imm))
			return refuse(v, "unknown jump");
		if (target == v->n && v->n < v->image->ninsns)
			return enter_tail(v, pc);
	} else if (!condition(v, in, &v->cond[pc])) {
		return false;
	}
	return send_state(v, pc, target);
}

/* ---- the two passes --------------------------------------------------------------------- */

static bool step(struct verifier *v, size_t pc)
{
	const struct bpf_insn *in = &v->insns[pc];
	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64: return alu(v, in);
	case BPF_LDX: return load(v, in);
	case BPF_STX: return store(v, in);
	case BPF_JMP:
	case BPF_JMP32: return jump(v, pc);
	case BPF_LD:
		if (in->code == (BPF_LD | BPF_DW | BPF_IMM))
			return wide_constant(v, pc);
		return refuse(v, "unknown load");
	default: return refuse(v, "unknown instruction");
	}
}

static bool forwards(struct verifier *v, size_t *at)
{
	v->now.reg[1] = (struct value){.kind = V_CTX};
	v->now.reg[10] = (struct value){.kind = V_STACK};
	v->live = true;
	for (size_t pc = 0; pc < v->n; pc++) {
		*at = pc;
		if (v->pending[pc]) {
			forget_spills(v);
			if (v->live)
				forget_differences(v->pending[pc], &v->now);
			v->now = *v->pending[pc];
			v->pending[pc]->free = v->spare;
			v->spare = v->pending[pc];
			v->live = true;
		}
		if (!v->live)
			return refuse(v, "instruction that nothing reaches");
		size_t len;
		if (template(v, pc, &len)) {
			pc += len - 1;
			continue;
		}
		if (!step(v, pc))
			return false;
		if (v->insns[pc].code == (BPF_LD | BPF_DW | BPF_IMM))
			pc++;
	}
	return !v->live || refuse(v, "end without an exit");
}

/* Has every way through the program an instruction at pc, or ended before it? */
static bool *find_cuts(struct verifier *v)
{
	bool *cut = arena_alloc(v->arena, (v->n + 1) * sizeof *cut);
	size_t far = 0;
	for (size_t pc = 0; pc < v->n; pc++) {
		cut[pc] = far <= pc;
		far = v->reach[pc] > far ? v->reach[pc] : far;
	}
	return cut;
}

static node backwards(struct verifier *v)
{
	node *from = arena_alloc(v->arena, (v->n + 1) * sizeof *from); /* up to the next cut */
	node rest = from[v->n] = diagram_terminal(OUT_PASS);           /* from there on */
	const bool *cut = find_cuts(v);
	for (size_t pc = v->n; pc-- > 0 && diagram_ok(v->dg);) {
		const struct bpf_insn *in = &v->insns[pc];
		uint8_t class = BPF_CLASS(in->code);
		bool jumps = (class == BPF_JMP || class == BPF_JMP32) && in->code != (BPF_JMP | BPF_CALL);
		size_t target = code_jump_target(in, pc);
		if (!jumps)
			from[pc] = from[pc + 1];
		else if (BPF_OP(in->code) == BPF_EXIT)
			from[pc] = v->cond[pc];
		else if (BPF_OP(in->code) == BPF_JA)
			from[pc] = target == v->n ? v->cond[pc] : from[target];
		else
			from[pc] = diagram_ite(v->dg, v->cond[pc], from[target], from[pc + 1]);
		if (cut[pc]) {
			rest = diagram_over(v->dg, from[pc], rest);
			from[pc] = diagram_terminal(OUT_PASS);
		}
	}
	return rest;
}

/* ---- the proof ------------------------------------------------------------------------------ */

/* Is the tail what the emitter writes? Its outcome's rule must exist. */
static bool same_tail(struct verifier *v)
{
	const struct image *image = v->image;
	struct code fresh = {.arena = v->arena};
	size_t n = image->ninsns - image->tail, first = 0;
	emit_tail(&fresh, v->policy);
	while (first < image->nrelocs && image->relocs[first].insn < image->tail)
		first++;
	if (fresh.n != n || memcmp(fresh.insns, v->insns + image->tail, n * sizeof *fresh.insns) ||
	    fresh.nrelocs != image->nrelocs - first)
		return refuse(v, "its tail is not that of its audit and mode");
	for (size_t i = 0; i < fresh.nrelocs; i++)
		if (image->relocs[first + i].insn != image->tail + fresh.relocs[i].insn ||
		    image->relocs[first + i].target != fresh.relocs[i].target)
			return refuse(v, "its tail uses other maps");
	return true;
}

static int fail(const struct policy *p, struct diags *d, const char *hint, const char *text)
{
	diag_add(d, DIAG_ERROR, (struct span){.file = p->file}, hint, "%s", text);
	return -1;
}

static int prove(struct verifier *v, struct diags *d, node wanted)
{
	const struct policy *p = v->policy;
	size_t at = v->n;
	v->pending = arena_alloc(v->arena, (v->n + 1) * sizeof *v->pending);
	v->cond = arena_alloc(v->arena, (v->n + 1) * sizeof *v->cond);
	v->reach = arena_alloc(v->arena, (v->n + 1) * sizeof *v->reach);
	if (!v->n || (v->n < v->image->ninsns && !same_tail(v)) || !forwards(v, &at))
		return fail(p, d, "the program is damaged, or this is a bug of the compiler",
		            arena_printf(d->arena, "the program cannot be proven: instruction %zu: %s", at,
		                         v->why ? v->why : "no instructions"));
	node program = backwards(v);
	if (!diagram_ok(v->dg))
		return fail(p, d, "split the policy", arena_printf(d->arena,
		            "while proving the program: more than %d nodes", PROOF_BUDGET));
	if (program == wanted)
		return 0;
	return fail(p, d, "the program is damaged, or this is a bug of the compiler",
	            arena_printf(d->arena, "the program does not mean what the policy means: %s",
	                         diagram_witness(p, v->dg, program, wanted)));
}

int verify_image(const struct policy *p, struct diags *d, const struct policy_diagram *pd,
                 const struct image *image)
{
	struct arena *scratch = arena_scratch(p->arena);
	node wanted = policy_has_tail(p) ? pd->report : pd->verdict;
	budget_stage(arena_budget(p->arena), STAGE_PROVE);
	struct verifier v = {.policy = p, .arena = scratch, .insns = image->insns, .n = image->tail,
	                     .image = image, .has_errno = policy_has_errno(p)};
	v.dg = diagrams_kept(scratch, pd->dg, &wanted, 1);
	diagrams_allow(v.dg, PROOF_BUDGET);
	int failed = prove(&v, d, wanted);
	arena_free(scratch);
	return failed;
}

int prove_image(struct policy *p, struct diags *d, struct policy_diagram *pd,
                const struct image *image)
{
	int orders = policy_orders(p);
	for (int order = 0; order < orders; order++) {
		struct diags said;
		diags_init(&said, p->arena);
		bool last = order == orders - 1;
		if (!policy_diagram(p, last ? d : &said, (enum diagram_order)order, pd) &&
		    !verify_image(p, last ? d : &said, pd, image))
			return 0;
	}
	return -1;
}
