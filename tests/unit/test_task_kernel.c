/*
 * test_task_kernel.c - what readers tell of real processes, in each of the two ways that this kernel takes.
 */
#include "cgroup/tracefs.h"
#include "tests/unit/scratch.h"
#include "tests/unit/task_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

static const unsigned ways[] = {FEATURE_TASK_BTF, FEATURE_TASK_READ};
static bool possible[COUNT(ways)];
enum { WHO = 77, SOME_UID = 1234, UNTOLD = -1 };

/* ---- a program that is asked ---------------------------------------------------------------- */

struct asked_of {
	struct bpf_object *object;
	int program, cgroup, config, who;
};

/* False: the kernel does not take it this way. */
static bool attach(struct env *e, enum reader r, unsigned features, int64_t r2, struct asked_of *as)
{
	struct image image = task_image(e->arena, r, r2);
	struct bytes o = write_object(e->arena, task_policy(e->arena, AUDIT_DENIED), &image);
	struct bpf_map *map;
	*as = (struct asked_of){.object = bpf_object__open_mem(o.data, o.len, NULL)};
	assert_non_null(as->object);
	bpf_object__for_each_map(map, as->object) {
		size_t size;
		struct image_header *h = (void *)bpf_map__initial_value(map, &size); /* before 1.3 it is const */
		if (strstr(bpf_map__name(map), ".rodata"))
			h->features |= features;
	}
	if (bpf_object__load(as->object)) {
		bpf_object__close(as->object);
		return false;
	}
	as->program = bpf_program__fd(bpf_object__next_program(as->object, NULL));
	as->config = bpf_object__find_map_fd_by_name(as->object, "devguard_config");
	as->who = bpf_object__find_map_fd_by_name(as->object, WHO_MAP_NAME);
	as->cgroup = open(e->cg->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(bpf_prog_attach(as->program, as->cgroup, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI), 0);
	return true;
}

static void detach(struct asked_of *as)
{
	assert_int_equal(bpf_prog_detach2(as->program, as->cgroup, BPF_CGROUP_DEVICE), 0);
	close(as->cgroup);
	bpf_object__close(as->object);
}

static int64_t config(const struct asked_of *as)
{
	uint32_t key = 0;
	int64_t value;
	assert_int_equal(bpf_map_lookup_elem(as->config, &key, &value), 0);
	return value;
}

static void set_config(const struct asked_of *as, int64_t value)
{
	uint32_t key = 0;
	if (bpf_map_update_elem(as->config, &key, &value, BPF_ANY))
		abort();
}

static void enter(const struct env *e)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/cgroup.procs", e->cg->path);
	int fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(100);
	close(fd);
}

static void open_null(void)
{
	int fd = open("/dev/null", O_RDONLY);
	if (fd < 0)
		_exit(101);
	close(fd);
}

typedef void change(void *);

