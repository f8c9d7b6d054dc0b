/*
 * functions.c - which function of the kernel a call in a loaded program calls.
 *
 * The kernel shows the place of the function in its memory, as a distance. Where that is is the same
 * for every program of this boot. So programs that call known functions are loaded, never attached,
 * and read: what they show is what others show.
 */
#include "cgroup/functions.h"
#include "cgroup/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define INSN(c, d, s, o, i) ((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)})

/* Functions that need no argument, that a device program may call. */
static const struct { int32_t function; const char *name; } plain[] = {
	{BPF_FUNC_ktime_get_ns, "bpf_ktime_get_ns"},
	{BPF_FUNC_get_prandom_u32, "bpf_get_prandom_u32"},
	{BPF_FUNC_get_smp_processor_id, "bpf_get_smp_processor_id"},
	{BPF_FUNC_get_current_pid_tgid, "bpf_get_current_pid_tgid"},
	{BPF_FUNC_get_current_uid_gid, "bpf_get_current_uid_gid"},
	{BPF_FUNC_get_current_task, "bpf_get_current_task"},
	{BPF_FUNC_get_current_task_btf, "bpf_get_current_task_btf"},
	{BPF_FUNC_get_current_cgroup_id, "bpf_get_current_cgroup_id"},
	{BPF_FUNC_ktime_get_boot_ns, "bpf_ktime_get_boot_ns"},
	{BPF_FUNC_get_retval, "bpf_get_retval"},
};

enum { CALLS = 4, SHOWN = 128 };

static int load(const struct bpf_insn *insns, size_t n)
{
	struct bpf_prog_load_opts opts = {.sz = sizeof opts, .expected_attach_type = BPF_CGROUP_DEVICE};
	return bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, NULL, "GPL", insns, n, &opts);
}

int program_insns(int fd, void *out, size_t size)
{
	struct bpf_prog_info info = {.xlated_prog_len = (uint32_t)size, .xlated_prog_insns = (uintptr_t)out};
	uint32_t len = sizeof info;
	int error = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (error)
		return error;
	return info.xlated_prog_insns ? (int)(info.xlated_prog_len / sizeof(struct bpf_insn)) : -EPERM;
}

/* The calls of a program as they are shown, in their order. How many. */
static size_t places_of(const struct bpf_insn *insns, size_t n, struct bpf_insn behind[CALLS], int32_t places[CALLS])
{
	struct bpf_insn shown[SHOWN];
	size_t found = 0;
	int fd = load(insns, n), count = fd < 0 ? 0 : program_insns(fd, shown, sizeof shown);
	for (int i = 0; i + 1 < count && i + 1 < SHOWN && found < CALLS; i++)
		if (shown[i].code == (BPF_JMP | BPF_CALL) && !shown[i].src_reg) {
			/* net.core.bpf_jit_harden: two instructions before make the constant of the one that is meant */
			bool blinded = shown[i + 1].dst_reg > BPF_REG_10 && i + 3 < count && i + 3 < SHOWN;
			behind[found] = shown[blinded ? i + 3 : i + 1];
			places[found++] = shown[i].imm;
		}
	if (fd >= 0)
		close(fd);
	return found;
}

/* The place of the only call of a program; 0: the kernel does not take it, or hides it. */
static int32_t place_of(const struct bpf_insn *insns, size_t n)
{
	struct bpf_insn behind[CALLS];
	int32_t places[CALLS];
	return places_of(insns, n, behind, places) == 1 ? places[0] : 0;
}

static void add(struct functions *f, int32_t place, int32_t function, const char *name)
{
	enum { ROOM = sizeof f->list / sizeof *f->list };
	if (place && f->n < ROOM)
		f->list[f->n++] = (struct function){place, function, name};
}

static void add_plain(struct functions *f)
{
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		const struct bpf_insn insns[] = {INSN(BPF_JMP | BPF_CALL, 0, 0, 0, plain[i].function),
		                                 INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)};
		add(f, place_of(insns, sizeof insns / sizeof *insns), plain[i].function, plain[i].name);
	}
}

