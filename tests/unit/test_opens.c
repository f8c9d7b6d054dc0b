/*
 * What grants open, as a diagram: against each request at the edges of what they say; no two of them together open what
 * neither does; bytes for the room and back.
 */
#include "tests/unit/fixture.h"

#include "policy/access.h"
#include "policy/opens.h"
#include "policy/term.h"

struct world {
	struct arena *arena;
	struct diagrams *dg;
	uint64_t random;
};

static struct world world_of(void **state, uint64_t seed)
{
	struct world w = {.arena = *state, .random = seed};
	w.dg = diagrams_new(w.arena, terms_new(w.arena), ORDER_FACTS_LAST);
	return w;
}

static uint32_t below(struct world *w, uint32_t n)
{
	w->random = w->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(w->random >> 33) % n;
}

static bool opens(const struct dump_opens *list, size_t n, uint32_t type, uint32_t major, uint32_t minor, uint32_t asked)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].type == type && list[i].major == major && (list[i].minor == OPENS_ANY_MINOR || list[i].minor == minor) &&
		    !(asked & ~list[i].access))
			return true;
	return false;
}

static bool asked_of(struct world *w, node n, uint32_t type, uint32_t major, uint32_t minor, uint32_t asked)
{
	int64_t in[INPUT_MAX] = {[IN_TYPE] = type, [IN_MAJOR] = major, [IN_MINOR] = minor, [IN_REQUESTED] = asked};
	int missing;
	return OUTCOME_KIND(diagram_eval(w->dg, n, in, ~(input_set)0, &missing)) == OUT_ALLOW;
}

static void grants_by_chance(void **state)
{
	static const uint32_t majors[] = {0, 1, 2, 10, MAJOR_MAX}, minors[] = {0, 1, 2, 229, 230, MINOR_MAX, OPENS_ANY_MINOR};
	struct world w = world_of(state, 7);
	for (size_t n = 0; n < 40; n++) {
		struct dump_opens list[40];
		for (size_t i = 0; i < n; i++)
			list[i] = (struct dump_opens){1 + below(&w, 2), majors[below(&w, COUNT(majors))], minors[below(&w, COUNT(minors))],
			                              below(&w, ACC_ALL + 1)};
		node all = requests_opened(w.arena, w.dg, list, n);
		assert_true(diagram_ok(w.dg));
		for (uint32_t type = 0; type < 4; type++)
			for (size_t i = 0; i < COUNT(majors); i++)
				for (size_t k = 0; k < COUNT(minors) - 1; k++)
					for (uint32_t asked = 0; asked <= ACC_ALL; asked++)
						assert_int_equal(asked_of(&w, all, type, majors[i], minors[k], asked),
						                 opens(list, n, type, majors[i], minors[k], asked));
	}
}

static void two_together_open_no_more(void **state)
{
	struct world w = world_of(state, 1);
	const struct dump_opens list[] = {{DEV_CHAR, 10, 229, ACC_READ}, {DEV_CHAR, 10, OPENS_ANY_MINOR, ACC_WRITE}};
	node all = requests_opened(w.arena, w.dg, list, 2);
	assert_true(asked_of(&w, all, DEV_CHAR, 10, 229, ACC_READ));
	assert_true(asked_of(&w, all, DEV_CHAR, 10, 229, ACC_WRITE));
	assert_true(asked_of(&w, all, DEV_CHAR, 10, 229, 0));
	assert_false(asked_of(&w, all, DEV_CHAR, 10, 229, ACC_READ | ACC_WRITE));
	assert_false(asked_of(&w, all, DEV_CHAR, 10, 228, ACC_READ));
	assert_false(asked_of(&w, all, DEV_BLOCK, 10, 229, ACC_READ));
	assert_false(asked_of(&w, all, DEV_CHAR, 10, MINOR_MAX + 1, ACC_WRITE)); /* no such device */
}

static void ten_thousand(void **state)
{
	enum { MANY = 10000 };
	struct world w = world_of(state, 3);
	struct dump_opens *list = arena_alloc(w.arena, MANY * sizeof *list);
	for (uint32_t i = 0; i < MANY; i++)
		list[i] = (struct dump_opens){DEV_CHAR, 200 + i % 100, i / 100 * 3, ACC_READ | ACC_WRITE};
	node all = requests_opened(w.arena, w.dg, list, MANY);
	assert_true(diagram_ok(w.dg));
	for (uint32_t i = 0; i < MANY; i++) {
		assert_true(asked_of(&w, all, DEV_CHAR, list[i].major, list[i].minor, ACC_READ | ACC_WRITE));
		assert_false(asked_of(&w, all, DEV_CHAR, list[i].major, list[i].minor + 1, ACC_READ));
		assert_false(asked_of(&w, all, DEV_CHAR, list[i].major, list[i].minor, ACC_MKNOD));
	}
}

static void as_bytes(void **state)
{
	struct arena *a = *state;
	const struct dump_opens some[] = {{DEV_CHAR, 1, 5, ACC_READ}, {DEV_BLOCK, 7, OPENS_ANY_MINOR, ACC_ALL}};
	const uint64_t insns[] = {0xb7, 0x95};
	const struct dump list[] = {{.insns = insns, .ninsns = 2}, {.is = DUMP_OPENS, .opens = some, .nopens = 2}, {.is = DUMP_OPENS_ALL}};
	struct dump *got;
	size_t len, n;
	unsigned char *bytes = dumps_write(a, list, 3, &len);
	assert_non_null(bytes);
	assert_true(dumps_read(a, bytes, len, &got, &n));
	assert_int_equal(n, 3);
	assert_int_equal(got[0].is, DUMP_PROGRAM);
	assert_int_equal(got[0].ninsns, 2);
	assert_memory_equal(got[0].insns, insns, sizeof insns);
	assert_int_equal(got[1].is, DUMP_OPENS);
	assert_int_equal(got[1].nopens, 2);
	assert_memory_equal(got[1].opens, some, sizeof some);
	assert_int_equal(got[2].is, DUMP_OPENS_ALL);
	for (size_t cut = 1; cut < len; cut++) /* none of it may be read beyond its end */
		dumps_read(a, memcpy(arena_alloc(a, cut), bytes, cut), cut, &got, &n);
	uint64_t many = (uint64_t)1 << 61;
	memcpy(bytes + 24, &many, sizeof many); /* of program 1: how many there are to open */
	assert_false(dumps_read(a, bytes, len, &got, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {ARENA_TEST(grants_by_chance), ARENA_TEST(two_together_open_no_more), ARENA_TEST(ten_thousand),
	                                   ARENA_TEST(as_bytes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
