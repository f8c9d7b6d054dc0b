/* way.h - to a file, through directories that only root can write to. */
#ifndef DEVGUARD_CGROUP_WAY_H
#define DEVGUARD_CGROUP_WAY_H

struct arena;

/* Opens a name with O_PATH; below the directory `root`, where that is not -1, out of which no link leads. *real: its name
 * without links. -1 with errno; *why, or NULL: others than root say which file it is. */
int way_open(struct arena *a, int root, const char *path, const char **real, const char **why);

#endif
