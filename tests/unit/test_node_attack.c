/*
 * test_node_attack.c - cmd/grant/node*.c while the root of the container works against it, and while whoever runs it is killed:
 * no node anywhere but where it was asked for, and nothing is left that the next one cannot take away.
 */
#include "tests/unit/node_grant.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define ELSEWHERE "/dev/shm/gift" /* of the host */

/* ---- races ------------------------------------------------------------------------------------- */

/* Makes it again and again while the box does that, and takes it away. */
static void while_it_moves(struct env *e, int kind, char what, const char *a, const char *b)
{
	enum { TIMES = 150 };
	struct kept list[TIMES];
	const char *told;
	unsigned made = 0;
	struct box box = box_start(e, kind);
	assert_int_equal(box_tell(&box, 'k', "/dev/sub", NULL), 0);
	assert_int_equal(box_tell(&box, 'k', "/dev/other", NULL), 0);
	assert_int_equal(box_tell(&box, 's', "/old/dev/shm", "/dev/link"), 0);
	assert_int_equal(box_tell(&box, what, a, b), 0);
	for (unsigned i = 0; i < TIMES; i++) {
		made += !make_at(e, &list[i], "/dev/sub/gift");
		remove_it(e, &list[i].now, &told);
		assert_int_equal(access(ELSEWHERE, F_OK), -1);
	}
	assert_int_equal(box_tell(&box, 'X', "", NULL), 0);
	/* as it was in the beginning, whatever changed places with what */
	struct answer sub = box_ask(&box, 'l', "/dev/sub", NULL);
	while (!box_tell(&box, 'U', "/dev/sub", NULL))
		;
	if (!sub.error && S_ISLNK(sub.mode)) {
		assert_int_equal(box_tell(&box, 'r', "/dev/sub", "/dev/away"), 0);
		assert_int_equal(box_tell(&box, 'r', b, "/dev/sub"), 0);
	}
	for (unsigned i = 0; i < TIMES; i++)
		remove_it(e, &list[i].now, &told);
	unsigned left = in_dev(&box);
	if (left || !made)
		fail_msg("%u left, %u made", left, made);
	box_end(&box);
}
static void a_link_that_comes_and_goes(void **state) { while_it_moves(*state, 0, 'x', "/dev/sub", "/dev/link"); }
static void the_same_in_a_user_namespace(void **state) { while_it_moves(*state, BOX_USER, 'x', "/dev/sub", "/dev/link"); }
static void a_mount_that_comes_and_goes(void **state) { while_it_moves(*state, 0, 'm', "/old/dev/shm", "/dev/sub"); }
static void the_same_over_a_mount(void **state) { while_it_moves(*state, BOX_NODEV, 'm', "/old/dev/shm", "/dev/sub"); }

static void a_directory_that_changes_places(void **state)
{
	struct env *e = *state;
	struct kept k;
	const char *told;
	struct box b = box_start(e, 0);
	assert_int_equal(box_tell(&b, 'k', "/dev/sub", NULL), 0);
	made_at(e, &k, "/dev/sub/deep/gift");
	/* ours, moved, and one of the container in its place, with a node that is alike: nothing of it goes */
	assert_int_equal(box_tell(&b, 'r', "/dev/sub/deep", "/dev/moved"), 0);
	assert_int_equal(box_tell(&b, 'k', "/dev/sub/deep", NULL), 0);
	assert_int_equal(box_tell(&b, 'n', "/dev/sub/deep/gift", NULL), 0);
	assert_int_equal(remove_it(e, &k.now, &told), 0);
	assert_int_equal(in_dev(&b), 2);
	assert_int_equal(box_tell(&b, 'u', "/dev/sub/deep/gift", NULL), 0);
	assert_int_equal(remove_it(e, &k.now, &told), 0);
	assert_int_equal(box_tell(&b, 'l', "/dev/sub/deep", NULL), 0); /* empty, but not ours */
	box_end(&b);
}

