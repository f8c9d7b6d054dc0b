/*
 * trace_names.c - what the processes are called that print.
 *
 * A name is what its process gave itself (prctl(2), PR_SET_NAME), and may be any bytes. The kernel notes the names of
 * those that have ended in a small table (saved_cmdlines). Its lines can be made up: a name may have a newline. So a
 * process that is there is asked first, and a number that the table has twice is not known.
 */
#include "cgroup/trace_names.h"
#include "cgroup/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES = 256, SAVED = 256 << 10 };

struct name { int32_t pid; bool known; char comm[COMM_SIZE]; };
struct trace_names {
	int tracefs;
	bool hosts_pids; /* /proc counts processes as the kernel does */
	bool saved_read;
	struct name names[NAMES];
	char saved[SAVED];
};

struct trace_names *trace_names_new(struct arena *a, int tracefs)
{
	enum { INITIAL_PID_NS = 0xeffffffc }; /* PROC_PID_INIT_INO of the kernel */
	struct trace_names *t = arena_alloc(a, sizeof *t);
	struct stat st;
	t->tracefs = tracefs;
	t->hosts_pids = !stat("/proc/self/ns/pid", &st) && st.st_ino == INITIAL_PID_NS;
	return t;
}

void trace_names_forget(struct trace_names *t)
{
	memset(t->names, 0, sizeof t->names);
	t->saved_read = false;
}

static void read_saved(struct trace_names *t)
{
	size_t n = 1;
	ssize_t got = 0;
	int fd = openat(t->tracefs, "saved_cmdlines", O_RDONLY | O_CLOEXEC);
	t->saved_read = true;
	t->saved[0] = '\n'; /* so that all lines are behind one */
	while (fd >= 0 && n < SAVED - 1 && (got = read(fd, t->saved + n, SAVED - 1 - n)) > 0)
		n += (size_t)got;
	t->saved[n] = '\0';
	if (fd >= 0)
		close(fd);
}

/* "PID NAME" a line. */
static bool find_saved(struct trace_names *t, int32_t pid, char out[COMM_SIZE])
{
	char key[24];
	if (!t->saved_read)
		read_saved(t);
	int len = snprintf(key, sizeof key, "\n%d ", (int)pid);
	const char *at = strstr(t->saved, key);
	if (!at || strstr(at + 1, key))
		return false;
	at += len;
	snprintf(out, COMM_SIZE, "%.*s", (int)strcspn(at, "\n"), at);
	return true;
}

static bool find(struct trace_names *t, int32_t pid, char out[COMM_SIZE])
{
	char path[40], text[64];
	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	if (pid <= 0)
		return false;
	if (t->hosts_pids && file_read(AT_FDCWD, path, text, sizeof text) >= 0) {
		snprintf(out, COMM_SIZE, "%.*s", COMM_SIZE - 1, text);
		return true;
	}
	return find_saved(t, pid, out);
}

const char *trace_name(struct trace_names *t, int32_t pid)
{
	struct name *n = &t->names[(uint32_t)pid % NAMES];
	if (!n->known || n->pid != pid) {
		n->pid = pid;
		n->known = true;
		if (!find(t, pid, n->comm))
			n->comm[0] = '\0';
	}
	return n->comm[0] ? n->comm : NULL;
}
