/*
 * coverage.c - which mutants the cases of a policy kill, and the cases that are missing.
 *
 * Each mutant that no given case kills gets a case, unless one that was found before kills it too; then
 * those are left out, last ones first, whose mutants others kill as well. Time for each mutant times the cases.
 */
#include "policy/coverage_internal.h"

#include <stdlib.h>

/* A case that was found, and the mutants it kills of those that the given ones do not. */
struct chosen {
	struct trial trial;
	uint32_t *kills;
	size_t n, cap, place; /* place: in which it was found */
	size_t order;         /* the rule that it is for, the default behind them */
	bool left_out;
};

struct covering {
	struct arena *arena;
	struct coverage *out;
	struct chosen *list;
	size_t n, cap;
	size_t *killers; /* by mutant: how many of the list kill it */
};

/* ---- the given cases --------------------------------------------------------------------------- */

static void measure(struct covering *g, const struct request *cases, size_t n)
{
	struct coverage *c = g->out;
	struct trial *trials = arena_alloc(g->arena, (n + 1) * sizeof *trials);
	for (size_t i = 0; i < n; i++) {
		struct request one = cases[i];
		asked_answer(policy_asks(&c->mutants.policy), &one);
		trials[i] = trial_of(&one);
		trial_ask(&c->mutants, &trials[i]);
		c->undecidable += !trials[i].decided;
	}
	for (size_t m = 0; m < c->mutants.n; m++) {
		c->fates[m] = FATE_LIVES;
		for (size_t i = 0; i < n && !c->by[m]; i++)
			if (trial_kills(&c->mutants, &c->mutants.list[m], &trials[i]))
				c->by[m] = i + 1;
		if (c->by[m])
			c->fates[m] = FATE_KILLED;
	}
}

/* ---- those that are missing --------------------------------------------------------------------- */

static bool found_before(struct covering *g, size_t m)
{
	for (size_t i = g->n; i-- > 0;)
		if (trial_kills(&g->out->mutants, &g->out->mutants.list[m], &g->list[i].trial))
			return true;
	return false;
}

/* A case for each mutant that has none: first for boundaries, whose requests mostly do for whole rules too. */
static void find_missing(struct covering *g, bool whole)
{
	struct coverage *c = g->out;
	for (size_t m = 0; m < c->mutants.n; m++) {
		enum mutant_kind kind = c->mutants.list[m].kind;
		struct trial t;
		if (c->fates[m] != FATE_LIVES || whole != (kind == MUTANT_RULE || kind == MUTANT_VERDICT || kind == MUTANT_DEFAULT) ||
		    found_before(g, m))
			continue;
		enum found f = find_trial(&c->mutants, &c->mutants.list[m], &t);
		if (f == FOUND_ONE)
			*ARENA_PUSH(g->arena, g->list, g->n, g->cap) = (struct chosen){.trial = t, .place = g->n};
		else
			c->fates[m] = f == FOUND_NONE ? FATE_EQUAL : FATE_UNDECIDED;
	}
}

static void list_kills(struct covering *g)
{
	struct coverage *c = g->out;
	for (size_t i = 0; i < g->n; i++) {
		struct chosen *one = &g->list[i];
		for (size_t m = 0; m < c->mutants.n; m++) {
			if (c->fates[m] == FATE_KILLED || c->fates[m] == FATE_EQUAL ||
			    !trial_kills(&c->mutants, &c->mutants.list[m], &one->trial))
				continue;
			c->fates[m] = FATE_LIVES; /* also of one for which nothing was found */
			*ARENA_PUSH(g->arena, one->kills, one->n, one->cap) = (uint32_t)m;
			g->killers[m]++;
		}
	}
}

static void leave_out(struct covering *g)
{
	for (size_t i = g->n; i-- > 0;) {
		struct chosen *one = &g->list[i];
		one->left_out = true;
		for (size_t k = 0; k < one->n; k++)
			one->left_out &= g->killers[one->kills[k]] > 1;
		for (size_t k = 0; k < one->n && one->left_out; k++)
			g->killers[one->kills[k]]--;
	}
}

/* ---- the result ----------------------------------------------------------------------------------- */

static int by_order(const void *x, const void *y)
{
	const struct chosen *a = x, *b = y;
	if (a->left_out != b->left_out)
		return a->left_out - b->left_out;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

static void put_in_order(struct covering *g)
{
	const struct mutants *ms = &g->out->mutants;
	for (size_t i = 0; i < g->n; i++) {
		struct chosen *one = &g->list[i];
		one->order = SIZE_MAX;
		for (size_t k = 0; k < one->n; k++)
			if (g->killers[one->kills[k]] == 1 && ms->list[one->kills[k]].rule - 1 < one->order)
				one->order = ms->list[one->kills[k]].rule - 1; /* of the default: SIZE_MAX */
	}
	if (g->n)
		qsort(g->list, g->n, sizeof *g->list, by_order);
}

static void hand_out(struct covering *g)
{
	struct coverage *c = g->out;
	c->found = arena_alloc(g->arena, (g->n + 1) * sizeof *c->found);
	for (size_t i = 0; i < g->n && !g->list[i].left_out; i++) {
		struct chosen *one = &g->list[i];
		struct found_case *found = &c->found[c->nfound++];
		found->allow = one->trial.allow;
		trial_request(policy_asks(&c->mutants.policy), &one->trial, &found->request); /* find_trial() saw to it that it can */
		for (size_t k = 0; k < one->n; k++) {
			c->needs[one->kills[k]] = g->killers[one->kills[k]] == 1;
			if (!c->by[one->kills[k]])
				c->by[one->kills[k]] = c->nfound;
		}
	}
	for (size_t m = 0; m < c->mutants.n; m++)
		c->count[c->fates[m]]++;
}

int policy_coverage(struct arena *a, struct diags *d, const struct policy *p, const struct request *cases, size_t n,
                    struct coverage *out)
{
	*out = (struct coverage){0};
	if (policy_mutants(a, d, p, &out->mutants))
		return -1;
	struct mutants *ms = &out->mutants;
	struct covering g = {.arena = a, .out = out, .killers = arena_alloc(a, (ms->n + 1) * sizeof *g.killers)};
	out->fates = arena_alloc(a, (ms->n + 1) * sizeof *out->fates);
	out->by = arena_alloc(a, (ms->n + 1) * sizeof *out->by);
	out->needs = arena_alloc(a, (ms->n + 1) * sizeof *out->needs);
	measure(&g, cases, n);
	find_missing(&g, false);
	find_missing(&g, true);
	list_kills(&g);
	leave_out(&g);
	put_in_order(&g);
	hand_out(&g);
	return 0;
}
