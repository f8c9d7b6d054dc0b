/*
 * alu.c - arithmetic on what registers hold.
 *
 * Constants and values by word are computed as the kernel computes. Terms wrap at 64 bits as
 * registers do (policy/term.h), so most operations are one operation on terms; where a term means
 * something else than the instruction (a logical shift of a negative number, an unsigned
 * division), it is written in others, or the result is not known.
 */
#include "compiler/decode/internal.h"

/* What an instruction computes. */
struct operation {
	const struct state *st;
	uint32_t pc;
	uint8_t op;     /* BPF_ADD ... BPF_ARSH */
	bool wide;      /* 64 bits, else 32 */
	bool is_signed; /* a division */
};

/* ---- numbers ------------------------------------------------------------------------------ */

static uint64_t sign_extended(uint64_t x, int bits)
{
	return bits == 64 ? x : (uint64_t)((int64_t)(x << (64 - bits)) >> (64 - bits));
}

static uint64_t divided(uint64_t a, uint64_t b, bool is_signed, bool wide)
{
	if (!b)
		return 0;
	if (!is_signed)
		return a / b;
	int64_t x = (int64_t)sign_extended(a, wide ? 64 : 32), y = (int64_t)sign_extended(b, wide ? 64 : 32);
	return y == -1 ? 0 - (uint64_t)x : (uint64_t)(x / y);
}

/* One operation, on 64 or (operands and result cut) 32 bits. */
static uint64_t compute(const struct operation *o, uint64_t a, uint64_t b)
{
	bool wide = o->wide, is_signed = o->is_signed;
	uint64_t cut = wide ? UINT64_MAX : UINT32_MAX;
	unsigned count = (unsigned)b & (wide ? 63 : 31);
	a &= cut;
	b &= cut;
	switch (o->op) {
	case BPF_ADD: return (a + b) & cut;
	case BPF_SUB: return (a - b) & cut;
	case BPF_MUL: return (a * b) & cut;
	case BPF_DIV: return divided(a, b, is_signed, wide) & cut;
	case BPF_MOD: return (b ? a - divided(a, b, is_signed, wide) * b : a) & cut;
	case BPF_OR: return a | b;
	case BPF_AND: return a & b;
	case BPF_XOR: return a ^ b;
	case BPF_LSH: return (a << count) & cut;
	case BPF_RSH: return a >> count;
	case BPF_ARSH: return (uint64_t)((int64_t)sign_extended(a, wide ? 64 : 32) >> count) & cut;
	default: return b; /* BPF_MOV */
	}
}

/* ---- terms --------------------------------------------------------------------------------- */

/* Is s the sign of x in all bits: x >> 63? */
static bool is_sign_of(struct terms *ts, term s, term x)
{
	const struct term_node *n = term_get(ts, s);
	return n->op == TERM_SHR && n->a == x && term_get(ts, n->b)->op == TERM_CONST && term_get(ts, n->b)->lo == 63;
}

/* Is it x ^ (x >> 63), which is never negative? */
static bool is_flipped(struct terms *ts, term t, term *x, term *sign)
{
	const struct term_node *n = term_get(ts, t);
	bool first = n->op == TERM_BXOR && is_sign_of(ts, n->b, n->a);
	*x = first ? n->a : n->b;
	*sign = first ? n->b : n->a;
	return first || (n->op == TERM_BXOR && is_sign_of(ts, n->a, n->b));
}

static bool is_natural(struct terms *ts, term t)
{
	term x, sign;
	return term_get(ts, t)->lo >= 0 || is_flipped(ts, t, &x, &sign);
}

/* Division that rounds down, as compilers write it: ((x ^ s) / y) ^ s is x / y of terms, with s =
 * x >> 63; x - x / y * y is the rest. */
static bool floor_op(struct terms *ts, uint8_t op, term a, term b, term *out)
{
	const struct term_node *n = term_get(ts, op == BPF_SUB ? b : a), *quotient = n;
	term x, sign;
	if (op == BPF_XOR && n->op == TERM_DIV && is_flipped(ts, n->a, &x, &sign) && sign == b) {
		*out = term_op(ts, TERM_DIV, x, n->b);
		return true;
	}
	if (op != BPF_SUB || n->op != TERM_MUL)
		return false;
	bool first = term_get(ts, n->a)->op == TERM_DIV;
	quotient = term_get(ts, first ? n->a : n->b);
	if (quotient->op != TERM_DIV || quotient->a != a || quotient->b != (first ? n->b : n->a))
		return false;
	*out = term_op(ts, TERM_MOD, a, quotient->b);
	return true;
}

