/* What takes several instructions computes what it is for. The proof only compares it with what the
 * emitter writes, so that this is the test of both. */
#include "compiler/bpf/internal.h"
#include "tests/unit/fixture.h"

#include <linux/bpf.h>

enum { X = BPF_REG_1, Y = BPF_REG_2, S = BPF_REG_3, T = BPF_REG_4, WANT = BPF_REG_5 };

static const int64_t values[] = {
	INT64_MIN, INT64_MIN + 1, INT64_MIN / 2, -4294967297, -4294967296, -2147483649, -2147483648, -1000, -8, -7, -1,
	0, 1, 2, 7, 8, 1000, 2147483647, 2147483648, 4294967295, 4294967296, INT64_MAX / 2, INT64_MAX - 1, INT64_MAX,
};

static size_t wide(struct bpf_insn *at, int reg, int64_t value)
{
	at[0] = (struct bpf_insn){.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = reg & 15, .imm = (int32_t)(uint32_t)value};
	at[1] = (struct bpf_insn){.imm = (int32_t)((uint64_t)value >> 32)};
	return 2;
}

/* Is the result the wanted one? */
static bool computes(const struct template *t, int64_t x, int64_t y, int64_t s, int64_t want)
{
	struct bpf_insn code[64];
	struct policy p = {.nparams = 0};
	struct request r = {.type = DEV_CHAR};
	struct simulated out;
	const char *why;
	int missing;
	size_t n = 0, len;
	n += wide(code + n, X, x);
	if (t->y >= 0)
		n += wide(code + n, Y, y);
	if (t->kind == TEMPLATE_CHOOSE)
		n += wide(code + n, S, s);
	struct bpf_insn *begin = code + n;
	n += template_write(begin, t);
	struct template back = {0};
	assert_true(template_read(begin, (size_t)(code + n - begin), &back, &len));
	assert_int_equal(back.kind, t->kind);
	assert_int_equal(len, code + n - begin);
	n += wide(code + n, WANT, want);
	code[n++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1};
	code[n++] = (struct bpf_insn){.code = BPF_JMP | BPF_JEQ | BPF_X, .dst_reg = t->kind == TEMPLATE_CHOOSE ? S : X,
	                              .src_reg = WANT, .off = 1};
	code[n++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0};
	code[n++] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	struct image image = {.insns = code, .ninsns = n, .tail = n};
	assert_int_equal(simulate(&p, &image, &r, &out, &missing, &why), 0);
	return out.allow;
}

static int64_t floor_of(int64_t x, int64_t y)
{
	return x / y - (x % y < 0);
}

/* The value that a template has, where it may be used; y is positive in a division. */
static bool meaning(enum template_kind kind, int64_t x, int64_t y, int64_t *want)
{
	int64_t unused;
	switch (kind) {
	case TEMPLATE_DIVIDE: *want = y > 0 ? floor_of(x, y) : 0; return y > 0;
	case TEMPLATE_MODULO: *want = y > 0 ? (int64_t)((uint64_t)x - (uint64_t)y * (uint64_t)floor_of(x, y)) : 0; return y > 0;
	case TEMPLATE_LESS: *want = x < y; return !__builtin_sub_overflow(x, y, &unused);
	case TEMPLATE_LESS_WIDE: *want = x < y; return true;
	default: *want = x != y; return true;
	}
}

static void each_kind(void **state)
{
	static const enum template_kind kinds[] = {TEMPLATE_DIVIDE, TEMPLATE_MODULO, TEMPLATE_LESS, TEMPLATE_LESS_WIDE, TEMPLATE_DIFFER};
	(void)state;
	for (size_t k = 0; k < COUNT(kinds); k++)
		for (size_t i = 0; i < COUNT(values); i++)
			for (size_t j = 0; j < COUNT(values); j++) {
				struct template t = {.kind = kinds[k], .x = X, .y = Y, .s = S, .t = T};
				int64_t x = values[i], y = values[j], want;
				if (!meaning(t.kind, x, y, &want))
					continue;
				if (!computes(&t, x, y, 0, want))
					fail_msg("kind %d: %lld, %lld", t.kind, (long long)x, (long long)y);
				bool constant = t.kind == TEMPLATE_LESS || t.kind == TEMPLATE_DIFFER;
				t.y = -1;
				t.imm = (int32_t)y;
				if (constant && y == t.imm && !computes(&t, x, y, 0, want))
					fail_msg("kind %d: %lld, the constant %lld", t.kind, (long long)x, (long long)y);
			}
}

static void choice(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(values); i++)
		for (size_t j = 0; j < COUNT(values); j++)
			for (int s = 0; s <= 1; s++) {
				struct template t = {.kind = TEMPLATE_CHOOSE, .x = X, .y = Y, .s = S};
				int64_t x = values[i], y = values[j];
				assert_true(computes(&t, x, y, s, s ? x : y));
				t.y = -1;
				t.imm = (int32_t)y;
				assert_true(y != t.imm || computes(&t, x, y, s, s ? x : y));
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_kind), cmocka_unit_test(choice)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
