/* mutants_internal.h - what the files that make mutants share. */
#ifndef DEVGUARD_POLICY_MUTANTS_INTERNAL_H
#define DEVGUARD_POLICY_MUTANTS_INTERNAL_H

#include "policy/arena.h"
#include "policy/mutants.h"

/* The mutants of one rule under construction. */
struct mutating {
	struct arena *arena;
	struct mutants *out;
	struct diagrams *dg;
	size_t rule;        /* 1 + index of the one whose mutants are made */
	size_t first;       /* its first mutant */
	node domain;        /* what the kernel can ask, of one access */
	const node *match;  /* the condition of each rule */
	const node *decide; /* what each rule decides, OUT_PASS elsewhere */
	node toggles;       /* where the rule is reached and its match makes a difference */
	size_t steps;       /* that were taken to find what can be mutated */
	bool too_many;
};

/* Conditions as diagrams: true, false. */
static inline node yes(void)
{
	return diagram_terminal(OUT_ALLOW);
}

static inline node no(void)
{
	return diagram_terminal(OUT_PASS);
}

/* ---- mutants_flip.c ---- */

/* a and b; a and not b; a or b. */
node both(struct mutating *g, node a, node b);
node without(struct mutating *g, node a, node b);
node either(struct mutating *g, node a, node b);
/* An input is within lo..hi; it is one of the values that have a bit in the set. */
node input_within(struct mutating *g, enum input in, int64_t lo, int64_t hi);
node input_one_of(struct mutating *g, enum input in, uint32_t set);
/* Keeps a mutant that decides otherwise in `diff`, unless that is nowhere or what another one of the rule
 * does. */
void mutant_keep(struct mutating *g, struct mutant m, node diff);
/* Keeps the mutant whose condition is another one where `flip` holds. */
void mutant_flip(struct mutating *g, struct mutant m, node flip);
/* One more step. False: there were too many. */
bool mutant_step(struct mutating *g);

/* ---- mutants_pattern.c ---- */

/* Those of the patterns of a rule; of one that has a block too, those with less in a pattern: what the block says
 * beside them is not known. */
void mutants_of_patterns(struct mutating *g, const struct rule *r);

/* ---- mutants_term.c ---- */

/* Those of the comparisons of a condition. */
void mutants_of_term(struct mutating *g, term condition);

#endif
