/* probe_who.h - files and cgroups that stand for those of a request, for a probe. */
#ifndef DEVGUARD_CGROUP_PROBE_WHO_H
#define DEVGUARD_CGROUP_PROBE_WHO_H

#include "cgroup/cgroup.h"
#include "cgroup/probe.h"
#include "policy/image.h"

/* A file that processes of the probe run. */
struct stand_file {
	struct who_key key;
	const char *why; /* it can stand for none; NULL: it can */
};
struct probe_who {
	struct arena *arena;
	int map;                 /* of the program, ours to fill; -1: it has none */
	bool foreign;            /* the program is another's, and so is its map */
	struct stand_file own, parent; /* what the asker runs; what parent_program() is */
	struct cgroup *levels[REQUEST_LEVELS]; /* the first is the scratch cgroup */
	size_t nlevels;
};

/* For a program that was loaded for the probe. 0, or -1 with a diagnostic. */
int probe_who_open(struct arena *a, struct diags *d, const struct program *p, struct probe_who *w);
/* Makes the names of the request those of what the asker is. NULL, or why that cannot be. */
const char *probe_who_set(struct probe_who *w, const struct request *r, pid_t asker, struct question *q);
void probe_who_close(struct probe_who *w);

#endif
