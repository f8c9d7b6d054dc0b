/*
 * denials.c - a feed of events: what a policy on a cgroup reports, read as `audit` reads it.
 *
 * Nothing waits for handlers: a record that they are too slow for stays in the ring buffer, and when that is full the
 * program of the policy counts what it could not put there. So the counts at the end add up.
 */
#include "cmd/watch/watch.h"

#include "cmd/audit/audit.h"

#include <string.h>

enum { BATCH = 256, FIRST_TRIES = 20, PATH_SHOWN = 200 };
#define LOSSES WATCH_NSEC

struct denials {
	struct cmd *cmd;
	struct watch watch;
	struct device_names *devices;
	struct cgroup_paths *cgroups;
	struct handlers *handlers; /* NULL: none runs */
	struct source *reading;
	struct denials_counts counts; /* of the sources that were closed; given, ignored, unread: of all */
	unsigned batch;
	int64_t wall;
	uint64_t losses;   /* when they are told next */
	bool taking;       /* all that waits, whether there is room or not */
	bool ending;       /* the totals are of the end */
	uint64_t left;     /* records that were submitted by then and are not read */
};

/* ---- a record as an event --------------------------------------------------------------------- */

static bool wanted(const struct denials *d, const struct event *e)
{
	const struct user_ready *has = handlers_has(d->handlers);
	return e->verdict ? has->allowed : has->denied;
}

/* "/dev/kmsg", or "c 1:11" where this host has no name for it. */
static const char *device(struct denials *d, const struct event *e, char out[DEVICE_TEXT])
{
	const char *path = device_path(d->devices, e->type, e->major, e->minor);
	if (path)
		snprintf(out, DEVICE_TEXT, "%s", path);
	else
		snprintf(out, DEVICE_TEXT, "%s %u:%u", device_type(e->type), e->major, e->minor);
	return out;
}

/* What the record tells of the task. */
static void give_told(struct denials *d, struct arena *a, const struct event_record *record, struct user_event *out)
{
	const char *untold;
	struct request r = record_request(a, record, source_asked(d->reading, record), cgroup_path_of(d->cgroups, record->event.cgroup_id), &untold);
	const char *words = told_words(a, &r, untold);
	out->told = r.known & ((INPUT(IN_ASK_0) - 1) & ~(INPUT(IN_EUID) - 1));
	memcpy(out->fact, &r.fact[IN_EUID], sizeof out->fact);
	out->exe = r.who.exe ? r.who.exe : "";
	out->parent_exe = r.who.parent_exe ? r.who.parent_exe : "";
	out->facts = words + (*words == ' ');
}

static void give(struct denials *d, const struct event_record *record, uint64_t count)
{
	const struct event *e = &record->event;
	const struct rule_name *name = source_rule(d->reading, e->generation, e->rule);
	char dev[DEVICE_TEXT], rule[sizeof name->file + 16] = "", label[sizeof name->label + 1] = "", path[PATH_SHOWN] = "";
	const char *of = cgroup_path_of(d->cgroups, e->cgroup_id);
	if (name && name->line && name->file[0])
		snprintf(rule, sizeof rule, "%.*s:%u", (int)sizeof name->file, name->file, name->line);
	if (name && name->label[0])
		snprintf(label, sizeof label, "%.*s", (int)sizeof name->label, name->label);
	else if (!e->rule)
		snprintf(label, sizeof label, "default");
	snprintf(path, sizeof path, "%s", of ? of : "");
	struct user_event given = {.event = *e, .count = count, .time = (int64_t)e->time + d->wall, .device = device(d, e, dev),
	                           .rule = rule, .label = label, .cgroup = path, .exe = "", .parent_exe = "", .facts = ""};
	struct arena *a = record->told.which ? arena_scratch(d->cmd->args) : NULL;
	if (a)
		give_told(d, a, record, &given);
	handlers_give_event(d->handlers, &given);
	if (a)
		arena_free(a);
}

static bool one_record(void *arg, const struct event_record *r)
{
	struct denials *d = arg;
	struct source *s = d->reading;
	const struct event *e = &r->event;
	s->records++;
	s->before += e->time < s->began;
	uint64_t count = source_count(s, e);
	if (!d->handlers)
		d->counts.unread++;
	else if (!wanted(d, e))
		d->counts.ignored++;
	else {
		give(d, r, count);
		d->counts.given++;
	}
	if (d->ending && d->left)
		d->left--;
	bool more = d->taking || !d->handlers || handlers_room(d->handlers);
	return more && ++d->batch < BATCH && (!d->ending || d->left);
}

/* How many records that were, or -1. */
static int read_batch(struct denials *d, struct source *s)
{
	d->reading = s;
	d->batch = 0;
	d->wall = watch_wall();
	return audit_poll(&d->cmd->diags, s->audit, 0, one_record, d);
}

/* ---- a feed -------------------------------------------------------------------------------------- */

static size_t fds(void *self, struct pollfd *out, size_t most)
{
	const struct denials *d = self;
	size_t n = 0;
	for (size_t i = 0; i < d->watch.n && n < most; i++)
		if (d->watch.sources[i]->claimed)
			out[n++] = (struct pollfd){.fd = audit_fd(d->watch.sources[i]->audit), .events = POLLIN};
	return n;
}

