/*
 * Callers that there can be: against what each rule says, for every answer; a request from the answers and the answers
 * from the request; the cases that are found for who asks; warnings of what a caller gets round.
 */
#include "policy/callers.h"
#include "policy/coverage.h"
#include "policy/diagram_internal.h"
#include "policy/lint_who.h"
#include "policy/picture.h"
#include "tests/unit/compiled.h"

/* ---- who there can be --------------------------------------------------------------------------- */

static const char *const cgroups[] = {"/a", "/a/b", "/ab", "/c"};
enum { CAP = COUNT(cgroups), GROUP, ASKS };

static struct terms *who_is_asked(struct arena *a)
{
	struct terms *ts = terms_new(a);
	struct asked *as = terms_asked(ts);
	struct span at = {0};
	for (size_t i = 0; i < COUNT(cgroups); i++) {
		assert_int_equal(asked_ask(as, ASK_UNDER, path_value(cgroups[i], strlen(cgroups[i])), cgroups[i], at), i);
		assert_non_null(asked_path(as, cgroups[i], true, at));
	}
	assert_int_equal(asked_ask(as, ASK_CAPABLE, capability_number("sys_rawio", 9), "sys_rawio", at), CAP);
	assert_int_equal(asked_ask(as, ASK_GROUP, 44, NULL, at), GROUP);
	assert_non_null(asked_path(as, "/bin/a", false, at));
	assert_non_null(asked_path(as, "/bin/b", false, at));
	return ts;
}

/* The cgroups as a set: is it where a task is? */
static bool is_a_place(unsigned under)
{
	static const unsigned places[] = {0, 1, 3, 4, 8};
	for (size_t i = 0; i < COUNT(places); i++)
		if (under == places[i])
			return true;
	return false;
}

static void test_possible(void **state)
{
	struct terms *ts = who_is_asked(*state);
	struct diagrams *dg = diagrams_new(*state, ts, ORDER_FACTS_LAST);
	int64_t a = path_value("/bin/a", 6), files[] = {0, a, path_value("/bin/b", 6), a + 1}, in[INPUT_MAX] = {0};
	node all = callers_possible(dg, ~(input_set)0), some = callers_possible(dg, INPUT(IN_ASK_0) | INPUT(IN_ASK_0 + CAP));
	size_t can = 0;
	for (int i = 0; i < 4 << (ASKS + 3); i++) {
		unsigned under = i >> 2 & ((1u << CAP) - 1), bits = i >> (2 + CAP);
		int missing;
		for (int k = 0; k < ASKS; k++)
			in[IN_ASK_0 + k] = i >> (2 + k) & 1;
		in[IN_EXE] = files[i & 3];
		in[IN_HOST_USER_NS] = bits >> 2 & 1;
		in[IN_HOST_PID_NS] = bits >> 3 & 1;
		in[IN_KERNEL_THREAD] = bits >> 4 & 1;
		bool capable = in[IN_ASK_0 + CAP], host = in[IN_HOST_USER_NS], thread = in[IN_KERNEL_THREAD];
		bool want = is_a_place(under) && (!capable || host) && (!thread || (host && in[IN_HOST_PID_NS] && !in[IN_EXE])) && in[IN_EXE] != a + 1;
		bool is = OUTCOME_KIND(diagram_eval(dg, all, in, ~(input_set)0, &missing)) == OUT_ALLOW;
		if (is != want)
			fail_msg("%s: asks %x, exe %d, namespaces and thread %x", want ? "there can be" : "there cannot be", i >> 2 & ((1 << ASKS) - 1), i & 3, bits);
		can += is;
		if (!is)
			continue;
		/* and back: a request that says so, which the questions are put to */
		struct request r = {.known = INPUT(IN_PARAM_0) - INPUT(IN_EUID)}, told;
		for (int k = ASKS; k < TASK_ASKS_MAX; k++)
			r.known &= ~INPUT(IN_ASK_0 + k);
		memcpy(r.fact, in, sizeof r.fact);
		assert_true(caller_words(terms_asked(ts), &r));
		told = (struct request){.who = r.who};
		asked_answer(terms_asked(ts), &told);
		assert_memory_equal(&told.fact[IN_ASK_0], &in[IN_ASK_0], ASKS * sizeof *in);
	}
	assert_int_equal(can, 5 * 2 * (3 * 2 * (2 + 1) + 2)); /* places, groups; files, pid namespaces, capable with its namespace; threads */
	assert_true(some == NODE_TRUE); /* of these two nothing is known together */
}

