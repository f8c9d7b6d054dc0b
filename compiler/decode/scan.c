/*
 * scan.c - what is known of a program before it is executed: where ways meet, in which order instructions come, which
 * registers are read later, until where the stack is read, and where the kernel keeps the elements of an array.
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

bool is_plain_jump(const struct bpf_insn *in)
{
	return is_jump(in) && BPF_OP(in->code) == BPF_JA;
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

static size_t behind(const struct decoder *r, size_t pc)
{
	return pc + (is_wide(&r->insns[pc]) ? 2 : 1);
}

static bool find_leaders(struct decoder *r)
{
	r->leader = arena_alloc(r->arena, r->n + 1);
	for (size_t pc = 0; pc < r->n; pc = behind(r, pc)) {
		const struct bpf_insn *in = &r->insns[pc];
		bool jumps = (is_jump(in) && !is_exit(in) && !is_call(in)) || is_own_call(in);
		int64_t to = target_of(in, pc);
		if (is_own_call(in))
			r->leader[pc + 1] = true;
		if (!jumps)
			continue;
		if (to < 0 || to >= (int64_t)r->n)
			return decoder_fail(r, "instruction %zu jumps out of the program", pc);
		r->leader[to] = true;
		r->jumps_back |= to <= (int64_t)pc && !is_own_call(in);
	}
	return true;
}

/* Where an instruction may go on, within its function. How many. */
static int next_of(const struct decoder *r, size_t pc, size_t to[2])
{
	const struct bpf_insn *in = &r->insns[pc];
	bool jumps = is_jump(in) && !is_call(in) && !is_exit(in);
	int n = 0;
	if (jumps)
		to[n++] = (size_t)target_of(in, pc);
	if (!is_exit(in) && !(jumps && BPF_OP(in->code) == BPF_JA) && behind(r, pc) < r->n)
		to[n++] = behind(r, pc);
	return n;
}

enum { NOT_SEEN, OPEN, DONE };
struct walk { size_t *open; uint8_t *seen, *tried; size_t left; };

/* Everything that can be reached from an instruction: the last one gets the last place that is left. */
static void number_from(struct decoder *r, struct walk *w, size_t first)
{
	size_t n = 0;
	if (w->seen[first] != NOT_SEEN)
		return;
	w->seen[first] = OPEN;
	w->open[n++] = first;
	while (n) {
		size_t pc = w->open[n - 1], to[2];
		if (w->tried[pc] == next_of(r, pc, to)) {
			w->seen[pc] = DONE;
			r->rank[pc] = (uint32_t)--w->left;
			r->by_rank[w->left] = (uint32_t)pc;
			n--;
			continue;
		}
		size_t next = to[w->tried[pc]++];
		if (w->seen[next] != NOT_SEEN)
			continue;
		w->seen[next] = OPEN;
		w->open[n++] = next;
	}
}

/* The order in which instructions are executed: each before those that it leads to, but for loops. Compilers lay code out
 * otherwise: what two ways share may stand before both. */
static void find_order(struct decoder *r)
{
	struct walk w = {.left = r->n};
	r->rank = arena_alloc(r->arena, (r->n + 1) * sizeof *r->rank);
	r->by_rank = arena_alloc(r->arena, (r->n + 1) * sizeof *r->by_rank);
	for (size_t pc = 0; pc <= r->n; pc++)
		r->rank[pc] = r->by_rank[pc] = (uint32_t)pc;
	if (!r->jumps_back)
		return;
	w.open = arena_alloc(r->arena, r->n * sizeof *w.open);
	w.seen = arena_alloc(r->arena, r->n);
	w.tried = arena_alloc(r->arena, r->n);
	for (size_t pc = r->n; pc-- > 0;) /* what nothing leads to comes last, and functions behind the program */
		if (is_own_call(&r->insns[pc]))
			number_from(r, &w, (size_t)target_of(&r->insns[pc], pc));
	number_from(r, &w, 0);
	for (size_t pc = r->n; pc-- > 0;)
		number_from(r, &w, pc);
}

bool goes_back(const struct decoder *r, size_t pc)
{
	return r->rank[target_of(&r->insns[pc], pc)] <= r->rank[pc];
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

/* Registers that are read later: others make no difference. Backwards, once; a loop reads all. */
static void find_live(struct decoder *r)
{
	r->live = arena_alloc(r->arena, (r->n + 1) * sizeof *r->live);
	for (size_t i = r->n; i-- > 0;) {
		size_t pc = r->by_rank[i], to[2];
		const struct bpf_insn *in = &r->insns[pc];
		uint16_t reads, writes, after = 0;
		for (int k = next_of(r, pc, to); k-- > 0;)
			after |= r->rank[to[k]] <= i ? ALL_REGISTERS : r->live[to[k]];
		reads_and_writes(in, &reads, &writes);
		r->live[pc] = (uint16_t)((after & ~writes) | reads);
		if (BPF_CLASS(in->code) == BPF_LDX || is_call(in))
			r->stack_end = i + 1 > r->stack_end ? i + 1 : r->stack_end;
	}
}

/* The kernel writes look-ups in arrays out: `r1 += HEAD; r0 = *(u32 *)(r2 + 0); if r0 >= N ...`. */
static void find_array_base(struct decoder *r)
{
	for (size_t pc = 0; pc + 2 < r->n && !r->array_base; pc++) {
		const struct bpf_insn *in = &r->insns[pc];
		if (in[0].code == (BPF_ALU64 | BPF_ADD | BPF_K) && in[0].dst_reg == BPF_REG_1 && in[0].imm > 0 &&
		    in[1].code == (BPF_LDX | BPF_MEM | BPF_W) && in[1].dst_reg == BPF_REG_0 && in[1].src_reg == BPF_REG_2 &&
		    !in[1].off && in[2].code == (BPF_JMP | BPF_JGE | BPF_K) && in[2].dst_reg == BPF_REG_0)
			r->array_base = in[0].imm;
	}
}

bool scan_program(struct decoder *r)
{
	if (!find_leaders(r))
		return false;
	find_order(r);
	find_live(r);
	find_array_base(r);
	return true;
}
