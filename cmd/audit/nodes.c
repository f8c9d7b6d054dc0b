/*
 * nodes.c - the device nodes below /dev, where root alone decides what is there: no link is
 * followed, and no directory looked into that others can write.
 */
#include "cmd/audit/audit.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { DEPTH_MAX = 6, NODE_PATH = 256 };

struct walk {
	char path[NODE_PATH];
	bool (*one)(void *self, const struct dev_node *node);
	void *self;
	int depth;
};

static bool look(struct walk *w, int dir);

/* One entry; true: enough. */
static bool entry(struct walk *w, int dir, const char *name)
{
	struct stat st;
	size_t len = strlen(w->path);
	bool enough = false;
	if (len + strlen(name) + 2 > sizeof w->path || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return false;
	w->path[len] = '/';
	strcpy(w->path + len + 1, name);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
		enough = w->one(w->self, &(struct dev_node){S_ISBLK(st.st_mode) ? DEV_BLOCK : DEV_CHAR, major(st.st_rdev),
		                                            minor(st.st_rdev), w->path});
	} else if (S_ISDIR(st.st_mode) && !(st.st_mode & S_IWOTH) && w->depth < DEPTH_MAX) {
		int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		enough = fd >= 0 && look(w, fd);
	}
	w->path[len] = '\0';
	return enough;
}

/* All of a directory, which is closed then. */
static bool look(struct walk *w, int dir)
{
	DIR *d = fdopendir(dir);
	bool enough = false;
	if (!d) {
		close(dir);
		return false;
	}
	w->depth++;
	for (struct dirent *e; !enough && (e = readdir(d));)
		enough = strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && entry(w, dir, e->d_name);
	w->depth--;
	closedir(d);
	return enough;
}

void dev_nodes(bool (*one)(void *self, const struct dev_node *node), void *self)
{
	struct walk w = {.path = "/dev", .one = one, .self = self};
	int fd = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		look(&w, fd);
}
