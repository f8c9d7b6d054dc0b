/* jump.c - when a conditional jump is taken, as a diagram. */
#include "compiler/decode/internal.h"

#define NO_NODE diagram_terminal(OUT_PASS)
#define YES_NODE diagram_terminal(OUT_ALLOW)

/* ---- words ------------------------------------------------------------------------------- */

static node accesses(struct decoder *r, uint16_t mask, int type)
{
	struct edge e[ACC_ALL + 2];
	for (int i = 0; i <= ACC_ALL; i++) {
		bool has = mask & 1u << (2 * i + (type == DEV_CHAR));
		e[i] = (struct edge){i, has ? YES_NODE : NO_NODE};
	}
	e[ACC_ALL + 1] = (struct edge){diagram_var_max(r->dg, IN_REQUESTED), NO_NODE};
	return diagram_switch(r->dg, IN_REQUESTED, e, ACC_ALL + 2);
}

node word_diagram(struct decoder *r, uint16_t mask)
{
	node block = accesses(r, mask, DEV_BLOCK), character = accesses(r, mask, DEV_CHAR);
	struct edge e[] = {{DEV_BLOCK - 1, NO_NODE},
	                   {DEV_BLOCK, block},
	                   {DEV_CHAR, character},
	                   {diagram_var_max(r->dg, IN_TYPE), NO_NODE}};
	return diagram_switch(r->dg, IN_TYPE, e, sizeof e / sizeof *e);
}

/* ---- comparisons ---------------------------------------------------------------------------- */

static bool compare(uint8_t op, bool wide, int64_t a, int64_t b)
{
	uint64_t x = (uint64_t)a, y = (uint64_t)b;
	if (!wide) {
		x = (uint32_t)x;
		y = (uint32_t)y;
		a = (int32_t)a;
		b = (int32_t)b;
	}
	switch (op) {
	case BPF_JEQ: return x == y;
	case BPF_JNE: return x != y;
	case BPF_JGT: return x > y;
	case BPF_JGE: return x >= y;
	case BPF_JLT: return x < y;
	case BPF_JLE: return x <= y;
	case BPF_JSGT: return a > b;
	case BPF_JSGE: return a >= b;
	case BPF_JSLT: return a < b;
	case BPF_JSLE: return a <= b;
	default: return x & y; /* BPF_JSET */
	}
}

/* a < b, without signs. */
static term below(struct terms *ts, term a, term b)
{
	if (term_get(ts, a)->lo >= 0 && term_get(ts, b)->lo >= 0)
		return term_lt(ts, a, b);
	term sign = term_const(ts, INT64_MIN);
	term x = term_op(ts, TERM_BXOR, a, sign), y = term_op(ts, TERM_BXOR, b, sign);
	return term_lt(ts, x, y);
}

static term comparison(struct terms *ts, uint8_t op, term a, term b)
{
	switch (op) {
	case BPF_JEQ: return term_eq(ts, a, b);
	case BPF_JNE: return term_not(ts, term_eq(ts, a, b));
	case BPF_JGT: return below(ts, b, a);
	case BPF_JGE: return term_not(ts, below(ts, a, b));
	case BPF_JLT: return below(ts, a, b);
	case BPF_JLE: return term_not(ts, below(ts, b, a));
	case BPF_JSGT: return term_lt(ts, b, a);
	case BPF_JSGE: return term_not(ts, term_lt(ts, a, b));
	case BPF_JSLT: return term_lt(ts, a, b);
	case BPF_JSLE: return term_not(ts, term_lt(ts, b, a));
	default: return term_not(ts, term_eq(ts, term_op(ts, TERM_BAND, a, b), term_const(ts, 0)));
	}
}

/* The low 32 bits of a term, as the comparison takes them. */
static term half(struct terms *ts, uint8_t op, term t)
{
	bool is_signed = op == BPF_JSGT || op == BPF_JSGE || op == BPF_JSLT || op == BPF_JSLE;
	return is_signed ? term_signed_bits(ts, t, 32) : term_low_bits(ts, t, 32);
}

static struct condition of_term(struct decoder *r, term t, uint16_t mask)
{
	return (struct condition){.cond = diagram_of_term(r->dg, t), .yes = t == T_FALSE ? 0 : mask,
	                          .no = t == T_TRUE ? 0 : mask};
}

static struct condition always(bool yes, uint16_t mask)
{
	return (struct condition){.cond = yes ? YES_NODE : NO_NODE, .yes = yes ? mask : 0, .no = yes ? 0 : mask};
}