static void test_completed(void **state)
{
	struct terms *ts = who_is_asked(*state);
	int64_t fact[INPUT_MAX] = {[IN_ASK_0 + 1] = 1, [IN_ASK_0 + 2] = 1, [IN_ASK_0 + GROUP] = 1, [IN_EXE] = 12345};
	assert_true(caller_completed(terms_asked(ts), INPUT(IN_ASK_0 + 1), fact));
	assert_int_equal(fact[IN_ASK_0], 1); /* it is below /a/b */
	assert_int_equal(fact[IN_ASK_0 + 2], 0);
	assert_int_equal(fact[IN_ASK_0 + GROUP], 0);
	assert_int_equal(fact[IN_EXE], 0);
	assert_int_equal(fact[IN_HOST_USER_NS], 1);
	struct request not = {.known = INPUT(IN_ASK_0 + 1) | INPUT(IN_ASK_0 + 3), .fact = {[IN_ASK_0 + 1] = 1, [IN_ASK_0 + 3] = 1}};
	assert_false(caller_words(terms_asked(ts), &not));
	struct request unnamed = {.known = INPUT(IN_EXE), .fact = {[IN_EXE] = 12345}};
	assert_false(caller_words(terms_asked(ts), &unnamed));
}

/* ---- cases ------------------------------------------------------------------------------------------ */

static const char about_who[] =
	"allow(:kvm) { |c| c.exe == \"/usr/bin/qemu\" && c.in_group?(44) }\n"
	"allow(\"b 8:* r\") { |c| c.capable?(:sys_rawio) && c.under?(\"/a/b\") && !c.in_group?(5) }\n"
	"deny(\"b 9:*\") { |c| c.under?(\"/a\") && !c.host_user_ns? && c.capable?(:sys_admin) }\n"
	"allow(\"b 9:*\") { |c| c.login_uid && c.login_uid >= 1000 }\n"
	"allow(:fuse) { |c| c.kernel_thread? || [\"/bin/a\", \"/usr/bin/qemu\"].include?(c.parent_exe) }\n";

static void test_cases(void **state)
{
	(void)state;
	struct compiled c = compiled_of(about_who);
	struct coverage v;
	const char *all = "";
	assert_int_equal(policy_coverage(c.arena, &c.diags, c.policy, NULL, 0, &v), 0);
	struct request *again = arena_alloc(c.arena, v.nfound * sizeof *again);
	for (size_t i = 0; i < v.nfound; i++) {
		const char *error, *hint, *text = request_words(c.arena, &v.found[i].request);
		struct decision d;
		int missing;
		if (request_parse(c.arena, &host_here, text, &again[i], &error, &hint))
			fail_msg("%s: %s", text, error);
		struct request r = again[i];
		asked_answer(policy_asks(c.policy), &r);
		if (policy_decide(c.policy, &c.pd, &r, &d, &missing) || d.allow != v.found[i].allow)
			fail_msg("%s: not what was found", text);
		all = arena_printf(c.arena, "%s%s\n", all, text);
	}
	/* read again they cover it all, and nothing is left */
	struct coverage once_more;
	assert_int_equal(policy_coverage(c.arena, &c.diags, c.policy, again, v.nfound, &once_more), 0);
	assert_int_equal(once_more.count[FATE_LIVES] + once_more.count[FATE_UNDECIDED], 0);
	assert_int_equal(once_more.undecidable, 0);
	assert_true(once_more.count[FATE_KILLED] > 40);
	/* only what is asked for of a device is told */
	static const char *const some[] = {"c 10:232 rw exe=/usr/bin/qemu groups=44\n", "c 10:232 rw exe=- groups=44\n",
	                                   "c 10:232 rw exe=/usr/bin/qemu groups=none\n", "b 8:0 r groups=none caps=sys_rawio cgroup=/a/b\n",
	                                   "login_uid=none", "c 10:229 rw kernel_thread=yes parent_exe=-\n"};
	for (size_t i = 0; i < COUNT(some); i++)
		if (!strstr(all, some[i]))
			fail_msg("no %s in\n%s", some[i], all);
	for (size_t i = 0; i < v.mutants.n; i++)
		if (v.mutants.list[i].rule == 3 && v.mutants.list[i].kind <= MUTANT_VERDICT) /* nobody has a capability of the host in another user namespace */
			fail_msg("line 3 is told to make a difference");
	compiled_free(&c);
}

