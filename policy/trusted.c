/*
 * trusted.c - files that only root can have written, and the tool's own directories.
 *
 * A path is walked from the root directory, one component at a time, each looked
 * at through the directory opened before: what was checked is what is opened.
 */
#include "policy/text.h"
#include "policy/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool roots_alone(const struct stat *st, uid_t root, mode_t forbidden)
{
	return (st->st_uid == 0 || st->st_uid == root) && !(st->st_mode & forbidden);
}

/* ---- a walk ---------------------------------------------------------------------- */

/* Where a walk is, for messages. */
struct walk {
	struct arena *arena;
	const char *path;
	const char **why;
};

/* NULL, or why others than root could change what is there. A directory above the
 * last one may be open to others when it is sticky. */
static const char *writable(struct arena *a, const struct stat *st, bool sticky_will_do)
{
	bool sticky = sticky_will_do && (st->st_mode & S_ISVTX);
	if (roots_alone(st, 0, sticky ? 0 : OTHERS_WRITE))
		return NULL;
	return st->st_uid ? arena_printf(a, "is owned by uid %u, not by root", (unsigned)st->st_uid)
	                  : arena_printf(a, "can be written by %s than root (mode %04o)",
	                                 st->st_mode & S_IWOTH ? "others" : "a group other",
	                                 (unsigned)st->st_mode & 07777);
}

/* Refuses the first `n` bytes of the path. */
static int refuse(const struct walk *w, size_t n, const char *what)
{
	*w->why = arena_printf(w->arena, "%s %s",
	                       text_safe(w->arena, w->path, n ? n : 1, PATH_MAX), what);
	return -1;
}

static int failed_with(const struct walk *w, size_t n, int error)
{
	if (error == ENOENT)
		return 1;
	if (error == ELOOP)
		return refuse(w, n, "is a symbolic link");
	refuse(w, n, arena_printf(w->arena, "cannot be opened: %s", strerror(error)));
	return error == ENOTDIR || error == EACCES || error == ENAMETOOLONG ? -1 : -2;
}

/* The component that ends at `end`, of which `name` is a copy, as `st`. */
static int look(const struct walk *w, int dir, const char *name, size_t end, struct stat *st)
{
	if (fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW))
		return failed_with(w, end, errno);
	return S_ISLNK(st->st_mode) ? failed_with(w, end, ELOOP) : 0;
}

/* One directory down: the new one in *dir. */
static int enter(const struct walk *w, int *dir, const char *name, size_t end, bool last)
{
	struct stat st;
	int status = look(w, *dir, name, end, &st);
	if (status)
		return status;
	if (!S_ISDIR(st.st_mode))
		return refuse(w, end, "is not a directory");
	int fd = openat(*dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return failed_with(w, end, errno);
	close(*dir);
	*dir = fd;
	if (fstat(fd, &st))
		return failed_with(w, end, errno);
	const char *wrong = writable(w->arena, &st, !last);
	return wrong ? refuse(w, end, wrong) : 0;
}

static int open_file(const struct walk *w, int dir, const char *name, size_t end, int *fd)
{
	struct stat st;
	int status = look(w, dir, name, end, &st);
	if (status)
		return status;
	if (!S_ISREG(st.st_mode)) /* opening a device may do something */
		return refuse(w, end, "is not a regular file");
	int opened = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (opened < 0)
		return failed_with(w, end, errno);
	int error = fstat(opened, &st) ? errno : 0;
	const char *wrong = error                  ? NULL
	                    : !S_ISREG(st.st_mode) ? "is not a regular file"
	                                           : writable(w->arena, &st, false);
	if (error || wrong) {
		close(opened);
		return error ? failed_with(w, end, error) : refuse(w, end, wrong);
	}
	*fd = opened;
	return 0;
}

int trusted_open(struct arena *a, const char *path, int *fd, const char **why)
{
	struct walk w = {a, path, why};
	struct stat st;
	*fd = -1;
	*why = NULL;
	if (*path != '/')
		return refuse(&w, strlen(path), "is no absolute path");
	int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error = dir < 0 || fstat(dir, &st) ? errno : 0;
	if (error) {
		if (dir >= 0)
			close(dir);
		return failed_with(&w, 1, error);
	}
	const char *wrong = writable(a, &st, true);
	int status = wrong ? refuse(&w, 1, wrong) : 0;
	for (const char *p = path; !status;) {
		const char *name = p + 1; /* after a slash */
		size_t n = strcspn(name, "/"), end = (size_t)(name - path) + n;
		bool file = !name[n];
		bool last = !file && !strchr(name + n + 1, '/');
		char *one = arena_strndup(a, name, n);
		if (!n || !strcmp(one, ".") || !strcmp(one, ".."))
			status = refuse(&w, strlen(path), "has an empty part, . or ..");
		else if (file)
			status = open_file(&w, dir, one, end, fd);
		else
			status = enter(&w, &dir, one, end, last);
		if (file)
			break;
		p = name + n;
	}
	close(dir);
	return status;
}

/* ---- the tool's own directories ---------------------------------------------------- */

/* Root's alone; its descriptor, or -errno: ENOTDIR when it is something else, EPERM when it is not
 * root's alone. */
static int own_directory(int parent, const char *name, mode_t forbidden, bool make)
{
	struct stat st;
	if (make && mkdirat(parent, name, 0700) && errno != EEXIST)
		return -errno;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? -ENOTDIR : -errno;
	int error = fstat(fd, &st) ? errno : roots_alone(&st, 0, forbidden) ? 0 : EPERM;
	if (!error)
		return fd;
	close(fd);
	return -error;
}

int run_directory(const char *name, mode_t forbidden, bool make)
{
	int run = own_directory(AT_FDCWD, RUN_DIRECTORY, OTHERS_WRITE, make);
	if (run == -ENOENT && make && !mkdir("/run", 0755)) /* a root directory with next to nothing in it */
		run = own_directory(AT_FDCWD, RUN_DIRECTORY, OTHERS_WRITE, make);
	if (run < 0)
		return run;
	int fd = own_directory(run, name, forbidden, make);
	close(run);
	return fd;
}
