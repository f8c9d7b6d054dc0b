/*
 * plan.c - from a list where the last match wins to few rules where the
 * first one does.
 *
 * 1. The order is turned round; what the tool adds by itself goes before the
 *    entries about all devices, and after those about single ones.
 * 2. An entry whose every access was decided before is dropped.
 * 3. Entries of one verdict change places freely, and so do entries that have no
 *    device and access in common. So each gets the lowest level above those that
 *    it may not overtake; levels alternate between allow and deny.
 * 4. Entries of one level become patterns with ranges and lists.
 *
 * Sorting apart, n entries take about n steps.
 */
#include "policy/import/internal.h"

#include <stdlib.h>
#include <string.h>

struct item {
	const struct foreign_entry *entry;
	uint32_t level;
};
struct planner {
	struct arena *arena;
	const struct foreign *f;
	struct cells cells;
	unsigned given;      /* planes for which the tool's own devices are in */
	struct item *items;
	size_t n, cap;
	size_t dropped_cap;
	struct plan *plan;
};

/* ---- order, what never decides, levels ------------------------------------------ */

static bool decided(const struct planner *p, const struct foreign_entry *e, unsigned planes)
{
	const struct cell *cells[4];
	size_t n = cells_covering(&p->cells, e->major, e->minor, cells);
	for (size_t i = 0; i < n; i++)
		planes &= ~(unsigned)cells[i]->decided;
	return planes == 0;
}

/* Above everything of the other verdict that it has something in common with. */
static uint32_t level_of(const struct planner *p, const struct foreign_entry *e, unsigned planes)
{
	const struct cell *cells[4];
	size_t n = cells_meeting(&p->cells, e->major, e->minor, cells);
	uint32_t above = 0;
	for (size_t i = 0; i < n; i++)
		for (unsigned k = 0; k < PLANES; k++)
			if (planes & 1u << k && cells[i]->last[!e->allow][k] > above)
				above = cells[i]->last[!e->allow][k];
	return above ? above + 1 : e->allow ? 1 : 2;
}

static void take(struct planner *p, const struct foreign_entry *e)
{
	unsigned planes = planes_of(e->types, e->access);
	struct cell *cells[4];
	if (e->named) { /* of a list that only allows */
		*ARENA_PUSH(p->arena, p->items, p->n, p->cap) = (struct item){e, 1};
		return;
	}
	if (decided(p, e, planes)) {
		if (!e->builtin)
			*ARENA_PUSH(p->arena, p->plan->dropped, p->plan->ndropped, p->dropped_cap) = e;
		return;
	}
	struct item item = {e, level_of(p, e, planes)};
	*ARENA_PUSH(p->arena, p->items, p->n, p->cap) = item;
	cells_telling(&p->cells, e->major, e->minor, cells);
	cells[0]->decided |= (uint8_t)planes; /* the pair's own */
	for (size_t i = 0; i < 4; i++)
		for (unsigned k = 0; k < PLANES; k++)
			if (planes & 1u << k && cells[i]->last[e->allow][k] < item.level)
				cells[i]->last[e->allow][k] = item.level;
}

/* The tool's own devices, as far as these types and accesses go. */
static void take_added(struct planner *p, int types, int access)
{
	const struct foreign *f = p->f;
	for (size_t i = 0; i < f->nadded && !f->exact; i++)
		for (int type = DEV_BLOCK; type <= DEV_CHAR; type++) {
			struct foreign_entry e = f->added[i], *kept;
			unsigned planes = planes_of(e.types & types & type, e.access & access) & ~p->given;
			if (!planes)
				continue;
			e.types = (uint8_t)type;
			planes = type == DEV_CHAR ? planes >> 3 : planes;
			e.access = (uint8_t)((planes & 1 ? ACC_MKNOD : 0) | (planes & 2 ? ACC_READ : 0) |
			                     (planes & 4 ? ACC_WRITE : 0));
			kept = arena_alloc(p->arena, sizeof *kept);
			*kept = e;
			take(p, kept);
		}
	p->given |= planes_of(types, access);
}

static void order(struct planner *p)
{
	for (size_t i = p->f->n; i-- > 0;) {
		const struct foreign_entry *e = &p->f->entries[i];
		if (!e->allow && e->major == FOREIGN_ANY && e->minor == FOREIGN_ANY)
			take_added(p, e->types, e->access);
		take(p, e);
	}
	if (!p->f->default_allow)
		take_added(p, DEV_CHAR | DEV_BLOCK, ACC_ALL);
	struct plan *plan = p->plan;
	for (size_t i = 0; i < plan->ndropped / 2; i++) {
		const struct foreign_entry *e = plan->dropped[i];
		plan->dropped[i] = plan->dropped[plan->ndropped - 1 - i];
		plan->dropped[plan->ndropped - 1 - i] = e;
	}
}