/* a >> count without the sign. Terms take the low six bits of a count, as registers do. */
static bool logical_shift(struct terms *ts, term a, term count, term *out)
{
	const struct term_node *n = term_get(ts, count);
	*out = term_op(ts, TERM_SHR, a, count);
	if (is_natural(ts, a))
		return true;
	if (n->op == TERM_CONST && n->lo & 63)
		*out = term_low_bits(ts, *out, 64 - (int)(n->lo & 63));
	return n->op == TERM_CONST;
}

/* Of operands that are cut already. False: it has no such term. */
static bool term_of(struct terms *ts, uint8_t op, bool wide, term a, term b, term *out)
{
	static const enum term_op same[] = {
		[BPF_ADD >> 4] = TERM_ADD, [BPF_SUB >> 4] = TERM_SUB, [BPF_MUL >> 4] = TERM_MUL, [BPF_OR >> 4] = TERM_BOR,
		[BPF_AND >> 4] = TERM_BAND, [BPF_XOR >> 4] = TERM_BXOR};
	term count = wide ? b : term_low_bits(ts, b, 5);
	if (wide && floor_op(ts, op, a, b, out))
		return true;
	switch (op) {
	case BPF_ADD:
	case BPF_SUB:
	case BPF_MUL:
	case BPF_OR:
	case BPF_AND:
	case BPF_XOR: *out = term_op(ts, same[op >> 4], a, b); return true;
	case BPF_LSH: *out = term_op(ts, TERM_SHL, a, count); return true;
	case BPF_RSH: return logical_shift(ts, a, count, out);
	case BPF_ARSH: *out = term_op(ts, TERM_SHR, wide ? a : term_signed_bits(ts, a, 32), count); return true;
	case BPF_DIV: /* terms take the divisor without a sign; x / 0 is 0, x % 0 is x */
	case BPF_MOD: *out = term_op(ts, op == BPF_DIV ? TERM_DIV : TERM_MOD, a, b); return is_natural(ts, a);
	default: *out = b; return true;
	}
}

static struct value terms_op(struct decoder *r, const struct operation *o, const struct value *x, const struct value *y)
{
	term a, b, out;
	if (x->kind == V_UNKNOWN || y->kind == V_UNKNOWN || o->is_signed || !value_as_term(r, x, &a) || !value_as_term(r, y, &b))
		return value_unknown(r, o->st, o->pc, "a result");
	if (!o->wide) {
		a = term_low_bits(r->terms, a, 32);
		b = term_low_bits(r->terms, b, 32);
	}
	if (!term_of(r->terms, o->op, o->wide, a, b, &out))
		return value_unknown(r, o->st, o->pc, "a result");
	return value_term(r, o->wide ? out : term_low_bits(r->terms, out, 32));
}

/* ---- halves --------------------------------------------------------------------------------- */

static bool fits_half(struct terms *ts, term t)
{
	const struct term_node *n = term_get(ts, t);
	return n->lo >= 0 && n->hi <= UINT32_MAX;
}

static bool is_zero(struct terms *ts, term t)
{
	return term_get(ts, t)->op == TERM_CONST && !term_get(ts, t)->lo;
}

/* A number and one in its upper half, as one: `major << 32 | minor`. */
static bool halves_joined(struct decoder *r, uint8_t op, const struct value *x, const struct value *y, struct value *out)
{
	const struct value *high = x->kind == V_PAIR ? x : y, *low = x->kind == V_PAIR ? y : x;
	term t;
	if (high->kind != V_PAIR || (op != BPF_OR && op != BPF_ADD && op != BPF_XOR) || !is_zero(r->terms, high->a) ||
	    (low->kind != V_TERM && low->kind != V_CONST) || !value_as_term(r, low, &t) || !fits_half(r->terms, t))
		return false;
	*out = (struct value){.kind = V_PAIR, .a = t, .b = high->b};
	return true;
}

