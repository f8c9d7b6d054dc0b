/*
 * also.c - which other policies of ours decide for a cgroup: those on it already, and those above. A
 * policy is in addition to them, and a request must be allowed by all. And which grants there are: they open what it denies,
 * or nothing, as it says. Told, and no error.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"
#include "cmd/hosted/hosted.h"
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
				(struct also_one){.policy = list[i].name, .path = path, .mode = list[i].mode, .here = here,
				                   .grants = list[i].grants};
}

/* A grant opens nothing where one guard does not allow grants. */
static void find_grants(struct cmd *c, const struct cgroup *cg, const struct policy *p, struct also *out)
{
	struct arena *a = c->arena;
	struct hosted host;
	struct hosted_here here;
	struct diags ignored;
	const struct also_one *shut = NULL;
	diags_init(&ignored, a);
	hosted_read(c, &host);
	if (hosted_at(a, &ignored, &host, cg, &here) || !here.n || here.deep)
		return;
	for (const struct also_one *one = out->list; one < out->list + out->n && !shut; one++)
		shut = one->grants ? NULL : one;
	const char *which = here.n == 1 ? grant_line(a, &host, here.list[0])
	                                : arena_printf(a, "%zu grants (" PROGRAM " grants lists them)", here.n), *opens = here.n == 1 ? "opens" : "open";
	out->grants = here.n;
	out->grants_open = p->grants && !shut;
	out->grants_here = out->grants_open ? arena_printf(a, "%s: %s what it denies", which, opens)
	                   : !p->grants     ? arena_printf(a, "%s: %s nothing below this policy, which does not allow grants (`grants :allowed`)", which, opens)
	                                    : arena_printf(a, "%s: %s nothing here, since '%s' on %s does not allow grants", which, opens, shut->policy,
	                                                   shut->path);
}

void also_find(struct cmd *c, const struct cgroup *cg, const struct policy *p, struct also *out)
{
	struct diags ignored;
	struct cgroup *at, *next;
	diags_init(&ignored, c->arena);
	*out = (struct also){0};
	add_of(c, cg, cg->path, p->name, true, out);
	for (at = cgroup_parent(c->arena, &ignored, cg); at; at = next) {
		add_of(c, at, at->path, NULL, false, out);
		next = cgroup_parent(c->arena, &ignored, at);
		cgroup_close(at);
	}
	find_grants(c, cg, p, out);
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
	if (all->grants_here) {
		fputs("note: ", out);
		put_text(out, all->grants_here);
		putc('\n', out);
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
