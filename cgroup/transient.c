/*
 * transient.c - cgroups that live as long as one run or one test.
 *
 * A transient cgroup is named prefix.PID.N after its maker, who also holds a read
 * lock on its directory (an open file description lock: it goes when the maker
 * dies, however that happens, and cannot collide with cgroup_lock()). What a maker
 * left behind can so be told from what another one, perhaps in another PID
 * namespace, still uses.
 */
#include "cgroup/internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cgroup/library.h"

enum { NUMBERS_MAX = 10000 };
enum { END_WAIT_MS = 5000, END_STEP_MS = 50 };

/* ---- making ----------------------------------------------------------------------- */

/* libcgroup makes a v2 cgroup only for a controller, which it enables in every
 * ancestor. Where one is enabled for the children already, and so in all
 * ancestors, that changes nothing but making the directory; elsewhere it would
 * change a hierarchy that is not ours. */
static bool make_by_library(const struct cgroup *up, const char *name)
{
	char controller[256], path[4096];
	if (file_read(up->fd, "cgroup.subtree_control", controller, sizeof controller) <= 0)
		return false;
	controller[strcspn(controller, " ")] = '\0';
	const char *below = up->path + strlen(up->mount);
	int n = snprintf(path, sizeof path, "%s/%s", below + (*below == '/'), name);
	if (n < 0 || (size_t)n >= sizeof path || !library_sees(up->mount, controller))
		return false;
	return !library_create(controller, path + (*path == '/')) && !faccessat(up->fd, name, F_OK, 0);
}

/* 0 or -errno; EEXIST: the name is taken. */
static int make(const struct cgroup *up, const char *name)
{
	if (!faccessat(up->fd, name, F_OK, 0))
		return -EEXIST;
	if (make_by_library(up, name))
		return 0;
	return mkdirat(up->fd, name, 0755) ? -errno : 0;
}

static int make_failed(struct arena *a, struct diags *d, const struct cgroup *up, int error)
{
	const char *hint = hierarchy_hint(a);
	if (error == EACCES || error == EPERM)
		hint = "run it as root, or in a cgroup that is delegated to this user";
	else if (error == EROFS)
		hint = "the hierarchy is mounted read-only, as in most containers: run it on the host or "
		       "mount it writable";
	else if (error == EAGAIN)
		hint = "cgroup.max.descendants or cgroup.max.depth of an ancestor is reached: raise it";
	else if (error == ENODEV || error == ENOENT)
		hint = "it was removed meanwhile: choose a cgroup that stays";
	return diag_fail(d, hint, "cannot make a cgroup in '%s': %s", up->path, strerror(error));
}

static void hold(const struct cgroup *cg)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	fcntl(cg->fd, F_OFD_SETLK, &lock);
}

int transient_new(struct arena *a, struct diags *d, const char *parent, const char *prefix,
                  struct cgroup **out)
{
	struct cgroup *up;
	const char *base = parent ? parent : cgroup_mount(a);
	int error = -EEXIST;
	*out = NULL;
	if (!base)
		return cgroup_no_mount(a, d, errno);
	if (cgroup_open(a, d, base, &up))
		return -1;
	for (unsigned i = 0; error == -EEXIST && i < NUMBERS_MAX; i++) {
		const char *name = arena_printf(a, "%s.%d.%u", prefix, (int)getpid(), i);
		error = make(up, name);
		if (!error && cgroup_open(a, d, arena_printf(a, "%s/%s", up->path, name), out))
			unlinkat(up->fd, name, AT_REMOVEDIR);
	}
	if (error)
		make_failed(a, d, up, -error);
	if (*out)
		hold(*out);
	cgroup_close(up);
	return *out ? 0 : -1;
}

