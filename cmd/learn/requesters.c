/*
 * requesters.c - the programs that made requests, by the files that they run.
 *
 * A record has no file: /proc is asked when the record is read, as soon as it can be. Meanwhile the process may have
 * ended, its pid be another's, or another program run in it. So its thread must have started before the request, and
 * have the name that the record has, before and after its file is looked at; else the program is gone. A program that
 * runs another file of the same name in its place is not noticed.
 *
 * A rule may name a file of root that others cannot write, by the path that this process sees it at. Of others is said
 * why not, once.
 */
#include "cgroup/hostprog.h"
#include "cmd/audit/audit.h"
#include "cmd/learn/learn.h"
#include "policy/file.h"
#include "policy/text.h"
#include "policy/trusted.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS = 256, INITIAL_PID_NS = 0xeffffffc /* PROC_PID_INIT_INO of the kernel */, KERNEL_THREAD = 0x00200000 };

/* A file that was looked at. Its change time tells when it may be another's meanwhile. */
struct requester { dev_t dev; ino_t ino; struct timespec changed; const char *said, *path; /* NULL: no rule may name it */ };
/* A thread of which it is known: for requests before it was looked at. */
struct thread { uint32_t pid, tid; char comm[LEARN_COMM]; uint64_t started, looked; bool gone; const char *path; };

struct requesters {
	struct requester *list;
	size_t n, cap;
	bool told_full;
	struct thread threads[THREADS]; /* by tid */
};

int requesters_check(struct learning *l)
{
	struct cmd *c = l->cmd;
	struct stat st;
	if (!(l->by & LEARN_BY_EXE) || !l->watches)
		return STATUS_OK;
	if (stat("/proc/self/ns/pid", &st) || st.st_ino != INITIAL_PID_NS) {
		diag_fail(&c->diags, "record it on the host", "--by exe: /proc here does not count processes as the kernel does");
		return STATUS_FAILED;
	}
	if (~hostprog_features() & (HOSTPROG_PID | HOSTPROG_COMM)) {
		diag_fail(&c->diags, "leave --by exe out", "--by exe: this kernel does not tell which process asks (Linux 6.1 does; Linux 7.1 with CAP_PERFMON)");
		return STATUS_FAILED;
	}
	l->requesters = arena_alloc(l->arena, sizeof *l->requesters);
	*l->requesters = (struct requesters){0};
	return STATUS_OK;
}

/* ---- a thread -------------------------------------------------------------------------------------- */

struct looked { char comm[LEARN_COMM]; uint64_t started; bool kernel; };

