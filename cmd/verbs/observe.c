/*
 * observe.c - the verb `observe`: requests that are denied, whoever denies them, as they come.
 *
 * Nothing is attached to the cgroup, and nothing is decided: the host program on the root of the hierarchy tells (policy/hostprog.h).
 * It is attached for that, and taken off when nobody needs it any more.
 */
#include "cmd/observe/observe.h"
#include "cmd/options.h"
#include "compiler/compiler.h"

#include <string.h>
#include <sys/resource.h>

enum { OPT_COUNT = OPT_VERB, OPT_TIMEOUT, OPT_ALL_REQUESTS, OPT_PIN, OPT_UNPIN };
static const struct option options[] = {
	{"count", required_argument, NULL, OPT_COUNT},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"all-requests", no_argument, NULL, OPT_ALL_REQUESTS},
	{"pin", no_argument, NULL, OPT_PIN},
	{"unpin", no_argument, NULL, OPT_UNPIN},
	OPTION_SELF,
	OPTION_UNIT,
	OPTION_JSON,
	OPTION_HELP,
	{0},
};
enum { RING = 4 << 20 }; /* bytes: 47,000 records */

struct wish {
	bool all, pin, unpin;
};

/* ---- the watcher ------------------------------------------------------------------------------------- */

/* One that is pinned has records of before; of another kind it is left alone. *out NULL: there is none to read. */
static int take_pinned(struct observing *o, const struct wish *w, struct watcher **out)
{
	struct cmd *c = o->c;
	struct diags said;
	struct host_watcher list[HOSTPROG_WATCHERS];
	diags_init(&said, c->arena);
	if (watcher_pinned(c->args, w->pin || w->unpin ? &c->diags : &said, o->hp, o->cgroup, out))
		return w->pin || w->unpin ? -1 : 0; /* somebody else reads it */
	if (!*out || w->unpin || watchers_read(&c->diags, o->hp, list))
		return 0;
	bool all = list[watcher_number(*out)].flags & WATCHER_ALL;
	o->pinned = all == w->all;
	if (o->pinned)
		return 0;
	watcher_close(*out);
	*out = NULL;
	return !w->pin ? 0
	               : diag_fail(&c->diags, "end it first: " PROGRAM " observe CGROUP --unpin",
	                           "an observer is pinned there already, and it tells %s", all ? "all requests" : "denials only");
}

/* Becomes a watcher; the host program is attached for that where it is not there. 0 or -1. */
static int begin(struct observing *o, const struct wish *w)
{
	struct cmd *c = o->c;
	uint32_t parts = HOSTPROG_OBSERVE | (w->all ? HOSTPROG_ALL : 0);
	uint32_t flags = (w->all ? WATCHER_ALL : 0) | (w->pin ? WATCHER_PINNED : 0);
	if (hostprog_need(c->args, &c->diags, parts, hostprog_make, &o->hp))
		return -1;
	int failed = take_pinned(o, w, &o->watcher);
	if (!failed && !o->watcher)
		failed = watcher_new(c->args, &c->diags, o->hp, o->cgroup, flags, RING, &o->watcher);
	o->pinned |= w->pin;
	if (failed)
		hostprog_settle(c->args, &c->diags, o->hp, hostprog_make);
	hostprog_unlock(o->hp);
	return failed;
}

/* ---- observing --------------------------------------------------------------------------------------- */

/* What this kernel cannot tell. */
static void say_limits(const struct observing *o)
{
	uint32_t features = hostprog_features();
	if (o->cgroup && !(features & HOSTPROG_ANCESTORS))
		tell(o->c, "this kernel tells no cgroup's ancestors (Linux 6.1 does): only requests of processes in %s itself are observed, not below it; "
		           "`" PROGRAM " observe /` observes all", o->cgroup->path);
	if (!(features & HOSTPROG_PID))
		tell(o->c, "this kernel does not tell which process asks (Linux 6.1 does)");
}

/* The command that ends it, in the words of the command line. */
static const char *cgroup_word(const struct observing *o)
{
	return o->cgroup ? shell_word(o->c->arena, o->cgroup->path) : "/";
}

static int observing(struct observing *o, const struct wish *w)
{
	struct cmd *c = o->c;
	if (!(o->known = known_new(c)) || begin(o, w))
		return STATUS_FAILED;
	o->grants = grants_known_new(c, o->hp);
	o->printer = observed_printer_new(c, o->known, o->grants);
	c->json.printed = true; /* from here on stdout has records only */
	c->json.on = false;
	diags_flush(c);
	say_limits(o);
	int status = observe_stream(o);
	diags_flush(c);
	observe_summary(o);
	if (w->pin && status != STATUS_DETACHED)
		tell(c, "it stays pinned and counts on; to see the counts: " PROGRAM " stats --observe; to end it: " PROGRAM " observe %s --unpin",
		     cgroup_word(o));
	return status;
}

