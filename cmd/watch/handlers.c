/*
 * handlers.c - the child that runs the handlers of a file: what it is given, its limits, its restarts.
 *
 * What is given waits in a queue of bytes, and goes to the child some at a time. A child that passes a limit, or
 * breaks, is ended; what it was doing then is lost and counted, what waits behind it goes to the next one. The next one
 * starts later each time, so that a handler that always fails costs little.
 */
#include "cmd/watch/watch.h"

#include "cmd/audit/audit.h"

#include <stdlib.h>
#include <string.h>

/* Items and bytes in one frame; bytes that wait at most, when more is asked for and when it must be taken. */
enum { FRAME_ITEMS = 64, FRAME_BYTES = 64 << 10, QUEUE_BYTES = 256 << 10, QUEUE_MOST = 16 << 20 };
enum { RESTART_MOST = 60, STEADY = 60 };
#define LOOK (WATCH_NSEC / 20)

enum state { STOPPED, STARTING, IDLE, BUSY };

struct handlers {
	struct cmd *cmd;
	const char *file;
	const void *code;
	size_t ncode;
	const struct watch_maps *maps;
	struct printed printed;
	struct told told;
	struct watch_counts counts;
	struct user_ready has;

	struct room *room;
	enum state state;
	bool failed;              /* the file did not run */
	bool first;               /* it has not run yet: what is wrong ends all */
	bool last;                /* it is not started again */
	uint64_t retry;           /* when it is started again */
	unsigned wait;            /* seconds before that */
	uint64_t since;           /* when it started */
	/* the call that runs */
	uint32_t done, base;      /* room_done(): as seen last, before the frame */
	double cpu;
	uint64_t began, looked;
	/* what waits: `sent` of it, nsent items, is at the child */
	unsigned char *queue;
	size_t head, tail, cap, sent;
	uint32_t nsent;
	struct arena *scratch;    /* of one turn */
	struct diags diags;       /* in it */
};

/* ---- the queue ----------------------------------------------------------------------------- */

static size_t waiting(const struct handlers *h)
{
	return h->tail - h->head;
}

static bool make_room(struct handlers *h, size_t n)
{
	if (h->tail + n <= h->cap)
		return true;
	if (h->head && waiting(h) + n <= h->cap) {
		memmove(h->queue, h->queue + h->head, waiting(h));
		h->tail -= h->head;
		h->head = 0;
		return true;
	}
	size_t cap = (h->tail + n) * 2;
	unsigned char *grown = realloc(h->queue, cap);
	if (!grown)
		return false;
	h->queue = grown;
	h->cap = cap;
	return true;
}

static struct give first(const struct handlers *h, size_t at)
{
	struct give g;
	memcpy(&g, h->queue + at, sizeof g);
	return g;
}

/* The first item leaves the queue. */
static void pass(struct handlers *h, uint64_t count[GIVE_KINDS])
{
	struct give g = first(h, h->head);
	size_t n = sizeof g + g.len;
	h->head += n;
	h->sent -= h->sent < n ? h->sent : n;
	count[g.kind]++;
	if (h->head == h->tail)
		h->head = h->tail = 0;
}

bool handlers_room(const struct handlers *h)
{
	return waiting(h) < QUEUE_BYTES;
}

void handlers_give(struct handlers *h, enum give_kind kind, uint32_t number, const struct iovec *parts, int nparts)
{
	struct give g = {.kind = kind, .number = number};
	for (int i = 0; i < nparts; i++)
		g.len += (uint32_t)parts[i].iov_len;
	if (waiting(h) > QUEUE_MOST || !make_room(h, sizeof g + g.len)) {
		h->counts.lost[kind]++;
		return;
	}
	memcpy(h->queue + h->tail, &g, sizeof g);
	h->tail += sizeof g;
	for (int i = 0; i < nparts; i++) {
		if (parts[i].iov_len)
			memcpy(h->queue + h->tail, parts[i].iov_base, parts[i].iov_len);
		h->tail += parts[i].iov_len;
	}
}

void handlers_forget(struct handlers *h)
{
	while (waiting(h))
		pass(h, h->counts.lost);
}

/* ---- starting ------------------------------------------------------------------------------- */

