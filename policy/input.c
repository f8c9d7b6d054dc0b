/* input.c - what is known of each input: its name, its values, who tells it. */
#include "policy/input.h"

static const struct {
	const char *name;
	int64_t lo, hi;
	int bits, helper;
	enum fact_kind kind;
} inputs[IN_ASK_0] = {
	[IN_TYPE] = {"type", DEV_BLOCK, DEV_CHAR, 16, -1, 0},
	[IN_REQUESTED] = {"requested", 0, ACC_ALL, 16, -1, 0},
	[IN_ACCESS] = {"access", 0, ACC_WRITE, 16, -1, 0},
	[IN_MAJOR] = {"major", 0, MAJOR_MAX, 32, -1, 0},
	[IN_MINOR] = {"minor", 0, MINOR_MAX, 32, -1, 0},
#define FACT(id, number, name, lowest, highest, bits, helper) [IN_##id] = {#name, lowest, highest, bits, HELPER_##helper, 0},
#define TEXT_FACT(id, number, name, helper)                                    \
	[IN_##id##_0] = {#name, INT64_MIN, INT64_MAX, 64, HELPER_##helper, 0}, \
	[IN_##id##_1] = {#name, INT64_MIN, INT64_MAX, 64, HELPER_##helper, 0},
#define TASK_FACT(id, number, name, lowest, highest, bits, kind) [IN_##id] = {#name, lowest, highest, bits, -1, FACT_##kind},
#include "policy/facts.def"
};

void input_range(enum input in, int64_t *lo, int64_t *hi)
{
	bool param = in >= IN_PARAM_0;
	*lo = param ? INT64_MIN : input_is_ask(in) ? 0 : inputs[in].lo;
	*hi = param ? INT64_MAX : input_is_ask(in) ? 1 : inputs[in].hi;
}

enum fact_kind input_kind(enum input in)
{
	return in >= IN_ASK_0 ? FACT_NONE : inputs[in].kind;
}

int input_helper(enum input in)
{
	return in >= IN_ASK_0 ? -1 : inputs[in].helper;
}

bool input_is_wide(enum input in)
{
	return in >= IN_PARAM_0 || (!input_is_ask(in) && inputs[in].bits > 32);
}

const char *input_name(enum input in)
{
	return in >= IN_PARAM_0 ? "param" : input_is_ask(in) ? "ask" : inputs[in].name;
}
