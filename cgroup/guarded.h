/* guarded.h - what of guarded.c the host program's other files use. Private to cgroup/. */
#ifndef DEVGUARD_CGROUP_GUARDED_H
#define DEVGUARD_CGROUP_GUARDED_H

#include "cgroup/hostmaps.h"
#include "cgroup/hostprog.h"

/* ---- guarded.c ------------------------------------------------------------------------- */

/* Has the cgroup itself a guard of ours that does not allow grants? *at gets the first. 1, 0 or -1. */
int guard_refuses(struct arena *a, struct diags *d, const struct cgroup *cg, struct attached *at);
/* Makes the entries of all cgroups true. `attached`: the host program is; from then on they stay true, and guarded_filled() says
 * yes. 0 or -1. */
int guarded_fill(struct arena *a, struct diags *d, const struct cgroup *root, const struct hostmaps *m, bool attached);
bool guarded_filled(const struct hostmaps *m);
/* Makes the entries of a cgroup and of those above true: guards come and go otherwise than by this tool, too (by bpftool, a
 * version of before there were grants). */
void guarded_look(struct arena *parent, const struct cgroup *cg);
/* Takes out the entries of cgroups that are gone, and makes true those that killed tools left. */
void guarded_sweep(struct arena *parent, const char *mount, const struct hostmaps *m);

#endif
