/*
 * emit_input.c - loading inputs.
 *
 * Homes of caller facts are filled before an expression is computed (emit_value.c),
 * since a helper call clobbers the registers it is computed in.
 */
#include "compiler/bpf/internal.h"

static void fetch(struct expr *e, enum fact_helper helper)
{
	struct code *c = e->code;
	if (helper == HELPER_COMM) {
		/* Linux 6.1 leaves what stands behind the name as it was */
		code_add(c, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, HOME(COMM), 0);
		code_add(c, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, HOME(COMM) + 8, 0);
		code_add(c, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_10, 0, 0);
		code_add(c, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, HOME(COMM));
		code_add(c, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, COMM_SIZE);
	}
	code_add(c, BPF_JMP | BPF_CALL, 0, 0, 0, helper_number(helper));
	switch (helper) {
	case HELPER_UID_GID:
		code_add(c, BPF_ALU64 | BPF_MOV | BPF_X, REG_UID_GID, BPF_REG_0, 0, 0);
		break;
	case HELPER_PID_TGID:
		code_add(c, BPF_ALU64 | BPF_MOV | BPF_X, REG_PID_TGID, BPF_REG_0, 0, 0);
		break;
	case HELPER_UPTIME:
		code_add(c, BPF_ALU64 | BPF_DIV | BPF_K, BPF_REG_0, 0, 0, NSEC_PER_SEC);
		code_add(c, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_0, HOME(UPTIME), 0);
		break;
	case HELPER_CGROUP:
		code_add(c, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_0, HOME(CGROUP), 0);
		break;
	default: break;
	}
}

void emit_reader(struct code *c, const struct asked *as, enum input in)
{
	enum reader reader = reader_of_fact(in);
	if (input_is_ask(in)) {
		const struct ask *ask = &as->asks[in - IN_ASK_0];
		reader = reader_of_ask(ask->kind);
		code_const(c, BPF_REG_1, reader_argument(ask));
		if (ask->kind == ASK_UNDER)
			code_imm64(c, BPF_REG_2, ask->number);
	}
	*ARENA_PUSH(c->arena, c->relocs, c->nrelocs, c->relocs_cap) = (struct image_reloc){(uint32_t)c->n, TARGET_READER + reader};
	code_add(c, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, -1);
}

/* Calls the reader of a fact about the calling task, and keeps what it tells. */
static void read_task(struct expr *e, enum input in)
{
	struct code *c = e->code;
	emit_reader(c, e->asked, in);
	size_t untold = code_add(c, BPF_JMP | BPF_JSLT | BPF_K, BPF_REG_0, 0, 0, 0);
	*ARENA_PUSH(c->arena, e->untold, e->nuntold, e->untold_cap) = (struct untold){untold, in};
	code_add(c, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_0, TASK_HOME(in), 0);
}

void expr_fetch(struct expr *e, input_set inputs)
{
	for (; inputs; inputs &= inputs - 1) {
		enum input in = (enum input)__builtin_ctzll(inputs);
		int helper = input_helper(in);
		uint64_t home = input_is_task(in) ? UINT64_C(1) << (HAVE_TASK + in - IN_EUID) : helper >= 0 ? UINT64_C(1) << helper : 0;
		if (!home || e->have & home)
			continue;
		if (input_is_task(in))
			read_task(e, in);
		else
			fetch(e, (enum fact_helper)helper);
		e->have |= home;
	}
}

static uint8_t load_size(const struct raw_field *f)
{
	return f->size == 1 ? BPF_B : f->size == 2 ? BPF_H : f->size == 4 ? BPF_W : BPF_DW;
}

void expr_field(struct code *c, const struct raw_field *f, int base, int offset, int reg)
{
	code_add(c, (uint8_t)(BPF_LDX | BPF_MEM | load_size(f)), reg, base, offset + (int)f->offset, 0);
	if (!f->is_signed || f->size == 8)
		return;
	code_add(c, BPF_ALU64 | BPF_LSH | BPF_K, reg, 0, 0, 64 - 8 * f->size);
	code_add(c, BPF_ALU64 | BPF_ARSH | BPF_K, reg, 0, 0, 64 - 8 * f->size);
}

/* A value of a raw program. */
static void value(struct expr *e, uint32_t number, int reg)
{
	if (e->values[number].is_field)
		expr_field(e->code, &e->values[number].field, e->ctx, 0, reg);
	else
		code_add(e->code, BPF_LDX | BPF_MEM | BPF_DW, reg, BPF_REG_10, e->slots[number], 0);
}

/* An input behind the facts. */
static void parameter(struct expr *e, size_t number, int reg)
{
	struct code *c = e->code;
	if (number >= e->nparams) {
		code_add(c, BPF_LDX | BPF_MEM | BPF_DW, reg, BPF_REG_10, ASKED_HOME(number - e->nparams), 0);
		return;
	}
	*ARENA_PUSH(c->arena, c->relocs, c->nrelocs, c->relocs_cap) = (struct image_reloc){(uint32_t)c->n, (uint32_t)number};
	code_imm64(c, reg, 0);
	code_add(c, BPF_LDX | BPF_MEM | BPF_DW, reg, reg, 0, 0);
}

void expr_input(struct expr *e, uint32_t in, int reg)
{
	struct code *c = e->code;
	if (in >= IN_PARAM_0) {
		if (in >= INPUT_MAX)
			value(e, in - INPUT_MAX, reg);
		else
			parameter(e, in - IN_PARAM_0, reg);
		return;
	}
	if (input_is_task((enum input)in)) {
		code_add(c, BPF_LDX | BPF_MEM | BPF_DW, reg, BPF_REG_10, TASK_HOME(in), 0);
		return;
	}
	switch ((enum input)in) {
	case IN_UID:
		code_add(c, BPF_ALU | BPF_MOV | BPF_X, reg, REG_UID_GID, 0, 0);
		return;
	case IN_TID:
		code_add(c, BPF_ALU | BPF_MOV | BPF_X, reg, REG_PID_TGID, 0, 0);
		return;
	case IN_GID:
	case IN_PID:
		code_add(c, BPF_ALU64 | BPF_MOV | BPF_X, reg, in == IN_GID ? REG_UID_GID : REG_PID_TGID,
		         0, 0);
		code_add(c, BPF_ALU64 | BPF_RSH | BPF_K, reg, 0, 0, 32);
		return;
	case IN_CGROUP_ID:
		code_add(c, BPF_LDX | BPF_MEM | BPF_DW, reg, BPF_REG_10, HOME(CGROUP), 0);
		return;
	case IN_UPTIME:
		code_add(c, BPF_LDX | BPF_MEM | BPF_DW, reg, BPF_REG_10, HOME(UPTIME), 0);
		return;
	case IN_COMM_0:
	case IN_COMM_1:
		code_add(c, BPF_LDX | BPF_MEM | BPF_DW, reg, BPF_REG_10,
		         HOME(COMM) + (in == IN_COMM_1 ? 8 : 0), 0);
		return;
	default: break;
	}
	code_add(c, (uint8_t)(BPF_LDX | BPF_MEM | ctx_load_size((enum input)in)), reg, e->ctx, ctx_offset((enum input)in), 0);
}
