/*
 * meaning.c - a policy's diagram as one line for a person.
 *
 * The rules asked about one access are a function of the device, the access and the caller. The
 * caller is taken out of it twice: what is allowed whoever asks, and what somebody is allowed. The
 * first is told by counts and patterns; where the second has more, the facts that decide are named.
 *
 * Needs a finished diagram. Works on a copy of it with a budget of its own: where that ends, the line
 * says less, and nothing that is not so. Linear in the diagram where no rule asks about the caller.
 */
#include "policy/arena.h"
#include "policy/meaning.h"
#include "policy/params.h"

#include <inttypes.h>
#include <string.h>

enum {
	DEVICE = INPUT(IN_TYPE) | INPUT(IN_ACCESS) | INPUT(IN_MAJOR) | INPUT(IN_MINOR),
	TIMES = 8, ROOM = 64 << 10, /* nodes: so many for each that was there, and some */
	KINDS = 3,       /* of accesses: r, w, m */
	SHOWN = 3,       /* patterns in a line */
	EDGES_MAX = 64 << 10, /* of switches on the caller: each is a walk of what is below it */
};

/* ---- the caller taken out ------------------------------------------------------------------ */

static outcome allowed_only(const void *arg, outcome o)
{
	(void)arg;
	return OUTCOME_KIND(o) == OUT_ALLOW ? OUT_ALLOW : OUT_PASS;
}

static bool about_device(uint32_t var)
{
	return var < INPUT_MAX && (INPUT(var) & DEVICE);
}

/* One access, of every request that can ask for it: mknod comes alone. */
static node asked_for(struct diagrams *dg, node n, int access, bool all)
{
	node one = diagram_restrict(dg, n, IN_ACCESS, access);
	node alone = diagram_restrict(dg, one, IN_REQUESTED, access);
	if (access == ACC_MKNOD)
		return alone;
	node both = diagram_restrict(dg, one, IN_REQUESTED, ACC_READ | ACC_WRITE);
	return all ? diagram_ite(dg, alone, both, diagram_terminal(OUT_PASS))
	           : diagram_ite(dg, alone, diagram_terminal(OUT_ALLOW), both);
}

/* What a diagram asks beside the device: inputs, of comparisons of several of them all. *edges: how
 * many ways it goes there. */
static input_set asked_below(struct arena *a, const struct diagrams *dg, node root, size_t *edges)
{
	const bool *below = diagram_below(a, dg, &root, 1);
	input_set inputs = 0;
	*edges = 0;
	for (node k = 0; k < diagram_nodes(dg); k++) {
		struct switch_node sw = node_switch(dg, k);
		if (below[k] && !about_device(sw.var)) {
			inputs |= diagram_var_inputs(dg, sw.var);
			*edges += sw.n;
		}
	}
	return inputs;
}

/* ---- sets of devices of one type ----------------------------------------------------------- */

/* A run of devices: what a pattern names. */
struct piece { int64_t major_lo, major_hi, minor_lo, minor_hi; };
struct devices {
	struct piece whole[SHOWN], part[SHOWN]; /* all minors, or some: the first of them */
	size_t nwhole, npart;
	int64_t majors, singles; /* how many: majors with all their minors, and devices of the others */
};

static void add_piece(struct devices *d, struct piece p)
{
	int64_t majors = p.major_hi - p.major_lo + 1;
	if (p.minor_lo == 0 && p.minor_hi == MINOR_MAX) {
		d->majors += majors;
		if (d->nwhole++ < SHOWN)
			d->whole[d->nwhole - 1] = p;
	} else {
		d->singles += majors * (p.minor_hi - p.minor_lo + 1);
		if (d->npart++ < SHOWN)
			d->part[d->npart - 1] = p;
	}
}

static bool is_in(node n, bool inverted)
{
	outcome o;
	return node_is_terminal(n, &o) && (o == OUT_ALLOW) != inverted;
}

/* The minors of some majors. */
static void add_minors(struct devices *d, struct diagrams *dg, node n, int64_t lo, int64_t hi, bool inverted)
{
	outcome o;
	if (node_is_terminal(n, &o)) {
		if (is_in(n, inverted))
			add_piece(d, (struct piece){lo, hi, 0, MINOR_MAX});
		return;
	}
	struct switch_node sw = node_switch(dg, n);
	for (uint32_t i = 0; i < sw.n; i++) {
		int64_t from = switch_edge_lo(dg, &sw, i), to = sw.edges[i].hi < MINOR_MAX ? sw.edges[i].hi : MINOR_MAX;
		if (is_in(sw.edges[i].to, inverted) && from <= to)
			add_piece(d, (struct piece){lo, hi, from, to});
	}
}

