/*
 * room.c - the parent's side of the locked room: makes the child, feeds it, watches the
 * clock, and says how it ended.
 *
 * The clock is the parent's: of the wall, and the child's CPU time as the kernel counts
 * it. A child out of time is asked first where it is (SIGXCPU), and killed a moment later.
 */
#include "cmd/room/room.h"

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

enum { SAID_MAX = 512, QUESTIONS_MAX = 100000, FRAMES_A_TURN = 64, SAID_A_TURN = 64 << 10 };
/* Bytes kept of what one child says and asks: an honest one is far below. */
enum { KEPT_MAX = 32 << 20, QUESTION_COST = 128 };

struct room {
	struct cmd *cmd;
	pid_t pid;
	clockid_t cpu_clock;
	int to, from, said_fd; /* pipes */
	int broken;            /* errno of one that does not work */
	struct progress *progress; /* shared with the child, which writes it */
	struct locked locked;
	bool is_locked;
	size_t questions, kept;    /* kept: bytes of questions, answers and messages */
	bool asks_too_much;
	char said[SAID_MAX]; /* what it wrote to stderr */
	size_t nsaid;
	/* bytes to the child that are not written yet */
	unsigned char *out;
	size_t nout, out_cap;
	/* the frame that arrives */
	uint32_t head[2];
	unsigned char *in;
	size_t nin;
};

/* ---- making one ------------------------------------------------------------------------ */

static int failed_to_open(struct cmd *c, const char *what)
{
	diag_fail(&c->diags, "a policy is compiled in a process of its own: is there room for one?",
	          "%s: %s", what, strerror(errno));
	return STATUS_FAILED;
}

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

static _Noreturn void child(struct cmd *c, const struct room *r, int fds[3][2], pid_t parent,
                            void (*work)(struct inside *in))
{
	if (dup2(fds[0][0], STDIN_FILENO) < 0 || dup2(fds[1][1], STDOUT_FILENO) < 0 ||
	    dup2(fds[2][1], STDERR_FILENO) < 0)
		_exit(INSIDE_PIPE);
	struct locked l = {0};
	bool kept;
	inside_prepare();
	struct confine_limits limits = {
		.memory = c->limits.memory + c->limits.memory / 8 + ((size_t)16 << 20),
		.cpu = (unsigned)c->limits.cpu + 2,
	};
	l.failed = confine(c->room_plan, &limits, parent, !c->unconfined, &kept);
	l.error = l.failed ? errno : 0;
	l.kept_uid = kept;
	if (frame_write(STDOUT_FILENO, FRAME_LOCKED, &l, sizeof l) || (l.failed && !c->unconfined))
		_exit(INSIDE_FAULT);
	inside_run(work, c->limits.memory, r->progress);
}

int room_open(struct cmd *c, void (*work)(struct inside *in), struct room **out)
{
	int fds[3][2];
	if (!c->room_plan && !(c->room_plan = confine_plan_new()))
		cmd_no_memory(c);
	if (c->nrooms == sizeof c->rooms / sizeof *c->rooms)
		return STATUS_FAILED;
	struct room *r = arena_alloc(c->arena, sizeof *r);
	*r = (struct room){.cmd = c};
	r->progress = mmap(NULL, sizeof *r->progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->progress == MAP_FAILED)
		return failed_to_open(c, "cannot share memory with a child");
	if (!make_pipes(fds)) {
		munmap(r->progress, sizeof *r->progress);
		return failed_to_open(c, "cannot make a pipe");
	}
	pid_t parent = getpid();
	r->pid = fork();
	if (r->pid == 0)
		child(c, r, fds, parent, work);
	int error = errno;
	close(fds[0][0]);
	close(fds[1][1]);
	close(fds[2][1]);
	r->to = fds[0][1];
	r->from = fds[1][0];
	r->said_fd = fds[2][0];
	c->rooms[c->nrooms++] = r;
	*out = r;
	if (r->pid > 0 && !(errno = clock_getcpuclockid(r->pid, &r->cpu_clock)) &&
	    !fcntl(r->to, F_SETFL, O_NONBLOCK) && !fcntl(r->said_fd, F_SETFL, O_NONBLOCK) &&
	    !fcntl(r->from, F_SETFL, O_NONBLOCK))
		return STATUS_OK;
	errno = r->pid < 0 ? error : errno;
	int status = failed_to_open(c, "cannot make a process to compile in");
	room_close(r);
	return status;
}

