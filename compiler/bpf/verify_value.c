/*
 * verify_value.c - what the instructions of a program compute, as terms.
 *
 * Only what the emitter writes is understood (verify.c).
 */
#include "compiler/bpf/verify.h"

struct value verify_of_term(term t)
{
	return (struct value){.kind = V_TERM, .n = t};
}

bool verify_same_value(const struct value *x, const struct value *y)
{
	return x->kind == y->kind && x->n == y->n;
}

/* The value as a term; inputs are in their domain wherever arithmetic is met,
 * because outside it the program has already denied (or the final comparison
 * of diagrams fails). */
bool verify_term(struct verifier *v, const struct value *x, term *out)
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

bool verify_const(struct verifier *v, const struct value *x, int64_t *out)
{
	if (x->kind != V_TERM || term_get(v->policy->terms, (term)x->n)->op != TERM_CONST)
		return false;
	*out = term_get(v->policy->terms, (term)x->n)->lo;
	return true;
}

static int slot_of(int64_t offset)
{
	return offset < 0 && offset >= -8 * HOME_SLOTS && offset % 8 == 0 ? (int)(-offset / 8) - 1 : -1;
}

/* What an offset from the frame pointer holds, or NULL. */
static struct value *stack_value(struct verifier *v, int64_t offset)
{
	int slot = slot_of(offset);
	if (slot >= 0)
		return &v->now.slot[slot];
	if (v->reads_task && offset < TASK_BOTTOM + 8 * TASK_SLOTS)
		return offset % 8 || offset < TASK_BOTTOM ? NULL : &v->now.task[(offset - TASK_BOTTOM) / 8];
	if (offset % 8 || offset > STACK_SPILL || offset < ASKED_HOME(policy_asked(v->policy)))
		return NULL;
	v->spills.used = true;
	return &v->spills.slot[(STACK_SPILL - offset) / 8];
}

void verify_forget_spills(struct verifier *v)
{
	if (v->spills.used)
		v->spills = (struct spills){0};
}

bool verify_refuse(struct verifier *v, const char *why)
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
	if (dst->kind == V_FLAG && op == TERM_BXOR && verify_const(v, src, &one) && one == 1) {
		dst->n = term_not(ts, (term)dst->n);
		return true;
	}
	if (dst->kind == V_FLAG && op == TERM_BAND && src->kind == V_FLAG) {
		dst->n = term_and(ts, (term)dst->n, (term)src->n);
		return true;
	}
	if (!verify_term(v, dst, &a) || !verify_term(v, src, &b))
		return verify_refuse(v, "arithmetic on an unknown value");
	if ((op == TERM_DIV || op == TERM_MOD) && term_get(ts, a)->lo < 0)
		return verify_refuse(v, "unsigned division of a value that may be negative");
	*dst = verify_of_term(term_op(ts, op, a, b));
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
	case HELPER_UID_GID:
		*dst = (struct value){.kind = V_RAW, .n = low ? IN_UID : IN_GID};
		return low || high;
	case HELPER_PID_TGID:
		*dst = (struct value){.kind = V_RAW, .n = low ? IN_TID : IN_PID};
		return low || high;
	case HELPER_UPTIME:
		*dst = (struct value){.kind = V_RAW, .n = IN_UPTIME};
		return seconds;
	default: return false;
	}
}

bool verify_alu(struct verifier *v, const struct bpf_insn *in)
{
	uint8_t op = BPF_OP(in->code);
	bool wide = BPF_CLASS(in->code) == BPF_ALU64, reg = BPF_SRC(in->code) == BPF_X;
	if (in->dst_reg >= 10 || in->src_reg > 10 || in->off || (reg ? in->imm : in->src_reg))
		return verify_refuse(v, "unknown operand");
	struct value *dst = &v->now.reg[in->dst_reg];
	struct value src = reg ? v->now.reg[in->src_reg] : verify_of_term(term_const(v->policy->terms, in->imm));
	if (op == BPF_MOV) {
		*dst = src;
		if (!wide && !(reg && helper_piece(dst, in)))
			return verify_refuse(v, "32-bit move");
		return src.kind != V_UNKNOWN || verify_refuse(v, "move of an unknown value");
	}
	if (!wide)
		return verify_refuse(v, "32-bit arithmetic");
	if (!reg && helper_piece(dst, in))
		return true;
	if (dst->kind == V_STACK && op == BPF_ADD && !reg) {
		dst->n += in->imm;
		return true;
	}
	enum term_op top;
	if (!alu_term_op(op, &top))
		return verify_refuse(v, "unknown arithmetic");
	return arithmetic(v, top, dst, &src);
}

