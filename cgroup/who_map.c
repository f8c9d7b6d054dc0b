/* who_map.c - the map that tells a program which files and cgroups its policy's names are. */
#include "cgroup/who.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cgroup/internal.h"

/* 1, 0 or -errno. */
static int is_who_map(int fd)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof info;
	int error = bpf_obj_get_info_by_fd(fd, &info, &len);
	return error ? error
	             : !strncmp(info.name, WHO_MAP_NAME, sizeof info.name) && info.type == BPF_MAP_TYPE_HASH &&
	                       info.key_size == sizeof(struct who_key) && info.value_size == sizeof(uint64_t);
}

/* The map itself, if it is that one; -ENOENT: it is not, or is gone; or -errno. */
static int taken(uint32_t id)
{
	int map = bpf_map_get_fd_by_id(id), is = map < 0 ? map : is_who_map(map);
	if (is > 0)
		return map;
	if (map >= 0)
		close(map);
	return is ? is : -ENOENT;
}

int who_map_of(uint32_t program)
{
	uint32_t *ids, n;
	int fd = bpf_prog_get_fd_by_id(program);
	if (fd < 0)
		return fd;
	int found = program_map_ids(fd, &ids, &n);
	close(fd);
	if (!found)
		found = -ENOENT;
	for (uint32_t i = 0; i < n && found == -ENOENT; i++)
		found = taken(ids[i]);
	free(ids);
	return found;
}

struct entries {
	struct arena *arena;
	struct who_entry *list;
	size_t n, cap;
	struct who_root root;
};

static void keep_entry(void *arg, const void *key, const void *value)
{
	struct entries *e = arg;
	struct who_entry one;
	memcpy(&one.key, key, sizeof one.key);
	memcpy(&one.value, value, sizeof one.value);
	if (one.key.device == WHO_DEVICE_ROOT)
		e->root = (struct who_root){one.key.id, one.value & ~WHO_ROOT, one.key.generation};
	else
		*ARENA_PUSH(e->arena, e->list, e->n, e->cap) = one;
}

int who_map_read(struct arena *a, int map, struct who_entry **list, size_t *n, struct who_root *root)
{
	struct entries e = {.arena = a};
	int error = map_walk(map, sizeof(struct who_key), sizeof(uint64_t), false, keep_entry, &e);
	*list = e.list;
	*n = e.n;
	*root = e.root;
	return error;
}

/* NULL: the program asks for none. */
static struct bpf_map *map_in(const struct bpf_object *object)
{
	return bpf_object__find_map_by_name(object, WHO_MAP_NAME);
}

void who_map_size(struct bpf_object *object, const struct who *who)
{
	struct bpf_map *map = map_in(object);
	uint32_t found = who->root.inode != 0;
	for (size_t i = 0; i < who->n; i++)
		found += !who->list[i].why;
	if (!map)
		return;
	bpf_map__set_max_entries(map, found ? found : 1);
	bpf_map__set_map_flags(map, bpf_map__map_flags(map) | BPF_F_RDONLY_PROG);
}

static int fill_root(struct diags *d, const char *policy, int map, const struct who_root *root)
{
	const struct who_key key = {root->inode, WHO_DEVICE_ROOT, root->mounts, 0};
	uint64_t value = WHO_ROOT | root->device;
	int error = root->inode ? bpf_map_update_elem(map, &key, &value, BPF_NOEXIST) : 0;
	return error ? diag_fail(d, error_hint(d->arena, -error, "see `rucy-devguard doctor` and the kernel log"),
	                         "cannot note in which root directory the files of '%s' are: %s", policy, strerror(-error))
	             : 0;
}

int who_map_fill(struct diags *d, const char *policy, const struct bpf_object *object, const struct who *who)
{
	int map = map_in(object) ? bpf_map__fd(map_in(object)) : -1;
	if (map >= 0 && fill_root(d, policy, map, &who->root))
		return -1;
	for (size_t i = 0; i < who->n && map >= 0; i++) {
		const struct who_name *w = &who->list[i];
		uint64_t value = (uint64_t)w->named->value;
		int error = w->why ? 0 : bpf_map_update_elem(map, &w->key, &value, BPF_NOEXIST);
		if (error)
			return diag_fail(d, error_hint(d->arena, -error, "see `rucy-devguard doctor` and the kernel log"),
			                 "cannot tell the program of '%s' which file '%s' is: %s", policy, w->named->path, strerror(-error));
	}
	int error = map >= 0 ? bpf_map_freeze(map) : 0;
	return error ? diag_fail(d, "see `rucy-devguard doctor` and the kernel log", "cannot close the map of '%s' for others: %s", policy,
	                         strerror(-error))
	             : 0;
}
