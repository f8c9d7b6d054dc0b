/*
 * explain_when.c - conditions on the caller in plain words.
 *
 * Where there are many ways to be allowed, they are not told one by one: only what they ask.
 */
#include "policy/explain.h"
#include "policy/arena.h"
#include "policy/ways.h"
#include "policy/who_text.h"

#include <inttypes.h>
#include <string.h>

enum { RANGES_MAX = 6, NAMES_MAX = 3, TEXT_MAX = 300 };

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

/* A number, of which k says what it is within least..most. */
static const char *number_words(struct ways *w, const char *name, const struct asks *k, const struct interval *not, size_t n, bool others,
                                int64_t least, int64_t most)
{
	struct arena *a = w->arena;
	const struct interval *first = k->ranges, *last = &k->ranges[k->n - 1];
	if (k->n > RANGES_MAX && (!others || n > RANGES_MAX))
		return arena_printf(a, "%s is one of %zu ranges from %" PRId64 " to %" PRId64, name, k->n, first->lo, last->hi);
	if (k->n == 1 && first->hi != first->lo && first->lo == least)
		return arena_printf(a, "%s is at most %" PRId64, name, first->hi);
	if (k->n == 1 && first->hi != first->lo && first->hi == most && first->lo != least + 1)
		return arena_printf(a, "%s is at least %" PRId64, name, first->lo);
	return others ? arena_printf(a, "%s is not %s", name, ranges_words(a, not, n))
	              : arena_printf(a, "%s is %s", name, ranges_words(a, k->ranges, k->n));
}

/* A number that may be unset, which is the largest of its values. */
static const char *unset_words(struct ways *w, const char *name, const struct asks *k)
{
	struct number_or_none of = asks_with_none(w, k);
	if (!of.set.n)
		return arena_printf(w->arena, "%s is unset", name);
	if (!of.nnot)
		return arena_printf(w->arena, "%s is set", name);
	bool others = asks_rather_not(&of.set, of.not, of.nnot);
	const char *text = number_words(w, name, &of.set, of.not, of.nnot, others, 0, ID_NONE - 1);
	if (others && of.none)
		return text;
	return arena_printf(w->arena, others ? "%s and set" : of.none ? "%s or unset" : "%s", text);
}

static const char *fact_words(struct ways *w, const struct asks *k)
{
	enum input in = (enum input)k->var;
	const char *name = who_name(w->terms, in), *yes = who_words(w->arena, w->terms, in, intervals_have(k->ranges, k->n, 1));
	enum fact_kind kind = in < IN_PARAM_0 ? input_kind(in) : FACT_NONE;
	struct interval *not;
	size_t n;
	if (yes)
		return yes;
	if (kind == FACT_FILE)
		return who_file_words(w->arena, w->terms, in, k->ranges, k->n);
	if (kind == FACT_OR_NONE)
		return unset_words(w, name, k);
	bool others = asks_by_others(w, k, &not, &n);
	return number_words(w, name, k, not, n, others, diagram_var_min(w->dg, k->var), diagram_var_max(w->dg, k->var));
}

/* NULL: they are not for people. */
static const char *for_people(const char *letters)
{
	for (const char *at = letters; letters && *at; at++)
		if (*at < ' ' || *at > '~' || *at == '"')
			return NULL;
	return letters;
}

/* Half of a comm as letters, up to its end. */
static const char *letters_of(struct arena *a, int64_t half)
{
	char text[sizeof half + 1] = "";
	memcpy(text, &half, sizeof half);
	return for_people(arena_strdup(a, text));
}

/* comm, of which k asks for the first half, and `second` (or NULL) for the other. NULL: not one text. */
static const char *comm_words(struct ways *w, const struct asks *k, const struct asks *second)
{
	if (!intervals_are_one(k->ranges, k->n) || (second && !intervals_are_one(second->ranges, second->n)))
		return NULL;
	const char *begin = letters_of(w->arena, k->ranges->lo);
	const char *end = second ? letters_of(w->arena, second->ranges->lo) : "";
	if (!begin || !end)
		return NULL;
	return second ? arena_printf(w->arena, "comm is \"%s%s\"", begin, end) : arena_printf(w->arena, "comm begins with \"%s\"", begin);
}

/* A comparison of several inputs. */
static const char *comparison_words(struct ways *w, const struct asks *k)
{
	enum input half;
	const char *begin = for_people(asks_beginning(w, k, &half));
	if (begin && half == IN_COMM_0)
		return arena_printf(w->arena, "comm %s with \"%s\"", k->ranges->lo ? "begins" : "does not begin", begin);
	const char *text = term_text(w->arena, w->terms, diagram_free_term(w->dg, k->var), 160);
	return k->ranges->lo ? text : arena_printf(w->arena, "not (%s)", text);
}

/* NULL: it cannot be said. */
static const char *way_words(struct ways *w, const struct way *way)
{
	const char *text = "";
	for (size_t i = 0; i < way->n; i++) {
		const struct asks *k = &way->list[i], *next = i + 1 < way->n ? k + 1 : NULL;
		enum input half;
		const char *one = NULL;
		if (k->var == IN_COMM_0) {
			const struct asks *second = next && next->var == IN_COMM_1 ? next : NULL;
			const char *more = next ? for_people(asks_beginning(w, next, &half)) : NULL;
			bool longer = more && half == IN_COMM_1 && next->ranges->lo && (one = comm_words(w, k, NULL));
			one = longer ? arena_printf(w->arena, "%.*s%s\"", (int)strlen(one) - 1, one, more) : comm_words(w, k, second);
			i += second || longer;
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
	struct way common = ways_take_common(w);
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

/* ---- the whole ------------------------------------------------------------------------------------ */

/* What a diagram asks: inputs, of comparisons of several all of them. */
static input_set inputs_below(struct arena *a, const struct diagrams *dg, node n)
{
	struct arena *scratch = arena_scratch(a);
	const bool *below = diagram_below(scratch, dg, &n, 1);
	input_set inputs = 0;
	for (node k = 0; k < diagram_nodes(dg); k++)
		if (below[k])
			inputs |= diagram_var_inputs(dg, node_switch(dg, k).var);
	arena_free(scratch);
	return inputs;
}

/* "uid, gid": at most `most` of them. */
static const char *names_of(struct arena *a, const struct terms *ts, input_set inputs, size_t most)
{
	const char *text = "";
	size_t n = 0;
	for (int in = 0; in < INPUT_MAX; in++)
		if (inputs & INPUT(in) && !(in == IN_COMM_1 && inputs & INPUT(IN_COMM_0)) && n++ < most)
			text = arena_printf(a, "%s%s%s", text, *text ? ", " : "", terms_input_name(ts, (enum input)in));
	return n > most ? arena_printf(a, "%s and %zu more", text, n - most) : text;
}

struct condition_words condition_in_words(struct arena *a, const struct diagrams *dg, const struct terms *ts, node n)
{
	input_set inputs = inputs_below(a, dg, n), unknown = inputs & ~(INPUT(IN_PARAM_0) - 1);
	if (unknown)
		return (struct condition_words){.text = names_of(a, ts, unknown, NAMES_MAX), .unknown = true};
	struct ways *told = ways_of(a, dg, ts, n);
	const char *text = told->too_many ? NULL : ways_words(told);
	if (text && strlen(text) <= TEXT_MAX)
		return (struct condition_words){.text = text, .negated = !told->allow};
	return (struct condition_words){.text = names_of(a, ts, inputs, INPUT_MAX), .many = true};
}
