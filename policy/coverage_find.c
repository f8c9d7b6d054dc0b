/*
 * coverage_find.c - a request that tells a mutant from its policy.
 *
 * What the mutant decides otherwise is a diagram. A way through it to "yes" gives each input a range; in
 * it a number is taken that people know, or one at its end. Where comparisons of several inputs are on the way,
 * each input they read gets values in turn: those at which such a comparison changes, given the inputs before.
 * Whatever is found is evaluated before it is believed.
 */
#include "policy/callers.h"
#include "policy/comm.h"
#include "policy/coverage_internal.h"
#include "policy/device.h"

#include <string.h>

enum { VALUES_MAX = 24, TRIES_MAX = 4000, PIECES = 8, WINDOW = 64 };

struct search {
	struct mutants *ms;
	const struct mutant *m;
	struct trial t;
	int tries;
	bool limited; /* there may be requests that were not tried */
	bool odd_names, odd; /* names are taken that are no plain words; there was one that was not */
};

/* Values to try for one input, the nicest first. */
struct values {
	int64_t list[VALUES_MAX];
	size_t n;
};

static void value_add(struct values *v, int64_t lo, int64_t hi, int64_t value)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->list[i] == value)
			return;
	if (value >= lo && value <= hi && v->n < VALUES_MAX)
		v->list[v->n++] = value;
}

/* ---- nice values ---------------------------------------------------------------------------- */

static int64_t word(const char *text)
{
	uint64_t w = 0;
	for (int i = 0; i < 64 && *text; i += 8)
		w |= (uint64_t)(unsigned char)*text++ << i;
	return (int64_t)w;
}

/* A name that is a word of a case as it is. */
static bool is_plain(const int64_t half[2])
{
	for (int i = 0; i < COMM_SIZE; i++) {
		unsigned char c = (unsigned char)((uint64_t)half[i / 8] >> 8 * (i % 8));
		if (c && (c <= ' ' || c > '~' || strchr("\"'#\\", c)))
			return false;
	}
	return half[0] != 0;
}

static void nice(const struct search *s, enum input in, int64_t lo, int64_t hi, struct values *v)
{
	bool block = s->t.inputs[IN_TYPE] == DEV_BLOCK;
	switch (in) {
	case IN_TYPE: value_add(v, lo, hi, DEV_CHAR); break;
	case IN_MAJOR: value_add(v, lo, hi, block ? 8 : 1); break;
	case IN_MINOR: value_add(v, lo, hi, block || s->t.inputs[IN_MAJOR] != 1 ? 0 : 3); break;
	case IN_UPTIME: value_add(v, lo, hi, 60); break;
	case IN_COMM_0:
		value_add(v, lo, hi, word("sh"));
		value_add(v, lo, hi, word("systemd-"));
		break;
	case IN_COMM_1:
		value_add(v, lo, hi, 0);
		value_add(v, lo, hi, word("logind"));
		break;
	default: value_add(v, lo, hi, input_is_task(in) ? caller_likely(in, 1000) : 1000);
	}
}

/* The numbers that a comparison of names has in it: halves of the names. */
static void names_in(struct search *s, uint32_t var, struct values *v)
{
	const struct terms *ts = s->ms->policy.terms;
	term todo[16] = {diagram_free_term(s->ms->pd.dg, var)}, below[3];
	for (size_t n = 1; n;) {
		const struct term_node *k = term_get(ts, todo[--n]);
		if (k->op == TERM_CONST)
			value_add(v, INT64_MIN, INT64_MAX, k->lo);
		for (size_t i = term_operands(k, below); i-- > 0 && n < sizeof todo / sizeof *todo;)
			todo[n++] = below[i];
	}
}

/* Where a comparison changes, as a function of this input alone. False: not all of these values are known,
 * because the others that it reads have none yet, or because there are many. */
