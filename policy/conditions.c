/*
 * conditions.c - what decides beside the device, as a term and as Ruby.
 *
 * A few ways to be allowed are said as such: `ctx.uid == 0 || ctx.gid.between?(5, 9)`. Others as the term
 * has them. The two halves of a name are Ruby only as a way.
 */
#include "policy/conditions.h"
#include "policy/arena.h"
#include "policy/ways.h"
#include "policy/who_text.h"

#include <inttypes.h>
#include <string.h>

enum { SETS = ACC_ALL + 1 };

bool is_asked(int set)
{
	return !(set & ACC_MKNOD) || set == ACC_MKNOD;
}

/* ---- terms ------------------------------------------------------------------------------------- */

struct making { struct diagrams *dg; struct terms *terms; term *made; };

static term term_of_node(struct making *m, node n);

/* Values of files are names and have no order: each that is told from the others is compared by itself. */
static term term_of_file(struct making *m, const struct switch_node *s)
{
	struct terms *ts = m->terms;
	term file = term_input(ts, (enum input)s->var), any = T_FALSE, none = T_TRUE;
	node others = s->edges[s->n - 1].to;
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->edges[i].to == others)
			continue;
		term here = term_between(ts, file, switch_edge_lo(m->dg, s, i), s->edges[i].hi);
		any = term_or(ts, any, term_and(ts, here, term_of_node(m, s->edges[i].to)));
		none = term_and(ts, none, term_not(ts, here));
	}
	return term_or(ts, any, term_and(ts, none, term_of_node(m, others)));
}

/* A node of a boolean function as a term. */
static term term_of_node(struct making *m, node n)
{
	struct terms *ts = m->terms;
	outcome o;
	if (node_is_terminal(n, &o))
		return OUTCOME_KIND(o) == OUT_ALLOW ? T_TRUE : T_FALSE;
	if (m->made[n])
		return m->made[n] - 1;
	struct switch_node s = node_switch(m->dg, n);
	term any = T_FALSE;
	if (s.var < IN_PARAM_0 && input_kind((enum input)s.var) == FACT_FILE) {
		any = term_of_file(m, &s);
		m->made[n] = any + 1;
		return any;
	}
	for (uint32_t i = 0; i < s.n; i++) {
		term below = term_of_node(m, s.edges[i].to);
		int64_t lo = switch_edge_lo(m->dg, &s, i);
		term here = s.var < INPUT_MAX ? term_between(ts, term_input(ts, (enum input)s.var), lo, s.edges[i].hi)
		            : lo == s.edges[i].hi ? (lo ? diagram_free_term(m->dg, s.var) : term_not(ts, diagram_free_term(m->dg, s.var)))
		                                  : T_TRUE;
		any = term_or(ts, any, term_and(ts, here, below));
	}
	m->made[n] = any + 1;
	return any;
}

/* ---- Ruby of ways --------------------------------------------------------------------------------- */

static const char *range_ruby(struct arena *a, const char *name, struct interval r, int64_t least, int64_t most)
{
	if (r.lo == r.hi)
		return arena_printf(a, "ctx.%s == %" PRId64, name, r.lo);
	if (r.lo == least)
		return arena_printf(a, "ctx.%s <= %" PRId64, name, r.hi);
	return r.hi == most ? arena_printf(a, "ctx.%s >= %" PRId64, name, r.lo)
	                    : arena_printf(a, "ctx.%s.between?(%" PRId64 ", %" PRId64 ")", name, r.lo, r.hi);
}

