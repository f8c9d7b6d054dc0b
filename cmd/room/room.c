/*
 * room.c - the parent's side of the locked room: makes the child, gives it a frame, and deals
 * with what comes back until that is done or the time is over.
 *
 * The clock is the parent's: of the wall, and the child's CPU time as the kernel counts
 * it. A child out of time is asked first where it is (SIGXCPU), and killed a moment later.
 */
#include "cmd/room/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/room/confine.h"
#include "cmd/room/inside.h"
#include "cmd/room/questions.h"

enum { QUESTIONS_MAX = 100000, FRAMES_A_TURN = 64 };
/* Bytes kept of what one child says and asks: an honest one is far below. */
enum { KEPT_MAX = 32 << 20, QUESTION_COST = 128 };

/* ---- making one ------------------------------------------------------------------------ */

static bool make_pipes(int fds[3][2])
{
	for (int i = 0; i < 3; i++)
		if (pipe2(fds[i], O_CLOEXEC)) {
			int error = errno;
			while (i--) {
				close(fds[i][0]);
				close(fds[i][1]);
			}
			errno = error;
			return false;
		}
	return true;
}

static _Noreturn void child(const struct room *r, int fds[3][2], pid_t parent,
                            void (*work)(struct inside *in))
{
	if (dup2(fds[0][0], STDIN_FILENO) < 0 || dup2(fds[1][1], STDOUT_FILENO) < 0 ||
	    dup2(fds[2][1], STDERR_FILENO) < 0)
		_exit(INSIDE_PIPE);
	struct locked l = {0};
	bool kept;
	inside_prepare();
	struct confine_limits limits = {
		.memory = r->limits.memory + r->limits.memory / 8 + ((size_t)16 << 20),
		.cpu = (unsigned)r->limits.cpu + 2,
	};
	l.failed = confine(r->cmd->rooms.plan, &limits, parent, !r->unconfined, &kept);
	l.error = l.failed ? errno : 0;
	l.kept_uid = kept;
	if (frame_write(STDOUT_FILENO, FRAME_LOCKED, &l, sizeof l) || (l.failed && !r->unconfined))
		_exit(INSIDE_FAULT);
	inside_run(work, r->limits.memory, r->progress);
}

/* False with errno. */
static bool fork_child(struct room *r, int fds[3][2], void (*work)(struct inside *in))
{
	pid_t parent = getpid();
	r->pid = fork();
	if (r->pid == 0)
		child(r, fds, parent, work);
	int error = errno;
	close(fds[0][0]);
	close(fds[1][1]);
	close(fds[2][1]);
	r->to = fds[0][1];
	r->from = fds[1][0];
	r->said_fd = fds[2][0];
	if (r->pid > 0 && !(errno = clock_getcpuclockid(r->pid, &r->cpu_clock)) &&
	    !fcntl(r->to, F_SETFL, O_NONBLOCK) && !fcntl(r->said_fd, F_SETFL, O_NONBLOCK) &&
	    !fcntl(r->from, F_SETFL, O_NONBLOCK))
		return true;
	errno = r->pid < 0 ? error : errno;
	return false;
}

int room_open(struct cmd *c, const struct settings *s, void (*work)(struct inside *in), struct room **out)
{
	int fds[3][2];
	if (!c->rooms.plan && !(c->rooms.plan = confine_plan_new()))
		cmd_no_memory(c);
	if (c->rooms.n == sizeof c->rooms.open / sizeof *c->rooms.open)
		return STATUS_FAILED;
	struct room *r = arena_alloc(c->arena, sizeof *r);
	*r = (struct room){.cmd = c, .limits = s->limits, .unconfined = s->unconfined};
	r->progress = mmap(NULL, sizeof *r->progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->progress == MAP_FAILED)
		return room_failed(c, "cannot share memory with a child");
	if (!make_pipes(fds)) {
		munmap(r->progress, sizeof *r->progress);
		return room_failed(c, "cannot make a pipe");
	}
	bool made = fork_child(r, fds, work);
	c->rooms.open[c->rooms.n++] = r;
	*out = r;
	if (made)
		return STATUS_OK;
	int status = room_failed(c, "cannot make a process to compile in");
	room_close(r);
	return status;
}

