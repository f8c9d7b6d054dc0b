/* test_raw_record.c - policy/raw_record.c: types by name; fields where C has them; numbers and texts in bytes. */
#include "tests/unit/fixture.h"

#include "policy/raw_record.h"

static struct raw_field type_of(const char *word)
{
	struct raw_field f = {0};
	if (!raw_type_of(word, &f))
		fail_msg("%s is no type", word);
	return f;
}

/* ---- types -------------------------------------------------------------------------- */

static void words(void **state)
{
	static const struct { const char *word; int size; bool is_signed; } table[] = {
		{"u8", 1, false}, {"u16", 2, false}, {"u32", 4, false}, {"u64", 8, false}, {"s8", 1, true},
		{"s16", 2, true}, {"s32", 4, true}, {"s64", 8, true}, {"pid", 4, false}, {"tid", 4, false},
		{"uid", 4, false}, {"gid", 4, false}, {"major", 4, false}, {"minor", 4, false}, {"cpu", 4, false},
		{"cgroup_id", 8, false}, {"comm", 16, false},
	};
	static const char *const none[] = {"", "u", "u128", "U8", "int", "u32 ", "comm2", "delta"};
	struct raw_field f;
	size_t n;
	(void)state;
	const char *const *all = raw_type_words(&n);
	assert_int_equal(n, COUNT(table));
	for (size_t i = 0; i < COUNT(table); i++) {
		f = type_of(table[i].word);
		same_text("word", all[i], table[i].word);
		assert_int_equal(f.size, table[i].size);
		assert_int_equal(f.is_signed, table[i].is_signed);
		assert_int_equal(raw_is_text(&f), !strcmp(table[i].word, "comm"));
	}
	for (size_t i = 0; i < COUNT(none); i++)
		assert_false(raw_type_of(none[i], &f));
}

static void bounds(void **state)
{
	static const struct { const char *word; int64_t lo, hi; } table[] = {
		{"u8", 0, UINT8_MAX}, {"u16", 0, UINT16_MAX}, {"u32", 0, UINT32_MAX}, {"u64", INT64_MIN, INT64_MAX},
		{"s8", INT8_MIN, INT8_MAX}, {"s16", INT16_MIN, INT16_MAX}, {"s32", INT32_MIN, INT32_MAX},
		{"s64", INT64_MIN, INT64_MAX},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct raw_field f = type_of(table[i].word);
		int64_t lo, hi;
		raw_bounds(&f, &lo, &hi);
		assert_int_equal(lo, table[i].lo);
		assert_int_equal(hi, table[i].hi);
	}
}

/* ---- layout ------------------------------------------------------------------------- */

typedef struct { char text[16]; } comm;

static void same_layout(void **state, const char *const words_of[], const size_t *offsets, size_t n, size_t size)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	struct raw_record r = {0};
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(raw_record_add(*state, &r, names[i], type_of(words_of[i])), RAW_ADDED);
		assert_int_equal(r.n, i + 1);
		same_text("name", r.fields[i].name, names[i]);
		if (r.fields[i].offset != offsets[i])
			fail_msg("field %zu (%s) of %s.. is at %u, not %zu", i, words_of[i], words_of[0], r.fields[i].offset,
			         offsets[i]);
	}
	if (r.size != size)
		fail_msg("record of %s.. has %u bytes, not %zu", words_of[0], r.size, size);
}

#define TRIPLE(A, a, B, b)                                                                         \
	{                                                                                          \
		struct { A x; B y; A z; } *s;                                                      \
		static const char *const types[] = {a, b, a};                                      \
		size_t offsets[] = {(size_t)&((typeof(s))0)->x, (size_t)&((typeof(s))0)->y, (size_t)&((typeof(s))0)->z}; \
		same_layout(state, types, offsets, 3, sizeof *s);                                  \
		same_layout(state, types, offsets, 2, sizeof(struct { A x; B y; }));                 \
		same_layout(state, types, offsets, 1, sizeof(struct { A x; }));                      \
	}
#define PAIRS(A, a)                                                                                \
	TRIPLE(A, a, uint8_t, "u8") TRIPLE(A, a, int16_t, "s16") TRIPLE(A, a, uint32_t, "u32")        \
	TRIPLE(A, a, int64_t, "s64") TRIPLE(A, a, comm, "comm")

/* Every two types behind each other: as the compiler of C has them. */
static void layout(void **state)
{
	struct mixed { uint32_t a; comm b; uint8_t c; uint64_t d; int8_t e; int16_t f; uint8_t g; };
	static const char *const mixed[] = {"pid", "comm", "u8", "cgroup_id", "s8", "s16", "u8"};
	size_t offsets[] = {offsetof(struct mixed, a), offsetof(struct mixed, b), offsetof(struct mixed, c),
	                    offsetof(struct mixed, d), offsetof(struct mixed, e), offsetof(struct mixed, f),
	                    offsetof(struct mixed, g)};
	PAIRS(uint8_t, "u8") PAIRS(int16_t, "s16") PAIRS(uint32_t, "u32") PAIRS(int64_t, "s64") PAIRS(comm, "comm")
	same_layout(state, mixed, offsets, COUNT(mixed), sizeof(struct mixed));
}

