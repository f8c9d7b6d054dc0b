/*
 * hostmaps.c - the maps of the host program: made, and found among those of a loaded program.
 *
 * The header is a frozen map of each program's own; the others go from a program to the one that takes its place.
 * devguard_watch and devguard_lost are mapped by who changes them: one word is one store, the program never sees half
 * of it. No hash is allocated before it is used.
 */
#include "cgroup/hostmaps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

struct host_kind {
	const char *name;
	enum bpf_map_type type;
	uint32_t key_size, value_size, entries, flags;
};

static const struct host_kind kinds[HOSTPROG_MAPS] = {
	[HOSTPROG_MAP_HEADER] = {HOSTPROG_NAME, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct hostprog_header), 1, BPF_F_RDONLY_PROG},
	[HOSTPROG_MAP_GRANTS] = {"devguard_grants", BPF_MAP_TYPE_HASH, sizeof(struct grant_key), sizeof(struct host_grant),
	                         HOSTPROG_GRANTS_MAX, BPF_F_NO_PREALLOC},
	[HOSTPROG_MAP_GUARDS] = {"devguard_guards", BPF_MAP_TYPE_HASH, sizeof(uint64_t), sizeof(uint32_t), HOSTPROG_GUARDS_MAX,
	                         BPF_F_NO_PREALLOC},
	[HOSTPROG_MAP_WATCH] = {"devguard_watch", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct host_watcher), HOSTPROG_WATCHERS,
	                        BPF_F_MMAPABLE},
	[HOSTPROG_MAP_RINGS] = {"devguard_rings", BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, HOSTPROG_WATCHERS, 0},
	[HOSTPROG_MAP_COUNTS] = {"devguard_counts", BPF_MAP_TYPE_HASH, sizeof(struct host_count_key), sizeof(struct host_count),
	                         HOSTPROG_COUNTS_MAX, BPF_F_NO_PREALLOC},
	[HOSTPROG_MAP_COARSE] = {"devguard_coarse", BPF_MAP_TYPE_HASH, sizeof(struct host_count_key), sizeof(struct host_count),
	                         HOSTPROG_COARSE_MAX, BPF_F_NO_PREALLOC},
	[HOSTPROG_MAP_LOST] = {"devguard_lost", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct host_lost), 1, BPF_F_MMAPABLE},
};

void hostmaps_none(struct hostmaps *m)
{
	m->watch_id = m->features = 0;
	for (int i = 0; i < HOSTPROG_MAPS; i++)
		m->fd[i] = -1;
}

void hostmaps_close(struct hostmaps *m)
{
	for (int i = 0; i < HOSTPROG_MAPS; i++)
		if (m->fd[i] >= 0)
			close(m->fd[i]);
	hostmaps_none(m);
}

/* ---- found ------------------------------------------------------------------------------ */

static bool is_kind(const struct host_kind *k, const struct bpf_map_info *info)
{
	return !strncmp(info->name, k->name, sizeof info->name) && info->type == k->type && info->key_size == k->key_size &&
	       info->value_size == k->value_size;
}

/* The header, when the map `id` is one. 1, 0 or -errno. */
static int read_header(uint32_t id, struct hostprog_header *out)
{
	const struct host_kind *k = &kinds[HOSTPROG_MAP_HEADER];
	struct bpf_map_info info = {0};
	uint32_t len = sizeof info, zero = 0;
	int fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return fd;
	int result = bpf_obj_get_info_by_fd(fd, &info, &len);
	/* of a later version it may be longer */
	if (!result && !strncmp(info.name, k->name, sizeof info.name) && info.type == k->type &&
	    info.value_size >= sizeof *out && info.value_size <= 4096) {
		char value[4096];
		result = bpf_map_lookup_elem(fd, &zero, value);
		memcpy(out, value, sizeof *out);
		result = result ? result : out->magic == HOSTPROG_MAGIC;
	}
	close(fd);
	return result;
}

int hostmaps_header(int prog, struct hostprog_header *out)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof info, *ids, n;
	int result = bpf_obj_get_info_by_fd(prog, &info, &len);
	if (result || info.type != BPF_PROG_TYPE_CGROUP_DEVICE || strncmp(info.name, HOSTPROG_NAME, sizeof info.name))
		return result;
	result = program_map_ids(prog, &ids, &n);
	for (uint32_t i = 0; !result && i < n; i++)
		result = read_header(ids[i], out);
	free(ids);
	return result;
}

