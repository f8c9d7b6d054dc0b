/*
 * task_program.h - a program that calls one reader, allows, and leaves what it was told in the map devguard_config; its
 * first argument was there before.
 */
#ifndef DEVGUARD_TESTS_TASK_PROGRAM_H
#define DEVGUARD_TESTS_TASK_PROGRAM_H

#include "compiler/bpf/instructions.h"
#include "compiler/object/text.h"
#include "tests/unit/object_sample.h"

static inline void task_address(struct code *c, int reg, uint32_t target)
{
	*ARENA_PUSH(c->arena, c->relocs, c->nrelocs, c->relocs_cap) = (struct image_reloc){(uint32_t)c->n, target};
	code_imm64(c, reg, 0);
}

static inline void task_call(struct code *c, enum reader r)
{
	*ARENA_PUSH(c->arena, c->relocs, c->nrelocs, c->relocs_cap) = (struct image_reloc){(uint32_t)c->n, TARGET_READER + r};
	code_add(c, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, -1);
}

/* r2: the second argument. */
static inline struct image task_image(struct arena *a, enum reader r, int64_t r2)
{
	struct code c = {.arena = a};
	store_imm(&c, BPF_W, BPF_REG_10, -4, 0);
	task_address(&c, BPF_REG_1, TARGET_CONFIG);
	stack_address(&c, BPF_REG_2, -4);
	call(&c, BPF_FUNC_map_lookup_elem);
	size_t none = jump_if(&c, BPF_JEQ, BPF_REG_0, 0);
	move(&c, BPF_REG_6, BPF_REG_0);
	load(&c, BPF_DW, BPF_REG_1, BPF_REG_6, 0);
	code_imm64(&c, BPF_REG_2, r2);
	task_call(&c, r);
	store(&c, BPF_DW, BPF_REG_6, 0, BPF_REG_0);
	code_land(&c, none);
	code_const(&c, BPF_REG_0, 1);
	code_add(&c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return (struct image){.insns = c.insns, .ninsns = c.n, .lines = c.lines, .nlines = c.nlines, .relocs = c.relocs,
	                      .nrelocs = c.nrelocs, .tail = c.n};
}

/* Calls all of them. */
static inline struct image task_image_all(struct arena *a)
{
	struct code c = {.arena = a};
	for (int r = READERS; r-- > 0;) {
		code_const(&c, BPF_REG_1, 0);
		code_const(&c, BPF_REG_2, 0);
		task_call(&c, (enum reader)r);
	}
	code_const(&c, BPF_REG_0, 1);
	code_add(&c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return (struct image){.insns = c.insns, .ninsns = c.n, .lines = c.lines, .nlines = c.nlines, .relocs = c.relocs,
	                      .nrelocs = c.nrelocs, .tail = c.n};
}

static inline struct policy *task_policy(struct arena *a, enum audit_level audit)
{
	struct policy *p = arena_alloc(a, sizeof *p);
	*p = (struct policy){.arena = a, .terms = terms_new(a), .name = "task", .file = "task.rb", .default_at = {"task.rb", 1, 0},
	                     .audit = audit};
	return p;
}

#endif
