/* request.h - what the kernel asks: the inputs of a policy, and requests as text. */
#ifndef DEVGUARD_POLICY_REQUEST_H
#define DEVGUARD_POLICY_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

struct arena;

struct host;

/* The kernel's numbers, <linux/bpf.h>: BPF_DEVCG_DEV_*, BPF_DEVCG_ACC_*. */
enum { DEV_BLOCK = 1, DEV_CHAR = 2 };
enum { ACC_MKNOD = 1, ACC_READ = 2, ACC_WRITE = 4, ACC_ALL = 7 };
enum { MAJOR_MAX = 4095, MINOR_MAX = 1048575 }; /* dev_t: 12 and 20 bits */

/* The inputs of a policy. The first five are the device; the others are facts
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
_Static_assert(INPUT_MAX <= 32, "sets of inputs are kept in 32 bits");

/* Functions of the kernel that tell facts. */
enum fact_helper {
#define HELPER(id, function, facts, major, minor) HELPER_##id,
#include "policy/facts.def"
	FACT_HELPERS
};
/* The function that tells an input, or -1. */
int input_helper(enum input in);
/* Has the kernel 64 bits of it? Else 32 or fewer. */
bool input_is_wide(enum input in);

enum { COMM_SIZE = 16 }; /* TASK_COMM_LEN, with the final NUL */

/* The smallest and largest value an input may have. A parameter's range is not
 * known here (its policy has it): the whole of int64. */
void input_range(enum input in, int64_t *lo, int64_t *hi);
/* "major", "uid", ...; IN_COMM_* give "comm", parameters "param". */
const char *input_name(enum input in);

struct request {
	int type;            /* DEV_* */
	int access;          /* set of ACC_*, may be 0 */
	int64_t major, minor;
	int64_t fact[INPUT_MAX]; /* by enum input, from IN_UID on */
	uint32_t known;      /* bit i: fact[i] was given */
	const char *text;    /* as it was written, white space folded, comments gone */
};

/* Parses `c 1:3 rw uid=1000 comm=qemu` or `/dev/null rw ...` (the device then
 * found as the host says). Access letters in any order, none twice; `-` is none; they
 * may be left out for a path only when facts or nothing follow (then: rw).
 * 0, or -1 with *error (arena text, one line, without place). */
int request_parse(struct arena *a, const struct host *h, const char *text, struct request *r,
                  const char **error);
/* Parses one `key=value` into r. 0 or -1 with *error. */
int request_fact(struct arena *a, const char *text, struct request *r, const char **error);
/* "rw", "m", "-" ...: into buf (at least 4 bytes); returns buf. */
const char *access_text(int access, char *buf);

#endif
