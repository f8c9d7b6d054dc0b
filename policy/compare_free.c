/*
 * compare_free.c - is there a caller where conditions about several inputs decide?
 *
 * A box of devices is looked at as a whole: a condition is true or false of all of it, or both are tried. What
 * is left at the end of a way are conditions that no range decides. Then callers are tried: one for whom they
 * are so for every device of the box is enough. Or there is none: conditions exclude each other, or the
 * callers are halved and no half is left. Else it is not told, and whoever asks takes a smaller box.
 * Nothing is guessed: ALWAYS has its caller, NEVER excludes all.
 */
#include "policy/compare_internal.h"

#include <string.h>

enum { TRIES = 24, HALVES = 12, HALVES_OF_ONE = 400, COMPLETE_MAX = 200 };
/* Facts without comm, which has its own way. */
#define COMM (INPUT(IN_COMM_0) | INPUT(IN_COMM_1))
#define PLAIN_FACTS ((INPUT(IN_PARAM_0) - INPUT(IN_UID)) & ~COMM)

/* ---- free variables ------------------------------------------------------------------------- */

static bool is_input(const struct search *s, term t, int *in)
{
	const struct term_node *k = term_get(s->ts, t);
	*in = (int)k->a;
	return k->op == TERM_INPUT;
}

static bool is_const(const struct search *s, term t, int64_t *v)
{
	const struct term_node *k = term_get(s->ts, t);
	*v = k->lo;
	return k->op == TERM_CONST;
}

/* A fact that is compared with what does not read it. */
static void find_fact(struct search *s, struct free_term *f, term one, term other)
{
	int in;
	if (f->fact >= 0 || !is_input(s, one, &in) || !(PLAIN_FACTS & INPUT(in)) || term_get(s->ts, other)->inputs & INPUT(in))
		return;
	f->fact = in;
	f->other = term_box_of(s->arena, s->ts, other);
}

static void find_half(struct search *s, struct free_term *f, term masked, term bytes)
{
	const struct term_node *k = term_get(s->ts, masked);
	int64_t mask, wanted;
	int in;
	if (k->op != TERM_BAND || !is_input(s, k->a, &in) || (in != IN_COMM_0 && in != IN_COMM_1) || !is_const(s, k->b, &mask) ||
	    !is_const(s, bytes, &wanted))
		return;
	for (int at = 0; at < 64; at += 8)
		if ((mask >> at & 0xff) != 0 && (mask >> at & 0xff) != 0xff)
			return;
	f->half = in - IN_COMM_0;
	f->mask = (uint64_t)mask;
	f->bytes = (uint64_t)wanted;
}

static struct free_term *free_of(struct search *s, uint32_t i)
{
	struct free_term *f = &s->free[i];
	if (f->inputs)
		return f;
	term t = diagram_free_term(s->dg, INPUT_MAX + i);
	const struct term_node k = *term_get(s->ts, t);
	*f = (struct free_term){.is = term_box_of(s->arena, s->ts, t), .inputs = k.inputs, .fact = -1, .half = -1};
	if (k.op == TERM_EQ) {
		find_fact(s, f, k.a, k.b);
		find_fact(s, f, k.b, k.a);
		find_half(s, f, k.a, k.b);
	}
	return f;
}

static int value_within(struct search *s, uint32_t i, const int64_t *lo, const int64_t *hi)
{
	struct free_term *f = free_of(s, i);
	s->work -= (long long)f->is.steps;
	return term_box_value(&f->is, lo, hi);
}

static term literal_term(struct search *s, struct literal l)
{
	term t = diagram_free_term(s->dg, INPUT_MAX + l.free);
	return l.value ? t : term_not(s->ts, t);
}

/* Can both be true? */
static bool against(struct search *s, struct literal x, struct literal y)
{
	if (s->nfree > RELATED_MAX)
		return false;
	size_t at = ((size_t)x.free * 2 + x.value) * 2 * s->nfree + (size_t)y.free * 2 + y.value;
	if (!s->against[at]) {
		term both = literal_term(s, x);
		both = term_and(s->ts, both, literal_term(s, y));
		s->against[at] = both == T_FALSE ? 2 : 1;
	}
	return s->against[at] == 2;
}

/* ---- callers that are tried -------------------------------------------------------------------- */

