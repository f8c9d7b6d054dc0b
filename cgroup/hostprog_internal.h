/* hostprog_internal.h - what the files of the host program share. Private to cgroup/. */
#ifndef DEVGUARD_CGROUP_HOSTPROG_INTERNAL_H
#define DEVGUARD_CGROUP_HOSTPROG_INTERNAL_H

#include "cgroup/hostmaps.h"
#include "cgroup/hostprog.h"

struct hostprog {
	struct arena *arena;
	struct cgroup *root; /* with the lock, when it is held */
	int fd;
	uint32_t id;
	unsigned behind;     /* programs that are asked after it */
	struct hostprog_header header;
	struct hostmaps maps;
};

/* ---- hostload.c ------------------------------------------------------------------------ */

/* Loads one of these parts with these maps, whose header must say the same. fd, or -errno; *log: what the verifier said. */
int hostprog_load(struct arena *a, hostprog_maker *make, const struct hostmaps *maps, uint32_t parts, uint32_t features,
                  const char **log);
/* The header of one that this tool makes. */
struct hostprog_header hostprog_header_of(uint32_t parts, uint32_t features);

/* ---- watcher.c --------------------------------------------------------------------------- */

/* Takes out watchers whose process is dead, and what they left. */
void watchers_sweep(struct arena *a, struct hostprog *hp);

#endif
