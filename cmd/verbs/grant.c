/* grant.c - gives what runs in a cgroup one more device, whoever filters it. */
#include "cmd/grant/grant.h"
#include "policy/text.h"

#include <string.h>

enum { OPT_FOR = OPT_TARGET_END, OPT_REASON, OPT_NODE };
static const struct option options[] = {TARGET_OPTIONS, OPTION_SELF, OPTION_UNIT, {"for", required_argument, NULL, OPT_FOR},
                                        {"node", optional_argument, NULL, OPT_NODE}, {"reason", required_argument, NULL, OPT_REASON},
                                        OPTION_JSON, OPTION_HELP, {0}};

static int take_reason(struct cmd *c, const char *text, struct grant_wish *w)
{
	enum { MOST = sizeof ((struct host_grant *)0)->reason - 1 };
	if (strlen(text) > MOST)
		return usage_error(c, "say it in fewer words", "--reason is longer than %d bytes", MOST);
	w->reason = text;
	return STATUS_OK;
}

static int take_option(struct cmd *c, int opt, struct grant_wish *w)
{
	switch (opt) {
	case OPT_FOR:
		return option_duration(c, "--for", optarg, &w->ns);
	case OPT_REASON:
		return take_reason(c, optarg, w);
	case OPT_NODE:
		w->node = true;
		w->node_path = optarg;
		return optarg && *optarg != '/' ? usage_error(c, "as processes there see it: --node=/dev/fuse", "--node=%s: not an absolute path", optarg)
		                                : STATUS_OK;
	default:
		return target_option(c, opt, optarg, &w->target);
	}
}

static int grant(struct cmd *c, int argc, char **argv)
{
	struct grant_wish w = {.target.held.pidfd = -1};
	int opt, status, first;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return c->status;
		if ((status = take_option(c, opt, &w)))
			return status;
	}
	if ((status = target_operand(c, argc, argv, &w.target, &first)))
		return status;
	if (first >= argc)
		return usage_error(c, NULL, "no device given");
	status = grant_devices(c, argc - first, argv + first, &w.devices, &w.n);
	return status ? status : grant_give(c, &w);
}

const struct verb verb_grant = {
	.name = "grant",
	.synopsis = "CGROUP DEVICE [LETTERS]... [--for TIME] [--node[=PATH]]\n"
		"                           [--reason TEXT] [--json] | --container NAME DEVICE [LETTERS]... | --pid PID DEVICE [LETTERS]...",
	.usage = "CGROUP DEVICE [LETTERS]...",
	.example = PROGRAM " grant /web :fuse rw --for 30m",
	.summary = "Open a device for what runs in a cgroup, whoever filters it",
	.help = "The next open succeeds, whoever denied it: runc, crun, docker, systemd, LXC. One\n"
		"program of ours on the root of the hierarchy turns that denial: nobody's program\n"
		"is touched, and a reload, an update or a restart of an engine does not take it\n"
		"away. It needs Linux 5.18; 6.1 for cgroups below CGROUP.\n\n"
		"CGROUP may be named as for apply. DEVICE is written as in policies: /dev/fuse\n"
		"(the number that this host's node has), :fuse, \"c 10:229\", \"c 136:*\", char-pts.\n"
		"LETTERS are r, w and m (mknod); without them all three, as docker run --device.\n"
		"A request is opened only if all that it asks for is granted. Each DEVICE is a\n"
		"grant of its own; one for the same device and cgroup takes the place of the one\n"
		"before.\n\n"
		"Below a guard of ours a grant opens nothing, and is refused, unless that policy\n"
		"says `grants :allowed`. A cgroup that is made anew is another one, and the grant\n"
		"is over; with --container our OCI hook, where it is installed, gives it to the\n"
		"new one, as long as it lasts.\n\n"
		"  --container NAME  the cgroup of this container\n"
		"  --pid PID         the cgroup of this process, with all that runs in it\n"
		"  --for TIME        30m, 1h30m, 2s, 3d: then the kernel ends it, also when\n"
		"                    nothing of ours runs; without it, revoke ends it\n"
		"  --node[=PATH]     make the device's node there, too, if there is none; revoke\n"
		"                    removes it\n"
		"  --reason TEXT     shown by grants, and by audit with each use\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = grant,
};
