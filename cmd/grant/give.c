/*
 * give.c - gives a grant: what is asked for becomes entries in the kernel, and is told.
 *
 * Every DEVICE is a grant of its own, with its own number. An entry with the same key is the same device for the same
 * cgroup: the new one takes its place, and the node that was made for it goes along.
 *
 * A node is made between two puts of its entry: by the first it opens nothing yet, or what it opened before, and it says what
 * is being made; by the second it opens. Killed in between, the next command finds what to remove.
 */
#include "cmd/grant/grant.h"
#include "cmd/grant/node.h"
#include "compiler/compiler.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct giving {
	struct cmd *c;
	const struct grant_wish *wish;
	struct hostprog *hp;
	struct host_grant *before; /* all entries, as they were */
	size_t nbefore;
	struct host_grant *list;   /* those to be put */
	size_t n;
};

/* ---- entries ------------------------------------------------------------------------------ */

static struct host_grant template_of(const struct grant_wish *w)
{
	struct host_grant g = {.seconds = 0};
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	g.time = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	g.until = w->ns ? boot_ns() + w->ns : 0;
	g.seconds = w->ns / 1000000000;
	grant_field(g.reason, sizeof g.reason, w->reason ? w->reason : "");
	grant_set_path(&g, w->target.cg);
	grant_field(g.container, sizeof g.container, w->target.container ? w->target.container : "");
	grant_giver(&g);
	return g;
}

static const struct host_grant *entry_before(const struct giving *v, const struct grant_key *key)
{
	for (size_t i = 0; i < v->nbefore; i++)
		if (!memcmp(&v->before[i].key, key, sizeof *key))
			return &v->before[i];
	return NULL;
}

/* All that is said of a node stands at the end of an entry. */
static void keep_node(struct host_grant *g, const struct host_grant *old)
{
	const size_t at = offsetof(struct host_grant, node);
	memcpy((char *)g + at, (const char *)old + at, sizeof *g - at);
}

static void make_entries(struct giving *v)
{
	const struct grant_wish *w = v->wish;
	struct host_grant like = template_of(w);
	size_t total = 0;
	for (size_t i = 0; i < w->n; i++)
		total += w->devices[i].n;
	v->list = arena_alloc(v->c->arena, total * sizeof *v->list);
	like.id = grant_next_id(v->hp, v->before, v->nbefore, w->n);
	for (size_t i = 0; i < w->n; i++, like.id++) {
		const struct grant_device *d = &w->devices[i];
		like.access = d->access;
		grant_field(like.device, sizeof like.device, d->text);
		for (size_t k = 0; k < d->n; k++) {
			struct host_grant *g = &v->list[v->n++];
			*g = like;
			g->key = d->keys[k];
			g->key.cgroup = w->target.cg->id;
			const struct host_grant *old = entry_before(v, &g->key);
			if (old)
				keep_node(g, old);
		}
	}
}

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct grant_key));
}

/* The same device for the same cgroup twice in one command would be one entry with two numbers. */
static int named_twice(struct cmd *c, const struct grant_wish *w)
{
	size_t total = 0, n = 0;
	for (size_t i = 0; i < w->n; i++)
		total += w->devices[i].n;
	struct grant_key *keys = arena_alloc(c->arena, total * sizeof *keys);
	for (size_t i = 0; i < w->n; i++)
		for (size_t k = 0; k < w->devices[i].n; k++)
			keys[n++] = w->devices[i].keys[k];
	qsort(keys, n, sizeof *keys, by_key);
	for (size_t i = 1; i < n; i++)
		if (!by_key(&keys[i - 1], &keys[i]))
			return usage_error(c, "name it once, with all its letters", "two of the devices are, or have in common, %s",
			                   grant_numbers(c->arena, &(struct host_grant){.key = keys[i]}, 1));
	return STATUS_OK;
}

/* ---- told --------------------------------------------------------------------------------- */

/* Where the number is from. */
static void tell_number(const struct grant_device *d)
{
	if (!d->by_node)
		return;
	fputs("  the number is that of ", stdout);
	put_text(stdout, *d->text == '/' ? d->text : d->path ? d->path : d->text);
	fputs(" on this host", stdout);
	if (d->leads) {
		fputs(", a link to ", stdout);
		put_text(stdout, d->leads);
	}
	puts(": a node that changes later changes no grant");
}

/* How many entries the grant had. */
static size_t entries_before(const struct giving *v, uint64_t id)
{
	size_t n = 0;
	for (size_t i = 0; i < v->nbefore; i++)
		n += v->before[i].id == id;
	return n;
}