/* Of /proc/PID/task/TID/stat: the name, when it started (CLOCK_BOOTTIME ns, at most), and the kernel's own. */
static bool look(const char *directory, struct looked *out)
{
	char path[64], text[1024], *end;
	unsigned long flags;
	unsigned long long ticks;
	snprintf(path, sizeof path, "%s/stat", directory);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	const char *name = strchr(text, '(');
	end = strrchr(text, ')');
	if (!name || !end || sscanf(end, ") %*c %*d %*d %*d %*d %*d %lu %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &flags, &ticks) != 2)
		return false;
	size_t len = (size_t)(end - name - 1);
	*out = (struct looked){.started = ticks * (NSEC / (uint64_t)sysconf(_SC_CLK_TCK)), .kernel = flags & KERNEL_THREAD};
	memcpy(out->comm, name + 1, len < LEARN_COMM ? len : LEARN_COMM);
	return true;
}

static bool same_thread(const struct looked *x, const struct host_event *e)
{
	return x->started <= e->time && !strncmp(x->comm, e->comm, LEARN_COMM - 1);
}

/* ---- a file ---------------------------------------------------------------------------------------- */

/* Why no rule may name it; NULL: one may. */
static const char *refused(struct learning *l, const char *path, const struct stat *st)
{
	struct stat there;
	const char *why;
	int fd;
	if (!learned_exe_fits(path))
		return "its path cannot stand in a rule";
	int status = trusted_open(l->arena, path, &fd, &why);
	if (status)
		return status > 0 ? "no file is there" : why;
	bool same = !fstat(fd, &there) && there.st_dev == st->st_dev && there.st_ino == st->st_ino;
	close(fd);
	return same ? NULL : "another file is there, as this process sees it";
}

static void tell_refused(struct learning *l, const char *said, const char *why)
{
	struct cmd *c = l->cmd;
	diag_add(&c->diags, DIAG_WARNING, (struct span){.file = NULL},
	         "what it asks for is allowed to every program; a file of root that only root can write has rules of its own",
	         "no rule can name the program %s: %s", said, why);
	diags_flush(c);
}

/* The file at `path`, as it is called in /proc. NULL: no rule may name it. */
static const char *name_of(struct learning *l, const char *path, const struct stat *st)
{
	struct requesters *p = l->requesters;
	for (struct requester *x = p->list; x < p->list + p->n; x++)
		if (x->dev == st->st_dev && x->ino == st->st_ino && x->changed.tv_sec == st->st_ctim.tv_sec &&
		    x->changed.tv_nsec == st->st_ctim.tv_nsec && (x->path || !strcmp(x->said, path))) /* one file has one name in a policy */
			return x->path;
	if (p->n >= LEARN_EXES_MAX) {
		if (!p->told_full)
			diag_add(&l->cmd->diags, DIAG_WARNING, (struct span){.file = NULL}, "record less at once",
			         "more than %d programs: what others ask for is allowed to every program", (int)LEARN_EXES_MAX);
		p->told_full = true;
		return NULL;
	}
	const char *kept = arena_strdup(l->arena, path), *why = refused(l, path, st);
	*ARENA_PUSH(l->arena, p->list, p->n, p->cap) =
		(struct requester){st->st_dev, st->st_ino, st->st_ctim, kept, why ? NULL : kept};
	if (why)
		tell_refused(l, text_safe(l->arena, path, strlen(path), LEARN_PATH_MAX), why);
	return why ? NULL : kept;
}

/* ---- a request --------------------------------------------------------------------------------------- */

/* The program of the thread that runs now; false: it is another, or gone. */
static bool find(struct learning *l, const struct host_event *e, struct thread *out)
{
	char directory[40], link[48], path[PATH_MAX];
	struct looked before, after;
	struct stat st;
	snprintf(directory, sizeof directory, "/proc/%u/task/%u", e->pid, e->tid);
	snprintf(link, sizeof link, "%s/exe", directory);
	if (!look(directory, &before) || !same_thread(&before, e))
		return false;
	out->started = before.started;
	if (before.kernel) {
		name_of(l, "(a kernel thread)", &(struct stat){0});
		return true;
	}
	int fd = open(link, O_PATH | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : readlink(link, path, sizeof path - 1);
	bool found = n > 0 && !fstat(fd, &st) && look(directory, &after) && same_thread(&after, e) && after.started == before.started;
	if (fd >= 0)
		close(fd);
	if (!found)
		return false;
	path[n] = '\0';
	out->path = name_of(l, path, &st);
	return true;
}

const char *requester_of(struct learning *l, const struct host_event *e, bool *gone)
{
	struct thread *t = &l->requesters->threads[e->tid % THREADS];
	bool known = t->looked && t->pid == e->pid && t->tid == e->tid && !memcmp(t->comm, e->comm, LEARN_COMM) &&
	             t->started <= e->time && e->time < t->looked;
	if (!known) {
		*t = (struct thread){.pid = e->pid, .tid = e->tid};
		memcpy(t->comm, e->comm, LEARN_COMM);
		t->gone = e->flags & (HOST_EVENT_NO_PID | HOST_EVENT_NO_COMM) || !find(l, e, t);
		t->looked = boot_ns();
	}
	*gone = t->gone;
	return t->path;
}
