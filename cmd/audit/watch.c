/*
 * watch.c - which policies are read: compared every now and then with what
 * is attached.
 *
 * A program with the same map of totals is the same policy, replaced: it is read on, in
 * maps of another size too.
 * While programs are replaced quickly, one that was listed may be gone when it is
 * opened, and a list may miss one: only what several checks in a row do not find
 * is gone. Each check has an arena of its own.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"

#include <string.h>

enum { ABSENT_MAX = 3, MISSES_MAX = 10 };

void tell(struct cmd *c, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	if (c->quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fputs(PROGRAM ": note: ", stderr);
	put_text(stderr, text);
	putc('\n', stderr);
	fflush(stderr);
}

/* ---- the list of sources ----------------------------------------------------------- */

static void summary(struct watch *w, struct source *s)
{
	const struct totals *t = &s->sum;
	if (s->claimed)
		tell(w->c, "'%s': %llu record%s, %llu folded, %llu lost", s->policy,
		     (unsigned long long)s->records, PLURAL(s->records),
		     (unsigned long long)t->folded, (unsigned long long)t->dropped);
}

static void finish(struct watch *w, struct source *s, bool say)
{
	struct diags ignored;
	diags_init(&ignored, s->arena);
	if (s->claimed) {
		w->drain(w->arg, s);
		source_update(&ignored, s);
	}
	if (s->claimed && w->closed)
		w->closed(w->arg, s);
	else if (say)
		summary(w, s);
	source_close(s);
}

static void drop(struct watch *w, size_t i, bool say)
{
	struct source *s = w->sources[i];
	memmove(&w->sources[i], &w->sources[i + 1], (w->n - i - 1) * sizeof *w->sources);
	w->n--;
	finish(w, s, say);
}

static struct source *by_program(const struct watch *w, uint32_t id)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->sources[i]->program == id)
			return w->sources[i];
	return NULL;
}

static struct source *by_counts(const struct watch *w, uint32_t id)
{
	for (size_t i = 0; i < w->n; i++)
		if (audit_counts_id(w->sources[i]->audit) == id)
			return w->sources[i];
	return NULL;
}

/* The place of the policy of that name, w->n when there is none. */
static size_t by_name(const struct watch *w, const char *name)
{
	size_t i = 0;
	while (i < w->n && (!name || strcmp(w->sources[i]->policy, name) != 0))
		i++;
	return i;
}

/* ---- one check --------------------------------------------------------------------- */

struct wanted {
	uint32_t id;
	const char *name; /* NULL: not known */
};

struct check {
	struct arena *arena;
	struct diags diags; /* for what is no error when it happens in passing */
	struct wanted *list;
	size_t n;
	bool removed; /* the cgroup */
};

/* The first error of a check is the verb's. */
static int fail(struct watch *w, const struct check *k)
{
	for (size_t i = 0; i < k->diags.n; i++)
		if (k->diags.items[i].level == DIAG_ERROR)
			return diag_fail(&w->c->diags, k->diags.items[i].hint, "%s",
			                 k->diags.items[i].text);
	return diag_fail(&w->c->diags, NULL, "what is attached cannot be found out");
}

static int collect(struct watch *w, struct check *k)
{
	struct attached *attached = NULL;
	uint32_t *ids = NULL;
	if (!w->cgroup) {
		if (audit_programs(k->arena, &k->diags, 0, &ids, &k->n))
			return fail(w, k);
	} else if (find_reporting(k->arena, &k->diags, w->cgroup, w->name, &attached, &k->n)) {
		k->removed = cgroup_removed(w->cgroup);
		k->n = 0;
		return k->removed ? 0 : fail(w, k);
	}
	k->list = arena_alloc(k->arena, (k->n + 1) * sizeof *k->list);
	for (size_t i = 0; i < k->n; i++)
		k->list[i] = w->cgroup ? (struct wanted){attached[i].id,
		                                         arena_strdup(k->arena, attached[i].name)}
		                       : (struct wanted){ids[i], NULL};
	return 0;
}

