/*
 * node.c - the device's node as the process sees it: what the kernel looks at before it asks a program.
 *
 * In its order: the directories on the way, a mount without devices, then mode bits or ACL. The path is
 * resolved below the root directory of the process, in its mounts. Nothing is opened: an open can rewind
 * a tape.
 */
#include "cmd/why/why.h"
#include "policy/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4 };

/* Where the process sees that path, O_PATH; or -1. */
static int open_there(const struct inquiry *q, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	if (q->held.pid)
		return (int)syscall(SYS_openat2, q->view.root, path, &how, sizeof how);
	return open(path, O_PATH | O_CLOEXEC);
}

void why_find_device(const struct inquiry *q, struct arena *a, const char *path, struct host_device *out)
{
	struct stat st;
	int fd = q->held.pid ? open_there(q, path) : -1;
	*out = (struct host_device){0};
	if (fd >= 0 && !fstat(fd, &st))
		*out = (struct host_device){.mode = st.st_mode, .major = major(st.st_rdev), .minor = minor(st.st_rdev)};
	else
		host_here.device(&host_here, a, path, out);
	if (fd >= 0)
		close(fd);
}

/* ---- who may -------------------------------------------------------------------------------------- */

static bool in_group(const struct process_view *v, uint32_t gid)
{
	bool in = v->fsgid == gid;
	for (size_t i = 0; i < v->ngroups; i++)
		in |= v->groups[i] == gid;
	return in;
}

/* ACL_USER_OBJ ...; as getxattr(2) gives them, little-endian */
struct acl_entry { uint16_t tag, perm; uint32_t id; };
enum { ACL_VERSION = 2, ACL_USER_OBJ = 1, ACL_USER = 2, ACL_GROUP_OBJ = 4, ACL_GROUP = 8, ACL_MASK = 16, ACL_ENTRIES = 256 };
struct acl { struct acl_entry list[ACL_ENTRIES]; size_t n; };

/* None where the bits of the group, which are its mask, are none: then the kernel does not look at it. */
static void read_acl(int fd, const struct stat *st, struct acl *out)
{
	char name[40];
	struct { uint32_t version; struct acl_entry list[ACL_ENTRIES]; } raw;
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	ssize_t size = getxattr(name, "system.posix_acl_access", &raw, sizeof raw);
	out->n = st->st_mode & 070 && size > 4 && raw.version == ACL_VERSION ? ((size_t)size - 4) / sizeof *out->list : 0;
	memcpy(out->list, raw.list, out->n * sizeof *out->list);
}

/* The owner by its bits, a named user and groups by theirs and the mask, others by the last. */
static bool acl_allows(const struct process_view *v, const struct stat *st, const struct acl *acl, unsigned want)
{
	unsigned mask = 7, group = 0;
	bool named = false, any = false;
	for (size_t i = 0; i < acl->n; i++)
		if (acl->list[i].tag == ACL_MASK)
			mask = acl->list[i].perm;
	if (v->fsuid == st->st_uid)
		return !(want & ~(st->st_mode >> 6));
	for (size_t i = 0; i < acl->n; i++) {
		const struct acl_entry *e = &acl->list[i];
		if (e->tag == ACL_USER && e->id == v->fsuid) {
			named = true;
			group = e->perm;
		} else if (!named && ((e->tag == ACL_GROUP_OBJ && in_group(v, st->st_gid)) || (e->tag == ACL_GROUP && in_group(v, e->id)))) {
			any = true;
			if (!(want & ~(e->perm & mask)))
				return true;
		}
	}
	if (named)
		return !(want & ~(group & mask));
	return !any && !(want & ~st->st_mode & 7);
}

static bool mode_allows(const struct process_view *v, const struct stat *st, unsigned want)
{
	unsigned bits = v->fsuid == st->st_uid ? st->st_mode >> 6 : in_group(v, st->st_gid) ? st->st_mode >> 3 : st->st_mode;
	return !(want & ~bits & 7);
}

/* Capabilities count where the file's owner and group are ids of the process's user namespace. */
static bool overrides(const struct process_view *v, const struct stat *st, unsigned want)
{
	bool here = v->initial_user_ns || (id_inside(&v->uids, st->st_uid) >= 0 && id_inside(&v->gids, st->st_gid) >= 0);
	if (here && v->caps & 1ull << CAP_DAC_OVERRIDE)
		return true;
	unsigned reads = S_ISDIR(st->st_mode) ? MAY_READ | MAY_EXEC : MAY_READ;
	return here && v->caps & 1ull << CAP_DAC_READ_SEARCH && !(want & ~reads);
}

/* ---- the way there ---------------------------------------------------------------------------------- */

static const char *who(const struct inquiry *q)
{
	struct arena *a = q->c->arena;
	const struct process_view *v = &q->view;
	uint32_t uid = q->caller ? v->fsuid : (uint32_t)q->request.fact[IN_UID];
	int64_t inside = q->caller && !v->initial_user_ns ? id_inside(&v->uids, uid) : -1;
	return inside < 0 ? arena_printf(a, "uid %u", uid) : arena_printf(a, "uid %u (%lld in its user namespace)", uid, (long long)inside);
}

