/*
 * watcher.c - watchers: a place in devguard_watch, a ring buffer and counts of its own for each process that looks at
 * requests.
 *
 * A place is its process's as long as that holds an open file description lock on cgroup.procs of the hierarchy's root
 * (see audit.c): from byte (place + 1) << 24 on, as long as the process's id. Claims of readers begin at 1 << 32. The
 * kernel drops the lock however the process ends; what it left is taken out by the next command, under the lock of the
 * root. A place that is pinned stays without a process, and the lock is its reader's.
 *
 * The program may read any moment: the flags come last and go first, and in between no program runs that saw the old ones.
 */
#include "cgroup/hostprog_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

enum { RING_DEFAULT = 1 << 20, RECORDS_A_POLL = 4096 };

struct watcher {
	struct arena *arena;
	int number, lock, ring_fd;
	uint64_t since;
	struct cgroup root;      /* a descriptor of its own */
	struct hostmaps maps;    /* the same */
	struct host_watcher *places;
	struct host_lost *lost;
	struct ring_buffer *ring;
	/* while watcher_poll() runs */
	bool (*one)(void *arg, const struct host_event *e);
	void *arg;
	int given, seen;
};

/* ---- places ---------------------------------------------------------------------------- */

static struct flock place_range(int number)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)(number + 1) << 24, .l_len = getpid()};
}

/* A descriptor that holds the place, or -errno: EAGAIN, another process has it. */
static int take_place(const struct cgroup *root, int number)
{
	struct flock range = place_range(number);
	int fd = openat(root->fd, "cgroup.procs", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fcntl(fd, F_OFD_SETLK, &range))
		return fd;
	int error = errno == EACCES ? EAGAIN : errno;
	close(fd);
	return -error;
}

/* The process that has the place; 0: none, -1: it cannot be told. */
static int64_t place_holder(const struct cgroup *root, int number)
{
	struct flock range = place_range(number);
	int fd = openat(root->fd, "cgroup.procs", O_RDWR | O_CLOEXEC);
	int failed = fd < 0 || fcntl(fd, F_OFD_GETLK, &range);
	if (fd >= 0)
		close(fd);
	return failed ? -1 : range.l_type == F_UNLCK ? 0 : (int64_t)range.l_len;
}

/* ---- what a place had -------------------------------------------------------------------- */

struct going {
	struct arena *arena;
	unsigned places; /* set of them */
	struct host_count_key *keys;
	size_t n, cap;
};

static void note_going(void *arg, const void *key, const void *value)
{
	struct going *g = arg;
	struct host_count_key k;
	(void)value;
	memcpy(&k, key, sizeof k);
	if (k.watcher < HOSTPROG_WATCHERS && g->places >> k.watcher & 1)
		*ARENA_APPEND(g->arena, g->keys, g->n, g->cap) = k;
}

/* Ring, counts and losses of places that no program writes to any more. */
static void clear_places(struct arena *parent, const struct hostmaps *m, struct host_lost *lost, unsigned places)
{
	struct going g = {.arena = arena_scratch(parent), .places = places};
	for (uint32_t i = 0; i < HOSTPROG_WATCHERS; i++)
		if (places >> i & 1) {
			bpf_map_delete_elem(m->fd[HOSTPROG_MAP_RINGS], &i);
			__atomic_store_n(&lost->uncounted[i], 0, __ATOMIC_SEQ_CST);
		}
	for (int map = HOSTPROG_MAP_COUNTS; map <= HOSTPROG_MAP_COARSE; map++) {
		g.n = 0;
		hostmaps_each(m, (enum hostprog_map)map, note_going, &g);
		for (size_t i = 0; i < g.n; i++)
			bpf_map_delete_elem(m->fd[map], &g.keys[i]);
	}
	arena_free(g.arena);
}

