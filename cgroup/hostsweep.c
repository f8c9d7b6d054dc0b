/*
 * hostsweep.c - what the dead left in the host program's maps is taken out.
 *
 * A cgroup's id is never given twice, so what is kept for one that is gone is of no use to a program; people want to read it for
 * a while.
 */
#include "cgroup/guarded.h"
#include "cgroup/hostprog_internal.h"

#include <string.h>

#include <bpf/bpf.h>

/* Over since this long, it goes. */
static const uint64_t KEPT_NS = 3600ull * 1000000000;

enum { CGROUPS = 4096 }; /* 1 << 12 */

/* ---- which cgroups are gone ------------------------------------------------------------- */

struct sweeping {
	struct arena *arena;
	const char *mount;
	struct hostprog *hp;
	uint64_t now;
	struct over { struct grant_key key; bool ended; } *over; /* ended: long ago; else its cgroup is gone */
	size_t n, cap;
	struct counted *counts;
	size_t ncounts, counts_cap;
	struct known { uint64_t id; bool lives; } known[CGROUPS]; /* of those that were asked about */
};

static bool lives(struct sweeping *s, uint64_t id)
{
	struct known *k = &s->known[id * 0x9e3779b97f4a7c15ull >> 52];
	if (k->id != id)
		*k = (struct known){id, cgroup_lives_at(s->mount, id)};
	return k->lives;
}

/* ---- grants ------------------------------------------------------------------------------ */

/* The hook, which knows containers by name, or `revoke`, which takes the node away, still needs it. */
static bool is_looked_for(const struct host_grant *g, uint64_t now)
{
	return g->node || (g->container[0] && (!g->until || g->until > now));
}

static void note_grant(void *arg, const void *key, const void *value)
{
	struct sweeping *s = arg;
	const struct host_grant *g = value;
	struct grant_key k;
	memcpy(&k, key, sizeof k);
	if (is_looked_for(g, s->now))
		return;
	bool ended = g->until && g->until < s->now && s->now - g->until > KEPT_NS;
	if (ended || ((!g->until || g->until > s->now) && !lives(s, k.cgroup)))
		*ARENA_APPEND(s->arena, s->over, s->n, s->cap) = (struct over){k, ended};
}

/* A grant whose cgroup was seen to be gone ends then, which is written down in it. */
static void sweep_grants(struct sweeping *s)
{
	int fd = s->hp->maps.fd[HOSTPROG_MAP_GRANTS];
	hostmaps_each(&s->hp->maps, HOSTPROG_MAP_GRANTS, note_grant, s);
	for (size_t i = 0; i < s->n; i++) {
		struct host_grant g;
		if (s->over[i].ended) {
			bpf_map_delete_elem(fd, &s->over[i].key);
		} else if (!bpf_map_lookup_elem(fd, &s->over[i].key, &g)) {
			g.until = s->now;
			bpf_map_update_elem(fd, &s->over[i].key, &g, BPF_EXIST);
		}
	}
}

/* ---- counts ------------------------------------------------------------------------------- */

struct counted { struct host_count_key key; struct host_count count; };

static void note_count(void *arg, const void *key, const void *value)
{
	struct sweeping *s = arg;
	struct counted *c = ARENA_APPEND(s->arena, s->counts, s->ncounts, s->counts_cap);
	memcpy(&c->key, key, sizeof c->key);
	memcpy(&c->count, value, sizeof c->count);
}

static void add_count(struct host_count *to, const struct host_count *c)
{
	to->denied += c->denied;
	to->granted += c->granted;
	to->permitted += c->permitted;
	to->allowed += c->allowed;
	to->recorded += c->recorded;
	to->lost += c->lost;
}

/* Those of one watcher are counted together, as of cgroup 0: sums stay. */
static void move_counts(struct sweeping *s, enum hostprog_map map, uint64_t watcher, size_t dead)
{
	struct host_count_key key = {.watcher = watcher};
	struct host_count sum = {0};
	int coarse = s->hp->maps.fd[HOSTPROG_MAP_COARSE];
	bool any = false;
	bpf_map_lookup_elem(coarse, &key, &sum);
	for (size_t i = 0; i < dead; i++)
		if (s->counts[i].key.watcher == watcher) {
			add_count(&sum, &s->counts[i].count);
			any = true;
		}
	if (!any || bpf_map_update_elem(coarse, &key, &sum, BPF_ANY))
		return; /* they stay where they are */
	for (size_t i = 0; i < dead; i++)
		if (s->counts[i].key.watcher == watcher)
			bpf_map_delete_elem(s->hp->maps.fd[map], &s->counts[i].key);
}

/* Of cgroups that are gone, when half of the room is taken. */
static void sweep_counts(struct sweeping *s, enum hostprog_map map, uint32_t room)
{
	size_t dead = 0;
	s->ncounts = 0;
	hostmaps_each(&s->hp->maps, map, note_count, s);
	if (s->ncounts <= room / 2)
		return;
	for (size_t i = 0; i < s->ncounts; i++)
		if (s->counts[i].key.cgroup && !lives(s, s->counts[i].key.cgroup))
			s->counts[dead++] = s->counts[i];
	for (uint64_t w = 0; w <= HOSTPROG_WATCHERS; w++)
		move_counts(s, map, w, dead);
}

/* ---- all --------------------------------------------------------------------------------------- */

void hostprog_sweep(struct arena *a, struct hostprog *hp)
{
	struct arena *own = arena_scratch(a);
	struct sweeping *s = arena_alloc(own, sizeof *s);
	s->arena = own;
	s->mount = hp->root->mount;
	s->hp = hp;
	s->now = boot_ns();
	watchers_sweep(own, hp);
	guarded_sweep(own, hp->root->mount, &hp->maps);
	sweep_grants(s);
	if (hp->header.features & HOSTPROG_ANCESTORS) { /* else the program counts as of cgroup 0 itself */
		sweep_counts(s, HOSTPROG_MAP_COUNTS, HOSTPROG_COUNTS_MAX);
		sweep_counts(s, HOSTPROG_MAP_COARSE, HOSTPROG_COARSE_MAX);
	}
	arena_free(own);
}