struct bounds { int64_t lo[INPUT_MAX], hi[INPUT_MAX]; };

static void fix(struct bounds *b, int in, int64_t v)
{
	b->lo[in] = b->hi[in] = v;
}

static bool literals_hold(struct search *s, const struct bounds *b, const bool *skip)
{
	for (size_t i = 0; i < s->nliterals; i++)
		if (!(skip && skip[i]) && value_within(s, s->literals[i].free, b->lo, b->hi) != s->literals[i].value)
			return false;
	return true;
}

/* Numbers that the conditions on the way name, and their neighbours. */
static int64_t named(const struct search *s, unsigned which)
{
	int64_t v;
	const struct free_term *f = &s->free[s->literals[which % s->nliterals].free];
	for (size_t n = which / 3 % 4 + 1; n-- > 0;)
		if (term_box_number(&f->is, n, &v))
			return v + which % 3 - 1;
	return which;
}

static int64_t tried(const struct search *s, int in, unsigned try)
{
	int64_t lo = s->lo[in], hi = s->hi[in], v;
	switch (try) {
	case 0: return lo;
	case 1: return hi;
	case 2: return fact_within((enum input)in, lo, hi);
	case 3: return lo + (hi - lo) / 2;
	default: v = named(s, try * 7 + (unsigned)in * (try & 1));
	}
	return v < lo ? lo : v > hi ? hi : v;
}

/* The diagram's answer for one caller and every device of the box: 0, 1, -1. */
static int answer_for(struct search *s, node n, const struct bounds *b)
{
	while (!(n & TERMINAL_BIT)) {
		struct switch_node sw = node_switch(s->dg, n);
		uint32_t i = 0;
		int64_t v = sw.var < INPUT_MAX ? b->lo[sw.var] : value_within(s, sw.var - INPUT_MAX, b->lo, b->hi);
		if (sw.var >= INPUT_MAX && v < 0)
			return -1;
		while (i + 1 < sw.n && sw.edges[i].hi < v)
			i++;
		n = sw.edges[i].to;
	}
	return n == NODE_TRUE;
}

static enum exists found(struct search *s, const struct bounds *b)
{
	memcpy(s->fact, b->lo, sizeof s->fact);
	return ALWAYS;
}

/* Each condition that says what a fact is, and that no other is about, holds for some value of that fact:
 * for any device and whatever the others are. The rest is tried. */
static bool settle_own_facts(struct search *s, bool *skip)
{
	bool any = false;
	for (size_t i = 0; i < s->nliterals; i++) {
		struct free_term *f = free_of(s, s->literals[i].free);
		bool own = f->fact >= 0 && s->literals[i].value;
		for (size_t k = 0; own && k < s->nliterals; k++)
			own = k == i || !(s->free[s->literals[k].free].inputs & INPUT(f->fact));
		int64_t least, most;
		skip[i] = false;
		if (!own)
			continue;
		term_box_range(&f->other, s->lo, s->hi, &least, &most);
		skip[i] = least >= s->lo[f->fact] && most <= s->hi[f->fact];
		any |= skip[i];
	}
	return any;
}

/* The facts that were skipped, for the first device. */
static void own_facts_of(struct search *s, const struct bounds *b, const bool *skip)
{
	struct bounds one = *b;
	found(s, b);
	for (int in = 0; in < IN_UID; in++)
		one.hi[in] = one.lo[in];
	for (size_t i = 0; i < s->nliterals; i++) {
		const struct free_term *f = &s->free[s->literals[i].free];
		int64_t most;
		if (skip[i])
			term_box_range(&f->other, one.lo, one.hi, &s->fact[f->fact], &most);
	}
}

/* ---- comm ------------------------------------------------------------------------------------------ */

/* Names that the conditions leave possible: at most one of each length. Complete: no byte runs out of others,
 * so without a name of any length there is none. */
struct names { int64_t word[COMM_BYTES][2]; int n; bool asked, complete; };

/* What each says that is about bytes of comm alone. */
static bool names_hold(const struct search *s, const int64_t word[2])
{
	for (size_t i = 0; i < s->nliterals; i++) {
		const struct free_term *f = &s->free[s->literals[i].free];
		if (f->half >= 0 && (((uint64_t)word[f->half] & f->mask) == f->bytes) != s->literals[i].value)
			return false;
	}
	return true;
}

