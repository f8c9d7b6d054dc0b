/*
 * bound.c - a policy file is a program that runs when it is compiled; it gets
 * a few seconds of CPU time. mruby can not be interrupted from inside, so the
 * signal handler says what happened and ends the process: nothing has been
 * attached at that time, because compilation comes before everything else.
 *
 * Everything the handler prints is made ready before the timer starts.
 */
#include "cmd/cmd.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { SECONDS = 5, LINE_SHOWN = 160 };
#define HINT "it runs once, when it is compiled: look for a loop without an end"

static struct {
	bool json;
	const char *before, *after; /* the message, around the line's number */
	struct document *input;
	struct ruby *const volatile *ruby; /* set while it compiles */
} watch;

static void say(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);
		if (n < 0 && errno != EINTR)
			return;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

static void say_text(int fd, const char *text)
{
	say(fd, text, strlen(text));
}

static void say_line_number(int fd, int line)
{
	char digits[12];
	size_t at = sizeof digits;
	for (unsigned n = (unsigned)line; n; n /= 10)
		digits[--at] = (char)('0' + n % 10);
	say_text(fd, watch.json ? ", \"line\": " : ":");
	say(fd, digits + at, sizeof digits - at);
}

/* The line's text by scanning for it: no allocation here. */
static void say_source(int line)
{
	char buf[LINE_SHOWN * 4 + 1];
	const char *p = watch.input->text;
	for (int at = 1; p && at < line; at++) {
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	if (!p)
		return;
	p += strspn(p, " \t");
	size_t len = strcspn(p, "\r\n");
	say_text(STDERR_FILENO, "    ");
	say(STDERR_FILENO, buf,
	    text_escape(buf, sizeof buf, p, len < LINE_SHOWN ? len : LINE_SHOWN));
	say_text(STDERR_FILENO, "\n");
}

static void out_of_time(int sig)
{
	(void)sig;
	const struct ruby *rb = *watch.ruby;
	int line = rb ? ruby_running_line(rb) : 0, fd = watch.json ? STDOUT_FILENO : STDERR_FILENO;
	say_text(fd, watch.before);
	if (line > 0)
		say_line_number(fd, line);
	say_text(fd, watch.after);
	if (!watch.json) {
		if (line > 0)
			say_source(line);
		say_text(fd, "  hint: " HINT "\n");
	}
	_exit(STATUS_REFUSED);
}

static void prepare(struct cmd *c, struct document *in, double seconds)
{
	size_t cap = strlen(in->file) * 4 + 1;
	char *file = arena_alloc(c->arena, cap);
	text_escape(file, cap, in->file, strlen(in->file));
	watch.json = c->json;
	watch.input = in;
	watch.ruby = &c->ruby;
	watch.before = file;
	watch.after =
		arena_printf(c->arena, ": error: policy did not finish in %g s\n", seconds);
	if (!c->json)
		return;
	json_t *name = text_json(in->file);
	char *quoted = json_dumps(name, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	watch.before = arena_printf(
		c->arena,
		"{\"schema\": \"" JSON_SCHEMA "\", \"verb\": \"%s\", \"exit\": %d, \"diagnostics\": "
		"[{\"level\": \"error\", \"file\": %s",
		c->verb->name, STATUS_REFUSED, quoted);
	watch.after = arena_printf(
		c->arena, ", \"text\": \"policy did not finish in %g s\", \"hint\": \"" HINT "\"}]}\n",
		seconds);
	free(quoted);
	json_decref(name);
}

static int seconds_allowed(struct cmd *c, double *seconds)
{
	const char *text = getenv("DEVGUARD_TIMEOUT");
	*seconds = SECONDS;
	if (!text || !*text)
		return STATUS_OK;
	char *end;
	*seconds = strtod(text, &end);
	if (*end || !isfinite(*seconds) || *seconds < 0.01 || *seconds > 86400)
		return usage_error(c, "give seconds of CPU time, for example DEVGUARD_TIMEOUT=10",
		                   "DEVGUARD_TIMEOUT=%s is not a number of seconds", text);
	return STATUS_OK;
}

int compile_bounded(struct cmd *c, struct document *in, struct policy **policy)
{
	double seconds;
	int status = seconds_allowed(c, &seconds);
	if (status)
		return status;
	prepare(c, in, seconds);
	fflush(stdout);
	fflush(stderr);
	struct sigaction act = {.sa_handler = out_of_time}, old;
	sigaction(SIGPROF, &act, &old);
	struct itimerval on = {.it_value = {.tv_sec = (time_t)seconds}}, off = {0};
	on.it_value.tv_usec = (suseconds_t)((seconds - (double)on.it_value.tv_sec) * 1e6);
	setitimer(ITIMER_PROF, &on, NULL);
	int failed = ruby_compile(c->arena, &c->diags, in->file, in->text, in->len, c->params,
	                          c->nparams, &c->ruby, policy);
	setitimer(ITIMER_PROF, &off, NULL);
	sigaction(SIGPROF, &old, NULL);
	return failed ? STATUS_REFUSED : STATUS_OK;
}
