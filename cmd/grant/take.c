/*
 * take.c - takes grants back.
 *
 * A grant with a node is ended first, then its node is removed, then its entry: wherever that is cut off, the device is
 * closed, and the entry says what is still to be removed.
 */
#include "cmd/grant/grant.h"
#include "cmd/grant/node.h"
#include "compiler/compiler.h"

#include <string.h>

struct taking {
	struct cmd *c;
	struct diags absent;   /* why the cgroup that was named could not be opened */
	const struct grant_choice *choice;
	struct hostprog *hp;
	struct host_grant *all;
	size_t nall;
	bool *chosen;          /* of all */
	struct host_grant *list; /* those chosen */
	size_t n, failed;      /* of nodes that could not be removed */
};

/* ---- which ------------------------------------------------------------------------------------ */

static const char *relative(const struct cgroup *cg)
{
	const char *path = cg->path + strlen(cg->mount);
	return *path ? path : "/";
}

/* The cgroup has gone: what the grant says of it. */
static bool named_so(struct arena *a, const struct grant_target *t, const struct host_grant *g)
{
	const char *mount = t->text && *t->text == '/' ? cgroup_mount(a) : NULL;
	size_t n = mount ? strlen(mount) : 0;
	if (t->container && *g->container && !strcmp(t->container, g->container))
		return true;
	if (t->by_option || !mount || cgroup_id_lives(g->key.cgroup))
		return false;
	return grant_of_path(g, t->text) || (!strncmp(t->text, mount, n) && t->text[n] == '/' && grant_of_path(g, t->text + n));
}

static bool of_cgroup(struct arena *a, const struct grant_target *t, const struct host_grant *g)
{
	if (!t->cg)
		return named_so(a, t, g);
	return g->key.cgroup == t->cg->id || (t->container && !strcmp(t->container, g->container)) ||
	       (grant_of_path(g, relative(t->cg)) && !cgroup_id_lives(g->key.cgroup));
}

static bool of_devices(const struct grant_choice *w, const struct host_grant *g)
{
	for (size_t i = 0; i < w->n; i++)
		for (size_t k = 0; k < w->devices[i].n; k++)
			if (grant_covers(&w->devices[i].keys[k], &g->key))
				return true;
	return !w->devices;
}

static bool is_chosen(struct arena *a, const struct grant_choice *w, const struct host_grant *g)
{
	if (w->all)
		return true;
	return w->id ? g->id == w->id : of_cgroup(a, &w->target, g) && of_devices(w, g);
}

static void choose(struct taking *t)
{
	t->chosen = arena_alloc(t->c->arena, t->nall + 1);
	t->list = arena_alloc(t->c->arena, (t->nall + 1) * sizeof *t->list);
	for (size_t i = 0; i < t->nall; i++)
		if ((t->chosen[i] = is_chosen(t->c->arena, t->choice, &t->all[i])))
			t->list[t->n++] = t->all[i];
}

/* A device that was named is part of a grant that is for more. */
static const struct host_grant *wider(const struct taking *t)
{
	const struct grant_choice *w = t->choice;
	for (size_t i = 0; i < t->nall; i++)
		for (size_t d = 0; d < w->n && of_cgroup(t->c->arena, &w->target, &t->all[i]); d++)
			for (size_t k = 0; k < w->devices[d].n; k++)
				if (grant_covers(&t->all[i].key, &w->devices[d].keys[k]))
					return &t->all[i];
	return NULL;
}