static bool changes(struct search *s, uint32_t var, enum input in, input_set given, int64_t lo, int64_t hi, struct values *v)
{
	struct terms *ts = s->ms->policy.terms;
	term t = diagram_free_term(s->ms->pd.dg, var);
	struct term_piece pieces[WINDOW];
	input_set reads = term_get(ts, t)->inputs;
	if (!(reads & INPUT(in)))
		return true;
	if (reads & ~given & ~INPUT(in))
		return false;
	if (in == IN_COMM_0 || in == IN_COMM_1) {
		names_in(s, var, v);
		return false;
	}
	for (uint32_t i = 0; i < INPUT_MAX; i++)
		if (reads & INPUT(i) && i != in)
			t = term_substitute(ts, t, (enum input)i, s->t.inputs[i]);
	if (!term_get(ts, t)->inputs)
		return true;
	bool *many = &s->ms->many[var - INPUT_MAX];
	size_t n = *many ? 0 : term_pieces(ts, t, in, lo, hi, pieces, PIECES);
	bool all = n;
	*many |= !n; /* that takes long to find out: once */
	if (!n) /* it changes often: soon, too */
		n = term_pieces(ts, t, in, lo, hi - lo < WINDOW ? hi : lo + WINDOW - 1, pieces, WINDOW);
	for (size_t i = 0; i + 1 < n; i++) {
		value_add(v, lo, hi, pieces[i].hi);
		value_add(v, lo, hi, pieces[i].hi + 1);
	}
	return all;
}

/* Halves of names that a process can have: a whole one, and one that goes on. */
static void names_within(const struct search *s, enum input in, int64_t lo, int64_t hi, struct values *v)
{
	int64_t from[2] = {lo, INT64_MIN}, to[2] = {hi, INT64_MAX}, name[2];
	if (in != IN_COMM_0 && in != IN_COMM_1)
		return;
	if (in == IN_COMM_1) {
		from[0] = to[0] = s->t.inputs[IN_COMM_0];
		from[1] = lo;
		to[1] = hi;
	}
	if (comm_within(from, to, name))
		value_add(v, lo, hi, name[in - IN_COMM_0]);
	from[1] = from[1] < 1 ? 1 : from[1];
	if (from[1] <= to[1] && comm_within(from, to, name))
		value_add(v, lo, hi, name[in - IN_COMM_0]);
}

/* Values of an input within lo..hi; `given`: the inputs before it. */
static struct values values_of(struct search *s, node n, enum input in, input_set given, int64_t lo, int64_t hi)
{
	struct values v = {.n = 0};
	bool all = true;
	nice(s, in, lo, hi, &v);
	value_add(&v, lo, hi, lo);
	bool is_comm = in == IN_COMM_0 || in == IN_COMM_1;
	if ((!(s->ms->compared & INPUT(in)) && !is_comm) || node_is_terminal(n, NULL)) {
		v.n = is_comm ? v.n : 1; /* any will do */
		names_within(s, in, lo, hi, &v);
		return v;
	}
	for (uint32_t i = 0; i < s->ms->ncompared; i++)
		all &= changes(s, INPUT_MAX + i, in, given, lo, hi, &v);
	if (!all && (uint64_t)hi - (uint64_t)lo < VALUES_MAX) {
		for (int64_t value = lo; value <= hi; value++)
			value_add(&v, lo, hi, value);
		return v;
	}
	value_add(&v, lo, hi, hi);
	names_within(s, in, lo, hi, &v);
	for (enum input other = IN_MAJOR; other < in && !all; other++)
		if (given & INPUT(other))
			value_add(&v, lo, hi, s->t.inputs[other]);
	s->limited |= !all || v.n == VALUES_MAX;
	return v;
}

/* ---- the search ------------------------------------------------------------------------------- */

static bool search(struct search *s, node n, enum input in);

/* What blocks may ask for on the way to the answer: Ruby asks in its own order, and does not know that a fact makes
 * no difference. */
