/*
 * test_probe.c - cgroup/probe.c: what the kernel answers for a known policy, and
 * that nothing else is taken for an answer.
 */
#define SCRATCH_OBJECT
#include "tests/unit/scratch.h"
#include "policy/host.h"

#include <linux/capability.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

static const struct {
	const char *text;
	enum probe_answer answer;
} requests[] = {
	{"c 1:3 r", PROBE_ALLOW},
	{"c 1:3 w", PROBE_ALLOW},
	{"c 1:3 rw", PROBE_ALLOW},
	{"c 1:3 m", PROBE_DENY},
	{"c 1:3 rwm", PROBE_DENY},
	{"c 1:3 -", PROBE_ALLOW},
	{"b 1:3 r", PROBE_DENY},
	{"b 1:3 -", PROBE_DENY},
	{"c 10:200 m", PROBE_ALLOW},
	{"c 10:200 r", PROBE_DENY},
	{"c 10:200 rm", PROBE_DENY},
	{"c 10:200 -", PROBE_ALLOW},
	{"c 4095:1048575 r", PROBE_DENY},
	{"c 1:5 r", PROBE_DENY},
	{"c 1:5 r uid=1000", PROBE_ALLOW},
	{"c 1:5 r uid=4294967294", PROBE_DENY},
	{"c 1:5 r", PROBE_DENY},
	{"c 1:7 r uid=1000", PROBE_DENY},
	{"c 1:7 r gid=1000 uid=1", PROBE_ALLOW},
	{"c 10:200 m gid=1000 uid=1", PROBE_ALLOW},
	{"c 1:8 r comm=qemu", PROBE_ALLOW},
	{"c 1:8 r comm=qemu-kvm", PROBE_DENY},
	{"c 1:8 r", PROBE_DENY},
	{"c 1:8 r comm=qemu uid=1000 gid=1000", PROBE_ALLOW},
	{"c 0:0 m", PROBE_SKIPPED},
	{"c 0:0 r", PROBE_SKIPPED},
	{"b 0:0 m", PROBE_DENY},
	{"b 0:0 rm", PROBE_SKIPPED},
	{"c 1:3 r pid=1", PROBE_SKIPPED},
	{"c 1:3 r uid=4294967295", PROBE_SKIPPED},
	/* a process made for the question */
	{"c 1:5 r uid=1000 euid=5 fsuid=6", PROBE_ALLOW},
	{"c 1:5 r", PROBE_DENY},
	{"c 1:5 r euid=1000", PROBE_DENY},
	{"c 1:7 r gid=1000 egid=8 groups=9,10 uid=1", PROBE_ALLOW},
	{"c 1:7 r gid=8 egid=1000", PROBE_DENY},
	{"c 1:5 r uid=1000 caps=none", PROBE_ALLOW},
	{"c 10:200 m caps=mknod euid=7 fsuid=8", PROBE_ALLOW},
	{"c 1:3 rw euid=1000 fsuid=1001 caps=none groups=none", PROBE_ALLOW},
	{"c 1:5 r uid=1000 host_user_ns=no host_pid_ns=no euid=3", PROBE_ALLOW},
	{"c 1:5 r uid=1000 host_user_ns=yes host_pid_ns=yes kernel_thread=no", PROBE_ALLOW},
	{"c 1:8 r comm=qemu ppid=31007", PROBE_ALLOW},
	{"c 1:8 r comm=kvm ppid=31007", PROBE_DENY},
	/* of a program that asks for no file and no cgroup, they are nothing */
	{"c 1:5 r uid=1000 exe=/usr/bin/x parent_exe=- cgroup=/a/b", PROBE_ALLOW},
	{"c 10:200 m caps=none", PROBE_SKIPPED},
	{"c 10:200 m host_user_ns=no", PROBE_SKIPPED},
	{"c 1:3 r caps=mknod host_user_ns=no", PROBE_SKIPPED},
	{"c 1:3 r kernel_thread=yes", PROBE_SKIPPED},
	{"c 1:3 r session=3", PROBE_SKIPPED},
	{"c 1:3 r session=none login_uid=1000", PROBE_SKIPPED},
	{"c 1:3 r ppid=0", PROBE_SKIPPED},
	{"c 1:3 r ppid=1", PROBE_SKIPPED},
	{"c 1:3 r ppid=4194304", PROBE_SKIPPED},
	{"c 1:3 r euid=4294967295", PROBE_SKIPPED},
};

