/*
 * test_audit.c - cgroup/audit.c, audit_read.c, tally.c, names.c and paths.c against
 * the running kernel, with a program that is made by hand.
 */
#include "tests/unit/reporter.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

static const struct making usual = {.name = "unit", AS_EVENT_H};

static struct audit *opened(struct env *e, uint32_t id)
{
	struct audit *au;
	if (audit_open(e->arena, &e->d, id, &au))
		fail_msg("%s", e->d.items[0].text);
	return au;
}

static struct audit *claimed(struct env *e, uint32_t id)
{
	struct audit *au = opened(e, id);
	if (audit_claim(e->arena, &e->d, au))
		fail_msg("%s", e->d.items[0].text);
	return au;
}

struct seen {
	uint64_t n, stop;
	uint64_t minors[4];
	struct event last;
	struct event_told told;
};

static bool see(void *arg, const struct event_record *record)
{
	struct seen *s = arg;
	const struct event *event = &record->event;
	s->n++;
	s->minors[event->minor % 4]++;
	s->last = *event;
	s->told = record->told;
	return s->n != s->stop;
}

/* Everything that waits. */
static void drain(struct env *e, struct audit *au, struct seen *s)
{
	int n;
	while ((n = audit_poll(&e->d, au, 0, see, s)) > 0)
		;
	assert_int_equal(n, 0);
}

static struct totals totals_of(struct env *e, struct audit *au)
{
	struct totals t;
	assert_int_equal(audit_totals(&e->d, au, &t), 0);
	return t;
}

/* ---- records ---------------------------------------------------------------------- */

static void what_is_not_delivered_was_counted(void **state)
{
	struct env *e = *state;
	struct reporter r = reporter_new(e, &usual);
	struct audit *au = claimed(e, r.id);
	struct seen s = {0};

	deny(e, 3, 1);
	assert_int_equal(audit_poll(&e->d, au, 1000, see, &s), 3);
	assert_int_equal(s.last.version, EVENT_VERSION);
	assert_int_equal(s.last.generation, 1);
	assert_int_equal(s.last.cgroup_id, e->cg->id);
	assert_int_equal(s.last.major, REPORTED_MAJOR);
	assert_int_equal(s.last.comm[sizeof s.last.comm - 1], 0);

	/* nobody reads */
	deny(e, 10000, 4);
	struct totals t = totals_of(e, au);
	assert_int_equal(t.denied, 10003);
	assert_true(t.dropped > 5000 && t.submitted > 2000);
	assert_int_equal(t.submitted + t.dropped, 10003);
	drain(e, au, &s);
	assert_int_equal(s.n, t.submitted);

	/* two write, one reads, and another after that one ended */
	for (int round = 0; round < 2; round++) {
		pid_t one = deny_start(e, 30000, 4), two = deny_start(e, 30000, 4);
		for (int i = 0; i < 20; i++)
			audit_poll(&e->d, au, 5, see, &s);
		audit_close(au);
		assert_int_equal(finish(one), 0);
		assert_int_equal(finish(two), 0);
		au = claimed(e, r.id);
		drain(e, au, &s);
		t = totals_of(e, au);
		assert_int_equal(t.denied, 10003 + 60000 * (round + 1));
		assert_int_equal(t.submitted + t.dropped, t.denied);
		assert_int_equal(s.n, t.submitted);
	}
	audit_close(au);
	reporter_close(&r);
}

static void alarmed(int sig)
{
	(void)sig;
}

static void waiting_ends(void **state)
{
	struct env *e = *state;
	struct reporter r = reporter_new(e, &usual);
	struct audit *au = opened(e, r.id);
	struct seen s = {0};
	assert_int_equal(audit_poll(&e->d, au, 0, see, &s), -1);
	assert_error(e, "without a claim", "claim");
	assert_int_equal(audit_fd(au), -1);
	assert_int_equal(audit_claim(e->arena, &e->d, au), 0);
	assert_true(audit_fd(au) >= 0);

	assert_int_equal(audit_poll(&e->d, au, 10, see, &s), 0);
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = alarmed}, NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 20000}, NULL);
	assert_int_equal(audit_poll(&e->d, au, 60000, see, &s), 0);

	/* the callback ends it, and loses nothing */
	deny(e, 10, 4);
	s.stop = 3;
	assert_int_equal(audit_poll(&e->d, au, 1000, see, &s), 3);
	assert_int_equal(audit_poll(&e->d, au, 1000, see, &s), 7);
	assert_int_equal(s.n, 10);
	audit_close(au);
	reporter_close(&r);
}

