/* revoke.c - takes grants back. */
#include "cmd/grant/grant.h"

enum { OPT_ID = OPT_TARGET_END, OPT_ALL };
static const struct option options[] = {TARGET_OPTIONS, OPTION_SELF, OPTION_UNIT, {"id", required_argument, NULL, OPT_ID},
                                        {"all", no_argument, NULL, OPT_ALL}, OPTION_JSON, OPTION_HELP, {0}};

static int take_option(struct cmd *c, int opt, struct grant_choice *w)
{
	if (opt == OPT_ID)
		return option_count(c, "--id", optarg, &w->id);
	if (opt != OPT_ALL)
		return target_option(c, opt, optarg, &w->target);
	w->all = true;
	return STATUS_OK;
}

/* The whole grant goes: letters would promise that a part of it stays. */
static int no_letters(struct cmd *c, const struct grant_choice *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->devices[i].letters)
			return usage_error(c, "grant it again with fewer letters: that takes its place", "a grant is taken back whole: %s takes no letters here",
			                   w->devices[i].text);
	return STATUS_OK;
}

static int which(struct cmd *c, int argc, char **argv, struct grant_choice *w)
{
	int status, first;
	if (!w->all && !w->id && !w->target.by_option && !c->where.self && !c->where.unit && optind >= argc)
		return usage_error(c, NULL, "nothing says which grants");
	if (w->all || w->id) {
		bool more = optind < argc || w->target.by_option || c->where.self || c->where.unit || (w->all && w->id);
		return more ? usage_error(c, NULL, "%s says which grants by itself", w->all ? "--all" : "--id") : STATUS_OK;
	}
	if ((status = target_operand(c, argc, argv, &w->target, &first)) || first >= argc)
		return status;
	status = grant_devices(c, argc - first, argv + first, &w->devices, &w->n);
	return status ? status : no_letters(c, w);
}

static int revoke(struct cmd *c, int argc, char **argv)
{
	struct grant_choice w = {.target.held.pidfd = -1};
	int opt, status;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return c->status;
		if ((status = take_option(c, opt, &w)))
			return status;
	}
	status = which(c, argc, argv, &w);
	return status ? status : grant_take(c, &w);
}

const struct verb verb_revoke = {
	.name = "revoke",
	.synopsis = "CGROUP [DEVICE]... [--json] | --container NAME [DEVICE]... | --pid PID [DEVICE]... | --id N | --all",
	.usage = "CGROUP [DEVICE]... | --id N | --all",
	.example = PROGRAM " revoke /web :fuse",
	.summary = "Take grants back",
	.help = "CGROUP and DEVICE are as for grant. Without DEVICE: all grants of that cgroup.\n"
		"The device is closed when the command returns, and the node that --node made is\n"
		"removed. A process that has the device open keeps it. Exit status 1: there is no\n"
		"such grant.\n\n"
		"  --container NAME  those of this container, also of one that does not run any\n"
		"                    more\n"
		"  --pid PID         those of the cgroup of this process\n"
		"  --id N            the one with this number\n"
		"  --all             all of this host\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = revoke,
};