/* What is told of a process that was changed so, and does the access after it. */
static int64_t told(struct env *e, const struct asked_of *as, int64_t r1, change *f, void *arg, change *access)
{
	set_config(as, r1);
	pid_t pid = fork();
	if (!pid) {
		enter(e);
		f(arg);
		access ? access(arg) : open_null();
		_exit(0);
	}
	int status = finish(pid);
	if (status)
		fail_msg("the process ended with %d", status);
	return config(as);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void need(bool done)
{
	if (!done)
		_exit(102);
}

/* Each way that the kernel takes. */
#define EACH_WAY(e, reader, r2, as, ...)                                     \
	for (size_t way = 0; way < COUNT(ways); way++) {                     \
		struct asked_of as;                                          \
		if (!possible[way])                                          \
			continue;                                            \
		assert_true(attach(e, reader, ways[way], r2, &as));          \
		__VA_ARGS__                                                  \
		detach(&as);                                                 \
	}

/* ---- numbers -------------------------------------------------------------------------------- */

static void other_ids(void *arg)
{
	(void)arg;
	need(!setresgid(2001, 2002, 2003) && !setresuid(1001, 1002, 1003));
}

static void other_file_id(void *arg)
{
	(void)arg;
	setfsuid(1005);
	setfsgid(2005);
}

/* access(2) asks with credentials made of the real ids. */
static void setuid_root(void *arg)
{
	(void)arg;
	need(!setresgid(2001, 0, 0) && !setresuid(1001, 0, 0));
}

static void ask_access(void *arg)
{
	(void)arg;
	need(!access("/dev/null", R_OK));
}

static void test_ids(void **state)
{
	struct env *e = *state;
	EACH_WAY(e, READER_EUID, 0, as, {
		assert_int_equal(told(e, &as, 0, nothing, NULL, NULL), 0);
		assert_int_equal(told(e, &as, 0, other_ids, NULL, NULL), 1002);
		assert_int_equal(told(e, &as, 0, other_file_id, NULL, NULL), 0);
		assert_int_equal(told(e, &as, 0, setuid_root, NULL, ask_access), 0);
	})
	EACH_WAY(e, READER_EGID, 0, as, {
		assert_int_equal(told(e, &as, 0, nothing, NULL, NULL), 0);
		assert_int_equal(told(e, &as, 0, other_ids, NULL, NULL), 2002);
		assert_int_equal(told(e, &as, 0, setuid_root, NULL, ask_access), 0);
	})
	EACH_WAY(e, READER_FSUID, 0, as, {
		assert_int_equal(told(e, &as, 0, other_ids, NULL, NULL), 1002);
		assert_int_equal(told(e, &as, 0, other_file_id, NULL, NULL), 1005);
		assert_int_equal(told(e, &as, 0, setuid_root, NULL, ask_access), 0);
	})
}

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void log_in(void *arg)
{
	(void)arg;
	put_file("/proc/self/loginuid", "1234");
}

static void log_out(void *arg)
{
	(void)arg;
	put_file("/proc/self/loginuid", "4294967295");
}

static void test_login(void **state)
{
	struct env *e = *state;
	EACH_WAY(e, READER_LOGIN_UID, 0, as, {
		assert_int_equal(told(e, &as, 0, log_in, NULL, NULL), SOME_UID);
		assert_int_equal(told(e, &as, 0, log_out, NULL, NULL), ID_NONE);
	})
	EACH_WAY(e, READER_SESSION, 0, as, {
		int64_t one = told(e, &as, 0, log_in, NULL, NULL);
		assert_in_range(one, 1, UINT32_MAX - 1);
		assert_true(told(e, &as, 0, log_in, NULL, NULL) > one);
		assert_int_equal(told(e, &as, 0, log_out, NULL, NULL), ID_NONE);
	})
}

static void in_user_ns(void *arg)
{
	(void)arg;
	need(!unshare(CLONE_NEWUSER));
}

/* A process made behind unshare() is in the new namespace. */
static void in_pid_ns(void *arg)
{
	(void)arg;
	int status;
	need(!unshare(CLONE_NEWPID));
	pid_t pid = fork();
	if (pid) {
		need(waitpid(pid, &status, 0) == pid);
		_exit(status ? 103 : 0);
	}
}

static void test_namespaces(void **state)
{
	struct env *e = *state;
	EACH_WAY(e, READER_HOST_USER_NS, 0, as, {
		assert_int_equal(told(e, &as, 0, nothing, NULL, NULL), 1);
		assert_int_equal(told(e, &as, 0, in_user_ns, NULL, NULL), 0);
		assert_int_equal(told(e, &as, 0, in_pid_ns, NULL, NULL), 1);
	})
	EACH_WAY(e, READER_HOST_PID_NS, 0, as, {
		assert_int_equal(told(e, &as, 0, nothing, NULL, NULL), 1);
		assert_int_equal(told(e, &as, 0, in_pid_ns, NULL, NULL), 0);
		assert_int_equal(told(e, &as, 0, in_user_ns, NULL, NULL), 1);
	})
	EACH_WAY(e, READER_KERNEL_THREAD, 0, as, {
		assert_int_equal(told(e, &as, 0, nothing, NULL, NULL), 0);
	})
	EACH_WAY(e, READER_PPID, 0, as, {
		assert_int_equal(told(e, &as, 0, nothing, NULL, NULL), getpid());
	})
}

/* ---- capabilities --------------------------------------------------------------------------- */

/* Drops the capability of this number from the effective ones. */
static void drop(void *arg)
{
	int number = *(int *)arg;
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	need(!syscall(SYS_capget, &header, data));
	data[number / 32].effective &= ~(1u << number % 32);
	need(!syscall(SYS_capset, &header, data));
}

static uint64_t capabilities(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

static void test_capable(void **state)
{
	struct env *e = *state;
	uint64_t have = capabilities();
	EACH_WAY(e, READER_CAPABLE, 0, as, {
		for (int i = 0; i < CAPABILITIES; i += 5) { /* also beyond 31 */
			assert_int_equal(told(e, &as, i, nothing, NULL, NULL), have >> i & 1);
			assert_int_equal(told(e, &as, i, drop, &i, NULL), 0);
			assert_int_equal(told(e, &as, (i + 1) % CAPABILITIES, drop, &i, NULL), have >> (i + 1) % CAPABILITIES & 1);
			assert_int_equal(told(e, &as, i, in_user_ns, NULL, NULL), 0);
		}
		assert_int_equal(told(e, &as, CAP_SYS_ADMIN, other_ids, NULL, NULL), 0);
		assert_int_equal(told(e, &as, CAP_SYS_ADMIN, setuid_root, NULL, ask_access), have >> CAP_SYS_ADMIN & 1);
	})
}

/* ---- groups --------------------------------------------------------------------------------- */

struct groups {
	const struct asked_of *as;
	size_t n;
	gid_t gid[NGROUPS_MAX];
	bool limited; /* bpf_probe_read_kernel is not there */
};

static int64_t asked_group(const struct groups *g, gid_t gid)
{
	set_config(g->as, gid);
	open_null();
	return config(g->as);
}

/* Is a member: at both ends, in the middle, and each of a few; and is none: next to them, and 0. */
static void check_groups(void *arg)
{
	struct groups *g = arg;
	uint64_t seed = g->n;
	bool told = g->n <= 32 || !g->limited;
	need(!setgroups(g->n, g->gid));
	setfsgid(999999);
	need(asked_group(g, 999999) == 1);
	need(asked_group(g, 0) == (told ? 0 : UNTOLD));
	need(asked_group(g, UINT32_MAX - 1) == (told ? 0 : UNTOLD));
	for (size_t i = 0; i < g->n && i < 200; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		size_t at = g->n <= 100 ? i : i == 0 ? 0 : i == 1 ? g->n - 1 : (seed >> 33) % g->n;
		need(asked_group(g, g->gid[at]) == (told ? 1 : UNTOLD));
		need(asked_group(g, g->gid[at] + 1) == (told ? 0 : UNTOLD));
		need(asked_group(g, g->gid[at] - 1) == (told ? 0 : UNTOLD));
	}
}

static void test_groups(void **state)
{
	struct env *e = *state;
	static const size_t counts[] = {0, 1, 2, 3, 31, 32, 33, 34, 63, 64, 65, 1000, 65535, 65536};
	static struct groups g;
	for (size_t way = 0; way < COUNT(ways); way++)
		for (size_t both = 0; both < 2; both++) {
			struct asked_of as;
			unsigned features = both ? FEATURE_TASK_BTF | FEATURE_TASK_READ : ways[way];
			if (!possible[way] || (both && (way || !possible[1])))
				continue;
			assert_true(attach(e, READER_GROUP, features, 0, &as));
			for (size_t i = 0; i < COUNT(counts); i++) {
				g.as = &as;
				g.n = counts[i];
				g.limited = features == FEATURE_TASK_BTF;
				for (size_t k = 0; k < g.n; k++) /* the kernel sorts them; the last is beyond 2^31 */
					g.gid[k] = 3 + 3 * (gid_t)(g.n - k) + (k ? 0 : 3000000000u);
				told(e, &as, 0, nothing, NULL, NULL);
				told(e, &as, 0, check_groups, &g, NULL);
			}
			detach(&as);
		}
}

/* ---- files ---------------------------------------------------------------------------------- */

/* As ext4 and a few others tell it. False: this file system does not. */
static bool identity(const char *path, struct who_key *key)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long generation = 0; /* 4 bytes are written */
	bool done = fd >= 0 && !fstat(fd, &st) && major(st.st_dev) && !ioctl(fd, FS_IOC_GETVERSION, &generation);
	if (done)
		*key = (struct who_key){st.st_ino, (uint32_t)(major(st.st_dev) << 20 | minor(st.st_dev)), (uint32_t)generation, 0};
	if (fd >= 0)
		close(fd);
	return done;
}

static void name_file(const struct asked_of *as, struct who_key key, uint64_t value)
{
	assert_int_equal(bpf_map_update_elem(as->who, &key, &value, BPF_ANY), 0);
}

static void run_file(void *arg)
{
	execl(arg, arg, "/dev/null", NULL);
}

/* cat reads a device. */
static const char program[] = "/bin/cat";

static bool copy_program(const char *to)
{
	char command[256];
	snprintf(command, sizeof command, "cp %s %s && chmod 755 %s", program, to, to);
	return !system(command);
}

static void test_exe(void **state)
{
	struct env *e = *state;
	char directory[] = "/var/tmp/devguard-task-XXXXXX", one[64], two[64], three[64];
	struct who_key key, other;
	assert_non_null(mkdtemp(directory));
	snprintf(one, sizeof one, "%s/one", directory);
	snprintf(two, sizeof two, "%s/two", directory);
	snprintf(three, sizeof three, "%s/three", directory);
	assert_true(copy_program(one) && copy_program(two) && !link(one, three));
	bool told_here = identity(one, &key) && identity(two, &other);
	if (told_here) {
		EACH_WAY(e, READER_EXE, 0, as, {
			name_file(&as, key, WHO);
			assert_int_equal(told(e, &as, 0, nothing, one, run_file), WHO);
			assert_int_equal(told(e, &as, 0, nothing, three, run_file), WHO); /* the same file */
			assert_int_equal(told(e, &as, 0, nothing, two, run_file), 0);     /* a copy */
			for (int i = 0; i < 3; i++) { /* each part of an identity counts */
				struct who_key wrong = other;
				*(i == 0 ? &wrong.device : &wrong.generation) ^= i < 2;
				wrong.id ^= i == 2;
				name_file(&as, wrong, WHO + 1);
			}
			assert_int_equal(told(e, &as, 0, nothing, two, run_file), 0);
			name_file(&as, other, WHO + 2);
			assert_int_equal(told(e, &as, 0, nothing, two, run_file), WHO + 2);
			static const struct { mode_t mode; int64_t told; } modes[] = {
				{0775, 0}, {0757, 0}, {0777, 0}, {04755, WHO}, {0555, WHO}, {0755, WHO}};
			for (size_t i = 0; i < COUNT(modes); i++) {
				assert_int_equal(chmod(one, modes[i].mode), 0);
				assert_int_equal(told(e, &as, 0, nothing, one, run_file), modes[i].told);
			}
			assert_int_equal(chown(one, 1000, 0), 0);
			assert_int_equal(told(e, &as, 0, nothing, one, run_file), 0);
			assert_int_equal(chown(one, 0, 1000), 0);
			assert_int_equal(told(e, &as, 0, nothing, one, run_file), WHO);
			assert_int_equal(told(e, &as, 0, in_user_ns, one, run_file), WHO);
		})
	}
	unlink(one);
	unlink(two);
	unlink(three);
	rmdir(directory);
	if (!told_here) {
		print_message("the file system of /var/tmp tells no generation\n");
		skip();
	}
}

static void test_parent_exe(void **state)
{
	struct env *e = *state;
	struct who_key key;
	struct stat st;
	if (!identity("/proc/self/exe", &key) || stat("/proc/self/exe", &st) || st.st_uid || (st.st_mode & 022)) {
		print_message("this program is not root's, or its file system tells no generation\n");
		skip();
	}
	EACH_WAY(e, READER_PARENT_EXE, 0, as, {
		assert_int_equal(told(e, &as, 0, nothing, NULL, NULL), 0);
		name_file(&as, key, WHO);
		assert_int_equal(told(e, &as, 0, nothing, NULL, NULL), WHO);
		assert_int_equal(told(e, &as, 0, nothing, (void *)program, run_file), WHO);
	})
	EACH_WAY(e, READER_EXE, 0, as, {
		name_file(&as, key, WHO);
		assert_int_equal(told(e, &as, 0, nothing, NULL, NULL), WHO);
		assert_int_equal(told(e, &as, 0, nothing, (void *)program, run_file), 0);
	})
}

/* ---- cgroups -------------------------------------------------------------------------------- */

static void name_cgroup(const struct asked_of *as, const char *path, uint64_t value)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	name_file(as, (struct who_key){st.st_ino, WHO_DEVICE_CGROUP, 0, 0}, value);
}

