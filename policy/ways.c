/*
 * ways.c - when a diagram about the caller allows, as alternatives.
 *
 * A way is a path through the diagram, as what it asks of each variable. What one way says may make a
 * question of another needless; what all ask is asked once.
 */
#include "policy/ways.h"
#include "policy/arena.h"

#include <string.h>

/* ---- paths ------------------------------------------------------------------------------------ */

static bool ends(const struct ways *w, node n, bool *wanted)
{
	outcome o;
	bool terminal = node_is_terminal(n, &o);
	*wanted = terminal && (OUTCOME_KIND(o) == OUT_ALLOW) == w->allow;
	return terminal;
}

struct asks asks_to(const struct ways *w, const struct switch_node *s, uint32_t edge)
{
	struct interval *ranges = NULL;
	size_t n = 0, cap = 0;
	for (uint32_t i = edge; i < s->n; i++)
		if (s->edges[i].to == s->edges[edge].to)
			*ARENA_PUSH(w->arena, ranges, n, cap) = (struct interval){switch_edge_lo(w->dg, s, i), s->edges[i].hi};
	return (struct asks){s->var, ranges, n};
}

static void walk(struct ways *w, node n, struct way *so_far)
{
	bool wanted;
	if (w->too_many)
		return;
	if (ends(w, n, &wanted)) {
		w->too_many = wanted && w->n == WAYS_MAX;
		if (wanted && !w->too_many)
			w->list[w->n++] = *so_far;
		return;
	}
	struct switch_node s = node_switch(w->dg, n);
	if (so_far->n == ASKS_MAX) {
		w->too_many = true;
		return;
	}
	for (uint32_t i = 0; i < s.n && !w->too_many; i++) {
		bool seen = false;
		for (uint32_t k = 0; k < i; k++)
			seen |= s.edges[k].to == s.edges[i].to;
		if (seen || (ends(w, s.edges[i].to, &wanted) && !wanted))
			continue;
		so_far->list[so_far->n++] = asks_to(w, &s, i);
		walk(w, s.edges[i].to, so_far);
		so_far->n--;
	}
}

static struct ways *ways_to(struct arena *a, const struct diagrams *dg, const struct terms *ts, node n, bool allow)
{
	struct ways *w = arena_alloc(a, sizeof *w);
	struct way first = {.n = 0};
	*w = (struct ways){.arena = a, .dg = dg, .terms = ts, .allow = allow};
	walk(w, n, &first);
	return w;
}

/* ---- simpler ways --------------------------------------------------------------------------- */

/* The values of least..most that are not in the ranges. */
static size_t values_between(const struct ways *w, const struct asks *k, int64_t least, int64_t most, struct interval **out)
{
	int64_t from = least;
	size_t n = 0;
	*out = arena_alloc(w->arena, (k->n + 1) * sizeof **out);
	for (size_t i = 0; i < k->n; from = k->ranges[i].hi < most ? k->ranges[i].hi + 1 : most, i++)
		if (k->ranges[i].lo > from)
			(*out)[n++] = (struct interval){from, k->ranges[i].lo - 1};
	if (!k->n || k->ranges[k->n - 1].hi < most)
		(*out)[n++] = (struct interval){from, most};
	return n;
}

size_t asks_others(const struct ways *w, const struct asks *k, struct interval **out)
{
	return values_between(w, k, diagram_var_min(w->dg, k->var), diagram_var_max(w->dg, k->var), out);
}

bool asks_rather_not(const struct asks *k, const struct interval *not, size_t n)
{
	return n && (n < k->n || (n == 1 && not->lo == not->hi && !intervals_are_one(k->ranges, k->n)));
}

bool asks_by_others(const struct ways *w, const struct asks *k, struct interval **out, size_t *n)
{
	*n = asks_others(w, k, out);
	return asks_rather_not(k, *out, *n);
}

struct number_or_none asks_with_none(const struct ways *w, const struct asks *k)
{
	struct interval *set = arena_alloc(w->arena, (k->n + 1) * sizeof *set);
	struct number_or_none out = {.set = {.var = k->var, .ranges = set}};
	for (size_t i = 0; i < k->n; i++) {
		struct interval r = k->ranges[i];
		out.none |= r.lo <= ID_NONE && ID_NONE <= r.hi;
		r.hi = r.hi < ID_NONE ? r.hi : ID_NONE - 1;
		if (r.lo <= r.hi)
			set[out.set.n++] = r;
	}
	out.nnot = values_between(w, &out.set, 0, ID_NONE - 1, &out.not);
	return out;
}

