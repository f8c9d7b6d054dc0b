/*
 * node_look.c - what is at a path inside of a container.
 *
 * A file system there may be one that a process of the container answers for, or does not answer for: so a child looks, which
 * has a time for it. It goes part by part, follows no link, opens nothing but O_PATH, and changes nothing. What
 * it found it hands over as descriptors: these are what is changed later, whatever has that path then.
 *
 * The child has none of the parent's descriptors: a lock is not held by one that cannot be ended.
 */
#include "cmd/grant/node_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <sched.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TMPFS = 0x01021994 /* TMPFS_MAGIC of <linux/magic.h> */ };

/* What the child has of the host's /proc: its own directory, in the container's namespaces too. */
struct eyes {
	int proc;    /* /proc/self */
	int root;    /* from where paths count */
	const char *temp;
	struct node_seen *out;
};

static int failed(struct node_seen *out, int error, const char *at)
{
	out->error = error < 0 ? -error : error;
	out->failed = at;
	return -1;
}

/* ---- what a descriptor is ------------------------------------------------------------------------- */

static int describe(int fd, struct node_at *out)
{
	struct stat st;
	struct statvfs fs;
	if (fstat(fd, &st) || fstatvfs(fd, &fs))
		return -errno;
	*out = (struct node_at){st.st_dev, st.st_ino, fd_mount(fd), st.st_rdev, st.st_mode, st.st_uid, st.st_gid, fs.f_flag & ST_NODEV};
	return 0;
}

/* Where a descriptor is, from this process's root directory on. */
static int path_of(const struct eyes *e, int fd, char out[NODE_PATH])
{
	char name[24];
	snprintf(name, sizeof name, "fd/%d", fd);
	ssize_t n = readlinkat(e->proc, name, out, NODE_PATH - 1);
	if (n < 0 || n >= NODE_PATH - 1)
		return n < 0 ? -errno : -ENAMETOOLONG;
	out[n] = '\0';
	return 0;
}

static int describe_dir(const struct eyes *e)
{
	struct node_seen *out = e->out;
	struct statfs fs;
	struct statx st;
	int error = describe(out->dir_fd, &out->dir);
	if (error || fstatfs(out->dir_fd, &fs))
		return error ? error : -errno;
	out->tmpfs = fs.f_type == TMPFS;
	out->read_only = fs.f_flags & ST_RDONLY;
	if (!statx(out->dir_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &st))
		mounts_type(e->proc, "mountinfo", st.stx_mnt_id, out->type);
	error = path_of(e, e->root, out->root);
	if (!error && !strcmp(out->root, "/"))
		out->root[0] = '\0';
	return error;
}

/* ---- the way ------------------------------------------------------------------------------------------ */

static void look_for_temp(const struct eyes *e, int dir, uint32_t behind)
{
	int fd = e->temp ? fd_step(dir, e->temp, true) : -1;
	if (fd < 0 && (!e->temp || fd != -EXDEV))
		return;
	if (fd >= 0)
		close(fd);
	if (e->out->temp_fd >= 0)
		close(e->out->temp_fd);
	e->out->temp_fd = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	e->out->has_temp = true;
	e->out->temp_behind = behind;
}

/* Sets dir_fd, and describes what is at the end of the path. */
static int walk(const struct eyes *e, const char *path)
{
	struct node_seen *out = e->out;
	char name[NODE_PATH];
	struct node_at at;
	out->dir_fd = fcntl(e->root, F_DUPFD_CLOEXEC, 0);
	look_for_temp(e, out->dir_fd, 0);
	for (const char *rest = path_part(path, name); *name; rest = path_part(rest, name)) {
		out->at = (uint32_t)(rest - path);
		int fd = fd_step(out->dir_fd, name, false);
		if (fd == -ENOENT)
			return 0;
		int error = fd < 0 ? fd : describe(fd, &at);
		bool dir = !error && S_ISDIR(at.mode);
		if (!error && !dir && *rest)
			error = S_ISLNK(at.mode) ? -ELOOP : -ENOTDIR;
		if (error || !*rest) {
			out->there = !error;
			out->node = at;
			if (fd >= 0)
				close(fd);
			return error ? failed(out, error, "path") : 0;
		}
		close(out->dir_fd);
		out->dir_fd = fd;
		out->behind = (uint32_t)(rest - path);
		look_for_temp(e, fd, out->behind);
	}
	return 0;
}

