/*
 * source.c - one policy being read: opened, claimed, its totals followed,
 * and what a folded record stands for.
 *
 * The kernel's totals may be cleared by another process while we read; what is
 * kept here only grows. Memory is the source's own and goes with it.
 */
#include "cmd/audit/audit.h"
#include "policy/table.h"
#include "policy/told.h"

#include <string.h>
#include <time.h>

/* How far the tally of a key was told. */
struct fold {
	struct tally_key key;
	uint64_t top;  /* the largest tally met; before the first record, what it was then */
	uint64_t told; /* by the counts of records */
	bool recorded;
};

struct folds {
	struct arena *arena;
	struct fold *list;
	size_t n, cap;
	struct table by_key;
	uint64_t began; /* CLOCK_BOOTTIME: records before it were waiting */
};

/* Names of rules met before: asking the kernel for each record would cost more
 * than the record. */
enum { NAMES = 64 };
struct cached {
	uint32_t generation, rule;
	bool known;
	struct rule_name name;
};
struct name_cache {
	struct cached slots[NAMES];
	/* what the last record meant by its numbers */
	struct event_told of;
	uint32_t generation;
	struct asked asked;
};

static uint64_t since_boot(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * NSEC + (uint64_t)now.tv_nsec;
}

static uint32_t key_hash(const struct tally_key *key)
{
	uint64_t words[sizeof *key / 8], hash = 0;
	memcpy(words, key, sizeof words);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		hash = table_mix(hash, words[i]);
	return (uint32_t)hash;
}

/* The entry of a key, made when it is new. */
static struct fold *fold_of(struct folds *f, const struct tally_key *key)
{
	uint32_t hash = key_hash(key);
	for (struct table_look l = table_look(&f->by_key, hash); table_next(&f->by_key, &l);)
		if (!memcmp(&f->list[l.place].key, key, sizeof *key))
			return &f->list[l.place];
	table_add(&f->by_key, f->arena, hash, (uint32_t)f->n);
	*ARENA_PUSH(f->arena, f->list, f->n, f->cap) = (struct fold){.key = *key};
	return &f->list[f->n - 1];
}

uint64_t source_count(struct source *s, const struct event *e)
{
	if (!s->folds || !e->tally)
		return 1;
	struct tally_key key = {.generation = e->generation, .rule = e->rule, .major = e->major,
	                        .minor = e->minor, .uid = e->uid, .type = e->type,
	                        .requested = e->requested, .decided = e->decided,
	                        .verdict = e->verdict,
	                        .flags = e->flags & (EVENT_PERMISSIVE | EVENT_ERROR)};
	struct fold *f = fold_of(s->folds, &key);
	if (!f->recorded && e->time < s->folds->began)
		f->top = f->told = e->tally - 1;
	else if (e->tally <= f->top && audit_tally(s->audit, &key) < f->top)
		f->top = f->told = 0; /* it was cleared */
	f->recorded = true;
	if (e->tally > f->top)
		f->top = e->tally;
	/* Tasks that count at once may all read the last one's count, or hand in their
	 * records in another order: such a record stands for itself, and what that is
	 * too much the next one is less. */
	uint64_t count = e->tally > f->told ? e->tally - f->told : 1;
	f->told += count;
	return count;
}

/* What was counted before reading began belongs to no record of ours. */
static int start_folds(struct diags *d, struct source *s)
{
	struct tally_entry *list;
	size_t n;
	s->folds = arena_alloc(s->arena, sizeof *s->folds);
	s->folds->arena = s->arena;
	if (audit_tallies(s->arena, d, s->audit, &list, &n))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct fold *f = fold_of(s->folds, &list[i].key);
		f->top = f->told = list[i].tally.count;
	}
	s->folds->began = since_boot(); /* nothing is folded before */
	return 0;
}

struct source *source_open(struct cmd *c, struct diags *d, uint32_t program)
{
	struct arena *a = cmd_arena(c);
	struct source *s = arena_alloc(a, sizeof *s);
	*s = (struct source){.program = program, .arena = a};
	s->names = arena_alloc(a, sizeof *s->names);
	if (!audit_open(a, d, program, &s->audit)) {
		s->policy = audit_policy(s->audit);
		return s;
	}
	arena_free(a);
	return NULL;
}

int source_claim(struct diags *d, struct source *s, uint64_t fold_ns)
{
	if (audit_claim(s->arena, d, s->audit))
		return -1;
	s->claimed = true;
	s->began = since_boot();
	if (audit_totals(d, s->audit, &s->last) || (fold_ns && start_folds(d, s)))
		return -1;
	return audit_fold(d, s->audit, fold_ns);
}

void source_close(struct source *s)
{
	audit_close(s->audit);
	arena_free(s->arena);
}

const struct rule_name *source_rule(struct source *s, uint32_t generation, uint32_t rule)
{
	struct cached *slot = &s->names->slots[(generation * 31 + rule) % NAMES];
	if (!slot->known || slot->generation != generation || slot->rule != rule) {
		slot->generation = generation;
		slot->rule = rule;
		slot->known = audit_rule(s->audit, generation, rule, &slot->name);
	}
	return slot->known ? &slot->name : NULL;
}

struct entries_of { struct source *source; uint32_t generation; };

static const struct rule_name *one_entry(void *self, uint32_t number)
{
	const struct entries_of *of = self;
	return source_rule(of->source, of->generation, number);
}

const struct asked *source_asked(struct source *s, const struct event_record *r)
{
	struct name_cache *n = s->names;
	struct entries_of of = {s, r->event.generation};
	if (n->generation != r->event.generation || n->of.names != r->told.names || n->of.asks != r->told.asks || n->of.paths != r->told.paths) {
		told_asked(s->arena, &r->told, one_entry, &of, &n->asked);
		n->generation = r->event.generation;
		n->of = r->told;
	}
	return &n->asked;
}

/* What a count grew by; one that went back was cleared. */
static void advance(uint64_t *sum, uint64_t last, uint64_t now)
{
	*sum += now >= last ? now - last : now;
}

int source_update(struct diags *d, struct source *s)
{
	struct totals now;
	if (audit_totals(d, s->audit, &now))
		return -1;
	advance(&s->sum.denied, s->last.denied, now.denied);
	advance(&s->sum.allowed, s->last.allowed, now.allowed);
	advance(&s->sum.submitted, s->last.submitted, now.submitted);
	advance(&s->sum.folded, s->last.folded, now.folded);
	advance(&s->sum.dropped, s->last.dropped, now.dropped);
	s->last = now;
	return 0;
}