static bool same_asks(const struct asks *x, const struct asks *y)
{
	return x->var == y->var && x->n == y->n && !memcmp(x->ranges, y->ranges, x->n * sizeof *x->ranges);
}

static bool is_contrary(const struct ways *w, const struct asks *x, const struct asks *y)
{
	struct interval *not;
	if (x->var != y->var)
		return false;
	size_t n = asks_others(w, x, &not);
	return n == y->n && !memcmp(not, y->ranges, n * sizeof *not);
}

static bool has(const struct way *way, const struct asks *k)
{
	for (size_t i = 0; i < way->n; i++)
		if (same_asks(&way->list[i], k))
			return true;
	return false;
}

static void drop(struct way *way, size_t at)
{
	memmove(&way->list[at], &way->list[at + 1], (way->n - at - 1) * sizeof *way->list);
	way->n--;
}

/* "a, or not a and b" is "a, or b". */
static void drop_contraries(const struct ways *w, struct way *from, const struct way *other)
{
	for (size_t i = 0; i < from->n; i++)
		for (size_t k = 0; k < other->n; k++) {
			bool rest = is_contrary(w, &other->list[k], &from->list[i]);
			for (size_t m = 0; m < other->n && rest; m++)
				rest = m == k || has(from, &other->list[m]);
			if (rest) {
				drop(from, i--);
				break;
			}
		}
}

struct way ways_take_common(struct ways *w)
{
	struct way common = {.n = 0};
	for (size_t i = 0; w->n > 1 && i < w->list->n; i++) {
		struct asks k = w->list->list[i];
		bool all = true;
		for (size_t m = 1; m < w->n; m++)
			all &= has(&w->list[m], &k) && w->list[m].n > 1;
		if (!all || w->list->n == 1 || k.var == IN_COMM_0 || k.var == IN_COMM_1)
			continue;
		common.list[common.n++] = k;
		for (size_t m = 0; m < w->n; m++)
			for (size_t at = 0; at < w->list[m].n; at++)
				if (same_asks(&w->list[m].list[at], &k))
					drop(&w->list[m], at--);
		i--;
	}
	return common;
}

/* How hard they are to read: every question, and those that are answered by no. */
static size_t simplify(struct ways *w)
{
	size_t cost = w->too_many ? SIZE_MAX / 2 : 0;
	for (size_t i = 0; i < w->n && !w->too_many; i++) {
		for (size_t k = 0; k < w->n; k++)
			if (k != i)
				drop_contraries(w, &w->list[i], &w->list[k]);
		for (size_t k = 0; k < w->list[i].n; k++) {
			struct interval *not;
			size_t n;
			cost += 1 + asks_by_others(w, &w->list[i].list[k], &not, &n);
		}
	}
	return cost;
}

struct ways *ways_of(struct arena *a, const struct diagrams *dg, const struct terms *ts, node n)
{
	struct ways *yes = ways_to(a, dg, ts, n, true), *no = ways_to(a, dg, ts, n, false);
	size_t cost = simplify(yes);
	return simplify(no) < cost ? no : yes;
}

const char *asks_beginning(const struct ways *w, const struct asks *k, enum input *half)
{
	if (k->var < INPUT_MAX)
		return NULL;
	const struct term_node *eq = term_get(w->terms, diagram_free_term(w->dg, k->var)), *band = term_get(w->terms, eq->a);
	if (eq->op != TERM_EQ || band->op != TERM_BAND)
		return NULL;
	const struct term_node *in = term_get(w->terms, band->a), *mask = term_get(w->terms, band->b), *value = term_get(w->terms, eq->b);
	if (in->op != TERM_INPUT || (in->a != IN_COMM_0 && in->a != IN_COMM_1) || mask->op != TERM_CONST || value->op != TERM_CONST)
		return NULL;
	char text[sizeof value->lo + 1] = "";
	memcpy(text, &value->lo, sizeof value->lo);
	size_t n = strlen(text);
	uint64_t whole = n && n < sizeof value->lo ? (UINT64_C(1) << 8 * n) - 1 : 0;
	if ((uint64_t)mask->lo != whole || !n || (uint64_t)value->lo & ~whole)
		return NULL;
	*half = (enum input)in->a;
	return arena_strdup(w->arena, text);
}
