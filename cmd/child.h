/* child.h - a command in a transient cgroup. */
#ifndef DEVGUARD_CMD_CHILD_H
#define DEVGUARD_CMD_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct cgroup;
struct cmd;

struct child {
	struct cmd *cmd;
	struct cgroup *cgroup; /* transient_new() made it */
	pid_t pid;
	int go;                /* a byte here: you are in the cgroup, exec */
	int failed;            /* its errno comes here when exec failed; closed by exec */
	pid_t keeper;
	int keeper_pipe;       /* closed when we end, however that happens */
	sigset_t before;       /* the signal mask we were started with */
};

/* ---- child.c ---------------------------------------------------------------------- */

/* Every signal that can be passed on: not those of faults, of job control by the
 * terminal's driver, or that can not be caught. */
void child_signals(sigset_t *set);
/* Blocks these. */
void child_begin(struct cmd *c, struct child *x);
/* A process in its cgroup, that waits. 0 or -1. */
int child_start(struct child *x, char **argv);
/* Shows what is still to be said, and lets it exec. 0 or -1. */
int child_go(struct child *x);
/* True when it has ended; *status is then its wait status. */
bool child_ended(const struct child *x, int *status);
/* Passes a signal on that we were sent. Those of the kernel for the terminal (^C, ^Z, a new window
 * size) reach it by themselves. */
void child_pass_on(const struct child *x, int sig, int code);
/* The exit status for that of a child that has ended: as shells have it, 126 or 127 with a diagnostic. */
int child_status(struct child *x, int wait_status, const char *name);
/* Kills what is left in the cgroup, removes it, unblocks signals. */
void child_end(struct child *x);

#endif