static void records_of_other_versions_are_passed_over(void **state)
{
	static const struct { int version, size, given; } kinds[] = {
		{EVENT_VERSION, sizeof(struct event), 5},
		{EVENT_VERSION, sizeof(struct event) + 8, 5},
		{EVENT_VERSION, sizeof(struct event) - 8, 0},
		{EVENT_VERSION + 1, sizeof(struct event), 0}};
	struct env *e = *state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct making m = usual;
		struct seen s = {0};
		m.version = kinds[i].version;
		m.size = kinds[i].size;
		struct reporter r = reporter_new(e, &m);
		struct audit *au = claimed(e, r.id);
		deny(e, 5, 1);
		assert_int_equal(audit_poll(&e->d, au, 100, see, &s), kinds[i].given);
		assert_int_equal(audit_poll(&e->d, au, 0, see, &s), 0);
		audit_close(au);
		assert_int_equal(bpf_prog_detach2(r.prog, e->cg->fd, BPF_CGROUP_DEVICE), 0);
		reporter_close(&r);
	}
}

/* What stands behind a record is read when all of it is there. */
static void what_the_kernel_told_is_read(void **state)
{
	enum { HEAD = sizeof(struct event) + offsetof(struct event_told, value) };
	static const struct { int which, size; uint64_t read; } kinds[] = {
		{0x15, HEAD + 3 * 8, 0x15}, {0x15, HEAD + 4 * 8, 0x15}, {0x15, HEAD + 2 * 8, 0},   {0x15, HEAD, 0},
		{0x15, HEAD - 8, 0},        {0, HEAD, 0},               {-1, HEAD + 32 * 8, 0},    {0x7fffffff, HEAD + 31 * 8, 0x7fffffff},
	};
	struct env *e = *state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct making m = usual;
		struct seen s = {0};
		m.which = kinds[i].which;
		m.size = kinds[i].size;
		struct reporter r = reporter_new(e, &m);
		struct audit *au = claimed(e, r.id);
		deny(e, 5, 1);
		assert_int_equal(audit_poll(&e->d, au, 100, see, &s), 5);
		assert_int_equal(s.last.major, REPORTED_MAJOR);
		assert_true(s.told.which == kinds[i].read);
		for (int k = 0; k < EVENT_VALUES_MAX; k++)
			assert_int_equal(s.told.value[k], k < __builtin_popcountll(s.told.which) ? -k : 0);
		audit_close(au);
		assert_int_equal(bpf_prog_detach2(r.prog, e->cg->fd, BPF_CGROUP_DEVICE), 0);
		reporter_close(&r);
	}
}

/* ---- who reads ---------------------------------------------------------------------- */

static void one_reader(void **state)
{
	struct env *e = *state;
	struct reporter r = reporter_new(e, &usual), other = reporter_new(e, &usual);
	int ready[2];
	char byte = 0;
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (!pid) {
		struct audit *mine = claimed(e, r.id), *also = claimed(e, other.id);
		audit_close(also); /* must not give the first one back */
		byte = mine->lock >= 0;
		_exit(write(ready[1], &byte, 1) == 1 ? pause() : 1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);

	struct audit *au = opened(e, r.id);
	assert_int_equal(audit_claim(e->arena, &e->d, au), -1);
	assert_error(e, arena_printf(e->arena, "process %d reads these events already", (int)pid),
	             arena_printf(e->arena, "kill %d", (int)pid));
	struct audit *au2 = claimed(e, other.id);

	kill(pid, SIGKILL);
	assert_int_equal(finish(pid), 128);
	assert_int_equal(audit_claim(e->arena, &e->d, au), 0);
	assert_int_equal(audit_claim(e->arena, &e->d, au), 0);

	/* also within one process */
	struct audit *again = opened(e, r.id);
	assert_int_equal(audit_claim(e->arena, &e->d, again), -1);
	assert_error(e, arena_printf(e->arena, "process %d reads", (int)getpid()), "stats");
	audit_close(again);
	audit_close(au);
	audit_close(au2);
	audit_close(claimed(e, r.id));

	/* a lock of something else over it */
	int fd = open(arena_printf(e->arena, "%s/cgroup.procs", e->cg->mount), O_RDWR | O_CLOEXEC);
	au = opened(e, r.id);
	struct flock over = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 2,
	                     .l_start = ((off_t)audit_counts_id(au) << 32) - 1};
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &over), 0);
	assert_int_equal(audit_claim(e->arena, &e->d, au), -1);
	assert_error(e, "cannot be named", "cgroup.procs");
	audit_close(au);
	close(fd);
	reporter_close(&r);
	reporter_close(&other);
}