static int start(struct handlers *h)
{
	struct cmd *c = h->cmd;
	struct arena *kept = c->arena;
	struct settings s = c->settings;
	s.limits.memory = HANDLERS_MEMORY;
	c->arena = c->args; /* it outlives this turn */
	int status = room_open(c, &s, work_user, &h->room);
	c->arena = kept;
	if (status)
		return status;
	struct user_job job = {.nparams = (uint32_t)s.nparams, .file_len = (uint32_t)strlen(h->file), .code_len = (uint32_t)h->ncode,
	                       .call_bytes = CALL_BYTES};
	size_t params = s.nparams * sizeof(struct job_param), n = sizeof job + params + job.file_len;
	unsigned char *head = arena_alloc(h->scratch, n);
	memcpy(head, &job, sizeof job);
	for (size_t i = 0; i < s.nparams; i++) {
		struct job_param p = {.value = s.params[i].value};
		memcpy(p.name, s.params[i].name, strnlen(s.params[i].name, sizeof p.name - 1));
		memcpy(head + sizeof job + i * sizeof p, &p, sizeof p);
	}
	memcpy(head + sizeof job + params, h->file, job.file_len);
	room_send(h->room, FRAME_USER, head, n, h->code, h->ncode);
	h->state = STARTING;
	h->since = h->began = watch_now();
	h->cpu = room_cpu(h->room);
	h->done = h->base = 0;
	h->sent = h->nsent = 0;
	room_leave(h->room, s.limits.cpu);
	return STATUS_OK;
}

/* ---- what the child sends ---------------------------------------------------------------------- */

static const char *read_entries(struct handlers *h, const struct map_question *q, const unsigned char *key, struct user_entries *e)
{
	const struct watch_maps *m = h->maps;
	const char *why = "these maps cannot be read";
	if (!m || !m->read || m->read(m->self, h->scratch, q->map, q->nkey ? key : NULL, q->nkey, q->want == MAP_READ_CPUS, e, &why))
		return why;
	return (uint64_t)e->n * (e->key_size + (uint64_t)e->value_size * e->cpus) < HANDLERS_MEMORY ? NULL : "it has too many entries";
}

static const char *change_map(struct handlers *h, const struct map_question *q, const unsigned char *key)
{
	const struct watch_maps *m = h->maps;
	const char *why = "these maps are only read";
	bool failed = true;
	if (q->want == MAP_CLEAR && m && m->clear)
		failed = m->clear(m->self, h->scratch, q->map, &why);
	if (q->want != MAP_CLEAR && m && m->change)
		failed = m->change(m->self, h->scratch, q->map, key, q->nkey, q->want == MAP_CHANGE ? key + q->nkey : NULL, q->nvalue, &why);
	return failed ? why : NULL;
}

/* False: it is no question. */
static bool answer(struct handlers *h, const unsigned char *data, size_t len)
{
	struct map_question q;
	struct user_entries e = {0};
	if (len < sizeof q || room_waits(h->room)) /* it has not read the answer before */
		return false;
	memcpy(&q, data, sizeof q);
	if (q.want >= MAP_WANTS || q.nkey > MAP_KEY_MAX || q.nvalue > MAP_KEY_MAX || sizeof q + q.nkey + q.nvalue != len)
		return false;
	const unsigned char *key = data + sizeof q;
	bool reads = q.want == MAP_READ || q.want == MAP_READ_CPUS;
	const char *why = reads ? read_entries(h, &q, key, &e) : change_map(h, &q, key);
	struct map_answer a = {.failed = why ? -1 : 0, .n = e.n, .key_size = e.key_size, .value_size = e.value_size, .cpus = e.cpus};
	if (why)
		room_send(h->room, FRAME_ENTRIES, &a, sizeof a, why, strlen(why));
	else
		room_send(h->room, FRAME_ENTRIES, &a, sizeof a, e.bytes, (size_t)e.n * (e.key_size + (size_t)e.value_size * e.cpus));
	return true;
}

static bool message(struct handlers *h, const unsigned char *data, size_t len)
{
	size_t before = h->diags.n;
	if (!diag_read(&h->diags, h->file, data, len))
		return false;
	for (; before < h->diags.n && !h->first; before++)
		told_add(h->cmd, &h->told, &h->diags.items[before]);
	return true;
}

static bool ready(struct handlers *h, const unsigned char *data, size_t len)
{
	if (h->state != STARTING || len != sizeof h->has)
		return false;
	memcpy(&h->has, data, len);
	bool fine = h->has.intervals <= INTERVALS_MAX;
	for (uint32_t i = 0; fine && i < h->has.intervals; i++) /* it divides, and is added to the time */
		fine = h->has.every[i] >= EVERY_LEAST_NS && h->has.every[i] <= EVERY_MOST_NS;
	return fine;
}

/* The file has run; or it has not. */
static bool started(struct handlers *h, const unsigned char *data, size_t len)
{
	int32_t failed;
	if (h->state != STARTING || len != sizeof failed)
		return false;
	memcpy(&failed, data, sizeof failed);
	h->failed = failed;
	h->state = IDLE;
	return true;
}

