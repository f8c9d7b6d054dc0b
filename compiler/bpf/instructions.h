/* instructions.h - one instruction, or a few that always go together, as code that is written by hand adds them. */
#ifndef DEVGUARD_COMPILER_BPF_INSTRUCTIONS_H
#define DEVGUARD_COMPILER_BPF_INSTRUCTIONS_H

#include "compiler/bpf/internal.h"

static inline void move(struct code *c, int dst, int src)
{
	code_add(c, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static inline void alu_imm(struct code *c, uint8_t op, int dst, int32_t imm)
{
	code_add(c, (uint8_t)(BPF_ALU64 | op | BPF_K), dst, 0, 0, imm);
}

static inline void load(struct code *c, uint8_t size, int dst, int base, int off)
{
	code_add(c, (uint8_t)(BPF_LDX | BPF_MEM | size), dst, base, off, 0);
}

static inline void store(struct code *c, uint8_t size, int base, int off, int src)
{
	code_add(c, (uint8_t)(BPF_STX | BPF_MEM | size), base, src, off, 0);
}

static inline void store_imm(struct code *c, uint8_t size, int base, int off, int32_t imm)
{
	code_add(c, (uint8_t)(BPF_ST | BPF_MEM | size), base, 0, off, imm);
}

static inline void call(struct code *c, int helper)
{
	code_add(c, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

static inline size_t jump_if(struct code *c, uint8_t op, int reg, int32_t imm)
{
	return code_add(c, (uint8_t)(BPF_JMP | op | BPF_K), reg, 0, 0, imm);
}

static inline size_t jump(struct code *c)
{
	return code_add(c, BPF_JMP | BPF_JA, 0, 0, 0, 0);
}

static inline void stack_address(struct code *c, int dst, int off)
{
	move(c, dst, BPF_REG_10);
	alu_imm(c, BPF_ADD, dst, off);
}

/* One more, also when another task does the same on this CPU. */
static inline void increment(struct code *c, int base, int off)
{
	code_const(c, BPF_REG_1, 1);
	code_add(c, BPF_STX | BPF_ATOMIC | BPF_DW, base, BPF_REG_1, off, BPF_ADD);
}

#endif