/* ---- no answer ------------------------------------------------------------------------------------ */

/* Nobody has a lock that was given back, though a child of ours hangs. */
static void lock_is_free(int lock, const char *path)
{
	close(lock);
	int again = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(again, LOCK_EX | LOCK_NB), 0);
	close(again);
}

static void a_file_system_that_does_not_answer(void **state)
{
	struct env *e = *state;
	struct kept k, other;
	const char *told;
	char path[] = "/tmp/dgtest-lock.XXXXXX";
	struct box b = box_start(e, 0);
	int lock = mkostemp(path, O_CLOEXEC);
	assert_int_equal(flock(lock, LOCK_EX), 0);
	made_at(e, &k, "/dev/gift");
	int error = box_tell(&b, 'F', "/dev", NULL);
	if (error) {
		box_end(&b);
		unlink(path);
		print_message("no FUSE here: %s\n", strerror(error));
		skip();
	}
	assert_int_equal(box_tell(&b, 'I', "", NULL), 0); /* it takes what it is asked, so whoever asks cannot be killed */
	assert_int_equal(make_at(e, &other, "/dev/sub/gift"), -1);
	assert_int_equal(other.times, 0);
	assert_error(e, "could not be looked at within 5 seconds", "what is mounted there");
	lock_is_free(lock, path);
	unlink(path);
	assert_int_equal(remove_it(e, &k.now, &told), -1);
	assert_non_null(strstr(told, "within 5 seconds"));
	assert_int_equal(box_tell(&b, 'X', "", NULL), 0);
	assert_int_equal(box_tell(&b, 'U', "/dev", NULL), 0);
	removed(e, &k.now);
	assert_int_equal(in_dev(&b), 0);
	box_end(&b);
}

/* ---- mounts that go on --------------------------------------------------------------------------------- */

static unsigned mounts_of_host(void)
{
	char line[4096];
	unsigned n = 0;
	FILE *f = fopen("/proc/self/mountinfo", "r");
	while (f && fgets(line, sizeof line, f))
		n++;
	fclose(f);
	return n;
}

static void mounts_that_are_shared_inside(void **state)
{
	struct env *e = *state;
	struct kept k;
	struct box b = box_start(e, BOX_NODEV);
	unsigned before = mounts_of_host();
	assert_int_equal(box_tell(&b, 'S', "/", NULL), 0);
	unsigned other = box_ask(&b, 'f', "apart", NULL).count; /* it gets what is mounted there */
	made_at(e, &k, "/dev/gift");
	assert_int_equal(k.now.node, GRANT_NODE_MOUNTED);
	assert_int_equal(mounts_of_host(), before);
	assert_int_equal(box_tell(&b, 'o', "/dev/gift", NULL), 0);
	removed(e, &k.now);
	const char *there = arena_printf(e->arena, "/proc/%u/root/dev/gift", other);
	assert_int_equal(access(there, F_OK), -1);
	assert_int_equal(in_dev(&b), 0);
	assert_int_equal(box_tell(&b, 'X', "", NULL), 0);
	box_end(&b);
}

/* ---- killed ----------------------------------------------------------------------------------------------- */

struct killed {
	struct env *e;
	struct kept *k;    /* shared with the process that is killed */
	const char *path;  /* NULL: it is taken away */
	bool main;         /* the command is killed, at calls of its children too; else its child is, at its own */
};

static int victim(const struct killed *c)
{
	const char *told;
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	return c->path ? make_at(c->e, c->k, c->path) : remove_it(c->e, &c->k->kept, &told) < 0;
}

