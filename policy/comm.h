/* comm.h - which names a process can have. */
#ifndef DEVGUARD_POLICY_COMM_H
#define DEVGUARD_POLICY_COMM_H

#include <stdbool.h>
#include <stdint.h>

/* Can a process have it? */
bool comm_is_name(const int64_t half[2]);
/* The halves of a comm that a process can have, each within bounds: its bytes end with the first NUL, and NULs
 * follow; the sixteenth is one. False: there is none. */
bool comm_within(const int64_t lo[2], const int64_t hi[2], int64_t out[2]);
/* What bytes of comm must be, by place: so far anything. */
enum { COMM_BYTES = 16, COMM_NEW = 256 };
struct comm_bytes { int16_t is[COMM_BYTES]; bool taken[COMM_BYTES][256]; bool clash; };
void comm_anything(struct comm_bytes *b);
/* (half & mask) == bytes holds, or does not. */
void comm_must(struct comm_bytes *b, int half, uint64_t mask, uint64_t bytes, bool holds);
/* A comm of that length with these bytes, and others that nothing is said about. */
bool comm_of_length(const struct comm_bytes *b, int length, int64_t out[2]);

#endif
