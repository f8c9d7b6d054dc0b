/*
 * known.c - what was found out about cgroups and requests, kept.
 *
 * Who denied is kept by the programs that decide for the cgroup, and the request: the same answer for each of a million
 * records. Only where a program looks at the caller, it is kept by the caller too. Programs that are asked about are held, so
 * a cgroup that is removed does not take its answer along. What is kept has a largest size: then all is forgotten.
 */
#include "cmd/observe/observe.h"
#include "policy/table.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SEEN_MAX = 4096, WHO_MAX = 16384, SETS_MAX = 1024 };
#define AGAIN_NS (UINT64_C(2) * NSEC)          /* what was not known is asked again: engines write their files when they start it */
#define RESTART_NS (UINT64_C(5) * NSEC)

struct program_set {
	uint32_t *ids;
	size_t n;
	int *held; /* descriptors of them, until the first answer; NULL: none */
};

struct key {
	const struct program_set *set;
	uint64_t cgroup;
	uint32_t major, minor, uid, gid, pid, tid;
	char comm[16];
	uint32_t type, requested;
};

enum who_state { WHO_UNSENT, WHO_WAITS, WHO_TOLD, WHO_BY_CALLER };
struct entry {
	struct key key;
	enum who_state state;
	uint64_t told_at; /* CLOCK_MONOTONIC ns */
	struct who who;
};

/* All that is forgotten at once. */
struct kept {
	struct arena *arena;
	uint64_t epoch;
	struct seen **seen;
	size_t nseen, seen_cap;
	struct entry **who;
	size_t nwho, who_cap;
	struct program_set **sets;
	size_t nsets, sets_cap;
	struct table by_id, by_key, by_ids;
};

struct known {
	struct cmd *c;
	struct asker *asker;
	uint64_t restarted;
	struct cgroup_paths *paths;
	uint64_t batch;
	struct kept kept;
	struct question question;
	struct answer answer;
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC + (uint64_t)now.tv_nsec;
}

/* ---- begun, forgotten, ended --------------------------------------------------------------------- */

static void let_go(struct program_set *set)
{
	for (size_t i = 0; set->held && i < set->n; i++)
		if (set->held[i] >= 0)
			close(set->held[i]);
	set->held = NULL;
}

static void forget(struct known *k)
{
	for (size_t i = 0; i < k->kept.nsets; i++)
		let_go(k->kept.sets[i]);
	arena_free(k->kept.arena);
	k->kept = (struct kept){.arena = cmd_arena(k->c), .epoch = k->kept.epoch + 1};
}

struct known *known_new(struct cmd *c)
{
	struct known *k = arena_alloc(c->args, sizeof *k);
	*k = (struct known){.c = c, .kept = {.arena = cmd_arena(c)}, .paths = cgroup_paths_new(c->args)};
	k->asker = asker_start(c);
	k->restarted = now_ns();
	return k->asker ? k : NULL;
}

void known_end(struct known *k)
{
	if (!k)
		return;
	asker_end(k->asker);
	for (size_t i = 0; i < k->kept.nsets; i++)
		let_go(k->kept.sets[i]);
	arena_free(k->kept.arena);
}

int known_fd(const struct known *k)
{
	return asker_fd(k->asker);
}

/* ---- asking ------------------------------------------------------------------------------------------ */

/* What was asked of a process that has ended is asked again of another one. */
static bool asker_there(struct known *k)
{
	uint64_t now = now_ns();
	if (asker_fd(k->asker) >= 0)
		return true;
	if (now - k->restarted < RESTART_NS)
		return false;
	k->restarted = now;
	struct diags kept = k->c->diags;
	diags_init(&k->c->diags, k->kept.arena);
	struct asker *a = asker_start(k->c);
	k->c->diags = kept;
	if (!a)
		return false;
	k->asker = a;
	for (size_t i = 0; i < k->kept.nwho; i++)
		if (k->kept.who[i]->state == WHO_WAITS)
			k->kept.who[i]->state = WHO_UNSENT;
	for (size_t i = 0; i < k->kept.nseen; i++)
		k->kept.seen[i]->waits = false;
	return true;
}

static uint64_t number_of(const struct known *k, size_t place)
{
	return k->kept.epoch << 32 | place;
}

static void ask_container(struct known *k, struct seen *s, size_t place)
{
	struct question *q = &k->question;
	uint64_t now = now_ns();
	if (!s->path || s->waits || (s->container && s->text) || (s->asked_at && now - s->asked_at < AGAIN_NS) || !asker_there(k))
		return;
	*q = (struct question){.number = number_of(k, place), .kind = ASK_CONTAINER};
	memcpy(q->path, s->path, strnlen(s->path, sizeof q->path - 1));
	if (asker_send(k->asker, q)) {
		s->asked_at = now;
		s->waits = true;
	}
}

