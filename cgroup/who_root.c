/*
 * who_root.c - the root directory of what runs in a cgroup, or is about to: that of `--exe-root`, and of a container that a
 * hook guards. It is for that container's own cgroup only.
 */
#include "cgroup/who.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "cgroup/internal.h"

struct look {
	struct arena *arena;
	const char *below;       /* the cgroup's path, from the mount on */
	struct stat here;
	struct who_root wanted;  /* mounts 0: any */
	pid_t but;               /* this one counts for nothing; 0: each counts */
	pid_t own, first, apart; /* processes: in the root of this one; in the wanted root; in one of another file system */
	bool firsts_root;        /* `first` is root's */
	uint32_t mounts;         /* of `first` */
};

struct sight { struct stat root, mounts; }; /* what a process sees: its root directory, and its mount namespace */

/* Of a process as /proc names it. 0 or an errno. */
static int sight_of(const char *process, struct sight *out)
{
	char path[48];
	snprintf(path, sizeof path, "/proc/%s/root/.", process);
	if (stat(path, &out->root))
		return errno;
	snprintf(path, sizeof path, "/proc/%s/ns/mnt", process);
	return stat(path, &out->mounts) ? errno : 0;
}

static bool is_same(const struct stat *x, const struct stat *y)
{
	return x->st_dev == y->st_dev && x->st_ino == y->st_ino;
}

static bool is_wanted(const struct look *l, const struct stat *root, uint32_t mounts)
{
	return root->st_dev == l->wanted.device && root->st_ino == l->wanted.inode && (!l->wanted.mounts || mounts == l->wanted.mounts);
}

static void look_at(struct look *l, pid_t pid)
{
	struct sight its;
	struct stat process;
	char name[16], path[48];
	snprintf(name, sizeof name, "%d", (int)pid);
	if (sight_of(name, &its)) /* it ended */
		return;
	snprintf(path, sizeof path, "/proc/%s", name);
	bool roots = !stat(path, &process) && !process.st_uid;
	bool own = is_same(&its.root, &l->here);
	if (own && !l->own)
		l->own = pid;
	if (!own && its.root.st_dev != l->wanted.device && !l->apart)
		l->apart = pid;
	/* a user can have the same directory with mounts of his own below it: rather one of root's */
	if (!own && is_wanted(l, &its.root, (uint32_t)its.mounts.st_ino) && (!l->first || (roots && !l->firsts_root))) {
		l->first = pid;
		l->firsts_root = roots;
		l->mounts = (uint32_t)its.mounts.st_ino;
	}
}