/* A pinned one whose cgroup is gone, which nobody can name any more: it goes after an hour, or when its place is needed. */
static bool is_over(const struct hostprog *hp, struct host_watcher *w, bool needed)
{
	const uint64_t kept_ns = 3600ull * 1000000000, now = boot_ns();
	if (w->flags & WATCHER_EVERYWHERE || cgroup_lives_at(hp->root->mount, w->cgroup))
		return false;
	if (!w->permit_until)
		__atomic_store_n(&w->permit_until, now, __ATOMIC_SEQ_CST);
	return needed || now - w->permit_until > kept_ns;
}

static bool all_used(const struct host_watcher *places)
{
	for (int i = 0; i < HOSTPROG_WATCHERS; i++)
		if (!places[i].flags)
			return false;
	return true;
}

void watchers_sweep(struct arena *a, struct hostprog *hp)
{
	struct host_watcher *places = hostmaps_view(&hp->maps, HOSTPROG_MAP_WATCH);
	struct host_lost *lost = hostmaps_view(&hp->maps, HOSTPROG_MAP_LOST);
	unsigned unused = 0;
	bool dead = false;
	for (int i = 0; places && lost && i < HOSTPROG_WATCHERS; i++) {
		uint32_t flags = __atomic_load_n(&places[i].flags, __ATOMIC_SEQ_CST);
		if (place_holder(hp->root, i) || (flags & WATCHER_PINNED && !is_over(hp, &places[i], all_used(places))))
			continue;
		dead |= flags != 0;
		__atomic_store_n(&places[i].flags, 0, __ATOMIC_SEQ_CST);
		unused |= 1u << i;
	}
	if (dead)
		wait_for_programs();
	if (unused)
		clear_places(a, &hp->maps, lost, unused);
	hostmaps_end_view(HOSTPROG_MAP_WATCH, places);
	hostmaps_end_view(HOSTPROG_MAP_LOST, lost);
}

int watchers_read(struct diags *d, struct hostprog *hp, struct host_watcher list[HOSTPROG_WATCHERS])
{
	struct host_watcher *places = hostmaps_view(&hp->maps, HOSTPROG_MAP_WATCH);
	if (!places)
		return diag_fail(d, error_hint(d->arena, errno, "see the kernel log"), "cannot read who watches: %s", strerror(errno));
	memcpy(list, places, HOSTPROG_WATCHERS * sizeof *list);
	hostmaps_end_view(HOSTPROG_MAP_WATCH, places);
	return 0;
}

bool watcher_alive(struct hostprog *hp, int number)
{
	struct host_watcher list[HOSTPROG_WATCHERS];
	struct arena *a = arena_scratch(hp->arena);
	struct diags ignored;
	diags_init(&ignored, a);
	bool pinned = !watchers_read(&ignored, hp, list) && list[number].flags & WATCHER_PINNED;
	arena_free(a);
	return pinned || place_holder(hp->root, number);
}

/* ---- opened ---------------------------------------------------------------------------------- */

