/*
 * test_room.c - the locked room, with children that do what a policy that broke mruby
 * would try: each is ended, nothing is done, and the parent says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/room/confine.h"
#include "cmd/room/inside.h"
#include "cmd/room/questions.h"
#include "cmd/room/record.h"
#include "policy/claims.h"
#include "tests/unit/fixture.h"
#include "policy/host.h"

/* ---- a command without main.c ---------------------------------------------------------- */

static struct cmd cmd;

void cmd_no_memory(struct cmd *c)
{
	(void)c;
	fail_msg("out of memory");
	abort();
}

static int setup(void **state)
{
	struct confine_plan *plan = cmd.rooms.plan;
	cmd = (struct cmd){.rooms.plan = plan, .settings.limits = {LIMIT_SECONDS, LIMIT_CPU, LIMIT_MEMORY}};
	cmd.arena = arena_new();
	diags_init(&cmd.diags, cmd.arena);
	*state = &cmd;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	while (cmd.rooms.n)
		room_close(cmd.rooms.open[0]);
	rooms_reap(&cmd);
	arena_free(cmd.arena);
	return 0;
}

static int call_room(void (*work)(struct inside *in), const struct taker *t)
{
	struct room *r;
	struct call call = {.kind = FRAME_JOB, .data = "job", .len = 3};
	assert_int_equal(room_open(&cmd, &cmd.settings, work, &r), STATUS_OK);
	return room_call(r, "policy.rb", &call, t);
}

/* The call fails with that status, and the one message has that text in it. */
static void ends(void (*work)(struct inside *in), int status, const char *text)
{
	int got = call_room(work, NULL);
	if (got != status || cmd.diags.n != 1 || !strstr(cmd.diags.items[0].text, text))
		fail_msg("status %d, expected %d with '%s': %s", got, status, text,
		         cmd.diags.n ? cmd.diags.items[0].text : "no message");
}

/* ---- what may not be done ----------------------------------------------------------------- */

#define FORBIDDEN "made a system call that it may not make"

static void do_open(struct inside *in) { (void)in; syscall(SYS_open, "/etc/passwd", O_RDONLY); }
static void do_openat(struct inside *in) { (void)in; syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_WRONLY); }
static void do_socket(struct inside *in) { (void)in; socket(AF_INET, SOCK_STREAM, 0); }
static void do_execve(struct inside *in) { (void)in; char *none[] = {NULL}; syscall(SYS_execve, "/bin/true", none, none); }
static void do_fork(struct inside *in) { (void)in; syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }
static void do_ioctl(struct inside *in) { (void)in; ioctl(0, FIONREAD, &(int){0}); }
static void do_stat(struct inside *in) { (void)in; struct stat st; syscall(SYS_stat, "/", &st); }
static void do_bpf(struct inside *in) { (void)in; syscall(SYS_bpf, 0, NULL, 0); }
static void do_ptrace(struct inside *in) { (void)in; syscall(SYS_ptrace, 0, 0, 0, 0); }
static void do_kill(struct inside *in) { (void)in; kill(getppid(), 0); }
static void do_setuid(struct inside *in) { (void)in; syscall(SYS_setuid, 0); }
static void do_unshare(struct inside *in) { (void)in; syscall(SYS_unshare, CLONE_NEWUSER); }
static void do_sysinfo(struct inside *in) { (void)in; syscall(SYS_sysinfo, NULL); }
static void do_x32(struct inside *in) { (void)in; syscall(SYS_read | 0x40000000, 0, NULL, 0); }
static void do_executable(struct inside *in)
{
	(void)in;
	mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static void do_make_executable(struct inside *in)
{
	(void)in;
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static void test_forbidden(void **state)
{
	static void (*const all[])(struct inside *in) = {
		do_openat, do_socket, do_execve, do_fork, do_ioctl, do_bpf, do_ptrace, do_kill, do_setuid,
		do_unshare, do_sysinfo, do_executable, do_make_executable,
#ifdef SYS_open
		do_open, do_stat, do_x32,
#endif
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		ends(all[i], STATUS_REFUSED, FORBIDDEN);
		teardown(state);
		setup(state);
	}
}

/* ---- what it is ------------------------------------------------------------------------------ */

static void idle(struct inside *in)
{
	struct frame f;
	inside_read(in, &f);
	inside_done(in, false);
	inside_read(in, &f); /* for ever */
}

static const char *status_line(pid_t pid, const char *name)
{
	static char line[256];
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, name, strlen(name))) {
			fclose(f);
			return line + strlen(name);
		}
	if (f)
		fclose(f);
	return "";
}