/* ---- pictures ----------------------------------------------------------------------------------------- */

static void test_picture(void **state)
{
	(void)state;
	struct compiled c = compiled_of(about_who);
	struct arena_stream s;
	policy_picture(arena_stream(c.arena, &s), c.policy);
	const char *dot = arena_text(c.arena, &s);
	static const char *const parts[] = {"in_group?(44)", "capable?(:sys_rawio)", "/usr/bin/qemu", "kernel_thread?", "label=\"yes", "label=\"no", "host_user_ns?",
	                                    "label=\"login_uid\"", "label=\"exe\"", "label=\"else\""};
	for (size_t i = 0; i < COUNT(parts); i++)
		if (!strstr(dot, parts[i]))
			fail_msg("no %s in\n%s", parts[i], dot);
	compiled_free(&c);
}

/* ---- warnings ------------------------------------------------------------------------------------------- */

static void test_warnings(void **state)
{
	(void)state;
	static const struct { const char *text, *warnings[3]; int line; } each[] = {
		{"allow :null\nallow(:fuse) { |c| c.ppid == 1 }", {"ctx.ppid can be faked"}, 2},
		{"allow(:fuse) { |c| c.parent_exe == \"/bin/a\" }", {"ctx.parent_exe can be faked"}, 1},
		/* a name that it gives itself */
		{"allow :null\nallow(:fuse) { |c| c.comm == \"a\" }", {"ctx.comm can be faked: a process gives itself any name"}, 2},
		{"deny(:fuse) { |c| c.comm == \"a\" }\nallow :fuse", {"ctx.comm can be faked"}, 1},
		{"default :allow\ndeny(:fuse) { |c| c.comm.start_with?(\"a\") }", {"ctx.comm can be faked"}, 2},
		{"allow(:fuse) { |c| c.comm.size > 3 && c.euid == 0 }", {"ctx.comm can be faked"}, 1},
		{"allow(:fuse) { |c| c.comm == \"a\" && c.ppid == 1 }", {"ctx.comm can be faked", "ctx.ppid can be faked"}, 1},
		{"deny(:fuse) { |c| c.comm == \"a\" }\nallow :null", {NULL}, 0}, /* nobody is allowed it */
		{"allow(:fuse, label: \"a\") { |c| c.comm == \"a\" }\nallow :fuse", {NULL}, 0}, /* it only tells */
		{"allow(:fuse) { |c| c.exe == \"/bin/a\" && c.comm == \"a\" }", {NULL}, 0},
		{"deny(:fuse) { |c| c.comm == \"a\" }\nallow(:fuse) { |c| c.exe == \"/bin/a\" }", {NULL}, 0},
		{"allow(:fuse) { |c| c.kernel_thread? && c.comm == \"kdevtmpfs\" }", {NULL}, 0},
		{"allow(:fuse) { |c| c.exe == \"/bin/a\" && c.comm == \"a\" }\nallow(:null) { |c| c.comm == \"b\" }", {"ctx.comm can be faked"}, 2},
		{"allow(:fuse) { |c| c.comm == \"a\" || c.exe == \"/bin/a\" }", {"ctx.comm can be faked"}, 1},
		{"allow(:fuse) { |c| c.login_uid == 1000 }", {"ctx.login_uid is chosen"}, 1},
		/* what is taken once */
		{"allow(:fuse) { |c| c.login_uid == 1000 && c.session == 3 }", {NULL}, 0},
		{"allow(:fuse) { |c| c.login_uid == 1000 && c.session }", {"a process that never logged in can begin a session", "ctx.login_uid is chosen"}, 1},
		{"allow(:fuse) { |c| c.login_uid == 1000 || c.session == 3 }", {"ctx.login_uid is chosen"}, 1},
		{"allow(:fuse) { |c| c.login_uid == 1000 && c.exe == \"/bin/a\" }", {"ctx.login_uid is chosen"}, 1},
		{"allow(:fuse) { |c| c.login_uid && c.login_uid > 999 }", {"ctx.login_uid is chosen"}, 1},
		{"allow(:fuse) { |c| c.login_uid == c.euid }", {"ctx.login_uid is chosen"}, 1},
		{"allow(:fuse) { |c| c.login_uid.nil? }", {NULL}, 0}, /* who has one keeps it */
		{"deny(:fuse) { |c| c.login_uid == 1000 }\nallow :fuse", {NULL}, 0},
		{"deny(:fuse) { |c| c.login_uid.nil? }\nallow :fuse", {"ctx.login_uid is chosen"}, 1},
		{"allow(:fuse) { |c| c.session }", {"can begin a session of its own (it writes to /proc/self/loginuid), and is then allowed what it is denied without one, "
		  "such as c 10:229 rw"}, 1},
		{"allow(:fuse) { |c| c.session != nil && c.euid == 0 }", {"can begin a session"}, 1},
		{"allow(:fuse) { |c| c.session && c.session > 100 }", {"can begin a session"}, 1},
		{"deny(:fuse) { |c| c.session.nil? }\nallow :fuse", {"can begin a session"}, 1},
		{"allow(:fuse) { |c| c.session == 3 || c.session == 4 || c.session == 9 }", {NULL}, 0},
		{"allow(:fuse) { |c| [3, 4, 5].include?(c.session) }", {NULL}, 0},
		{"allow(:fuse) { |c| c.session.nil? }", {NULL}, 0},
		{"allow(:fuse) { |c| c.euid == 0 && c.in_group?(5) && c.exe == \"/bin/a\" && c.under?(\"/a\") }", {NULL}, 0},
		/* a copy */
		{"allow :null\ndeny(:fuse) { |c| c.exe == \"/bin/a\" }\nallow :fuse", {"a copy of /bin/a is another executable: what is denied to the one is allowed to the other, "
		  "such as c 10:229 rw"}, 2},
		{"allow(:fuse) { |c| c.exe != \"/bin/a\" }", {"a copy of /bin/a"}, 1},
		{"allow(:fuse) { |c| ![\"/bin/a\", \"/bin/b\"].include?(c.exe) }", {"a copy of /bin/a", "a copy of /bin/b"}, 1},
		{"deny(:fuse) { |c| c.exe == \"/bin/a\" }\nallow :null", {NULL}, 0}, /* nobody is allowed it */
		{"allow(:fuse) { |c| c.exe == \"/bin/a\" }\ndeny(:fuse) { |c| c.exe == \"/bin/b\" }", {NULL}, 0},
		/* what can be given up */
		{"deny(:fuse) { |c| c.capable?(:sys_admin) }\nallow :fuse", {"without :sys_admin it is allowed"}, 1},
		{"allow(:fuse) { |c| c.capable?(:sys_admin) }", {NULL}, 0},
		{"deny(:fuse) { |c| c.in_group?(44) }\nallow :fuse", {"a process can leave a group (by setgroups(2)): without group 44 it is allowed"}, 1},
		{"allow(:fuse) { |c| !c.in_group?(44) && c.euid == 0 }", {"without group 44 it is allowed"}, 1},
		{"allow(:fuse) { |c| c.in_group?(44) || c.in_group?(5) }", {NULL}, 0},
		{"deny(:fuse) { |c| c.in_group?(44) }\nallow :null", {NULL}, 0}, /* nobody is allowed it */
		{"deny(:fuse) { |c| c.under?(\"/a/b\") }\nallow :fuse", {"in a new /a/b is allowed what is denied in this one, such as c 10:229 rw"}, 1},
		{"allow(:fuse) { |c| c.under?(\"/a\") && !c.under?(\"/a/b\") }", {"in a new /a/b is allowed"}, 1},
		{"allow(:fuse) { |c| c.under?(\"/a\") && c.under?(\"/a/b\") }", {NULL}, 0},
		{"allow(:fuse) { |c| !c.host_user_ns? }", {"unshare --user)"}, 1},
		{"allow(:fuse) { |c| !c.host_pid_ns? }", {"unshare --user --pid)"}, 1},
		{"deny(:fuse) { |c| !c.host_user_ns? }\nallow :fuse", {NULL}, 0},
		{"allow(:fuse) { |c| !c.host_user_ns? && c.capable?(:sys_admin) }", {NULL}, 0}, /* nobody */
		/* what runs others */
		{"allow(:fuse) { |c| c.exe == \"/usr/bin/python3.11\" }", {"/usr/bin/python3.11 is an interpreter"}, 1},
		{"allow(:fuse) { |c| c.exe == \"/bin/busybox\" || c.exe == \"/lib64/ld-linux-x86-64.so.2\" }", {"/bin/busybox is a shell",
		  "/lib64/ld-linux-x86-64.so.2 is the loader"}, 1},
		{"allow(:fuse) { |c| c.exe == \"/usr/local/bin/backup.py\" }", {"/usr/local/bin/backup.py is a script by its name"}, 1},
		{"allow(:fuse) { |c| c.exe == \"/home/x/a\" }", {"/home/x/a is where others have files"}, 1},
		{"allow(:fuse) { |c| c.exe == \"/homes/a\" }", {NULL}, 0},
	};
	for (size_t i = 0; i < COUNT(each); i++) {
		struct compiled c = compiled_of(each[i].text);
		struct diags d;
		diags_init(&d, c.arena);
		lint_who(&d, c.policy, &c.pd);
		size_t want = 0;
		for (; want < COUNT(each[i].warnings) && each[i].warnings[want]; want++)
			if (want >= d.n || !strstr(d.items[want].text, each[i].warnings[want]) || d.items[want].at.line != each[i].line || !d.items[want].hint)
				fail_msg("%s\n  no warning of %s at line %d: %s", each[i].text, each[i].warnings[want], each[i].line,
				         want < d.n ? d.items[want].text : "none");
		if (d.n != want || d.errors)
			fail_msg("%s\n  one more: %s", each[i].text, d.items[d.n - 1].text);
		compiled_free(&c);
	}
	static const char *const others[] = {"/bin/sh", "/usr/bin/ruby", "/usr/bin/perl5.36.0", "/usr/bin/env", "/lib/ld-musl-x86_64.so.1", "/usr/local/bin/node"};
	static const char *const none[] = {"/usr/bin/qemu-x86_64", "/usr/bin/sshd", "/usr/bin/rubyx", "/sh/x", "/usr/bin/lda", "/usr/bin/envoy"};
	for (size_t i = 0; i < COUNT(others); i++)
		if (!runs_others(others[i]) || runs_others(none[i]))
			fail_msg("%s or %s", others[i], none[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(test_possible), ARENA_TEST(test_completed), cmocka_unit_test(test_cases), cmocka_unit_test(test_picture), cmocka_unit_test(test_warnings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