/* 0 or -errno. */
static int take_map(struct hostmaps *m, uint32_t id)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof info;
	int fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return fd;
	int error = bpf_obj_get_info_by_fd(fd, &info, &len);
	for (int i = 0; !error && i < HOSTPROG_MAPS; i++)
		if (m->fd[i] < 0 && is_kind(&kinds[i], &info)) {
			m->fd[i] = fd;
			m->watch_id = i == HOSTPROG_MAP_WATCH ? id : m->watch_id;
			return 0;
		}
	close(fd);
	return error;
}

int hostmaps_open(int prog, struct hostmaps *out)
{
	uint32_t *ids, n;
	hostmaps_none(out);
	int error = program_map_ids(prog, &ids, &n);
	for (uint32_t i = 0; !error && i < n; i++)
		error = take_map(out, ids[i]);
	free(ids);
	for (int i = 0; !error && i < HOSTPROG_MAPS; i++)
		error = out->fd[i] < 0 ? -EPROTO : 0;
	struct hostprog_header header = {0};
	uint32_t zero = 0;
	error = error ? error : bpf_map_lookup_elem(out->fd[HOSTPROG_MAP_HEADER], &zero, &header);
	out->features = header.features;
	if (error)
		hostmaps_close(out);
	return error;
}

/* ---- made ---------------------------------------------------------------------------------- */

static int new_ring(uint32_t size)
{
	return bpf_map_create(BPF_MAP_TYPE_RINGBUF, "devguard_ring", 0, 0, size, NULL);
}

static int make_map(enum hostprog_map map)
{
	const struct host_kind *k = &kinds[map];
	struct bpf_map_create_opts opts = {.sz = sizeof opts, .map_flags = k->flags};
	int inner = -1;
	if (k->type == BPF_MAP_TYPE_ARRAY_OF_MAPS) { /* rings of any size may be put in its place */
		inner = new_ring((uint32_t)sysconf(_SC_PAGESIZE));
		if (inner < 0)
			return inner;
		opts.inner_map_fd = (uint32_t)inner;
	}
	int fd = bpf_map_create(k->type, k->name, k->key_size, k->value_size, k->entries, &opts);
	if (inner >= 0)
		close(inner);
	return fd;
}

/* 0 or -errno. */
static int make_header(const struct hostprog_header *header, struct hostmaps *out)
{
	uint32_t zero = 0;
	int fd = make_map(HOSTPROG_MAP_HEADER);
	int error = fd < 0 ? fd : bpf_map_update_elem(fd, &zero, header, BPF_ANY);
	error = error ? error : bpf_map_freeze(fd);
	if (error && fd >= 0)
		close(fd);
	out->fd[HOSTPROG_MAP_HEADER] = error ? -1 : fd;
	return error;
}

static uint32_t map_id(int fd)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof info;
	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

int hostmaps_new(const struct hostprog_header *header, struct hostmaps *out)
{
	hostmaps_none(out);
	int error = make_header(header, out);
	out->features = header->features;
	for (int i = HOSTPROG_MAP_HEADER + 1; !error && i < HOSTPROG_MAPS; i++) {
		out->fd[i] = make_map(i);
		error = out->fd[i] < 0 ? out->fd[i] : 0;
	}
	if (error)
		hostmaps_close(out);
	else
		out->watch_id = map_id(out->fd[HOSTPROG_MAP_WATCH]);
	return error;
}

int hostmaps_next(const struct hostprog_header *header, const struct hostmaps *from, struct hostmaps *out)
{
	hostmaps_none(out);
	int error = header ? make_header(header, out) : 0;
	for (int i = HOSTPROG_MAP_HEADER + 1; !error && i < HOSTPROG_MAPS; i++) {
		out->fd[i] = fcntl(from->fd[i], F_DUPFD_CLOEXEC, 3);
		error = out->fd[i] < 0 ? -errno : 0;
	}
	out->watch_id = from->watch_id;
	out->features = header ? header->features : from->features;
	if (error)
		hostmaps_close(out);
	return error;
}

