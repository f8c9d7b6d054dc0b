/* answer.c - what the host program makes of one request that a program below denies. It asks as the program does. */
#include "cmd/hosted/hosted.h"
#include "policy/access.h"
#include "policy/request.h"

#include <string.h>

static bool for_device(const struct host_grant *g, const struct request *r)
{
	return (int)g->key.type == r->type && (int64_t)g->key.major == r->major &&
	       (g->key.minor == GRANT_ANY_MINOR || (int64_t)g->key.minor == r->minor);
}

static bool covers(const struct host_grant *g, const struct request *r)
{
	return !((uint32_t)r->access & ~g->access);
}

/* How far above the cgroup it is given, and there one device before all of a major: so the program asks. */
static size_t rank(const struct hosted_here *e, const struct host_grant *g)
{
	size_t i = 0;
	while (i < e->nids && e->ids[i] != g->key.cgroup)
		i++;
	return 2 * i + (g->key.minor == GRANT_ANY_MINOR);
}

/* The first that is for the device; `all`: and covers what is asked. */
static const struct host_grant *first(const struct hosted_here *e, const struct request *r, bool all)
{
	const struct host_grant *best = NULL;
	for (size_t i = 0; i < e->n; i++) {
		const struct host_grant *g = e->list[i];
		if (for_device(g, r) && (!all || covers(g, r)) && (!best || rank(e, g) < rank(e, best)))
			best = g;
	}
	return best;
}

/* One that opens nothing here any more, or never did, and may have been meant. */
static const char *other_grant(struct arena *a, const struct hosted_here *e, const struct request *r, const struct host_grant **out)
{
	const struct hosted *h = e->host;
	for (const struct host_grant *g = h->grants + h->ngrants; g-- > h->grants;) {
		bool here = rank(e, g) < 2 * e->nids;
		*out = g;
		if (!for_device(g, r) || !covers(g, r))
			continue;
		if (here && grant_over(h, g))
			return arena_printf(a, "%s: it is over", grant_words(a, h, g));
		if (here)
			return arena_printf(a, "grant %llu is for a cgroup above this one, and this kernel tells a program the caller's own cgroup only: "
			                       "Linux 6.1 tells those above", (unsigned long long)g->id);
		if (!strcmp(g->path, e->path) && !cgroup_id_lives(g->key.cgroup))
			return arena_printf(a, "grant %llu was given to the cgroup that had this path before: the container is new, and the grant over",
			                    (unsigned long long)g->id);
	}
	*out = NULL;
	return NULL;
}

static const char *shut_text(struct arena *a, const struct hosted_here *e, const char *what)
{
	if (e->guard.ours)
		return arena_printf(a, "%s, but the guard '%s' on %s does not allow grants (`grants :allowed` in its policy does)", what,
		                    e->guard.name, e->guard_on);
	return arena_printf(a, "%s, but the cgroup is %u levels deep: grants are looked for on %d", what, e->level, HOSTPROG_LEVELS);
}

void hosted_ask(struct arena *a, const struct hosted_here *e, const struct request *r, struct hosted_answer *out)
{
	char has[4], asked[4];
	const struct host_grant *g = first(e, r, true);
	bool shut = e->guard.ours || e->deep;
	*out = (struct hosted_answer){.opens = !shut && (g || e->permit_until), .grant = g};
	if (g && !shut)
		out->text = arena_printf(a, "opened by %s", grant_words(a, e->host, g));
	else if (g)
		out->text = shut_text(a, e, arena_printf(a, "grant %llu covers it", (unsigned long long)g->id));
	else if (e->permit_until)
		out->text = shut ? shut_text(a, e, "learn --permissive lets everything pass")
		                 : "learn --permissive lets everything pass here, as long as it runs";
	else if ((out->grant = g = first(e, r, false)))
		out->text = arena_printf(a, "grant %llu covers %s only, and %s was asked", (unsigned long long)g->id, access_text((int)g->access, has),
		                         access_text(r->access, asked));
	else if (!(out->text = other_grant(a, e, r, &out->grant)))
		out->text = "no grant covers it";
}
