/* watch.c - the verb `watch`: attaches a policy and runs its handlers on what it denies. */
#include "cgroup/cgroup.h"
#include "cmd/audit/audit.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/unit.h"
#include "cmd/watch/watch.h"
#include "cmd/where/where.h"

#include <string.h>
#include <unistd.h>

static const struct option options[] = {
	WATCH_OPTIONS,
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
static bool parse(struct cmd *c, int argc, char **argv, struct watch_wish *w)
{
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END)
		if (opt == OPT_STOP || (c->status = watch_option(c, opt, w)))
			return false;
	int n = argc - optind, operands = 1 + !where_given(c);
	c->status = STATUS_OK;
	if (n != operands)
		c->status = usage_error(c, NULL, n > operands    ? "more than a policy and a cgroup given"
		                                 : n             ? "no cgroup given"
		                                 : operands == 2 ? "no policy and no cgroup given"
		                                                 : "no policy given");
	return n == operands;
}

static int load(struct cmd *c, const char *path, struct unit *u)
{
	const struct load how = {.depth = LOAD_IMAGE, .kernel = true, .policy_only = true, .keep = c->claims.n};
	int status = claims_open(c);
	if (!status)
		status = unit_load(c, &c->settings, path, &how, u);
	if (!status)
		status = claims_ask(c, u, NULL);
	if (status)
		return status;
	unit_end(u);
	if (u->policy->handlers.len)
		return STATUS_OK;
	diag_add(&c->diags, DIAG_ERROR, (struct span){.file = path},
	         "write one, as in on(:deny) { |e| puts \"#{e.comm} wanted #{e.device}\" }; or `" PROGRAM " apply`, and `" PROGRAM " audit` shows denials",
	         "the policy has no user half: there is nothing to run");
	return STATUS_REFUSED;
}

static int watch(struct cmd *c, int argc, char **argv)
{
	struct watch_wish wish = {.timeout = UINT64_MAX};
	struct unit u;
	if (!parse(c, argc, argv, &wish))
		return c->status;
	int status = load(c, argv[optind], &u);
	return status ? status : watch_unit(c, &u, where_given(c) ? NULL : argv[optind + 1], &wish);
}

const struct verb verb_watch = {
	.name = "watch",
	.synopsis = "POLICY CGROUP | POLICY --self | POLICY --unit NAME\n"
		    "                           [--param K=V]... [--mode enforce|permissive]\n"
		    "                           [--audit none|denied|all] [--ring SIZE] [--claims FILE]...\n"
		    "                           [--fold S] [--timeout S] [--json]",
	.summary = "Attach a policy and run its handlers on what it denies",
	.help = "A policy may have handlers beside its rules: on(:deny) { |e| ... },\n"
		"every(5) { ... }, at_exit { ... }. They run in a locked process of their own,\n"
		"and what they print goes to stdout. The policy is attached as `apply` does it,\n"
		"and it stays attached when watch ends, whatever ends it. One reader at a time:\n"
		"a second watch or audit is refused. Messages and what was counted go to stderr.\n"
		"With --json stdout has one object a line.\n\n"
		WATCH_OPTIONS_HELP,
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = watch,
	.usage = "POLICY CGROUP | POLICY --self | POLICY --unit NAME",
	.example = PROGRAM " watch policy.rb /web --timeout 60",
};
