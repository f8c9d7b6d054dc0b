/*
 * learn_rules.c - recorded requests as rules: devices that are of one kind, with the same letters, for the same users
 * and programs, in one. n log n for n requests.
 */
#include "policy/learn.h"
#include "policy/arena.h"

#include <stdlib.h>
#include <string.h>

/* What one user did with all that has one name. */
struct cell {
	const struct learned_name *name;
	struct learned_request all; /* programs, how often */
	int letters;
	size_t devices;
	int64_t last;               /* minor number that was counted last */
	uint64_t times, denied;
};

struct cells {
	struct arena *arena;
	struct learned sums;        /* for learned_named() */
	struct cell *list;
	size_t n, cap;
	struct table unique;
};

static const struct { enum reach reach; bool terminal; const char *words; } sections[] = {
	{REACH_STANDARD, false, "standard devices"},
	{REACH_STANDARD, true, "terminals"},
	{REACH_TERMINAL, false, "consoles and serial ports"},
	{REACH_VIRTUAL, false, "virtual devices"},
	{REACH_OTHER, false, "other devices"},
	{REACH_USB, false, "USB devices"},
	{REACH_HARDWARE, false, "hardware"},
	{REACH_INPUT, false, "input devices"},
	{REACH_LOG, false, "the kernel's log"},
	{REACH_MEMORY, false, "memory"},
	{REACH_DISK, false, "disks"},
	{REACH_EVERYTHING, false, "everything"},
};
_Static_assert(sizeof sections / sizeof *sections == LEARN_SECTIONS, "every kind has a section");

const char *learned_section(int section)
{
	return sections[section].words;
}

static int section_of(const struct learned_name *n)
{
	int i = 0;
	while (sections[i].reach != n->reach || sections[i].terminal != n->terminal)
		i++;
	return i;
}

/* ---- cells ------------------------------------------------------------------------------------ */

static bool same_name(const struct learned_name *x, const struct learned_name *y)
{
	return x->type == y->type && x->majors.lo == y->majors.lo && x->minors.lo == y->minors.lo && x->minors.hi == y->minors.hi;
}

static struct cell *cell_of(struct cells *c, const struct learned_name *name, int64_t uid, const char *exe)
{
	uint64_t h = table_mix((uint64_t)name->type << 32 | (uint64_t)name->majors.lo,
	                       (uint64_t)name->minors.lo << 32 | (uint64_t)name->minors.hi);
	h = table_mix(h, (uint64_t)uid);
	for (const char *at = exe ? exe : ""; *at; at++)
		h = table_mix(h, (unsigned char)*at);
	for (struct table_look l = table_look(&c->unique, (uint32_t)h); table_next(&c->unique, &l);)
		if (same_name(c->list[l.place].name, name) && c->list[l.place].all.uid == uid &&
		    learned_same_exe(c->list[l.place].all.exe, exe))
			return &c->list[l.place];
	table_add(&c->unique, c->arena, (uint32_t)h, (uint32_t)c->n);
	struct cell *new = ARENA_APPEND(c->arena, c->list, c->n, c->cap);
	struct learned_name *kept = arena_alloc(c->arena, sizeof *kept);
	*kept = *name;
	*new = (struct cell){.name = kept, .all.uid = uid, .all.exe = exe, .last = -1};
	return new;
}

static void add(struct cells *c, const struct learned_name *name, const struct learned_request *r)
{
	struct cell *x = cell_of(c, name, r->uid, r->exe);
	x->letters |= r->access;
	x->devices += x->last != r->minor;
	x->last = r->minor;
	learned_count(&x->times, learned_times(r));
	learned_count(&x->denied, r->permitted);
	learned_count(&x->denied, learned_passed(r) ? r->denied : 0);
	learned_count(&x->all.gone, r->gone);
	learned_count(&x->all.others, r->others);
	for (size_t i = 0; i < r->nprograms; i++)
		learned_named(&c->sums, &x->all, r->programs[i].name, r->programs[i].count);
}

#define COMPARE(x, y) \
	do { \
		if ((x) != (y)) \
			return (x) < (y) ? -1 : 1; \
	} while (0)

