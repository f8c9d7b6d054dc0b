/*
 * node.c - a node made for a grant: where, of what kind, and whether it can be there at all.
 *
 * In a mount namespace of the host's users mknod(2) makes it. Where the container has a user namespace of its own, or where
 * the mount lets no device be opened, it is a mount over an empty file: a node that belongs to a file system of
 * another user namespace opens nothing.
 */
#include "cmd/grant/node_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct making {
	struct arena *a;
	struct diags *d;
	const struct node_wish *wish;
	struct host_grant *g;
	node_keep *keep;
	void *arg;
	const char *path;      /* as the process sees it */
	const char *device;    /* on this host, or NULL */
	struct node_whose whose;
	struct node_seen seen;
	struct node_owner owner;
	uint32_t type;         /* S_IFCHR, S_IFBLK */
};

static const char *kind(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return "a file";
	case S_IFDIR: return "a directory";
	case S_IFLNK: return "a symbolic link";
	case S_IFIFO: return "a FIFO";
	case S_IFSOCK: return "a socket";
	default: return NULL;
	}
}

static const char *device_text(struct arena *a, uint32_t mode, uint64_t rdev)
{
	return arena_printf(a, "%c %u:%u", S_ISCHR(mode) ? 'c' : 'b', major(rdev), minor(rdev));
}

/* ---- its path ------------------------------------------------------------------------------------ */

/* Absolute, and no part of it is empty, "." or "..". */
static bool plain(const char *path)
{
	char name[NODE_PATH];
	if (*path != '/' || !path[1] || path[strlen(path) - 1] == '/' || strlen(path) >= NODE_PATH || strstr(path, "//"))
		return false;
	for (const char *rest = path_part(path, name); *name; rest = path_part(rest, name))
		if (!strcmp(name, ".") || !strcmp(name, ".."))
			return false;
	return true;
}

static int find_path(struct making *m)
{
	const struct node_wish *w = m->wish;
	m->type = w->type == DEV_CHAR ? S_IFCHR : S_IFBLK;
	m->device = w->device ? w->device : owner_device(m->a, w);
	m->path = w->path ? w->path : m->device;
	if (!m->path)
		return diag_fail(m->d, "say where: --node=/dev/NAME", "the device %c %u:%u has no name here that a node could have",
		                 w->type == DEV_CHAR ? 'c' : 'b', w->major, w->minor);
	if (!m->device)
		m->device = m->path;
	if (!plain(m->path))
		return diag_fail(m->d, "for example --node=/dev/fuse", "--node=%s: not the path of a node: it is absolute, without . and .., "
		                 "and shorter than %d bytes", m->path, NODE_PATH);
	return 0;
}

/* ---- what is there ---------------------------------------------------------------------------------- */

static int cannot_look(const struct making *m)
{
	const struct node_seen *s = &m->seen;
	const char *part = arena_strndup(m->a, m->path, s->at && m->path[s->at] ? s->at - 1 : strlen(m->path));
	int pid = (int)m->whose.held.pid;
	if (s->error == ETIMEDOUT)
		return diag_fail(m->d, "look at what is mounted there: a file system that answers nothing?",
		                 "'%s' of process %d could not be looked at within %d seconds", m->path, pid, NODE_SECONDS);
	if (!strcmp(s->failed, "path") && s->error == ELOOP)
		return diag_fail(m->d, "name the path without links: --node=PATH", "in the container, '%s' is a symbolic link: no node is made behind one",
		                 part);
	if (!strcmp(s->failed, "path"))
		return diag_fail(m->d, "name another path: --node=PATH", "cannot go to '%s' as process %d sees it: %s", part, pid, strerror(s->error));
	if (!strcmp(s->failed, "top"))
		return diag_fail(m->d, "name a process whose root directory is that of its mount namespace: --pid PID",
		                 "the directory of '%s' that process %d sees cannot be reached in its mount namespace", m->path, pid);
	if (s->error == ESRCH || s->error == ENOENT)
		return diag_fail(m->d, "try again", "process %d ended meanwhile", pid);
	return diag_fail(m->d, error_hint(m->a, s->error, "see `rucy-devguard doctor`"), "cannot look at the mounts of process %d: %s: %s", pid,
	                 s->failed, strerror(s->error));
}

