/*
 * maps.c - what a raw program keeps: answers to what handlers ask of its maps, and a feed of the records of its rings.
 *
 * Handlers run before the program does, so there are maps only from maps_use() on. A program that is attached to a
 * cgroup may be replaced: then its rings are read to their end, and those of the next one are read.
 */
#include "cmd/watch/watch.h"

#include "cgroup/cgroup.h"
#include "cmd/audit/audit.h"

#include <string.h>

/* Records of a ring have a head of 8 bytes, and end at a multiple of 8. */
enum { RECORD_HEAD = 8 };

struct watched_maps {
	struct cmd *cmd;
	const struct raw *raw;
	const struct cgroup *cgroup; /* NULL: nobody replaces it */
	const char *policy;
	struct watch_maps answers;
	struct arena *arena;   /* of what is open */
	struct raw_maps *open; /* NULL: none */
	uint32_t program;
	struct handlers *handlers;
	uint64_t lost[RAW_MAPS_MAX]; /* that was told */
	uint64_t tell;               /* when losses are looked at next */
	uint64_t left;               /* records that are still taken at the end */
	uint64_t unread;             /* of these, those that no handler was there for */
	bool ending, all;            /* all: whether handlers have room or not */
};

/* ---- answers ------------------------------------------------------------------------------- */

static int answered(int error, const char **why)
{
	if (error)
		*why = raw_maps_why(error);
	return error ? -1 : 0;
}

static struct raw_bytes bytes(const void *p, size_t n)
{
	return (struct raw_bytes){p, n};
}

static int no_program(const char **why)
{
	*why = "the program does not run";
	return -1;
}

static int read_map(void *self, struct arena *a, uint32_t map, const void *key, size_t nkey, bool cpus, struct user_entries *out,
                    const char **why)
{
	struct watched_maps *m = self;
	struct raw_answer answer = {0};
	(void)a;
	if (!m->open)
		return no_program(why);
	int failed = answered(raw_map_read(m->open, map, bytes(key, nkey), cpus, &answer), why);
	*out = (struct user_entries){answer.n, answer.key_size, answer.value_size, answer.cpus, answer.bytes};
	return failed;
}

static int clear_map(void *self, struct arena *a, uint32_t map, const char **why)
{
	struct watched_maps *m = self;
	(void)a;
	return m->open ? answered(raw_map_clear(m->open, map), why) : no_program(why);
}

static int change_map(void *self, struct arena *a, uint32_t map, const void *key, size_t nkey, const void *value, size_t nvalue,
                      const char **why)
{
	struct watched_maps *m = self;
	(void)a;
	return m->open ? answered(raw_map_change(m->open, map, bytes(key, nkey), bytes(value, nvalue)), why) : no_program(why);
}

struct watched_maps *maps_new(struct cmd *c, const struct raw *raw)
{
	struct watched_maps *m = arena_alloc(c->args, sizeof *m);
	*m = (struct watched_maps){.cmd = c, .raw = raw, .answers = {m, read_map, clear_map, change_map}};
	return m;
}

const struct watch_maps *maps_answers(const struct watched_maps *m)
{
	return &m->answers;
}

/* ---- what was lost --------------------------------------------------------------------------- */

/* There was no place in map `i`, so often since it was told last. */
static void tell_loss(struct watched_maps *m, uint32_t i, uint64_t more)
{
	const struct raw_map *map = &m->raw->maps[i];
	if (map->kind == RAW_RING)
		tell(m->cmd, "%s: %llu record%s lost in the kernel (its buffer was full)", map->name, (unsigned long long)more, PLURAL(more));
	else
		tell(m->cmd, "%s: %llu change%s lost: it has %u entries and is full", map->name, (unsigned long long)more, PLURAL(more), map->entries);
}

static void tell_losses(struct watched_maps *m)
{
	for (uint32_t i = 0; m->open && i < m->raw->nmaps; i++) {
		struct raw_answer a;
		if (m->raw->maps[i].kind != RAW_LOST || raw_map_read(m->open, i, bytes(NULL, 0), false, &a))
			continue;
		for (uint32_t k = 0; k < a.n && k < i; k++) {
			uint64_t lost;
			memcpy(&lost, a.bytes + (size_t)k * (a.key_size + a.value_size) + a.key_size, sizeof lost);
			if (lost > m->lost[k])
				tell_loss(m, k, lost - m->lost[k]);
			m->lost[k] = lost;
		}
	}
}

/* ---- records --------------------------------------------------------------------------------- */

static bool one_record(void *arg, uint32_t map, const void *record, size_t size)
{
	struct watched_maps *m = arg;
	const struct iovec part = {(void *)(uintptr_t)record, size};
	if (m->ending && m->left)
		m->left--;
	if (m->handlers)
		handlers_give(m->handlers, GIVE_RECORD, map, &part, 1);
	else
		m->unread++;
	return (m->all || !m->handlers || handlers_room(m->handlers)) && (!m->ending || m->left);
}

static void let_go(struct watched_maps *m)
{
	raw_maps_close(m->open);
	m->open = NULL;
	m->program = 0;
	if (m->arena)
		arena_free(m->arena);
	m->arena = NULL;
}

