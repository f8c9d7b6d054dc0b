/*
 * test_cgroup.c - cgroup/ against the running kernel: directories, locks,
 * transient cgroups, the host's checks. Skipped without root (scratch.h).
 */
#include "tests/unit/scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

/* ---- hierarchy ----------------------------------------------------------------- */

static void open_refuses_what_is_no_v2_cgroup(void **state)
{
	struct env *e = *state;
	struct cgroup *cg = NULL;
	const char *mount = cgroup_mount(e->arena);
	const char *file = arena_printf(e->arena, "%s/cgroup.procs", e->cg->path);

	assert_int_equal(cgroup_open(e->arena, &e->d, "/no/such", &cg), -1);
	assert_null(cg);
	assert_error(e, "there is no cgroup '/no/such'", mount);
	assert_int_equal(cgroup_open(e->arena, &e->d, "", &cg), -1);
	assert_error(e, "there is no cgroup ''", mount);
	assert_int_equal(cgroup_open(e->arena, &e->d, file, &cg), -1);
	assert_error(e, "is a file", e->cg->path);
	assert_int_equal(cgroup_open(e->arena, &e->d, "/tmp", &cg), -1);
	assert_error(e, "not a cgroup", mount);
	assert_int_equal(cgroup_open(e->arena, &e->d, strrchr(e->parent->path, '/') + 1, &cg), -1);
	assert_error(e, "there is no cgroup", e->parent->path);
	if (cgroup_hybrid(e->arena) && !access("/sys/fs/cgroup/devices", F_OK)) {
		assert_int_equal(cgroup_open(e->arena, &e->d, "/sys/fs/cgroup/devices", &cg), -1);
		assert_error(e, "cgroup v1", mount);
	}
}

static void parents_end_at_the_mount(void **state)
{
	struct env *e = *state;
	struct stat st;
	assert_int_equal(stat(e->cg->path, &st), 0);
	assert_int_equal(e->cg->id, st.st_ino);
	struct cgroup *up = cgroup_parent(e->arena, &e->d, e->cg);
	assert_string_equal(up->path, e->parent->path);
	assert_int_equal(up->id, e->parent->id);
	struct cgroup *root = cgroup_parent(e->arena, &e->d, up);
	assert_string_equal(root->path, root->mount);
	assert_null(cgroup_parent(e->arena, &e->d, root));
	assert_int_equal(e->d.n, 0);
	cgroup_close(root);
	cgroup_close(up);
}

static int take_lock(struct env *e)
{
	struct cgroup *cg;
	return cgroup_open(e->arena, &e->d, e->cg->path, &cg) || cgroup_lock(cg, &e->d);
}

/* Shared with the child: it is about to ask for the lock; the lock was let go. */
static volatile struct turns { bool asking, released; } *turns;

/* The child: its turn comes only after the lock was let go. */
static int take_turn(struct env *e)
{
	turns->asking = true;
	return take_lock(e) || !turns->released;
}

