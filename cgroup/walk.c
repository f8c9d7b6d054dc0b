/*
 * walk.c - every cgroup that can be seen, from the hierarchy's mount down, a parent
 * before its children, children by name.
 *
 * Directories are opened by their path below the mount, one at a time: a hierarchy of any
 * depth takes a few descriptors. Linear in the files of the directories. What is removed meanwhile
 * is passed over, and so is what another file system covers.
 */
#include "cgroup/internal.h"
#include "policy/trusted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct waiting {
	const char *path; /* below the mount, without the first slash; "" of the root */
	bool roots;       /* all above it is root's */
};

struct walker {
	struct arena *arena; /* ends with the walk */
	int mount;
	dev_t dev;
	struct waiting *stack;
	size_t n, cap;
	const char **names; /* children of one directory */
	size_t nnames, names_cap;
};

static int by_name_downwards(const void *a, const void *b)
{
	return strcmp(*(const char *const *)b, *(const char *const *)a);
}

/* Puts the children of a directory on the stack, the first by name on top. 0 or an errno. */
static int push_children(struct walker *w, const char *path, int fd, bool roots)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	if (!dir) {
		int error = errno;
		if (own >= 0)
			close(own);
		return error;
	}
	struct dirent *e;
	w->nnames = 0;
	for (errno = 0; (e = readdir(dir)); errno = 0)
		if (e->d_type == DT_DIR && strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			*ARENA_PUSH(w->arena, w->names, w->nnames, w->names_cap) = arena_strdup(w->arena, e->d_name);
	int error = errno;
	closedir(dir);
	if (w->nnames)
		qsort(w->names, w->nnames, sizeof *w->names, by_name_downwards);
	for (size_t i = 0; i < w->nnames; i++)
		*ARENA_PUSH(w->arena, w->stack, w->n, w->cap) = (struct waiting){
			arena_printf(w->arena, "%s%s%s", path, *path ? "/" : "", w->names[i]), roots};
	return error;
}

/* An error of one directory that only says that it is not there any more. */
static bool is_gone(int error)
{
	return error == ENOENT || error == ENODEV || error == ENOTDIR;
}

/* 0 or an errno. */
static int visit(struct walker *w, const struct waiting *at, enum walk_step (*one)(void *, const struct cgroup_dir *),
                 void *arg, bool *end)
{
	struct stat st;
	int fd = openat(w->mount, *at->path ? at->path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int error = fd < 0 || fstat(fd, &st) ? errno : 0;
	if (!error && st.st_dev == w->dev) {
		const char *path = arena_printf(w->arena, "/%s", at->path);
		struct cgroup_dir dir = {
			.fd = fd,
			.path = path,
			.name = strrchr(path, '/') + 1,
			.id = st.st_ino,
			.below_roots = at->roots,
		};
		enum walk_step next = one(arg, &dir);
		*end = next == WALK_END;
		if (next == WALK_DOWN)
			error = push_children(w, at->path, fd, at->roots && roots_alone(&st, 0, OTHERS_WRITE));
	}
	if (fd >= 0)
		close(fd);
	return is_gone(error) && *at->path ? 0 : error;
}

int cgroup_walk(struct arena *a, struct diags *d, enum walk_step (*one)(void *arg, const struct cgroup_dir *dir),
                void *arg)
{
	const char *mount = cgroup_mount(a);
	if (!mount)
		return cgroup_no_mount(a, d, errno);
	struct walker w = {.arena = arena_scratch(a), .mount = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct stat st;
	int error = w.mount < 0 || fstat(w.mount, &st) ? errno : 0;
	const char *path = "";
	if (!error) {
		w.dev = st.st_dev;
		*ARENA_PUSH(w.arena, w.stack, w.n, w.cap) = (struct waiting){"", true};
	}
	for (bool end = false; !error && !end && w.n;) {
		struct waiting at = w.stack[--w.n];
		path = at.path;
		error = visit(&w, &at, one, arg, &end);
	}
	if (error)
		diag_fail(d, error_hint(a, error, "run it as a user who may read the hierarchy"),
		          "cannot look at the cgroup %s/%s: %s", mount, path, strerror(error));
	if (w.mount >= 0)
		close(w.mount);
	arena_free(w.arena);
	return error ? -1 : 0;
}