/* Do device programs of this kernel know comm? */
static bool knows_comm(void)
{
	struct utsname u;
	unsigned major = 0, minor = 0;
	uname(&u);
	sscanf(u.release, "%u.%u", &major, &minor);
	return major > 6 || (major == 6 && minor >= 1);
}

static void probe_asks_the_kernel(void **state)
{
	struct env *e = *state;
	struct probe *pr;
	const char *why, *error, *hint;
	need_object();
	struct program *p = load_named(e, "unit");
	if (probe_open(e->arena, &e->d, p, &pr))
		fail_msg("%s", e->d.items[0].text);
	program_close(p);
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < COUNT(requests); i++) {
			struct request r;
			if (strstr(requests[i].text, "comm=") && !knows_comm())
				continue;
			if (request_parse(e->arena, &host_here, requests[i].text, &r, &error, &hint))
				fail_msg("%s: %s", requests[i].text, error);
			enum probe_answer answer = probe_ask(pr, &r, &why);
			if (answer == PROBE_SKIPPED && strstr(why, strerror(EEXIST)))
				continue; /* another process has the number just now */
			if (answer != requests[i].answer)
				fail_msg("%s: %d (%s), want %d", requests[i].text, answer, why ? why : "-",
				         requests[i].answer);
			assert_true((answer == PROBE_SKIPPED) == (why != NULL));
		}
	/* more devices than nodes are kept */
	for (int i = 0; i < 5000; i++) {
		struct request r = {.type = DEV_CHAR, .access = ACC_READ, .major = i % 7, .minor = i / 3};
		bool allowed = r.major == 1 && r.minor == 3;
		if (r.major || r.minor)
			assert_int_equal(probe_ask(pr, &r, &why), allowed ? PROBE_ALLOW : PROBE_DENY);
	}
	probe_close(pr);
}

static int open_probe(struct env *e)
{
	struct probe *pr;
	if (probe_open(e->arena, &e->d, load_named(e, "unit"), &pr))
		return 1;
	for (;;)
		pause();
}

/* How many cgroups under the mount and how many processes in them have this maker. */
static int scratch_of(struct env *e, pid_t pid)
{
	const char *path = arena_printf(e->arena, "%s/devguard-probe.%d.0/cgroup.procs",
	                                cgroup_mount(e->arena), (int)pid);
	char line[16];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line);
	close(fd);
	return n < 0 ? 0 : 1 + (n > 0);
}

static void probe_leaves_nothing_when_killed(void **state)
{
	struct env *e = *state;
	struct probe *pr;
	need_object();
	pid_t pid = start(e, open_probe);
	for (int i = 0; i < 2000 && scratch_of(e, pid) < 2; i++)
		usleep(1000);
	assert_int_equal(scratch_of(e, pid), 2);
	kill(pid, SIGKILL);
	assert_int_equal(finish(pid), 128);
	for (int i = 0; i < 2000 && scratch_of(e, pid) > 1; i++)
		usleep(1000);
	assert_int_equal(scratch_of(e, pid), 1); /* the asking process went too */
	struct program *p = load_named(e, "unit");
	assert_int_equal(probe_open(e->arena, &e->d, p, &pr), 0);
	assert_int_equal(scratch_of(e, pid), 0); /* swept by the next one */
	probe_close(pr);
	assert_int_equal(scratch_of(e, getpid()), 0);
	program_close(p);
}

/* Programs of ancestors would answer too: no verdict may come from them. */
static int open_probe_without_mknod(struct env *e)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2];
	struct program *p = load_named(e, "unit");
	struct probe *pr;
	if (syscall(SYS_capget, &header, caps))
		return 1;
	caps[0].effective &= ~CAP_TO_MASK(CAP_MKNOD);
	if (syscall(SYS_capset, &header, caps) || !probe_open(e->arena, &e->d, p, &pr))
		return 2;
	assert_error(e, "requests cannot be put to this kernel", "CAP_MKNOD");
	return 0;
}

static void probe_takes_no_other_eperm_for_a_verdict(void **state)
{
	need_object();
	assert_int_equal(finish(start(*state, open_probe_without_mknod)), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(probe_asks_the_kernel),
		SCRATCH_TEST(probe_leaves_nothing_when_killed),
		SCRATCH_TEST(probe_takes_no_other_eperm_for_a_verdict),
	};
	if (!scratch_possible("test_probe"))
		return 0;
	read_object(argc > 1 ? argv[1] : getenv("DEVGUARD_TEST_OBJECT"));
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(object);
	return failed ? 1 : 0;
}
