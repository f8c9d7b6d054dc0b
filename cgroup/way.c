/*
 * way.c - to a file, through directories that only root can write to.
 *
 * Links are followed by their text, one component at a time. What a directory says is what root said there: who could make or
 * rename files in one would say which file a name is. `..` goes back by the text of the way, on which no link is any more.
 */
#include "cgroup/way.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>
#include <linux/openat2.h>

#include "policy/arena.h"
#include "policy/trusted.h"

enum { LINKS_MAX = 40 };

struct way {
	struct arena *arena;
	int root;
	const char *done; /* "" or "/usr/bin": directories, without links */
	const char *todo; /* what is still to be gone */
	const char *why;
	int links;
	bool sticky;      /* others may write to `done`: what root has there they cannot rename */
};

/* No component is a link, but the last may be: that is opened itself then. */
static int open_plain(const struct way *w, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
	                       .resolve = RESOLVE_NO_SYMLINKS | (w->root >= 0 ? RESOLVE_IN_ROOT : 0)};
	return (int)syscall(SYS_openat2, w->root >= 0 ? w->root : AT_FDCWD, path, &how, sizeof how);
}

static int fail(int error)
{
	errno = error;
	return -1;
}

static int refuse(struct way *w, const char *path, const char *what)
{
	w->why = arena_printf(w->arena, "others than root say which file it is: %s %s", path, what);
	return fail(EPERM);
}

/* A directory on the way, "" the first; with what is mounted there on demand. 0 or -1. */
static int enter(struct way *w, const char *path)
{
	struct stat st;
	int fd = open_plain(w, arena_printf(w->arena, "%s/.", path)), error = fd < 0 || fstat(fd, &st) ? errno : 0;
	if (fd >= 0)
		close(fd);
	if (error)
		return fail(error);
	const bool others = st.st_mode & OTHERS_WRITE;
	const char *shown = *path ? path : "/";
	if (st.st_uid)
		return refuse(w, shown, arena_printf(w->arena, "belongs to uid %u", st.st_uid));
	if (others && !(st.st_mode & S_ISVTX))
		return refuse(w, shown, arena_printf(w->arena, "may be written to by %s (mode %04o)",
		                                     st.st_mode & S_IWOTH ? "everybody" : "its group", st.st_mode & 07777));
	w->done = path;
	w->sticky = others;
	return 0;
}

/* Its text takes its place on the way. 0 or -1. */
static int follow(struct way *w, int link)
{
	char to[PATH_MAX];
	struct statfs fs;
	ssize_t n = readlinkat(link, "", to, sizeof to);
	if (n < 0 || fstatfs(link, &fs))
		return -1;
	if (fs.f_type == PROC_SUPER_MAGIC || ++w->links > LINKS_MAX) /* one of /proc leads elsewhere for each process */
		return fail(ELOOP);
	if (!n || n == sizeof to)
		return fail(ENAMETOOLONG);
	w->todo = arena_printf(w->arena, "%.*s/%s", (int)n, to, w->todo);
	return *to == '/' ? enter(w, "") : 0;
}

static int back(struct way *w)
{
	const char *slash = strrchr(w->done, '/');
	return enter(w, slash ? arena_strndup(w->arena, w->done, (size_t)(slash - w->done)) : "");
}

/* One component. A descriptor of the file at the end; -1; -2: there is more. */
static int step(struct way *w)
{
	struct stat st;
	w->todo += strspn(w->todo, "/");
	size_t n = strcspn(w->todo, "/");
	const char *name = arena_strndup(w->arena, w->todo, n), *path = arena_printf(w->arena, "%s/%s", w->done, name);
	w->todo += n;
	if (!n)
		return fail(EISDIR);
	if (!strcmp(name, "..") || !strcmp(name, "."))
		return n == 2 && back(w) ? -1 : -2;
	int fd = open_plain(w, path);
	if (fd < 0)
		return -1;
	int result = fstat(fd, &st) ? -1 : -2;
	bool last = !w->todo[strspn(w->todo, "/")];
	if (result == -2 && w->sticky && !(S_ISDIR(st.st_mode) && !st.st_uid)) /* links of root's files can be made there by others */
		result = refuse(w, *w->done ? w->done : "/", "may be written to by everybody");
	else if (result == -2 && S_ISLNK(st.st_mode))
		result = follow(w, fd) ? -1 : -2;
	else if (result == -2 && last)
		return (w->done = path), fd;
	else if (result == -2 && S_ISDIR(st.st_mode))
		result = enter(w, path) ? -1 : -2;
	else if (result == -2)
		result = fail(ENOTDIR);
	int error = errno;
	close(fd);
	errno = error;
	return result;
}

int way_open(struct arena *a, int root, const char *path, const char **real, const char **why)
{
	struct way w = {.arena = a, .root = root, .done = "", .todo = path};
	int result = enter(&w, "") ? -1 : -2;
	while (result == -2)
		result = step(&w);
	*real = w.done;
	*why = w.why;
	return result;
}
