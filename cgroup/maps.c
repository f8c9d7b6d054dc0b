/*
 * maps.c - the maps a program reports through: found among a program's maps by
 * name and shape (policy/maps.def), and read whole.
 */
#include "cgroup/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

const struct report_kind report_kinds[REPORT_MAPS] = {
#define MAP(id, name, type, key, value, entries, flags) \
	[REPORT_##id] = {#name, BPF_MAP_TYPE_##type, key, value, flags},
#define BOUND_MAP MAP
#include "policy/maps.def"
};

int program_map_ids(int fd, uint32_t **ids, uint32_t *n)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof info;
	*n = 0;
	*ids = NULL;
	int error = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (error)
		return error;
	uint32_t room = info.nr_map_ids;
	*ids = calloc(room + 1, sizeof **ids);
	if (!*ids)
		return -ENOMEM;
	info = (struct bpf_prog_info){.nr_map_ids = room, .map_ids = (uintptr_t)*ids};
	len = sizeof info;
	error = bpf_obj_get_info_by_fd(fd, &info, &len);
	/* one bound meanwhile is counted, but had no room */
	*n = error ? 0 : info.nr_map_ids < room ? info.nr_map_ids : room;
	return error;
}

static int kind_of(const struct bpf_map_info *info)
{
	for (int i = 0; i < REPORT_MAPS; i++) {
		const struct report_kind *k = &report_kinds[i];
		if (!strncmp(info->name, k->name, sizeof info->name) && info->type == k->type &&
		    info->key_size == k->key_size && info->value_size == k->value_size)
			return i;
	}
	return -1;
}

void report_maps_none(struct report_maps *m)
{
	m->events_id = m->counts_id = 0;
	m->nold = 0;
	for (int i = 0; i < REPORT_MAPS; i++)
		m->fd[i] = -1;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* The first of its kind is the program's own: the kernel lists maps that were bound to it later
 * after those it uses. */
static bool keep_map(struct report_maps *m, int kind, int fd, uint32_t id)
{
	bool own = m->fd[kind] < 0;
	if (own)
		m->fd[kind] = fd;
	if (own && kind == REPORT_EVENTS)
		m->events_id = id;
	if (own && kind == REPORT_TOTALS)
		m->counts_id = id;
	if (own || kind != REPORT_EVENTS || m->nold == OLD_RINGS)
		return own;
	m->old[m->nold++] = (struct ring){fd, id};
	return true;
}

int report_maps_open(int prog, struct report_maps *out)
{
	uint32_t *ids, n;
	report_maps_none(out);
	int error = program_map_ids(prog, &ids, &n);
	for (uint32_t i = 0; !error && i < n; i++) {
		struct bpf_map_info info = {0};
		uint32_t len = sizeof info;
		int fd = bpf_map_get_fd_by_id(ids[i]);
		error = fd < 0 ? fd : bpf_obj_get_info_by_fd(fd, &info, &len);
		int kind = error ? -1 : kind_of(&info);
		if (kind < 0 || !keep_map(out, kind, fd, info.id))
			close_fd(fd);
	}
	free(ids);
	if (error)
		report_maps_close(out);
	return error;
}

void report_maps_close(struct report_maps *m)
{
	for (int i = 0; i < REPORT_MAPS; i++)
		close_fd(m->fd[i]);
	for (size_t i = 0; i < m->nold; i++)
		close_fd(m->old[i].fd);
	report_maps_none(m);
}

uint32_t map_entries(int fd)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof info;
	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.max_entries;
}

/* How far it was read is in its first page, how far it was written in its second. */
bool ring_unread(int fd)
{
	long page = sysconf(_SC_PAGESIZE);
	unsigned long *read = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	unsigned long *written = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, page);
	bool unread = read == MAP_FAILED || written == MAP_FAILED ||
	              __atomic_load_n(read, __ATOMIC_ACQUIRE) != __atomic_load_n(written, __ATOMIC_ACQUIRE);
	if (read != MAP_FAILED)
		munmap(read, page);
	if (written != MAP_FAILED)
		munmap(written, page);
	return unread;
}

enum { BATCH = 512 };

int map_walk(int fd, size_t key, size_t value, bool take,
             void (*one)(void *arg, const void *key, const void *value), void *arg)
{
	uint32_t room = BATCH, position = 0;
	bool first = true;
	char *entries = malloc(room * (key + value));
	int error = entries ? 0 : -ENOMEM;
	while (!error) {
		uint32_t n = room;
		char *values = entries + room * key;
		error = (take ? bpf_map_lookup_and_delete_batch : bpf_map_lookup_batch)(
			fd, first ? NULL : &position, &position, entries, values, &n, NULL);
		if (error == -ENOSPC) { /* one bucket of the hash has more */
			room *= 2;
			free(entries);
			entries = malloc(room * (key + value));
			error = entries ? 0 : -ENOMEM;
			continue;
		}
		if (error && error != -ENOENT)
			break;
		for (uint32_t i = 0; i < n; i++)
			one(arg, entries + i * key, values + i * value);
		first = false;
	}
	free(entries);
	return error == -ENOENT ? 0 : error; /* ENOENT: that was the last batch */
}

int map_each(int fd, enum report_map kind, bool take,
             void (*one)(void *arg, const void *key, const void *value), void *arg)
{
	return map_walk(fd, report_kinds[kind].key_size, report_kinds[kind].value_size, take, one, arg);
}