/* Two numbers in one register (uid and gid), by constants. False: it is no operation on halves. */
static bool half_op(struct decoder *r, uint8_t op, const struct value *x, int64_t k, struct value *out)
{
	struct terms *ts = r->terms;
	term zero = term_const(ts, 0);
	if (x->kind == V_TERM && op == BPF_LSH && k == 32 && fits_half(ts, x->a))
		*out = (struct value){.kind = V_PAIR, .a = zero, .b = x->a};
	else if (x->kind != V_PAIR)
		return false;
	else if (op == BPF_RSH && k == 32)
		*out = value_term(r, x->b);
	else if (op == BPF_ARSH && k == 32)
		*out = value_term(r, term_signed_bits(ts, x->b, 32));
	else if (op == BPF_LSH && k == 32)
		*out = (struct value){.kind = V_PAIR, .a = zero, .b = x->a};
	else if (op == BPF_AND && k >= 0 && k <= UINT32_MAX)
		*out = value_term(r, term_op(ts, TERM_BAND, x->a, term_const(ts, k)));
	else
		return false;
	return true;
}

/* ---- addresses -------------------------------------------------------------------------------- */

/* An address and a number. Where it points to then is known only with a constant. */
static struct value address_op(uint8_t op, const struct value *x, const struct value *y)
{
	const struct value *address = value_is_address(x) ? x : y, *number = value_is_address(x) ? y : x;
	struct value moved = *address;
	if (number->kind == V_CONST && (op == BPF_ADD || (op == BPF_SUB && address == x))) {
		moved.k += op == BPF_ADD ? number->k : -number->k;
		return moved;
	}
	if (address->kind == V_FOREIGN || address->kind == V_MAP || address->kind == V_ENTRY)
		return (struct value){.kind = V_FOREIGN, .a = address->kind != V_FOREIGN || address->a};
	return (struct value){.kind = V_NONE};
}

/* ---- instructions ------------------------------------------------------------------------------- */

static struct value words_op(struct decoder *r, const struct operation *o, const struct value *x, const struct value *y)
{
	int64_t of[WORDS];
	for (int i = 0; i < WORDS; i++) {
		int64_t a = x->kind == V_WORD ? r->words[x->a][i] : x->k, b = y->kind == V_WORD ? r->words[y->a][i] : y->k;
		of[i] = (int64_t)compute(o, (uint64_t)a, (uint64_t)b);
	}
	return value_of_words(r, of);
}

static struct value binary(struct decoder *r, const struct operation *o, const struct value *x, const struct value *y)
{
	enum { A_SECOND = 1000000000 };
	bool by_constant = o->wide && !o->is_signed && y->kind == V_CONST;
	struct value out;
	if (value_is_number(x) && value_is_number(y))
		return words_op(r, o, x, y);
	if (o->wide && (value_is_address(x) || value_is_address(y)))
		return address_op(o->op, x, y);
	if (o->wide && halves_joined(r, o->op, x, y, &out))
		return out;
	if (by_constant && half_op(r, o->op, x, y->k, &out))
		return out;
	if (by_constant && x->kind == V_NANOS && o->op == BPF_DIV && y->k == A_SECOND)
		return value_term(r, term_input(r->terms, IN_UPTIME));
	return terms_op(r, o, x, y);
}

static struct value moved(struct decoder *r, const struct state *st, uint32_t pc, bool wide, const struct value *y)
{
	enum { THIS_CPU = -1 /* BPF_ADDR_PERCPU: the kernel's own, an address in per-CPU memory */ };
	int bits = r->insns[pc].off;
	term t;
	int64_t of[WORDS];
	if (!bits)
		return wide ? *y : value_cut(r, y, 4);
	if (bits == THIS_CPU)
		return (struct value){.kind = V_FOREIGN, .a = true};
	if (bits != 8 && bits != 16 && bits != 32)
		return value_unknown(r, st, pc, "a result");
	if (value_is_number(y)) {
		for (int i = 0; i < WORDS; i++) {
			uint64_t v = sign_extended((uint64_t)(y->kind == V_WORD ? r->words[y->a][i] : y->k), bits);
			of[i] = (int64_t)(wide ? v : v & UINT32_MAX);
		}
		return value_of_words(r, of);
	}
	if (y->kind == V_UNKNOWN || !value_as_term(r, y, &t))
		return value_unknown(r, st, pc, "a result");
	t = term_signed_bits(r->terms, t, bits);
	return value_term(r, wide ? t : term_low_bits(r->terms, t, 32));
}

