/*
 * joined.c - requests that a policy denied and a grant opened, joined to the denial.
 *
 * A denial is a record of the policy, in its ring buffer; what became of it, one of the host program, in another. The denial is written
 * first. So the second are read first and kept, then the first; what is kept finds its denial among the last of
 * them, by thread, cgroup, device and time. A thread asks one request at a time, so the last one before it is it. Requests that no policy
 * read here denied are not told: `observe` tells them.
 */
#include "cmd/audit/audit.h"
#include "compiler/compiler.h"

#include <string.h>

enum { DENIALS = 4096, OPENED = 4096, POLICIES = 8 };

struct joined {
	struct cmd *c;
	const struct cgroup *cgroup;
	void (*one)(void *arg, const struct host_event *e, const struct host_grant *grant, const struct denial *const *denials, size_t n);
	void *arg;
	struct arena *arena; /* of what follows */
	struct hostprog *hp;
	struct watcher *watcher;
	struct grants_known *grants;
	bool refused;        /* it was said why nothing is told */
	struct denial *denials; /* a ring: the last ones */
	uint64_t ndenials;
	struct host_event *opened;
	size_t nopened;
	uint64_t untold;       /* opened, and not joined to a denial */
};

struct joined *joined_new(struct cmd *c, const struct cgroup *cg,
                          void (*one)(void *arg, const struct host_event *e, const struct host_grant *grant, const struct denial *const *denials,
                                      size_t n),
                          void *arg)
{
	struct joined *j = arena_alloc(c->args, sizeof *j);
	*j = (struct joined){.c = c, .cgroup = cg && cgroup_is_hosts_root(cg) ? NULL : cg, .one = one, .arg = arg};
	return j;
}

/* ---- the watcher ----------------------------------------------------------------------------------- */

/* What is not told as opened is there as a denial, or not at all: how much that is. */
static void say_untold(struct joined *j)
{
	struct host_count_entry *list;
	struct diags ignored;
	uint64_t uncounted, n = j->untold;
	size_t nlist;
	diags_init(&ignored, j->arena);
	if (!watcher_counts(j->arena, &ignored, j->hp, j->watcher, &list, &nlist, &uncounted)) {
		for (size_t i = 0; i < nlist; i++)
			n += list[i].count.lost;
		n += uncounted;
	}
	if (n)
		tell(j->c, "%llu of what grants opened %s not told: records were lost, or no denial that was read here belongs to %s; "
		           "`" PROGRAM " stats --observe` counts all", (unsigned long long)n, n == 1 ? "is" : "are", n == 1 ? "it" : "them");
	j->untold = 0;
}

static void let_go(struct joined *j)
{
	if (j->watcher)
		say_untold(j);
	if (j->watcher)
		watcher_give_back(j->c, j->watcher, false);
	grants_known_end(j->grants);
	hostprog_close(j->hp);
	if (j->arena)
		arena_free(j->arena);
	j->watcher = NULL;
	j->grants = NULL;
	j->hp = NULL;
	j->arena = NULL;
	j->nopened = 0;
	j->ndenials = 0;
}

static bool grants_there(struct joined *j)
{
	struct arena *a = cmd_arena(j->c);
	struct hostprog *hp = NULL;
	struct hostprog_info info = {0};
	struct diags ignored;
	diags_init(&ignored, a);
	if (!hostprog_open(a, &ignored, &hp) && hp && hostprog_info(a, &ignored, hp, NULL, &info))
		info.parts = 0;
	hostprog_close(hp);
	arena_free(a);
	return info.parts & HOSTPROG_GRANTS;
}

static int become(struct joined *j, struct diags *d)
{
	if (hostprog_need(j->arena, d, HOSTPROG_OBSERVE, hostprog_make, &j->hp))
		return -1;
	int failed = watcher_new(j->arena, d, j->hp, j->cgroup, WATCHER_GRANTED, 0, &j->watcher);
	if (failed)
		hostprog_settle(j->arena, d, j->hp, hostprog_make);
	hostprog_unlock(j->hp);
	if (failed)
		return -1;
	j->grants = grants_known_new(j->c, j->hp);
	j->denials = arena_alloc(j->arena, DENIALS * sizeof *j->denials);
	j->opened = arena_alloc(j->arena, OPENED * sizeof *j->opened);
	return 0;
}

void joined_check(struct joined *j)
{
	struct diags said;
	if (j->watcher && !watcher_lives(j->watcher))
		let_go(j);
	if (j->watcher || !grants_there(j))
		return;
	j->arena = cmd_arena(j->c);
	diags_init(&said, j->arena);
	if (!become(j, &said))
		return;
	if (!j->refused)
		tell(j->c, "what grants open is not told here: %s", said.n ? said.items[0].text : "the host program cannot be used");
	j->refused = true;
	let_go(j);
}

int joined_fd(const struct joined *j)
{
	return j->watcher ? watcher_fd(j->watcher) : -1;
}

void joined_end(struct joined *j)
{
	if (j)
		let_go(j);
}

/* ---- joined -------------------------------------------------------------------------------------------- */

void joined_denial(struct joined *j, const char *policy, const struct event *e, const struct rule_name *name)
{
	if (!j->watcher || e->verdict || e->flags & EVENT_PERMISSIVE)
		return;
	struct denial *d = &j->denials[j->ndenials++ % DENIALS];
	*d = (struct denial){.event = *e, .named = name};
	snprintf(d->policy, sizeof d->policy, "%s", policy);
	if (name)
		d->name = *name;
}

static bool one_opened(void *arg, const struct host_event *e)
{
	struct joined *j = arg;
	if (e->flags & HOST_EVENT_GRANTED)
		j->opened[j->nopened++] = *e;
	return j->nopened < OPENED;
}

void joined_read(struct joined *j)
{
	struct diags ignored;
	if (!j->watcher || j->nopened == OPENED) /* full: they are told first */
		return;
	diags_init(&ignored, j->arena);
	watcher_poll(&ignored, j->watcher, 0, one_opened, j);
}

static bool is_of(const struct denial *d, const struct host_event *e)
{
	const struct event *k = &d->event;
	return k->time <= e->time && k->cgroup_id == e->cgroup_id && k->tid == e->tid && k->type == e->type && k->major == e->major &&
	       k->minor == e->minor && k->requested == e->requested;
}

/* The last denials of that request, each by another policy. */
static void tell_one(struct joined *j, const struct host_event *e)
{
	const struct denial *found[POLICIES];
	struct denial *told[POLICIES];
	size_t n = 0;
	uint64_t first = j->ndenials > DENIALS ? j->ndenials - DENIALS : 0;
	for (uint64_t i = j->ndenials; i > first && n < POLICIES; i--) {
		struct denial *d = &j->denials[(i - 1) % DENIALS];
		bool again = false;
		for (size_t k = 0; k < n; k++)
			again |= !strcmp(found[k]->policy, d->policy);
		if (!again && is_of(d, e)) {
			found[n] = told[n] = d;
			n++;
		}
	}
	j->untold += !n;
	if (n)
		j->one(j->arg, e, grant_known(j->grants, e->grant, e->time), found, n);
	for (size_t k = 0; k < n; k++)
		told[k]->event.cgroup_id = 0; /* once only */
}

void joined_tell(struct joined *j)
{
	for (size_t i = 0; i < j->nopened; i++)
		tell_one(j, &j->opened[i]);
	j->nopened = 0;
}
