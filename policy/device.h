/* device.h - device patterns and names. */
#ifndef DEVGUARD_POLICY_DEVICE_H
#define DEVGUARD_POLICY_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/access.h"
#include "policy/interval.h"

struct arena;
struct host;

/* Devices as a rule names them: all of (type in types) x majors x minors, and
 * the accesses the rule is about. */
struct pattern {
	int types;                 /* bit DEV_BLOCK (1) and DEV_CHAR (2): a set, 3 = any */
	struct interval *majors, *minors; /* ascending, disjoint */
	size_t nmajors, nminors;
	int access;                /* set of ACC_*; 0 = no letters were written */
	const char *text;          /* as written */
};

/* Parses one positional string of a rule:
 *   "c 1:3 rwm" "b 8:* r" "c 5:0-2,7 rw" "a *:* m"  letters may be left out
 *   "/dev/fuse"                                      as the host says
 *   "char-pts" "block-sd"                            by /proc/devices, as the host says
 * 0, or -1 with *error and *hint set. */
int pattern_parse(struct arena *a, const struct host *h, const char *text, struct pattern *out,
                  const char **error, const char **hint);
/* The well-known device of that name (null, zero, full, random, urandom, tty,
 * console, ptmx, pts, kmsg, mem, port, fuse, tun, kvm, ...). 0 or -1 with
 * *error, *hint (a near name). */
int pattern_named(struct arena *a, const char *name, struct pattern *out, const char **error,
                  const char **hint);
/* Does the pattern of an allow (or deny) rule match this access of a device?
 * access is one ACC_* or 0 (README.md: requests with no access bit). The
 * reference for what rule_devices() builds as a term. */
bool pattern_matches(const struct pattern *p, bool deny, int type, int64_t major, int64_t minor,
                     int access);
/* "c 10:229 rwm": canonical text of a pattern. */
char *pattern_text(struct arena *a, const struct pattern *p);

#endif
