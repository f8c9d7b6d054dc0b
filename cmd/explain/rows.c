/*
 * rows.c - rules as lines for people: a device with a name of its own has a line, others are told by
 * runs of numbers, many runs of a rule by the first.
 */
#include "cmd/explain/explain.h"
#include "cmd/audit/audit.h"
#include "policy/host.h"

#include <stdlib.h>
#include <string.h>

/* Of one rule and one interval of majors: more runs than these, and they are one line for each kind. */
enum { RUNS_MAX = 16, NUMBERS_SHOWN = 4 };

static const char *numbers_of(struct arena *a, const struct device_run *r)
{
	struct interval majors = r->majors, minors = r->minors;
	const struct pattern p = {.types = r->types, .majors = &majors, .nmajors = 1, .minors = &minors, .nminors = 1};
	char *text = pattern_text(a, &p);
	*strrchr(text, ' ') = '\0';
	return text;
}

static uint64_t count(const struct device_run *r)
{
	return (uint64_t)(r->majors.hi - r->majors.lo + 1) * (uint64_t)(r->minors.hi - r->minors.lo + 1);
}

static struct explain_row *add_row(struct cmd *c, const struct explained *rule, const struct device_run *run, struct explain_rows *out)
{
	struct explain_row *row = ARENA_PUSH(c->arena, out->list, out->n, out->cap);
	*row = (struct explain_row){.rule = rule, .run = *run, .runs = 1, .devices = count(run), .reach = device_reach(run)};
	row->numbers = numbers_of(c->arena, run);
	row->called = device_called(c->arena, run);
	return row;
}

/* ---- names of this host ---------------------------------------------------------------------------- */

/* The driver that /proc/devices has for a major, or NULL. */
static const char *driver_of(struct cmd *c, int type, int64_t major)
{
	const char *listing;
	int in = DEV_CHAR;
	if (host_dev.groups(&host_dev, c->arena, &listing))
		return NULL;
	for (const char *at = listing; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		char word[64];
		long long n;
		if (!strncmp(at, "Block", 5))
			in = DEV_BLOCK;
		if (in == type && sscanf(at, "%lld %63[^\n]", &n, word) == 2 && n == major)
			return arena_strdup(c->arena, word);
	}
	return NULL;
}

static void name_here(struct cmd *c, struct device_names *names, struct explain_row *row)
{
	const struct device_run *r = &row->run;
	bool alone = r->majors.lo == r->majors.hi && r->types != (DEV_BLOCK | DEV_CHAR);
	if (*row->called.name || (*row->called.what && !row->called.of_host) || !alone)
		return;
	const char *name = r->minors.lo == r->minors.hi && row->runs == 1
	                           ? device_path(names, r->types, (uint32_t)r->majors.lo, (uint32_t)r->minors.lo)
	                           : NULL;
	const char *driver = name ? NULL : driver_of(c, r->types, r->majors.lo);
	row->here = name || driver;
	if (name)
		row->called = (struct device_called){.name = arena_strdup(c->arena, name), .what = ""};
	else if (driver)
		row->called.what = arena_printf(c->arena, "driver %s", driver);
}

/* ---- lines ------------------------------------------------------------------------------------------ */

/* One line for each kind of device that many runs have. */
static void add_many(struct cmd *c, const struct explained *rule, struct device_run run, struct explain_rows *out)
{
	const struct pattern *p = &rule->pattern;
	size_t first = out->n;
	for (size_t i = 0; i < p->nminors; i++) {
		run.minors = p->minors[i];
		enum reach reach = device_reach(&run);
		size_t at = first;
		while (at < out->n && out->list[at].reach != reach)
			at++;
		if (at == out->n) {
			add_row(c, rule, &run, out);
			continue;
		}
		struct explain_row *row = &out->list[at];
		row->devices += count(&run);
		if (++row->runs <= NUMBERS_SHOWN)
			row->numbers = arena_printf(c->arena, "%s,%s", row->numbers, strchr(numbers_of(c->arena, &run), ':') + 1);
	}
	for (struct explain_row *row = out->list + first; row < out->list + out->n; row++)
		if (row->runs > NUMBERS_SHOWN)
			row->numbers = arena_printf(c->arena, "%s,...", row->numbers);
}

static void rows_of(struct cmd *c, const struct explained *rule, struct explain_rows *out)
{
	const struct pattern *p = &rule->pattern;
	for (size_t m = 0; m < p->nmajors; m++) {
		struct device_run run = {.types = p->types, .majors = p->majors[m]}, *parts = NULL;
		size_t n = 0, cap = 0;
		if (p->nminors > RUNS_MAX) {
			add_many(c, rule, run, out);
			continue;
		}
		for (size_t i = 0; i < p->nminors; i++) {
			run.minors = p->minors[i];
			device_split(c->arena, &run, &parts, &n, &cap);
		}
		for (size_t i = 0; i < n; i++)
			add_row(c, rule, &parts[i], out);
	}
}

/* ---- order ------------------------------------------------------------------------------------------- */

