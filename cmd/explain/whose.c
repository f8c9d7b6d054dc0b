/* whose.c - the programs of a SOURCE, where they are and whose they are. */
#include "cmd/explain/explain.h"
#include "cmd/source.h"
#include "cmd/where/where.h"

#include <string.h>

/* What the kernel says of those on one cgroup. Of one that is gone meanwhile nothing is known. */
static int look_at(struct cmd *c, const struct cgroup *cg, struct explain_program *list, size_t n)
{
	struct attached *on;
	size_t count;
	if (cgroup_query(c->arena, &c->diags, cg, &on, &count))
		return STATUS_FAILED;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < count && !list[i].path; k++)
			if (on[k].id == list[i].id) {
				list[i].at = on[k];
				list[i].path = cg->path;
			}
	return STATUS_OK;
}

/* The cgroup, and those above it as far as they are mounted here. */
static int find_places(struct cmd *c, const char *name, bool above, struct explain_program *list, size_t n)
{
	struct cgroup *cg;
	int status = where_open(c, name, WHERE_LOOK, &cg) ? STATUS_FAILED : STATUS_OK;
	while (!status && cg) {
		status = look_at(c, cg, list, n);
		struct cgroup *parent = status || !above ? NULL : cgroup_parent(c->arena, &c->diags, cg);
		cgroup_close(cg);
		cg = parent;
	}
	return status;
}

int explain_whose(struct cmd *c, const char *source, struct explain_program **out, size_t *n)
{
	uint32_t *ids;
	int status = source_programs(c, source, &ids, n);
	if (status)
		return status;
	struct explain_program *list = *out = arena_alloc(c->arena, (*n + 1) * sizeof *list);
	for (size_t i = 0; i < *n; i++)
		list[i].id = list[i].at.id = ids[i];
	const char *name = strchr(source, ':') + 1;
	if (!strncmp(source, "prog:", 5))
		program_describe(&list->at);
	else
		status = find_places(c, name, !strncmp(source, "effective:", 10), list, *n);
	for (size_t i = 0; i < *n && !status; i++)
		if (!list[i].at.ours)
			program_author(list[i].id, &list[i].author);
	return status;
}

const char *explain_title(struct arena *a, const struct explain_program *p)
{
	const char *where = p->path ? arena_printf(a, " on %s", p->path) : "";
	if (p->at.ours)
		return arena_printf(a, "program %u%s: %s (ours)", p->id, where, p->at.name);
	const char *name = *p->at.kernel_name ? p->at.kernel_name : NULL;
	const char *hand = p->author.name ? arena_printf(a, "as %s writes them", p->author.name) : "by an author that is not known";
	return arena_printf(a, "program %u%s: %s%s%s", p->id, where, name ? name : "", name ? ", " : "", hand);
}
