/* where.h - a CGROUP of the command line, as people name it. */
#ifndef DEVGUARD_CMD_WHERE_H
#define DEVGUARD_CMD_WHERE_H

#include "cgroup/cgroup.h"
#include "cmd/cmd.h"

/* ---- own.c ------------------------------------------------------------------------------- */

/* The path of the cgroup this process is in, or NULL with a diagnostic. */
const char *own_cgroup(struct cmd *c);

/* ---- where.c ----------------------------------------------------------------------------- */

enum where_use { WHERE_LOOK, WHERE_ATTACH };
/* Opens the cgroup that `text` names; NULL: the one that --self or --unit names. A directory that is
 * there, "/web" as audit prints it, a unit of systemd, a container, a pid. -1 with a diagnostic when
 * nothing has that name, or more than one cgroup has. */
int where_open(struct cmd *c, const char *text, enum where_use use, struct cgroup **out);
/* Do --self or --unit name it? Then no operand does. */
bool where_given(const struct cmd *c);

#endif
