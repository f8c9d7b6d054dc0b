/* functions.h - functions of the kernel that loaded programs call. Private to cgroup/. */
#ifndef DEVGUARD_CGROUP_FUNCTIONS_H
#define DEVGUARD_CGROUP_FUNCTIONS_H

#include "cgroup/dump.h"

#include <linux/bpf.h>

struct function {
	int32_t place;     /* as a loaded program shows it */
	int32_t function;  /* BPF_FUNC_*, DUMP_HASH_ELEMENT */
	const char *name;
};
struct functions {
	struct function list[32];
	size_t n;
	bool learned;
	const struct dump_field *fields; /* those that are asked for */
	size_t nfields;
	int32_t *places;                 /* of each, in bytes, or DUMP_NO_FIELD */
	bool placed;                     /* the kernel was asked */
};

/* The function at a place, or NULL. The kernel is asked the first time: functions that it does not have,
 * or hides, are left out. */
const struct function *function_at(struct functions *f, int32_t place);

/* The translated instructions of a program, `size` bytes of room. How many, or -errno: EPERM also where
 * the kernel hides them. */
int program_insns(int fd, void *out, size_t size);

#endif