static enum feed_state feed_read(void *self, struct handlers *h)
{
	struct denials *d = self;
	d->handlers = h;
	for (size_t i = 0; i < d->watch.n && handlers_room(h); i++)
		if (d->watch.sources[i]->claimed && read_batch(d, d->watch.sources[i]) < 0)
			return FEED_FAILED;
	return FEED_MORE;
}

static enum feed_state feed_check(void *self, struct handlers *h)
{
	struct denials *d = self;
	uint64_t now = watch_now();
	d->handlers = h;
	if (now >= d->losses) {
		d->losses = now + LOSSES;
		if (watch_losses(&d->watch))
			return FEED_FAILED;
	}
	if (watch_check(&d->watch))
		return FEED_FAILED;
	return d->watch.n ? FEED_MORE : FEED_ENDED;
}

/* What was decided by now: the records of it that are not read yet are the last that are given. */
static int end_now(struct denials *d)
{
	struct diags *diags = &d->cmd->diags;
	d->ending = true;
	for (size_t i = 0; i < d->watch.n; i++) {
		struct source *s = d->watch.sources[i];
		if (!s->claimed)
			continue;
		if (source_update(diags, s))
			return -1;
		uint64_t all = s->sum.submitted + s->before;
		d->left += all > s->records ? all - s->records : 0;
	}
	return 0;
}

static enum feed_state feed_rest(void *self, struct handlers *h)
{
	struct denials *d = self;
	d->handlers = h;
	if (!d->ending && end_now(d))
		return FEED_FAILED;
	for (size_t i = 0; i < d->watch.n && d->left; i++) {
		int n = d->watch.sources[i]->claimed ? read_batch(d, d->watch.sources[i]) : 0;
		if (n < 0)
			return FEED_FAILED;
		if (n)
			return d->left ? FEED_MORE : FEED_ENDED;
	}
	return FEED_ENDED;
}

struct feed denials_feed(struct denials *d)
{
	return (struct feed){d, fds, feed_read, feed_check, feed_rest};
}

/* ---- sources that come and go ---------------------------------------------------------------------- */

/* Reads all that waits in one that is about to be closed: denials may go on, so no more than a ring holds. */
static void drain(void *arg, struct source *s)
{
	struct denials *d = arg;
	if (d->ending)
		return;
	d->taking = true;
	for (int i = 0; i < 4096 / BATCH * 4 && read_batch(d, s) > 0; i++)
		;
	d->taking = false;
}

static void add(struct denials_counts *to, const struct source *s)
{
	to->denied += s->sum.denied;
	to->allowed += s->sum.allowed;
	to->submitted += s->sum.submitted;
	to->folded += s->sum.folded;
	to->dropped += s->sum.dropped;
	to->before += s->before;
}

static void closed(void *arg, const struct source *s)
{
	struct denials *d = arg;
	add(&d->counts, s);
}

struct denials_counts denials_counts(const struct denials *d)
{
	struct denials_counts all = d->counts;
	for (size_t i = 0; i < d->watch.n; i++)
		if (d->watch.sources[i]->claimed)
			add(&all, d->watch.sources[i]);
	uint64_t records = all.given + all.ignored + all.unread, there = all.before + all.submitted;
	if (there > records)
		all.unread += there - records;
	return all;
}

/* ---- opened, closed ----------------------------------------------------------------------------------- */

int denials_open(struct cmd *c, const struct cgroup *cg, const char *policy, uint64_t fold_ns, struct denials **out)
{
	struct denials *d = *out = arena_alloc(c->args, sizeof *d);
	*d = (struct denials){.cmd = c, .watch = {.c = c, .cgroup = cg, .name = policy, .fold_ns = fold_ns, .drain = drain,
	                                          .closed = closed, .arg = d},
	                      .devices = device_names_new(c->args), .cgroups = cgroup_paths_new(c->args),
	                      .losses = watch_now() + LOSSES};
	for (int i = 0; i < FIRST_TRIES && !d->watch.n; i++)
		if (watch_check(&d->watch))
			return STATUS_FAILED;
	return d->watch.n ? STATUS_OK : nothing_reports(c, cg, policy);
}

void denials_close(struct denials *d)
{
	d->ending = true; /* nothing is read any more */
	watch_end(&d->watch, false);
}

int denials_free(struct cmd *c, const struct cgroup *cg, const char *policy)
{
	struct attached *list;
	struct diags unsaid;
	size_t n;
	int failed = 0;
	diags_init(&unsaid, c->arena);
	if (find_reporting(c->arena, &unsaid, cg, policy, &list, &n))
		return 0; /* what is wrong is said when it is attached */
	for (size_t i = 0; i < n && !failed; i++) {
		struct source *s = source_open(c, &unsaid, list[i].id);
		if (!s)
			continue;
		failed = audit_claim(s->arena, &c->diags, s->audit);
		source_close(s);
	}
	return failed;
}
