/*
 * elsewhere.c - a policy that is not on the cgroup asked about, but on one above or below it: for
 * hints. What cannot be looked at is passed over; nothing is told but what was seen.
 */
#include "cgroup/internal.h"

#include <string.h>

struct search {
	struct arena *arena;
	const char *name;     /* NULL: any of ours */
	const char *mount, *below;
	const char *policy, *path; /* the first found */
	size_t more;          /* other cgroups with one */
};

/* Ours of that name, or any of ours, NULL: none. */
static const char *policy_on(struct arena *a, const struct cgroup *cg, const char *name)
{
	struct diags ignored;
	struct attached *list;
	size_t n;
	diags_init(&ignored, a);
	if (cgroup_query(a, &ignored, cg, &list, &n))
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (list[i].ours && (!name || !strcmp(list[i].name, name)))
			return list[i].name;
	return NULL;
}

/* The nearest above. */
static bool look_above(struct search *s, const struct cgroup *cg)
{
	struct diags ignored;
	struct cgroup *at, *next;
	diags_init(&ignored, s->arena);
	for (at = cgroup_parent(s->arena, &ignored, cg); at; at = next) {
		if (!s->path && (s->policy = policy_on(s->arena, at, s->name)))
			s->path = at->path;
		next = s->path ? NULL : cgroup_parent(s->arena, &ignored, at);
		cgroup_close(at);
	}
	return s->path;
}

static enum walk_step look(void *arg, const struct cgroup_dir *dir)
{
	struct search *s = arg;
	struct cgroup at = {.fd = dir->fd, .path = "", .mount = s->mount, .id = dir->id, .lock = -1};
	size_t here = strcmp(dir->path, "/") ? strlen(dir->path) : 0, wanted = strlen(s->below);
	const char *shorter = here < wanted ? dir->path : s->below, *longer = here < wanted ? s->below : dir->path;
	size_t n = here < wanted ? here : wanted;
	if (strncmp(longer, shorter, n) || (longer[n] && longer[n] != '/'))
		return WALK_PAST; /* neither above nor below */
	if (here <= wanted || cgroup_programs(&at) <= 0)
		return WALK_DOWN;
	const char *policy = policy_on(s->arena, &at, s->name);
	if (policy && s->path)
		s->more++;
	if (policy && !s->path) {
		s->policy = policy;
		s->path = arena_printf(s->arena, "%s%s", s->mount, dir->path);
	}
	return WALK_DOWN;
}

const char *elsewhere_hint(struct arena *a, const struct cgroup *cg, const char *name)
{
	struct search s = {.arena = a, .name = name, .mount = cg->mount, .below = cg->path + strlen(cg->mount)};
	struct diags ignored;
	diags_init(&ignored, a);
	if (look_above(&s, cg))
		return arena_printf(a, "'%s' is on a cgroup above, and decides here too: rucy-devguard detach %s %s", s.policy,
		                    shell_word(a, s.path), s.policy);
	cgroup_walk(a, &ignored, look, &s);
	if (!s.path)
		return NULL;
	return arena_printf(a, "'%s' is on a cgroup below: rucy-devguard detach %s %s%s", s.policy,
	                    shell_word(a, s.path), s.policy,
	                    s.more ? arena_printf(a, " (and on %zu more: rucy-devguard list)", s.more) : "");
}
