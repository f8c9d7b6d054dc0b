/*
 * raw_maps.c - the maps of a raw program: found among those of a loaded program, read whole or by key, changed.
 *
 * A program may be loaded by anybody (bpftool, libbpf, this tool), so its maps are known by what the kernel shows: the
 * first 15 bytes of the name, type, sizes, number of entries. Answers are the kernel's bytes; what they mean is in the
 * records of struct raw_map.
 */
#include "cgroup/internal.h"
#include "policy/raw_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static const uint32_t types[RAW_MAP_KINDS] = {
	[RAW_TABLE] = BPF_MAP_TYPE_HASH,   [RAW_PERCPU] = BPF_MAP_TYPE_PERCPU_HASH,
	[RAW_ARRAY] = BPF_MAP_TYPE_ARRAY,  [RAW_HISTOGRAM] = BPF_MAP_TYPE_ARRAY,
	[RAW_RING] = BPF_MAP_TYPE_RINGBUF, [RAW_LOST] = BPF_MAP_TYPE_ARRAY,
};

/* ---- found -------------------------------------------------------------------------- */

static bool is_it(const struct raw_map *m, const struct bpf_map_info *info)
{
	bool ring = m->kind == RAW_RING;
	return info->type == types[m->kind] && (ring || info->max_entries == m->entries) &&
	       info->key_size == (ring ? 0 : m->key.size) && info->value_size == (ring ? 0 : m->value.size) &&
	       !strncmp(info->name, m->name, BPF_OBJ_NAME_LEN - 1);
}

static int cannot_tell(struct diags *d, const struct raw_map *m)
{
	return diag_fail(d, "the kernel keeps 15 bytes of a name: let the names of maps differ in these",
	                 "the map %s of the program cannot be told from another one", m->name);
}

/* Takes the map for what it is, if it is one of them. 0, -errno, or 1: with a diagnostic. */
static int take_map(struct diags *d, struct raw_maps *m, uint32_t id)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof info;
	const struct raw_map *found = NULL;
	int fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return fd;
	int result = bpf_obj_get_info_by_fd(fd, &info, &len);
	for (size_t i = 0; !result && i < m->n; i++) {
		if (!is_it(&m->maps[i], &info))
			continue;
		if (found || m->open[i].fd >= 0) {
			cannot_tell(d, &m->maps[i]);
			result = 1;
		}
		found = &m->maps[i];
	}
	if (result || !found) {
		close(fd);
		return result;
	}
	struct raw_map_open *o = &m->open[found - m->maps];
	o->fd = fd;
	o->id = id;
	return 0;
}

int raw_maps_open(struct arena *a, struct diags *d, uint32_t id, const struct raw_map *maps, size_t n, struct raw_maps **out)
{
	struct raw_maps *m = arena_alloc(a, sizeof *m);
	uint32_t *ids = NULL, nids = 0, cpus = (uint32_t)libbpf_num_possible_cpus();
	*m = (struct raw_maps){.maps = maps, .n = n, .open = arena_alloc(a, (n + 1) * sizeof *m->open)};
	for (size_t i = 0; i < n; i++) {
		bool each = maps[i].kind == RAW_PERCPU;
		m->open[i] = (struct raw_map_open){.fd = -1, .cpus = each ? cpus : 1,
		                                   .stride = each ? (maps[i].value.size + 7) / 8 * 8 : maps[i].value.size};
	}
	int prog = bpf_prog_get_fd_by_id(id), error = prog < 0 ? prog : program_map_ids(prog, &ids, &nids);
	if (prog >= 0)
		close(prog);
	for (uint32_t i = 0; !error && i < nids; i++)
		error = take_map(d, m, ids[i]);
	free(ids);
	if (error) {
		raw_maps_close(m);
		return error > 0 ? -1 : diag_fail(d, error_hint(a, -error, "see the kernel log"),
		                                  "cannot open the maps of program %u: %s", id, strerror(-error));
	}
	*out = m;
	return 0;
}

