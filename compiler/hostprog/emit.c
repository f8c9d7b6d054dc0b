/*
 * emit.c - the host program (policy/hostprog.h) as instructions.
 *
 * The verdict of the programs below comes first (bpf_get_retval(), Linux 5.18): where nothing was denied and nobody asked
 * for allowed requests, that call is all there is. Parts that are not asked for are not emitted; helpers that the kernel
 * lacks are not called. Loops over levels and watchers go backward: the verifier follows them (bounded loops, Linux 5.3).
 *
 * A hash entry may be given to another key while a program looks at it (kernel/bpf/hashtab.c: freed elements are used
 * again at once). So a grant carries its own key, which is compared last, behind an atomic operation: it orders the reads.
 */
#include "compiler/bpf/instructions.h"

#include "policy/hostprog.h"

enum {
	REG_INDEX = BPF_REG_7, /* of a loop */
	REG_ENTRY = BPF_REG_8, /* a grant, a watcher */
	REG_FLAGS = BPF_REG_9, /* enum host_event_flag */
	STACK_EVENT = -(int)sizeof(struct host_event),
	STACK_KEY = STACK_EVENT - (int)sizeof(struct grant_key),
	STACK_COUNT_KEY = STACK_KEY - (int)sizeof(struct host_count_key),
	STACK_COUNT = STACK_COUNT_KEY - (int)sizeof(struct host_count), /* of a new key */
	STACK_SLOT = STACK_COUNT - 8,     /* number of a watcher, as a key */
	STACK_REFUSED = STACK_SLOT - 8,   /* 1: a guard here does not allow grants */
	STACK_RECORDED = STACK_REFUSED - 8, /* of this watcher's record: enum recorded */
	LOOP_JUMPS = 16,
};
enum recorded { NO_RECORD, RECORDED, RECORD_LOST };

#define EVENT(field) (STACK_EVENT + (int)offsetof(struct host_event, field))
#define KEY(field) (STACK_KEY + (int)offsetof(struct grant_key, field))
#define GRANT(field) ((int)offsetof(struct host_grant, field))
#define WATCHER(field) ((int)offsetof(struct host_watcher, field))
#define COUNT(field) ((int)offsetof(struct host_count, field))

struct emitter {
	struct code code;
	uint32_t parts, features;
};

/* Jumps to one place further on. */
struct jumps { size_t at[LOOP_JUMPS], n; };

static void later(struct jumps *j, size_t at)
{
	j->at[j->n++] = at;
}

static void land(struct code *c, const struct jumps *j)
{
	for (size_t i = 0; i < j->n; i++)
		code_land(c, j->at[i]);
}

static size_t jump_if_reg(struct code *c, uint8_t op, int reg, int other)
{
	return code_add(c, (uint8_t)(BPF_JMP | op | BPF_X), reg, other, 0, 0);
}

/* Back to `begin`, while the index, made one more, is below `end`. */
static void loop(struct code *c, size_t begin, int32_t end)
{
	alu_imm(c, BPF_ADD, REG_INDEX, 1);
	size_t at = jump_if(c, BPF_JLT, REG_INDEX, end);
	c->insns[at].off = (int16_t)((int64_t)begin - (int64_t)at - 1);
}

static void map_address(struct code *c, int dst, enum hostprog_map map)
{
	*ARENA_PUSH(c->arena, c->relocs, c->nrelocs, c->relocs_cap) = (struct image_reloc){(uint32_t)c->n, map};
	code_imm64(c, dst, 0);
}

static void lookup(struct code *c, enum hostprog_map map, int key)
{
	map_address(c, BPF_REG_1, map);
	stack_address(c, BPF_REG_2, key);
	call(c, BPF_FUNC_map_lookup_elem);
}