static void find_names(struct search *s, struct names *out)
{
	struct comm_bytes b;
	out->n = 0;
	out->asked = false;
	out->complete = s->nliterals < COMPLETE_MAX;
	for (size_t i = 0; i < s->nliterals; i++)
		out->asked |= (free_of(s, s->literals[i].free)->inputs & COMM) != 0;
	if (!out->asked)
		return;
	comm_anything(&b);
	for (size_t i = 0; i < s->nliterals; i++) {
		const struct free_term *f = &s->free[s->literals[i].free];
		if (f->half >= 0)
			comm_must(&b, f->half, f->mask, f->bytes, s->literals[i].value);
	}
	for (int half = 0; half < 2; half++)
		if (s->lo[IN_COMM_0 + half] == s->hi[IN_COMM_0 + half])
			comm_must(&b, half, ~0ull, (uint64_t)s->lo[IN_COMM_0 + half], true);
	for (int length = 0; length < COMM_BYTES; length++)
		if (comm_of_length(&b, length, out->word[out->n]) && names_hold(s, out->word[out->n]))
			out->n++;
}

/* ---- the end of a way ---------------------------------------------------------------------------------- */

struct leaf { node root; struct names names; int halves; };

static enum exists try_callers(struct search *s, struct leaf *l)
{
	struct bounds b;
	int64_t word[2];
	bool *skip = s->skip, some = settle_own_facts(s, skip);
	memcpy(b.lo, s->lo, sizeof b.lo);
	memcpy(b.hi, s->hi, sizeof b.hi);
	if (!comm_within(&s->lo[IN_COMM_0], &s->hi[IN_COMM_0], word))
		return NEVER;
	for (unsigned try = 0; try < TRIES && s->work > 0; try++) {
		for (int in = IN_UID; in < IN_PARAM_0; in++)
			if (PLAIN_FACTS & INPUT(in))
				fix(&b, in, tried(s, in, try));
		const int64_t *name = l->names.asked && l->names.n ? l->names.word[try % (unsigned)l->names.n] : word;
		fix(&b, IN_COMM_0, name[0]);
		fix(&b, IN_COMM_1, name[1]);
		if (answer_for(s, l->root, &b) == 1)
			return found(s, &b);
		bool inside = s->lo[IN_COMM_0] <= name[0] && name[0] <= s->hi[IN_COMM_0] && s->lo[IN_COMM_1] <= name[1] &&
		              name[1] <= s->hi[IN_COMM_1];
		if (some && inside && literals_hold(s, &b, skip)) {
			own_facts_of(s, &b, skip);
			return ALWAYS;
		}
	}
	return MAYBE;
}

/* The fact of the conditions that has the most values. */
static int widest(const struct search *s, const struct bounds *b)
{
	int best = -1;
	for (int in = IN_UID; in < IN_PARAM_0; in++) {
		bool asked = false;
		if (!(PLAIN_FACTS & INPUT(in)))
			continue;
		for (size_t i = 0; i < s->nliterals; i++)
			asked |= (s->free[s->literals[i].free].inputs & INPUT(in)) != 0;
		if (asked && b->lo[in] < b->hi[in] && (best < 0 || b->hi[in] - b->lo[in] > b->hi[best] - b->lo[best]))
			best = in;
	}
	return best;
}

/* What the conditions are while the inputs are within bounds: NEVER one is not so; ALWAYS all are. */
static enum exists literals_within(struct search *s, const struct bounds *b)
{
	enum exists all = ALWAYS;
	for (size_t i = 0; i < s->nliterals; i++) {
		int v = value_within(s, s->literals[i].free, b->lo, b->hi);
		if (v >= 0 && v != s->literals[i].value)
			return NEVER;
		all = v < 0 ? MAYBE : all;
	}
	return all;
}