static const char *bits_of(struct arena *a, const struct stat *st)
{
	return arena_printf(a, "mode %04o, owner %u, group %u", (unsigned)st->st_mode & 07777, st->st_uid, st->st_gid);
}

/* False, and told: it may not pass through this directory. */
static bool may_pass(void *arg, int fd, const struct stat *st)
{
	struct inquiry *q = arg;
	struct arena *a = q->c->arena;
	char name[40], path[PATH_MAX];
	struct acl acl;
	read_acl(fd, st, &acl);
	if ((acl.n ? acl_allows(&q->view, st, &acl, MAY_EXEC) : mode_allows(&q->view, st, MAY_EXEC)) || overrides(&q->view, st, MAY_EXEC))
		return true;
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(name, path, sizeof path);
	why_refuses(q, "a directory on the way denies it", "EACCES",
	            arena_printf(a, "%s: %s: %s may not pass through it", n > 0 ? arena_strndup(a, path, (size_t)n) : "a directory",
	                         bits_of(a, st), who(q)));
	return false;
}

/* Is the file system one that is mounted here, too? */
static bool mounted_here(dev_t dev)
{
	unsigned of_major, of_minor;
	char *line = NULL;
	size_t room = 0;
	bool here = false;
	FILE *f = fopen("/proc/self/mountinfo", "re");
	while (f && !here && getline(&line, &room, f) > 0)
		here = sscanf(line, "%*d %*d %u:%u", &of_major, &of_minor) == 2 && makedev(of_major, of_minor) == dev;
	free(line);
	if (f)
		fclose(f);
	return here;
}

/* The kernel marks what was mounted in a user namespace of its own, and shows that nowhere. */
static void look_at_mount(struct inquiry *q, int fd, const struct stat *st)
{
	struct statvfs fs;
	if (q->held.pid && !q->view.initial_user_ns && !mounted_here(st->st_dev)) {
		struct refusal *r = why_refuses(q, "the mount denies it", "EACCES",
		                                "its file system is not mounted here: if it was mounted in the user namespace of the process, "
		                                "no device on it can be opened");
		r->perhaps = true;
		r->hint = "mount the host's node over it (mount --bind), as container engines do";
	}
	if (!fstatvfs(fd, &fs) && fs.f_flag & ST_NODEV)
		why_refuses(q, "the mount denies it", "EACCES", "its file system is mounted nodev: no device can be opened there")->hint =
			"mount it with the option dev, or use the node in /dev";
}

/* Without a process only the ids are known that the request gives. */
static void look_at_mode(struct inquiry *q, const struct stat *st, const struct acl *acl)
{
	struct arena *a = q->c->arena;
	const struct request *r = &q->request;
	unsigned want = (r->access & ACC_READ ? MAY_READ : 0u) | (r->access & ACC_WRITE ? MAY_WRITE : 0u);
	struct process_view v = q->view;
	if (!q->caller) {
		if (!(r->known & INPUT(IN_UID)) || !r->fact[IN_UID])
			return;
		v = (struct process_view){.fsuid = (uint32_t)r->fact[IN_UID],
		                          .fsgid = r->known & INPUT(IN_GID) ? (uint32_t)r->fact[IN_GID] : UINT32_MAX};
	}
	if (!want || overrides(&v, st, want) || (acl->n ? acl_allows(&v, st, acl, want) : mode_allows(&v, st, want)))
		return;
	struct refusal *n = why_refuses(q, acl->n ? "the node's ACL denies it" : "the node's mode denies it", "EACCES",
	                                arena_printf(a, "%s%s: %s has not these bits", bits_of(a, st), acl->n ? ", with an ACL" : "", who(q)));
	n->perhaps = !q->caller;
	n->hint = q->caller ? NULL : "supplementary groups and capabilities of the process may still allow it: name it by --pid";
}

/* ---- the whole -------------------------------------------------------------------------------------- */

void why_node(struct inquiry *q)
{
	struct node *n = &q->node;
	struct stat st;
	struct acl acl;
	n->path = q->path;
	if (!n->path) {
		why_barriers(q);
		return;
	}
	int fd = open_there(q, n->path), error = fd < 0 ? errno : 0;
	if (fd >= 0 && !fstat(fd, &st)) {
		n->there = true;
		n->mode = (unsigned)st.st_mode;
		n->uid = st.st_uid;
		n->gid = st.st_gid;
		read_acl(fd, &st, &acl);
		if (q->caller)
			why_passes(q->view.root, n->path, may_pass, q);
		if (q->request.access & (ACC_READ | ACC_WRITE))
			look_at_mount(q, fd, &st);
		look_at_mode(q, &st, &acl);
	} else if (q->request.access != ACC_MKNOD) {
		why_refuses(q, "the process has no such path", error == ENOENT ? "ENOENT" : strerrorname_np(error),
		            arena_printf(q->c->arena, "process %d does not see it: %s", (int)q->held.pid, strerror(error)))
			->hint = "what is told of programs is about the device that this host has there";
	}
	if (fd >= 0)
		close(fd);
	why_barriers(q);
}
