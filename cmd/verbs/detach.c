/* detach.c - takes one policy of ours off a cgroup. */
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/unit.h"
#include "cmd/where/where.h"

static const struct option options[] = {OPTION_SELF, OPTION_UNIT, OPTION_JSON, OPTION_HELP, {0}};

static int detach(struct cmd *c, int argc, char **argv)
{
	struct cgroup *cg;
	if (options_next(c, argc, argv) != OPT_END)
		return c->status;
	int cgroups = !where_given(c), n = argc - optind - cgroups;
	if (n < 0 || n > 1)
		return usage_error(c, NULL, n < 0 ? "no cgroup given" : "more than a cgroup and a name given");
	if (where_open(c, cgroups ? argv[optind] : NULL, WHERE_LOOK, &cg))
		return STATUS_FAILED;
	int status = detach_policy(c, cg, n ? argv[optind + cgroups] : NULL);
	cgroup_close(cg);
	return status;
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