static void fold_ends_with_its_reader(void **state)
{
	struct env *e = *state;
	struct reporter r = reporter_new(e, &usual);
	struct audit *au = claimed(e, r.id);
	struct audit_config config;
	uint32_t zero = 0;
	int fd = r.maps.fd[REPORT_CONFIG];
	assert_int_equal(audit_fold(&e->d, au, 5000000000), 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &config), 0);
	assert_int_equal(config.fold_ns, 5000000000);
	audit_close(au);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &config), 0);
	assert_int_equal(config.fold_ns, 0);

	/* also when it was killed */
	config.fold_ns = 7;
	assert_int_equal(bpf_map_update_elem(fd, &zero, &config, 0), 0);
	audit_close(opened(e, r.id));
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &config), 0);
	assert_int_equal(config.fold_ns, 7);
	au = claimed(e, r.id);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &config), 0);
	assert_int_equal(config.fold_ns, 0);
	audit_close(au);
	reporter_close(&r);
}

/* ---- counts ---------------------------------------------------------------------------- */

static void tallies_are_sorted_and_cleared(void **state)
{
	struct env *e = *state;
	struct reporter r = reporter_new(e, &usual);
	struct audit *au = opened(e, r.id);
	struct tally_entry *list;
	size_t n;
	assert_int_equal(audit_tallies(e->arena, &e->d, au, &list, &n), 0);
	assert_int_equal(n, 0);

	/* more than a batch, and one more often than all others */
	deny(e, 3000, 1500);
	deny(e, 7, 1);
	assert_int_equal(audit_tallies(e->arena, &e->d, au, &list, &n), 0);
	assert_int_equal(n, 1500);
	assert_int_equal(list[0].key.minor, 0);
	assert_int_equal(list[0].tally.count, 9);
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++) {
		assert_true(!i || list[i].tally.count <= list[i - 1].tally.count);
		assert_int_equal(list[i].key.rule, 1);
		sum += list[i].tally.count;
	}
	assert_int_equal(sum, 3007);
	assert_int_equal(totals_of(e, au).denied, 3007);

	assert_int_equal(audit_clear(&e->d, au), 0);
	assert_int_equal(audit_tallies(e->arena, &e->d, au, &list, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(totals_of(e, au).denied, 0);
	assert_int_equal(totals_of(e, au).submitted, 0);
	deny(e, 2, 1);
	assert_int_equal(totals_of(e, au).denied, 2);
	audit_close(au);
	reporter_close(&r);
}

static void full_tallies_are_counted(void **state)
{
	struct env *e = *state;
	struct reporter r;
	make_maps(&r.maps, 100);
	reporter_load(&r, &usual);
	assert_int_equal(bpf_prog_attach(r.prog, e->cg->fd, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI), 0);
	struct audit *au = opened(e, r.id);
	struct tally_entry *list;
	size_t n;
	uint64_t sum = 0;
	deny(e, 2000, 1000);
	assert_int_equal(audit_tallies(e->arena, &e->d, au, &list, &n), 0);
	for (size_t i = 0; i < n; i++)
		sum += list[i].tally.count;
	assert_int_equal(n, 100);
	assert_int_equal(sum + totals_of(e, au).untallied, 2000);
	audit_close(au);
	reporter_close(&r);
}

/* ---- names ------------------------------------------------------------------------------ */

static void put_names(struct env *e, struct reporter *r, uint32_t generation, size_t n)
{
	struct rule_name *rules = arena_alloc(e->arena, n * sizeof *rules);
	for (size_t i = 0; i < n; i++) {
		rules[i].line = (uint32_t)i + 1;
		snprintf(rules[i].label, sizeof rules[i].label, "%u/%zu", generation, i);
	}
	assert_int_equal(names_put(e->arena, &e->d, "unit", r->maps.fd[REPORT_NAMES],
	                           r->maps.fd[REPORT_TALLY], generation, rules, n), 0);
}

static bool has_name(struct audit *au, uint32_t generation, uint32_t rule)
{
	struct rule_name got;
	char want[32];
	snprintf(want, sizeof want, "%u/%u", generation, rule);
	return audit_rule(au, generation, rule, &got) && !strcmp(got.label, want) &&
	       got.line == rule + 1;
}

static void names_stay_as_long_as_they_are_asked_for(void **state)
{
	struct env *e = *state;
	struct reporter r = reporter_new(e, &usual);
	struct audit *au = opened(e, r.id);
	put_names(e, &r, 1, 3);
	put_names(e, &r, 2, 3);
	assert_true(has_name(au, 1, 0) && has_name(au, 1, 2) && has_name(au, 2, 2));
	assert_false(has_name(au, 1, 3) || has_name(au, 3, 0));
	put_names(e, &r, 3, 2);
	assert_false(has_name(au, 1, 0));
	assert_true(has_name(au, 2, 0) && has_name(au, 3, 1));

	deny(e, 1, 1); /* a tally of generation 1 */
	put_names(e, &r, 1, 3);
	put_names(e, &r, 9, 3);
	assert_true(has_name(au, 1, 0) && has_name(au, 9, 0));
	assert_false(has_name(au, 3, 0));
	/* a load that came to nothing */
	put_names(e, &r, 9, 2);
	assert_true(has_name(au, 9, 1));
	assert_false(has_name(au, 9, 2));

	/* room for the rules in force */
	put_names(e, &r, 10, NAME_ENTRIES - 10);
	assert_int_equal(e->d.warnings, 0);
	assert_true(has_name(au, 10, NAME_ENTRIES - 11));
	put_names(e, &r, 11, NAME_ENTRIES - 10);
	assert_int_equal(e->d.warnings, 0);
	assert_true(has_name(au, 11, NAME_ENTRIES - 11));
	assert_false(has_name(au, 10, 0));
	put_names(e, &r, 12, NAME_ENTRIES + 10);
	assert_int_equal(e->d.warnings, 1);
	assert_non_null(strstr(e->d.items[0].text, "the names of "));
	assert_true(has_name(au, 12, 0));
	audit_close(au);
	reporter_close(&r);
}

/* ---- which programs report --------------------------------------------------------------- */

/* Others on this host may report too. */
static bool lists(const uint32_t *ids, size_t n, const struct reporter *r)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == r->id)
			return true;
	return false;
}

