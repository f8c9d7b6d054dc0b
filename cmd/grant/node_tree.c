/*
 * node_tree.c - a node, or directories with a node in them, made in one directory and taken away again.
 *
 * All goes by the descriptor of that directory, so a directory that is moved meanwhile takes it along, and nothing is made
 * elsewhere. It is made under a name that nobody else uses, and gets its own by a rename that replaces nothing: it is there
 * whole or not at all. It goes the same way back: renamed first, looked at once more, then removed.
 */
#include "cmd/grant/node_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DIRECTORY = 0755, DEPTH_MAX = 32 };

bool tree_is(int fd, const struct tree_ident *id)
{
	struct stat st;
	if (fstat(fd, &st) || (st.st_mode & S_IFMT) != id->type || (id->ino && (st.st_dev != id->dev || st.st_ino != id->ino)) ||
	    (id->born && fd_born(fd) != id->born))
		return false;
	return id->type == S_IFREG ? !st.st_size : st.st_rdev == id->rdev;
}

void tree_temp(const struct host_grant *g, char out[NODE_TEMP])
{
	snprintf(out, NODE_TEMP, ".devguard-%" PRIx64 "-%" PRIx64, g->id, g->time);
}

/* ---- made ------------------------------------------------------------------------------------------- */

int tree_dress(int fd, const struct node_owner *o, uint32_t mode)
{
	char name[40];
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	return fchownat(fd, "", o->uid, o->gid, AT_EMPTY_PATH) || chmod(name, mode & 07777) ? -errno : 0;
}

/* A directory that has just been made, entered. */
static int enter_new(int dir, const char *name, const struct node_owner *o)
{
	int fd = mkdirat(dir, name, DIRECTORY) ? -errno : fd_step(dir, name, true);
	int error = fd < 0 ? fd : tree_dress(fd, o, DIRECTORY);
	if (!error)
		return fd;
	if (fd >= 0)
		close(fd);
	return error;
}

static int make_leaf(int dir, const char *name, const struct node_owner *o, uint32_t mode, uint64_t rdev, struct tree_made *out)
{
	struct stat st;
	if (mknodat(dir, name, mode & S_IFMT, rdev))
		return -errno;
	out->leaf = fd_step(dir, name, true);
	if (out->leaf < 0)
		return out->leaf;
	struct tree_ident id = {.rdev = rdev, .type = mode & S_IFMT};
	if (!tree_is(out->leaf, &id) || fstat(out->leaf, &st))
		return -ESTALE;
	out->dev = st.st_dev;
	out->ino = st.st_ino;
	out->born = fd_born(out->leaf);
	return tree_dress(out->leaf, o, mode);
}

static int make(const struct node_tree *t, const struct node_owner *o, uint32_t mode, uint64_t rdev, struct tree_made *out)
{
	char name[NODE_PATH];
	struct stat st;
	int dir = fcntl(t->dir, F_DUPFD_CLOEXEC, 0), error = dir < 0 ? -errno : 0;
	const char *rest = path_part(t->below, name);
	snprintf(name, sizeof name, "%s", t->temp);
	while (!error && *rest) {
		int fd = enter_new(dir, name, o);
		error = fd < 0 ? fd : 0;
		if (!error && !out->top)
			out->top = fstat(fd, &st) ? 0 : st.st_ino;
		close(dir);
		dir = fd;
		rest = path_part(rest, name);
	}
	if (!error)
		error = make_leaf(dir, name, o, mode, rdev, out);
	if (dir >= 0)
		close(dir);
	return error;
}

int tree_make(const struct node_tree *t, const struct node_owner *o, uint32_t mode, uint64_t rdev, struct tree_made *out)
{
	*out = (struct tree_made){.leaf = -1};
	int error = make(t, o, mode, rdev, out);
	if (!error)
		return 0;
	if (out->leaf >= 0)
		close(out->leaf);
	out->leaf = -1;
	if (error != -EEXIST || out->top) /* else the name is taken by what is not ours */
		tree_drop(t, &(struct tree_ident){.rdev = rdev, .type = mode & S_IFMT});
	return error;
}

