/*
 * loop.c - waits for what handlers are given, and for the child that runs them.
 *
 * One loop over poll(2), with a signalfd, so that a signal is never in the middle of anything. A feed is read only
 * while the child keeps up. At the end what had happened by then is handled, then at_exit runs; all that within a time.
 */
#include "cmd/watch/watch.h"

#include "cmd/audit/audit.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { FDS_MOST = 64 };
#define CHECK (WATCH_NSEC / 5)
#define REST_MOST (5 * WATCH_NSEC)

struct loop {
	struct cmd *cmd;
	struct handlers *handlers;
	const struct feed *feeds;
	size_t nfeeds;
	int signals;
	unsigned asked; /* how often a signal said to end */
	uint64_t due[INTERVALS_MAX];
	enum watch_ending ending;
};

int watch_signals(struct cmd *c)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd >= 0 ? fd : diag_fail(&c->diags, NULL, "signalfd: %s", strerror(errno));
}

static void look_for_signals(struct loop *l)
{
	struct signalfd_siginfo info;
	while (read(l->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		l->asked++;
		l->ending = l->ending ? l->ending : WATCH_SIGNAL;
	}
}

/* Gives the intervals whose time has come; one that is late is not made up for. The time of the next. */
static uint64_t tick(struct loop *l, uint64_t now)
{
	const struct user_ready *has = handlers_has(l->handlers);
	uint64_t next = UINT64_MAX;
	for (uint32_t i = 0; i < has->intervals; i++) {
		if (!l->due[i])
			l->due[i] = now + has->every[i];
		if (now >= l->due[i]) {
			if (handlers_room(l->handlers) && handlers_alive(l->handlers, false))
				handlers_give(l->handlers, GIVE_TICK, i, NULL, 0);
			l->due[i] += (1 + (now - l->due[i]) / has->every[i]) * has->every[i];
		}
		next = l->due[i] < next ? l->due[i] : next;
	}
	return next;
}

/* Waits until something is to be done, or `until`. */
static void wait_for(struct loop *l, bool feeds, uint64_t until)
{
	struct pollfd fds[1 + ROOM_FDS + FDS_MOST] = {{.fd = l->signals, .events = POLLIN}};
	size_t n = 1 + ROOM_FDS;
	handlers_fds(l->handlers, fds + 1);
	for (size_t i = 0; feeds && i < l->nfeeds; i++)
		n += l->feeds[i].fds(l->feeds[i].self, fds + n, sizeof fds / sizeof *fds - n);
	uint64_t now = watch_now(), left = until > now ? until - now : 0;
	struct timespec wait = {(time_t)(left / WATCH_NSEC), (long)(left % WATCH_NSEC)};
	if (ppoll(fds, n, &wait, NULL) > 0 && fds[0].revents)
		look_for_signals(l);
}

static void heed(struct loop *l, enum feed_state state)
{
	if (state != FEED_MORE && !l->ending)
		l->ending = state == FEED_ENDED ? WATCH_ENDED : WATCH_FAILED;
}

static void read_feeds(struct loop *l)
{
	for (size_t i = 0; i < l->nfeeds && !l->ending && handlers_room(l->handlers); i++)
		heed(l, l->feeds[i].read(l->feeds[i].self, l->handlers));
}

static void check_feeds(struct loop *l)
{
	for (size_t i = 0; i < l->nfeeds && !l->ending; i++)
		if (l->feeds[i].check)
			heed(l, l->feeds[i].check(l->feeds[i].self, l->handlers));
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void watch(struct loop *l, uint64_t end)
{
	uint64_t check = watch_now() + CHECK, next = 0;
	while (!l->ending) {
		uint64_t now = watch_now(), ticks = tick(l, now);
		if (handlers_turn(l->handlers, &next))
			l->ending = WATCH_FAILED;
		if (!l->ending)
			wait_for(l, handlers_room(l->handlers), least(least(next, ticks), least(check, end)));
		read_feeds(l);
		now = watch_now();
		if (!l->ending && now >= end)
			l->ending = WATCH_TIMEOUT;
		if (now >= check && !l->ending) {
			check_feeds(l);
			check = now + CHECK;
		}
	}
}

/* Until the child is done with all, has ended, or the time is over. */
static void work_off(struct loop *l, uint64_t until)
{
	uint64_t next;
	while (!handlers_turn(l->handlers, &next) && handlers_alive(l->handlers, true) && !handlers_idle(l->handlers) && l->asked < 2 &&
	       watch_now() < until)
		wait_for(l, false, least(next, until));
}

/* What had happened by now, then at_exit. */
static void finish(struct loop *l)
{
	uint64_t until = watch_now() + REST_MOST;
	bool alive = handlers_alive(l->handlers, true);
	for (size_t i = 0; i < l->nfeeds; i++) {
		enum feed_state state = FEED_MORE;
		while (l->feeds[i].rest && state == FEED_MORE) {
			/* with no child, or no time, it only counts what is left */
			state = l->feeds[i].rest(l->feeds[i].self, watch_now() < until && l->asked < 2 && handlers_alive(l->handlers, true) ? l->handlers : NULL);
			work_off(l, until);
		}
	}
	work_off(l, until);
	if (!handlers_idle(l->handlers) && handlers_alive(l->handlers, true) && l->asked < 2)
		work_off(l, watch_now() + REST_MOST); /* a call that began has its own limits */
	if (handlers_alive(l->handlers, true) && handlers_has(l->handlers)->at_exit && l->asked < 2) {
		handlers_give(l->handlers, GIVE_EXIT, 0, NULL, 0);
		work_off(l, UINT64_MAX);
	} else if (handlers_has(l->handlers)->at_exit) {
		tell(l->cmd, alive ? "at_exit was not run" : "at_exit was not run: the handlers do not run now");
	}
	handlers_forget(l->handlers);
}

enum watch_ending watch_loop(struct cmd *c, struct handlers *h, const struct feed *feeds, size_t nfeeds, int signals,
                             uint64_t timeout)
{
	struct loop l = {.cmd = c, .handlers = h, .feeds = feeds, .nfeeds = nfeeds, .signals = signals};
	uint64_t start = watch_now();
	read_feeds(&l); /* what waits already */
	watch(&l, timeout < UINT64_MAX - start ? start + timeout : UINT64_MAX);
	if (l.ending != WATCH_FAILED)
		finish(&l);
	return l.ending;
}