static pid_t only_child(void)
{
	char path[64];
	int pid = 0;
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	FILE *f = fopen(path, "r");
	if (f && fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f)
		fclose(f);
	return pid;
}

static void test_locked(void **state)
{
	(void)state;
	assert_int_equal(call_room(idle, NULL), STATUS_OK);
	pid_t pid = only_child();
	if (!pid) {
		print_message("/proc/PID/task/TID/children is not there\n");
		skip();
	}
	assert_int_equal(atoi(status_line(pid, "Seccomp:")), 2);
	assert_int_equal(atoi(status_line(pid, "NoNewPrivs:")), 1);
	static const char *const sets[] = {"CapEff:", "CapPrm:", "CapInh:", "CapAmb:"};
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		assert_int_equal(strtoull(status_line(pid, sets[i]), NULL, 16), 0);
	if (!geteuid() && !room_kept_uid(cmd.rooms.open[0])) {
		assert_int_equal(strtoull(status_line(pid, "CapBnd:"), NULL, 16), 0);
		assert_int_equal(atoi(status_line(pid, "Uid:")), 65534);
		assert_int_equal(atoi(status_line(pid, "Gid:")), 65534);
		assert_true(strspn(status_line(pid, "Groups:"), " \t\n") == strlen(status_line(pid, "Groups:")));
	}
	/* of one that is not dumpable only root sees them */
	for (int fd = 0; fd < 64 && !geteuid(); fd++) {
		char path[64], target[64] = "";
		snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
		ssize_t n = readlink(path, target, sizeof target - 1);
		if (fd <= STDERR_FILENO)
			assert_true(n > 0 && !strncmp(target, "pipe:", 5));
		else
			assert_int_equal(n, -1);
	}
}

/* Where the kernel takes no filter: refused with the reason, and loud with --unconfined. */
static bool unlocked(bool unconfined, bool offered)
{
	static const struct option none[] = {{0}}, longs[] = {OPTION_UNCONFINED, {0}};
	static const struct verb hook = {.longs = none}, check = {.longs = longs};
	cmd.settings.unconfined = unconfined;
	cmd.verb = offered ? &check : &hook;
	int status = call_room(idle, NULL);
	const struct diag *d = cmd.diags.n == 1 ? cmd.diags.items : &(struct diag){.text = ""};
	bool said = strstr(d->text, unconfined ? "WITHOUT this: a seccomp filter (Operation not permitted)"
	                                       : "a seccomp filter: Operation not permitted");
	bool hinted = d->hint && (unconfined || !strstr(d->hint, "--unconfined") == !offered); /* only what the verb takes */
	return said && hinted && status == (unconfined ? STATUS_OK : STATUS_FAILED);
}

static void test_no_seccomp(void **state)
{
	struct confine_plan *plan = cmd.rooms.plan;
	for (int way = 0; way < 3; way++) {
		pid_t pid = fork();
		if (!pid) {
			scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
			cmd.rooms.plan = NULL;
			bool ok = !seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(seccomp), 0) && !seccomp_load(f);
			ok = ok && unlocked(way == 2, way >= 1);
			teardown(state);
			_exit(!ok);
		}
		int ended = -1;
		assert_int_equal(waitpid(pid, &ended, 0), pid);
		assert_int_equal(ended, 0);
	}
	cmd.rooms.plan = plan;
}

/* ---- how it ends ------------------------------------------------------------------------------ */

