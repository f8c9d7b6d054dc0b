/*
 * find.c - which of our programs on a cgroup report, and what to say when
 * none does.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"

#include <string.h>
#include <sys/stat.h>

int find_reporting(struct arena *a, struct diags *d, const struct cgroup *cg, const char *name,
                   struct attached **list, size_t *n)
{
	size_t all;
	if (cgroup_query(a, d, cg, list, &all))
		return -1;
	*n = 0;
	for (size_t i = 0; i < all; i++) {
		const struct attached *at = &(*list)[i];
		if (at->ours && at->audit != AUDIT_NONE && (!name || strcmp(at->name, name) == 0))
			(*list)[(*n)++] = *at;
	}
	return 0;
}

/* A policy on a cgroup above decides here too. The command that reads it, or how to make it report;
 * NULL: there is none. */
static const char *hint_above(struct cmd *c, const struct cgroup *cg, const char *name)
{
	const char *hint = NULL;
	struct diags ignored;
	struct cgroup *at, *next;
	diags_init(&ignored, c->arena);
	for (at = cgroup_parent(c->arena, &ignored, cg); at; cgroup_close(at), at = next) {
		struct attached *list;
		size_t n = 0;
		next = NULL;
		if (hint || cgroup_query(c->arena, &ignored, at, &list, &n))
			continue;
		for (size_t i = 0; i < n && !hint; i++)
			if (list[i].ours && (!name || !strcmp(list[i].name, name)))
				hint = arena_printf(c->arena, list[i].audit != AUDIT_NONE
				                        ? "'%s' on the cgroup %s decides here too: " PROGRAM " %s %s%s%s"
				                        : "'%s' on the cgroup %s decides here too and reports nothing; once it is applied there "
				                          "with --audit denied: " PROGRAM " %s %s%s%s",
				                    list[i].name, at->path, c->verb->name, at->path, name ? " " : "", name ? name : "");
		next = cgroup_parent(c->arena, &ignored, at);
	}
	return hint;
}

int nothing_reports(struct cmd *c, const struct cgroup *cg, const char *name)
{
	struct attached *list;
	const char *ours = NULL;
	const struct attached *unreadable = NULL;
	size_t n;
	if (cgroup_query(c->arena, &c->diags, cg, &list, &n))
		return STATUS_FAILED;
	for (size_t i = 0; i < n; i++) {
		if (list[i].unreadable)
			unreadable = &list[i];
		if (!list[i].ours)
			continue;
		ours = list[i].name;
		if (name && strcmp(name, ours) == 0)
			break;
	}
	const char *attach = arena_printf(c->arena, "attach one: " PROGRAM " apply POLICY %s --audit denied", cg->path);
	const char *above = hint_above(c, cg, name), *hint = above ? above : attach;
	if (!ours && unreadable)
		diag_fail(&c->diags, error_hint(c->arena, unreadable->unreadable, "see the kernel log"),
		          "cannot tell whose program %u on %s is: %s", unreadable->id, cg->path,
		          strerror(unreadable->unreadable));
	else if (name && (!ours || strcmp(name, ours) != 0))
		diag_fail(&c->diags, ours && !above ? arena_printf(c->arena, "'%s' is attached there", ours) : hint,
		          "no policy '%s' of ours is attached to %s", name, cg->path);
	else if (ours)
		diag_fail(&c->diags, arena_printf(c->arena, "apply it again: " PROGRAM " apply POLICY %s --audit denied", cg->path),
		          "the policy '%s' on %s reports nothing", ours, cg->path);
	else
		diag_fail(&c->diags, hint, "no policy of ours is attached to %s", cg->path);
	return STATUS_FAILED;
}

bool cgroup_removed(const struct cgroup *cg)
{
	struct stat st;
	return stat(cg->path, &st) != 0 || st.st_ino != cg->id;
}
