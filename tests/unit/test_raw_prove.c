/*
 * test_raw_prove.c - the proof of raw programs: what the emitter writes for steps made up is proven, and does in every
 * world what the steps say; a program that does something else is refused.
 */
#include "tests/unit/random_raw.h"

#include <inttypes.h>
#include <linux/bpf.h>

/* ---- the same in a world ----------------------------------------------------------------------------- */

/* NULL: instructions and steps do the same. */
static const char *differs(const struct raw_world *w, const struct image *image)
{
	struct raw_world a = world_copy(w), b = world_copy(w);
	struct raw_log steps = {.arena = w->arena}, insns = {.arena = w->arena};
	const char *why = "it has too many steps";
	if (raw_walk(&a, &steps) || raw_run(&b, image, &insns, &why))
		return why;
	return raw_log_difference(w->policy->raw, &steps, &insns);
}

static void show(const struct building *b)
{
	raw_dump(stderr, b->ts, b->raw);
	emit_asm(stderr, b->policy, &b->image);
}

/* ---- programs made up ----------------------------------------------------------------------------------- */

enum { PROGRAMS = 2000, WORLDS = 6 };

static void programs_are_proven(void **state)
{
	struct rng g = {0x9e3779b97f4a7c15ull};
	size_t proven = 0, tried = 0;
	(void)state;
	for (; proven < PROGRAMS; tried++) {
		struct arena *a = arena_new();
		struct building *b = random_raw(a, &g);
		struct rng worlds = g;
		if (compile_policy(b->policy, &b->d, &b->pd, &b->image)) {
			if (!strstr(b->d.items[0].text, "bytes of stack")) {
				show(b);
				fail_msg("program %zu: %s", tried, b->d.items[0].text);
			}
			arena_free(a);
			continue;
		}
		proven++;
		if (b->raw->steps && raw_verify(b->policy, &b->d, &b->image)) {
			show(b);
			fail_msg("program %zu, line %d: %s", tried, b->d.items[0].at.line, b->d.items[0].text);
		}
		for (int i = 0; i < WORLDS; i++) {
			struct raw_world w = random_world(a, &worlds, b->policy);
			const char *why = differs(&w, &b->image);
			if (why) {
				show(b);
				fail_msg("program %zu, world %d: %s", tried, i, why);
			}
		}
		arena_free(a);
	}
	assert_true(tried < 2 * PROGRAMS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_are_proven),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
