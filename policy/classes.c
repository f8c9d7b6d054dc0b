/*
 * classes.c - the devices that a policy treats alike.
 *
 * A policy is a function of what is asked, of the device, and of the rest. With the device
 * fixed, what is left of each answer is a diagram; devices with the same diagrams are a class.
 * The answers to all that may be asked are walked at once, over type, major and minor, which are
 * first in the order: each step takes the interval in which none of them changes.
 */
#include "policy/classes.h"
#include "policy/arena.h"

#include <string.h>

enum { CELLS_MAX = 50000 };

/* An interval of major numbers with a list of minor numbers, in one class. */
struct cell {
	int type;
	size_t of; /* class */
	struct interval majors, *minors;
	size_t nminors, minors_cap;
};

struct sorting {
	struct arena *arena;
	struct device_classes *out;
	size_t most;
	struct cell *cells;
	size_t ncells, cells_cap, pieces;
	bool failed;
};

/* ---- what may be asked -------------------------------------------------------------------- */

static void answers(struct arena *a, const struct policy_diagram *pd, struct device_classes *out, node of[ASKED_MAX])
{
	static const int one[] = {0, ACC_MKNOD, ACC_READ, ACC_WRITE};
	static const int sets[ASKED_MAX] = {0, 1, 2, 3, 4, 5, 6, 7};
	bool each = !(diagram_inputs(a, pd->dg, pd->access) & INPUT(IN_REQUESTED));
	out->asked = each ? one : sets;
	out->nasked = each ? (int)(sizeof one / sizeof *one) : ASKED_MAX;
	for (int i = 0; i < out->nasked; i++)
		of[i] = diagram_restrict(pd->dg, each ? pd->access : pd->attribution, each ? IN_ACCESS : IN_REQUESTED,
		                         out->asked[i]);
}

/* ---- classes -------------------------------------------------------------------------------- */

static size_t class_of(struct sorting *s, const node *answer)
{
	struct device_classes *c = s->out;
	size_t bytes = (size_t)c->nasked * sizeof *answer;
	for (size_t i = 0; i < c->n; i++)
		if (!memcmp(c->list[i].answer, answer, bytes))
			return i;
	if (c->n == s->most) {
		s->failed = true;
		return 0;
	}
	memcpy(c->list[c->n].answer, answer, bytes);
	return c->n++;
}

/* Minor numbers of the interval of majors that is walked: in the cell of their class, one of
 * those made since `first`. */
static void add(struct sorting *s, size_t first, int type, struct interval majors, struct interval minors,
                const node *answer)
{
	size_t of = class_of(s, answer), at = first;
	while (at < s->ncells && s->cells[at].of != of)
		at++;
	s->failed |= ++s->pieces > CELLS_MAX;
	if (at == s->ncells) {
		*ARENA_PUSH(s->arena, s->cells, s->ncells, s->cells_cap) =
			(struct cell){.type = type, .of = of, .majors = majors};
	}
	struct cell *c = &s->cells[at];
	if (c->nminors && c->minors[c->nminors - 1].hi + 1 == minors.lo)
		c->minors[c->nminors - 1].hi = minors.hi;
	else
		*ARENA_PUSH(s->arena, c->minors, c->nminors, c->minors_cap) = minors;
}

/* ---- the walk --------------------------------------------------------------------------------- */

/* Where a walk over the values of one input is in each answer. */
struct walk {
	const struct diagrams *dg;
	uint32_t var;
	int n;
	struct switch_node sw[ASKED_MAX];
	node from[ASKED_MAX], to[ASKED_MAX]; /* sw is of `from` where that asks for var */
	uint32_t edge[ASKED_MAX];
	bool asks[ASKED_MAX];
};

static void walk_begin(struct walk *w, const struct diagrams *dg, uint32_t var, const node *from, int n)
{
	outcome o;
	*w = (struct walk){.dg = dg, .var = var, .n = n};
	for (int i = 0; i < n; i++) {
		w->from[i] = from[i];
		if (node_is_terminal(from[i], &o))
			continue;
		w->sw[i] = node_switch(dg, from[i]);
		w->asks[i] = w->sw[i].var == var;
	}
}

