/*
 * process_task.c - what of the calling task a program would read itself: its effective ids, login, namespaces, parent, files
 * and cgroups, as far as /proc tells.
 *
 * What cannot be told stays unknown. One thing /proc does not show: a process that changed its executable with prctl(2)
 * is seen as that one here, and as no file by programs.
 */
#include "cgroup/identity.h"
#include "cgroup/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INITIAL_USER_NS = 0xeffffffd, INITIAL_PID_NS = 0xeffffffc }; /* PROC_USER_INIT_INO, PROC_PID_INIT_INO */
enum { FLAG_KERNEL_THREAD = 0x00200000 };                          /* PF_KTHREAD */

static const char *proc_path(struct arena *a, pid_t pid, const char *name)
{
	return arena_printf(a, "/proc/%d/%s", (int)pid, name);
}

static void know(struct process_task *t, enum input in, int64_t value)
{
	t->fact[in] = value;
	t->known |= INPUT(in);
}

/* ---- numbers ---------------------------------------------------------------------------------- */

static void read_ids(struct arena *a, pid_t pid, struct process_task *t)
{
	char *line = NULL;
	size_t room = 0;
	uint32_t effective, fs;
	FILE *f = fopen(proc_path(a, pid, "status"), "re");
	while (f && getline(&line, &room, f) > 0) {
		if (sscanf(line, "Uid: %*u %" SCNu32 " %*u %" SCNu32, &effective, &fs) == 2) {
			know(t, IN_EUID, effective);
			know(t, IN_FSUID, fs);
		}
		if (sscanf(line, "Gid: %*u %" SCNu32, &effective) == 1)
			know(t, IN_EGID, effective);
	}
	free(line);
	if (f)
		fclose(f);
}

/* A file that holds one number. A kernel without CONFIG_AUDIT has none. */
static void read_one(struct arena *a, pid_t pid, const char *name, enum input in, struct process_task *t)
{
	uint32_t value;
	FILE *f = fopen(proc_path(a, pid, name), "re");
	if (f && fscanf(f, "%" SCNu32, &value) == 1)
		know(t, in, value);
	if (f)
		fclose(f);
}

/* -1: it cannot be told. */
static int is_initial(const char *path, ino_t initial)
{
	struct stat st;
	return stat(path, &st) ? -1 : st.st_ino == initial;
}

static void read_namespaces(struct arena *a, pid_t pid, struct process_task *t)
{
	int user = is_initial(proc_path(a, pid, "ns/user"), INITIAL_USER_NS), ids = is_initial(proc_path(a, pid, "ns/pid"), INITIAL_PID_NS);
	if (user >= 0)
		know(t, IN_HOST_USER_NS, user);
	if (ids >= 0)
		know(t, IN_HOST_PID_NS, ids);
}

/* The parent and the flags, behind the name, which may hold anything. */
static bool read_stat(struct arena *a, pid_t pid, int *parent, unsigned *flags)
{
	char text[1024];
	FILE *f = fopen(proc_path(a, pid, "stat"), "re");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	if (f)
		fclose(f);
	text[n] = '\0';
	const char *behind = strrchr(text, ')');
	return behind && sscanf(behind, ") %*c %d %*d %*d %*d %*d %u", parent, flags) == 2;
}

/* ---- files ------------------------------------------------------------------------------------- */

/* The file that a process runs, opened; -1 with errno, ENOENT: it runs none. */
static int open_exe(struct arena *a, pid_t pid)
{
	char link[8];
	const char *path = proc_path(a, pid, "exe");
	return readlink(path, link, sizeof link) < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/* Programs take a file for the one that was named only where nobody but root can change it. */
static void identify(struct arena *a, int fd, struct process_file *out)
{
	struct identity id = {0};
	struct diags unsaid;
	diags_init(&unsaid, a);
	if (identities_of(a, &unsaid, &fd, 1, &id))
		return;
	out->known = !id.untold;
	out->none = id.owner || id.mode & (S_IWGRP | S_IWOTH);
	out->key = identity_key(&id);
}

static void read_file(struct arena *a, pid_t pid, struct process_file *out)
{
	int fd = pid ? open_exe(a, pid) : -1;
	*out = (struct process_file){.none = fd < 0 && (!pid || errno == ENOENT)};
	out->known = out->none;
	if (fd < 0)
		return;
	identify(a, fd, out);
	close(fd);
}

/* A parent that ended meanwhile left its child to another. */
static void read_parent(struct arena *a, pid_t pid, int parent, struct process_task *t)
{
	int again;
	unsigned flags;
	read_file(a, parent, &t->parent_exe);
	if (!read_stat(a, pid, &again, &flags) || again != parent)
		t->parent_exe.known = false;
}

/* ---- the cgroups it is in ------------------------------------------------------------------------ */

static void read_cgroups(struct arena *a, const struct cgroup *cg, struct process_task *t)
{
	struct diags unsaid;
	size_t cap = 0;
	struct cgroup *up = NULL;
	const struct cgroup *at = cg;
	diags_init(&unsaid, a);
	while (at && !cgroup_is_hosts_root(at)) {
		*ARENA_PUSH(a, t->cgroups, t->ncgroups, cap) = at->id;
		struct cgroup *above = cgroup_parent(a, &unsaid, at);
		cgroup_close(up);
		at = up = above;
	}
	t->cgroups_known = at;
	cgroup_close(up);
}

/* ---- the whole -------------------------------------------------------------------------------------- */

void process_task(struct arena *a, const struct process_held *p, const struct process_view *v, const struct cgroup *cg, bool files,
                  struct process_task *out)
{
	int parent;
	unsigned flags;
	*out = (struct process_task){.known = 0};
	if (is_initial("/proc/self/ns/user", INITIAL_USER_NS) != 1) /* ids are others here */
		return;
	read_ids(a, p->pid, out);
	read_one(a, p->pid, "loginuid", IN_LOGIN_UID, out);
	read_one(a, p->pid, "sessionid", IN_SESSION, out);
	read_namespaces(a, p->pid, out);
	if (read_stat(a, p->pid, &parent, &flags)) {
		know(out, IN_KERNEL_THREAD, !!(flags & FLAG_KERNEL_THREAD));
		if (v->hosts_pid)
			know(out, IN_PPID, parent);
		if (files && v->hosts_pid)
			read_parent(a, p->pid, parent, out);
	}
	if (files)
		read_file(a, p->pid, &out->exe);
	read_cgroups(a, cg, out);
}
