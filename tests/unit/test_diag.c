/* test_diag.c - policy/arena.c and policy/diag.c: allocation, collected
 * diagnostics, spelling. */
#include "tests/unit/fixture.h"
#include "policy/diag.h"

/* ---- arena ------------------------------------------------------------------- */

static void alloc_is_zeroed_and_aligned(void **state)
{
	static const size_t sizes[] = {0, 1, 7, 16, 17, 4096, 16 << 10, 1 << 20, (1 << 20) + 1, 3};
	for (size_t round = 0; round < 20; round++)
		for (size_t i = 0; i < COUNT(sizes); i++) {
			unsigned char *p = arena_alloc(*state, sizes[i]);
			assert_non_null(p);
			assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
			for (size_t j = 0; j < sizes[i]; j++)
				assert_int_equal(p[j], 0);
			memset(p, 0xa5, sizes[i]);
		}
}

static void blocks_do_not_overlap(void **state)
{
	enum { N = 2000 };
	unsigned char *block[N];
	for (int i = 0; i < N; i++) {
		block[i] = arena_alloc(*state, (size_t)i % 97 + 1);
		memset(block[i], i & 0xff, (size_t)i % 97 + 1);
	}
	for (int i = 0; i < N; i++)
		for (int j = 0; j < i % 97 + 1; j++)
			assert_int_equal(block[i][j], i & 0xff);
}

static void grow_keeps_and_zeroes(void **state)
{
	static const struct {
		size_t from, to;
		bool other_between; /* then the block cannot grow in place */
	} table[] = {
		{0, 8, false}, {8, 16, false}, {8, 16, true}, {3, 5, false}, {3, 5, true},
		{100, 40000, false}, {100, 40000, true}, {64, 64, false}, {64, 10, true}, {64, 10, false},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		unsigned char *p = arena_alloc(*state, table[i].from);
		memset(p, 0x5a, table[i].from);
		if (table[i].other_between)
			memset(arena_alloc(*state, 16), 0xff, 16);
		unsigned char *q = arena_grow(*state, p, table[i].from, table[i].to);
		for (size_t j = 0; j < table[i].to; j++)
			assert_int_equal(q[j], j < table[i].from ? 0x5a : 0);
	}
	unsigned char *fresh = arena_grow(*state, NULL, 0, 12);
	for (size_t j = 0; j < 12; j++)
		assert_int_equal(fresh[j], 0);
}

static void last_block_grows_in_place(void **state)
{
	char *p = arena_alloc(*state, 16);
	assert_ptr_equal(arena_grow(*state, p, 16, 1024), p);
	assert_ptr_equal(arena_grow(*state, p, 1024, 1024), p);
	assert_ptr_not_equal(arena_grow(*state, p, 1024, 1008), p);
}

/* Of 40 MiB in small pieces hardly more than that is taken. */
static void little_is_taken_ahead(void **state)
{
	enum { N = 40 << 10, PIECE = 1 << 10 };
	size_t before = arena_size(*state);
	for (int i = 0; i < N; i++)
		arena_alloc(*state, PIECE);
	assert_in_range(arena_size(*state) - before, N * PIECE, N * PIECE + (4 << 20));
}

static void push_grows_an_array(void **state)
{
	int *items = NULL;
	size_t n = 0, cap = 0;
	for (int i = 0; i < 10000; i++) {
		*ARENA_PUSH((struct arena *)*state, items, n, cap) = i;
		if (i % 100 == 0)
			arena_alloc(*state, 24);
	}
	assert_int_equal(n, 10000);
	assert_true(cap >= n);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(items[i], i);
}

static void strings(void **state)
{
	char long_text[5000];
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	assert_string_equal(arena_strdup(*state, ""), "");
	assert_string_equal(arena_strdup(*state, "abc"), "abc");
	assert_string_equal(arena_strndup(*state, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(*state, "abc", 0), "");
	assert_string_equal(arena_printf(*state, "%d-%s", 42, "x"), "42-x");
	assert_string_equal(arena_printf(*state, "%s", ""), "");
	assert_string_equal(arena_printf(*state, "%s", long_text), long_text);
}

/* Out of memory jumps to the handler; the arena stays usable. */
static void a_stream_becomes_text(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct arena_stream s;
	FILE *out = arena_stream(a, &s);
	for (int i = 0; i < 10000; i++) { /* ftell() knows what is still in a buffer */
		assert_int_equal(ftell(out), 8L * i);
		fprintf(out, "%07d\n", i);
	}
	const char *text = arena_text(a, &s);
	assert_int_equal(s.len, 80000);
	assert_int_equal(strlen(text), 80000);
	assert_memory_equal(text + 79992, "0009999\n", 8);
	arena_stream(a, &s);
	assert_string_equal(arena_text(a, &s), "");
	arena_free(a);
}

static void exhaustion_jumps(void **state)
{
	static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2, SIZE_MAX / 4 + 1};
	for (volatile size_t i = 0; i < COUNT(sizes); i++) {
		jmp_buf handler;
		volatile int jumped = 0;
		arena_catch(*state, &handler);
		if (setjmp(handler) == 0) {
			arena_alloc(*state, sizes[i]);
			fail_msg("no jump for size %zu", sizes[i]);
		} else {
			jumped = 1;
		}
		assert_int_equal(jumped, 1);
	}
	jmp_buf handler;
	arena_catch(*state, &handler);
	if (setjmp(handler) == 0) {
		arena_grow(*state, arena_alloc(*state, 8), 8, SIZE_MAX);
		fail_msg("no jump for growth");
	}
	arena_catch(*state, NULL);
	assert_string_equal(arena_strdup(*state, "still here"), "still here");
}