static struct condition of_words(struct decoder *r, uint8_t op, bool wide, const struct value *x, const struct value *y,
                                 uint16_t mask)
{
	uint16_t yes = 0;
	for (int i = 0; i < WORDS; i++) {
		int64_t a = x->kind == V_WORD ? r->words[x->a][i] : x->k, b = y->kind == V_WORD ? r->words[y->a][i] : y->k;
		yes |= (uint16_t)(compare(op, wide, a, b) << i);
	}
	if (!(mask & ~yes) || !(mask & yes))
		return always(mask & yes, mask);
	return (struct condition){.cond = word_diagram(r, yes), .yes = mask & yes, .no = mask & (uint16_t)~yes};
}

/* An address compared with 0, or with one of the same memory. */
static bool of_addresses(uint8_t op, const struct value *x, const struct value *y, uint16_t mask,
                         struct condition *out)
{
	bool null = y->kind == V_CONST && !y->k && x->kind != V_NONE && (x->kind != V_FOREIGN || x->a);
	bool placed = x->kind == V_STACK || x->kind == V_CTX || x->kind == V_MAP;
	bool same = placed && x->kind == y->kind && x->a == y->a;
	if ((op != BPF_JEQ && op != BPF_JNE) || (!null && !same))
		return false;
	bool equal = same && x->k == y->k;
	*out = always(equal == (op == BPF_JEQ), mask);
	return true;
}

/* Two numbers in one register are a third: each half is. */
static bool of_halves(struct decoder *r, uint8_t op, const struct value *x, const struct value *y, uint16_t mask,
                      struct condition *out)
{
	struct terms *ts = r->terms;
	if (x->kind != V_PAIR || y->kind != V_CONST || (op != BPF_JEQ && op != BPF_JNE))
		return false;
	term low = term_eq(ts, x->a, term_const(ts, y->k & UINT32_MAX));
	term high = term_eq(ts, x->b, term_const(ts, (int64_t)((uint64_t)y->k >> 32)));
	term t = term_and(ts, low, high);
	*out = of_term(r, op == BPF_JEQ ? t : term_not(ts, t), mask);
	return true;
}

static bool decide(struct decoder *r, const struct state *st, uint32_t pc, uint8_t op, bool wide, const struct value *x,
                   const struct value *y, uint16_t mask, struct condition *out)
{
	term a, b;
	if (value_is_number(x) && value_is_number(y)) {
		*out = of_words(r, op, wide, x, y, mask);
		return true;
	}
	if (value_is_address(x) && of_addresses(op, x, y, mask, out))
		return true;
	if (wide && of_halves(r, op, x, y, mask, out))
		return true;
	struct value odd = value_unknown(r, st, pc, "a comparison");
	bool known = (value_is_number(x) || x->kind == V_TERM || x->kind == V_PAIR || x->kind == V_UNKNOWN) &&
	             (value_is_number(y) || y->kind == V_TERM || y->kind == V_PAIR || y->kind == V_UNKNOWN);
	if (!known) {
		x = &odd;
		op = BPF_JNE;
	}
	struct value zero = value_const(0);
	if (!value_as_term(r, x, &a) || !value_as_term(r, known ? y : &zero, &b))
		return false;
	if (!wide && known) {
		a = half(r->terms, op, a);
		b = half(r->terms, op, b);
	}
	*out = of_term(r, comparison(r->terms, op, a, b), mask);
	return true;
}

/* A constant where all words of the mask have it. */
static struct value settled(const struct decoder *r, const struct value *v, uint16_t mask)
{
	int64_t k;
	return value_settled(r, v, mask, &k) ? value_const(k) : *v;
}

bool jump_condition(struct decoder *r, const struct state *st, uint32_t pc, uint16_t mask, struct condition *out, int *split)
{
	const struct bpf_insn *in = &r->insns[pc];
	uint8_t op = BPF_OP(in->code);
	*split = NO_SPLIT;
	if (!is_register(in->dst_reg) || !is_register(in->src_reg) || op > BPF_JSLE)
		return decoder_fail(r, "instruction %u is none", pc);
	struct value x = settled(r, &st->reg[in->dst_reg], mask);
	struct value y = BPF_SRC(in->code) == BPF_X ? settled(r, &st->reg[in->src_reg], mask) : value_const(in->imm);
	if (x.kind == V_WORD && !value_is_number(&y))
		*split = in->dst_reg;
	else if (y.kind == V_WORD && !value_is_number(&x))
		*split = in->src_reg;
	return *split != NO_SPLIT || decide(r, st, pc, op, BPF_CLASS(in->code) == BPF_JMP, &x, &y, mask, out);
}

bool not_zero(struct decoder *r, const struct state *st, uint32_t pc, const struct value *v, uint16_t mask,
              struct condition *out)
{
	struct value x = settled(r, v, mask), zero = value_const(0);
	return decide(r, st, pc, BPF_JNE, false, &x, &zero, mask, out);
}