int maps_use(struct watched_maps *m, uint32_t program, const struct cgroup *cg, const char *policy)
{
	struct cmd *c = m->cmd;
	m->cgroup = cg;
	m->policy = policy;
	m->arena = arena_scratch(c->args);
	if (raw_maps_open(m->arena, &c->diags, program, m->raw->maps, m->raw->nmaps, &m->open) ||
	    raw_rings_open(m->arena, &c->diags, m->open, cg, one_record, m)) {
		let_go(m);
		return -1;
	}
	m->program = program;
	memset(m->lost, 0, sizeof m->lost);
	return 0;
}

/* The program of the policy that is attached now: 0, none; -1 with a diagnostic. */
static int64_t attached_now(struct watched_maps *m)
{
	struct attached *list;
	size_t n;
	struct arena *a = arena_scratch(m->cmd->args);
	int64_t id = cgroup_query(a, &m->cmd->diags, m->cgroup, &list, &n) ? -1 : 0;
	if (!id) {
		const struct attached *now = attached_named(list, n, m->policy);
		id = now ? now->id : 0;
	}
	arena_free(a);
	return id;
}

int maps_use_attached(struct watched_maps *m, const struct cgroup *cg, const char *policy)
{
	m->cgroup = cg;
	m->policy = policy;
	int64_t id = attached_now(m);
	if (!id)
		return diag_fail(&m->cmd->diags, "another process took it off: watch again", "'%s' is not attached any more", policy);
	return id < 0 ? -1 : maps_use(m, (uint32_t)id, cg, policy);
}

int maps_free(struct watched_maps *m, const struct cgroup *cg, const char *policy)
{
	struct diags *d = &m->cmd->diags, unsaid;
	struct arena *a = arena_scratch(m->cmd->args);
	struct raw_maps *open;
	m->cgroup = cg;
	m->policy = policy;
	diags_init(&unsaid, a);
	int64_t id = attached_now(m);
	int failed = id < 0;
	/* another program under that name has other maps: it is replaced like any other */
	if (id > 0 && !raw_maps_open(a, &unsaid, (uint32_t)id, m->raw->maps, m->raw->nmaps, &open)) {
		failed = raw_rings_open(a, d, open, true, one_record, m);
		raw_maps_close(open);
	}
	arena_free(a);
	return failed;
}

/* All that waits in the rings of a program that is gone. */
static int drain(struct watched_maps *m)
{
	int n;
	m->all = true;
	while ((n = raw_rings_poll(&m->cmd->diags, m->open, 0)) > 0)
		;
	m->all = false;
	return n;
}

static size_t fds(void *self, struct pollfd *out, size_t most)
{
	const struct watched_maps *m = self;
	int fd = m->open ? raw_rings_fd(m->open) : -1;
	if (fd < 0 || !most)
		return 0;
	*out = (struct pollfd){.fd = fd, .events = POLLIN};
	return 1;
}

static enum feed_state feed_read(void *self, struct handlers *h)
{
	struct watched_maps *m = self;
	m->handlers = h;
	if (m->open && handlers_room(h) && raw_rings_poll(&m->cmd->diags, m->open, 0) < 0)
		return FEED_FAILED;
	return FEED_MORE;
}

static enum feed_state feed_check(void *self, struct handlers *h)
{
	struct watched_maps *m = self;
	m->handlers = h;
	if (watch_now() >= m->tell) {
		m->tell = watch_now() + WATCH_NSEC;
		tell_losses(m);
	}
	if (!m->cgroup || !m->open)
		return FEED_MORE;
	if (cgroup_removed(m->cgroup))
		return FEED_ENDED;
	int64_t id = attached_now(m);
	if (id < 0)
		return FEED_FAILED;
	if (id == m->program)
		return FEED_MORE;
	if (drain(m))
		return FEED_FAILED;
	tell_losses(m);
	if (!id)
		return FEED_ENDED;
	let_go(m);
	return maps_use(m, (uint32_t)id, m->cgroup, m->policy) ? FEED_FAILED : FEED_MORE;
}

/* So many records can wait in the rings at most. */
static uint64_t that_wait(const struct raw *raw)
{
	uint64_t n = 0;
	for (size_t i = 0; i < raw->nmaps; i++)
		if (raw->maps[i].kind == RAW_RING)
			n += raw->maps[i].entries / (RECORD_HEAD + (raw->maps[i].value.size + 7) / 8 * 8);
	return n;
}

static enum feed_state feed_rest(void *self, struct handlers *h)
{
	struct watched_maps *m = self;
	m->handlers = h;
	if (!m->ending)
		m->left = that_wait(m->raw);
	m->ending = true;
	int n = m->open && m->left ? raw_rings_poll(&m->cmd->diags, m->open, 0) : 0;
	if (n)
		return n < 0 ? FEED_FAILED : FEED_MORE;
	tell_losses(m);
	if (m->unread)
		tell(m->cmd, "%llu record%s not handled: the handlers do not run", (unsigned long long)m->unread, PLURAL(m->unread));
	return FEED_ENDED;
}

struct feed maps_feed(struct watched_maps *m)
{
	return (struct feed){m, fds, feed_read, feed_check, feed_rest};
}

void maps_close(struct watched_maps *m)
{
	if (m)
		let_go(m);
}
