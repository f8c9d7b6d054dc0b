/*
 * disguise.c - opens a file in ways that are to make the kernel take this process for another, for the scripts.
 *
 *	disguise access PATH            access(2), which looks with the real ids
 *	disguise uring PATH             a worker of io_uring opens it
 *	disguise worker PATH            the same; prints whether it is a thread of the process, or of the kernel
 *	disguise dropped UID PATH       the same worker, after this process has gone over to another user
 *	disguise polled PATH            the kernel's polling thread of an io_uring opens it
 *	disguise thread PATH            a second thread opens it
 *	disguise child PATH             a child opens it, while this process waits
 *	disguise orphan PATH            a child of a child that has ended
 *	disguise comm NAME PATH         under another comm
 *	disguise memfd PROGRAM ARG...   runs a copy of the program that is in memory alone
 *	disguise trace PATH PROGRAM     PROGRAM is started, stopped at its first system call and made to open it
 *	disguise write PATH PROGRAM     the same, but its code is changed through /proc/PID/mem
 *	disguise self FILE              writes into an executable through /proc/self/mem that maps it
 *	disguise claim FILE PATH        tells the kernel that FILE is what this process runs (PR_SET_MM_MAP)
 *
 * Each prints `ok` or the name of errno of the opening; a line with the step in it where a step before that fails.
 * Built as a shared object with -DPRELOAD it opens $DISGUISE as soon as it is loaded.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/io_uring.h>
#include <linux/prctl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static int say(int error)
{
	puts(error ? strerrorname_np(error) : "ok");
	fflush(stdout);
	return error != 0;
}

static int open_error(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

#ifdef PRELOAD

__attribute__((constructor)) static void loaded(void)
{
	const char *path = getenv("DISGUISE");
	if (path)
		_exit(say(open_error(path)));
}

#else

static int step_failed(const char *step)
{
	printf("%s: %s\n", step, strerrorname_np(errno));
	fflush(stdout);
	return 3;
}

/* ---- io_uring, without its library -------------------------------------------------------------- */

struct ring {
	int fd;
	uint32_t *sq_tail, *sq_mask, *sq_array, *sq_flags, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static int ring_open(struct ring *r, unsigned flags)
{
	struct io_uring_params p = {.flags = flags, .sq_thread_idle = 1000};
	r->fd = (int)syscall(SYS_io_uring_setup, 4, &p);
	if (r->fd < 0)
		return -1;
	size_t sq = p.sq_off.array + p.sq_entries * sizeof(uint32_t), cq = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	char *s = mmap(NULL, sq, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQ_RING);
	char *c = mmap(NULL, cq, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_CQ_RING);
	r->sqes = mmap(NULL, p.sq_entries * sizeof *r->sqes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQES);
	if (s == MAP_FAILED || c == MAP_FAILED || r->sqes == MAP_FAILED)
		return -1;
	r->sq_tail = (uint32_t *)(s + p.sq_off.tail);
	r->sq_mask = (uint32_t *)(s + p.sq_off.ring_mask);
	r->sq_array = (uint32_t *)(s + p.sq_off.array);
	r->sq_flags = (uint32_t *)(s + p.sq_off.flags);
	r->cq_head = (uint32_t *)(c + p.cq_off.head);
	r->cq_tail = (uint32_t *)(c + p.cq_off.tail);
	r->cq_mask = (uint32_t *)(c + p.cq_off.ring_mask);
	r->cqes = (struct io_uring_cqe *)(c + p.cq_off.cqes);
	return 0;
}

/* One opening, by a worker (IOSQE_ASYNC) or by the polling thread. Its error, or -1. */
static int ring_error_as(struct ring *r, const char *path, unsigned flags, int personality)
{
	uint32_t tail = *r->sq_tail, at = tail & *r->sq_mask;
	r->sqes[at] = (struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)path,
	                                    .open_flags = O_RDONLY | O_NONBLOCK | O_NOCTTY,
	                                    .personality = (uint16_t)personality,
	                                    .flags = flags ? 0 : IOSQE_ASYNC};
	r->sq_array[at] = at;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_SEQ_CST);
	unsigned enter = IORING_ENTER_GETEVENTS | (flags & IORING_SETUP_SQPOLL ? IORING_ENTER_SQ_WAKEUP : 0);
	if (syscall(SYS_io_uring_enter, r->fd, 1, 1, enter, NULL, 0) < 0)
		return -1;
	while (__atomic_load_n(r->cq_tail, __ATOMIC_SEQ_CST) == *r->cq_head)
		usleep(1000);
	int result = r->cqes[*r->cq_head & *r->cq_mask].res;
	__atomic_store_n(r->cq_head, *r->cq_head + 1, __ATOMIC_SEQ_CST);
	return result < 0 ? -result : 0;
}