/* A last rule about everything is the default. */
static void find_default(struct planner *p)
{
	p->plan->default_allow = p->f->default_allow;
	while (p->n) {
		const struct foreign_entry *e = p->items[p->n - 1].entry;
		bool all = e->major == FOREIGN_ANY && e->minor == FOREIGN_ANY && !e->named && !e->builtin;
		bool full = planes_of(e->types, e->access) == (1u << PLANES) - 1;
		if (!all || (!full && e->allow != p->plan->default_allow))
			return;
		p->plan->default_allow = e->allow;
		p->plan->default_from = e;
		p->n--;
	}
}

/* ---- putting together --------------------------------------------------------------- */

static int compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* By level and pair, so that accesses to one pair meet; then by place. */
static int by_pair(const void *x, const void *y)
{
	const struct item *a = x, *b = y;
	const struct foreign_entry *e = a->entry, *o = b->entry;
	int c = compare(a->level, b->level);
	c = c ? c : compare(e->builtin, o->builtin);
	c = c ? c : compare(e->named != NULL, o->named != NULL);
	if (!c && !e->named) {
		c = compare(e->major, o->major);
		c = c ? c : compare(e->minor, o->minor);
	}
	return c ? c : compare((intptr_t)e, (intptr_t)o);
}

/* Some entries of one level, the accesses and majors they share, their minors. */
struct group {
	uint32_t level;
	bool builtin;
	int types, access;
	int32_t major, minor;
	const struct foreign_entry *named;
	const struct foreign_entry *first, *last;
	size_t nentries;
	const struct foreign_entry **noted;
	size_t nnoted, noted_cap;
	struct numbers { struct interval *list; size_t n, cap; } majors, minors;
};

static void absorb(struct arena *a, struct group *g, const struct group *other)
{
	if (!g->first || other->first < g->first)
		g->first = other->first;
	if (!g->last || other->last > g->last)
		g->last = other->last;
	g->nentries += other->nentries;
	for (size_t i = 0; i < other->nnoted; i++)
		*ARENA_PUSH(a, g->noted, g->nnoted, g->noted_cap) = other->noted[i];
}

/* Appends a group for the planes of one pair that are left in *planes. */
static void split(struct arena *a, struct group **list, size_t *n, size_t *cap, struct group g, unsigned planes)
{
	unsigned block = planes & 7, chars = planes >> 3;
	for (int types = DEV_BLOCK | DEV_CHAR; types > 0; types--) {
		unsigned one = types == DEV_BLOCK ? block : types == DEV_CHAR ? chars : block == chars ? block : 0;
		if (!one)
			continue;
		g.types = types;
		g.access = (one & 1 ? ACC_MKNOD : 0) | (one & 2 ? ACC_READ : 0) | (one & 4 ? ACC_WRITE : 0);
		struct group *made = ARENA_PUSH(a, *list, *n, *cap);
		*made = g;
		made->noted = NULL, made->nnoted = made->noted_cap = 0; /* not shared with the other type */
		for (size_t i = 0; i < g.nnoted; i++)
			*ARENA_PUSH(a, made->noted, made->nnoted, made->noted_cap) = g.noted[i];
		if (types == (DEV_BLOCK | DEV_CHAR))
			return;
	}
}

static struct group *pairs(struct planner *p, size_t *count)
{
	size_t n = 0, cap = p->n + 1; /* more only where types of one pair differ */
	struct group *list = arena_alloc(p->arena, cap * sizeof *list);
	if (p->n)
		qsort(p->items, p->n, sizeof *p->items, by_pair);
	for (size_t i = 0, next; i < p->n; i = next) {
		const struct foreign_entry *e = p->items[i].entry;
		struct group g = {.level = p->items[i].level, .builtin = e->builtin, .major = e->major, .minor = e->minor,
		                  .named = e->named ? e : NULL};
		unsigned planes = 0;
		for (next = i; next < p->n; next++) {
			const struct foreign_entry *o = p->items[next].entry;
			struct group one = {.first = o, .last = o, .nentries = 1, .noted = &o, .nnoted = o->note != NULL};
			if (next > i && (e->named || o->named || o->major != e->major || o->minor != e->minor ||
			                 o->builtin != e->builtin || p->items[next].level != g.level))
				break;
			planes |= planes_of(o->types, o->access);
			absorb(p->arena, &g, &one);
		}
		split(p->arena, &list, &n, &cap, g, planes);
	}
	*count = n;
	return list;
}

/* What groups must have in common to become one. */
static int alike(const struct group *a, const struct group *b)
{
	int c = compare(a->level, b->level);
	c = c ? c : compare(a->builtin, b->builtin);
	c = c ? c : compare(a->named ? (intptr_t)a->named : 0, b->named ? (intptr_t)b->named : 0);
	c = c ? c : compare(a->types, b->types);
	return c ? c : compare(a->access, b->access);
}