/* All that was sent is done with. */
static bool given(struct handlers *h, const unsigned char *data, size_t len)
{
	struct given g;
	if (h->state != BUSY || len != sizeof g)
		return false;
	memcpy(&g, data, sizeof g);
	h->counts.raised += g.raised;
	for (; h->nsent; h->nsent--)
		pass(h, h->counts.handled);
	h->sent = 0;
	h->state = IDLE;
	return true;
}

static bool take(void *self, enum frame_kind kind, const unsigned char *data, size_t len)
{
	struct handlers *h = self;
	switch (kind) {
	case FRAME_READY: return ready(h, data, len);
	case FRAME_DONE: return started(h, data, len);
	case FRAME_DIAG: return message(h, data, len);
	case FRAME_GIVEN: return given(h, data, len);
	case FRAME_MAP: return h->state != IDLE && answer(h, data, len);
	case FRAME_PRINTED:
		printed_add(&h->printed, (const char *)data, len);
		return h->state != IDLE;
	default: return false;
	}
}

/* ---- how it ends ------------------------------------------------------------------------------------ */

static const char *doing(const struct handlers *h)
{
	static const char *const words[GIVE_KINDS] = {"a handler", "a handler of on(:line)", "a handler of a ring", "a handler of every",
	                                              "a handler of at_exit"};
	if (h->state == STARTING)
		return "the file";
	if (!waiting(h))
		return "a handler";
	struct give g = first(h, h->head);
	return g.kind < GIVE_KINDS ? words[g.kind] : "a handler";
}

static struct span place_of(const struct handlers *h, const struct room_ended *e)
{
	const struct asking *asked = &h->cmd->asking;
	struct span at = {.file = h->file, .line = e->line};
	if (e->file && e->file <= asked->nloaded)
		at.file = asked->loaded[e->file - 1];
	else if (e->file)
		at.line = 0;
	return at;
}

/* When it is started again: later each time, unless it ran well for a while. */
static void stopped(struct handlers *h)
{
	h->room = NULL;
	h->state = STOPPED;
	h->sent = h->nsent = 0;
	if (watch_now() - h->since >= STEADY * WATCH_NSEC)
		h->wait = 0;
	h->wait = !h->wait ? 1 : h->wait * 2 < RESTART_MOST ? h->wait * 2 : RESTART_MOST;
	h->retry = watch_now() + h->wait * WATCH_NSEC;
}

/* The child is gone, or will be: says so, counts what it was doing. */
static void died(struct handlers *h, bool late, bool garbled, bool cpu)
{
	uint32_t done = room_done(h->room) - h->base;
	const struct room_ended e = room_stop(h->room, late, garbled);
	for (; done && h->nsent; done--, h->nsent--)
		pass(h, h->counts.handled);
	const char *what = doing(h);
	if (h->nsent && waiting(h))
		pass(h, h->counts.lost); /* which it was doing */
	bool start = h->state == STARTING;
	stopped(h);
	const char *hint = h->first || h->last ? NULL
	                   : start ? "the handlers are started again later"
	                           : arena_printf(h->scratch, "the handlers are started again in %u s; what they kept is gone", h->wait);
	diag_add(&h->diags, DIAG_ERROR, place_of(h, &e), hint, "%s %s", what, handlers_ended_text(h->scratch, &e, cpu));
	if (!h->first)
		told_add(h->cmd, &h->told, &h->diags.items[h->diags.n - 1]);
}

/* ---- turns ------------------------------------------------------------------------------------------- */

static void send_some(struct handlers *h)
{
	size_t n = 0;
	uint32_t items = 0;
	while (h->head + n < h->tail && items < FRAME_ITEMS && n < FRAME_BYTES) {
		n += sizeof(struct give) + first(h, h->head + n).len;
		items++;
	}
	h->sent = n;
	h->nsent = items;
	h->base = h->done = room_done(h->room);
	h->began = watch_now();
	h->cpu = room_cpu(h->room);
	h->state = BUSY;
	room_leave(h->room, CALL_CPU);
	room_send(h->room, FRAME_GIVE, h->queue + h->head, n, NULL, 0);
}

/* Is the time of the call over? *cpu: it is the CPU time. */
static bool too_late(struct handlers *h, bool *cpu)
{
	const struct limits *l = &h->cmd->settings.limits;
	double seconds = h->state == STARTING ? l->seconds : CALL_SECONDS, most = h->state == STARTING ? l->cpu : CALL_CPU;
	uint64_t now = watch_now();
	uint32_t done = room_done(h->room);
	h->looked = now;
	if (done != h->done && h->state == BUSY) { /* another call */
		h->done = done;
		h->began = now;
		h->cpu = room_cpu(h->room);
		room_leave(h->room, CALL_CPU);
		return false;
	}
	*cpu = room_cpu(h->room) - h->cpu > most;
	return *cpu || (double)(now - h->began) / (double)WATCH_NSEC > seconds;
}