static int ring_error(struct ring *r, const char *path, unsigned flags)
{
	return ring_error_as(r, path, flags, 0);
}

static int by_ring(const char *path, unsigned flags)
{
	struct ring r;
	int error = ring_open(&r, flags) ? -1 : ring_error(&r, path, flags);
	return error < 0 ? step_failed("io_uring") : say(error);
}

/* Whose the worker is, which is there for a while after it has opened the file. */
static int whose_worker(const char *path)
{
	struct ring r;
	DIR *tasks = opendir("/proc/self/task");
	size_t n = 0;
	if (!tasks || ring_open(&r, 0) || ring_error(&r, path, 0) < 0)
		return step_failed("io_uring");
	while (readdir(tasks))
		n++;
	puts(n > 3 ? "the process" : "the kernel"); /* `.`, `..` and this one */
	return 0;
}

/* The worker, or the polling thread, is there before, with the credentials of then; `kept`: it is told to act with these. */
static int after_dropping(const char *uid, const char *path, unsigned flags, bool kept)
{
	struct ring r;
	uid_t to = (uid_t)atol(uid);
	if (ring_open(&r, flags) || ring_error(&r, "/dev/null", flags) < 0)
		return step_failed("io_uring");
	int personality = kept ? (int)syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_PERSONALITY, NULL, 0) : 0;
	if (personality < 0)
		return step_failed("personality");
	if (setgroups(0, NULL) || setresgid(to, to, to) || setresuid(to, to, to))
		return step_failed("setresuid");
	int error = ring_error_as(&r, path, flags, personality);
	return error < 0 ? step_failed("io_uring") : say(error);
}

static int by_dropped(const char *uid, const char *path)
{
	return after_dropping(uid, path, 0, false);
}

static int by_dropped_polling(const char *uid, const char *path)
{
	return after_dropping(uid, path, IORING_SETUP_SQPOLL, false);
}

static int by_personality(const char *uid, const char *path)
{
	return after_dropping(uid, path, 0, true);
}

/* ---- other tasks of one's own ------------------------------------------------------------------- */

static void *in_thread(void *path)
{
	return (void *)(intptr_t)open_error(path);
}

static int by_thread(const char *path)
{
	pthread_t thread;
	void *error;
	if (pthread_create(&thread, NULL, in_thread, (void *)path) || pthread_join(thread, &error))
		return step_failed("pthread");
	return say((int)(intptr_t)error);
}

static int by_child(const char *path)
{
	pid_t child = fork();
	int status;
	if (!child)
		_exit(say(open_error(path)));
	return child < 0 || waitpid(child, &status, 0) < 0 ? step_failed("fork") : WEXITSTATUS(status);
}

/* Its parent ends first: somebody else is its parent then. What it says is waited for by the pipe. */
static int by_orphan(const char *path)
{
	int fds[2];
	char said;
	pid_t here = getpid();
	if (pipe(fds))
		return step_failed("pipe");
	pid_t child = fork();
	if (!child) {
		pid_t parent = getpid();
		if (!fork()) {
			while (getppid() == parent || getppid() == here)
				usleep(1000);
			_exit(say(open_error(path)));
		}
		_exit(0);
	}
	close(fds[1]);
	waitpid(child, NULL, 0);
	return read(fds[0], &said, 1) < 0;
}

/* ---- other programs ----------------------------------------------------------------------------- */

static int by_memfd(char **argv)
{
	char bytes[65536];
	int in = open(argv[0], O_RDONLY | O_CLOEXEC), out = memfd_create("copy", MFD_CLOEXEC);
	ssize_t n;
	if (in < 0 || out < 0)
		return step_failed("memfd_create");
	while ((n = read(in, bytes, sizeof bytes)) > 0)
		if (write(out, bytes, (size_t)n) != n)
			return step_failed("write");
	fexecve(out, argv, environ);
	return step_failed("fexecve");
}

static pid_t start_traced(const char *program)
{
	int status;
	pid_t child = fork();
	if (!child) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(3);
		execl(program, program, (char *)NULL);
		_exit(4);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return -1;
	errno = EPERM;
	return WIFSTOPPED(status) ? child : -1;
}

