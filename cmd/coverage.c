/*
 * coverage.c - asks the child that proved a policy what cases cover of it.
 */
#include "cmd/coverage.h"
#include "cmd/cmd.h"
#include "cmd/room/record.h"
#include "policy/callers.h"
#include "policy/comm.h"

#include <string.h>

struct taking {
	struct covered *out;
	struct arena *arena;
	size_t given;
	bool there;
};

static bool fine_mutant(const struct taking *t, const struct mutant_record *m, size_t ncases)
{
	bool known = m->kind < MUTANT_KINDS && m->fate < FATES && m->input < INPUT_MAX && !m->text[MUTANT_TEXT - 1];
	size_t most = m->fate == FATE_KILLED ? t->given : m->fate == FATE_LIVES ? ncases : 0;
	bool named = m->kind != MUTANT_VALUE || m->input < IN_PARAM_0;
	return known && named && m->rule <= t->out->policy->nrules && m->by <= most && !m->by == !most &&
	       (m->kind != MUTANT_DEFAULT) == (m->rule != 0);
}

static bool take_case(const struct policy *p, const struct case_record *k, struct found_case *out)
{
	out->allow = k->allow;
	return request_taken(&k->request, &out->request) && request_names(policy_asks(p), &out->request) &&
	       (!(out->request.known & INPUT(IN_COMM_0)) || comm_is_name(&out->request.fact[IN_COMM_0]));
}

static bool take(void *self, enum frame_kind kind, const unsigned char *data, size_t len)
{
	struct taking *t = self;
	struct covered *out = t->out;
	struct coverage_head head;
	if (kind != FRAME_COVERAGE || t->there || len < sizeof head)
		return false;
	memcpy(&head, data, sizeof head);
	size_t mutants = (size_t)head.nmutants * sizeof *out->list, cases = (size_t)head.ncases * sizeof(struct case_record);
	if (head.nmutants > MUTANTS_MAX || head.ncases > MUTANTS_MAX || len != sizeof head + mutants + cases)
		return false;
	unsigned char *copy = arena_alloc(t->arena, mutants + cases + 1);
	memcpy(copy, data + sizeof head, mutants + cases);
	struct mutant_record *list = (struct mutant_record *)(void *)copy;
	const struct case_record *found = (const struct case_record *)(const void *)(copy + mutants);
	out->cases = arena_alloc(t->arena, (head.ncases + 1) * sizeof *out->cases);
	for (size_t i = 0; i < head.ncases; i++)
		if (!take_case(out->policy, &found[i], &out->cases[i]))
			return false;
	for (size_t i = 0; i < head.nmutants; i++) {
		if (!fine_mutant(t, &list[i], head.ncases))
			return false;
		out->killed += list[i].fate == FATE_KILLED;
		out->undecided += list[i].fate == FATE_UNDECIDED;
		if (list[i].fate != FATE_EQUAL)
			list[out->n++] = list[i];
	}
	out->list = list;
	out->ncases = head.ncases;
	out->undecidable = head.undecidable;
	return t->there = true;
}

int unit_coverage(struct cmd *c, const struct unit *u, const struct cases *cases, struct covered *out)
{
	struct request_record *requests = arena_alloc(c->arena, (cases->n + 1) * sizeof *requests);
	for (size_t i = 0; i < cases->n; i++)
		requests[i] = request_record(&cases->items[i].request);
	*out = (struct covered){.policy = u->policy};
	struct taking t = {.out = out, .arena = c->arena, .given = cases->n};
	struct taker taker = {take, &t, RECORD_MAX};
	struct call call = {.kind = FRAME_COVER, .data = requests, .len = cases->n * sizeof *requests};
	return unit_call(c, u, &call, &taker, &t.there);
}
