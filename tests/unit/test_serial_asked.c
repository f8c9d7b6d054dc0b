/*
 * test_serial_asked.c - what a policy asks of the calling task, as an object keeps it: read back as it was; what cannot
 * be asked, or is compared with what is no path, is refused.
 */
#include "compiler/object/internal.h"
#include "policy/asked.h"
#include "policy/rules.h"
#include "tests/unit/fixture.h"

#include <string.h>

struct made {
	struct arena *arena;
	struct diags d;
	struct policy *p;
	struct asked *as;
};

static struct made make(void)
{
	struct made m = {.arena = arena_new()};
	assert_non_null(m.arena);
	diags_init(&m.d, m.arena);
	m.p = arena_alloc(m.arena, sizeof *m.p);
	*m.p = (struct policy){.arena = m.arena, .terms = terms_new(m.arena), .name = "who", .file = "who.rb"};
	m.p->rules = arena_alloc(m.arena, 2 * sizeof *m.p->rules);
	m.p->rules[0] = (struct rule){.at = {.file = "who.rb", .line = 3}, .devices = T_TRUE, .match = T_TRUE, .block = -1};
	m.p->rules[1] = m.p->rules[0];
	m.p->nrules = 2;
	m.as = terms_asked(m.p->terms);
	return m;
}

static term is(struct made *m, enum input in, int64_t v)
{
	return term_eq(m->p->terms, term_input(m->p->terms, in), term_const(m->p->terms, v));
}

static void also(struct made *m, term t)
{
	m->p->rules[0].match = term_and(m->p->terms, m->p->rules[0].match, t);
}

/* In a rule of its own. */
static void beside(struct made *m, term t)
{
	m->p->rules[1].match = t;
}

static struct buffer write(struct made *m)
{
	struct buffer b = {.arena = m->arena};
	uint64_t digest;
	assert_int_equal(serial_write(m->p, &m->d, &b, &digest), 0);
	return b;
}

/* NULL: it was read, *q. */
static const char *read_error(struct made *m, const struct buffer *b, struct policy **q)
{
	uint64_t digest;
	diags_init(&m->d, m->arena);
	return serial_read(m->arena, &m->d, "x.o", b->data, b->n, q, &digest) ? m->d.items[0].text : NULL;
}

static struct made whole(void)
{
	struct made m = make();
	struct span at = {.file = "who.rb", .line = 3};
	int64_t exe = asked_path(m.as, "/usr/bin/a", false, at)->value, other = asked_path(m.as, "/b", false, at)->value;
	int64_t cgroup = asked_path(m.as, "/system.slice", true, at)->value;
	assert_int_equal(asked_ask(m.as, ASK_GROUP, 44, "video", at), 0);
	assert_int_equal(asked_ask(m.as, ASK_CAPABLE, 17, "sys_rawio", at), 1);
	assert_int_equal(asked_ask(m.as, ASK_UNDER, cgroup, "/system.slice", at), 2);
	also(&m, is(&m, IN_EXE, exe));
	also(&m, term_not(m.p->terms, is(&m, IN_PARENT_EXE, other)));
	for (int k = 0; k < 3; k++)
		also(&m, is(&m, IN_ASK_0 + k, 1));
	return m;
}

static void test_whole(void **state)
{
	(void)state;
	struct made m = whole();
	struct policy *q = NULL;
	struct buffer b = write(&m), again = {.arena = m.arena};
	uint64_t digest;
	assert_int_equal(b.data[4], SERIAL_VERSION);
	assert_null(read_error(&m, &b, &q));
	const struct asked *as = policy_asks(q);
	assert_int_equal(as->nasks, 3);
	assert_string_equal(as->asks[0].name, "in_group?(44)");
	assert_string_equal(as->asks[0].text, "video");
	assert_string_equal(as->asks[1].name, "capable?(:sys_rawio)");
	assert_string_equal(as->asks[2].name, "under?(\"/system.slice\")");
	assert_int_equal(as->asks[2].at.line, 3);
	assert_string_equal(asked_path_text(as, path_value("/b", 2)), "/b");
	assert_int_equal(serial_write(q, &m.d, &again, &digest), 0);
	assert_int_equal(again.n, b.n);
	assert_memory_equal(again.data, b.data, b.n);
	arena_free(m.arena);
}

