/*
 * ending.c - how a child of the room ends, and what is said of it: where it was, whose fault it
 * is, and what can be done.
 */
#include "cmd/room/parent.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/room/confine.h"
#include "cmd/room/inside.h"

enum { SAID_A_TURN = 64 << 10 };

int room_failed(struct cmd *c, const char *what)
{
	diag_fail(&c->diags, "a policy is compiled in a process of its own: is there room for one?",
	          "%s: %s", what, strerror(errno));
	return STATUS_FAILED;
}

/* What the child wrote to stderr: in a sanitizer build that is its report. */
void room_listen(struct room *r)
{
	char rest[4096];
	ssize_t n;
	for (size_t all = 0; all < SAID_A_TURN && (n = read(r->said_fd, rest, sizeof rest)) > 0; all += (size_t)n) {
		size_t room = sizeof r->said - 1 - r->nsaid, take = (size_t)n < room ? (size_t)n : room;
		memcpy(r->said + r->nsaid, rest, take);
		r->nsaid += take;
		if (confine_widened())
			fwrite(rest, 1, (size_t)n, stderr);
	}
}

int room_reap(struct room *r, int sig)
{
	int status = 0;
	if (r->pid <= 0)
		return status;
	if (sig)
		kill(r->pid, sig);
	for (int i = 0; i < 50; i++) {
		pid_t got = waitpid(r->pid, &status, WNOHANG);
		if (got == r->pid) {
			r->pid = 0;
			return status;
		}
		struct timespec pause = {.tv_nsec = sig ? 5000000 : 1000000};
		nanosleep(&pause, NULL);
	}
	kill(r->pid, SIGKILL);
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	r->pid = 0;
	return status;
}

/* Where the child was, as it said itself. */
static struct span place_of(struct room *r, const char *file)
{
	int line = r->progress->line;
	uint32_t loaded = r->progress->file;
	struct span at = {.file = file, .line = line > 0 ? line : 0};
	if (loaded && loaded <= r->cmd->asking.nloaded)
		at.file = r->cmd->asking.loaded[loaded - 1];
	else if (loaded)
		at.line = 0;
	return at;
}

static const char *stage_of(const struct room *r)
{
	uint32_t stage = r->progress->stage;
	return stage_words[stage < STAGES ? stage : STAGE_START];
}

static int refuse(struct room *r, const char *file, const char *hint, const char *text)
{
	diag_add(&r->cmd->diags, DIAG_ERROR, place_of(r, file), hint, "%s", text);
	return STATUS_REFUSED;
}

static const char *size_text(struct arena *a, size_t bytes)
{
	return bytes % (1 << 20) ? arena_printf(a, "%zu bytes", bytes) : arena_printf(a, "%zu MiB", bytes >> 20);
}

static int out_of_time(struct room *r, const char *file, const char *which)
{
	struct arena *a = r->cmd->arena;
	bool cpu = *which;
	double most = cpu ? r->limits.cpu : r->limits.seconds;
	return refuse(r, file,
	              arena_printf(a, "make less of it, or give it more: --limit %s=%gs", cpu ? "cpu" : "time", most * 3),
	              arena_printf(a, "stopped after %g s%s while %s", most, which, stage_of(r)));
}

int room_out_of_time(struct room *r, const char *file, const char *which)
{
	room_reap(r, SIGXCPU);
	room_listen(r);
	return out_of_time(r, file, which);
}

static int out_of_memory_limit(struct room *r, const char *file)
{
	struct arena *a = r->cmd->arena;
	size_t most = r->limits.memory;
	return refuse(r, file,
	              arena_printf(a, "make less of it, or give it more: --limit memory=%zum", (most >> 20) * 2),
	              arena_printf(a, "stopped at %s of memory while %s", size_text(a, most), stage_of(r)));
}

/* Neither the policy nor the limits are to blame. */
static int host_failed(struct room *r, const char *hint, const char *what)
{
	diag_fail(&r->cmd->diags, hint, "%s while %s", what, stage_of(r));
	return STATUS_FAILED;
}

/* It ended by itself, and said how. -1: it did not. */
static int ended_itself(struct room *r, const char *file, int exit_status)
{
	switch (exit_status) {
	case INSIDE_OVER: return out_of_memory_limit(r, file);
	case INSIDE_NO_MEMORY: return host_failed(r, "a smaller policy, or a larger limit, is needed", "out of memory");
	case INSIDE_PIPE: return host_failed(r, "try it again", "the process that compiles could not be talked to,");
	case INSIDE_TIME: return out_of_time(r, file, " of CPU time");
	default: return -1;
	}
}

/* The policy is to blame. */
static int misbehaved(struct room *r, const char *file, int status, bool garbled)
{
	static const char contained[] = "it was locked in, nothing was done; if you trust the policy, please report it";
	struct arena *a = r->cmd->arena;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return refuse(r, file, contained,
		              arena_printf(a, "the policy is refused: it made a system call that it may not make, while %s",
		                           stage_of(r)));
	const char *how = garbled                ? "it sent what it should not"
	                  : WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
	                                        : arena_printf(a, "exit status %d", WEXITSTATUS(status));
	const char *said = r->nsaid ? arena_printf(a, "; it said: %.*s", (int)strcspn(r->said, "\n"), r->said) : "";
	return refuse(r, file, contained,
	              arena_printf(a, "the policy is refused: it broke the process that compiles it (%s), while %s%s", how,
	                           stage_of(r), said));
}

int room_ended(struct room *r, const char *file, bool garbled)
{
	int status = room_reap(r, !garbled ? 0 : r->asks_too_much ? SIGXCPU : SIGKILL);
	room_listen(r);
	if (r->asks_too_much)
		return refuse(r, file, "make the rules about fewer names: numbers, ranges and groups need no question",
		              arena_printf(r->cmd->arena, "the policy is refused: it asks the host about too many names, while %s",
		                           stage_of(r)));
	int said = WIFEXITED(status) ? ended_itself(r, file, WEXITSTATUS(status)) : -1;
	if (said >= 0)
		return said;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		return out_of_time(r, file, " of CPU time");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !garbled)
		return host_failed(r, "is there enough memory?", "the process that compiles was killed");
	return misbehaved(r, file, status, garbled);
}

static bool takes_unconfined(const struct verb *v)
{
	const struct option *o = v->longs;
	while (o->name && o->val != OPT_UNCONFINED)
		o++;
	return o->name;
}

int room_not_locked(struct room *r)
{
	struct cmd *c = r->cmd;
	const struct locked *l = &r->locked;
	const char *layer = layer_words[l->failed > 0 && l->failed < LAYERS ? l->failed : LAYER_SECCOMP];
	if (r->unconfined) {
		if (!c->rooms.unconfined_said)
			diag_add(&c->diags, DIAG_WARNING, (struct span){0},
			         "only for a policy that you trust as you trust a program you run",
			         "--unconfined: the policy is compiled WITHOUT this: %s (%s)", layer, strerror(l->error));
		c->rooms.unconfined_said = true;
		return STATUS_OK;
	}
	diag_fail(&c->diags,
	          takes_unconfined(c->verb)
	                  ? "allow this process seccomp(2) and prctl(2); for a policy that you trust, --unconfined goes on without"
	                  : "allow this process seccomp(2) and prctl(2): here no policy is compiled that is not locked in",
	          "the policy cannot be locked in while it is compiled: %s: %s", layer, strerror(l->error));
	return STATUS_FAILED;
}