int tree_show(const struct node_tree *t)
{
	char name[NODE_PATH];
	path_part(t->below, name);
	return renameat2(t->dir, t->temp, t->dir, name, RENAME_NOREPLACE) ? -errno : 0;
}

/* ---- taken away --------------------------------------------------------------------------------------- */

static int drop(int dir, const char *name, const char *rest, const struct tree_ident *id)
{
	char next[NODE_PATH];
	int fd = fd_step(dir, name, true);
	if (fd < 0)
		return fd;
	int error = -ESTALE;
	if (*rest) {
		struct stat st;
		rest = path_part(rest, next);
		error = fstat(fd, &st) || !S_ISDIR(st.st_mode) ? -ESTALE : drop(fd, next, rest, id);
		if (!error || error == -ENOENT)
			error = unlinkat(dir, name, AT_REMOVEDIR) ? -errno : 0;
	} else if (tree_is(fd, id)) {
		error = unlinkat(dir, name, 0) ? -errno : 0;
	}
	close(fd);
	return error;
}

int tree_drop(const struct node_tree *t, const struct tree_ident *id)
{
	char first[NODE_PATH];
	return drop(t->dir, t->temp, path_part(t->below, first), id);
}

static int is_there(int dir, const char *name, const struct tree_ident *id)
{
	int fd = fd_step(dir, name, true);
	if (fd < 0)
		return fd;
	bool ours = tree_is(fd, id);
	close(fd);
	return ours ? 0 : -ESTALE;
}

int tree_take(int dir, const char *name, const char *temp, const struct tree_ident *id)
{
	int error = is_there(dir, name, id);
	if (error)
		return error;
	if (renameat2(dir, name, dir, temp, RENAME_NOREPLACE))
		return -errno;
	error = is_there(dir, temp, id);
	if (!error)
		return unlinkat(dir, temp, 0) ? -errno : 0;
	renameat2(dir, temp, dir, name, RENAME_NOREPLACE); /* it took another's place meanwhile: back */
	return error;
}

/* ---- directories ---------------------------------------------------------------------------------------- */

/* The name of the part that is `up` parts before the last one. */
static bool part_before(const char *names, unsigned up, char out[NODE_PATH])
{
	unsigned n = 0, i = 0;
	for (const char *rest = path_part(names, out); *out; rest = path_part(rest, out))
		n++;
	if (n <= up)
		return false;
	for (const char *rest = path_part(names, out); i < n - 1 - up; i++)
		rest = path_part(rest, out);
	return true;
}

int tree_fold(int dir, const char *names, uint64_t dev, uint64_t top)
{
	int chain[DEPTH_MAX + 1], error = -ESTALE;
	unsigned n = 0, found = 0;
	struct stat st;
	char name[NODE_PATH];
	for (int fd = fcntl(dir, F_DUPFD_CLOEXEC, 0); fd >= 0 && n < DEPTH_MAX; fd = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC)) {
		chain[n++] = fd;
		if (found || fstat(fd, &st) || st.st_dev != dev) /* the one above the first of ours, and no further */
			break;
		found = st.st_ino == top ? n : 0;
	}
	for (unsigned i = 0; found && i < found && i + 1 < n; i++) {
		struct stat below, here;
		int there = part_before(names, i, name) ? fd_step(chain[i + 1], name, true) : -ESTALE;
		bool same = there >= 0 && !fstat(there, &below) && !fstat(chain[i], &here) && below.st_ino == here.st_ino;
		if (there >= 0)
			close(there);
		error = !same ? -ESTALE : unlinkat(chain[i + 1], name, AT_REMOVEDIR) ? -errno : 0;
		if (error)
			break;
	}
	while (n)
		close(chain[--n]);
	return error;
}