/* 1: the node is there already. */
static int something_there(const struct making *m)
{
	const struct node_at *n = &m->seen.node;
	const char *what = kind(n->mode);
	if (there_is(&m->seen, m->wish->type, makedev(m->wish->major, m->wish->minor))) {
		diag_add(m->d, DIAG_WARNING, (struct span){0},
		         n->nodev ? "name another path: --node=PATH" : "revoke leaves it there", "'%s' is there already as process %d sees it%s",
		         m->path, (int)m->whose.held.pid, n->nodev ? ", on a mount that lets no device be opened" : ": no node is made");
		owner_remark(m->a, m->d, m->wish, &m->whose, &(struct node_owner){n->uid, n->gid, n->mode & 0777}, m->path);
		return 1;
	}
	return diag_fail(m->d, "name another path: --node=PATH", "in the container, '%s' is %s: it is left as it is", m->path,
	                 what ? what : device_text(m->a, n->mode, n->rdev));
}

/* May something be made in that directory? 0 or -1. */
static int suitable(const struct making *m)
{
	const struct node_seen *s = &m->seen;
	const char *dir = arena_strndup(m->a, m->path, s->behind > 1 ? s->behind - 1 : 1);
	if (!S_ISDIR(s->dir.mode))
		return diag_fail(m->d, "name another path: --node=PATH", "in the container, '%s' is no directory", dir);
	if (m->whose.hosts)
		return diag_fail(m->d, arena_printf(m->a, "make it for all: mknod %s %s", m->path, device_text(m->a, m->type, makedev(m->wish->major, m->wish->minor))),
		                 "process %d has the mounts of this host: a node at '%s' would be one of the host", (int)m->whose.held.pid, m->path);
	if (!s->tmpfs)
		return diag_fail(m->d, "name a path below a tmpfs, as /dev is: --node=/dev/NAME",
		                 "in the container, '%s' is on %s, not on a tmpfs: what is made there could outlive the grant", dir,
		                 *s->type ? s->type : "another file system");
	if (mounts_here(s->dir.dev))
		return diag_fail(m->d, "name a path that only the container sees: --node=PATH",
		                 "in the container, '%s' is shared with this host: a node there would be seen here", dir);
	if (s->read_only)
		return diag_fail(m->d, "name a path that can be written: --node=PATH", "in the container, '%s' is mounted read-only", dir);
	return 0;
}

/* 0: nothing is there, and it can be made. 1: it is there. */
static int look(struct making *m)
{
	if (node_look(&m->whose, false, m->path, NULL, &m->seen))
		return cannot_look(m);
	if (!whose_runs(&m->whose))
		return diag_fail(m->d, "try again", "process %d ended meanwhile", (int)m->whose.held.pid);
	if (m->seen.there)
		return something_there(m);
	return suitable(m);
}

/* ---- made ---------------------------------------------------------------------------------------------- */

/* What will be made, into the entry. */
static int plan(struct making *m)
{
	struct host_grant *g = m->g;
	if (snprintf(g->node_path, sizeof g->node_path, "%s%s", m->seen.root, m->path) >= (int)sizeof g->node_path) {
		g->node_path[0] = '\0';
		return diag_fail(m->d, "name a shorter path: --node=PATH", "'%s%s' is longer than %d bytes", m->seen.root, m->path, NODE_PATH - 1);
	}
	g->node = m->whose.initial && !m->seen.dir.nodev ? GRANT_NODE_MADE : GRANT_NODE_MOUNTED;
	g->node_minor = m->wish->minor;
	g->node_ns = m->whose.ns_id;
	g->node_dev = g->node_ino = g->node_born = g->node_mount = g->node_dir = 0;
	return 0;
}

/* What was made, into the entry. */
static int keep_made(void *arg, const struct work_done *done)
{
	struct making *m = arg;
	m->g->node_dev = done->dev;
	m->g->node_ino = done->ino;
	m->g->node_born = done->born;
	m->g->node_dir = done->top;
	m->g->node_mount = done->mount;
	return m->keep(m->arg);
}

