/*
 * mutants_term.c - the mutants of a condition that is no list of patterns: of each comparison, at
 * each place where it stands.
 *
 * On the way down from the condition, what stands beside it must be true for a comparison to matter:
 * that is the context, a diagram. Where it is empty nothing below is looked at. A comparison of one
 * input is a list of ranges, and each end is moved by one; any other is always true, or always false.
 * A comparison that the devices of the rule decide is not in its condition any more.
 */
#include "policy/mutants_internal.h"

struct place { term t; node context; };

struct values { const int64_t *list; size_t n; };

/* The values that an input of a device can have, where they are few. */
static struct values few_values(enum input in)
{
	static const int64_t types[] = {DEV_BLOCK, DEV_CHAR}, sets[] = {0, ACC_MKNOD, ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE};
	return in == IN_TYPE        ? (struct values){types, 2}
	       : in == IN_REQUESTED ? (struct values){sets, 5}
	                            : (struct values){NULL, 0};
}

static void flip_at(struct mutating *g, node context, enum input in, int64_t value, int64_t other, bool inside)
{
	mutant_flip(g, (struct mutant){.kind = MUTANT_VALUE, .input = in, .value = value, .other = other, .inside = inside},
	            both(g, context, input_within(g, in, value, value)));
}

static bool holds(struct diagrams *dg, node n, enum input in, int64_t value)
{
	int64_t inputs[INPUT_MAX] = {0};
	int missing;
	inputs[in] = value;
	return OUTCOME_KIND(diagram_eval(dg, n, inputs, INPUT(in), &missing)) == OUT_ALLOW;
}

/* A boundary between two neighbours: each of them changes sides. */
static void move_boundary(struct mutating *g, node context, node n, enum input in, int64_t low, int64_t high)
{
	bool inside = holds(g->dg, n, in, low);
	if (inside == holds(g->dg, n, in, high))
		return;
	flip_at(g, context, in, low, high, inside);
	flip_at(g, context, in, high, low, !inside);
}

/* Accesses have no neighbours: each changes sides, and none (access(F_OK)) where it is told from all of them; but
 * patterns that deny do that themselves, unless they have all letters. */
static void change_accesses(struct mutating *g, node context, node n)
{
	const struct rule *r = &g->out->policy.rules[g->rule - 1];
	bool none = holds(g->dg, n, IN_ACCESS, 0), alike = !r->deny || !r->npatterns;
	for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1) {
		bool inside = holds(g->dg, n, IN_ACCESS, bit);
		alike &= inside != none;
		mutant_flip(g, (struct mutant){.kind = MUTANT_LETTER, .value = bit, .inside = inside},
		            both(g, context, input_within(g, IN_ACCESS, bit, bit)));
	}
	if (alike)
		mutant_flip(g, (struct mutant){.kind = MUTANT_LETTER, .value = 0, .inside = none},
		            both(g, context, input_within(g, IN_ACCESS, 0, 0)));
}

static void ranges(struct mutating *g, node context, node n, enum input in)
{
	struct values few = few_values(in);
	for (size_t i = 1; i < few.n; i++)
		move_boundary(g, context, n, in, few.list[i - 1], few.list[i]);
	if (few.n)
		return;
	int64_t lo, hi;
	input_range(in, &lo, &hi);
	for (uint32_t i = 0; i + 1 < node_switch(g->dg, n).n && mutant_step(g); i++) {
		int64_t end = node_switch(g->dg, n).edges[i].hi;
		if (end >= lo && end < hi)
			move_boundary(g, context, n, in, end, end + 1);
	}
}

/* Names have no neighbours, and answers no boundary. */
static bool is_number(enum input in)
{
	enum fact_kind kind = in < IN_PARAM_0 ? input_kind(in) : FACT_NONE;
	return in != IN_COMM_0 && in != IN_COMM_1 && !input_is_ask(in) && kind != FACT_YES_NO && kind != FACT_FILE;
}

/* One input, which is a number. */
static bool is_ranges(const struct diagrams *dg, const struct term_node *k, node n)
{
	outcome o;
	return k->inputs && !(k->inputs & (k->inputs - 1)) && is_number((enum input)__builtin_ctzll(k->inputs)) && !node_is_terminal(n, &o) &&
	       node_switch(dg, n).var < INPUT_MAX;
}

static void compare(struct mutating *g, const struct place *at)
{
	struct terms *ts = g->out->policy.terms;
	const struct term_node *k = term_get(ts, at->t);
	node n = diagram_of_term(g->dg, at->t);
	if (is_ranges(g->dg, k, n) && k->inputs == INPUT(IN_ACCESS)) {
		change_accesses(g, at->context, n);
		return;
	}
	if (is_ranges(g->dg, k, n)) {
		ranges(g, at->context, n, (enum input)__builtin_ctzll(k->inputs));
		return;
	}
	const char *text = term_text(g->arena, ts, at->t, 60);
	mutant_flip(g, (struct mutant){.kind = MUTANT_CONDITION, .value = 1, .text = text}, without(g, at->context, n));
	mutant_flip(g, (struct mutant){.kind = MUTANT_CONDITION, .value = 0, .text = text}, both(g, at->context, n));
}

void mutants_of_term(struct mutating *g, term condition)
{
	struct terms *ts = g->out->policy.terms;
	struct place *todo = NULL;
	size_t n = 0, cap = 0;
	*ARENA_PUSH(g->arena, todo, n, cap) = (struct place){condition, yes()};
	while (n && mutant_step(g)) {
		struct place at = todo[--n];
		const struct term_node k = *term_get(ts, at.t);
		if (at.context == no() || at.t == T_TRUE || at.t == T_FALSE)
			continue;
		if (k.op == TERM_NOT) {
			*ARENA_PUSH(g->arena, todo, n, cap) = (struct place){k.a, at.context};
		} else if (k.op == TERM_AND) {
			node a = both(g, at.context, diagram_of_term(g->dg, k.a)), b = both(g, at.context, diagram_of_term(g->dg, k.b));
			*ARENA_PUSH(g->arena, todo, n, cap) = (struct place){k.b, a};
			*ARENA_PUSH(g->arena, todo, n, cap) = (struct place){k.a, b};
		} else {
			compare(g, &at);
		}
	}
}
