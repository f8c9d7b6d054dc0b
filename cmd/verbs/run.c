/*
 * run.c - a command in a cgroup of its own, under a policy.
 *
 * The order is what makes it safe: the policy is attached to the empty cgroup
 * first, then a child is moved in, and only then does it exec. The cgroup is made
 * below our own: the limits and policies that hold for us hold for the command too,
 * and a run inside a run can allow nothing that the outer one denies. The child stays in
 * the caller's process group, so the terminal's signals reach it directly; those
 * sent to us by others are passed on. The cgroup goes when the command ends,
 * with whatever it left running. A keeper process does the same when we are
 * killed by SIGKILL; should that be killed too, the next run sweeps.
 */
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/unit.h"
#include "cmd/where/where.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct option options[] = {OPTION_PARAM, OPTION_MODE, OPTION_AUDIT, OPTION_LIMIT,
                                        OPTION_UNCONFINED, OPTION_HELP, {0}};
enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

struct child {
	pid_t pid;
	int go;     /* a byte here: you are in the cgroup, exec */
	int failed; /* its errno comes here when exec failed; closed by exec */
};

struct guard {
	struct cmd *c;
	struct program *program;
	const char *parent; /* our own cgroup */
	struct cgroup *cgroup;
	struct child child;
	pid_t keeper;
	int keeper_pipe; /* closed when we end, however that happens */
	sigset_t before; /* the signal mask we were started with */
	int status;
	jmp_buf no_memory;
};

/* Every signal that can be passed on: not those of faults, of job control by the
 * terminal's driver, or that can not be caught. */
static void passed_on(sigset_t *set)
{
	static const int not[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP, SIGABRT,
	                          SIGSYS,  SIGKILL, SIGSTOP, SIGTTIN, SIGTTOU, SIGPROF};
	sigfillset(set);
	for (size_t i = 0; i < sizeof not / sizeof *not; i++)
		sigdelset(set, not[i]);
}

/* ---- the child ---------------------------------------------------------------- */

