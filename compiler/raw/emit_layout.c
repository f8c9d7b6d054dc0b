/*
 * emit_layout.c - places on the stack.
 *
 * The program only goes forward, so that a value needs its place from the step that makes it to the
 * last one that reads it, in the order in which they are emitted. One that is read where its step may
 * not have been done needs it from before the IF that this step is in: there it becomes 0.
 */
#include "compiler/raw/emit.h"

#include <stdlib.h>

/* A list of steps. */
struct block {
	uint32_t up;  /* the block that its IF is in */
	uint32_t depth;
	uint32_t at;  /* that IF's moment */
	const struct step *in;
};

/* Moments: a step reads at 2k and makes its values at 2k + 1. */
struct life {
	bool made, read;
	uint32_t block;       /* of the step that makes it */
	uint32_t scope;       /* the innermost with all that read it */
	uint32_t from, until;
	const struct step *step, *before;
	int slot;
};

#define ALWAYS UINT32_MAX

struct planner {
	struct arena *arena;
	const struct policy *policy;
	const struct raw *raw;
	struct block *blocks;
	size_t nblocks, blocks_cap;
	struct life *lives;   /* by value */
	uint32_t *stamp, epoch; /* by term: was looked at for this step */
	term *todo;
	size_t ntodo, todo_cap;
	uint32_t now;
	size_t low, high;     /* bytes of the two parts of the area */
	const struct step *largest;
};

/* ---- who reads what ----------------------------------------------------------------------- */

static uint32_t common(const struct planner *l, uint32_t x, uint32_t y)
{
	while (x != y) {
		if (l->blocks[x].depth >= l->blocks[y].depth)
			x = l->blocks[x].up;
		else
			y = l->blocks[y].up;
	}
	return x;
}

static void read_value(struct planner *l, uint32_t value, uint32_t block)
{
	struct life *v = &l->lives[value];
	v->scope = v->read ? common(l, v->scope, block) : block;
	v->read = true;
	v->until = l->now;
}

static void push(struct planner *l, term t)
{
	if (l->stamp[t] == l->epoch)
		return;
	l->stamp[t] = l->epoch;
	*ARENA_PUSH(l->arena, l->todo, l->ntodo, l->todo_cap) = t;
}

/* All values below a term. */
static void read_term(struct planner *l, term t, uint32_t block)
{
	push(l, t);
	while (l->ntodo) {
		const struct term_node *n = term_get(l->policy->terms, l->todo[--l->ntodo]);
		term below[3];
		int64_t value = raw_value_of(n);
		if (value >= 0)
			read_value(l, (uint32_t)value, block);
		for (size_t k = term_operands(n, below); k-- > 0;)
			push(l, below[k]);
	}
}

static void read_operand(struct planner *l, const struct raw_operand *o, uint32_t block)
{
	if (!o->is_comm)
		read_term(l, o->t, block);
}

static void make(struct planner *l, const struct step *s, uint32_t value, uint32_t block)
{
	struct life *v = &l->lives[value];
	v->made = true;
	v->block = block;
	v->step = s;
	v->from = l->now + 1;
}

/* ---- a step's own area -------------------------------------------------------------------- */

static size_t words(size_t bytes)
{
	return (bytes + 7) & ~(size_t)7;
}

static void need(struct planner *l, const struct step *s)
{
	const struct raw_map *map = s->map < l->raw->nmaps ? &l->raw->maps[s->map] : NULL;
	size_t low = 0, high = 0;
	switch (s->kind) {
	case STEP_PRINT:
		low = words(s->ntext + 1);
		high = 8 * s->nargs;
		break;
	case STEP_PEEK: high = 8; break;
	case STEP_GET:
	case STEP_DELETE: low = words(map->key.size); break;
	case STEP_SET:
	case STEP_ADD:
		low = words(map->key.size);
		high = words(map->value.size);
		break;
	case STEP_OUT:
		low = words(map->value.size);
		high = 8;
		break;
	default: break;
	}
	if (low + high > l->low + l->high)
		l->largest = s;
	l->low = low > l->low ? low : l->low;
	l->high = high > l->high ? high : l->high;
}

/* ---- all steps ------------------------------------------------------------------------------ */

static uint32_t add_block(struct planner *l, uint32_t up, const struct step *in)
{
	struct block b = {.up = up, .at = l->now, .in = in, .depth = l->nblocks ? l->blocks[up].depth + 1 : 0};
	*ARENA_PUSH(l->arena, l->blocks, l->nblocks, l->blocks_cap) = b;
	return (uint32_t)l->nblocks - 1;
}

static void go_over(struct planner *l, const struct step *first, uint32_t block)
{
	for (const struct step *s = first; s; s = s->next) {
		l->now += 2;
		l->epoch++;
		need(l, s);
		for (size_t i = 0; i < s->nargs; i++)
			read_operand(l, &s->args[i], block);
		if (s->kind == STEP_SET || s->kind == STEP_ADD)
			read_operand(l, &s->operand, block);
		if (s->kind == STEP_IF) {
			read_term(l, s->condition, block);
			uint32_t yes = add_block(l, block, s), no = add_block(l, block, s);
			go_over(l, s->yes, yes);
			go_over(l, s->no, no);
		}
		if (step_learns(s))
			make(l, s, s->value, block);
		if (s->kind == STEP_GET)
			make(l, s, s->found, block);
	}
}

