/*
 * emit_value.c - the values of terms into registers, each computed once.
 *
 * What is below a comparison is computed in order (emit_order.c) in a row of caller-saved
 * registers. A register whose value is used again is copied before it is overwritten; when none is
 * free, the value that is needed last goes to the stack (an input is loaded again instead).
 * Constants stand in instructions where they fit. When an order keeps too much, the next is tried.
 */
#include "compiler/bpf/emit_value.h"

static const int row[EXPR_ROW] = {BPF_REG_2, BPF_REG_3, BPF_REG_4, BPF_REG_5, BPF_REG_0};
enum { FREE = -1, TEMPORARY = -2 };

static bool fits_imm(const struct term_node *n)
{
	return n->op == TERM_CONST && n->lo >= INT32_MIN && n->lo <= INT32_MAX;
}

/* ---- registers ------------------------------------------------------------------------ */

static void insn(struct work *w, uint8_t op, int dst, int src)
{
	code_add(w->code, (uint8_t)(BPF_ALU64 | op | BPF_X), dst, src, 0, 0);
}

static void insn_imm(struct work *w, uint8_t op, int dst, int64_t imm)
{
	code_add(w->code, (uint8_t)(BPF_ALU64 | op | BPF_K), dst, 0, 0, (int32_t)imm);
}

static int place_of(int reg)
{
	int i = 0;
	while (row[i] != reg)
		i++;
	return i;
}

/* Keeps a value on the stack, if it is not there and cannot be loaded again. */
static void spill(struct work *w, struct item *x)
{
	if (node_of(w, x->t)->op == TERM_INPUT || x->slot != NONE)
		return;
	int slot = 0;
	while (slot < w->e->spill_slots && w->slots & 1ull << slot)
		slot++;
	if (slot >= w->e->spill_slots) {
		w->e->too_big = true;
		return;
	}
	w->slots |= 1ull << slot;
	x->slot = slot;
	code_add(w->code, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, x->reg, w->e->spill - 8 * slot, 0);
}

/* A register for something new, kept until the item is done. */
static int take(struct work *w)
{
	int best = -1;
	for (int i = 0; i < EXPR_ROW; i++) {
		if (w->pinned & 1u << i)
			continue;
		if (w->holds[i] == FREE) {
			best = i;
			break;
		}
		if (best < 0 || w->items[w->holds[i]].next > w->items[w->holds[best]].next)
			best = i;
	}
	if (w->holds[best] >= 0) {
		spill(w, &w->items[w->holds[best]]);
		w->items[w->holds[best]].reg = NONE;
	}
	w->holds[best] = TEMPORARY;
	w->pinned |= 1u << best;
	return row[best];
}

/* The k-th operand in a register. */
static int operand(struct work *w, const struct item *x, int k)
{
	if (x->below[k] == CONSTANT) {
		int reg = take(w);
		code_const(w->code, reg, node_of(w, x->operand[k])->lo);
		return reg;
	}
	struct item *y = &w->items[x->below[k]];
	if (y->reg == NONE) {
		y->reg = take(w);
		w->holds[place_of(y->reg)] = (int)x->below[k];
		if (y->slot != NONE)
			code_add(w->code, BPF_LDX | BPF_MEM | BPF_DW, y->reg, BPF_REG_10, w->e->spill - 8 * y->slot, 0);
		else
			expr_input(w->e, node_of(w, y->t)->a, y->reg);
	}
	w->pinned |= 1u << place_of(y->reg);
	return y->reg;
}

/* Is the operand's register not needed after this item? */
static bool dies(const struct item *x, int k)
{
	return x->after[k] == NEVER;
}

/* The k-th operand, in `reg`, where it may be overwritten. */
static int writable(struct work *w, const struct item *x, int k, int reg)
{
	if (!dies(x, k)) {
		int copy = take(w);
		insn(w, BPF_MOV, copy, reg);
		return copy;
	}
	if (x->below[k] != CONSTANT) {
		w->items[x->below[k]].reg = NONE;
		w->holds[place_of(reg)] = TEMPORARY;
	}
	return reg;
}

/* Ends an item: `reg` (or NONE) has its value, what it used last is free. */
static void finish(struct work *w, struct item *x, int reg)
{
	for (size_t k = x->n; k-- > 0;) {
		struct item *y = x->below[k] == CONSTANT ? NULL : &w->items[x->below[k]];
		if (!y)
			continue;
		y->next = x->after[k] == w->now ? y->next : x->after[k];
		if (y->next != NEVER)
			continue;
		if (y->reg != NONE)
			w->holds[place_of(y->reg)] = FREE;
		if (y->slot != NONE)
			w->slots &= ~(1ull << y->slot);
		y->reg = y->slot = NONE;
	}
	for (int i = 0; i < EXPR_ROW; i++)
		if (w->holds[i] == TEMPORARY)
			w->holds[i] = FREE;
	x->reg = reg;
	if (reg != NONE)
		w->holds[place_of(reg)] = (int)w->now;
	w->pinned = 0;
}