/* Ends a pinned one. */
static int unpin(struct observing *o, const struct wish *w)
{
	struct cmd *c = o->c;
	if (hostprog_change(c->args, &c->diags, &o->hp))
		return STATUS_FAILED;
	if (o->hp && take_pinned(o, w, &o->watcher)) {
		hostprog_unlock(o->hp);
		return STATUS_FAILED;
	}
	if (o->hp)
		hostprog_unlock(o->hp);
	if (!o->watcher) {
		diag_fail(&c->diags, "`" PROGRAM " stats --observe` shows those that are pinned", "no observer of %s is pinned",
		          o->cgroup ? o->cgroup->path : "all cgroups");
		return STATUS_FAILED;
	}
	if (!(o->known = known_new(c)))
		return STATUS_FAILED;
	observe_summary(o);
	if (c->json.on)
		json_object_set_new(c->json.out, "unpinned", o->cgroup ? text_json(o->cgroup->path) : json_string("/"));
	else
		printf("the observer of %s is not pinned any more\n", cgroup_word(o));
	return STATUS_OK;
}

/* The root of the host's hierarchy stands for everything. STATUS_OK or a status with a diagnostic. */
static int open_cgroup(struct observing *o, const char *text)
{
	if (text && !strcmp(text, "/"))
		return STATUS_OK;
	if (where_open(o->c, text, WHERE_LOOK, &o->cgroup))
		return STATUS_FAILED;
	if (!cgroup_is_hosts_root(o->cgroup))
		return STATUS_OK;
	cgroup_close(o->cgroup);
	o->cgroup = NULL;
	return STATUS_OK;
}

/* Programs that are asked about are held open. */
static void raise_descriptors(void)
{
	struct rlimit most;
	if (getrlimit(RLIMIT_NOFILE, &most))
		return;
	most.rlim_cur = most.rlim_max;
	setrlimit(RLIMIT_NOFILE, &most);
}

static int run(struct observing *o, const struct wish *w)
{
	struct cmd *c = o->c;
	const char *hint, *closed = hostprog_closed(c->arena, &hint);
	if (closed) {
		diag_fail(&c->diags, hint, "%s", closed);
		return STATUS_FAILED;
	}
	raise_descriptors();
	int status = w->unpin ? unpin(o, w) : observing(o, w);
	if (o->watcher)
		watcher_give_back(c, o->watcher, w->unpin && !status);
	known_end(o->known);
	grants_known_end(o->grants);
	hostprog_close(o->hp);
	if (o->pipe_closed)
		die_of_pipe();
	return status;
}

/* ---- the command line ---------------------------------------------------------------------------------- */

static int option(struct observing *o, struct wish *w, int opt)
{
	switch (opt) {
	case OPT_COUNT: return option_count(o->c, "--count", optarg, &o->most);
	case OPT_TIMEOUT: return option_seconds(o->c, "--timeout", optarg, 0, &o->timeout);
	case OPT_ALL_REQUESTS: w->all = true; break;
	case OPT_PIN: w->pin = true; break;
	case OPT_UNPIN: w->unpin = true; break;
	}
	return STATUS_OK;
}

static int observe(struct cmd *c, int argc, char **argv)
{
	struct observing o = {.c = c, .timeout = UINT64_MAX};
	struct wish w = {0};
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		int status = opt == OPT_STOP ? c->status : option(&o, &w, opt);
		if (opt == OPT_STOP || status)
			return status;
	}
	int cgroups = !where_given(c), n = argc - optind - cgroups;
	if (n)
		return usage_error(c, NULL, n < 0 ? "no cgroup given; / is every cgroup of this host" : "more than one cgroup given");
	if (w.pin && w.unpin)
		return usage_error(c, "leave one of them out", "--pin and --unpin exclude each other");
	if (open_cgroup(&o, cgroups ? argv[optind] : NULL))
		return STATUS_FAILED;
	int status = run(&o, &w);
	cgroup_close(o.cgroup);
	return status;
}

const struct verb verb_observe = {
	.name = "observe",
	.synopsis = "CGROUP | / | --self | --unit UNIT [--count N] [--timeout S] [--all-requests]\n"
	            "                             [--pin | --unpin] [--json]",
	.summary = "Print what is denied below a cgroup, whoever denies it, as it happens",
	.help = "CGROUP may be named as for apply; / is every cgroup of this host. A line has the\n"
		"time, the container or unit (as its engine's files, or the cgroup's path, tell),\n"
		"the process, the device, the errno, and who denied it: which program, whose it\n"
		"is, and by which rule, as `why` says. What a grant opened is a line of its own.\n\n"
		"Nothing is decided and nothing on the cgroup is touched: a program on the root\n"
		"of the hierarchy sees what those below it decided. It goes when the last that\n"
		"needs it ends. Eight can watch at a time. Records that this command is too slow\n"
		"for are lost: a flood in one cgroup may take records of another. Counts are\n"
		"exact, and by cgroup; at the end they go to stderr. With --json: one object a\n"
		"line.\n"
		"Linux 5.18; 6.1 for cgroups below CGROUP, and for the process.\n\n"
		"  --count N         end after N records\n"
		"  --timeout S       end after S seconds (0.5 is possible)\n"
		"  --all-requests    what is allowed, too\n"
		"  --pin             it goes on counting when this command has ended; the next\n"
		"                    observe of that cgroup reads what it kept\n"
		"  --unpin           end that\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = observe,
	.usage = "CGROUP | / | --self | --unit UNIT",
	.example = PROGRAM " observe / --timeout 60",
};
