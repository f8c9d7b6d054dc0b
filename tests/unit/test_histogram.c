/* test_histogram.c - policy/histogram.c: each column of what is printed. */
#include "tests/unit/fixture.h"

#include "policy/histogram.h"
#include "policy/raw.h"

#define STARS "****************************************"
#define HALF "********************"

static void narrow(void **state)
{
	uint64_t slots[RAW_SLOTS] = {[1] = 3, [3] = 12, [5] = 40, [8] = 1};
	same_text("narrow", histogram_text(*state, slots, RAW_SLOTS, "usecs", false),
	          "     usecs               : count     distribution\n"
	          "         0 -> 1          : 3        |***                                     |\n"
	          "         2 -> 3          : 0        |                                        |\n"
	          "         4 -> 7          : 12       |************                            |\n"
	          "         8 -> 15         : 0        |                                        |\n"
	          "        16 -> 31         : 40       |" STARS "|\n"
	          "        32 -> 63         : 0        |                                        |\n"
	          "        64 -> 127        : 0        |                                        |\n"
	          "       128 -> 255        : 1        |*                                       |\n");
	/* slot 32 is the last one that is narrow */
	memset(slots, 0, sizeof slots);
	slots[31] = 99999999;
	slots[32] = 1000000000;
	same_text("strip", histogram_text(*state, slots, RAW_SLOTS, "nsecs", true),
	          "     nsecs               : count     distribution\n"
	          "1073741824 -> 2147483647 : 99999999 |***                                     |\n"
	          "2147483648 -> 4294967295 : 1000000000 |" STARS "|\n");
}

static void wide(void **state)
{
	uint64_t slots[RAW_SLOTS] = {[33] = 2, [35] = 3};
	same_text("wide", histogram_text(*state, slots, RAW_SLOTS, "nsecs", true),
	          "               nsecs                         : count     distribution\n"
	          "          4294967296 -> 8589934591           : 2        |*************       |\n"
	          "          8589934592 -> 17179869183          : 0        |                    |\n"
	          "         17179869184 -> 34359738367          : 3        |" HALF "|\n");
	memset(slots, 0, sizeof slots);
	slots[62] = UINT64_C(1) << 63;
	slots[63] = UINT64_MAX;
	same_text("widest", histogram_text(*state, slots, RAW_SLOTS, "a label that is longer than its column", true),
	          "               a label that is longer than its column : count     distribution\n"
	          " 2305843009213693952 -> 4611686018427387903  : 9223372036854775808 |**********          |\n"
	          " 4611686018427387904 -> 9223372036854775807  : 18446744073709551615 |" HALF "|\n");
}

/* What is not positive is in the first line; the largest count may be there. */
static void not_positive(void **state)
{
	uint64_t slots[RAW_SLOTS] = {4, 4, 2};
	same_text("first", histogram_text(*state, slots, RAW_SLOTS, "value", false),
	          "     value               : count     distribution\n"
	          "         0 -> 1          : 8        |" STARS "|\n"
	          "         2 -> 3          : 2        |**********                              |\n");
	memset(slots, 0, sizeof slots);
	same_text("nothing", histogram_text(*state, slots, RAW_SLOTS, "value", false), "");
	same_text("no slots", histogram_text(*state, slots, 0, "value", true), "");
	slots[0] = 1;
	same_text("only", histogram_text(*state, slots, RAW_SLOTS, "value", true),
	          "     value               : count     distribution\n"
	          "         0 -> 1          : 1        |" STARS "|\n");
}

static void linear(void **state)
{
	uint64_t counts[] = {0, 3, 0, 7, 1, 0, 0};
	same_text("linear", histogram_linear(*state, counts, COUNT(counts), "value"),
	          "     value         : count     distribution\n"
	          "        0          : 0        |                                        |\n"
	          "        1          : 3        |*****************                       |\n"
	          "        2          : 0        |                                        |\n"
	          "        3          : 7        |" STARS "|\n"
	          "        4          : 1        |*****                                   |\n");
	memset(counts, 0, sizeof counts);
	same_text("nothing", histogram_linear(*state, counts, COUNT(counts), "value"), "");
	counts[0] = 1;
	same_text("first", histogram_linear(*state, counts, COUNT(counts), "a long label indeed"),
	          "     a long label indeed : count     distribution\n"
	          "        0          : 1        |" STARS "|\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(narrow),
		ARENA_TEST(wide),
		ARENA_TEST(not_positive),
		ARENA_TEST(linear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
