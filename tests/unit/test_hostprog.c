/*
 * test_hostprog.c - cgroup/hostprog.c and its relatives against the running kernel: the host program attached, replaced and
 * taken off; what grants open, and what guards keep shut.
 */
#include "tests/unit/hostprog.h"

/* ---- attached, replaced, taken off --------------------------------------------------------- */

static void comes_and_goes(void **state)
{
	struct env *e = *state;
	struct hostprog *hp, *again;
	struct hostprog_info info;
	assert_done(e, hostprog_open(e->arena, &e->d, &hp));
	assert_null(hp);
	assert_done(e, hostprog_change(e->arena, &e->d, &hp));
	assert_null(hp);

	assert_done(e, hostprog_need(e->arena, &e->d, HOSTPROG_OBSERVE, hostprog_make, &hp));
	uint32_t id = hp->id;
	assert_done(e, hostprog_info(e->arena, &e->d, hp, hostprog_make, &info));
	assert_true(info.genuine && info.id == id && info.parts == HOSTPROG_OBSERVE && !info.after && !info.watchers);
	assert_string_equal(info.tool, DEVGUARD_VERSION);
	hostprog_close(hp);

	/* the same is enough; more parts are another program with the same maps */
	assert_done(e, hostprog_need(e->arena, &e->d, HOSTPROG_OBSERVE, hostprog_make, &hp));
	assert_int_equal(hp->id, id);
	hostprog_close(hp);
	assert_done(e, hostprog_need(e->arena, &e->d, HOSTPROG_GRANTS, hostprog_make, &hp));
	assert_int_not_equal(hp->id, id);
	assert_int_equal(hp->header.parts, HOSTPROG_OBSERVE | HOSTPROG_GRANTS);
	uint32_t watch = hp->maps.watch_id;
	hostprog_unlock(hp);
	assert_done(e, hostprog_open(e->arena, &e->d, &again));
	assert_int_equal(again->id, hp->id);
	assert_int_equal(again->maps.watch_id, watch);
	hostprog_close(again);
	hostprog_close(hp);

	assert_done(e, hostprog_change(e->arena, &e->d, &hp));
	assert_non_null(hp);
	assert_done(e, hostprog_settle(e->arena, &e->d, hp, hostprog_make));
	hostprog_close(hp);
	assert_done(e, hostprog_open(e->arena, &e->d, &hp));
	assert_null(hp);
}

/* ---- grants ------------------------------------------------------------------------------------ */

static void grants_open_what_they_cover(void **state)
{
	struct env *e = *state;
	struct hostprog *hp;
	struct probe *pr;
	attach_denier(e->parent, 0);
	assert_done(e, probe_open_in(e->arena, &e->d, e->cg, &pr));
	assert_false(allowed(e, pr, "c 1:5 r"));
	assert_done(e, hostprog_need(e->arena, &e->d, HOSTPROG_GRANTS, hostprog_make, &hp));
	struct host_grant g = make_grant(e->cg->id, 'c', 1, 5, ACC_READ | ACC_WRITE);
	assert_done(e, grant_put(e->arena, &e->d, hp, &g, 1));
	assert_true(allowed(e, pr, "c 1:5 r"));
	assert_true(allowed(e, pr, "c 1:5 rw"));
	assert_false(allowed(e, pr, "c 1:5 m"));
	assert_false(allowed(e, pr, "c 1:7 r"));
	assert_false(allowed(e, pr, "b 1:5 r"));
	assert_int_equal(grant_remove(&e->d, hp, &g.key, 1), 1);
	assert_false(allowed(e, pr, "c 1:5 r"));
	assert_int_equal(grant_remove(&e->d, hp, &g.key, 1), 0);
	probe_close(pr);
	hostprog_close(hp);
}

/* ---- watchers ------------------------------------------------------------------------------------ */

static bool keep_record(void *arg, const struct host_event *event)
{
	struct host_event *last = arg;
	*last = *event;
	return true;
}

static void watchers_see_denials(void **state)
{
	struct env *e = *state;
	struct hostprog *hp;
	struct watcher *w;
	struct probe *pr;
	struct host_event last = {0};
	struct host_count_entry *list;
	size_t n;
	uint64_t uncounted;
	attach_denier(e->cg, 0);
	assert_done(e, hostprog_need(e->arena, &e->d, HOSTPROG_OBSERVE, hostprog_make, &hp));
	assert_done(e, watcher_new(e->arena, &e->d, hp, e->parent, 0, 0, &w));
	assert_true(watcher_lives(w));
	hostprog_unlock(hp);
	assert_done(e, probe_open_in(e->arena, &e->d, e->cg, &pr));
	assert_false(allowed(e, pr, "c 1:5 r"));
	assert_int_equal(watcher_poll(&e->d, w, 1000, keep_record, &last), 1);
	assert_int_equal(last.retval, -EPERM);
	assert_int_equal(last.major, 1);
	assert_int_equal(last.minor, 5);
	assert_int_equal(last.requested, ACC_READ);
	assert_int_equal(last.flags & HOST_EVENT_DENIED, HOST_EVENT_DENIED);
	assert_true(last.cgroup_id == e->cg->id);
	assert_done(e, watcher_counts(e->arena, &e->d, hp, w, &list, &n, &uncounted));
	assert_int_equal(n, 1);
	assert_int_equal(list[0].count.denied, 1);
	assert_int_equal(list[0].count.recorded, 1);
	probe_close(pr);
	watcher_close(w);
	hostprog_close(hp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTPROG_TEST(comes_and_goes),
		HOSTPROG_TEST(grants_open_what_they_cover),
		HOSTPROG_TEST(watchers_see_denials),
	};
	if (!scratch_possible("hostprog") || !hostprog_possible("hostprog"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