/* What only makes nodes is told last: a node is of no use where it cannot be opened. */
static int weight(const struct explain_row *row)
{
	return row->rule->pattern.access == ACC_MKNOD ? REACHES : (int)row->reach;
}

static int by_importance(const void *a, const void *b)
{
	const struct explain_row *x = a, *y = b;
	bool denied = x->rule->verdict == EXPLAIN_DENY, other = y->rule->verdict == EXPLAIN_DENY;
	if (denied != other)
		return denied - other;
	if (weight(x) != weight(y))
		return weight(x) - weight(y);
	if (x->run.types != y->run.types)
		return y->run.types - x->run.types;
	if (x->run.majors.lo != y->run.majors.lo)
		return x->run.majors.lo < y->run.majors.lo ? -1 : 1;
	if (x->run.minors.lo != y->run.minors.lo)
		return x->run.minors.lo < y->run.minors.lo ? -1 : 1;
	return (x->rule > y->rule) - (x->rule < y->rule);
}

static bool is_everything(const struct explained *r)
{
	const struct pattern *p = &r->pattern;
	return !p->majors->lo && p->majors->hi == MAJOR_MAX && !p->minors->lo && p->minors->hi == MINOR_MAX;
}

void explain_rows(struct cmd *c, const struct explanation *e, struct device_names *here, struct explain_rows *out)
{
	int all[DEV_CHAR + 1] = {0};
	*out = (struct explain_rows){.none_allowed = true};
	for (const struct explained *r = e->list; r < e->list + e->n; r++) {
		if (!r->pattern.access) {
			out->of_none++;
			continue;
		}
		rows_of(c, r, out);
		out->all_told |= is_everything(r) && r->when && r->verdict == EXPLAIN_ALLOW;
		out->else_unknown |= is_everything(r) && r->verdict == EXPLAIN_UNKNOWN;
		out->none_allowed &= r->verdict == EXPLAIN_DENY && !r->when;
		for (int type = DEV_BLOCK; type <= DEV_CHAR; type++)
			if (is_everything(r) && r->pattern.types & type && (r->verdict == EXPLAIN_UNKNOWN || (r->verdict == EXPLAIN_ALLOW && !r->when)))
				all[type] |= r->pattern.access;
	}
	out->nothing_else = all[DEV_BLOCK] == ACC_ALL && all[DEV_CHAR] == ACC_ALL;
	if (out->n)
		qsort(out->list, out->n, sizeof *out->list, by_importance);
	enum { NAMED_MAX = 256 };
	for (size_t i = 0; here && i < out->n && i < NAMED_MAX; i++)
		name_here(c, here, &out->list[i]);
}

/* ---- many without a name -------------------------------------------------------------------------------- */

static bool says_the_same(const struct explain_row *x, const struct explain_row *y)
{
	const struct explained *r = x->rule, *s = y->rule;
	return x->reach == y->reach && x->run.types == y->run.types && r->verdict == s->verdict && r->asked == s->asked &&
	       r->pattern.access == s->pattern.access && (r->when == s->when || (r->when && s->when && !strcmp(r->when, s->when)));
}

/* A line among those of a kind; how many these are. */
struct kind { size_t first, rows; };

static void join(struct arena *a, struct explain_row *to, const struct explain_row *row, size_t nth)
{
	const char *numbers = row->numbers + 2;
	if (nth < NUMBERS_SHOWN - 1)
		to->numbers = arena_printf(a, "%s,%s", to->numbers, numbers);
	else if (nth == NUMBERS_SHOWN - 1)
		to->numbers = arena_printf(a, "%s,...", to->numbers);
	to->runs += row->runs;
	to->devices += row->devices;
	to->called = (struct device_called){.name = "", .what = ""};
}

void explain_rows_join(struct cmd *c, struct explain_rows *rows)
{
	struct kind *kinds = NULL;
	size_t n = 0, cap = 0, kept = 0, *of = arena_alloc(c->arena, (rows->n + 1) * sizeof *of), *nth = arena_alloc(c->arena, (rows->n + 1) * sizeof *nth);
	for (size_t i = 0; i < rows->n; i++) {
		const struct explain_row *row = &rows->list[i];
		bool plain = !*row->called.name && row->runs == 1 && !(row->run.types == (DEV_BLOCK | DEV_CHAR));
		for (of[i] = 0; of[i] < n && !(plain && says_the_same(&rows->list[kinds[of[i]].first], row)); of[i]++)
			;
		if (of[i] == n)
			*ARENA_PUSH(c->arena, kinds, n, cap) = (struct kind){.first = i};
		nth[i] = kinds[of[i]].rows++;
	}
	for (size_t i = 0; i < rows->n; i++) {
		struct kind *k = &kinds[of[i]];
		if (k->rows <= RUNS_MAX || !nth[i]) {
			k->first = nth[i] ? k->first : kept;
			rows->list[kept++] = rows->list[i];
		} else {
			join(c->arena, &rows->list[k->first], &rows->list[i], nth[i]);
		}
	}
	rows->n = kept;
}
