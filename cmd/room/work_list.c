/* work_list.c - the judge of the tool: it reads the list of devices of a bundle too. */
#include "cmd/room/judge.h"

#include "policy/import/import.h"

static bool read_list(struct judge *j, const struct order *o)
{
	struct foreign f = {0};
	return !foreign_oci(&j->in->diags, o->file, o->text, o->len, &f) &&
	       !(o->job.flags & JOB_SETTLED && foreign_settle(&j->in->diags, &f, false, false)) &&
	       !foreign_policy(j->in->arena, &j->in->diags, &f, &j->policy);
}

void work_judge(struct inside *in)
{
	judge_work(in, read_list);
}
