/*
 * work_cover.c - what cases cover of the policy that the judge proved.
 */
#include "cmd/room/judge.h"

#include <string.h>

#include "policy/coverage.h"

static void tell_mutant(const struct coverage *c, size_t i, struct mutant_record *out)
{
	const struct mutant *m = &c->mutants.list[i];
	*out = (struct mutant_record){.kind = m->kind, .fate = c->fates[i], .rule = (uint32_t)m->rule, .input = m->input,
	                              .value = m->value, .other = m->other, .inside = m->inside, .needed = c->needs[i],
	                              .by = (uint32_t)c->by[i]};
	record_text(out->text, sizeof out->text, m->text);
}

static void tell_case(const struct found_case *f, struct case_record *out)
{
	*out = (struct case_record){.request = request_record(&f->request), .allow = f->allow};
}

bool judge_covers(struct judge *j, const struct frame *f)
{
	struct arena *a = j->in->arena;
	size_t n = f->len / sizeof(struct request_record);
	struct request *cases = arena_alloc(a, (n + 1) * sizeof *cases);
	struct coverage c;
	budget_stage(&j->in->budget, STAGE_COVER);
	for (size_t i = 0; i < n; i++) {
		struct request_record one;
		memcpy(&one, f->data + i * sizeof one, sizeof one);
		cases[i] = request_of(&one);
	}
	if (policy_coverage(a, &j->in->diags, j->policy, cases, n, &c))
		return false;
	struct coverage_head head = {.nmutants = (uint32_t)c.mutants.n, .ncases = (uint32_t)c.nfound,
	                             .undecidable = (uint32_t)c.undecidable};
	size_t mutants = c.mutants.n * sizeof(struct mutant_record), found = c.nfound * sizeof(struct case_record);
	unsigned char *all = arena_alloc(a, sizeof head + mutants + found);
	memcpy(all, &head, sizeof head);
	for (size_t i = 0; i < c.mutants.n; i++)
		tell_mutant(&c, i, (struct mutant_record *)(void *)(all + sizeof head) + i);
	for (size_t i = 0; i < c.nfound; i++)
		tell_case(&c.found[i], (struct case_record *)(void *)(all + sizeof head + mutants) + i);
	inside_write(j->in, FRAME_COVERAGE, all, sizeof head + mutants + found);
	return true;
}
