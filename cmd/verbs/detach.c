/*
 * detach.c - takes one policy of ours off a cgroup. Programs of others are not
 * ours to take away.
 */
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/where/where.h"

static const struct option options[] = {OPTION_SELF, OPTION_UNIT, OPTION_JSON, OPTION_HELP, {0}};

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

static int detach(struct cmd *c, int argc, char **argv)
{
	struct cgroup *cg;
	struct attached was;
	if (options_next(c, argc, argv) != OPT_END)
		return c->status;
	int cgroups = !where_given(c), n = argc - optind - cgroups;
	if (n < 0 || n > 1)
		return usage_error(c, NULL, n < 0 ? "no cgroup given" : "more than a cgroup and a name given");
	if (where_open(c, cgroups ? argv[optind] : NULL, WHERE_LOOK, &cg))
		return STATUS_FAILED;
	int failed = cgroup_lock(cg, &c->diags);
	if (!failed) {
		failed = cgroup_detach(c->arena, &c->diags, cg, n ? argv[optind + cgroups] : NULL,
		                       &was);
		cgroup_unlock(cg);
	}
	if (!failed)
		report(c, cg, &was);
	cgroup_close(cg);
	return failed ? STATUS_FAILED : STATUS_OK;
}

const struct verb verb_detach = {
	.name = "detach",
	.synopsis = "CGROUP [NAME] [--json] | --self [NAME] [--json] | --unit UNIT [NAME] [--json]",
	.summary = "Take a policy off a cgroup",
	.help = "CGROUP may be named as for apply. NAME is the policy's name; it is needed when\n"
		"several of ours are attached there. Programs of others are never touched.\n\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = detach,
	.usage = "CGROUP [NAME] | --self [NAME] | --unit UNIT [NAME]",
	.example = PROGRAM " detach /web",
};