/* The devices for which it is true; inverted: for which it is not. Minors come below majors. */
static struct devices devices_of(struct diagrams *dg, node n, bool inverted)
{
	struct devices d = {0};
	outcome o;
	if (node_is_terminal(n, &o) || node_switch(dg, n).var != IN_MAJOR) {
		add_minors(&d, dg, n, 0, MAJOR_MAX, inverted);
		return d;
	}
	struct switch_node sw = node_switch(dg, n);
	for (uint32_t i = 0; i < sw.n; i++) {
		int64_t lo = switch_edge_lo(dg, &sw, i), hi = sw.edges[i].hi < MAJOR_MAX ? sw.edges[i].hi : MAJOR_MAX;
		if (lo <= hi)
			add_minors(&d, dg, sw.edges[i].to, lo, hi, inverted);
	}
	return d;
}

/* ---- words ------------------------------------------------------------------------------------ */

static const char *range_text(struct arena *a, int64_t lo, int64_t hi, int64_t most)
{
	if (lo == 0 && hi == most)
		return "*";
	return lo == hi ? arena_printf(a, "%" PRId64, lo) : arena_printf(a, "%" PRId64 "-%" PRId64, lo, hi);
}

static const char *piece_text(struct arena *a, int type, const struct piece *p)
{
	return arena_printf(a, "%c %s:%s", type == DEV_BLOCK ? 'b' : 'c', range_text(a, p->major_lo, p->major_hi, MAJOR_MAX),
	                    range_text(a, p->minor_lo, p->minor_hi, MINOR_MAX));
}

/* "a", "a and b", "a, b and c" */
struct list {
	const char *items[1 + SHOWN + SHOWN];
	size_t n;
};

static void list_pieces(struct arena *a, struct list *l, int type, const struct piece *pieces, size_t n)
{
	for (size_t i = 0; i < n; i++)
		l->items[l->n++] = piece_text(a, type, &pieces[i]);
}

static const char *list_text(struct arena *a, const struct list *l)
{
	const char *text = l->n ? l->items[0] : "";
	for (size_t i = 1; i < l->n; i++)
		text = arena_printf(a, "%s%s%s", text, i + 1 < l->n ? ", " : " and ", l->items[i]);
	return text;
}

static const char *type_word(int type)
{
	return type == DEV_BLOCK ? "block" : "character";
}

/* What is in the set, one or more: patterns where they are few, else counts. */
static const char *some_text(struct arena *a, int type, const struct devices *d, bool brief)
{
	struct list l = {.n = 0};
	size_t shown = brief ? 1 : SHOWN;
	if (d->npart + d->nwhole <= (brief ? 1 : 2))
		list_pieces(a, &l, type, d->part, d->npart);
	else if (d->npart)
		l.items[l.n++] = arena_printf(a, "%" PRId64 " %s device%s", d->singles, type_word(type),
		                              d->singles == 1 ? "" : "s");
	if (d->nwhole <= shown)
		list_pieces(a, &l, type, d->whole, d->nwhole);
	else
		l.items[l.n++] = arena_printf(a, "all of %" PRId64 " %s majors", d->majors, type_word(type));
	return list_text(a, &l);
}

static const char *set_text(struct arena *a, struct diagrams *dg, int type, node n, bool brief)
{
	struct devices d = devices_of(dg, n, false), rest = devices_of(dg, n, true);
	if (!d.nwhole && !d.npart)
		return arena_printf(a, "no %s device", type_word(type));
	if (!rest.nwhole && !rest.npart)
		return arena_printf(a, "all %s devices", type_word(type));
	if (d.majors <= MAJOR_MAX / 2)
		return some_text(a, type, &d, brief);
	return arena_printf(a, "all %s devices but %s", type_word(type), some_text(a, type, &rest, brief));
}

/* The devices of one access, of both types. */
struct access_sets { node of[DEV_CHAR + 1]; };

static const char *both_text(struct arena *a, struct diagrams *dg, const struct access_sets *s, bool brief)
{
	node none = diagram_terminal(OUT_PASS), all = diagram_terminal(OUT_ALLOW);
	node c = s->of[DEV_CHAR], b = s->of[DEV_BLOCK];
	if (c == b && (c == none || c == all))
		return c == all ? "everything" : "nothing";
	return arena_printf(a, "%s, %s", set_text(a, dg, DEV_CHAR, c, brief), set_text(a, dg, DEV_BLOCK, b, brief));
}

static bool alike(const struct access_sets *x, const struct access_sets *y)
{
	return x->of[DEV_CHAR] == y->of[DEV_CHAR] && x->of[DEV_BLOCK] == y->of[DEV_BLOCK];
}

