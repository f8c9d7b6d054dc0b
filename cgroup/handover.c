/*
 * handover.c - what a program gets from the one it replaces.
 *
 * The maps of policy/event.h are handed over all together or not at all: sums over
 * them must hold. The generation and what the running kernel can tell are written
 * into the header at the start of .rodata before the load; the kernel then sees
 * constants, and its verifier never looks at calls that this kernel does not have.
 *
 * The caller holds the cgroup's lock: two tools at once would give two programs the
 * same generation.
 */
#include "cgroup/internal.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* ---- the program before ------------------------------------------------------------ */

static int cannot_ask(struct arena *a, struct diags *d, uint32_t from, int error)
{
	return diag_fail(d, privilege_hint(a), "cannot take over what program %u reported: %s", from,
	                 strerror(-error));
}

/* Its generation and its maps. 0 or -1. */
static int read_old(struct arena *a, struct diags *d, struct handover *h)
{
	struct attached old = {0};
	int fd = bpf_prog_get_fd_by_id(h->from);
	if (fd == -ENOENT) {
		diag_add(d, DIAG_WARNING, (struct span){0},
		         "another tool detached it at the same moment; this load starts anew",
		         "program %u is gone, and what it counted with it", h->from);
		h->from = 0;
		return 0;
	}
	if (fd < 0)
		return cannot_ask(a, d, h->from, fd);
	int error = describe_program(fd, &old) == READ_OK ? 0 : -EACCES;
	if (!error && old.ours) {
		h->generation = old.generation + 1;
		error = report_maps_open(fd, &h->old);
	}
	close(fd);
	return error ? cannot_ask(a, d, h->from, error) : 0;
}

/* ---- maps --------------------------------------------------------------------------- */

/* May the new program's map be the old one's? How many entries it has makes no
 * difference to a program. */
static bool fits(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof info;
	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) &&
	       info.type == bpf_map__type(map) && info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) &&
	       info.map_flags == bpf_map__map_flags(map);
}

/* Those of policy/event.h that the object has: NULL where not. */
static void object_maps(struct bpf_object *object, struct bpf_map *maps[REPORT_MAPS])
{
	for (int i = 0; i < REPORT_MAPS; i++)
		maps[i] = bpf_object__find_map_by_name(object, report_kinds[i].name);
}

static int take_maps(struct diags *d, const char *name, struct bpf_object *object,
                     struct handover *h)
{
	struct bpf_map *maps[REPORT_MAPS];
	object_maps(object, maps);
	h->reports = maps[REPORT_EVENTS] != NULL;
	if (!h->reports || h->old.fd[REPORT_EVENTS] < 0)
		return 0;
	bool all = true;
	for (int i = 0; i < REPORT_MAPS; i++)
		all &= !maps[i] || fits(maps[i], h->old.fd[i]);
	if (!all) {
		diag_add(d, DIAG_WARNING, (struct span){0},
		         "it was compiled by another version: read what it reported before it is replaced",
		         "the counts of program %u end with it: '%s' counts in another form", h->from, name);
		report_maps_close(&h->old);
		return 0;
	}
	for (int i = 0; i < REPORT_MAPS; i++) {
		int error = maps[i] ? bpf_map__reuse_fd(maps[i], h->old.fd[i]) : 0;
		if (error)
			return diag_fail(d, "see `rucy-devguard doctor` and the kernel log",
			                 "cannot hand the map %s over to '%s': %s", report_kinds[i].name, name,
			                 strerror(-error));
	}
	return 0;
}

/* ---- the header ------------------------------------------------------------------------ */

static struct bpf_map *rodata_map(struct bpf_object *object)
{
	struct bpf_map *map;
	bpf_object__for_each_map(map, object) {
		const char *suffix = strrchr(bpf_map__name(map), '.');
		if (bpf_map__is_internal(map) && suffix && !strcmp(suffix, ".rodata"))
			return map;
	}
	return NULL;
}

static uint32_t features_here(uint32_t features)
{
	static const struct { uint32_t feature; int helper; } needs[] = {
		{FEATURE_PID, BPF_FUNC_get_current_pid_tgid}, {FEATURE_COMM, BPF_FUNC_get_current_comm}};
	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
		for (size_t j = 0; j < FACT_HELPERS; j++)
			if ((features & needs[i].feature) && fact_helpers[j].number == needs[i].helper &&
			    !fact_offered(&fact_helpers[j]))
				features &= ~needs[i].feature;
	return features;
}

/* Objects that are not ours, or of a version without these fields, stay as they are. */
static int write_header(struct arena *a, struct diags *d, const char *name,
                        struct bpf_object *object, const struct handover *h)
{
	struct image_header header;
	size_t size = 0;
	struct bpf_map *map = rodata_map(object);
	const void *before = map ? bpf_map__initial_value(map, &size) : NULL;
	if (!before || size < sizeof header)
		return 0;
	memcpy(&header, before, sizeof header);
	if (le64toh(header.magic) != IMAGE_MAGIC || le32toh(header.size) < sizeof header)
		return 0;
	header.generation = htole32(h->generation);
	header.features = htole32(features_here(le32toh(header.features)));
	char *value = arena_alloc(a, size);
	memcpy(value, before, size);
	memcpy(value, &header, sizeof header);
	int error = bpf_map__set_initial_value(map, value, size);
	if (error)
		return diag_fail(d, "see `rucy-devguard doctor` and the kernel log",
		                 "cannot set the generation of '%s': %s", name, strerror(-error));
	return 0;
}

/* ---- in this order ---------------------------------------------------------------------- */

int handover_begin(struct arena *a, struct diags *d, const char *name, struct bpf_object *object,
                   uint32_t from, struct handover *h)
{
	*h = (struct handover){.from = from, .generation = 1};
	report_maps_none(&h->old);
	if (from && read_old(a, d, h))
		return -1;
	if (take_maps(d, name, object, h))
		return -1;
	return write_header(a, d, name, object, h);
}

int handover_finish(struct arena *a, struct diags *d, const char *name, int prog,
                    const struct handover *h, const struct rule_name *rules, size_t n)
{
	int names = h->old.fd[REPORT_NAMES];
	bool made = names < 0;
	if (!h->reports || (made && !n))
		return 0;
	if (made)
		names = names_new();
	int error = names < 0 ? names : bpf_prog_bind_map(prog, names, NULL);
	int result = 0;
	if (error)
		result = diag_fail(d, error == -EPERM ? privilege_hint(a)
		                                      : "see `rucy-devguard doctor` and the kernel log",
		                   "cannot keep the names of the rules of '%s' in the kernel: %s", name,
		                   strerror(-error));
	else
		result = names_put(a, d, name, names, h->old.fd[REPORT_TALLY], h->generation, rules, n);
	if (made && names >= 0)
		close(names);
	return result;
}

void handover_end(struct handover *h)
{
	report_maps_close(&h->old);
}
