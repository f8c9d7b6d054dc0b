/*
 * hostsweep.c - what the dead left in the host program's maps is taken out.
 *
 * A cgroup's id is never given twice, so what is kept for one that is gone is of no use to a program; people want to read it for
 * a while.
 */
#include "cgroup/guarded.h"
#include "cgroup/hostprog_internal.h"

#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

/* Over since this long, it goes. */
static const uint64_t KEPT_NS = 3600ull * 1000000000;

/* ---- grants ------------------------------------------------------------------------------ */

static int by_id(const void *a, const void *b)
{
	const struct grant_key *x = &((const struct host_grant *)a)->key, *y = &((const struct host_grant *)b)->key;
	return (x->cgroup > y->cgroup) - (x->cgroup < y->cgroup);
}

/* The hook, which knows containers by name, or `revoke`, which takes the node away, still needs it. */
static bool is_looked_for(const struct host_grant *g, uint64_t now)
{
	return g->node || (g->container[0] && (!g->until || g->until > now));
}

/* What is over. A grant whose cgroup was seen to be gone ends then, which is written down in it. */
static void sweep_one(struct hostprog *hp, struct host_grant *g, bool lives, uint64_t now)
{
	int fd = hp->maps.fd[HOSTPROG_MAP_GRANTS];
	if (is_looked_for(g, now))
		return;
	if (!lives && (!g->until || g->until > now)) {
		g->until = now;
		bpf_map_update_elem(fd, &g->key, g, BPF_EXIST);
	} else if (g->until && g->until < now && now - g->until > KEPT_NS) {
		bpf_map_delete_elem(fd, &g->key);
	}
}

static void sweep_grants(struct arena *parent, struct hostprog *hp)
{
	struct arena *a = arena_scratch(parent);
	struct diags ignored;
	struct host_grant *list;
	size_t n;
	uint64_t now = boot_ns();
	bool lives = false;
	diags_init(&ignored, a);
	if (!grants_read(a, &ignored, hp, &list, &n) && n) {
		qsort(list, n, sizeof *list, by_id);
		for (size_t i = 0; i < n; i++) {
			if (!i || list[i].key.cgroup != list[i - 1].key.cgroup)
				lives = cgroup_id_lives(list[i].key.cgroup);
			sweep_one(hp, &list[i], lives, now);
		}
	}
	arena_free(a);
}

/* ---- counts ------------------------------------------------------------------------------- */

/* Of cgroups that are gone: when half of the room is taken. */
static void sweep_counts(struct arena *parent, struct hostprog *hp)
{
	struct arena *a = arena_scratch(parent);
	struct diags ignored;
	struct host_count_entry *list;
	size_t n;
	uint64_t uncounted;
	bool lives = false;
	diags_init(&ignored, a);
	if (!watcher_counts(a, &ignored, hp, NULL, &list, &n, &uncounted) && n > HOSTPROG_COUNTS_MAX / 2)
		for (size_t i = 0; i < n; i++) { /* by cgroup */
			if (!i || list[i].cgroup != list[i - 1].cgroup)
				lives = cgroup_id_lives(list[i].cgroup);
			struct host_count_key key = {list[i].cgroup, list[i].watcher};
			if (!lives)
				bpf_map_delete_elem(hp->maps.fd[HOSTPROG_MAP_COUNTS], &key);
		}
	arena_free(a);
}

/* ---- all --------------------------------------------------------------------------------------- */

void hostprog_sweep(struct arena *a, struct hostprog *hp)
{
	watchers_sweep(a, hp);
	guarded_sweep(a, &hp->maps);
	sweep_grants(a, hp);
	sweep_counts(a, hp);
}
