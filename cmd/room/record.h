/*
 * record.h - a proven policy as fixed-size records: what the root process keeps of it.
 *
 * A head, arrays, and one block of texts that the records point into. The policy's terms
 * are bytes that nobody here looks into: they go into the object as they are.
 */
#ifndef DEVGUARD_CMD_ROOM_RECORD_H
#define DEVGUARD_CMD_ROOM_RECORD_H

#include "compiler/compiler.h"

enum { RECORD_MAX = 64 << 20 }; /* bytes; and of the rules that are made of them */

/* What a record says beside the policy. */
struct recorded {
	struct policy *policy; /* rules without terms and patterns; policy->serial is set */
	struct image image;    /* ninsns 0: without a program */
	input_set inputs;      /* that the verdict reads */
	int null_denied;       /* accesses to /dev/null (c 1:3) denied to everybody: set of ACC_* */
};

/* Both sides. 0, or -1 with a diagnostic. */
int record_write(struct diags *d, const struct recorded *r, struct bytes *out);
/* Reads what a child sent: counts and places are checked against the bytes there are, the
 * instructions may call only what programs of ours call. Everything is copied into the
 * arena. False: it is no record. */
bool record_read(struct arena *a, const void *data, size_t len, struct recorded *out);

#endif