/* Does a number lose letters, or its end? */
static void tell_narrower(const struct host_grant *old, const struct host_grant *now)
{
	if (old->access & ~now->access || (now->until && (!old->until || old->until > now->until)))
		puts("  that one had more letters or a later end: it does not come back when this one is over");
}

static void tell_replaced(const struct giving *v, const struct grant *g)
{
	uint64_t told = 0;
	for (size_t i = 0; i < g->n; i++) {
		const struct host_grant *old = entry_before(v, &g->list[i].key);
		size_t taken = 0;
		char access[4];
		if (!old || old->id == told)
			continue;
		told = old->id;
		for (size_t k = i; k < g->n; k++) {
			const struct host_grant *other = entry_before(v, &g->list[k].key);
			taken += other && other->id == old->id;
		}
		printf("  it takes the place of %sgrant %llu (", taken < entries_before(v, old->id) ? "a part of " : "", (unsigned long long)old->id);
		put_text(stdout, old->device);
		printf(" %s)\n", access_text((int)old->access, access));
		tell_narrower(old, g->list);
	}
}

static void tell_one(const struct giving *v, const struct grant *g, const struct grant_device *d)
{
	struct arena *a = v->c->arena;
	const struct host_grant *one = g->list;
	char access[4];
	printf("grant %llu: ", (unsigned long long)one->id);
	put_text(stdout, grant_device_text(a, one, g->n));
	printf(" %s for ", access_text((int)one->access, access));
	put_text(stdout, v->wish->target.cg->path);
	if (one->until)
		printf(", for %s (until %s)\n", duration_text(a, one->seconds), grant_time_text(a, grant_until(one)));
	else
		puts(", until it is taken back");
	tell_number(d);
	tell_replaced(v, g);
	if (one->node != GRANT_NODE_NONE) {
		fputs("  its node there: ", stdout);
		put_text(stdout, one->node_path);
		putchar('\n');
	}
	printf("  to take it back: " PROGRAM " revoke --id %llu\n", (unsigned long long)one->id);
}

static json_t *replaced_json(const struct giving *v)
{
	json_t *list = json_array();
	for (size_t i = 0; i < v->nbefore; i++) {
		bool again = i && v->before[i].id == v->before[i - 1].id;
		for (size_t k = 0; k < v->n && !again; k++)
			if (!memcmp(&v->before[i].key, &v->list[k].key, sizeof v->list[k].key)) {
				json_array_append_new(list, json_integer((json_int_t)v->before[i].id));
				break;
			}
	}
	return list;
}

