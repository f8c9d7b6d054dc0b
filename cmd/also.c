/*
 * also.c - which other policies of ours decide for a cgroup: those on it already, and those above. A
 * policy is in addition to them, and a request must be allowed by all. Told, and no error.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"
#include "cmd/unit.h"

#include <string.h>

static void add_of(struct cmd *c, const struct cgroup *cg, const char *path, const char *but, bool here, struct also *out)
{
	struct diags ignored;
	struct attached *list;
	size_t n;
	diags_init(&ignored, c->arena);
	if (cgroup_query(c->arena, &ignored, cg, &list, &n))
		return;
	for (size_t i = 0; i < n; i++)
		if (list[i].ours && !(but && !strcmp(list[i].name, but)))
			*ARENA_PUSH(c->arena, out->list, out->n, out->cap) =
				(struct also_one){.policy = list[i].name, .path = path, .mode = list[i].mode, .here = here};
}

void also_find(struct cmd *c, const struct cgroup *cg, const char *name, struct also *out)
{
	struct diags ignored;
	struct cgroup *at, *next;
	diags_init(&ignored, c->arena);
	*out = (struct also){0};
	add_of(c, cg, cg->path, name, true, out);
	for (at = cgroup_parent(c->arena, &ignored, cg); at; at = next) {
		add_of(c, at, at->path, NULL, false, out);
		next = cgroup_parent(c->arena, &ignored, at);
		cgroup_close(at);
	}
}

void also_print(FILE *out, const struct also *all)
{
	for (const struct also_one *one = all->list; one < all->list + all->n; one++) {
		fputs("note: '", out);
		put_text(out, one->policy);
		fputs("' is on ", out);
		if (!one->here)
			put_text(out, one->path);
		fprintf(out, "%s: %s\n", one->here ? "this cgroup, too" : " above it",
		       one->mode == MODE_PERMISSIVE ? "permissive, it denies nothing" : "what is asked here must be allowed by both");
	}
}

json_t *also_json(const struct also *all)
{
	json_t *list = json_array();
	for (const struct also_one *one = all->list; one < all->list + all->n; one++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:s}", "policy", text_json(one->policy), "cgroup",
		                                      text_json(one->path), "mode", mode_word((int)one->mode)));
	return list;
}