/* ---- read --------------------------------------------------------------------------- */

/* What is collected for an answer. */
struct collect {
	struct raw_maps *m;
	const struct raw_map *map;
	const struct raw_map_open *open;
	bool sum;
	size_t entry, used; /* bytes of an entry in the answer, and of all so far */
	struct raw_answer *out;
};

static struct collect collect_begin(struct raw_maps *m, uint32_t map, bool each_cpu, struct raw_answer *out)
{
	const struct raw_map *of = &m->maps[map];
	struct collect c = {.m = m, .map = of, .open = &m->open[map], .out = out,
	                    .sum = of->kind == RAW_PERCPU && !each_cpu};
	*out = (struct raw_answer){.key_size = of->key.size, .value_size = c.sum ? 8 : of->value.size,
	                           .cpus = c.sum ? 1 : c.open->cpus};
	c.entry = (size_t)out->key_size + (size_t)out->cpus * out->value_size;
	return c;
}

static int64_t sum_of(const struct collect *c, const unsigned char *values)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < c->open->cpus; i++)
		sum += (uint64_t)raw_number(&c->map->value.fields[0], values + i * c->open->stride);
	return (int64_t)sum;
}

/* Room for n more entries. */
static int collect_room(struct collect *c, uint32_t n)
{
	size_t need = c->used + n * c->entry, cap = c->m->cap ? c->m->cap : 4096;
	if (need > RAW_ANSWER_MAX)
		return -EMSGSIZE;
	if (need <= c->m->cap)
		return 0;
	while (cap < need)
		cap *= 2;
	unsigned char *bytes = realloc(c->m->bytes, cap);
	if (!bytes)
		return -ENOMEM;
	c->m->bytes = bytes;
	c->m->cap = cap;
	return 0;
}

/* n entries as the kernel gives them. */
static int collect_add(struct collect *c, const unsigned char *keys, const unsigned char *values, uint32_t n)
{
	int error = collect_room(c, n);
	for (uint32_t i = 0; !error && i < n; i++, values += c->open->cpus * c->open->stride) {
		unsigned char *to = c->m->bytes + c->used;
		memcpy(to, keys + (size_t)i * c->out->key_size, c->out->key_size);
		to += c->out->key_size;
		int64_t sum = c->sum ? sum_of(c, values) : 0;
		if (c->sum)
			memcpy(to, &sum, sizeof sum);
		for (uint32_t k = 0; !c->sum && k < c->out->cpus; k++)
			memcpy(to + (size_t)k * c->out->value_size, values + k * c->open->stride, c->out->value_size);
		c->used += c->entry;
		c->out->n++;
	}
	return error;
}

enum { BATCH = 512 };

/* Entries by the batch, `take`: and takes them out. */
static int each_batch(struct collect *c, bool take)
{
	size_t key = c->map->key.size, value = c->open->cpus * c->open->stride;
	unsigned char position[RAW_RECORD_MAX], *entries = NULL;
	uint32_t room = BATCH;
	bool first = true;
	int error = 0;
	while (!error) {
		uint32_t n = room;
		if (!entries && !(entries = malloc(room * (key + value))))
			return -ENOMEM;
		unsigned char *values = entries + room * key;
		error = (take ? bpf_map_lookup_and_delete_batch : bpf_map_lookup_batch)(
			c->open->fd, first ? NULL : position, position, entries, values, &n, NULL);
		if (error == -ENOSPC) { /* one bucket of the hash has more */
			room *= 2;
			free(entries);
			entries = NULL;
			error = 0;
			continue;
		}
		if (error && error != -ENOENT)
			break;
		int failed = take ? 0 : collect_add(c, entries, values, n);
		error = failed ? failed : error;
		first = false;
	}
	free(entries);
	return error == -ENOENT ? 0 : error; /* ENOENT: that was the last batch */
}

