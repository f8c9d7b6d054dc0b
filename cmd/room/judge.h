/* judge.h - what the child that proves a policy keeps of it, and what it can be asked. */
#ifndef DEVGUARD_CMD_ROOM_JUDGE_H
#define DEVGUARD_CMD_ROOM_JUDGE_H

#include "cmd/room/inside.h"

struct judge {
	struct inside *in;
	struct policy *policy;
	struct policy_diagram diagram;
	struct image image; /* ninsns 0: none */
	size_t unknown;     /* values that a program decides by, and that are not understood */
};

/* Each answers one frame; what it takes from j->in->arena is given back after it. False: it failed, and
 * a message may say why. */

/* work_tell.c: FRAME_DUMP, a listing. */
bool judge_tells(struct judge *j, const struct frame *f);

#endif
