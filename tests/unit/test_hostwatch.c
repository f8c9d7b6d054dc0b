/*
 * test_hostwatch.c - watchers of the host program in the running kernel: records and counts, also of a flood; several at once; what
 * lets requests pass; and what is left when processes are killed.
 */
#include "tests/unit/hostprog.h"

#include <sys/mman.h>

static struct hostprog *host(struct env *e, uint32_t parts)
{
	struct hostprog *hp;
	assert_done(e, hostprog_need(e->arena, &e->d, parts, hostprog_make, &hp));
	return hp;
}

static struct watcher *watch(struct env *e, struct hostprog *hp, const struct cgroup *cg, uint32_t flags, uint32_t ring)
{
	struct watcher *w;
	assert_done(e, watcher_new(e->arena, &e->d, hp, cg, flags, ring, &w));
	return w;
}

struct seen {
	uint64_t cgroup, n, granted, permitted, denied, allowed, other;
	struct host_event last;
};

static bool see(void *arg, const struct host_event *event)
{
	struct seen *s = arg;
	if (s->cgroup && s->cgroup != event->cgroup_id) {
		s->other++;
		return true;
	}
	s->n++;
	s->granted += (event->flags & HOST_EVENT_GRANTED) != 0;
	s->permitted += (event->flags & HOST_EVENT_PERMITTED) != 0;
	s->denied += (event->flags & HOST_EVENT_DENIED) && !(event->flags & (HOST_EVENT_GRANTED | HOST_EVENT_PERMITTED));
	s->allowed += !(event->flags & HOST_EVENT_DENIED);
	s->last = *event;
	return true;
}

/* All that waits. */
static struct seen drain(struct env *e, struct watcher *w, uint64_t cgroup)
{
	struct seen s = {.cgroup = cgroup};
	int n;
	while ((n = watcher_poll(&e->d, w, 0, see, &s)) > 0)
		;
	assert_int_equal(n, 0);
	return s;
}

/* What a watcher counted of a cgroup. */
static struct host_count counted(struct env *e, struct hostprog *hp, const struct watcher *w, uint64_t cgroup)
{
	struct host_count_entry *list;
	size_t n;
	uint64_t uncounted;
	assert_done(e, watcher_counts(e->arena, &e->d, hp, w, &list, &n, &uncounted));
	assert_int_equal(uncounted, 0);
	for (size_t i = 0; i < n; i++)
		if (list[i].cgroup == cgroup && (int)list[i].watcher == (w ? watcher_number(w) : HOSTPROG_WATCHERS))
			return list[i].count;
	return (struct host_count){0};
}

static void assert_counts(struct host_count c, uint64_t denied, uint64_t granted, uint64_t permitted, uint64_t allowed)
{
	if (c.denied != denied || c.granted != granted || c.permitted != permitted || c.allowed != allowed)
		fail_msg("counted %llu denied, %llu granted, %llu permitted, %llu allowed; want %llu %llu %llu %llu",
		         (unsigned long long)c.denied, (unsigned long long)c.granted, (unsigned long long)c.permitted,
		         (unsigned long long)c.allowed, (unsigned long long)denied, (unsigned long long)granted, (unsigned long long)permitted,
		         (unsigned long long)allowed);
}

/* ---- records -------------------------------------------------------------------------------- */

static void a_record_tells_all(void **state)
{
	struct env *e = *state;
	struct probe *pr;
	struct request r;
	const char *why, *hint;
	attach_denier(e->parent, 0);
	attach_denier(e->cg, ENODEV);
	struct hostprog *hp = host(e, HOSTPROG_OBSERVE);
	struct watcher *w = watch(e, hp, e->cg, 0, 0);
	bool told = hp->header.features & HOSTPROG_PID && hp->header.features & HOSTPROG_COMM;
	uint64_t begin = boot_ns();
	assert_done(e, probe_open_in(e->arena, &e->d, e->cg, &pr));
	assert_int_equal(request_parse(e->arena, NULL, "b 259:7 w uid=1234 gid=77 comm=writes", &r, &why, &hint), 0);
	assert_int_equal(probe_ask(pr, &r, &why), PROBE_DENY);
	assert_true(watcher_fd(w) >= 0);
	struct seen s = {0};
	assert_int_equal(watcher_poll(&e->d, w, 1000, see, &s), 1);
	assert_int_equal(s.last.version, HOST_EVENT_VERSION);
	assert_int_equal(s.last.retval, -ENODEV); /* of the one that was asked first */
	assert_true(s.last.time >= begin && s.last.time <= boot_ns());
	assert_true(s.last.cgroup_id == e->cg->id);
	assert_int_equal(s.last.uid, 1234);
	assert_int_equal(s.last.gid, 77);
	assert_int_equal(s.last.type, DEV_BLOCK);
	assert_int_equal(s.last.major, 259);
	assert_int_equal(s.last.minor, 7);
	assert_int_equal(s.last.requested, ACC_WRITE);
	assert_int_equal(s.last.grant, 0);
	if (told) {
		assert_true(s.last.pid && s.last.tid == s.last.pid);
		assert_string_equal(s.last.comm, "writes");
		assert_int_equal(s.last.flags, HOST_EVENT_DENIED);
	}
	/* one answer ends the waiting */
	assert_false(allowed(e, pr, "c 1:5 r") || allowed(e, pr, "c 1:5 m"));
	assert_int_equal(drain(e, w, 0).n, 2);
	probe_close(pr);
	watcher_close(w);
	hostprog_close(hp);
}

