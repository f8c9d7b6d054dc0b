/*
 * target.c - the cgroup that grants are for: named as everywhere, or by a container or a process.
 *
 * A process is held before its cgroup is looked for, and has to be there still when it was found.
 */
#include "cmd/grant/grant.h"
#include "cmd/where/where.h"

#include <string.h>

static const char CONTAINER[] = "container:";

int target_option(struct cmd *c, int opt, const char *value, struct grant_target *t)
{
	if (t->by_option)
		return usage_error(c, "name one cgroup", "--container and --pid name a cgroup each");
	if (opt == OPT_PID && (!*value || value[strspn(value, "0123456789")]))
		return usage_error(c, "for example --pid 1234", "--pid %s: not the number of a process", value);
	t->by_option = true;
	t->container = opt == OPT_CONTAINER ? value : NULL;
	t->pid = opt == OPT_PID ? value : NULL;
	t->text = arena_printf(c->args, "%s%s", opt == OPT_CONTAINER ? CONTAINER : "pid:", value);
	return STATUS_OK;
}

int target_operand(struct cmd *c, int argc, char **argv, struct grant_target *t, int *first)
{
	*first = optind;
	t->held.pidfd = -1;
	if (where_given(c) && t->by_option)
		return usage_error(c, "name one cgroup", "--self, --unit, --container and --pid name a cgroup each");
	if (where_given(c) || t->by_option)
		return STATUS_OK;
	if (optind >= argc)
		return usage_error(c, NULL, "no cgroup given");
	t->text = argv[(*first)++];
	if (!strncmp(t->text, CONTAINER, strlen(CONTAINER)))
		t->container = t->text + strlen(CONTAINER);
	return STATUS_OK;
}

/* Reached through a bind mount of a part of the hierarchy, the cgroups above it, and the guards on them, would not be seen. */
static int from_the_root(struct cmd *c, struct grant_target *t)
{
	const char *mount = cgroup_mount(c->arena), *path = cgroup_path_of(cgroup_paths_new(c->arena), t->cg->id);
	struct cgroup *cg;
	if (!mount || !path)
		return 0;
	path = arena_printf(c->arena, "%s%s", mount, strcmp(path, "/") ? path : "");
	if (!strcmp(path, t->cg->path))
		return 0;
	if (cgroup_open(c->arena, &c->diags, path, &cg))
		return -1;
	bool same = cg->id == t->cg->id;
	cgroup_close(same ? t->cg : cg);
	t->cg = same ? cg : t->cg;
	return same ? 0 : diag_fail(&c->diags, "name it again", "the cgroup '%s' was moved or removed meanwhile", t->cg->path);
}

int target_open(struct cmd *c, struct grant_target *t)
{
	t->held.pidfd = -1;
	if (t->pid && (strlen(t->pid) > 9 || process_hold(c->arena, &c->diags, (pid_t)strtol(t->pid, NULL, 10), &t->held)))
		return strlen(t->pid) > 9 ? diag_fail(&c->diags, "name a process that runs", "there is no process %s", t->pid) : -1;
	if (t->by_option ? where_open_name(c, t->text, &t->cg) : where_open(c, t->text, WHERE_ATTACH, &t->cg))
		return -1;
	if (from_the_root(c, t))
		return -1;
	return t->held.pidfd >= 0 ? process_confirm(c->arena, &c->diags, &t->held, t->cg) : 0;
}

void target_close(struct grant_target *t)
{
	cgroup_close(t->cg);
	process_let_go(&t->held);
	t->cg = NULL;
}
