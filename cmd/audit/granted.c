/*
 * granted.c - what audit and stats need of the host program: who gave a grant, and why; how much grants opened; a place among
 * those that watch, given back.
 *
 * Grants come and go: they are read again when one is asked for that is not in a list that is younger than the request.
 */
#include "cmd/audit/audit.h"
#include "compiler/compiler.h"

#include <string.h>
#include <time.h>

struct grants_known {
	struct cmd *c;
	struct hostprog *hp;
	struct arena *arena;
	struct host_grant *list;
	size_t n;
	uint64_t read_at; /* CLOCK_BOOTTIME ns, as records have it; 0: never */
};

struct grants_known *grants_known_new(struct cmd *c, struct hostprog *hp)
{
	struct grants_known *g = arena_alloc(c->args, sizeof *g);
	*g = (struct grants_known){.c = c, .hp = hp, .arena = cmd_arena(c)};
	return g;
}

void grants_known_end(struct grants_known *g)
{
	if (g)
		arena_free(g->arena);
}

/* Entries of a grant that was given later are another's. `wall` is when the request was, CLOCK_REALTIME ns. */
static const struct host_grant *find(const struct grants_known *g, uint64_t id, uint64_t wall)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->list[i].id == id && g->list[i].time <= wall)
			return &g->list[i];
	return NULL;
}

/* One that could not be read is not known. */
static void read_again(struct grants_known *g)
{
	struct diags ignored;
	arena_free(g->arena);
	g->arena = cmd_arena(g->c);
	g->n = 0;
	g->read_at = boot_ns();
	diags_init(&ignored, g->arena);
	if (grants_read(g->arena, &ignored, g->hp, &g->list, &g->n))
		g->n = 0;
}

const struct host_grant *grant_known(struct grants_known *g, uint64_t id, uint64_t time)
{
	struct timespec real;
	clock_gettime(CLOCK_REALTIME, &real);
	uint64_t now = (uint64_t)real.tv_sec * NSEC + (uint64_t)real.tv_nsec, wall = now - (boot_ns() - time);
	const struct host_grant *one = find(g, id, wall);
	if (one || g->read_at > time)
		return one;
	read_again(g);
	return find(g, id, wall);
}

/* ---- counts ------------------------------------------------------------------------------------- */

static bool is_below(struct cgroup_paths *paths, const struct cgroup *cg, uint64_t id)
{
	const char *path = cgroup_path_of(paths, id), *top = cg->path + strlen(cg->mount);
	size_t n = strlen(top);
	return id == cg->id || (path && !strncmp(path, top, n) && path[n] == '/');
}

bool granted_count(struct arena *a, const struct cgroup *cg, uint64_t *out)
{
	struct diags ignored;
	struct hostprog *hp;
	struct host_count_entry *list;
	uint64_t uncounted;
	size_t n;
	*out = 0;
	diags_init(&ignored, a);
	if (hostprog_open(a, &ignored, &hp) || !hp)
		return false;
	int failed = watcher_counts(a, &ignored, hp, NULL, &list, &n, &uncounted);
	hostprog_close(hp);
	struct cgroup_paths *paths = cgroup_paths_new(a);
	for (size_t i = 0; i < n && !failed; i++)
		if (list[i].watcher == HOSTPROG_WATCHERS && is_below(paths, cg, list[i].cgroup))
			*out += list[i].count.granted;
	return !failed;
}

/* ---- given back ----------------------------------------------------------------------------------- */

void watcher_give_back(struct cmd *c, struct watcher *w, bool pinned)
{
	struct hostprog *now = NULL;
	struct diags ignored;
	diags_init(&ignored, c->arena);
	bool there = !hostprog_change(c->args, &ignored, &now) && now; /* somebody may have taken it off */
	if (pinned)
		watcher_end(w);
	else
		watcher_close(w);
	if (there && hostprog_settle(c->args, &ignored, now, hostprog_make))
		tell(c, "%s", ignored.n ? ignored.items[0].text : "the host program stays where it is");
	hostprog_close(now);
}
