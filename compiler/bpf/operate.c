/*
 * operate.c - what the kernel's arithmetic and jumps do with two numbers.
 *
 * Written against the instruction set (Documentation/bpf/standardization), not against the emitter: all operations
 * are here, and no arithmetic is shared with terms.
 */
#include "compiler/bpf/internal.h"

static uint64_t alu64(uint8_t op, uint64_t x, uint64_t y)
{
	switch (op) {
	case BPF_ADD: return x + y;
	case BPF_SUB: return x - y;
	case BPF_MUL: return x * y;
	case BPF_DIV: return y ? x / y : 0;
	case BPF_MOD: return y ? x % y : x;
	case BPF_OR: return x | y;
	case BPF_AND: return x & y;
	case BPF_XOR: return x ^ y;
	case BPF_LSH: return x << (y & 63);
	case BPF_RSH: return x >> (y & 63);
	case BPF_ARSH: return (uint64_t)((int64_t)x >> (y & 63));
	case BPF_NEG: return -x;
	default: return y; /* BPF_MOV */
	}
}

static uint32_t alu32(uint8_t op, uint32_t x, uint32_t y)
{
	switch (op) {
	case BPF_LSH: return x << (y & 31);
	case BPF_RSH: return x >> (y & 31);
	case BPF_ARSH: return (uint32_t)((int32_t)x >> (y & 31));
	default: return (uint32_t)alu64(op, x, y);
	}
}

uint64_t insn_alu(uint8_t code, uint64_t x, uint64_t y)
{
	return BPF_CLASS(code) == BPF_ALU64 ? alu64(BPF_OP(code), x, y) : alu32(BPF_OP(code), (uint32_t)x, (uint32_t)y);
}

bool insn_taken(uint8_t code, uint64_t x, uint64_t y)
{
	int64_t sx = (int64_t)x, sy = (int64_t)y;
	if (BPF_CLASS(code) == BPF_JMP32) {
		x = (uint32_t)x;
		y = (uint32_t)y;
		sx = (int32_t)x;
		sy = (int32_t)y;
	}
	switch (BPF_OP(code)) {
	case BPF_JA: return true;
	case BPF_JEQ: return x == y;
	case BPF_JNE: return x != y;
	case BPF_JGT: return x > y;
	case BPF_JGE: return x >= y;
	case BPF_JLT: return x < y;
	case BPF_JLE: return x <= y;
	case BPF_JSET: return x & y;
	case BPF_JSGT: return sx > sy;
	case BPF_JSGE: return sx >= sy;
	case BPF_JSLT: return sx < sy;
	default: return sx <= sy; /* BPF_JSLE */
	}
}