/* The scratch cgroup is below another; a cgroup is under itself and all above it, at their levels only. */
static void test_under(void **state)
{
	struct env *e = *state;
	const char *mount = cgroup_mount(e->arena);
	int level = 0;
	for (const char *s = e->cg->path + strlen(mount); *s; s++)
		level += *s == '/';
	EACH_WAY(e, READER_UNDER, WHO, as, {
		assert_int_equal(told(e, &as, level, nothing, NULL, NULL), 0);
		name_cgroup(&as, e->cg->path, WHO + 1);
		name_cgroup(&as, e->parent->path, WHO);
		for (int i = 0; i < level + 3; i++)
			assert_int_equal(told(e, &as, i, nothing, NULL, NULL), i == level - 1);
		name_cgroup(&as, e->cg->path, WHO);
		assert_int_equal(told(e, &as, level, nothing, NULL, NULL), 1);
		name_cgroup(&as, mount, WHO);
		assert_int_equal(told(e, &as, 0, nothing, NULL, NULL), 1);
		assert_int_equal(told(e, &as, 500, nothing, NULL, NULL), 0);
	})
}

/* ---- what the kernel does not tell -------------------------------------------------------------- */

static void test_untold(void **state)
{
	struct env *e = *state;
	for (int r = 0; r < READER_UNDER; r++) {
		struct asked_of as;
		assert_true(attach(e, (enum reader)r, 0, 0, &as));
		assert_int_equal(told(e, &as, 0, nothing, NULL, NULL), UNTOLD);
		detach(&as);
	}
}

/* Which ways there are. */
static void test_ways(void **state)
{
	struct env *e = *state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct asked_of as;
		possible[i] = attach(e, READER_EUID, ways[i], 0, &as);
		assert_int_equal(possible[i], ways[i] == FEATURE_TASK_READ ? !kernel_locked_down() : !kernel_before(6, 1));
		if (possible[i])
			detach(&as);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_ways),
		SCRATCH_TEST(test_ids),
		SCRATCH_TEST(test_login),
		SCRATCH_TEST(test_namespaces),
		SCRATCH_TEST(test_capable),
		SCRATCH_TEST(test_groups),
		SCRATCH_TEST(test_exe),
		SCRATCH_TEST(test_parent_exe),
		SCRATCH_TEST(test_under),
		SCRATCH_TEST(test_untold),
	};
	if (!scratch_possible("test_task_kernel"))
		return 0;
	libbpf_set_print(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}
