/* dump.c - programs of anybody's, read back: instructions and the maps that they name. */
#include "cgroup/functions.h"
#include "cgroup/internal.h"
#include "cgroup/kernel_types.h"

#include <endian.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

enum { INSNS_MAX = 1 << 20, BYTES_MAX = 256 << 20 };

/* ---- maps ------------------------------------------------------------------------------------ */

/* One entry after the other. False: they changed meanwhile, or could not be read. */
static bool read_entries(struct arena *a, int fd, struct dump_map *m)
{
	uint8_t *keys = arena_alloc(a, (size_t)m->max_entries * m->key_size + 1);
	uint8_t *values = arena_alloc(a, (size_t)m->max_entries * m->value_size + 1), *before = NULL;
	m->keys = keys;
	m->values = values;
	for (m->n = 0; m->n < m->max_entries; m->n++) {
		uint8_t *key = keys + m->n * m->key_size;
		int error = bpf_map_get_next_key(fd, before, key);
		if (error == -ENOENT)
			return true;
		if (error || bpf_map_lookup_elem(fd, key, values + m->n * m->value_size))
			return false;
		before = key;
	}
	return m->type == BPF_MAP_TYPE_ARRAY || bpf_map_get_next_key(fd, before, keys) == -ENOENT;
}

/* What one reading gives need never have been so: others may write meanwhile, before the place that is read, and
 * behind it. Two readings may be wrong alike, when a few values go to and fro in step with them; so many, each of
 * which begins at a moment that nobody can foresee, are not. */
enum { FEW = 64, READINGS_OF_FEW = 40, READINGS = 8, READINGS_OF_LARGE = 2, LARGE = 4 << 20 /* bytes */ };
enum { ROUNDS = 4, PAUSE_MAX = 16 << 10 /* ns */ };

static int64_t nanoseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void pause_a_little(void)
{
	uint16_t chance = 0;
	int64_t from = nanoseconds();
	if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != sizeof chance)
		chance = (uint16_t)from;
	sched_yield();
	while (nanoseconds() - from < chance % PAUSE_MAX)
		;
}

static bool read_again(struct arena *a, int fd, const struct dump_map *m)
{
	struct dump_map again = *m;
	struct arena *scratch = arena_scratch(a);
	bool same = read_entries(scratch, fd, &again) && again.n == m->n &&
	            !memcmp(again.keys, m->keys, m->n * m->key_size) && !memcmp(again.values, m->values, m->n * m->value_size);
	arena_free(scratch);
	return same;
}

/* Read several times, and the same: nobody writes to it just now. */
static bool read_settled(struct arena *a, int fd, struct dump_map *m)
{
	uint64_t bytes = (uint64_t)m->max_entries * ((uint64_t)m->key_size + m->value_size);
	for (int round = 0; round < ROUNDS; round++) {
		bool same = read_entries(a, fd, m);
		int readings = m->n <= FEW ? READINGS_OF_FEW : bytes > LARGE ? READINGS_OF_LARGE : READINGS;
		for (int i = 1; i < readings && same; i++) {
			pause_a_little();
			same = read_again(a, fd, m);
		}
		if (same)
			return true;
	}
	return false;
}

static int read_map(struct arena *a, uint32_t id, struct dump_map *out)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof info;
	int fd = bpf_map_get_fd_by_id(id), error = fd < 0 ? fd : bpf_obj_get_info_by_fd(fd, &info, &len);
	*out = (struct dump_map){.id = id, .name = ""};
	if (!error) {
		*out = (struct dump_map){.id = id, .type = info.type, .key_size = info.key_size, .value_size = info.value_size,
		                         .max_entries = info.max_entries,
		                         .name = arena_strndup(a, info.name, strnlen(info.name, sizeof info.name))};
		uint64_t bytes = (uint64_t)info.max_entries * ((uint64_t)info.key_size + info.value_size);
		bool plain = info.type == BPF_MAP_TYPE_HASH || info.type == BPF_MAP_TYPE_ARRAY;
		out->known = plain && bytes <= BYTES_MAX && read_settled(a, fd, out);
	}
	if (fd >= 0)
		close(fd);
	return error;
}

