/*
 * report.c - the tail of a program: what happens when a decision is reported.
 *
 * It is entered with the context in REG_CTX and the outcome of policy_report() in
 * REG_OUTCOME (with errnos also in REG_ERROR), counts the decision, submits a
 * record of it, and returns the verdict. It depends on nothing but what the policy
 * reports and reads of the task and whether it has errnos, so verify.c compares it with a fresh one.
 *
 * What differs by kernel and by mode is read from the frozen .rodata: the kernel's
 * verifier drops the branches not taken before it looks at the helpers in them.
 * Ring buffers and their order: Documentation/bpf/ringbuf.rst.
 */
#include "compiler/bpf/instructions.h"

#include <stddef.h>

#include "policy/event.h"
#include "policy/told.h"

enum {
	REG_HEADER = BPF_REG_8,
	REG_TOTALS = BPF_REG_9,  /* later the record */
	STACK_KEY = -32,         /* struct tally_key */
	STACK_NEW = -48,         /* struct tally of a new key */
	STACK_TALLY = -56,       /* its count so far */
	STACK_ZERO = -64,        /* key 0 of the arrays */
	STACK_ERROR = -72,       /* errno of a denial */
	STACK_IDS = -80,         /* uid and gid */
	STACK_ENTRY = -88,       /* address of the tally */
	STACK_FOLD = -96,
	REPORT_JUMPS = 8,
};

#define KEY(field) (STACK_KEY + (int)offsetof(struct tally_key, field))
#define EVENT(field) ((int)offsetof(struct event, field))
#define TOLD(field) ((int)offsetof(struct event_told, field))
#define TOTAL(field) ((int)offsetof(struct totals, field))
#define HEADER(field) ((int)offsetof(struct image_header, field))

/* Jumps to one place further on. */
struct jumps { size_t at[REPORT_JUMPS], n; };

static void later(struct jumps *j, size_t at)
{
	j->at[j->n++] = at;
}

static void land(struct code *c, struct jumps *j)
{
	for (size_t i = 0; i < j->n; i++)
		code_land(c, j->at[i]);
}

static void address(struct code *c, int dst, enum image_target target)
{
	*ARENA_PUSH(c->arena, c->relocs, c->nrelocs, c->relocs_cap) =
		(struct image_reloc){(uint32_t)c->n, target};
	code_imm64(c, dst, 0);
}

static void lookup(struct code *c, enum image_target map, int key)
{
	address(c, BPF_REG_1, map);
	stack_address(c, BPF_REG_2, key);
	call(c, BPF_FUNC_map_lookup_elem);
}

/* ---- the decision, as a key ----------------------------------------------------------- */

static void make_key(struct code *c)
{
	call(c, BPF_FUNC_get_current_uid_gid);
	store(c, BPF_DW, BPF_REG_10, STACK_IDS, BPF_REG_0);
	store(c, BPF_W, BPF_REG_10, KEY(uid), BPF_REG_0);
	load(c, BPF_W, BPF_REG_1, REG_HEADER, HEADER(generation));
	store(c, BPF_W, BPF_REG_10, KEY(generation), BPF_REG_1);
	load(c, BPF_W, BPF_REG_1, REG_CTX, ctx_offset(IN_MAJOR));
	store(c, BPF_W, BPF_REG_10, KEY(major), BPF_REG_1);
	load(c, BPF_W, BPF_REG_1, REG_CTX, ctx_offset(IN_MINOR));
	store(c, BPF_W, BPF_REG_10, KEY(minor), BPF_REG_1);
	load(c, BPF_H, BPF_REG_1, REG_CTX, ctx_offset(IN_TYPE));
	store(c, BPF_B, BPF_REG_10, KEY(type), BPF_REG_1);
	load(c, BPF_H, BPF_REG_1, REG_CTX, ctx_offset(IN_REQUESTED));
	store(c, BPF_B, BPF_REG_10, KEY(requested), BPF_REG_1);

	move(c, BPF_REG_1, REG_OUTCOME);
	alu_imm(c, BPF_RSH, BPF_REG_1, OUTCOME_BITS + REPORT_ACCESS_BITS);
	store(c, BPF_W, BPF_REG_10, KEY(rule), BPF_REG_1);
	move(c, BPF_REG_1, REG_OUTCOME);
	alu_imm(c, BPF_RSH, BPF_REG_1, OUTCOME_BITS);
	alu_imm(c, BPF_AND, BPF_REG_1, (1 << REPORT_ACCESS_BITS) - 1);
	size_t no_write = jump_if(c, BPF_JNE, BPF_REG_1, REPORT_WRITE);
	code_const(c, BPF_REG_1, ACC_WRITE);
	code_land(c, no_write);
	store(c, BPF_B, BPF_REG_10, KEY(decided), BPF_REG_1);

	/* verdict and flags */
	store_imm(c, BPF_B, BPF_REG_10, KEY(verdict), 1);
	store_imm(c, BPF_W, BPF_REG_10, KEY(flags), 0);
	store_imm(c, BPF_W, BPF_REG_10, KEY(reserved), 0);
	move(c, BPF_REG_1, REG_OUTCOME);
	alu_imm(c, BPF_AND, BPF_REG_1, (1 << OUTCOME_BITS) - 1);
	size_t allowed = jump_if(c, BPF_JEQ, BPF_REG_1, OUT_ALLOW);
	store_imm(c, BPF_B, BPF_REG_10, KEY(verdict), 0);
	load(c, BPF_W, BPF_REG_2, REG_HEADER, HEADER(mode)); /* MODE_PERMISSIVE is EVENT_PERMISSIVE */
	size_t no_error = jump_if(c, BPF_JNE, BPF_REG_1, OUT_ERROR);
	alu_imm(c, BPF_OR, BPF_REG_2, EVENT_ERROR);
	code_land(c, no_error);
	store(c, BPF_W, BPF_REG_10, KEY(flags), BPF_REG_2);
	code_land(c, allowed);
}
_Static_assert((int)MODE_PERMISSIVE == (int)EVENT_PERMISSIVE, "the mode is stored as the flag");

