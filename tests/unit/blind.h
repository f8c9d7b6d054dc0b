/* blind.h - a program as the kernel shows it with net.core.bpf_jit_harden: constants in two parts, by r11. */
#ifndef DEVGUARD_TESTS_BLIND_H
#define DEVGUARD_TESTS_BLIND_H

#include <linux/bpf.h>

#include "tests/unit/policy_files.h"

enum { BLIND_REG = 11 };

/* `r11 = k`, so that k does not stand there, by 32 or 64 bits. */
static size_t blind_constant(struct rng *g, struct bpf_insn *out, uint8_t class, int32_t k)
{
	int32_t random = (int32_t)below(g, INT32_MAX);
	out[0] = (struct bpf_insn){.code = class | BPF_MOV | BPF_K, .dst_reg = BLIND_REG, .imm = random ^ k};
	out[1] = (struct bpf_insn){.code = class | BPF_XOR | BPF_K, .dst_reg = BLIND_REG, .imm = random};
	return 2;
}

/* One instruction; how many it becomes. */
static size_t blind_one(struct rng *g, const struct bpf_insn *in, struct bpf_insn *out)
{
	uint8_t class = BPF_CLASS(in->code), op = BPF_OP(in->code);
	bool alu = (class == BPF_ALU || class == BPF_ALU64) && BPF_SRC(in->code) == BPF_K && op != BPF_NEG && op != BPF_END &&
	           op != BPF_LSH && op != BPF_RSH && op != BPF_ARSH;
	bool jump = (class == BPF_JMP || class == BPF_JMP32) && BPF_SRC(in->code) == BPF_K && op != BPF_JA && op != BPF_CALL && op != BPF_EXIT;
	size_t n = 0;
	if (alu && op == BPF_MOV && !in->imm) {
		out[n] = (struct bpf_insn){.code = class | BPF_XOR | BPF_X, .dst_reg = in->dst_reg, .src_reg = in->dst_reg};
		return n + 1;
	}
	if (alu || jump || class == BPF_ST)
		n = blind_constant(g, out, class == BPF_ALU || class == BPF_JMP32 ? BPF_ALU : BPF_ALU64, in->imm);
	out[n] = *in;
	if (!n)
		return 1;
	out[n].imm = 0;
	out[n].src_reg = BLIND_REG;
	out[n].code = class == BPF_ST ? (uint8_t)(BPF_STX | (in->code & ~7u)) : (uint8_t)(in->code | BPF_X);
	return n + 1;
}

/* All of it, with the jumps where they were. */
static struct bpf_insn *blinded(struct arena *a, struct rng *g, const struct bpf_insn *insns, size_t n, size_t *nout)
{
	struct bpf_insn *out = arena_alloc(a, (3 * n + 1) * sizeof *out);
	size_t *start = arena_alloc(a, (n + 1) * sizeof *start), at = 0;
	for (size_t i = 0; i < n; i++) {
		bool wide = insns[i].code == (BPF_LD | BPF_DW | BPF_IMM);
		start[i] = at;
		at += wide ? 1 : blind_one(g, &insns[i], out + at);
		if (!wide)
			continue;
		out[at - 1] = insns[i];
		out[at++] = insns[++i];
	}
	start[n] = at;
	for (size_t i = 0; i < n; i++) {
		uint8_t class = BPF_CLASS(insns[i].code), op = BPF_OP(insns[i].code);
		if ((class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT)
			out[start[i + 1] - 1].off = (int16_t)(start[i + 1 + (size_t)insns[i].off] - start[i + 1]);
	}
	*nout = at;
	return out;
}

#endif
