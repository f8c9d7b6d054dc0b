/*
 * filters.c - what filters the devices of a cgroup before it is recorded: a policy is worth as much as it denies more.
 */
#include "cgroup/hostprog.h"
#include "cmd/learn/learn.h"
#include "cmd/where/where.h"

#include <string.h>

/* What runc, crun and others give a container that asks for nothing, read as any list of docker. */
#define CONTAINER_DEFAULT "docker:c 1:3 rw"

/* The number of the host program, which filters nothing by itself; 0: there is none, or it cannot be told. */
static uint32_t host_program(struct cmd *c)
{
	struct diags ignored;
	struct hostprog *hp;
	struct hostprog_info info = {0};
	diags_init(&ignored, c->arena);
	if (hostprog_open(c->arena, &ignored, &hp) || !hp)
		return 0;
	if (hostprog_info(c->arena, &ignored, hp, NULL, &info))
		info.id = 0;
	hostprog_close(hp);
	return info.id;
}

/* Does any program decide there? -1: it cannot be told. */
static int filtered(struct cmd *c, const struct cgroup *cg)
{
	uint32_t *ids, host = host_program(c);
	size_t n;
	if (cgroup_effective_programs(c->arena, &c->diags, cg, &ids, &n))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (ids[i] != host)
			return 1;
	return 0;
}

static void load(struct learning *l, const char *source, const char *words)
{
	struct cmd *c = l->cmd;
	struct diags kept = c->diags;
	const struct load depth = {.depth = LOAD_DIAGRAM, .keep = true};
	struct settings settings = c->settings;
	settings.nparams = 0;
	diags_init(&c->diags, c->arena);
	bool failed = unit_load(c, &settings, source, &depth, &l->before) != STATUS_OK;
	const char *why = failed && c->diags.n ? c->diags.items[0].text : "";
	c->diags = kept;
	l->has_before = !failed;
	l->before_words = words;
	if (failed)
		diag_add(&c->diags, DIAG_WARNING, (struct span){.file = NULL}, NULL, "the policy will not be compared with %s: %s", words, why);
}

void filters_load(struct learning *l)
{
	struct cmd *c = l->cmd;
	const char *path = l->cgroup ? l->cgroup->path : NULL;
	int some = 0;
	struct cgroup *own = NULL;
	if (!path && l->command && (path = own_cgroup(c)) && !cgroup_open(c->arena, &c->diags, path, &own))
		path = own->path;
	if (path)
		some = filtered(c, l->cgroup ? l->cgroup : own);
	cgroup_close(own);
	if (some > 0)
		load(l, arena_printf(c->arena, "effective:%s", path), arena_printf(c->arena, "what filters %s now", l->cgroup ? path : "here"));
	else if (!some)
		load(l, CONTAINER_DEFAULT, "what engines give every container");
}
