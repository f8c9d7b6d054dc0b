/*
 * confine.c - the layers of the locked room.
 *
 * Each would hold alone against an honest policy; together they hold when mruby has a
 * fault that lets a policy run machine code of its own: no other process, file, socket or
 * device can be named from here, memory and time end, and the kernel is asked for
 * nothing but what the table lists.
 */
#include "cmd/room/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __SANITIZE_ADDRESS__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

const char *const layer_words[LAYERS] = {
	[LAYER_DESCRIPTORS] = "closing its descriptors",  [LAYER_LIMITS] = "limits of memory and processes",
	[LAYER_UID] = "the uid of nobody",
	[LAYER_CAPABILITIES] = "giving up capabilities",  [LAYER_PRIVILEGES] = "giving up new privileges",
	[LAYER_PARENT] = "an end with its parent",        [LAYER_SECCOMP] = "a seccomp filter",
};

enum { NOBODY = 65534 };

/* ---- system calls ----------------------------------------------------------------------- */

/* All that the child may ask the kernel for. masked: with these bits of an argument
 * only when they are not set. */
static const struct call {
	int number;
	unsigned argument;
	uint64_t forbidden;
	const char *why;
} calls[] = {
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
#if SANITIZED
	/* what the sanitizers do beside the program, at any time */
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
#endif
};

struct confine_plan {
	scmp_filter_ctx filter;
	int no_filter; /* errno: the kernel has none for us; 0: there is one */
	size_t space; /* bytes of address space that the process has */
	unsigned char sorted[2048];
};

int confine_calls(void)
{
	return sizeof calls / sizeof *calls;
}

const char *confine_widened(void)
{
	return SANITIZED ? "a sanitizer build: the room has no limit of memory by the kernel, and its "
	                   "filter has the calls of the sanitizers too"
	                 : NULL;
}

/* Bytes of address space that the process has now. */
static size_t address_space(void)
{
	char text[64] = "";
	FILE *f = fopen("/proc/self/statm", "re");
	if (f && !fgets(text, sizeof text, f))
		*text = '\0';
	if (f)
		fclose(f);
	size_t pages = strtoul(text, NULL, 10);
	return pages ? pages * (size_t)sysconf(_SC_PAGESIZE) : (size_t)64 << 20;
}

static int by_byte(const void *a, const void *b)
{
	return *(const unsigned char *)a - *(const unsigned char *)b;
}

/* Why the kernel takes no filter that ends a process; libseccomp does not say. */
static int no_filter(void)
{
	uint32_t action = SCMP_ACT_KILL_PROCESS;
	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) ? errno : 0;
}

struct confine_plan *confine_plan_new(void)
{
	struct confine_plan *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	/* qsort() of glibc asks once how much memory the machine has: now, not in the room */
	qsort(p->sorted, sizeof p->sorted, 1, by_byte);
	p->space = address_space();
	if ((p->no_filter = no_filter()))
		return p;
	p->filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int error = p->filter ? 0 : -ENOMEM;
	for (size_t i = 0; !error && i < sizeof calls / sizeof *calls; i++) {
		const struct call *c = &calls[i];
		error = c->forbidden ? seccomp_rule_add(p->filter, SCMP_ACT_ALLOW, c->number, 1,
		                                        SCMP_CMP(c->argument, SCMP_CMP_MASKED_EQ, c->forbidden, 0))
		                     : seccomp_rule_add(p->filter, SCMP_ACT_ALLOW, c->number, 0);
	}
	if (!error)
		return p;
	confine_plan_free(p);
	errno = -error;
	return NULL;
}

void confine_plan_free(struct confine_plan *p)
{
	if (p && p->filter)
		seccomp_release(p->filter);
	free(p);
}

/* ---- the other layers --------------------------------------------------------------------- */

extern char **environ;

/* The memory of the environment too: it may hold secrets. */
static void forget_environment(void)
{
	for (char **e = environ; e && *e; e++)
		memset(*e, 0, strlen(*e));
	environ = NULL;
}

static bool limit(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit now;
	if (getrlimit((__rlimit_resource_t)resource, &now))
		return false;
	if (now.rlim_max < hard)
		hard = now.rlim_max;
	if (soft > hard)
		soft = hard;
	return !setrlimit((__rlimit_resource_t)resource, &(struct rlimit){soft, hard});
}

static bool set_limits(const struct confine_plan *p, const struct confine_limits *l)
{
	size_t memory = p->space + l->memory;
	if (!SANITIZED && !limit(RLIMIT_AS, memory, memory))
		return false;
	return limit(RLIMIT_CPU, l->cpu, RLIM_INFINITY) && limit(RLIMIT_CORE, 0, 0) &&
	       limit(RLIMIT_FSIZE, 0, 0) && limit(RLIMIT_MEMLOCK, 0, 0) &&
	       limit(RLIMIT_NOFILE, SANITIZED ? 8 : 3, SANITIZED ? 8 : 3) && limit(RLIMIT_NPROC, 0, 0);
}

/* Before the ids change, for that takes CAP_SETPCAP. Without it, no_new_privs makes the
 * bounding set idle. */
static void drop_bounding_set(void)
{
	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0)) /* EPERM, or the last one was passed */
			break;
}

static bool drop_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	return !syscall(SYS_capset, &head, none);
}

/* Nobody's ids. In a user namespace that has not got them, the uid stays. */
static bool drop_ids(bool *kept)
{
	*kept = true;
	if (geteuid())
		return true;
	if (setgroups(0, NULL) && errno != EPERM) /* EPERM: a user namespace that denies it */
		return false;
	if ((setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY)) &&
	    errno != EINVAL && errno != EPERM)
		return false;
	*kept = geteuid() == 0;
	return true;
}

/* The first layer that could not be had, and why. */
struct lack { enum layer which; int error; };

/* True: the layer is there, or none is insisted on. */
static bool laid(bool done, enum layer which, bool insist, struct lack *l)
{
	if (done)
		return true;
	if (!l->which)
		*l = (struct lack){which, errno};
	return !insist;
}

static void lay(const struct confine_plan *p, const struct confine_limits *limits, pid_t parent, bool insist,
                bool *kept_uid, struct lack *l)
{
	if (!laid(!close_range(STDERR_FILENO + 1, ~0u, 0), LAYER_DESCRIPTORS, insist, l))
		return;
	forget_environment();
	drop_bounding_set();
	if (!laid(set_limits(p, limits), LAYER_LIMITS, insist, l) ||
	    !laid(drop_ids(kept_uid), LAYER_UID, insist, l) ||
	    !laid(drop_capabilities(), LAYER_CAPABILITIES, insist, l) ||
	    !laid(!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
	          LAYER_PRIVILEGES, insist, l) ||
	    !laid(!prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), LAYER_PARENT, insist, l))
		return;
	if (getppid() != parent) /* it ended before the signal was asked for */
		_exit(1);
	errno = p->filter ? -seccomp_load(p->filter) : p->no_filter;
	laid(!errno, LAYER_SECCOMP, insist, l);
}

enum layer confine(const struct confine_plan *p, const struct confine_limits *limits, pid_t parent,
                   bool insist, bool *kept_uid)
{
	struct lack l = {LAYER_NONE, 0};
	*kept_uid = false;
	lay(p, limits, parent, insist, kept_uid, &l);
	errno = l.error;
	return l.which;
}
