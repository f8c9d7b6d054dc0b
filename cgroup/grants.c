/*
 * grants.c - the grants in the host program's map: put in, taken out, read.
 *
 * All entries of a grant go in, and come out, by one system call: a tool that is killed leaves all of them or none.
 */
#include "cgroup/guarded.h"
#include "cgroup/hostprog_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

/* What the clock here is ahead of the first time namespace's. */
static int64_t ahead_ns(void)
{
	char text[256];
	long long s = 0, ns = 0;
	const char *line = file_read(AT_FDCWD, "/proc/self/timens_offsets", text, sizeof text) > 0 ? strstr(text, "boottime") : NULL;
	return line && sscanf(line, "boottime %lld %lld", &s, &ns) == 2 ? s * 1000000000 + ns : 0;
}

uint64_t boot_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)((int64_t)now.tv_sec * 1000000000 + now.tv_nsec - ahead_ns());
}

/* ---- read -------------------------------------------------------------------------------- */

struct reading_grants {
	struct arena *arena;
	struct host_grant *list;
	size_t n, cap;
};

/* Texts end, whoever wrote them. */
static void end_texts(struct host_grant *g)
{
	g->device[sizeof g->device - 1] = g->user[sizeof g->user - 1] = g->reason[sizeof g->reason - 1] = '\0';
	g->path[sizeof g->path - 1] = g->container[sizeof g->container - 1] = g->node_path[sizeof g->node_path - 1] = '\0';
}

static void read_one(void *arg, const void *key, const void *value)
{
	struct reading_grants *r = arg;
	struct host_grant *g = ARENA_APPEND(r->arena, r->list, r->n, r->cap);
	memcpy(g, value, sizeof *g);
	memcpy(&g->key, key, sizeof g->key);
	end_texts(g);
}

static void count_one(void *arg, const void *key, const void *value)
{
	(void)key;
	(void)value;
	++*(size_t *)arg;
}

static int by_time(const void *a, const void *b)
{
	const struct host_grant *x = a, *y = b;
	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return memcmp(&x->key, &y->key, sizeof x->key);
}

int grants_read(struct arena *a, struct diags *d, struct hostprog *hp, struct host_grant **list, size_t *n)
{
	struct reading_grants r = {.arena = a};
	int error = hostmaps_each(&hp->maps, HOSTPROG_MAP_GRANTS, count_one, &r.cap); /* they are large: no copies */
	r.list = arena_alloc(a, (r.cap + 1) * sizeof *r.list);
	error = error ? error : hostmaps_each(&hp->maps, HOSTPROG_MAP_GRANTS, read_one, &r);
	*list = r.list;
	*n = r.n;
	if (error)
		return diag_fail(d, error_hint(a, -error, "see the kernel log"), "cannot read the grants: %s", strerror(-error));
	if (r.n)
		qsort(r.list, r.n, sizeof *r.list, by_time);
	return 0;
}

uint64_t grant_next_id(struct hostprog *hp, const struct host_grant *list, size_t n, size_t wanted)
{
	struct host_lost *lost = hostmaps_view(&hp->maps, HOSTPROG_MAP_LOST);
	uint64_t last = lost ? lost->last_grant : 0;
	for (size_t i = 0; i < n; i++)
		last = list[i].id > last ? list[i].id : last;
	if (lost)
		__atomic_store_n(&lost->last_grant, last + wanted, __ATOMIC_SEQ_CST);
	hostmaps_end_view(HOSTPROG_MAP_LOST, lost);
	return last + 1;
}

/* ---- changed ------------------------------------------------------------------------------- */

/* What had these keys before, of those that were there. */
static size_t had_before(const struct hostprog *hp, const struct host_grant *list, size_t n, struct host_grant *before, struct grant_key *fresh,
                         size_t *nfresh)
{
	size_t found = 0;
	*nfresh = 0;
	for (size_t i = 0; i < n; i++)
		if (!bpf_map_lookup_elem(hp->maps.fd[HOSTPROG_MAP_GRANTS], &list[i].key, &before[found]))
			found++;
		else
			fresh[(*nfresh)++] = list[i].key;
	return found;
}

