/* whose.c - the programs of a SOURCE, where they are and whose they are. */
#include "cmd/explain/explain.h"
#include "cmd/hosted/hosted.h"
#include "cmd/source.h"

#include <string.h>

int explain_whose(struct cmd *c, const char *source, struct source_programs *all, struct placed **out)
{
	struct cgroup *cg;
	int status = source_programs(c, source, all);
	if (status)
		return status;
	struct placed *list = *out = arena_alloc(c->arena, (all->n + 1) * sizeof *list);
	if (!strncmp(source, "prog:", 5)) {
		list->id = list->at.id = *all->ids;
		program_describe(&list->at);
		if (!list->at.ours)
			program_author(list->id, &list->author);
		return STATUS_OK;
	}
	if (where_open(c, strchr(source, ':') + 1, WHERE_LOOK, &cg))
		return STATUS_FAILED;
	status = placed_find(c, cg, !strncmp(source, "effective:", 10), all->ids, all->n, list);
	cgroup_close(cg);
	for (size_t i = 0; i < all->n; i++)
		list[i].host = all->host && hosted_is(all->host->host, list[i].id);
	return status;
}

const char *explain_title(struct arena *a, const struct placed *p)
{
	const char *where = p->path ? arena_printf(a, " on %s", p->path) : "";
	if (p->at.ours)
		return arena_printf(a, "program %u%s: %s (ours%s)", p->id, where, p->at.name,
		                    p->at.mode == MODE_PERMISSIVE ? ", PERMISSIVE: nothing is denied by it" : "");
	if (p->host)
		return arena_printf(a, "program %u%s: the host program (ours)", p->id, where);
	const char *name = *p->at.kernel_name ? p->at.kernel_name : NULL;
	return arena_printf(a, "program %u%s: %s%s%s", p->id, where, name ? name : "", name ? ", " : "", author_text(a, &p->author));
}
