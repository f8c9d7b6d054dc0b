/* asked.h - the kernel itself, where it does not show the instructions of a program. */
#ifndef DEVGUARD_CMD_ASKED_H
#define DEVGUARD_CMD_ASKED_H

#include "cgroup/cgroup.h"

struct cmd;
struct request;

#define ASKED "the kernel itself, which was asked" /* who decided */

/* Has this SOURCE a program whose instructions the kernel does not show? */
bool asked_needed(struct cmd *c, const char *source);
/* Warns that it is asked. */
void asked_say(struct cmd *c, const char *source);
/* Opens a probe: its programs on a scratch cgroup, or, of effective:CGROUP, a process in
 * that cgroup. STATUS_OK or a status with diagnostics. */
int asked_open(struct cmd *c, const char *source, struct probe **out);
/* Of one program: puts the request to it, if it is hidden. Facts of `may_lack` (a set of enum input) that a process
 * cannot take on are left out, and that is told. False: it is not hidden, or this process cannot ask. */
struct kernel_said { bool known, allow; const char *text; /* who decided, or why it is not known */ };
struct cgroup;
/* The same of all programs that are effective in a cgroup, by a process in it. */
void asked_inside(struct cmd *c, const struct cgroup *cg, const struct request *r, input_set may_lack, struct kernel_said *out);
bool asked_program(struct cmd *c, uint32_t id, const struct request *r, input_set may_lack, struct kernel_said *out);

#endif
