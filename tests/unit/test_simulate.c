/* The interpreter of BPF: each operation against its result, each fault. */
#include "compiler/bpf/internal.h"
#include "policy/device.h"
#include "tests/unit/fixture.h"

#include <linux/bpf.h>

#define INSN(c, d, s, o, i) ((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)})
#define WIDE(d, v) INSN(BPF_LD | BPF_DW | BPF_IMM, d, 0, 0, (int32_t)(uint32_t)(v)), INSN(0, 0, 0, 0, (int32_t)((uint64_t)(v) >> 32))
#define MOV(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define COPY(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static const struct request plain = {.type = DEV_CHAR, .access = ACC_READ | ACC_WRITE, .major = 10, .minor = 229};

static int run_of(const struct bpf_insn *insns, size_t n, const struct request *r, size_t tail, struct simulated *out, int *missing, const char **why)
{
	struct policy p = {.nparams = 0};
	struct image image = {.insns = (void *)insns, .ninsns = (uint32_t)n, .tail = (uint32_t)tail};
	*missing = -1;
	*why = NULL;
	return simulate(&p, &image, r, out, missing, why);
}

#define RUN(insns, r, out, missing, why) run_of(insns, COUNT(insns), r, COUNT(insns), out, missing, why)

static bool allows(const struct bpf_insn *insns, size_t n, const struct request *r)
{
	struct simulated out;
	int missing;
	const char *why;
	if (run_of(insns, n, r, n, &out, &missing, &why))
		fail_msg("%s", why);
	return out.allow;
}

static void faults(const struct bpf_insn *insns, size_t n, size_t tail, const char *want)
{
	struct simulated out;
	int missing;
	const char *why;
	assert_int_equal(run_of(insns, n, &plain, tail, &out, &missing, &why), -1);
	assert_int_equal(missing, -1);
	same_text("fault", why, want);
}

/* ---- arithmetic ---------------------------------------------------------------------------- */

