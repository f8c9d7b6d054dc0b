/*
 * hider.c - what root in a container may try, for the scripts; static, it runs in any root directory.
 *
 *	hider bpf                         asks for programs, maps and pins of the kernel: what it is told, a line each
 *	hider spread DIR COUNT NODE       opens NODE once in each of COUNT new cgroups below DIR, which are removed again
 *	hider deep DIR LEVELS NODE        opens it in a cgroup so many levels below DIR, which stays: ok, or the errno
 *	hider name COMM NODE              opens it under that name
 *	hider move DIR COUNT NODE         opens it while another process moves this one between two cgroups below DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *told(long rc) { return rc >= 0 ? "ok" : strerrorname_np(errno); }

static int asks_bpf(void)
{
	union bpf_attr a;
	memset(&a, 0, sizeof a);
	printf("programs %s\n", told(syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &a, sizeof a)));
	memset(&a, 0, sizeof a);
	printf("maps %s\n", told(syscall(SYS_bpf, BPF_MAP_GET_NEXT_ID, &a, sizeof a)));
	memset(&a, 0, sizeof a);
	a.query.target_fd = (uint32_t)open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY);
	a.query.attach_type = BPF_CGROUP_DEVICE;
	printf("attached %s\n", (int)a.query.target_fd < 0 ? "none" : told(syscall(SYS_bpf, BPF_PROG_QUERY, &a, sizeof a)));
	return 0;
}

static int enter(const char *dir, pid_t pid)
{
	char path[4096], text[16];
	snprintf(path, sizeof path, "%s/cgroup.procs", dir);
	int fd = open(path, O_WRONLY), n = snprintf(text, sizeof text, "%d", pid);
	int rc = fd < 0 || write(fd, text, (size_t)n) != n;
	if (fd >= 0)
		close(fd);
	if (rc)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return rc;
}

static int tries(const char *node)
{
	int fd = open(node, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0)
		close(fd);
	return fd;
}

static int spread(const char *dir, long count, const char *node)
{
	char path[4096];
	for (long i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s/h%ld", dir, i);
		if (mkdir(path, 0755) || enter(path, getpid()))
			return 1;
		tries(node);
		if (enter(dir, getpid()) || rmdir(path))
			return 1;
	}
	return 0;
}

static int deep(const char *dir, long levels, const char *node)
{
	char path[4096];
	size_t n = (size_t)snprintf(path, sizeof path, "%s", dir);
	for (long i = 0; i < levels && n < sizeof path - 3; i++) {
		n += (size_t)snprintf(path + n, sizeof path - n, "/d");
		if (mkdir(path, 0755) && errno != EEXIST)
			return 1;
	}
	if (enter(path, getpid()))
		return 1;
	puts(told(tries(node)));
	return 0;
}

static int moved(const char *dir, long count, const char *node)
{
	char path[2][4096];
	pid_t self = getpid();
	for (int i = 0; i < 2; i++) {
		snprintf(path[i], sizeof path[i], "%s/m%d", dir, i);
		if (mkdir(path[i], 0755) && errno != EEXIST)
			return 1;
	}
	pid_t mover = fork();
	if (!mover)
		for (int i = 0;; i ^= 1)
			if (enter(path[i], self))
				_exit(1);
	for (long i = 0; i < count; i++)
		tries(node);
	kill(mover, SIGKILL);
	waitpid(mover, NULL, 0);
	return 0;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	if (!strcmp(how, "bpf"))
		return asks_bpf();
	if (argc == 4 && !strcmp(how, "name")) {
		prctl(PR_SET_NAME, argv[2]);
		puts(told(tries(argv[3])));
		return 0;
	}
	if (argc != 5)
		return 64;
	long count = atol(argv[3]);
	if (!strcmp(how, "spread"))
		return spread(argv[2], count, argv[4]);
	if (!strcmp(how, "deep"))
		return deep(argv[2], count, argv[4]);
	return strcmp(how, "move") ? 64 : moved(argv[2], count, argv[4]);
}
