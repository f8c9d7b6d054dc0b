/* request.h - what the kernel asks: one device request, as people write it. */
#ifndef DEVGUARD_POLICY_REQUEST_H
#define DEVGUARD_POLICY_REQUEST_H

#include "policy/input.h"

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct host;

/* What a map of a raw program holds, or the clock says: COUNTS[pid]=5, COUNTS[pid]=nil, ktime_ns=7. */
struct request_more {
	const char *name; /* as written; NULL where it came from another process */
	uint64_t id;      /* of the name: request_more_id() */
	int64_t value;
	bool absent;      /* nil */
};
enum { REQUEST_MORE = 4 };

/* What a request says of the calling task beside numbers: groups=, caps=, cgroup=. */
enum { REQUEST_GROUPS = 32, REQUEST_LEVELS = 16 };
enum request_who_known { WHO_GROUPS = 1, WHO_CAPS = 2, WHO_CGROUP = 4 };
struct request_who {
	uint32_t known;                  /* set of enum request_who_known */
	uint32_t ngroups, nunder;
	uint32_t groups[REQUEST_GROUPS]; /* fsgid and supplementary, all that matter */
	uint64_t caps;                   /* by number; in the first user namespace */
	/* Of these kinds only what is named is known: those above, and those that the task has not. */
	uint32_t partly, nnot;
	uint32_t not_groups[REQUEST_GROUPS];
	uint64_t not_caps;
	int64_t under[REQUEST_LEVELS];   /* path_value() of the cgroup and of each one above it, but the root */
	/* as written, NULL where it came from another process or is not known */
	const char *cgroup, *exe, *parent_exe;
};

struct request {
	int type;            /* DEV_* */
	int access;          /* set of ACC_*, may be 0 */
	int64_t major, minor;
	int64_t fact[INPUT_MAX]; /* by enum input, from IN_UID on */
	input_set known;     /* facts that were given */
	struct request_who who;
	struct request_more more[REQUEST_MORE];
	size_t nmore;
	const char *text;    /* as it was written, white space folded, comments gone */
};

/* Parses `c 1:3 rw uid=1000 comm=qemu` or `/dev/null rw ...` (the device then
 * found as the host says). Access letters in any order, none twice; `-` is none; without
 * them it is no request.
 * 0, or -1 with *error and what to do about it, *hint or NULL (arena text, one line, without
 * place); REQUEST_UNKNOWN: it is well written, but the host does not tell the device at its path. */
enum { REQUEST_UNKNOWN = -2 };
int request_parse(struct arena *a, const struct host *h, const char *text, struct request *r,
                  const char **error, const char **hint);
/* The request with its known facts, as request_parse() reads it. */
char *request_words(struct arena *a, const struct request *r);
uint64_t request_more_id(const char *name);
/* Parses one `key=value` into r. 0 or -1 with *error. */
int request_fact(struct arena *a, const char *text, struct request *r, const char **error);

/* For the readers in policy/ (text.h): request_parse() of a part of a text, with the hint apart. */
struct fault;
struct slice;
int request_read(struct arena *a, const struct host *h, const char *text, size_t n, struct request *r,
                 struct fault *f);

/* ---- request_who.c -------------------------------------------------------- */

/* The cgroup of the calling task, a path of n bytes in the v2 hierarchy. False: it is no such path (path_fault()), or
 * more than REQUEST_LEVELS deep. The text is not copied. */
bool request_cgroup(struct request *r, const char *path, size_t n);
/* The value of a fact about the calling task. 0 or -1. */
int request_task_fact(struct fault *f, enum input in, struct slice value, struct request *r);
/* groups=, caps= and cgroup=. 1: it is another key; else 0 or -1. */
int request_who_read(struct fault *f, struct slice key, struct slice value, struct request *r);
/* Are its facts those of a caller that there can be? 0 or -1. */
int request_who_settle(struct fault *f, const struct request *r);
/* The text with what the request says of the calling task behind it. */
char *request_who_words(struct arena *a, const struct request *r, char *text);

#endif
