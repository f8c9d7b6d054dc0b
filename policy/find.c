/*
 * find.c - the search for a request that makes a diagram true.
 *
 * A way down the diagram narrows a box: an interval for each input. Without free variables the first way
 * to the end is an answer. What a way says of free variables (comparisons of several inputs) is then looked
 * for in the box: where the bounds of the terms decide nothing, one side of the box is halved. A box where
 * they refute one of them is done with, so an empty answer is a proof. The effort is bounded; deeper than
 * the inputs have bits nothing is halved.
 */
#include "policy/find.h"
#include "policy/arena.h"
#include "policy/callers.h"
#include "policy/comm.h"
#include "policy/known.h"

#include <stdlib.h>
#include <string.h>

enum { LITERALS_MAX = 64 };

struct box { int64_t lo[INPUT_MAX], hi[INPUT_MAX]; };
struct literal { term t; bool holds; };

struct search {
	const struct diagrams *dg;
	struct terms *terms;
	const int64_t *values;
	struct literal literals[LITERALS_MAX];
	size_t nliterals;
	input_set asked;
	long effort;
	int64_t *out;
};

/* ---- one point of a box -------------------------------------------------------------------- */

static int64_t value_near(const struct box *b, enum input in, int64_t wanted)
{
	return b->lo[in] <= wanted && wanted <= b->hi[in] ? wanted : b->lo[in];
}

static bool has(const struct box *b, enum input in, int64_t v)
{
	return b->lo[in] <= v && v <= b->hi[in];
}

static bool pick_one(const struct box *b, int type, int64_t major, int64_t minor, int64_t *out)
{
	if (!has(b, IN_TYPE, type) || !has(b, IN_MAJOR, major) || !has(b, IN_MINOR, minor))
		return false;
	out[IN_TYPE] = type;
	out[IN_MAJOR] = major;
	out[IN_MINOR] = minor;
	return true;
}

/* A device that has a name, where there is one: the first disk before all others. */
static void pick_device(const struct box *b, int64_t *out)
{
	if (pick_one(b, DEV_BLOCK, 8, 0, out))
		return;
	for (const struct known_device *k = known_devices; k < known_devices + known_devices_n; k++) {
		int major = k->major, minor = k->minor;
		const char *minors = k->form == FORM_KNOWN ? strchr(k->numbers, ':') : NULL;
		if (minors) { /* the first of its numbers; of `*` that is 0 */
			major = atoi(k->numbers + strlen("c "));
			minor = atoi(minors + 1);
		}
		if ((minors || k->form == FORM_SERIES) && pick_one(b, k->type == 'b' ? DEV_BLOCK : DEV_CHAR, major, minor, out))
			return;
	}
}

static void pick(const struct search *s, const struct box *b, int64_t *out)
{
	enum { PEOPLE = 1000 };
	for (int in = 0; in < INPUT_MAX; in++) {
		bool person = in == IN_UID || in == IN_GID || in == IN_PID || in == IN_TID;
		int64_t wanted = in >= IN_PARAM_0                 ? s->values[in]
		                 : input_is_task((enum input)in) ? caller_likely((enum input)in, PEOPLE)
		                 : person                        ? PEOPLE
		                                                 : 1;
		out[in] = value_near(b, (enum input)in, wanted);
	}
	out[IN_MAJOR] = b->lo[IN_MAJOR];
	out[IN_MINOR] = b->lo[IN_MINOR];
	pick_device(b, out);
}

/* ---- the boxes of one way --------------------------------------------------------------------- */

static bool all_hold(struct search *s, const int64_t *at)
{
	for (size_t i = 0; i < s->nliterals; i++)
		if ((term_eval(s->terms, s->literals[i].t, at) != 0) != s->literals[i].holds)
			return false;
	return true;
}