static int one_entry(struct collect *c, const void *key)
{
	unsigned char *value = malloc(c->open->cpus * c->open->stride);
	if (!value)
		return -ENOMEM;
	int error = bpf_map_lookup_elem(c->open->fd, key, value);
	if (!error)
		error = collect_add(c, key, value, 1);
	free(value);
	return error == -ENOENT ? 0 : error;
}

/* key, value: what is given of them has the map's size. */
static int usable(const struct raw_maps *m, uint32_t map, struct raw_bytes key, struct raw_bytes value)
{
	if (map >= m->n || m->maps[map].kind == RAW_RING)
		return -EINVAL;
	if ((key.bytes && key.n != m->maps[map].key.size) || (value.bytes && value.n != m->maps[map].value.size))
		return -EINVAL;
	return m->open[map].fd < 0 ? -ENXIO : 0;
}
#define NO_BYTES ((struct raw_bytes){NULL, 0})

int raw_map_read(struct raw_maps *m, uint32_t map, struct raw_bytes key, bool each_cpu, struct raw_answer *out)
{
	int error = usable(m, map, key, NO_BYTES);
	if (error)
		return error;
	struct collect c = collect_begin(m, map, each_cpu, out);
	error = key.bytes ? one_entry(&c, key.bytes) : each_batch(&c, false);
	out->bytes = m->bytes;
	return error;
}

/* ---- changed ------------------------------------------------------------------------ */

static int clear_cells(const struct raw_map *map, int fd)
{
	uint32_t index[BATCH];
	unsigned char *zero = calloc(BATCH, map->value.size);
	int error = zero ? 0 : -ENOMEM;
	for (uint32_t i = 0; !error && i < map->entries; i += BATCH) {
		uint32_t n = map->entries - i < BATCH ? map->entries - i : BATCH;
		for (uint32_t k = 0; k < n; k++)
			index[k] = i + k;
		error = bpf_map_update_batch(fd, index, zero, &n, NULL);
	}
	free(zero);
	return error;
}

static bool has_cells(const struct raw_map *map)
{
	return map->kind != RAW_TABLE && map->kind != RAW_PERCPU;
}

int raw_map_clear(struct raw_maps *m, uint32_t map)
{
	struct raw_answer none;
	int error = usable(m, map, NO_BYTES, NO_BYTES);
	if (error)
		return error;
	if (has_cells(&m->maps[map]))
		return clear_cells(&m->maps[map], m->open[map].fd);
	struct collect c = collect_begin(m, map, true, &none);
	return each_batch(&c, true);
}

int raw_map_change(struct raw_maps *m, uint32_t map, struct raw_bytes key, struct raw_bytes value)
{
	int error = usable(m, map, key, value);
	if (error)
		return error;
	if (!key.bytes || (value.bytes ? m->maps[map].kind == RAW_PERCPU : has_cells(&m->maps[map])))
		return -EINVAL;
	error = value.bytes ? bpf_map_update_elem(m->open[map].fd, key.bytes, value.bytes, BPF_ANY)
	                    : bpf_map_delete_elem(m->open[map].fd, key.bytes);
	return !value.bytes && error == -ENOENT ? 0 : error;
}

/* ---- told, closed --------------------------------------------------------------------- */

const char *raw_maps_why(int error)
{
	switch (-error) {
	case ENXIO: return "the program does not use it";
	case EMSGSIZE: return "it holds more than 64 MiB: ask by key";
	case EINVAL: return "that cannot be done with such a map";
	case E2BIG: return "it is full";
	default: return strerror(-error);
	}
}

void raw_maps_close(struct raw_maps *m)
{
	if (!m)
		return;
	ring_buffer__free(m->rings);
	m->rings = NULL;
	for (size_t i = 0; i < m->nrings; i++)
		if (m->ring[i].lock >= 0)
			close(m->ring[i].lock);
	m->nrings = 0;
	for (size_t i = 0; i < m->n; i++)
		if (m->open[i].fd >= 0)
			close(m->open[i].fd);
	m->n = 0;
	free(m->bytes);
	m->bytes = NULL;
	m->cap = 0;
}
