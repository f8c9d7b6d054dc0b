/*
 * told.c - what the host program counted so far: by observer (pinned, or running), and of grants; by cgroup. The kernel counts
 * whether or not anybody reads records.
 */
#include "cmd/observe/observe.h"
#include "compiler/compiler.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/* What is counted of one cgroup. */
struct row {
	const struct host_count_entry *entry;
	const struct host_count *count;
	const char *path; /* NULL: it is gone */
	struct container_told container;
};
/* Of an observer, or (number HOSTPROG_WATCHERS) of grants. */
struct group {
	unsigned number;
	const struct host_watcher *watcher;
	const char *scope; /* of the cgroup that is observed */
	struct row *rows;
	size_t n;
};

struct telling {
	struct cmd *c;
	const struct cgroup *cgroup; /* NULL: all */
	struct cgroup_paths *paths;
	struct hostprog_info info;
	struct host_watcher watchers[HOSTPROG_WATCHERS];
	struct group groups[HOSTPROG_WATCHERS + 1];
	uint64_t uncounted;
};

/* ---- read ------------------------------------------------------------------------------------- */

/* Is it the cgroup, or below it? */
static bool is_below(const struct telling *t, uint64_t id, const char *path)
{
	if (!t->cgroup || t->cgroup->id == id)
		return true;
	const char *top = t->cgroup->path + strlen(t->cgroup->mount);
	size_t n = strlen(top);
	return path && !strncmp(path, top, n) && path[n] == '/';
}

/* What an observer of that cgroup counted is of it, also where the cgroup it was is gone. */
static bool is_told(const struct telling *t, const struct host_count_entry *e, const char *path)
{
	const struct host_watcher *w = e->watcher < HOSTPROG_WATCHERS ? &t->watchers[e->watcher] : NULL;
	if (e->watcher > HOSTPROG_WATCHERS)
		return false;
	return is_below(t, e->cgroup, path) || (w && w->cgroup && is_below(t, w->cgroup, cgroup_path_of(t->paths, w->cgroup)));
}

static void add_row(struct telling *t, const struct host_count_entry *e, size_t most)
{
	struct arena *a = t->c->arena;
	const char *at = cgroup_path_of(t->paths, e->cgroup), *path = at ? arena_strdup(a, at) : NULL;
	if (!is_told(t, e, path))
		return;
	struct group *g = &t->groups[e->watcher];
	if (!g->rows)
		g->rows = arena_alloc(a, most * sizeof *g->rows);
	struct row *row = &g->rows[g->n++];
	*row = (struct row){.entry = e, .count = &e->count, .path = path};
	if (row->path)
		container_told(t->c, row->path, &row->container);
}

static const char *scope_of(struct telling *t, const struct host_watcher *w)
{
	if (w->flags & WATCHER_EVERYWHERE)
		return "/";
	const char *path = cgroup_path_of(t->paths, w->cgroup);
	return path ? arena_strdup(t->c->arena, path)
	            : arena_printf(t->c->arena, "cgroup %" PRIu64 " (removed)", w->cgroup);
}

static int read_counts(struct telling *t, struct hostprog *hp)
{
	struct cmd *c = t->c;
	struct host_count_entry *list;
	size_t n;
	if (hostprog_info(c->arena, &c->diags, hp, NULL, &t->info) || watchers_read(&c->diags, hp, t->watchers) ||
	    watcher_counts(c->arena, &c->diags, hp, NULL, &list, &n, &t->uncounted))
		return -1;
	counts_sort(list, n);
	for (unsigned i = 0; i <= HOSTPROG_WATCHERS; i++)
		t->groups[i] = (struct group){.number = i, .watcher = i < HOSTPROG_WATCHERS && t->watchers[i].flags ? &t->watchers[i] : NULL};
	for (unsigned i = 0; i < HOSTPROG_WATCHERS; i++)
		if (t->groups[i].watcher)
			t->groups[i].scope = scope_of(t, t->groups[i].watcher);
	for (size_t i = 0; i < n; i++)
		add_row(t, &list[i], n);
	return 0;
}

/* ---- for people -------------------------------------------------------------------------------- */

static void put_number(uint64_t number)
{
	printf("%12" PRIu64, number);
}

static void put_whose(const struct telling *t, const struct row *row)
{
	const char *text = container_text(t->c->arena, &row->container);
	fputs("  ", stdout);
	put_text(stdout, counts_place(t->c->arena, row->entry, row->path));
	if (text) {
		fputs("  ", stdout);
		put_text(stdout, text);
	}
	putchar('\n');
}

static const char *kind_of(uint32_t flags)
{
	return flags & WATCHER_PERMIT ? "learn --permissive" : flags & WATCHER_GRANTED ? "what grants open" : flags & WATCHER_ALL ? "all requests" : "denials";
}

