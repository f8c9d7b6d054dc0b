/*
 * inside.c - what every child of the room does alike: its budget, its end, its frames,
 * its questions.
 *
 * The only state outside of struct inside is the pointer to it that the handler of
 * SIGXCPU needs.
 */
#include "cmd/room/inside.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/room/confine.h"
#include "cmd/room/questions.h"
#include "cmd/room/record.h"
#include "policy/file.h"

static struct inside *volatile here;

/* Where mruby is now, if it is at work. Async-signal-safe. */
static void tell_place(const struct inside *in)
{
	struct progress *p = in->budget.progress;
	if (in->running_line && (p->stage == STAGE_PARSE || p->stage == STAGE_RUN || p->stage == STAGE_LIFT || p->stage == STAGE_ASK)) {
		unsigned file;
		int line = in->running_line(in, &file);
		if (line > 0) {
			p->file = file;
			p->line = line;
		}
	}
}

/* The parent's clock, or the kernel's, says that the time is over. */
static void out_of_time(int sig)
{
	(void)sig;
	if (here)
		tell_place(here);
	_exit(INSIDE_TIME);
}

/* A fault of the interpreter: where it was, then as if there were no handler. */
static void crashed(int sig)
{
	(void)sig;
	if (here)
		tell_place(here);
}

void inside_stop(struct inside *in, int how)
{
	tell_place(in);
	_exit(how);
}

static void over(struct budget *b)
{
	(void)b;
	inside_stop(here, INSIDE_OVER);
}

/* ---- frames --------------------------------------------------------------------------- */

/* Ends when the pipe does: the parent has what it wants. */
static void take(void *to, size_t len)
{
	ssize_t n = read_whole(STDIN_FILENO, to, len);
	if (n != (ssize_t)len)
		_exit(n < 0 ? INSIDE_PIPE : 0);
}

void inside_read(struct inside *in, struct frame *out)
{
	if (frames_flush(STDOUT_FILENO)) /* the parent waits for it */
		_exit(INSIDE_PIPE);
	uint32_t head[2];
	take(head, sizeof head);
	*out = (struct frame){.kind = head[0], .len = head[1]};
	out->data = arena_alloc(in->arena, (size_t)out->len + 1);
	take(out->data, out->len);
}

void inside_write(struct inside *in, enum frame_kind kind, const void *data, size_t len)
{
	if (len > RECORD_MAX) {
		diag_fail(&in->diags, "split the policy", "what is made of it is too large: %zu MiB", len >> 20);
		inside_done(in, true);
		_exit(0);
	}
	if (frame_write(STDOUT_FILENO, kind, data, len))
		_exit(INSIDE_PIPE);
}

/* Nobody reads thousands of messages: the first of each kind go out, and how many there
 * are beyond them. */
static void send_messages(struct inside *in)
{
	enum { EACH_MOST = 500, LEVELS = DIAG_NOTE + 1 };
	size_t sent[LEVELS] = {0}, left = 0;
	for (const struct diag *d = in->diags.items; d < in->diags.items + in->diags.n; d++) {
		if (sent[d->level]++ >= EACH_MOST)
			left++;
		else if (diag_write(STDOUT_FILENO, d))
			_exit(INSIDE_PIPE);
	}
	const struct diag more = {.level = DIAG_WARNING,
	                          .text = arena_printf(in->arena, "%zu more messages like these are not shown", left)};
	if (left && diag_write(STDOUT_FILENO, &more))
		_exit(INSIDE_PIPE);
}

void inside_done(struct inside *in, bool failed)
{
	int32_t answer = failed;
	send_messages(in);
	diags_init(&in->diags, in->arena);
	inside_write(in, FRAME_DONE, &answer, sizeof answer);
}

void work_nothing(struct inside *in)
{
	inside_done(in, false);
}

/* ---- questions --------------------------------------------------------------------------- */

/* Puts a question and reads its answer; the answer's text, or NULL. */
static const char *ask(struct arena *a, enum question_kind kind, const char *text, struct answer *out)
{
	struct inside *in = here;
	struct question q = {.kind = kind};
	struct frame f;
	size_t n = strlen(text);
	if (n > QUESTION_TEXT_MAX) {
		*out = (struct answer){.error = ENAMETOOLONG};
		return NULL;
	}
	if (frame_write2(STDOUT_FILENO, FRAME_QUESTION, &q, sizeof q, text, n))
		_exit(INSIDE_PIPE);
	inside_read(in, &f);
	if (f.kind != FRAME_ANSWER || f.len < sizeof *out)
		_exit(INSIDE_FAULT);
	memcpy(out, f.data, sizeof *out);
	return out->has_text ? arena_strndup(a, (char *)f.data + sizeof *out, f.len - sizeof *out) : NULL;
}

static void ask_device(const struct host *h, struct arena *a, const char *path, struct host_device *out)
{
	struct answer found;
	(void)h;
	const char *near = ask(a, ASK_DEVICE, path, &found);
	*out = (struct host_device){.error = found.error, .mode = found.mode, .major = found.major,
	                            .minor = found.minor, .near = near};
}

