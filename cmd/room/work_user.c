/*
 * work_user.c - the child that runs the user half of a file: its handlers.
 *
 * It lives as long as somebody watches. It is given events, records and ticks, and answers when its handlers are
 * done with them. What they print, and what they ask of maps, goes to the parent. What one frame needs is given back
 * after it; what handlers keep is mruby's.
 */
#include "cmd/room/inside.h"

#include <string.h>
#include <unistd.h>

#include "compiler/user.h"

struct half {
	struct inside *in;
	struct user *user;
	uint32_t call_bytes; /* one call may print so much */
	size_t printed;      /* by this call */
	size_t held;         /* not sent yet */
	char text[PRINTED_MAX];
};

/* ---- what handlers do to the world ---------------------------------------------------------- */

static void send_text(struct half *h)
{
	if (h->held)
		inside_write(h->in, FRAME_PRINTED, h->text, h->held);
	h->held = 0;
}

static void print(void *self, const char *bytes, size_t n)
{
	struct half *h = self;
	if (n > h->call_bytes - h->printed) {
		send_text(h);
		frames_flush(STDOUT_FILENO);
		inside_stop(h->in, INSIDE_PRINTED);
	}
	h->printed += n;
	while (n) {
		size_t some = n < sizeof h->text - h->held ? n : sizeof h->text - h->held;
		memcpy(h->text + h->held, bytes, some);
		h->held += some;
		bytes += some;
		n -= some;
		if (h->held == sizeof h->text)
			send_text(h);
	}
}

/* A question about a map, and its answer. 0, or -1 with *why. */
static int ask(struct half *h, struct map_question q, const void *key, const void *value, struct user_entries *out, const char **why)
{
	struct inside *in = h->in;
	struct map_answer answer;
	struct frame f;
	char head[sizeof q + MAP_KEY_MAX];
	*why = "its key is too long";
	if (q.nkey > MAP_KEY_MAX || q.nvalue > MAP_KEY_MAX)
		return -1;
	memcpy(head, &q, sizeof q);
	if (key)
		memcpy(head + sizeof q, key, q.nkey);
	if (frame_write2(STDOUT_FILENO, FRAME_MAP, head, sizeof q + q.nkey, value, q.nvalue))
		_exit(INSIDE_PIPE);
	inside_read(in, &f);
	if (f.kind != FRAME_ENTRIES || f.len < sizeof answer)
		_exit(INSIDE_FAULT);
	memcpy(&answer, f.data, sizeof answer);
	*why = (const char *)f.data + sizeof answer; /* the frame has a 0 behind it */
	if (out)
		*out = (struct user_entries){.n = answer.n, .key_size = answer.key_size, .value_size = answer.value_size,
		                             .cpus = answer.cpus, .bytes = f.data + sizeof answer};
	return answer.failed ? -1 : 0;
}

static int read_map(void *self, uint32_t map, const void *key, size_t nkey, struct user_entries *out, const char **why)
{
	return ask(self, (struct map_question){MAP_READ, map, (uint32_t)nkey, 0}, key, NULL, out, why);
}

static int read_cpus(void *self, uint32_t map, const void *key, size_t nkey, struct user_entries *out, const char **why)
{
	return ask(self, (struct map_question){MAP_READ_CPUS, map, (uint32_t)nkey, 0}, key, NULL, out, why);
}

static int clear_map(void *self, uint32_t map, const char **why)
{
	return ask(self, (struct map_question){.want = MAP_CLEAR, .map = map}, NULL, NULL, NULL, why);
}

static int change_map(void *self, uint32_t map, const void *key, size_t nkey, const void *value, size_t nvalue, const char **why)
{
	return ask(self, (struct map_question){value ? MAP_CHANGE : MAP_DELETE, map, (uint32_t)nkey, value ? (uint32_t)nvalue : 0}, key,
	           value, NULL, why);
}

/* ---- what it is given --------------------------------------------------------------------------- */

/* n bytes at *at as a text; the parent is trusted. */
static const char *text_of(struct half *h, const unsigned char **at, size_t n)
{
	const char *s = arena_strndup(h->in->arena, (const char *)*at, n);
	*at += n;
	return s;
}

static int give_event(struct half *h, const unsigned char *at)
{
	struct give_event g;
	memcpy(&g, at, sizeof g);
	at += sizeof g;
	struct user_event e = {.event = g.event, .count = g.count, .time = g.time, .told = g.told};
	memcpy(e.fact, g.fact, sizeof e.fact);
	e.device = text_of(h, &at, g.ndevice);
	e.rule = text_of(h, &at, g.nrule);
	e.label = text_of(h, &at, g.nlabel);
	e.cgroup = text_of(h, &at, g.ncgroup);
	e.exe = text_of(h, &at, g.nexe);
	e.parent_exe = text_of(h, &at, g.nparent_exe);
	e.facts = text_of(h, &at, g.nfacts);
	return user_event(h->user, &e);
}

static int give_line(struct half *h, const unsigned char *at)
{
	struct give_line g;
	memcpy(&g, at, sizeof g);
	at += sizeof g;
	struct user_line l = {.time = g.time, .pid = g.pid, .cpu = g.cpu, .comm = text_of(h, &at, g.ncomm), .text = (const char *)at,
	                      .ntext = g.ntext};
	return user_line(h->user, &l);
}

