/* watch.c - the policy that is carried, attached, and its handlers run. */
#include "cmd/bundle/guard/carried.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/unit.h"
#include "cmd/watch/watch.h"
#include "cmd/where/where.h"

static const struct option options[] = {
	WATCH_OPTIONS,
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

static int watch(struct cmd *c, int argc, char **argv)
{
	struct watch_wish wish = {.timeout = UINT64_MAX};
	struct unit u;
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END)
		if (opt == OPT_STOP || (c->status = watch_option(c, opt, &wish)))
			return c->status;
	int operands = !where_given(c);
	if (argc - optind != operands)
		return usage_error(c, NULL, argc - optind > operands ? "one cgroup at a time, please" : "no cgroup given");
	const struct load how = {.depth = LOAD_IMAGE, .kernel = true};
	int status = carried_load(c, &how, &u);
	return status ? status : watch_unit(c, &u, operands ? argv[optind] : NULL, &wish);
}

const struct verb guard_watch = {
	.name = "watch",
	.synopsis = "CGROUP | --self | --unit NAME\n"
		    "[--param K=V]... [--mode enforce|permissive] [--audit none|denied|all]\n"
		    "[--ring SIZE] [--fold S] [--timeout S] [--json]",
	.usage = "CGROUP | --self | --unit NAME",
	.summary = "Attach the policy and run its handlers on what it denies",
	.help = "The handlers run in a locked process of their own, and what they print goes to\n"
		"stdout. The policy stays attached when watch ends, whatever ends it.\n\n"
		WATCH_OPTIONS_HELP,
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = watch,
	.example = PROGRAM " watch /web --timeout 60",
};