/* Maps that cannot be read are not known: what hangs on them is told to. */
static int read_maps(struct arena *a, int prog, struct dump *out)
{
	uint32_t *ids, n;
	int error = program_map_ids(prog, &ids, &n);
	struct dump_map *maps = arena_alloc(a, (n + 1) * sizeof *maps);
	for (uint32_t i = 0; i < n; i++)
		read_map(a, ids[i], &maps[i]);
	free(ids);
	out->maps = maps;
	out->nmaps = n;
	return error;
}

/* ---- calls ------------------------------------------------------------------------------------ */

static void name_calls(struct arena *a, struct functions *known, struct dump *out)
{
	const struct bpf_insn *insns = out->insns;
	struct dump_call *calls = NULL;
	size_t n = 0, cap = 0;
	for (size_t i = 0; i < out->ninsns; i++) {
		if (insns[i].code != (BPF_JMP | BPF_CALL) || insns[i].src_reg)
			continue;
		const struct function *f = function_at(known, insns[i].imm);
		*ARENA_PUSH(a, calls, n, cap) = (struct dump_call){
			.insn = (uint32_t)i, .function = f ? f->function : DUMP_UNKNOWN_FUNCTION, .name = f ? f->name : NULL};
	}
	out->calls = calls ? calls : arena_alloc(a, sizeof *calls);
	out->ncalls = n;
}

/* Functions of a program itself are called by how far away they are, of which the kernel keeps 16 bits (kernel/bpf/verifier.c,
 * jit_subprogs(); kernel/bpf/core.c, bpf_patch_call_args()); where they begin is told by the types. All of it is written back, as
 * it was loaded. The call of a function that is not found goes to the program itself, which nobody can call. */
static void place_own_call(struct bpf_insn *in, size_t pc, const struct bpf_func_info *funcs, size_t n, size_t ninsns)
{
	int64_t to = (int64_t)pc + 1 + in->off;
	size_t found = 0;
	for (size_t i = 1; i < n; i++)
		if ((uint16_t)(funcs[i].insn_off - (pc + 1)) == (uint16_t)in->off) {
			to = funcs[i].insn_off;
			found++;
		}
	if (n ? found != 1 : ninsns > INT16_MAX)
		to = 0;
	in->off = 0;
	in->imm = (int32_t)(to - (int64_t)(pc + 1));
}

static bool calls_itself(const struct bpf_insn *in)
{
	return in->code == (BPF_JMP | BPF_CALL) && in->src_reg == BPF_PSEUDO_CALL;
}

static const struct bpf_insn *first_own_call(const struct bpf_insn *insns, size_t n)
{
	for (const struct bpf_insn *in = insns; in < insns + n; in++)
		if (calls_itself(in))
			return in;
	return NULL;
}

static void place_own_calls(struct arena *a, int fd, struct bpf_insn *insns, size_t ninsns)
{
	struct bpf_prog_info info = {0}, again = {0};
	uint32_t len = sizeof info;
	if (!first_own_call(insns, ninsns))
		return;
	size_t n = bpf_obj_get_info_by_fd(fd, &info, &len) || info.func_info_rec_size < sizeof(struct bpf_func_info) ? 0 : info.nr_func_info;
	struct bpf_func_info *funcs = arena_alloc(a, (n + 1) * sizeof *funcs);
	again.nr_func_info = (uint32_t)n;
	again.func_info_rec_size = sizeof *funcs;
	again.func_info = (uintptr_t)funcs;
	len = sizeof again;
	if (n && (bpf_obj_get_info_by_fd(fd, &again, &len) || !again.func_info || again.nr_func_info < n))
		n = 0;
	for (size_t i = 0; i < ninsns; i++)
		if (calls_itself(&insns[i]))
			place_own_call(&insns[i], i, funcs, n, ninsns);
}

/* ---- of ours ----------------------------------------------------------------------------------- */