/* ---- counts ----------------------------------------------------------------------------- */

/* REG_TOTALS, and the decision in it. */
static void count_total(struct code *c, struct jumps *out)
{
	store_imm(c, BPF_W, BPF_REG_10, STACK_ZERO, 0);
	lookup(c, TARGET_TOTALS, STACK_ZERO);
	later(out, jump_if(c, BPF_JEQ, BPF_REG_0, 0));
	move(c, REG_TOTALS, BPF_REG_0);
	load(c, BPF_B, BPF_REG_1, BPF_REG_10, KEY(verdict));
	size_t allowed = jump_if(c, BPF_JNE, BPF_REG_1, 0);
	increment(c, REG_TOTALS, TOTAL(denied));
	size_t done = jump(c);
	code_land(c, allowed);
	increment(c, REG_TOTALS, TOTAL(allowed));
	code_land(c, done);
}

/* The tally, a new one where there is room; goes on to `submit` without one. */
static void count_tally(struct code *c, struct jumps *submit)
{
	struct jumps found = {0};
	store_imm(c, BPF_DW, BPF_REG_10, STACK_TALLY, 0);
	store_imm(c, BPF_DW, BPF_REG_10, STACK_NEW, 0);
	store_imm(c, BPF_DW, BPF_REG_10, STACK_NEW + 8, 0);
	lookup(c, TARGET_TALLY, STACK_KEY);
	later(&found, jump_if(c, BPF_JNE, BPF_REG_0, 0));
	address(c, BPF_REG_1, TARGET_TALLY);
	stack_address(c, BPF_REG_2, STACK_KEY);
	stack_address(c, BPF_REG_3, STACK_NEW);
	code_const(c, BPF_REG_4, BPF_NOEXIST); /* another task may have been first: fine */
	call(c, BPF_FUNC_map_update_elem);
	lookup(c, TARGET_TALLY, STACK_KEY);
	later(&found, jump_if(c, BPF_JNE, BPF_REG_0, 0));
	increment(c, REG_TOTALS, TOTAL(untallied));
	later(submit, jump(c));
	land(c, &found);
	store(c, BPF_DW, BPF_REG_10, STACK_ENTRY, BPF_REG_0);
	increment(c, BPF_REG_0, (int)offsetof(struct tally, count));
	load(c, BPF_DW, BPF_REG_1, BPF_REG_0, (int)offsetof(struct tally, count));
	store(c, BPF_DW, BPF_REG_10, STACK_TALLY, BPF_REG_1);
}

