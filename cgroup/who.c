/*
 * who.c - which files and cgroups the names in a policy are, here and now.
 *
 * What a name is is asked once, by whoever loads the program. A name that is nothing here, or a file that others than root can
 * change, stands for nothing: no caller is it.
 */
#include "cgroup/who.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/magic.h>

#include "cgroup/identity.h"
#include "cgroup/internal.h"
#include "cgroup/way.h"

/* ---- files --------------------------------------------------------------------------------- */

static const char again[] = "apply the policy again when it is there";

static bool nothing(struct who_name *w, const char *why, const char *fix)
{
	w->why = why;
	w->fix = fix;
	return false;
}

/* Nothing has that name: with wildcards it is not meant as one. */
static bool none(struct arena *a, struct who_name *w, const char *what, const char *instead)
{
	const char *wild = strpbrk(w->named->path, "*?");
	w->absent = true;
	if (!wild)
		return nothing(w, arena_printf(a, "there is no such %s", what), again);
	return nothing(w, arena_printf(a, "there is no such %s (%c is no wildcard here)", what, *wild), instead);
}

/* The same file for reading: the kernel tells its identity then. */
static int reopen(int fd)
{
	char path[40];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Do files of this system have a number that comes back for no other file? On an overlay root of its container can bring that
 * about, who can write into the file as well. */
static bool told_apart(uint32_t type, bool overlay_too)
{
	switch (type) {
	case EXT4_SUPER_MAGIC: case XFS_SUPER_MAGIC: case F2FS_SUPER_MAGIC: case TMPFS_MAGIC: case BTRFS_SUPER_MAGIC: /* by generation */
	case SQUASHFS_MAGIC: case EROFS_SUPER_MAGIC_V1: /* never written */
		return true;
	case OVERLAYFS_SUPER_MAGIC: return overlay_too;
	default: return false;
	}
}

/* Has somebody it open for writing, since the days when it was not root's alone? A lease for reading is refused then. */
static bool is_being_written(int fd)
{
	fcntl(fd, F_SETSIG, SIGURG); /* ignored by who does not ask for it: when it is opened for writing meanwhile */
	bool written = fcntl(fd, F_SETLEASE, F_RDLCK) && errno == EAGAIN;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return written;
}

static bool is_script(int fd)
{
	char begin[2];
	return pread(fd, begin, sizeof begin, 0) == sizeof begin && !memcmp(begin, "#!", 2);
}

/* Opens one for identities_of(). False: it stands for nothing. */
static bool open_named(struct arena *a, struct who_name *w, int root, int *fd)
{
	struct stat st;
	const char *others;
	int at = way_open(a, root, w->named->path, &w->real, &others);
	*fd = -1;
	w->absent = at < 0 && (errno == ENOENT || errno == ENOTDIR);
	if (others)
		return nothing(w, others, "name a file that only root can put there");
	if (w->absent)
		return none(a, w, "file", "name each file by itself: [\"/usr/bin/a\", \"/usr/bin/b\"].include?(ctx.exe)");
	if (at < 0)
		return nothing(w, arena_printf(a, "it cannot be opened: %s", strerror(errno)), "apply the policy again when it can be opened");
	bool regular = !fstat(at, &st) && S_ISREG(st.st_mode);
	*fd = regular ? reopen(at) : -1;
	int error = errno;
	close(at);
	if (!regular)
		return nothing(w, "it is no file that can be run", NULL);
	if (*fd < 0)
		return nothing(w, arena_printf(a, "it cannot be opened: %s", strerror(error)), "apply the policy again when it can be opened");
	if (is_script(*fd))
		return nothing(w, "it is a script: while it runs, the file of the process is its interpreter",
		               "no rule can tell one script from another: ask for ids, groups or capabilities, or name a compiled program");
	return true;
}

/* An overlay of several file systems takes a file's number from the one that has it, and another can have that, too. Then
 * stat(2) tells a device of that one, unless the overlay tells the numbers apart (xino=on). */
static bool is_told_apart(struct arena *a, struct who_name *w, const struct identity *id, const struct stat *st, bool overlay_too)
{
	bool overlay = id->system == OVERLAYFS_SUPER_MAGIC;
	if (overlay && overlay_too && (major(st->st_dev) << 20 | minor(st->st_dev)) != id->device)
		return nothing(w, "it is on an overlay of several file systems, where two files can have one number",
		               "mount the overlay with xino=on, or have all its layers on one file system");
	if (told_apart(id->system, overlay_too))
		return true;
	if (overlay)
		return nothing(w, "it is on an overlay, where a file that is gone can give its number to another",
		               "for one container: apply POLICY CGROUP --exe-root DIR");
	return nothing(w, arena_printf(a, "it is on a file system (type %#x) where a file that is gone can give its number to another",
	                               id->system), "install it on a file system of the host");
}

/* What the kernel says of it. */
static bool take(struct arena *a, struct who_name *w, const struct identity *id, int fd, bool overlay_too)
{
	struct stat st;
	if (fstat(fd, &st))
		return nothing(w, arena_printf(a, "it cannot be looked at: %s", strerror(errno)), again);
	if (!is_told_apart(a, w, id, &st, overlay_too))
		return false;
	if (id->untold)
		return nothing(w, "it is on btrfs, and this kernel does not tell programs in which subvolume a file is",
		               "use Linux 5.11 or later with CONFIG_DEBUG_INFO_BTF_MODULES=y, not locked down for confidentiality; or put it on "
		               "another file system");
	if (id->owner || st.st_uid) /* an id-mapped mount gives root's file to another, who can write to it there */
		return nothing(w, arena_printf(a, "it belongs to uid %u, who can change it", id->owner ? id->owner : st.st_uid), "chown root");
	if (id->mode & (S_IWGRP | S_IWOTH))
		return nothing(w, arena_printf(a, "%s may write to it (mode %04o)", id->mode & S_IWOTH ? "everybody" : "its group",
		                               id->mode & 07777), "chmod go-w");
	if (!(id->mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return nothing(w, arena_printf(a, "nobody may run it (mode %04o)", id->mode & 07777), NULL);
	if (is_being_written(fd))
		return nothing(w, "somebody has it open for writing", "apply the policy again when it is written, or install the file anew");
	w->key = identity_key(id);
	return true;
}

enum { AT_ONCE = 128 };

static int find_files(struct arena *a, struct diags *d, struct who_name **files, size_t n, int root)
{
	int fds[AT_ONCE];
	struct who_name *opened[AT_ONCE];
	struct identity ids[AT_ONCE];
	size_t some = 0;
	for (size_t i = 0; i < n; i++) {
		int fd;
		if (open_named(a, files[i], root, &fd)) {
			opened[some] = files[i];
			fds[some++] = fd;
		} else if (fd >= 0) {
			close(fd);
		}
	}
	int failed = identities_of(a, d, fds, some, ids);
	for (size_t i = 0; i < some; i++) {
		if (!failed)
			take(a, opened[i], &ids[i], fds[i], root >= 0);
		close(fds[i]);
	}
	return failed;
}

static int all_files(struct arena *a, struct diags *d, struct who *who, const char *exe_root)
{
	struct who_name *files[AT_ONCE];
	int failed = 0, root = exe_root ? open(exe_root, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (exe_root && root < 0)
		return diag_fail(d, "give the directory that is the root directory in the container", "--exe-root %s: %s", exe_root,
		                 strerror(errno));
	for (size_t i = 0, n = 0; i < who->n && !failed; i++) {
		if (!who->list[i].named->is_cgroup)
			files[n++] = &who->list[i];
		if (n && (n == AT_ONCE || i + 1 == who->n)) {
			failed = find_files(a, d, files, n, root);
			n = 0;
		}
	}
	if (root >= 0)
		close(root);
	return failed;
}

/* ---- cgroups ---------------------------------------------------------------------------------- */

/* The hierarchy as the kernel counts its levels; NULL: it is not seen from here. */
static const char *whole_hierarchy(struct arena *a)
{
	struct diags unsaid;
	struct cgroup *top;
	const char *mount = cgroup_mount(a);
	diags_init(&unsaid, a);
	if (!mount || cgroup_open(a, &unsaid, mount, &top))
		return NULL;
	bool whole = cgroup_is_hosts_root(top);
	cgroup_close(top);
	return whole ? mount : NULL;
}

static void find_cgroup(struct arena *a, const char *mount, struct who_name *w)
{
	struct diags unsaid;
	struct cgroup *cg;
	diags_init(&unsaid, a);
	if (!mount) {
		nothing(w, "the whole cgroup v2 hierarchy is not seen from here", "apply it on the host");
	} else if (cgroup_open(a, &unsaid, arena_printf(a, "%s%s", mount, w->named->path), &cg)) {
		none(a, w, "cgroup", "name the cgroup above them, or each by itself");
	} else {
		w->key = (struct who_key){cg->id, WHO_DEVICE_CGROUP, 0, 0};
		cgroup_close(cg);
	}
}

/* ---- all ------------------------------------------------------------------------------------------ */

static int by_key(const void *a, const void *b)
{
	const struct who_name *x = *(struct who_name *const *)a, *y = *(struct who_name *const *)b;
	int order = memcmp(&x->key, &y->key, sizeof x->key);
	return order ? order : x < y ? -1 : x > y;
}

/* A file has one name: whether two names or one were meant cannot be told. */
static int refuse_twice(struct arena *a, struct diags *d, const struct who *who)
{
	struct who_name **found = arena_alloc(a, (who->n + 1) * sizeof *found);
	size_t n = 0;
	for (size_t i = 0; i < who->n; i++)
		if (!who->list[i].why)
			found[n++] = &who->list[i];
	if (n)
		qsort(found, n, sizeof *found, by_key);
	for (size_t i = 1; i < n; i++)
		if (!memcmp(&found[i - 1]->key, &found[i]->key, sizeof found[i]->key)) {
			diag_add(d, DIAG_ERROR, found[i]->named->at, "leave one of the two names out",
			         "'%s' and '%s' are one file here: a program knows it by one name", found[i - 1]->named->path, found[i]->named->path);
			return -1;
		}
	return 0;
}

int who_find(struct arena *a, struct diags *d, const struct asked *asked, const char *exe_root, struct who *out)
{
	const char *mount = NULL;
	bool looked = false;
	*out = (struct who){.list = arena_alloc(a, (asked->npaths + 1) * sizeof *out->list), .n = asked->npaths};
	for (size_t i = 0; i < out->n; i++)
		out->list[i].named = &asked->paths[i];
	if (all_files(a, d, out, exe_root))
		return -1;
	for (size_t i = 0; i < out->n; i++) {
		if (!out->list[i].named->is_cgroup)
			continue;
		mount = looked ? mount : whole_hierarchy(a);
		looked = true;
		find_cgroup(a, mount, &out->list[i]);
	}
	return refuse_twice(a, d, out);
}
