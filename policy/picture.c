/*
 * picture.c - a policy drawn as a person thinks of it: which device, what is asked of it, who asks,
 * and at the leaves the rules.
 *
 * The diagram itself asks type, access, major and minor, a node each; here the devices that are
 * treated alike (classes.c) are one edge, by their names, and edges with one target are one.
 */
#include "policy/picture.h"
#include "policy/arena.h"
#include "policy/asked.h"
#include "policy/classes.h"
#include "policy/known.h"
#include "policy/text.h"

#include <inttypes.h>
#include <string.h>

struct picture {
	FILE *out;
	struct arena *arena;
	const struct policy *policy;
	struct device_classes classes;
	node *nodes; /* switches and leaves that are drawn: nodes[i] is n<i> */
	size_t n, cap;
};

/* ---- lists in labels ---------------------------------------------------------------- */

/* Items of a label, separated by commas, in lines. */
struct items {
	FILE *out;
	size_t n, left_out, column, line;
};

static void item(struct items *l, const char *text)
{
	enum { COLUMNS = 36, LINES = 8 };
	size_t n = strlen(text);
	if (l->n && l->column + n > COLUMNS && l->line < LINES) {
		fputs(",\\l", l->out);
		l->column = 0;
		l->line++;
	} else if (l->n && l->line < LINES) {
		fputs(", ", l->out);
	}
	l->n++;
	l->column += n + 2;
	if (l->line == LINES)
		l->left_out++;
	else
		picture_text(l->out, text);
}

static void items_end(const struct items *l)
{
	if (l->left_out)
		fprintf(l->out, ",\\land %zu more", l->left_out);
	if (l->line)
		fputs("\\l", l->out);
}

/* ---- devices -------------------------------------------------------------------------- */

/* "ttyUSB3" of ttyUSB0 and ttyUSB3: are they the same but for the number at the end? */
static bool in_one_series(const char *x, const char *y)
{
	while (*x && *x == *y && !(*x >= '0' && *x <= '9'))
		x++, y++;
	return *x && *y && !x[strspn(x, "0123456789")] && !y[strspn(y, "0123456789")];
}

/* Neighbours by their names. False: they have none. */
static bool run_by_name(struct picture *w, struct items *l, char type, int64_t major, struct interval run)
{
	enum { SEVERAL = 8 };
	const char *first = known_name_of(w->arena, type, major, run.lo);
	const char *last = known_name_of(w->arena, type, major, run.hi);
	if (first && last && run.hi > run.lo + 1 && in_one_series(first, last)) {
		item(l, arena_printf(w->arena, "%s to %s", first, last));
		return true;
	}
	for (int64_t minor = run.lo; minor <= run.hi; minor++)
		if (run.hi - run.lo > SEVERAL || !known_name_of(w->arena, type, major, minor))
			return false;
	for (int64_t minor = run.lo; minor <= run.hi; minor++)
		item(l, known_name_of(w->arena, type, major, minor));
	return true;
}

/* Some minors of one major, by their names where they have some. */
static void minors_by_name(struct picture *w, struct items *l, const struct block_of_devices *b, int64_t major)
{
	char type = b->type == DEV_BLOCK ? 'b' : 'c';
	struct interval *nameless = arena_alloc(w->arena, b->nminors * sizeof *nameless);
	size_t n = 0;
	for (size_t i = 0; i < b->nminors; i++)
		if (!run_by_name(w, l, type, major, b->minors[i]))
			nameless[n++] = b->minors[i];
	if (n)
		item(l, arena_printf(w->arena, "%c %" PRId64 ":%s", type, major,
		                     intervals_text(w->arena, nameless, n, MINOR_MAX)));
}

/* The same numbers as the other type. */
static bool has_twin(const struct device_class *c, const struct block_of_devices *b)
{
	for (const struct block_of_devices *x = c->blocks; x < c->blocks + c->nblocks; x++)
		if (x->type != b->type && x->nmajors == b->nmajors && x->nminors == b->nminors &&
		    !memcmp(x->majors, b->majors, b->nmajors * sizeof *b->majors) &&
		    !memcmp(x->minors, b->minors, b->nminors * sizeof *b->minors))
			return true;
	return false;
}

