/*
 * child.c - a command in a transient cgroup.
 *
 * It waits in the cgroup until it is let go, and only then does it exec. It stays in the caller's
 * process group, so the terminal's signals reach it directly; those sent to us by others are passed
 * on. The cgroup goes when the command ends, with whatever it left running. A keeper process does
 * the same when we are killed by SIGKILL; should that be killed too, the next run sweeps.
 */
#include "cmd/child.h"
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

/* Every signal that can be passed on: not those of faults, of job control by the
 * terminal's driver, or that can not be caught. */
void child_signals(sigset_t *set)
{
	static const int not[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP, SIGABRT,
	                          SIGSYS,  SIGKILL, SIGSTOP, SIGTTIN, SIGTTOU, SIGPROF};
	sigfillset(set);
	for (size_t i = 0; i < sizeof not / sizeof *not; i++)
		sigdelset(set, not[i]);
}

/* ---- the process ----------------------------------------------------------------- */

static _Noreturn void child_main(const struct child *x, int go, int failed, char **argv)
{
	char byte;
	ssize_t n;
	do
		n = read(go, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1) /* our parent gave up */
		_exit(STATUS_FAILED);
	signal(SIGCHLD, x->cmd->before.chld);
	signal(SIGXFSZ, x->cmd->before.xfsz);
	sigprocmask(SIG_SETMASK, &x->before, NULL);
	execvp(argv[0], argv);
	int err = errno;
	if (write(failed, &err, sizeof err) < 0)
		_exit(STATUS_FAILED);
	_exit(err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

static int start_child(struct child *x, char **argv)
{
	int go[2], failed[2];
	if (pipe2(go, O_CLOEXEC))
		return diag_fail(&x->cmd->diags, NULL, "pipe: %s", strerror(errno));
	if (pipe2(failed, O_CLOEXEC)) {
		close(go[0]);
		close(go[1]);
		return diag_fail(&x->cmd->diags, NULL, "pipe: %s", strerror(errno));
	}
	fflush(stdout);
	fflush(stderr);
	pid_t pid = fork();
	if (pid == 0) {
		close(go[1]);
		child_main(x, go[0], failed[1], argv);
	}
	int err = errno;
	close(go[0]);
	close(failed[1]);
	x->pid = pid;
	x->go = go[1];
	x->failed = failed[0];
	if (pid > 0)
		return 0;
	close(go[1]);
	close(failed[0]);
	x->pid = 0;
	return diag_fail(&x->cmd->diags, "the limit of processes may be reached", "fork: %s",
	                 strerror(err));
}

/* Closing the pipe without the byte ends a child that still waits. */
static void drop_child(struct child *x)
{
	if (x->pid <= 0)
		return;
	close(x->go);
	close(x->failed);
	waitpid(x->pid, NULL, 0);
	x->pid = 0;
}

/* ---- waiting for it -------------------------------------------------------------- */

/* The child was stopped: by the terminal, then we stop with it, so that the
 * shell sees its job stopped. Wakes with the SIGCONT that the shell sends. */
static void stopped_child(int sig)
{
	if (sig != SIGTSTP && sig != SIGTTIN && sig != SIGTTOU)
		return;
	sigset_t tstp, old;
	sigemptyset(&tstp);
	sigaddset(&tstp, SIGTSTP);
	void (*was)(int) = signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &tstp, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGTSTP, was);
}

bool child_ended(const struct child *x, int *status)
{
	pid_t got;
	while ((got = waitpid(x->pid, status, WNOHANG | WUNTRACED)) == x->pid) {
		if (!WIFSTOPPED(*status))
			return true;
		stopped_child(WSTOPSIG(*status));
	}
	return got < 0 && errno != EINTR;
}

void child_pass_on(const struct child *x, int sig, int code)
{
	if (sig != SIGCHLD && code != SI_KERNEL)
		kill(x->pid, sig);
}

int child_status(struct child *x, int wait_status, const char *name)
{
	int err = 0;
	ssize_t n;
	do
		n = read(x->failed, &err, sizeof err);
	while (n < 0 && errno == EINTR);
	close(x->go);
	close(x->failed);
	x->pid = 0;
	if (n == (ssize_t)sizeof err) {
		diag_fail(&x->cmd->diags,
		          err == ENOENT ? "check the name and PATH, or the interpreter in its first line"
		          : err == EACCES ? "it must be an executable file"
		                          : NULL,
		          "cannot run %s: %s", name, strerror(err));
		return err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	}
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

/* ---- its cgroup ------------------------------------------------------------------------ */

/* A process that waits for our end and then removes the cgroup. In a session of
 * its own: what the terminal sends to us must not end it. */
static int start_keeper(struct child *x)
{
	int end[2];
	char byte;
	if (pipe2(end, O_CLOEXEC))
		return diag_fail(&x->cmd->diags, NULL, "pipe: %s", strerror(errno));
	x->keeper = fork();
	if (x->keeper == 0) {
		setsid();
		close(end[1]);
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		for (int fd = 0; null >= 0 && fd <= 2; fd++)
			dup2(null, fd);
		while (read(end[0], &byte, 1) < 0 && errno == EINTR)
			;
		transient_end(x->cgroup);
		_exit(0);
	}
	int err = errno;
	close(end[0]);
	x->keeper_pipe = end[1];
	if (x->keeper > 0)
		return 0;
	close(end[1]);
	return diag_fail(&x->cmd->diags, "the limit of processes may be reached", "fork: %s", strerror(err));
}

static void drop_keeper(struct child *x)
{
	if (x->keeper <= 0)
		return;
	close(x->keeper_pipe);
	while (waitpid(x->keeper, NULL, 0) < 0 && errno == EINTR)
		;
}

void child_begin(struct cmd *c, struct child *x)
{
	sigset_t set;
	*x = (struct child){.cmd = c};
	child_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &x->before);
}

int child_start(struct child *x, char **argv)
{
	return start_keeper(x) || start_child(x, argv) || transient_enter(&x->cmd->diags, x->cgroup, x->pid) ? -1 : 0;
}

int child_go(struct child *x)
{
	diags_flush(x->cmd); /* what is still to be said, before the command talks */
	return write(x->go, "", 1) == 1 ? 0 : diag_fail(&x->cmd->diags, NULL, "cannot start the command: %s", strerror(errno));
}

void child_end(struct child *x)
{
	drop_child(x);
	if (x->cgroup)
		transient_end(x->cgroup);
	x->cgroup = NULL;
	drop_keeper(x);
	x->keeper = 0;
	sigprocmask(SIG_SETMASK, &x->before, NULL);
}