static _Noreturn void child_main(const struct guard *g, int go, int failed, char **argv)
{
	char byte;
	ssize_t n;
	do
		n = read(go, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1) /* our parent gave up */
		_exit(STATUS_FAILED);
	signal(SIGCHLD, g->c->before.chld);
	signal(SIGXFSZ, g->c->before.xfsz);
	sigprocmask(SIG_SETMASK, &g->before, NULL);
	execvp(argv[0], argv);
	int err = errno;
	if (write(failed, &err, sizeof err) < 0)
		_exit(STATUS_FAILED);
	_exit(err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

static int start_child(struct guard *g, char **argv)
{
	int go[2], failed[2];
	if (pipe2(go, O_CLOEXEC))
		return diag_fail(&g->c->diags, NULL, "pipe: %s", strerror(errno));
	if (pipe2(failed, O_CLOEXEC)) {
		close(go[0]);
		close(go[1]);
		return diag_fail(&g->c->diags, NULL, "pipe: %s", strerror(errno));
	}
	fflush(stdout);
	fflush(stderr);
	pid_t pid = fork();
	if (pid == 0) {
		close(go[1]);
		child_main(g, go[0], failed[1], argv);
	}
	int err = errno;
	close(go[0]);
	close(failed[1]);
	g->child = (struct child){.pid = pid, .go = go[1], .failed = failed[0]};
	if (pid > 0)
		return 0;
	close(go[1]);
	close(failed[0]);
	g->child = (struct child){0};
	return diag_fail(&g->c->diags, "the limit of processes may be reached", "fork: %s",
	                 strerror(err));
}

/* Closing the pipe without the byte ends a child that still waits. */
static void drop_child(struct guard *g)
{
	if (g->child.pid <= 0)
		return;
	close(g->child.go);
	close(g->child.failed);
	waitpid(g->child.pid, NULL, 0);
	g->child.pid = 0;
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

/* True when the child has ended; *status is then its wait status. */
static bool child_ended(pid_t pid, int *status)
{
	pid_t got;
	while ((got = waitpid(pid, status, WNOHANG | WUNTRACED)) == pid) {
		if (!WIFSTOPPED(*status))
			return true;
		stopped_child(WSTOPSIG(*status));
	}
	return got < 0 && errno != EINTR;
}

/* Passes signals on until the child ends. Signals the kernel sends for the
 * terminal (^C, ^Z, a new window size) reach the child by itself. */
static int wait_child(const struct guard *g)
{
	sigset_t set;
	int status = 0;
	passed_on(&set);
	while (!child_ended(g->child.pid, &status)) {
		siginfo_t info;
		int sig = sigwaitinfo(&set, &info);
		if (sig > 0 && sig != SIGCHLD && info.si_code != SI_KERNEL)
			kill(g->child.pid, sig);
	}
	return status;
}

static int exit_status(struct guard *g, int wait_status, const char *name)
{
	int err = 0;
	ssize_t n;
	do
		n = read(g->child.failed, &err, sizeof err);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof err) {
		diag_fail(&g->c->diags,
		          err == ENOENT ? "check the name and PATH, or the interpreter in its first line"
		          : err == EACCES ? "it must be an executable file"
		                          : NULL,
		          "cannot run %s: %s", name, strerror(err));
		return err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	}
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

/* ---- the whole run ------------------------------------------------------------------ */

static int attach(struct guard *g, const char *name)
{
	struct cmd *c = g->c;
	uint32_t replaced;
	if (transient_new(c->arena, &c->diags, g->parent, PROGRAM, &g->cgroup) ||
	    cgroup_lock(g->cgroup, &c->diags))
		return -1;
	int failed = cgroup_attach(c->arena, &c->diags, g->cgroup, g->program, name, &replaced);
	cgroup_unlock(g->cgroup);
	return failed;
}

/* A process that waits for our end and then removes the cgroup. In a session of
 * its own: what the terminal sends to us must not end it. */
static int start_keeper(struct guard *g)
{
	int end[2];
	char byte;
	if (pipe2(end, O_CLOEXEC))
		return diag_fail(&g->c->diags, NULL, "pipe: %s", strerror(errno));
	g->keeper = fork();
	if (g->keeper == 0) {
		setsid();
		close(end[1]);
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		for (int fd = 0; null >= 0 && fd <= 2; fd++)
			dup2(null, fd);
		while (read(end[0], &byte, 1) < 0 && errno == EINTR)
			;
		transient_end(g->cgroup);
		_exit(0);
	}
	int err = errno;
	close(end[0]);
	g->keeper_pipe = end[1];
	if (g->keeper > 0)
		return 0;
	close(end[1]);
	return diag_fail(&g->c->diags, "the limit of processes may be reached", "fork: %s", strerror(err));
}

static void drop_keeper(struct guard *g)
{
	if (g->keeper <= 0)
		return;
	close(g->keeper_pipe);
	while (waitpid(g->keeper, NULL, 0) < 0 && errno == EINTR)
		;
}

static int run_in_cgroup(struct guard *g, const char *name, char **argv)
{
	struct diags *d = &g->c->diags;
	if (attach(g, name) || start_keeper(g) || start_child(g, argv))
		return STATUS_FAILED;
	if (transient_enter(d, g->cgroup, g->child.pid))
		return STATUS_FAILED;
	diags_flush(g->c); /* what is still to be said, before the command talks */
	if (write(g->child.go, "", 1) != 1) {
		diag_fail(d, NULL, "cannot start the command: %s", strerror(errno));
		return STATUS_FAILED;
	}
	int ended = wait_child(g);
	int status = exit_status(g, ended, argv[0]);
	close(g->child.go);
	close(g->child.failed);
	g->child.pid = 0;
	return status;
}

/* Runs it and cleans up, whatever happens: also when memory runs out. */
static int guarded_run(struct cmd *c, struct program *program, const char *parent,
                       const char *name, char **argv)
{
	static struct guard g;
	sigset_t set;
	g = (struct guard){.c = c, .program = program, .parent = parent, .status = STATUS_FAILED};
	passed_on(&set);
	sigprocmask(SIG_BLOCK, &set, &g.before);
	bool no_memory = setjmp(g.no_memory) != 0;
	if (!no_memory) {
		arena_catch(c->arena, &g.no_memory);
		g.status = run_in_cgroup(&g, name, argv);
	}
	arena_catch(c->arena, &c->no_memory);
	drop_child(&g);
	if (g.cgroup)
		transient_end(g.cgroup);
	drop_keeper(&g);
	sigprocmask(SIG_SETMASK, &g.before, NULL);
	if (no_memory)
		cmd_no_memory(c);
	return g.status;
}

/* Options, POLICY, more options, `--`, COMMAND. False: end with c->status. */
static bool parse(struct cmd *c, int argc, char **argv, const char **policy)
{
	if (options_next(c, argc, argv) != OPT_END)
		return false;
	if (optind == argc) {
		c->status = usage_error(c, NULL, "no policy and no command given");
		return false;
	}
	*policy = argv[optind++];
	if (optind < argc && options_next(c, argc, argv) != OPT_END)
		return false;
	if (optind == argc)
		c->status = usage_error(c, NULL, "no command given");
	return optind < argc;
}

static int run(struct cmd *c, int argc, char **argv)
{
	const char *path, *parent;
	struct unit u;
	struct program *program;
	if (!parse(c, argc, argv, &path))
		return c->status;
	int status = unit_load(c, &c->settings, path, &(struct load){.depth = LOAD_IMAGE, .kernel = true, .policy_only = true}, &u);
	if (status)
		return status;
	if (unit_program(c, &u, 0, &program))
		return STATUS_FAILED;
	parent = own_cgroup(c);
	if (parent) {
		transient_sweep(parent, PROGRAM);
		status = guarded_run(c, program, parent, u.policy->name, argv + optind);
	} else {
		status = STATUS_FAILED;
	}
	program_close(program);
	return status;
}

const struct verb verb_run = {
	.name = "run",
	.synopsis = "[--param K=V]... [--mode MODE] [--audit WHAT] POLICY [--] COMMAND ARG...",
	.summary = "Run a command in a transient cgroup under a policy",
	.help = "The cgroup is made below that of the caller, whose policies and limits hold as\n"
		"well. The policy is attached before the command starts. Signals are passed on to\n"
		"it, and its exit status is returned (128 + the signal's number when one killed\n"
		"it, 126 when it cannot be executed, 127 when it is not found). The cgroup is\n"
		"removed at the end, and what the command left running in it is killed. With\n"
		"--audit, audit --all or audit on that cgroup shows the records while it runs.\n\n",
	.shorts = "+:h",
	.longs = options,
	.main = run,
	.usage = "POLICY [--] COMMAND ARG...",
	.example = "echo 'allow :null' | " PROGRAM " run - -- sh -c 'cat /dev/zero || echo no'",
};