static void do_crash(struct inside *in) { *(volatile int *)in->budget.progress = STAGE_LIFT; __builtin_trap(); }
static void do_nothing(struct inside *in) { (void)in; }
static void do_forever(struct inside *in)
{
	in->budget.progress->stage = STAGE_PROVE;
	in->budget.progress->line = 7;
	for (;;)
		in->budget.used++;
}
static void do_wait(struct inside *in)
{
	struct frame f;
	for (;;)
		inside_read(in, &f);
}
static void do_eat(struct inside *in)
{
	for (;;)
		memset(arena_alloc(in->arena, 1 << 20), 1, 1 << 20);
}
/* Past our own counting, as machine code would: the kernel's limit holds. */
static void do_map(struct inside *in)
{
	(void)in;
	for (int i = 0; i < 4096; i++)
		if (mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			_exit(42);
}
static void do_environment(struct inside *in)
{
	(void)in;
	_exit(getenv("PATH") ? 43 : 44);
}

/* The kernel's clock was faster than the parent. */
static void do_late(struct inside *in)
{
	(void)in;
	_exit(INSIDE_TIME);
}

static void test_ends(void **state)
{
	struct { void (*work)(struct inside *in); int status; const char *text; } all[] = {
		{do_crash, STATUS_REFUSED, "broke the process that compiles it (Illegal instruction), while evaluating a block"},
		{do_nothing, STATUS_REFUSED, "exit status 0"},
		{do_environment, STATUS_REFUSED, "exit status 44"},
		{do_late, STATUS_REFUSED, "stopped after 5 s of CPU time while starting"},
		{do_eat, STATUS_REFUSED, "stopped at 64 MiB of memory while starting"},
		{do_map, STATUS_REFUSED, "exit status 42"},
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (all[i].work == do_map && confine_widened())
			continue; /* no limit by the kernel there */
		cmd.settings.limits.memory = 64 << 20;
		ends(all[i].work, all[i].status, all[i].text);
		teardown(state);
		setup(state);
	}
}

/* A signal that is meant for it would go to process 0: to the caller, and all of its group. */
static void test_after_its_end(void **state)
{
	(void)state;
	const struct call call = {.kind = FRAME_JOB, .data = "job", .len = 3};
	struct rlimit before, after;
	getrlimit(RLIMIT_CPU, &before);
	ends(do_crash, STATUS_REFUSED, "Illegal instruction");
	assert_int_equal(room_call(cmd.rooms.open[0], "policy.rb", &call, NULL), STATUS_FAILED);
	assert_non_null(strstr(cmd.diags.items[cmd.diags.n - 1].text, "policy.rb: the process that worked on it has ended"));
	getrlimit(RLIMIT_CPU, &after);
	assert_int_equal(before.rlim_cur, after.rlim_cur);
}

static void test_time(void **state)
{
	cmd.settings.limits.seconds = 0.2;
	ends(do_wait, STATUS_REFUSED, "stopped after 0.2 s while starting");
	teardown(state);
	setup(state);
	cmd.settings.limits.cpu = 0.1;
	ends(do_forever, STATUS_REFUSED, "stopped after 0.1 s of CPU time while proving the program");
	assert_int_equal(cmd.diags.items[0].at.line, 7);
	assert_string_equal(cmd.diags.items[0].at.file, "policy.rb");
}

/* ---- what it sends ------------------------------------------------------------------------------ */

static void put(const void *data, size_t len)
{
	if (write(STDOUT_FILENO, data, len) != (ssize_t)len)
		_exit(1);
}
static void send_head(uint32_t kind, uint32_t len)
{
	uint32_t head[2] = {kind, len};
	put(head, sizeof head);
}
static void unknown_kind(struct inside *in) { (void)in; send_head(99, 0); do_wait(in); }
static void huge(struct inside *in) { send_head(FRAME_RECORD, UINT32_MAX); do_wait(in); }
static void unasked(struct inside *in) { send_head(FRAME_RECORD, 0); do_wait(in); }
static void short_done(struct inside *in) { send_head(FRAME_DONE, 0); do_wait(in); }
static void bad_message(struct inside *in) { send_head(FRAME_DIAG, 4); put("abcd", 4); do_wait(in); }
static void bad_question(struct inside *in) { send_head(FRAME_QUESTION, 4); put("abcd", 4); do_wait(in); }
static void many_messages(struct inside *in)
{
	struct diag d = {.text = "x"};
	for (;;)
		diag_write(STDOUT_FILENO, &d);
	(void)in;
}
static void many_questions(struct inside *in)
{
	struct host_device out;
	struct frame job;
	inside_read(in, &job);
	for (;;)
		in->host.device(&in->host, in->arena, "/dev/null", &out);
}
static void endless_stderr(struct inside *in)
{
	(void)in;
	for (;;)
		if (write(STDERR_FILENO, "\033[2Jpwned\n", 10) < 0)
			_exit(1);
}
/* Frames that are each in order, without end. */
static void many_texts(struct inside *in)
{
	(void)in;
	for (;;) {
		send_head(FRAME_TEXT, 1);
		put("x", 1);
	}
}
static void large_messages(struct inside *in)
{
	static char text[15 << 10];
	(void)in;
	memset(text, 'x', sizeof text - 1);
	struct diag d = {.text = text};
	for (;;)
		if (diag_write(STDOUT_FILENO, &d))
			_exit(1);
}
/* Questions whose answers nobody reads. */
static void unread_answers(struct inside *in)
{
	static char path[4000];
	struct question q = {.kind = ASK_DEVICE};
	(void)in;
	memset(path, '/', sizeof path - 1);
	memcpy(path, "/dev", 4);
	for (;;)
		if (frame_write2(STDOUT_FILENO, FRAME_QUESTION, &q, sizeof q, path, strlen(path)))
			_exit(1);
}
static void cut_off(struct inside *in) { (void)in; send_head(FRAME_DIAG, 100); put("abc", 3); _exit(0); }

static void test_garbled(void **state)
{
	static void (*const all[])(struct inside *in) = {unknown_kind, huge, unasked, short_done, bad_message, bad_question};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		ends(all[i], STATUS_REFUSED, "it sent what it should not");
		teardown(state);
		setup(state);
	}
	ends(cut_off, STATUS_REFUSED, "broke the process");
	teardown(state);
	setup(state);
	assert_int_equal(call_room(many_messages, NULL), STATUS_REFUSED);
	teardown(state);
	setup(state);
	cmd.settings.limits.seconds = 5;
	assert_int_equal(call_room(many_questions, NULL), STATUS_REFUSED);
	teardown(state);
	setup(state);
	cmd.settings.limits.seconds = 0.3;
	assert_int_equal(call_room(endless_stderr, NULL), STATUS_REFUSED);
}