/* Where a value is read beside the list that makes it, it is 0 before that. */
static void widen(struct planner *l)
{
	for (size_t i = 0; i < l->raw->nvalues; i++) {
		struct life *v = &l->lives[i];
		if (!v->made || !v->read)
			continue;
		uint32_t scope = common(l, v->scope, v->block);
		for (uint32_t b = v->block; b != scope; b = l->blocks[b].up) {
			v->before = l->blocks[b].in;
			v->from = l->blocks[b].at;
		}
	}
}

/* ---- places --------------------------------------------------------------------------------- */

static int by_from(const void *x, const void *y)
{
	const struct life *a = *(const struct life *const *)x, *b = *(const struct life *const *)y;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a < b ? -1 : a > b;
}

static int too_small(const struct planner *l, struct diags *d, const struct step *at, size_t places)
{
	diag_add(d, DIAG_ERROR, at ? at->at : l->raw->at, "keep fewer values for later, or print or store a smaller record",
	         "the program needs %zu bytes of stack, the kernel gives %d: %zu for values that are kept, %zu for keys and texts",
	         8 * (HOME_SLOTS + places + l->raw->nasked) + l->low + l->high, STACK_BYTES, 8 * places, l->low + l->high);
	return -1;
}

/* The lives that need a place, in the order in which they begin. */
static struct life **in_order(struct planner *l, size_t *n)
{
	struct life **list = arena_alloc(l->arena, (l->raw->nvalues + 1) * sizeof *list);
	*n = 0;
	for (size_t i = 0; i < l->raw->nvalues; i++)
		if (l->lives[i].made && l->lives[i].read && !l->lives[i].slot)
			list[(*n)++] = &l->lives[i];
	qsort(list, *n, sizeof *list, by_from);
	return list;
}

/* Each gets the first place that is free. 0, or -1 with a diagnostic. */
static int give_places(struct planner *l, struct diags *d, size_t *places)
{
	size_t n, most = STACK_BYTES / 8 - HOME_SLOTS - l->raw->nasked, taken = (l->low + l->high) / 8;
	struct life **list = in_order(l, &n);
	uint32_t until[STACK_BYTES / 8] = {0};
	if (taken > most)
		return too_small(l, d, l->largest, 0);
	most -= taken;
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;
		while (k < *places && until[k] >= list[i]->from)
			k++;
		if (k == most)
			return too_small(l, d, list[i]->step, k + 1);
		*places += k == *places;
		until[k] = list[i]->until;
		list[i]->slot = STACK_SPILL - 8 * (int)k;
	}
	return 0;
}

static int by_before(const void *x, const void *y)
{
	const struct raw_zero *a = x, *b = y;
	if (a->before != b->before)
		return (uintptr_t)a->before < (uintptr_t)b->before ? -1 : 1;
	return a->slot < b->slot ? -1 : a->slot > b->slot;
}

size_t raw_first_zero(const struct raw_layout *l, const struct step *before)
{
	size_t lo = 0, hi = l->nzeros;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if ((uintptr_t)l->zeros[mid].before < (uintptr_t)before)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void make_zeros(const struct planner *l, struct arena *a, struct raw_layout *out)
{
	struct raw_zero *zeros = arena_alloc(a, (l->raw->nvalues + 1) * sizeof *zeros);
	size_t n = 0;
	for (size_t i = 0; i < l->raw->nvalues; i++)
		if (l->lives[i].before)
			zeros[n++] = (struct raw_zero){l->lives[i].before, l->lives[i].slot};
	qsort(zeros, n, sizeof *zeros, by_before);
	out->zeros = zeros;
	out->nzeros = n;
}

static int plan(struct planner *l, struct arena *a, struct diags *d, struct raw_layout *out)
{
	const struct raw *r = l->raw;
	size_t places = 0;
	go_over(l, r->steps, add_block(l, 0, NULL));
	l->now += 2;
	l->epoch++;
	if (r->section != RAW_DEVICE)
		read_term(l, r->result, 0);
	l->now = ALWAYS;
	for (size_t k = 0; k < r->nasked; k++) {
		read_value(l, r->asked[k], 0);
		l->lives[r->asked[k]].slot = ASKED_HOME(k);
	}
	widen(l);
	if (give_places(l, d, &places))
		return -1;
	out->slots = arena_alloc(a, (r->nvalues + 1) * sizeof *out->slots);
	for (size_t i = 0; i < r->nvalues; i++)
		out->slots[i] = l->lives[i].slot;
	make_zeros(l, a, out);
	out->high = -8 * (int)(HOME_SLOTS + places) - (int)l->high;
	out->low = out->high - (int)l->low;
	out->spill = out->low - 8;
	out->spill_slots = (STACK_BYTES + out->low) / 8 - (int)r->nasked;
	return 0;
}

int raw_layout(struct arena *a, const struct policy *p, struct diags *d, struct raw_layout *out)
{
	struct arena *scratch = arena_scratch(a);
	struct planner l = {.arena = scratch, .policy = p, .raw = p->raw};
	l.lives = arena_alloc(scratch, (p->raw->nvalues + 1) * sizeof *l.lives);
	l.stamp = arena_alloc(scratch, terms_count(p->terms) * sizeof *l.stamp);
	int failed = plan(&l, a, d, out);
	arena_free(scratch);
	return failed;
}