/* Which requests each of several watchers gets. */
static void each_sees_its_own(void **state)
{
	struct env *e = *state;
	struct cgroup *beside;
	assert_done(e, transient_new(e->arena, &e->d, e->parent->path, PREFIX, &beside));
	attach_denier(e->cg, 0);
	attach_denier(beside, EACCES);
	struct hostprog *hp = host(e, HOSTPROG_OBSERVE | HOSTPROG_ALL | HOSTPROG_GRANTS);
	struct watcher *all = watch(e, hp, NULL, WATCHER_ALL, 0), *above = watch(e, hp, e->parent, 0, 0), *own = watch(e, hp, e->cg, WATCHER_ALL, 0),
	               *side = watch(e, hp, beside, 0, 0), *opened = watch(e, hp, NULL, WATCHER_GRANTED, 0);
	struct host_grant g = make_grant(e->cg->id, 'c', 1, 5, ACC_READ);
	g.id = 42;
	assert_done(e, grant_put(e->arena, &e->d, hp, &g, 1));
	assert_true(allowed_in(e, e->cg, "c 1:5 r"));
	assert_false(allowed_in(e, e->cg, "c 1:7 r"));
	assert_false(allowed_in(e, beside, "c 1:5 r"));
	assert_true(allowed_in(e, e->parent, "c 1:5 r"));

	struct seen s = drain(e, own, 0);
	assert_int_equal(s.granted, 1);
	assert_int_equal(s.denied, 1);
	assert_int_equal(s.allowed, 0);
	s = drain(e, side, 0);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.last.retval, -EACCES);
	s = drain(e, above, 0);
	assert_int_equal(s.n, 3); /* not what was allowed */
	assert_int_equal(s.denied, 2);
	s = drain(e, opened, 0);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.last.grant, 42);
	assert_int_equal(s.last.retval, -EPERM);
	s = drain(e, all, e->parent->id);
	assert_int_equal(s.allowed, 1);
	assert_true(s.other >= 3);

	assert_counts(counted(e, hp, own, e->cg->id), 1, 1, 0, 0);
	assert_counts(counted(e, hp, side, beside->id), 1, 0, 0, 0);
	assert_counts(counted(e, hp, above, e->cg->id), 1, 1, 0, 0);
	assert_counts(counted(e, hp, all, e->parent->id), 0, 0, 0, 1);
	assert_counts(counted(e, hp, opened, e->cg->id), 0, 1, 0, 0);
	assert_counts(counted(e, hp, NULL, e->cg->id), 0, 1, 0, 0); /* whether somebody watches or not */
	struct watcher *const list[] = {all, above, own, side, opened};
	for (size_t i = 0; i < COUNT(list); i++)
		watcher_close(list[i]);
	assert_counts(counted(e, hp, NULL, e->cg->id), 0, 1, 0, 0);
	transient_end(beside);
	hostprog_close(hp);
}

/* ---- floods ------------------------------------------------------------------------------------ */

