/* checks.c - what `doctor` says of host programs: what they need, which one there is, what was left behind. Reads only. */
#include "cmd/hosted/hosted.h"

#include <string.h>

struct checks {
	struct cmd *c;
	struct host_check *list;
	size_t n, cap;
};

static void add(struct checks *k, const char *what, enum host_state state, const char *found, const char *fix)
{
	*ARENA_PUSH(k->c->arena, k->list, k->n, k->cap) = (struct host_check){.state = state, .what = what, .found = found, .fix = fix};
}

static void check_kernel(struct checks *k)
{
	static const char what[] = "observe, grant, learn";
	const char *hint, *closed = hostprog_closed(k->c->arena, &hint);
	if (closed)
		add(k, what, HOST_WARN, closed, hint);
	else if (!(hostprog_features() & HOSTPROG_ANCESTORS))
		add(k, what, HOST_WARN, "for processes of the cgroup that is named, and not of those below it",
		    "Linux 6.1 or later tells programs the cgroups above (bpf_get_current_ancestor_cgroup_id)");
	else
		add(k, what, HOST_OK, "for a cgroup and all below it", NULL);
}

/* Where everything passes; NULL: nowhere. */
static const char *open_now(struct arena *a, const struct hosted *h)
{
	struct cgroup_paths *paths = cgroup_paths_new(a);
	const char *text = NULL;
	for (const struct host_watcher *w = h->watchers; w < h->watchers + HOSTPROG_WATCHERS; w++) {
		if (!(w->flags & WATCHER_PERMIT) || w->permit_until <= h->now)
			continue;
		const char *path = w->flags & WATCHER_EVERYWHERE ? "/" : cgroup_path_of(paths, w->cgroup);
		text = arena_printf(a, "%s%s%s", text ? text : "", text ? ", " : "", path ? path : "a cgroup that is gone");
	}
	return text;
}

static void check_program(struct checks *k, const struct hosted *h)
{
	static const char what[] = "host program";
	struct arena *a = k->c->arena;
	if (h->failed) {
		add(k, what, h->id && !h->info.genuine ? HOST_FAIL : HOST_WARN, h->failed, h->hint);
		return;
	}
	if (!h->id) {
		add(k, what, HOST_OK, "none: nobody observes, and nothing is granted", NULL);
		return;
	}
	const char *found = arena_printf(a, "program %u on %s: %s", h->id, h->info.root, hosted_words(a, h));
	const char *open = open_now(a, h);
	if (open)
		found = arena_printf(a, "%s; learn --permissive lets everything pass that filters deny, in %s", found, open);
	if (h->info.after)
		add(k, what, HOST_WARN,
		    arena_printf(a, "%s; %u program%s attached behind it: what %s, it does not see, and no grant opens", found, h->info.after,
		                 h->info.after == 1 ? " is" : "s are", h->info.after == 1 ? "that denies" : "these deny"),
		    arena_printf(a, PROGRAM " status %s shows them", shell_word(a, h->info.root)));
	else
		add(k, what, open ? HOST_WARN : HOST_OK, found, open ? "it ends with that learn: " PROGRAM " stats --observe shows it" : NULL);
}

/* What the next command of ours that changes something sweeps. */
static void check_left(struct checks *k, const struct hosted *h)
{
	static const char what[] = "host program's remains";
	struct arena *a = k->c->arena;
	size_t gone = 0;
	const char *text = "";
	if (!hosted_known(h))
		return;
	for (size_t i = 0; i < h->ngrants; i++)
		gone += !grant_over(h, &h->grants[i]) && !cgroup_id_lives(h->grants[i].key.cgroup);
	if (gone)
		text = arena_printf(a, "%zu grant%s of cgroups that are gone", gone, PLURAL(gone));
	if (h->over)
		text = arena_printf(a, "%s%s%zu grant%s over", text, *text ? ", " : "", h->over, h->over == 1 ? " that is" : "s that are");
	if (h->dead)
		text = arena_printf(a, "%s%s%zu watcher%s whose process is dead", text, *text ? ", " : "", h->dead, PLURAL(h->dead));
	if (!h->ngrants && !h->info.watchers)
		text = "nothing needs it any more";
	if (*text)
		add(k, what, HOST_OK, arena_printf(a, "%s: the next observe, grant or revoke takes them out", text), NULL);
}

void hosted_checks(struct cmd *c, struct host_check **list, size_t *n)
{
	struct checks k = {.c = c};
	struct hosted h;
	check_kernel(&k);
	hosted_read(c, &h);
	check_program(&k, &h);
	check_left(&k, &h);
	*list = k.list;
	*n = k.n;
}
