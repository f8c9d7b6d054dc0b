/*
 * test_hostprog_counts.c - counts of the host program when there is no room for another cgroup: whoever makes cgroups
 * without end hides nobody's.
 */
#include "tests/unit/hostprog.h"

static void fill(struct hostprog *hp)
{
	struct host_count nothing = {0};
	for (uint64_t i = 0; i < HOSTPROG_COUNTS_MAX; i++) {
		struct host_count_key key = {UINT64_MAX - i, HOSTPROG_WATCHERS - 1};
		int error = bpf_map_update_elem(hp->maps.fd[HOSTPROG_MAP_COUNTS], &key, &nothing, BPF_NOEXIST);
		assert_true(!error || error == -E2BIG);
		if (error)
			return;
	}
}

static void empty(struct hostprog *hp)
{
	for (uint64_t i = 0; i < HOSTPROG_COUNTS_MAX; i++) {
		struct host_count_key key = {UINT64_MAX - i, HOSTPROG_WATCHERS - 1};
		bpf_map_delete_elem(hp->maps.fd[HOSTPROG_MAP_COUNTS], &key);
	}
}

static void without_room_they_are_counted_above(void **state)
{
	struct env *e = *state;
	struct hostprog *hp;
	struct watcher *w;
	struct probe *pr;
	struct cgroup *low;
	struct host_count_entry *list;
	size_t n;
	uint64_t uncounted;
	attach_denier(e->parent, 0);
	assert_done(e, transient_new(e->arena, &e->d, e->cg->path, PREFIX, &low));
	assert_done(e, probe_open_in(e->arena, &e->d, low, &pr));
	assert_done(e, hostprog_need(e->arena, &e->d, HOSTPROG_OBSERVE, hostprog_make, &hp));
	assert_done(e, watcher_new(e->arena, &e->d, hp, e->parent, 0, 0, &w));
	fill(hp);
	for (int i = 0; i < 7; i++)
		assert_false(allowed(e, pr, "c 1000:1 r"));
	assert_done(e, watcher_counts(e->arena, &e->d, hp, w, &list, &n, &uncounted));
	assert_int_equal(n, 1);
	assert_int_equal(list[0].cgroup, e->cg->id); /* at level 2 */
	assert_true(list[0].below);
	assert_int_equal(list[0].count.denied, 7);
	assert_int_equal(list[0].count.recorded, 7);
	assert_int_equal(uncounted, 0);
	empty(hp);
	assert_false(allowed(e, pr, "c 1000:1 r"));
	assert_done(e, watcher_counts(e->arena, &e->d, hp, w, &list, &n, &uncounted));
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(list[i].count.denied, list[i].below ? 7 : 1);
	watcher_end(w);
	assert_done(e, watcher_counts(e->arena, &e->d, hp, NULL, &list, &n, &uncounted));
	assert_int_equal(n, 0);
	probe_close(pr);
	transient_end(low);
	hostprog_close(hp);
}

static size_t used(struct env *e, struct hostprog *hp)
{
	struct host_watcher list[HOSTPROG_WATCHERS];
	size_t n = 0;
	assert_done(e, watchers_read(&e->d, hp, list));
	for (int i = 0; i < HOSTPROG_WATCHERS; i++)
		n += list[i].flags != 0;
	return n;
}

/* What a pinned observer of a removed container counted can still be read; eight of them keep nobody out. */
static void pinned_ones_of_removed_cgroups_give_way(void **state)
{
	struct env *e = *state;
	struct hostprog *hp;
	struct watcher *w;
	struct cgroup *low;
	assert_done(e, hostprog_need(e->arena, &e->d, HOSTPROG_OBSERVE, hostprog_make, &hp));
	for (int i = 0; i < HOSTPROG_WATCHERS; i++) {
		assert_done(e, transient_new(e->arena, &e->d, e->cg->path, PREFIX, &low));
		assert_done(e, watcher_new(e->arena, &e->d, hp, i ? low : e->cg, WATCHER_PINNED, 4096, &w));
		watcher_close(w);
		transient_end(low);
		hostprog_sweep(e->arena, hp);
		assert_int_equal(used(e, hp), i < HOSTPROG_WATCHERS - 1 ? i + 1 : i); /* one gives way */
	}
	assert_done(e, watcher_pinned(e->arena, &e->d, hp, e->cg, &w));
	assert_non_null(w);
	watcher_end(w);
	assert_int_equal(used(e, hp), HOSTPROG_WATCHERS - 2);
	hostprog_close(hp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTPROG_TEST(without_room_they_are_counted_above),
		HOSTPROG_TEST(pinned_ones_of_removed_cgroups_give_way),
	};
	if (!scratch_possible("test_hostprog_counts") || !hostprog_possible("test_hostprog_counts"))
		return 0;
	return cmocka_run_group_tests_name("counts of the host program", tests, NULL, NULL);
}