/* Byte order: BPF_END, and the swap that has no condition. */
static struct value swapped(struct decoder *r, const struct state *st, uint32_t pc, const struct value *x)
{
	const struct bpf_insn *in = &r->insns[pc];
	int bytes = in->imm / 8;
	bool swaps = BPF_CLASS(in->code) == BPF_ALU64 || BPF_SRC(in->code) == BPF_TO_BE;
	struct terms *ts = r->terms;
	int64_t of[WORDS];
	term t, out = term_const(ts, 0);
	if (bytes != 2 && bytes != 4 && bytes != 8)
		return value_unknown(r, st, pc, "a result");
	struct value low = value_cut(r, x, (unsigned)bytes);
	if (!swaps)
		return low;
	if (value_is_number(&low)) {
		for (int i = 0; i < WORDS; i++)
			of[i] = (int64_t)(__builtin_bswap64((uint64_t)(low.kind == V_WORD ? r->words[low.a][i] : low.k)) >>
			                  (64 - 8 * bytes));
		return value_of_words(r, of);
	}
	if (low.kind == V_UNKNOWN || !value_as_term(r, &low, &t))
		return value_unknown(r, st, pc, "a result");
	for (int i = 0; i < bytes; i++) {
		term byte = term_low_bits(ts, term_op(ts, TERM_SHR, t, term_const(ts, 8 * i)), 8);
		out = term_op(ts, TERM_BOR, out, term_op(ts, TERM_SHL, byte, term_const(ts, 8 * (bytes - 1 - i))));
	}
	return value_term(r, out);
}

/* With a number by word and one that is neither that nor a constant, each word is looked at alone. */
static int to_split(const struct decoder *r, const struct bpf_insn *in, const struct value *x, const struct value *y,
                    uint16_t mask)
{
	int64_t k;
	if (x->kind == V_WORD && !value_is_number(y) && !value_settled(r, x, mask, &k))
		return in->dst_reg;
	if (y->kind == V_WORD && !value_is_number(x) && !value_settled(r, y, mask, &k))
		return in->src_reg;
	return NO_SPLIT;
}

static struct value settled(const struct decoder *r, const struct value *v, const struct value *other, uint16_t mask)
{
	int64_t k;
	return v->kind == V_WORD && !value_is_number(other) && value_settled(r, v, mask, &k) ? value_const(k) : *v;
}

bool alu_step(struct decoder *r, struct state *st, uint32_t pc, uint16_t mask, int *split)
{
	const struct bpf_insn *in = &r->insns[pc];
	struct operation o = {.st = st, .pc = pc, .op = BPF_OP(in->code), .wide = BPF_CLASS(in->code) == BPF_ALU64,
	                      .is_signed = in->off};
	*split = NO_SPLIT;
	if (!is_register(in->dst_reg) || in->src_reg >= REGISTERS || o.op > BPF_END)
		return decoder_fail(r, "instruction %u is none", pc);
	struct value *dst = &st->reg[in->dst_reg], x = *dst, y = value_const(in->imm);
	if (o.op != BPF_END && BPF_SRC(in->code) == BPF_X)
		y = in->src_reg == BPF_REG_10 ? (struct value){.kind = V_STACK, .a = st->up ? st->up->depth : 0}
		                              : st->reg[in->src_reg];
	if (is_zeroing(in)) {
		*dst = value_const(0);
		return true;
	}
	if (o.op == BPF_END) {
		*dst = swapped(r, st, pc, &x);
		return true;
	}
	if (o.op == BPF_MOV) {
		*dst = moved(r, st, pc, o.wide, &y);
		return true;
	}
	if (o.op == BPF_NEG) {
		o.op = BPF_SUB;
		y = x;
		x = value_const(0);
	}
	*split = to_split(r, in, &x, &y, mask);
	if (*split != NO_SPLIT)
		return true;
	struct value left = settled(r, &x, &y, mask), right = settled(r, &y, &x, mask);
	*dst = binary(r, &o, &left, &right);
	return true;
}
