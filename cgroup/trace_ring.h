/* trace_ring.h - a page of a trace buffer as the kernel gives it: its records. */
#ifndef DEVGUARD_CGROUP_TRACE_RING_H
#define DEVGUARD_CGROUP_TRACE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- trace_ring.c ------------------------------------------------------------------ */

struct ring_record {
	const unsigned char *data; /* starts with the number of its event */
	size_t len;
	uint64_t ns;
};
/* Did the kernel write over records before this page of `size` bytes, because nobody read them in time? */
bool ring_gap(const unsigned char *page, size_t size);
/* Gives each record of a page to `one`. False: the page is not as the kernel writes one. */
bool ring_page(const unsigned char *page, size_t size, void (*one)(void *arg, const struct ring_record *r), void *arg);

#endif
