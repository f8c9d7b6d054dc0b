/* asked.h - what a policy asks of the calling task beside numbers: files by name, groups, capabilities, cgroups. */
#ifndef DEVGUARD_POLICY_ASKED_H
#define DEVGUARD_POLICY_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/diag.h"
#include "policy/input.h"

struct arena;
struct request;

/* A question with yes or no as its answer, input IN_ASK_0 + its place. */
enum ask_kind {
	ASK_GROUP,   /* in_group?(gid): number is the gid, on the host */
	ASK_CAPABLE, /* capable?(:name): number of the capability (capabilities(7)) */
	ASK_UNDER,   /* under?(path): number is path_value() of the path in the cgroup v2 hierarchy */
	ASK_KINDS
};
struct ask {
	enum ask_kind kind;
	int64_t number;
	const char *text; /* the group's name, or NULL; the capability's, as in Ruby; the path */
	const char *name; /* as it is asked: in_group?(44) */
	struct span at;   /* where first */
};

/* A name of a file, or of a cgroup, that a policy compares with. */
struct path_named {
	const char *path;
	int64_t value;  /* path_value() */
	bool is_cgroup; /* of under? */
	struct span at; /* where first */
};
enum { PATH_NAME_MAX = 255 }; /* bytes */

struct asked {
	struct arena *arena;
	struct ask asks[TASK_ASKS_MAX];
	size_t nasks;
	struct path_named *paths;
	size_t npaths, paths_cap;
};

/* The place of a question; of one that is not there yet, a new one. -1: there are TASK_ASKS_MAX. */
int asked_ask(struct asked *as, enum ask_kind kind, int64_t number, const char *text, struct span at);
/* A path that is compared with. NULL: another path has its value (nobody finds such two by accident). */
const struct path_named *asked_path(struct asked *as, const char *path, bool is_cgroup, struct span at);
/* The text of a value, or NULL. */
const char *asked_path_text(const struct asked *as, int64_t value);
/* What the request says to each question, as facts. Those it does not answer stay unknown. */
void asked_answer(const struct asked *as, struct request *r);
/* The other way: an answer to one question as a part of the request. False: it contradicts what the request says, or
 * does not fit. */
bool asked_suppose(const struct ask *ask, bool yes, struct request *r);

/* ---- path_name.c ---------------------------------------------------------------------------- */

/* What programs have for a path: FNV-1a 64 of its bytes, never 0 and never negative. */
int64_t path_value(const char *path, size_t n);
/* Is it an absolute path as the kernel would write it: no empty, `.` or `..` part, no slash at its end (but "/"), no
 * bytes that cannot be shown or quotation marks, at most PATH_NAME_MAX bytes? NULL, or what is wrong with it. */
const char *path_fault(const char *path, size_t n);

/* ---- capability.c ----------------------------------------------------------------------------- */

enum { CAPABILITIES = 41 }; /* of Linux 6.18, and since 5.9 */
/* "sys_rawio", or NULL. */
const char *capability_name(int number);
/* -1: no such capability. */
int capability_number(const char *name, size_t n);

#endif
