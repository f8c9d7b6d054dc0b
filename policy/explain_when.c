/*
 * explain_when.c - conditions on the caller in plain words.
 *
 * The ways through a diagram to "allow", or those to "deny" where they are fewer, each as what it asks
 * for of every fact. Many ways are not told one by one: only what they ask.
 */
#include "policy/explain.h"
#include "policy/arena.h"

#include <inttypes.h>
#include <string.h>

enum { WAYS_MAX = 6, ASKS_MAX = 8, RANGES_MAX = 6, NAMES_MAX = 3 };

/* Of one variable: it is in these intervals. */
struct asks { uint32_t var; const struct interval *ranges; size_t n; };
struct way { struct asks list[ASKS_MAX]; size_t n; };

struct ways {
	struct arena *arena;
	const struct diagrams *dg;
	const struct terms *terms;
	bool allow;            /* those to allow, else those to deny */
	struct way list[WAYS_MAX];
	size_t n;
	bool too_many;
};

/* ---- ways ------------------------------------------------------------------------------------ */

static bool ends(const struct ways *w, node n, bool *wanted)
{
	outcome o;
	bool terminal = node_is_terminal(n, &o);
	*wanted = terminal && (OUTCOME_KIND(o) == OUT_ALLOW) == w->allow;
	return terminal;
}

/* All values of a switch that lead to the same node as one edge. */
static struct asks asks_of(struct ways *w, const struct switch_node *s, uint32_t edge)
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
		so_far->list[so_far->n++] = asks_of(w, &s, i);
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

/* The values that are not in a list, between the least and the largest there are. */
static size_t others(const struct interval *list, size_t n, int64_t least, int64_t most, struct interval out[RANGES_MAX + 1])
{
	size_t count = 0;
	int64_t from = least;
	for (size_t i = 0; i < n; from = list[i].hi < most ? list[i].hi + 1 : most, i++)
		if (list[i].lo > from)
			out[count++] = (struct interval){from, list[i].lo - 1};
	if (list[n - 1].hi < most)
		out[count++] = (struct interval){from, most};
	return count;
}

static bool same_asks(const struct asks *x, const struct asks *y)
{
	return x->var == y->var && x->n == y->n && !memcmp(x->ranges, y->ranges, x->n * sizeof *x->ranges);
}

