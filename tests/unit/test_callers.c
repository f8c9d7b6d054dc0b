/*
 * test_callers.c - who is asking: tests/ruby/who.rb, put requests of random callers by mruby, by its diagram and by its
 * program; its cases, as they stand there; names of groups, told once.
 */
#include "policy/asked.h"
#include "policy/request.h"
#include "tests/unit/compiled.h"
#include "tests/unit/policy_files.h"

static char *file_of(const char *name)
{
	const char *root = getenv("DGTEST_ROOT");
	char path[PATH_MAX];
	struct file_text text = {0};
	if (!root)
		skip();
	snprintf(path, sizeof path, "%s/tests/ruby/%s", root, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(read_text(fd, 1 << 20, &text), 0);
	close(fd);
	return text.data;
}

/* All three say the same; the verdict. */
static bool verdict_of(struct compiled *c, const struct request *r)
{
	struct decision ruby, diagram;
	struct simulated bpf;
	struct request asked = *r;
	const char *why = "";
	int missing;
	asked_answer(policy_asks(c->policy), &asked);
	if (ruby_decide(c->ruby, c->policy, r, &ruby, &missing) || policy_decide(c->policy, &c->pd, r, &diagram, &missing) ||
	    simulate(c->policy, &c->image, &asked, &bpf, &missing, &why))
		fail_msg("%s: %s is missing %s", request_words(c->arena, r), missing >= 0 ? terms_input_name(c->policy->terms, (enum input)missing) : "nothing", why);
	if (ruby.allow != diagram.allow || ruby.rule != diagram.rule || ruby.error != diagram.error || ruby.allow != bpf.allow)
		fail_msg("%s: mruby %d, line %d; diagram %d, line %d; program %d", request_words(c->arena, r), ruby.allow,
		         ruby.rule ? ruby.rule->at.line : 0, diagram.allow, diagram.rule ? diagram.rule->at.line : 0, bpf.allow);
	return ruby.allow;
}

static void test_cases(void **state)
{
	char *text = file_of("who.rb"), *cases = file_of("who.cases"), *rest = cases, *line;
	struct compiled c = compiled_of(text);
	const char *error, *hint;
	size_t n = 0;
	(void)state;
	for (; (line = strsep(&rest, "\n")) && *line; n++) {
		struct request r;
		bool allow = !strncmp(line, "allow ", 6);
		if (request_parse(c.arena, &host_here, strchr(line, ' ') + 1, &r, &error, &hint))
			fail_msg("%s: %s", line, error);
		/* what no rule of its major asks for does not matter, but that capabilities are of the host's user namespace */
		if (!(r.known & INPUT(IN_HOST_USER_NS)))
			r.fact[IN_HOST_USER_NS] = 1;
		r.known |= (INPUT(IN_ASK_0) - 1) & ~(INPUT(IN_UID) - 1);
		if (verdict_of(&c, &r) != allow)
			fail_msg("%s", line);
	}
	assert_true(n > 60);
	compiled_free(&c);
	free(cases);
	free(text);
}

/* One of a list that ends with NULL. */
static const char *one_of(struct rng *g, const char *const *list)
{
	uint32_t n = 0;
	while (list[n])
		n++;
	return list[below(g, n)];
}

static const char *random_words(struct arena *a, struct rng *g)
{
	static const char *const files[] = {"-", "/usr/bin/a", "/usr/bin/b", "/opt/emulator/arm", "/opt/emulator/x86", "/other", NULL};
	static const char *const groups[] = {"none", "44", "0", "5", "44,0", "44,5", "7", NULL};
	static const char *const caps[] = {"none", "all", "sys_rawio", "sys_admin", "sys_rawio,sys_admin", "chown", NULL};
	static const char *const cgroups[] = {"/", "/system.slice", "/system.slice/x.service", "/system.slice/x.service/a", "/user.slice", NULL};
	static const char *const numbers[] = {"0", "1", "4", "5", "7", "99", "100", "999", "1000", "4294967294", NULL};
	static const char *const optional[] = {"none", "0", "3", "4", "5", "1000", NULL};
	static const char *const yes_no[] = {"yes", "no", NULL};
	return arena_printf(a, "c %u:%u %s euid=%s egid=%s fsuid=%s login_uid=%s session=%s host_user_ns=%s host_pid_ns=%s kernel_thread=%s "
	                    "ppid=%s exe=%s parent_exe=%s groups=%s caps=%s cgroup=%s", below(g, 24), below(g, 10), below(g, 2) ? "r" : "rw",
	                    one_of(g, numbers), one_of(g, numbers), one_of(g, numbers), one_of(g, optional), one_of(g, optional),
	                    one_of(g, yes_no), one_of(g, yes_no), one_of(g, yes_no), below(g, 2) ? "1" : "2", one_of(g, files),
	                    one_of(g, files), one_of(g, groups), one_of(g, caps), one_of(g, cgroups));
}

static void test_random_callers(void **state)
{
	char *text = file_of("who.rb");
	struct compiled c = compiled_of(text);
	struct rng g = {14};
	size_t allowed[24] = {0}, denied[24] = {0};
	(void)state;
	for (int i = 0; i < 6000; i++) {
		const char *error, *hint;
		struct request r;
		if (request_parse(c.arena, &host_here, random_words(c.arena, &g), &r, &error, &hint)) {
			assert_true(!strncmp(error, "kernel_thread=yes", 17)); /* there is no such caller */
			continue;
		}
		*(verdict_of(&c, &r) ? &allowed[r.major] : &denied[r.major]) += 1;
	}
	for (int major = 1; major <= 22; major++)
		if (!allowed[major] || (!denied[major] && major != 18))
			fail_msg("major %d: %zu allowed, %zu denied", major, allowed[major], denied[major]);
	compiled_free(&c);
	free(text);
}

/* A name is told once, with the line where it stands first. */
static void test_names(void **state)
{
	(void)state;
	struct compiled c = compiled_of("allow { |c| c.in_group?(\"root\") && c.minor == 1 }\n"
	                                "allow { |c| c.in_group?(:root) || c.in_group?(0) || c.under?(\"/\") }\n");
	assert_int_equal(c.diags.n, 1);
	assert_int_equal(c.diags.items[0].level, DIAG_NOTE);
	assert_int_equal(c.diags.items[0].at.line, 1);
	assert_string_equal(c.diags.items[0].text, "group root is 0 on this host");
	const struct asked *as = policy_asks(c.policy);
	assert_int_equal(as->nasks, 1);
	assert_string_equal(as->asks[0].name, "in_group?(0)");
	assert_string_equal(as->asks[0].text, "root");
	assert_int_equal(as->npaths, 0);
	compiled_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases), cmocka_unit_test(test_random_callers), cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
