/* tell.c - grants as a table, and as JSON. */
#include "cmd/grant/grant.h"
#include "cmd/audit/audit.h"

#include <string.h>
#include <time.h>

const char *duration_text(struct arena *a, uint64_t seconds)
{
	static const struct { uint64_t seconds; char letter; } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	const char *text = "";
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (seconds >= units[i].seconds)
			text = arena_printf(a, "%s%llu%c", text, (unsigned long long)(seconds / units[i].seconds), units[i].letter);
		seconds %= units[i].seconds;
	}
	return *text ? text : "0s";
}

const char *grant_time_text(struct arena *a, uint64_t seconds)
{
	char buf[32];
	time_t t = (time_t)seconds;
	struct tm tm;
	if (!localtime_r(&t, &tm) || !strftime(buf, sizeof buf, "%Y-%m-%d %H:%M:%S", &tm))
		return "?";
	return arena_strdup(a, buf);
}

const char *grant_device_text(struct arena *a, const struct host_grant *list, size_t n)
{
	const char *numbers = grant_numbers(a, list, n);
	return strcmp(numbers, list->device) ? arena_printf(a, "%s (%s)", list->device, numbers) : numbers;
}

/* ---- a table -------------------------------------------------------------------------------- */

enum { COLUMNS = 7 };
struct table {
	struct arena *arena;
	const char *(*rows)[COLUMNS];
	size_t n;
	int widths[COLUMNS];
};

/* Escaped, as it is printed. */
static const char *shown(struct arena *a, const char *text)
{
	size_t room = 4 * strlen(text) + 1;
	char *out = arena_alloc(a, room);
	text_escape(out, room, text, strlen(text));
	return out;
}

static void add_row(struct table *t, const char *const cells[COLUMNS])
{
	for (int i = 0; i < COLUMNS; i++) {
		t->rows[t->n][i] = shown(t->arena, cells[i]);
		int width = columns_of(t->rows[t->n][i]);
		if (width > t->widths[i])
			t->widths[i] = width;
	}
	t->n++;
}

static const char *until_text(struct arena *a, const struct host_grant *g)
{
	return g->until ? grant_time_text(a, grant_until(g)) : "-";
}

static const char *state_text(struct arena *a, const struct grant *g)
{
	const char *node = g->list->node == GRANT_NODE_NONE ? ""
	                                                    : arena_printf(a, ", node %s", g->list->node_path);
	return arena_printf(a, "%s%s", grant_state_text(a, g), node);
}

static void print_row(const struct table *t, const char *const *cells)
{
	for (int i = 0; i < COLUMNS; i++) {
		bool last = i == COLUMNS - 1;
		fputs(cells[i], stdout);
		if (!last)
			printf("%*s", t->widths[i] - columns_of(cells[i]) + 2, "");
	}
	putchar('\n');
}

void grants_print(struct cmd *c, const struct grant *list, size_t n)
{
	struct arena *a = c->arena;
	struct table t = {.arena = a, .rows = arena_alloc(a, (n + 1) * sizeof *t.rows)};
	add_row(&t, (const char *const[COLUMNS]){"ID", "DEVICE", "ACCESS", "USED", "UNTIL", "STATE", "CGROUP"});
	for (size_t i = 0; i < n; i++) {
		const struct host_grant *g = list[i].list;
		char access[4];
		add_row(&t, (const char *const[COLUMNS]){
			arena_printf(a, "%llu", (unsigned long long)g->id), grant_device_text(a, g, list[i].n),
			access_text((int)g->access, access), arena_printf(a, "%llu", (unsigned long long)list[i].used),
			until_text(a, g), state_text(a, &list[i]),
			*g->container ? arena_printf(a, "%s (container %s)", g->path, g->container) : g->path});
	}
	for (size_t i = 0; i < t.n; i++) {
		print_row(&t, t.rows[i]);
		if (!i)
			continue;
		const struct host_grant *g = list[i - 1].list;
		printf("    given %s by ", grant_time_text(a, g->time / NSEC));
		put_text(stdout, g->user);
		if (*g->reason) {
			fputs(": ", stdout);
			put_text(stdout, g->reason);
		}
		putchar('\n');
	}
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static json_t *node_json(const struct host_grant *g)
{
	if (g->node == GRANT_NODE_NONE)
		return json_null();
	return json_pack("{s:s, s:o}", "kind", g->node == GRANT_NODE_MADE ? "made" : "mounted", "path", text_json(g->node_path));
}

json_t *grant_json(struct cmd *c, const struct grant *one)
{
	static const char *const states[] = {"active", "over", "new", "gone", "guarded"};
	const struct host_grant *g = one->list;
	char access[4];
	return json_pack("{s:I, s:o, s:s, s:s, s:o, s:I, s:o, s:o, s:I, s:o, s:I, s:o, s:o, s:I, s:s, s:o, s:o}",
	                 "id", (json_int_t)g->id, "device", text_json(g->device), "numbers", grant_numbers(c->arena, g, one->n),
	                 "access", access_text((int)g->access, access), "cgroup", text_json(g->path), "cgroup_id", (json_int_t)g->key.cgroup,
	                 "container", *g->container ? text_json(g->container) : json_null(),
	                 "user", text_json(g->user), "uid", (json_int_t)g->uid,
	                 "reason", *g->reason ? text_json(g->reason) : json_null(), "given_at", (json_int_t)(g->time / NSEC),
	                 "until", g->until ? json_integer((json_int_t)grant_until(g)) : json_null(),
	                 "seconds", g->seconds ? json_integer((json_int_t)g->seconds) : json_null(), "used", (json_int_t)one->used,
	                 "state", states[one->state], "guard", one->guard ? text_json(one->guard) : json_null(), "node", node_json(g));
}