/* What the answers are at `lo`; the largest value up to which they stay so. */
static int64_t walk_at(struct walk *w, int64_t lo, int64_t most)
{
	for (int i = 0; i < w->n; i++) {
		w->to[i] = w->from[i];
		if (!w->asks[i])
			continue;
		while (w->sw[i].edges[w->edge[i]].hi < lo)
			w->edge[i]++;
		const struct edge *e = &w->sw[i].edges[w->edge[i]];
		w->to[i] = e->to;
		if (e->hi < most)
			most = e->hi;
	}
	return most;
}

static void walk_minors(struct sorting *s, int type, struct interval majors, const node *from)
{
	struct walk w;
	size_t first = s->ncells;
	walk_begin(&w, s->out->dg, IN_MINOR, from, s->out->nasked);
	for (int64_t lo = 0, hi; lo <= MINOR_MAX && !s->failed; lo = hi + 1) {
		hi = walk_at(&w, lo, MINOR_MAX);
		add(s, first, type, majors, (struct interval){lo, hi}, w.to);
	}
}

static void walk_majors(struct sorting *s, int type, const node *from)
{
	struct walk w;
	walk_begin(&w, s->out->dg, IN_MAJOR, from, s->out->nasked);
	for (int64_t lo = 0, hi; lo <= MAJOR_MAX && !s->failed; lo = hi + 1) {
		hi = walk_at(&w, lo, MAJOR_MAX);
		walk_minors(s, type, (struct interval){lo, hi}, w.to);
	}
}

static void walk_types(struct sorting *s, const node *from)
{
	struct walk w;
	walk_begin(&w, s->out->dg, IN_TYPE, from, s->out->nasked);
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++) {
		walk_at(&w, type, DEV_CHAR);
		walk_majors(s, type, w.to);
	}
}

/* ---- blocks ------------------------------------------------------------------------------------- */

static uint64_t count(const struct interval *list, size_t n)
{
	uint64_t all = 0;
	for (size_t i = 0; i < n; i++)
		all += (uint64_t)(list[i].hi - list[i].lo + 1);
	return all;
}

static bool same_minors(const struct block_of_devices *b, const struct cell *c)
{
	return b->type == c->type && b->nminors == c->nminors &&
	       !memcmp(b->minors, c->minors, c->nminors * sizeof *c->minors);
}

/* The cell as majors of a block: of the class's one with the same minors, or of a new one. */
static void join(struct sorting *s, const struct cell *c, size_t caps[])
{
	struct device_class *of = &s->out->list[c->of];
	struct block_of_devices *b = of->blocks, *end = b + of->nblocks;
	while (b < end && !same_minors(b, c))
		b++;
	if (b == end) {
		b = ARENA_PUSH(s->arena, of->blocks, of->nblocks, caps[c->of]);
		*b = (struct block_of_devices){.type = c->type, .minors = c->minors, .nminors = c->nminors};
	}
	struct interval *majors = arena_alloc(s->arena, (b->nmajors + 1) * sizeof *majors);
	if (b->nmajors)
		memcpy(majors, b->majors, b->nmajors * sizeof *majors);
	majors[b->nmajors] = c->majors;
	b->nmajors = intervals_merge(majors, b->nmajors + 1);
	b->majors = majors;
	of->devices[c->type] += count(&c->majors, 1) * count(c->minors, c->nminors);
}

bool device_classes(struct arena *a, const struct policy_diagram *pd, size_t most, struct device_classes *out)
{
	struct sorting s = {.arena = a, .out = out, .most = most};
	node of[ASKED_MAX] = {0};
	*out = (struct device_classes){.dg = pd->dg, .list = arena_alloc(a, most * sizeof *out->list)};
	answers(a, pd, out, of);
	if (!diagram_ok(pd->dg))
		return false;
	walk_types(&s, of);
	size_t *caps = arena_alloc(a, (most + 1) * sizeof *caps);
	for (size_t i = 0; i < s.ncells && !s.failed; i++)
		join(&s, &s.cells[i], caps);
	return !s.failed;
}