static void nothing_made(struct host_grant *g)
{
	g->node = GRANT_NODE_NONE;
	g->node_minor = 0;
	g->node_dev = g->node_ino = g->node_born = g->node_mount = g->node_ns = g->node_dir = 0;
	memset(g->node_path, 0, sizeof g->node_path);
}

static int cannot_make(const struct making *m, const struct work_done *done)
{
	int error = done->error;
	const char *hint = error_hint(m->a, error, "name another path: --node=PATH");
	if (error == EEXIST)
		hint = "try again";
	else if (error == EOVERFLOW)
		hint = "its file system belongs to another user namespace than its mounts: name a path on another one, --node=PATH";
	else if (error == ENOSPC || error == EDQUOT)
		hint = "the container's tmpfs is full";
	return diag_fail(m->d, hint, "cannot make '%s' where process %d sees it%s%s: %s", m->path, (int)m->whose.held.pid,
	                 *done->failed ? ": " : "", done->failed, error == EEXIST ? "something is there meanwhile" : strerror(error));
}

/* It is at its path, for whoever begins at the top, and this host does not see it. */
static int confirm(const struct making *m, uint64_t fs)
{
	struct node_seen s;
	int failed = node_look(&m->whose, true, m->g->node_path, NULL, &s);
	node_look_end(&s);
	if (!failed && there_is_made(&s, m->g)) {
		if (m->g->node == GRANT_NODE_MOUNTED && mounts_here(fs))
			return diag_fail(m->d, "name a path that only the container sees: --node=PATH", "the node at '%s' was seen on this host", m->path);
		return 0;
	}
	return diag_fail(m->d, "try again", "the node is not to be found at '%s': its directory was moved, or something was mounted there meanwhile",
	                 m->path);
}

static int make(struct making *m)
{
	struct work_done done;
	struct node_work w = {
		.whose = &m->whose, .tree.dir = m->seen.dir_fd, .owner = m->owner, .mounted = m->g->node == GRANT_NODE_MOUNTED,
		.type = m->type, .rdev = makedev(m->wish->major, m->wish->minor),
	};
	size_t before = m->d->errors;
	snprintf(w.tree.below, sizeof w.tree.below, "%s", m->path + m->seen.behind);
	tree_temp(m->g, w.tree.temp);
	if (!node_work(&w, keep_made, m, &done))
		return confirm(m, done.fs);
	if (!done.left)
		nothing_made(m->g);
	return m->d->errors > before ? -1 : cannot_make(m, &done); /* keep() has said what failed */
}

static void remark_others(const struct making *m)
{
	const struct node_whose *w = &m->whose;
	if (!w->others)
		return;
	diag_add(m->d, DIAG_WARNING, (struct span){0}, arena_printf(m->a, "to make it where that one sees it: --pid %d", (int)w->other),
	         "%zu process%s of '%s' (such as %d) %s mounts other than process %d: the node is made where that one sees it", w->others,
	         w->others == 1 ? "" : "es", m->wish->cg->path, (int)w->other, w->others == 1 ? "has" : "have", (int)w->held.pid);
}

static int make_in(struct making *m)
{
	int there = look(m);
	if (there)
		return there > 0 ? 0 : -1;
	if (owner_find(m->a, m->d, m->wish, &m->whose, m->device, &m->owner) || plan(m))
		return -1;
	if (m->keep(m->arg)) {
		nothing_made(m->g);
		return -1;
	}
	if (make(m))
		return -1;
	owner_remark(m->a, m->d, m->wish, &m->whose, &m->owner, m->path);
	remark_others(m);
	return 0;
}

int node_make(struct arena *a, struct diags *d, const struct node_wish *w, struct host_grant *g, node_keep *keep, void *arg)
{
	struct making m = {.a = a, .d = d, .wish = w, .g = g, .keep = keep, .arg = arg, .seen = {.dir_fd = -1, .temp_fd = -1}};
	nothing_made(g);
	if (find_path(&m) || whose_choose(a, d, w->cg, w->pid, &m.whose))
		return -1;
	int failed = make_in(&m);
	node_look_end(&m.seen);
	whose_let_go(&m.whose);
	return failed;
}
