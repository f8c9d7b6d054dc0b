/* apply.c - the policy that is carried onto a cgroup. */
#include "cgroup/cgroup.h"
#include "cmd/bundle/guard/carried.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/unit.h"
#include "cmd/where/where.h"

enum { OPT_DRY_RUN = OPT_VERB };
static const struct option options[] = {
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	OPTION_PARAM,
	OPTION_LIMIT,
	OPTION_UNCONFINED,
	OPTION_MODE,
	OPTION_AUDIT,
	OPTION_RING,
	OPTION_SELF,
	OPTION_UNIT,
	OPTION_JSON,
	OPTION_HELP,
	{0},
};

static int apply(struct cmd *c, int argc, char **argv)
{
	bool dry_run = false;
	struct unit u;
	struct cgroup *cg;
	int opt;
	while ((opt = options_next(c, argc, argv)) == OPT_DRY_RUN)
		dry_run = true;
	if (opt != OPT_END)
		return c->status;
	int operands = !where_given(c);
	if (argc - optind != operands)
		return usage_error(c, NULL, argc - optind > operands ? "one cgroup at a time, please" : "no cgroup given");
	const struct load how = {.depth = LOAD_IMAGE, .kernel = true};
	int status = carried_load(c, &how, &u);
	if (status)
		return status;
	if (where_open(c, operands ? argv[optind] : NULL, WHERE_ATTACH, &cg))
		return STATUS_FAILED;
	status = apply_unit(c, &u, cg, dry_run, stdout);
	cgroup_close(cg);
	return status;
}

const struct verb guard_apply = {
	.name = "apply",
	.synopsis = "CGROUP | --self | --unit NAME\n"
		    "[--param K=V]... [--mode enforce|permissive] [--audit none|denied|all]\n"
		    "[--ring SIZE] [--dry-run] [--json]",
	.usage = "CGROUP | --self | --unit NAME",
	.summary = "Prove the policy again and attach it to a cgroup, or replace the policy of the same name there",
	.help = "CGROUP is a directory of the cgroup v2 hierarchy. Where there is none of that\n"
		"name: a unit of systemd (web.service), a container's name or the beginning of\n"
		"its id, a PID.\n\n"
		"The new program takes the place of the old one in one step. Programs of others\n"
		"stay.\n\n"
		"  --dry-run         say what would happen, attach nothing\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = apply,
	.example = PROGRAM " apply /web",
};
