/* input.h - the inputs of a policy: the device, the access, facts about the caller, parameters. */
#ifndef DEVGUARD_POLICY_INPUT_H
#define DEVGUARD_POLICY_INPUT_H

#include "policy/access.h"

#include <stdbool.h>
#include <stdint.h>

enum { COMM_SIZE = 16 }; /* TASK_COMM_LEN, with the final NUL */

enum { TASK_ASKS_MAX = 20, ID_NONE = UINT32_MAX }; /* ID_NONE: a login uid or session that is not set */

/* The first five are the device; the others up to the parameters are facts about the caller, known in the kernel by a
 * helper call, by reading the calling task, or asked of it (policy/asked.h). */
enum input {
	IN_TYPE,      /* DEV_BLOCK or DEV_CHAR */
	IN_REQUESTED, /* set of accesses asked together, 0..7 */
	IN_ACCESS,    /* the one access asked about: 0, 1, 2 or 4 */
	IN_MAJOR,
	IN_MINOR,
#define FACT(id, number, name, lowest, highest, bits, helper) IN_##id,
/* bytes 0..7 and 8..15, each as a little-endian int64 */
#define TEXT_FACT(id, number, name, helper) IN_##id##_0, IN_##id##_1,
#define TASK_FACT(id, number, name, lowest, highest, bits, kind) IN_##id,
#include "policy/facts.def"
	IN_ASK_0, /* the answer to the first ask of a policy, 0 or 1; the others follow */
	IN_PARAM_0 = IN_ASK_0 + TASK_ASKS_MAX, /* the first parameter with a range; the others follow */
	INPUT_MAX = IN_PARAM_0 + 16
};
/* Sets of inputs. The last bit is of the values of raw programs (policy/term.h). */
typedef uint64_t input_set;
#define INPUT(in) ((input_set)1 << (in))
_Static_assert(INPUT_MAX <= 63, "a set of inputs leaves a bit");

/* Functions of the kernel that tell facts. */
enum fact_helper {
#define HELPER(id, function, facts, slots, major, minor) HELPER_##id,
#include "policy/facts.def"
	FACT_HELPERS
};
/* What a fact about the calling task is. */
enum fact_kind {
	FACT_NONE,    /* no fact about the task */
	FACT_NUMBER,
	FACT_OR_NONE, /* a number, or ID_NONE: nil in Ruby */
	FACT_YES_NO,  /* 0 or 1: false and true in Ruby, its method ends in `?` */
	FACT_FILE,    /* path_value() of the name of a file (policy/asked.h), 0: of another file, or none */
};
enum fact_kind input_kind(enum input in);
static inline bool input_is_ask(enum input in)
{
	return in >= IN_ASK_0 && in < IN_PARAM_0;
}
/* Is it read of the calling task, by a function of ours? */
static inline bool input_is_task(enum input in)
{
	return in >= IN_EUID && in < IN_PARAM_0;
}

#define TASK_INPUTS ((INPUT(IN_PARAM_0) - 1) & ~(INPUT(IN_EUID) - 1))

/* The function of the kernel that tells an input, or -1. */
int input_helper(enum input in);
/* Has the kernel 64 bits of it? Else 32 or fewer. */
bool input_is_wide(enum input in);

/* The smallest and largest value an input may have. A parameter's range is not
 * known here (its policy has it): the whole of int64. */
void input_range(enum input in, int64_t *lo, int64_t *hi);
/* "major", "uid", ...; IN_COMM_* give "comm", parameters "param". */
const char *input_name(enum input in);

#endif
