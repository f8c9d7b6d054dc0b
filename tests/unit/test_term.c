/* Terms: folding is sound, conjunctions are simplified, evaluation is total. */
#include "tests/unit/fixture.h"
#include "policy/term.h"

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

/* Both operands below 0 too: bit operations are bounded by the bits that there are. */
static void ranges_below_zero(void **state)
{
	struct terms *ts = terms_new(*state);
	static const int64_t samples[] = {0, 1, 2, 3, 5, 255, 256, 2047, 2048, 2049, 3000, 4095};
	static const enum term_op ops[] = {TERM_BAND, TERM_BOR, TERM_BXOR};
	static const int64_t shifts[] = {0, 1, 2048, 4095, 5000};
	int64_t in[INPUT_MAX] = {0};
	term major = term_input(ts, IN_MAJOR);
	for (size_t o = 0; o < COUNT(ops); o++)
		for (size_t p = 0; p < COUNT(shifts); p++)
			for (size_t q = 0; q < COUNT(shifts); q++) {
				term x = term_op(ts, TERM_SUB, major, term_const(ts, shifts[p]));
				term uid = term_op(ts, TERM_MOD, term_input(ts, IN_UID), term_const(ts, 4096));
				term y = term_op(ts, TERM_SUB, uid, term_const(ts, shifts[q]));
				term t = term_op(ts, ops[o], x, y);
				assert_true(term_get(ts, t)->lo >= -8192 && term_get(ts, t)->hi < 8192);
				for (size_t i = 0; i < COUNT(samples); i++)
					for (size_t k = 0; k < COUNT(samples); k++) {
						in[IN_MAJOR] = samples[i];
						in[IN_UID] = samples[k];
						int64_t v = term_eval(ts, t, in);
						assert_true(v >= term_get(ts, t)->lo && v <= term_get(ts, t)->hi);
					}
			}
	term inverted = term_op(ts, TERM_BXOR, major, term_const(ts, -1));
	assert_int_equal(term_get(ts, inverted)->lo, -4096);
	assert_int_equal(term_get(ts, inverted)->hi, -1);
}

static void choices_fold(void **state)
{
	struct terms *ts = terms_new(*state);
	term major = term_input(ts, IN_MAJOR), minor = term_input(ts, IN_MINOR);
	term one = term_const(ts, 1), zero = term_const(ts, 0);
	term c = term_lt(ts, major, minor), d = term_eq(ts, major, term_const(ts, 8));
	term x = term_ite(ts, c, major, minor), flag = term_ite(ts, c, one, zero);
	assert_int_equal(term_ite(ts, c, major, major), major);
	assert_int_equal(term_ite(ts, T_FALSE, major, minor), minor);
	assert_int_equal(term_ite(ts, term_not(ts, c), minor, major), x);
	assert_int_equal(term_ite(ts, c, x, minor), x);
	assert_int_equal(term_ite(ts, c, term_ite(ts, d, zero, one), one), term_ite(ts, term_and(ts, c, d), zero, one));
	/* a comparison that the arms decide is the condition */
	assert_int_equal(term_eq(ts, flag, one), c);
	assert_int_equal(term_lt(ts, flag, one), term_not(ts, c));
	assert_int_equal(term_eq(ts, term_ite(ts, c, term_const(ts, 5000), minor), major),
	                 term_and(ts, term_not(ts, c), term_eq(ts, minor, major)));
	/* b + flag * (a - b), as a program computes it */
	term scaled = term_op(ts, TERM_MUL, flag, term_op(ts, TERM_SUB, major, minor));
	assert_int_equal(term_op(ts, TERM_ADD, scaled, minor), x);
	assert_int_equal(term_op(ts, TERM_BAND, flag, term_ite(ts, d, one, zero)),
	                 term_ite(ts, term_and(ts, c, d), one, zero));
	/* each arm has the range that its condition leaves */
	term down = term_ite(ts, term_lt(ts, zero, minor), term_op(ts, TERM_SUB, minor, one), zero);
	assert_int_equal(term_get(ts, down)->lo, 0);
	assert_int_equal(term_get(ts, down)->hi, MINOR_MAX - 1);
}

