/*
 * stream.c - waits for records and prints them in the order in which they came.
 *
 * One loop over poll(2): the ring buffer, the answers of the process that finds out, and a signalfd. A record waits for
 * its answers, at most ANSWER_NS, in a queue of its own; the ring buffer is read on meanwhile. When the queue is full, the first
 * of it is printed as it is.
 *
 * What is taken out of the ring buffer is printed. A pinned observer's next reader gets the rest: no more is taken than
 * --count asks for, and nothing when nobody reads stdout any more.
 */
#include "cmd/observe/observe.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum ending { GOING_ON, END_COUNT, END_TIMEOUT, END_SIGNAL, END_DETACHED, END_REMOVED, END_PIPE, END_FAILED };
enum { WAITING_MAX = 8192, BATCH = 4096, BATCH_PINNED = 64, DRAIN = 64 * BATCH, CHECK_NS = NSEC / 5, LOSSES_NS = NSEC, ANSWER_NS = NSEC };

struct waiting {
	struct host_event event;
	struct ticket ticket;
	uint64_t until; /* when it is printed whatever is known */
};

struct stream {
	struct observing *o;
	struct waiting *queue;
	size_t first, n;
	unsigned batch;
	uint64_t flushed; /* how many were printed when stdout took all of them */
	int signals;
	bool removed;
	enum ending ending;
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC + (uint64_t)now.tv_nsec;
}

/* Has it all that it is to print? */
static bool has_all(const struct stream *s)
{
	return s->o->most && s->o->printed + s->n >= s->o->most;
}

/* A pipe that nobody reads. (A terminal that is gone hangs up, too.) */
static bool nobody_reads(void)
{
	struct pollfd out = {STDOUT_FILENO, 0, 0};
	return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) == POLLERR;
}

/* ---- the queue ------------------------------------------------------------------------------------ */

static void print_first(struct stream *s, bool late)
{
	struct observing *o = s->o;
	struct waiting *w = &s->queue[s->first];
	observed_print(o->printer, &w->event, &w->ticket, late);
	s->first = (s->first + 1) % WAITING_MAX;
	s->n--;
	if (++o->printed == o->most)
		s->ending = END_COUNT;
}

/* Those that are answered, or too late. The others behind the first one have their questions asked, too. */
static void print_ready(struct stream *s, bool last)
{
	uint64_t now = now_ns();
	while (s->n && s->ending != END_COUNT) {
		struct waiting *w = &s->queue[s->first];
		bool late = last || now >= w->until;
		if (!known_all(s->o->known, &w->event, &w->ticket) && !late)
			return;
		print_first(s, late);
	}
}

static bool one_record(void *arg, const struct host_event *e)
{
	struct stream *s = arg;
	struct known *k = s->o->known;
	if (s->n == WAITING_MAX)
		print_first(s, true);
	struct waiting *w = &s->queue[(s->first + s->n++) % WAITING_MAX];
	*w = (struct waiting){.event = *e, .until = now_ns() + ANSWER_NS};
	if (known_all(k, e, &w->ticket) && s->n == 1)
		print_first(s, false);
	return !s->ending && !has_all(s) && ++s->batch < (s->o->pinned ? BATCH_PINNED : BATCH);
}

static int flush_out(struct stream *s)
{
	if (!fflush(stdout) && !ferror(stdout)) {
		s->flushed = s->o->printed;
		return 0;
	}
	int error = errno;
	clearerr(stdout);
	s->ending = error == EPIPE ? END_PIPE : END_FAILED;
	return error == EPIPE ? -1 : diag_fail(&s->o->c->diags, "check the reader, and the room there", "cannot write to stdout: %s", strerror(error));
}

/* One batch. How many records that were, or -1. */
static int read_batch(struct stream *s)
{
	int n = 0;
	s->batch = 0;
	if (nobody_reads()) {
		s->ending = END_PIPE;
		return -1;
	}
	observed_begin(s->o->printer);
	known_batch(s->o->known);
	if (!has_all(s))
		n = watcher_poll(&s->o->c->diags, s->o->watcher, 0, one_record, s);
	known_take(s->o->known);
	print_ready(s, false);
	if (n < 0)
		s->ending = END_FAILED;
	return flush_out(s) || n < 0 ? -1 : n;
}

/* ---- the loop --------------------------------------------------------------------------------------- */

static void handle_signals(struct stream *s)
{
	struct signalfd_siginfo info;
	while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info)
		if (info.ssi_signo != SIGPIPE && !s->ending)
			s->ending = END_SIGNAL;
}