void rooms_reap(struct cmd *c)
{
	while (c->rooms.ndying) {
		while (waitpid(c->rooms.dying[c->rooms.ndying - 1], NULL, 0) < 0 && errno == EINTR)
			;
		c->rooms.ndying--;
	}
}

void room_close(struct room *r)
{
	if (!r || !r->progress)
		return;
	struct cmd *c = r->cmd;
	close(r->to);
	close(r->from);
	close(r->said_fd);
	if (r->pid > 0) { /* it takes the kernel a moment to end it: not waited for here */
		kill(r->pid, SIGKILL);
		if (c->rooms.ndying == sizeof c->rooms.dying / sizeof *c->rooms.dying)
			rooms_reap(c);
		c->rooms.dying[c->rooms.ndying++] = r->pid;
	}
	munmap(r->progress, sizeof *r->progress);
	r->progress = NULL;
	free(r->out);
	free(r->in);
	for (size_t i = 0; i < c->rooms.n; i++)
		if (c->rooms.open[i] == r)
			c->rooms.open[i] = c->rooms.open[--c->rooms.n];
}

/* ---- time ---------------------------------------------------------------------------------- */

static double seconds_of(clockid_t clock)
{
	struct timespec t = {0};
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct watch {
	double wall, cpu;        /* when the call began */
	double wall_max, cpu_max; /* seconds left then */
};

static void watch_start(struct room *r, bool go_on, struct watch *w)
{
	struct cmd *c = r->cmd;
	if (!go_on)
		c->rooms.spent_wall = c->rooms.spent_cpu = 0;
	*w = (struct watch){.wall = seconds_of(CLOCK_MONOTONIC), .cpu = seconds_of(r->cpu_clock),
	                    .wall_max = r->limits.seconds - c->rooms.spent_wall,
	                    .cpu_max = r->limits.cpu - c->rooms.spent_cpu};
	struct rlimit limit = {.rlim_cur = (rlim_t)(w->cpu + w->cpu_max) + 2, .rlim_max = RLIM_INFINITY};
	prlimit(r->pid, RLIMIT_CPU, &limit, NULL); /* in case that we end first */
}

static void watch_end(struct room *r, const struct watch *w)
{
	r->cmd->rooms.spent_wall += seconds_of(CLOCK_MONOTONIC) - w->wall;
	double cpu = seconds_of(r->cpu_clock) - w->cpu;
	r->cmd->rooms.spent_cpu += cpu > 0 ? cpu : 0;
}

/* Milliseconds to wait at most; 0: the time is over, *which says of which clock. */
static int watch_left(const struct room *r, const struct watch *w, const char **which)
{
	double wall = w->wall_max - (seconds_of(CLOCK_MONOTONIC) - w->wall);
	double cpu = w->cpu_max - (seconds_of(r->cpu_clock) - w->cpu);
	*which = cpu <= 0 ? " of CPU time" : "";
	if (wall <= 0 || cpu <= 0)
		return 0;
	double least = wall < cpu ? wall : cpu;
	return least < 0.001 ? 1 : least > 60 ? 60000 : (int)(least * 1000) + 1;
}

/* ---- talking ------------------------------------------------------------------------------------ */

/* Counts what is kept of a frame for as long as the policy is worked with. */
static bool keeps(struct room *r, size_t bytes)
{
	r->kept += bytes;
	return r->kept <= KEPT_MAX;
}

static int pipe_broken(struct room *r)
{
	errno = r->broken;
	return room_failed(r->cmd, "cannot talk to the process that compiles");
}

static bool answer(struct room *r)
{
	const unsigned char *data;
	size_t n;
	if (!question_answer(r->cmd, r->in, r->head[1], &data, &n))
		return false;
	r->asks_too_much = ++r->questions > QUESTIONS_MAX || !keeps(r, 2 * r->head[1] + 2 * n + QUESTION_COST);
	if (r->asks_too_much)
		return false;
	channel_queue(r, FRAME_ANSWER, data, n, NULL, 0);
	return true;
}

/* A call that is not done yet. */
struct talk {
	struct room *room;
	const char *file; /* what messages are about */
	const struct taker *taker;
	struct watch watch;
	bool done;
	int32_t failed; /* what the child says of it */
	int status;     /* of a call that cannot go on */
};

/* One whole frame. False: it is not what a child of ours sends. */
static bool deal(struct talk *k)
{
	struct room *r = k->room;
	const struct taker *t = k->taker;
	switch (r->head[0]) {
	case FRAME_QUESTION:
		return answer(r);
	case FRAME_DIAG:
		return keeps(r, sizeof(struct diag) + r->head[1]) && diag_read(&r->cmd->diags, k->file, r->in, r->head[1]);
	case FRAME_DONE:
		k->done = r->head[1] == sizeof k->failed;
		memcpy(&k->failed, r->in, k->done ? sizeof k->failed : 0);
		return k->done;
	case FRAME_VERDICTS: /* the limits hold for each answer */
		watch_start(r, false, &k->watch);
		/* fall through */
	default:
		return t && t->take && t->take(t->self, (enum frame_kind)r->head[0], r->in, r->head[1]);
	}
}

/* The first frame: how it is locked in. False: it is another one. */
static bool take_locked(struct talk *k)
{
	struct room *r = k->room;
	r->is_locked = r->head[0] == FRAME_LOCKED && r->head[1] == sizeof r->locked;
	if (r->is_locked)
		memcpy(&r->locked, r->in, sizeof r->locked);
	if (r->is_locked && r->locked.failed)
		k->status = room_not_locked(r);
	return r->is_locked;
}

/* The frames that have come, some at a time: the clock is looked at in between. */
static void take_frames(struct talk *k)
{
	struct room *r = k->room;
	enum pulse pulse = PULSE_MORE;
	for (int i = 0; !k->done && i < FRAMES_A_TURN && (pulse = channel_read(r, k->taker)) == PULSE_FRAME; i++) {
		if (!(r->is_locked ? deal(k) : take_locked(k))) {
			pulse = PULSE_GARBLED;
			break;
		}
		if (k->status)
			return;
		channel_flush(r);
	}
	if (r->broken)
		k->status = pipe_broken(r);
	else if (pulse == PULSE_END || pulse == PULSE_GARBLED)
		k->status = room_ended(r, k->file, pulse == PULSE_GARBLED);
}

/* Waits for what the child sends, or takes; no longer than there is time. */
static void turn(struct talk *k)
{
	struct room *r = k->room;
	const char *which;
	int left = watch_left(r, &k->watch, &which);
	struct pollfd fds[] = {{.fd = r->from, .events = POLLIN},
	                       {.fd = r->said_fd, .events = POLLIN},
	                       {.fd = r->nout ? r->to : -1, .events = POLLOUT}};
	if (!left) {
		k->status = room_out_of_time(r, k->file, which);
		return;
	}
	if (poll(fds, 3, left) < 0 && errno != EINTR) {
		k->status = room_failed(r->cmd, "cannot wait for the process that compiles");
		return;
	}
	if (fds[1].revents)
		room_listen(r);
	if (fds[2].revents)
		channel_flush(r);
	take_frames(k);
}

int room_call(struct room *r, const char *file, const struct call *call, const struct taker *t)
{
	struct talk k = {.room = r, .file = file, .taker = t};
	if (r->pid <= 0) { /* a signal or a limit for process 0 would be for this one, and all of its group */
		diag_fail(&r->cmd->diags, NULL, "%s: the process that worked on it has ended", file);
		return STATUS_FAILED;
	}
	watch_start(r, call->go_on, &k.watch);
	channel_queue(r, call->kind, call->head, call->nhead, call->data, call->len);
	channel_flush(r);
	if (call->meanwhile)
		call->meanwhile(r->cmd);
	if (r->broken)
		return pipe_broken(r);
	while (!k.done && !k.status)
		turn(&k);
	if (k.status)
		return k.status;
	watch_end(r, &k.watch);
	return k.failed ? STATUS_REFUSED : STATUS_OK;
}

bool room_kept_uid(const struct room *r)
{
	return r->locked.kept_uid;
}

const char *room_layers(struct arena *a, bool kept_uid)
{
	return kept_uid ? arena_printf(a, "uid %u kept (not root, or its user namespace has no 65534); no capabilities, %d system calls",
	                               (unsigned)geteuid(), confine_calls())
	                : arena_printf(a, "uid 65534, no capabilities, %d system calls", confine_calls());
}
