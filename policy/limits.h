/* limits.h - sizes and times as people write them: what a compilation may take, a ring buffer. */
#ifndef DEVGUARD_POLICY_LIMITS_H
#define DEVGUARD_POLICY_LIMITS_H

#include <stddef.h>
#include <stdint.h>

struct limits {
	double seconds; /* of the clock */
	double cpu;     /* of CPU time */
	size_t memory;  /* bytes */
};
enum { LIMIT_SECONDS = 10, LIMIT_CPU = 5, LIMIT_MEMORY = 512 << 20 };
/* "time=30s,cpu=20s,memory=2g", any of them; what is not named stays, but CPU time, which
 * keeps step with the time. NULL with *out, or what the text is instead. */
const char *limits_parse(const char *text, struct limits *out);

/* ---- ring.c -------------------------------------------------------------- */

/* The size of a ring buffer for records, "65536", "64K" or "1M": a power of two, from a page to
 * 256M. NULL, or what it is not. */
const char *ring_size_parse(const char *text, uint32_t *bytes);

#endif