/* "[1, 5].include?(ctx.uid)" of the single ones, and the others. */
static const char *ranges_ruby(struct arena *a, const char *name, const struct interval *list, size_t n, int64_t least, int64_t most)
{
	const char *singles = "", *text = "";
	size_t alone = 0, parts = 0;
	for (size_t i = 0; i < n; i++)
		alone += list[i].lo == list[i].hi;
	for (size_t i = 0; i < n; i++) {
		if (list[i].lo == list[i].hi && alone > 1)
			singles = arena_printf(a, "%s%s%" PRId64, singles, *singles ? ", " : "", list[i].lo);
		else
			text = arena_printf(a, "%s%s%s", text, parts++ ? " || " : "", range_ruby(a, name, list[i], least, most));
	}
	if (*singles)
		text = arena_printf(a, "[%s].include?(ctx.%s)%s%s", singles, name, parts++ ? " || " : "", text);
	return parts > 1 ? arena_printf(a, "(%s)", text) : text;
}

/* A number that may be unset: then it is nil, which compares with no number. */
static const char *unset_ruby(const struct ways *w, const char *name, const struct asks *k)
{
	struct arena *a = w->arena;
	struct number_or_none of = asks_with_none(w, k);
	bool others = asks_rather_not(&of.set, of.not, of.nnot), single = true;
	if (!of.set.n || !of.nnot)
		return arena_printf(a, "%sctx.%s.nil?", of.set.n ? "!" : "", name);
	const struct interval *list = others ? of.not : of.set.ranges;
	size_t n = others ? of.nnot : of.set.n;
	for (size_t i = 0; i < n; i++)
		single &= list[i].lo == list[i].hi;
	const char *text = ranges_ruby(a, name, list, n, others ? INT64_MIN : 0, others ? INT64_MAX : ID_NONE - 1);
	if (others) /* not these, and set where nil is not allowed, or would be compared */
		text = n == 1 && single ? arena_printf(a, "ctx.%s != %" PRId64, name, list->lo) : arena_printf(a, "!%s", text);
	if (of.none)
		return single && others ? text : arena_printf(a, "(ctx.%s.nil? || %s)", name, text);
	return single && !others ? text : arena_printf(a, "(!ctx.%s.nil? && %s)", name, text);
}

static const char *fact_ruby(const struct ways *w, const struct asks *k)
{
	enum { RANGES_MAX = 200 };
	enum input in = (enum input)k->var;
	const char *name = terms_input_name(w->terms, in);
	enum fact_kind kind = in < IN_PARAM_0 ? input_kind(in) : FACT_NONE;
	int64_t least = diagram_var_min(w->dg, k->var), most = diagram_var_max(w->dg, k->var);
	const char *yes = who_ruby(w->arena, w->terms, in, intervals_have(k->ranges, k->n, 1));
	struct interval *not;
	size_t n;
	bool others = asks_by_others(w, k, &not, &n);
	if (yes || kind == FACT_FILE)
		return yes ? yes : who_file_ruby(w->arena, w->terms, in, k->ranges, k->n);
	if ((others ? n : k->n) > RANGES_MAX)
		return NULL;
	if (kind == FACT_OR_NONE)
		return unset_ruby(w, name, k);
	if (!others)
		return ranges_ruby(w->arena, name, k->ranges, k->n, least, most);
	return intervals_are_one(not, n) ? arena_printf(w->arena, "ctx.%s != %" PRId64, name, not->lo)
	                                 : arena_printf(w->arena, "!%s", ranges_ruby(w->arena, name, not, n, INT64_MIN, INT64_MAX));
}

/* Letters as in quotes; NULL: they are not for that. */
static const char *quotable(struct arena *a, const char *text)
{
	char *out = arena_alloc(a, 2 * strlen(text) + 1), *to = out;
	for (const char *at = text; *at; at++) {
		if (*at < ' ' || *at > '~')
			return NULL;
		if (strchr("\"\\#", *at))
			*to++ = '\\';
		*to++ = *at;
	}
	*to = '\0';
	return out;
}

/* Letters of half a comm; NULL: not for a text in quotes. */
static const char *half_letters(struct arena *a, const struct asks *k)
{
	char text[sizeof(int64_t) + 1] = "";
	static const char none[sizeof(int64_t)];
	if (!intervals_are_one(k->ranges, k->n))
		return NULL;
	memcpy(text, &k->ranges->lo, sizeof(int64_t));
	size_t n = strlen(text);
	return memcmp(text + n, none, sizeof(int64_t) - n) ? NULL : quotable(a, text);
}

