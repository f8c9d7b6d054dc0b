/*
 * link.h - where guards of containers are pinned: shared by link.c and sweep.c.
 */
#ifndef DEVGUARD_CGROUP_LINK_H
#define DEVGUARD_CGROUP_LINK_H

#include "cgroup/internal.h"

#include <linux/bpf.h>

#define LINK_DIRECTORY "rucy-devguard" /* in a bpffs; a pin's name is its cgroup's id */
enum { PIN_PATH = 96 };

/* The BPF file system that pins are in, NULL: none is mounted. */
const char *link_bpffs(void);
/* Where the guard of a cgroup is pinned; there must be a bpffs. */
void link_pin_path(char out[PIN_PATH], uint64_t cgroup);
/* False: not a link to a cgroup. */
bool link_info(int fd, struct bpf_link_info *info);

#endif