static int talk(struct handlers *h)
{
	static const size_t most = sizeof(struct user_ready);
	struct taker taker = {take, h, most};
	bool cpu = false;
	enum room_state state = room_turn(h->room, &taker);
	if (state == ROOM_NOT_LOCKED) {
		room_close(h->room);
		h->room = NULL;
		h->state = STOPPED;
		return -1;
	}
	if (state != ROOM_ALIVE)
		died(h, false, state == ROOM_GARBLED, false);
	else if (h->state != IDLE && watch_now() - h->looked >= LOOK && too_late(h, &cpu))
		died(h, true, false, cpu);
	return 0;
}

static int turn(struct handlers *h, uint64_t *next)
{
	if (h->state == STOPPED && !h->first && !h->last && watch_now() >= h->retry) {
		h->counts.restarts++;
		if (start(h))
			return -1;
	}
	if (h->room && talk(h))
		return -1;
	if (h->room && h->failed && !h->first) { /* the file ran before, and what is wrong now was said */
		h->failed = false;
		room_close(h->room);
		stopped(h);
	}
	if (h->state == IDLE && waiting(h) && !h->first)
		send_some(h);
	*next = h->state == STOPPED ? h->last ? UINT64_MAX : h->retry : h->state == IDLE ? UINT64_MAX : watch_now() + LOOK;
	return 0;
}

int handlers_turn(struct handlers *h, uint64_t *next)
{
	struct cmd *c = h->cmd;
	struct arena *kept = c->arena;
	h->scratch = arena_scratch(kept);
	diags_init(&h->diags, h->scratch);
	c->arena = h->scratch; /* messages take what they quote from it */
	int failed = turn(h, next);
	if (!failed)
		failed = printed_flush(c, &h->printed);
	c->arena = kept;
	arena_free(h->scratch);
	return failed;
}

void handlers_fds(const struct handlers *h, struct pollfd fds[ROOM_FDS])
{
	for (int i = 0; i < ROOM_FDS; i++)
		fds[i] = (struct pollfd){.fd = -1};
	if (h->room)
		room_fds(h->room, fds);
}

bool handlers_idle(const struct handlers *h)
{
	return !waiting(h) && h->state != BUSY;
}

bool handlers_alive(struct handlers *h, bool last)
{
	h->last |= last;
	return h->room;
}

const struct user_ready *handlers_has(const struct handlers *h)
{
	return &h->has;
}

const struct watch_counts *handlers_counts(const struct handlers *h)
{
	return &h->counts;
}

struct printed *handlers_printed(struct handlers *h)
{
	return &h->printed;
}

/* ---- opened, closed -------------------------------------------------------------------------------------- */

static bool wait_for_child(struct handlers *h)
{
	struct pollfd fds[ROOM_FDS];
	while (h->state == STARTING) {
		handlers_fds(h, fds);
		poll(fds, ROOM_FDS, 20);
		if (talk(h))
			return false;
	}
	return h->state == IDLE && !h->failed;
}

int handlers_open(struct cmd *c, const char *file, const void *code, size_t ncode, const struct watch_maps *maps, bool json,
                  struct handlers **out)
{
	struct handlers *h = arena_alloc(c->args, sizeof *h);
	*h = (struct handlers){.cmd = c, .file = file, .code = code, .ncode = ncode, .maps = maps, .first = true};
	printed_begin(&h->printed, json);
	h->scratch = c->arena; /* what is wrong at the start stays */
	diags_init(&h->diags, h->scratch);
	int status = start(h);
	bool runs = !status && wait_for_child(h);
	for (size_t i = 0; !runs && i < h->diags.n; i++)
		diag_add(&c->diags, h->diags.items[i].level, h->diags.items[i].at, h->diags.items[i].hint, "%s", h->diags.items[i].text);
	h->first = false;
	*out = h;
	if (runs)
		return STATUS_OK;
	handlers_close(h);
	return status ? status : c->diags.errors ? STATUS_REFUSED : STATUS_FAILED;
}

void handlers_end(struct handlers *h)
{
	if (h->room)
		room_close(h->room);
	h->room = NULL;
	h->state = STOPPED;
	told_more(h->cmd, &h->told, true);
	printed_end(h->cmd, &h->printed);
}

void handlers_close(struct handlers *h)
{
	handlers_end(h);
	free(h->queue);
	h->queue = NULL;
}
