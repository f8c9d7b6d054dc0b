/*
 * list.c - the entries of the kernel as grants, and what became of each.
 *
 * Of one cgroup everything is found out once: there may be thousands of grants for it.
 */
#include "cmd/grant/grant.h"
#include "cmd/where/where.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static int by_id(const void *a, const void *b)
{
	const struct host_grant *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

void grants_group(struct arena *a, const struct host_grant *entries, size_t n, struct grant **list, size_t *grants)
{
	struct host_grant *sorted = arena_alloc(a, n * sizeof *sorted + 1);
	size_t cap = 0;
	*list = NULL;
	*grants = 0;
	if (n)
		memcpy(sorted, entries, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_id);
	for (size_t i = 0; i < n; i++) {
		struct grant *g = *grants ? &(*list)[*grants - 1] : NULL;
		if (!g || g->list->id != sorted[i].id) {
			g = ARENA_PUSH(a, *list, *grants, cap);
			*g = (struct grant){.list = &sorted[i]};
		}
		g->n++;
		g->used += sorted[i].used;
	}
}

/* ---- states ------------------------------------------------------------------------------- */

/* What is known of one cgroup. */
struct place {
	uint64_t id;
	const char *container;
	enum grant_state state;
	const char *guard;
};

struct places {
	struct cmd *c;
	struct cgroup_paths *paths;
	struct place *list;
	size_t n, cap;
};

static const char *at_mount(struct cmd *c, const char *path)
{
	const char *mount = cgroup_mount(c->arena);
	return mount ? arena_printf(c->arena, "%s%s", mount, strcmp(path, "/") ? path : "") : NULL;
}

/* The cgroup is gone: is there another one of its path, or of the container's name? */
static bool made_anew(struct cmd *c, const struct host_grant *g)
{
	const char *path = at_mount(c, g->path);
	struct diags kept = c->diags;
	struct cgroup *cg = NULL;
	struct stat st;
	if (path && !stat(path, &st))
		return true;
	if (!*g->container)
		return false;
	diags_init(&c->diags, c->arena);
	bool there = !where_open_name(c, arena_printf(c->arena, "container:%s", g->container), &cg);
	c->diags = kept;
	cgroup_close(cg);
	return there;
}

/* The policy of a guard that does not allow grants there. */
static const char *refusing_guard(struct places *all, const struct host_grant *g)
{
	struct cmd *c = all->c;
	const char *now = cgroup_path_of(all->paths, g->key.cgroup), *path = now ? at_mount(c, now) : NULL, *at_path;
	struct attached *at = arena_alloc(c->arena, sizeof *at);
	struct diags ignored;
	struct cgroup *cg;
	diags_init(&ignored, c->arena);
	if (!path || cgroup_open(c->arena, &ignored, path, &cg))
		return NULL;
	bool refuses = cg->id == g->key.cgroup && !grants_refused_by(c->arena, &ignored, cg, at, &at_path) && at->ours;
	cgroup_close(cg);
	return refuses ? at->name : NULL;
}

static const struct place *place_of(struct places *all, const struct host_grant *g)
{
	for (size_t i = all->n; i-- > 0;)
		if (all->list[i].id == g->key.cgroup && !strcmp(all->list[i].container, g->container))
			return &all->list[i];
	struct place p = {.id = g->key.cgroup, .container = g->container};
	if (!cgroup_id_lives(p.id))
		p.state = made_anew(all->c, g) ? GRANT_NEW : GRANT_GONE;
	else if ((p.guard = refusing_guard(all, g)))
		p.state = GRANT_GUARDED;
	*ARENA_PUSH(all->c->arena, all->list, all->n, all->cap) = p;
	return &all->list[all->n - 1];
}

void grants_look(struct cmd *c, struct grant *list, size_t n)
{
	struct places all = {.c = c, .paths = cgroup_paths_new(c->arena)};
	uint64_t now = boot_ns();
	for (size_t i = 0; i < n; i++) {
		const struct host_grant *g = list[i].list;
		const struct place *p = place_of(&all, g);
		list[i].state = p->state;
		list[i].guard = p->guard;
		bool ended = g->until && g->until <= now;
		if (ended && (p->state == GRANT_ACTIVE || p->state == GRANT_GUARDED || (g->seconds && *g->container)))
			list[i].state = GRANT_ENDED;
	}
}

const char *grant_state_text(struct arena *a, const struct grant *g)
{
	switch (g->state) {
	case GRANT_ACTIVE: return "active";
	case GRANT_ENDED: return "over";
	case GRANT_NEW: return *g->list->container ? "container is new" : "its cgroup is new";
	case GRANT_GONE: return "its cgroup is gone";
	case GRANT_GUARDED: return arena_printf(a, "guard '%s' does not allow grants", g->guard);
	}
	return "?";
}

/* ---- what entries say ------------------------------------------------------------------------ */

uint64_t grant_until(const struct host_grant *g)
{
	enum { SECOND = 1000000000 };
	struct timespec now;
	if (!g->until)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t left = (int64_t)(g->until - boot_ns());
	return (uint64_t)((now.tv_sec * (int64_t)SECOND + now.tv_nsec + left) / SECOND);
}

/* What does not fit ends in dots, before a character. */
void grant_field(char *out, size_t size, const char *text)
{
	size_t n = strlen(text);
	if (n < size) {
		memcpy(out, text, n + 1);
		return;
	}
	for (n = size - sizeof "..."; n && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
		;
	memcpy(out, text, n);
	strcpy(out + n, "...");
}

void grant_set_path(struct host_grant *g, const struct cgroup *cg)
{
	const char *path = cg->path + strlen(cg->mount);
	grant_field(g->path, sizeof g->path, *path ? path : "/");
}

bool grant_of_path(const struct host_grant *g, const char *path)
{
	char field[sizeof g->path];
	grant_field(field, sizeof field, path);
	return !strcmp(field, g->path);
}

bool grant_path_above(const char *above, const char *path)
{
	size_t n = strcmp(above, "/") ? strlen(above) : 0;
	return !strncmp(above, path, n) && (!path[n] || path[n] == '/');
}
