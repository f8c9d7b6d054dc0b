/*
 * group.c - is a gid the file system gid of the task, or one of its supplementary groups?
 *
 * The kernel keeps the groups sorted. It lets a program load at known offsets only: so up to LOADED_GROUPS are compared one
 * by one, and more are searched by bpf_probe_read_kernel. No branch of a step depends on an earlier step, so the kernel's
 * verifier has one state a step. None depends on the gid being known: it would be left out of the program that runs, which
 * could then not be recognised.
 */
#include "compiler/task/internal.h"

enum {
	LOADED_GROUPS = 32,
	GROUP_STEPS = 17, /* of NGROUPS_MAX, 65,536 */
	REG_END = REG_OTHER, /* of a search, first the number of groups */
	REG_FROM = REG_FEATURES,
};

static size_t compare(struct code *c, uint8_t op, int x, int y)
{
	return code_add(c, (uint8_t)(BPF_JMP | op | BPF_X), x, y, 0, 0);
}

static void operate(struct code *c, uint8_t op, int dst, int src)
{
	code_add(c, (uint8_t)(BPF_ALU64 | op | BPF_X), dst, src, 0, 0);
}

/* The groups at REG_AT, one by one. */
static void go_through(struct walk *w, struct jumps *yes)
{
	struct code *c = &w->code;
	for (int i = 0; i < LOADED_GROUPS; i++) {
		jump_later(w, &w->no, jump_if(c, BPF_JLE, REG_OTHER, i));
		load(c, BPF_W, BPF_REG_1, REG_AT, 4 * i);
		jump_later(w, yes, compare(c, BPF_JEQ, BPF_REG_1, REG_ARGUMENT));
	}
}

/* r2 = the group in the middle. */
static void middle(struct code *c, int reg)
{
	move(c, reg, REG_FROM);
	operate(c, BPF_ADD, reg, REG_END);
	alu_imm(c, BPF_RSH, reg, 1);
}

/* One step of a search: half of the groups from REG_FROM to REG_END remain. */
static void halve(struct walk *w, struct jumps *yes)
{
	struct code *c = &w->code;
	jump_later(w, &w->no, compare(c, BPF_JGE, REG_FROM, REG_END));
	middle(c, BPF_REG_3);
	alu_imm(c, BPF_LSH, BPF_REG_3, 2);
	operate(c, BPF_ADD, BPF_REG_3, REG_AT);
	walk_copy(w, 4);
	load(c, BPF_W, BPF_REG_1, BPF_REG_10, STACK_COPY);
	jump_later(w, yes, compare(c, BPF_JEQ, BPF_REG_1, REG_ARGUMENT));
	middle(c, BPF_REG_2);
	operate(c, BPF_SUB, BPF_REG_1, REG_ARGUMENT);
	alu_imm(c, BPF_RSH, BPF_REG_1, 63); /* 1: it is smaller, the upper half remains */
	/* from += upper * (middle + 1 - from) */
	move(c, BPF_REG_3, BPF_REG_2);
	alu_imm(c, BPF_ADD, BPF_REG_3, 1);
	operate(c, BPF_SUB, BPF_REG_3, REG_FROM);
	operate(c, BPF_MUL, BPF_REG_3, BPF_REG_1);
	operate(c, BPF_ADD, REG_FROM, BPF_REG_3);
	/* end = middle + upper * (end - middle) */
	operate(c, BPF_SUB, REG_END, BPF_REG_2);
	operate(c, BPF_MUL, REG_END, BPF_REG_1);
	operate(c, BPF_ADD, REG_END, BPF_REG_2);
}

void read_group(struct walk *w, struct jumps *copies)
{
	struct code *c = &w->code;
	struct jumps yes = {0};
	walk_field(w, FIELD_CRED_FSGID, REG_AT, BPF_REG_1);
	jump_later(w, &yes, compare(c, BPF_JEQ, BPF_REG_1, REG_ARGUMENT));
	walk_pointer(w, FIELD_CRED_GROUPS, REG_AT, REG_AT, &w->untold);
	walk_field(w, FIELD_GROUPS_N, REG_AT, REG_OTHER);
	if (w->loads)
		jump_later(w, copies, jump_if(c, BPF_JGT, REG_OTHER, LOADED_GROUPS));
	walk_offset(w, FIELD_GROUPS_GID, REG_AT);
	if (w->loads) {
		go_through(w, &yes);
	} else {
		code_const(c, REG_FROM, 0);
		for (int i = 0; i < GROUP_STEPS; i++)
			halve(w, &yes);
	}
	jump_later(w, &w->no, jump(c));
	jumps_land(w, &yes);
	walk_end_with(w, 1);
}