/* ---- looked into ------------------------------------------------------------------------------ */

static size_t view_size(enum hostprog_map map)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (size_t)kinds[map].value_size * kinds[map].entries;
	return (size + page - 1) / page * page;
}

void *hostmaps_view(const struct hostmaps *m, enum hostprog_map map)
{
	void *view = mmap(NULL, view_size(map), PROT_READ | PROT_WRITE, MAP_SHARED, m->fd[map], 0);
	return view == MAP_FAILED ? NULL : view;
}

void hostmaps_end_view(enum hostprog_map map, void *view)
{
	if (view)
		munmap(view, view_size(map));
}

int hostmaps_each(const struct hostmaps *m, enum hostprog_map map, void (*one)(void *arg, const void *key, const void *value),
                  void *arg)
{
	return map_walk(m->fd[map], kinds[map].key_size, kinds[map].value_size, false, one, arg);
}

/* ---- where it is attached ----------------------------------------------------------------------- */

/* Looks at one of the programs. 1: it is a host program and kept in *found, 0, or -errno; -ENOENT: it, or a map of it, went
 * meanwhile. */
static int look_at(uint32_t id, struct host_found *found)
{
	struct hostprog_header header;
	int fd = bpf_prog_get_fd_by_id(id);
	int is = fd < 0 ? fd : hostmaps_header(fd, &header);
	if (is == 1 && found->fd < 0) {
		*found = (struct host_found){.fd = fd, .id = id, .header = header};
		return 1;
	}
	if (is == 1)
		found->other = id;
	if (fd >= 0)
		close(fd);
	return is == 1 ? 0 : is;
}

/* Once through all of them. 0, or -errno; -ENOENT: some went meanwhile. */
static int look_at_all(const uint32_t *ids, size_t n, struct host_found *found)
{
	int gone = 0;
	for (size_t i = n; i-- > 0;) { /* those of the root come last */
		int is = look_at(ids[i], found);
		if (is < 0 && is != -ENOENT)
			return is;
		gone |= is == -ENOENT;
		if (is == 1)
			found->behind = (unsigned)(n - 1 - i);
	}
	return gone ? -ENOENT : 0;
}

int hostprog_find(struct arena *a, struct diags *d, const struct cgroup *cg, struct host_found *out)
{
	enum { TRIES = 100 };
	int error = -ENOENT;
	for (int tries = 0; error == -ENOENT && tries < TRIES; tries++) { /* replaced meanwhile: once more */
		uint32_t *ids;
		size_t n;
		*out = (struct host_found){.fd = -1};
		if (cgroup_effective_programs(a, d, cg, &ids, &n))
			return -1;
		error = look_at_all(ids, n, out);
		if (out->fd >= 0 && error == -ENOENT) /* of others */
			error = 0;
		if (error && out->fd >= 0)
			close(out->fd);
	}
	if (!error)
		return 0;
	out->fd = -1;
	return diag_fail(d, error_hint(a, -error, "try again, or see the kernel log"), "cannot tell whether there is a host program: %s",
	                 strerror(-error));
}

int hostprog_two(struct arena *a, struct diags *d, const struct host_found *found)
{
	return diag_fail(d, arena_printf(a, "detach one of them from the hierarchy's root: bpftool cgroup detach %s cgroup_device id %u",
	                                 shell_word(a, cgroup_mount(a)), found->other),
	                 "there are two host programs, %u and %u: what one opens, the other does not know", found->id, found->other);
}

int hostprog_unknown(struct arena *a, struct diags *d, const struct host_found *found, int error)
{
	if (error != EPROTO)
		return diag_fail(d, error_hint(a, error, "see the kernel log"), "cannot open the maps of the host program %u: %s",
		                 found->id, strerror(error));
	return diag_fail(d, arena_printf(a, "use that version, or take it off the hierarchy's root, which ends all grants: bpftool cgroup "
	                                    "detach %s cgroup_device id %u", shell_word(a, cgroup_mount(a)), found->id),
	                 "the host program %u was made by version %.16s of this tool, which keeps its state in another form", found->id,
	                 found->header.tool);
}
