/* installed.h - the hooks of this host, for `doctor`. */
#ifndef DEVGUARD_CMD_CONTAINERS_INSTALLED_H
#define DEVGUARD_CMD_CONTAINERS_INSTALLED_H

#include <stddef.h>

struct cmd;
struct host_check;

/* Which hooks engines will run, whether they can work, and what they refused. */
void hook_checks(struct cmd *c, struct host_check **list, size_t *n);

#endif