/* Both halves, or the first alone where it is full. NULL: it is no Ruby. */
static const char *comm_ruby(const struct ways *w, const struct asks *first, const struct asks *second)
{
	const char *begin = half_letters(w->arena, first), *end = second ? half_letters(w->arena, second) : "";
	bool full = begin && memchr(&first->ranges->lo, 0, sizeof(int64_t)) == NULL;
	if (!begin || !end || (!full && (!second || *end)))
		return NULL;
	return second ? arena_printf(w->arena, "ctx.comm == \"%s%s\"", begin, end)
	              : arena_printf(w->arena, "ctx.comm.start_with?(\"%s\")", begin);
}

/* A beginning of more than a half. */
static const char *longer_ruby(const struct ways *w, const struct asks *first, const struct asks *next)
{
	enum input half = IN_COMM_0;
	const char *begin = half_letters(w->arena, first), *more = next ? asks_beginning(w, next, &half) : NULL;
	more = more && half == IN_COMM_1 && next->ranges->lo ? quotable(w->arena, more) : NULL;
	return begin && more && !memchr(&first->ranges->lo, 0, sizeof(int64_t))
	               ? arena_printf(w->arena, "ctx.comm.start_with?(\"%s%s\")", begin, more)
	               : NULL;
}

/* A comparison of several inputs, or of a parameter. */
static const char *comparison_ruby(const struct ways *w, const struct asks *k, size_t nparams)
{
	enum input half;
	const char *begin = asks_beginning(w, k, &half), *text = begin && half == IN_COMM_0 ? quotable(w->arena, begin) : NULL;
	text = text ? arena_printf(w->arena, "ctx.comm.start_with?(\"%s\")", text)
	            : term_ruby(w->arena, w->terms, nparams, diagram_free_term(w->dg, k->var));
	return !text || k->ranges->lo ? text : arena_printf(w->arena, "!%s", text);
}

static const char *way_ruby(const struct ways *w, const struct way *way, size_t nparams)
{
	const char *text = "";
	for (size_t i = 0; i < way->n; i++) {
		const struct asks *k = &way->list[i], *next = i + 1 < way->n ? k + 1 : NULL;
		const char *one = NULL;
		if (k->var == IN_COMM_0) {
			const struct asks *second = next && next->var == IN_COMM_1 ? next : NULL;
			one = longer_ruby(w, k, next);
			i += second || one;
			one = one ? one : comm_ruby(w, k, second);
		} else if (k->var >= INPUT_MAX) {
			one = comparison_ruby(w, k, nparams);
		} else if (k->var != IN_COMM_1 && k->var < IN_PARAM_0 + nparams) {
			one = fact_ruby(w, k);
		}
		if (!one)
			return NULL;
		text = arena_printf(w->arena, "%s%s%s", text, *text ? " && " : "", one);
	}
	return text;
}

/* NULL: too many ways, or one of them cannot be said. */
static const char *ways_ruby(struct ways *w, size_t nparams)
{
	if (w->too_many)
		return NULL;
	struct way common = ways_take_common(w);
	const char *any = "", *all = way_ruby(w, &common, nparams);
	for (size_t i = 0; i < w->n; i++) {
		const char *one = way_ruby(w, &w->list[i], nparams);
		if (!one)
			return NULL;
		bool wrap = w->n > 1 && w->list[i].n > 1;
		any = arena_printf(w->arena, "%s%s%s%s%s", any, i ? " || " : "", wrap ? "(" : "", one, wrap ? ")" : "");
	}
	if (!all)
		return NULL;
	if (*all)
		any = arena_printf(w->arena, w->n > 1 ? "%s && (%s)" : "%s && %s", all, any);
	return w->allow ? any : arena_printf(w->arena, "!(%s)", any);
}

/* ---- Ruby of a tree ------------------------------------------------------------------------------------ */

