/*
 * query.c - which device programs a cgroup has, and whose they are.
 *
 * The kernel is the only place where that is kept. A program is ours when one of
 * its .rodata maps starts with struct image_header. Others may change the list at
 * any moment: ids that are gone are left out; those that may not be read are
 * listed by their id, and callers that change something are told of them.
 */
#include "cgroup/hostmaps.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

enum {
	RODATA_MAX = 64 << 20, /* larger ones cannot be ours */
	HEADER_MIN = offsetof(struct image_header, audit), /* version 1 ended there */
};

/* ---- what one program is -------------------------------------------------------- */

/* What an earlier version did not write is 0. */
static void header_copy(struct image_header *header, const void *from, size_t size)
{
	*header = (struct image_header){0};
	memcpy(header, from, HEADER_MIN);
	size_t written = le32toh(header->size);
	size = size < written ? size : written;
	if (size > HEADER_MIN)
		memcpy(header, from, size < sizeof *header ? size : sizeof *header);
}

/* The line behind the parameters and some other texts; "" when it is not there. */
static void meaning_copy(char out[MEANING_MAX], const char *from, size_t size)
{
	size_t n;
	const char *at = image_behind(from, size, IMAGE_TEXT_MEANING, &n);
	out[0] = '\0';
	if (at && memchr(at, '\0', n) && strlen(at) < MEANING_MAX)
		strcpy(out, at);
}

/* The first bytes of a program's .rodata map, if `id` is one, and the line. 1, 0 (it is not) or -errno. */
static int rodata_header(uint32_t id, struct image_header *header, char meaning[MEANING_MAX])
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof info, zero = 0;
	int fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return fd;
	int result = bpf_obj_get_info_by_fd(fd, &info, &len);
	size_t n = strnlen(info.name, sizeof info.name), suffix = strlen(".rodata");
	if (!result && info.type == BPF_MAP_TYPE_ARRAY && n >= suffix &&
	    !strncmp(info.name + n - suffix, ".rodata", suffix) && info.value_size >= HEADER_MIN &&
	    info.value_size <= RODATA_MAX) {
		void *value = malloc(info.value_size);
		result = value ? bpf_map_lookup_elem(fd, &zero, value) : -ENOMEM;
		if (!result) {
			header_copy(header, value, info.value_size);
			meaning_copy(meaning, value, info.value_size);
		}
		result = result ? result : 1;
		free(value);
	}
	close(fd);
	return result;
}

static bool header_is_ours(const struct image_header *h)
{
	return le64toh(h->magic) == IMAGE_MAGIC && le32toh(h->size) >= HEADER_MIN && h->name[0] &&
	       memchr(h->name, '\0', sizeof h->name);
}

/* Looks for our header in the program's maps. 1 found, 0 none, -errno. */
static int program_header(int fd, struct image_header *header, char meaning[MEANING_MAX])
{
	uint32_t *ids, n;
	int result = program_map_ids(fd, &ids, &n), unreadable = 0;
	for (uint32_t i = 0; !result && i < n; i++) {
		int map = rodata_header(ids[i], header, meaning);
		if (map < 0 && !unreadable)
			unreadable = map;
		if (map == 1 && header_is_ours(header))
			result = 1;
	}
	free(ids);
	return result ? result : unreadable;
}

static uint64_t boot_time(void)
{
	struct timespec now, up;
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	return (uint64_t)((now.tv_sec - up.tv_sec) * 1000000000 + now.tv_nsec - up.tv_nsec);
}

void tag_text(char out[17], const unsigned char tag[8])
{
	for (int i = 0; i < BPF_TAG_SIZE; i++)
		snprintf(out + 2 * i, 3, "%02x", tag[i]);
}

enum reading describe_program(int fd, struct attached *at)
{
	struct bpf_prog_info info = {0};
	struct image_header header;
	uint32_t len = sizeof info;
	at->unreadable = -bpf_obj_get_info_by_fd(fd, &info, &len);
	if (at->unreadable)
		return READ_NOT;
	at->known = true;
	at->id = info.id;
	memcpy(at->kernel_name, info.name, strnlen(info.name, sizeof info.name));
	at->run_count = info.run_cnt;
	at->run_time_ns = info.run_time_ns;
	at->loaded_at = (boot_time() + info.load_time) / 1000000000;
	at->insns = info.xlated_prog_len / (unsigned)sizeof(struct bpf_insn);
	at->uid = info.created_by_uid;
	tag_text(at->tag, info.tag);

	struct hostprog_header host;
	int is_host = hostmaps_header(fd, &host);
	if (is_host == 1)
		at->host_parts = host.parts ? host.parts : 1;
	if (is_host == 1)
		memcpy(at->tool, host.tool, sizeof host.tool);
	if (is_host == 1)
		return READ_OK;

