/*
 * scan.c - what is known of a program before it is executed: where ways meet, which registers are read
 * later, until where the stack is read, and where the kernel keeps the elements of an array.
 */
#include "compiler/decode/internal.h"

/* ---- kinds of instructions ------------------------------------------------------------------- */

bool is_jump(const struct bpf_insn *in)
{
	uint8_t class = BPF_CLASS(in->code);
	return class == BPF_JMP || class == BPF_JMP32;
}

bool is_wide(const struct bpf_insn *in)
{
	return in->code == (BPF_LD | BPF_DW | BPF_IMM);
}

bool is_call(const struct bpf_insn *in)
{
	return in->code == (BPF_JMP | BPF_CALL);
}

bool is_exit(const struct bpf_insn *in)
{
	return in->code == (BPF_JMP | BPF_EXIT);
}

/* A function of the program itself. */
bool is_own_call(const struct bpf_insn *in)
{
	return is_call(in) && in->src_reg == BPF_PSEUDO_CALL;
}

/* Where a jump, or a call of an own function, goes. The kernel keeps the way to a function that it
 * compiled in `off`. */
int64_t target_of(const struct bpf_insn *in, size_t pc)
{
	if (is_own_call(in))
		return (int64_t)pc + 1 + (in->off ? in->off : in->imm);
	if (in->code == (BPF_JMP32 | BPF_JA))
		return (int64_t)pc + 1 + in->imm;
	return (int64_t)pc + 1 + in->off;
}

/* ---- what is known before ------------------------------------------------------------------ */

static bool find_leaders(struct reader *r)
{
	r->leader = arena_alloc(r->arena, r->n + 1);
	for (size_t pc = 0; pc < r->n; pc += is_wide(&r->insns[pc]) ? 2 : 1) {
		const struct bpf_insn *in = &r->insns[pc];
		bool jumps = (is_jump(in) && !is_exit(in) && !is_call(in)) || is_own_call(in);
		int64_t to = target_of(in, pc);
		if (is_own_call(in))
			r->leader[pc + 1] = true;
		if (!jumps)
			continue;
		if (to < 0 || to >= (int64_t)r->n)
			return reader_fail(r, "instruction %zu jumps out of the program", pc);
		r->leader[to] = true;
	}
	return true;
}

enum { R0_TO_R5 = 0x3f, R1_TO_R5 = 0x3e, ALL_REGISTERS = 0xbff };

static uint16_t bit(unsigned reg)
{
	return is_register(reg) ? (uint16_t)(1u << reg) : 0;
}

bool is_zeroing(const struct bpf_insn *in)
{
	bool alu = BPF_CLASS(in->code) == BPF_ALU64 || BPF_CLASS(in->code) == BPF_ALU;
	return alu && BPF_SRC(in->code) == BPF_X && in->src_reg == in->dst_reg && is_register(in->dst_reg) &&
	       (BPF_OP(in->code) == BPF_XOR || BPF_OP(in->code) == BPF_SUB);
}

/* The registers that an instruction reads and those that it gives a new value, all of it. */
static void reads_and_writes(const struct bpf_insn *in, uint16_t *reads, uint16_t *writes)
{
	uint16_t dst = bit(in->dst_reg), src = bit(in->src_reg);
	bool by_register = BPF_SRC(in->code) == BPF_X;
	*reads = *writes = 0;
	if (is_zeroing(in)) {
		*writes = dst;
		return;
	}
	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		*reads = (uint16_t)((BPF_OP(in->code) == BPF_MOV ? 0 : dst) |
		                    (by_register && BPF_OP(in->code) != BPF_END && BPF_OP(in->code) != BPF_NEG ? src : 0));
		*writes = dst;
		return;
	case BPF_LD: *writes = dst; return;
	case BPF_LDX:
		*reads = src;
		*writes = dst;
		return;
	case BPF_ST: *reads = dst; return;
	case BPF_STX: *reads = dst | src | bit(0); return;
	default: break;
	}
	if (is_exit(in)) {
		*reads = bit(0);
	} else if (is_call(in)) {
		*reads = R1_TO_R5;
		*writes = R0_TO_R5;
	} else if (BPF_OP(in->code) != BPF_JA) {
		*reads = (uint16_t)(dst | (by_register ? src : 0));
	}
}

/* Registers that are read later: others make no difference. Backwards, once; a jump back reads all. */
static void find_live(struct reader *r)
{
	r->live = arena_alloc(r->arena, (r->n + 1) * sizeof *r->live);
	for (size_t pc = r->n; pc-- > 0;) {
		const struct bpf_insn *in = &r->insns[pc];
		uint16_t reads, writes, after = is_exit(in) ? 0 : r->live[pc + 1];
		bool jumps = is_jump(in) && !is_exit(in) && !is_call(in);
		int64_t to = target_of(in, pc);
		uint16_t there = !jumps ? 0 : to <= (int64_t)pc ? ALL_REGISTERS : r->live[to];
		if (jumps && BPF_OP(in->code) == BPF_JA)
			after = 0;
		reads_and_writes(in, &reads, &writes);
		r->live[pc] = (uint16_t)(((after | there) & ~writes) | reads);
		if (BPF_CLASS(in->code) == BPF_LDX || is_call(in))
			r->stack_end = pc + 1 > r->stack_end ? pc + 1 : r->stack_end;
	}
}

/* The kernel writes look-ups in arrays out: `r1 += HEAD; r0 = *(u32 *)(r2 + 0); if r0 >= N ...`. */
static void find_array_base(struct reader *r)
{
	for (size_t pc = 0; pc + 2 < r->n && !r->array_base; pc++) {
		const struct bpf_insn *in = &r->insns[pc];
		if (in[0].code == (BPF_ALU64 | BPF_ADD | BPF_K) && in[0].dst_reg == BPF_REG_1 && in[0].imm > 0 &&
		    in[1].code == (BPF_LDX | BPF_MEM | BPF_W) && in[1].dst_reg == BPF_REG_0 && in[1].src_reg == BPF_REG_2 &&
		    !in[1].off && in[2].code == (BPF_JMP | BPF_JGE | BPF_K) && in[2].dst_reg == BPF_REG_0)
			r->array_base = in[0].imm;
	}
}

bool scan_program(struct reader *r)
{
	if (!find_leaders(r))
		return false;
	find_live(r);
	find_array_base(r);
	return true;
}
