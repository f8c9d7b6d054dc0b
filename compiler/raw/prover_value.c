/* prover_value.c - what instructions of a raw program compute, load and store. */
#include "compiler/raw/verify.h"

/* ---- arithmetic --------------------------------------------------------------------------------------------- */

static bool alu_term_op(uint8_t op, enum term_op *out)
{
	static const struct { uint8_t op; enum term_op is; } ops[] = {
		{BPF_ADD, TERM_ADD}, {BPF_SUB, TERM_SUB}, {BPF_MUL, TERM_MUL}, {BPF_DIV, TERM_DIV}, {BPF_MOD, TERM_MOD},
		{BPF_AND, TERM_BAND}, {BPF_OR, TERM_BOR}, {BPF_XOR, TERM_BXOR}, {BPF_LSH, TERM_SHL}, {BPF_ARSH, TERM_SHR},
		{BPF_RSH, TERM_SHR}};
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (ops[i].op == op) {
			*out = ops[i].is;
			return true;
		}
	return false;
}

static bool arithmetic(struct prover *v, const struct state *st, uint8_t op, struct value *dst, const struct value *src)
{
	bool is_unsigned = op == BPF_DIV || op == BPF_MOD || op == BPF_RSH;
	enum term_op top;
	if (!alu_term_op(op, &top) || dst->kind != V_TERM || src->kind != V_TERM)
		return prover_refuse(v, st, "arithmetic on an unknown value");
	if (is_unsigned && term_get(v->terms, dst->a)->lo < 0)
		return prover_refuse(v, st, "unsigned arithmetic on a value that may be negative");
	*dst = prover_of_term(prover_op(v, top, dst->a, src->a));
	return true;
}

/* Half of what a function told, or whole seconds. */
static bool piece(struct prover *v, struct value *dst, const struct bpf_insn *in)
{
	bool high = in->code == (BPF_ALU64 | BPF_RSH | BPF_K) && in->imm == 32;
	bool seconds = in->code == (BPF_ALU64 | BPF_DIV | BPF_K) && in->imm == NSEC_PER_SEC;
	if (dst->kind == V_PAIR && high)
		*dst = prover_of_term(dst->b);
	else if (dst->kind == V_NANOS && seconds)
		*dst = prover_of_term(term_input(v->terms, IN_UPTIME));
	else
		return false;
	return true;
}

/* The low half, the rest is 0. */
static bool narrow_move(struct prover *v, const struct state *st, struct value *dst, const struct value *src)
{
	if (src->kind != V_TERM && src->kind != V_PAIR)
		return prover_refuse(v, st, "move of an unknown value");
	*dst = prover_of_term(prover_low(v, src->a, 4));
	return true;
}

bool prover_alu(struct prover *v, struct state *st, const struct bpf_insn *in)
{
	uint8_t op = BPF_OP(in->code);
	bool wide = BPF_CLASS(in->code) == BPF_ALU64, reg = BPF_SRC(in->code) == BPF_X;
	int64_t k;
	if (in->dst_reg >= 10 || in->src_reg > 10 || in->off || (reg ? in->imm : in->src_reg))
		return prover_refuse(v, st, "unknown operand");
	struct value *dst = &st->reg[in->dst_reg];
	struct value src = reg ? st->reg[in->src_reg] : prover_of_term(term_const(v->terms, in->imm));
	if (op == BPF_MOV && wide) {
		*dst = src;
		return true;
	}
	if (op == BPF_MOV)
		return narrow_move(v, st, dst, &src);
	if (!wide)
		return prover_refuse(v, st, "32-bit arithmetic");
	if (piece(v, dst, in))
		return true;
	if (dst->kind == V_STACK && op == BPF_ADD && prover_const(v, &src, &k) && k >= -STACK_SIZE && k <= STACK_SIZE) {
		dst->n += k;
		return true;
	}
	return arithmetic(v, st, op, dst, &src);
}