static int none_found(struct taking *t)
{
	struct cmd *c = t->c;
	const struct grant_choice *w = t->choice;
	const struct host_grant *more = t->nall ? wider(t) : NULL;
	if (w->all) {
		if (!c->json.on)
			puts("there are no grants");
		return STATUS_OK;
	}
	if (more)
		diag_fail(&c->diags, arena_printf(c->arena, "take that back: " PROGRAM " revoke --id %llu", (unsigned long long)more->id),
		          "nothing was taken back: %s is part of grant %llu, which is for %s", w->devices[0].text, (unsigned long long)more->id,
		          more->device);
	else if (w->id)
		diag_fail(&c->diags, "`" PROGRAM " grants` shows those that there are", "there is no grant %llu", (unsigned long long)w->id);
	else if (!w->target.cg && t->absent.errors && (w->target.pid || !w->target.text))
		for (size_t i = 0; i < t->absent.n; i++) {
			const struct diag *d = &t->absent.items[i];
			diag_add(&c->diags, d->level, d->at, d->hint, "%s", d->text);
		}
	else
		diag_fail(&c->diags, "`" PROGRAM " grants` shows those that there are", "there is no grant of %s for %s",
		          w->devices ? w->devices[0].text : "anything", w->target.cg ? w->target.cg->path : w->target.text);
	return STATUS_FAILED;
}

/* ---- taken ------------------------------------------------------------------------------------ */

/* The node, then the entry. 0, or -1: the node is still there, and so is the entry. *told: why. */
static int take_node(struct cmd *c, struct diags *d, struct hostprog *hp, const struct host_grant *g, const char **told)
{
	return node_remove(c->arena, g, told) < 0 || grant_remove(d, hp, &g->key, 1) < 0 ? -1 : 0;
}

/* Of a cgroup that is gone no more can be done than was tried. */
static void clear_one(struct cmd *c, struct diags *d, struct hostprog *hp, const struct host_grant *g, bool lives)
{
	const char *told;
	if (take_node(c, d, hp, g, &told) && !lives)
		grant_remove(d, hp, &g->key, 1);
}

void grants_clear_nodes(struct cmd *c, struct hostprog *hp, const struct host_grant *entries, size_t n)
{
	struct diags ignored;
	uint64_t now = boot_ns();
	diags_init(&ignored, c->arena);
	for (size_t i = 0; i < n; i++) {
		const struct host_grant *g = &entries[i];
		bool lives = g->node == GRANT_NODE_NONE || cgroup_id_lives(g->key.cgroup);
		if (g->node != GRANT_NODE_NONE && (!lives || (g->until && g->until <= now)))
			clear_one(c, &ignored, hp, g, lives);
	}
}

/* All of them are closed when this returns 0. */
static int close_them(struct taking *t)
{
	struct cmd *c = t->c;
	struct grant_key *keys = arena_alloc(c->arena, (t->n + 1) * sizeof *keys);
	size_t plain = 0;
	for (size_t i = 0; i < t->n; i++) {
		struct host_grant ended = t->list[i];
		ended.until = 1;
		if (ended.node == GRANT_NODE_NONE)
			keys[plain++] = ended.key;
		else if (grant_put(c->arena, &c->diags, t->hp, &ended, 1))
			return -1;
	}
	return plain && grant_remove(&c->diags, t->hp, keys, plain) < 0 ? -1 : 0;
}

static void remove_node(struct taking *t, const struct host_grant *g)
{
	struct cmd *c = t->c;
	const char *told;
	if (take_node(c, &c->diags, t->hp, g, &told)) {
		t->failed++;
		diag_fail(&c->diags, "the grant is over; the next grant or revoke tries again", "the node %s is left: %s", g->node_path, told);
	} else if (*told) {
		diag_add(&c->diags, DIAG_WARNING, (struct span){0}, NULL, "of the node %s: %s", g->node_path, told);
	}
}

/* Those that were not chosen. */
static void clear_others(struct taking *t)
{
	for (size_t i = 0; i < t->nall; i++)
		if (!t->chosen[i] && t->all[i].node != GRANT_NODE_NONE)
			grants_clear_nodes(t->c, t->hp, &t->all[i], 1);
}

static int take(struct taking *t)
{
	if (close_them(t))
		return -1;
	for (size_t i = 0; i < t->n; i++)
		if (t->list[i].node != GRANT_NODE_NONE)
			remove_node(t, &t->list[i]);
	clear_others(t);
	hostprog_sweep(t->c->arena, t->hp);
	return hostprog_settle(t->c->arena, &t->c->diags, t->hp, hostprog_make);
}

