/*
 * container.c - from the pid a container runtime gives to the cgroup to guard.
 *
 * The process is held by a pidfd from the beginning, so that a pid that was used
 * again is noticed; its cgroup is opened once and then only used by descriptor.
 */
#include "cgroup/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int gone(struct diags *d, int64_t pid)
{
	return diag_fail(d, "start the container again", "the container's process %lld has ended", (long long)pid);
}

static int cannot_tell(struct arena *a, struct diags *d, const char *process, int error)
{
	return diag_fail(d, error_hint(a, -error, "is /proc mounted?"), "cannot read /proc/%s/cgroup: %s", process,
	                 strerror(-error));
}

/* Is `path` the cgroup `of`, or above it? */
static bool holds(const char *path, const char *of)
{
	size_t n = strlen(path);
	if (!strcmp(path, "/"))
		return true;
	return !strncmp(of, path, n) && (of[n] == '/' || !of[n]);
}

static int path_of(struct arena *a, struct diags *d, int64_t pid, int pidfd, const char **out)
{
	char process[24], path[CGROUP_PATH], own[CGROUP_PATH];
	snprintf(process, sizeof process, "%lld", (long long)pid);
	int error = cgroup_of_process(process, path);
	if (error == -ENOENT || error == -ESRCH || (error && !process_runs(pidfd))) /* one that ends has none */
		return gone(d, pid);
	if (error && error != -ENODATA)
		return cannot_tell(a, d, process, error);
	if (error)
		return diag_fail(d, "mount the cgroup v2 hierarchy (a hybrid host has it at /sys/fs/cgroup/unified) "
		                    "and let the runtime use it",
		                 "process %lld is in no cgroup of the v2 hierarchy", (long long)pid);
	if (!strncmp(path, "/..", 3))
		return diag_fail(d, "run the hook in the cgroup namespace of the host (createRuntime or prestart)",
		                 "the cgroup of process %lld, %s, is outside of this cgroup namespace",
		                 (long long)pid, path);
	if ((error = cgroup_of_process("self", own)))
		return cannot_tell(a, d, "self", error);
	if (holds(path, own))
		return diag_fail(d, "let the runtime make a cgroup for the container (podman: not --cgroups=disabled)",
		                 "the container has no cgroup of its own: process %lld is in %s, where the runtime "
		                 "itself is", (long long)pid, path);
	*out = arena_strdup(a, path);
	return 0;
}

int container_open(struct arena *a, struct diags *d, int64_t pid, struct container_process *p,
                   struct cgroup **out)
{
	const char *path, *mount = cgroup_mount(a);
	int mount_error = errno;
	*p = (struct container_process){.pidfd = -1};
	if (pid == 0 || pid == 1)
		return diag_fail(d, "use it as createRuntime (or prestart) hook: later ones run inside the container",
		                 "pid %lld: the container's cgroup cannot be found at this stage", (long long)pid);
	if (pid < 0 || pid > INT32_MAX || pid == getpid() || pid == getppid())
		return diag_fail(d, "the state must be that of the container, as the runtime gives it",
		                 "pid %lld is not the container's", (long long)pid);
	if (!mount)
		return cgroup_no_mount(a, d, mount_error);
	p->pid = (pid_t)pid;
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->pidfd < 0)
		return gone(d, pid);
	if (path_of(a, d, pid, p->pidfd, &path) || cgroup_open(a, d, arena_printf(a, "%s%s", mount, path), out)) {
		container_close(p);
		return -1;
	}
	if (process_runs(p->pidfd))
		return 0;
	cgroup_close(*out);
	container_close(p);
	return gone(d, pid);
}

int container_confirm(struct arena *a, struct diags *d, const struct container_process *p,
                      const struct cgroup *cg)
{
	char process[24], path[CGROUP_PATH];
	snprintf(process, sizeof process, "%d", (int)p->pid);
	int error = cgroup_of_process(process, path);
	if (!process_runs(p->pidfd) || error == -ENOENT || error == -ESRCH)
		return gone(d, p->pid);
	if (error)
		return cannot_tell(a, d, process, error);
	if (strcmp(arena_printf(a, "%s%s", cg->mount, path), cg->path))
		return diag_fail(d, "start the container again",
		                 "process %d was moved out of %s meanwhile", (int)p->pid, cg->path);
	return 0;
}

void container_close(struct container_process *p)
{
	if (p->pidfd >= 0)
		close(p->pidfd);
	p->pidfd = -1;
}

bool container_elsewhere(int64_t pid)
{
	struct stat own, other;
	char path[40];
	snprintf(path, sizeof path, "/proc/%lld/ns/mnt", (long long)pid);
	return pid > 1 && !stat("/proc/self/ns/mnt", &own) && !stat(path, &other) && own.st_dev == other.st_dev &&
	       own.st_ino != other.st_ino;
}