void rooms_reap(struct cmd *c)
{
	while (c->ndying) {
		while (waitpid(c->dying[c->ndying - 1], NULL, 0) < 0 && errno == EINTR)
			;
		c->ndying--;
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
		if (c->ndying == sizeof c->dying / sizeof *c->dying)
			rooms_reap(c);
		c->dying[c->ndying++] = r->pid;
	}
	munmap(r->progress, sizeof *r->progress);
	r->progress = NULL;
	free(r->out);
	free(r->in);
	for (size_t i = 0; i < c->nrooms; i++)
		if (c->rooms[i] == r)
			c->rooms[i] = c->rooms[--c->nrooms];
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
		c->spent_wall = c->spent_cpu = 0;
	*w = (struct watch){.wall = seconds_of(CLOCK_MONOTONIC), .cpu = seconds_of(r->cpu_clock),
	                    .wall_max = c->limits.seconds - c->spent_wall,
	                    .cpu_max = c->limits.cpu - c->spent_cpu};
	struct rlimit limit = {.rlim_cur = (rlim_t)(w->cpu + w->cpu_max) + 2, .rlim_max = RLIM_INFINITY};
	prlimit(r->pid, RLIMIT_CPU, &limit, NULL); /* in case that we end first */
}

static void watch_end(struct room *r, const struct watch *w)
{
	r->cmd->spent_wall += seconds_of(CLOCK_MONOTONIC) - w->wall;
	double cpu = seconds_of(r->cpu_clock) - w->cpu;
	r->cmd->spent_cpu += cpu > 0 ? cpu : 0;
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

/* ---- how it ended ---------------------------------------------------------------------------- */

/* What the child wrote to stderr: in a sanitizer build that is its report. */
static void drain_said(struct room *r)
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

/* Asks the child where it is, then ends it. */
static int stop(struct room *r, int sig)
{
	int status = 0;
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
	if (loaded && loaded <= r->cmd->nloaded)
		at.file = r->cmd->loaded[loaded - 1];
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
	struct cmd *c = r->cmd;
	bool cpu = *which;
	double most = cpu ? c->limits.cpu : c->limits.seconds;
	stop(r, SIGXCPU);
	drain_said(r);
	return refuse(r, file,
	              arena_printf(c->arena, "make less of it, or give it more: --limit %s=%gs",
	                           cpu ? "cpu" : "time", most * 3),
	              arena_printf(c->arena, "stopped after %g s%s while %s", most, which, stage_of(r)));
}

static int out_of_memory_limit(struct room *r, const char *file)
{
	struct cmd *c = r->cmd;
	return refuse(r, file,
	              arena_printf(c->arena, "make less of it, or give it more: --limit memory=%zum",
	                           (c->limits.memory >> 20) * 2),
	              arena_printf(c->arena, "stopped at %s of memory while %s", size_text(c->arena, c->limits.memory),
	                           stage_of(r)));
}

/* The child is gone, or sent what no child of ours would. */
static int ended(struct room *r, const char *file, int status, bool garbled)
{
	struct cmd *c = r->cmd;
	static const char contained[] = "it was locked in, nothing was done; if you trust the policy, please report it";
	const char *stage = stage_of(r);
	if (r->asks_too_much)
		return refuse(r, file, "make the rules about fewer names: numbers, ranges and groups need no question",
		              arena_printf(c->arena, "the policy is refused: it asks the host about too many names, while %s", stage));
	if (WIFEXITED(status) && WEXITSTATUS(status) == INSIDE_OVER)
		return out_of_memory_limit(r, file);
	if (WIFEXITED(status) && WEXITSTATUS(status) == INSIDE_NO_MEMORY) {
		diag_fail(&c->diags, "a smaller policy, or a larger limit, is needed", "out of memory while %s", stage);
		return STATUS_FAILED;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == INSIDE_PIPE) {
		diag_fail(&c->diags, "try it again", "the process that compiles could not be talked to, while %s", stage);
		return STATUS_FAILED;
	}
	if ((WIFEXITED(status) && WEXITSTATUS(status) == INSIDE_TIME) ||
	    (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
		return out_of_time(r, file, " of CPU time");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return refuse(r, file, contained,
		              arena_printf(c->arena, "the policy is refused: it made a system call that it may not make, while %s",
		                           stage));
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !garbled) {
		diag_fail(&c->diags, "is there enough memory?", "the process that compiles was killed while %s", stage);
		return STATUS_FAILED;
	}
	const char *how = garbled                ? "it sent what it should not"
	                  : WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
	                                        : arena_printf(c->arena, "exit status %d", WEXITSTATUS(status));
	const char *said = r->nsaid ? arena_printf(c->arena, "; it said: %.*s", (int)strcspn(r->said, "\n"), r->said) : "";
	return refuse(r, file, contained,
	              arena_printf(c->arena, "the policy is refused: it broke the process that compiles it (%s), while %s%s",
	                           how, stage, said));
}

/* ---- talking ------------------------------------------------------------------------------------ */

static int queue(struct room *r, enum frame_kind kind, const void *head, size_t nhead, const void *data,
                 size_t len)
{
	uint32_t start[2] = {kind, (uint32_t)(nhead + len)};
	size_t need = r->nout + sizeof start + nhead + len;
	if (need > r->out_cap) {
		unsigned char *grown = realloc(r->out, need);
		if (!grown)
			cmd_no_memory(r->cmd);
		r->out = grown;
		r->out_cap = need;
	}
	memcpy(r->out + r->nout, start, sizeof start);
	if (nhead)
		memcpy(r->out + r->nout + sizeof start, head, nhead);
	if (len)
		memcpy(r->out + r->nout + sizeof start + nhead, data, len);
	r->nout = need;
	return 0;
}

/* Writes what the pipe takes now. SIGPIPE is no way to learn that the child is gone. */
static void flush_out(struct room *r)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
	sigaction(SIGPIPE, &ignore, &old);
	size_t done = 0;
	while (done < r->nout) {
		ssize_t n = write(r->to, r->out + done, r->nout - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			r->broken = errno == EPIPE ? 0 : errno;
			done = r->nout; /* EPIPE: it is gone, the other pipe says so too */
		}
		if (n < 0)
			break;
		done += (size_t)n;
	}
	sigaction(SIGPIPE, &old, NULL);
	r->nout -= done;
	if (r->nout && done)
		memmove(r->out, r->out + done, r->nout);
	if (!r->nout) { /* a text of 4 MiB need not stay */
		free(r->out);
		r->out = NULL;
		r->out_cap = 0;
	}
}

enum pulse { PULSE_MORE, PULSE_FRAME, PULSE_END, PULSE_GARBLED };

/* The largest frame of a kind that a child may send. */
static size_t largest(const struct taker *t, uint32_t kind)
{
	switch (kind) {
	case FRAME_LOCKED:
		return sizeof(struct locked);
	case FRAME_QUESTION:
		return QUESTION_MAX;
	case FRAME_DIAG:
		return DIAG_FRAME_MAX;
	case FRAME_DONE:
		return sizeof(int32_t);
	case FRAME_POLICY:
	case FRAME_RECORD:
	case FRAME_VERDICTS:
	case FRAME_TEXT:
		return t ? t->most : 0;
	default:
		return 0;
	}
}

/* Reads on; PULSE_FRAME when one is whole: r->head, r->in. */
static enum pulse take_in(struct room *r, const struct taker *t)
{
	for (;;) {
		bool head = r->nin < sizeof r->head;
		unsigned char *to = head ? (unsigned char *)r->head + r->nin : r->in + (r->nin - sizeof r->head);
		size_t want = head ? sizeof r->head - r->nin : r->head[1] - (r->nin - sizeof r->head);
		ssize_t n = want ? read(r->from, to, want) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return PULSE_MORE;
		if (n < 0)
			r->broken = errno;
		if (n < 0 || (n == 0 && want))
			return PULSE_END;
		r->nin += (size_t)n;
		if (head && r->nin == sizeof r->head) {
			if (r->head[1] > largest(t, r->head[0]))
				return PULSE_GARBLED;
			free(r->in);
			if (!(r->in = malloc((size_t)r->head[1] + 1)))
				cmd_no_memory(r->cmd);
		}
		if (r->nin >= sizeof r->head && r->nin == sizeof r->head + r->head[1]) {
			r->nin = 0;
			return PULSE_FRAME;
		}
	}
}

/* Counts what is kept of a frame for as long as the policy is worked with. */
static bool keeps(struct room *r, size_t bytes)
{
	r->kept += bytes;
	return r->kept <= KEPT_MAX;
}

static int pipe_broken(struct room *r)
{
	errno = r->broken;
	return failed_to_open(r->cmd, "cannot talk to the process that compiles");
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
	queue(r, FRAME_ANSWER, data, n, NULL, 0);
	return true;
}

/* One whole frame. False: it is not what a child of ours sends. */
static bool deal(struct room *r, const char *file, const struct taker *t, bool *done, int32_t *failed)
{
	if (!r->is_locked) {
		r->is_locked = r->head[0] == FRAME_LOCKED && r->head[1] == sizeof r->locked;
		if (r->is_locked)
			memcpy(&r->locked, r->in, sizeof r->locked);
		return r->is_locked;
	}
	switch (r->head[0]) {
	case FRAME_QUESTION:
		return answer(r);
	case FRAME_DIAG:
		return keeps(r, sizeof(struct diag) + r->head[1]) && diag_read(&r->cmd->diags, file, r->in, r->head[1]);
	case FRAME_DONE:
		*done = r->head[1] == sizeof *failed;
		memcpy(failed, r->in, *done ? sizeof *failed : 0);
		return *done;
	default:
		return t && t->take && t->take(t->self, (enum frame_kind)r->head[0], r->in, r->head[1]);
	}
}

/* The child says that it could not be locked in. */
static int not_locked(struct room *r)
{
	struct cmd *c = r->cmd;
	const struct locked *l = &r->locked;
	const char *layer = layer_words[l->failed > 0 && l->failed < LAYERS ? l->failed : LAYER_SECCOMP];
	if (c->unconfined) {
		if (!c->unconfined_said)
			diag_add(&c->diags, DIAG_WARNING, (struct span){0},
			         "only for a policy that you trust as you trust a program you run",
			         "--unconfined: the policy is compiled WITHOUT this: %s (%s)", layer, strerror(l->error));
		c->unconfined_said = true;
		return STATUS_OK;
	}
	diag_fail(&c->diags,
	          c->verb && !strcmp(c->verb->name, "oci-hook")
	                  ? "a hook compiles no policy that is not locked in: allow this process seccomp(2) and prctl(2)"
	                  : "allow this process seccomp(2) and prctl(2); for a policy that you trust, --unconfined goes on without",
	          "the policy cannot be locked in while it is compiled: %s: %s", layer, strerror(l->error));
	return STATUS_FAILED;
}

int room_call(struct room *r, const char *file, const struct call *call, const struct taker *t)
{
	struct watch w;
	const char *which;
	bool done = false;
	int32_t failed = 0;
	watch_start(r, call->go_on, &w);
	queue(r, call->kind, call->head, call->nhead, call->data, call->len);
	flush_out(r);
	if (call->meanwhile)
		call->meanwhile(r->cmd);
	while (!done) {
		if (r->broken)
			return pipe_broken(r);
		int left = watch_left(r, &w, &which);
		if (!left)
			return out_of_time(r, file, which);
		struct pollfd fds[] = {{.fd = r->from, .events = POLLIN},
		                       {.fd = r->said_fd, .events = POLLIN},
		                       {.fd = r->nout ? r->to : -1, .events = POLLOUT}};
		if (poll(fds, 3, left) < 0 && errno != EINTR)
			return failed_to_open(r->cmd, "cannot wait for the process that compiles");
		if (fds[1].revents)
			drain_said(r);
		if (fds[2].revents)
			flush_out(r);
		enum pulse pulse = PULSE_MORE;
		for (int i = 0; !done && i < FRAMES_A_TURN && (pulse = take_in(r, t)) == PULSE_FRAME; i++) {
			bool first = !r->is_locked;
			if (r->head[0] == FRAME_VERDICTS) { /* the limits hold for each answer */
				r->cmd->spent_wall = r->cmd->spent_cpu = 0;
				watch_start(r, false, &w);
			}
			if (!deal(r, file, t, &done, &failed)) {
				pulse = PULSE_GARBLED;
				break;
			}
			if (first && r->locked.failed && not_locked(r))
				return STATUS_FAILED;
			flush_out(r);
		}
		if (r->broken)
			return pipe_broken(r);
		if (pulse == PULSE_END || pulse == PULSE_GARBLED) {
			int status = stop(r, pulse == PULSE_END ? 0 : r->asks_too_much ? SIGXCPU : SIGKILL);
			drain_said(r);
			return ended(r, file, status, pulse == PULSE_GARBLED);
		}
	}
	watch_end(r, &w);
	return failed ? STATUS_REFUSED : STATUS_OK;
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
