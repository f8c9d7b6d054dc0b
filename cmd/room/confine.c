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
#include <linux/filter.h>
#include <linux/seccomp.h>
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
	[LAYER_DESCRIPTORS] = "closing all descriptors", [LAYER_LIMITS] = "limits of memory and processes",
	[LAYER_UID] = "another uid",
	[LAYER_CAPABILITIES] = "giving up capabilities", [LAYER_PRIVILEGES] = "no new privileges, and no dumps",
	[LAYER_PARENT] = "ending with its parent",       [LAYER_SECCOMP] = "a seccomp filter",
};

enum { NOBODY = 65534 };

/* ---- what is made before the fork ------------------------------------------------------- */

/* Made when the tool was built, see filter/filter.c: plain_filter, wide_filter. */
#include "cmd/room/filter.inc"

struct confine_plan {
	size_t space; /* bytes of address space that the process has */
	unsigned char sorted[2][1024];
};

int confine_calls(void)
{
	return CALLS;
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
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, text, sizeof text - 1) < 0)
		*text = '\0';
	if (fd >= 0)
		close(fd);
	size_t pages = strtoul(text, NULL, 10);
	return pages ? pages * (size_t)sysconf(_SC_PAGESIZE) : (size_t)64 << 20;
}

static int by_byte(const void *a, const void *b)
{
	return *(const unsigned char *)a - *(const unsigned char *)b;
}

struct confine_plan *confine_plan_new(void)
{
	struct confine_plan *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	/* qsort() of glibc asks once how much memory the machine has: now, not in the room.
	 * It does for 1 KiB and more, however few the elements are. */
	qsort(p->sorted, 2, sizeof *p->sorted, by_byte);
	p->space = address_space();
	return p;
}

void confine_plan_free(struct confine_plan *p)
{
	free(p);
}

static bool lay_filter(void)
{
	struct sock_fprog prog = {.len = sizeof plain_filter / sizeof *plain_filter, .filter = plain_filter};
	if (SANITIZED)
		prog = (struct sock_fprog){.len = sizeof wide_filter / sizeof *wide_filter, .filter = wide_filter};
	return !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
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
	laid(lay_filter(), LAYER_SECCOMP, insist, l);
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
