/*
 * stats.c - the verb `stats`: what the kernel counted, whether or not anybody read
 * the records.
 *
 * A policy's counts go on when it is replaced; rows that differ only in its
 * generation are added up. Each round has an arena of its own: --interval runs
 * without end in constant memory.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"
#include "cmd/observe/observe.h"
#include "cmd/options.h"
#include "cmd/where/where.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OPT_PROMETHEUS = OPT_VERB, OPT_CLEAR, OPT_INTERVAL, OPT_OBSERVE };
static const struct option options[] = {
	{"prometheus", no_argument, NULL, OPT_PROMETHEUS},
	{"clear", no_argument, NULL, OPT_CLEAR},
	{"interval", required_argument, NULL, OPT_INTERVAL},
	{"observe", no_argument, NULL, OPT_OBSERVE},
	OPTION_SELF,
	OPTION_UNIT,
	OPTION_JSON,
	OPTION_HELP,
	{0},
};
enum { TRIES = 20 };

struct stats_run {
	struct cmd *c;
	struct cgroup *cgroup;
	const char *name;
	bool prometheus, clear;
	uint64_t interval; /* ns, 0: once */
	struct device_names *devices;
};

/* What grants opened of what was denied; known: there is a host program. */
struct opened {
	bool known;
	uint64_t requests;
};

/* ---- from the kernel's counts to rows ------------------------------------------------- */

static int by_rule(const void *a, const void *b)
{
	const struct tally_key *x = &((const struct tally_entry *)a)->key;
	const struct tally_key *y = &((const struct tally_entry *)b)->key;
	if (x->generation != y->generation)
		return x->generation < y->generation ? -1 : 1;
	return (x->rule > y->rule) - (x->rule < y->rule);
}

/* Everything but the generation and the count. */
static int row_order(const struct stats_row *x, const struct stats_row *y)
{
	struct tally_key a = x->key, b = y->key;
	if (!x->name != !y->name)
		return x->name ? -1 : 1;
	int order = x->name ? memcmp(x->name, y->name, sizeof *x->name) : 0;
	if (x->name)
		a.generation = b.generation = 0;
	return order ? order : memcmp(&a, &b, sizeof a);
}

static int by_identity(const void *a, const void *b)
{
	const struct stats_row *x = a, *y = b;
	int order = row_order(x, y);
	return order ? order : (x->key.generation > y->key.generation) -
	                               (x->key.generation < y->key.generation);
}

static int by_count(const void *a, const void *b)
{
	const struct stats_row *x = a, *y = b;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return by_identity(a, b);
}

/* A name is asked for once a rule. Bytes after its strings are zeroed, so that
 * equal names are equal memory. */
static const struct rule_name *name_of(struct arena *a, struct audit *au, const struct tally_key *k)
{
	struct rule_name got, *name;
	if (!audit_rule(au, k->generation, k->rule, &got))
		return NULL;
	name = arena_alloc(a, sizeof *name);
	name->line = got.line;
	memcpy(name->file, got.file, strnlen(got.file, sizeof got.file - 1));
	memcpy(name->label, got.label, strnlen(got.label, sizeof got.label - 1));
	return name;
}

static void make_rows(struct arena *a, struct audit *au, struct tally_entry *list, size_t n,
                      struct stats *out)
{
	struct stats_row *rows = arena_alloc(a, (n + 1) * sizeof *rows);
	size_t used = 0;
	if (n)
		qsort(list, n, sizeof *list, by_rule);
	for (size_t i = 0; i < n; i++) {
		bool same = i && !by_rule(&list[i - 1], &list[i]);
		rows[i] = (struct stats_row){list[i].key,
		                             same ? rows[i - 1].name : name_of(a, au, &list[i].key),
		                             list[i].tally.count};
	}
	qsort(rows, n, sizeof *rows, by_identity);
	for (size_t i = 0; i < n; i++) {
		if (used && !row_order(&rows[used - 1], &rows[i])) {
			rows[used - 1].count += rows[i].count;
			rows[used - 1].key.generation = rows[i].key.generation;
		} else {
			rows[used++] = rows[i];
		}
	}
	qsort(rows, used, sizeof *rows, by_count);
	out->rows = rows;
	out->n = used;
}

/* ---- for programs -------------------------------------------------------------------------- */

static json_t *row_json(const struct stats_run *r, const struct stats_row *row)
{
	char decided[8], requested[8];
	const struct tally_key *k = &row->key;
	json_t *o = json_pack(
		"{s:I, s:s, s:b, s:b, s:s, s:I, s:I, s:o, s:s, s:s, s:I, s:I}", "count",
		(json_int_t)row->count, "verdict", verdict_word(k->verdict, k->flags), "permissive",
		!!(k->flags & EVENT_PERMISSIVE), "error", !!(k->flags & EVENT_ERROR), "type",
		device_type(k->type), "major", (json_int_t)k->major, "minor", (json_int_t)k->minor,
		"device", text_json(device_path(r->devices, k->type, k->major, k->minor)), "requested",
		access_text(k->requested & ACC_ALL, requested), "access",
		access_text(k->decided & ACC_ALL, decided), "uid", (json_int_t)k->uid, "generation",
		(json_int_t)k->generation);
	rule_json(o, row->name, k->rule);
	return o;
}