static bool take_any(void *self, enum frame_kind kind, const unsigned char *data, size_t len)
{
	(void)self, (void)kind, (void)data, (void)len;
	return true;
}

/* A child that sends more than the parent can deal with in time, or keep. */
static void test_floods(void **state)
{
	const struct taker any = {take_any, NULL, 1024};
	cmd.settings.limits.seconds = 0.3;
	assert_int_equal(call_room(many_texts, &any), STATUS_REFUSED);
	assert_non_null(strstr(cmd.diags.items[0].text, "stopped after 0.3 s"));
	static void (*const all[])(struct inside *in) = {large_messages, unread_answers};
	static const char *const said[] = {"it sent what it should not", "it asks the host about too many names"};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		teardown(state);
		setup(state);
		assert_int_equal(call_room(all[i], NULL), STATUS_REFUSED);
		assert_non_null(strstr(cmd.diags.items[cmd.diags.n - 1].text, said[i]));
		assert_true(arena_size(cmd.arena) < 100u << 20);
	}
}

/* Stopped, it is killed all the same. */
static void do_stop(struct inside *in)
{
	(void)in;
	for (;;)
		;
}

static void test_stopped(void **state)
{
	struct room *r;
	(void)state;
	cmd.settings.limits.seconds = 0.2;
	assert_int_equal(room_open(&cmd, &cmd.settings, do_stop, &r), STATUS_OK);
	pid_t pid = only_child();
	if (!pid)
		skip();
	kill(pid, SIGSTOP);
	assert_int_equal(room_call(r, "policy.rb", &(struct call){.kind = FRAME_JOB}, NULL), STATUS_REFUSED);
	assert_int_equal(kill(pid, 0), -1);
}

/* A message is about the policy: it does not speak as the tool. */
static void nameless(struct inside *in)
{
	struct frame job;
	inside_read(in, &job);
	diag_fail(&in->diags, NULL, "attached");
	inside_done(in, true);
}

static void test_nameless(void **state)
{
	(void)state;
	ends(nameless, STATUS_REFUSED, "attached");
	assert_string_equal(cmd.diags.items[0].at.file, "policy.rb");
}