static void programs_that_report_are_found(void **state)
{
	struct env *e = *state;
	struct making silent = usual, old = usual;
	struct audit *au;
	struct attached *list;
	uint32_t *ids;
	size_t n;
	silent.name = "silent";
	silent.audit = AUDIT_NONE;
	old.name = "old";
	old.header = offsetof(struct image_header, audit);
	struct reporter r1 = reporter_new(e, &usual), r2 = reporter_new(e, &silent);
	struct reporter r3 = reporter_new(e, &old), r4 = reporter_new(e, &usual);
	assert_int_equal(audit_programs(e->arena, &e->d, r1.id - 1, &ids, &n), 0);
	assert_true(lists(ids, n, &r1) && lists(ids, n, &r4));
	assert_false(lists(ids, n, &r2) || lists(ids, n, &r3));
	assert_int_equal(audit_programs(e->arena, &e->d, r4.id, &ids, &n), 0);
	assert_false(lists(ids, n, &r1) || lists(ids, n, &r4));

	assert_int_equal(cgroup_query(e->arena, &e->d, e->cg, &list, &n), 0);
	assert_int_equal(n, 4);
	assert_true(list[0].ours && list[0].audit == AUDIT_DENIED && list[0].generation == 1);
	assert_true(list[2].ours && list[2].audit == AUDIT_NONE && list[2].generation == 0);
	assert_string_equal(list[2].name, "old");

	assert_int_equal(audit_open(e->arena, &e->d, r2.id, &au), -1);
	assert_error(e, "the policy 'silent' reports nothing", "--audit denied");
	assert_int_equal(audit_open(e->arena, &e->d, r3.id, &au), -1);
	assert_error(e, "the policy 'old' reports nothing", "--audit denied");
	assert_int_equal(bpf_prog_detach2(r4.prog, e->cg->fd, BPF_CGROUP_DEVICE), 0);
	reporter_close(&r4);
	for (int i = 0; i < 100 && !audit_open(e->arena, &e->d, r4.id, &au); i++) {
		audit_close(au); /* a program goes a little later than its last reference */
		usleep(10000);
	}
	assert_int_equal(audit_open(e->arena, &e->d, r4.id, &au), -1);
	assert_null(au);
	assert_error(e, "is gone", "status");

	au = opened(e, r1.id);
	assert_int_equal(audit_counts_id(au), id_of_map(r1.maps.fd[REPORT_TOTALS]));
	audit_close(au);
	reporter_close(&r1);
	reporter_close(&r2);
	reporter_close(&r3);
}

