/*
 * test_raw_emit.c - steps of raw programs as instructions and in objects: the kernel takes them, and what they leave
 * in maps is what the steps say.
 */
#include "tests/unit/raw_program.h"
#include "tests/unit/scratch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static char said[1 << 16]; /* by libbpf */
static size_t nsaid;

static int listen(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level != LIBBPF_WARN || nsaid >= sizeof said - 1)
		return 0;
	int n = vsnprintf(said + nsaid, sizeof said - nsaid, format, args);
	nsaid += n > 0 ? (size_t)n : 0;
	nsaid = nsaid < sizeof said ? nsaid : sizeof said - 1;
	return 0;
}

/* Loaded by libbpf, which said nothing. */
static struct bpf_object *load(const struct building *b)
{
	nsaid = 0;
	*said = '\0';
	libbpf_set_print(listen);
	struct bpf_object *o = bpf_object__open_mem(b->object.data, b->object.len, NULL);
	if (!o || bpf_object__load(o) || nsaid) {
		FILE *listing = fopen("/tmp/raw_emit.asm", "w");
		emit_asm(listing, b->policy, &b->image);
		fclose(listing);
		fail_msg("%s", said);
	}
	return o;
}

static int map_of(const struct bpf_object *o, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(o, name);
	if (fd < 0)
		fail_msg("no map %s", name);
	return fd;
}

/* ---- run in a cgroup ------------------------------------------------------------------------ */

enum { ASKED_MAJOR = 42 };


/* In the cgroup: asks for a device of that number, by making its node. */
static int ask(struct env *e, int minor)
{
	char path[PATH_MAX], pid[32];
	snprintf(path, sizeof path, "%s/cgroup.procs", e->cg->path);
	int fd = open(path, O_WRONLY | O_CLOEXEC), n = snprintf(pid, sizeof pid, "%d", getpid());
	if (fd < 0 || write(fd, pid, (size_t)n) != n)
		return 2;
	close(fd);
	snprintf(path, sizeof path, "/tmp/devguard-raw-%d", getpid());
	int made = mknod(path, S_IFCHR | 0600, makedev(ASKED_MAJOR, (unsigned)minor)), error = errno;
	unlink(path);
	return made ? (error == EPERM ? 1 : 3) : 0;
}

/* The process that asks: what it got (0: allowed), and its pid. */
static int asked_by(struct env *e, int minor, pid_t *pid)
{
	*pid = fork();
	if (!*pid)
		_exit(ask(e, minor));
	return finish(*pid);
}

/* Attached to the scratch cgroup. */
static struct bpf_object *attach(struct env *e, const struct building *b)
{
	struct bpf_object *o = load(b);
	struct bpf_program *p = bpf_object__next_program(o, NULL);
	assert_int_equal(bpf_prog_attach(bpf_program__fd(p), e->cg->fd, BPF_CGROUP_DEVICE, 0), 0);
	return o;
}

static uint64_t number_at(int map, const void *key)
{
	uint64_t value = 0;
	return bpf_map_lookup_elem(map, key, &value) ? UINT64_MAX : value;
}

static void a_device_program_prints_and_counts(void **state)
{
	struct env *e = *state;
	struct building *b = raw_begin(e->arena, RAW_DEVICE, "cgroup/dev");
	uint32_t counts = raw_map(b, "COUNTS", RAW_TABLE, "pid:4", "value:8", 64);
	raw_lost(b);
	raw_arg(raw_print(b, "access %d"), number(term_input(b->ts, IN_REQUESTED)));
	raw_add(b, counts, number(term_input(b->ts, IN_PID)), constant(b, 1));
	raw_object(b);
	struct bpf_object *o = attach(e, b);
	pid_t pid;
	assert_int_equal(asked_by(e, 1, &pid), 0);
	assert_int_equal(number_at(map_of(o, "COUNTS"), &pid), 1);
	bpf_object__close(o);
}

int main(int argc, char **argv)
{
	(void)argc;
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_device_program_prints_and_counts),
	};
	if (!scratch_possible(argv[0]))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
