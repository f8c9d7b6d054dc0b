/*
 * audit.c - the verb `audit`: records of what was denied, as they come.
 *
 * One loop over poll(2): the ring buffers of the policies read, and a signalfd, so
 * that a signal is never in the middle of anything. What is attached is looked at
 * every CHECK_NS; a busy ring is left after BATCH records to do so. The kernel
 * never waits for this process: what it does not read in time is counted as lost.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"
#include "cmd/options.h"
#include "cmd/where/where.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { OPT_COUNT = OPT_VERB, OPT_TIMEOUT, OPT_FOLD, OPT_ALL };
static const struct option options[] = {
	{"count", required_argument, NULL, OPT_COUNT},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"fold", required_argument, NULL, OPT_FOLD},
	{"all", no_argument, NULL, OPT_ALL},
	{"output", required_argument, NULL, 'o'},
	OPTION_SELF,
	OPTION_UNIT,
	OPTION_JSON,
	OPTION_HELP,
	{0},
};

enum {
	BATCH = 4096, /* more than a ring holds */
	DRAIN_BATCHES = 4,
	CHECK_NS = NSEC / 5,
	CHECK_ALL_NS = NSEC / 2,
	CHECK_SOON_NS = NSEC / 50,
	LOSSES_NS = NSEC,
	FIRST_TRIES = 20,
};

enum ending { GOING_ON, END_COUNT, END_TIMEOUT, END_SIGNAL, END_DETACHED, END_FAILED };

struct audit_run {
	struct cmd *c;
	struct watch watch;
	struct printer *printer;
	struct joined *joined;
	const char *output;
	struct cgroup *cgroup;
	bool all;
	uint64_t most;    /* --count, 0: no end */
	uint64_t timeout; /* ns */
	uint64_t printed;
	struct source *reading;
	unsigned batch;
	int signals;
	enum ending ending;
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC + (uint64_t)now.tv_nsec;
}

/* ---- reading ---------------------------------------------------------------------- */

static bool one_record(void *arg, const struct event_record *record)
{
	struct audit_run *r = arg;
	struct source *s = r->reading;
	const struct event *e = &record->event;
	s->records++;
	print_record(r->printer, s, record, source_count(s, e));
	joined_denial(r->joined, s->policy, e, source_rule(s, e->generation, e->rule));
	if (r->most && ++r->printed >= r->most)
		r->ending = END_COUNT;
	return r->ending != END_COUNT && ++r->batch < BATCH;
}

static void one_granted(void *arg, const struct host_event *e, const struct host_grant *grant, const struct denial *const *denials, size_t n)
{
	struct audit_run *r = arg;
	if (r->ending == END_COUNT)
		return;
	print_granted(r->printer, e, grant, denials, n);
	if (r->most && ++r->printed >= r->most)
		r->ending = END_COUNT;
}

/* One batch of a source; how many records that were, or -1. */
static int read_batch(struct audit_run *r, struct source *s)
{
	r->reading = s;
	r->batch = 0;
	printer_begin(r->printer);
	int n = audit_poll(&r->c->diags, s->audit, 0, one_record, r);
	if (n < 0 || printer_end(r->printer, &r->c->diags)) {
		r->ending = END_FAILED;
		return -1;
	}
	return n;
}

/* Everything that waits, before a source is closed; but not after the last record
 * asked for, and no more than rings can hold: denials may go on. */
static void drain(void *arg, struct source *s)
{
	struct audit_run *r = arg;
	for (int i = 0; i < DRAIN_BATCHES; i++)
		if (r->ending == END_COUNT || r->ending == END_FAILED || read_batch(r, s) <= 0)
			return;
}

/* What was opened of what is told now. */
static void tell_granted(struct audit_run *r)
{
	printer_begin(r->printer);
	joined_tell(r->joined);
	if (printer_end(r->printer, &r->c->diags))
		r->ending = END_FAILED;
}

static void handle_signals(struct audit_run *r)
{
	struct signalfd_siginfo info;
	while (read(r->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo != SIGHUP)
			r->ending = END_SIGNAL;
		else if (printer_reopen(r->printer, &r->c->diags))
			r->ending = END_FAILED;
	}
}