/* Does some point that is easily guessed do? `name`: one of a process that can be. */
static bool guess(struct search *s, const struct box *b, const int64_t name[2])
{
	int64_t at[3][INPUT_MAX];
	pick(s, b, at[0]);
	memcpy(at[1], b->lo, sizeof at[1]);
	memcpy(at[2], b->hi, sizeof at[2]);
	for (int i = 0; i < 3; i++) {
		memcpy(&at[i][IN_COMM_0], name, 2 * sizeof *name);
		if (all_hold(s, at[i])) {
			memcpy(s->out, at[i], sizeof at[i]);
			return true;
		}
	}
	return false;
}

/* How two values may compare, as far as a literal says; 0 where it is not about these two. */
enum { LESS = 1, SAME = 2, MORE = 4, ANY_OF_THEM = LESS | SAME | MORE };

static int compares(const struct search *s, const struct literal *l, term x, term y)
{
	const struct term_node *k = term_get(s->terms, l->t);
	bool straight = k->a == x && k->b == y, turned = k->a == y && k->b == x;
	if ((k->op != TERM_LT && k->op != TERM_EQ) || (!straight && !turned))
		return ANY_OF_THEM;
	int way = k->op == TERM_EQ ? SAME : straight ? LESS : MORE;
	return l->holds ? way : ANY_OF_THEM & ~way;
}

/* Does the last literal leave no way to compare its operands? */
static bool contradicts(const struct search *s)
{
	const struct term_node *last = term_get(s->terms, s->literals[s->nliterals - 1].t);
	int ways = ANY_OF_THEM;
	for (size_t i = 0; i < s->nliterals; i++)
		ways &= compares(s, &s->literals[i], last->a, last->b);
	return !ways;
}

/* What the bounds say of all literals: FOUND_NONE: one is refuted; FOUND_ONE: all hold everywhere; else
 * *open has the inputs of those that are open. */
static enum found bounds_say(struct search *s, const struct box *b, input_set *open)
{
	*open = 0;
	for (size_t i = 0; i < s->nliterals; i++) {
		int64_t least, most;
		s->effort--;
		term_bounds(s->terms, s->literals[i].t, b->lo, b->hi, &least, &most);
		if (least == most && least != s->literals[i].holds)
			return FOUND_NONE;
		if (least != most)
			*open |= term_get(s->terms, s->literals[i].t)->inputs;
	}
	return *open ? FOUND_UNSURE : FOUND_ONE;
}

/* The widest side among some inputs; -1: each has one value. */
static int widest(const struct box *b, input_set among)
{
	int best = -1;
	uint64_t most = 0;
	for (int in = 0; in < INPUT_MAX; in++) {
		uint64_t width = (uint64_t)b->hi[in] - (uint64_t)b->lo[in];
		if (among & INPUT(in) && width > most) {
			best = in;
			most = width;
		}
	}
	return best;
}

static enum found look_in(struct search *s, const struct box *b)
{
	input_set open;
	enum found say = bounds_say(s, b, &open);
	int64_t name[2];
	if (say == FOUND_NONE || !comm_within(&b->lo[IN_COMM_0], &b->hi[IN_COMM_0], name))
		return FOUND_NONE;
	if (guess(s, b, name))
		return FOUND_ONE;
	int side = widest(b, open);
	if (side < 0 || s->effort < 0)
		return FOUND_UNSURE;
	struct box half = *b;
	int64_t mid = (int64_t)((uint64_t)b->lo[side] + ((uint64_t)b->hi[side] - (uint64_t)b->lo[side]) / 2);
	half.hi[side] = mid;
	say = look_in(s, &half);
	if (say == FOUND_ONE)
		return FOUND_ONE;
	half.hi[side] = b->hi[side];
	half.lo[side] = mid + 1;
	enum found other = look_in(s, &half);
	return other == FOUND_NONE ? say : other;
}

/* ---- ways down the diagram --------------------------------------------------------------------- */

static enum found go_down(struct search *s, node n, const struct box *b);

static enum found both(enum found before, enum found now)
{
	return now == FOUND_NONE ? before : now;
}

