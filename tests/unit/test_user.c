/*
 * test_user.c - the user half of a file through compiler/user.h: what handlers are given and print, what they may not
 * do, and a file as bytecode.
 */
#include "tests/unit/fixture.h"

#include "compiler/user.h"
#include "policy/host.h"

#include <stdio.h>
#include <unistd.h>

struct told {
	char out[1 << 14];
	size_t n;
	struct arena *arena;
	struct diags diags;
	struct user *user;
};

static void print(void *self, const char *bytes, size_t n)
{
	struct told *t = self;
	assert_true(t->n + n < sizeof t->out);
	memcpy(t->out + t->n, bytes, n);
	t->n += n;
	t->out[t->n] = '\0';
}

static int no_file(const struct host *h, struct arena *a, const char *name, const char **text, size_t *len, const char **why)
{
	(void)h, (void)a, (void)name, (void)text, (void)len;
	*why = "there is none";
	return -1;
}

static int open_file(struct told *t, struct arena *a, const struct user_file *f)
{
	static const struct host host = {.file = no_file};
	*t = (struct told){.arena = a};
	diags_init(&t->diags, a);
	return user_open(a, &t->diags, &host, f, &(struct user_calls){.self = t, .print = print}, &t->user);
}

static int open_text(struct told *t, struct arena *a, const char *text)
{
	return open_file(t, a, &(struct user_file){.file = "p.rb", .text = text, .len = strlen(text)});
}

static struct user_event an_event(void)
{
	struct user_event e = {.count = 3, .time = 1700000000123456789, .device = "/dev/null", .rule = "p.rb:7", .label = "", .cgroup = "/web",
	                       .exe = "", .parent_exe = "", .facts = ""};
	e.event = (struct event){.version = EVENT_VERSION, .size = sizeof e.event, .cgroup_id = 77, .pid = 12, .tid = 13, .uid = 1000, .gid = 1001,
	                         .comm = "cat", .major = 1, .minor = 3, .type = DEV_CHAR, .requested = ACC_READ | ACC_WRITE, .decided = ACC_WRITE};
	return e;
}

/* What a handler of on(:deny) prints. */
static void prints(struct arena *a, const char *handler, const char *want)
{
	struct told t;
	struct user_event e = an_event();
	const char *text = arena_printf(a, "default :deny\non(:deny) { |e| %s }\n", handler);
	assert_int_equal(open_text(&t, a, text), 0);
	assert_int_equal(user_event(t.user, &e), 0);
	same_text(handler, t.out, want);
	user_close(t.user);
}

static void given_an_event(void **state)
{
	prints(*state, "p e.time, e.pid, e.tid, e.uid, e.gid, e.comm, e.cgroup_id", "1700000000123456789\n12\n13\n1000\n1001\n\"cat\"\n77\n");
	prints(*state, "p e.type, e.major, e.minor, e.access, e.decided, e.verdict", ":char\n1\n3\n\"rw\"\n\"w\"\n:deny\n");
	prints(*state, "p e.device, e.rule, e.label, e.cgroup, e.count", "\"/dev/null\"\n\"p.rb:7\"\nnil\n\"/web\"\n3\n");
	prints(*state, "puts e, e.inspect", "deny /dev/null rw cat (12) p.rb:7\ndeny /dev/null rw cat (12) p.rb:7\n");
	prints(*state, "puts e.to_h.map { |k, v| k }.join(\" \")",
	       "time pid tid uid gid comm cgroup cgroup_id type major minor access decided device verdict rule label count\n");
}

/* Facts about the task: nil where the policy does not read them. */
static void given_facts(void **state)
{
	struct told t;
	struct user_event e = an_event();
	prints(*state, "p e.euid, e.login_uid, e.host_user_ns?, e.exe, e.facts", "nil\nnil\nnil\nnil\nnil\n");
	assert_int_equal(open_text(&t, *state, "default :deny\non(:deny) { |e| p e.euid, e.egid, e.login_uid, e.session, e.host_user_ns?, "
	                                       "e.kernel_thread?, e.exe, e.parent_exe, e.facts, e.to_h.map { |k, v| k }.last(3) }\n"), 0);
	const enum input told[] = {IN_EUID, IN_LOGIN_UID, IN_SESSION, IN_HOST_USER_NS, IN_KERNEL_THREAD, IN_EXE, IN_PARENT_EXE};
	const int64_t values[] = {33, ID_NONE, 4, 1, 0, 77, 0};
	for (size_t i = 0; i < COUNT(told); i++) {
		e.told |= INPUT(told[i]);
		e.fact[told[i] - IN_EUID] = values[i];
	}
	e.exe = "/usr/bin/x";
	e.facts = "euid=33 exe=/usr/bin/x";
	assert_int_equal(user_event(t.user, &e), 0);
	same_text("facts", t.out, "33\nnil\nnil\n4\ntrue\nfalse\n\"/usr/bin/x\"\nnil\n\"euid=33 exe=/usr/bin/x\"\n[:kernel_thread, :exe, :parent_exe]\n");
	user_close(t.user);
}