static int compare_names(const struct learned_name *a, const struct learned_name *b)
{
	COMPARE(b->type, a->type);
	COMPARE(a->majors.lo, b->majors.lo);
	COMPARE(a->minors.lo, b->minors.lo);
	COMPARE(a->minors.hi, b->minors.hi);
	return 0;
}

/* Of one name, the same letters and one program or not: 0 is yes. */
static int compare_cell_groups(const struct cell *a, const struct cell *b)
{
	int names = compare_names(a->name, b->name);
	if (names)
		return names;
	COMPARE(b->letters, a->letters);
	COMPARE(!a->all.exe, !b->all.exe);
	return a->all.exe ? strcmp(a->all.exe, b->all.exe) : 0;
}

static int compare_cells(const void *x, const void *y)
{
	const struct cell *a = x, *b = y;
	int groups = compare_cell_groups(a, b);
	if (groups)
		return groups;
	COMPARE(a->all.uid, b->all.uid);
	return 0;
}

/* ---- uses ---------------------------------------------------------------------------------------- */

/* A use that is not whole yet: its programs are in the order of their names, in `sum`. */
struct draft { struct learned_use use; struct learned_request sum; };

static int most_first(const void *x, const void *y)
{
	const struct learned_program *a = x, *b = y;
	COMPARE(b->count, a->count);
	return strcmp(a->name, b->name);
}

static void add_programs(struct cells *c, struct learned_request *to, const struct learned_request *from)
{
	learned_count(&to->others, from->others);
	for (size_t k = 0; k < from->nprograms; k++)
		learned_named(&c->sums, to, from->programs[k].name, from->programs[k].count);
}

/* Of the cells of one name, the same letters and one program, whoever the users are. */
static struct draft draft_of(struct cells *c, const struct cell *first, size_t n, unsigned by)
{
	struct draft d = {.use = {.name = *first->name, .letters = first->letters}};
	struct learned_use *u = &d.use;
	int64_t *uids = arena_alloc(c->arena, n * sizeof *uids);
	for (size_t i = 0; i < n; i++) {
		const struct cell *x = &first[i];
		uids[i] = x->all.uid;
		u->devices = x->devices > u->devices ? x->devices : u->devices;
		learned_count(&u->times, x->times);
		learned_count(&u->denied, x->denied);
		learned_count(&u->gone, x->all.gone);
		learned_count(&u->unnamed, by & LEARN_BY_EXE && !x->all.exe ? x->times - x->all.gone : 0);
		add_programs(c, &d.sum, &x->all);
	}
	u->uids = uids;
	u->nuids = by & LEARN_BY_UID ? n : 0;
	if (first->all.exe) {
		const char **exes = arena_alloc(c->arena, sizeof *exes);
		*exes = first->all.exe;
		u->exes = exes;
		u->nexes = 1;
	}
	return d;
}

static int compare_uids(const struct learned_use *a, const struct learned_use *b)
{
	for (size_t i = 0; i < a->nuids && i < b->nuids; i++)
		COMPARE(a->uids[i], b->uids[i]);
	COMPARE(a->nuids, b->nuids);
	return 0;
}

static int compare_exes(const struct learned_use *a, const struct learned_use *b)
{
	for (size_t i = 0; i < a->nexes && i < b->nexes; i++) {
		int exes = strcmp(a->exes[i], b->exes[i]);
		if (exes)
			return exes;
	}
	COMPARE(a->nexes, b->nexes);
	return 0;
}

/* In one use but for the program or not: 0 is yes. */
static int compare_drafts(const struct draft *a, const struct draft *b)
{
	int names = compare_names(&a->use.name, &b->use.name);
	if (names)
		return names;
	COMPARE(b->use.letters, a->use.letters);
	COMPARE(!a->use.nexes, !b->use.nexes);
	return compare_uids(&a->use, &b->use);
}

static int by_program(const void *x, const void *y)
{
	const struct draft *a = x, *b = y;
	int drafts = compare_drafts(a, b);
	return drafts ? drafts : compare_exes(&a->use, &b->use);
}