static void print_group(const struct telling *t, const struct group *g)
{
	struct host_count sum = {0};
	char stamp[32] = "?";
	time_t since = (time_t)(g->watcher->since / NSEC);
	struct tm tm;
	if (localtime_r(&since, &tm))
		strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &tm);
	printf("observer %u of ", g->number);
	put_text(stdout, g->scope);
	printf(": %s, since %s%s\n", kind_of(g->watcher->flags), stamp, g->watcher->flags & WATCHER_PINNED ? ", pinned" : "");
	for (size_t i = 0; i < g->n; i++)
		counts_add(&sum, g->rows[i].count);
	if (!g->n) {
		puts("  nothing counted");
		return;
	}
	const struct { const char *title; size_t at; bool shown; } columns[] = {
		{"denied", offsetof(struct host_count, denied), true},
		{"granted", offsetof(struct host_count, granted), sum.granted},
		{"permitted", offsetof(struct host_count, permitted), sum.permitted},
		{"allowed", offsetof(struct host_count, allowed), sum.allowed},
		{"records", offsetof(struct host_count, recorded), true},
		{"lost", offsetof(struct host_count, lost), true},
	};
	enum { N = sizeof columns / sizeof *columns };
	for (size_t k = 0; k < N; k++)
		if (columns[k].shown)
			printf("%12s", columns[k].title);
	puts("  cgroup");
	for (size_t i = 0; i < g->n; i++) {
		for (size_t k = 0; k < N; k++)
			if (columns[k].shown)
				put_number(*(const uint64_t *)((const char *)g->rows[i].count + columns[k].at));
		put_whose(t, &g->rows[i]);
	}
}

static void print_table(const struct telling *t)
{
	const struct group *grants = &t->groups[HOSTPROG_WATCHERS];
	printf("host program %u on ", t->info.id);
	put_text(stdout, t->info.root);
	printf(": %zu observer%s, %zu pinned\n", t->info.watchers, PLURAL(t->info.watchers), t->info.pinned);
	for (size_t i = 0; i < HOSTPROG_WATCHERS; i++)
		if (t->groups[i].watcher)
			print_group(t, &t->groups[i]);
	if (grants->n)
		puts("requests that grants opened, all in all\n     granted  cgroup");
	for (size_t i = 0; i < grants->n; i++) {
		put_number(grants->rows[i].count->granted);
		put_whose(t, &grants->rows[i]);
	}
	if (t->uncounted)
		printf("%" PRIu64 " requests more are in no count of a cgroup: there are too many cgroups\n", t->uncounted);
}

/* ---- for programs ---------------------------------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
	return text && *text ? text_json(text) : json_null();
}

static json_t *row_json(const struct row *row, bool grants)
{
	const struct container_told *t = &row->container;
	const struct host_count *n = row->count;
	json_t *o = json_pack("{s:o, s:I, s:o, s:o}", "cgroup", text_or_null(row->path), "cgroup_id", (json_int_t)row->entry->cgroup, "container",
	                      t->id || t->name ? json_pack("{s:o, s:o, s:o, s:o}", "engine", text_or_null(t->engine), "id", text_or_null(t->id),
	                                                   "name", text_or_null(t->name), "pod", text_or_null(t->pod))
	                                       : json_null(),
	                      "unit", text_or_null(t->unit));
	json_object_set_new(o, "below", json_boolean(row->entry->below));
	json_object_set_new(o, "granted", json_integer((json_int_t)n->granted));
	if (grants)
		return o;
	json_object_set_new(o, "denied", json_integer((json_int_t)n->denied));
	json_object_set_new(o, "permitted", json_integer((json_int_t)n->permitted));
	json_object_set_new(o, "allowed", json_integer((json_int_t)n->allowed));
	json_object_set_new(o, "recorded", json_integer((json_int_t)n->recorded));
	json_object_set_new(o, "lost", json_integer((json_int_t)n->lost));
	return o;
}

static json_t *rows_json(const struct group *g, bool grants)
{
	json_t *list = json_array();
	for (size_t i = 0; i < g->n; i++)
		json_array_append_new(list, row_json(&g->rows[i], grants));
	return list;
}

static void fill_json(const struct telling *t)
{
	json_t *observers = json_array(), *out = t->c->json.out;
	for (size_t i = 0; i < HOSTPROG_WATCHERS; i++) {
		const struct group *g = &t->groups[i];
		if (g->watcher)
			json_array_append_new(observers,
			                      json_pack("{s:I, s:o, s:s, s:b, s:I, s:o}", "number", (json_int_t)g->number, "of", text_json(g->scope), "kind",
			                                kind_of(g->watcher->flags), "pinned", (g->watcher->flags & WATCHER_PINNED) != 0, "since",
			                                (json_int_t)(g->watcher->since / NSEC), "counts", rows_json(g, false)));
	}
	json_object_set_new(out, "program", json_integer(t->info.id));
	json_object_set_new(out, "observers", observers);
	json_object_set_new(out, "grants", rows_json(&t->groups[HOSTPROG_WATCHERS], true));
	json_object_set_new(out, "uncounted", json_integer((json_int_t)t->uncounted));
}

/* ---- for Prometheus ----------------------------------------------------------------------------------- */