bool prover_template(struct prover *v, struct state *st, size_t *len)
{
	struct template t;
	if (!template_read(v->insns + v->pc, v->n - v->pc, &t, len))
		return false;
	for (size_t i = 1; i < *len; i++)
		if (v->leader[v->pc + i])
			return false;
	struct value *reg = st->reg;
	struct value y = t.y < 0 ? prover_of_term(term_const(v->terms, t.imm)) : reg[t.y], x = reg[t.x];
	term c;
	if (x.kind != V_TERM || y.kind != V_TERM)
		return false;
	switch (t.kind) {
	case TEMPLATE_DIVIDE:
	case TEMPLATE_MODULO:
		reg[t.s] = (struct value){0};
		if (t.kind == TEMPLATE_MODULO)
			reg[t.t] = (struct value){0};
		reg[t.x] = prover_of_term(prover_op(v, t.kind == TEMPLATE_DIVIDE ? TERM_DIV : TERM_MOD, x.a, y.a));
		return true;
	case TEMPLATE_CHOOSE:
		if (reg[t.s].kind != V_TERM || !prover_flag(v, reg[t.s].a, &c))
			return false;
		reg[t.s] = prover_of_term(term_ite(v->terms, c, x.a, y.a));
		reg[t.x] = (struct value){0};
		return true;
	case TEMPLATE_DIFFER:
		c = term_not(v->terms, term_eq(v->terms, x.a, y.a));
		reg[t.s] = (struct value){0};
		break;
	case TEMPLATE_LESS:
		if (!terms_differ_within(term_get(v->terms, x.a), term_get(v->terms, y.a)))
			return false;
		c = term_lt(v->terms, x.a, y.a);
		break;
	default:
		c = term_lt(v->terms, x.a, y.a);
		reg[t.s] = reg[t.t] = (struct value){0};
	}
	reg[t.x] = prover_of_term(term_ite(v->terms, c, term_const(v->terms, 1), term_const(v->terms, 0)));
	return true;
}

/* ---- loads ------------------------------------------------------------------------------------------------------ */

static unsigned width(uint8_t code)
{
	return BPF_SIZE(code) == BPF_B ? 1 : BPF_SIZE(code) == BPF_H ? 2 : BPF_SIZE(code) == BPF_W ? 4 : 8;
}

/* The bytes of a field of these bytes, as a number without a sign. */
static struct value loaded(struct prover *v, uint32_t number, unsigned size)
{
	return prover_of_term(prover_low(v, prover_value(v, number), size));
}

static bool load_context(struct prover *v, const struct state *st, int64_t at, unsigned size, struct value *dst)
{
	static const enum input fields[] = {IN_TYPE, IN_REQUESTED, IN_MAJOR, IN_MINOR};
	for (size_t i = 0; v->raw->section == RAW_DEVICE && i < sizeof fields / sizeof *fields; i++)
		if (at == ctx_offset(fields[i]) && size == width((uint8_t)ctx_load_size(fields[i]))) {
			*dst = prover_of_term(term_input(v->terms, fields[i]));
			return true;
		}
	for (uint32_t i = 0; i < v->raw->nvalues; i++) {
		const struct raw_field *f = &v->raw->values[i].field;
		if (v->raw->section != RAW_DEVICE && v->raw->values[i].is_field && at == f->offset && size == f->size) {
			*dst = loaded(v, i, size);
			return true;
		}
	}
	return prover_refuse(v, st, "load of an unknown field of the context");
}

/* What an entry holds; it may be something else a moment later, so that it is read once. */
static bool load_entry(struct prover *v, struct state *st, struct value from, int64_t at, unsigned size,
                       struct value *dst)
{
	const struct step *s = v->places.list[from.a].step;
	const struct raw_field *f = &v->raw->maps[s->map].value.fields[0];
	if (from.b || s->kind != STEP_GET || at != f->offset || size != f->size)
		return prover_refuse(v, st, "load from an entry of a map");
	for (int i = 0; i < 10; i++)
		if (st->reg[i].kind == V_ENTRY && st->reg[i].a == from.a)
			st->reg[i] = (struct value){0};
	*dst = loaded(v, s->value, size);
	return true;
}

/* Bytes that are those of one term, each at its place or 0. */
static bool load_term(struct prover *v, const struct cell *c, unsigned size, struct value *dst)
{
	uint64_t number = 0, mask = 0;
	term of = T_FALSE;
	for (unsigned i = 0; i < size; i++) {
		if (c[i].kind == CELL_NONE || (c[i].kind == CELL_BYTE && (c[i].k != i || (of && c[i].t != of))))
			return false;
		number |= c[i].kind == CELL_CONST ? (uint64_t)c[i].k << 8 * i : 0;
		mask |= c[i].kind == CELL_BYTE ? UINT64_C(255) << 8 * i : 0;
		of = c[i].kind == CELL_BYTE ? c[i].t : of;
	}
	if (of && number)
		return false;
	if (!of) {
		*dst = prover_of_term(term_const(v->terms, (int64_t)number));
		return true;
	}
	for (unsigned i = 0; i < size; i++) { /* 0 by its range */
		struct cell is = prover_byte(v, of, i);
		mask |= is.kind == CELL_CONST && !is.k ? UINT64_C(255) << 8 * i : 0;
	}
	bool all = size == 8 ? mask == UINT64_MAX : mask == (UINT64_C(1) << 8 * size) - 1;
	*dst = prover_of_term(all ? prover_low(v, of, size)
	                          : prover_op(v, TERM_BAND, of, term_const(v->terms, (int64_t)mask)));
	return true;
}

