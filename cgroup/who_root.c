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
	const char *below;    /* the cgroup's path, from the mount on */
	struct stat here, wanted;
	pid_t other, first;   /* a process in the root of this one; one in the wanted root, or in another than this */
	bool any;             /* any root but this process's own will do */
};

static bool same(const struct stat *x, const struct stat *y)
{
	return x->st_dev == y->st_dev && x->st_ino == y->st_ino;
}

static void look_at(struct look *l, pid_t pid)
{
	struct stat root;
	char path[40];
	snprintf(path, sizeof path, "/proc/%d/root/.", (int)pid);
	if (stat(path, &root)) /* it ended */
		return;
	if (same(&root, &l->here) && !l->other)
		l->other = pid;
	if (!l->first && !same(&root, &l->here) && (l->any || same(&root, &l->wanted)))
		l->first = pid;
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

int who_root_check(struct arena *a, struct diags *d, const struct cgroup *cg, const char *exe_root)
{
	static const char hint[] = "name the container's own cgroup, and the directory that is its root directory, while it runs: for "
	                           "example /proc/PID/root";
	struct look l = {0};
	if (stat(arena_printf(a, "%s/.", exe_root), &l.wanted))
		return diag_fail(d, hint, "--exe-root %s: %s", exe_root, strerror(errno));
	if (look(a, d, cg, &l))
		return -1;
	if (same(&l.wanted, &l.here))
		return diag_fail(d, "leave --exe-root out", "--exe-root %s is the root directory of this host", exe_root);
	if (l.other)
		return diag_fail(d, hint, "--exe-root %s is not for all of '%s': process %d there has the root directory of this host",
		                 exe_root, cg->path, (int)l.other);
	if (!l.first)
		return diag_fail(d, hint, "--exe-root %s is the root directory of no process in '%s'", exe_root, cg->path);
	return 0;
}

const char *who_root_of(struct arena *a, const struct cgroup *cg)
{
	struct diags unsaid;
	struct look l = {.any = true};
	diags_init(&unsaid, a);
	return look(a, &unsaid, cg, &l) || l.other || !l.first ? NULL : arena_printf(a, "/proc/%d/root", (int)l.first);
}