/* ---- paths -------------------------------------------------------------------------------- */

static void drop_capability(int cap)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	syscall(SYS_capget, &header, data);
	data[CAP_TO_INDEX(cap)].effective &= ~CAP_TO_MASK(cap);
	syscall(SYS_capset, &header, data);
}

/* What is below the mount. */
static const char *inside(const struct cgroup *cg)
{
	return cg->path + strlen(cg->mount);
}

static int walks(struct env *e)
{
	struct cgroup_paths *paths = cgroup_paths_new(e->arena);
	drop_capability(CAP_DAC_READ_SEARCH);
	const char *path = cgroup_path_of(paths, e->cg->id);
	return !path || strcmp(path, inside(e->cg)) || cgroup_path_of(paths, 1ull << 60);
}

static void paths_are_found_and_remembered(void **state)
{
	struct env *e = *state;
	struct cgroup_paths *paths = cgroup_paths_new(e->arena), *later = cgroup_paths_new(e->arena);
	struct cgroup *root, *gone;
	assert_int_equal(cgroup_open(e->arena, &e->d, e->cg->mount, &root), 0);
	same_text("root", cgroup_path_of(paths, root->id), "/");
	cgroup_close(root);
	same_text("nested", cgroup_path_of(paths, e->cg->id), inside(e->cg));
	assert_null(cgroup_path_of(paths, 0));
	assert_null(cgroup_path_of(paths, 1ull << 60));
	assert_null(cgroup_path_of(paths, 1ull << 60));
	assert_int_equal(finish(start(e, walks)), 0);

	assert_int_equal(transient_new(e->arena, &e->d, e->cg->path, PREFIX, &gone), 0);
	uint64_t id = gone->id;
	const char *path = arena_strdup(e->arena, inside(gone));
	same_text("new", cgroup_path_of(paths, id), path);
	transient_end(gone);
	same_text("gone", cgroup_path_of(paths, id), path);
	assert_null(cgroup_path_of(later, id));

	/* more than are kept: what is there is found again */
	size_t before = 0;
	for (uint64_t i = 0; i < 60000; i++) {
		cgroup_path_of(paths, (1ull << 60) + i);
		if (i == 30000)
			before = arena_size(e->arena);
	}
	assert_int_equal(arena_size(e->arena), before);
	same_text("again", cgroup_path_of(paths, e->cg->id), inside(e->cg));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(what_is_not_delivered_was_counted),
		SCRATCH_TEST(waiting_ends),
		SCRATCH_TEST(records_of_other_versions_are_passed_over),
		SCRATCH_TEST(what_the_kernel_told_is_read),
		SCRATCH_TEST(one_reader),
		SCRATCH_TEST(fold_ends_with_its_reader),
		SCRATCH_TEST(tallies_are_sorted_and_cleared),
		SCRATCH_TEST(full_tallies_are_counted),
		SCRATCH_TEST(names_stay_as_long_as_they_are_asked_for),
		SCRATCH_TEST(programs_that_report_are_found),
		SCRATCH_TEST(paths_are_found_and_remembered),
	};
	if (!scratch_possible("test_audit"))
		return 0;
	/* before 5.11 maps made here are locked memory */
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
	return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}
