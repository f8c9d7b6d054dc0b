/*
 * test_handover.c - cgroup/handover.c with objects as the compiler makes them: what
 * a program takes over from the one it replaces, while the kernel asks it.
 */
#include "tests/unit/compiled.h"
#include "tests/unit/reporter.h"

#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <sys/resource.h>

static const char policy_text[] = "policy 'unit'\n"
                                  "audit :denied\n"
                                  "deny 'c 42:* m', label: 'forty-two'\n"
                                  "default :allow\n";

static const struct rule_name names[] = {{4, "t.rb", ""}, {3, "t.rb", "forty-two"}};

struct object {
	struct compiled c;
	struct bytes bytes;
};

static struct object object_of(const char *text)
{
	struct object o = {.c = compiled_of(text)};
	assert_int_equal(object_write(o.c.policy, &o.c.image, &o.c.diags, &o.bytes), 0);
	return o;
}

static struct program *load(struct env *e, const struct object *o, uint32_t from)
{
	struct program *p;
	if (program_load_audited(e->arena, &e->d, "unit", o->bytes.data, o->bytes.len, from, 0, names,
	                         COUNT(names), NULL, &p))
		fail_msg("%s", e->d.items[0].text);
	return p;
}

/* Loads it as the successor of `from` for so many rules and with that ring buffer, and attaches
 * it. Its id. */
static uint32_t apply_sized(struct env *e, const struct object *o, uint32_t from, size_t rules, uint32_t ring)
{
	uint32_t replaced;
	struct program *p;
	struct rule_name *all = arena_alloc(e->arena, rules * sizeof *all);
	memcpy(all, names, sizeof names);
	if (program_load_audited(e->arena, &e->d, "unit", o->bytes.data, o->bytes.len, from, ring, all, rules, NULL, &p) ||
	    cgroup_attach(e->arena, &e->d, e->cg, p, "unit", &replaced))
		fail_msg("%s", e->d.items[0].text);
	assert_int_equal(replaced, from);
	uint32_t id = program_id(p);
	program_close(p);
	return id;
}

/* Loads it as the successor of `from` and attaches it. Its id. */
static uint32_t apply(struct env *e, const struct object *o, uint32_t from)
{
	uint32_t replaced;
	struct program *p = load(e, o, from);
	if (cgroup_attach(e->arena, &e->d, e->cg, p, "unit", &replaced))
		fail_msg("%s", e->d.items[0].text);
	assert_int_equal(replaced, from);
	uint32_t id = program_id(p);
	program_close(p);
	return id;
}

static struct attached attached_here(struct env *e)
{
	struct attached *list;
	size_t n;
	assert_int_equal(cgroup_query(e->arena, &e->d, e->cg, &list, &n), 0);
	assert_int_equal(n, 1);
	return list[0];
}

static struct audit *reader(struct env *e, uint32_t id)
{
	struct audit *au;
	if (audit_open(e->arena, &e->d, id, &au) || audit_claim(e->arena, &e->d, au))
		fail_msg("%s", e->d.items[0].text);
	return au;
}

struct seen {
	uint64_t n, of[3];
	uint32_t generation; /* of the last */
	struct event last;
};

static bool see(void *arg, const struct event_record *record)
{
	struct seen *s = arg;
	const struct event *event = &record->event;
	s->n++;
	if (event->generation < 3)
		s->of[event->generation]++;
	s->generation = event->generation;
	s->last = *event;
	return true;
}

/* ---- what is handed over -------------------------------------------------------------- */