static input_set asked_for(struct search *s)
{
	const struct policy *p = &s->ms->policy;
	struct trial t = s->t;
	input_set asked = 0;
	int set = (int)t.inputs[IN_REQUESTED], missing;
	for (int access = set ? ACC_MKNOD : 0; access <= ACC_WRITE; access = access ? access << 1 : ACC_ALL) {
		if (access & ~set)
			continue;
		t.inputs[IN_ACCESS] = access;
		size_t by = OUTCOME_RULE(diagram_eval(s->ms->pd.dg, s->ms->pd.access, t.inputs, t.known, &missing));
		for (size_t i = 0; i < (by ? by : p->nrules); i++) {
			const struct rule *r = &p->rules[i];
			bool runs = !r->npatterns;
			for (size_t k = 0; k < r->npatterns && !runs; k++)
				runs = pattern_matches(&r->patterns[k], r->deny, (int)t.inputs[IN_TYPE], t.inputs[IN_MAJOR], t.inputs[IN_MINOR], access);
			asked |= runs ? term_get(p->terms, r->match)->inputs : 0;
		}
	}
	return asked;
}

/* Facts that nobody asks for are not told. */
static void drop_facts(struct search *s)
{
	struct mutants *ms = s->ms;
	input_set asked = asked_for(s);
	for (enum input in = IN_UID; in < IN_PARAM_0; in++) {
		struct trial less = s->t;
		input_set bits = in == IN_COMM_0 || in == IN_COMM_1 ? INPUT(IN_COMM_0) | INPUT(IN_COMM_1) : INPUT(in);
		if (asked & bits)
			continue;
		less.known &= ~bits;
		trial_ask(ms, &less);
		if (less.decided && less.allow == s->t.allow && trial_kills(ms, s->m, &less))
			s->t = less;
	}
}

/* Facts that do not matter to the mutant, but to the policy. */
static void add_facts(struct search *s)
{
	for (enum input in = IN_UID; in < IN_PARAM_0; in++) {
		int64_t lo, hi;
		struct values v = {.n = 0};
		if (s->t.known & INPUT(in) || !(s->ms->inputs & INPUT(in)))
			continue;
		input_range(in, &lo, &hi);
		nice(s, in, lo, hi, &v);
		s->t.inputs[in] = v.list[0];
		s->t.known |= INPUT(in);
	}
}

/* Every input has its value: is it what was looked for? */
static bool arrived(struct search *s)
{
	s->tries++;
	input_set comm = INPUT(IN_COMM_0) | INPUT(IN_COMM_1);
	add_facts(s);
	if (s->t.known >> IN_PARAM_0) { /* a value that is not understood cannot be given */
		s->limited = true;
		return false;
	}
	if (s->t.known & comm) {
		s->t.known |= comm;
		if (!comm_is_name(&s->t.inputs[IN_COMM_0]))
			return false;
		if (!s->odd_names && !is_plain(&s->t.inputs[IN_COMM_0])) {
			s->odd = true;
			return false;
		}
	}
	trial_ask(s->ms, &s->t);
	if (!s->t.decided || !trial_kills(s->ms, s->m, &s->t))
		return false;
	drop_facts(s);
	struct request words;
	bool told = trial_request(policy_asks(&s->ms->policy), &s->t, &words);
	s->limited |= !told;
	return told;
}

/* One value of an input, then the inputs behind it. */
static bool with_value(struct search *s, node n, enum input in, int64_t value)
{
	struct trial before = s->t;
	s->t.inputs[in] = value;
	s->t.known |= INPUT(in);
	if (search(s, n, in + 1))
		return true;
	s->t = before;
	return false;
}

static bool with_values(struct search *s, node n, enum input in, input_set given, int64_t lo, int64_t hi)
{
	int64_t least, most;
	input_range(in, &least, &most);
	lo = lo < least ? least : lo;
	hi = hi > most ? most : hi;
	if (lo > hi || n == diagram_terminal(OUT_PASS))
		return false;
	struct values v = values_of(s, n, in, given, lo, hi);
	for (size_t i = 0; i < v.n; i++)
		if (with_value(s, n, in, v.list[i]))
			return true;
	return false;
}