/* Two cgroups, one of them much louder, and a ring buffer of a page that nobody reads at first. */
static void a_flood_is_counted_exactly(void **state)
{
	enum { LOUD = 50000, QUIET = 100 };
	struct env *e = *state;
	struct cgroup *quiet;
	assert_done(e, transient_new(e->arena, &e->d, e->parent->path, PREFIX, &quiet));
	attach_denier(e->parent, 0);
	struct hostprog *hp = host(e, HOSTPROG_OBSERVE);
	struct watcher *small = watch(e, hp, e->parent, 0, 4096), *large = watch(e, hp, quiet, 0, 65536);
	pid_t loud = asks(e->cg, LOUD, EPERM), louder = asks(e->cg, LOUD, EPERM), little = asks(quiet, QUIET, EPERM);
	assert_int_equal(finish(little), 0);
	assert_int_equal(finish(loud), 0);
	assert_int_equal(finish(louder), 0);

	struct host_count of_loud = counted(e, hp, small, e->cg->id), of_quiet = counted(e, hp, small, quiet->id);
	assert_counts(of_loud, 2 * LOUD, 0, 0, 0);
	assert_counts(of_quiet, QUIET, 0, 0, 0);
	assert_int_equal(of_loud.recorded + of_loud.lost, 2 * LOUD);
	assert_int_equal(of_quiet.recorded + of_quiet.lost, QUIET);
	assert_true(of_loud.lost > 0);
	struct seen s = drain(e, small, e->cg->id);
	assert_int_equal(s.n, of_loud.recorded);
	assert_int_equal(s.other, of_quiet.recorded);
	assert_int_equal(drain(e, large, quiet->id).n, QUIET);
	assert_counts(counted(e, hp, large, quiet->id), QUIET, 0, 0, 0);
	watcher_close(small);
	watcher_close(large);
	transient_end(quiet);
	hostprog_close(hp);
}

/* The program is replaced all the time; no request is counted twice or not at all. */
static void replaced_under_load(void **state)
{
	enum { ASKED = 60000 };
	struct env *e = *state;
	attach_denier(e->cg, 0);
	struct hostprog *hp = host(e, HOSTPROG_OBSERVE);
	struct watcher *w = watch(e, hp, e->cg, 0, 4096);
	uint32_t first = hp->id, last = first, replaced = 0;
	hostprog_close(hp);
	pid_t one = asks(e->cg, ASKED, EPERM), two = asks(e->cg, ASKED, EPERM);
	for (int status, i = 0; !waitpid(one, &status, WNOHANG) || i < 10; i++) {
		hp = host(e, i % 2 ? HOSTPROG_ALL : HOSTPROG_GRANTS);
		replaced += hp->id != last;
		assert_done(e, hostprog_settle(e->arena, &e->d, hp, hostprog_make));
		replaced++;
		last = hp->id;
		hostprog_close(hp);
		if (i >= 10 && WIFEXITED(status))
			assert_int_equal(WEXITSTATUS(status), 0);
	}
	assert_int_equal(finish(two), 0);
	assert_true(replaced >= 20);
	assert_true(watcher_lives(w));
	assert_done(e, hostprog_open(e->arena, &e->d, &hp));
	struct host_count c = counted(e, hp, w, e->cg->id);
	assert_counts(c, 2 * ASKED, 0, 0, 0);
	assert_int_equal(c.recorded + c.lost, 2 * ASKED);
	watcher_close(w);
	hostprog_close(hp);
}

/* ---- what lets pass ------------------------------------------------------------------------------- */

static void permits(void **state)
{
	struct env *e = *state;
	attach_denier(e->parent, EACCES);
	struct hostprog *hp = host(e, HOSTPROG_OBSERVE | HOSTPROG_PERMIT);
	struct watcher *w = watch(e, hp, e->cg, WATCHER_PERMIT, 0), *other = watch(e, hp, e->cg, 0, 0);
	assert_false(allowed_in(e, e->cg, "c 1:5 r")); /* not before it is said */
	assert_done(e, watcher_permit(&e->d, w, 60000000000ull));
	assert_true(allowed_in(e, e->cg, "c 1:5 r"));
	assert_false(allowed_in(e, e->parent, "c 1:5 r"));
	assert_int_equal(watcher_permit(&e->d, other, 60000000000ull), -1);
	assert_error(e, "does not let requests pass", "again");
	struct seen s = drain(e, w, 0);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.permitted, 1);
	assert_int_equal(s.last.retval, -EACCES);
	assert_counts(counted(e, hp, other, e->cg->id), 1, 0, 1, 0);

	/* a lease that nobody renews */
	assert_done(e, watcher_permit(&e->d, w, 150000000));
	uint64_t until = boot_ns() + 150000000;
	while (boot_ns() < until)
		usleep(10000);
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	/* below a guard of ours nothing passes */
	assert_done(e, watcher_permit(&e->d, w, 60000000000ull));
	assert_done(e, guarded_add(e->arena, &e->d, e->parent, false));
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	guarded_renew(e->arena, e->parent);
	assert_true(allowed_in(e, e->cg, "c 1:5 r"));
	watcher_close(w);
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	watcher_close(other);
	hostprog_close(hp);
}

