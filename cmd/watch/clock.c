/* clock.c - the clocks that handlers and feeds go by, in nanoseconds. */
#include "cmd/watch/watch.h"

#include <time.h>

uint64_t watch_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * WATCH_NSEC + (uint64_t)t.tv_nsec;
}

uint64_t watch_boot(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * WATCH_NSEC + (uint64_t)t.tv_nsec;
}

int64_t watch_wall(void)
{
	struct timespec t;
	uint64_t boot = watch_boot();
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * (int64_t)WATCH_NSEC + t.tv_nsec - (int64_t)boot;
}
