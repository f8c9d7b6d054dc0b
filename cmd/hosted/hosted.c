/* hosted.c - the host program that is attached, and what it does for one cgroup. */
#include "cmd/hosted/hosted.h"
#include "compiler/compiler.h"
#include "policy/dump.h"

#include <string.h>

/* ---- what is there -------------------------------------------------------------------------- */

/* What was said while it was looked at is why it is not known. */
static void not_known(struct hosted *h, const struct diags *said, const char *otherwise)
{
	h->failed = said->n ? said->items[said->n - 1].text : otherwise;
	h->hint = said->n ? said->items[said->n - 1].hint : NULL;
}

/* One that cannot be opened: its number, and where it is. */
static void find_number(struct cmd *c, struct hosted *out)
{
	struct diags ignored;
	struct cgroup *root;
	struct attached *list;
	size_t n;
	const char *mount = cgroup_mount(c->arena);
	diags_init(&ignored, c->arena);
	if (!mount || cgroup_open(c->arena, &ignored, mount, &root))
		return;
	if (!cgroup_query(c->arena, &ignored, root, &list, &n))
		for (size_t i = 0; i < n && !out->id; i++)
			out->id = list[i].host_parts ? list[i].id : 0;
	out->info.root = root->path;
	cgroup_close(root);
}

static void read_all(struct cmd *c, struct hostprog *hp, struct diags *said, struct hosted *out)
{
	struct arena *a = c->arena;
	if (hostprog_info(a, said, hp, hostprog_make, &out->info)) {
		not_known(out, said, "what the host program is cannot be told");
		return;
	}
	out->id = out->info.id;
	if (!out->info.genuine) {
		out->failed = arena_printf(a, "program %u has the maps of a host program, and other instructions than " PROGRAM " %s gives it: "
		                              "what it opens is not known", out->id, DEVGUARD_VERSION);
		out->hint = arena_printf(a, "whoever attached it knows; observe and grant put a genuine one in its place; it is taken off by: bpftool cgroup detach %s device id %u",
		                         out->info.root, out->id);
		return;
	}
	if (grants_read(a, said, hp, &out->grants, &out->ngrants) || watchers_read(said, hp, out->watchers))
		not_known(out, said, "its maps cannot be read");
	out->now = boot_ns();
	for (size_t i = 0; i < out->ngrants; i++)
		out->over += grant_over(out, &out->grants[i]);
	for (int k = 0; k < HOSTPROG_WATCHERS; k++)
		out->dead += out->watchers[k].flags & WATCHER_USED && !watcher_alive(hp, k);
}

void hosted_read(struct cmd *c, struct hosted *out)
{
	struct hostprog *hp;
	struct diags said;
	*out = (struct hosted){.id = 0};
	diags_init(&said, c->arena);
	if (hostprog_open(c->arena, &said, &hp)) {
		not_known(out, &said, "whether there is a host program cannot be told");
		find_number(c, out);
		return;
	}
	if (!hp)
		return;
	read_all(c, hp, &said, out);
	hostprog_close(hp);
}

int hosted_unbelieved(struct cmd *c)
{
	struct hosted h;
	hosted_read(c, &h);
	return h.failed ? diag_fail(&c->diags, h.hint, "the kernel cannot be asked: %s", h.failed) : 0;
}

bool hosted_known(const struct hosted *h)
{
	return h->id && !h->failed;
}

bool grant_over(const struct hosted *h, const struct host_grant *g)
{
	return g->until && g->until <= h->now;
}

/* ---- in a cgroup ------------------------------------------------------------------------------ */

/* Those of the cgroup and of all above it. Without ancestors a program asks for its own only. */
static bool concerns(const struct hosted_here *e, uint64_t id)
{
	size_t n = e->host->info.features & HOSTPROG_ANCESTORS ? e->nids : 1;
	for (size_t i = 0; i < n; i++)
		if (e->ids[i] == id)
			return true;
	return false;
}

static void find_ids(struct arena *a, const struct cgroup *cg, struct hosted_here *out)
{
	struct diags ignored;
	struct cgroup *at = NULL, *next;
	diags_init(&ignored, a);
	*ARENA_PUSH(a, out->ids, out->nids, out->ids_cap) = cg->id;
	for (next = cgroup_parent(a, &ignored, cg); next; next = cgroup_parent(a, &ignored, at)) {
		cgroup_close(at);
		at = next;
		*ARENA_PUSH(a, out->ids, out->nids, out->ids_cap) = at->id;
	}
	cgroup_close(at);
	out->level = (unsigned)out->nids - 1;
	out->deep = out->level > HOSTPROG_LEVELS;
	out->path = cg->path[strlen(cg->mount)] ? cg->path + strlen(cg->mount) : "/";
}

static void find_watchers(struct hosted_here *e)
{
	const uint64_t now = e->host->now;
	for (const struct host_watcher *w = e->host->watchers; w < e->host->watchers + HOSTPROG_WATCHERS; w++) {
		if (!(w->flags & WATCHER_USED) || !(w->flags & WATCHER_EVERYWHERE || concerns(e, w->cgroup)))
			continue;
		e->watchers += !(w->flags & WATCHER_GRANTED);
		if (w->flags & WATCHER_PERMIT && w->permit_until > now && w->permit_until > e->permit_until)
			e->permit_until = w->permit_until;
	}
}

int hosted_at(struct arena *a, struct diags *d, const struct hosted *h, const struct cgroup *cg, struct hosted_here *out)
{
	*out = (struct hosted_here){.host = h};
	if (!hosted_known(h))
		return 0;
	find_ids(a, cg, out);
	find_watchers(out);
	out->list = arena_alloc(a, (h->ngrants + 1) * sizeof *out->list);
	for (const struct host_grant *g = h->grants; g < h->grants + h->ngrants; g++)
		if (!grant_over(h, g) && concerns(out, g->key.cgroup))
			out->list[out->n++] = g;
	return grants_refused_by(a, d, cg, &out->guard, &out->guard_on);
}

bool hosted_opens(const struct hosted_here *e)
{
	return (e->n || e->permit_until) && !e->guard.ours && !e->deep;
}

bool hosted_is(const struct hosted *h, uint32_t id)
{
	return h && hosted_known(h) && h->id == id;
}

bool hosted_dump(struct arena *a, const struct hosted_here *e, struct dump *out)
{
	struct dump_opens *opens = arena_alloc(a, (e->n + 1) * sizeof *opens);
	*out = (struct dump){.is = e->permit_until && hosted_opens(e) ? DUMP_OPENS_ALL : DUMP_OPENS, .opens = opens};
	for (size_t i = 0; i < e->n && hosted_opens(e); i++) {
		const struct host_grant *g = e->list[i];
		opens[out->nopens++] = (struct dump_opens){(uint32_t)g->key.type, g->key.major, g->key.minor, g->access};
	}
	return true;
}
_Static_assert(GRANT_ANY_MINOR == OPENS_ANY_MINOR, "any minor is written alike");
