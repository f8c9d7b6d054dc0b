/*
 * own.c - the cgroup the tool itself runs in: the `0::` line of /proc/self/cgroup
 * below the mount of the v2 hierarchy.
 */
#include "cgroup/cgroup.h"
#include "cmd/where/where.h"

#include <errno.h>
#include <string.h>

const char *own_cgroup(struct cmd *c)
{
	char path[CGROUP_PATH];
	const char *mount = cgroup_mount(c->arena);
	if (!mount) {
		cgroup_no_mount(c->arena, &c->diags, errno);
		return NULL;
	}
	int error = -cgroup_of_process("self", path);
	if (error)
		diag_fail(&c->diags, error_hint(c->arena, error, "is /proc mounted? It must show a line 0::"),
		          "/proc/self/cgroup does not tell this process's v2 cgroup: %s", strerror(error));
	else if (strncmp(path, "/..", 3) == 0)
		diag_fail(&c->diags,
		          arena_printf(c->arena, "enter a cgroup of it: echo $$ >%s/cgroup.procs", mount),
		          "the cgroup of this process, %s, is outside of its cgroup namespace", path);
	else
		return arena_printf(c->arena, "%s%s", mount, path);
	return NULL;
}
