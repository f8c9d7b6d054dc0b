/*
 * way.c - the directories that are passed through on the way to a path, links followed as the kernel follows
 * them: below a root directory, and never out of it.
 */
#include "cmd/why/why.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 };

struct way {
	int root, at;    /* O_PATH */
	struct stat st;  /* of `at` */
	char rest[2 * PATH_MAX];
	unsigned links;
};

/* Goes on from another directory; -1 ends the way. */
static bool move_to(struct way *w, int fd)
{
	if (w->at >= 0)
		close(w->at);
	w->at = fd;
	return fd >= 0 && !fstat(fd, &w->st);
}

static bool at_root(const struct way *w)
{
	struct stat root;
	return !fstat(w->root, &root) && root.st_dev == w->st.st_dev && root.st_ino == w->st.st_ino;
}

/* Puts a link's target before the rest. False: it leads nowhere, or too many do. */
static bool follow(struct way *w, int link, const char *rest)
{
	char target[PATH_MAX], whole[2 * PATH_MAX];
	ssize_t len = readlinkat(link, "", target, sizeof target - 1);
	if (len <= 0 || ++w->links > LINKS_MAX)
		return false;
	target[len] = '\0';
	int n = snprintf(whole, sizeof whole, "%s/%s", target, rest);
	if (n < 0 || (size_t)n >= sizeof whole)
		return false;
	memcpy(w->rest, whole, (size_t)n + 1);
	return *target != '/' || move_to(w, openat(w->root, ".", O_PATH | O_CLOEXEC));
}

/* One name of the rest. False: the way ends. */
static bool step(struct way *w)
{
	char name[NAME_MAX + 1], rest[2 * PATH_MAX];
	const char *from = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(from, "/");
	if (!n || n > NAME_MAX)
		return false;
	memcpy(name, from, n);
	name[n] = '\0';
	strcpy(rest, from + n);
	if (!strcmp(name, "..") && at_root(w))
		strcpy(name, ".");
	int fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st)) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	if (S_ISLNK(st.st_mode)) {
		bool on = follow(w, fd, rest);
		close(fd);
		return on;
	}
	strcpy(w->rest, rest);
	return move_to(w, fd) && S_ISDIR(st.st_mode);
}

bool why_passes(int root, const char *path, bool (*may)(void *arg, int fd, const struct stat *st), void *arg)
{
	struct way w = {.root = root, .at = -1};
	size_t n = strlen(path);
	bool passes = true;
	if (n >= sizeof w.rest)
		return true;
	memcpy(w.rest, path, n + 1);
	if (move_to(&w, openat(root, ".", O_PATH | O_CLOEXEC)))
		do
			passes = may(arg, w.at, &w.st);
		while (passes && step(&w));
	move_to(&w, -1);
	return passes;
}
