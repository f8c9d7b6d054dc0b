/*
 * emit_order.c - what is below a comparison, in the order it is computed in.
 */
#include "compiler/bpf/emit_value.h"

#include <stdlib.h>

static bool is_const(const struct work *w, term t)
{
	return node_of(w, t)->op == TERM_CONST;
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

/* Items for all that is below root, and root. */
static void add_below(struct work *w, term root)
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

static int by_age(const void *x, const void *y)
{
	term a = ((const struct item *)x)->t, b = ((const struct item *)y)->t;
	return a < b ? -1 : a > b;
}

static void add_below_comparison(struct work *w, term comparison)
{
	const struct term_node *t = node_of(w, comparison);
	bool second_first = node_of(w, t->b)->height > node_of(w, t->a)->height + DEEPER;
	add_below(w, second_first ? t->b : t->a);
	add_below(w, second_first ? t->a : t->b);
}

void put_in_order(struct work *w, term root, bool branches)
{
	if (branches)
		add_below_comparison(w, root);
	else
		add_below(w, root);
	if (w->order == ORDER_BY_AGE && w->n) {
		qsort(w->items, w->n, sizeof *w->items, by_age);
		for (size_t i = 0; i < w->n; i++)
			w->e->index[w->items[i].t] = (uint32_t)i;
		for (size_t i = 0; i < w->n; i++)
			link_operands(w, &w->items[i]);
	}
	if (branches)
		add_item(w, root);
	note_uses(w);
}