static const struct dump_map *rodata_of(const struct dump *d)
{
	for (const struct dump_map *m = d->maps; m < d->maps + d->nmaps; m++) {
		uint64_t magic = 0;
		if (!m->known || m->n != 1 || m->value_size < sizeof(struct image_header))
			continue;
		memcpy(&magic, m->values, sizeof magic);
		if (le64toh(magic) == IMAGE_MAGIC)
			return m;
	}
	return NULL;
}

bool dump_header(struct arena *a, const struct dump *d, struct image_header *out, int64_t **params)
{
	const struct dump_map *m = rodata_of(d);
	if (!m)
		return false;
	memcpy(out, m->values, sizeof *out);
	size_t n = le32toh(out->nparams), at = le32toh(out->size);
	if (le32toh(out->version) != IMAGE_VERSION || at < sizeof *out || at > m->value_size || n > (m->value_size - at) / sizeof **params)
		return false;
	*params = arena_alloc(a, (n + 1) * sizeof **params);
	for (size_t i = 0; i < n; i++) {
		memcpy(&(*params)[i], m->values + at + i * sizeof **params, sizeof **params);
		(*params)[i] = (int64_t)le64toh((uint64_t)(*params)[i]);
	}
	return true;
}

/* Functions of ours read the calling task: where that is in this kernel. */
static void place_fields(struct functions *known, struct dump *out)
{
	if (!known->nfields || !rodata_of(out) || !first_own_call(out->insns, out->ninsns))
		return;
	struct kernel_types *types = known->placed ? NULL : kernel_types_open();
	struct kernel_field field;
	if (!known->placed && !types)
		return;
	if (types) {
		known->placed = true;
		for (size_t i = 0; i < known->nfields; i++)
			known->places[i] = kernel_field(types, known->fields[i].type, known->fields[i].path, &field) && field.offset <= INT32_MAX
			                           ? (int32_t)field.offset : DUMP_NO_FIELD;
		kernel_types_close(types);
	}
	out->fields = known->places;
	out->nfields = known->nfields;
}

static bool tells_a_fact(int32_t function)
{
	for (size_t i = 0; i < FACT_HELPERS; i++)
		if (fact_helpers[i].number == function)
			return true;
	return false;
}

bool dump_only_decides(const struct dump *d)
{
	const struct dump_map *own = rodata_of(d);
	bool only = d->nmaps <= 1 && (!d->nmaps || own);
	for (size_t i = 0; i < d->ncalls; i++)
		only &= tells_a_fact(d->calls[i].function);
	return only;
}

bool dump_turns(const struct dump *d)
{
	for (size_t i = 0; i < d->ncalls; i++)
		if (d->calls[i].function == BPF_FUNC_set_retval)
			return true;
	return false;
}

/* ---- places in maps --------------------------------------------------------------------------- */

/* The next instruction that names a map, from *i on, and the map. NULL: there is none. */
static const struct bpf_insn *next_place(const struct dump *d, size_t *i, const struct dump_map **map)
{
	const struct bpf_insn *insns = d->insns;
	while (*i + 1 < d->ninsns) {
		const struct bpf_insn *in = &insns[*i];
		bool wide = in->code == (BPF_LD | BPF_IMM | BPF_DW);
		*i += wide ? 2 : 1;
		if (!wide || (in->src_reg != BPF_PSEUDO_MAP_FD && in->src_reg != BPF_PSEUDO_MAP_VALUE))
			continue;
		for (*map = d->maps; *map < d->maps + d->nmaps; (*map)++)
			if ((*map)->id == (uint32_t)in->imm)
				return in;
	}
	return NULL;
}

/* Maps that are alike; how many entries is chosen when they are loaded, and .rodata holds the policy's texts. */
static bool maps_alike(const struct dump_map *a, const struct dump_map *b, bool rodata)
{
	return a->type == b->type && a->key_size == b->key_size && (rodata || a->value_size == b->value_size);
}