/* All in one system call. 0 or -errno. */
static int put_all(struct arena *a, const struct hostprog *hp, const struct host_grant *list, size_t n)
{
	uint32_t count = (uint32_t)n;
	struct grant_key *keys = arena_alloc(a, (n + 1) * sizeof *keys);
	for (size_t i = 0; i < n; i++)
		keys[i] = list[i].key;
	return n ? bpf_map_update_batch(hp->maps.fd[HOSTPROG_MAP_GRANTS], keys, list, &count, NULL) : 0;
}

static int no_room(struct diags *d)
{
	return diag_fail(d, "`rucy-devguard revoke` takes out what is not needed",
	                 "there is no room for more grants: there can be %d, and a family of devices takes one for each of its numbers",
	                 HOSTPROG_GRANTS_MAX);
}

int grant_put(struct arena *parent, struct diags *d, struct hostprog *hp, const struct host_grant *list, size_t n)
{
	struct arena *a = arena_scratch(parent);
	struct host_grant *before = arena_alloc(a, (n + 1) * sizeof *before);
	struct grant_key *fresh = arena_alloc(a, (n + 1) * sizeof *fresh);
	size_t nfresh, nbefore = had_before(hp, list, n, before, fresh, &nfresh);
	int error = put_all(a, hp, list, n);
	if (error) { /* as it was */
		put_all(a, hp, before, nbefore);
		for (size_t i = 0; i < nfresh; i++)
			bpf_map_delete_elem(hp->maps.fd[HOSTPROG_MAP_GRANTS], &fresh[i]);
		wait_for_programs();
	}
	arena_free(a);
	if (error == -E2BIG)
		return no_room(d);
	if (error)
		return diag_fail(d, error_hint(parent, -error, "see the kernel log"), "cannot put the grant in: %s", strerror(-error));
	if (nbefore)
		wait_for_programs(); /* that found the one before */
	return 0;
}

int grant_remove(struct diags *d, struct hostprog *hp, const struct grant_key *keys, size_t n)
{
	struct arena *a = arena_scratch(d->arena);
	struct grant_key *there = arena_alloc(a, (n + 1) * sizeof *there);
	struct host_grant value;
	uint32_t found = 0;
	for (size_t i = 0; i < n; i++) /* a batch ends at a key that is not there */
		if (!bpf_map_lookup_elem(hp->maps.fd[HOSTPROG_MAP_GRANTS], &keys[i], &value))
			there[found++] = keys[i];
	int count = (int)found, error = 0;
	if (found)
		error = bpf_map_delete_batch(hp->maps.fd[HOSTPROG_MAP_GRANTS], there, &found, NULL);
	arena_free(a);
	if (count)
		wait_for_programs();
	if (error)
		return diag_fail(d, error_hint(d->arena, -error, "see the kernel log"), "cannot take the grant out: %s", strerror(-error));
	return count;
}

/* ---- guards in the way ------------------------------------------------------------------------- */

int grants_refused_by(struct arena *a, struct diags *d, const struct cgroup *cg, struct attached *at, const char **path)
{
	struct cgroup *up = NULL, *next;
	const struct cgroup *here = cg;
	int refuses;
	*at = (struct attached){0};
	*path = NULL;
	guarded_look(a, cg);
	while (!(refuses = guard_refuses(a, d, here, at))) {
		size_t errors = d->errors;
		next = cgroup_parent(a, d, here);
		cgroup_close(up);
		up = next;
		if (d->errors != errors)
			refuses = -1;
		if (!up)
			return refuses;
		here = up;
	}
	if (refuses == 1)
		*path = here->path;
	cgroup_close(up);
	return refuses < 0 ? -1 : 0;
}