/* ---- places ------------------------------------------------------------------------------------------ */

static void places_end(void **state)
{
	struct env *e = *state;
	struct hostprog *hp = host(e, HOSTPROG_OBSERVE);
	struct watcher *w[HOSTPROG_WATCHERS], *more;
	for (int i = 0; i < HOSTPROG_WATCHERS; i++) {
		w[i] = watch(e, hp, e->cg, i == 3 ? WATCHER_PINNED : 0, 4096);
		assert_int_equal(watcher_number(w[i]), i);
		assert_true(watcher_alive(hp, i));
	}
	assert_int_equal(watcher_new(e->arena, &e->d, hp, NULL, 0, 0, &more), -1);
	assert_error(e, arena_printf(e->arena, "processes %d,", getpid()), "kill PID");
	watcher_close(w[3]); /* stays */
	assert_true(watcher_alive(hp, 3));
	assert_int_equal(watcher_new(e->arena, &e->d, hp, NULL, 0, 0, &more), -1);
	assert_error(e, "1 pinned", "--unpin");
	watcher_close(w[5]);
	assert_false(watcher_alive(hp, 5));
	w[5] = watch(e, hp, NULL, 0, 0);
	assert_int_equal(watcher_number(w[5]), 5);
	for (int i = 0; i < HOSTPROG_WATCHERS; i++)
		if (i != 3)
			watcher_close(w[i]);
	/* a ring that cannot be */
	assert_int_equal(watcher_new(e->arena, &e->d, hp, NULL, 0, 12345, &more), -1);
	assert_error(e, "cannot watch by the host program", "power of two");
	hostprog_close(hp);
}

static void pinned(void **state)
{
	struct env *e = *state;
	struct watcher *w, *again;
	attach_denier(e->cg, 0);
	struct hostprog *hp = host(e, HOSTPROG_OBSERVE);
	watcher_close(watch(e, hp, e->cg, WATCHER_PINNED, 0));
	assert_done(e, hostprog_settle(e->arena, &e->d, hp, hostprog_make)); /* it needs it */
	hostprog_close(hp);
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));

	assert_done(e, hostprog_change(e->arena, &e->d, &hp));
	hostprog_sweep(e->arena, hp);
	assert_done(e, watcher_pinned(e->arena, &e->d, hp, e->parent, &w));
	assert_null(w);
	assert_done(e, watcher_pinned(e->arena, &e->d, hp, NULL, &w));
	assert_null(w);
	assert_done(e, watcher_pinned(e->arena, &e->d, hp, e->cg, &w));
	assert_int_equal(drain(e, w, e->cg->id).n, 1);
	/* one reader */
	assert_int_equal(watcher_pinned(e->arena, &e->d, hp, e->cg, &again), -1);
	assert_error(e, arena_printf(e->arena, "process %d reads", getpid()), "kill");
	watcher_close(w);
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	assert_done(e, watcher_pinned(e->arena, &e->d, hp, e->cg, &w)); /* goes on where it was */
	assert_int_equal(drain(e, w, e->cg->id).n, 1);
	assert_counts(counted(e, hp, w, e->cg->id), 2, 0, 0, 0);
	watcher_end(w);
	assert_done(e, watcher_pinned(e->arena, &e->d, hp, e->cg, &w));
	assert_null(w);
	assert_done(e, hostprog_settle(e->arena, &e->d, hp, hostprog_make));
	hostprog_close(hp);
	assert_done(e, hostprog_open(e->arena, &e->d, &hp));
	assert_null(hp);
}

static void taken_off_by_others(void **state)
{
	struct env *e = *state;
	struct hostprog *hp = host(e, HOSTPROG_OBSERVE);
	struct watcher *w = watch(e, hp, NULL, 0, 4096);
	assert_true(watcher_lives(w));
	hostprog_close(hp);
	hostprog_off(e);
	assert_false(watcher_lives(w));
	hp = host(e, HOSTPROG_OBSERVE); /* another one */
	assert_false(watcher_lives(w));
	struct watcher *next = watch(e, hp, NULL, 0, 4096);
	assert_true(watcher_lives(next));
	watcher_close(w);
	assert_true(watcher_lives(next));
	watcher_close(next);
	hostprog_close(hp);
}

/* ---- killed ---------------------------------------------------------------------------------------------- */