static void block_items(struct picture *w, struct items *l, const struct device_class *c,
                        const struct block_of_devices *b, bool both_types)
{
	bool twin = both_types && has_twin(c, b);
	if (twin && b->type == DEV_CHAR)
		return;
	const char *minors = intervals_text(w->arena, b->minors, b->nminors, MINOR_MAX);
	const char *majors = intervals_text(w->arena, b->majors, b->nmajors, MAJOR_MAX);
	const char *text = arena_printf(w->arena, "%c %s:%s", twin ? 'a' : b->type == DEV_BLOCK ? 'b' : 'c', majors, minors);
	const char *name = known_name_of_numbers(text);
	if (twin)
		item(l, text);
	else if (name)
		item(l, name);
	else if (intervals_are_one(b->majors, b->nmajors))
		minors_by_name(w, l, b, b->majors->lo);
	else
		item(l, text);
}

/* Has the class more devices of the type than any other? It is then "any other" one. */
static bool is_rest(const struct picture *w, const struct device_class *c, int type)
{
	for (size_t i = 0; i < w->classes.n; i++)
		if (w->classes.list[i].devices[type] > c->devices[type])
			return false;
	return true;
}

static bool is_alone(const struct picture *w, const struct device_class *c, int type)
{
	for (size_t i = 0; i < w->classes.n; i++)
		if (&w->classes.list[i] != c && w->classes.list[i].devices[type])
			return false;
	return true;
}

static void class_label(struct picture *w, const struct device_class *c)
{
	struct items l = {.out = w->out};
	bool rest[] = {[DEV_BLOCK] = is_rest(w, c, DEV_BLOCK), [DEV_CHAR] = is_rest(w, c, DEV_CHAR)};
	bool alone[] = {[DEV_BLOCK] = is_alone(w, c, DEV_BLOCK), [DEV_CHAR] = is_alone(w, c, DEV_CHAR)};
	for (size_t i = 0; i < c->nblocks; i++)
		if (!rest[c->blocks[i].type])
			block_items(w, &l, c, &c->blocks[i], !rest[DEV_BLOCK] && !rest[DEV_CHAR]);
	if (rest[DEV_BLOCK] && rest[DEV_CHAR])
		item(&l, w->classes.n == 1 ? "every device" : "any other device");
	else if (rest[DEV_BLOCK])
		item(&l, alone[DEV_BLOCK] ? "every block device" : "any other block device");
	else if (rest[DEV_CHAR])
		item(&l, alone[DEV_CHAR] ? "every character device" : "any other character device");
	items_end(&l);
}

/* ---- nodes -------------------------------------------------------------------------------- */

static size_t number_of(struct picture *w, node of)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->nodes[i] == of)
			return i;
	*ARENA_PUSH(w->arena, w->nodes, w->n, w->cap) = of;
	return w->n - 1;
}

/* Does what is asked make no difference? */
static bool is_plain(const struct picture *w, const struct device_class *c)
{
	for (int i = 1; i < w->classes.nasked; i++)
		if (c->answer[i] != c->answer[0])
			return false;
	return true;
}

/* All that is to be drawn. False: too much. */
static bool gather(struct picture *w)
{
	size_t boxes = 1;
	outcome o;
	for (size_t i = 0; i < w->classes.n; i++) {
		boxes += !is_plain(w, &w->classes.list[i]);
		for (int k = 0; k < w->classes.nasked; k++)
			number_of(w, w->classes.list[i].answer[k]);
	}
	for (size_t i = 0; i < w->n && boxes + w->n <= PICTURE_NODES_MAX; i++) {
		if (node_is_terminal(w->nodes[i], &o))
			continue;
		struct switch_node s = node_switch(w->classes.dg, w->nodes[i]);
		for (uint32_t e = 0; e < s.n; e++)
			number_of(w, s.edges[e].to);
	}
	return boxes + w->n <= PICTURE_NODES_MAX;
}

