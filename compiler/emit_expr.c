/*
 * emit_expr.c - loading inputs, and comparisons that need arithmetic.
 *
 * Expressions are evaluated into a row of caller-saved registers, the deeper
 * operand first. Homes of caller facts are filled before, since a helper call
 * clobbers that row.
 */
#include "compiler/internal.h"

static const int row[] = {BPF_REG_2, BPF_REG_3, BPF_REG_4, BPF_REG_5, BPF_REG_0};
enum { ROW = sizeof row / sizeof *row };

enum { EXPR_INSNS_MAX = 4096 };

static void fetch_home(struct expr *e, enum fact_home home)
{
	struct code *c = e->code;
	int helper = home_helper(home);
	if (home == HOME_COMM) {
		code_add(c, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_10, 0, 0);
		code_add(c, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, STACK_COMM);
		code_add(c, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, COMM_SIZE);
	}
	code_add(c, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
	switch (home) {
	case HOME_UID_GID:
		code_add(c, BPF_ALU64 | BPF_MOV | BPF_X, REG_UID_GID, BPF_REG_0, 0, 0);
		break;
	case HOME_PID_TGID:
		code_add(c, BPF_ALU64 | BPF_MOV | BPF_X, REG_PID_TGID, BPF_REG_0, 0, 0);
		break;
	case HOME_UPTIME:
		code_add(c, BPF_ALU64 | BPF_DIV | BPF_K, BPF_REG_0, 0, 0, NSEC_PER_SEC);
		code_add(c, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_0, STACK_UPTIME, 0);
		break;
	case HOME_CGROUP:
		code_add(c, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_0, STACK_CGROUP, 0);
		break;
	default: break;
	}
	e->have |= 1u << home;
}

void expr_fetch(struct expr *e, uint32_t inputs)
{
	for (; inputs; inputs &= inputs - 1) {
		int home = input_home((enum input)__builtin_ctz(inputs));
		if (home >= 0 && !(e->have & 1u << home))
			fetch_home(e, (enum fact_home)home);
	}
}

void expr_input(struct expr *e, enum input in, int reg)
{
	struct code *c = e->code;
	switch (in) {
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
		code_add(c, BPF_LDX | BPF_MEM | BPF_DW, reg, BPF_REG_10, STACK_CGROUP, 0);
		return;
	case IN_UPTIME:
		code_add(c, BPF_LDX | BPF_MEM | BPF_DW, reg, BPF_REG_10, STACK_UPTIME, 0);
		return;
	case IN_COMM_0:
	case IN_COMM_1:
		code_add(c, BPF_LDX | BPF_MEM | BPF_DW, reg, BPF_REG_10,
		         STACK_COMM + (in == IN_COMM_1 ? 8 : 0), 0);
		return;
	default: break;
	}
	if (in >= IN_PARAM_0) {
		*ARENA_PUSH(c->arena, c->relocs, c->nrelocs, c->relocs_cap) =
			(struct image_reloc){(uint32_t)c->n, in - IN_PARAM_0};
		code_imm64(c, reg, 0);
		code_add(c, BPF_LDX | BPF_MEM | BPF_DW, reg, reg, 0, 0);
		return;
	}
	code_add(c, (uint8_t)(BPF_LDX | BPF_MEM | ctx_load_size(in)), reg, e->ctx, ctx_offset(in), 0);
}

static bool fits_imm(const struct term_node *t)
{
	return t->op == TERM_CONST && t->lo >= INT32_MIN && t->lo <= INT32_MAX;
}

static void evaluate(struct expr *e, term t, int k, size_t start);

static uint8_t alu_op(enum term_op op)
{
	switch (op) {
	case TERM_ADD: return BPF_ADD;
	case TERM_SUB: return BPF_SUB;
	case TERM_MUL: return BPF_MUL;
	case TERM_DIV: return BPF_DIV;
	case TERM_MOD: return BPF_MOD;
	case TERM_BAND: return BPF_AND;
	case TERM_BOR: return BPF_OR;
	case TERM_BXOR: return BPF_XOR;
	case TERM_SHL: return BPF_LSH;
	default: return BPF_ARSH;
	}
}

static void alu(struct expr *e, uint8_t op, int dst, int src)
{
	code_add(e->code, (uint8_t)(BPF_ALU64 | op | BPF_X), dst, src, 0, 0);
}

/* Floor division of a dividend that may be negative: ((a ^ s) / b) ^ s with
 * s = a >> 63; BPF divides unsigned and gives 0 for a zero divisor. */
static void signed_division(struct expr *e, bool modulo, int a, int b, int k)
{
	if (k + (modulo ? 4 : 3) > ROW) {
		e->too_big = true;
		return;
	}
	int s = row[k + 2], q = modulo ? row[k + 3] : a;
	alu(e, BPF_MOV, s, a);
	code_add(e->code, BPF_ALU64 | BPF_ARSH | BPF_K, s, 0, 0, 63);
	if (modulo)
		alu(e, BPF_MOV, q, a);
	alu(e, BPF_XOR, q, s);
	alu(e, BPF_DIV, q, b);
	alu(e, BPF_XOR, q, s);
	if (modulo) {
		alu(e, BPF_MUL, q, b);
		alu(e, BPF_SUB, a, q);
	}
}

static void operation(struct expr *e, const struct term_node *t, int k, size_t start)
{
	const struct term_node *x = term_get(e->terms, t->a), *y = term_get(e->terms, t->b);
	bool division = t->op == TERM_DIV || t->op == TERM_MOD;
	bool is_signed = division && x->lo < 0;
	bool shift = t->op == TERM_SHL || t->op == TERM_SHR;
	evaluate(e, t->a, k, start);
	bool imm = fits_imm(y) && !is_signed && !(division && y->lo <= 0) &&
	           !(shift && (y->lo < 0 || y->lo > 63));
	if (imm) {
		code_add(e->code, (uint8_t)(BPF_ALU64 | alu_op(t->op) | BPF_K), row[k], 0, 0,
		         (int32_t)y->lo);
		return;
	}
	evaluate(e, t->b, k + 1, start);
	if (e->too_big)
		return;
	if (is_signed)
		signed_division(e, t->op == TERM_MOD, row[k], row[k + 1], k);
	else
		alu(e, alu_op(t->op), row[k], row[k + 1]);
}

/* The value of t into row[k]; uses row[k..]. */
static void evaluate(struct expr *e, term t, int k, size_t start)
{
	if (k >= ROW || e->code->n - start > EXPR_INSNS_MAX)
		e->too_big = true;
	if (e->too_big)
		return;
	const struct term_node *n = term_get(e->terms, t);
	if (n->op == TERM_CONST)
		code_const(e->code, row[k], n->lo);
	else if (n->op == TERM_INPUT)
		expr_input(e, n->a, row[k]);
	else
		operation(e, n, k, start);
}

size_t expr_branch(struct expr *e, term comparison, bool sense)
{
	const struct term_node *t = term_get(e->terms, comparison);
	const struct term_node *y = term_get(e->terms, t->b);
	uint8_t op = t->op == TERM_EQ ? (sense ? BPF_JEQ : BPF_JNE) : (sense ? BPF_JSLT : BPF_JSGE);
	size_t start = e->code->n;
	expr_fetch(e, t->inputs);
	evaluate(e, t->a, 0, start);
	if (fits_imm(y))
		return code_add(e->code, BPF_JMP | op | BPF_K, row[0], 0, 0, (int32_t)y->lo);
	evaluate(e, t->b, 1, start);
	return code_add(e->code, BPF_JMP | op | BPF_X, row[0], row[1], 0, 0);
}
