/* test_named.c - what a text can mean as the name of a cgroup. Asks no kernel. */
#include "cgroup/cgroup.h"
#include "tests/unit/fixture.h"

static const char id[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/* NULL, 0: it does not mean that. */
static const struct meaning {
	const char *text, *unit, *container, *id;
	pid_t pid;
} meanings[] = {
	{"web", NULL, "web", NULL, 0},
	{"web.service", "web.service", "web.service", NULL, 0},
	{"a-b.slice", "a-b.slice", "a-b.slice", NULL, 0},
	{".service", NULL, ".service", NULL, 0},
	{"web.timer", NULL, "web.timer", NULL, 0}, /* it has no cgroup */
	{"3f2", NULL, "3f2", NULL, 0},
	{"3f2a", NULL, "3f2a", "3f2a", 0},
	{"3F2A", NULL, "3F2A", NULL, 0},
	{"1234", NULL, "1234", "1234", 1234},
	{"12", NULL, "12", NULL, 12},
	{"0123", NULL, "0123", "0123", 0},
	{"2147483647", NULL, "2147483647", "2147483647", 2147483647},
	{"2147483648", NULL, "2147483648", "2147483648", 0},
	{"99999999999", NULL, "99999999999", "99999999999", 0},
	{id, NULL, id, id, 0},
	{"unit:web", "web.service", NULL, NULL, 0},
	{"unit:web.scope", "web.scope", NULL, NULL, 0},
	{"unit:getty@tty1", "getty@tty1.service", NULL, NULL, 0},
	{"container:web", NULL, "web", NULL, 0},
	{"container:3f2a", NULL, "3f2a", "3f2a", 0},
	{"container:1234", NULL, "1234", "1234", 0},
	{"pid:1234", NULL, NULL, NULL, 1234},
};

static void every_meaning(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
		const struct meaning *m = &meanings[i];
		struct cgroup_name name;
		assert_true(cgroup_name_parse(a, m->text, &name));
		assert_string_equal(name.unit ? name.unit : "-", m->unit ? m->unit : "-");
		assert_string_equal(name.container ? name.container : "-", m->container ? m->container : "-");
		assert_string_equal(name.id ? name.id : "-", m->id ? m->id : "-");
		assert_int_equal(name.pid, m->pid);
	}
	arena_free(a);
}

static void what_is_no_name(void **state)
{
	static const char *const texts[] = {"", "a/b", "/web", "unit:", "unit:a/b", "container:", "container:../x",
	                                    "pid:", "pid:0", "pid:-1", "pid:1x", "pid:99999999999"};
	(void)state;
	struct arena *a = arena_new();
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct cgroup_name name;
		assert_false(cgroup_name_parse(a, texts[i], &name));
		assert_null(name.unit);
		assert_null(name.container);
		assert_null(name.id);
		assert_int_equal(name.pid, 0);
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_meaning),
		cmocka_unit_test(what_is_no_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