static void wordy(struct inside *in)
{
	struct frame job;
	inside_read(in, &job);
	for (int i = 0; i < 10000; i++)
		diag_add(&in->diags, DIAG_WARNING, (struct span){.file = "policy.rb", .line = i + 1}, NULL, "number %d", i);
	diag_add(&in->diags, DIAG_ERROR, (struct span){.file = "policy.rb", .line = 7}, NULL, "the error");
	inside_done(in, true);
}

static void test_wordy(void **state)
{
	(void)state;
	assert_int_equal(call_room(wordy, NULL), STATUS_REFUSED);
	assert_int_equal(cmd.diags.n, 502);
	assert_string_equal(cmd.diags.items[500].text, "the error");
	assert_string_equal(cmd.diags.items[501].text, "9500 more messages like these are not shown");
}

/* ---- questions ------------------------------------------------------------------------------------ */

static void ask_things(struct inside *in)
{
	struct host_device null, shadow, out, log;
	const char *listing = NULL, *near = NULL, *none = NULL;
	uint32_t root = 1, gid;
	struct frame job;
	inside_read(in, &job);
	in->host.device(&in->host, in->arena, "/dev/null", &null);
	in->host.device(&in->host, in->arena, "/etc/shadow", &shadow);
	in->host.device(&in->host, in->arena, "/dev/../etc/shadow", &out);
	in->host.device(&in->host, in->arena, "/dev/nul", &log);
	bool ok = !null.error && S_ISCHR(null.mode) && null.major == 1 && null.minor == 3 && shadow.error == EXDEV &&
	          out.error == EXDEV && log.error == ENOENT && log.near && !strcmp(log.near, "/dev/null") &&
	          !in->host.groups(&in->host, in->arena, &listing) && strstr(listing, "Block devices") &&
	          !in->host.group(&in->host, in->arena, "root", &root, &none) && !root && !none &&
	          in->host.group(&in->host, in->arena, "roott", &gid, &near) == ENOENT && near && !strcmp(near, "root") &&
	          in->host.group(&in->host, in->arena, "root:x", &gid, &none) == ENOENT && !none;
	if (!ok)
		diag_add(&in->diags, DIAG_ERROR, (struct span){0}, NULL, "%d %d %d %d %s", null.error, shadow.error, out.error, log.error, log.near);
	inside_done(in, !ok);
}

static void test_questions(void **state)
{
	(void)state;
	int status = call_room(ask_things, NULL);
	if (status)
		fail_msg("%s", cmd.diags.items[0].text);
	assert_int_equal(cmd.asking.nasked, 8);
	assert_true(asked_still(&cmd, cmd.asking.asked, cmd.asking.nasked));
	unsigned char *spoilt = arena_alloc(cmd.arena, cmd.asking.asked[0].nanswer);
	memcpy(spoilt, cmd.asking.asked[0].answer, cmd.asking.asked[0].nanswer);
	spoilt[8] ^= 1;
	cmd.asking.asked[0].answer = spoilt;
	assert_false(asked_still(&cmd, cmd.asking.asked, cmd.asking.nasked));
}

/* ---- records ---------------------------------------------------------------------------------------- */

static struct policy *some_policy(struct recorded *r)
{
	static struct rule rules[2];
	static struct raise raise = {.at = {.file = "p.rb", .line = 4}, .what = "ZeroDivisionError: divided by 0"};
	static struct param param = {.name = "gpu", .value = 1, .lo = 0, .hi = 3};
	static const uint64_t insns[] = {0x00000000000000b7, 0x0000000000000095};
	static const struct image_line lines[] = {{0, 2, 0}};
	rules[0] = (struct rule){.at = {.file = "p.rb", .line = 2}, .label = "a", .source = "allow"};
	rules[1] = (struct rule){.deny = true, .error = 19, .at = {.file = "p.rb", .line = 4}, .raises = &raise, .nraises = 1};
	struct policy *p = arena_alloc(cmd.arena, sizeof *p);
	*p = (struct policy){.arena = cmd.arena, .name = "p", .file = "p.rb", .rules = rules, .nrules = 2,
	                     .params = &param, .nparams = 1, .audit = AUDIT_DENIED,
	                     .serial = {"serial", 6, 42}};
	*r = (struct recorded){.policy = p, .inputs = 5,
	                       .image = {.insns = insns, .ninsns = 2, .lines = lines, .nlines = 1, .tail = 2, .longest = 2}};
	return p;
}