/* ---- told ----------------------------------------------------------------------------------------- */

/* What was taken back is open by another grant, too. */
static void still_open(const struct taking *t)
{
	uint64_t now = boot_ns(), told = 0;
	for (size_t i = 0; i < t->nall; i++) {
		const struct host_grant *g = &t->all[i];
		if (t->chosen[i] || g->id == told || (g->until && g->until <= now))
			continue;
		for (size_t k = 0; k < t->n && g->id != told; k++) {
			if (!grant_covers(&g->key, &t->list[k].key) || !grant_path_above(g->path, t->list[k].path) || !cgroup_id_lives(g->key.cgroup))
				continue;
			told = g->id;
			diag_add(&t->c->diags, DIAG_WARNING, (struct span){0},
			         arena_printf(t->c->arena, PROGRAM " revoke --id %llu", (unsigned long long)g->id),
			         "%s is still open: grant %llu for %s covers it", t->list[k].device, (unsigned long long)g->id, g->path);
		}
	}
}

/* Does something of the grant stay? */
static bool rest_stays(const struct taking *t, uint64_t id)
{
	for (size_t i = 0; i < t->nall; i++)
		if (t->all[i].id == id && !t->chosen[i])
			return true;
	return false;
}

static void tell(struct taking *t)
{
	struct cmd *c = t->c;
	struct grant *list;
	size_t n;
	json_t *all = json_array();
	grants_group(c->arena, t->list, t->n, &list, &n);
	if (c->json.on)
		grants_look(c, list, n);
	for (size_t i = 0; i < n; i++) {
		const struct host_grant *g = list[i].list;
		char access[4];
		if (c->json.on) {
			json_array_append_new(all, grant_json(c, &list[i]));
			continue;
		}
		printf("taken back: %sgrant %llu: ", rest_stays(t, g->id) ? "a part of " : "", (unsigned long long)g->id);
		put_text(stdout, grant_device_text(c->arena, g, list[i].n));
		printf(" %s of ", access_text((int)g->access, access));
		put_text(stdout, g->path);
		printf(", used %llu time%s\n", (unsigned long long)list[i].used, PLURAL(list[i].used));
	}
	if (c->json.on)
		json_object_set(c->json.out, "grants", all);
	else
		puts("What has the device open keeps it: a descriptor is not taken back.");
	json_decref(all);
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static int take_chosen(struct taking *t)
{
	struct cmd *c = t->c;
	if (grants_read(c->arena, &c->diags, t->hp, &t->all, &t->nall))
		return STATUS_FAILED;
	choose(t);
	if (!t->n) {
		hostprog_sweep(c->arena, t->hp); /* what a command that was killed left */
		return hostprog_settle(c->arena, &c->diags, t->hp, hostprog_make) ? STATUS_FAILED : none_found(t);
	}
	if (take(t))
		return STATUS_FAILED;
	tell(t);
	still_open(t);
	return t->failed ? STATUS_FAILED : STATUS_OK;
}

/* A cgroup that is gone is found by what its grants say of it. */
static void open_target(struct cmd *c, struct grant_target *t, struct diags *absent)
{
	struct diags kept = c->diags;
	diags_init(&c->diags, c->arena);
	if (target_open(c, t))
		t->cg = NULL;
	*absent = c->diags;
	c->diags = kept;
}

int grant_take(struct cmd *c, struct grant_choice *w)
{
	struct taking t = {.c = c, .choice = w};
	const char *hint = NULL, *closed = hostprog_closed(c->arena, &hint);
	if (closed)
		return diag_fail(&c->diags, hint, "%s", closed), STATUS_FAILED;
	if (!w->all && !w->id)
		open_target(c, &w->target, &t.absent);
	int status = STATUS_FAILED;
	if (!hostprog_change(c->arena, &c->diags, &t.hp))
		status = t.hp ? take_chosen(&t) : none_found(&t);
	hostprog_close(t.hp);
	target_close(&w->target);
	return status;
}
