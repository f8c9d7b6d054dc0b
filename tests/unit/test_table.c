/* test_table.c - policy/table.c: what was added is found, also where hashes meet, and how much
 * memory that takes. */
#include "tests/unit/fixture.h"
#include "policy/table.h"

/* The place of the number in a table over `numbers`, or -1. */
static int64_t place_of(const struct table *t, const uint32_t *numbers, uint32_t hash, uint32_t number, size_t *compared)
{
	for (struct table_look l = table_look(t, hash); table_next(t, &l); ++*compared)
		if (numbers[l.place] == number)
			return l.place;
	return -1;
}

static void what_was_added_is_found(void **state)
{
	enum { N = 5000 };
	static const struct { uint32_t mask, size; } hashes[] = {{UINT32_MAX, N}, {0x3ff, N}, {0, 300}};
	for (size_t k = 0; k < COUNT(hashes); k++) {
		struct table t = {0};
		uint32_t numbers[N];
		size_t compared = 0, n = hashes[k].size;
		assert_int_equal(place_of(&t, numbers, 0, 0, &compared), -1);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t hash = (uint32_t)table_mix(0, i * 3) & hashes[k].mask;
			assert_int_equal(place_of(&t, numbers, hash, i * 3, &compared), -1);
			numbers[i] = i * 3;
			table_add(&t, *state, hash, i);
		}
		assert_int_equal(t.n, n);
		assert_true(t.size >= 2 * n && t.size <= 4 * n + 128);
		for (uint32_t i = 0; i < 3 * n; i++) {
			uint32_t hash = (uint32_t)table_mix(0, i) & hashes[k].mask;
			assert_int_equal(place_of(&t, numbers, hash, i, &compared), i % 3 ? -1 : (int64_t)i / 3);
		}
	}
}

/* Only elements with the very hash are given, once each. */
static void only_the_hash_asked_for(void **state)
{
	struct table t = {0};
	bool given[300] = {false};
	size_t n = 0;
	for (uint32_t i = 0; i < COUNT(given); i++)
		table_add(&t, *state, (i % 3) << 20 | 5, i); /* one place in the table */
	for (struct table_look l = table_look(&t, 1 << 20 | 5); table_next(&t, &l); n++) {
		assert_int_equal(l.place % 3, 1);
		assert_false(given[l.place]);
		given[l.place] = true;
	}
	assert_int_equal(n, COUNT(given) / 3);
}

/* Numbers in a row are hashed apart. */
static void numbers_are_mixed(void **state)
{
	struct table t = {0};
	uint32_t numbers[4096];
	size_t compared = 0;
	for (uint32_t i = 0; i < COUNT(numbers); i++) {
		uint32_t hash = (uint32_t)table_mix(table_mix(1, i / 64), i % 64);
		assert_int_equal(place_of(&t, numbers, hash, i, &compared), -1);
		numbers[i] = i;
		table_add(&t, *state, hash, i);
	}
	assert_true(compared < 16);
}

/* A table that grew gives back what it had. */
static void growing_leaves_no_garbage(void **state)
{
	struct table t = {0};
	for (uint32_t i = 0; i < 1 << 20; i++)
		table_add(&t, *state, (uint32_t)table_mix(0, i), i);
	assert_true(arena_size(*state) < t.size * sizeof *t.slots * 9 / 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(what_was_added_is_found),
		ARENA_TEST(only_the_hash_asked_for),
		ARENA_TEST(numbers_are_mixed),
		ARENA_TEST(growing_leaves_no_garbage),
	};
	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
