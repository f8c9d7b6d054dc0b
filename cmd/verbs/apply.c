/* apply.c - compile, prove, load, and attach to a cgroup: attach.c does the last. */
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/containers/guard.h"
#include "cmd/options.h"
#include "cmd/unit.h"
#include "cmd/where/where.h"

#include <string.h>
#include <sys/stat.h>

enum { OPT_DRY_RUN = OPT_VERB, OPT_CONFIG, OPT_EXE_ROOT };
static const struct option options[] = {
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"exe-root", required_argument, NULL, OPT_EXE_ROOT},
	OPTION_CLAIMS,
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

/* False: the verb ends with c->status. */
static bool parse(struct cmd *c, int argc, char **argv, bool *dry_run, const char **config)
{
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return false;
		*dry_run |= opt == OPT_DRY_RUN;
		if (opt == OPT_CONFIG)
			*config = optarg;
		if (opt == OPT_EXE_ROOT)
			c->settings.exe_root = optarg;
	}
	int n = argc - optind, operands = 1 + !where_given(c);
	c->status = STATUS_OK;
	if (*config && (n || operands == 1))
		c->status = usage_error(c, "usage: " PROGRAM " apply --config guard.yaml",
		                        "--config names the policies and the cgroups");
	else if (*config && c->claims.n)
		c->status = usage_error(c, "write them into the policies that the manifest names", "--claims does not go with --config");
	else if (*config && c->settings.exe_root)
		c->status = usage_error(c, "apply the policy to the container's own cgroup", "--exe-root does not go with --config");
	if (*config)
		return !c->status;
	if (n != operands)
		c->status = usage_error(c, NULL,
		                        n > operands    ? "more than a policy and a cgroup given"
		                        : n             ? "no cgroup given"
		                        : operands == 2 ? "no policy and no cgroup given"
		                                        : "no policy given");
	return n == operands;
}

/* `apply CGROUP POLICY` is an easy mistake, and the messages for either would mislead. */
static bool is_swapped(const char *policy, const char *cgroup)
{
	struct stat first, second;
	bool no_policy = stat(policy, &first) ? *policy == '/' : S_ISDIR(first.st_mode);
	return no_policy && stat(cgroup, &second) == 0 && S_ISREG(second.st_mode);
}

static int apply(struct cmd *c, int argc, char **argv)
{
	bool dry_run = false;
	const char *config = NULL;
	struct unit u;
	struct cgroup *cg;
	if (!parse(c, argc, argv, &dry_run, &config))
		return c->status;
	if (config)
		return apply_manifest(c, config, dry_run);
	const char *where = where_given(c) ? NULL : argv[optind + 1];
	if (where && is_swapped(argv[optind], where))
		return usage_error(c, NULL,
		                   "the policy comes first, then the cgroup");
	const struct load how = {.depth = LOAD_IMAGE, .kernel = true, .policy_only = true, .keep = c->claims.n};
	int status = claims_open(c);
	if (!status)
		status = unit_load(c, &c->settings, argv[optind], &how, &u);
	if (!status)
		status = claims_ask(c, &u, NULL);
	if (status)
		return status;
	unit_end(&u);
	if (where_open(c, where, WHERE_ATTACH, &cg))
		return STATUS_FAILED;
	status = apply_unit(c, &u, cg, dry_run, stdout);
	cgroup_close(cg);
	return status;
}

const struct verb verb_apply = {
	.name = "apply",
	.synopsis = "POLICY CGROUP | POLICY --self | POLICY --unit NAME\n"
		    "                           [--param K=V]... [--mode enforce|permissive]\n"
		    "                           [--audit none|denied|all] [--ring SIZE] [--claims FILE]...\n"
		    "                           [--exe-root DIR] [--dry-run] [--json]\n"
		    "                         | --config guard.yaml [--mode MODE] [--audit WHAT] [--ring SIZE]\n"
		    "                           [--dry-run] [--json]",
	.summary = "Attach a policy to a cgroup, or replace the policy of the same name there",
	.help = "CGROUP is a directory of the cgroup v2 hierarchy. Where there is none of that\n"
		"name: /web as audit prints it, a unit of systemd (web.service), a container's\n"
		"name or the beginning of its id, a PID. When two cgroups answer to a name, that\n"
		"is an error: unit:NAME, container:NAME and pid:N say which kind is meant.\n\n"
		"The new program takes the place of the old one in one step: at no time is there\n"
		"none, or two. Programs of others stay. What it counted and reports goes on in\n"
		"the new one.\n\n"
		"  --dry-run         say what would happen, attach nothing\n"
		"  --exe-root DIR    look for the files that ctx.exe names in DIR, the root\n"
		"                    directory of a container (/proc/PID/root): CGROUP is that\n"
		"                    container's own\n"
		"  --config FILE     guard all cgroups there are that match in this manifest, see\n"
		"                    rucy-devguard-guard.yaml(5)\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = apply,
	.usage = "POLICY CGROUP | POLICY --self | POLICY --unit NAME",
	.example = PROGRAM " apply policy.rb /web",
};
