/*
 * lock.c - the lock of a cgroup's policies: tools that change what is attached take
 * turns.
 *
 * It is a file below /run/rucy-devguard/lock, named after the cgroup's id, in a
 * directory that root alone may enter: whatever may open a cgroup's directory could
 * hold a lock on that for ever. The file is removed by whoever holds the lock, before
 * it lets go: who waited for it then finds that its file has no name any more, and
 * begins anew. What killed tools leave is swept.
 */
#include "cgroup/internal.h"
#include "policy/trusted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define LOCKS RUN_DIRECTORY "/lock"

/* Shorter than the time a runtime gives its hooks: the reason is still told. */
enum { WAIT_MS = 20000, STEP_MS = 5, STALE_S = 120, NAME_SIZE = 24 };

/* ---- the directory ------------------------------------------------------------------ */

static int cannot_lock(struct diags *d, const char *path, int error)
{
	const char *hint = "mount a writable tmpfs at /run: the tools of a host must share its /run";
	if (error == ENOSPC || error == EDQUOT)
		hint = "make room in /run (df -i /run tells of inodes)";
	else if (error == EMFILE || error == ENFILE)
		hint = "raise the limit of open files (ulimit -n)";
	else if (error == ENOTDIR)
		hint = "remove what is in the place of the directory " LOCKS;
	else if (error == EPERM || error == EACCES)
		hint = geteuid() ? privilege_hint(d->arena)
		                 : "root's alone they must be: chown root " RUN_DIRECTORY " " LOCKS "; chmod 700 " LOCKS;
	return diag_fail(d, hint, "cannot lock the cgroup '%s' by a file in " LOCKS ": %s", path,
	                 strerror(error));
}

/* ---- one file ------------------------------------------------------------------------- */

struct lock_file {
	int fd;
	dev_t dev; /* of the file that was locked by another, to find out by whom */
	ino_t ino;
};

/* Takes the lock, if it is free: 0, or -errno. EAGAIN: another has it; ESTALE: another had it and
 * has removed the file meanwhile. */
static int try_lock(int directory, const char *name, struct lock_file *f)
{
	struct stat st, now;
	f->fd = openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return -errno;
	int error = fstat(f->fd, &st) ? errno : S_ISREG(st.st_mode) && roots_alone(&st, 0, OTHERS_USE) ? 0 : EPERM;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	if (!error && flock(f->fd, LOCK_EX | LOCK_NB))
		error = errno == EINTR ? ESTALE : errno;
	if (!error && (fstatat(directory, name, &now, AT_SYMLINK_NOFOLLOW) || now.st_ino != st.st_ino ||
	               now.st_dev != st.st_dev))
		error = ESTALE;
	if (error) {
		close(f->fd);
		f->fd = -1;
	}
	return -error;
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* wait_ms < 0: for ever. */
static int wait_lock(uint64_t cgroup, int wait_ms, struct lock_file *f)
{
	char name[NAME_SIZE];
	snprintf(name, sizeof name, "%" PRIu64, cgroup);
	int64_t until = now_ms() + wait_ms;
	for (;;) {
		int directory = run_directory("lock", OTHERS_USE, true);
		if (directory < 0)
			return directory;
		int error = try_lock(directory, name, f);
		close(directory);
		if (error != -EAGAIN && error != -ESTALE)
			return error;
		if (wait_ms >= 0 && now_ms() >= until)
			return -EAGAIN;
		if (error == -EAGAIN)
			nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
	}
}

/* Whoever holds the lock of a file, as /proc/locks tells; 0: it cannot be told (another PID
 * namespace). */
static int holder(const struct lock_file *f, char comm[17])
{
	char line[256], path[64];
	unsigned major, minor;
	unsigned long long ino;
	int pid = 0, found;
	FILE *locks = fopen("/proc/locks", "re");
	while (locks && !pid && fgets(line, sizeof line, locks))
		if (sscanf(line, "%*d: FLOCK %*s WRITE %d %x:%x:%llu", &found, &major, &minor, &ino) == 4 &&
		    makedev(major, minor) == f->dev && ino == f->ino && found > 0)
			pid = found;
	if (locks)
		fclose(locks);
	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	if (!pid || file_read(AT_FDCWD, path, comm, 17) < 0)
		strcpy(comm, "?");
	return pid;
}

int lock_take(struct diags *d, uint64_t cgroup, const char *path)
{
	struct lock_file f = {.fd = -1};
	char comm[17];
	int error = wait_lock(cgroup, WAIT_MS, &f);
	if (!error)
		return f.fd;
	if (error != -EAGAIN)
		return cannot_lock(d, path, -error);
	int pid = holder(&f, comm);
	if (!pid)
		return diag_fail(d, "it is a tool in another PID namespace; fuser " LOCKS "/* on the host names it",
		                 "the policies of the cgroup '%s' are locked by another process", path);
	return diag_fail(d, arena_printf(d->arena, "wait for it to end, or end it: kill %d", pid),
	                 "the policies of the cgroup '%s' are locked by process %d (%s)", path, pid, comm);
}

int lock_take_patiently(uint64_t cgroup)
{
	struct lock_file f = {.fd = -1};
	return wait_lock(cgroup, -1, &f) ? -1 : f.fd;
}

/* While it is still held: nobody else's file goes by that name. */
void lock_release(uint64_t cgroup, int fd)
{
	char name[NAME_SIZE];
	snprintf(name, sizeof name, "%" PRIu64, cgroup);
	int directory = run_directory("lock", OTHERS_USE, false);
	if (directory >= 0) {
		unlinkat(directory, name, 0);
		close(directory);
	}
	close(fd);
}

/* ---- what killed tools left -------------------------------------------------------------- */

void lock_sweep(void)
{
	struct stat st;
	struct lock_file f;
	int fd = run_directory("lock", OTHERS_USE, false);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	time_t now = time(NULL);
	for (struct dirent *e; (e = readdir(dir));) {
		/* what is young is about to be used */
		if (e->d_name[0] == '.' || fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    (st.st_mtime <= now && now - st.st_mtime < STALE_S) || try_lock(fd, e->d_name, &f))
			continue;
		unlinkat(fd, e->d_name, 0);
		close(f.fd);
	}
	closedir(dir);
}

/* ---- of an open cgroup ---------------------------------------------------------------------- */

int cgroup_lock(struct cgroup *cg, struct diags *d)
{
	cg->lock = lock_take(d, cg->id, cg->path);
	return cg->lock < 0 ? -1 : 0;
}

void cgroup_unlock(struct cgroup *cg)
{
	if (cg->lock < 0)
		return;
	lock_release(cg->id, cg->lock);
	cg->lock = -1;
	lock_sweep();
}