static void prints_as_ruby_does(void **state)
{
	prints(*state, "puts", "\n");
	prints(*state, "puts nil", "\n");
	prints(*state, "puts []", "\n");
	prints(*state, "puts [1, [2, [nil]]], \"a\\n\", :b", "1\n2\n\na\nb\n");
	prints(*state, "print 1, nil, \"x\"", "1x");
	prints(*state, "puts p.inspect, p(1).inspect, p(1, 2).inspect", "1\n1\n2\nnil\n1\n[1, 2]\n");
	prints(*state, "printf(\"%03d|%-5s|%x\\n\", 7, \"ab\", 255)", "007|ab   |ff\n");
	prints(*state, "printf(\"%s\\n\", \"\\xc3\\xa4\")", "\xc3\xa4\n"); /* what an attacker chose may be no ASCII */
}

static void handlers_keep(void **state)
{
	struct told t;
	struct user_event e = an_event();
	assert_int_equal(open_text(&t, *state, "default :deny\nKEPT = []\nn = 0\nTEXT = \"\"\n"
	                                       "on(:deny) { |e| KEPT << e; n += 1; TEXT << \"x\" }\n"
	                                       "at_exit { puts \"first\" }\n"
	                                       "at_exit { puts \"#{n} #{TEXT} #{KEPT.map { |e| e.comm }}\" }\n"), 0);
	for (int i = 0; i < 3; i++) {
		struct arena *scratch = arena_scratch(*state);
		struct diags d;
		diags_init(&d, scratch);
		user_turn(t.user, scratch, &d);
		snprintf(e.event.comm, sizeof e.event.comm, "c%d", i);
		assert_int_equal(user_event(t.user, &e), 0);
		user_turn(t.user, *state, &t.diags);
		arena_free(scratch);
	}
	assert_int_equal(user_at_exit(t.user), 0);
	same_text("kept", t.out, "3 xxx [\"c0\", \"c1\", \"c2\"]\nfirst\n");
	user_close(t.user);
}

static void words_of_rules_do_nothing(void **state)
{
	struct told t;
	struct param_setting set = {.name = "gpu", .value = 5};
	static const char text[] = "policy \"a\" do\n  mode :permissive\n  audit :denied\n  gpu = param :gpu, 1, in: 0..9\n  disk = param :disk, 2\n"
	                           "  allow :no_such_device\n  deny(\"c 1:3\") { |ctx| raise \"never called\" }\n  never \"b *:*\"\n  always \"c 1:3\"\n"
	                           "  every(2) { puts gpu + disk }\nend\ndefault :deny\nevery(1) { puts 0 }\n";
	assert_int_equal(open_file(&t, *state, &(struct user_file){"p.rb", text, strlen(text), NULL, 0, &set, 1}), 0);
	struct user_has has = user_has(t.user);
	assert_int_equal(has.intervals, 2);
	assert_int_equal(has.denied + has.allowed + has.lines + has.rings + has.at_exit, 0);
	assert_int_equal(user_interval(t.user, 0), 2000000000);
	assert_int_equal(user_interval(t.user, 1), 1000000000);
	user_every(t.user, 1);
	user_every(t.user, 0);
	same_text("ticks", t.out, "0\n7\n");
	user_close(t.user);
}

/* What a handler raises is told at its line, and the others go on. */
static void raises(struct arena *a, const char *handler, const char *want, const char *hint)
{
	struct told t;
	struct user_event e = an_event();
	assert_int_equal(open_text(&t, a, arena_printf(a, "default :deny\non(:deny) { |e|\n%s }\non(:deny) { puts \"on\" }\n", handler)), 0);
	assert_int_equal(user_event(t.user, &e), 1);
	assert_int_equal(t.diags.errors, 1);
	assert_int_equal(t.diags.items[t.diags.n - 1].at.line, 3);
	const struct diag *said = &t.diags.items[t.diags.n - 1];
	same_text(handler, arena_strndup(a, said->text, strlen(want)), want); /* newer mrubies say more */
	same_text(handler, said->hint, hint);
	same_text("the other", t.out, "on\n");
	user_close(t.user);
}

static void told_where_they_raise(void **state)
{
	struct arena *a = *state;
	raises(a, "raise \"no\"", "RuntimeError: no", NULL);
	raises(a, "e.devce", "NoMethodError: undefined method 'devce'", "did you mean `device`?");
	raises(a, "exit", "NoMethodError: undefined method 'exit'", NULL);
	raises(a, "e.class.new", "NoMethodError: undefined method 'new'", NULL);
	raises(a, "e.class.allocate", "NoMethodError: undefined method 'allocate'", NULL);
	raises(a, "e.dup", "NoMethodError: undefined method 'dup'", NULL);
	raises(a, "e.clone", "NoMethodError: undefined method 'clone'", NULL);
	raises(a, "e.pid(1)", "ArgumentError: wrong number of arguments (given 1, expected 0)", NULL);
	raises(a, "a = []; a << a; puts a", "ArgumentError: puts: arrays inside of arrays, without end", NULL);
}