/* The directory is that one, too, for whoever begins at the top of the mount namespace: nothing is mounted over it, and it
 * is in no tree that was left behind. */
static int confirm(const struct eyes *e, int top, const char *path)
{
	struct node_seen again = {.dir_fd = -1, .temp_fd = -1};
	struct eyes other = {e->proc, top, NULL, &again};
	const struct node_at *dir = &e->out->dir;
	struct node_at at;
	char with[2 * NODE_PATH + 2];
	snprintf(with, sizeof with, "%s%.*s/.", e->out->root, (int)e->out->behind, path);
	if (walk(&other, with))
		return failed(e->out, again.error, "top");
	bool same = !describe(again.dir_fd, &at) && at.dev == dir->dev && at.ino == dir->ino && at.mount == dir->mount;
	close(again.dir_fd);
	return same ? 0 : failed(e->out, ESTALE, "top");
}

/* ---- the child ------------------------------------------------------------------------------------------- */

static int look(const struct node_whose *w, bool from_top, const char *path, struct eyes *e)
{
	struct node_seen *out = e->out;
	char name[32];
	snprintf(name, sizeof name, "/proc/%d/root", (int)w->held.pid);
	e->proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	e->root = from_top ? -1 : open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (e->proc < 0 || (!from_top && e->root < 0))
		return failed(out, errno, "process");
	if (setns(w->ns, CLONE_NEWNS))
		return failed(out, errno, "namespace");
	int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return failed(out, errno, "namespace");
	if (from_top)
		e->root = top;
	if (walk(e, path))
		return -1;
	int error = describe_dir(e);
	return error ? failed(out, error, "directory") : confirm(e, top, path);
}

/* Everything but three and what comes before it is closed. */
static bool alone(struct node_whose *w, int *socket)
{
	int ns = fcntl(w->ns, F_DUPFD_CLOEXEC, 100), to = fcntl(*socket, F_DUPFD_CLOEXEC, 100);
	if (ns < 0 || to < 0 || dup3(ns, 3, O_CLOEXEC) < 0 || dup3(to, 4, O_CLOEXEC) < 0 || syscall(SYS_close_range, 5, UINT_MAX, 0))
		return false;
	w->ns = 3;
	*socket = 4;
	return true;
}

static _Noreturn void child(int socket, struct node_whose w, bool from_top, const char *path, const char *temp)
{
	struct node_seen seen = {.dir_fd = -1, .temp_fd = -1};
	struct eyes e = {-1, -1, temp, &seen};
	if (!alone(&w, &socket))
		_exit(1);
	look(&w, from_top, path, &e);
	int fds[2] = {seen.dir_fd, seen.temp_fd};
	size_t n = seen.error || seen.dir_fd < 0 ? 0 : seen.has_temp ? 2 : 1;
	_exit(fds_send(socket, &seen, sizeof seen, fds, n) != 0);
}

int node_look(const struct node_whose *w, bool from_top, const char *path, const char *temp, struct node_seen *out)
{
	int socket, fds[2];
	*out = (struct node_seen){.dir_fd = -1, .temp_fd = -1};
	pid_t pid = node_child_start(&socket);
	if (!pid)
		child(socket, *w, from_top, path, temp);
	if (pid < 0)
		return failed(out, pid, "child");
	int error = fds_receive(socket, NODE_SECONDS * 1000, out, sizeof *out, fds, 2);
	node_child_end(pid, socket);
	if (error) {
		*out = (struct node_seen){.dir_fd = -1, .temp_fd = -1};
		return failed(out, error, "child");
	}
	out->dir_fd = fds[0];
	out->temp_fd = fds[1];
	return out->error ? -1 : 0;
}

void node_look_end(struct node_seen *s)
{
	if (s->dir_fd >= 0)
		close(s->dir_fd);
	if (s->temp_fd >= 0)
		close(s->temp_fd);
	s->dir_fd = s->temp_fd = -1;
}
