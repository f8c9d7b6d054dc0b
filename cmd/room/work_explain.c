/*
 * work_explain.c - what the judge has, in rules for people. Parameters have their values.
 */
#include "cmd/room/judge.h"

#include <string.h>

#include "policy/explain.h"
#include "policy/params.h"

static void put_rule(FILE *out, const struct explained *r)
{
	const char *when = r->when ? r->when : "";
	struct explained_record head = {.verdict = r->verdict, .access = (uint32_t)r->pattern.access, .asked = r->asked,
	                                .npattern = (uint32_t)strlen(r->pattern.text), .nwhen = (uint32_t)strlen(when)};
	fwrite(&head, sizeof head, 1, out);
	fwrite(r->pattern.text, 1, head.npattern, out);
	fwrite(when, 1, head.nwhen, out);
}

bool judge_explains(struct judge *j, const struct frame *f)
{
	struct arena *a = j->in->arena;
	struct diags *d = &j->in->diags;
	struct policy *p = j->policy->nparams ? policy_with_values(a, j->policy) : j->policy;
	struct policy_diagram pd;
	struct explanation e;
	struct arena_stream s;
	(void)f;
	if (policy_diagram(p, d, ORDER_FACTS_LAST, &pd) || policy_explain(a, d, j->file, pd.dg, p->terms, pd.verdict, &e))
		return false;
	FILE *out = arena_stream(a, &s);
	for (size_t i = 0; i < e.n; i++)
		put_rule(out, &e.list[i]);
	const char *bytes = arena_text(a, &s);
	inside_write(j->in, FRAME_RULES, bytes, s.len);
	return true;
}