/* Follows it and its children up to the call with that number. Did they come to it? */
static bool follow(const struct killed *c, pid_t command, unsigned number)
{
	unsigned calls = 0;
	bool inside[2] = {false}, done = false;
	int status;
	pid_t pid;
	if (waitpid(command, &status, 0) != command ||
	    ptrace(PTRACE_SETOPTIONS, command, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL))
		return false;
	ptrace(PTRACE_SYSCALL, command, NULL, 0);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		bool *in = &inside[pid != command];
		if (!WIFSTOPPED(status)) { /* the next child begins anew */
			*in = false;
			continue;
		}
		bool call = WSTOPSIG(status) == (SIGTRAP | 0x80), ours = call || WSTOPSIG(status) == SIGTRAP || WSTOPSIG(status) == SIGSTOP;
		if (call && (*in = !*in) && (c->main || pid != command) && ++calls == number) {
			kill(c->main ? command : pid, SIGKILL);
			done = true;
		}
		ptrace(PTRACE_SYSCALL, pid, NULL, ours ? 0 : WSTOPSIG(status));
	}
	return done;
}

/* In a process whose only child it is. */
static bool kill_at(const struct killed *c, unsigned number)
{
	pid_t tracer = fork();
	if (tracer)
		return finish(tracer) == 1;
	pid_t command = fork();
	_exit(command ? follow(c, command, number) : victim(c));
}

static void killed_at_each_call(struct env *e, int kind, bool main_process, bool removing)
{
	struct box b = box_start(e, kind);
	struct kept *k = mmap(NULL, sizeof *k, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct killed c = {e, k, removing ? NULL : "/dev/net/deep/gift", main_process};
	const char *told = "";
	unsigned number = 1, states[2] = {0};
	for (bool more = true; more; number++) {
		if (removing)
			made_at(e, k, "/dev/net/deep/gift");
		else
			memset(k, 0, sizeof *k);
		more = kill_at(&c, number);
		/* what the next command finds */
		int result = k->kept.node == GRANT_NODE_NONE ? 0 : remove_it(e, &k->kept, &told);
		unsigned left = in_dev(&b);
		if (result < 0 || left || box_tell(&b, 'l', "/dev/net", NULL) != ENOENT)
			fail_msg("call %u: %d %s, %u left", number, result, told, left);
		states[result]++;
	}
	print_message("%u calls: something was left at %u of them\n", number - 2, states[1]);
	assert_true(number > 50 && states[1] > 5);
	munmap(k, sizeof *k);
	box_end(&b);
}

static void killed_while_it_makes_a_node(void **state) { killed_at_each_call(*state, 0, true, false); }
static void killed_while_it_mounts_one(void **state) { killed_at_each_call(*state, BOX_USER, true, false); }
static void its_child_killed_while_it_makes_a_node(void **state) { killed_at_each_call(*state, 0, false, false); }
static void its_child_killed_while_it_mounts_one(void **state) { killed_at_each_call(*state, BOX_USER, false, false); }
static void killed_while_it_takes_a_node_away(void **state) { killed_at_each_call(*state, 0, true, true); }
static void killed_while_it_takes_a_mount_away(void **state) { killed_at_each_call(*state, BOX_USER, false, true); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_link_that_comes_and_goes),
		SCRATCH_TEST(the_same_in_a_user_namespace),
		SCRATCH_TEST(a_mount_that_comes_and_goes),
		SCRATCH_TEST(the_same_over_a_mount),
		SCRATCH_TEST(a_directory_that_changes_places),
		SCRATCH_TEST(a_file_system_that_does_not_answer),
		SCRATCH_TEST(mounts_that_are_shared_inside),
		SCRATCH_TEST(killed_while_it_makes_a_node),
		SCRATCH_TEST(killed_while_it_mounts_one),
		SCRATCH_TEST(its_child_killed_while_it_makes_a_node),
		SCRATCH_TEST(its_child_killed_while_it_mounts_one),
		SCRATCH_TEST(killed_while_it_takes_a_node_away),
		SCRATCH_TEST(killed_while_it_takes_a_mount_away),
	};
	return scratch_possible("node_attack") ? cmocka_run_group_tests_name("node_attack", tests, NULL, NULL) : 0;
}
