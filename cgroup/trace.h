/*
 * trace.h - raw programs in the kernel: attached for as long as this process has them, and what they print.
 *
 * Nothing is pinned: however the process ends, the kernel detaches what it attached.
 */
#ifndef DEVGUARD_CGROUP_TRACE_H
#define DEVGUARD_CGROUP_TRACE_H

#include "policy/diag.h"
#include "policy/raw.h"

struct cgroup;
struct program;

/* ---- trace.c ---------------------------------------------------------------------- */

/* A program that is attached. */
struct traced;
/* Attaches it to what its section names: a function of the kernel, an event, or, a device program, `cg`. 0, or -1
 * with a diagnostic: no such function (with one that is spelled alike), no kprobes in this kernel, lockdown ... */
int trace_attach(struct arena *a, struct diags *d, const struct program *p, const struct raw *raw, const struct cgroup *cg,
                 struct traced **out);
void trace_detach(struct traced *t);

/* ---- trace_lines.c ------------------------------------------------------------------ */

/* What a program prints by bpf_trace_printk. */
struct trace_lines;
struct trace_line {
	uint64_t ns;      /* CLOCK_MONOTONIC, as ktime_ns of programs */
	int32_t pid;      /* of the thread, as the host counts; 0: none, the CPU was idle */
	uint32_t cpu;
	const char *comm; /* its name now, NULL: it has ended, and nobody noted its name */
	const char *text; /* any bytes, and a 0 */
	size_t len;
};
/* Opens them, before the program is attached. 0 or -1. */
int trace_lines_open(struct arena *a, struct diags *d, const struct program *p, const struct raw *raw, struct trace_lines **out);
/* NULL: it is told of each line by the kernel which program printed it. Else why not: then a line is taken for ours
 * when it can be one of the program's formats filled in. */
const char *trace_lines_unsure(const struct trace_lines *t);
/* For poll(2): readable when there may be lines. */
int trace_lines_fd(const struct trace_lines *t);
/* Gives the lines that are there to `one`, which returns false to stop: by time, but for those that two CPUs print at the same moment. `last`: the program is detached,
 * no more will come. How many were given, or -1 with a diagnostic. */
int trace_lines_read(struct diags *d, struct trace_lines *t, bool last, bool (*one)(void *arg, const struct trace_line *l), void *arg);
/* How many lines the kernel wrote over before they were read, since it was opened: of any program. */
uint64_t trace_lines_lost(const struct trace_lines *t);
/* Ends the instance. 0, or -1 with a diagnostic: it is left behind. */
int trace_lines_close(struct diags *d, struct trace_lines *t);

/* ---- trace_match.c ------------------------------------------------------------------ */

/* Can a text be what one of the program's formats prints? */
bool trace_match(const struct raw *raw, const char *text, size_t len);

#endif
