/*
 * library.h - libcgroup, kept apart: its <libcgroup.h> has a `struct cgroup`
 * and so has ours.
 */
#ifndef DEVGUARD_CGROUP_LIBRARY_H
#define DEVGUARD_CGROUP_LIBRARY_H

#include <stdbool.h>

/* Does libcgroup see this controller in the hierarchy mounted here? */
bool library_sees(const char *mount, const char *controller);
/* Does it see any cgroup hierarchy at all? The reason when not. */
bool library_works(const char **why);
/* Asks libcgroup for the cgroup `name` (relative to the controller's mount).
 * 0 or -1; 0 does not promise that it was made: look. */
int library_create(const char *controller, const char *name);

#endif