/* The edges of a class whose answers differ, one for each answer. */
static void asked_edges(struct picture *w, const struct device_class *c, size_t number)
{
	static const int in_order[ASKED_MAX] = {ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE, ACC_MKNOD,
	                                        ACC_MKNOD | ACC_READ, ACC_MKNOD | ACC_WRITE, ACC_ALL, 0};
	node by[ASKED_MAX];
	unsigned left = 0;
	char letters[4];
	for (int i = 0; i < w->classes.nasked; i++) {
		by[w->classes.asked[i]] = c->answer[i];
		left |= 1u << w->classes.asked[i];
	}
	for (int i = 0; i < ASKED_MAX; i++) {
		struct items l = {.out = w->out};
		if (!(left & 1u << in_order[i]))
			continue;
		node to = by[in_order[i]];
		fprintf(w->out, "  class%zu -> n%zu [label=\"", number, number_of(w, to));
		for (int k = i; k < ASKED_MAX; k++)
			if (left & 1u << in_order[k] && by[in_order[k]] == to) {
				item(&l, access_text(in_order[k], letters));
				left &= ~(1u << in_order[k]);
			}
		items_end(&l);
		fputs("\"];\n", w->out);
	}
}

static void class_edges(struct picture *w, const struct device_class *c, size_t number)
{
	bool plain = is_plain(w, c);
	if (!plain)
		fprintf(w->out, "  class%zu [label=\"%s\"];\n", number,
		        w->classes.nasked == ASKED_MAX ? "accesses asked together" : "access");
	fprintf(w->out, "  device -> %s%zu [label=\"", plain ? "n" : "class",
	        plain ? number_of(w, c->answer[0]) : number);
	class_label(w, c);
	fputs("\"];\n", w->out);
	if (!plain)
		asked_edges(w, c, number);
}

/* ---- facts about the caller ------------------------------------------------------------------ */

static bool is_comm(uint32_t var)
{
	return var == IN_COMM_0 || var == IN_COMM_1;
}

static enum fact_kind kind_of(uint32_t var)
{
	return var < IN_PARAM_0 ? input_kind((enum input)var) : FACT_NONE;
}

/* Is it answered by yes or no? */
static bool is_question(uint32_t var)
{
	return var >= INPUT_MAX || input_is_ask((enum input)var) || kind_of(var) == FACT_YES_NO;
}

static const char *variable(struct picture *w, uint32_t var)
{
	if (var >= INPUT_MAX)
		return term_text(w->arena, w->policy->terms, diagram_free_term(w->classes.dg, var), 60);
	if (is_comm(var))
		return var == IN_COMM_0 ? "comm, bytes 1 to 8" : "comm, bytes 9 to 16";
	const char *name = terms_input_name(w->policy->terms, (enum input)var);
	return kind_of(var) == FACT_YES_NO ? arena_printf(w->arena, "%s?", name) : name;
}

static const char *value(struct picture *w, uint32_t var, int64_t v)
{
	char bytes[sizeof v];
	const char *path = kind_of(var) == FACT_FILE ? asked_path_text(policy_asks(w->policy), v) : NULL;
	if (path)
		return path;
	if (kind_of(var) == FACT_OR_NONE && v == ID_NONE)
		return "unset";
	if (!is_comm(var))
		return arena_printf(w->arena, "%" PRId64, v);
	for (size_t i = 0; i < sizeof v; i++)
		bytes[i] = (char)((uint64_t)v >> 8 * i);
	return text_quoted(w->arena, (struct slice){bytes, strnlen(bytes, sizeof bytes)});
}

