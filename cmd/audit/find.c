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
	const char *hint = "attach one: " PROGRAM " apply POLICY CGROUP --audit denied";
	if (!ours && unreadable)
		diag_fail(&c->diags, error_hint(c->arena, unreadable->unreadable, "see the kernel log"),
		          "cannot tell whose program %u on %s is: %s", unreadable->id, cg->path,
		          strerror(unreadable->unreadable));
	else if (name && (!ours || strcmp(name, ours) != 0))
		diag_fail(&c->diags,
		          ours ? arena_printf(c->arena, "'%s' is attached there", ours) : hint,
		          "no policy '%s' of ours is attached to %s", name, cg->path);
	else if (ours)
		diag_fail(&c->diags, "apply it again with --audit denied",
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