static void test_record(void **state)
{
	struct recorded r, back;
	struct bytes bytes;
	(void)state;
	some_policy(&r);
	assert_int_equal(record_write(&cmd.diags, &r, &bytes), 0);
	assert_true(record_read(cmd.arena, bytes.data, bytes.len, &back));
	assert_string_equal(back.policy->name, "p");
	assert_string_equal(back.policy->rules[0].label, "a");
	assert_string_equal(back.policy->rules[1].raises[0].what, "ZeroDivisionError: divided by 0");
	assert_int_equal(back.policy->rules[1].error, 19);
	assert_int_equal(back.policy->params[0].hi, 3);
	assert_int_equal(back.policy->serial.digest, 42);
	assert_int_equal(back.image.ninsns, 2);
	assert_int_equal(back.inputs, 5);
}

/* Cut anywhere, and with any byte changed: read or refused, never past the end. */
static void test_record_damaged(void **state)
{
	struct recorded r, back;
	struct bytes bytes;
	(void)state;
	some_policy(&r);
	assert_int_equal(record_write(&cmd.diags, &r, &bytes), 0);
	for (size_t n = 0; n < bytes.len; n++) {
		unsigned char *cut = malloc(n + 1);
		memcpy(cut, bytes.data, n);
		assert_false(record_read(cmd.arena, cut, n, &back));
		free(cut);
	}
	for (size_t i = 0; i < bytes.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			unsigned char *copy = malloc(bytes.len);
			memcpy(copy, bytes.data, bytes.len);
			copy[i] ^= (unsigned char)(1 << bit);
			if (record_read(cmd.arena, copy, bytes.len, &back))
				for (size_t k = 0; k < back.policy->nrules; k++)
					if (back.policy->rules[k].label)
						(void)!strlen(back.policy->rules[k].label);
			free(copy);
		}
}

/* Of a claim: of the right size, texts that end, numbers that there are; and not too many. */
static void test_claim_told(void **state)
{
	(void)state;
	struct claims_told all = {0};
	struct claim_told good = {.state = CLAIM_FALSE, .always = 1, .line = 3, .label = "disks"}, bad = good;
	assert_true(claim_take(cmd.arena, &all, &good, sizeof good));
	assert_string_equal(all.list[0].label, "disks");
	assert_false(claim_take(cmd.arena, &all, &good, sizeof good - 1));
	assert_false(claim_take(cmd.arena, &all, &good, sizeof good + 1));
	for (size_t at = offsetof(struct claim_told, file); at < sizeof bad; at += TOLD_TEXT) {
		bad = good;
		memset((char *)&bad + at, 'x', TOLD_TEXT);
		assert_false(claim_take(cmd.arena, &all, &bad, sizeof bad));
	}
	struct claim_told wrong[5] = {good, good, good, good, good};
	wrong[0].state = CLAIM_STATES;
	wrong[1].always = 2;
	wrong[2].by_default = 2;
	wrong[3].line = -1;
	wrong[4].by_line = -1;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(claim_take(cmd.arena, &all, &wrong[i], sizeof wrong[i]));
	all.n = 0;
	for (size_t i = 0; i < CLAIMS_MAX; i++)
		assert_true(claim_take(cmd.arena, &all, &good, sizeof good));
	assert_false(claim_take(cmd.arena, &all, &good, sizeof good));
}

/* A program that calls what programs of ours do not call is none of ours. */
static void test_record_calls(void **state)
{
	static const uint64_t probe_read[] = {0x0000007100000085, 0x0000000000000095}; /* call 113 */
	struct recorded r, back;
	struct bytes bytes;
	(void)state;
	some_policy(&r);
	r.image.insns = probe_read;
	assert_int_equal(record_write(&cmd.diags, &r, &bytes), 0);
	assert_false(record_read(cmd.arena, bytes.data, bytes.len, &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_forbidden, setup, teardown),
		cmocka_unit_test_setup_teardown(test_locked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_seccomp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_after_its_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_garbled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_floods, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nameless, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wordy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_questions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_record, setup, teardown),
		cmocka_unit_test_setup_teardown(test_claim_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_record_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_record_calls, setup, teardown),
	};
	return cmocka_run_group_tests_name("room", tests, NULL, NULL);
}
