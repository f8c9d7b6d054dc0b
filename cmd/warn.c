/*
 * warn.c - what a policy would do to a cgroup that nobody is likely to mean: said
 * before it is attached, which it is nevertheless.
 */
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/unit.h"

#include <string.h>

static void warn(struct cmd *c, const char *file, const char *hint, const char *text)
{
	diag_add(&c->diags, DIAG_WARNING, (struct span){.file = file}, hint, "%s", text);
}

void warn_of_apply(struct cmd *c, struct unit *u, const struct cgroup *cg)
{
	enum { ROOT_ID = 1 };
	const struct policy *p = u->policy;
	if (p->audit == AUDIT_NONE && c->settings.ring)
		warn(c, p->file, "add --audit denied, or leave --ring out",
		     arena_printf(c->arena, "--ring means nothing here: '%s' reports nothing", p->name));
	if (p->mode == MODE_PERMISSIVE)
		return;
	if (!strcmp(cg->path, cg->mount))
		warn(c, cg->path, "name the cgroup that is to be guarded, one below it",
		     cg->id == ROOT_ID ? "this is the root of the hierarchy: the policy holds for every process of this host, "
		                         "with whatever serves it"
		                       : "this is the root of all that is seen here: the policy holds for every process in "
		                         "this cgroup namespace");
	bool reads = u->null_denied & ACC_READ, writes = u->null_denied & ACC_WRITE;
	if (reads || writes)
		warn(c, p->file, reads && writes ? "allow it: allow \"c 1:3 rw\"" : reads ? "allow it: allow \"c 1:3 r\"" : "allow it: allow \"c 1:3 w\"",
		     arena_printf(c->arena, "%s /dev/null (c 1:3) is denied, which nearly every program needs; a container "
		                            "runtime cannot start with it",
		                  reads && writes ? "reading and writing" : reads ? "reading" : "writing"));
}
