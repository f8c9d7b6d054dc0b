/* trusted.h - files that only root can have written. */
#ifndef DEVGUARD_POLICY_MANIFEST_TRUSTED_H
#define DEVGUARD_POLICY_MANIFEST_TRUSTED_H

struct arena;


/* Opens an absolute path for reading: no component is a symbolic link; all belong
 * to root; the file and its directory can be written by root only, the directories
 * above too, or they are sticky. 0 with *fd; 1: it is not there; -1 with *why: others may
 * have written it; -2 with *why: the host could not tell. */
int trusted_open(struct arena *a, const char *path, int *fd, const char **why);

#endif