/* A comparison of several inputs: what holds of it is noted on the way. */
static enum found go_by_comparison(struct search *s, const struct switch_node *sw, const struct box *b)
{
	enum found say = FOUND_NONE;
	input_set before = s->asked;
	s->asked |= diagram_var_inputs(s->dg, sw->var);
	if (s->nliterals == LITERALS_MAX)
		return FOUND_UNSURE;
	for (uint32_t i = 0; i < sw->n && say != FOUND_ONE; i++) {
		input_set open;
		s->literals[s->nliterals++] = (struct literal){diagram_free_term(s->dg, sw->var), sw->edges[i].hi == 1};
		say = both(say, contradicts(s) || bounds_say(s, b, &open) == FOUND_NONE ? FOUND_NONE : go_down(s, sw->edges[i].to, b));
		s->nliterals--;
	}
	if (say != FOUND_ONE)
		s->asked = before;
	return say;
}

static enum found go_by_input(struct search *s, const struct switch_node *sw, const struct box *b)
{
	enum found say = FOUND_NONE;
	input_set before = s->asked;
	s->asked |= INPUT(sw->var);
	for (uint32_t i = 0; i < sw->n && say != FOUND_ONE; i++) {
		struct box part = *b;
		int64_t lo = switch_edge_lo(s->dg, sw, i), hi = sw->edges[i].hi;
		part.lo[sw->var] = lo > b->lo[sw->var] ? lo : b->lo[sw->var];
		part.hi[sw->var] = hi < b->hi[sw->var] ? hi : b->hi[sw->var];
		if (part.lo[sw->var] <= part.hi[sw->var])
			say = both(say, go_down(s, sw->edges[i].to, &part));
	}
	if (say != FOUND_ONE)
		s->asked = before;
	return say;
}

/* As deep as there are variables on one way. */
static enum found go_down(struct search *s, node n, const struct box *b)
{
	outcome o;
	if (node_is_terminal(n, &o))
		return OUTCOME_KIND(o) != OUT_ALLOW ? FOUND_NONE : look_in(s, b);
	if (s->effort-- < 0)
		return FOUND_UNSURE;
	struct switch_node sw = node_switch(s->dg, n);
	return sw.var < INPUT_MAX ? go_by_input(s, &sw, b) : go_by_comparison(s, &sw, b);
}

enum found find_true(struct arena *a, const struct diagrams *dg, struct terms *ts, node root, const int64_t *values,
                     long *effort, int64_t inputs[INPUT_MAX], input_set *asked)
{
	struct search *s = arena_alloc(a, sizeof *s);
	struct box all;
	*s = (struct search){.dg = dg, .terms = ts, .values = values, .effort = *effort, .out = inputs};
	for (int in = 0; in < INPUT_MAX; in++) {
		const struct term_node *k = term_get(ts, term_input(ts, (enum input)in));
		all.lo[in] = k->lo;
		all.hi[in] = k->hi;
	}
	enum found say = go_down(s, root, &all);
	*asked = s->asked;
	*effort = s->effort;
	return say;
}

/* ---- in words ---------------------------------------------------------------------------------- */

const char *comparisons_asked(struct arena *a, const struct diagrams *dg, const struct terms *ts, node n)
{
	enum { LONG = 200 };
	const bool *below = diagram_below(a, dg, &n, 1);
	const char *list = "";
	for (node k = 0; k < diagram_nodes(dg) && strlen(list) < LONG; k++) {
		uint32_t var = below[k] ? node_switch(dg, k).var : 0;
		const char *one = var < INPUT_MAX ? NULL : term_text(a, ts, diagram_free_term(dg, var), 60);
		if (one && !strstr(list, one))
			list = arena_printf(a, "%s%s%s", list, *list ? ", " : "", one);
	}
	return *list ? list : "too many conditions at once";
}

const char *inputs_text(struct arena *a, const struct terms *ts, input_set inputs)
{
	const char *list = NULL;
	for (int in = 0; in < INPUT_MAX; in++)
		if (inputs & INPUT(in))
			list = arena_printf(a, "%s%s%s", list ? list : "", list ? ", " : "", terms_input_name(ts, (enum input)in));
	return list;
}