static void release(struct watcher *w)
{
	ring_buffer__free(w->ring);
	w->ring = NULL;
	hostmaps_end_view(HOSTPROG_MAP_WATCH, w->places);
	hostmaps_end_view(HOSTPROG_MAP_LOST, w->lost);
	w->places = NULL;
	w->lost = NULL;
	hostmaps_close(&w->maps);
	int *const fds[] = {&w->ring_fd, &w->root.fd, &w->lock};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

static int failed(struct diags *d, int error)
{
	const char *hint = error_hint(d->arena, error, "see the kernel log");
	if (error == EROFS)
		hint = "mount the cgroup v2 hierarchy writable: mount -o remount,rw";
	if (error == EINVAL)
		hint = "a ring buffer has a size that is a power of two, from a page on";
	return diag_fail(d, hint, "cannot watch by the host program: %s", strerror(error));
}

/* Without a place yet. 0 or -errno. */
static int prepare(struct arena *a, const struct hostprog *hp, struct watcher **out)
{
	struct watcher *w = *out = arena_alloc(a, sizeof *w);
	*w = (struct watcher){.arena = a, .number = -1, .lock = -1, .ring_fd = -1, .root = *hp->root};
	hostmaps_none(&w->maps);
	w->root.lock = -1;
	w->root.fd = fcntl(hp->root->fd, F_DUPFD_CLOEXEC, 3);
	int error = w->root.fd < 0 ? -errno : hostmaps_next(NULL, &hp->maps, &w->maps);
	if (!error && (!(w->places = hostmaps_view(&w->maps, HOSTPROG_MAP_WATCH)) ||
	               !(w->lost = hostmaps_view(&w->maps, HOSTPROG_MAP_LOST))))
		error = -errno;
	return error;
}

static bool record_read(struct host_event *e, const void *data, size_t size)
{
	if (size < sizeof *e)
		return false;
	memcpy(e, data, sizeof *e);
	if (e->version != HOST_EVENT_VERSION || e->size < sizeof *e || e->size > size)
		return false;
	e->comm[sizeof e->comm - 1] = '\0';
	return true;
}

static int take_record(void *arg, void *data, size_t size)
{
	struct watcher *w = arg;
	struct host_event e;
	bool go_on = ++w->seen < RECORDS_A_POLL;
	if (record_read(&e, data, size)) {
		w->given++;
		go_on &= w->one(w->arg, &e);
	}
	return go_on ? 0 : -ECANCELED; /* the record itself counts as read */
}

/* Maps the ring of ring_fd for reading. 0 or -errno. */
static int map_ring(struct watcher *w)
{
	libbpf_print_fn_t before = libbpf_set_print(NULL); /* it would print to stderr */
	w->ring = ring_buffer__new(w->ring_fd, take_record, w, NULL);
	int error = w->ring ? 0 : -errno;
	libbpf_set_print(before);
	return error;
}

/* ---- a new one --------------------------------------------------------------------------------- */

static int all_taken(struct arena *a, struct diags *d, const struct watcher *w)
{
	const char *by = "";
	int pinned = 0;
	for (int i = 0; i < HOSTPROG_WATCHERS; i++) {
		int64_t pid = place_holder(&w->root, i);
		if (pid > 0)
			by = arena_printf(a, "%s%s%lld", by, *by ? ", " : "", (long long)pid);
		else
			pinned += (w->places[i].flags & WATCHER_PINNED) != 0;
	}
	const char *hint = pinned ? "`rucy-devguard observe CGROUP --unpin` ends one that is pinned" : "wait for one to end, or end it: kill PID";
	return diag_fail(d, hint, "%d observe, learn and audit already, as many as can be%s%s%s", HOSTPROG_WATCHERS,
	                 *by ? ": processes " : "", by, pinned ? arena_printf(a, "; %d pinned", pinned) : "");
}

/* A place that nobody has. 1, 0: all are taken, -errno. */
static int find_place(struct watcher *w)
{
	for (int i = 0; i < HOSTPROG_WATCHERS; i++) {
		if (w->places[i].flags)
			continue;
		w->lock = take_place(&w->root, i);
		w->number = i;
		if (w->lock >= 0)
			return 1;
		if (w->lock != -EAGAIN && w->lock != -EINTR)
			return w->lock;
	}
	return 0;
}

/* 0 or -errno. */
static int occupy(struct watcher *w, const struct host_watcher *as, uint32_t ring)
{
	struct host_watcher *place = &w->places[w->number];
	uint32_t key = (uint32_t)w->number;
	place->cgroup = as->cgroup;
	place->permit_until = 0;
	place->level = as->level;
	place->since = as->since;
	wait_for_programs();
	clear_places(w->arena, &w->maps, w->lost, 1u << w->number);
	w->ring_fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "devguard_ring", 0, 0, ring, NULL);
	int error = w->ring_fd < 0 ? w->ring_fd : bpf_map_update_elem(w->maps.fd[HOSTPROG_MAP_RINGS], &key, &w->ring_fd, BPF_ANY);
	error = error ? error : map_ring(w);
	if (!error)
		__atomic_store_n(&place->flags, as->flags, __ATOMIC_SEQ_CST);
	return error;
}