	char meaning[MEANING_MAX] = "";
	int found = is_host < 0 ? is_host : program_header(fd, &header, meaning);
	at->unreadable = found < 0 ? -found : 0;
	if (found != 1)
		return found < 0 ? READ_NOT : READ_OK;
	at->ours = true;
	memcpy(at->name, header.name, sizeof at->name);
	memcpy(at->tool, header.tool, sizeof header.tool);
	at->digest = le64toh(header.digest);
	at->nrules = le32toh(header.nrules);
	at->audit = le32toh(header.audit);
	at->mode = le32toh(header.mode);
	at->grants = le32toh(header.features) & FEATURE_GRANTS;
	at->generation = le32toh(header.generation);
	memcpy(at->meaning, meaning, sizeof at->meaning);
	return READ_OK;
}

static enum reading describe(struct attached *at)
{
	int fd = bpf_prog_get_fd_by_id(at->id);
	if (fd < 0)
		at->unreadable = -fd;
	if (fd < 0)
		return fd == -ENOENT ? READ_GONE : READ_NOT;
	enum reading result = describe_program(fd, at);
	close(fd);
	return result;
}

void program_describe(struct attached *at)
{
	if (describe(at) == READ_GONE)
		at->unreadable = ENOENT;
}

int program_hold(uint32_t id)
{
	return bpf_prog_get_fd_by_id(id);
}

/* ---- what is attached --------------------------------------------------------------- */

/* The ids attached here. 0 or -errno. */
static int query_ids(struct arena *a, const struct cgroup *cg, uint32_t **ids, uint32_t *n,
                     uint32_t *flags)
{
	for (uint32_t room = CGROUP_PROGRAMS_MAX;; room *= 2) {
		*ids = arena_alloc(a, room * sizeof **ids);
		*n = room;
		int error = bpf_prog_query(cg->fd, BPF_CGROUP_DEVICE, 0, flags, *ids, n);
		if (error != -ENOSPC)
			return error;
	}
}

int cgroup_programs(const struct cgroup *cg)
{
	uint32_t n = 0, flags;
	int error = bpf_prog_query(cg->fd, BPF_CGROUP_DEVICE, 0, &flags, NULL, &n);
	return error ? error : (int)n;
}

int cgroup_effective(const struct cgroup *cg)
{
	uint32_t n = 0, flags;
	int error = bpf_prog_query(cg->fd, BPF_CGROUP_DEVICE, BPF_F_QUERY_EFFECTIVE, &flags, NULL, &n);
	return error ? error : (int)n;
}

int cgroup_effective_programs(struct arena *a, struct diags *d, const struct cgroup *cg, uint32_t **ids, size_t *n)
{
	uint32_t count = 0, flags, room;
	int error;
	*n = 0;
	do { /* more may have come between the two questions */
		error = bpf_prog_query(cg->fd, BPF_CGROUP_DEVICE, BPF_F_QUERY_EFFECTIVE, &flags, NULL, &count);
		room = count + 8;
		*ids = arena_alloc(a, room * sizeof **ids);
		count = room;
		error = error ? error : bpf_prog_query(cg->fd, BPF_CGROUP_DEVICE, BPF_F_QUERY_EFFECTIVE, &flags, *ids, &count);
	} while (error == -ENOSPC);
	if (error && cgroup_gone(cg))
		return cgroup_is_gone(d, cg);
	if (error)
		return diag_fail(d, error_hint(a, -error, "see the kernel log"), "cannot ask which programs decide for %s: %s", cg->path,
		                 strerror(-error));
	*n = count;
	return 0;
}

int cgroup_is_gone(struct diags *d, const struct cgroup *cg)
{
	return diag_fail(d, "whoever made it has removed it; start again with a cgroup that stays",
	                 "the cgroup '%s' was removed meanwhile", cg->path);
}

int list_attached(struct arena *a, struct diags *d, const struct cgroup *cg,
                  struct attached **list, size_t *n, const struct attached **unreadable)
{
	uint32_t *ids, count, flags = 0;
	*list = NULL;
	*n = 0;
	*unreadable = NULL;
	int error = query_ids(a, cg, &ids, &count, &flags);
	if (error && cgroup_gone(cg))
		return cgroup_is_gone(d, cg);
	if (error == -EPERM || error == -EACCES)
		return diag_fail(d, privilege_hint(a), "no permission to ask what is attached to '%s'",
		                 cg->path);
	if (error)
		return diag_fail(d, "a kernel with CONFIG_CGROUP_BPF=y is needed, see "
		                    "`rucy-devguard doctor`",
		                 "cannot ask what is attached to '%s': %s", cg->path, strerror(-error));
	*list = arena_alloc(a, count * sizeof **list);
	for (uint32_t i = 0; i < count; i++) {
		struct attached at = {.id = ids[i], .attach_flags = flags};
		enum reading result = describe(&at);
		if (result == READ_GONE)
			continue;
		(*list)[(*n)++] = at;
		if (at.unreadable && !*unreadable)
			*unreadable = &(*list)[*n - 1];
	}
	return 0;
}

int cgroup_query(struct arena *a, struct diags *d, const struct cgroup *cg,
                 struct attached **list, size_t *n)
{
	const struct attached *unreadable;
	return list_attached(a, d, cg, list, n, &unreadable);
}

const struct attached *attached_named(const struct attached *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].ours && !strcmp(list[i].name, name))
			return &list[i];
	return NULL;
}
