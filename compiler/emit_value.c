/*
 * emit_value.c - the values of terms into registers, each computed once.
 *
 * What is below a comparison is put in order, operands before their users, and emitted in that
 * order (a second one is tried when the first keeps too much) into a row of caller-saved registers. A register whose value is used again is copied
 * before it is overwritten; when none is free, the value that is needed last goes to the stack
 * (an input is loaded again instead). Constants stand in instructions where they fit. The order
 * is linear in the terms, however often they are shared.
 */
#include "compiler/internal.h"

#include <stdlib.h>

static const int row[] = {BPF_REG_2, BPF_REG_3, BPF_REG_4, BPF_REG_5, BPF_REG_0};
enum { ROW = sizeof row / sizeof *row, FREE = -1, TEMPORARY = -2, NONE = -1 };
#define NEVER UINT32_MAX
#define CONSTANT (UINT32_MAX - 1) /* an operand that has no item */

/* A term that is computed, in the order they are. */
struct item {
	term t;
	size_t n; /* operands */
	term operand[3];
	uint32_t below[3]; /* their items */
	uint32_t after[3]; /* where each is used next after here */
	uint32_t next;     /* where this one is */
	int reg, slot;
};

/* How an expression is put in order: from the comparison down; as the policy computes it (ids
 * ascend), for values that are computed side by side; from the comparison down with small
 * conditions computed anew for each use, for tables that are looked up more than once. */
enum order { ORDER_DOWN, ORDER_BY_AGE, ORDER_AGAIN, ORDERS };

struct work {
	struct expr *e;
	struct code *code;
	enum order order;
	struct item *items;
	size_t n, cap;
	uint32_t now;    /* item that is emitted */
	int holds[ROW];  /* item, FREE or TEMPORARY */
	unsigned pinned; /* places of the row that this item uses */
	uint64_t slots;  /* in use */
};

static const struct term_node *node_of(const struct work *w, term t)
{
	return term_get(w->e->terms, t);
}

static bool is_const(const struct work *w, term t)
{
	return node_of(w, t)->op == TERM_CONST;
}

static bool fits_imm(const struct term_node *n)
{
	return n->op == TERM_CONST && n->lo >= INT32_MIN && n->lo <= INT32_MAX;
}

/* ---- the order ------------------------------------------------------------------------ */

/* `not (a == b)` is computed from a and b. */
static const struct term_node *differs(const struct work *w, const struct term_node *n)
{
	const struct term_node *below = n->op == TERM_NOT ? node_of(w, n->a) : NULL;
	return below && below->op == TERM_EQ ? below : NULL;
}

static size_t operands(const struct work *w, term t, term out[3])
{
	const struct term_node *n = node_of(w, t), *equal = differs(w, n);
	n = equal ? equal : n;
	if (n->op == TERM_INPUT || n->op == TERM_CONST)
		return 0;
	size_t count = 0;
	if (n->op == TERM_ITE)
		out[count++] = n->c;
	out[count++] = n->a;
	if (n->op != TERM_NOT)
		out[count++] = n->b;
	return count;
}

/* The item of a term; false: it has none yet. The index needs no clearing: an entry that was
 * written for another expression does not point back. */
static bool find(const struct work *w, term t, uint32_t *at)
{
	const struct expr *e = w->e;
	*at = t < e->index_cap ? e->index[t] : 0;
	return *at < w->n && w->items[*at].t == t;
}

/* The items of the operands, as they are now. */
static void link_operands(struct work *w, struct item *x)
{
	for (size_t k = 0; k < x->n; k++)
		if (!find(w, x->operand[k], &x->below[k]))
			x->below[k] = CONSTANT;
}

static void add_item(struct work *w, term t)
{
	struct expr *e = w->e;
	struct item item = {.t = t, .next = NEVER, .reg = NONE, .slot = NONE};
	item.n = operands(w, t, item.operand);
	link_operands(w, &item);
	if (t >= e->index_cap) {
		size_t cap = terms_count(e->terms) + 1;
		e->index = arena_grow(w->code->arena, e->index, e->index_cap * sizeof *e->index, cap * sizeof *e->index);
		e->index_cap = cap;
	}
	e->index[t] = (uint32_t)w->n;
	*ARENA_PUSH(w->code->arena, w->items, w->n, w->cap) = item;
}

enum { SMALL = 6 };

static bool is_small(const struct work *w, term t)
{
	const struct term_node *n = node_of(w, t);
	return w->order == ORDER_AGAIN && n->op <= TERM_LT && n->height <= SMALL;
}

/* Items for t and all below it but inputs, also where there are some. */
static void add_again(struct work *w, term t)
{
	term below[3];
	uint32_t at;
	for (size_t k = 0, n = operands(w, t, below); k < n; k++)
		if (node_of(w, below[k])->op != TERM_INPUT && !is_const(w, below[k]))
			add_again(w, below[k]);
		else if (!is_const(w, below[k]) && !find(w, below[k], &at))
			add_item(w, below[k]);
	add_item(w, t);
}