static const char *values(struct picture *w, const struct switch_node *s, uint32_t edge)
{
	int64_t lo = switch_edge_lo(w->classes.dg, s, edge), hi = s->edges[edge].hi;
	if (is_question(s->var))
		return lo ? "yes" : hi < 1 ? "no" : "yes or no";
	if (lo == hi)
		return value(w, s->var, lo);
	if (is_comm(s->var)) /* an order of numbers, not of texts */
		return "another text";
	if (kind_of(s->var) == FACT_FILE)
		return "another file";
	if (edge + 1 == s->n)
		return arena_printf(w->arena, kind_of(s->var) == FACT_OR_NONE ? "from %s, or unset" : "from %s", value(w, s->var, lo));
	if (!edge && lo < 0)
		return arena_printf(w->arena, "to %s", value(w, s->var, hi));
	return arena_printf(w->arena, "%s to %s", value(w, s->var, lo), value(w, s->var, hi));
}

/* Where most values lead to: "else". */
static node most_values(const struct diagrams *dg, const struct switch_node *s)
{
	node to = s->edges[0].to;
	uint64_t most = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		uint64_t n = 0;
		for (uint32_t k = 0; k < s->n; k++)
			if (s->edges[k].to == s->edges[i].to)
				n += (uint64_t)(s->edges[k].hi - switch_edge_lo(dg, s, k));
		if (n > most) {
			most = n;
			to = s->edges[i].to;
		}
	}
	return to;
}

static bool met_before(const struct switch_node *s, uint32_t edge)
{
	for (uint32_t i = 0; i < edge; i++)
		if (s->edges[i].to == s->edges[edge].to)
			return true;
	return false;
}

static void switch_edges(struct picture *w, node of, size_t number)
{
	struct switch_node s = node_switch(w->classes.dg, of);
	node rest = most_values(w->classes.dg, &s);
	fprintf(w->out, "  n%zu [label=\"", number);
	picture_text(w->out, variable(w, s.var));
	fputs("\"];\n", w->out);
	for (uint32_t i = 0; i < s.n; i++) {
		struct items l = {.out = w->out};
		node to = s.edges[i].to;
		if (met_before(&s, i))
			continue;
		fprintf(w->out, "  n%zu -> n%zu [label=\"", number, number_of(w, to));
		if (to == rest && !is_question(s.var))
			item(&l, "else");
		else
			for (uint32_t k = i; k < s.n; k++)
				if (s.edges[k].to == to)
					item(&l, values(w, &s, k));
		items_end(&l);
		fputs("\"];\n", w->out);
	}
}

static void node_line(struct picture *w, node of, size_t number)
{
	outcome o;
	char name[24];
	if (!node_is_terminal(of, &o)) {
		switch_edges(w, of, number);
		return;
	}
	uint32_t rule = OUTCOME_RULE(o);
	snprintf(name, sizeof name, "n%zu", number);
	picture_leaf(w->out, w->policy, name, rule ? &w->policy->rules[rule - 1] : NULL, OUTCOME_KIND(o) == OUT_ERROR);
}

static void draw(struct picture *w)
{
	picture_begin(w->out, w->policy,
	              w->classes.nasked == ASKED_MAX ? "a request"
	                                             : "each access of a request; all of them must be allowed");
	fputs("  device [label=\"device\"];\n", w->out);
	for (size_t i = 0; i < w->classes.n; i++)
		class_edges(w, &w->classes.list[i], i);
	for (size_t i = 0; i < w->n; i++)
		node_line(w, w->nodes[i], i);
	fputs("}\n", w->out);
}

void policy_picture(FILE *out, struct policy *p)
{
	struct picture w = {.out = out, .arena = p->arena, .policy = p};
	struct policy_diagram pd;
	struct diags ignored;
	diags_init(&ignored, p->arena);
	if (!policy_diagram(p, &ignored, ORDER_FACTS_LAST, &pd) &&
	    device_classes(p->arena, &pd, PICTURE_NODES_MAX, &w.classes) && gather(&w))
		draw(&w);
	else
		picture_of_rules(out, p);
}
