/* access.h - the words of an access: device types, numbers, letters. Patterns, requests and
 * the lists of other tools are made of them. */
#ifndef DEVGUARD_POLICY_ACCESS_H
#define DEVGUARD_POLICY_ACCESS_H

#include <stdbool.h>

/* The kernel's numbers, <linux/bpf.h>: BPF_DEVCG_DEV_*, BPF_DEVCG_ACC_*. */
enum { DEV_BLOCK = 1, DEV_CHAR = 2 };
enum { ACC_MKNOD = 1, ACC_READ = 2, ACC_WRITE = 4, ACC_ALL = 7 };
enum { MAJOR_MAX = 4095, MINOR_MAX = 1048575 }; /* dev_t: 12 and 20 bits */

/* Set of ACC_* of letters such as "rw", or -1 (empty, unknown or repeated letter). */
int access_parse(const char *letters);
/* "rw", "m", "-" ...: into buf (at least 4 bytes); returns buf. */
const char *access_text(int access, char *buf);

/* For the readers in policy/ (text.h): -1 with the fault set. */
struct fault;
struct slice;
/* access_parse() of a word (never empty), with the reason. Set of ACC_* or -1. */
int read_access(struct fault *f, struct slice letters);
/* Set of DEV_* of `c`, `b` or `a`. */
int types_of(char type);
#define PAIR_HINT "a device is MAJOR:MINOR; 1:* is every minor of major 1"
/* `1:3` behind a type, as what stands before and behind its colon; refuses letters that are
 * glued to it. `hint`: for one without a colon. 0 or -1. */
int read_pair(struct fault *f, char type, struct slice numbers, const char *hint, struct slice *major,
              struct slice *minor);
/* Sets the fault for a first word that is no device type, where what was meant
 * can be told ("c1:3", "char" before numbers, "dev/null"): 0 or -1. `types` is
 * the hint that lists the types. */
int not_a_type(struct fault *f, struct slice first, bool numbers_follow, const char *types);

#endif