static void leave(struct code *c)
{
	code_const(c, BPF_REG_0, 1);
	code_add(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* A jump taken when none of these flags is set in the register. r2 is lost. */
static size_t unless_set(struct code *c, int reg, int32_t flags)
{
	move(c, BPF_REG_2, reg);
	alu_imm(c, BPF_AND, BPF_REG_2, flags);
	return jump_if(c, BPF_JEQ, BPF_REG_2, 0);
}

static size_t if_set(struct code *c, int reg, int32_t flags)
{
	return jump_if(c, BPF_JSET, reg, flags);
}

/* The id of the caller's cgroup at that level into r0, 0: it is not so deep. Without ancestors its own, at any level. */
static void cgroup_at(const struct emitter *e, struct code *c)
{
	call(c, e->features & HOSTPROG_ANCESTORS ? BPF_FUNC_get_current_ancestor_cgroup_id : BPF_FUNC_get_current_cgroup_id);
}

/* How many levels are looked at. */
static int levels(const struct emitter *e)
{
	return e->features & HOSTPROG_ANCESTORS ? HOSTPROG_LEVELS + 1 : 1;
}

/* ---- the request ---------------------------------------------------------------------- */

static void fill_caller(struct emitter *e)
{
	struct code *c = &e->code;
	call(c, BPF_FUNC_get_current_uid_gid);
	store(c, BPF_DW, BPF_REG_10, EVENT(uid), BPF_REG_0);
	store_imm(c, BPF_DW, BPF_REG_10, EVENT(pid), 0);
	store_imm(c, BPF_DW, BPF_REG_10, EVENT(comm), 0);
	store_imm(c, BPF_DW, BPF_REG_10, EVENT(comm) + 8, 0);
	if (e->features & HOSTPROG_PID) {
		call(c, BPF_FUNC_get_current_pid_tgid);
		store(c, BPF_W, BPF_REG_10, EVENT(tid), BPF_REG_0);
		alu_imm(c, BPF_RSH, BPF_REG_0, 32);
		store(c, BPF_W, BPF_REG_10, EVENT(pid), BPF_REG_0);
	}
	if (e->features & HOSTPROG_COMM) {
		stack_address(c, BPF_REG_1, EVENT(comm));
		code_const(c, BPF_REG_2, COMM_SIZE);
		call(c, BPF_FUNC_get_current_comm);
	}
}

/* The record, but for its flags and who asks; the context is in r6. */
static void fill_request(struct emitter *e)
{
	struct code *c = &e->code;
	store_imm(c, BPF_W, BPF_REG_10, EVENT(version), HOST_EVENT_VERSION | (int)sizeof(struct host_event) << 16);
	call(c, BPF_FUNC_ktime_get_boot_ns);
	store(c, BPF_DW, BPF_REG_10, EVENT(time), BPF_REG_0);
	call(c, BPF_FUNC_get_current_cgroup_id);
	store(c, BPF_DW, BPF_REG_10, EVENT(cgroup_id), BPF_REG_0);
	load(c, BPF_W, BPF_REG_1, REG_CTX, ctx_offset(IN_MAJOR));
	store(c, BPF_W, BPF_REG_10, EVENT(major), BPF_REG_1);
	load(c, BPF_W, BPF_REG_1, REG_CTX, ctx_offset(IN_MINOR));
	store(c, BPF_W, BPF_REG_10, EVENT(minor), BPF_REG_1);
	store_imm(c, BPF_W, BPF_REG_10, EVENT(type), 0);
	load(c, BPF_H, BPF_REG_1, REG_CTX, ctx_offset(IN_TYPE));
	store(c, BPF_B, BPF_REG_10, EVENT(type), BPF_REG_1);
	load(c, BPF_H, BPF_REG_1, REG_CTX, ctx_offset(IN_REQUESTED));
	store(c, BPF_B, BPF_REG_10, EVENT(requested), BPF_REG_1);
	store_imm(c, BPF_DW, BPF_REG_10, EVENT(grant), 0);
}

/* ---- counts ---------------------------------------------------------------------------- */

static void count_verdict(struct code *c)
{
	static const struct { int32_t flag; int off; } by[] = {
		{HOST_EVENT_PERMITTED, COUNT(permitted)}, {HOST_EVENT_GRANTED, COUNT(granted)}, {HOST_EVENT_DENIED, COUNT(denied)},
	};
	struct jumps done = {0};
	for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
		size_t other = unless_set(c, REG_FLAGS, by[i].flag);
		increment(c, REG_ENTRY, by[i].off);
		later(&done, jump(c));
		code_land(c, other);
	}
	increment(c, REG_ENTRY, COUNT(allowed));
	land(c, &done);
}

static void count_record(struct code *c)
{
	load(c, BPF_DW, BPF_REG_2, BPF_REG_10, STACK_RECORDED);
	size_t none = jump_if(c, BPF_JEQ, BPF_REG_2, NO_RECORD);
	size_t lost = jump_if(c, BPF_JEQ, BPF_REG_2, RECORD_LOST);
	increment(c, REG_ENTRY, COUNT(recorded));
	size_t done = jump(c);
	code_land(c, lost);
	increment(c, REG_ENTRY, COUNT(lost));
	code_land(c, done);
	code_land(c, none);
}

/* The entry of the key, a new one where there is room, into r0; on to `found` then. */
static void count_entry(struct code *c, enum hostprog_map map, struct jumps *found)
{
	lookup(c, map, STACK_COUNT_KEY);
	later(found, jump_if(c, BPF_JNE, BPF_REG_0, 0));
	map_address(c, BPF_REG_1, map);
	stack_address(c, BPF_REG_2, STACK_COUNT_KEY);
	stack_address(c, BPF_REG_3, STACK_COUNT);
	code_const(c, BPF_REG_4, BPF_NOEXIST); /* another task may have been first: fine */
	call(c, BPF_FUNC_map_update_elem);
	lookup(c, map, STACK_COUNT_KEY);
	later(found, jump_if(c, BPF_JNE, BPF_REG_0, 0));
}

/* The key of devguard_coarse: an ancestor, or the cgroup itself where that is higher. */
static void coarse_key(const struct emitter *e, struct code *c)
{
	if (!(e->features & HOSTPROG_ANCESTORS)) {
		store_imm(c, BPF_DW, BPF_REG_10, STACK_COUNT_KEY, 0);
		return;
	}
	code_const(c, BPF_REG_1, HOSTPROG_COARSE_LEVEL);
	cgroup_at(e, c);
	size_t higher = jump_if(c, BPF_JEQ, BPF_REG_0, 0);
	store(c, BPF_DW, BPF_REG_10, STACK_COUNT_KEY, BPF_REG_0);
	code_land(c, higher);
}

/* Counts the request for the watcher whose number is in REG_INDEX; REG_ENTRY is lost. */
static void count(const struct emitter *e, struct code *c)
{
	struct jumps found = {0};
	for (int i = 0; i < (int)sizeof(struct host_count); i += 8)
		store_imm(c, BPF_DW, BPF_REG_10, STACK_COUNT + i, 0);
	load(c, BPF_DW, BPF_REG_1, BPF_REG_10, EVENT(cgroup_id));
	store(c, BPF_DW, BPF_REG_10, STACK_COUNT_KEY, BPF_REG_1);
	store(c, BPF_DW, BPF_REG_10, STACK_COUNT_KEY + 8, REG_INDEX);
	count_entry(c, HOSTPROG_MAP_COUNTS, &found);
	coarse_key(e, c);
	count_entry(c, HOSTPROG_MAP_COARSE, &found);
	store_imm(c, BPF_W, BPF_REG_10, STACK_SLOT, 0);
	lookup(c, HOSTPROG_MAP_LOST, STACK_SLOT);
	size_t nowhere = jump_if(c, BPF_JEQ, BPF_REG_0, 0);
	move(c, BPF_REG_2, REG_INDEX);
	alu_imm(c, BPF_LSH, BPF_REG_2, 3);
	code_add(c, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_0, BPF_REG_2, 0, 0);
	increment(c, BPF_REG_0, 0);
	size_t done = jump(c);
	land(c, &found);
	move(c, REG_ENTRY, BPF_REG_0);
	count_verdict(c);
	count_record(c);
	code_land(c, nowhere);
	code_land(c, done);
}
_Static_assert(offsetof(struct host_lost, uncounted) == 0, "its numbers are indexed from the start");

/* ---- guards, grants ---------------------------------------------------------------------- */

/* STACK_REFUSED: may nothing be turned here? Below a guard that does not allow grants, and in a cgroup that is deeper than
 * what is looked at. */
static void look_for_guards(struct emitter *e)
{
	struct code *c = &e->code;
	store_imm(c, BPF_DW, BPF_REG_10, STACK_REFUSED, 0);
	code_const(c, REG_INDEX, 0);
	size_t begin = c->n;
	move(c, BPF_REG_1, REG_INDEX);
	cgroup_at(e, c);
	size_t all = jump_if(c, BPF_JEQ, BPF_REG_0, 0);
	store(c, BPF_DW, BPF_REG_10, KEY(cgroup), BPF_REG_0);
	lookup(c, HOSTPROG_MAP_GUARDS, KEY(cgroup));
	size_t none = jump_if(c, BPF_JEQ, BPF_REG_0, 0);
	load(c, BPF_W, BPF_REG_1, BPF_REG_0, 0);
	size_t allows = unless_set(c, BPF_REG_1, HOST_GUARD_REFUSES);
	store_imm(c, BPF_DW, BPF_REG_10, STACK_REFUSED, 1);
	code_land(c, none);
	code_land(c, allows);
	loop(c, begin, levels(e));
	if (e->features & HOSTPROG_ANCESTORS) {
		code_const(c, BPF_REG_1, HOSTPROG_LEVELS + 1);
		cgroup_at(e, c);
		size_t within = jump_if(c, BPF_JEQ, BPF_REG_0, 0);
		store_imm(c, BPF_DW, BPF_REG_10, STACK_REFUSED, 1);
		alu_imm(c, BPF_OR, REG_FLAGS, HOST_EVENT_DEEP);
		code_land(c, within);
	}
	code_land(c, all);
}

/* Looks the key up. Goes on to `found` with the grant in REG_ENTRY when it covers all that is asked, is not over, and is
 * of this key. */
static void try_grant(struct code *c, struct jumps *found)
{
	struct jumps no = {0};
	lookup(c, HOSTPROG_MAP_GRANTS, STACK_KEY);
	later(&no, jump_if(c, BPF_JEQ, BPF_REG_0, 0));
	move(c, REG_ENTRY, BPF_REG_0);
	load(c, BPF_W, BPF_REG_1, REG_ENTRY, GRANT(access));
	alu_imm(c, BPF_XOR, BPF_REG_1, -1);
	load(c, BPF_B, BPF_REG_2, BPF_REG_10, EVENT(requested));
	code_add(c, BPF_ALU64 | BPF_AND | BPF_X, BPF_REG_1, BPF_REG_2, 0, 0);
	later(&no, jump_if(c, BPF_JNE, BPF_REG_1, 0));
	load(c, BPF_DW, BPF_REG_1, REG_ENTRY, GRANT(until));
	size_t endless = jump_if(c, BPF_JEQ, BPF_REG_1, 0);
	load(c, BPF_DW, BPF_REG_2, BPF_REG_10, EVENT(time));
	later(&no, jump_if_reg(c, BPF_JGE, BPF_REG_2, BPF_REG_1));
	code_land(c, endless);
	load(c, BPF_DW, BPF_REG_3, REG_ENTRY, GRANT(id));
	store(c, BPF_DW, BPF_REG_10, EVENT(grant), BPF_REG_3);
	code_const(c, BPF_REG_1, 0); /* adds nothing: it orders the reads before and behind it */
	code_add(c, BPF_STX | BPF_ATOMIC | BPF_DW, REG_ENTRY, BPF_REG_1, GRANT(used), BPF_ADD | BPF_FETCH);
	for (int i = 0; i < (int)sizeof(struct grant_key); i += 8) {
		load(c, BPF_DW, BPF_REG_1, REG_ENTRY, GRANT(key) + i);
		load(c, BPF_DW, BPF_REG_2, BPF_REG_10, STACK_KEY + i);
		later(&no, jump_if_reg(c, BPF_JNE, BPF_REG_1, BPF_REG_2));
	}
	later(found, jump(c));
	land(c, &no);
}

static void open_by_grant(const struct emitter *e, struct code *c)
{
	load(c, BPF_DW, BPF_REG_1, BPF_REG_10, STACK_REFUSED);
	size_t may = jump_if(c, BPF_JEQ, BPF_REG_1, 0);
	alu_imm(c, BPF_OR, REG_FLAGS, HOST_EVENT_GUARDED);
	size_t done = jump(c);
	code_land(c, may);
	increment(c, REG_ENTRY, GRANT(used));
	alu_imm(c, BPF_OR, REG_FLAGS, HOST_EVENT_GRANTED);
	code_const(c, BPF_REG_1, 0);
	call(c, BPF_FUNC_set_retval);
	store_imm(c, BPF_DW, BPF_REG_10, STACK_RECORDED, NO_RECORD);
	code_const(c, REG_INDEX, HOSTPROG_WATCHERS);
	count(e, c);
	code_land(c, done);
}

static void grants(struct emitter *e)
{
	struct code *c = &e->code;
	struct jumps found = {0}, none = {0};
	/* deeper than what is looked at: none is looked for */
	later(&none, if_set(c, REG_FLAGS, HOST_EVENT_DEEP));
	load(c, BPF_W, BPF_REG_1, BPF_REG_10, EVENT(major));
	store(c, BPF_W, BPF_REG_10, KEY(major), BPF_REG_1);
	load(c, BPF_B, BPF_REG_1, BPF_REG_10, EVENT(type));
	store(c, BPF_DW, BPF_REG_10, KEY(type), BPF_REG_1);
	code_const(c, REG_INDEX, 0);
	size_t begin = c->n;
	move(c, BPF_REG_1, REG_INDEX);
	cgroup_at(e, c);
	later(&none, jump_if(c, BPF_JEQ, BPF_REG_0, 0));
	store(c, BPF_DW, BPF_REG_10, KEY(cgroup), BPF_REG_0);
	load(c, BPF_W, BPF_REG_1, BPF_REG_10, EVENT(minor));
	store(c, BPF_W, BPF_REG_10, KEY(minor), BPF_REG_1);
	try_grant(c, &found);
	store_imm(c, BPF_W, BPF_REG_10, KEY(minor), (int32_t)GRANT_ANY_MINOR);
	try_grant(c, &found);
	loop(c, begin, levels(e));
	land(c, &none);
	store_imm(c, BPF_DW, BPF_REG_10, EVENT(grant), 0);
	size_t done = jump(c);
	land(c, &found);
	open_by_grant(e, c);
	code_land(c, done);
}

/* ---- watchers ------------------------------------------------------------------------------ */

/* The watcher of number REG_INDEX into REG_ENTRY, its flags into r1; on to `next` when it is not in use, or does not watch
 * the caller's cgroup. r1 is lost. */
static void next_watcher(struct emitter *e, struct jumps *next)
{
	struct code *c = &e->code;
	store(c, BPF_W, BPF_REG_10, STACK_SLOT, REG_INDEX);
	lookup(c, HOSTPROG_MAP_WATCH, STACK_SLOT);
	later(next, jump_if(c, BPF_JEQ, BPF_REG_0, 0));
	move(c, REG_ENTRY, BPF_REG_0);
	load(c, BPF_W, BPF_REG_1, REG_ENTRY, WATCHER(flags));
	later(next, unless_set(c, BPF_REG_1, WATCHER_USED));
	size_t everywhere = if_set(c, BPF_REG_1, WATCHER_EVERYWHERE);
	load(c, BPF_W, BPF_REG_1, REG_ENTRY, WATCHER(level));
	cgroup_at(e, c);
	load(c, BPF_DW, BPF_REG_1, REG_ENTRY, WATCHER(cgroup));
	later(next, jump_if_reg(c, BPF_JNE, BPF_REG_0, BPF_REG_1));
	code_land(c, everywhere);
	load(c, BPF_W, BPF_REG_1, REG_ENTRY, WATCHER(flags));
}

static void permit(struct emitter *e)
{
	struct code *c = &e->code;
	struct jumps out = {0}, next = {0};
	later(&out, if_set(c, REG_FLAGS, HOST_EVENT_GRANTED));
	load(c, BPF_DW, BPF_REG_1, BPF_REG_10, STACK_REFUSED);
	later(&out, jump_if(c, BPF_JNE, BPF_REG_1, 0));
	code_const(c, REG_INDEX, 0);
	size_t begin = c->n;
	next_watcher(e, &next);
	later(&next, unless_set(c, BPF_REG_1, WATCHER_PERMIT));
	load(c, BPF_DW, BPF_REG_1, REG_ENTRY, WATCHER(permit_until));
	load(c, BPF_DW, BPF_REG_2, BPF_REG_10, EVENT(time));
	later(&next, jump_if_reg(c, BPF_JGE, BPF_REG_2, BPF_REG_1));
	alu_imm(c, BPF_OR, REG_FLAGS, HOST_EVENT_PERMITTED);
	code_const(c, BPF_REG_1, 0);
	call(c, BPF_FUNC_set_retval);
	later(&out, jump(c));
	land(c, &next);
	loop(c, begin, HOSTPROG_WATCHERS);
	land(c, &out);
}

/* A record into its ring buffer. A watcher without one only counts. */
static void record(struct code *c)
{
	store_imm(c, BPF_DW, BPF_REG_10, STACK_RECORDED, NO_RECORD);
	lookup(c, HOSTPROG_MAP_RINGS, STACK_SLOT);
	size_t none = jump_if(c, BPF_JEQ, BPF_REG_0, 0);
	move(c, BPF_REG_1, BPF_REG_0);
	stack_address(c, BPF_REG_2, STACK_EVENT);
	code_const(c, BPF_REG_3, sizeof(struct host_event));
	code_const(c, BPF_REG_4, 0);
	call(c, BPF_FUNC_ringbuf_output);
	store_imm(c, BPF_DW, BPF_REG_10, STACK_RECORDED, RECORDED);
	size_t written = jump_if(c, BPF_JEQ, BPF_REG_0, 0);
	store_imm(c, BPF_DW, BPF_REG_10, STACK_RECORDED, RECORD_LOST);
	code_land(c, written);
	code_land(c, none);
}

static void watch(struct emitter *e)
{
	struct code *c = &e->code;
	struct jumps next = {0};
	uint32_t missing = (e->features & HOSTPROG_PID ? 0 : HOST_EVENT_NO_PID) | (e->features & HOSTPROG_COMM ? 0 : HOST_EVENT_NO_COMM);
	if (missing)
		alu_imm(c, BPF_OR, REG_FLAGS, (int32_t)missing);
	store(c, BPF_W, BPF_REG_10, EVENT(flags), REG_FLAGS);
	code_const(c, REG_INDEX, 0);
	size_t begin = c->n;
	next_watcher(e, &next);
	if (e->parts & HOSTPROG_ALL) {
		size_t denied = if_set(c, REG_FLAGS, HOST_EVENT_DENIED);
		later(&next, unless_set(c, BPF_REG_1, WATCHER_ALL));
		code_land(c, denied);
	}
	size_t all = unless_set(c, BPF_REG_1, WATCHER_GRANTED);
	later(&next, unless_set(c, REG_FLAGS, HOST_EVENT_GRANTED));
	code_land(c, all);
	record(c);
	count(e, c);
	land(c, &next);
	loop(c, begin, HOSTPROG_WATCHERS);
}

/* ---- the program ----------------------------------------------------------------------------- */

void hostprog_make(struct arena *a, uint32_t parts, uint32_t features, struct image *out)
{
	struct emitter e = {.code = {.arena = a}, .parts = parts, .features = features};
	struct code *c = &e.code;
	move(c, REG_CTX, BPF_REG_1);
	code_const(c, REG_FLAGS, 0);
	call(c, BPF_FUNC_get_retval);
	size_t denied = code_add(c, BPF_JMP32 | BPF_JSLT | BPF_K, BPF_REG_0, 0, 0, 0), allowed = 0;
	if (parts & HOSTPROG_ALL)
		allowed = jump(c);
	else
		leave(c);
	code_land(c, denied);
	code_const(c, REG_FLAGS, HOST_EVENT_DENIED);
	if (parts & HOSTPROG_ALL)
		code_land(c, allowed);
	store(c, BPF_W, BPF_REG_10, EVENT(retval), BPF_REG_0);
	fill_request(&e);
	if (parts & HOSTPROG_OBSERVE)
		fill_caller(&e);
	size_t nothing = unless_set(c, REG_FLAGS, HOST_EVENT_DENIED);
	if (parts & (HOSTPROG_GRANTS | HOSTPROG_PERMIT))
		look_for_guards(&e);
	if (parts & HOSTPROG_GRANTS)
		grants(&e);
	if (parts & HOSTPROG_PERMIT)
		permit(&e);
	code_land(c, nothing);
	if (parts & HOSTPROG_OBSERVE)
		watch(&e);
	leave(c);
	*out = (struct image){.insns = c->insns, .ninsns = c->n, .relocs = c->relocs, .nrelocs = c->nrelocs, .tail = c->n};
}