static json_t *stats_json(const struct stats_run *r, const struct stats *st)
{
	const struct totals *t = &st->totals;
	json_t *rows = json_array();
	for (size_t i = 0; i < st->n; i++)
		json_array_append_new(rows, row_json(r, &st->rows[i]));
	json_t *totals = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I}", "denied", (json_int_t)t->denied, "allowed",
		(json_int_t)t->allowed, "submitted", (json_int_t)t->submitted, "folded",
		(json_int_t)t->folded, "dropped", (json_int_t)t->dropped, "untallied",
		(json_int_t)t->untallied);
	return json_pack("{s:o, s:o, s:I, s:I, s:s, s:s, s:o, s:o}", "policy",
	                 text_json(st->at->name), "cgroup", text_json(st->cgroup), "program",
	                 (json_int_t)st->at->id, "generation", (json_int_t)st->at->generation,
	                 "audit", audit_word(st->at->audit), "mode", mode_word(st->at->mode),
	                 "totals", totals, "tallies", rows);
}

static void print_json(const struct stats_run *r, const struct stats *list, size_t n, const struct opened *opened)
{
	json_t *policies = json_array(), *granted = opened->known ? json_integer((json_int_t)opened->requests) : json_null();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(policies, stats_json(r, &list[i]));
	if (!r->interval) {
		json_object_set_new(r->c->json.out, "policies", policies);
		json_object_set_new(r->c->json.out, "granted", granted);
		return;
	}
	json_t *o = json_pack("{s:s, s:I, s:o, s:o}", "schema", JSON_SCHEMA, "time",
	                      (json_int_t)time(NULL), "policies", policies, "granted", granted);
	json_dumpf(o, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(o);
}

static void print_tables(const struct stats_run *r, const struct stats *list, size_t n, const struct opened *opened)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;
	if (r->interval && localtime_r(&now, &tm) && strftime(stamp, sizeof stamp, "%H:%M:%S", &tm))
		puts(stamp);
	for (size_t i = 0; i < n; i++) {
		if (i)
			putchar('\n');
		table_print(r->devices, &list[i]);
	}
	if (opened->requests)
		printf("denied in this cgroup or below, by whomever, and opened by grants: %llu\n", (unsigned long long)opened->requests);
	if (r->interval)
		putchar('\n');
}

/* ---- one round ------------------------------------------------------------------------------ */

/* Reads the counts of one policy, and then forgets them with --clear. 0 or -1. */
static int read_policy(const struct stats_run *r, struct arena *a, struct diags *d,
                       const struct attached *at, struct stats *out)
{
	struct audit *au;
	struct tally_entry *list;
	size_t n;
	*out = (struct stats){.cgroup = r->cgroup->path, .at = at};
	if (audit_open(a, d, at->id, &au))
		return -1;
	int failed = audit_tallies(a, d, au, &list, &n) || audit_totals(d, au, &out->totals);
	if (!failed)
		make_rows(a, au, list, n, out);
	if (!failed && r->clear)
		failed = audit_clear(d, au);
	audit_close(au);
	return failed;
}

/* All of them; they may be replaced while that goes on: *n is 0 when there is none. */
static int read_all(const struct stats_run *r, struct arena *a, struct diags *d,
                    struct stats **out, size_t *n)
{
	struct attached *list;
	if (find_reporting(a, d, r->cgroup, r->name, &list, n))
		return -1;
	*out = arena_alloc(a, (*n + 1) * sizeof **out);
	for (size_t i = 0; i < *n; i++)
		if (read_policy(r, a, d, &list[i], &(*out)[i]))
			return -1;
	return 0;
}

/* STATUS_OK when it was printed. *n: how many policies there were. */
static int round_in(const struct stats_run *r, struct arena *a, size_t *n)
{
	struct cmd *c = r->c;
	struct stats *list = NULL;
	struct diags d;
	int failed = -1;
	*n = 0;
	for (int i = 0; i < TRIES && (failed || !*n); i++) {
		diags_init(&d, a);
		failed = read_all(r, a, &d, &list, n);
	}
	if (failed && cgroup_removed(r->cgroup))
		*n = 0;
	else if (failed) {
		diag_fail(&c->diags, d.n ? d.items[0].hint : NULL, "%s",
		          d.n ? d.items[0].text : "the counts cannot be read");
		return STATUS_FAILED;
	}
	if (!*n)
		return STATUS_FAILED;
	struct opened opened;
	opened.known = granted_count(a, r->cgroup, &opened.requests);
	if (r->prometheus) {
		prometheus_print(stdout, r->devices, list, *n);
		if (opened.known)
			prometheus_granted(stdout, r->cgroup->path, opened.requests);
	} else if (c->json.on) {
		print_json(r, list, *n, &opened);
	} else {
		print_tables(r, list, *n, &opened);
	}
	return STATUS_OK;
}