/* Nothing is left in any map but what is pinned and granted. */
static void assert_clean(struct env *e, struct hostprog *hp)
{
	struct host_watcher list[HOSTPROG_WATCHERS];
	struct host_count_entry *counts;
	size_t n;
	uint64_t uncounted;
	assert_done(e, watchers_read(&e->d, hp, list));
	for (uint32_t i = 0; i < HOSTPROG_WATCHERS; i++) {
		uint32_t id;
		assert_int_equal(list[i].flags, 0);
		assert_int_equal(bpf_map_lookup_elem(hp->maps.fd[HOSTPROG_MAP_RINGS], &i, &id), -ENOENT);
	}
	assert_done(e, watcher_counts(e->arena, &e->d, hp, NULL, &counts, &n, &uncounted));
	for (size_t i = 0; i < n; i++)
		assert_int_equal(counts[i].watcher, HOSTPROG_WATCHERS);
}

static void a_killed_process_is_swept(void **state)
{
	struct env *e = *state;
	int ready[2];
	char c;
	attach_denier(e->cg, 0);
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (!pid) {
		struct hostprog *hp;
		struct watcher *w;
		if (hostprog_need(e->arena, &e->d, HOSTPROG_OBSERVE | HOSTPROG_PERMIT, hostprog_make, &hp) ||
		    watcher_new(e->arena, &e->d, hp, e->cg, WATCHER_PERMIT, 0, &w) || watcher_permit(&e->d, w, 500000000ull))
			_exit(1);
		hostprog_unlock(hp);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	uint64_t until = boot_ns() + 500000000ull;
	close(ready[0]);
	assert_true(allowed_in(e, e->cg, "c 1:5 r") || boot_ns() > until);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	while (boot_ns() < until)
		usleep(10000);
	assert_false(allowed_in(e, e->cg, "c 1:5 r")); /* comes back alone */
	assert_done(e, hostprog_tidy(e->arena, &e->d, hostprog_make));
	struct hostprog *hp;
	assert_done(e, hostprog_open(e->arena, &e->d, &hp));
	assert_null(hp);
}

/* What a tool does, again and again, until it is killed. */
static int works(struct env *e)
{
	for (unsigned i = 0;; i++) {
		struct hostprog *hp;
		struct watcher *w;
		struct host_grant g = make_grant(e->cg->id, 'c', 1, 7, ACC_READ);
		if (hostprog_need(e->arena, &e->d, i % 3 ? HOSTPROG_OBSERVE : HOSTPROG_OBSERVE | HOSTPROG_GRANTS | HOSTPROG_PERMIT, hostprog_make, &hp) ||
		    watcher_new(e->arena, &e->d, hp, i % 2 ? e->cg : NULL, i % 3 ? 0 : WATCHER_PERMIT, 4096, &w))
			return 1;
		if (i % 3 == 0 && (grant_put(e->arena, &e->d, hp, &g, 1) || grant_remove(&e->d, hp, &g.key, 1) != 1))
			return 1;
		watcher_close(w);
		if (hostprog_settle(e->arena, &e->d, hp, hostprog_make))
			return 1;
		hostprog_close(hp);
	}
}

/* Killed anywhere: nothing opens that nobody asked for, and the next tool finds all in order. */
static void killed_anywhere(void **state)
{
	enum { TIMES = 60 };
	struct env *e = *state;
	attach_denier(e->cg, 0);
	pid_t never = asks(e->cg, 0, EPERM);
	srand(7);
	for (int i = 0; i < TIMES; i++) {
		pid_t pid = start(e, works);
		usleep((useconds_t)(rand() % 60000));
		kill(pid, SIGKILL);
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		struct hostprog *hp = host(e, HOSTPROG_OBSERVE);
		assert_clean(e, hp);
		assert_true(guarded_filled(&hp->maps));
		assert_int_equal(grant_remove(&e->d, hp, &(struct grant_key){e->cg->id, 1, 7, DEV_CHAR}, 1) & ~1, 0);
		assert_done(e, hostprog_settle(e->arena, &e->d, hp, hostprog_make));
		hostprog_close(hp);
		assert_done(e, hostprog_open(e->arena, &e->d, &hp));
		assert_null(hp);
	}
	end_asking(never);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTPROG_TEST(a_record_tells_all),
		HOSTPROG_TEST(each_sees_its_own),
		HOSTPROG_TEST(a_flood_is_counted_exactly),
		HOSTPROG_TEST(replaced_under_load),
		HOSTPROG_TEST(permits),
		HOSTPROG_TEST(places_end),
		HOSTPROG_TEST(pinned),
		HOSTPROG_TEST(taken_off_by_others),
		HOSTPROG_TEST(a_killed_process_is_swept),
		HOSTPROG_TEST(killed_anywhere),
	};
	if (!scratch_possible("hostwatch") || !hostprog_possible("hostwatch"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