/* ---- items ---------------------------------------------------------------------------- */

static uint8_t alu_op(enum term_op op)
{
	switch (op) {
	case TERM_ADD: return BPF_ADD;
	case TERM_SUB: return BPF_SUB;
	case TERM_MUL: return BPF_MUL;
	case TERM_DIV: return BPF_DIV;
	case TERM_MOD: return BPF_MOD;
	case TERM_AND:
	case TERM_BAND: return BPF_AND;
	case TERM_BOR: return BPF_OR;
	case TERM_BXOR: return BPF_XOR;
	case TERM_SHL: return BPF_LSH;
	default: return BPF_ARSH;
	}
}

static void add_template(struct work *w, const struct template *t)
{
	struct bpf_insn in[TEMPLATE_MAX];
	size_t n = template_write(in, t);
	for (size_t i = 0; i < n; i++)
		code_add(w->code, in[i].code, in[i].dst_reg, in[i].src_reg, in[i].off, in[i].imm);
}

/* Division of a dividend that may be negative. */
static int signed_division(struct work *w, const struct item *x, bool modulo)
{
	struct template t = {.kind = modulo ? TEMPLATE_MODULO : TEMPLATE_DIVIDE};
	t.x = operand(w, x, 0);
	t.y = operand(w, x, 1);
	t.x = writable(w, x, 0, t.x);
	t.s = take(w);
	t.t = modulo ? take(w) : 0;
	add_template(w, &t);
	return t.x;
}

static bool swaps(enum term_op op)
{
	return op == TERM_ADD || op == TERM_MUL || op == TERM_AND || op == TERM_BAND || op == TERM_BOR || op == TERM_BXOR;
}

static int operation(struct work *w, const struct item *x, enum term_op op)
{
	const struct term_node *a = node_of(w, x->operand[0]), *b = node_of(w, x->operand[1]);
	bool division = op == TERM_DIV || op == TERM_MOD, shift = op == TERM_SHL || op == TERM_SHR;
	if (division && a->lo < 0)
		return signed_division(w, x, op == TERM_MOD);
	int reg = operand(w, x, 0);
	if (fits_imm(b) && !(division && b->lo <= 0) && !(shift && (b->lo < 0 || b->lo > 63))) {
		reg = writable(w, x, 0, reg);
		insn_imm(w, alu_op(op), reg, b->lo);
		return reg;
	}
	int other = operand(w, x, 1);
	if (swaps(op) && !dies(x, 0) && dies(x, 1)) {
		other = writable(w, x, 1, other);
		insn(w, alu_op(op), other, reg);
		return other;
	}
	reg = writable(w, x, 0, reg);
	insn(w, alu_op(op), reg, other);
	return reg;
}

/* a < b, a == b or a != b as 0 or 1. */
static int flag(struct work *w, const struct item *x, enum term_op op, bool negated)
{
	const struct term_node *a = node_of(w, x->operand[0]), *b = node_of(w, x->operand[1]);
	struct template t = {.kind = TEMPLATE_DIFFER, .y = -1};
	if (op == TERM_LT)
		t.kind = terms_differ_within(a, b) ? TEMPLATE_LESS : TEMPLATE_LESS_WIDE;
	t.x = operand(w, x, 0);
	if (fits_imm(b) && t.kind != TEMPLATE_LESS_WIDE)
		t.imm = (int32_t)b->lo;
	else
		t.y = operand(w, x, 1);
	t.x = writable(w, x, 0, t.x);
	if (t.kind != TEMPLATE_LESS)
		t.s = take(w);
	if (t.kind == TEMPLATE_LESS_WIDE)
		t.t = take(w);
	add_template(w, &t);
	if (op == TERM_EQ && !negated)
		insn_imm(w, BPF_XOR, t.x, 1);
	return t.x;
}