/* A number of the calling task alone needs the new format too; what asks for nothing has the old one. */
static void test_versions(void **state)
{
	(void)state;
	struct made m = make();
	struct buffer b = write(&m);
	struct policy *q;
	assert_int_equal(b.data[4], SERIAL_RULES_ONLY);
	also(&m, is(&m, IN_EUID, 0));
	b = write(&m);
	assert_int_equal(b.data[4], SERIAL_VERSION);
	assert_null(read_error(&m, &b, &q));
	b.data[4] = SERIAL_WITH_MORE;
	uint64_t sum = serial_digest(b.data, b.n - SERIAL_CHECK_SIZE);
	memcpy(b.data + b.n - SERIAL_CHECK_SIZE, &sum, sizeof sum);
	assert_non_null(read_error(&m, &b, &q));
	arena_free(m.arena);
}

/* ---- what is refused ------------------------------------------------------------------------------ */

static void bad_group(struct made *m) { m->as->asks[0].number = ID_NONE; }
static void bad_capability(struct made *m) { m->as->asks[1].number = CAPABILITIES; }
static void bad_cgroup(struct made *m) { m->as->asks[2].text = "/system.slice/"; }
static void root_cgroup(struct made *m) { m->as->asks[2].text = "/"; }
static void deep_cgroup(struct made *m) { m->as->asks[2].text = "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q"; }
static void bad_kind(struct made *m) { m->as->asks[0].kind = ASK_KINDS; }
static void twice(struct made *m) { m->as->asks[1] = m->as->asks[0]; }
static void unasked(struct made *m) { beside(m, is(m, IN_ASK_0 + 3, 1)); }
static void bad_file(struct made *m) { m->as->paths[0].path = "/usr/bin/../a"; }
static void root_file(struct made *m) { m->as->paths[0].path = "/"; }
static void another_file(struct made *m) { m->as->paths[0].path = "/usr/bin/c"; }
static void same_file(struct made *m) { m->as->paths[0].path = "/b"; }
static void no_name(struct made *m) { beside(m, is(m, IN_EXE, 7)); }
static void other_file(struct made *m) { beside(m, is(m, IN_EXE, 0)); }
static void cgroup_as_file(struct made *m) { beside(m, is(m, IN_EXE, m->as->asks[2].number)); }
static void file_in_order(struct made *m)
{
	beside(m, term_lt(m->p->terms, term_input(m->p->terms, IN_EXE), term_const(m->p->terms, 77)));
}
static void two_files(struct made *m)
{
	beside(m, term_eq(m->p->terms, term_input(m->p->terms, IN_EXE), term_input(m->p->terms, IN_PARENT_EXE)));
}
static void file_added(struct made *m)
{
	struct terms *ts = m->p->terms;
	beside(m, term_eq(ts, term_op(ts, TERM_BAND, term_input(ts, IN_EXE), term_const(ts, 12)), term_const(ts, 4)));
}

static void test_refused(void **state)
{
	static const struct { void (*spoil)(struct made *m); const char *why; } table[] = {
		{bad_group, "it asks for an impossible group"}, {bad_capability, "it asks for an unknown capability"},
		{bad_cgroup, "a path is none of a file or cgroup"}, {root_cgroup, "a path is none of a file or cgroup"},
		{deep_cgroup, "it asks for a cgroup that is too deep"}, {bad_kind, "it asks an unknown question"},
		{twice, "it asks a question twice"}, {unasked, "a term reads the answer to a question that is not asked"},
		{bad_file, "a path is none of a file or cgroup"}, {root_file, "a path is none of a file or cgroup"},
		{another_file, "a file is compared with what is no path"},
		{same_file, "two paths are the same, or have the same number"},
		{no_name, "a file is compared with what is no path"}, {other_file, "a file is compared with what is no path"},
		{cgroup_as_file, "a file is compared with what is no path"}, {file_in_order, "a file is compared with what is no path"},
		{two_files, "a file is compared with what is no path"}, {file_added, "a file is compared with what is no path"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct made m = whole();
		struct policy *q;
		table[i].spoil(&m);
		struct buffer b = write(&m);
		const char *error = read_error(&m, &b, &q);
		if (!error || !strstr(error, table[i].why))
			fail_msg("%zu: %s, not %s", i, error ? error : "read", table[i].why);
		arena_free(m.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole), cmocka_unit_test(test_versions), cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
