/*
 * rekey.c - a container that is made anew has a new cgroup: grants that name it go along.
 *
 * A container is the same when its engine says so (engines.c): it has the id, or the name, by which the grant was given,
 * and the cgroup of the grant is gone. What the grant opens, and until when, stays the same; below a guard that does not
 * allow grants it opens nothing, as before. Its node is not made again: at this time the container has no root yet.
 */
#include "cmd/grant/grant.h"
#include "cmd/where/where.h"

#include <string.h>

/* Its name was asked for already, mostly: there are many grants for one container. */
struct answer {
	const char *name;
	bool is;
};

struct rekeying {
	struct cmd *c;
	const char *id;
	const struct cgroup *cg;
	struct host_grant *all;
	size_t nall;
	struct answer *answers;
	size_t nanswers, cap;
};

static bool is_named(struct rekeying *r, const char *name)
{
	for (size_t i = 0; i < r->nanswers; i++)
		if (!strcmp(r->answers[i].name, name))
			return r->answers[i].is;
	struct answer one = {name, where_container_is(r->c, r->id, name)};
	*ARENA_PUSH(r->c->arena, r->answers, r->nanswers, r->cap) = one;
	return one.is;
}

static bool has_key(const struct rekeying *r, const struct grant_key *key)
{
	for (size_t i = 0; i < r->nall; i++)
		if (!memcmp(&r->all[i].key, key, sizeof *key))
			return true;
	return false;
}

static bool follows(struct rekeying *r, const struct host_grant *g)
{
	bool over = g->until && g->until <= boot_ns();
	return *g->container && !over && g->key.cgroup != r->cg->id && is_named(r, g->container) && !cgroup_id_lives(g->key.cgroup);
}

/* The entries that go along, and their keys of before. */
static size_t choose(struct rekeying *r, struct host_grant **list, struct grant_key **old)
{
	size_t n = 0;
	*list = arena_alloc(r->c->arena, (r->nall + 1) * sizeof **list);
	*old = arena_alloc(r->c->arena, (r->nall + 1) * sizeof **old);
	for (size_t i = 0; i < r->nall; i++) {
		struct host_grant g = r->all[i];
		if (!follows(r, &g))
			continue;
		g.key.cgroup = r->cg->id;
		if (has_key(r, &g.key))
			continue;
		grant_set_path(&g, r->cg);
		g.node = GRANT_NODE_NONE;
		memset(g.node_path, 0, sizeof g.node_path);
		(*old)[n] = r->all[i].key;
		(*list)[n++] = g;
	}
	return n;
}

static int rekey(struct rekeying *r, struct diags *d, struct hostprog *hp)
{
	struct host_grant *list;
	struct grant_key *old;
	if (grants_read(r->c->arena, d, hp, &r->all, &r->nall))
		return -1;
	size_t n = choose(r, &list, &old);
	return n && (grant_put(r->c->arena, d, hp, list, n) || grant_remove(d, hp, old, n) < 0) ? -1 : 0;
}

/* Nobody waits for a lock where there is nothing to do. 1, 0 or -1. */
static int anything(struct rekeying *r, struct diags *d)
{
	struct hostprog *hp;
	bool found = false;
	if (hostprog_open(r->c->arena, d, &hp))
		return -1;
	int failed = hp ? grants_read(r->c->arena, d, hp, &r->all, &r->nall) : 0;
	for (size_t i = 0; !failed && i < r->nall && !found; i++)
		found = follows(r, &r->all[i]);
	hostprog_close(hp);
	return failed ? -1 : found;
}

void grants_rekey(struct cmd *c, const char *id, const struct cgroup *cg)
{
	struct rekeying r = {.c = c, .id = id, .cg = cg};
	struct diags d;
	struct hostprog *hp = NULL;
	diags_init(&d, c->arena);
	int status = anything(&r, &d);
	if (status == 1) {
		status = hostprog_change(c->arena, &d, &hp);
		if (!status && hp)
			status = rekey(&r, &d, hp);
		hostprog_close(hp);
	}
	for (size_t i = 0; status && i < d.n; i++)
		if (d.items[i].level == DIAG_ERROR)
			diag_add(&c->diags, DIAG_WARNING, (struct span){0}, "give them again when it runs: " PROGRAM " grants shows them",
			         "grants of before do not open anything in container %s: %s", id, d.items[i].text);
}