/* A source nobody read so far, or whose other reader may have gone. */
static int claim(struct watch *w, struct check *k, struct source *s, bool first)
{
	if (!source_claim(&k->diags, s, w->fold_ns)) {
		if (!w->cgroup)
			tell(w->c, "reading '%s' (program %u)", s->policy, s->program);
		return 0;
	}
	if (w->cgroup || s->claimed)
		return fail(w, k);
	if (first && k->diags.n)
		tell(w->c, "'%s' (program %u) is passed over: %s", s->policy, s->program,
		     k->diags.items[k->diags.n - 1].text);
	return 0;
}

/* Takes a program into the list that is not there yet. */
static int take(struct watch *w, struct check *k, const struct wanted *want)
{
	size_t old = by_name(w, want->name);
	struct source *s = source_open(w->c, &k->diags, want->id);
	if (!s) { /* replaced again before it was opened */
		w->misses++;
		if (old < w->n)
			w->sources[old]->seen = true;
		return w->misses < MISSES_MAX ? 0 : fail(w, k);
	}
	w->misses = 0;
	struct source *same = by_counts(w, audit_counts_id(s->audit));
	if (same) {
		same->program = want->id;
		same->seen = true;
		int failed = audit_renew(&k->diags, same->audit, s->audit);
		source_close(s);
		return failed ? fail(w, k) : 0;
	}
	if (old < w->n) {
		tell(w->c, "'%s' was replaced by a program that counts from the start", want->name);
		drop(w, old, true);
	}
	s->seen = true;
	*ARENA_PUSH(w->c->args, w->sources, w->n, w->cap) = s;
	return claim(w, k, s, true);
}

/* Another reader had it: has it still? A new source, so that trying costs nothing
 * that lasts. */
static int retry(struct watch *w, struct check *k, size_t i)
{
	struct source *s = source_open(w->c, &k->diags, w->sources[i]->program);
	if (!s)
		return 0;
	s->seen = true;
	source_close(w->sources[i]);
	w->sources[i] = s;
	return claim(w, k, s, false);
}

/* What became of a source that is not there any more. */
static void say_gone(struct watch *w, const struct check *k, const struct source *s)
{
	const char *how = w->cgroup ? "was detached"
	                            : "is gone: detached, or replaced by one that reports nothing";
	struct attached *list;
	struct diags ignored;
	size_t n = 0;
	diags_init(&ignored, k->arena);
	if (k->removed)
		how = "ended: its cgroup was removed";
	else if (w->cgroup && !cgroup_query(k->arena, &ignored, w->cgroup, &list, &n) &&
	         attached_named(list, n, s->policy))
		how = "was replaced by one that reports nothing";
	tell(w->c, "'%s' %s", s->policy, how);
}

static int compare(struct watch *w, struct check *k)
{
	if (collect(w, k))
		return -1;
	for (size_t i = 0; i < w->n; i++)
		w->sources[i]->seen = false;
	for (size_t i = 0; i < k->n; i++) {
		struct source *s = by_program(w, k->list[i].id);
		if (s)
			s->seen = true;
		else if (take(w, k, &k->list[i]))
			return -1;
	}
	for (size_t i = w->n; i-- > 0;) {
		struct source *s = w->sources[i];
		s->absent = s->seen ? 0 : k->removed ? ABSENT_MAX : s->absent + 1;
		if (s->absent >= ABSENT_MAX) {
			say_gone(w, k, s);
			drop(w, i, true);
		} else if (!s->claimed && s->seen && retry(w, k, i)) {
			return -1;
		}
	}
	return 0;
}

int watch_check(struct watch *w)
{
	struct check k = {.arena = cmd_arena(w->c)};
	diags_init(&k.diags, k.arena);
	int failed = compare(w, &k);
	arena_free(k.arena);
	return failed;
}

bool watch_unsure(const struct watch *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->sources[i]->absent)
			return true;
	return false;
}

int watch_losses(struct watch *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct source *s = w->sources[i];
		if (!s->claimed)
			continue;
		if (source_update(&w->c->diags, s))
			return -1;
		unsigned long long lost = s->sum.dropped - s->lost_told;
		if (lost)
			tell(w->c, "'%s': %llu record%s lost: the reader was slower than the denials",
			     s->policy, lost, lost == 1 ? " was" : "s were");
		s->lost_told = s->sum.dropped;
	}
	return 0;
}

void watch_end(struct watch *w, bool say)
{
	while (w->n)
		drop(w, w->n - 1, say);
}
