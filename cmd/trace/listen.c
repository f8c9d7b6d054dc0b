/*
 * listen.c - what a program prints, as it comes.
 *
 * One loop over poll(2): the lines, and a signalfd, so that a signal is never in the middle of anything and what was
 * made for the program is taken away. A reader that goes (a pipe that is closed) ends it in the same way.
 */
#include "cmd/trace/trace.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum ending { GOING_ON, END_COUNT, END_TIMEOUT, END_SIGNAL, END_REMOVED, END_PIPE, END_FAILED };
enum { CHECK_MS = 200, MS = 1000000, CHECKS_A_SECOND = 1000 / CHECK_MS };

struct listening {
	struct tracing *t;
	int64_t wall;
	enum ending ending;
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A descriptor, or -1 with a diagnostic. */
static int signals_new(struct cmd *c)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd >= 0 ? fd : diag_fail(&c->diags, error_hint(c->arena, errno, NULL), "signalfd: %s", strerror(errno));
}

static bool one_line(void *arg, const struct trace_line *l)
{
	struct listening *s = arg;
	tracing_print(s->t, l, s->wall);
	if (++s->t->printed == s->t->most)
		s->ending = END_COUNT;
	return !s->ending && !ferror(stdout);
}

/* What is there now, and shown at once. */
static void read_lines(struct listening *s, bool last)
{
	struct tracing *t = s->t;
	s->wall = tracing_wall();
	if (t->lines && trace_lines_read(&t->c->diags, t->lines, last, one_line, s) < 0)
		s->ending = END_FAILED;
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return;
	s->ending = errno == EPIPE ? END_PIPE : END_FAILED;
	if (s->ending == END_FAILED)
		diag_fail(&t->c->diags, "check the room there", "cannot write to stdout: %s", strerror(errno ? errno : EIO));
	clearerr(stdout);
}

static void read_signal(struct listening *s, int fd)
{
	struct signalfd_siginfo info;
	while (read(fd, &info, sizeof info) == (ssize_t)sizeof info)
		if (info.ssi_signo != SIGPIPE && !s->ending)
			s->ending = END_SIGNAL;
}

static void wait_and_read(struct listening *s, int signals, uint64_t left)
{
	struct pollfd fds[2] = {{signals, POLLIN, 0}, {s->t->lines ? trace_lines_fd(s->t->lines) : -1, POLLIN, 0}};
	int ms = left / MS < CHECK_MS ? (int)(left / MS) + 1 : CHECK_MS;
	if (poll(fds, 2, ms) > 0 && fds[0].revents)
		read_signal(s, signals);
	if (!s->ending)
		read_lines(s, false);
}

static void listen_to(struct listening *s, int signals)
{
	struct tracing *t = s->t;
	uint64_t start = now_ns(), end = t->timeout < UINT64_MAX - start ? start + t->timeout : UINT64_MAX, losses = start;
	while (!s->ending) {
		uint64_t now = now_ns();
		if (now >= end)
			s->ending = END_TIMEOUT;
		else if (tracing_ended(t))
			s->ending = END_REMOVED;
		else
			wait_and_read(s, signals, end - now);
		if (now - losses >= (uint64_t)MS * 1000) {
			tracing_losses(t);
			losses = now;
		}
	}
}

static int ended(struct listening *s)
{
	struct tracing *t = s->t;
	bool rest = s->ending == END_TIMEOUT || s->ending == END_SIGNAL || s->ending == END_REMOVED;
	enum ending was = s->ending;
	tracing_detach(t);
	if (rest) {
		s->ending = GOING_ON;
		read_lines(s, true);
		s->ending = s->ending ? s->ending : was;
	}
	tracing_losses(t);
	if (s->ending == END_REMOVED)
		tracing_note(t, "'%s' ended: its cgroup was removed", t->unit->policy->name);
	tracing_summary(t);
	int failed = tracing_close(t) || s->ending == END_FAILED;
	if (s->ending == END_PIPE)
		die_of_pipe();
	return failed ? STATUS_FAILED : s->ending == END_REMOVED ? STATUS_DETACHED : STATUS_OK;
}

int tracing_listen(struct tracing *t)
{
	struct listening s = {.t = t};
	struct cmd *c = t->c;
	int signals = signals_new(c);
	if (signals < 0 || tracing_open(t)) {
		tracing_close(t);
		return STATUS_FAILED;
	}
	t->json = c->json.on;
	c->json.printed = t->json; /* from here on stdout has lines only */
	c->json.on = false;
	diags_flush(c);
	tracing_say(t, t->lines ? "what it prints" : "nothing: it prints nothing");
	listen_to(&s, signals);
	close(signals);
	return ended(&s);
}