static void tell(const struct giving *v)
{
	struct cmd *c = v->c;
	struct grant *list;
	size_t n;
	json_t *all = json_array();
	grants_group(c->arena, v->list, v->n, &list, &n);
	for (size_t i = 0; i < n; i++) {
		if (c->json.on)
			json_array_append_new(all, grant_json(c, &list[i]));
		else
			tell_one(v, &list[i], &v->wish->devices[i]);
	}
	if (c->json.on) {
		json_object_set(c->json.out, "grants", all);
		json_object_set_new(c->json.out, "replaced", replaced_json(v));
	} else {
		puts("Also asked as before: the node's mode and owner, capabilities, cgroup v1, the driver.");
	}
	json_decref(all);
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* ---- with a node ---------------------------------------------------------------------------- */

static bool is_live(const struct host_grant *g)
{
	return g && (!g->until || g->until > boot_ns());
}

struct keeping {
	struct giving *v;
	struct host_grant *entry;
};

static int keep_entry(void *arg)
{
	struct keeping *k = arg;
	return grant_put(k->v->c->arena, &k->v->c->diags, k->v->hp, k->entry, 1);
}

/* It was not made: what was there before stays, and what is left of the node is written down. */
static int not_made(struct giving *v, const struct host_grant *entry, const struct host_grant *old)
{
	if (entry->node != GRANT_NODE_NONE)
		return -1;
	if (old)
		grant_put(v->c->arena, &v->c->diags, v->hp, old, 1);
	else
		grant_remove(&v->c->diags, v->hp, &entry->key, 1);
	return -1;
}

/* The entry that was there has made one already. 1: it is kept, 0: nothing of it is there any more, -1 with a diagnostic. */
static int keep_old_node(struct giving *v, struct host_grant *g, const struct host_grant *old)
{
	struct cmd *c = v->c;
	const char *path = v->wish->node_path, *told;
	bool stands = node_stands(c->arena, old);
	if (stands && path && strcmp(path, old->node_path))
		return diag_fail(&c->diags, arena_printf(c->arena, "take it back first: " PROGRAM " revoke --id %llu", (unsigned long long)old->id),
		                 "grant %llu has made a node of this device at %s", (unsigned long long)old->id, old->node_path);
	if (stands)
		return 1;
	if (node_remove(c->arena, old, &told) < 0)
		return diag_fail(&c->diags, arena_printf(c->arena, "try to take it back: " PROGRAM " revoke --id %llu", (unsigned long long)old->id),
		                 "what grant %llu made at %s cannot be removed: %s", (unsigned long long)old->id, old->node_path, told);
	const struct host_grant none = {.node = GRANT_NODE_NONE};
	keep_node(g, &none);
	return 0;
}

/* The one entry there is gets its node. 0, or -1: nothing more than before is open. */
static int make_node(struct giving *v)
{
	struct cmd *c = v->c;
	const struct grant_wish *w = v->wish;
	struct host_grant *g = &v->list[0];
	const struct host_grant *old = entry_before(v, &g->key);
	if (g->node != GRANT_NODE_NONE) {
		int kept = keep_old_node(v, g, old);
		if (kept)
			return kept < 0 ? -1 : 0;
	}
	struct host_grant entry = is_live(old) ? *old : *g;
	keep_node(&entry, g);
	if (!is_live(old))
		entry.until = 1;
	struct node_wish wish = {.cg = w->target.cg,
	                         .pid = w->target.held.pidfd >= 0 ? w->target.held.pid : 0,
	                         .type = (int)g->key.type,
	                         .major = g->key.major,
	                         .minor = g->key.minor,
	                         .access = g->access,
	                         .device = w->devices[0].path,
	                         .path = w->node_path};
	if (node_make(c->arena, &c->diags, &wish, &entry, keep_entry, &(struct keeping){v, &entry}))
		return not_made(v, &entry, old);
	keep_node(g, &entry);
	return 0;
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* Nodes of grants that are over. What had a key that was given now is no more: that entry is the new grant's. */
static void clear_others(struct giving *v)
{
	for (size_t i = 0; i < v->nbefore; i++) {
		size_t k = 0;
		while (k < v->n && memcmp(&v->list[k].key, &v->before[i].key, sizeof v->list[k].key))
			k++;
		if (k == v->n)
			grants_clear_nodes(v->c, v->hp, &v->before[i], 1);
	}
}

static int put(struct giving *v)
{
	struct cmd *c = v->c;
	if (grants_read(c->arena, &c->diags, v->hp, &v->before, &v->nbefore))
		return -1;
	make_entries(v);
	int failed = v->wish->node ? make_node(v) : 0;
	if (!failed)
		failed = grant_put(c->arena, &c->diags, v->hp, v->list, v->n);
	clear_others(v);
	return failed;
}

static int confirm(struct cmd *c, const struct grant_target *t)
{
	return t->held.pidfd >= 0 ? process_confirm(c->arena, &c->diags, &t->held, t->cg) : 0;
}

static int give(struct cmd *c, struct grant_wish *w)
{
	struct giving v = {.c = c, .wish = w};
	if (hostprog_need(c->arena, &c->diags, HOSTPROG_GRANTS, hostprog_make, &v.hp))
		return STATUS_FAILED;
	int failed = put(&v);
	if (failed)
		hostprog_settle(c->arena, &c->diags, v.hp, hostprog_make);
	hostprog_unlock(v.hp);
	if (!failed) {
		tell(&v);
		grant_remarks(c, v.hp, &w->target, w->devices, w->n, w->node);
	}
	hostprog_close(v.hp);
	return failed || confirm(c, &w->target) ? STATUS_FAILED : STATUS_OK;
}

/* --node makes one node. */
static int check_node(struct cmd *c, const struct grant_wish *w)
{
	if (!w->node)
		return STATUS_OK;
	if (w->n != 1 || w->devices[0].n != 1 || w->devices[0].keys[0].minor == GRANT_ANY_MINOR)
		return usage_error(c, "grant it by itself: " PROGRAM " grant /web /dev/fuse --node", "--node makes the node of one device");
	return STATUS_OK;
}

int grant_give(struct cmd *c, struct grant_wish *w)
{
	int status = check_node(c, w);
	if (!status)
		status = named_twice(c, w);
	if (status)
		return status;
	if (target_open(c, &w->target))
		status = STATUS_FAILED;
	if (!status)
		status = grant_allowed(c, &w->target);
	if (!status)
		status = give(c, w);
	target_close(&w->target);
	return status;
}
