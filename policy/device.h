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
	int types;                 /* bit DEV_BLOCK (1) and DEV_CHAR (2): a set, 3 = any; 0: left out, it was not there */
	struct interval *majors, *minors; /* ascending, disjoint */
	size_t nmajors, nminors;
	int access;                /* set of ACC_*; 0 = no letters were written */
	const char *text;          /* as written */
	bool here;                 /* a symbol whose numbers the host told */
};

enum { PATTERN_MISSING = 1 };  /* what is meant is clear, but this host does not have it */

/* Parses one positional string of a rule:
 *   "c 1:3 rwm" "b 8:* r" "c 5:0-2,7 rw" "a *:* m"  letters may be left out
 *   "/dev/fuse"                                      as the host says
 *   "char-pts" "block-sd"                            by /proc/devices, as the host says
 * 0, or -1 or PATTERN_MISSING with *error and *hint set; of what is missing, out->access is what was written. */
int pattern_parse(struct arena *a, const struct host *h, const char *text, struct pattern *out,
                  const char **error, const char **hint);
/* Is the text a path with wildcards? Then it is as many patterns as devices match it here, each
 * with its own path as its text. */
bool pattern_is_glob(const char *text);
int patterns_matching(struct arena *a, const struct host *h, const char *text, struct pattern **list, size_t *n,
                      const char **error, const char **hint);
/* The devices that are not here and were left out, as a pattern that matches nothing. */
struct pattern pattern_left_out(struct arena *a, const char *text, int access);
/* The device of that name (known.h): null, sda3, as fixed; hidraw0, nvme0n1, as the host says.
 * 0, or -1 or PATTERN_MISSING with *error, *hint (a near name). */
int pattern_named(struct arena *a, const struct host *h, const char *name, struct pattern *out,
                  const char **error, const char **hint);
/* Does the pattern of an allow (or deny) rule match this access of a device?
 * access is one ACC_* or 0 (README.md: requests with no access bit). The
 * reference for what rule_devices() builds as a term. */
bool pattern_matches(const struct pattern *p, bool deny, int type, int64_t major, int64_t minor,
                     int access);
/* "c 10:229 rwm": canonical text of a pattern. */
char *pattern_text(struct arena *a, const struct pattern *p);

#endif
