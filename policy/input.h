/* input.h - the inputs of a policy: the device, the access, facts about the caller, parameters. */
#ifndef DEVGUARD_POLICY_INPUT_H
#define DEVGUARD_POLICY_INPUT_H

#include "policy/access.h"

#include <stdint.h>

enum { COMM_SIZE = 16 }; /* TASK_COMM_LEN, with the final NUL */

/* The first five are the device; the others are facts
 * about the caller, known in the kernel by a helper call. */
enum input {
	IN_TYPE,      /* DEV_BLOCK or DEV_CHAR */
	IN_REQUESTED, /* set of accesses asked together, 0..7 */
	IN_ACCESS,    /* the one access asked about: 0, 1, 2 or 4 */
	IN_MAJOR,
	IN_MINOR,
#define FACT(id, number, name, lowest, highest, bits, helper) IN_##id,
/* bytes 0..7 and 8..15, each as a little-endian int64 */
#define TEXT_FACT(id, number, name, helper) IN_##id##_0, IN_##id##_1,
#include "policy/facts.def"
	IN_PARAM_0, /* the first parameter with a range; the others follow */
	INPUT_MAX = IN_PARAM_0 + 16
};
_Static_assert(INPUT_MAX <= 31, "sets of inputs are kept in 32 bits, the last is of the values of raw programs");

/* Functions of the kernel that tell facts. */
enum fact_helper {
#define HELPER(id, function, facts, slots, major, minor) HELPER_##id,
#include "policy/facts.def"
	FACT_HELPERS
};
/* The function that tells an input, or -1. */
int input_helper(enum input in);
/* Has the kernel 64 bits of it? Else 32 or fewer. */
bool input_is_wide(enum input in);

/* The smallest and largest value an input may have. A parameter's range is not
 * known here (its policy has it): the whole of int64. */
void input_range(enum input in, int64_t *lo, int64_t *hi);
/* "major", "uid", ...; IN_COMM_* give "comm", parameters "param". */
const char *input_name(enum input in);

#endif
