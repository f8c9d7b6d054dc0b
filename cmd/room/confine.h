/* confine.h - what a child of the room may still do. */
#ifndef DEVGUARD_CMD_ROOM_CONFINE_H
#define DEVGUARD_CMD_ROOM_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The layers, in the order in which they are laid. */
enum layer {
	LAYER_NONE, LAYER_DESCRIPTORS, LAYER_LIMITS, LAYER_UID, LAYER_CAPABILITIES,
	LAYER_PRIVILEGES, LAYER_PARENT, LAYER_SECCOMP, LAYERS
};
extern const char *const layer_words[LAYERS];

/* Made before the fork: what is looked up once. */
struct confine_plan;
/* NULL when there is no memory. */
struct confine_plan *confine_plan_new(void);
void confine_plan_free(struct confine_plan *p);

struct confine_limits {
	size_t memory;   /* bytes beside those that the process has already */
	unsigned cpu;    /* seconds of CPU time after which SIGXCPU comes */
};

/* Locks this process in: standard input, output and error must be its pipes; it loses
 * every other descriptor, its environment, its ids and capabilities, and all system
 * calls but those of the table. parent: the process whose end is its end. The layer that
 * could not be had with errno, or LAYER_NONE; without `insist` the others are laid all the
 * same. *kept_uid: the user namespace has no uid
 * 65534 to change to. See capabilities(7), seccomp(2), prctl(2), setrlimit(2). */
enum layer confine(const struct confine_plan *p, const struct confine_limits *limits, pid_t parent,
                   bool insist, bool *kept_uid);

/* How many system calls the table has. */
int confine_calls(void);

/* What a sanitizer needs of the room, or NULL: for --version. */
const char *confine_widened(void);

#endif
