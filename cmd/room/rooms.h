/* rooms.h - what a command keeps of its locked rooms: children, clock, what they asked. */
#ifndef DEVGUARD_CMD_ROOM_ROOMS_H
#define DEVGUARD_CMD_ROOM_ROOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct rooms {
	struct room *open[4];          /* children at work; ended before the arena goes */
	size_t n;
	pid_t dying[8];                /* children that were killed and not waited for yet */
	size_t ndying;
	struct confine_plan *plan;     /* made with the first */
	double spent_wall, spent_cpu;  /* seconds of this compilation so far */
	bool unconfined_said;
};

/* One question, and its answer. */
struct room_asked { const unsigned char *question; size_t nquestion; const unsigned char *answer; size_t nanswer; };

/* What the policy that is compiled asks of the host. */
struct asking {
	const char *directory; /* of the policy: it may load files below; NULL: it has none */
	bool trusted;          /* only root may have written it, and what it loads */
	struct room_asked *asked;
	size_t nasked, asked_cap;
	const char **loaded;   /* files it loaded */
	size_t nloaded, loaded_cap;
};

#endif