static void ask_who(struct known *k, struct entry *e, size_t place, const struct seen *s, const struct host_event *event)
{
	struct question *q = &k->question;
	if (!asker_there(k))
		return;
	*q = (struct question){.number = number_of(k, place), .kind = ASK_WHO, .n = (uint32_t)e->key.set->n, .event = *event};
	memcpy(q->ids, e->key.set->ids, e->key.set->n * sizeof *q->ids);
	if (s->path)
		memcpy(q->path, s->path, strnlen(s->path, sizeof q->path - 1));
	if (asker_send(k->asker, q))
		e->state = WHO_WAITS;
}

/* ---- answers -------------------------------------------------------------------------------------------- */

static const char *kept_text(struct known *k, const char *text, size_t room)
{
	return *text ? arena_strndup(k->kept.arena, text, strnlen(text, room)) : NULL;
}
#define KEPT(field) kept_text(k, field, sizeof(field))

static void take_container(struct known *k, struct seen *s, const struct answer *a)
{
	struct arena *arena = k->kept.arena;
	struct container_told *told = arena_alloc(arena, sizeof *told);
	*told = (struct container_told){.engine = KEPT(a->engine), .id = KEPT(a->id), .name = KEPT(a->name), .pod = KEPT(a->pod),
	                                .unit = KEPT(a->unit)};
	s->container = told;
	s->text = container_text(arena, told);
	s->waits = false;
}

static void take_who(struct known *k, struct entry *e, const struct answer *a)
{
	bool general = !e->key.cgroup;
	e->who = (struct who){.program = a->program, .denials = a->denials, .line = a->line, .where = KEPT(a->where), .policy = KEPT(a->policy),
	                      .author = KEPT(a->author), .whose = KEPT(a->whose), .file = KEPT(a->file), .label = KEPT(a->label),
	                      .text = KEPT(a->text)};
	e->told_at = now_ns();
	e->state = general && a->by_caller ? WHO_BY_CALLER : WHO_TOLD;
	let_go((struct program_set *)e->key.set);
}

void known_take(struct known *k)
{
	const struct answer *a = &k->answer;
	while (asker_receive(k->asker, &k->answer)) {
		size_t place = (uint32_t)a->number;
		if (a->number >> 32 != (k->kept.epoch & UINT32_MAX))
			continue; /* of something that was forgotten */
		if (a->kind == ASK_CONTAINER && place < k->kept.nseen)
			take_container(k, k->kept.seen[place], a);
		else if (a->kind == ASK_WHO && place < k->kept.nwho)
			take_who(k, k->kept.who[place], a);
	}
}

/* ---- looked up --------------------------------------------------------------------------------------------- */

static uint32_t bytes_hash(const void *data, size_t n)
{
	uint64_t hash = n, word;
	for (const unsigned char *at = data; n; at += sizeof word) {
		size_t some = n < sizeof word ? n : sizeof word;
		word = 0;
		memcpy(&word, at, some);
		hash = table_mix(hash, word);
		n -= some;
	}
	return (uint32_t)hash;
}

struct seen *known_cgroup(struct known *k, uint64_t id)
{
	uint32_t hash = (uint32_t)table_mix(0, id);
	struct seen *s = NULL;
	size_t place = 0;
	for (struct table_look l = table_look(&k->kept.by_id, hash); !s && table_next(&k->kept.by_id, &l);)
		if (k->kept.seen[l.place]->id == id)
			s = k->kept.seen[place = l.place];
	if (!s) {
		if (k->kept.nseen == SEEN_MAX)
			forget(k);
		const char *path = cgroup_path_of(k->paths, id);
		s = arena_alloc(k->kept.arena, sizeof *s);
		*s = (struct seen){.id = id, .path = path ? arena_strdup(k->kept.arena, path) : NULL};
		place = k->kept.nseen;
		table_add(&k->kept.by_id, k->kept.arena, hash, (uint32_t)place);
		*ARENA_APPEND(k->kept.arena, k->kept.seen, k->kept.nseen, k->kept.seen_cap) = s;
	}
	ask_container(k, s, place);
	return s;
}