static int write_into(pid_t child, uintptr_t at, const void *bytes, size_t n)
{
	char name[64];
	snprintf(name, sizeof name, "/proc/%d/mem", (int)child);
	int fd = open(name, O_RDWR | O_CLOEXEC), failed = fd < 0 || pwrite(fd, bytes, n, (off_t)at) != (ssize_t)n;
	if (fd >= 0)
		close(fd);
	return failed ? -1 : 0;
}

#ifdef __x86_64__

/* Its next system call is openat(path): the registers are set at the entry, and read at the exit. */
static int by_trace(const char *path, const char *program)
{
	struct user_regs_struct regs;
	int status;
	pid_t child = start_traced(program);
	if (child < 0)
		return step_failed("ptrace");
	if (ptrace(PTRACE_SYSCALL, child, NULL, NULL) || waitpid(child, &status, 0) < 0 || ptrace(PTRACE_GETREGS, child, NULL, &regs))
		return step_failed("ptrace");
	uintptr_t text = (regs.rsp - 8192) & ~15ull;
	if (write_into(child, text, path, strlen(path) + 1))
		return step_failed("/proc/PID/mem");
	regs.orig_rax = SYS_openat;
	regs.rdi = (unsigned long long)AT_FDCWD;
	regs.rsi = text;
	regs.rdx = O_RDONLY | O_NONBLOCK | O_NOCTTY;
	if (ptrace(PTRACE_SETREGS, child, NULL, &regs) || ptrace(PTRACE_SYSCALL, child, NULL, NULL) ||
	    waitpid(child, &status, 0) < 0 || ptrace(PTRACE_GETREGS, child, NULL, &regs))
		return step_failed("ptrace");
	ptrace(PTRACE_KILL, child, NULL, NULL);
	waitpid(child, &status, 0);
	return say((long long)regs.rax < 0 ? -(int)regs.rax : 0);
}

/* Its first instruction becomes ours: open, and exit with errno. The child is let go before it runs. */
static int by_write(const char *path, const char *program)
{
	static const unsigned char code[] = {
		0x48, 0x8d, 0x35, 0x1d, 0, 0, 0,                /* lea rsi, [rip + text] */
		0xbf, 0x9c, 0xff, 0xff, 0xff,                   /* mov edi, AT_FDCWD */
		0xba, 0x00, 0x09, 0, 0,                         /* mov edx, O_NONBLOCK | O_NOCTTY */
		0xb8, 0x01, 0x01, 0, 0, 0x0f, 0x05,             /* openat */
		0x89, 0xc7, 0xf7, 0xdf,                         /* mov edi, eax; neg edi */
		0xb8, 0xe7, 0, 0, 0, 0x0f, 0x05, 0x90,          /* exit_group */
	};
	struct user_regs_struct regs;
	int status;
	pid_t child = start_traced(program);
	if (child < 0 || ptrace(PTRACE_GETREGS, child, NULL, &regs))
		return step_failed("ptrace");
	if (write_into(child, regs.rip, code, sizeof code) || write_into(child, regs.rip + sizeof code, path, strlen(path) + 1))
		return step_failed("/proc/PID/mem");
	ptrace(PTRACE_DETACH, child, NULL, NULL);
	waitpid(child, &status, 0);
	return say(WIFEXITED(status) ? WEXITSTATUS(status) < 128 ? WEXITSTATUS(status) : 0 : EFAULT);
}

#else
static int by_trace(const char *path, const char *program)
{
	(void)path, (void)program;
	return puts("no code for this processor") < 0;
}
static int by_write(const char *path, const char *program)
{
	return by_trace(path, program);
}
#endif

/* A mapping of the file is private: what is written through /proc/self/mem is a copy, and the file stays. */
static int write_self(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	unsigned char *at = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	unsigned char there[4], bytes[4] = {1, 2, 3, 4};
	if (at == MAP_FAILED)
		return step_failed("mmap");
	if (write_into(getpid(), (uintptr_t)at, bytes, sizeof bytes))
		return step_failed("/proc/self/mem");
	if (pread(fd, there, sizeof there, 0) != sizeof there || memcmp(at, bytes, sizeof bytes))
		return step_failed("read");
	puts(memcmp(there, bytes, sizeof bytes) ? "the file stays" : "the file changed");
	return 0;
}

/* ---- another executable by prctl ----------------------------------------------------------------- */

