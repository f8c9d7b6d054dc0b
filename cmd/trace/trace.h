/*
 * trace.h - a raw program at work: loaded, attached, and listened to.
 *
 *   open.c     loads and attaches it; lets go of it
 *   print.c    a line that it printed: for people, or one JSON object
 *   listen.c   waits for its lines, until the count, the time or a signal
 *   handled.c  the same where it has a user half: its handlers run
 */
#ifndef DEVGUARD_CMD_TRACE_TRACE_H
#define DEVGUARD_CMD_TRACE_TRACE_H

#include "cgroup/cgroup.h"
#include "cgroup/trace.h"
#include "cmd/cmd.h"
#include "cmd/unit.h"

struct tracing {
	struct cmd *c;
	struct unit *unit;
	const struct raw *raw;     /* of its policy */
	struct cgroup *cgroup;     /* of a device program; else NULL */
	struct program *program;
	struct traced *traced;
	struct trace_lines *lines; /* NULL: it prints nothing */
	uint64_t most, timeout;    /* --count, 0: no end; --timeout in ns, UINT64_MAX: no end */
	uint64_t printed, lost_told;
	bool json;
};

/* ---- open.c --------------------------------------------------------------------------- */

/* Loads the program of t->unit, opens its lines and attaches it, in this order: nothing that it prints is missed. 0, or
 * -1 with a diagnostic and nothing attached. */
int tracing_open(struct tracing *t);
/* Detaches it; its lines can still be read. */
void tracing_detach(struct tracing *t);
/* Lets go of all. 0, or -1 with a diagnostic. */
int tracing_close(struct tracing *t);
/* What it is attached to and waits for, on stderr: said when it begins. */
void tracing_say(const struct tracing *t, const char *what);
/* A note on stderr. */
void tracing_note(const struct tracing *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Says how many lines were lost since it was said last. */
void tracing_losses(struct tracing *t);
/* How many there were, at the end. */
void tracing_summary(const struct tracing *t);
/* Was its cgroup removed? Then nothing asks the program any more. */
bool tracing_ended(const struct tracing *t);

/* ---- print.c -------------------------------------------------------------------------- */

/* Lines have the time of a clock that starts with the host: what to add to it, for this second. */
int64_t tracing_wall(void);
void tracing_print(const struct tracing *t, const struct trace_line *l, int64_t wall);

/* ---- listen.c ------------------------------------------------------------------------- */

/* Prints what it prints until it ends. An exit status. */
int tracing_listen(struct tracing *t);

/* ---- handled.c ------------------------------------------------------------------------ */

/* Runs its handlers until it ends. An exit status. */
int tracing_handled(struct tracing *t);

#endif
