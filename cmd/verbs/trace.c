/* trace.c - the verb `trace`: a raw program attached and listened to, for as long as this runs. */
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/trace/trace.h"
#include "cmd/where/where.h"

enum { OPT_COUNT = OPT_VERB, OPT_TIMEOUT };
static const struct option options[] = {
	{"count", required_argument, NULL, OPT_COUNT},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	OPTION_PARAM,
	OPTION_LIMIT,
	OPTION_UNCONFINED,
	OPTION_SELF,
	OPTION_UNIT,
	OPTION_JSON,
	OPTION_HELP,
	{0},
};

/* False: the verb ends with c->status. */
static bool parse(struct tracing *t, int argc, char **argv)
{
	struct cmd *c = t->c;
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return false;
		c->status = opt == OPT_COUNT     ? option_count(c, "--count", optarg, &t->most)
		            : opt == OPT_TIMEOUT ? option_seconds(c, "--timeout", optarg, 0, &t->timeout)
		                                 : STATUS_OK;
		if (c->status)
			return false;
	}
	int n = argc - optind, most = where_given(c) ? 1 : 2;
	c->status = STATUS_OK;
	if (!n || n > most)
		c->status = usage_error(c, NULL, n ? "more than a program and a cgroup given" : "no program given");
	return !c->status;
}

/* A device program is of a cgroup, and others are of none. */
static int check_where(struct cmd *c, const struct unit *u, bool given)
{
	const struct raw *raw = u->policy->raw;
	const char *file = shell_word(c->arena, u->policy->file);
	if (!raw)
		return usage_error(c, arena_printf(c->arena, PROGRAM " watch %s CGROUP runs its handlers; " PROGRAM " apply %s CGROUP attaches it", file, file),
		                   "'%s' is a policy, and trace is for programs (section!)", u->policy->name);
	if (raw->section == RAW_DEVICE && !given)
		return usage_error(c, arena_printf(c->arena, PROGRAM " trace %s CGROUP", file),
		                   "no cgroup given: '%s' decides about the devices of one", u->policy->name);
	if (raw->section != RAW_DEVICE && given)
		return usage_error(c, arena_printf(c->arena, PROGRAM " trace %s", file), "'%s' is attached to %s, which is of no cgroup",
		                   u->policy->name, raw->section_name);
	return STATUS_OK;
}

static int trace(struct cmd *c, int argc, char **argv)
{
	struct unit u;
	struct tracing t = {.c = c, .unit = &u, .timeout = UINT64_MAX};
	if (!parse(&t, argc, argv))
		return c->status;
	const char *where = argc - optind > 1 ? argv[optind + 1] : NULL;
	const struct load how = {.depth = LOAD_IMAGE, .kernel = true, .policy_only = true, .any_section = true};
	int status = unit_load(c, &c->settings, argv[optind], &how, &u);
	if (!status)
		status = check_where(c, &u, where || where_given(c));
	if (status)
		return status;
	if (u.policy->raw->section == RAW_DEVICE) {
		if (where_open(c, where, WHERE_ATTACH, &t.cgroup))
			return STATUS_FAILED;
		warn_of_apply(c, &u, t.cgroup);
	}
	status = u.policy->handlers.len ? tracing_handled(&t) : tracing_listen(&t);
	if (t.cgroup)
		cgroup_close(t.cgroup);
	return status;
}

const struct verb verb_trace = {
	.name = "trace",
	.synopsis = "FILE [CGROUP | --self | --unit NAME]\n                           [--count N] [--timeout S] [--param K=V]... [--json]",
	.summary = "Attach a program (section!) and print what it prints, until it is ended",
	.help = "The program is attached to what its section names: a function of the kernel\n"
		"(kprobe/F, kretprobe/F), an event (tracepoint/C/E, raw_tracepoint/E), or, for\n"
		"cgroup/dev, the CGROUP. It is detached when trace ends, however that happens.\n"
		"Each line of its bpf_trace_printk is printed, with the time, the process and its\n"
		"thread's number; lines of other programs are not, and nobody misses a line by\n"
		"this. With handlers (on(:line), on(RING), every, at_exit) it prints what they\n"
		"print; they can read the maps of the program. Messages go to stderr.\n\n"
		"  --count N         end after N lines (events of rings do not count)\n"
		"  --timeout S       end after S seconds (0.5 is possible)\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = trace,
	.usage = "FILE [CGROUP | --self | --unit NAME]",
	.example = PROGRAM " trace hello.rb --timeout 60",
};
