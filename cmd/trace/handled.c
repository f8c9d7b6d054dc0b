/*
 * handled.c - a raw program with a user half: its handlers run, and are given the lines that it prints.
 *
 * The handlers are there before the program is attached, and are given what it did until it was detached. Lines are
 * shown as those of any other program where no handler wants them.
 */
#include "cmd/trace/trace.h"
#include "cmd/watch/watch.h"

#include <signal.h>
#include <unistd.h>

struct handled {
	struct tracing *t;
	struct handlers *handlers;
	struct watched_maps *maps; /* NULL: it has none */
	int64_t wall;
	bool counted; /* --count is reached */
};

/* ---- the feed: its lines ---------------------------------------------------------------- */

static size_t line_fds(void *self, struct pollfd *fds, size_t most)
{
	const struct handled *h = self;
	if (!h->t->lines || !most)
		return 0;
	fds[0] = (struct pollfd){.fd = trace_lines_fd(h->t->lines), .events = POLLIN};
	return 1;
}

static bool one_line(void *arg, const struct trace_line *l)
{
	struct handled *h = arg;
	struct user_line line = {.time = (int64_t)l->ns, .pid = (uint32_t)l->pid, .cpu = l->cpu, .comm = l->comm ? l->comm : "",
	                         .text = l->text, .ntext = l->len};
	if (handlers_has(h->handlers)->lines)
		handlers_give_line(h->handlers, &line);
	else
		tracing_print(h->t, l, h->wall);
	h->counted = ++h->t->printed == h->t->most;
	return !h->counted && handlers_room(h->handlers);
}

static enum feed_state give_lines(struct handled *h, bool last)
{
	struct tracing *t = h->t;
	h->wall = tracing_wall();
	if (!t->lines || h->counted)
		return h->counted ? FEED_ENDED : FEED_MORE;
	if (trace_lines_read(&t->c->diags, t->lines, last, one_line, h) < 0)
		return FEED_FAILED;
	if (fflush(stdout) || ferror(stdout)) {
		diag_fail(&t->c->diags, "check the room there", "cannot write to stdout");
		return FEED_FAILED;
	}
	return h->counted ? FEED_ENDED : FEED_MORE;
}

static enum feed_state line_read(void *self, struct handlers *handlers)
{
	(void)handlers;
	return give_lines(self, false);
}

static enum feed_state line_check(void *self, struct handlers *handlers)
{
	struct handled *h = self;
	(void)handlers;
	tracing_losses(h->t);
	return tracing_ended(h->t) ? FEED_ENDED : FEED_MORE;
}

/* Nothing new comes any more. `handlers` NULL: nobody can be given anything. */
static enum feed_state line_rest(void *self, struct handlers *handlers)
{
	struct handled *h = self;
	tracing_detach(h->t);
	enum feed_state state = handlers ? give_lines(h, true) : FEED_ENDED;
	return state == FEED_MORE && handlers_room(h->handlers) ? FEED_ENDED : state;
}

/* ---- at work ------------------------------------------------------------------------------ */

/* What it waits for, in words. */
static const char *waits_for(const struct handled *h)
{
	return !h->t->lines                      ? "what its handlers wait for"
	       : handlers_has(h->handlers)->lines ? "what it prints, for its handlers"
	                                         : "what it prints, and what its handlers wait for";
}

static void begin(struct handled *h)
{
	struct tracing *t = h->t;
	struct cmd *c = t->c;
	c->json.printed = t->json; /* from here on stdout has lines, and what handlers print */
	c->json.on = false;
	diags_flush(c);
	rooms_reap(c); /* those that compiled it */
	tracing_say(t, waits_for(h));
}

static int run(struct handled *h, int signals)
{
	static const char *const words[] = {[WATCH_SIGNAL] = "signal", [WATCH_TIMEOUT] = "timeout", [WATCH_ENDED] = "detached", [WATCH_FAILED] = "failed"};
	struct tracing *t = h->t;
	/* lines first: at the end they detach it, and then its rings have their last records */
	struct feed feeds[2] = {{.self = h, .fds = line_fds, .read = line_read, .check = line_check, .rest = line_rest}};
	if (h->maps)
		feeds[1] = maps_feed(h->maps);
	uint64_t start = watch_now();
	enum watch_ending ending = watch_loop(t->c, h->handlers, feeds, h->maps ? 2 : 1, signals, t->timeout);
	bool removed = ending == WATCH_ENDED && !h->counted;
	struct summary s = {.policy = t->unit->policy->name, .cgroup = t->cgroup ? t->cgroup->path : NULL, .section = t->raw->section_name,
	                    .seconds = (double)(watch_now() - start) / (double)WATCH_NSEC, .handlers = h->handlers,
	                    .ended = h->counted ? "count" : words[ending]};
	handlers_end(h->handlers);
	tracing_losses(t);
	if (removed)
		tracing_note(t, "'%s' ended: its cgroup was removed", s.policy);
	tracing_summary(t);
	summary_print(t->c, h->handlers, &s, t->json);
	return ending == WATCH_FAILED ? STATUS_FAILED : removed ? STATUS_DETACHED : STATUS_OK;
}

int tracing_handled(struct tracing *t)
{
	struct cmd *c = t->c;
	const struct policy *p = t->unit->policy;
	struct handled h = {.t = t};
	sigset_t pipe;
	t->json = c->json.on;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigprocmask(SIG_BLOCK, &pipe, NULL); /* a reader that goes is an error of writing, after which all is let go of */
	if (p->raw->nmaps)
		h.maps = maps_new(c, p->raw);
	int status = handlers_open(c, p->file, p->handlers.data, p->handlers.len, h.maps ? maps_answers(h.maps) : NULL, t->json, &h.handlers);
	int signals = status ? -1 : watch_signals(c);
	if (!status && (signals < 0 || tracing_open(t) || (h.maps && maps_use(h.maps, program_id(t->program), NULL, p->name))))
		status = STATUS_FAILED;
	if (!status) {
		begin(&h);
		status = run(&h, signals);
	}
	maps_close(h.maps);
	if (tracing_close(t))
		status = STATUS_FAILED;
	if (signals >= 0)
		close(signals);
	if (h.handlers)
		handlers_close(h.handlers);
	return status;
}