static int by_major(const void *x, const void *y)
{
	const struct group *a = x, *b = y;
	int c = alike(a, b);
	c = c ? c : compare(a->major, b->major);
	return c ? c : compare(a->minor, b->minor);
}

static int same_minors(const struct group *a, const struct group *b)
{
	int c = compare((int64_t)a->minors.n, (int64_t)b->minors.n);
	for (size_t i = 0; i < a->minors.n && !c; i++) {
		c = compare(a->minors.list[i].lo, b->minors.list[i].lo);
		c = c ? c : compare(a->minors.list[i].hi, b->minors.list[i].hi);
	}
	return c;
}

static int by_minors(const void *x, const void *y)
{
	const struct group *a = x, *b = y;
	int c = alike(a, b);
	c = c ? c : same_minors(a, b);
	return c ? c : compare(a->major, b->major);
}

/* They come in order. */
static void add_number(struct arena *a, struct numbers *to, int32_t number, int64_t max)
{
	struct interval v = number == FOREIGN_ANY ? (struct interval){0, max} : (struct interval){number, number};
	struct interval *last = to->n ? &to->list[to->n - 1] : NULL;
	if (!last || v.lo > last->hi + 1)
		*ARENA_PUSH(a, to->list, to->n, to->cap) = v;
	else if (v.hi > last->hi)
		last->hi = v.hi;
}

/* Groups of one major become one, with their minors. */
static size_t join_minors(struct arena *a, struct group *g, size_t n)
{
	size_t kept = 0;
	qsort(g, n, sizeof *g, by_major);
	for (size_t i = 0; i < n; i++) {
		int32_t minor = g[i].minor;
		if (kept && !alike(&g[kept - 1], &g[i]) && g[kept - 1].major == g[i].major)
			absorb(a, &g[kept - 1], &g[i]);
		else
			g[kept++] = g[i];
		add_number(a, &g[kept - 1].minors, minor, MINOR_MAX);
	}
	return kept;
}

/* Groups with the same minors become one, with their majors. */
static size_t join_majors(struct arena *a, struct group *g, size_t n)
{
	size_t kept = 0;
	qsort(g, n, sizeof *g, by_minors);
	for (size_t i = 0; i < n; i++) {
		int32_t major = g[i].major;
		if (kept && !alike(&g[kept - 1], &g[i]) && !same_minors(&g[kept - 1], &g[i]))
			absorb(a, &g[kept - 1], &g[i]);
		else
			g[kept++] = g[i];
		add_number(a, &g[kept - 1].majors, major, MAJOR_MAX);
	}
	return kept;
}

static int by_place(const void *x, const void *y)
{
	const struct group *a = x, *b = y;
	int c = compare(a->level, b->level);
	c = c ? c : compare(a->builtin, b->builtin);
	if (!c && !a->builtin)
		c = compare((intptr_t)a->first, (intptr_t)b->first);
	if (!c && a->builtin)
		c = compare(a->first->place, b->first->place);
	c = c ? c : compare(a->types, b->types);
	return c ? c : compare(a->access, b->access);
}

static int note_by_place(const void *x, const void *y)
{
	const struct foreign_entry *const *a = x, *const *b = y;
	return compare((intptr_t)*a, (intptr_t)*b);
}

static struct step step_of(struct group *g)
{
	struct step s = {.allow = g->first->allow, .builtin = g->builtin, .level = g->level, .first = g->first,
	                 .last = g->last, .nentries = g->nentries, .noted = g->noted, .nnoted = g->nnoted};
	if (g->nnoted)
		qsort(g->noted, g->nnoted, sizeof *g->noted, note_by_place);
	if (g->named) {
		s.pattern = *g->named->named;
		return s;
	}
	s.pattern = (struct pattern){.types = g->types, .access = g->access, .majors = g->majors.list,
	                             .nmajors = g->majors.n, .minors = g->minors.list, .nminors = g->minors.n};
	return s;
}

void foreign_plan(struct arena *a, const struct foreign *f, struct plan *out)
{
	struct planner p = {.arena = a, .f = f, .plan = out};
	*out = (struct plan){0};
	cells_init(&p.cells, a);
	p.cap = f->n + 2 * f->nadded + 1;
	p.items = arena_alloc(a, p.cap * sizeof *p.items);
	order(&p);
	find_default(&p);
	size_t n;
	struct group *g = pairs(&p, &n);
	n = n ? join_minors(a, g, n) : 0;
	n = n ? join_majors(a, g, n) : 0;
	if (n)
		qsort(g, n, sizeof *g, by_place);
	out->steps = arena_alloc(a, (n + 1) * sizeof *out->steps);
	out->nsteps = n;
	for (size_t i = 0; i < n; i++)
		out->steps[i] = step_of(&g[i]);
}
