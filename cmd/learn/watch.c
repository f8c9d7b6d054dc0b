/*
 * watch.c - requests recorded, as the host program tells them: of a cgroup, or of a command in a transient one.
 *
 * One loop over poll(2): records, and a signalfd, so that no signal is in the middle of anything. The kernel counts
 * every request; what it had no room to tell is lost, and said. Where denied requests are let pass, that is a lease of
 * a few seconds, renewed here: it ends with this process, however that ends.
 */
#include "cgroup/hostprog.h"
#include "cmd/audit/audit.h"
#include "cmd/learn/learn.h"
#include "cmd/where/where.h"
#include "compiler/compiler.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { RING = 32 << 20, CHECK_NS = NSEC / 2, DRAINS = 256, GRACE_S = 5 };
#define LEASE_NS (4ull * NSEC)
#define RENEW_NS (1ull * NSEC)

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC + (uint64_t)now.tv_nsec;
}

/* ---- one request --------------------------------------------------------------------------- */

static bool one_event(void *arg, const struct host_event *e)
{
	struct learning *l = arg;
	l->taken++;
	if ((e->type != DEV_BLOCK && e->type != DEV_CHAR) || e->major > MAJOR_MAX || e->minor > MINOR_MAX || e->requested & ~ACC_ALL) {
		learned_count(&l->all.lost, 1);
		return true;
	}
	bool gone = false;
	const char *exe = l->by & LEARN_BY_EXE ? requester_of(l, e, &gone) : NULL;
	struct learned_request *r =
		learned_request(&l->all, e->type, e->requested, e->major, e->minor, l->by & LEARN_BY_UID ? (int64_t)e->uid : -1, exe);
	learned_count(&r->gone, gone);
	bool denied = e->flags & HOST_EVENT_DENIED;
	learned_count(denied && e->flags & HOST_EVENT_PERMITTED    ? &r->permitted
	              : denied && !(e->flags & HOST_EVENT_GRANTED) ? &r->denied
	                                                           : &r->allowed,
	              1);
	l->stayed += l->permissive && denied && !(e->flags & (HOST_EVENT_PERMITTED | HOST_EVENT_GRANTED));
	learned_by(&l->all, r, e->comm, 1);
	learned_count(&l->total, 1);
	return true;
}

/* All that waits. 0 or -1. */
static int drain(struct learning *l)
{
	for (int i = 0; i < DRAINS; i++) {
		int n = watcher_poll(&l->cmd->diags, l->watcher, 0, one_event, l);
		if (n <= 0)
			return n;
	}
	return 0;
}

/* ---- the loop ---------------------------------------------------------------------------------- */