/* An operand that is deeper by this is computed first, so that others do not wait in registers
 * for it. */
enum { DEEPER = 8 };

/* The operands in the order they are computed in. */
static size_t visited(const struct work *w, term t, term out[3])
{
	size_t n = operands(w, t, out);
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && node_of(w, out[k])->height > node_of(w, out[k - 1])->height + DEEPER; k--) {
			term swap = out[k];
			out[k] = out[k - 1];
			out[k - 1] = swap;
		}
	return n;
}

/* Items for all that is below t, and t. */
static void put_in_order(struct work *w, term root)
{
	term *todo = NULL, below[3];
	size_t n = 0, cap = 0;
	uint32_t at;
	if (is_const(w, root))
		return;
	*ARENA_PUSH(w->code->arena, todo, n, cap) = root;
	while (n) {
		term t = todo[n - 1];
		size_t before = n;
		if (find(w, t, &at)) {
			n--;
			continue;
		}
		for (size_t k = visited(w, t, below); k-- > 0;)
			if (!is_const(w, below[k]) && !is_small(w, below[k]) && !find(w, below[k], &at))
				*ARENA_PUSH(w->code->arena, todo, n, cap) = below[k];
		if (n > before)
			continue;
		for (size_t k = 0, count = operands(w, t, below); k < count; k++)
			if (is_small(w, below[k]))
				add_again(w, below[k]);
		add_item(w, t);
		n--;
	}
}

/* Where each value is used, from the last item to the first. */
static void note_uses(struct work *w)
{
	for (size_t i = w->n; i-- > 0;) {
		struct item *x = &w->items[i];
		for (size_t k = x->n; k-- > 0;) {
			if (x->below[k] == CONSTANT) {
				x->after[k] = NEVER;
				continue;
			}
			struct item *y = &w->items[x->below[k]];
			x->after[k] = y->next;
			y->next = (uint32_t)i;
		}
	}
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
	while (slot < SPILL_SLOTS && w->slots & 1ull << slot)
		slot++;
	if (slot == SPILL_SLOTS) {
		w->e->too_big = true;
		return;
	}
	w->slots |= 1ull << slot;
	x->slot = slot;
	code_add(w->code, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, x->reg, STACK_SPILL - 8 * slot, 0);
}

/* A register for something new, kept until the item is done. */
static int take(struct work *w)
{
	int best = -1;
	for (int i = 0; i < ROW; i++) {
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
			code_add(w->code, BPF_LDX | BPF_MEM | BPF_DW, y->reg, BPF_REG_10, STACK_SPILL - 8 * y->slot, 0);
		else
			expr_input(w->e, (enum input)node_of(w, y->t)->a, y->reg);
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
	for (int i = 0; i < ROW; i++)
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
		expr_input(w->e, (enum input)n->a, reg);
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

static int by_age(const void *x, const void *y)
{
	term a = ((const struct item *)x)->t, b = ((const struct item *)y)->t;
	return a < b ? -1 : a > b;
}

static void attempt(struct expr *e, term comparison, enum order order, int *a, int *b)
{
	struct work w = {.e = e, .code = e->code, .order = order};
	const struct term_node *t = term_get(e->terms, comparison);
	for (int i = 0; i < ROW; i++)
		w.holds[i] = FREE;
	bool second_first = term_get(e->terms, t->b)->height > term_get(e->terms, t->a)->height + DEEPER;
	put_in_order(&w, second_first ? t->b : t->a);
	put_in_order(&w, second_first ? t->a : t->b);
	if (order == ORDER_BY_AGE && w.n) {
		qsort(w.items, w.n, sizeof *w.items, by_age);
		for (size_t i = 0; i < w.n; i++)
			e->index[w.items[i].t] = (uint32_t)i;
		for (size_t i = 0; i < w.n; i++)
			link_operands(&w, &w.items[i]);
	}
	add_item(&w, comparison);
	note_uses(&w);
	for (; w.now + 1 < w.n && !e->too_big; w.now++) {
		struct item *x = &w.items[w.now];
		finish(&w, x, compute(&w, x));
	}
	if (e->too_big)
		return;
	const struct item *root = &w.items[w.n - 1];
	*a = operand(&w, root, 0);
	*b = fits_imm(node_of(&w, t->b)) ? -1 : operand(&w, root, 1);
}

void expr_operands(struct expr *e, term comparison, int *a, int *b)
{
	struct code *c = e->code, before = *c;
	bool failed = e->too_big;
	for (int order = ORDER_DOWN; order < ORDERS; order++) {
		c->n = before.n;
		c->nlines = before.nlines;
		c->nrelocs = before.nrelocs;
		e->too_big = false;
		attempt(e, comparison, (enum order)order, a, b);
		if (!e->too_big)
			break;
	}
	e->too_big |= failed;
}