static void ring_counts_and_names_are_handed_over(void **state)
{
	struct env *e = *state;
	struct object o = object_of(policy_text);
	struct seen s = {0};
	struct rule_name name;
	struct totals t;
	struct tally_entry *list;
	size_t n;
	uint32_t first = apply(e, &o, 0);
	struct audit *au = reader(e, first);
	assert_int_equal(attached_here(e).generation, 1);
	assert_int_equal(attached_here(e).audit, AUDIT_DENIED);
	deny(e, 5, 1);
	uint32_t second = apply(e, &o, first);
	assert_int_equal(attached_here(e).generation, 2);
	deny(e, 6, 1);

	/* one reader for both, and nothing lost between them */
	assert_int_equal(audit_poll(&e->d, au, 1000, see, &s), 11);
	assert_int_equal(s.of[1], 5);
	assert_int_equal(s.of[2], 6);
	assert_int_equal(s.last.cgroup_id, e->cg->id);
	assert_int_equal(s.last.major, REPORTED_MAJOR);
	assert_int_equal(s.last.rule, 1);
	assert_int_equal(s.last.verdict, 0);
	assert_int_equal(s.last.decided, ACC_MKNOD);
	for (uint32_t g = 1; g <= 2; g++) {
		assert_true(audit_rule(au, g, 1, &name));
		assert_string_equal(name.label, "forty-two");
		assert_int_equal(name.line, 3);
		assert_true(audit_rule(au, g, 0, &name));
	}
	assert_int_equal(audit_totals(&e->d, au, &t), 0);
	assert_int_equal(t.denied, 11);
	assert_int_equal(t.submitted, 11);
	assert_int_equal(audit_tallies(e->arena, &e->d, au, &list, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(list[0].key.generation, 2);
	assert_int_equal(list[0].tally.count, 6);
	assert_int_equal(list[1].tally.count, 5);

	struct audit *now;
	assert_int_equal(audit_open(e->arena, &e->d, second, &now), 0);
	assert_int_equal(audit_counts_id(now), audit_counts_id(au));
	audit_close(now);
	audit_close(au);
	assert_int_equal(e->d.n, 0);
	compiled_free(&o.c);
}

/* ---- what is not ------------------------------------------------------------------------ */

static void other_maps_are_not_handed_over(void **state)
{
	static const struct making usual = {.name = "unit", AS_EVENT_H};
	struct env *e = *state;
	struct object o = object_of(policy_text);
	struct reporter r = reporter_new(e, &usual); /* its tallies are not of the same form */
	deny(e, 1, 1);
	uint32_t id = apply(e, &o, r.id);
	assert_int_equal(e->d.warnings, 1);
	assert_non_null(strstr(e->d.items[0].text, "the counts of program"));
	assert_int_equal(attached_here(e).generation, 2);
	struct audit *au = reader(e, id);
	struct totals t;
	assert_int_not_equal(audit_counts_id(au), r.maps.counts_id);
	assert_int_equal(audit_totals(&e->d, au, &t), 0);
	assert_int_equal(t.denied, 0);
	audit_close(au);

	/* nothing of a program that is gone */
	diags_init(&e->d, e->arena);
	struct program *p = load(e, &o, UINT32_MAX >> 1);
	assert_int_equal(e->d.warnings, 1);
	assert_non_null(strstr(e->d.items[0].text, "is gone"));
	program_close(p);
	reporter_close(&r);
	compiled_free(&o.c);
}

static void silent_policies_have_generations_too(void **state)
{
	struct env *e = *state;
	struct object loud = object_of(policy_text);
	struct object quiet = object_of("policy 'unit'\ndeny 'c 42:* m'\ndefault :allow\n");
	struct audit *au;
	uint32_t id = apply(e, &quiet, 0);
	assert_int_equal(attached_here(e).generation, 1);
	id = apply(e, &loud, id);
	assert_int_equal(attached_here(e).generation, 2);
	id = apply(e, &quiet, id);
	assert_int_equal(attached_here(e).generation, 3);
	assert_int_equal(attached_here(e).audit, AUDIT_NONE);
	assert_int_equal(audit_open(e->arena, &e->d, id, &au), -1);
	assert_error(e, "reports nothing", "audit");
	assert_int_equal(e->d.n, 0);
	compiled_free(&loud.c);
	compiled_free(&quiet.c);
}

/* ---- what the kernel can tell -------------------------------------------------------------- */

/* The object as for a kernel with these helpers only. */
static struct event event_with(struct env *e, const struct object *o, uint32_t features)
{
	struct image_header h;
	struct seen s = {0};
	uint64_t magic = htole64(IMAGE_MAGIC);
	char *at = memmem(o->bytes.data, o->bytes.len, &magic, sizeof magic);
	assert_non_null(at);
	memcpy(&h, at, sizeof h);
	h.features = htole32(features);
	memcpy(at, &h, sizeof h);
	uint32_t id = apply(e, o, 0);
	struct audit *au = reader(e, id);
	deny(e, 1, 1);
	assert_int_equal(audit_poll(&e->d, au, 1000, see, &s), 1);
	audit_close(au);
	assert_int_equal(cgroup_detach(e->arena, &e->d, e->cg, "unit", NULL), 0);
	return s.last;
}

static void what_the_kernel_lacks_is_left_out(void **state)
{
	struct env *e = *state;
	struct object o = object_of(policy_text);
	struct event event = event_with(e, &o, 0);
	assert_int_equal(event.flags, EVENT_NO_PID | EVENT_NO_COMM);
	assert_int_equal(event.pid, 0);
	assert_string_equal(event.comm, "");
	event = event_with(e, &o, FEATURE_PID | FEATURE_COMM);
	if (kernel_before(6, 1)) {
		assert_int_equal(event.flags, EVENT_NO_PID | EVENT_NO_COMM);
	} else {
		assert_int_equal(event.flags, 0);
		assert_true(event.pid > 0);
		assert_string_equal(event.comm, "test_handover");
	}
	compiled_free(&o.c);
}

/* ---- under load ------------------------------------------------------------------------------ */

static int descriptors(void)
{
	int n = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Gone, or going: the kernel frees a program a little after its last reference. */
static bool program_goes(uint32_t id)
{
	for (int i = 0; i < 200; i++) {
		int fd = bpf_prog_get_fd_by_id(id);
		if (fd == -ENOENT)
			return true;
		close(fd);
		usleep(10000);
	}
	return false;
}

static bool map_goes(uint32_t id)
{
	for (int i = 0; i < 200; i++) {
		int fd = bpf_map_get_fd_by_id(id);
		if (fd == -ENOENT)
			return true;
		close(fd);
		usleep(10000);
	}
	return false;
}

static void maps_of(uint32_t program, uint32_t **ids, uint32_t *n)
{
	int fd = bpf_prog_get_fd_by_id(program);
	assert_true(fd >= 0);
	assert_int_equal(program_map_ids(fd, ids, n), 0);
	close(fd);
}

enum { REPLACEMENTS = 200, DENIALS = 100000 };

static void replacing_loses_and_leaks_nothing(void **state)
{
	struct env *e = *state;
	struct object o = object_of(policy_text);
	struct seen s = {0};
	uint32_t ids[REPLACEMENTS + 1], *maps, nmaps;
	ids[0] = apply(e, &o, 0);
	struct audit *au = reader(e, ids[0]);
	int before = descriptors();
	pid_t one = deny_start(e, DENIALS, 4), two = deny_start(e, DENIALS, 4);
	for (int i = 1; i <= REPLACEMENTS; i++) {
		ids[i] = apply(e, &o, ids[i - 1]);
		assert_true(audit_poll(&e->d, au, 0, see, &s) >= 0);
	}
	assert_int_equal(finish(one), 0);
	assert_int_equal(finish(two), 0);
	while (audit_poll(&e->d, au, 0, see, &s) > 0)
		;
	deny(e, 1, 1);
	assert_int_equal(audit_poll(&e->d, au, 1000, see, &s), 1);
	assert_int_equal(s.generation, REPLACEMENTS + 1);
	assert_int_equal(attached_here(e).generation, REPLACEMENTS + 1);
	assert_int_equal(descriptors(), before);

	struct totals t;
	struct tally_entry *list;
	size_t n;
	uint64_t sum = 0;
	assert_int_equal(audit_totals(&e->d, au, &t), 0);
	assert_int_equal(t.denied, 2 * DENIALS + 1);
	assert_int_equal(t.submitted + t.folded + t.dropped, t.denied);
	assert_int_equal(s.n, t.submitted);
	assert_int_equal(audit_tallies(e->arena, &e->d, au, &list, &n), 0);
	for (size_t i = 0; i < n; i++)
		sum += list[i].tally.count;
	assert_int_equal(sum + t.untallied, t.denied);
	audit_close(au);

	for (int i = 0; i < REPLACEMENTS; i++)
		assert_true(program_goes(ids[i]));
	maps_of(ids[REPLACEMENTS], &maps, &nmaps);
	assert_int_equal(nmaps, REPORT_MAPS + 1);
	assert_int_equal(cgroup_detach(e->arena, &e->d, e->cg, "unit", NULL), 0);
	assert_true(program_goes(ids[REPLACEMENTS]));
	for (uint32_t i = 0; i < nmaps; i++)
		assert_true(map_goes(maps[i]));
	free(maps);
	compiled_free(&o.c);
}

/* ---- maps of another size -------------------------------------------------------------------- */

static struct report_maps maps_now(uint32_t program)
{
	struct report_maps m;
	int fd = bpf_prog_get_fd_by_id(program);
	assert_true(fd >= 0);
	assert_int_equal(report_maps_open(fd, &m), 0);
	close(fd);
	return m;
}

/* What the kernel says that the map takes. */
static unsigned long memory_of(int map)
{
	char path[64], text[512], *at;
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", map);
	assert_true(file_read(AT_FDCWD, path, text, sizeof text) > 0);
	at = strstr(text, "memlock:");
	assert_non_null(at);
	return strtoul(at + strlen("memlock:"), NULL, 10);
}

static uint64_t sum_of_tallies(struct env *e, struct audit *au)
{
	struct tally_entry *list;
	size_t n;
	uint64_t sum = 0;
	assert_int_equal(audit_tallies(e->arena, &e->d, au, &list, &n), 0);
	for (size_t i = 0; i < n; i++)
		sum += list[i].tally.count;
	return sum;
}

static void a_small_policy_has_small_maps(void **state)
{
	enum { KIB = 1024 };
	struct env *e = *state;
	struct object o = object_of(policy_text);
	uint32_t id = apply(e, &o, 0);
	deny(e, 2000, 2000); /* far more kinds than the table has room for */
	struct report_maps m = maps_now(id);
	assert_int_equal(map_entries(m.fd[REPORT_EVENTS]), EVENTS_BYTES);
	assert_int_equal(map_entries(m.fd[REPORT_TALLY]), 2 * TALLY_RULE);
	assert_int_equal(map_entries(m.fd[REPORT_NAMES]), NAME_LEAST);
	assert_true(memory_of(m.fd[REPORT_TALLY]) + memory_of(m.fd[REPORT_NAMES]) < 64 * KIB);
	report_maps_close(&m);

	struct audit *au;
	struct totals t;
	assert_int_equal(audit_open(e->arena, &e->d, id, &au), 0);
	assert_int_equal(audit_totals(&e->d, au, &t), 0);
	assert_true(t.untallied > 0);
	assert_int_equal(sum_of_tallies(e, au) + t.untallied, t.denied);
	audit_close(au);
	compiled_free(&o.c);
}

static void larger_tables_keep_what_was_counted(void **state)
{
	struct env *e = *state;
	struct object o = object_of(policy_text);
	struct rule_name name;
	struct totals t;
	uint32_t first = apply(e, &o, 0);
	deny(e, 300, 300);
	struct report_maps before = maps_now(first);
	uint32_t second = apply_sized(e, &o, first, 20, 0);
	deny(e, 300, 300);
	struct report_maps now = maps_now(second);
	assert_int_equal(now.counts_id, before.counts_id);
	/* a record of the second can only be found together with its name and its tally */
	assert_int_not_equal(now.events_id, before.events_id);
	assert_int_equal(map_entries(now.fd[REPORT_EVENTS]), map_entries(before.fd[REPORT_EVENTS]));
	assert_int_equal(now.nold, 1);
	assert_int_equal(now.old[0].id, before.events_id);
	assert_int_equal(map_entries(now.fd[REPORT_TALLY]), 20 * TALLY_RULE + 2 * TALLY_RULE);
	assert_true(map_entries(now.fd[REPORT_NAMES]) >= 20 * NAME_GENERATIONS);
	struct audit *au = reader(e, second);
	assert_int_equal(audit_totals(&e->d, au, &t), 0);
	assert_int_equal(t.denied, 600);
	assert_int_equal(t.untallied, 0);
	assert_int_equal(sum_of_tallies(e, au), 600);
	for (uint32_t g = 1; g <= 2; g++) {
		assert_true(audit_rule(au, g, 1, &name));
		assert_string_equal(name.label, "forty-two");
	}
	audit_close(au);

	/* a smaller policy keeps the large ones, and so does the same again */
	uint32_t third = apply(e, &o, second);
	struct report_maps after = maps_now(third);
	assert_int_equal(map_entries(after.fd[REPORT_TALLY]), map_entries(now.fd[REPORT_TALLY]));
	assert_int_equal(after.events_id, now.events_id);
	report_maps_close(&before);
	report_maps_close(&now);
	report_maps_close(&after);
	assert_int_equal(e->d.n, 0);
	compiled_free(&o.c);
}

static void another_ring_keeps_what_nobody_read(void **state)
{
	enum { SMALL = 1 << 14, LARGE = 1 << 20 };
	struct env *e = *state;
	struct object o = object_of(policy_text);
	struct seen s = {0};
	uint32_t first = apply_sized(e, &o, 0, 2, SMALL);
	deny(e, 5, 1);
	uint32_t second = apply_sized(e, &o, first, 2, LARGE);
	deny(e, 6, 1);
	struct report_maps m = maps_now(second);
	assert_int_equal(map_entries(m.fd[REPORT_EVENTS]), LARGE);
	assert_int_equal(m.nold, 1);
	assert_int_equal(map_entries(m.old[0].fd), SMALL);
	report_maps_close(&m);

	/* a reader that comes now reads both; a program after it has none of what is read */
	struct audit *au = reader(e, second);
	while (audit_poll(&e->d, au, 100, see, &s) > 0)
		;
	assert_int_equal(s.of[1], 5);
	assert_int_equal(s.of[2], 6);
	uint32_t third = apply_sized(e, &o, second, 2, 0);
	m = maps_now(third);
	assert_int_equal(map_entries(m.fd[REPORT_EVENTS]), LARGE);
	assert_int_equal(m.nold, 0);
	report_maps_close(&m);

	/* the reader of before goes on; it is the only one, whatever the ring */
	uint32_t fourth = apply_sized(e, &o, third, 2, SMALL);
	deny(e, 7, 1);
	struct audit *next, *other;
	assert_int_equal(audit_open(e->arena, &e->d, fourth, &other), 0);
	assert_int_equal(audit_counts_id(other), audit_counts_id(au));
	assert_int_equal(audit_claim(e->arena, &e->d, other), -1);
	assert_error(e, "reads these events already", "stats");
	audit_close(other);
	assert_int_equal(audit_open(e->arena, &e->d, fourth, &next), 0);
	assert_int_equal(audit_renew(&e->d, au, next), 0);
	audit_close(next);
	s = (struct seen){0};
	while (audit_poll(&e->d, au, 100, see, &s) > 0)
		;
	assert_int_equal(s.n, 7);
	assert_int_equal(s.generation, 4);
	audit_close(au);
	assert_int_equal(e->d.n, 0);
	compiled_free(&o.c);
}

static void rings_that_nobody_reads_have_an_end(void **state)
{
	struct env *e = *state;
	struct object o = object_of(policy_text);
	struct program *p;
	uint32_t id = apply_sized(e, &o, 0, 2, 1 << 13);
	for (int i = 0; i < OLD_RINGS; i++) {
		deny(e, 1, 1);
		id = apply_sized(e, &o, id, 2, i % 2 ? 1 << 13 : 1 << 14);
	}
	deny(e, 1, 1);
	assert_int_equal(program_load_audited(e->arena, &e->d, "unit", o.bytes.data, o.bytes.len, id, 1 << 15, names,
	                                      COUNT(names), NULL, &p), -1);
	assert_error(e, "nobody read in 8 ring buffers", "audit CGROUP");
	/* what is not asked for does not fail for it */
	id = apply_sized(e, &o, id, 40, 0);
	struct seen s = {0};
	struct audit *au = reader(e, id);
	while (audit_poll(&e->d, au, 100, see, &s) > 0)
		;
	assert_int_equal(s.n, OLD_RINGS + 1);
	audit_close(au);
	apply_sized(e, &o, id, 2, 1 << 15);
	compiled_free(&o.c);
}

/* Two processes that are denied all the time, a reader, and maps of another size each time. */
static void resizing_under_load_loses_nothing(void **state)
{
	enum { RESIZES = 12 };
	struct env *e = *state;
	struct object o = object_of(policy_text);
	struct seen s = {0};
	struct totals t;
	uint32_t id = apply_sized(e, &o, 0, 2, 1 << 16);
	struct audit *au = reader(e, id), *next;
	int before = descriptors();
	pid_t one = deny_start(e, DENIALS / 2, 4), two = deny_start(e, DENIALS / 2, 4);
	for (int i = 1; i <= RESIZES; i++) {
		uint32_t from = id;
		id = apply_sized(e, &o, from, 2 + 4 * (size_t)i, i % 2 ? 1 << 17 : 1 << 16);
		assert_int_equal(audit_open(e->arena, &e->d, id, &next), 0);
		assert_int_equal(audit_renew(&e->d, au, next), 0);
		audit_close(next);
		for (int k = 0; k < 4; k++)
			assert_true(audit_poll(&e->d, au, 0, see, &s) >= 0);
	}
	assert_int_equal(finish(one), 0);
	assert_int_equal(finish(two), 0);
	while (audit_poll(&e->d, au, 100, see, &s) > 0)
		;
	assert_int_equal(audit_totals(&e->d, au, &t), 0);
	assert_int_equal(t.denied, DENIALS);
	assert_int_equal(t.submitted + t.folded + t.dropped, t.denied);
	assert_int_equal(s.n, t.submitted);
	assert_int_equal(sum_of_tallies(e, au) + t.untallied, t.denied);
	assert_int_equal(t.untallied, 0);
	struct report_maps m = maps_now(id);
	assert_true(descriptors() - before < 2 * REPORT_MAPS);
	report_maps_close(&m);
	audit_close(au);
	assert_int_equal(e->d.n, 0);
	compiled_free(&o.c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(ring_counts_and_names_are_handed_over),
		SCRATCH_TEST(other_maps_are_not_handed_over),
		SCRATCH_TEST(silent_policies_have_generations_too),
		SCRATCH_TEST(what_the_kernel_lacks_is_left_out),
		SCRATCH_TEST(replacing_loses_and_leaks_nothing),
		SCRATCH_TEST(a_small_policy_has_small_maps),
		SCRATCH_TEST(larger_tables_keep_what_was_counted),
		SCRATCH_TEST(another_ring_keeps_what_nobody_read),
		SCRATCH_TEST(rings_that_nobody_reads_have_an_end),
		SCRATCH_TEST(resizing_under_load_loses_nothing),
	};
	if (!scratch_possible("test_handover"))
		return 0;
	/* before 5.11 maps made here are locked memory */
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
	return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}
