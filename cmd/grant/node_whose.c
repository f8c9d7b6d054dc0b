/*
 * node_whose.c - the process in whose mounts a node is made: the one that was asked for, or the oldest of the cgroup, which is
 * the first of a container.
 *
 * A pid is used again, so the process is held before it is looked at. Its mount namespace is held as well:
 * what is found in it is changed in that one, wherever the process goes meanwhile.
 */
#include "cmd/grant/node_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { INITIAL_USER_NS = 0xeffffffd /* PROC_USER_INIT_INO */, DEPTH_MAX = 32, NOT_ONE = 0 };

/* ---- of one process ------------------------------------------------------------------------- */

static uint64_t ns_of(pid_t pid)
{
	char path[40];
	struct stat st;
	snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)pid);
	return stat(path, &st) ? NOT_ONE : st.st_ino;
}

/* When it began, in ticks since the host did: field 22, behind the name, which may hold anything. */
static unsigned long long began(pid_t pid)
{
	char path[40], text[1024];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	if (f)
		fclose(f);
	text[n] = '\0';
	const char *at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : UINT64_MAX;
}

/* Is it in that cgroup (its path from the mount on), or below? */
static bool in_cgroup(pid_t pid, const char *cgroup)
{
	char process[24], path[CGROUP_PATH];
	size_t n = strcmp(cgroup, "/") ? strlen(cgroup) : 0;
	snprintf(process, sizeof process, "%d", (int)pid);
	return !cgroup_of_process(process, path) && !strncmp(path, cgroup, n) && (!path[n] || path[n] == '/');
}

bool whose_runs(const struct node_whose *w)
{
	struct pollfd p = {.fd = w->held.pidfd, .events = POLLIN};
	return poll(&p, 1, 0) == 0;
}

/* The mount namespace of a process that is held. 0 or an errno. */
static int open_ns(pid_t pid, struct node_whose *out)
{
	char path[40];
	struct stat st, user;
	snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)pid);
	out->ns = open(path, O_RDONLY | O_CLOEXEC);
	if (out->ns < 0 || fstat(out->ns, &st))
		return errno;
	int owner = ioctl(out->ns, NS_GET_USERNS);
	if (owner < 0 || fstat(owner, &user))
		return errno;
	close(owner);
	out->ns_id = st.st_ino;
	out->initial = user.st_ino == INITIAL_USER_NS;
	out->hosts = ns_of(getpid()) == out->ns_id;
	return whose_runs(out) ? 0 : ESRCH;
}

void whose_let_go(struct node_whose *w)
{
	if (w->ns >= 0)
		close(w->ns);
	w->ns = -1;
	process_let_go(&w->held);
}

/* ---- of a cgroup --------------------------------------------------------------------------------- */

struct oldest {
	pid_t pid;
	unsigned long long began;
	size_t seen, hidden; /* processes; those of other pid namespaces */
};
typedef void each_process(void *arg, pid_t pid);

static void descend(int dir, unsigned depth, each_process *one, void *arg)
{
	int pid, fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	if (!f && fd >= 0)
		close(fd);
	while (f && fscanf(f, "%d", &pid) == 1)
		one(arg, pid);
	if (f)
		fclose(f);
	fd = depth < DEPTH_MAX ? openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	if (!list && fd >= 0)
		close(fd);
	for (struct dirent *e; list && (e = readdir(list));) {
		int below = e->d_type != DT_DIR || e->d_name[0] == '.' ? -1 : openat(fd, e->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (below < 0)
			continue;
		descend(below, depth + 1, one, arg);
		close(below);
	}
	if (list)
		closedir(list);
}

static void older(void *arg, pid_t pid)
{
	struct oldest *o = arg;
	o->hidden += pid == 0;
	unsigned long long when = pid && ns_of(pid) != NOT_ONE ? began(pid) : UINT64_MAX;
	if (when == UINT64_MAX)
		return;
	o->seen++;
	if (!o->pid || when < o->began || (when == o->began && pid < o->pid))
		*o = (struct oldest){pid, when, o->seen, o->hidden};
}

static void count_others(void *arg, pid_t pid)
{
	struct node_whose *w = arg;
	uint64_t ns = pid ? ns_of(pid) : NOT_ONE;
	if (ns == NOT_ONE || ns == w->ns_id)
		return;
	w->other = w->others++ ? w->other : pid;
}

static int no_process(struct diags *d, const struct cgroup *cg, const struct oldest *o)
{
	if (o->hidden)
		return diag_fail(d, "ask in the PID namespace of the host",
		                 "the processes of '%s' are not to be seen in this PID namespace: where the node is to be is not known", cg->path);
	return diag_fail(d, "start it first, or grant without --node", "no process runs in '%s': a node is made where one sees it", cg->path);
}

/* Held, and still what it was taken for. 0 or -1. */
static int hold(struct arena *a, struct diags *d, const struct cgroup *cg, pid_t pid, struct node_whose *out)
{
	if (process_hold(a, d, pid, &out->held))
		return -1;
	int error = open_ns(pid, out);
	if (!error && in_cgroup(pid, cg->path + strlen(cg->mount)))
		return 0;
	if (!error || error == ESRCH || error == ENOENT)
		return diag_fail(d, "try again", "process %d ended or was moved out of '%s' meanwhile", (int)pid, cg->path);
	return diag_fail(d, error_hint(a, error, "see `rucy-devguard doctor`"), "cannot look at the mount namespace of process %d: %s",
	                 (int)pid, strerror(error));
}

int whose_choose(struct arena *a, struct diags *d, const struct cgroup *cg, pid_t pid, struct node_whose *out)
{
	struct oldest o = {.pid = pid};
	*out = (struct node_whose){.held.pidfd = -1, .ns = -1};
	if (!pid)
		descend(cg->fd, 0, older, &o);
	if (!o.pid)
		return no_process(d, cg, &o);
	if (hold(a, d, cg, o.pid, out)) {
		whose_let_go(out);
		return -1;
	}
	if (!pid)
		descend(cg->fd, 0, count_others, out);
	return 0;
}

/* ---- by namespace ------------------------------------------------------------------------------------ */

/* Holds the first process from *pid on for which it is so; NULL: whatever its cgroup. */
static bool find(struct arena *a, const char *cgroup, uint64_t ns_id, bool same, pid_t *pid, struct node_whose *out)
{
	struct diags none;
	bool found = false;
	DIR *list = opendir("/proc");
	diags_init(&none, a);
	for (struct dirent *e; list && !found && (e = readdir(list));) {
		pid_t one = isdigit((unsigned char)e->d_name[0]) ? (pid_t)atoi(e->d_name) : 0;
		uint64_t ns = one > *pid ? ns_of(one) : NOT_ONE;
		if (ns == NOT_ONE || (ns == ns_id) != same || (cgroup && !in_cgroup(one, cgroup)))
			continue;
		*out = (struct node_whose){.ns = -1};
		found = !process_hold(a, &none, one, &out->held) && !open_ns(one, out) && (out->ns_id == ns_id) == same &&
		        (!cgroup || in_cgroup(one, cgroup));
		if (!found)
			whose_let_go(out);
		*pid = one;
	}
	if (list)
		closedir(list);
	return found;
}

bool whose_find(struct arena *a, uint64_t ns_id, pid_t *pid, struct node_whose *out)
{
	return find(a, NULL, ns_id, true, pid, out);
}

bool whose_beside(struct arena *a, const char *cgroup, uint64_t ns_id, pid_t *pid, struct node_whose *out)
{
	return find(a, cgroup, ns_id, false, pid, out);
}