static void arithmetic(void **state)
{
	(void)state;
	static const struct { uint8_t op; uint64_t x, y, wide, narrow; } cases[] = {
		{BPF_ADD, 0xffffffff, 2, 0x100000001, 1}, {BPF_SUB, 1, 3, (uint64_t)-2, 0xfffffffe}, {BPF_SUB, 9, 4, 5, 5},
		{BPF_MUL, 0x100000003, 5, 0x50000000f, 15}, {BPF_DIV, 0x100000007, 2, 0x80000003, 3}, {BPF_DIV, 7, 0, 0, 0},
		{BPF_MOD, 0x100000007, 4, 3, 3}, {BPF_MOD, 7, 0, 7, 7}, {BPF_MOD, 9, 9, 0, 0}, {BPF_OR, 0xf0000000c, 3, 0xf0000000f, 15},
		{BPF_AND, 0xf0000000c, 0xf00000006, 0xf00000004, 4}, {BPF_XOR, 12, 10, 6, 6}, {BPF_LSH, 3, 33, 0x600000000, 6},
		{BPF_LSH, 3, 65, 6, 6}, {BPF_RSH, 0xf000000010, 4, 0xf00000001, 1}, {BPF_RSH, 0x80000000, 36, 0, 0x8000000},
		{BPF_ARSH, (uint64_t)-16, 2, (uint64_t)-4, 0xfffffffc}, {BPF_ARSH, 0x80000000, 4, 0x8000000, 0xf8000000},
		{BPF_ARSH, (uint64_t)-16, 34, (uint64_t)-1, 0xfffffffc}, {BPF_MOV, 5, 0x100000007, 0x100000007, 7}, {BPF_NEG, 5, 1, (uint64_t)-5, 0xfffffffb},
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		for (int narrow = 0; narrow < 2; narrow++) {
			uint8_t class = narrow ? BPF_ALU : BPF_ALU64;
			uint64_t want = narrow ? cases[i].narrow : cases[i].wide;
			const struct bpf_insn by_register[] = {
				WIDE(1, cases[i].x), WIDE(2, cases[i].y), WIDE(3, want), INSN(class | cases[i].op | BPF_X, 1, 2, 0, 0),
				MOV(0, 1), INSN(BPF_JMP | BPF_JEQ | BPF_X, 1, 3, 1, 0), MOV(0, 0), EXIT,
			};
			if (!allows(by_register, COUNT(by_register), &plain))
				fail_msg("case %zu%s", i, narrow ? ", 32 bits" : "");
		}
	/* a constant is signed, and as wide as the operation */
	const struct bpf_insn constant[] = {
		MOV(1, -1), WIDE(3, UINT64_MAX), WIDE(4, 0xfffffffe), INSN(BPF_ALU | BPF_MOV | BPF_K, 2, 0, 0, -2), MOV(0, 0),
		INSN(BPF_JMP | BPF_JNE | BPF_X, 1, 3, 2, 0), INSN(BPF_JMP | BPF_JNE | BPF_X, 2, 4, 1, 0), MOV(0, 1), EXIT,
	};
	assert_true(allows(constant, COUNT(constant), &plain));
}

static void jumps(void **state)
{
	(void)state;
	static const struct { uint8_t op; uint64_t x, y; bool wide, narrow; } cases[] = {
		{BPF_JA, 1, 2, true, true}, {BPF_JEQ, 0x100000001, 1, false, true}, {BPF_JEQ, 5, 5, true, true}, {BPF_JNE, 0x100000001, 1, true, false},
		{BPF_JGT, 0x100000000, 1, true, false}, {BPF_JGT, 3, 3, false, false}, {BPF_JGT, (uint64_t)-1, 1, true, true},
		{BPF_JGE, 3, 3, true, true}, {BPF_JGE, 2, 3, false, false}, {BPF_JLT, 2, 3, true, true}, {BPF_JLT, 3, 3, false, false},
		{BPF_JLE, 3, 3, true, true}, {BPF_JLE, 4, 3, false, false}, {BPF_JSET, 6, 2, true, true}, {BPF_JSET, 6, 1, false, false},
		{BPF_JSGT, 1, (uint64_t)-1, true, true}, {BPF_JSGT, 3, 3, false, false}, {BPF_JSGT, 0x80000000, 0, true, false},
		{BPF_JSGE, 3, 3, true, true}, {BPF_JSGE, (uint64_t)-1, 0, false, false}, {BPF_JSLT, (uint64_t)-1, 0, true, true},
		{BPF_JSLT, 3, 3, false, false}, {BPF_JSLE, 3, 3, true, true}, {BPF_JSLE, 0, (uint64_t)-1, false, false}, {BPF_JSLE, 0x80000000, 0, false, true},
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		for (int narrow = 0; narrow < 2; narrow++) {
			if (narrow && cases[i].op == BPF_JA)
				continue;
			const struct bpf_insn insns[] = {
				WIDE(1, cases[i].x), WIDE(2, cases[i].y), MOV(0, 1),
				INSN((narrow ? BPF_JMP32 : BPF_JMP) | cases[i].op | BPF_X, 1, 2, 1, 0), MOV(0, 0), EXIT,
			};
			if (allows(insns, COUNT(insns), &plain) != (narrow ? cases[i].narrow : cases[i].wide))
				fail_msg("case %zu%s", i, narrow ? ", 32 bits" : "");
		}
	const struct bpf_insn far[] = {WIDE(0, 1), INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, 1), MOV(0, 0), EXIT};
	assert_true(allows(far, COUNT(far), &plain));
	assert_true(image_jumps_far(&(struct image){.insns = (void *)far, .ninsns = COUNT(far)}));
	assert_false(image_jumps_far(&(struct image){.insns = (void *)far, .ninsns = 2}));
	/* only 1 allows */
	const struct bpf_insn two[] = {MOV(0, 2), EXIT};
	assert_false(allows(two, COUNT(two), &plain));
}

/* ---- memory ------------------------------------------------------------------------------- */

static void the_request(void **state)
{
	(void)state;
	const uint32_t words[] = {(ACC_READ | ACC_WRITE) << 16 | DEV_CHAR, 10, 229};
	for (int i = 0; i < 3; i++) {
		const struct bpf_insn insns[] = {
			INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 1, (int16_t)(4 * i), 0), WIDE(3, words[i]), MOV(0, 1),
			INSN(BPF_JMP | BPF_JEQ | BPF_X, 2, 3, 1, 0), MOV(0, 0), EXIT,
		};
		assert_true(allows(insns, COUNT(insns), &plain));
	}
	const struct bpf_insn half[] = {INSN(BPF_LDX | BPF_MEM | BPF_H, 0, 1, 4, 0), INSN(BPF_ALU64 | BPF_SUB | BPF_K, 0, 0, 0, 9), EXIT};
	assert_true(allows(half, COUNT(half), &plain));
}