/* x = x > k ? x - i : x + j, on and on: some lines of one input, some of two. */
static term steps(struct terms *ts, term x, term limit, int lines)
{
	for (int i = 0; i < lines; i++) {
		term k = term_op(ts, TERM_ADD, limit, term_const(ts, 3 * i));
		x = term_ite(ts, term_lt(ts, k, x), term_op(ts, TERM_SUB, x, term_const(ts, i + 1)),
		             term_op(ts, TERM_ADD, x, term_const(ts, 2 * i + 1)));
	}
	return x;
}

static void choices_are_values(void **state)
{
	struct terms *ts = terms_new(*state);
	term major = term_input(ts, IN_MAJOR), minor = term_input(ts, IN_MINOR);
	term x = steps(ts, minor, major, 40), is_five = term_eq(ts, x, term_const(ts, 5));
	assert_true(terms_count(ts) < 500); /* linear in the lines */
	int64_t in[INPUT_MAX] = {0};
	for (int64_t m = 0; m < 4096; m += 97)
		for (int64_t n = 0; n < 1 << 20; n += n < 200 ? 1 : 9973) {
			int64_t want = n;
			for (int i = 0; i < 40; i++)
				want = want > m + 3 * i ? want - (i + 1) : want + 2 * i + 1;
			in[IN_MAJOR] = m;
			in[IN_MINOR] = n;
			assert_int_equal(term_eval(ts, x, in), want);
			assert_true(want >= term_get(ts, x)->lo && want <= term_get(ts, x)->hi);
			term fixed = term_substitute(ts, is_five, IN_MAJOR, m);
			assert_int_equal(term_eval(ts, fixed, in), want == 5);
		}
	term choice = term_choice_in(ts, is_five), cond = term_get(ts, choice)->c;
	for (int holds = 0; holds < 2; holds++) {
		term known = term_assume(ts, is_five, holds ? cond : term_not(ts, cond));
		for (int64_t n = 0; n < 400; n++) {
			in[IN_MINOR] = n;
			in[IN_MAJOR] = n % 37;
			if (term_eval(ts, cond, in) == holds)
				assert_int_equal(term_eval(ts, known, in), term_eval(ts, is_five, in));
		}
	}
}

/* Pieces are what trying every value gives. */
static void pieces(void **state)
{
	struct terms *ts = terms_new(*state);
	term major = term_input(ts, IN_MAJOR), seven = term_const(ts, 7);
	term x = steps(ts, major, term_const(ts, 40), 12), odd = term_op(ts, TERM_BAND, major, seven);
	term conditions[] = {term_eq(ts, x, term_const(ts, 70)), term_lt(ts, x, term_const(ts, 900)),
	                     term_eq(ts, term_op(ts, TERM_MUL, x, x), term_const(ts, 71 * 71)),
	                     term_lt(ts, term_op(ts, TERM_MOD, x, term_const(ts, 100)), seven),
	                     term_lt(ts, term_op(ts, TERM_SUB, term_const(ts, 72), x), term_op(ts, TERM_BXOR, odd, term_const(ts, -3)))};
	for (size_t i = 0; i < COUNT(conditions); i++) {
		struct term_piece p[256];
		size_t n = term_pieces(ts, conditions[i], IN_MAJOR, 0, 4095, p, COUNT(p)), at = 0;
		assert_true(n > 1 && n < COUNT(p));
		assert_int_equal(p[n - 1].hi, 4095);
		for (int64_t v = 0; v < 4096; v++) {
			int64_t in[INPUT_MAX] = {[IN_MAJOR] = v};
			at += v > p[at].hi;
			assert_int_equal(term_eval(ts, conditions[i], in), p[at].value);
			assert_true(at == 0 || p[at].value != p[at - 1].value);
		}
		assert_int_equal(term_pieces(ts, conditions[i], IN_MAJOR, 0, 4095, p, n - 1), 0);
	}
}

/* ---- ranges of what a condition leaves ----------------------------------------------------- */

enum { SMALL = 24 };

static term random_condition(struct terms *ts, term of)
{
	term k = term_const(ts, rand() % SMALL);
	term c = rand() % 3 == 0 ? term_eq(ts, of, k) : rand() % 2 ? term_lt(ts, of, k) : term_lt(ts, k, of);
	return rand() % 2 ? term_not(ts, c) : c;
}

