/*
 * handover.c - what a program gets from the one it replaces.
 *
 * The maps of policy/event.h are handed over all together or not at all: sums over
 * them must hold. One that needs another size is made anew, and what the old one has goes
 * along: counts and names are copied, a ring buffer that has unread records is bound to the
 * new program, where readers find it. The generation and what the running kernel can tell are written
 * into the header at the start of .rodata before the load; the kernel then sees
 * constants, and its verifier never looks at calls that this kernel does not have.
 *
 * The caller holds the cgroup's lock: two tools at once would give two programs the
 * same generation.
 */
#include "cgroup/internal.h"
#include "cgroup/who.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

/* ---- the program before ------------------------------------------------------------ */

static int cannot_ask(struct arena *a, struct diags *d, uint32_t from, int error)
{
	return diag_fail(d, error_hint(a, -error, "see the kernel log"), "cannot take over what program %u reported: %s", from,
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
	int error = describe_program(fd, &old) == READ_OK ? 0 : -old.unreadable;
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

/* Whether the old ones are of the form that this version's programs use. */
static bool all_fit(const struct handover *h)
{
	bool all = true;
	for (int i = 0; i < REPORT_MAPS; i++)
		all &= !h->maps[i] || fits(h->maps[i], h->old.fd[i]);
	return all;
}

static int cannot_make(struct diags *d, const char *name, int kind, int error)
{
	return diag_fail(d, error_hint(d->arena, -error, "see `rucy-devguard doctor` and the kernel log"),
	                 "cannot give '%s' its map %s: %s", name, report_kinds[kind].name, strerror(-error));
}

/* Tallies for so many rules. */
static uint32_t tallies_for(size_t rules)
{
	return rules < TALLY_ENTRIES / TALLY_RULE ? (rules < 2 ? 2 : (uint32_t)rules) * TALLY_RULE : TALLY_ENTRIES;
}

/* How large a map of the one before is; 0: there is none. */
static uint32_t size_before(const struct handover *h, int kind)
{
	return h->old.fd[kind] < 0 ? 0 : map_entries(h->old.fd[kind]);
}

static size_t unread_rings(const struct handover *h)
{
	size_t n = 0;
	for (size_t i = 0; i < h->old.nold; i++)
		n += ring_unread(h->old.old[i].fd);
	return n;
}

/* Which maps the new program has anew. With larger tables goes a ring buffer of its own: a reader
 * finds its records only together with the tables that name and count them. Rings of programs before
 * that have something to be read go along; there is an end. */
static int plan_maps(struct diags *d, const char *name, struct report_size size, struct handover *h)
{
	uint32_t ring = size_before(h, REPORT_EVENTS), names = size_before(h, REPORT_NAMES);
	bool room = unread_rings(h) < OLD_RINGS, asked = ring && size.ring && size.ring != ring;
	if (!ring)
		return 0;
	h->new_tally = size_before(h, REPORT_TALLY) < tallies_for(size.rules);
	bool grows = h->new_tally || (names && names < names_entries(size.rules));
	h->new_ring = asked || (grows && room);
	if (!asked || room)
		return 0;
	return diag_fail(d, "read them first (`rucy-devguard audit CGROUP --timeout 0`), or leave --ring out",
	                 "'%s' has records that nobody read in %d ring buffers before its own: another is not made",
	                 name, OLD_RINGS);
}

/* Entries of a map that is made anew (of the ring: bytes); 0: as the object says. A tally has room
 * for all that the one before has, and for the new program's own. */
static uint32_t size_of(int kind, struct report_size size, const struct handover *h)
{
	if (kind == REPORT_EVENTS)
		return size.ring ? size.ring : size_before(h, kind);
	if (kind != REPORT_TALLY)
		return 0;
	uint32_t sum = tallies_for(size.rules) + size_before(h, kind);
	return sum < TALLY_ENTRIES ? sum : TALLY_ENTRIES;
}

/* One map: the old one's, or a new one. */
static int take_map(struct diags *d, const char *name, struct report_size size, int kind, const struct handover *h)
{
	bool anew = (kind == REPORT_EVENTS && h->new_ring) || (kind == REPORT_TALLY && h->new_tally);
	uint32_t entries = size_of(kind, size, h);
	int error = h->old.fd[kind] >= 0 && !anew ? bpf_map__reuse_fd(h->maps[kind], h->old.fd[kind])
	            : entries                     ? bpf_map__set_max_entries(h->maps[kind], entries)
	                                          : 0;
	return error ? cannot_make(d, name, kind, error) : 0;
}

static int take_maps(struct diags *d, const char *name, struct bpf_object *object,
                     struct report_size size, struct handover *h)
{
	for (int i = 0; i < REPORT_MAPS; i++)
		h->maps[i] = bpf_object__find_map_by_name(object, report_kinds[i].name);
	h->reports = h->maps[REPORT_EVENTS] != NULL;
	if (!h->reports)
		return 0;
	if (h->old.fd[REPORT_EVENTS] >= 0 && !all_fit(h)) {
		diag_add(d, DIAG_WARNING, (struct span){0},
		         "it was compiled by another version: read what it reported before it is replaced",
		         "the counts of program %u end with it: '%s' counts in another form", h->from, name);
		report_maps_close(&h->old);
	}
	if (plan_maps(d, name, size, h))
		return -1;
	for (int i = 0; i < REPORT_MAPS; i++)
		if (h->maps[i] && take_map(d, name, size, i, h))
			return -1;
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

/* Has the object functions beside its program? Those of ours read the calling task. */
static bool has_readers(const struct bpf_object *object)
{
	const struct btf *btf = bpf_object__btf(object);
	size_t functions = 0;
	for (uint32_t i = 1; btf && i < btf__type_cnt(btf); i++)
		functions += btf_is_func(btf__type_by_id(btf, i));
	return functions > 1;
}

/* What an object does not know: it has none of the ways to read the task, whichever kernel it comes to. */
static uint32_t features_here(const struct bpf_object *object, uint32_t features)
{
	static const struct { uint32_t feature; int helper; } needs[] = {
		{FEATURE_PID, BPF_FUNC_get_current_pid_tgid}, {FEATURE_COMM, BPF_FUNC_get_current_comm}};
	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
		for (size_t j = 0; j < FACT_HELPERS; j++)
			if ((features & needs[i].feature) && fact_helpers[j].number == needs[i].helper &&
			    !fact_offered(&fact_helpers[j]))
				features &= ~needs[i].feature;
	features &= ~(uint32_t)(FEATURE_TASK_BTF | FEATURE_TASK_READ);
	return has_readers(object) ? features | who_features() : features;
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
	header.features = htole32(features_here(object, le32toh(header.features)));
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
                   uint32_t from, struct report_size size, struct handover *h)
{
	*h = (struct handover){.from = from, .generation = 1};
	report_maps_none(&h->old);
	if (from && read_old(a, d, h))
		return -1;
	if (take_maps(d, name, object, size, h))
		return -1;
	return write_header(a, d, name, object, h);
}

/* ---- what was counted ------------------------------------------------------------------- */

struct carry {
	int to, error;
	uint64_t lost; /* decisions whose tally has no room */
};

static void carry_tally(void *arg, const void *key, const void *value)
{
	struct carry *c = arg;
	struct tally t;
	int error = bpf_map_update_elem(c->to, key, value, BPF_ANY);
	memcpy(&t, value, sizeof t);
	if (error == -E2BIG || error == -ENOMEM)
		c->lost += t.count;
	else if (error)
		c->error = error;
}

/* The keys have the generation of the program that counted: what the new one counts meanwhile is
 * not written over. 0 or -errno. */
static int carry_tallies(const struct handover *h, uint64_t *lost)
{
	struct carry c = {.to = bpf_map__fd(h->maps[REPORT_TALLY])};
	int error = map_each(h->old.fd[REPORT_TALLY], REPORT_TALLY, false, carry_tally, &c);
	*lost = c.lost;
	return error ? error : c.error;
}

/* Ring buffers with something to be read live on with the program. 0 or -errno. */
static int keep_rings(int prog, const struct handover *h)
{
	int error = 0;
	if (h->new_ring && ring_unread(h->old.fd[REPORT_EVENTS]))
		error = bpf_prog_bind_map(prog, h->old.fd[REPORT_EVENTS], NULL);
	for (size_t i = 0; !error && i < h->old.nold; i++)
		if (h->reports && ring_unread(h->old.old[i].fd))
			error = bpf_prog_bind_map(prog, h->old.old[i].fd, NULL);
	return error;
}

static int keep_names(struct arena *a, struct diags *d, const char *name, int prog,
                      const struct handover *h, const struct rule_name *rules, size_t n)
{
	int old = h->old.fd[REPORT_NAMES], names = n || old < 0 ? names_for(n, old) : old;
	int error = names < 0 ? names : bpf_prog_bind_map(prog, names, NULL);
	int result = 0;
	if (error)
		result = diag_fail(d, error_hint(a, -error, "see `rucy-devguard doctor` and the kernel log"),
		                   "cannot keep the names of the rules of '%s' in the kernel: %s", name,
		                   strerror(-error));
	else
		result = names_put(a, d, name, names, h->old.fd[REPORT_TALLY], h->generation, rules, n);
	if (names >= 0 && names != old)
		close(names);
	return result;
}

int handover_finish(struct arena *a, struct diags *d, const char *name, int prog,
                    const struct handover *h, const struct rule_name *rules, size_t n)
{
	uint64_t lost;
	if (!h->reports)
		return 0;
	if ((h->old.fd[REPORT_NAMES] >= 0 || n) && keep_names(a, d, name, prog, h, rules, n))
		return -1;
	int error = keep_rings(prog, h);
	/* so that all have their place before the new program counts */
	if (!error && h->new_tally)
		error = carry_tallies(h, &lost);
	return error ? cannot_ask(a, d, h->from, error) : 0;
}

int handover_settle(struct diags *d, const char *name, int prog, const struct handover *h)
{
	uint64_t lost = 0;
	if (!h->new_ring && !h->new_tally)
		return 0;
	wait_for_programs();
	int error = keep_rings(prog, h);
	if (!error && h->new_tally)
		error = carry_tallies(h, &lost);
	if (error)
		return diag_fail(d, "`rucy-devguard stats` has the sums, which are whole",
		                 "'%s' is attached, but what program %u counted last could not be taken over: %s",
		                 name, h->from, strerror(-error));
	if (lost)
		diag_add(d, DIAG_WARNING, (struct span){0}, "the sums have them",
		         "%llu decisions that program %u counted have no room in the table of '%s'",
		         (unsigned long long)lost, h->from, name);
	return 0;
}

void handover_end(struct handover *h)
{
	report_maps_close(&h->old);
}
