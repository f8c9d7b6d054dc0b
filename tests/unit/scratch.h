/*
 * scratch.h - for tests of cgroup/ against the running kernel: a scratch cgroup
 * below another for each test, and the program they attach. They need root and a
 * writable cgroup v2 hierarchy and are skipped, with the reason, without them.
 *
 * The program is the file DEVGUARD_TEST_OBJECT (or the first argument), the object
 * of this policy; tests that need it are skipped without it:
 *
 *	policy "unit"
 *	allow "c 1:3 rw"
 *	allow "c 10:200 m"
 *	allow("c 1:5 r") { |ctx| ctx.uid == 1000 }
 *	allow("c 1:7 r") { |ctx| ctx.gid == 1000 }
 *	allow("c 1:8 r") { |ctx| ctx.comm == "qemu" }
 *
 * Before Linux 6.1 it is without the last line.
 */
#ifndef DEVGUARD_TESTS_SCRATCH_H
#define DEVGUARD_TESTS_SCRATCH_H

#include "cgroup/cgroup.h"
#include "tests/unit/fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#define PREFIX "devguard-unit"

struct env {
	struct arena *arena;
	struct diags d;
	struct cgroup *parent, *cg; /* scratch, cg below parent */
};

static int setup(void **state)
{
	struct env *e = calloc(1, sizeof *e);
	e->arena = arena_new();
	diags_init(&e->d, e->arena);
	*state = e;
	return transient_new(e->arena, &e->d, NULL, PREFIX, &e->parent) ||
	       transient_new(e->arena, &e->d, e->parent->path, PREFIX, &e->cg);
}

static int teardown(void **state)
{
	struct env *e = *state;
	const char *path = e->parent->path;
	transient_end(e->cg);
	transient_end(e->parent);
	int left = !access(path, F_OK);
	arena_free(e->arena);
	free(e);
	return left;
}

/* The last error says this, and has a hint; diagnostics start anew. */
static inline void assert_error(struct env *e, const char *text, const char *hint)
{
	const struct diag *found = NULL;
	for (size_t i = 0; i < e->d.n; i++)
		if (e->d.items[i].level == DIAG_ERROR)
			found = &e->d.items[i];
	if (!found || !strstr(found->text, text) || !found->hint || !strstr(found->hint, hint))
		fail_msg("got '%s' (%s), want '%s' (%s)", found ? found->text : "no error",
		         found && found->hint ? found->hint : "no hint", text, hint);
	diags_init(&e->d, e->arena);
}

/* A process that runs f(e) and exits with its result. */
static inline pid_t start(struct env *e, int (*f)(struct env *e))
{
	pid_t pid = fork();
	if (!pid)
		_exit(f(e));
	assert_true(pid > 0);
	return pid;
}

static inline int finish(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* ---- programs, for files that #define SCRATCH_OBJECT --------------------------- */

#ifdef SCRATCH_OBJECT
#include <fcntl.h>
#include <sys/stat.h>

static char *object; /* of DEVGUARD_TEST_OBJECT */
static size_t object_len;

static void need_object(void)
{
	if (object)
		return;
	print_message("DEVGUARD_TEST_OBJECT is not set\n");
	skip();
}

static int load_bytes(struct env *e, const char *bytes, struct program **p)
{
	return program_load(e->arena, &e->d, "unit.rb", bytes, object_len, p);
}

/* The object with the policy's name changed. */
static inline struct program *load_named(struct env *e, const char *name)
{
	struct program *p;
	struct image_header h;
	char *copy = arena_strndup(e->arena, object, object_len);
	uint64_t magic = IMAGE_MAGIC;
	char *at = memmem(copy, object_len, &magic, sizeof magic);
	assert_non_null(at);
	memcpy(&h, at, sizeof h);
	assert_string_equal(h.name, "unit");
	snprintf(h.name, sizeof h.name, "%s", name);
	memcpy(at, &h, sizeof h);
	if (load_bytes(e, copy, &p))
		fail_msg("%s", e->d.items[0].text);
	return p;
}

static void read_object(const char *path)
{
	struct stat st;
	int fd = path ? open(path, O_RDONLY) : -1;
	if (fd < 0 || fstat(fd, &st))
		return;
	object_len = (size_t)st.st_size;
	object = malloc(object_len);
	if (read(fd, object, object_len) != (ssize_t)object_len)
		abort();
	close(fd);
}

#endif

/* Also removes what a test that was killed left behind. */
static bool scratch_possible(const char *test)
{
	struct arena *a = arena_new();
	const char *mount = a ? cgroup_mount(a) : NULL;
	bool possible = geteuid() == 0 && mount && !access(mount, W_OK);
	if (possible)
		transient_sweep(mount, PREFIX);
	arena_free(a);
	if (!possible)
		printf("%s: skipped: needs root and a writable cgroup v2 hierarchy\n", test);
	return possible;
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
