/*
 * faulty.c - linked into the tool to have an allocation fail. For tests only.
 *
 * DEVGUARD_FAULT=N@P: in the process P (0: the tool, 1, 2, ...: its children in the order
 * of their forks) the Nth allocation fails, all from the Nth on with N+. A child has no
 * environment: the tool reads the variable once, and a fork inherits it. The file
 * DEVGUARD_FAULT_TALLY is mapped and shared: every process leaves its count there, and
 * whether an allocation failed.
 *
 * DEVGUARD_FAULT_STOP=P:FILE has the process P write its pid to FILE and stop, so that
 * strace can be set on it from its first system call on.
 *
 * Without ASan the functions are those of the whole process, so every library's
 * allocations are counted. With ASan the linker's --wrap gives those of our objects and of
 * libmruby (the list of names is in the Makefile).
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "policy/rules.h"

enum { PROCESSES = 30 };
struct tally {
	int64_t processes, failed;
	int64_t count[PROCESSES];
};
static struct tally nowhere, *tally = &nowhere;
static int64_t at, target, me, next, n;
static int sticky;
static int64_t stopped = -1;
static const char *stop_file;

/* Stops here until SIGCONT comes. */
static void stop(void)
{
	int fd = open(stop_file, O_WRONLY | O_CLOEXEC);
	dprintf(fd, "%d\n", (int)getpid());
	close(fd);
	raise(SIGSTOP);
}

static void before_fork(void)
{
	next = ++tally->processes;
}

static void after_fork(void)
{
	me = next;
	n = 0;
	if (me == stopped)
		stop();
}

static void read_stop(void)
{
	const char *text = getenv("DEVGUARD_FAULT_STOP");
	if (!text || pthread_atfork(before_fork, NULL, after_fork))
		return;
	stopped = atoi(text);
	stop_file = strdup(strchr(text, ':') + 1);
	unsetenv("DEVGUARD_FAULT_STOP");
	if (!stopped)
		stop();
}

__attribute__((constructor)) static void start(void)
{
	const char *fault = getenv("DEVGUARD_FAULT"), *file = getenv("DEVGUARD_FAULT_TALLY");
	read_stop();
	int fd = file && fault ? open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (fd < 0 || ftruncate(fd, sizeof *tally))
		return;
	void *shared = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shared == MAP_FAILED || pthread_atfork(before_fork, NULL, after_fork))
		return;
	tally = shared;
	char *end;
	n = 0;
	at = strtoll(fault, &end, 10);
	sticky = *end == '+';
	target = strtoll(end + sticky + 1, NULL, 10);
	unsetenv("DEVGUARD_FAULT"); /* not for what the tool starts */
}

/* Is this the one to fail? */
static int fails(void)
{
	if (tally == &nowhere)
		return 0;
	n++;
	if (me < PROCESSES)
		tally->count[me] = n;
	if (me != target || !at || (sticky ? n < at : n != at))
		return 0;
	tally->failed++;
	errno = ENOMEM;
	return 1;
}

#if defined __SANITIZE_ADDRESS__
#define FAULT_WRAP 1
#endif
#ifdef FAULT_WRAP
#define NAMED(f) __wrap_##f
#define REAL(f) __real_##f
#else
#define NAMED(f) f
#define REAL(f) __libc_##f
#endif

void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t n, size_t size);
void *REAL(realloc)(void *p, size_t size);
void *NAMED(malloc)(size_t size);
void *NAMED(calloc)(size_t count, size_t size);
void *NAMED(realloc)(void *p, size_t size);

void *NAMED(malloc)(size_t size)
{
	return fails() ? NULL : REAL(malloc)(size);
}

/* libbpf 1.1 breaks when these few bytes fail: cgroup/program.c keeps memory back for them. */
static int kept_back(const void *caller, size_t size)
{
	Dl_info from;
	return size <= 8 && dladdr(caller, &from) && strstr(from.dli_fname, "libbpf");
}

void *NAMED(calloc)(size_t count, size_t size)
{
	if (tally != &nowhere && kept_back(__builtin_return_address(0), count * size))
		return REAL(calloc)(count, size);
	return fails() ? NULL : REAL(calloc)(count, size);
}

void *NAMED(realloc)(void *p, size_t size)
{
	return (size || !p) && fails() ? NULL : REAL(realloc)(p, size);
}

#ifdef FAULT_WRAP
/* What the C library allocates by itself. */
#define WRAP(type, name, failure, params, args) \
	type __real_##name params; \
	type __wrap_##name params; \
	type __wrap_##name params { return fails() ? failure : __real_##name args; }

WRAP(char *, strdup, NULL, (const char *s), (s))
WRAP(char *, strndup, NULL, (const char *s, size_t most), (s, most))
WRAP(char *, realpath, NULL, (const char *path, char *out), (path, out))
WRAP(FILE *, fopen, NULL, (const char *path, const char *mode), (path, mode))
WRAP(FILE *, fdopen, NULL, (int fd, const char *mode), (fd, mode))
WRAP(FILE *, fmemopen, NULL, (void *data, size_t len, const char *mode), (data, len, mode))
WRAP(FILE *, open_memstream, NULL, (char **text, size_t *len), (text, len))
WRAP(void *, opendir, NULL, (const char *path), (path))
WRAP(void *, fdopendir, NULL, (int fd), (fd))
WRAP(ssize_t, getline, -1, (char **line, size_t *cap, FILE *from), (line, cap, from))
WRAP(int, posix_memalign, ENOMEM, (void **out, size_t align, size_t size), (out, align, size))
#endif
