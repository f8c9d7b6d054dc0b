/* emit_value.h - an expression in the order it is computed in: emit_order.c makes it, emit_value.c
 * follows it. */
#ifndef DEVGUARD_COMPILER_BPF_EMIT_VALUE_H
#define DEVGUARD_COMPILER_BPF_EMIT_VALUE_H

#include "compiler/bpf/internal.h"

enum { EXPR_ROW = 5, NONE = -1 };
#define NEVER UINT32_MAX
#define CONSTANT (UINT32_MAX - 1) /* an operand that has no item */

/* A term that is computed. */
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

/* An expression being emitted. */
struct work {
	struct expr *e;
	struct code *code;
	enum order order;
	struct item *items;
	size_t n, cap;
	uint32_t now;    /* item that is emitted */
	int holds[EXPR_ROW];  /* item, FREE or TEMPORARY */
	unsigned pinned; /* places of the row that this item uses */
	uint64_t slots;  /* in use */
};

static inline const struct term_node *node_of(const struct work *w, term t)
{
	return term_get(w->e->terms, t);
}

/* `not (a == b)`, which is computed from a and b: the a == b. Else NULL. */
static inline const struct term_node *differs(const struct work *w, const struct term_node *n)
{
	const struct term_node *below = n->op == TERM_NOT ? node_of(w, n->a) : NULL;
	return below && below->op == TERM_EQ ? below : NULL;
}

/* Fills items: all that is below a term, operands before their users, and it as the last. `branches`: it is a
 * comparison, whose operands are for a jump. */
void put_in_order(struct work *w, term root, bool branches);

#endif