static void what_has_no_place(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
	struct raw_record r = {0}, before;
	assert_int_equal(raw_record_add(*state, &r, "a", type_of("u8")), RAW_ADDED);
	before = r;
	assert_int_equal(raw_record_add(*state, &r, "a", type_of("u64")), RAW_TWICE);
	assert_true(r.n == before.n && r.size == before.size && r.fields == before.fields);
	for (int i = 1; i < RAW_ARGS; i++)
		assert_int_equal(raw_record_add(*state, &r, names[i], type_of("u8")), RAW_ADDED);
	before = r;
	assert_int_equal(raw_record_add(*state, &r, "i", type_of("u8")), RAW_TOO_MANY);
	assert_true(r.n == before.n && r.size == before.size && r.fields == before.fields);
	assert_int_equal(r.size, RAW_ARGS);
	/* 8 texts are as long as a record may be; a number before them makes it longer */
	r = (struct raw_record){0};
	for (int i = 0; i < RAW_ARGS; i++)
		assert_int_equal(raw_record_add(*state, &r, names[i], type_of("comm")), RAW_ADDED);
	assert_int_equal(r.size, RAW_RECORD_MAX);
	r = (struct raw_record){0};
	assert_int_equal(raw_record_add(*state, &r, "a", type_of("u8")), RAW_ADDED);
	for (int i = 1; i < RAW_ARGS; i++)
		assert_int_equal(raw_record_add(*state, &r, names[i], type_of("comm")), RAW_ADDED);
	assert_int_equal(r.size, 1 + 7 * COMM_SIZE);
	/* the fields of a context are placed one by one, without such limits */
	struct raw_field u64 = type_of("u64"), u8 = type_of("u8"), text = type_of("comm");
	assert_int_equal(raw_place(0, &u64), 0);
	assert_int_equal(raw_place(1001, &u64), 1008);
	assert_int_equal(raw_place(1001, &text), 1001);
	assert_int_equal(raw_place(1001, &u8), 1001);
}

/* ---- bytes -------------------------------------------------------------------------- */

#define NUMBERS(T, word)                                                                           \
	{                                                                                          \
		struct { uint8_t before; T n; uint8_t behind; } bytes = {0xa5, 0, 0x5a};           \
		struct raw_field f = type_of(word);                                                \
		f.offset = offsetof(typeof(bytes), n);                                             \
		for (size_t i = 0; i < COUNT(numbers); i++) {                                      \
			raw_put_number(&f, &bytes, numbers[i]);                                    \
			assert_true(bytes.n == (T)numbers[i]);                                     \
			assert_int_equal(raw_number(&f, &bytes), (int64_t)(T)numbers[i]);          \
			assert_int_equal(bytes.before, 0xa5);                                      \
			assert_int_equal(bytes.behind, 0x5a);                                      \
		}                                                                                  \
	}

static void numbers(void **state)
{
	static const int64_t numbers[] = {0, 1, -1, 2, 127, 128, 129, 255, 256, -128, -129, 32767, 32768, 65535, 65536,
	                                  -32768, INT32_MAX, (int64_t)INT32_MAX + 1, INT32_MIN, UINT32_MAX,
	                                  (int64_t)UINT32_MAX + 1, INT64_MAX, INT64_MIN, 0x0123456789abcdef};
	(void)state;
	NUMBERS(uint8_t, "u8") NUMBERS(uint16_t, "u16") NUMBERS(uint32_t, "u32") NUMBERS(uint64_t, "u64")
	NUMBERS(int8_t, "s8") NUMBERS(int16_t, "s16") NUMBERS(int32_t, "s32") NUMBERS(int64_t, "s64")
}

static void texts(void **state)
{
	static const char *const fit[] = {"", "a", "qemu", "123456789012345", "1234567890123456"};
	struct raw_field f = type_of("comm");
	char bytes[3 + COMM_SIZE + 1];
	const char *text;
	(void)state;
	f.offset = 3;
	for (size_t i = 0; i < COUNT(fit); i++) {
		memset(bytes, '#', sizeof bytes);
		assert_true(raw_put_text(&f, bytes, fit[i], strlen(fit[i])));
		assert_int_equal(raw_text(&f, bytes, &text), strlen(fit[i]));
		assert_memory_equal(text, fit[i], strlen(fit[i]));
		for (size_t k = strlen(fit[i]); k < COMM_SIZE; k++)
			assert_int_equal(bytes[3 + k], 0);
		assert_memory_equal(bytes, "###", 3);
		assert_int_equal(bytes[3 + COMM_SIZE], '#');
	}
	memset(bytes, '#', sizeof bytes);
	assert_false(raw_put_text(&f, bytes, "12345678901234567", 17));
	assert_false(raw_put_text(&f, bytes, "a\0b", 3));
	assert_int_equal(bytes[3], '#');
	/* what stands behind the first NUL is no part of it */
	memcpy(bytes + 3, "ab\0cdefghijklmno", COMM_SIZE);
	assert_int_equal(raw_text(&f, bytes, &text), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(bounds),
		ARENA_TEST(layout),
		ARENA_TEST(what_has_no_place),
		cmocka_unit_test(numbers),
		cmocka_unit_test(texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
