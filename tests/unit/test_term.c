/* Terms: folding is sound, conjunctions are simplified, evaluation is total. */
#include "tests/unit/fixture.h"

static void folds(void **state)
{
	struct terms *ts = terms_new(*state);
	term major = term_input(ts, IN_MAJOR), type = term_input(ts, IN_TYPE);
	assert_int_equal(term_eq(ts, major, term_const(ts, 5000)), T_FALSE);
	assert_int_equal(term_lt(ts, major, term_const(ts, 4096)), T_TRUE);
	assert_int_equal(term_op(ts, TERM_ADD, major, term_const(ts, 0)), major);
	/* two values: one is the other's negation */
	assert_int_equal(term_eq(ts, type, term_const(ts, DEV_BLOCK)),
	                 term_not(ts, term_eq(ts, type, term_const(ts, DEV_CHAR))));
	/* equal expressions are one term */
	assert_int_equal(term_op(ts, TERM_ADD, major, type), term_op(ts, TERM_ADD, type, major));
}

static void simplifies(void **state)
{
	struct terms *ts = terms_new(*state);
	term a = term_eq(ts, term_input(ts, IN_MAJOR), term_const(ts, 1));
	term b = term_eq(ts, term_input(ts, IN_MINOR), term_const(ts, 3));
	term c = term_eq(ts, term_input(ts, IN_MAJOR), term_const(ts, 2));
	assert_int_equal(term_and(ts, a, term_not(ts, a)), T_FALSE);
	assert_int_equal(term_and(ts, a, c), T_FALSE);
	assert_int_equal(term_or(ts, term_and(ts, a, b), term_and(ts, a, term_not(ts, b))), a);
	assert_int_equal(term_or(ts, a, term_and(ts, term_not(ts, a), b)), term_or(ts, a, b));
	assert_int_equal(term_or(ts, a, term_not(ts, a)), T_TRUE);
}

static void floors(void **state)
{
	(void)state;
	assert_int_equal(term_apply(TERM_DIV, -7, 2), -4);
	assert_int_equal(term_apply(TERM_MOD, -7, 2), 1);
	assert_int_equal(term_apply(TERM_DIV, 7, 2), 3);
	assert_int_equal(term_apply(TERM_DIV, 7, 0), 0);
	assert_int_equal(term_apply(TERM_MOD, 7, 0), 7);
	assert_int_equal(term_apply(TERM_SHR, -8, 1), -4);
}

/* Every operation's range holds its values, at the corners of its inputs. */
static void ranges_are_sound(void **state)
{
	struct terms *ts = terms_new(*state);
	static const int64_t samples[] = {0, 1, 2, 3, 7, 255, 4095};
	static const int64_t constants[] = {-4096, -3, -1, 0, 1, 2, 5, 63, 1 << 20};
	term major = term_input(ts, IN_MAJOR);
	int64_t in[INPUT_MAX] = {0};
	for (int op = TERM_ADD; op <= TERM_SHR; op++)
		for (size_t k = 0; k < COUNT(constants); k++)
			for (int swap = 0; swap < 2; swap++) {
				term c = term_const(ts, constants[k]);
				term t = term_op(ts, (enum term_op)op, swap ? c : major, swap ? major : c);
				for (size_t i = 0; i < COUNT(samples); i++) {
					in[IN_MAJOR] = samples[i];
					int64_t v = term_eval(ts, t, in);
					int64_t want = term_apply((enum term_op)op, swap ? constants[k] : samples[i],
					                          swap ? samples[i] : constants[k]);
					assert_int_equal(v, want);
					assert_true(v >= term_get(ts, t)->lo && v <= term_get(ts, t)->hi);
				}
			}
}

/* A long disjunction neither recurses nor grows out of line. */
static void long_chains(void **state)
{
	struct terms *ts = terms_new(*state);
	term any = T_FALSE, first = T_FALSE;
	for (int i = 0; i < 100000; i++) {
		term one = term_eq(ts, term_input(ts, IN_MINOR), term_const(ts, 2 * i));
		any = term_or(ts, any, one);
		first = i ? first : one;
	}
	term both = term_and(ts, term_eq(ts, term_input(ts, IN_MAJOR), term_const(ts, 9)), any);
	int64_t in[INPUT_MAX] = {[IN_MAJOR] = 9, [IN_MINOR] = 4242};
	assert_int_equal(term_eval(ts, both, in), 1);
	in[IN_MINOR] = 4243;
	assert_int_equal(term_eval(ts, both, in), 0);
	assert_true(terms_count(ts) < 900000);
	assert_int_not_equal(first, T_FALSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(folds),
		ARENA_TEST(simplifies),
		cmocka_unit_test(floors),
		ARENA_TEST(ranges_are_sound),
		ARENA_TEST(long_chains),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
