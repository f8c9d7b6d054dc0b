/*
 * template.c - what takes several instructions: floor division, conditions as 0 or 1, choices.
 *
 * No branches: the kernel's verifier follows both sides of each, so that 48 in a row are refused.
 * And no sign masks: newer verifiers also follow both values of a register that is 0 or -1 when
 * it meets AND. The sign of a difference is shifted down to 0 or 1, and a choice is
 * b + flag * (a - b), which is right also where it wraps.
 *
 * The emitter writes templates from here; the proof recognises them by writing them again from
 * the registers it sees and comparing every bit.
 */
#include "compiler/bpf/internal.h"

#include <string.h>

static struct bpf_insn alu(uint8_t op, int dst, int src)
{
	return (struct bpf_insn){.code = (uint8_t)(BPF_ALU64 | op | BPF_X), .dst_reg = dst & 15, .src_reg = src & 15};
}

static struct bpf_insn alu_imm(uint8_t op, int dst, int32_t imm)
{
	return (struct bpf_insn){.code = (uint8_t)(BPF_ALU64 | op | BPF_K), .dst_reg = dst & 15, .imm = imm};
}

static struct bpf_insn with_y(uint8_t op, int dst, const struct template *t)
{
	return t->y < 0 ? alu_imm(op, dst, t->imm) : alu(op, dst, t->y);
}

size_t template_write(struct bpf_insn out[TEMPLATE_MAX], const struct template *t)
{
	size_t n = 0;
	switch (t->kind) {
	case TEMPLATE_DIVIDE: /* ((x ^ s) / y) ^ s with s = x >> 63; BPF divides unsigned, by 0 gives 0 */
		out[n++] = alu(BPF_MOV, t->s, t->x);
		out[n++] = alu_imm(BPF_ARSH, t->s, 63);
		out[n++] = alu(BPF_XOR, t->x, t->s);
		out[n++] = alu(BPF_DIV, t->x, t->y);
		out[n++] = alu(BPF_XOR, t->x, t->s);
		return n;
	case TEMPLATE_MODULO: /* x - y * that */
		out[n++] = alu(BPF_MOV, t->s, t->x);
		out[n++] = alu_imm(BPF_ARSH, t->s, 63);
		out[n++] = alu(BPF_MOV, t->t, t->x);
		out[n++] = alu(BPF_XOR, t->t, t->s);
		out[n++] = alu(BPF_DIV, t->t, t->y);
		out[n++] = alu(BPF_XOR, t->t, t->s);
		out[n++] = alu(BPF_MUL, t->t, t->y);
		out[n++] = alu(BPF_SUB, t->x, t->t);
		return n;
	case TEMPLATE_LESS: /* the difference does not wrap */
		out[n++] = with_y(BPF_SUB, t->x, t);
		break;
	case TEMPLATE_LESS_WIDE: /* d = x - y; (d ^ ((x ^ y) & (d ^ x))) has the sign of x < y */
		out[n++] = alu(BPF_MOV, t->s, t->x);
		out[n++] = alu(BPF_SUB, t->s, t->y);
		out[n++] = alu(BPF_MOV, t->t, t->x);
		out[n++] = alu(BPF_XOR, t->t, t->y);
		out[n++] = alu(BPF_XOR, t->x, t->s);
		out[n++] = alu(BPF_AND, t->x, t->t);
		out[n++] = alu(BPF_XOR, t->x, t->s);
		break;
	case TEMPLATE_DIFFER: /* d | -d is negative unless d is 0 */
		out[n++] = with_y(BPF_SUB, t->x, t);
		out[n++] = alu_imm(BPF_MOV, t->s, 0);
		out[n++] = alu(BPF_SUB, t->s, t->x);
		out[n++] = alu(BPF_OR, t->x, t->s);
		break;
	default: /* TEMPLATE_CHOOSE: s = s ? x : y, x is lost */
		out[n++] = with_y(BPF_SUB, t->x, t);
		out[n++] = alu(BPF_MUL, t->s, t->x);
		out[n++] = with_y(BPF_ADD, t->s, t);
		return n;
	}
	out[n++] = alu_imm(BPF_RSH, t->x, 63);
	return n;
}

bool terms_differ_within(const struct term_node *a, const struct term_node *b)
{
	int64_t unused;
	return !__builtin_sub_overflow(a->lo, b->hi, &unused) && !__builtin_sub_overflow(a->hi, b->lo, &unused);
}

static bool registers_ok(const struct template *t, bool uses_s, bool uses_t)
{
	int used[] = {t->x, t->y, uses_s ? t->s : -1, uses_t ? t->t : -1};
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < i; k++)
			if (used[i] >= 0 && used[i] == used[k])
				return false;
	return t->x < BPF_REG_10 && t->s < BPF_REG_10 && t->t < BPF_REG_10 && t->y <= BPF_REG_10;
}

/* Are the instructions what t is written as? */
static bool matches(const struct bpf_insn *in, size_t n, const struct template *t, size_t *len)
{
	struct bpf_insn want[TEMPLATE_MAX];
	*len = template_write(want, t);
	return *len <= n && !memcmp(want, in, *len * sizeof *want);
}

/* What begins with a copy of x; y and t are where they stand in each. */
static bool read_copy(const struct bpf_insn *in, size_t n, struct template *t, size_t *len)
{
	struct template base = {.x = in[0].src_reg, .s = in[0].dst_reg};
	static const struct { enum template_kind kind; size_t y; bool has_t; } kinds[] = {
		{TEMPLATE_LESS_WIDE, 1, true}, {TEMPLATE_DIVIDE, 3, false}, {TEMPLATE_MODULO, 4, true}};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (n <= kinds[i].y || (kinds[i].has_t && n < 3))
			continue;
		*t = base;
		t->kind = kinds[i].kind;
		t->y = in[kinds[i].y].src_reg;
		t->t = kinds[i].has_t ? in[2].dst_reg : 0;
		if (registers_ok(t, true, kinds[i].has_t) && matches(in, n, t, len))
			return true;
	}
	return false;
}

bool template_read(const struct bpf_insn *in, size_t n, struct template *t, size_t *len)
{
	static const enum template_kind kinds[] = {TEMPLATE_LESS, TEMPLATE_DIFFER, TEMPLATE_CHOOSE};
	bool reg = in[0].code == (BPF_ALU64 | BPF_SUB | BPF_X);
	if (n < 2)
		return false;
	if (in[0].code == (BPF_ALU64 | BPF_MOV | BPF_X))
		return read_copy(in, n, t, len);
	if (!reg && in[0].code != (BPF_ALU64 | BPF_SUB | BPF_K))
		return false;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		*t = (struct template){.kind = kinds[i], .x = in[0].dst_reg, .y = reg ? in[0].src_reg : -1,
		                       .imm = reg ? 0 : in[0].imm, .s = in[1].dst_reg};
		if (registers_ok(t, t->kind != TEMPLATE_LESS, false) && matches(in, n, t, len))
			return true;
	}
	return false;
}
