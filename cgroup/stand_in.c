/*
 * stand_in.c - a process for one question, with facts that the asking process could not put down again; and the parent
 * that the question gives it. System calls only.
 *
 * The asking process makes the parent, and the parent the child that asks. The answer comes in memory that all three
 * share; that the child is done is told by a pipe which nobody else has open at its end.
 */
#include "cgroup/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct stand_in {
	const struct question *q;
	struct answer *a; /* shared */
	int nodes;
	int hold[2];  /* the parent lives until it is closed */
	int done[2];  /* closed when the child has ended */
	int ready[2]; /* closed when the parent runs the program that it is to run */
};

/* fork(2), with this process id if it is not 0. */
static pid_t fork_as(pid_t pid)
{
	struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = pid ? (uintptr_t)&pid : 0, .set_tid_size = pid != 0};
	return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

/* Until nobody has the other end open. */
static void wait_closed(int fd)
{
	char byte;
	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
}

static void report(struct answer *a, int error, uint32_t lacking)
{
	a->adopt = error;
	a->lacking = lacking;
}

static _Noreturn void be_child(const struct stand_in *s)
{
	struct answer a = {.mknod = NOT_ASKED, .access = NOT_ASKED};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(s->hold[0]); /* the parent has closed the other end: its number is another's */
	close(s->ready[1]);
	wait_closed(s->ready[0]);
	if (s->a->lacking)
		_exit(0);
	a.adopt = adopt_facts(s->q, &a.lacking);
	if (!a.adopt)
		question_put(s->nodes, s->q, &a);
	*s->a = a;
	_exit(0);
}

static _Noreturn void be_parent(struct stand_in *s)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(s->hold[1]);
	if (pipe2(s->ready, O_CLOEXEC))
		report(s->a, errno, ADOPT_PARENT);
	else if (s->q->adopt & ADOPT_PID_NS && unshare(CLONE_NEWPID))
		report(s->a, errno, ADOPT_PID_NS);
	else {
		pid_t child = fork_as(0);
		if (!child)
			be_child(s);
		if (child < 0)
			report(s->a, errno, ADOPT_PARENT);
	}
	close(s->ready[0]);
	close(s->done[1]);
	if (s->q->adopt & ADOPT_PARENT) {
		const char *program = parent_program();
		char *argv[] = {(char *)"cat", NULL}, *none[] = {NULL};
		if (program && dup2(s->hold[0], 0) == 0)
			execve(program, argv, none);
		report(s->a, program ? errno : ENOENT, ADOPT_PARENT);
	}
	close(s->ready[1]);
	wait_closed(s->hold[0]);
	_exit(0);
}

void stand_in(int nodes, const struct question *q, struct answer *shared)
{
	struct stand_in s = {.q = q, .a = shared, .nodes = nodes};
	report(shared, ECHILD, 0); /* it ended and said nothing */
	if (pipe2(s.hold, O_CLOEXEC)) {
		report(shared, errno, 0);
		return;
	}
	if (pipe2(s.done, O_CLOEXEC)) {
		report(shared, errno, 0);
		close(s.hold[0]), close(s.hold[1]);
		return;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t parent = fork_as(q->adopt & ADOPT_PPID ? (pid_t)q->ppid : 0);
	if (!parent)
		be_parent(&s);
	if (parent < 0)
		report(shared, errno, q->adopt & ADOPT_PPID);
	close(s.hold[0]);
	close(s.done[1]);
	wait_closed(s.done[0]);
	close(s.hold[1]);
	close(s.done[0]);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

/* A program that is everywhere and waits for the end of its input. */
const char *parent_program(void)
{
	static const char *const paths[] = {"/usr/bin/cat", "/bin/cat"};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (!access(paths[i], X_OK))
			return paths[i];
	return NULL;
}