static int give_one(struct half *h, const struct give *g, const unsigned char *at)
{
	h->printed = 0;
	switch (g->kind) {
	case GIVE_EVENT: return give_event(h, at);
	case GIVE_LINE: return give_line(h, at);
	case GIVE_RECORD: return user_record(h->user, g->number, at, g->len);
	case GIVE_TICK: return user_every(h->user, g->number);
	case GIVE_EXIT: return user_at_exit(h->user);
	default: _exit(INSIDE_FAULT);
	}
}

/* Of a frame each place has one message: a handler that always raises would send as many as there are events. */
enum { PLACES_MOST = 128 };
struct told { int lines[PLACES_MOST]; size_t n; };

static bool is_new(struct told *t, int line)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->lines[i] == line)
			return false;
	if (t->n == PLACES_MOST)
		return false;
	t->lines[t->n++] = line;
	return true;
}

static void send_messages(struct half *h, struct told *told)
{
	struct diags *d = &h->in->diags;
	for (size_t i = 0; i < d->n; i++)
		if (is_new(told, d->items[i].at.line) && diag_write(STDOUT_FILENO, &d->items[i]))
			_exit(INSIDE_PIPE);
}

/* What is needed in passing is the arena's of one event. */
static void give_all(struct half *h, const struct frame *f)
{
	struct inside *in = h->in;
	struct arena *kept = in->arena;
	struct progress *p = in->budget.progress;
	struct given given = {0};
	struct told told = {.n = 0};
	for (size_t at = 0; at + sizeof(struct give) <= f->len;) {
		struct give g;
		memcpy(&g, f->data + at, sizeof g);
		in->arena = arena_scratch(kept);
		diags_init(&in->diags, in->arena);
		user_turn(h->user, in->arena, &in->diags);
		int raised = give_one(h, &g, f->data + at + sizeof g);
		send_text(h);
		if (raised)
			send_messages(h, &told);
		given.raised += (uint32_t)raised;
		user_turn(h->user, kept, &in->diags);
		arena_free(in->arena);
		in->arena = kept;
		p->done++;
		at += sizeof g + g.len;
	}
	inside_write(in, FRAME_GIVEN, &given, sizeof given);
}

static void serve(struct half *h)
{
	struct inside *in = h->in;
	struct arena *kept = in->arena;
	budget_stage(&in->budget, STAGE_ASK);
	for (;;) {
		struct frame f;
		in->arena = arena_scratch(kept);
		inside_read(in, &f);
		if (f.kind != FRAME_GIVE)
			_exit(INSIDE_FAULT);
		give_all(h, &f);
		arena_free(in->arena);
		in->arena = kept;
	}
}

/* ---- the whole -------------------------------------------------------------------------------------- */

static bool open_half(struct half *h, const struct frame *f)
{
	struct inside *in = h->in;
	struct user_job job;
	const unsigned char *at = f->data;
	memcpy(&job, at, sizeof job);
	at += sizeof job;
	struct param_setting *params = arena_alloc(in->arena, (job.nparams + 1) * sizeof *params);
	for (size_t i = 0; i < job.nparams; i++, at += sizeof(struct job_param)) {
		struct job_param p;
		memcpy(&p, at, sizeof p);
		params[i] = (struct param_setting){.name = arena_strdup(in->arena, p.name), .value = p.value};
	}
	struct user_file file = {.params = params, .nparams = job.nparams, .code = at + job.file_len, .ncode = job.code_len};
	file.file = text_of(h, &at, job.file_len);
	h->call_bytes = job.call_bytes;
	struct user_calls calls = {.self = h, .print = print, .read_map = read_map, .read_cpus = read_cpus, .clear_map = clear_map,
	                           .change_map = change_map};
	budget_stage(&in->budget, STAGE_RUN);
	bool failed = user_open(in->arena, &in->diags, &in->host, &file, &calls, &in->user);
	h->user = in->user;
	return !explained(in, file.file, failed);
}

static void send_ready(struct half *h)
{
	struct user_has has = user_has(h->user);
	struct user_ready r = {.denied = (uint32_t)has.denied, .allowed = (uint32_t)has.allowed, .lines = (uint32_t)has.lines,
	                       .rings = (uint32_t)has.rings, .intervals = (uint32_t)has.intervals, .at_exit = (uint32_t)has.at_exit};
	for (uint32_t i = 0; i < r.intervals && i < INTERVALS_MAX; i++)
		r.every[i] = user_interval(h->user, i);
	inside_write(h->in, FRAME_READY, &r, sizeof r);
}

static int running_line(const struct inside *in, unsigned *file)
{
	return in->user ? user_running_line(in->user, file) : 0;
}

void work_user(struct inside *in)
{
	static struct half h;
	struct frame f;
	in->running_line = running_line;
	h.in = in;
	inside_read(in, &f);
	bool made = open_half(&h, &f);
	send_text(&h);
	if (made)
		send_ready(&h);
	inside_done(in, !made);
	if (made)
		serve(&h);
}