static void take_signals(struct learning *l)
{
	struct signalfd_siginfo info;
	while (read(l->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (l->child.pid > 0) {
			child_pass_on(&l->child, (int)info.ssi_signo, info.ssi_code);
		} else {
			l->ended = l->by_signal = true;
		}
	}
	if (l->child.pid > 0 && !l->ended)
		l->ended = child_ended(&l->child, &l->ending);
}

/* When what is to be done next. */
struct times { uint64_t renew, check, end; int asked; };

/* The time is over: a command is asked to end, and then ended. */
static void time_over(struct learning *l, uint64_t now, struct times *t)
{
	if (now < t->end)
		return;
	if (l->child.pid > 0)
		kill(l->child.pid, t->asked++ ? SIGKILL : SIGTERM);
	else
		l->ended = true;
	t->end = now + GRACE_S * (uint64_t)NSEC;
}

/* Renews the lease; is what is watched there still? 0, or -1 with a diagnostic. */
static int look_after(struct learning *l, uint64_t now, struct times *t)
{
	if (l->permissive && now >= t->renew) {
		t->renew = now + RENEW_NS;
		if (watcher_permit(&l->cmd->diags, l->watcher, LEASE_NS))
			return -1;
	}
	if (now < t->check)
		return 0;
	t->check = now + CHECK_NS;
	if (!watcher_lives(l->watcher))
		return diag_fail(&l->cmd->diags, "record it again",
		                 "the host program was taken off: what was asked for since then is not recorded");
	if (l->cgroup && cgroup_removed(l->cgroup)) {
		say(l->cmd, "the cgroup %s was removed: the recording ends", l->cgroup->path);
		l->ended = true;
	}
	return 0;
}

/* Waits for records or a signal, or until something is to be done. 0 or -1. */
static int wait_and_read(struct learning *l, uint64_t until)
{
	struct pollfd fds[] = {{l->broken ? -1 : watcher_fd(l->watcher), POLLIN, 0}, {l->signals, POLLIN, 0}};
	uint64_t now = now_ns(), left = until > now ? until - now : 0;
	struct timespec wait = {(time_t)(left / NSEC), (long)(left % NSEC)};
	int n = ppoll(fds, 2, &wait, NULL);
	if (n < 0 && errno != EINTR)
		return diag_fail(&l->cmd->diags, NULL, "poll: %s", strerror(errno));
	if (n > 0 && fds[0].revents && watcher_poll(&l->cmd->diags, l->watcher, 0, one_event, l) < 0)
		return -1;
	take_signals(l);
	return 0;
}

/* Until it ends. A command goes on to its end also when it cannot be recorded any more. 0 or -1. */
static int loop(struct learning *l)
{
	uint64_t now = now_ns();
	struct times t = {.check = now + CHECK_NS, .end = l->for_ns ? now + l->for_ns : UINT64_MAX};
	while (!l->ended) {
		bool failed = wait_and_read(l, t.check < t.end ? t.check : t.end);
		now = now_ns();
		t.check = l->broken && now >= t.check ? now + CHECK_NS : t.check;
		if (!l->ended)
			time_over(l, now, &t);
		if (!l->ended && !l->broken)
			failed |= look_after(l, now, &t);
		if (failed && l->child.pid <= 0)
			return -1;
		if (failed)
			diags_flush(l->cmd);
		l->broken |= failed;
	}
	return l->broken ? -1 : 0;
}

/* ---- begin and end ------------------------------------------------------------------------------- */

/* Denied requests can not be let pass below a guard of ours that does not allow grants. */
static int check_guards(struct learning *l, const struct cgroup *cg)
{
	struct cmd *c = l->cmd;
	struct attached guard = {0};
	const char *path;
	if (!l->permissive)
		return 0;
	if (grants_refused_by(c->arena, &c->diags, cg, &guard, &path))
		return -1;
	if (!guard.ours)
		return 0;
	const char *hint = arena_printf(c->arena, "rucy-devguard apply %s.rb %s --mode permissive lets pass what it denies; or say "
	                                          "`grants :allowed` in it", guard.name, shell_word(c->arena, path));
	return diag_fail(
		&c->diags, hint,
		"--permissive opens nothing below the policy '%s' on %s: it does not say `grants :allowed`", guard.name, path);
}

static int begin(struct learning *l, const struct cgroup *cg)
{
	struct cmd *c = l->cmd;
	struct hostprog *hp;
	uint32_t parts = HOSTPROG_OBSERVE | HOSTPROG_ALL | (l->permissive ? HOSTPROG_PERMIT : 0);
	if (check_guards(l, cg) || hostprog_need(c->arena, &c->diags, parts, hostprog_make, &hp))
		return -1;
	int failed = watcher_new(c->arena, &c->diags, hp, cg, WATCHER_ALL | (l->permissive ? WATCHER_PERMIT : 0), RING, &l->watcher);
	if (failed)
		hostprog_settle(c->arena, &c->diags, hp, hostprog_make);
	hostprog_close(hp);
	if (failed)
		return -1;
	learned_count(&l->all.runs, 1);
	learned_count(&l->all.permitted, l->permissive);
	if (l->permissive)
		diag_add(&c->diags, DIAG_WARNING, (struct span){.file = NULL}, NULL,
		         "--permissive: whatever filters deny to %s is let pass until this ends", l->command ? l->command[0] : cg->path);
	diags_flush(c);
	return l->permissive ? watcher_permit(&c->diags, l->watcher, LEASE_NS) : 0;
}

/* What was counted and not told. 0 or -1. */
static int count_losses(struct learning *l)
{
	struct cmd *c = l->cmd;
	struct host_count_entry *list;
	size_t n;
	uint64_t lost = 0, recorded = 0;
	if (watcher_counts(c->arena, &c->diags, NULL, l->watcher, &list, &n, &lost))
		return -1;
	for (size_t i = 0; i < n; i++) {
		learned_count(&lost, list[i].count.lost);
		learned_count(&recorded, list[i].count.recorded);
	}
	if (recorded > l->taken)
		learned_count(&lost, recorded - l->taken);
	learned_count(&l->all.lost, lost);
	return 0;
}

static int end(struct learning *l)
{
	struct cmd *c = l->cmd;
	struct hostprog *hp;
	if (!l->watcher)
		return 0;
	int failed = drain(l) || count_losses(l) ? -1 : 0;
	if (hostprog_change(c->arena, &c->diags, &hp)) {
		failed = -1;
		hp = NULL;
	}
	watcher_end(l->watcher);
	l->watcher = NULL;
	if (hp && hostprog_settle(c->arena, &c->diags, hp, hostprog_make))
		failed = -1;
	hostprog_close(hp);
	if (l->permissive)
		diag_add(&c->diags, DIAG_WARNING, (struct span){.file = NULL}, NULL, "--permissive has ended: filters deny again");
	diags_flush(c);
	return failed;
}

static int open_signals(struct learning *l)
{
	sigset_t set;
	if (l->command) {
		child_signals(&set);
	} else {
		sigemptyset(&set);
		sigaddset(&set, SIGINT);
		sigaddset(&set, SIGTERM);
		sigaddset(&set, SIGHUP);
		sigprocmask(SIG_BLOCK, &set, NULL);
	}
	l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return l->signals >= 0 ? 0 : diag_fail(&l->cmd->diags, NULL, "signalfd: %s", strerror(errno));
}

/* ---- a cgroup, a command -------------------------------------------------------------------------- */

static int record_cgroup(struct learning *l)
{
	int failed = open_signals(l) || begin(l, l->cgroup) || loop(l);
	failed |= end(l);
	close(l->signals);
	return failed ? STATUS_FAILED : STATUS_OK;
}

/* Those that the command left are killed with its cgroup: that is said, as they may have wanted more. */
static void tell_left(struct learning *l)
{
	struct cmd *c = l->cmd;
	const char *path = arena_printf(c->arena, "%s/cgroup.events", l->child.cgroup->path);
	char line[64];
	bool left = false;
	FILE *in = fopen(path, "re");
	while (in && fgets(line, sizeof line, in))
		left |= !strcmp(line, "populated 1\n");
	if (in)
		fclose(in);
	if (left)
		diag_add(&c->diags, DIAG_WARNING, (struct span){.file = NULL},
		         "let the command stay in the foreground, or record the cgroup of the service instead",
		         "processes of the command still ran when it ended, and are killed: what they would have asked for is not recorded");
}

static int record_command(struct learning *l)
{
	struct cmd *c = l->cmd;
	struct child *x = &l->child;
	const char *parent = own_cgroup(c);
	if (!parent)
		return STATUS_FAILED;
	transient_sweep(parent, PROGRAM);
	if (transient_new(c->arena, &c->diags, parent, PROGRAM, &x->cgroup) || open_signals(l) || begin(l, x->cgroup) ||
	    child_start(x, l->command) || child_go(x))
		return STATUS_FAILED;
	int failed = loop(l);
	size_t errors = c->diags.errors;
	tell_left(l);
	l->status = child_status(x, l->ending, l->command[0]);
	return failed ? STATUS_FAILED : c->diags.errors > errors ? l->status : STATUS_OK;
}

/* Cleans up whatever happens: also when memory runs out. */
static int guarded_command(struct learning *l)
{
	struct cmd *c = l->cmd;
	static jmp_buf no_memory;
	volatile int status = STATUS_FAILED;
	child_begin(c, &l->child);
	bool none = setjmp(no_memory) != 0;
	if (!none) {
		arena_catch(c->arena, &no_memory);
		arena_catch(l->arena, &no_memory);
		status = record_command(l);
	}
	arena_catch(c->arena, &c->no_memory);
	arena_catch(l->arena, &c->no_memory);
	child_end(&l->child);
	if (none)
		cmd_no_memory(c);
	if (end(l))
		status = STATUS_FAILED;
	if (l->signals >= 0)
		close(l->signals);
	return status;
}

int learn_record(struct learning *l)
{
	l->signals = -1;
	int status = l->command ? guarded_command(l) : record_cgroup(l);
	learned_sort(&l->all);
	return status;
}