/* Where there are many ways: one question after the other. */
struct tree { struct ways w; struct diagrams *dg; size_t nparams, bytes; };

static const char *tree_ruby(struct tree *t, node n, int depth);

static const char *choose(struct tree *t, const char *question, node yes, const char *no, int depth)
{
	const char *one = tree_ruby(t, yes, depth + 1);
	if (!question || !one || !no)
		return NULL;
	const char *text = !strcmp(one, "true") && !strcmp(no, "false") ? question
	                   : !strcmp(one, "false") && !strcmp(no, "true") ? arena_printf(t->w.arena, "!(%s)", question)
	                                                                  : arena_printf(t->w.arena, "(%s ? %s : %s)", question, one, no);
	t->bytes += strlen(text);
	return text;
}

/* What all values but single ones lead to. False: they lead to several nodes. */
static bool otherwise(const struct diagrams *dg, const struct switch_node *s, node *out)
{
	bool found = false;
	for (uint32_t i = 0; i < s->n; i++)
		if (switch_edge_lo(dg, s, i) != s->edges[i].hi) {
			if (found && *out != s->edges[i].to)
				return false;
			*out = s->edges[i].to;
			found = true;
		}
	return found;
}

/* The names that begin with one value of the first half: where the second half is another one, it is
 * as if the first were. */
static const char *second_half(struct tree *t, const struct asks *first, node n, node rest, const char *no, int depth)
{
	struct switch_node s;
	outcome o;
	node other;
	if (node_is_terminal(n, &o) || (s = node_switch(t->dg, n)).var != IN_COMM_1)
		return choose(t, comm_ruby(&t->w, first, NULL), n, no, depth);
	if (!otherwise(t->dg, &s, &other) || other != rest)
		return NULL;
	for (uint32_t i = s.n; i-- > 0 && no;) {
		const struct interval value = {s.edges[i].hi, s.edges[i].hi};
		const struct asks second = {IN_COMM_1, &value, 1};
		if (s.edges[i].to != rest && switch_edge_lo(t->dg, &s, i) == s.edges[i].hi)
			no = choose(t, comm_ruby(&t->w, first, &second), s.edges[i].to, no, depth);
	}
	return no;
}

static const char *name_ruby(struct tree *t, const struct switch_node *s, int depth)
{
	node rest;
	if (!otherwise(t->dg, s, &rest))
		return NULL;
	const char *text = tree_ruby(t, rest, depth + 1);
	for (uint32_t i = s->n; i-- > 0 && text;) {
		const struct interval value = {s->edges[i].hi, s->edges[i].hi};
		const struct asks first = {IN_COMM_0, &value, 1};
		if (s->edges[i].to != rest && switch_edge_lo(t->dg, s, i) == s->edges[i].hi)
			text = second_half(t, &first, s->edges[i].to, rest, text, depth);
	}
	return text;
}

static const char *tree_ruby(struct tree *t, node n, int depth)
{
	enum { DEPTH_MAX = 24, BYTES_MAX = 60000 };
	outcome o;
	if (node_is_terminal(n, &o))
		return OUTCOME_KIND(o) == OUT_ALLOW ? "true" : "false";
	struct switch_node s = node_switch(t->dg, n);
	if (depth > DEPTH_MAX || t->bytes > BYTES_MAX || s.var == IN_COMM_1 || (s.var >= IN_PARAM_0 + t->nparams && s.var < INPUT_MAX))
		return NULL;
	if (s.var == IN_COMM_0)
		return name_ruby(t, &s, depth);
	const char *text = NULL;
	for (uint32_t i = s.n; i-- > 0;) {
		bool earlier = false;
		for (uint32_t k = 0; k < i; k++)
			earlier |= s.edges[k].to == s.edges[i].to;
		if (earlier)
			continue;
		struct asks k = asks_to(&t->w, &s, i);
		text = !text              ? tree_ruby(t, s.edges[i].to, depth + 1)
		       : s.var < INPUT_MAX ? choose(t, fact_ruby(&t->w, &k), s.edges[i].to, text, depth)
		                           : choose(t, comparison_ruby(&t->w, &k, t->nparams), s.edges[i].to, text, depth);
		if (!text)
			return NULL;
	}
	return text;
}