/* The same programs are the same set. */
static struct program_set *set_of(struct known *k, const uint32_t *ids, size_t n)
{
	struct arena *a = k->kept.arena;
	uint32_t hash = bytes_hash(ids, n * sizeof *ids);
	for (struct table_look l = table_look(&k->kept.by_ids, hash); table_next(&k->kept.by_ids, &l);)
		if (k->kept.sets[l.place]->n == n && (!n || !memcmp(k->kept.sets[l.place]->ids, ids, n * sizeof *ids)))
			return k->kept.sets[l.place];
	struct program_set *set = arena_alloc(a, sizeof *set);
	*set = (struct program_set){.ids = arena_alloc(a, (n + 1) * sizeof *ids), .n = n, .held = arena_alloc(a, (n + 1) * sizeof(int))};
	for (size_t i = 0; i < n; i++) {
		set->ids[i] = ids[i];
		set->held[i] = program_hold(ids[i]);
	}
	table_add(&k->kept.by_ids, a, hash, (uint32_t)k->kept.nsets);
	*ARENA_APPEND(a, k->kept.sets, k->kept.nsets, k->kept.sets_cap) = set;
	return set;
}

/* The programs that decide for a cgroup now; of one that is gone, those that did. */
static void look_up_programs(struct known *k, struct seen *s)
{
	struct arena *a = arena_scratch(k->kept.arena);
	const char *mount = cgroup_mount(a);
	struct cgroup *cg;
	struct diags ignored;
	uint32_t *ids;
	size_t n;
	s->set_at = k->batch;
	diags_init(&ignored, a);
	if (s->path && mount && !cgroup_open(a, &ignored, arena_printf(a, "%s%s", mount, s->path), &cg)) {
		if (cg->id == s->id && !cgroup_effective_programs(a, &ignored, cg, &ids, &n) && n <= ASK_PROGRAMS)
			s->set = set_of(k, ids, n);
		cgroup_close(cg);
	}
	arena_free(a);
}

static struct entry *entry_of(struct known *k, const struct key *key, size_t *place)
{
	uint32_t hash = bytes_hash(key, sizeof *key);
	for (struct table_look l = table_look(&k->kept.by_key, hash); table_next(&k->kept.by_key, &l);)
		if (!memcmp(&k->kept.who[l.place]->key, key, sizeof *key))
			return k->kept.who[*place = l.place];
	struct entry *e = arena_alloc(k->kept.arena, sizeof *e);
	*e = (struct entry){.key = *key};
	*place = k->kept.nwho;
	table_add(&k->kept.by_key, k->kept.arena, hash, (uint32_t)*place);
	*ARENA_APPEND(k->kept.arena, k->kept.who, k->kept.nwho, k->kept.who_cap) = e;
	return e;
}

void known_batch(struct known *k)
{
	k->batch++;
}

/* The programs that decided, as they were when the record was read. NULL: not known. */
static const struct program_set *set_of_record(struct known *k, struct seen *s, struct ticket *t)
{
	if (t->epoch == k->kept.epoch + 1)
		return t->set;
	if (s->set_at != k->batch)
		look_up_programs(k, s);
	*t = (struct ticket){k->kept.epoch + 1, s->set};
	return s->set;
}

const struct who *known_who(struct known *k, const struct host_event *event, struct ticket *t)
{
	static const struct who gone = {.text = "not known: its cgroup was removed before its programs could be looked at"};
	static const struct who nobody = {.text = "not known: the process that finds that out has ended; another one is started soon"};
	if (k->kept.nwho + 1 >= WHO_MAX || k->kept.nsets >= SETS_MAX)
		forget(k);
	struct seen *s = known_cgroup(k, event->cgroup_id);
	const struct program_set *set = set_of_record(k, s, t);
	if (!set)
		return &gone;
	struct key key;
	memset(&key, 0, sizeof key); /* keys are compared as bytes */
	key.set = set;
	key.major = event->major;
	key.minor = event->minor;
	key.type = event->type;
	key.requested = event->requested;
	size_t place;
	struct entry *e = entry_of(k, &key, &place);
	if (e->state == WHO_BY_CALLER) {
		key.cgroup = event->cgroup_id;
		key.uid = event->uid;
		key.gid = event->gid;
		key.pid = event->pid;
		key.tid = event->tid;
		memcpy(key.comm, event->comm, sizeof key.comm);
		e = entry_of(k, &key, &place);
	}
	if (e->state == WHO_TOLD && !e->who.program && now_ns() - e->told_at > AGAIN_NS)
		e->state = WHO_UNSENT;
	if (e->state == WHO_UNSENT)
		ask_who(k, e, place, s, event);
	return e->state == WHO_TOLD ? &e->who : asker_fd(k->asker) < 0 ? &nobody : NULL;
}

bool known_all(struct known *k, const struct host_event *e, struct ticket *t)
{
	if (e->flags & HOST_EVENT_DENIED && !known_who(k, e, t))
		return false;
	const struct seen *s = known_cgroup(k, e->cgroup_id);
	return s->container || !s->path || asker_fd(k->asker) < 0;
}