/* Is a record of the same kind younger than the reader's interval? */
static void fold(struct code *c, struct jumps *submit, struct jumps *out)
{
	lookup(c, TARGET_CONFIG, STACK_ZERO);
	later(submit, jump_if(c, BPF_JEQ, BPF_REG_0, 0));
	load(c, BPF_DW, BPF_REG_1, BPF_REG_0, (int)offsetof(struct audit_config, fold_ns));
	later(submit, jump_if(c, BPF_JEQ, BPF_REG_1, 0));
	store(c, BPF_DW, BPF_REG_10, STACK_FOLD, BPF_REG_1);
	call(c, BPF_FUNC_ktime_get_boot_ns);
	load(c, BPF_DW, BPF_REG_1, BPF_REG_10, STACK_ENTRY);
	load(c, BPF_DW, BPF_REG_2, BPF_REG_1, (int)offsetof(struct tally, last));
	move(c, BPF_REG_3, BPF_REG_0);
	code_add(c, BPF_ALU64 | BPF_SUB | BPF_X, BPF_REG_3, BPF_REG_2, 0, 0);
	load(c, BPF_DW, BPF_REG_4, BPF_REG_10, STACK_FOLD);
	size_t young = code_add(c, BPF_JMP | BPF_JLT | BPF_X, BPF_REG_3, BPF_REG_4, 0, 0);
	store(c, BPF_DW, BPF_REG_1, (int)offsetof(struct tally, last), BPF_REG_0);
	later(submit, jump(c));
	code_land(c, young);
	increment(c, REG_TOTALS, TOTAL(folded));
	later(out, jump(c));
}

/* ---- the record --------------------------------------------------------------------------- */

/* A jump taken where this kernel lacks the feature. */
static size_t without(struct code *c, enum feature feature)
{
	load(c, BPF_W, BPF_REG_1, REG_HEADER, HEADER(features));
	alu_imm(c, BPF_AND, BPF_REG_1, feature);
	return jump_if(c, BPF_JEQ, BPF_REG_1, 0);
}

static void add_flag(struct code *c, enum event_flag flag)
{
	load(c, BPF_W, BPF_REG_1, REG_TOTALS, EVENT(flags));
	alu_imm(c, BPF_OR, BPF_REG_1, flag);
	store(c, BPF_W, REG_TOTALS, EVENT(flags), BPF_REG_1);
}

static void fill_pid(struct code *c)
{
	size_t missing = without(c, FEATURE_PID);
	call(c, BPF_FUNC_get_current_pid_tgid);
	store(c, BPF_W, REG_TOTALS, EVENT(tid), BPF_REG_0);
	alu_imm(c, BPF_RSH, BPF_REG_0, 32);
	store(c, BPF_W, REG_TOTALS, EVENT(pid), BPF_REG_0);
	size_t done = jump(c);
	code_land(c, missing);
	store_imm(c, BPF_DW, REG_TOTALS, EVENT(pid), 0);
	add_flag(c, EVENT_NO_PID);
	code_land(c, done);
}

static void fill_comm(struct code *c)
{
	size_t missing = without(c, FEATURE_COMM);
	move(c, BPF_REG_1, REG_TOTALS);
	alu_imm(c, BPF_ADD, BPF_REG_1, EVENT(comm));
	code_const(c, BPF_REG_2, COMM_SIZE);
	call(c, BPF_FUNC_get_current_comm);
	size_t done = jump(c);
	code_land(c, missing);
	store_imm(c, BPF_DW, REG_TOTALS, EVENT(comm), 0);
	store_imm(c, BPF_DW, REG_TOTALS, EVENT(comm) + 8, 0);
	add_flag(c, EVENT_NO_COMM);
	code_land(c, done);
}

static void copy(struct code *c, uint8_t size, int event, int stack)
{
	load(c, size, BPF_REG_1, BPF_REG_10, stack);
	store(c, size, REG_TOTALS, event, BPF_REG_1);
}

size_t report_size(const struct policy *p)
{
	uint64_t which = told_which(policy_inputs(p));
	return sizeof(struct event) + (which ? TOLD(value) + 8 * (size_t)__builtin_popcountll(which) : 0);
}

/* What the kernel tells of the task: readers are asked again, as not all of them were on the way here. */
static void fill_told(struct code *c, const struct policy *p)
{
	const struct asked *as = policy_asks(p);
	input_set inputs = policy_inputs(p) & TASK_INPUTS;
	int at = sizeof(struct event) + TOLD(value);
	if (!inputs)
		return;
	code_imm64(c, BPF_REG_1, (int64_t)told_which(inputs));
	store(c, BPF_DW, REG_TOTALS, sizeof(struct event) + TOLD(which), BPF_REG_1);
	store_imm(c, BPF_W, REG_TOTALS, sizeof(struct event) + TOLD(names), (int32_t)p->nrules + 1);
	store_imm(c, BPF_H, REG_TOTALS, sizeof(struct event) + TOLD(asks), (int32_t)as->nasks);
	store_imm(c, BPF_H, REG_TOTALS, sizeof(struct event) + TOLD(paths), (int32_t)told_paths(as));
	for (; inputs; inputs &= inputs - 1, at += 8) {
		emit_reader(c, as, (enum input)__builtin_ctzll(inputs));
		store(c, BPF_DW, REG_TOTALS, at, BPF_REG_0);
	}
}