/* Drafts that only their programs tell apart, as one use. */
static struct learned_use use_of(struct cells *c, struct draft *first, size_t n)
{
	struct learned_use u = first->use;
	struct learned_request *sum = &first->sum;
	const char **exes = arena_alloc(c->arena, n * sizeof *exes);
	for (size_t i = 0; i < n; i++) {
		const struct draft *d = &first[i];
		exes[i] = d->use.nexes ? *d->use.exes : NULL;
		if (!i)
			continue;
		u.devices = d->use.devices > u.devices ? d->use.devices : u.devices;
		learned_count(&u.times, d->use.times);
		learned_count(&u.denied, d->use.denied);
		add_programs(c, sum, &d->sum);
	}
	if (sum->nprograms)
		qsort(sum->programs, sum->nprograms, sizeof *sum->programs, most_first);
	u.programs = sum->programs;
	u.nprograms = sum->nprograms;
	u.others = sum->others;
	u.exes = exes;
	u.nexes = u.nexes ? n : 0;
	return u;
}

/* In one rule or not: 0 is yes. Rules of named programs come first. */
static int compare_rules(const struct learned_use *a, const struct learned_use *b)
{
	int x = section_of(&a->name), y = section_of(&b->name), uids = compare_uids(a, b);
	COMPARE(x, y);
	COMPARE(!a->nexes, !b->nexes);
	COMPARE(b->letters, a->letters);
	return uids ? uids : compare_exes(a, b);
}

static int compare_uses(const void *x, const void *y)
{
	const struct learned_use *a = x, *b = y;
	int rules = compare_rules(a, b);
	return rules ? rules : compare_names(&a->name, &b->name);
}

/* The uses of all cells, in the order of their rules. */
static struct learned_use *uses_of(struct cells *c, unsigned by, size_t *n)
{
	struct draft *drafts = NULL;
	struct learned_use *uses = NULL;
	size_t ndrafts = 0, drafts_cap = 0, cap = 0;
	*n = 0;
	if (c->n)
		qsort(c->list, c->n, sizeof *c->list, compare_cells);
	for (size_t i = 0, next; i < c->n; i = next) {
		for (next = i + 1; next < c->n && !compare_cell_groups(&c->list[i], &c->list[next]);)
			next++;
		struct draft d = draft_of(c, &c->list[i], next - i, by);
		*ARENA_APPEND(c->arena, drafts, ndrafts, drafts_cap) = d;
	}
	if (ndrafts)
		qsort(drafts, ndrafts, sizeof *drafts, by_program);
	for (size_t i = 0, next; i < ndrafts; i = next) {
		for (next = i + 1; next < ndrafts && !compare_drafts(&drafts[i], &drafts[next]);)
			next++;
		struct learned_use u = use_of(c, &drafts[i], next - i);
		*ARENA_APPEND(c->arena, uses, *n, cap) = u;
	}
	if (*n)
		qsort(uses, *n, sizeof *uses, compare_uses);
	return uses;
}

void learned_rules(struct arena *a, const struct host *h, const struct learned *l, bool denied, struct learned_rule **rules,
                   size_t *n)
{
	struct cells c = {.arena = a};
	struct learned_names names;
	size_t nuses, cap = 0;
	learned_start(a, l->by, &c.sums);
	learned_names_start(a, h, l, &names);
	for (size_t i = 0; i < l->n; i++) {
		if (learned_passed(&l->list[i]) == denied)
			continue;
		struct learned_name name = learned_name(&names, &l->list[i]);
		add(&c, &name, &l->list[i]);
	}
	struct learned_use *uses = uses_of(&c, l->by, &nuses);
	*rules = NULL;
	*n = 0;
	for (size_t i = 0, next; i < nuses; i = next) {
		for (next = i + 1; next < nuses && !compare_rules(&uses[i], &uses[next]);)
			next++;
		*ARENA_APPEND(a, *rules, *n, cap) = (struct learned_rule){section_of(&uses[i].name), &uses[i], next - i};
	}
}