/* What is kept on the stack is found again, in its width. */
static void the_stack(void **state)
{
	(void)state;
	static const struct { uint8_t size; uint64_t kept; } sizes[] = {
		{BPF_B, 0x88}, {BPF_H, 0x7788}, {BPF_W, 0x55667788}, {BPF_DW, 0x1122334455667788}};
	for (size_t i = 0; i < COUNT(sizes); i++)
		for (int at = -512; at <= -8; at += 504) {
			const struct bpf_insn insns[] = {
				WIDE(1, 0x1122334455667788), INSN(BPF_STX | BPF_MEM | sizes[i].size, 10, 1, (int16_t)at, 0),
				INSN(BPF_LDX | BPF_MEM | sizes[i].size, 2, 10, (int16_t)at, 0), WIDE(3, sizes[i].kept), MOV(0, 1),
				INSN(BPF_JMP | BPF_JEQ | BPF_X, 2, 3, 1, 0), MOV(0, 0), EXIT,
			};
			assert_true(allows(insns, COUNT(insns), &plain));
		}
	const struct bpf_insn constant[] = {INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8, 1), INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 10, -8, 0), EXIT};
	assert_true(allows(constant, COUNT(constant), &plain));
	const struct bpf_insn added[] = {
		INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8, 4), MOV(1, -3), INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 10, 1, -8, BPF_ADD),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 10, -8, 0), EXIT,
	};
	assert_true(allows(added, COUNT(added), &plain));
}

static void bad_addresses(void **state)
{
	(void)state;
	/* below and above the stack, across its end, around the request; a request is not written */
	static const struct { int base, off; } at[] = {{10, -513}, {10, -4}, {10, 0}, {10, 8}, {1, -1}, {1, 5}, {1, 12}, {2, 0}};
	for (size_t i = 0; i < COUNT(at); i++) {
		const struct bpf_insn load[] = {MOV(2, 0), MOV(0, 1), INSN(BPF_LDX | BPF_MEM | BPF_DW, 3, at[i].base, (int16_t)at[i].off, 0), EXIT};
		const struct bpf_insn store[] = {MOV(2, 0), MOV(0, 1), INSN(BPF_STX | BPF_MEM | BPF_DW, at[i].base, 0, (int16_t)at[i].off, 0), EXIT};
		faults(load, COUNT(load), COUNT(load), "load from a bad address");
		faults(store, COUNT(store), COUNT(store), "store to a bad address");
	}
	const struct bpf_insn request[] = {MOV(0, 1), INSN(BPF_ST | BPF_MEM | BPF_W, 1, 0, 0, 0), EXIT};
	faults(request, COUNT(request), COUNT(request), "store to a bad address");
	const struct bpf_insn header[] = {WIDE(1, 4 << 20), INSN(BPF_ST | BPF_MEM | BPF_W, 1, 0, 0, 0), EXIT};
	faults(header, COUNT(header), COUNT(header), "store to a bad address");
}

/* ---- what there is not, and helpers ------------------------------------------------------- */

static void unknown_instructions(void **state)
{
	(void)state;
	const struct { struct bpf_insn insn; const char *why; } cases[] = {
		{INSN(BPF_ALU64 | BPF_END, 0, 0, 0, 16), "unknown arithmetic"},
		{INSN(BPF_ALU64 | BPF_DIV | BPF_X, 0, 0, 1, 0), "unknown arithmetic"}, /* the signed one */
		{INSN(BPF_ALU64 | BPF_MOV | BPF_X, 11, 0, 0, 0), "unknown register"},
		{INSN(BPF_ALU64 | BPF_MOV | BPF_X, 0, 11, 0, 0), "unknown register"},
		{INSN(BPF_LD | BPF_W | BPF_ABS, 0, 0, 0, 0), "unknown load"},
		{INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 10, 0, -8, BPF_OR), "unknown atomic operation"},
		{INSN(BPF_STX | BPF_ATOMIC | BPF_W, 10, 0, -8, BPF_ADD), "unknown atomic operation"},
		{CALL(BPF_FUNC_get_prandom_u32), "unknown helper"},
		{CALL(BPF_FUNC_ringbuf_submit), "unknown helper"}, /* before the tail */
		{INSN(BPF_JMP | BPF_JA, 0, 0, -1, 0), "the program does not end"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct bpf_insn insns[] = {MOV(0, 1), cases[i].insn, EXIT};
		faults(insns, COUNT(insns), COUNT(insns), cases[i].why);
	}
	const struct bpf_insn cut[] = {INSN(BPF_LD | BPF_DW | BPF_IMM, 0, 0, 0, 1)}, open[] = {MOV(0, 1)}, in_tail[] = {CALL(BPF_FUNC_get_prandom_u32), EXIT};
	faults(cut, COUNT(cut), COUNT(cut), "unknown load");
	faults(open, COUNT(open), COUNT(open), "the program does not end");
	faults(in_tail, COUNT(in_tail), 0, "unknown helper");
	const struct bpf_insn comm[] = {COPY(1, 10), INSN(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, -16), MOV(2, 15), CALL(BPF_FUNC_get_current_comm), EXIT};
	faults(comm, COUNT(comm), 0, "bad argument of a helper");
	const struct bpf_insn nowhere[] = {MOV(1, 0), MOV(2, 16), CALL(BPF_FUNC_get_current_comm), EXIT};
	faults(nowhere, COUNT(nowhere), 0, "bad argument of a helper");
	const struct bpf_insn update[] = {MOV(1, 0), COPY(2, 10), INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -64), CALL(BPF_FUNC_map_update_elem), EXIT};
	faults(update, COUNT(update), 0, "bad argument of a helper");
	const struct bpf_insn reserve[] = {MOV(1, 0), MOV(2, sizeof(struct event)), CALL(BPF_FUNC_ringbuf_reserve), EXIT};
	faults(reserve, COUNT(reserve), 0, "bad argument of a helper");
}