static bool load_stack(struct prover *v, const struct state *st, int64_t at, unsigned size, struct value *dst)
{
	struct value low, high;
	if (at < -STACK_SIZE || at + size > 0)
		return prover_refuse(v, st, "load from outside of the stack");
	const struct cell *c = &st->stack[STACK_SIZE + at];
	if (load_term(v, c, size, dst))
		return true;
	if (size == 8 && load_term(v, c, 4, &low) && load_term(v, c + 4, 4, &high)) {
		*dst = (struct value){.kind = V_PAIR, .a = low.a, .b = high.a};
		return true;
	}
	return prover_refuse(v, st, "load of an unknown value of the stack");
}

bool prover_load(struct prover *v, struct state *st, const struct bpf_insn *in)
{
	if (in->dst_reg >= 10 || in->src_reg > 10 || BPF_MODE(in->code) != BPF_MEM || in->imm)
		return prover_refuse(v, st, "unknown load");
	struct value *dst = &st->reg[in->dst_reg], src = st->reg[in->src_reg];
	unsigned size = width(in->code);
	switch (src.kind) {
	case V_CTX: return load_context(v, st, in->off, size, dst);
	case V_STACK: return load_stack(v, st, src.n + in->off, size, dst);
	case V_ENTRY: return load_entry(v, st, src, in->off, size, dst);
	case V_PARAM:
		if (in->off || size != 8)
			break;
		*dst = prover_of_term(term_input(v->terms, (enum input)(IN_PARAM_0 + src.a)));
		return true;
	default: break;
	}
	return prover_refuse(v, st, "load from an unknown address");
}

/* ---- stores --------------------------------------------------------------------------------------------------------- */

bool prover_store(struct prover *v, struct state *st, const struct bpf_insn *in)
{
	bool reg = BPF_CLASS(in->code) == BPF_STX;
	if (in->dst_reg > 10 || in->src_reg > 10 || (reg ? in->imm && BPF_MODE(in->code) != BPF_ATOMIC : in->src_reg))
		return prover_refuse(v, st, "unknown store");
	if (reg && BPF_MODE(in->code) == BPF_ATOMIC)
		return prover_add(v, st, in);
	struct value to = st->reg[in->dst_reg];
	struct value x = reg ? st->reg[in->src_reg] : prover_of_term(term_const(v->terms, in->imm));
	unsigned size = width(in->code);
	int64_t at = to.n + in->off;
	if (BPF_MODE(in->code) != BPF_MEM || to.kind != V_STACK || at < -STACK_SIZE || at + size > 0)
		return prover_refuse(v, st, "store to an unknown address");
	for (unsigned i = 0; i < size; i++) {
		struct cell *c = &st->stack[STACK_SIZE + at + i];
		if (x.kind == V_PAIR)
			*c = i < 4 ? prover_byte(v, x.a, i) : prover_byte(v, x.b, i - 4);
		else
			*c = x.kind == V_TERM ? prover_byte(v, x.a, i) : (struct cell){0};
	}
	return true;
}

bool prover_wide_constant(struct prover *v, struct state *st)
{
	const struct bpf_insn *in = &v->insns[v->pc];
	uint32_t target = v->target[v->pc];
	if (in->code != (BPF_LD | BPF_DW | BPF_IMM) || v->pc + 1 >= v->n || in[1].code || in[1].dst_reg || in[1].src_reg ||
	    in[1].off || in->dst_reg >= 10 || in->src_reg || in->off || v->leader[v->pc + 1])
		return prover_refuse(v, st, "unknown load");
	struct value *dst = &st->reg[in->dst_reg];
	if (target == UINT32_MAX) {
		*dst = prover_of_term(term_const(v->terms, (int64_t)((uint64_t)(uint32_t)in[1].imm << 32 | (uint32_t)in->imm)));
		return true;
	}
	bool map = target >= TARGET_RAW_MAP;
	uint32_t number = map ? target - TARGET_RAW_MAP : target;
	if (number >= (map ? v->raw->nmaps : v->policy->nparams) || in->imm || in[1].imm)
		return prover_refuse(v, st, "address of an unknown map");
	*dst = (struct value){.kind = map ? V_MAP : V_PARAM, .a = number};
	return true;
}
