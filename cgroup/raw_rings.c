/*
 * raw_rings.c - records out of the rings of a raw program.
 *
 * As with what a policy reports, how far a ring was read is kept in the ring itself: a record goes to one reader only.
 */
#include "cgroup/internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

/* Under steady load there is always one more: a wait ends after this many. */
enum { RECORDS_A_POLL = 4096 };

static int take_record(void *arg, void *data, size_t size)
{
	const struct raw_ring *ring = arg;
	struct raw_maps *m = ring->of;
	bool go_on = ++m->given < RECORDS_A_POLL;
	go_on &= m->one(m->arg, ring->map, data, size);
	return go_on ? 0 : -ECANCELED; /* the record itself counts as read */
}

/* 0 or -errno. */
static int add_ring(struct raw_maps *m, struct raw_ring *ring)
{
	int fd = m->open[ring->map].fd;
	if (m->rings)
		return ring_buffer__add(m->rings, fd, take_record, ring);
	m->rings = ring_buffer__new(fd, take_record, ring, NULL);
	return m->rings ? 0 : -errno;
}

int raw_rings_open(struct arena *a, struct diags *d, struct raw_maps *m, bool alone,
                   bool (*one)(void *arg, uint32_t map, const void *record, size_t size), void *arg)
{
	m->ring = arena_alloc(a, (m->n + 1) * sizeof *m->ring);
	m->one = one;
	m->arg = arg;
	for (uint32_t i = 0; i < m->n; i++) {
		if (m->maps[i].kind != RAW_RING || m->open[i].fd < 0)
			continue;
		struct raw_ring *ring = &m->ring[m->nrings];
		*ring = (struct raw_ring){m, i, alone ? reader_claim(a, d, m->open[i].id) : -1};
		if (alone && ring->lock < 0)
			return -1;
		m->nrings++;
		libbpf_print_fn_t before = libbpf_set_print(NULL); /* it would print to stderr */
		int error = add_ring(m, ring);
		libbpf_set_print(before);
		if (error)
			return diag_fail(d, error_hint(a, -error, "see the kernel log"), "cannot read the ring %s: %s",
			                 m->maps[i].name, strerror(-error));
	}
	return 0;
}

int raw_rings_poll(struct diags *d, struct raw_maps *m, int timeout_ms)
{
	m->given = 0;
	int error = m->rings ? ring_buffer__poll(m->rings, timeout_ms) : 0;
	if (error < 0 && error != -EINTR && error != -ECANCELED)
		return diag_fail(d, "see the kernel log", "cannot wait for records: %s", strerror(-error));
	return m->given;
}

int raw_rings_fd(const struct raw_maps *m)
{
	return m->rings ? ring_buffer__epoll_fd(m->rings) : -1;
}
