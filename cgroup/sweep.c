/*
 * sweep.c - takes the pins of guards away when their containers have ended.
 *
 * A process for each container waits until nothing runs in its cgroup any more and then
 * removes the pin; guards do not depend on it: were it killed, the next hook removes what
 * it left. It is one a container because a runtime that reaps its descendants (crun run)
 * waits for it. cgroup.events tells by poll(2) (Documentation/admin-guide/cgroup-v2.rst).
 */
#include "cgroup/link.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

/* A link outlives its cgroup, with cgroup id 0. */
static bool is_stale(const char *path)
{
	struct bpf_link_info info;
	int fd = bpf_obj_get(path);
	if (fd < 0)
		return false;
	bool stale = link_info(fd, &info) && !info.cgroup.cgroup_id;
	close(fd);
	return stale;
}

void link_sweep(void)
{
	char directory[PIN_PATH], path[2 * PIN_PATH];
	const char *bpffs = link_bpffs();
	if (!bpffs)
		return;
	snprintf(directory, sizeof directory, "%s/" LINK_DIRECTORY, bpffs);
	DIR *dir = opendir(directory);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		snprintf(path, sizeof path, "%s/%.24s", directory, e->d_name);
		if (e->d_name[0] != '.' && is_stale(path))
			unlink(path);
	}
	if (dir)
		closedir(dir);
}

/* Leaves the session, the cgroup and all descriptors of the caller but this one. */
static void leave_caller(const char *root, int keep)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	file_write(AT_FDCWD, root, "0");
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	close_range(3, (unsigned)keep - 1, 0); /* EINVAL: there is none */
	close_range((unsigned)keep + 1, ~0u, 0);
	prctl(PR_SET_NAME, "devguard-keeper", 0, 0, 0);
	if (chdir("/"))
		_exit(1);
}

/* The kernel tells of changes at most every 10 ms, and what it still holds back is lost
 * when the cgroup is removed: after each change there is a second look. */
static void wait_empty(int events)
{
	enum { SECOND_LOOK_MS = 50, LATER_MS = 5000 };
	struct pollfd p = {.fd = events, .events = POLLPRI};
	for (int timeout = SECOND_LOOK_MS; events_populated(events);)
		timeout = poll(&p, 1, timeout) ? SECOND_LOOK_MS : LATER_MS;
}

/* Waits until nothing runs in the cgroup and takes the pin away, with the lock held: a container
 * that was put into the same cgroup meanwhile has taken the pin over. Where the lock cannot be
 * had, the pin is left to the next hook. */
static void end_guard(uint64_t cgroup, int events, const char *pin)
{
	for (;;) {
		wait_empty(events);
		int lock = lock_take_patiently(cgroup);
		bool over = lock < 0 || !events_populated(events);
		if (lock >= 0 && over)
			unlink(pin);
		if (lock >= 0)
			lock_release(cgroup, lock);
		if (over)
			return;
	}
}

int link_keeper(struct arena *a, struct diags *d, const struct cgroup *cg)
{
	const char *bpffs = link_bpffs(), *root = arena_printf(a, "%s/cgroup.procs", cg->mount);
	char pin[PIN_PATH];
	int events = openat(cg->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	pid_t child = bpffs && events >= 0 ? fork() : -1;
	if (child < 0) {
		diag_add(d, DIAG_WARNING, (struct span){0}, "the next container started with the hook removes it",
		         "the guard's pin may stay when the container has ended: %s", strerror(errno));
		return -1;
	}
	if (child > 0) {
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
		close(events);
		return 0;
	}
	if (fork()) /* the second is nobody's child */
		_exit(0);
	link_pin_path(pin, cg->id);
	leave_caller(root, events);
	end_guard(cg->id, events, pin);
	_exit(0);
}