static bool is_contrary(const struct ways *w, const struct asks *x, const struct asks *y)
{
	struct interval not[RANGES_MAX + 1];
	if (x->var != y->var || x->n > RANGES_MAX)
		return false;
	size_t n = others(x->ranges, x->n, diagram_var_min(w->dg, x->var), diagram_var_max(w->dg, x->var), not);
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

/* What all ways ask goes out of them. */
static struct way take_common(struct ways *w)
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

/* ---- words ------------------------------------------------------------------------------------- */

static const char *range_words(struct arena *a, struct interval r)
{
	return r.lo == r.hi ? arena_printf(a, "%" PRId64, r.lo) : arena_printf(a, "%" PRId64 " to %" PRId64, r.lo, r.hi);
}

/* "3, 5 or 7 to 9" */
static const char *ranges_words(struct arena *a, const struct interval *list, size_t n)
{
	const char *text = range_words(a, list[0]);
	for (size_t i = 1; i < n; i++)
		text = arena_printf(a, "%s%s%s", text, i + 1 < n ? ", " : " or ", range_words(a, list[i]));
	return text;
}

static const char *fact_words(struct ways *w, const struct asks *k)
{
	struct arena *a = w->arena;
	const char *name = terms_input_name(w->terms, (enum input)k->var);
	int64_t least = diagram_var_min(w->dg, k->var), most = diagram_var_max(w->dg, k->var);
	const struct interval *first = k->ranges, *last = &k->ranges[k->n - 1];
	struct interval not[RANGES_MAX + 1];
	if (k->n > RANGES_MAX)
		return arena_printf(a, "%s is one of %zu ranges from %" PRId64 " to %" PRId64, name, k->n, first->lo, last->hi);
	size_t n = others(k->ranges, k->n, least, most, not);
	if (k->n == 1 && first->hi != first->lo && first->lo == least)
		return arena_printf(a, "%s is at most %" PRId64, name, first->hi);
	if (k->n == 1 && first->hi != first->lo && first->hi == most && first->lo != least + 1)
		return arena_printf(a, "%s is at least %" PRId64, name, first->lo);
	return n < k->n || (n == 1 && not->lo == not->hi) ? arena_printf(a, "%s is not %s", name, ranges_words(a, not, n))
	                                                  : arena_printf(a, "%s is %s", name, ranges_words(a, k->ranges, k->n));
}

/* Half of a comm as letters, up to its end; NULL: they are not for people. */
static const char *letters_of(struct arena *a, int64_t half, bool *ended)
{
	char text[sizeof half + 1] = "";
	memcpy(text, &half, sizeof half);
	for (const char *at = text; *at; at++)
		if (*at < ' ' || *at > '~' || *at == '"')
			return NULL;
	*ended = strlen(text) < sizeof half;
	return arena_strdup(a, text);
}

/* comm, of which k asks for the first half, and `second` (or NULL) for the other. NULL: not one text. */
static const char *comm_words(struct ways *w, const struct asks *k, const struct asks *second)
{
	bool ended = false, whole = false;
	if (!intervals_are_one(k->ranges, k->n) || (second && !intervals_are_one(second->ranges, second->n)))
		return NULL;
	const char *begin = letters_of(w->arena, k->ranges->lo, &ended);
	const char *end = second ? letters_of(w->arena, second->ranges->lo, &whole) : "";
	if (!begin || !end)
		return NULL;
	return second ? arena_printf(w->arena, "comm is \"%s%s\"", begin, end) : arena_printf(w->arena, "comm begins with \"%s\"", begin);
}

/* A comparison of several inputs. */
static const char *comparison_words(struct ways *w, const struct asks *k)
{
	const char *text = term_text(w->arena, w->terms, diagram_free_term(w->dg, k->var), 160);
	return k->ranges->lo ? text : arena_printf(w->arena, "not (%s)", text);
}

/* NULL: it cannot be said. */
static const char *way_words(struct ways *w, const struct way *way)
{
	const char *text = "";
	for (size_t i = 0; i < way->n; i++) {
		const struct asks *k = &way->list[i], *next = i + 1 < way->n ? k + 1 : NULL;
		const char *one;
		if (k->var == IN_COMM_0) {
			const struct asks *second = next && next->var == IN_COMM_1 ? next : NULL;
			one = comm_words(w, k, second);
			i += second != NULL;
		} else {
			one = k->var == IN_COMM_1 ? NULL : k->var < INPUT_MAX ? fact_words(w, k) : comparison_words(w, k);
		}
		if (!one)
			return NULL;
		text = arena_printf(w->arena, "%s%s%s", text, *text ? " and " : "", one);
	}
	return text;
}

static const char *ways_words(struct ways *w)
{
	struct way common = take_common(w);
	const char *text = "", *before = way_words(w, &common);
	bool single = true;
	for (size_t i = 0; i < w->n; i++)
		single &= w->list[i].n == 1;
	for (size_t i = 0; i < w->n; i++) {
		const char *one = way_words(w, &w->list[i]);
		if (!one)
			return NULL;
		text = arena_printf(w->arena, "%s%s%s", text, !i ? "" : single ? " or " : ", or ", one);
	}
	return !*before ? text : arena_printf(w->arena, "%s and (%s)", before, text);
}

/* How hard it is to read: every question, and those that are answered by no. */
static size_t cost_of(struct ways *w)
{
	size_t cost = w->too_many ? SIZE_MAX / 2 : 0;
	for (size_t i = 0; i < w->n && !w->too_many; i++) {
		for (size_t k = 0; k < w->n; k++)
			if (k != i)
				drop_contraries(w, &w->list[i], &w->list[k]);
		for (size_t k = 0; k < w->list[i].n; k++) {
			const struct asks *q = &w->list[i].list[k];
			struct interval not[RANGES_MAX + 1];
			size_t n = q->n > RANGES_MAX ? 0 : others(q->ranges, q->n, diagram_var_min(w->dg, q->var), diagram_var_max(w->dg, q->var), not);
			cost += 1 + (n && (n < q->n || (n == 1 && not->lo == not->hi)));
		}
	}
	return cost;
}

/* ---- the whole ------------------------------------------------------------------------------------ */

/* What a diagram asks: inputs, of comparisons of several all of them. */
static uint32_t inputs_below(struct arena *a, const struct diagrams *dg, node n)
{
	struct arena *scratch = arena_scratch(a);
	const bool *below = diagram_below(scratch, dg, &n, 1);
	uint32_t inputs = 0;
	for (node k = 0; k < diagram_nodes(dg); k++)
		if (below[k])
			inputs |= diagram_var_inputs(dg, node_switch(dg, k).var);
	arena_free(scratch);
	return inputs;
}

/* "uid, gid": at most `most` of them. */
static const char *names_of(struct arena *a, const struct terms *ts, uint32_t inputs, size_t most)
{
	const char *text = "";
	size_t n = 0;
	for (int in = 0; in < INPUT_MAX; in++)
		if (inputs & 1u << in && !(in == IN_COMM_1 && inputs & 1u << IN_COMM_0) && n++ < most)
			text = arena_printf(a, "%s%s%s", text, *text ? ", " : "", terms_input_name(ts, (enum input)in));
	return n > most ? arena_printf(a, "%s and %zu more", text, n - most) : text;
}

struct condition_words condition_in_words(struct arena *a, const struct diagrams *dg, const struct terms *ts, node n)
{
	uint32_t inputs = inputs_below(a, dg, n), unknown = inputs & ~((1u << IN_PARAM_0) - 1);
	if (unknown)
		return (struct condition_words){.text = names_of(a, ts, unknown, NAMES_MAX), .unknown = true};
	struct ways *yes = ways_to(a, dg, ts, n, true), *no = ways_to(a, dg, ts, n, false);
	bool negated = cost_of(no) < cost_of(yes);
	struct ways *told = negated ? no : yes;
	const char *text = told->too_many ? NULL : ways_words(told);
	if (text)
		return (struct condition_words){.text = text, .negated = negated};
	return (struct condition_words){.text = arena_printf(a, "%s are as --ruby says", names_of(a, ts, inputs, INPUT_MAX))};
}