/* Waits until records or answers come, a signal, or `until`. */
static void wait_and_read(struct stream *s, uint64_t until)
{
	struct observing *o = s->o;
	struct pollfd fds[] = {{has_all(s) ? -1 : watcher_fd(o->watcher), POLLIN, 0}, {known_fd(o->known), POLLIN, 0}, {s->signals, POLLIN, 0}};
	if (s->n && s->queue[s->first].until < until)
		until = s->queue[s->first].until;
	uint64_t now = now_ns(), left = until > now ? until - now : 0;
	struct timespec wait = {(time_t)(left / NSEC), (long)(left % NSEC)};
	int ready = ppoll(fds, sizeof fds / sizeof *fds, &wait, NULL);
	if (ready > 0 && fds[2].revents)
		handle_signals(s);
	if (!s->ending && ((ready > 0 && (fds[0].revents || fds[1].revents)) || s->n))
		read_batch(s);
}

/* Is there still something to observe? */
static void check(struct stream *s, uint64_t *losses)
{
	struct observing *o = s->o;
	uint64_t now = now_ns();
	if (!watcher_lives(o->watcher))
		s->ending = END_DETACHED;
	else if (o->cgroup && cgroup_removed(o->cgroup))
		s->ending = END_REMOVED;
	else if (now >= *losses) {
		*losses = now + LOSSES_NS;
		if (observe_losses(o))
			s->ending = END_FAILED;
	}
}

/* Everything that waits, but no more than there was: denials may go on. */
static void drain(struct stream *s)
{
	enum ending was = s->ending;
	uint64_t end = now_ns() + ANSWER_NS;
	if (was == END_COUNT || was == END_FAILED || was == END_PIPE)
		return;
	s->ending = GOING_ON;
	for (int n = 0, more = 1; n < DRAIN && !s->ending && more > 0; n += more)
		more = read_batch(s);
	while (s->n && !s->ending && now_ns() < end) {
		struct pollfd fd = {known_fd(s->o->known), POLLIN, 0};
		poll(&fd, 1, NSEC / 50000000);
		known_take(s->o->known);
		print_ready(s, false);
	}
	if (!s->ending)
		print_ready(s, true);
	flush_out(s);
	s->ending = s->ending ? s->ending : was;
}

/* To a person who sees nothing happen. */
static void say_waiting(const struct stream *s)
{
	const struct observing *o = s->o;
	if (o->printed || s->n || s->ending || !o->timeout || !isatty(STDERR_FILENO))
		return;
	tell(o->c, "nothing so far: waiting for what is denied %s%s; Ctrl-C ends it%s", o->cgroup ? "below " : "on this host",
	     o->cgroup ? o->cgroup->path : "", o->timeout == UINT64_MAX ? "" : ", or when the time is up");
}

static int signals_new(struct cmd *c)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd >= 0 ? fd : diag_fail(&c->diags, NULL, "signalfd: %s", strerror(errno));
}

/* Of a pinned one: they are in no ring buffer any more. */
static void say_not_printed(const struct stream *s)
{
	unsigned long long n = s->o->printed - s->flushed + s->n;
	if (s->o->pinned && n && (s->ending == END_PIPE || s->ending == END_FAILED))
		tell(s->o->c, "%llu record%s read and not printed; the next observe has those that came later", n, n == 1 ? " was" : "s were");
}

static int status_of(const struct stream *s)
{
	const struct observing *o = s->o;
	if (s->ending == END_DETACHED)
		tell(o->c, "the host program was taken off the root of the hierarchy by somebody else: nothing is observed any more");
	if (s->ending == END_REMOVED)
		tell(o->c, "ended: the cgroup %s was removed", o->cgroup->path);
	return s->ending == END_FAILED                                     ? STATUS_FAILED
	       : s->ending == END_DETACHED || s->ending == END_REMOVED ? STATUS_DETACHED
	                                                               : STATUS_OK;
}

int observe_stream(struct observing *o)
{
	struct stream s = {.o = o, .queue = arena_alloc(o->c->args, WAITING_MAX * sizeof *s.queue), .signals = signals_new(o->c)};
	uint64_t start = now_ns(), losses = start + LOSSES_NS, next = start + CHECK_NS;
	uint64_t end = o->timeout < UINT64_MAX - start ? start + o->timeout : UINT64_MAX;
	if (s.signals < 0)
		return STATUS_FAILED;
	wait_and_read(&s, start); /* what waits already */
	say_waiting(&s);
	while (!s.ending) {
		wait_and_read(&s, next < end ? next : end);
		uint64_t now = now_ns();
		if (!s.ending && now >= end) {
			s.ending = END_TIMEOUT;
		} else if (!s.ending && now >= next) {
			check(&s, &losses);
			next = now + CHECK_NS;
		}
	}
	drain(&s);
	say_not_printed(&s);
	close(s.signals);
	o->pipe_closed = s.ending == END_PIPE;
	return status_of(&s);
}
