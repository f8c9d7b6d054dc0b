/*
 * mutants_flip.c - conditions as diagrams, and what becomes of a policy when the condition of one
 * rule is another one somewhere.
 *
 * A mutant of a condition holds where the condition does not, or the other way, in a part of all
 * requests. It decides otherwise where the rule is reached in that part and what follows the rule
 * has the other verdict (`toggles`). So no mutant is built whole.
 */
#include "policy/mutants_internal.h"

enum { STEPS_MAX = 400000 };

bool mutant_step(struct mutating *g)
{
	g->too_many |= ++g->steps > STEPS_MAX || !diagram_ok(g->dg);
	return !g->too_many;
}

node both(struct mutating *g, node a, node b)
{
	return diagram_ite(g->dg, a, b, no());
}

node without(struct mutating *g, node a, node b)
{
	return diagram_ite(g->dg, b, no(), a);
}

node either(struct mutating *g, node a, node b)
{
	return diagram_ite(g->dg, a, yes(), b);
}

node input_within(struct mutating *g, enum input in, int64_t lo, int64_t hi)
{
	struct edge e[3];
	size_t n = 0;
	if (lo > diagram_var_min(g->dg, in))
		e[n++] = (struct edge){lo - 1, no()};
	e[n++] = (struct edge){hi, yes()};
	if (hi < diagram_var_max(g->dg, in))
		e[n++] = (struct edge){diagram_var_max(g->dg, in), no()};
	return diagram_switch(g->dg, in, e, n);
}

node input_one_of(struct mutating *g, enum input in, uint32_t set)
{
	node any = no();
	for (int value = 0; value < 32; value++)
		if (set & 1u << value)
			any = either(g, any, input_within(g, in, value, value));
	return any;
}

/* The majors between the first and the last that a condition holds for; a step for each piece before majors. */
static struct interval majors_of(struct diagrams *dg, node n)
{
	struct interval all = {MAJOR_MAX, 0};
	if (node_is_terminal(n, NULL) || node_switch(dg, n).var > IN_MAJOR)
		return (struct interval){0, n == no() ? -1 : MAJOR_MAX};
	struct switch_node s = node_switch(dg, n);
	for (uint32_t i = 0; i < s.n; i++) {
		struct interval one = {switch_edge_lo(dg, &s, i), s.edges[i].hi};
		if (s.edges[i].to == no())
			continue;
		if (s.var != IN_MAJOR)
			one = majors_of(dg, s.edges[i].to);
		all.lo = one.lo < all.lo ? one.lo : all.lo;
		all.hi = one.hi > all.hi ? one.hi : all.hi;
	}
	return all;
}

void mutant_keep(struct mutating *g, struct mutant m, node diff)
{
	struct mutants *ms = g->out;
	m.rule = g->rule;
	m.diff = both(g, g->domain, diff);
	m.text = m.text ? m.text : "";
	if (m.diff == no() || both(g, m.diff, ms->possible) == no()) {
		ms->equal++;
		return;
	}
	for (size_t i = g->first; i < ms->n; i++)
		if (ms->list[i].diff == m.diff)
			return;
	m.majors = majors_of(g->dg, m.diff);
	if (ms->n == MUTANTS_MAX)
		g->too_many = true;
	else
		*ARENA_PUSH(g->arena, ms->list, ms->n, ms->cap) = m;
}

void mutant_flip(struct mutating *g, struct mutant m, node flip)
{
	if (mutant_step(g))
		mutant_keep(g, m, both(g, flip, g->toggles));
}
