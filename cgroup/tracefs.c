/*
 * tracefs.c - the kernel's tracefs, and an instance of it that belongs to this process.
 *
 * What programs print goes into the buffer of each instance that asks for it. So lines that are read from an
 * instance of our own are taken from nobody. An instance outlives its process: its name has the process's pid and
 * when that was started, and the next one that is made takes away those whose process is gone. The kernel does not
 * let go of an instance that is being read, so one of another PID namespace stays.
 */
#include "cgroup/tracefs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "rucy-devguard."
#define INSTANCES "instances"
enum { NAMES_MAX = 100, END_TRIES = 50, STEP_MS = 10 };

/* ---- finding it ------------------------------------------------------------------- */

/* A mount of it can be of one directory only, and another can lie over it. */
static int open_mounted(const char *path)
{
	struct statfs fs;
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && !fstatfs(fd, &fs) && (uint32_t)fs.f_type == TRACEFS_MAGIC && !faccessat(fd, INSTANCES, W_OK, AT_EACCESS))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Only where none is mounted: kernels before 6.9 give the one there is the options of a new mount. */
static int open_detached(void)
{
	int fs = fsopen("tracefs", FSOPEN_CLOEXEC), mount = -1;
	if (fs < 0)
		return -1;
	if (!fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mount = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	int error = errno;
	close(fs);
	errno = error;
	return mount;
}

bool kernel_locked_down(void)
{
	char text[128];
	return file_read(AT_FDCWD, "/sys/kernel/security/lockdown", text, sizeof text) > 0 && strstr(text, "[confidentiality]");
}

const char *tracefs_hint(struct arena *a, int error)
{
	if ((error == EPERM || error == EACCES) && kernel_locked_down())
		return "the kernel is locked down (lockdown=confidentiality): boot it with lockdown=integrity or none";
	if ((error == EPERM || error == EACCES) && !capable(CAP_SYS_ADMIN))
		return "run it as root: tracefs is for root alone";
	return error_hint(a, error, "see the kernel log");
}

int tracefs_open(struct arena *a, struct diags *d)
{
	struct mount *mounts;
	size_t n;
	mounts_read(a, &mounts, &n);
	for (size_t i = 0; i < n; i++) {
		int fd = strcmp(mounts[i].type, "tracefs") || mounts[i].read_only ? -1 : open_mounted(mounts[i].point);
		if (fd >= 0)
			return fd;
	}
	int fd = open_detached(), error = errno;
	if (fd >= 0)
		return fd;
	if (error == ENODEV)
		return diag_fail(d, "use a kernel with CONFIG_FTRACE=y and CONFIG_BPF_EVENTS=y", "this kernel has no tracefs: nothing can be traced");
	return diag_fail(d, tracefs_hint(a, error), "the kernel's tracefs cannot be opened: %s", strerror(error));
}

char *tracefs_text(struct arena *a, int dir, const char *path, size_t *len)
{
	size_t cap = 64 << 10, n = 0;
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	char *text = arena_alloc(a, cap);
	ssize_t got;
	while ((got = read(fd, text + n, cap - n - 1)) > 0) {
		n += (size_t)got;
		if (cap - n < 4096) {
			text = arena_move(a, text, cap, 2 * cap);
			cap *= 2;
		}
	}
	int error = errno;
	close(fd);
	errno = error;
	text[n] = '\0';
	*len = n;
	return got < 0 ? NULL : text;
}

/* ---- whose instance it is ------------------------------------------------------------ */

/* When a process was started, in ticks since boot; 0: there is none, -1: it cannot be told. */
static long long started(pid_t pid)
{
	char path[40], text[1024];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int n = file_read(AT_FDCWD, path, text, sizeof text);
	if (n < 0)
		return n == -ENOENT || n == -ESRCH ? 0 : -1;
	char *at = strrchr(text, ')'); /* behind the name, whatever is in that */
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoll(at, NULL, 10) : -1;
}

/* Has the owner in "PREFIX PID.START.N" ended? */
static bool is_left(const char *name)
{
	int pid, end = 0;
	long long start;
	unsigned number;
	if (sscanf(name, PREFIX "%d.%lld.%u%n", &pid, &start, &number, &end) != 3 || name[end] || pid <= 0)
		return false;
	if (access("/proc/self/stat", F_OK)) /* nothing can be told of anybody */
		return false;
	long long now = started(pid);
	return now >= 0 && now != start;
}

static void sweep(int tracefs)
{
	int fd = openat(tracefs, INSTANCES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir && fd >= 0)
		close(fd);
	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (is_left(entry->d_name))
			unlinkat(fd, entry->d_name, AT_REMOVEDIR);
	closedir(dir);
}

/* ---- one of our own --------------------------------------------------------------------- */

static int make(int tracefs, struct trace_instance *out)
{
	char path[sizeof out->name + sizeof INSTANCES + 1];
	long long start = started(getpid());
	if (start < 0)
		start = 0;
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		snprintf(out->name, sizeof out->name, PREFIX "%d.%lld.%u", (int)getpid(), start, i);
		snprintf(path, sizeof path, INSTANCES "/%s", out->name);
		if (!mkdirat(tracefs, path, 0700))
			return openat(tracefs, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

int instance_new(struct diags *d, int tracefs, struct trace_instance *out)
{
	*out = (struct trace_instance){.tracefs = tracefs};
	sweep(tracefs);
	out->fd = make(tracefs, out);
	if (out->fd >= 0)
		return 0;
	int error = errno;
	close(tracefs);
	out->tracefs = -1;
	return diag_fail(d, error == ENOENT ? "use a kernel with CONFIG_TRACING=y" : tracefs_hint(d->arena, error),
	                 "cannot make an instance of the kernel's tracefs: %s", strerror(error));
}

/* Somebody who looks into it keeps it busy for a moment. */
bool instance_end(struct trace_instance *i)
{
	char path[sizeof i->name + sizeof INSTANCES + 1];
	if (i->fd < 0)
		return true;
	close(i->fd);
	i->fd = -1;
	snprintf(path, sizeof path, INSTANCES "/%s", i->name);
	bool gone = false;
	for (int tries = 0; !gone && tries < END_TRIES; tries++) {
		gone = !unlinkat(i->tracefs, path, AT_REMOVEDIR) || errno != EBUSY;
		if (!gone)
			nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
	}
	close(i->tracefs);
	i->tracefs = -1;
	return gone;
}
