/*
 * audit_read.c - records out of the ring buffer, one reader at a time.
 *
 * How far it was read is kept in the ring buffer itself: the next reader goes on
 * where the last one ended, however that was; the record it had in its hands then
 * comes once more.
 */
#include "cgroup/internal.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <bpf/libbpf.h>

/* Under steady load there is always one more: a wait ends after this many. */
enum { RECORDS_A_POLL = 4096 };

/* What stands behind a record, where all of it is there; else nothing does. */
static void told_read(struct event_told *t, const char *data, size_t size)
{
	const size_t head = offsetof(struct event_told, value);
	*t = (struct event_told){0};
	if (size < head)
		return;
	memcpy(t, data, head);
	size_t n = (size_t)__builtin_popcountll(t->which);
	if (n <= EVENT_VALUES_MAX && size - head >= n * sizeof *t->value)
		memcpy(t->value, data + head, n * sizeof *t->value);
	else
		*t = (struct event_told){0};
}

/* What a record of this version has at least; later ones may be longer, and their
 * known part is read. Records of other versions are passed over. */
static bool record_read(struct event_record *r, const void *data, size_t size)
{
	struct event *e = &r->event;
	const size_t least = sizeof *e;
	if (size < least)
		return false;
	memcpy(e, data, least);
	if (e->version != EVENT_VERSION || e->size < least || e->size > size)
		return false;
	e->comm[sizeof e->comm - 1] = '\0';
	told_read(&r->told, (const char *)data + least, e->size - least);
	return true;
}

static int take_record(void *ctx, void *data, size_t size)
{
	struct audit *au = ctx;
	struct event_record r;
	bool go_on = ++au->seen < RECORDS_A_POLL;
	if (record_read(&r, data, size)) {
		au->given++;
		go_on &= au->one(au->arg, &r);
	}
	return go_on ? 0 : -ECANCELED; /* the record itself counts as read */
}

/* The program's own and those before it that have something to be read. 0 or -errno. */
static int map_rings(struct audit *au)
{
	const struct report_maps *m = &au->maps;
	au->ring = ring_buffer__new(m->fd[REPORT_EVENTS], take_record, au, NULL);
	int error = au->ring ? 0 : -errno;
	for (size_t i = 0; !error && i < m->nold; i++)
		error = ring_buffer__add(au->ring, m->old[i].fd, take_record, au);
	if (error && au->ring) {
		ring_buffer__free(au->ring);
		au->ring = NULL;
	}
	return error;
}

int audit_map_ring(struct diags *d, struct audit *au)
{
	libbpf_print_fn_t before = libbpf_set_print(NULL); /* it would print to stderr */
	int error = -map_rings(au);
	libbpf_set_print(before);
	if (!error)
		return 0;
	return diag_fail(d, error_hint(d->arena, error, "see the kernel log"),
	                 "cannot read the events of program %u: %s", au->id, strerror(error));
}

int audit_poll(struct diags *d, struct audit *au, int timeout_ms,
               bool (*one)(void *arg, const struct event_record *r), void *arg)
{
	if (!au->ring)
		return diag_fail(d, "claim them first", "events of program %u are read without a claim",
		                 au->id);
	au->one = one;
	au->arg = arg;
	au->given = au->seen = 0;
	int error = ring_buffer__poll(au->ring, timeout_ms);
	if (error < 0 && error != -EINTR && error != -ECANCELED)
		return diag_fail(d, "see the kernel log", "cannot wait for events of program %u: %s",
		                 au->id, strerror(-error));
	return au->given;
}

int audit_fd(const struct audit *au)
{
	return au->ring ? ring_buffer__epoll_fd(au->ring) : -1;
}