/* Memory of its own in the place of what is mapped of a file, with the same bytes. What runs meanwhile is the C library. */
static int without_file(uintptr_t from, uintptr_t to, const char *rights)
{
	size_t n = to - from;
	int prot = (rights[0] == 'r' ? PROT_READ : 0) | (rights[1] == 'w' ? PROT_WRITE : 0) | (rights[2] == 'x' ? PROT_EXEC : 0);
	char *copy = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED)
		return -1;
	memcpy(copy, (const void *)from, n);
	return mprotect(copy, n, prot) || mremap(copy, n, n, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)from) == MAP_FAILED ? -1 : 0;
}

/* The kernel gives a process another executable only while nothing of the present one is mapped. */
static int unmap_program(void)
{
	static char lines[65536], exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	for (ssize_t more; fd >= 0 && (more = read(fd, lines + used, sizeof lines - 1 - used)) > 0;)
		used += (size_t)more;
	for (char *line = strtok(lines, "\n"); n > 0 && line; line = strtok(NULL, "\n")) {
		unsigned long from, to;
		char rights[5];
		const char *path = strchr(line, '/');
		if (path && !strcmp(path, exe) && sscanf(line, "%lx-%lx %4s", &from, &to, rights) == 3 && without_file(from, to, rights))
			return -1;
	}
	return n > 0 && fd >= 0 ? 0 : -1;
}

/* The other fields of the call stay as they are: /proc/self/stat has them. */
static int present_map(struct prctl_mm_map *map)
{
	static char text[4096];
	unsigned long long value[64] = {0};
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC), field = 3;
	if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
		return -1;
	char *at = strrchr(text, ')');
	for (at = at ? strtok(at + 4, " ") : NULL; at && field < 63; at = strtok(NULL, " "))
		value[++field] = strtoull(at, NULL, 10);
	*map = (struct prctl_mm_map){
		.start_code = value[26], .end_code = value[27], .start_stack = value[28], .start_data = value[45], .end_data = value[46],
		.start_brk = value[47], .brk = (uintptr_t)sbrk(0), .arg_start = value[48], .arg_end = value[49], .env_start = value[50],
		.env_end = value[51], .exe_fd = (uint32_t)-1,
	};
	return 0;
}

/* In a user namespace of its own, where it may: with the same memory, and so for the process that made it. */
static int claim(void *map)
{
	return prctl(PR_SET_MM, PR_SET_MM_MAP, map, sizeof(struct prctl_mm_map), 0) ? errno : 0;
}

static int by_claim(const char *file, const char *path)
{
	static char stack[65536] __attribute__((aligned(16)));
	struct prctl_mm_map map;
	int fd = open(file, O_RDONLY | O_CLOEXEC), status;
	if (fd < 0 || unmap_program() || present_map(&map))
		return step_failed("preparing");
	map.exe_fd = (uint32_t)fd;
	pid_t child = clone(claim, stack + sizeof stack, CLONE_VM | CLONE_NEWUSER | SIGCHLD, &map);
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return step_failed("clone");
	errno = WEXITSTATUS(status);
	return status ? step_failed("PR_SET_MM_MAP") : say(open_error(path));
}

static int by_comm(const char *name, const char *path)
{
	return prctl(PR_SET_NAME, name) ? step_failed("PR_SET_NAME") : say(open_error(path));
}

static int by_access(const char *path)
{
	return say(access(path, R_OK) ? errno : 0);
}

static int by_worker(const char *path)
{
	return by_ring(path, 0);
}

static int by_polling(const char *path)
{
	return by_ring(path, IORING_SETUP_SQPOLL);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*one)(const char *path);
		int (*two)(const char *first, const char *second);
	} ways[] = {
		{"access", by_access, NULL}, {"uring", by_worker, NULL}, {"worker", whose_worker, NULL}, {"polled", by_polling, NULL}, {"thread", by_thread, NULL},
		{"child", by_child, NULL}, {"orphan", by_orphan, NULL}, {"self", write_self, NULL}, {"dropped", NULL, by_dropped},
		{"dropped-polled", NULL, by_dropped_polling}, {"personality", NULL, by_personality},
		{"comm", NULL, by_comm}, {"claim", NULL, by_claim}, {"trace", NULL, by_trace}, {"write", NULL, by_write},
	};
	if (argc > 2 && !strcmp(argv[1], "memfd"))
		return by_memfd(argv + 2);
	for (size_t i = 0; i < sizeof ways / sizeof *ways && argc > 2; i++) {
		if (strcmp(argv[1], ways[i].name))
			continue;
		if (argc == 3 && ways[i].one)
			return ways[i].one(argv[2]);
		if (argc == 4 && ways[i].two)
			return ways[i].two(argv[2], argv[3]);
	}
	return 64;
}

#endif
