/*
 * node.h - the device node that comes with a grant (--node): made where the processes of a container see it, and taken
 * away again, that one alone.
 *
 * What goes on inside of a container is not to be trusted: its root may plant links and mounts, move directories about
 * while they are looked at, and answer for a file system of its own, or not answer. So every path is walked in a child,
 * without links, within a time; what is made is made by descriptors, on a tmpfs that this host does not have
 * mounted, under a name of its own, and shown in one step.
 *
 * The entry of the grant is the journal: it names what will be made before anything is, and what was made before
 * it is shown. Whoever is killed leaves an entry by which node_remove() finds it.
 */
#ifndef DEVGUARD_CMD_GRANT_NODE_H
#define DEVGUARD_CMD_GRANT_NODE_H

#include "cgroup/cgroup.h"
#include "policy/access.h"
#include "policy/hostprog.h"

struct node_wish {
	const struct cgroup *cg;
	pid_t pid;          /* where this process sees it; 0: the oldest one of the cgroup and those below it */
	int type;           /* DEV_CHAR, DEV_BLOCK */
	uint32_t major, minor;
	uint32_t access;    /* what it is for, a set of ACC_* */
	const char *device; /* its node on this host, whose mode and owner it gets; NULL: not known */
	const char *path;   /* where; NULL: as on this host */
};

/* Puts the entry into the kernel's map, as it is now. 0, or -1 with a diagnostic. */
typedef int node_keep(void *arg);

/* ---- node.c ----------------------------------------------------------------------------- */

/* Makes the node, and fills the node_* members of g, whose id, time and key are there. Calls keep() twice: such an entry
 * must open nothing yet. 0: it is there; g->node GRANT_NODE_NONE: it was there before, which a warning says. -1 with a
 * diagnostic: g->node GRANT_NODE_NONE when nothing of it is left, else node_remove() is to be asked. Under the lock. */
int node_make(struct arena *a, struct diags *d, const struct node_wish *w, struct host_grant *g, node_keep *keep, void *arg);

/* ---- node_remove.c -------------------------------------------------------------------------- */

/* Takes away what node_make() made for g, and nothing else. 1: *told is "", or says what of it stays; 0: there is
 * nothing of it (any more), *told says why; -1: it is left, and *told says why: closed, when the grant is. Under the lock. */
int node_remove(struct arena *a, const struct host_grant *g, const char **told);

/* ---- node_there.c --------------------------------------------------------------------------- */

/* Is the node that was made for g, whole, at its path? Not, too, when it cannot be looked at. */
bool node_stands(struct arena *a, const struct host_grant *g);
/* What the process sees at w->path; what a link leads to is not known. Within a time, whatever is mounted there. */
enum node_sight { SIGHT_UNKNOWN, SIGHT_NOTHING, SIGHT_OTHER, SIGHT_NODE /* the device */ };
enum node_sight node_sight(struct arena *a, const struct node_wish *w);

#endif
