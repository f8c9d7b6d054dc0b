/*
 * process.c - the cgroup of a process that somebody names by its pid.
 *
 * A pid is used again, and a process moves. So the process is held by a pidfd before its
 * cgroup is asked for, and after the cgroup was opened the process must still run, in that one.
 */
#include "cgroup/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

bool process_runs(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	return poll(&p, 1, 0) == 0;
}

static int ended(struct diags *d, pid_t pid)
{
	return diag_fail(d, "name a process that runs: a pid counts in the PID namespace of this shell",
	                 "there is no process %d, or it has ended", (int)pid);
}

/* Its path from the root of the cgroup namespace on. 0 or -1. */
static int path_of(struct arena *a, struct diags *d, pid_t pid, int pidfd, char path[CGROUP_PATH])
{
	char process[24];
	snprintf(process, sizeof process, "%d", (int)pid);
	int error = -cgroup_of_process(process, path);
	if (error == ENOENT || error == ESRCH || !process_runs(pidfd))
		return ended(d, pid);
	if (error == ENODATA)
		return diag_fail(d, hierarchy_hint(a), "process %d is in no cgroup of the v2 hierarchy", (int)pid);
	if (error)
		return diag_fail(d, error_hint(a, error, "is /proc mounted?"), "cannot read /proc/%d/cgroup: %s",
		                 (int)pid, strerror(error));
	if (!strncmp(path, "/..", 3))
		return diag_fail(d, "ask from the cgroup namespace of the host",
		                 "the cgroup of process %d, %s, is outside of this cgroup namespace", (int)pid, path);
	return 0;
}

static int open_held(struct arena *a, struct diags *d, pid_t pid, int pidfd, struct cgroup **out)
{
	char path[CGROUP_PATH], now[CGROUP_PATH];
	const char *mount = cgroup_mount(a);
	if (!mount)
		return cgroup_no_mount(a, d, errno);
	if (path_of(a, d, pid, pidfd, path) || cgroup_open(a, d, arena_printf(a, "%s%s", mount, path), out))
		return -1;
	int failed = path_of(a, d, pid, pidfd, now);
	if (!failed && (strcmp(path, now) || cgroup_gone(*out)))
		failed = diag_fail(d, "try again", "process %d was moved out of %s meanwhile", (int)pid, (*out)->path);
	if (failed)
		cgroup_close(*out);
	return failed;
}

int process_hold(struct arena *a, struct diags *d, pid_t pid, struct process_held *out)
{
	*out = (struct process_held){pid, (int)syscall(SYS_pidfd_open, pid, 0)};
	if (out->pidfd >= 0)
		return 0;
	return errno == ESRCH || errno == EINVAL ? ended(d, pid)
	                                         : diag_fail(d, error_hint(a, errno, "see `rucy-devguard doctor`"),
	                                                     "cannot hold process %d: %s", (int)pid, strerror(errno));
}

void process_let_go(struct process_held *p)
{
	if (p->pidfd >= 0)
		close(p->pidfd);
	p->pidfd = -1;
}

int process_confirm(struct arena *a, struct diags *d, const struct process_held *p, const struct cgroup *cg)
{
	char now[CGROUP_PATH];
	if (path_of(a, d, p->pid, p->pidfd, now))
		return -1;
	if (!strcmp(now[1] ? now : "", cg->path + strlen(cg->mount)) && !cgroup_gone(cg))
		return 0;
	return diag_fail(d, "try again", "process %d was moved out of %s meanwhile", (int)p->pid, cg->path);
}

int cgroup_open_process(struct arena *a, struct diags *d, pid_t pid, struct cgroup **out)
{
	struct process_held held;
	*out = NULL;
	if (process_hold(a, d, pid, &held))
		return -1;
	int failed = open_held(a, d, pid, held.pidfd, out);
	process_let_go(&held);
	return failed;
}

pid_t cgroup_first_process(const struct cgroup *cg)
{
	int fd = openat(cg->fd, "cgroup.procs", O_RDONLY | O_CLOEXEC), pid = 0;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	if (f && fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f)
		fclose(f);
	else if (fd >= 0)
		close(fd);
	return pid;
}
