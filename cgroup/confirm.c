/*
 * confirm.c - is our program of a name attached? Asked before a change and after it: what the
 * kernel does not confirm is told, and stays as it is.
 */
#include "cgroup/hostprog.h"
#include "cgroup/internal.h"

#include <string.h>

int find_ours(struct arena *a, struct diags *d, const struct cgroup *cg, const char *name,
              struct attached **found)
{
	struct attached *list;
	size_t n;
	const struct attached *unreadable;
	*found = NULL;
	if (list_attached(a, d, cg, &list, &n, &unreadable))
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!list[i].ours || strcmp(list[i].name, name))
			continue;
		if (*found)
			return diag_fail(d,
			                 arena_printf(a, "detach all but one: bpftool cgroup detach %s "
			                                 "cgroup_device id %u", cg->path, list[i].id),
			                 "the policy '%s' is attached more than once to '%s': programs %u and %u",
			                 name, cg->path, (*found)->id, list[i].id);
		*found = &list[i];
	}
	if (!*found && unreadable)
		return diag_fail(d, error_hint(a, unreadable->unreadable, "see the kernel log"),
		                 "cannot tell whose program %u on '%s' is, and so not whether '%s' is there: %s",
		                 unreadable->id, cg->path, name, strerror(unreadable->unreadable));
	return 0;
}

int unconfirmed(struct diags *d, const struct diags *reason, const char *done)
{
	const struct diag *why = NULL;
	for (size_t i = 0; i < reason->n && !why; i++)
		if (reason->items[i].level == DIAG_ERROR)
			why = &reason->items[i];
	return diag_fail(d, why && why->hint ? why->hint : "`rucy-devguard status` shows what is attached",
	                 "%s, could not be confirmed: %s", done, why ? why->text : "no reason was given");
}

int attach_confirm(struct arena *a, struct diags *d, const struct cgroup *cg, const struct program *p,
                   const char *name)
{
	struct attached *now;
	struct diags reason;
	diags_init(&reason, a);
	if (find_ours(a, &reason, cg, name, &now))
		return unconfirmed(d, &reason, arena_printf(a, "'%s': attached to '%s' as program %u", name, cg->path,
		                                            program_id(p)));
	if (now && now->id == program_id(p))
		return 0;
	return diag_fail(d, "another tool changed it at the same moment: `rucy-devguard status` shows "
	                    "what is attached now",
	                 "'%s' was attached to '%s' as program %u, but the kernel does not show it", name,
	                 cg->path, program_id(p));
}

int attach_guarded(struct arena *a, struct diags *d, const struct cgroup *cg, const struct program *p, const char *name, bool grants)
{
	struct diags reason;
	diags_init(&reason, a);
	if (!guarded_add(a, &reason, cg, grants))
		return 0;
	return unconfirmed(d, &reason, arena_printf(a, "'%s': attached to '%s' as program %u; that the host program knows of it", name, cg->path,
	                                            program_id(p)));
}