static int ask_groups(const struct host *h, struct arena *a, const char **listing)
{
	struct inside *in = here;
	struct answer found = {0};
	(void)h, (void)a;
	if (!in->groups) /* once: a policy may name many */
		in->groups = ask(in->arena, ASK_GROUPS, "", &found);
	*listing = in->groups;
	return *listing || found.error ? found.error : EIO;
}

static int ask_group(const struct host *h, struct arena *a, const char *name, uint32_t *gid, const char **near)
{
	struct answer found;
	(void)h;
	*near = ask(a, ASK_USERS, name, &found);
	*gid = (uint32_t)found.major;
	return found.error;
}

static int ask_matches(const struct host *h, struct arena *a, const char *pattern, const char **listing)
{
	struct answer found;
	(void)h;
	*listing = ask(a, ASK_MATCHES, pattern, &found);
	return *listing || found.error ? found.error : EIO;
}

static int ask_file(const struct host *h, struct arena *a, const char *name, const char **text, size_t *len,
                    const char **why)
{
	struct answer found;
	(void)h;
	const char *said = ask(a, ASK_FILE, name, &found);
	*why = said ? said : strerror(found.error);
	if (found.error || !said)
		return -1;
	*text = said;
	*len = strlen(said);
	return 0;
}

/* ---- jobs ----------------------------------------------------------------------------------- */

/* The parent is trusted: its frames are what they say. */
void order_read(struct inside *in, const struct frame *f, struct order *out)
{
	const unsigned char *at = f->data;
	*out = (struct order){0};
	memcpy(&out->job, at, sizeof out->job);
	at += sizeof out->job;
	struct job_param *params = arena_alloc(in->arena, out->job.nparams * sizeof *params);
	memcpy(params, at, out->job.nparams * sizeof *params);
	at += out->job.nparams * sizeof *params;
	out->params = arena_alloc(in->arena, out->job.nparams * sizeof *out->params);
	for (size_t i = 0; i < out->job.nparams; i++)
		out->params[i] = (struct param_setting){.name = params[i].name, .value = params[i].value};
	struct request_record *requests = arena_alloc(in->arena, out->job.nrequests * sizeof *requests);
	memcpy(requests, at, out->job.nrequests * sizeof *requests);
	at += out->job.nrequests * sizeof *requests;
	out->requests = requests;
	out->file = arena_strndup(in->arena, (const char *)at, out->job.file_len);
	out->text = (const char *)at + out->job.file_len; /* the frame has a 0 behind it */
	out->len = out->job.text_len;
}

void record_text(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text ? text : "");
}

bool explained(struct inside *in, const char *file, bool failed)
{
	if (failed && !in->diags.errors)
		diag_add(&in->diags, DIAG_ERROR, (struct span){.file = file},
		         "this is a fault of rucy-devguard: please report it with the policy",
		         "the policy is refused, but no reason was given");
	return failed;
}

void verdict_of(struct verdict *v, const struct policy *p, const struct decision *d, int failed, int missing)
{
	*v = (struct verdict){.missing = -1};
	if (failed) {
		v->status = missing >= 0 ? VERDICT_MISSING : VERDICT_FAILED;
		v->missing = missing;
		return;
	}
	v->allow = d->allow;
	v->error = d->error;
	v->rule = d->rule ? (uint32_t)(d->rule - p->rules) + 1 : 0;
	if (!d->raise)
		return;
	if (d->rule && d->raise >= d->rule->raises && d->raise < d->rule->raises + d->rule->nraises)
		v->raise = (uint32_t)(d->raise - d->rule->raises) + 1;
	v->line = d->raise->at.line;
	record_text(v->text, sizeof v->text, d->raise->what);
}

/* ---- the whole --------------------------------------------------------------------------------- */

void inside_prepare(void)
{
	static char stack[32 << 10]; /* the stack's own end may be the fault */
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
	/* of the whole foreground group, or of a unit: the parent ends it */
	static const int parents[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
	struct sigaction act = {.sa_handler = out_of_time};
	struct sigaction fault = {.sa_handler = crashed, .sa_flags = (int)SA_RESETHAND | SA_ONSTACK};
	stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
	for (int sig = 1; sig < SIGRTMIN; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, SIG_DFL);
	for (size_t i = 0; i < sizeof parents / sizeof *parents; i++)
		signal(parents[i], SIG_IGN);
	sigaction(SIGXCPU, &act, NULL);
	if (!confine_widened() && !sigaltstack(&other, NULL)) /* a sanitizer has handlers of its own */
		for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
			sigaction(faults[i], &fault, NULL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void inside_run(void (*work)(struct inside *in), size_t memory, struct progress *progress)
{
	static struct inside in;
	here = &in;
	in.budget = (struct budget){.limit = memory, .over = over, .progress = progress};
	in.host = (struct host){.device = ask_device, .groups = ask_groups, .group = ask_group, .matches = ask_matches, .file = ask_file};
	in.arena = arena_new();
	if (!in.arena || setjmp(in.no_memory))
		_exit(INSIDE_NO_MEMORY);
	arena_catch(in.arena, &in.no_memory);
	arena_charge(in.arena, &in.budget);
	diags_init(&in.diags, in.arena);
	frames_hold();
	work(&in);
	_exit(frames_flush(STDOUT_FILENO) ? INSIDE_PIPE : 0);
}