static enum exists halve(struct search *s, struct leaf *l, const struct bounds *b)
{
	enum exists is = literals_within(s, b);
	if (is == NEVER)
		return NEVER;
	int in = is == ALWAYS ? -1 : widest(s, b);
	if (is == ALWAYS) {
		int64_t word[2];
		comm_within(&b->lo[IN_COMM_0], &b->hi[IN_COMM_0], word);
		found(s, b);
		s->fact[IN_COMM_0] = word[0];
		s->fact[IN_COMM_1] = word[1];
		return ALWAYS;
	}
	if (in < 0 || l->halves-- <= 0 || s->work <= 0)
		return MAYBE;
	struct bounds half = *b;
	half.hi[in] = b->lo[in] + (b->hi[in] - b->lo[in]) / 2;
	enum exists lower = halve(s, l, &half);
	if (lower == ALWAYS)
		return ALWAYS;
	half.lo[in] = half.hi[in] + 1;
	half.hi[in] = b->hi[in];
	enum exists upper = halve(s, l, &half);
	return upper > lower ? upper : lower;
}

static enum exists at_end(struct search *s, node root)
{
	struct leaf l = {.root = root};
	struct bounds b;
	int64_t word[2];
	input_set read = 0;
	bool one = s->lo[IN_MAJOR] == s->hi[IN_MAJOR] && s->lo[IN_MINOR] == s->hi[IN_MINOR];
	if (!comm_within(&s->lo[IN_COMM_0], &s->hi[IN_COMM_0], word))
		return NEVER;
	for (size_t i = 0; i < s->nliterals; i++)
		read |= free_of(s, s->literals[i].free)->inputs;
	if (s->nliterals && !(read & (PLAIN_FACTS | COMM))) /* no caller makes a difference */
		return MAYBE;
	find_names(s, &l.names);
	if (l.names.complete && l.names.asked && !l.names.n)
		return NEVER;
	enum exists e = try_callers(s, &l);
	if (e != MAYBE)
		return e;
	memcpy(b.lo, s->lo, sizeof b.lo);
	memcpy(b.hi, s->hi, sizeof b.hi);
	l.halves = one ? HALVES_OF_ONE : HALVES;
	return halve(s, &l, &b);
}

/* ---- ways ------------------------------------------------------------------------------------------------ */

static enum exists below(struct search *s, node root, node n);

static enum exists at_free(struct search *s, node root, const struct switch_node *sw)
{
	uint32_t free = sw->var - INPUT_MAX;
	int value = value_within(s, free, s->lo, s->hi);
	enum exists best = NEVER;
	for (int v = 1; v >= 0 && best != ALWAYS; v--) {
		struct literal l = {free, v};
		bool can = value < 0 || value == v;
		for (size_t i = 0; can && i < s->nliterals; i++)
			can = !against(s, s->literals[i], l);
		if (!can)
			continue;
		size_t before = s->nliterals;
		if (value < 0)
			s->literals[s->nliterals++] = l;
		enum exists e = below(s, root, sw->edges[v].to);
		s->nliterals = before;
		best = e > best ? e : best;
		if (e == MAYBE)
			s->hangs = free + 1;
	}
	return best;
}

static enum exists at_fact(struct search *s, node root, const struct switch_node *sw)
{
	int64_t lo = s->lo[sw->var], hi = s->hi[sw->var];
	enum exists best = NEVER;
	for (uint32_t i = 0; i < sw->n && best != ALWAYS; i++) {
		int64_t from = switch_edge_lo(s->dg, sw, i), to = sw->edges[i].hi;
		s->lo[sw->var] = from < lo ? lo : from;
		s->hi[sw->var] = to > hi ? hi : to;
		if (s->lo[sw->var] > s->hi[sw->var])
			continue;
		enum exists e = below(s, root, sw->edges[i].to);
		best = e > best ? e : best;
	}
	s->lo[sw->var] = lo;
	s->hi[sw->var] = hi;
	return best;
}

static enum exists below(struct search *s, node root, node n)
{
	if (n == NODE_FALSE)
		return NEVER;
	if (s->work-- <= 0)
		return MAYBE;
	if (n == NODE_TRUE)
		return at_end(s, root);
	struct switch_node sw = node_switch(s->dg, n);
	return sw.var >= INPUT_MAX ? at_free(s, root, &sw) : at_fact(s, root, &sw);
}

enum exists caller_for_each(struct search *s, node n)
{
	for (int in = IN_UID; in < INPUT_MAX; in++)
		input_range((enum input)in, &s->lo[in], &s->hi[in]);
	s->nliterals = 0;
	return below(s, n, n);
}
