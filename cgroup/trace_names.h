/* trace_names.h - what the processes are called that print. */
#ifndef DEVGUARD_CGROUP_TRACE_NAMES_H
#define DEVGUARD_CGROUP_TRACE_NAMES_H

#include <stdint.h>

struct arena;

/* ---- trace_names.c ------------------------------------------------------------------ */

/* A line has the number of its thread, not its name. */
struct trace_names;
/* `tracefs` stays open as long as they are asked for. */
struct trace_names *trace_names_new(struct arena *a, int tracefs);
/* The name of a thread, by the host's number: as it is now, else as the kernel noted it last. NULL: not known. */
const char *trace_name(struct trace_names *t, int32_t pid);
/* Numbers are used again: what is known is forgotten. */
void trace_names_forget(struct trace_names *t);

#endif
