/* who_root.c - the root directory of what runs in a cgroup: `--exe-root` is for that container's own cgroup only. */
#include "cgroup/who.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/internal.h"

struct look {
	struct arena *arena;
	const char *below;       /* the cgroup's path, from the mount on */
	struct stat here;
	struct who_root wanted;  /* mounts 0: any */
	pid_t own, first, apart; /* processes: in the root of this one; in the wanted root; in one of another file system */
	bool firsts_root;        /* `first` is root's */
	uint32_t mounts;         /* of `first` */
};

static bool is_wanted(const struct look *l, const struct stat *root, uint32_t mounts)
{
	return root->st_dev == l->wanted.device && root->st_ino == l->wanted.inode && (!l->wanted.mounts || mounts == l->wanted.mounts);
}

static void look_at(struct look *l, pid_t pid)
{
	struct stat root, ns, process;
	char path[48];
	snprintf(path, sizeof path, "/proc/%d/root/.", (int)pid);
	if (stat(path, &root)) /* it ended */
		return;
	snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)pid);
	if (stat(path, &ns))
		return;
	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	bool roots = !stat(path, &process) && !process.st_uid;
	bool own = root.st_dev == l->here.st_dev && root.st_ino == l->here.st_ino;
	if (own && !l->own)
		l->own = pid;
	if (!own && root.st_dev != l->wanted.device && !l->apart)
		l->apart = pid;
	/* a user can have the same directory with mounts of his own below it: rather one of root's */
	if (!own && is_wanted(l, &root, (uint32_t)ns.st_ino) && (!l->first || (roots && !l->firsts_root))) {
		l->first = pid;
		l->firsts_root = roots;
		l->mounts = (uint32_t)ns.st_ino;
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
	if (wanted.st_dev == l.here.st_dev && wanted.st_ino == l.here.st_ino)
		return diag_fail(d, "leave --exe-root out", "--exe-root %s is the root directory of this host", exe_root);
	if (l.own)
		return diag_fail(d, hint, "--exe-root %s is not for all of '%s': process %d there has the root directory of this host",
		                 exe_root, cg->path, (int)l.own);
	if (!l.first)
		return diag_fail(d, hint, "--exe-root %s is the root directory of no process in '%s'", exe_root, cg->path);
	if (l.apart)
		diag_add(d, DIAG_WARNING, (struct span){0}, "apply the policy to each container's own cgroup",
		         "process %d in '%s' has another root directory than %s: files that the policy names are those of %s alone",
		         (int)l.apart, cg->path, exe_root, exe_root);
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
