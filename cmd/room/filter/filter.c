/*
 * filter.c - the system calls of the locked room, and the filter made of them.
 *
 * A program of its own, run when the tool is built: libseccomp makes the filter, confine.c
 * has its instructions. While the tool runs nothing about it can fail: libseccomp, when it
 * gets no memory, leaves calls out of a filter, loops or breaks, and says nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* All that the child may ask the kernel for; forbidden: only when these bits of that
 * argument are not set. */
struct call {
	int number;
	unsigned argument;
	uint64_t forbidden;
	const char *why;
};

static const struct call calls[] = {
	{SCMP_SYS(read), 0, 0, "jobs and answers come by a pipe"},
	{SCMP_SYS(write), 0, 0, "results go by pipes"},
	{SCMP_SYS(mmap), 2, PROT_EXEC, "memory, none that can be executed"},
	{SCMP_SYS(mprotect), 2, PROT_EXEC, "the C library grows a heap that way"},
	{SCMP_SYS(munmap), 0, 0, "memory given back"},
	{SCMP_SYS(mremap), 0, 0, "large blocks grow in place"},
	{SCMP_SYS(brk), 0, 0, "the heap"},
	{SCMP_SYS(clock_gettime), 0, 0, "where the vDSO has no clock"},
	{SCMP_SYS(rt_sigreturn), 0, 0, "the end of a signal's handler"},
	{SCMP_SYS(restart_syscall), 0, 0, "a read that was stopped and goes on"},
	{SCMP_SYS(exit_group), 0, 0, "the end"},
	{SCMP_SYS(exit), 0, 0, "the end"},
};

/* What the sanitizers do beside the program, at any time. */
static const struct call sanitizers[] = {
	{SCMP_SYS(madvise), 0, 0, "shadow memory"},
	{SCMP_SYS(sigaltstack), 0, 0, "reports"},
	{SCMP_SYS(rt_sigaction), 0, 0, "reports"},
	{SCMP_SYS(rt_sigprocmask), 0, 0, "reports"},
	{SCMP_SYS(getpid), 0, 0, "reports"},
	{SCMP_SYS(gettid), 0, 0, "reports"},
	{SCMP_SYS(tgkill), 0, 0, "abort after a report"},
	{SCMP_SYS(futex), 0, 0, "its locks"},
	{SCMP_SYS(sched_yield), 0, 0, "its locks"},
	{SCMP_SYS(getrlimit), 0, 0, "the size of the stack"},
	{SCMP_SYS(prlimit64), 0, 0, "the size of the stack"},
	{SCMP_SYS(sched_getaffinity), 0, 0, "the size of the stack"},
	{SCMP_SYS(openat), 2, O_ACCMODE, "reading /proc/self/maps for a report"},
	{SCMP_SYS(close), 0, 0, "reading /proc/self/maps for a report"},
	{SCMP_SYS(readlink), 0, 0, "its own name in a report"},
	{SCMP_SYS(fstat), 0, 0, "reading for a report"},
	{SCMP_SYS(newfstatat), 0, 0, "reading for a report"},
};

static void check(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "the filter of system calls: %s: %s\n", what, strerror(error < 0 ? -error : error));
	exit(1);
}

static void add(scmp_filter_ctx filter, const struct call *c, size_t n)
{
	for (; n--; c++)
		check(c->forbidden ? seccomp_rule_add(filter, SCMP_ACT_ALLOW, c->number, 1,
		                                      SCMP_CMP(c->argument, SCMP_CMP_MASKED_EQ, c->forbidden, 0))
		                   : seccomp_rule_add(filter, SCMP_ACT_ALLOW, c->number, 0),
		      c->why);
}

/* The instructions as an array in C. */
static void print(const char *name, bool wide)
{
	struct sock_filter insn;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int fd = memfd_create("filter", 0);
	check(filter && fd >= 0 ? 0 : ENOMEM, "cannot begin");
	check(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "another architecture");
	add(filter, calls, sizeof calls / sizeof *calls);
	if (wide)
		add(filter, sanitizers, sizeof sanitizers / sizeof *sanitizers);
	check(seccomp_export_bpf(filter, fd), "cannot make it");
	check(lseek(fd, 0, SEEK_SET) ? errno : 0, "cannot read it");
	printf("static struct sock_filter %s[] = {\n", name);
	while (read(fd, &insn, sizeof insn) == (ssize_t)sizeof insn)
		printf("\t{0x%02x, %u, %u, 0x%08x},\n", insn.code, insn.jt, insn.jf, insn.k);
	puts("};");
	close(fd);
	seccomp_release(filter);
}

int main(void)
{
	puts("/* made by cmd/room/filter/filter.c when the tool is built */");
	printf("enum { CALLS = %zu };\n", sizeof calls / sizeof *calls);
	print("plain_filter", false);
	puts("#if SANITIZED");
	print("wide_filter", true);
	puts("#else\n#define wide_filter plain_filter\n#endif");
	check(fflush(stdout) ? errno : 0, "cannot write");
	return 0;
}