static enum walk_step look_into(void *arg, const struct cgroup_dir *dir)
{
	struct look *l = arg;
	size_t n = strlen(l->below);
	bool within = !strncmp(dir->path, l->below, n) && (dir->path[n] == '/' || !dir->path[n]);
	bool above = !strncmp(dir->path, l->below, strlen(dir->path)) || !strcmp(dir->path, "/");
	if (!within)
		return above ? WALK_DOWN : WALK_PAST;
	int fd = openat(dir->fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");
	if (fd >= 0 && !in)
		close(fd);
	for (int pid; in && fscanf(in, "%d", &pid) == 1;)
		if (pid != l->but)
			look_at(l, pid);
	if (in)
		fclose(in);
	return WALK_DOWN;
}

static int look(struct arena *a, struct diags *d, const struct cgroup *cg, struct look *l)
{
	l->arena = a;
	l->below = cg->path + strlen(cg->mount);
	if (stat("/", &l->here))
		return diag_fail(d, NULL, "cannot look at the root directory: %s", strerror(errno));
	return *l->below ? cgroup_walk(a, d, look_into, l) : 0;
}

static void warn_of_apart(struct diags *d, const struct cgroup *cg, const struct look *l, const char *root, const char *hint)
{
	if (l->apart)
		diag_add(d, DIAG_WARNING, (struct span){0}, hint,
		         "process %d in '%s' has another root directory than %s: files that the policy names are those of %s alone",
		         (int)l->apart, cg->path, root, root);
}

/* ---- of what runs there ------------------------------------------------------------------------ */

int who_root_check(struct arena *a, struct diags *d, const struct cgroup *cg, const char *exe_root, struct who_root *out)
{
	static const char hint[] = "name the container's own cgroup, and the directory that is its root directory, while it runs: for "
	                           "example /proc/PID/root";
	struct look l = {0};
	struct stat wanted;
	if (stat(arena_printf(a, "%s/.", exe_root), &wanted))
		return diag_fail(d, hint, "--exe-root %s: %s", exe_root, strerror(errno));
	l.wanted = (struct who_root){wanted.st_ino, wanted.st_dev, 0};
	if (look(a, d, cg, &l))
		return -1;
	if (is_same(&wanted, &l.here))
		return diag_fail(d, "leave --exe-root out", "--exe-root %s is the root directory of this host", exe_root);
	if (l.own)
		return diag_fail(d, hint, "--exe-root %s is not for all of '%s': process %d there has the root directory of this host",
		                 exe_root, cg->path, (int)l.own);
	if (!l.first)
		return diag_fail(d, hint, "--exe-root %s is the root directory of no process in '%s'", exe_root, cg->path);
	warn_of_apart(d, cg, &l, exe_root, "apply the policy to each container's own cgroup");
	*out = (struct who_root){wanted.st_ino, wanted.st_dev, l.mounts};
	return 0;
}

const char *who_root_find(struct arena *a, const struct cgroup *cg, const struct who_root *root)
{
	struct diags unsaid;
	struct look l = {.wanted = *root};
	diags_init(&unsaid, a);
	return look(a, &unsaid, cg, &l) || !l.first ? NULL : arena_printf(a, "/proc/%d/root", (int)l.first);
}

/* ---- of what will run there ---------------------------------------------------------------------- */

/* The directory, as the process sees it: links lead where they lead for it. NULL: its own root. A descriptor, or -errno. */
static int open_seen(struct arena *a, pid_t pid, const char *path, struct stat *st)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	int root = open(arena_printf(a, "/proc/%d/root", (int)pid), O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = root < 0 ? -1 : (int)syscall(SYS_openat2, root, path ? path : ".", &how, sizeof how);
	int error = fd < 0 || fstat(fd, st) ? errno : 0;
	if (root >= 0)
		close(root);
	if (error && fd >= 0)
		close(fd);
	return error ? -error : fd;
}

/* Nobody else in the cgroup lives in this host's root directory. 0 or -1. */
static int alone(struct arena *a, struct diags *d, const struct cgroup *cg, pid_t but, const char *path,
                 const struct who_root *root)
{
	static const char hint[] = "let the runtime make a cgroup for each container";
	struct look l = {.but = but, .wanted = *root};
	if (look(a, d, cg, &l))
		return -1;
	if (l.own)
		return diag_fail(d, hint,
		                 "the policy names files of the container alone, but process %d in '%s' has the root directory of this host",
		                 (int)l.own, cg->path);
	warn_of_apart(d, cg, &l, path, hint);
	return 0;
}

/* What the process sees is not what this one sees. 0 or -1. */
static int sights(struct arena *a, struct diags *d, pid_t pid, struct sight *own, struct sight *its)
{
	int error = sight_of("self", own);
	if (error || (error = sight_of(arena_printf(a, "%d", (int)pid), its)))
		return diag_fail(d, error_hint(a, error, "start the container again"),
		                 "cannot tell which root directory the container's process %d has: %s", (int)pid, strerror(error));
	if (is_same(&own->mounts, &its->mounts))
		return diag_fail(d, "give the container a mount namespace, or name no file in its policy",
		                 "the container's process %d has no mount namespace of its own: which files the policy names cannot be told",
		                 (int)pid);
	return 0;
}

int who_root_begun(struct arena *a, struct diags *d, const struct container_process *p)
{
	struct sight own, its;
	return sights(a, d, p->pid, &own, &its) ? -1 : !is_same(&own.root, &its.root);
}

int who_root_begin(struct arena *a, struct diags *d, const struct container_process *p, const struct cgroup *cg, const char *path,
                   struct who_root *out)
{
	struct sight own, its;
	struct stat st;
	const char *shown = path ? path : arena_printf(a, "/proc/%d/root", (int)p->pid);
	*out = (struct who_root){0};
	if (sights(a, d, p->pid, &own, &its))
		return -1;
	int fd = open_seen(a, p->pid, path, &st);
	if (fd < 0)
		return diag_fail(d, error_hint(a, -fd, "root.path of config.json must be the root directory of the container"),
		                 "cannot look at the container's root directory %s: %s", shown, strerror(-fd));
	if (is_same(&own.root, &st)) {
		close(fd);
		diag_add(d, DIAG_WARNING, (struct span){0}, NULL,
		         "the container's root directory is that of this host: files that the policy names are those of this host");
		return WHO_ROOT_HOSTS;
	}
	*out = (struct who_root){st.st_ino, st.st_dev, (uint32_t)its.mounts.st_ino};
	if (!alone(a, d, cg, p->pid, shown, out))
		return fd;
	close(fd);
	return -1;
}
