/* trusted.h - files that only root can have written, and the tool's own directories. */
#ifndef DEVGUARD_POLICY_TRUSTED_H
#define DEVGUARD_POLICY_TRUSTED_H

#include <stdbool.h>
#include <sys/stat.h>

struct arena;

enum { OTHERS_WRITE = S_IWGRP | S_IWOTH, OTHERS_USE = S_IRWXG | S_IRWXO };
/* Is it root's, with none of the bits `forbidden`? root: who root is too, as a user namespace shows
 * it, else 0. */
bool roots_alone(const struct stat *st, uid_t root, mode_t forbidden);

/* Opens an absolute path for reading: no component is a symbolic link; all belong
 * to root; the file and its directory can be written by root only, the directories
 * above too, or they are sticky. 0 with *fd; 1: it is not there; -1 with *why: others may
 * have written it; -2 with *why: the host could not tell. */
int trusted_open(struct arena *a, const char *path, int *fd, const char **why);

#define RUN_DIRECTORY "/run/rucy-devguard"
/* A directory of that name in RUN_DIRECTORY, which only root may write to, made when it is not
 * there: its descriptor, or -errno. EPERM: others may do with it what is in `forbidden`; ENOTDIR: it
 * is something else. */
int run_directory(const char *name, mode_t forbidden, bool make);

#endif
