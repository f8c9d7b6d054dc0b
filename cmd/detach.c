/* detach.c - one policy of ours off a cgroup, and what is said of it. Programs of others are not ours to take away. */
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/unit.h"

static void report(struct cmd *c, const struct cgroup *cg, const struct attached *was)
{
	if (c->json.on) {
		json_t *o = json_pack("{s:o, s:o, s:I}", "policy", text_json(was->name), "cgroup",
		                      text_json(cg->path), "program", (json_int_t)was->id);
		json_object_update(c->json.out, o);
		json_decref(o);
		return;
	}
	put_text(stdout, was->name);
	fputs(": detached from ", stdout);
	put_text(stdout, cg->path);
	printf(" (program %u", was->id);
	if (was->run_count)
		printf(", %llu request%s decided", (unsigned long long)was->run_count,
		       PLURAL(was->run_count));
	puts(")");
}

int detach_policy(struct cmd *c, struct cgroup *cg, const char *name)
{
	struct attached was;
	int failed = cgroup_lock(cg, &c->diags);
	if (!failed) {
		failed = cgroup_detach(c->arena, &c->diags, cg, name, &was);
		cgroup_unlock(cg);
	}
	if (!failed)
		report(c, cg, &was);
	return failed ? STATUS_FAILED : STATUS_OK;
}