/* Accesses with the same devices are told together. */
static const char *line_of(struct arena *a, struct diagrams *dg, const struct access_sets s[KINDS], bool brief)
{
	static const char *const verbs[1 << KINDS] = {
		[1] = "reads", [2] = "writes", [3] = "opens", [4] = "makes", [5] = "reads and makes",
		[6] = "writes and makes", [7] = "allows",
	};
	const char *line = "";
	unsigned told = 0;
	for (int i = 0; i < KINDS; i++) {
		unsigned same = 0;
		for (int k = i; k < KINDS; k++)
			if (!(told & 1u << k) && alike(&s[i], &s[k]))
				same |= 1u << k;
		if (told & 1u << i)
			continue;
		told |= same;
		line = arena_printf(a, "%s%s%s %s", line, *line ? "; " : "", verbs[same], both_text(a, dg, &s[i], brief));
	}
	return line;
}

/* "uid, comm": what decides beside lists of devices. */
static const char *facts_text(struct arena *a, const struct terms *ts, input_set inputs, bool has_params)
{
	const char *text = "";
	if (!has_params && inputs >> IN_PARAM_0) {
		inputs &= INPUT(IN_PARAM_0) - 1;
		text = "what is not understood";
	}
	for (int in = 0; in < INPUT_MAX; in++)
		if (inputs & INPUT(in) && !(in == IN_COMM_1 && inputs & INPUT(IN_COMM_0)))
			text = arena_printf(a, "%s%s%s", text, *text ? ", " : "",
			                    in < IN_PARAM_0 ? terms_input_name(ts, (enum input)in) : input_name((enum input)in));
	return text;
}

/* ---- the whole -------------------------------------------------------------------------------- */

/* What is allowed whoever asks (all), or what anybody is. */
static void sets_of(struct diagrams *dg, node rules, bool asks, bool all, struct access_sets out[KINDS])
{
	static const int accesses[KINDS] = {ACC_READ, ACC_WRITE, ACC_MKNOD};
	for (int i = 0; i < KINDS; i++) {
		node one = asked_for(dg, rules, accesses[i], all);
		if (asks)
			one = diagram_without(dg, one, ALL_COMPARISONS | ~DEVICE, all);
		for (int type = DEV_BLOCK; type <= DEV_CHAR; type++)
			out[i].of[type] = diagram_restrict(dg, one, IN_TYPE, type);
	}
}

/* Within MEANING_MAX, or NULL. */
static const char *told(struct arena *a, struct diagrams *dg, const struct access_sets s[KINDS], const char *more,
                        bool brief)
{
	const char *line = arena_printf(a, "%s%s", line_of(a, dg, s, brief), more);
	return strlen(line) < MEANING_MAX ? line : NULL;
}

/* has_params: parameters are those of the policy; else what a program has that is not understood. */
static const char *meaning_within(struct arena *a, struct diagrams *dg, const struct terms *ts, node root, bool has_params)
{
	size_t edges;
	node rules = diagram_relabel(dg, root, allowed_only, NULL, false);
	if (!diagram_ok(dg))
		return NULL;
	input_set inputs = asked_below(a, dg, rules, &edges);
	struct access_sets always[KINDS], ever[KINDS];
	if (edges > EDGES_MAX)
		return NULL;
	sets_of(dg, rules, edges, true, always);
	sets_of(dg, rules, edges, false, ever);
	if (!diagram_ok(dg))
		return NULL;
	const char *more = "";
	for (int i = 0; i < KINDS && !*more; i++)
		if (!alike(&always[i], &ever[i]))
			more = arena_printf(a, "; more by %s", facts_text(a, ts, inputs, has_params));
	const char *line = told(a, dg, always, more, false);
	return line ? line : told(a, dg, always, more, true);
}

const char *policy_meaning(struct arena *a, const struct policy *p, const struct policy_diagram *pd)
{
	struct arena *scratch = arena_scratch(a);
	struct policy_diagram fixed = *pd;
	struct diags quiet;
	diags_init(&quiet, scratch);
	if (p->nparams && policy_diagram_any(policy_with_values(scratch, p), &quiet, &fixed))
		fixed = *pd;
	node root = fixed.access;
	struct diagrams *dg = diagrams_kept(scratch, fixed.dg, &root, 1);
	diagrams_allow(dg, TIMES * diagram_nodes(dg) + ROOM);
	const char *line = meaning_within(scratch, dg, p->terms, root, p->nparams);
	line = arena_strdup(a, line ? line : p->default_allow ? "allows what no rule denies; too varied for a line"
	                                                      : "denies what no rule allows; too varied for a line");
	arena_free(scratch);
	return line;
}