/* `metric{observer="0",cgroup="/web",...`: more labels and the brace follow. */
static void put_series(const struct group *g, const struct row *row, const char *metric)
{
	const struct container_told *t = &row->container;
	char id[24];
	snprintf(id, sizeof id, "%" PRIu64, row->entry->cgroup);
	printf("rucy_devguard_%s{cgroup_id=\"%s\"", metric, id);
	if (row->entry->below)
		fputs(",below=\"true\"", stdout);
	if (g->watcher)
		printf(",observer=\"%u\"", g->number);
	prometheus_label(stdout, "cgroup", row->path ? row->path : "");
	prometheus_label(stdout, "engine", t->engine ? t->engine : "");
	prometheus_label(stdout, "container", t->name ? t->name : t->id ? t->id : "");
	prometheus_label(stdout, "pod", t->pod ? t->pod : "");
	prometheus_label(stdout, "unit", t->unit ? t->unit : "");
}

static void put_count(const struct group *g, const struct row *row, const char *metric, const char *label, const char *value, uint64_t count)
{
	put_series(g, row, metric);
	prometheus_label(stdout, label, value);
	printf("} %" PRIu64 "\n", count);
}

static void print_requests(const struct group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct row *row = &g->rows[i];
		put_count(g, row, "observed_requests_total", "verdict", "deny", row->count->denied);
		put_count(g, row, "observed_requests_total", "verdict", "granted", row->count->granted);
		put_count(g, row, "observed_requests_total", "verdict", "permitted", row->count->permitted);
		if (g->watcher->flags & WATCHER_ALL)
			put_count(g, row, "observed_requests_total", "verdict", "allow", row->count->allowed);
	}
}

static void print_records(const struct group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		put_count(g, &g->rows[i], "observed_records_total", "result", "recorded", g->rows[i].count->recorded);
		put_count(g, &g->rows[i], "observed_records_total", "result", "lost", g->rows[i].count->lost);
	}
}

static void print_prometheus(const struct telling *t)
{
	const struct group *grants = &t->groups[HOSTPROG_WATCHERS];
	prometheus_head(stdout, "observer_info", "gauge", "Who observes, pinned or running.");
	for (size_t i = 0; i < HOSTPROG_WATCHERS; i++)
		if (t->groups[i].watcher) {
			printf("rucy_devguard_observer_info{observer=\"%zu\"", i);
			prometheus_label(stdout, "of", t->groups[i].scope);
			prometheus_label(stdout, "kind", kind_of(t->watchers[i].flags));
			prometheus_label(stdout, "pinned", t->watchers[i].flags & WATCHER_PINNED ? "true" : "false");
			puts("} 1");
		}
	prometheus_head(stdout, "observed_requests_total", "counter", "Requests that an observer counted, whoever decided.");
	for (size_t i = 0; i < HOSTPROG_WATCHERS; i++)
		if (t->groups[i].watcher)
			print_requests(&t->groups[i]);
	prometheus_head(stdout, "observed_records_total", "counter", "What became of their records.");
	for (size_t i = 0; i < HOSTPROG_WATCHERS; i++)
		if (t->groups[i].watcher)
			print_records(&t->groups[i]);
	prometheus_head(stdout, "granted_requests_total", "counter", "Requests that were denied and that a grant opened.");
	for (size_t i = 0; i < grants->n; i++) {
		put_series(grants, &grants->rows[i], "granted_requests_total");
		printf("} %" PRIu64 "\n", grants->rows[i].count->granted);
	}
	prometheus_head(stdout, "uncounted_requests_total", "counter", "Requests that are in no series: there were too many cgroups.");
	printf("rucy_devguard_uncounted_requests_total %" PRIu64 "\n", t->uncounted);
}

int observe_told(struct cmd *c, const struct cgroup *cg, enum told_form form)
{
	struct telling t = {.c = c, .cgroup = cg, .paths = cgroup_paths_new(c->arena)};
	struct hostprog *hp;
	struct diags ignored;
	diags_init(&ignored, c->arena);
	hostprog_tidy(c->arena, &ignored, hostprog_make); /* what was killed observes no more */
	if (hostprog_open(c->arena, &c->diags, &hp))
		return STATUS_FAILED;
	if (!hp) {
		diag_fail(&c->diags, "to have the kernel count from now on: " PROGRAM " observe / --pin --timeout 0",
		          "nobody observes, and there are no grants: the host program is not attached");
		return STATUS_FAILED;
	}
	int failed = read_counts(&t, hp);
	if (!failed && form == TOLD_PROMETHEUS)
		print_prometheus(&t);
	else if (!failed && form == TOLD_JSON)
		fill_json(&t);
	else if (!failed)
		print_table(&t);
	hostprog_close(hp);
	return failed ? STATUS_FAILED : STATUS_OK;
}
