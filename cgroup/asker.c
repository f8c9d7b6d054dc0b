/*
 * asker.c - the process in a probe's scratch cgroup.
 *
 * It answers questions over a socket by asking the kernel (question.c). It only
 * makes system calls and allocates nothing, because it was forked from a process
 * with state of its own.
 *
 * Three facts it takes on itself, where the helpers look: bpf_get_current_uid_gid()
 * reads the *real* ids, so only these are changed. The effective ids stay, and with
 * them the capabilities and the right to the nodes: nothing but the program can say
 * EPERM. For the others a process of their own stands in (stand_in.c).
 */
#include "cgroup/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct self {
	uint32_t uid, gid;
	char comm[COMM_SIZE];
};

/* 0 or errno */
static int adopt(const struct question *q, const struct self *base, struct self *now)
{
	struct self want = *base;
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
	struct self base = {.uid = getuid(), .gid = getgid()}, now;
	struct question q;
	struct answer *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int cpu = -1;
	if (shared == MAP_FAILED)
		_exit(1);
	settle(&fd, &nodes, parent);
	prctl(PR_GET_NAME, base.comm);
	now = base;
	while (next_question(fd, &q)) {
		struct answer a = {.mknod = NOT_ASKED, .access = NOT_ASKED};
		follow(q.cpu, &cpu);
		if (q.adopt & ~ADOPT_PLAIN) { /* what the question does not give is as it was */
			a.adopt = adopt(&(struct question){0}, &base, &now);
			if (!a.adopt)
				stand_in(nodes, &q, shared);
			a = a.adopt ? a : *shared;
		} else if (!(a.adopt = adopt(&q, &base, &now))) {
			question_put(nodes, &q, &a);
		}
		if (send(fd, &a, sizeof a, MSG_NOSIGNAL) != (ssize_t)sizeof a)
			break;
	}
	_exit(0);
}