/* First the edge with a number that people know; then the others; then that with 0, which is no major of a device. */
static bool search_edges(struct search *s, node n, enum input in, input_set given)
{
	uint32_t edges = node_switch(s->ms->pd.dg, n).n;
	for (int turn = 0; turn < 3; turn++)
		for (uint32_t i = 0; i < edges; i++) {
			struct switch_node sw = node_switch(s->ms->pd.dg, n);
			int64_t lo = switch_edge_lo(s->ms->pd.dg, &sw, i), hi = sw.edges[i].hi;
			struct values known = {.n = 0};
			nice(s, in, lo, hi, &known);
			if (turn == (known.n ? 0 : lo <= 0 && hi >= 0 ? 2 : 1) && with_values(s, sw.edges[i].to, in, given, lo, hi))
				return true;
		}
	return false;
}

/* A way from n on, from this input on. */
static bool search(struct search *s, node n, enum input in)
{
	outcome o;
	if (n == diagram_terminal(OUT_PASS))
		return false;
	if (s->tries > TRIES_MAX) {
		s->limited = true;
		return false;
	}
	while (in == IN_REQUESTED || in == IN_ACCESS)
		in++;
	if (in == INPUT_MAX)
		return arrived(s);
	input_set given = s->t.known;
	bool here = !node_is_terminal(n, &o) && node_switch(s->ms->pd.dg, n).var == in;
	if (!here && (in <= IN_MINOR || s->ms->compared & INPUT(in)))
		return with_values(s, n, in, given, INT64_MIN, INT64_MAX);
	if (!here)
		return search(s, n, in + 1);
	return search_edges(s, n, in, given);
}

static bool find_for(struct search *s, int set)
{
	struct diagrams *dg = s->ms->pd.dg;
	node n = diagram_ite(dg, mutant_request_diff(s->ms, s->m, set), s->ms->possible, diagram_terminal(OUT_PASS));
	s->t = (struct trial){.known = INPUT(IN_REQUESTED) | INPUT(IN_ACCESS)};
	s->t.inputs[IN_REQUESTED] = set;
	s->tries = 0;
	return n != diagram_terminal(OUT_PASS) && search(s, n, IN_TYPE);
}

/* Reading and writing are asked together where that tells as much. */
static void ask_more(struct search *s)
{
	struct trial more = s->t;
	if (more.inputs[IN_REQUESTED] != ACC_READ && more.inputs[IN_REQUESTED] != ACC_WRITE)
		return;
	more.inputs[IN_REQUESTED] = ACC_READ | ACC_WRITE;
	trial_ask(s->ms, &more);
	struct search both = {.ms = s->ms, .t = more};
	input_set facts = (INPUT(IN_PARAM_0) - 1) & ~(INPUT(IN_UID) - 1);
	if (more.decided && trial_kills(s->ms, s->m, &more) && !(asked_for(&both) & facts & ~more.known))
		s->t = more;
}

enum found find_trial(struct mutants *ms, const struct mutant *m, struct trial *out)
{
	static const int sets[] = {ACC_READ, ACC_WRITE, ACC_MKNOD, 0, ACC_READ | ACC_WRITE};
	struct search s = {.ms = ms, .m = m};
	size_t n = ms->sets ? 5 : 4;
	for (size_t i = 0; i < 2 * n; i++) {
		s.odd_names = i >= n;
		if ((s.odd_names && !s.odd) || !find_for(&s, sets[i % n]))
			continue;
		ask_more(&s);
		*out = s.t;
		return FOUND_ONE;
	}
	return s.limited || !diagram_ok(ms->pd.dg) ? FOUND_UNSURE : FOUND_NONE;
}