/* c ? a : b, with b + c * (a - b); what is known of a and b makes it shorter. */
static int choice(struct work *w, const struct item *x)
{
	const struct term_node *a = node_of(w, x->operand[1]), *b = node_of(w, x->operand[2]);
	int64_t delta = (int64_t)((uint64_t)a->lo - (uint64_t)b->lo);
	bool known = fits_imm(a) && fits_imm(b) && delta >= INT32_MIN && delta <= INT32_MAX;
	int c = operand(w, x, 0);
	if (known && delta == -1 && b->lo == 1) {
		c = writable(w, x, 0, c);
		insn_imm(w, BPF_XOR, c, 1);
		return c;
	}
	if (known) {
		c = writable(w, x, 0, c);
		if (delta != 1)
			insn_imm(w, BPF_MUL, c, delta);
		if (b->lo != 0)
			insn_imm(w, BPF_ADD, c, b->lo);
		return c;
	}
	struct template t = {.kind = TEMPLATE_CHOOSE, .y = -1, .x = operand(w, x, 1)};
	if (b->op == TERM_CONST && b->lo == 0) {
		t.s = writable(w, x, 0, c);
		insn(w, BPF_MUL, t.s, t.x);
		return t.s;
	}
	if (fits_imm(b))
		t.imm = (int32_t)b->lo;
	else
		t.y = operand(w, x, 2);
	t.s = writable(w, x, 0, c);
	t.x = writable(w, x, 1, t.x);
	add_template(w, &t);
	return t.s;
}

static int compute(struct work *w, const struct item *x)
{
	const struct term_node *n = node_of(w, x->t);
	int reg;
	switch (n->op) {
	case TERM_INPUT:
		reg = take(w);
		expr_input(w->e, n->a, reg);
		return reg;
	case TERM_ITE: return choice(w, x);
	case TERM_EQ:
	case TERM_LT: return flag(w, x, n->op, false);
	case TERM_NOT:
		if (differs(w, n))
			return flag(w, x, TERM_EQ, true);
		reg = writable(w, x, 0, operand(w, x, 0));
		insn_imm(w, BPF_XOR, reg, 1);
		return reg;
	default: return operation(w, x, n->op);
	}
}

static void attempt(struct expr *e, term wanted, bool branches, enum order order, int *a, int *b)
{
	struct work w = {.e = e, .code = e->code, .order = order};
	const struct term_node *t = term_get(e->terms, wanted);
	for (int i = 0; i < EXPR_ROW; i++)
		w.holds[i] = FREE;
	put_in_order(&w, wanted, branches);
	for (size_t n = branches ? w.n - 1 : w.n; w.now < n && !e->too_big; w.now++) {
		struct item *x = &w.items[w.now];
		finish(&w, x, compute(&w, x));
	}
	if (e->too_big)
		return;
	const struct item *root = &w.items[w.n - 1];
	*a = root->reg;
	if (!branches)
		return;
	*a = operand(&w, root, 0);
	*b = fits_imm(node_of(&w, t->b)) ? -1 : operand(&w, root, 1);
}

/* The operands of a comparison in registers, *b is -1 when the second fits the jump; or a value in *a. */
static void operands(struct expr *e, term wanted, bool branches, int *a, int *b)
{
	struct code *c = e->code;
	bool failed = e->too_big;
	expr_fetch(e, term_get(e->terms, wanted)->inputs);
	struct code before = *c;
	for (int order = ORDER_DOWN; order < ORDERS; order++) {
		c->n = before.n;
		c->nlines = before.nlines;
		c->nrelocs = before.nrelocs;
		e->too_big = false;
		attempt(e, wanted, branches, (enum order)order, a, b);
		if (!e->too_big)
			break;
	}
	if (e->too_big && !failed)
		e->too_big_line = e->code->line;
	e->too_big |= failed;
}

size_t expr_branch(struct expr *e, term comparison, bool sense)
{
	const struct term_node *t = term_get(e->terms, comparison);
	uint8_t op = t->op == TERM_EQ ? (sense ? BPF_JEQ : BPF_JNE) : (sense ? BPF_JSLT : BPF_JSGE);
	int a = 0, b = 0;
	operands(e, comparison, true, &a, &b);
	if (b < 0)
		return code_add(e->code, BPF_JMP | op | BPF_K, a, 0, 0, (int32_t)term_get(e->terms, t->b)->lo);
	return code_add(e->code, BPF_JMP | op | BPF_X, a, b, 0, 0);
}

void expr_value(struct expr *e, term t, int reg)
{
	const struct term_node *n = term_get(e->terms, t);
	int got = reg, unused;
	if (n->op == TERM_CONST || n->op == TERM_TRUE || n->op == TERM_FALSE) {
		code_const(e->code, reg, n->lo);
		return;
	}
	operands(e, t, false, &got, &unused);
	if (got != reg)
		code_add(e->code, BPF_ALU64 | BPF_MOV | BPF_X, reg, got, 0, 0);
}
