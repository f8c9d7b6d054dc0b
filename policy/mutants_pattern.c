/*
 * mutants_pattern.c - the mutants of device patterns: each end of each range of numbers, moved by
 * one either way; a type or a letter more or less.
 *
 * A pattern is a box: types, accesses, majors and minors. Each mutant of it is the box with another
 * set for one of them, so what it changes is a slice: as far as no other pattern of the rule has it.
 */
#include "policy/device.h"
#include "policy/mutants_internal.h"

/* A pattern under mutation: its four sets as conditions. */
struct box {
	const struct rule *rule;
	const struct pattern *pattern;
	node types, accesses, majors, minors;
	node others; /* what the other patterns of the rule have of it and around it */
};

/* The accesses that a set of letters matches, as bits: 1 << access. */
static uint32_t accesses_of(int letters, bool deny)
{
	uint32_t set = 0;
	for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1)
		if (letters & bit)
			set |= 1u << bit;
	if (letters && (!deny || letters == ACC_ALL))
		set |= 1u << 0;
	return set;
}

static int letters_of(const struct pattern *p)
{
	return p->access ? p->access : ACC_ALL;
}

static node types_in(struct mutating *g, const struct pattern *p)
{
	return input_one_of(g, IN_TYPE, (uint32_t)p->types << 1); /* bits DEV_*, which are the values 1 and 2 */
}

static node in_list(struct mutating *g, enum input in, const struct interval *list, size_t n)
{
	struct edge *e = arena_alloc(g->arena, (2 * n + 1) * sizeof *e);
	size_t edges = 0;
	for (size_t i = 0; i < n; i++) {
		if (list[i].lo > (i ? list[i - 1].hi + 1 : 0))
			e[edges++] = (struct edge){list[i].lo - 1, no()};
		e[edges++] = (struct edge){list[i].hi, yes()};
	}
	if (list[n - 1].hi < diagram_var_max(g->dg, in))
		e[edges++] = (struct edge){diagram_var_max(g->dg, in), no()};
	return diagram_switch(g->dg, in, e, edges);
}

/* The four sets together. */
static node in_box(struct mutating *g, node types, node accesses, node majors, node minors)
{
	return both(g, types, both(g, accesses, both(g, majors, minors)));
}

static node box_of(struct mutating *g, const struct rule *r, const struct pattern *p)
{
	return in_box(g, types_in(g, p),
	              input_one_of(g, IN_ACCESS, accesses_of(letters_of(p), r->deny)),
	              in_list(g, IN_MAJOR, p->majors, p->nmajors), in_list(g, IN_MINOR, p->minors, p->nminors));
}

/* Do two lists come nearer to each other than two? Looks at their ends only. */
static bool near(const struct interval *x, size_t n, const struct interval *y, size_t m)
{
	return x[0].lo <= y[m - 1].hi + 1 && y[0].lo <= x[n - 1].hi + 1;
}

static node others_near(struct mutating *g, const struct rule *r, const struct pattern *p)
{
	node any = no();
	for (const struct pattern *o = r->patterns; o < r->patterns + r->npatterns && !g->too_many; o++)
		if (o != p && o->types && near(o->majors, o->nmajors, p->majors, p->nmajors) &&
		    near(o->minors, o->nminors, p->minors, p->nminors))
			any = either(g, any, box_of(g, r, o));
	return any;
}

/* ---- each mutant ----------------------------------------------------------------------------- */

/* A slice of the box, or beside it, changes sides. */
static void slice(struct mutating *g, const struct box *b, struct mutant m, node part)
{
	m.text = b->pattern->text;
	if (b->rule->match == b->rule->devices)
		mutant_flip(g, m, without(g, part, b->others));
	else if (m.inside)
		mutant_flip(g, m, both(g, g->match[g->rule - 1], without(g, part, b->others)));
}

static void move(struct mutating *g, const struct box *b, enum input in, int64_t value, int64_t other, bool inside)
{
	node at = input_within(g, in, value, value);
	slice(g, b, (struct mutant){.kind = MUTANT_VALUE, .input = in, .value = value, .other = other, .inside = inside},
	      in_box(g, b->types, b->accesses, in == IN_MAJOR ? at : b->majors, in == IN_MINOR ? at : b->minors));
}

static void move_ends(struct mutating *g, const struct box *b, enum input in, const struct interval *list, size_t n, int64_t most)
{
	for (size_t i = 0; i < n && mutant_step(g); i++) {
		int64_t lo = list[i].lo, hi = list[i].hi, below = lo > 0 ? lo - 1 : lo, above = hi < most ? hi + 1 : hi;
		if (lo == 0 && hi == most) /* `*` has no ends */
			continue;
		move(g, b, in, lo, below, true);
		if (below != lo)
			move(g, b, in, below, lo, false);
		move(g, b, in, hi, above, true);
		if (above != hi)
			move(g, b, in, above, hi, false);
	}
}

static void change_letters(struct mutating *g, const struct box *b)
{
	int letters = letters_of(b->pattern);
	for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1) {
		uint32_t change = accesses_of(letters, b->rule->deny) ^ accesses_of(letters ^ bit, b->rule->deny);
		slice(g, b, (struct mutant){.kind = MUTANT_LETTER, .value = bit, .inside = letters & bit},
		      in_box(g, b->types, input_one_of(g, IN_ACCESS, change), b->majors, b->minors));
	}
}

static void change_type(struct mutating *g, const struct box *b)
{
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++)
		slice(g, b, (struct mutant){.kind = MUTANT_VALUE, .input = IN_TYPE, .value = type, .other = DEV_BLOCK + DEV_CHAR - type,
		                            .inside = b->pattern->types & type},
		      in_box(g, input_within(g, IN_TYPE, type, type), b->accesses, b->majors, b->minors));
}

void mutants_of_patterns(struct mutating *g, const struct rule *r)
{
	for (const struct pattern *p = r->patterns; p < r->patterns + r->npatterns && mutant_step(g); p++) {
		if (!p->types) /* left out */
			continue;
		struct box b = {.rule = r, .pattern = p, .types = types_in(g, p),
		                .accesses = input_one_of(g, IN_ACCESS, accesses_of(letters_of(p), r->deny)),
		                .majors = in_list(g, IN_MAJOR, p->majors, p->nmajors),
		                .minors = in_list(g, IN_MINOR, p->minors, p->nminors), .others = others_near(g, r, p)};
		move_ends(g, &b, IN_MAJOR, p->majors, p->nmajors, MAJOR_MAX);
		move_ends(g, &b, IN_MINOR, p->minors, p->nminors, MINOR_MAX);
		change_letters(g, &b);
		change_type(g, &b);
	}
}