/* Every value that the condition leaves is in the range: of an input, of arithmetic, of a choice. */
static void given_ranges_are_sound(void **state)
{
	struct terms *ts = terms_new(*state);
	term major = term_input(ts, IN_MAJOR), minor = term_input(ts, IN_MINOR);
	srand(11);
	for (int round = 0; round < 3000; round++) {
		term given = T_TRUE, x = rand() % 2 ? minor : term_op(ts, rand() % 2 ? TERM_ADD : TERM_SUB, minor, term_const(ts, rand() % 5));
		for (int i = rand() % (round % 10 ? 5 : 40); i >= 0; i--) /* the last is first: it nests to the right */
			given = term_and(ts, random_condition(ts, rand() % 3 ? minor : major), given);
		if (rand() % 2)
			x = term_ite(ts, random_condition(ts, rand() % 2 ? minor : major), x, term_op(ts, TERM_ADD, major, term_const(ts, 3)));
		int64_t lo, hi;
		term_range_given(ts, given, x, &lo, &hi);
		for (int64_t i = 0; i <= SMALL; i++)
			for (int64_t k = 0; k <= SMALL; k++) {
				int64_t in[INPUT_MAX] = {[IN_MAJOR] = i, [IN_MINOR] = k};
				if (term_eval(ts, given, in))
					assert_in_range(term_eval(ts, x, in) + SMALL, lo + SMALL, hi + SMALL);
			}
	}
}

static void given_ranges_are_narrow(void **state)
{
	struct terms *ts = terms_new(*state);
	term minor = term_input(ts, IN_MINOR), two = term_const(ts, 2), zero = term_const(ts, 0);
	term some = term_between(ts, minor, 3, 9), x = term_op(ts, TERM_ADD, minor, two);
	const struct { term given, of; int64_t lo, hi; } table[] = {
		{some, minor, 3, 9}, {some, x, 5, 11}, {term_not(ts, term_eq(ts, minor, zero)), minor, 1, MINOR_MAX},
		{term_eq(ts, minor, two), minor, 2, 2},
		/* the choice is made by what is known */
		{some, term_ite(ts, term_lt(ts, minor, two), zero, minor), 3, 9},
		{term_lt(ts, minor, two), term_ite(ts, term_lt(ts, minor, two), zero, minor), 0, 0},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		int64_t lo, hi;
		term_range_given(ts, table[i].given, table[i].of, &lo, &hi);
		if (lo != table[i].lo || hi != table[i].hi)
			fail_msg("%zu: %lld..%lld", i, (long long)lo, (long long)hi);
	}
}

/* What people read of a condition. */
static void texts(void **state)
{
	struct terms *ts = terms_new(*state);
	term major = term_input(ts, IN_MAJOR), minor = term_input(ts, IN_MINOR), uid = term_input(ts, IN_UID);
	term is = term_eq(ts, major, uid), less = term_lt(ts, minor, uid);
	const struct { term t; const char *text; } table[] = {
		{is, "major == uid"}, {term_not(ts, is), "major != uid"},
		{less, "minor < uid"}, {term_not(ts, less), "minor >= uid"},
		{term_and(ts, term_not(ts, is), less), "minor < uid && major != uid"},
		{term_not(ts, term_and(ts, is, less)), "!(major == uid && minor < uid)"},
		{term_lt(ts, term_op(ts, TERM_ADD, major, minor), uid), "(major + minor) < uid"},
		{term_not(ts, term_eq(ts, term_op(ts, TERM_MOD, minor, uid), term_const(ts, 3))), "(minor % uid) != 3"},
		{T_TRUE, "true"}, {T_FALSE, "false"},
	};
	for (size_t i = 0; i < COUNT(table); i++)
		assert_string_equal(term_text(*state, ts, table[i].t, 200), table[i].text);
	const char *cut = term_text(*state, ts, table[5].t, 12);
	assert_true(strlen(cut) < 40 && strstr(cut, "..."));
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
		ARENA_TEST(ranges_below_zero),
		ARENA_TEST(choices_fold),
		ARENA_TEST(choices_are_values),
		ARENA_TEST(pieces),
		ARENA_TEST(long_chains),
		ARENA_TEST(texts),
		ARENA_TEST(given_ranges_are_sound),
		ARENA_TEST(given_ranges_are_narrow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
