/*
 * asker.c - the process in a probe's scratch cgroup.
 *
 * It answers questions over a socket by asking the kernel: mknod(2) for mknod,
 * faccessat2(2) for read and write. It only makes system calls and allocates
 * nothing, because it was forked from a process with state of its own.
 *
 * Facts are taken on where the helpers look: bpf_get_current_uid_gid() reads the
 * *real* ids, so only these are changed. The effective ids stay, and with them the
 * capabilities and the right to the nodes: nothing but the program can say EPERM.
 */
#include "cgroup/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MADE "made" /* the node that mknod questions make and remove */

struct identity {
	uint32_t uid, gid;
	char comm[COMM_SIZE];
};

void node_name(char *name, uint32_t slot)
{
	snprintf(name, NODE_NAME_MAX, "n%u", slot);
}

/* 0 or errno */
static int adopt(const struct question *q, const struct identity *base, struct identity *now)
{
	struct identity want = *base;
	if (q->adopt & ADOPT_UID)
		want.uid = q->uid;
	if (q->adopt & ADOPT_GID)
		want.gid = q->gid;
	if (q->adopt & ADOPT_COMM)
		memcpy(want.comm, q->comm, sizeof want.comm);
	if (want.gid != now->gid && setresgid(want.gid, (gid_t)-1, (gid_t)-1))
		return errno;
	now->gid = want.gid;
	if (want.uid != now->uid && setresuid(want.uid, (uid_t)-1, (uid_t)-1))
		return errno;
	now->uid = want.uid;
	if (memcmp(want.comm, now->comm, sizeof want.comm) && prctl(PR_SET_NAME, want.comm))
		return errno;
	memcpy(now->comm, want.comm, sizeof now->comm);
	return 0;
}

static int ask_mknod(int nodes, const struct question *q)
{
	if (mknodat(nodes, MADE, q->mode | 0600, (dev_t)q->device))
		return errno;
	return unlinkat(nodes, MADE, 0) ? errno : 0;
}

static int ask_access(int nodes, const struct question *q)
{
	char name[NODE_NAME_MAX];
	int mode = (q->access & ACC_READ ? R_OK : 0) | (q->access & ACC_WRITE ? W_OK : 0);
	node_name(name, q->slot);
	/* no libc wrapper: it would imitate the flag by reading the mode bits */
	return syscall(SYS_faccessat2, nodes, name, mode ? mode : F_OK, AT_EACCESS) ? errno : 0;
}

/* A question and its answer on one processor are two switches; on two they are two
 * wake-ups of a sleeping processor, ten times as long. Only speed depends on it. */
static void follow(int cpu, int *now)
{
	cpu_set_t set;
	if (cpu < 0 || cpu >= CPU_SETSIZE || cpu == *now)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof set, &set);
	*now = cpu;
}

static bool next_question(int fd, struct question *q)
{
	ssize_t n;
	do
		n = recv(fd, q, sizeof *q, 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof *q;
}

/* Nothing of the parent's stays open (its locks would stay held), no handler of
 * its runs, and no signal of the terminal ends it before the parent does. */
static void settle(int *fd, int *nodes, pid_t parent)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	int high = fcntl(*fd, F_DUPFD_CLOEXEC, 10), high_nodes = fcntl(*nodes, F_DUPFD_CLOEXEC, 10);
	if (high < 0 || high_nodes < 0 || dup2(high, 0) != 0 || dup2(high_nodes, 1) != 1 ||
	    close_range(2, ~0u, 0))
		_exit(1);
	*fd = 0;
	*nodes = 1;
}

void asker_run(int fd, int nodes, pid_t parent)
{
	struct identity base = {.uid = getuid(), .gid = getgid()}, now;
	struct question q;
	int cpu = -1;
	settle(&fd, &nodes, parent);
	prctl(PR_GET_NAME, base.comm);
	now = base;
	while (next_question(fd, &q)) {
		struct answer a = {.mknod = NOT_ASKED, .access = NOT_ASKED};
		follow(q.cpu, &cpu);
		a.adopt = adopt(&q, &base, &now);
		if (!a.adopt && q.access & ACC_MKNOD)
			a.mknod = ask_mknod(nodes, &q);
		if (!a.adopt && (q.access & ~ACC_MKNOD || !q.access))
			a.access = ask_access(nodes, &q);
		if (send(fd, &a, sizeof a, MSG_NOSIGNAL) != (ssize_t)sizeof a)
			break;
	}
	_exit(0);
}
