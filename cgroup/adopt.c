/*
 * adopt.c - a process takes on the facts of a question: ids, groups, capabilities, the user who logged in, a name, a user
 * namespace. It does not come back from them: it answers one question. System calls only, and none by the C library's
 * functions that tell other threads.
 *
 * Whoever is asked about by the kernel must still be let through to the program: ids change without the capabilities
 * (SECBIT_NO_SETUID_FIXUP), these are dropped last, and nodes and their directory are everybody's.
 */
#include "cgroup/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/securebits.h>

enum { NOBODYS_GROUP = 0x7ffffff1 };

static int error_of(long result)
{
	return result ? errno : 0;
}

static int take_comm(const struct question *q)
{
	return error_of(prctl(PR_SET_NAME, q->comm));
}

/* Asked first: who has it already needs no right to it. 4294967295 is none. */
static int take_login(const struct question *q)
{
	char text[16] = "";
	int fd = open("/proc/self/loginuid", O_RDWR | O_CLOEXEC), error = 0;
	if (fd < 0)
		return errno;
	if (read(fd, text, sizeof text - 1) <= 0)
		error = EIO;
	else if (strtoull(text, NULL, 10) != q->login) {
		int n = snprintf(text, sizeof text, "%u", q->login);
		error = pwrite(fd, text, (size_t)n, 0) == n ? 0 : errno;
	}
	close(fd);
	return error;
}

/* The ids that a question does not give stay. */
static int take_gids(const struct question *q)
{
	gid_t real = q->adopt & ADOPT_GID ? q->gid : (gid_t)-1, effective = q->adopt & ADOPT_EGID ? q->egid : (gid_t)-1;
	return error_of(syscall(SYS_setresgid, real, effective, (gid_t)-1));
}

/* A process is in the group of its fsgid too: one of those in question, or one that is nobody's. */
static int take_groups(const struct question *q)
{
	gid_t own = q->ngroups ? q->groups[0] : NOBODYS_GROUP;
	if (syscall(SYS_setgroups, (size_t)q->ngroups, q->groups))
		return errno;
	syscall(SYS_setfsgid, own); /* it tells what was, and no error */
	return (gid_t)syscall(SYS_setfsgid, (gid_t)-1) == own ? 0 : EPERM;
}

static int take_uids(const struct question *q)
{
	uid_t real = q->adopt & ADOPT_UID ? q->uid : (uid_t)-1, effective = q->adopt & ADOPT_EUID ? q->euid : (uid_t)-1;
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) || syscall(SYS_setresuid, real, effective, (uid_t)-1))
		return errno;
	if (!(q->adopt & ADOPT_FSUID))
		return 0;
	syscall(SYS_setfsuid, q->fsuid);
	return (uid_t)syscall(SYS_setfsuid, (uid_t)-1) == q->fsuid ? 0 : EPERM;
}

static int take_user_ns(const struct question *q)
{
	(void)q;
	return error_of(unshare(CLONE_NEWUSER));
}

static int take_caps(const struct question *q)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2];
	if (syscall(SYS_capget, &header, caps))
		return errno;
	for (int i = 0; i < 2; i++)
		caps[i].effective = (uint32_t)(q->caps >> 32 * i);
	return error_of(syscall(SYS_capset, &header, caps));
}

int adopt_facts(const struct question *q, uint32_t *lacking)
{
	static const struct {
		uint32_t facts;
		int (*take)(const struct question *q);
	} steps[] = {
		{ADOPT_COMM, take_comm}, {ADOPT_LOGIN, take_login}, {ADOPT_GID | ADOPT_EGID, take_gids}, {ADOPT_GROUPS, take_groups},
		{ADOPT_UID | ADOPT_EUID | ADOPT_FSUID, take_uids}, {ADOPT_USER_NS, take_user_ns}, {ADOPT_CAPS, take_caps},
	};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		int error = q->adopt & steps[i].facts ? steps[i].take(q) : 0;
		if (!error)
			continue;
		*lacking = q->adopt & steps[i].facts;
		return error;
	}
	return 0;
}
