/*
 * process_view.c - what device programs are told of a process, and what the kernel asks of it beside
 * them: ids, groups, capabilities, its user namespace, its root directory.
 *
 * All of it is read from /proc by the pid, while the process is held.
 */
#include "cgroup/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INITIAL_USER_NS = 0xeffffffd, INITIAL_PID_NS = 0xeffffffc }; /* PROC_USER_INIT_INO, PROC_PID_INIT_INO */

static FILE *proc_file(struct arena *a, pid_t pid, const char *name)
{
	return fopen(arena_printf(a, "/proc/%d/%s", (int)pid, name), "re");
}

/* ---- ids ------------------------------------------------------------------------------------ */

static void read_map(struct arena *a, pid_t pid, const char *name, struct id_map *out)
{
	struct id_range one;
	size_t cap = 0;
	FILE *f = proc_file(a, pid, name);
	while (f && fscanf(f, "%" SCNu32 " %" SCNu32 " %" SCNu32, &one.inside, &one.outside, &one.count) == 3)
		*ARENA_PUSH(a, out->list, out->n, cap) = one;
	if (f)
		fclose(f);
}

int64_t id_inside(const struct id_map *map, uint32_t outside)
{
	for (size_t i = 0; i < map->n; i++)
		if (outside >= map->list[i].outside && outside - map->list[i].outside < map->list[i].count)
			return map->list[i].inside + (int64_t)(outside - map->list[i].outside);
	return -1;
}

static void read_groups(struct arena *a, const char *text, struct process_view *out)
{
	size_t cap = 0;
	char *end;
	for (unsigned long id = strtoul(text, &end, 10); end != text; id = strtoul(text, &end, 10)) {
		*ARENA_PUSH(a, out->groups, out->ngroups, cap) = (uint32_t)id;
		text = end;
	}
}

/* ---- status ---------------------------------------------------------------------------------- */

/* True: the line with the capabilities was there, and so were those before. */
static bool read_status(struct arena *a, pid_t pid, struct process_view *out)
{
	char *line = NULL;
	size_t room = 0;
	int found = 0, mode = 0;
	FILE *f = proc_file(a, pid, "status");
	while (f && getline(&line, &room, f) > 0) {
		found += sscanf(line, "Uid: %" SCNu32 " %*u %*u %" SCNu32, &out->uid, &out->fsuid) == 2;
		found += sscanf(line, "Gid: %" SCNu32 " %*u %*u %" SCNu32, &out->gid, &out->fsgid) == 2;
		found += sscanf(line, "CapEff: %" SCNx64, &out->caps) == 1;
		if (!strncmp(line, "Groups:", 7))
			read_groups(a, line + 7, out);
		if (sscanf(line, "Seccomp: %d", &mode) == 1)
			out->filtered = mode == 2;
	}
	free(line);
	if (f)
		fclose(f);
	return found == 3;
}

/* Field 7 of /proc/PID/stat, behind the name, which may hold anything. */
static bool read_terminal(struct arena *a, pid_t pid)
{
	char text[512];
	int terminal = 0;
	FILE *f = proc_file(a, pid, "stat");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	if (f)
		fclose(f);
	text[n] = '\0';
	const char *behind = strrchr(text, ')');
	return behind && sscanf(behind, ") %*c %*d %*d %*d %d", &terminal) == 1 && terminal;
}

static bool read_comm(struct arena *a, pid_t pid, char comm[COMM_SIZE])
{
	FILE *f = proc_file(a, pid, "comm");
	size_t n = f ? fread(comm, 1, COMM_SIZE - 1, f) : 0;
	if (f)
		fclose(f);
	size_t len = n && comm[n - 1] == '\n' ? n - 1 : n;
	memset(comm + len, 0, COMM_SIZE - len);
	return n;
}

/* ---- the whole ---------------------------------------------------------------------------------- */

int process_view(struct arena *a, struct diags *d, const struct process_held *p, struct process_view *out)
{
	struct stat st;
	*out = (struct process_view){.root = -1};
	bool whole = read_status(a, p->pid, out) && read_comm(a, p->pid, out->comm) && process_runs(p->pidfd);
	if (!whole)
		return diag_fail(d, "name a process that runs: a pid counts in the PID namespace of this shell",
		                 "process %d ended meanwhile", (int)p->pid);
	out->terminal = read_terminal(a, p->pid);
	out->initial_user_ns = !stat(arena_printf(a, "/proc/%d/ns/user", (int)p->pid), &st) && st.st_ino == INITIAL_USER_NS;
	out->hosts_pid = !stat("/proc/self/ns/pid", &st) && st.st_ino == INITIAL_PID_NS;
	read_map(a, p->pid, "uid_map", &out->uids);
	read_map(a, p->pid, "gid_map", &out->gids);
	out->root = open(arena_printf(a, "/proc/%d/root", (int)p->pid), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (out->root >= 0)
		return 0;
	return diag_fail(d, error_hint(a, errno, "name a process that runs"), "cannot look at the root directory of process %d: %s",
	                 (int)p->pid, strerror(errno));
}

void process_view_end(struct process_view *v)
{
	if (v->root >= 0)
		close(v->root);
	v->root = -1;
}
