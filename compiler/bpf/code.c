/*
 * code.c - BPF instructions under construction, and what every stage that
 * reads or writes them knows about their layout.
 */
#include "compiler/bpf/internal.h"

int helper_number(enum fact_helper helper)
{
	static const int numbers[FACT_HELPERS] = {
#define HELPER(id, function, facts, slots, major, minor) BPF_FUNC_##function,
#include "policy/facts.def"
	};
	return numbers[helper];
}

/* access_type is access << 16 | type: its halves are loaded by themselves. */
int ctx_offset(enum input in)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "programs are emitted for little-endian kernels"
#endif
	switch (in) {
	case IN_TYPE: return 0;
	case IN_REQUESTED: return 2;
	case IN_MAJOR: return 4;
	case IN_MINOR: return 8;
	default: return -1;
	}
}

int ctx_load_size(enum input in)
{
	return in == IN_TYPE || in == IN_REQUESTED ? BPF_H : BPF_W;
}

size_t code_add(struct code *c, uint8_t op, int dst, int src, int off, int32_t imm)
{
	const struct image_line *last = c->nlines ? &c->lines[c->nlines - 1] : NULL;
	if (!last || last->line != c->line || last->file != c->file)
		*ARENA_APPEND(c->arena, c->lines, c->nlines, c->lines_cap) =
			(struct image_line){(uint32_t)c->n, c->line, c->file};
	*ARENA_APPEND(c->arena, c->insns, c->n, c->cap) =
		(struct bpf_insn){.code = op, .dst_reg = dst & 15, .src_reg = src & 15,
	                          .off = (int16_t)off, .imm = imm};
	return c->n - 1;
}

void code_imm64(struct code *c, int dst, int64_t value)
{
	code_add(c, BPF_LD | BPF_DW | BPF_IMM, dst, 0, 0, (int32_t)(uint32_t)(uint64_t)value);
	code_add(c, 0, 0, 0, 0, (int32_t)(uint32_t)((uint64_t)value >> 32));
}

void code_const(struct code *c, int dst, int64_t value)
{
	if (value >= INT32_MIN && value <= INT32_MAX)
		code_add(c, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, (int32_t)value);
	else
		code_imm64(c, dst, value);
}

void code_land(struct code *c, size_t at)
{
	size_t distance = c->n - at - 1;
	if (distance > INT16_MAX)
		*ARENA_PUSH(c->arena, c->far, c->nfar, c->far_cap) = (struct far_jump){(uint32_t)at, (uint32_t)c->n};
	else
		c->insns[at].off = (int16_t)distance;
}

size_t code_jump_target(const struct bpf_insn *in, size_t pc)
{
	return (size_t)((int64_t)pc + 1 + (in->code == (BPF_JMP32 | BPF_JA) ? in->imm : in->off));
}

static bool is_jump(const struct bpf_insn *in)
{
	uint8_t class = BPF_CLASS(in->code), op = BPF_OP(in->code);
	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

/* The same jump taken when it was not. */
static uint8_t inverse(uint8_t code)
{
	static const uint8_t pairs[][2] = {{BPF_JEQ, BPF_JNE}, {BPF_JGT, BPF_JLE}, {BPF_JSGT, BPF_JSLE},
	                                   {BPF_JSLT, BPF_JSGE}, {BPF_JLT, BPF_JGE}};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		for (int k = 0; k < 2; k++)
			if (BPF_OP(code) == pairs[i][k])
				return (uint8_t)((code & ~0xf0) | pairs[i][!k]);
	return code;
}

/* Where everything moves to when the long conditional jumps take two instructions; says
 * whether others became long by that. */
static bool place(const struct code *c, const uint32_t *target, bool *is_long, uint32_t *at)
{
	bool grown = false;
	uint32_t n = 0;
	for (size_t i = 0; i <= c->n; i++) {
		at[i] = n;
		n += 1 + (i < c->n && is_long[i] && BPF_OP(c->insns[i].code) != BPF_JA);
	}
	for (size_t i = 0; i < c->n; i++)
		if (target[i] && !is_long[i] && at[target[i]] - at[i] - 1 > INT16_MAX)
			grown = is_long[i] = true;
	return grown;
}

void code_relax(struct code *c, size_t *tail)
{
	if (!c->nfar)
		return;
	uint32_t *target = arena_alloc(c->arena, c->n * sizeof *target); /* 0: no jump */
	bool *is_long = arena_alloc(c->arena, c->n * sizeof *is_long);
	uint32_t *at = arena_alloc(c->arena, (c->n + 1) * sizeof *at);
	for (size_t i = 0; i < c->n; i++) {
		if (is_jump(&c->insns[i]))
			target[i] = (uint32_t)code_jump_target(&c->insns[i], i);
		i += c->insns[i].code == (BPF_LD | BPF_DW | BPF_IMM);
	}
	for (size_t i = 0; i < c->nfar; i++) {
		target[c->far[i].at] = c->far[i].to;
		is_long[c->far[i].at] = true;
	}
	while (place(c, target, is_long, at))
		;
	struct bpf_insn *out = arena_alloc(c->arena, at[c->n] * sizeof *out);
	for (size_t i = 0; i < c->n; i++) {
		struct bpf_insn in = c->insns[i], far = {.code = BPF_JMP32 | BPF_JA};
		uint32_t to = at[i];
		if (is_long[i] && BPF_OP(in.code) != BPF_JA) {
			in.code = inverse(in.code);
			in.off = 1;
			out[to++] = in;
		}
		far.imm = (int32_t)(target[i] ? at[target[i]] - to - 1 : 0);
		if (!is_long[i] && target[i])
			in.off = (int16_t)far.imm;
		out[to] = is_long[i] ? far : in;
	}
	for (size_t i = 0; i < c->nlines; i++)
		c->lines[i].insn = at[c->lines[i].insn];
	for (size_t i = 0; i < c->nrelocs; i++)
		c->relocs[i].insn = at[c->relocs[i].insn];
	*tail = at[*tail];
	c->insns = out;
	c->n = at[c->n];
}

unsigned code_longest(struct arena *a, const struct bpf_insn *insns, size_t n, const unsigned *more)
{
	unsigned *longest = arena_alloc(a, (n + 1) * sizeof *longest);
	for (size_t i = n; i-- > 0;) {
		uint8_t op = insns[i].code;
		unsigned next = 0, taken = 0;
		if (op == (BPF_LD | BPF_DW | BPF_IMM))
			next = i + 2 <= n ? longest[i + 2] : 0;
		else if (op != (BPF_JMP | BPF_EXIT) && op != (BPF_JMP | BPF_JA) && op != (BPF_JMP32 | BPF_JA))
			next = longest[i + 1];
		size_t target = code_jump_target(&insns[i], i);
		if (is_jump(&insns[i]) && target > i && target < n)
			taken = longest[target];
		longest[i] = 1 + (more ? more[i] : 0) + (next > taken ? next : taken);
	}
	return n ? longest[0] : 0;
}

bool image_jumps_far(const struct image *image)
{
	const struct bpf_insn *in = image->insns;
	for (size_t i = 0; i < image->ninsns; i++) {
		if (in[i].code == (BPF_JMP32 | BPF_JA))
			return true;
		i += in[i].code == (BPF_LD | BPF_DW | BPF_IMM);
	}
	return false;
}