static void free_null(void **state)
{
	(void)state;
	arena_free(NULL);
}

/* ---- diagnostics ------------------------------------------------------------- */

static void diags_collect(void **state)
{
	struct diags d;
	diags_init(&d, *state);
	assert_int_equal(d.n, 0);
	assert_int_equal(d.errors, 0);

	char hint[] = "try this";
	struct span at = {"p.rb", 7, 3};
	struct diag *e = diag_add(&d, DIAG_ERROR, at, hint, "bad %s %d", "thing", 5);
	hint[0] = 'X'; /* it was copied */
	assert_int_equal(e->level, DIAG_ERROR);
	assert_string_equal(e->text, "bad thing 5");
	assert_string_equal(e->hint, "try this");
	assert_null(e->source);
	assert_string_equal(e->at.file, "p.rb");
	assert_int_equal(e->at.line, 7);
	assert_int_equal(e->at.column, 3);

	assert_null(diag_add(&d, DIAG_WARNING, at, NULL, "w")->hint);
	diag_add(&d, DIAG_NOTE, at, NULL, "n");
	assert_int_equal(diag_fail(&d, "h", "%s", "100%"), -1);
	assert_int_equal(d.n, 4);
	assert_int_equal(d.errors, 2);
	assert_int_equal(d.warnings, 1);
	assert_string_equal(d.items[3].text, "100%");
	assert_int_equal(d.items[3].level, DIAG_ERROR);
	assert_null(d.items[3].at.file);
	assert_int_equal(d.items[3].at.line, 0);
}

static void diags_keep_order(void **state)
{
	struct diags d;
	diags_init(&d, *state);
	for (int i = 0; i < 1000; i++)
		diag_add(&d, (enum diag_level)(i % 3), (struct span){NULL, i, 0}, NULL, "%d", i);
	assert_int_equal(d.n, 1000);
	assert_int_equal(d.errors, 334);
	assert_int_equal(d.warnings, 333);
	for (int i = 0; i < 1000; i++) {
		char text[16];
		snprintf(text, sizeof text, "%d", i);
		assert_string_equal(d.items[i].text, text);
		assert_int_equal(d.items[i].at.line, i);
	}
}

static void spelling(void **state)
{
	(void)state;
	static const char *const names[] = {"null", "zero", "full", "console", "kmsg", "tun", "kvm"};
	static const char long_word[] = "a_word_that_is_longer_than_any_candidate_can_be";
	static const struct {
		const char *word, *want;
	} table[] = {
		{"null", "null"}, {"nul", "null"}, {"nulll", "null"}, {"nlul", "null"}, {"mull", "null"},
		{"consle", "console"}, {"conosle", "console"}, {"cnosoel", "console"},
		{"cXnXoXe", NULL}, {"tn", "tun"}, {"kwm", "kvm"}, {"kxx", NULL}, {"fuse", "full"},
		{"ocsnloe", NULL}, {"", NULL}, {"floppy", NULL}, {"zer0", "zero"}, {"NULL", NULL}, {long_word, NULL},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		const char *got = did_you_mean(table[i].word, names, COUNT(names));
		if (table[i].want)
			assert_string_equal(got, table[i].want);
		else
			assert_null(got);
	}
	assert_null(did_you_mean("null", names, 0));
	static const char *const ties[] = {"tty1", "tty2"};
	assert_string_equal(did_you_mean("tty3", ties, 2), "tty1");
	static const char *const too_long[] = {long_word};
	assert_null(did_you_mean("a", too_long, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(alloc_is_zeroed_and_aligned),
		ARENA_TEST(blocks_do_not_overlap),
		ARENA_TEST(grow_keeps_and_zeroes),
		ARENA_TEST(last_block_grows_in_place),
		ARENA_TEST(little_is_taken_ahead), ARENA_TEST(push_grows_an_array),
		ARENA_TEST(strings),
		ARENA_TEST(exhaustion_jumps),
		cmocka_unit_test(free_null), cmocka_unit_test(a_stream_becomes_text),
		ARENA_TEST(diags_collect),
		ARENA_TEST(diags_keep_order),
		cmocka_unit_test(spelling),
	};
	return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
