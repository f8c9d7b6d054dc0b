/* detach.c - the policy that is carried, or one of its name, off a cgroup. */
#include "cgroup/cgroup.h"
#include "cmd/bundle/guard/carried.h"
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
	int operands = !where_given(c);
	if (argc - optind != operands)
		return usage_error(c, NULL, argc - optind > operands ? "one cgroup at a time, please" : "no cgroup given");
	if (where_open(c, operands ? argv[optind] : NULL, WHERE_LOOK, &cg))
		return STATUS_FAILED;
	int status = detach_policy(c, cg, carried()->policy);
	cgroup_close(cg);
	return status;
}

const struct verb guard_detach = {
	.name = "detach",
	.synopsis = "CGROUP | --self | --unit NAME [--json]",
	.usage = "CGROUP | --self | --unit NAME",
	.summary = "Take the policy of this name off a cgroup",
	.help = "CGROUP may be named as for apply. Other policies, and programs of others, are\n"
		"never touched.\n\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = detach,
	.example = PROGRAM " detach /web",
};