/* The place of the one map is that of the other everywhere: so far, of `n` places before these. */
static bool names_agree(const struct dump *a, const struct dump *b, size_t n, const struct dump_map *of_a, const struct dump_map *of_b)
{
	size_t i = 0, k = 0;
	const struct dump_map *before_a, *before_b;
	while (n-- && next_place(a, &i, &before_a) && next_place(b, &k, &before_b))
		if ((before_a == of_a) != (before_b == of_b))
			return false;
	return true;
}

/* Of .rodata alone a verdict is made, and that is compared. */
enum dump_places dump_places_compare(const struct dump *a, const struct dump *b)
{
	const struct dump_map *own_a = rodata_of(a), *own_b = rodata_of(b), *of_a, *of_b;
	size_t i = 0, k = 0, n = 0;
	for (;; n++) {
		const struct bpf_insn *in = next_place(a, &i, &of_a), *as = next_place(b, &k, &of_b);
		if (!in || !as)
			return (in || as || !n) && (a->nmaps > 1 || b->nmaps > 1) ? PLACES_UNKNOWN : PLACES_SAME;
		if (in->src_reg != as->src_reg || in[1].imm != as[1].imm || !maps_alike(of_a, of_b, of_a == own_a) ||
		    (of_a == own_a) != (of_b == own_b) || !names_agree(a, b, n, of_a, of_b))
			return PLACES_OTHER;
	}
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static int cannot(struct arena *a, struct diags *d, uint32_t id, int error)
{
	const char *otherwise = error == ENOENT ? "list shows those there are" : "see the kernel log";
	return diag_fail(d, error_hint(a, error, otherwise), "cannot read program %u: %s", id,
	                 error == ENOENT ? "there is none with that number" : strerror(error));
}

static int hidden(struct diags *d, uint32_t id)
{
	return diag_fail(d, "eval, test and why ask the kernel itself; to see what was loaded with net.core.bpf_jit_harden=2, as root: "
	                    "sysctl kernel.kptr_restrict=1",
	                 "program %u cannot be read: the kernel does not show its instructions", id);
}

static int read_program(struct arena *a, struct diags *d, int fd, uint32_t id, struct dump *out)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof info;
	int error = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (error)
		return cannot(a, d, id, -error);
	if (info.type != BPF_PROG_TYPE_CGROUP_DEVICE)
		return diag_fail(d, "list shows the device programs of this host", "program %u is no device program", id);
	size_t n = info.xlated_prog_len / sizeof(struct bpf_insn);
	if (n > INSNS_MAX)
		return diag_fail(d, NULL, "program %u has %zu instructions: more than %d are not read", id, n, INSNS_MAX);
	void *insns = arena_alloc(a, n * sizeof(struct bpf_insn) + 1);
	int got = n ? program_insns(fd, insns, n * sizeof(struct bpf_insn)) : -EPERM;
	if (got == -EPERM)
		return hidden(d, id);
	if (got != (int)n)
		return cannot(a, d, id, got < 0 ? -got : EAGAIN);
	place_own_calls(a, fd, insns, n);
	out->insns = insns;
	out->ninsns = n;
	return 0;
}

int program_dump(struct arena *a, struct diags *d, struct functions *known, uint32_t id, struct dump *out)
{
	int fd = bpf_prog_get_fd_by_id(id);
	*out = (struct dump){.insns = NULL};
	if (fd < 0)
		return cannot(a, d, id, -fd);
	int status = read_program(a, d, fd, id, out);
	if (!status) {
		int error = read_maps(a, fd, out);
		if (error)
			status = cannot(a, d, id, -error);
		name_calls(a, known, out);
		place_fields(known, out);
	}
	close(fd);
	return status;
}

bool program_hidden(uint32_t id)
{
	struct bpf_prog_info info = {0};
	struct bpf_insn first;
	uint32_t len = sizeof info;
	int fd = bpf_prog_get_fd_by_id(id);
	bool is = fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == BPF_PROG_TYPE_CGROUP_DEVICE &&
	          (!info.xlated_prog_len || program_insns(fd, &first, sizeof first) == -EPERM);
	if (fd >= 0)
		close(fd);
	return is;
}
