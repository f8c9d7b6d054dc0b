/*
 * tracefs.h - the kernel's tracefs, and an instance of it of our own: shared by trace.c and trace_lines.c.
 */
#ifndef DEVGUARD_CGROUP_TRACEFS_H
#define DEVGUARD_CGROUP_TRACEFS_H

#include "cgroup/internal.h"

/* ---- tracefs.c ------------------------------------------------------------------ */

/* The tracefs of this host, opened by its root: where it is mounted, else without being mounted anywhere. -1 with
 * a diagnostic. */
int tracefs_open(struct arena *a, struct diags *d);
/* The whole of a file of it, NUL-terminated; NULL with errno. */
char *tracefs_text(struct arena *a, int dir, const char *path, size_t *len);
/* Does lockdown forbid to read what the kernel does? */
bool kernel_locked_down(void);
/* Why a file of it could not be used, as a hint. */
const char *tracefs_hint(struct arena *a, int error);

/* A directory instances/NAME, with a buffer of its own. */
struct trace_instance {
	int tracefs, fd; /* fd -1: none */
	char name[80];
};
/* Makes one, after taking away those whose owners are gone. Takes `tracefs` over, also when it fails. 0 or -1. */
int instance_new(struct diags *d, int tracefs, struct trace_instance *out);
/* Removes it: nothing of it may be open any more. False: something kept it from going. */
bool instance_end(struct trace_instance *i);

#endif