static void no_end(void **state)
{
	(void)state;
	const struct bpf_insn insns[] = {INSN(BPF_JMP | BPF_JA, 0, 0, -1, 0)};
	struct simulated out;
	int missing;
	const char *why;
	assert_int_equal(RUN(insns, &plain, &out, &missing, &why), -1);
	assert_int_equal(out.steps, 1 << 20);
}

/* A fact that is asked for and was not given ends the run; one that was given is the helper's. */
static void facts(void **state)
{
	(void)state;
	static const struct { int helper; enum input in; int64_t given; uint64_t result; } cases[] = {
		{BPF_FUNC_get_current_uid_gid, IN_UID, 7, 7}, {BPF_FUNC_get_current_uid_gid, IN_GID, 7, (uint64_t)7 << 32},
		{BPF_FUNC_get_current_pid_tgid, IN_TID, 8, 8}, {BPF_FUNC_get_current_pid_tgid, IN_PID, 8, (uint64_t)8 << 32},
		{BPF_FUNC_get_current_cgroup_id, IN_CGROUP_ID, 1 << 20, 1 << 20}, {BPF_FUNC_ktime_get_boot_ns, IN_UPTIME, 3, 3000000000},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct bpf_insn insns[] = {
			CALL(cases[i].helper), WIDE(3, cases[i].result), COPY(2, 0), MOV(0, 1), INSN(BPF_JMP | BPF_JEQ | BPF_X, 2, 3, 1, 0), MOV(0, 0), EXIT};
		struct request r = plain;
		struct simulated out;
		int missing;
		const char *why;
		r.fact[cases[i].in] = cases[i].given;
		r.known = INPUT(cases[i].in);
		assert_true(allows(insns, COUNT(insns), &r));
		assert_int_equal(run_of(insns, COUNT(insns), &r, 0, &out, &missing, &why), 0); /* in the tail too */
		assert_true(out.allow);
		assert_int_equal(RUN(insns, &plain, &out, &missing, &why), -1);
		assert_int_equal(missing, cases[i].in == IN_GID ? IN_UID : cases[i].in == IN_PID ? IN_TID : cases[i].in);
		assert_int_equal(run_of(insns, COUNT(insns), &plain, 0, &out, &missing, &why), 0); /* there it is only recorded */
	}
}

static void the_name(void **state)
{
	(void)state;
	for (int half = 0; half < 2; half++) {
		const struct bpf_insn insns[] = {
			COPY(1, 10), INSN(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, -16), MOV(2, 16), CALL(BPF_FUNC_get_current_comm),
			INSN(BPF_LDX | BPF_MEM | BPF_DW, 2, 10, (int16_t)(8 * half - 16), 0), MOV(0, 1), INSN(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 1, 5 + half), MOV(0, 0), EXIT};
		struct request r = plain;
		struct simulated out;
		int missing;
		const char *why;
		r.fact[IN_COMM_0] = 5;
		r.fact[IN_COMM_1] = 6;
		r.known = INPUT(IN_COMM_0) | INPUT(IN_COMM_1);
		assert_true(allows(insns, COUNT(insns), &r));
		r.known = INPUT(half ? IN_COMM_0 : IN_COMM_1);
		assert_int_equal(RUN(insns, &r, &out, &missing, &why), -1);
		assert_int_equal(missing, half ? IN_COMM_1 : IN_COMM_0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic),
		cmocka_unit_test(jumps),
		cmocka_unit_test(the_request),
		cmocka_unit_test(the_stack),
		cmocka_unit_test(bad_addresses),
		cmocka_unit_test(unknown_instructions),
		cmocka_unit_test(no_end),
		cmocka_unit_test(facts),
		cmocka_unit_test(the_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