static void verdicts_and_kernels(void **state)
{
	struct told t;
	struct user_event e = an_event();
	assert_int_equal(open_text(&t, *state, "default :deny\non(:deny) { |e| p e.verdict, e.pid, e.comm }\non(:allow) { |e| p e.verdict }\n"), 0);
	e.event.flags = EVENT_PERMISSIVE | EVENT_NO_PID | EVENT_NO_COMM;
	user_event(t.user, &e);
	e.event.verdict = 1;
	e.event.flags = 0;
	user_event(t.user, &e);
	same_text("verdicts", t.out, ":permitted\nnil\nnil\n:allow\n");
	user_close(t.user);
}

static void given_a_line(void **state)
{
	struct told t;
	const struct user_line l = {.time = 5, .pid = 6, .cpu = 7, .comm = "cat", .text = "a\0b", .ntext = 3};
	assert_int_equal(open_text(&t, *state, "default :deny\non(:line) { |l| p l.time, l.pid, l.cpu, l.comm, l.text.size; puts l }\n"), 0);
	assert_int_equal(user_line(t.user, &l), 0);
	assert_int_equal(t.n, sizeof "5\n6\n7\n\"cat\"\n3\na\0b\n" - 1);
	assert_memory_equal(t.out, "5\n6\n7\n\"cat\"\n3\na\0b\n", t.n);
	user_close(t.user);
}

/* ---- as bytecode ------------------------------------------------------------------------------- */

static void compiled(struct arena *a, const char *text, struct policy **policy)
{
	static const struct host host = {.file = no_file};
	struct param_setting set = {.name = "limit", .value = 7};
	struct diags d;
	struct ruby *ruby;
	diags_init(&d, a);
	if (ruby_compile(a, &d, &host, "dir/p.rb", text, strlen(text), &set, 1, &ruby, policy))
		fail_msg("%s", d.items[0].text);
	ruby_close(ruby);
}

static const char object[] = "default :deny\nlimit = param :limit, 3\non(:deny) { |e| puts \"#{e.comm} #{limit}\" }\nevery(1) { raise \"here\" }\n";

static void kept_as_bytecode(void **state)
{
	struct arena *a = *state;
	struct told t;
	struct policy *p;
	struct user_event e = an_event();
	compiled(a, object, &p);
	assert_int_equal(p->audit, AUDIT_DENIED);
	assert_true(p->handlers.len > 0);
	assert_int_equal(open_file(&t, a, &(struct user_file){.file = "p.o", .code = p->handlers.data, .ncode = p->handlers.len}), 0);
	assert_int_equal(user_event(t.user, &e), 0);
	same_text("with the parameters it was compiled with", t.out, "cat 7\n");
	assert_int_equal(user_every(t.user, 0), 1);
	assert_int_equal(t.diags.items[0].at.line, 4);
	same_text("its place", t.diags.items[0].at.file, "dir/p.rb");
	user_close(t.user);
}

static void damaged_bytecode(void **state)
{
	struct arena *a = *state;
	struct told t;
	struct policy *p;
	compiled(a, object, &p);
	for (size_t n = 0; n < 16 + 8 + 72 + 12; n++) /* what stands before the first file's bytes */
		assert_int_equal(open_file(&t, a, &(struct user_file){.file = "p.o", .code = p->handlers.data, .ncode = n}), -1);
	char *other = arena_alloc(a, p->handlers.len);
	memcpy(other, p->handlers.data, p->handlers.len);
	other[8] = '2';
	assert_int_equal(open_file(&t, a, &(struct user_file){.file = "p.o", .code = other, .ncode = p->handlers.len}), -1);
	assert_non_null(strstr(t.diags.items[0].text, "bytecode of mruby 2"));
	other[0] = 'x';
	assert_int_equal(open_file(&t, a, &(struct user_file){.file = "p.o", .code = other, .ncode = p->handlers.len}), -1);
	assert_non_null(strstr(t.diags.items[0].text, "in no form that this version reads"));
}

static void no_handlers_no_bytecode(void **state)
{
	struct policy *p;
	compiled(*state, "default :deny\nparam :limit, 3\n", &p);
	assert_int_equal(p->handlers.len, 0);
	assert_int_equal(p->audit, AUDIT_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(given_an_event), ARENA_TEST(given_facts), ARENA_TEST(prints_as_ruby_does), ARENA_TEST(handlers_keep), ARENA_TEST(words_of_rules_do_nothing),
		ARENA_TEST(told_where_they_raise), ARENA_TEST(verdicts_and_kernels), ARENA_TEST(given_a_line), ARENA_TEST(kept_as_bytecode),
		ARENA_TEST(damaged_bytecode), ARENA_TEST(no_handlers_no_bytecode),
	};
	return cmocka_run_group_tests_name("user", tests, NULL, NULL);
}
