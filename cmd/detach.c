/* detach.c - one policy of ours off a cgroup, and what is said of it. Programs of others are not ours to take away. */
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/hosted/hosted.h"
#include "cmd/unit.h"

#include <string.h>

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

/* The host program is taken off by who put it there: what it is needed for ends. */
static void hint_host(struct cmd *c, const struct cgroup *cg, const char *name)
{
	struct hosted host;
	if (!c->diags.n || (name && strcmp(name, HOSTPROG_NAME)))
		return;
	hosted_read(c, &host);
	if (host.id && !strcmp(host.info.root, cg->path))
		c->diags.items[c->diags.n - 1].hint = "the host program goes with its last grant and watcher: " PROGRAM " revoke --all, and " PROGRAM
		                                      " observe CGROUP --unpin for each that is pinned";
}

int detach_policy(struct cmd *c, struct cgroup *cg, const char *name)
{
	struct attached was;
	int failed = cgroup_lock(cg, &c->diags);
	if (!failed) {
		c->changed = true;
		failed = cgroup_detach(c->arena, &c->diags, cg, name, &was);
		cgroup_unlock(cg);
	}
	if (!failed)
		report(c, cg, &was);
	else
		hint_host(c, cg, name);
	return failed ? STATUS_FAILED : STATUS_OK;
}
