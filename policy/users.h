/* users.h - the groups of users that a host has, by name. */
#ifndef DEVGUARD_POLICY_USERS_H
#define DEVGUARD_POLICY_USERS_H

#include <stdint.h>

struct arena;

enum { GROUP_NAME_MAX = 64 };
/* The number of a group as nsswitch.conf says: 0, or an errno; ENOENT: there is none, and *near is
 * the name that was probably meant, or NULL. */
int users_group(struct arena *a, const char *name, uint32_t *gid, const char **near);

#endif
