/* decode.h - what a device program of anybody's means. */
#ifndef DEVGUARD_COMPILER_DECODE_DECODE_H
#define DEVGUARD_COMPILER_DECODE_DECODE_H

#include "policy/dump.h"
#include "policy/rules.h"

/* The fields of the kernel's structures by which functions that read the calling task are recognised: a program of ours that
 * has such functions comes with their places, in this order (struct dump). */
const struct dump_field *decode_fields(struct arena *a, size_t *n);

struct decoded {
	node verdict;          /* of a request: OUT_ALLOW or OUT_DENY; outside the domain: denied */
	bool untold;           /* it asks for facts about the calling task that this kernel never tells: then it denies */
	size_t unknown;        /* values that are not understood: IN_PARAM_0 + first_unknown ... */
};

/* Reads a program, as a diagram over the inputs of a request in dg. What is not understood is a
 * variable of its own, IN_PARAM_0 + `first_unknown` and on, whose name says what it is: the
 * answer holds for each value of it. 0, or -1 with a diagnostic (`name` is the program's): it is
 * no program, has more such values than there are variables, or costs more than the limits.
 * Linear in the instructions and in how many values registers have at once; map look-ups in the
 * entries of the map. */
int decode_program(struct arena *a, struct diags *d, const char *name, const struct dump *dump,
                   struct diagrams *dg, struct terms *ts, size_t first_unknown, struct decoded *out);

#endif