static int one_round(const struct stats_run *r, size_t *n)
{
	*n = 0;
	/* an apply that takes counts along must not bring back what was forgotten */
	if (r->clear && cgroup_lock(r->cgroup, &r->c->diags))
		return STATUS_FAILED;
	struct arena *a = cmd_arena(r->c);
	int status = round_in(r, a, n);
	arena_free(a);
	cgroup_unlock(r->cgroup);
	return status;
}

/* Rounds until a signal ends them. */
static int rounds(const struct stats_run *r, size_t *n)
{
	sigset_t set;
	struct timespec wait = {(time_t)(r->interval / NSEC), (long)(r->interval % NSEC)};
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (;;) {
		int sig = sigtimedwait(&set, NULL, &wait);
		if (sig > 0)
			return STATUS_OK;
		if (errno == EINTR)
			continue;
		int status = one_round(r, n);
		if (status || fflush(stdout) || ferror(stdout))
			return status;
	}
}

static int stats_run(struct stats_run *r)
{
	struct cmd *c = r->c;
	size_t n;
	int status = one_round(r, &n);
	if (status)
		return n || c->diags.errors ? status : nothing_reports(c, r->cgroup, r->name);
	if (!r->interval)
		return STATUS_OK;
	c->json.printed = true;
	c->json.on = false;
	diags_flush(c);
	fflush(stdout);
	c->json.on = c->json.out != NULL;
	status = rounds(r, &n);
	c->json.on = false; /* what is said now goes to stderr */
	if (status && !c->diags.errors) {
		tell(c, "%s%s on %s is not attached any more, or reports nothing",
		     r->name ? "the policy " : "what was counted", r->name ? r->name : "",
		     r->cgroup->path);
		return STATUS_DETACHED;
	}
	return status;
}

/* What the host program counted, whoever denied it. */
static int observed(const struct stats_run *r, int argc, char **argv)
{
	struct cmd *c = r->c;
	struct cgroup *cg = NULL;
	const char *path = optind < argc ? argv[optind] : NULL;
	if (argc - optind + where_given(c) > 1)
		return usage_error(c, NULL, "more than one cgroup given");
	if (r->clear || r->interval)
		return usage_error(c, "leave that option out", "%s is for the counts of a policy", r->clear ? "--clear" : "--interval");
	if ((where_given(c) || (path && strcmp(path, "/"))) && where_open(c, path, WHERE_LOOK, &cg))
		return STATUS_FAILED;
	int status = observe_told(c, cg && cgroup_is_hosts_root(cg) ? NULL : cg,
	                          r->prometheus ? TOLD_PROMETHEUS : c->json.on ? TOLD_JSON : TOLD_TABLE);
	cgroup_close(cg);
	return status;
}

static int stats(struct cmd *c, int argc, char **argv)
{
	struct stats_run r = {.c = c};
	bool observe = false;
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return c->status;
		r.prometheus |= opt == OPT_PROMETHEUS;
		r.clear |= opt == OPT_CLEAR;
		observe |= opt == OPT_OBSERVE;
		if (opt == OPT_INTERVAL) {
			c->status = option_seconds(c, "--interval", optarg, 1000000, &r.interval);
			if (c->status)
				return c->status;
		}
	}
	if (r.prometheus && (c->json.on || r.interval))
		return usage_error(c, "a scraper asks again by itself: leave the other option out",
		                   "--prometheus and %s exclude each other",
		                   c->json.on ? "--json" : "--interval");
	if (observe)
		return observed(&r, argc, argv);
	int cgroups = !where_given(c), n = argc - optind - cgroups;
	if (n < 0 || n > 1)
		return usage_error(c, NULL, n < 0 ? "no cgroup given" : "more than a cgroup and a name given");
	if (where_open(c, cgroups ? argv[optind] : NULL, WHERE_LOOK, &r.cgroup))
		return STATUS_FAILED;
	r.name = n ? argv[optind + cgroups] : NULL;
	r.devices = device_names_new(c->arena);
	int status = stats_run(&r);
	cgroup_close(r.cgroup);
	return status;
}

const struct verb verb_stats = {
	.name = "stats",
	.synopsis = "CGROUP [NAME] | --self [NAME] | --unit UNIT [NAME] | --observe [CGROUP]\n                           [--clear] [--interval S] [--prometheus] [--json]",
	.summary = "Show what our policies on a cgroup denied, as the kernel counted it",
	.help = "The policy must report: apply it with --audit denied. Counts go on when it is\n"
		"replaced, and whether or not anybody runs audit.\n\n"
		"  --observe         what the host program counted of requests denied by anybody,\n"
		"                    by cgroup: of observers, pinned or running, and of grants\n"
		"  --clear           forget the counts after they were shown (decisions in\n"
		"                    between are in neither)\n"
		"  --interval S      show them every S seconds, until interrupted\n"
		"  --prometheus      as Prometheus reads it\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = stats,
	.usage = "CGROUP [NAME] | --self [NAME] | --unit UNIT [NAME]",
	.example = PROGRAM " stats /web",
};