/* Its level in the hierarchy, by its id: the path may be that of a mount of a part of it. -1 with a diagnostic. */
static int level_of(struct diags *d, const struct watcher *w, const struct cgroup *cg)
{
	char path[PATH_MAX];
	int level = 0;
	if (cgroup_path_at(w->root.mount, cg->id, path) != 1)
		return cgroup_is_gone(d, cg);
	for (const char *at = path; *at; at++)
		level += *at == '/' && at[1];
	return level;
}

static uint64_t real_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int watcher_new(struct arena *a, struct diags *d, struct hostprog *hp, const struct cgroup *cg, uint32_t flags, uint32_t ring,
                struct watcher **out)
{
	struct watcher *w;
	struct host_watcher as = {.flags = (flags & (WATCHER_ALL | WATCHER_PERMIT | WATCHER_GRANTED | WATCHER_PINNED)) | WATCHER_USED,
	                          .since = real_ns()};
	*out = NULL;
	int error = prepare(a, hp, &w), level = 0, place = 0;
	if (!error && cg && (level = level_of(d, w, cg)) < 0) {
		release(w);
		return -1;
	}
	as.level = (uint32_t)level;
	as.cgroup = cg ? cg->id : 0;
	as.flags |= cg ? 0 : WATCHER_EVERYWHERE;
	if (!error) {
		place = find_place(w);
		error = place > 0 ? occupy(w, &as, ring ? ring : RING_DEFAULT) : place;
	}
	if (!error && place) {
		w->since = as.since;
		*out = w;
		return 0;
	}
	int result = error ? failed(d, -error) : all_taken(a, d, w);
	release(w);
	return result;
}

/* ---- a pinned one --------------------------------------------------------------------------------- */

static int open_ring(struct watcher *w)
{
	uint32_t key = (uint32_t)w->number, id = 0;
	int error = bpf_map_lookup_elem(w->maps.fd[HOSTPROG_MAP_RINGS], &key, &id);
	w->ring_fd = error ? error : bpf_map_get_fd_by_id(id);
	return w->ring_fd < 0 ? w->ring_fd : map_ring(w);
}

int watcher_pinned(struct arena *a, struct diags *d, struct hostprog *hp, const struct cgroup *cg, struct watcher **out)
{
	struct watcher *w;
	uint64_t id = cg ? cg->id : 0;
	*out = NULL;
	int error = prepare(a, hp, &w);
	for (int i = 0; !error && w->number < 0 && i < HOSTPROG_WATCHERS; i++)
		if (w->places[i].flags & WATCHER_PINNED && w->places[i].cgroup == id)
			w->number = i;
	if (!error && w->number < 0) {
		release(w);
		return 0;
	}
	if (!error)
		w->lock = take_place(&w->root, w->number);
	int64_t pid = w->lock == -EAGAIN ? place_holder(&w->root, w->number) : 0;
	error = error ? error : w->lock < 0 ? w->lock : open_ring(w);
	if (!error) {
		w->since = w->places[w->number].since;
		*out = w;
		return 0;
	}
	release(w);
	if (error != -EAGAIN)
		return failed(d, -error);
	return diag_fail(d, arena_printf(a, "stop it (kill %lld) or wait for it to end; `rucy-devguard stats --observe` works beside it", (long long)pid),
	                 "process %lld reads what this pinned observer saw: a record goes to one reader only", (long long)pid);
}

/* ---- used ------------------------------------------------------------------------------------------- */

int watcher_permit(struct diags *d, struct watcher *w, uint64_t ns)
{
	struct host_watcher *place = &w->places[w->number];
	if (!(place->flags & WATCHER_PERMIT) || place->since != w->since)
		return diag_fail(d, "start it again", "the host program does not let requests pass for this process any more");
	__atomic_store_n(&place->permit_until, ns ? boot_ns() + ns : 0, __ATOMIC_SEQ_CST);
	return 0;
}

int watcher_poll(struct diags *d, struct watcher *w, int timeout_ms, bool (*one)(void *arg, const struct host_event *e), void *arg)
{
	w->one = one;
	w->arg = arg;
	w->given = w->seen = 0;
	int error = ring_buffer__poll(w->ring, timeout_ms);
	if (error < 0 && error != -EINTR && error != -ECANCELED)
		return diag_fail(d, "see the kernel log", "cannot wait for records: %s", strerror(-error));
	return w->given;
}