struct condition condition_of(struct arena *a, struct diagrams *dg, const struct policy *p, node n)
{
	struct arena *scratch = arena_scratch(a);
	struct making m = {dg, p->terms, arena_alloc(scratch, (diagram_nodes(dg) + 1) * sizeof *m.made)};
	struct condition out = {.t = term_of_node(&m, n)};
	outcome o;
	arena_free(scratch);
	if (!node_is_terminal(n, &o))
		out.ruby = ways_ruby(ways_of(a, dg, p->terms, n), p->nparams);
	if (!out.ruby)
		out.ruby = term_ruby(a, p->terms, p->nparams, out.t);
	if (!out.ruby) { /* halves of a name, perhaps, that are one */
		struct tree t = {.w = {.arena = a, .dg = dg, .terms = p->terms}, .dg = dg, .nparams = p->nparams};
		out.ruby = tree_ruby(&t, n, 0);
	}
	return out;
}

/* ---- of requests -------------------------------------------------------------------------------------- */

static struct condition either(struct arena *a, struct terms *ts, struct condition x, struct condition y)
{
	struct condition out = {.t = term_or(ts, x.t, y.t)};
	if (x.t == T_FALSE)
		out.ruby = y.ruby;
	else if (x.ruby && y.ruby)
		out.ruby = arena_printf(a, "%s || %s", x.ruby, y.ruby);
	return out;
}

/* Requests for one of some sets: "[2, 6].include?(ctx.requested)". */
static struct condition requested(struct arena *a, struct terms *ts, unsigned sets)
{
	struct condition out = {.t = T_FALSE};
	const char *list = "";
	for (int set = 0; set < SETS; set++)
		if (sets & 1u << set) {
			out.t = term_or(ts, out.t, term_eq(ts, term_input(ts, IN_REQUESTED), term_const(ts, set)));
			list = arena_printf(a, "%s%s%d", list, *list ? ", " : "", set);
		}
	out.ruby = strchr(list, ',') ? arena_printf(a, "[%s].include?(ctx.requested)", list) : arena_printf(a, "ctx.requested == %s", list);
	return out;
}

/* Answer n, to requests for these sets. */
static struct condition answer_to(struct arena *a, struct diagrams *dg, const struct policy *p, node n, unsigned sets)
{
	enum { ALL = 1u << 0 | 1u << ACC_MKNOD | 1u << ACC_READ | 1u << ACC_WRITE | 1u << (ACC_READ | ACC_WRITE) };
	struct condition out = condition_of(a, dg, p, n);
	if ((sets & ALL) == ALL || out.t == T_FALSE)
		return out;
	struct condition asked = requested(a, p->terms, sets & ALL);
	bool always = out.t == T_TRUE;
	out.t = term_and(p->terms, asked.t, out.t);
	out.ruby = always ? asked.ruby : out.ruby ? arena_printf(a, "(%s && (%s))", asked.ruby, out.ruby) : NULL;
	return out;
}

struct condition condition_of_requests(struct arena *a, const struct device_classes *cs, const struct policy *p,
                                       const struct device_class *c)
{
	struct condition any = {.t = T_FALSE};
	unsigned done = 0;
	for (int i = 0; i < cs->nasked; i++) {
		unsigned sets = 0;
		for (int k = i; k < cs->nasked; k++)
			if (c->answer[k] == c->answer[i] && is_asked(cs->asked[k]) && !(done & 1u << cs->asked[k]))
				sets |= 1u << cs->asked[k];
		done |= sets;
		struct condition one = sets ? answer_to(a, cs->dg, p, c->answer[i], sets) : (struct condition){.t = T_FALSE};
		if (one.t != T_FALSE)
			any = either(a, p->terms, any, one);
	}
	return any;
}