/* Waits until records come, a signal, or `until`. */
static void wait_and_read(struct audit_run *r, uint64_t until)
{
	size_t n = r->watch.n;
	struct pollfd *fds = calloc(n + 2, sizeof *fds);
	if (!fds)
		cmd_no_memory(r->c);
	for (size_t i = 0; i < n; i++) {
		const struct source *s = r->watch.sources[i];
		fds[i] = (struct pollfd){s->claimed ? audit_fd(s->audit) : -1, POLLIN, 0};
	}
	fds[n] = (struct pollfd){r->signals, POLLIN, 0};
	fds[n + 1] = (struct pollfd){joined_fd(r->joined), POLLIN, 0};
	uint64_t now = now_ns(), left = until > now ? until - now : 0;
	struct timespec wait = {(time_t)(left / NSEC), (long)(left % NSEC)};
	if (ppoll(fds, n + 2, &wait, NULL) > 0) {
		bool opened = fds[n + 1].revents;
		if (fds[n].revents)
			handle_signals(r);
		if (opened)
			joined_read(r->joined);
		for (size_t i = 0; i < n && !r->ending; i++)
			if (fds[i].revents || (opened && r->watch.sources[i]->claimed))
				read_batch(r, r->watch.sources[i]);
		if (opened && !r->ending)
			tell_granted(r);
	}
	free(fds);
}

/* ---- the loop ------------------------------------------------------------------------ */

/* Says what was lost, looks what is attached. The time of the next check. */
static uint64_t check(struct audit_run *r, uint64_t *losses)
{
	uint64_t now = now_ns();
	if (now >= *losses) {
		if (watch_losses(&r->watch))
			r->ending = END_FAILED;
		*losses = now + LOSSES_NS;
	}
	if (!r->ending && watch_check(&r->watch))
		r->ending = END_FAILED;
	if (!r->ending && !r->all && !r->watch.n)
		r->ending = END_DETACHED;
	if (!r->ending)
		joined_check(r->joined);
	return now + (watch_unsure(&r->watch) ? CHECK_SOON_NS : r->all ? CHECK_ALL_NS : CHECK_NS);
}

/* A look at what is attached before it ends by itself: what is told of that is true at the end. */
static void last_checks(struct audit_run *r, uint64_t *losses)
{
	enum ending was = r->ending;
	if (was != END_TIMEOUT && was != END_SIGNAL)
		return;
	r->ending = GOING_ON;
	for (int i = 0; !i || (i < 4 && !r->ending && watch_unsure(&r->watch)); i++)
		check(r, losses);
	if (!r->ending || (was == END_SIGNAL && r->ending == END_DETACHED))
		r->ending = was;
}

/* To a person who sees nothing happen: what it waits for, and how to end it. */
static void say_waiting(struct audit_run *r)
{
	uint64_t records = 0;
	const char *names = "";
	for (size_t i = 0; i < r->watch.n; i++) {
		records += r->watch.sources[i]->records;
		names = arena_printf(r->c->arena, "%s%s'%s'", names, *names ? ", " : "", r->watch.sources[i]->policy);
	}
	if (records || r->ending || !r->timeout || !isatty(STDERR_FILENO))
		return;
	const char *end = r->timeout == UINT64_MAX ? "" : ", or when the time is up";
	if (r->cgroup)
		tell(r->c, "nothing so far: waiting for what %s on %s reports; Ctrl-C ends it%s", names, r->cgroup->path, end);
	else
		tell(r->c, "nothing so far: waiting for what any policy on this host reports; Ctrl-C ends it%s", end);
}

/* What was opened just before the end, and the denials that belong to it. */
static void last_granted(struct audit_run *r)
{
	enum ending was = r->ending;
	r->ending = GOING_ON;
	for (int k = 0; k < DRAIN_BATCHES && !r->ending; k++) {
		joined_read(r->joined);
		for (size_t i = 0; i < r->watch.n && !r->ending; i++)
			if (r->watch.sources[i]->claimed)
				read_batch(r, r->watch.sources[i]);
		if (!r->ending)
			tell_granted(r);
	}
	r->ending = r->ending ? r->ending : was;
}

static void stream(struct audit_run *r)
{
	uint64_t start = now_ns(), losses = start + LOSSES_NS;
	uint64_t end = r->timeout < UINT64_MAX - start ? start + r->timeout : UINT64_MAX;
	uint64_t next = start + (r->all ? CHECK_ALL_NS : CHECK_NS);
	joined_check(r->joined);
	wait_and_read(r, start); /* what waits already */
	say_waiting(r);
	while (!r->ending) {
		wait_and_read(r, next < end ? next : end);
		uint64_t now = now_ns();
		if (!r->ending && now >= end)
			r->ending = END_TIMEOUT;
		else if (!r->ending && now >= next)
			next = check(r, &losses);
	}
	last_checks(r, &losses);
	if (r->ending == END_TIMEOUT || r->ending == END_SIGNAL || r->ending == END_DETACHED)
		last_granted(r);
	if (r->ending != END_FAILED)
		watch_losses(&r->watch);
	watch_end(&r->watch, r->ending != END_COUNT);
}

/* What is attached may change while it is opened: some tries. */
static int open_sources(struct audit_run *r)
{
	struct cmd *c = r->c;
	for (int i = 0; i < FIRST_TRIES; i++) {
		if (watch_check(&r->watch))
			return STATUS_FAILED;
		if (r->all || r->watch.n)
			return STATUS_OK;
	}
	return nothing_reports(c, r->cgroup, r->watch.name);
}