/* What takes several instructions. False: it is none of that, or not with these values. */
bool verify_template(struct verifier *v, size_t pc, size_t *len)
{
	struct terms *ts = v->policy->terms;
	struct template t;
	term x, y;
	if (!template_read(v->insns + pc, v->n - pc, &t, len))
		return false;
	for (size_t i = 1; i < *len; i++)
		if (v->pending[pc + i])
			return false;
	struct value *reg = v->now.reg, imm = verify_of_term(term_const(ts, t.imm));
	if (!verify_term(v, &reg[t.x], &x) || !verify_term(v, t.y < 0 ? &imm : &reg[t.y], &y))
		return false;
	switch (t.kind) {
	case TEMPLATE_DIVIDE:
	case TEMPLATE_MODULO:
		reg[t.x] = verify_of_term(term_op(ts, t.kind == TEMPLATE_DIVIDE ? TERM_DIV : TERM_MOD, x, y));
		reg[t.s] = (struct value){0};
		if (t.kind == TEMPLATE_MODULO)
			reg[t.t] = (struct value){0};
		return true;
	case TEMPLATE_CHOOSE:
		if (reg[t.s].kind != V_FLAG)
			return false;
		reg[t.s] = verify_of_term(term_ite(ts, (term)reg[t.s].n, x, y));
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
	return verify_refuse(v, "load of an unknown field of the context");
}

bool verify_load(struct verifier *v, const struct bpf_insn *in)
{
	if (in->dst_reg >= 10 || in->src_reg > 10 || BPF_MODE(in->code) != BPF_MEM || in->imm)
		return verify_refuse(v, "unknown load");
	struct value *dst = &v->now.reg[in->dst_reg], src = v->now.reg[in->src_reg];
	if (src.kind == V_CTX)
		return load_context(v, in, dst);
	if (BPF_SIZE(in->code) != BPF_DW)
		return verify_refuse(v, "narrow load");
	if (src.kind == V_PARAM && in->off == 0) {
		*dst = (struct value){.kind = V_RAW, .n = IN_PARAM_0 + src.n};
		return true;
	}
	int64_t asked = src.kind == V_STACK ? src.n + in->off - ASKED_HOME(0) : -1;
	if (asked >= 0 && asked % 8 == 0 && (size_t)asked / 8 < policy_asked(v->policy)) { /* the steps left it there */
		*dst = (struct value){.kind = V_RAW, .n = IN_PARAM_0 + (int64_t)v->policy->nparams + asked / 8};
		return true;
	}
	const struct value *held = src.kind == V_STACK ? stack_value(v, src.n + in->off) : NULL;
	if (!held || held->kind == V_UNKNOWN)
		return verify_refuse(v, "load from an unknown address");
	*dst = *held;
	return true;
}

/* A place on the stack gets 0. */
bool verify_clear(struct verifier *v, const struct bpf_insn *in)
{
	const struct value *to = in->dst_reg <= 10 ? &v->now.reg[in->dst_reg] : NULL;
	struct value *slot = to && to->kind == V_STACK ? stack_value(v, to->n + in->off) : NULL;
	if (in->code != (BPF_ST | BPF_MEM | BPF_DW) || in->src_reg || in->imm || !slot)
		return verify_refuse(v, "unknown store");
	*slot = verify_of_term(term_const(v->policy->terms, 0));
	return true;
}

bool verify_store(struct verifier *v, const struct bpf_insn *in)
{
	if (in->code != (BPF_STX | BPF_MEM | BPF_DW) || in->dst_reg > 10 || in->src_reg > 10 || in->imm)
		return verify_refuse(v, "unknown store");
	const struct value *to = &v->now.reg[in->dst_reg];
	struct value *slot = to->kind == V_STACK ? stack_value(v, to->n + in->off) : NULL;
	struct value x = v->now.reg[in->src_reg];
	if (!slot)
		return verify_refuse(v, "store to an unknown address");
	if (x.kind == V_RESULT && x.n == HELPER_CGROUP)
		x = (struct value){.kind = V_RAW, .n = IN_CGROUP_ID};
	*slot = x;
	return true;
}

/* The input that a reader tells, called with these arguments; -1: none that the policy has. */
static int read_input(struct verifier *v, enum reader reader)
{
	const struct asked *as = policy_asks(v->policy);
	int64_t first, second;
	if (reader < READER_GROUP)
		return IN_EUID + (int)reader;
	for (size_t i = 0; i < as->nasks; i++) {
		const struct ask *ask = &as->asks[i];
		if (reader_of_ask(ask->kind) == reader && verify_const(v, &v->now.reg[1], &first) && first == reader_argument(ask) &&
		    (reader != READER_UNDER || (verify_const(v, &v->now.reg[2], &second) && second == ask->number)))
			return IN_ASK_0 + (int)i;
	}
	return -1;
}

/* A call of a function of ours that reads the calling task: which, its relocation says. */
static bool call_reader(struct verifier *v, size_t pc)
{
	const struct bpf_insn *in = &v->insns[pc];
	const struct image_reloc *r = v->next_reloc < v->image->nrelocs ? &v->image->relocs[v->next_reloc] : NULL;
	if (in->src_reg != BPF_PSEUDO_CALL || in->dst_reg || in->off || in->imm != -1 || !r || r->insn != pc ||
	    r->target < TARGET_READER || r->target - TARGET_READER >= READERS)
		return verify_refuse(v, "call of an unknown function");
	v->next_reloc++;
	int read = read_input(v, (enum reader)(r->target - TARGET_READER));
	if (read < 0)
		return verify_refuse(v, "a question to the calling task that the policy does not ask");
	for (int i = 0; i <= BPF_REG_5; i++)
		v->now.reg[i] = (struct value){0};
	v->now.reg[0] = (struct value){.kind = V_READ, .n = read};
	return true;
}

bool verify_call(struct verifier *v, size_t pc)
{
	const struct bpf_insn *in = &v->insns[pc];
	int helper = 0;
	if (in->src_reg)
		return call_reader(v, pc);
	while (helper < FACT_HELPERS && helper_number((enum fact_helper)helper) != in->imm)
		helper++;
	if (helper == FACT_HELPERS || in->dst_reg || in->off)
		return verify_refuse(v, "call of an unknown helper");
	if (helper == HELPER_COMM) {
		const struct value *buffer = &v->now.reg[BPF_REG_1];
		int64_t size;
		if (buffer->kind != V_STACK || buffer->n != HOME(COMM) ||
		    !verify_const(v, &v->now.reg[BPF_REG_2], &size) || size != COMM_SIZE)
			return verify_refuse(v, "unknown arguments of a helper");
		int64_t low, high; /* Linux 6.1 leaves what stands behind the name as it was */
		if (!verify_const(v, &v->now.slot[slot_of(HOME(COMM))], &low) || low || !verify_const(v, &v->now.slot[slot_of(HOME(COMM) + 8)], &high) || high)
			return verify_refuse(v, "a name that is written over something");
		v->now.slot[slot_of(HOME(COMM))] = (struct value){.kind = V_RAW, .n = IN_COMM_0};
		v->now.slot[slot_of(HOME(COMM) + 8)] = (struct value){.kind = V_RAW, .n = IN_COMM_1};
	}
	for (int i = 0; i <= BPF_REG_5; i++)
		v->now.reg[i] = (struct value){0};
	v->now.reg[BPF_REG_0] = (struct value){.kind = V_RESULT, .n = helper};
	return true;
}

bool verify_wide_constant(struct verifier *v, size_t pc)
{
	const struct bpf_insn *in = &v->insns[pc];
	if (pc + 1 >= v->n || in[1].code || in[1].dst_reg || in[1].src_reg || in[1].off ||
	    in->dst_reg >= 10 || in->src_reg || in->off || v->pending[pc + 1])
		return verify_refuse(v, "broken 64-bit constant");
	const struct image *image = v->image;
	if (v->next_reloc < image->nrelocs && image->relocs[v->next_reloc].insn == pc) {
		uint32_t param = image->relocs[v->next_reloc++].target;
		if (param >= v->policy->nparams || in->imm || in[1].imm)
			return verify_refuse(v, "relocation of an unknown parameter");
		v->now.reg[in->dst_reg] = (struct value){.kind = V_PARAM, .n = param};
		return true;
	}
	int64_t k = (int64_t)((uint64_t)(uint32_t)in[1].imm << 32 | (uint32_t)in->imm);
	v->now.reg[in->dst_reg] = verify_of_term(term_const(v->policy->terms, k));
	return true;
}