int transient_enter(struct diags *d, const struct cgroup *cg, pid_t pid)
{
	char text[24];
	snprintf(text, sizeof text, "%d", (int)pid);
	int error = -file_write(cg->fd, "cgroup.procs", text);
	const char *hint = "see the kernel's cgroup-v2 documentation, \"Processes\"";
	if (!error)
		return 0;
	if (error == EACCES || error == EPERM)
		hint = "run it as root";
	else if (error == EBUSY)
		hint = "a cgroup whose cgroup.subtree_control names controllers takes no processes: choose "
		       "another parent";
	else if (error == EOPNOTSUPP)
		hint = "its parent is a threaded cgroup: choose another parent";
	else if (error == ESRCH)
		hint = "the process has ended";
	else if (error == ENODEV || error == ENOENT)
		hint = "the cgroup was removed meanwhile";
	return diag_fail(d, hint, "cannot move process %d into '%s': %s", (int)pid, cg->path,
	                 strerror(error));
}

/* ---- ending ----------------------------------------------------------------------- */

static int kill_members(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char pid[32], file[4096];
	(void)st, (void)ftw;
	if (type != FTW_D && type != FTW_DP)
		return 0;
	snprintf(file, sizeof file, "%s/cgroup.procs", path);
	FILE *f = fopen(file, "re");
	if (!f)
		return 0;
	while (fgets(pid, sizeof pid, f)) {
		pid_t p = (pid_t)atol(pid);
		if (p > 0) /* 0: in a PID namespace that is not seen from here */
			kill(p, SIGKILL);
	}
	fclose(f);
	return 0;
}

static int remove_directory(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)ftw;
	if (type == FTW_DP)
		rmdir(path);
	return 0;
}

/* Kills and removes the cgroup and those below. Processes need a moment to go, and
 * may have made new cgroups until then: tried again for a bounded time. */
static void destroy(const char *path, int fd)
{
	long step = 1;
	for (long waited = 0; waited < END_WAIT_MS; waited += step) {
		/* cgroup.kill is there from 5.14 on; before, what is frozen cannot fork away */
		if (file_write(fd, "cgroup.kill", "1")) {
			file_write(fd, "cgroup.freeze", "1");
			nftw(path, kill_members, 16, FTW_PHYS);
		}
		nftw(path, remove_directory, 16, FTW_DEPTH | FTW_PHYS);
		if (access(path, F_OK))
			return;
		nanosleep(&(struct timespec){.tv_nsec = step * 1000000L}, NULL);
		step = step * 2 < END_STEP_MS ? step * 2 : END_STEP_MS;
	}
}

/* Does this process itself run in it (a command of a run that was killed)? Then it is
 * not for this process to end it. */
static bool inside(const char *name)
{
	char path[CGROUP_PATH], *save = NULL;
	int error = cgroup_of_process("self", path);
	if (error)
		return error != -ENODATA;
	for (char *part = strtok_r(path, "/", &save); part; part = strtok_r(NULL, "/", &save))
		if (!strcmp(part, name))
			return true;
	return false;
}

void transient_end(struct cgroup *cg)
{
	if (!cg || cg->fd < 0)
		return;
	if (!cgroup_gone(cg) && !inside(strrchr(cg->path, '/') + 1))
		destroy(cg->path, cg->fd);
	cgroup_close(cg);
}

/* ---- sweeping --------------------------------------------------------------------- */

/* The maker's PID in "prefix.PID.N", or 0 for any other name. */
static pid_t maker_of(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);
	char *end;
	if (strncmp(name, prefix, n) || name[n] != '.' || !isdigit((unsigned char)name[n + 1]))
		return 0;
	long pid = strtol(name + n + 1, &end, 10);
	if (*end != '.' || !end[1] || end[1 + strspn(end + 1, "0123456789")] || pid <= 0 || pid > INT32_MAX)
		return 0;
	return (pid_t)pid;
}

static bool held(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(fd, F_OFD_GETLK, &lock) || lock.l_type != F_UNLCK;
}

static void sweep_one(int dir, const char *mount, const char *name)
{
	char path[4096];
	int n = snprintf(path, sizeof path, "%s/%s", mount, name);
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && n > 0 && (size_t)n < sizeof path && !held(fd) && !inside(name))
		destroy(path, fd);
	if (fd >= 0)
		close(fd);
}

void transient_sweep(const char *mount, const char *prefix)
{
	DIR *dir = opendir(mount);
	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));) {
		pid_t maker = maker_of(entry->d_name, prefix);
		if (maker && kill(maker, 0) && errno == ESRCH)
			sweep_one(dirfd(dir), mount, entry->d_name);
	}
	closedir(dir);
}