static void add_comm(struct functions *f)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 10, 0, 0), INSN(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, -16),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 16), INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_comm),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)};
	add(f, place_of(insns, sizeof insns / sizeof *insns), BPF_FUNC_get_current_comm, "bpf_get_current_comm");
}

/* What is in memory of the kernel, into the stack. */
static void add_probe_read(struct functions *f)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 10, 0, 0), INSN(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, -8),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 8), INSN(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel), INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)};
	add(f, place_of(insns, sizeof insns / sizeof *insns), BPF_FUNC_probe_read_kernel, "bpf_probe_read_kernel");
}

/* Functions with a number as their argument. */
static void add_numbered(struct functions *f, int32_t function, const char *name, int32_t argument)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, argument), INSN(BPF_JMP | BPF_CALL, 0, 0, 0, function),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)};
	add(f, place_of(insns, sizeof insns / sizeof *insns), function, name);
}

/* Functions of a hash: the kernel calls the hash's own. What follows a look-up tells whether it gives
 * the element or its value. */
static void add_hash(struct functions *f)
{
	int map = bpf_map_create(BPF_MAP_TYPE_HASH, NULL, 4, 4, 1, NULL);
	struct bpf_insn behind[CALLS];
	int32_t places[CALLS];
#define KEY                                                                                                          \
	INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0), INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map), \
		INSN(0, 0, 0, 0, 0), INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0), INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4)
	const struct bpf_insn insns[] = {
		KEY, INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
		KEY, INSN(BPF_ALU64 | BPF_MOV | BPF_X, 3, 2, 0, 0), INSN(BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_update_elem),
		KEY, INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_delete_elem),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)};
#undef KEY
	if (map < 0)
		return;
	if (places_of(insns, sizeof insns / sizeof *insns, behind, places) == 3) {
		bool element = BPF_CLASS(behind[0].code) == BPF_JMP && BPF_OP(behind[0].code) == BPF_JEQ;
		add(f, places[0], element ? DUMP_HASH_ELEMENT : BPF_FUNC_map_lookup_elem, "bpf_map_lookup_elem");
		add(f, places[1], BPF_FUNC_map_update_elem, "bpf_map_update_elem");
		add(f, places[2], BPF_FUNC_map_delete_elem, "bpf_map_delete_elem");
	}
	close(map);
}

static void add_ring(struct functions *f)
{
	int map = bpf_map_create(BPF_MAP_TYPE_RINGBUF, NULL, 0, 0, (uint32_t)getpagesize(), NULL);
	struct bpf_insn behind[CALLS];
	int32_t places[CALLS];
	const struct bpf_insn insns[] = {
		INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map), INSN(0, 0, 0, 0, 0), INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 8),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0), INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_reserve),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3, 0), INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 0, 0, 0), INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_submit), INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)};
	if (map < 0)
		return;
	if (places_of(insns, sizeof insns / sizeof *insns, behind, places) == 2) {
		add(f, places[0], BPF_FUNC_ringbuf_reserve, "bpf_ringbuf_reserve");
		add(f, places[1], BPF_FUNC_ringbuf_submit, "bpf_ringbuf_submit");
	}
	close(map);
}

struct functions *functions_new(struct arena *a, const struct dump_field *fields, size_t n)
{
	struct functions *f = arena_alloc(a, sizeof *f);
	f->fields = fields;
	f->nfields = n;
	f->places = arena_alloc(a, (n + 1) * sizeof *f->places);
	return f;
}

static void learn(struct functions *f)
{
	struct rlimit before;
	f->learned = true;
	memlock_raise(&before);
	add_plain(f);
	add_comm(f);
	add_probe_read(f);
	add_numbered(f, BPF_FUNC_set_retval, "bpf_set_retval", -1);
	add_numbered(f, BPF_FUNC_get_current_ancestor_cgroup_id, "bpf_get_current_ancestor_cgroup_id", 0);
	add_hash(f);
	add_ring(f);
	setrlimit(RLIMIT_MEMLOCK, &before);
}

const struct function *function_at(struct functions *f, int32_t place)
{
	if (!f->learned)
		learn(f);
	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].place == place)
			return &f->list[i];
	return NULL;
}