int watcher_fd(const struct watcher *w)
{
	return ring_buffer__epoll_fd(w->ring);
}

int watcher_number(const struct watcher *w)
{
	return w ? w->number : -1;
}

bool watcher_lives(struct watcher *w)
{
	struct arena *a = arena_scratch(w->arena);
	struct diags ignored;
	struct host_found found;
	struct hostmaps maps;
	bool lives = false;
	diags_init(&ignored, a);
	if (!hostprog_find(a, &ignored, &w->root, &found) && found.fd >= 0) {
		if (!hostmaps_open(found.fd, &maps)) {
			lives = maps.watch_id == w->maps.watch_id && w->places[w->number].flags && w->places[w->number].since == w->since;
			hostmaps_close(&maps);
		}
		close(found.fd);
	}
	arena_free(a);
	return lives;
}

/* ---- counts -------------------------------------------------------------------------------------------- */

struct counting {
	struct arena *arena;
	int number; /* -1: of all */
	bool coarse;
	struct host_count_entry *list;
	size_t n, cap;
};

static void count_one(void *arg, const void *key, const void *value)
{
	struct counting *c = arg;
	struct host_count_key k;
	memcpy(&k, key, sizeof k);
	if (c->number >= 0 && k.watcher != (uint64_t)c->number)
		return;
	struct host_count_entry *e = ARENA_APPEND(c->arena, c->list, c->n, c->cap);
	*e = (struct host_count_entry){.cgroup = k.cgroup, .watcher = (uint32_t)k.watcher, .below = c->coarse};
	memcpy(&e->count, value, sizeof e->count);
}

static int by_cgroup(const void *a, const void *b)
{
	const struct host_count_entry *x = a, *y = b;
	if (x->cgroup != y->cgroup)
		return x->cgroup < y->cgroup ? -1 : 1;
	if (x->watcher != y->watcher)
		return x->watcher < y->watcher ? -1 : 1;
	return x->below - y->below;
}

int watcher_counts(struct arena *a, struct diags *d, struct hostprog *hp, const struct watcher *w, struct host_count_entry **list,
                   size_t *n, uint64_t *uncounted)
{
	const struct hostmaps *maps = w ? &w->maps : &hp->maps;
	struct counting c = {.arena = a, .number = w ? w->number : -1};
	uint32_t zero = 0;
	struct host_lost lost = {.last_grant = 0};
	int error = hostmaps_each(maps, HOSTPROG_MAP_COUNTS, count_one, &c);
	c.coarse = true;
	error = error ? error : hostmaps_each(maps, HOSTPROG_MAP_COARSE, count_one, &c);
	error = error ? error : bpf_map_lookup_elem(maps->fd[HOSTPROG_MAP_LOST], &zero, &lost);
	*list = c.list;
	*n = c.n;
	*uncounted = 0;
	if (error)
		return diag_fail(d, error_hint(a, -error, "see the kernel log"), "cannot read the counts: %s", strerror(-error));
	if (c.n)
		qsort(c.list, c.n, sizeof *c.list, by_cgroup);
	for (int i = 0; i <= HOSTPROG_WATCHERS; i++)
		if (!w || i == w->number)
			*uncounted += lost.uncounted[i];
	return 0;
}

/* ---- ended ----------------------------------------------------------------------------------------------- */

void watcher_end(struct watcher *w)
{
	if (!w || w->number < 0)
		return;
	struct host_watcher *place = &w->places[w->number];
	if (place->flags && place->since == w->since) {
		__atomic_store_n(&place->flags, 0, __ATOMIC_SEQ_CST);
		wait_for_programs();
		clear_places(w->arena, &w->maps, w->lost, 1u << w->number);
	}
	release(w);
	w->number = -1;
}

void watcher_close(struct watcher *w)
{
	if (!w || w->number < 0)
		return;
	if (!(w->places[w->number].flags & WATCHER_PINNED)) {
		watcher_end(w);
		return;
	}
	release(w);
	w->number = -1;
}
