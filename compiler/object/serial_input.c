/*
 * serial_input.c - the numbers that objects have for a policy's inputs: the device's, then those of
 * policy/facts.def, and rows for the parameters and asks. Two facts of one number do not compile.
 */
#include "compiler/object/internal.h"

enum { DEVICE_LAST = IN_MINOR, PARAM_FIRST = 13, PARAM_LAST = PARAM_FIRST + 15,
       ASK_FIRST = 64, ASK_LAST = ASK_FIRST + TASK_ASKS_MAX - 1 };
_Static_assert(PARAM_LAST - PARAM_FIRST + 1 == OBJECT_PARAMS_MAX, "each parameter has a number");

uint32_t serial_of_input(enum input in)
{
	static const uint8_t numbers[IN_ASK_0] = {
		[IN_REQUESTED] = IN_REQUESTED, [IN_ACCESS] = IN_ACCESS, [IN_MAJOR] = IN_MAJOR, [IN_MINOR] = IN_MINOR,
#define FACT(id, number, name, lowest, highest, bits, helper) [IN_##id] = number,
#define TEXT_FACT(id, number, name, helper) [IN_##id##_0] = number, [IN_##id##_1] = number + 1,
#define TASK_FACT(id, number, name, lowest, highest, bits, kind) [IN_##id] = number,
#include "policy/facts.def"
	};
	if (in >= INPUT_MAX)
		return SERIAL_VALUES + (uint32_t)(in - INPUT_MAX);
	if (in < IN_ASK_0)
		return numbers[in];
	if (in < IN_PARAM_0)
		return ASK_FIRST + (uint32_t)(in - IN_ASK_0);
	return PARAM_FIRST + (uint32_t)(in - IN_PARAM_0);
}

int serial_to_input(uint64_t number)
{
	switch (number) {
	case 0 ... DEVICE_LAST: return (int)number;
	case PARAM_FIRST ... PARAM_LAST: return IN_PARAM_0 + (int)number - PARAM_FIRST;
	case ASK_FIRST ... ASK_LAST: return IN_ASK_0 + (int)number - ASK_FIRST;
#define FACT(id, number, name, lowest, highest, bits, helper) case number: return IN_##id;
#define TASK_FACT(id, number, name, lowest, highest, bits, kind) case number: return IN_##id;
#define TEXT_FACT(id, number, name, helper) \
	case number: return IN_##id##_0;    \
	case number + 1: return IN_##id##_1;
#include "policy/facts.def"
	default: return -1;
	}
}