static int signals_new(struct audit_run *r)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (r->output)
		sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r->signals >= 0)
		return 0;
	return diag_fail(&r->c->diags, NULL, "signalfd: %s", strerror(errno));
}

static int audit_run(struct audit_run *r)
{
	struct cmd *c = r->c;
	if (printer_new(c, r->output, &r->printer))
		return STATUS_FAILED;
	r->joined = joined_new(c, r->cgroup, one_granted, r);
	int status = signals_new(r) ? STATUS_FAILED : open_sources(r);
	if (!status) {
		c->json.printed = true; /* from here on stdout has records only */
		c->json.on = false;
		diags_flush(c);
		stream(r);
		status = r->ending == END_FAILED     ? STATUS_FAILED
		         : r->ending == END_DETACHED ? STATUS_DETACHED
		                                     : STATUS_OK;
	}
	watch_end(&r->watch, false);
	joined_end(r->joined);
	printer_close(r->printer);
	return status;
}

/* ---- the command line ------------------------------------------------------------------ */

static int option(struct audit_run *r, int opt)
{
	struct cmd *c = r->c;
	switch (opt) {
	case OPT_COUNT: return option_count(c, "--count", optarg, &r->most);
	case OPT_TIMEOUT: return option_seconds(c, "--timeout", optarg, 0, &r->timeout);
	case OPT_FOLD: return option_seconds(c, "--fold", optarg, 1, &r->watch.fold_ns);
	case OPT_ALL: r->all = true; break;
	case 'o': r->output = optarg; break;
	}
	return STATUS_OK;
}

static bool parse(struct audit_run *r, int argc, char **argv, const char **path)
{
	struct cmd *c = r->c;
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END)
		if (opt == OPT_STOP || (c->status = option(r, opt)))
			return false;
	int cgroups = !where_given(c), n = argc - optind - cgroups;
	*path = cgroups && optind < argc ? argv[optind] : NULL;
	r->watch.name = n > 0 ? argv[optind + cgroups] : NULL;
	if (r->all && (optind < argc || !cgroups))
		c->status = usage_error(c, "leave out the cgroup, or --all",
		                        "--all reads every cgroup: none can be named");
	else if (!r->all && (n < 0 || n > 1))
		c->status = usage_error(c, NULL, n < 0 ? "no cgroup given" : "more than a cgroup and a name given");
	return !c->status;
}

/* A policy takes some ten descriptors, and --all reads as many as there are. */
static void raise_descriptors(void)
{
	struct rlimit most;
	if (getrlimit(RLIMIT_NOFILE, &most))
		return;
	most.rlim_cur = most.rlim_max;
	setrlimit(RLIMIT_NOFILE, &most);
}

static int audit(struct cmd *c, int argc, char **argv)
{
	const char *path;
	struct audit_run r = {.c = c, .signals = -1, .timeout = UINT64_MAX, .watch = {.c = c}};
	c->status = STATUS_OK;
	if (!parse(&r, argc, argv, &path))
		return c->status;
	if (!r.all && where_open(c, path, WHERE_LOOK, &r.cgroup))
		return STATUS_FAILED;
	raise_descriptors();
	r.watch.cgroup = r.cgroup;
	r.watch.drain = drain;
	r.watch.arg = &r;
	int status = audit_run(&r);
	if (r.signals >= 0)
		close(r.signals);
	if (r.cgroup)
		cgroup_close(r.cgroup);
	return status;
}

const struct verb verb_audit = {
	.name = "audit",
	.synopsis = "CGROUP [NAME] | --self [NAME] | --unit UNIT [NAME] | --all\n                           [--count N] [--timeout S] [--fold S] [-o FILE] [--json]",
	.summary = "Print what our policies on a cgroup deny, as it happens",
	.help = "The policy must report: apply it with --audit denied. NAME picks one of several.\n"
		"A policy that is replaced meanwhile is read on; when none is left that reports,\n"
		"audit ends with status 4. One reader at a time. Messages and the summary go to\n"
		"stderr. With --json: one object a line; man 1 rucy-devguard has the fields.\n\n"
		"  --all             every cgroup of this host, also those guarded later\n"
		"  --count N         end after N records\n"
		"  --timeout S       end after S seconds (0.5 is possible)\n"
		"  --fold S          one record for all that is alike within S seconds, with its\n"
		"                    count\n"
		"  -o, --output FILE append to FILE, opened again at SIGHUP\n",
	.shorts = ":ho:",
	.longs = options,
	.json = true,
	.main = audit,
	.usage = "CGROUP [NAME] | --self [NAME] | --unit UNIT [NAME] | --all",
	.example = PROGRAM " audit /web --timeout 60",
};