static void submit(struct code *c, const struct policy *p, struct jumps *out)
{
	size_t size = report_size(p);
	address(c, BPF_REG_1, TARGET_EVENTS);
	code_const(c, BPF_REG_2, (int64_t)size);
	code_const(c, BPF_REG_3, 0);
	call(c, BPF_FUNC_ringbuf_reserve);
	size_t got = jump_if(c, BPF_JNE, BPF_REG_0, 0);
	increment(c, REG_TOTALS, TOTAL(dropped));
	later(out, jump(c));
	code_land(c, got);
	increment(c, REG_TOTALS, TOTAL(submitted));
	move(c, REG_TOTALS, BPF_REG_0);
	store_imm(c, BPF_W, REG_TOTALS, EVENT(version), EVENT_VERSION | (int)size << 16);
	copy(c, BPF_W, EVENT(generation), KEY(generation));
	call(c, BPF_FUNC_ktime_get_boot_ns);
	store(c, BPF_DW, REG_TOTALS, EVENT(time), BPF_REG_0);
	call(c, BPF_FUNC_get_current_cgroup_id);
	store(c, BPF_DW, REG_TOTALS, EVENT(cgroup_id), BPF_REG_0);
	copy(c, BPF_DW, EVENT(uid), STACK_IDS);
	copy(c, BPF_DW, EVENT(major), KEY(major));
	copy(c, BPF_W, EVENT(type), KEY(type));
	copy(c, BPF_W, EVENT(rule), KEY(rule));
	copy(c, BPF_W, EVENT(flags), KEY(flags));
	store_imm(c, BPF_W, REG_TOTALS, EVENT(reserved), 0);
	copy(c, BPF_DW, EVENT(tally), STACK_TALLY);
	fill_pid(c);
	fill_comm(c);
	fill_told(c, p);
	move(c, BPF_REG_1, REG_TOTALS);
	code_const(c, BPF_REG_2, 0);
	call(c, BPF_FUNC_ringbuf_submit);
}

/* ---- the verdict ---------------------------------------------------------------------------- */

static void leave(struct code *c, int verdict)
{
	code_const(c, BPF_REG_0, verdict);
	code_add(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Denies with the errno in r1, 0: the kernel's own. */
static void deny_with_errno(struct code *c)
{
	size_t plain = jump_if(c, BPF_JEQ, BPF_REG_1, 0);
	code_add(c, BPF_ALU64 | BPF_NEG, BPF_REG_1, 0, 0, 0);
	call(c, BPF_FUNC_set_retval);
	code_land(c, plain);
	leave(c, 0);
}

void emit_tail(struct code *c, const struct policy *p)
{
	struct jumps out = {0}, to_submit = {0};
	bool has_errno = policy_has_errno(p);
	if (has_errno)
		store(c, BPF_DW, BPF_REG_10, STACK_ERROR, REG_ERROR);
	address(c, REG_HEADER, TARGET_HEADER);
	if (p->audit != AUDIT_NONE) {
		make_key(c);
		count_total(c, &out);
		count_tally(c, &to_submit);
		fold(c, &to_submit, &out);
		land(c, &to_submit);
		submit(c, p, &out);
		land(c, &out);
	}
	size_t denied = 0;
	if (p->audit == AUDIT_ALL) {
		load(c, BPF_B, BPF_REG_1, BPF_REG_10, KEY(verdict));
		denied = jump_if(c, BPF_JEQ, BPF_REG_1, 0);
		leave(c, 1);
		code_land(c, denied);
	}
	load(c, BPF_W, BPF_REG_1, REG_HEADER, HEADER(mode));
	size_t enforce = jump_if(c, BPF_JEQ, BPF_REG_1, MODE_ENFORCE);
	leave(c, 1);
	code_land(c, enforce);
	if (has_errno) {
		load(c, BPF_DW, BPF_REG_1, BPF_REG_10, STACK_ERROR);
		deny_with_errno(c);
	} else {
		leave(c, 0);
	}
}
