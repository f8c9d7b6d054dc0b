/*
 * hostmaps.h - the maps of the host program (policy/hostprog.h): made, and found among those of a loaded program.
 * Private to cgroup/.
 */
#ifndef DEVGUARD_CGROUP_HOSTMAPS_H
#define DEVGUARD_CGROUP_HOSTMAPS_H

#include "cgroup/internal.h"
#include "policy/hostprog.h"

/* ---- hostmaps.c ------------------------------------------------------------------------ */

/* What a host program is and shares with the next one; -1: a map that is not open. */
struct hostmaps {
	int fd[HOSTPROG_MAPS];
	uint32_t features; /* of the program (enum hostprog_feature) */
	uint32_t watch_id; /* of devguard_watch, which goes along whenever the program is replaced */
};
void hostmaps_none(struct hostmaps *m);
/* Its header, when the program is a host program. 1, 0: it is not, -errno. */
int hostmaps_header(int prog, struct hostprog_header *out);
/* 0 or -errno; EPROTO: it has not the maps that this version knows. */
int hostmaps_open(int prog, struct hostmaps *out);
/* All of a first host program. 0 or -errno. */
int hostmaps_new(const struct hostprog_header *header, struct hostmaps *out);
/* One with that header (NULL: none), and the other maps of `from`, which stay its own, too. 0 or -errno. */
int hostmaps_next(const struct hostprog_header *header, const struct hostmaps *from, struct hostmaps *out);
void hostmaps_close(struct hostmaps *m);
/* An array that is mapped: the program's own memory; NULL with errno. */
void *hostmaps_view(const struct hostmaps *m, enum hostprog_map map);
void hostmaps_end_view(enum hostprog_map map, void *view);
/* Gives each entry to `one`. 0 or -errno. */
int hostmaps_each(const struct hostmaps *m, enum hostprog_map map, void (*one)(void *arg, const void *key, const void *value),
                  void *arg);

/* The host program that is asked for processes of a cgroup. */
struct host_found {
	int fd;         /* -1: there is none */
	uint32_t id;
	uint32_t other; /* id of one more, 0: none */
	unsigned behind; /* how many are asked after it */
	struct hostprog_header header;
};
/* 0 or -1. Two are found: no error, *out has both. */
int hostprog_find(struct arena *a, struct diags *d, const struct cgroup *cg, struct host_found *out);
/* The diagnostics for two of them, and for one whose maps cannot be had (EPROTO: of another version); -1. */
int hostprog_two(struct arena *a, struct diags *d, const struct host_found *found);
int hostprog_unknown(struct arena *a, struct diags *d, const struct host_found *found, int error);

#endif