static void lock_excludes(void **state)
{
	struct env *e = *state;
	turns = mmap(NULL, sizeof *turns, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(turns, MAP_FAILED);
	assert_int_equal(cgroup_lock(e->cg, &e->d), 0);
	pid_t other = start(e, take_turn);
	for (int i = 0; i < 10000 && !turns->asking; i++)
		usleep(1000);
	usleep(50000); /* a lock that keeps nobody out has time to show it */
	turns->released = true;
	cgroup_unlock(e->cg);
	assert_int_equal(finish(other), 0);
	munmap((void *)turns, sizeof *turns);
}

#define LOCKS "/run/rucy-devguard/lock"

/* What may open a cgroup's directory cannot keep tools out; what is root's alone is no file
 * afterwards. */
static void lock_is_roots_alone(void **state)
{
	struct env *e = *state;
	struct stat st;
	const char *file = arena_printf(e->arena, LOCKS "/%llu", (unsigned long long)e->cg->id);
	int directory = open(e->cg->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(directory, LOCK_EX), 0);
	assert_int_equal(cgroup_lock(e->cg, &e->d), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(stat(LOCKS, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	cgroup_unlock(e->cg);
	assert_int_equal(stat(file, &st), -1);
	close(directory);

	/* a file that is taken away under its holder is nobody's lock any more */
	assert_int_equal(cgroup_lock(e->cg, &e->d), 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(finish(start(e, take_lock)), 0);
	cgroup_unlock(e->cg);
}

static void locks_left_behind_are_swept(void **state)
{
	struct env *e = *state;
	static const char *const files[] = {LOCKS "/dg-old", LOCKS "/dg-held", LOCKS "/dg-young"};
	int fd[3];
	const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	assert_int_equal(cgroup_lock(e->cg, &e->d), 0);
	for (int i = 0; i < 3; i++) {
		fd[i] = open(files[i], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd[i] >= 0);
		if (i < 2)
			assert_int_equal(futimens(fd[i], old), 0);
	}
	assert_int_equal(flock(fd[1], LOCK_EX), 0);
	cgroup_unlock(e->cg);
	int old_there = !access(files[0], F_OK), held_there = !access(files[1], F_OK), young_there = !access(files[2], F_OK);
	for (int i = 0; i < 3; i++) {
		unlink(files[i]);
		close(fd[i]);
	}
	assert_false(old_there);
	assert_true(held_there);
	assert_true(young_there);
}

/* ---- transient ------------------------------------------------------------------ */

static pid_t sleeper(void)
{
	pid_t pid = fork();
	if (!pid)
		for (;;)
			pause();
	return pid;
}

static void end_kills_and_removes_what_is_below(void **state)
{
	struct env *e = *state;
	struct cgroup *below, *deep;
	pid_t one = sleeper(), two = sleeper();
	assert_int_equal(transient_new(e->arena, &e->d, e->cg->path, "x", &below), 0);
	assert_int_equal(transient_new(e->arena, &e->d, below->path, "y", &deep), 0);
	assert_int_equal(transient_enter(&e->d, e->cg, one), 0);
	assert_int_equal(transient_enter(&e->d, deep, two), 0);
	cgroup_close(deep);
	cgroup_close(below);
	transient_end(e->cg);
	assert_int_equal(access(deep->path, F_OK), -1);
	assert_int_equal(access(e->cg->path, F_OK), -1);
	assert_int_equal(finish(one), 128);
	assert_int_equal(finish(two), 128);
}

static void enter_reports(void **state)
{
	struct env *e = *state;
	pid_t pid = fork();
	if (!pid)
		_exit(0);
	assert_int_equal(finish(pid), 0);
	assert_int_equal(transient_enter(&e->d, e->cg, pid), -1);
	assert_error(e, "cannot move process", "has ended");
}

/* Makes a cgroup with a process in it and waits to be killed. */
static int maker(struct env *e)
{
	struct cgroup *cg;
	pid_t member = sleeper(); /* before: like a command after exec, without our descriptors */
	if (transient_new(e->arena, &e->d, e->parent->path, PREFIX, &cg) ||
	    transient_enter(&e->d, cg, member))
		return 1;
	for (;;)
		pause();
}

static void sweep_removes_what_the_dead_left(void **state)
{
	struct env *e = *state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* of what the maker leaves */
	pid_t pid = start(e, maker);
	const char *path = arena_printf(e->arena, "%s/" PREFIX ".%d.0", e->parent->path, (int)pid);
	const char *procs = arena_printf(e->arena, "%s/cgroup.procs", path);
	const char *other = arena_printf(e->arena, "%s/" PREFIX "x.%d.0", e->parent->path, (int)pid);
	const char *near = arena_printf(e->arena, "%s/" PREFIX ".%d.0x", e->parent->path, (int)pid);
	char line[16] = "";
	for (int i = 0; i < 1000 && !*line; i++) {
		int fd = open(procs, O_RDONLY);
		if (fd >= 0) {
			assert_true(read(fd, line, sizeof line - 1) >= 0);
			close(fd);
		}
		usleep(1000);
	}
	assert_int_equal(mkdir(other, 0755), 0);
	assert_int_equal(mkdir(near, 0755), 0);
	transient_sweep(e->parent->path, PREFIX);
	assert_int_equal(access(path, F_OK), 0); /* its maker lives */

	kill(pid, SIGKILL);
	assert_int_equal(finish(pid), 128);
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	transient_sweep(e->parent->path, PREFIX);
	assert_int_equal(access(path, F_OK), 0); /* a maker in another PID namespace */
	close(fd);

	transient_sweep(e->parent->path, PREFIX);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(finish((pid_t)atol(line)), 128);
	assert_int_equal(access(e->cg->path, F_OK), 0);
	assert_int_equal(rmdir(other), 0);
	assert_int_equal(rmdir(near), 0);
}

/* ---- host ------------------------------------------------------------------------------ */

static void every_check_says_what_to_do(void **state)
{
	struct env *e = *state;
	struct host_check *list;
	size_t n;
	host_checks(e->arena, &list, &n);
	assert_true(n >= 10);
	for (size_t i = 0; i < n; i++) {
		assert_true(*list[i].what && *list[i].found);
		if (list[i].state != HOST_OK && (!list[i].fix || !*list[i].fix))
			fail_msg("%s: %s: no fix", list[i].what, list[i].found);
		if (!strcmp(list[i].what, "attach"))
			assert_int_equal(list[i].state, HOST_OK);
	}
	assert_int_equal(access(arena_printf(e->arena, "%s/devguard-doctor.%d.0", cgroup_mount(e->arena),
	                                     (int)getpid()), F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(open_refuses_what_is_no_v2_cgroup),
		SCRATCH_TEST(parents_end_at_the_mount),
		SCRATCH_TEST(lock_excludes),
		SCRATCH_TEST(lock_is_roots_alone),
		SCRATCH_TEST(locks_left_behind_are_swept),
		SCRATCH_TEST(end_kills_and_removes_what_is_below),
		SCRATCH_TEST(enter_reports),
		SCRATCH_TEST(sweep_removes_what_the_dead_left),
		SCRATCH_TEST(every_check_says_what_to_do),
	};
	if (!scratch_possible("test_cgroup"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}
