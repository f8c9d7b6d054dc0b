/* grant.h - what the verbs grant, revoke and grants share, and what the hook needs of them. Private to cmd/. */
#ifndef DEVGUARD_CMD_GRANT_GRANT_H
#define DEVGUARD_CMD_GRANT_GRANT_H

#include "cgroup/cgroup.h"
#include "cgroup/hostprog.h"
#include "cmd/cmd.h"
#include "cmd/options.h"

enum { GRANT_ENTRIES_MAX = 1024 }; /* keys of one DEVICE */

/* ---- device.c --------------------------------------------------------------------------- */

/* A DEVICE of the command line. */
struct grant_device {
	const char *text;       /* as it was said, without letters: "/dev/fuse", ":fuse", "c 136:*" */
	const char *path;       /* below /dev where its node is by custom, NULL: there are many, or none is known */
	const char *leads;      /* it is a link: where it leads; NULL: it is none */
	bool by_node;           /* its number is that of a node of this host */
	bool letters;           /* were given */
	uint32_t access;        /* set of ACC_* */
	struct grant_key *keys; /* their cgroup is 0 */
	size_t n;
};
/* All operands from argv[0] on: DEVICE [LETTERS]... STATUS_OK, or a status with a diagnostic. */
int grant_devices(struct cmd *c, int argc, char **argv, struct grant_device **list, size_t *n);

/* ---- numbers.c ---------------------------------------------------------------------------- */

/* "c 10:229", "c 4:64-255", "b 8,65-71:*": what keys of entries come to. */
const char *grant_numbers(struct arena *a, const struct host_grant *list, size_t n);
/* Is a number (GRANT_ANY_MINOR: all of the major) among those of the key? */
bool grant_covers(const struct grant_key *key, const struct grant_key *number);

/* ---- target.c ----------------------------------------------------------------------------- */

/* Which cgroup: an operand, or an option. */
struct grant_target {
	const char *text;        /* NULL: --self or --unit name it */
	bool by_option;          /* --pid, --container */
	const char *container;   /* its name, as it was said; NULL: it is not named as one */
	const char *pid;
	struct process_held held;
	struct cgroup *cg;
};
#define TARGET_OPTIONS {"container", required_argument, NULL, OPT_CONTAINER}, {"pid", required_argument, NULL, OPT_PID}
enum { OPT_CONTAINER = OPT_VERB, OPT_PID, OPT_TARGET_END };
/* --container, --pid. STATUS_OK or a usage error. */
int target_option(struct cmd *c, int opt, const char *value, struct grant_target *t);
/* Takes the operand, where no option names the cgroup; *first: those that follow. STATUS_OK or a usage error. */
int target_operand(struct cmd *c, int argc, char **argv, struct grant_target *t, int *first);
/* 0, or -1 with a diagnostic. */
int target_open(struct cmd *c, struct grant_target *t);
void target_close(struct grant_target *t);

/* ---- giver.c ------------------------------------------------------------------------------ */

/* Fills in uid and user: who logged in, also behind sudo; else who runs this. */
void grant_giver(struct host_grant *g);

/* ---- remarks.c ---------------------------------------------------------------------------- */

/* May there be grants for this cgroup? STATUS_OK, or a status with a diagnostic. */
int grant_allowed(struct cmd *c, const struct grant_target *t);
/* What else could deny, as warnings. node: one is made, or was asked for. */
void grant_remarks(struct cmd *c, struct hostprog *hp, const struct grant_target *t, const struct grant_device *list, size_t n, bool node);

/* ---- list.c ------------------------------------------------------------------------------- */

/* GRANT_ENDED: --for is over. GRANT_NEW: its cgroup is gone, and the container or path has another one. */
enum grant_state { GRANT_ACTIVE, GRANT_ENDED, GRANT_NEW, GRANT_GONE, GRANT_GUARDED };
/* The entries with one id. */
struct grant {
	const struct host_grant *list; /* at least one; what they share is said by the first */
	size_t n;
	uint64_t used;
	enum grant_state state;
	const char *guard; /* GRANT_GUARDED: the policy */
};
/* By id. Their states are not known yet. */
void grants_group(struct arena *a, const struct host_grant *entries, size_t n, struct grant **list, size_t *grants);
/* Finds out the state of each. */
void grants_look(struct cmd *c, struct grant *list, size_t n);
/* "active", "over", "container is new", "its cgroup is gone", "guard 'p' does not allow grants" */
const char *grant_state_text(struct arena *a, const struct grant *g);
/* Seconds since the epoch when it ends, 0: it does not. */
uint64_t grant_until(const struct host_grant *g);
/* A text into a field of a grant; one that is longer is cut. */
void grant_field(char *out, size_t size, const char *text);
void grant_set_path(struct host_grant *g, const struct cgroup *cg);
/* Is it that path from the mount on, as far as a grant has room for one? */
bool grant_of_path(const struct host_grant *g, const char *path);
/* Is the cgroup `path` this one or above it? */
bool grant_path_above(const char *above, const char *path);

/* ---- tell.c ------------------------------------------------------------------------------- */

/* "30m", "1h30m" */
const char *duration_text(struct arena *a, uint64_t seconds);
const char *grant_time_text(struct arena *a, uint64_t seconds);
/* ":fuse (c 10:229)" */
const char *grant_device_text(struct arena *a, const struct host_grant *list, size_t n);
/* For people: a table. */
void grants_print(struct cmd *c, const struct grant *list, size_t n);
json_t *grant_json(struct cmd *c, const struct grant *g);

/* ---- give.c ------------------------------------------------------------------------------- */

struct grant_wish {
	struct grant_target target;
	struct grant_device *devices;
	size_t n;
	uint64_t ns;          /* --for, 0: without end */
	const char *reason;   /* or NULL */
	bool node;            /* --node */
	const char *node_path; /* =PATH, or NULL */
};
/* Grants it and tells what was granted. An exit status. */
int grant_give(struct cmd *c, struct grant_wish *w);

/* ---- take.c ------------------------------------------------------------------------------- */

struct grant_choice {
	struct grant_target target;
	struct grant_device *devices; /* NULL: all of the cgroup */
	size_t n;
	uint64_t id;                  /* --id, 0: not given */
	bool all;                     /* --all */
};
/* Takes them back and tells which. An exit status. */
int grant_take(struct cmd *c, struct grant_choice *w);
/* The nodes of grants that are over, with their entries. Under the lock. */
void grants_clear_nodes(struct cmd *c, struct hostprog *hp, const struct host_grant *entries, size_t n);

/* ---- rekey.c ------------------------------------------------------------------------------ */

/* A container of that id is being made in this cgroup: grants that were given to it by name, and whose cgroup is gone,
 * are for this one. What fails is a warning. */
void grants_rekey(struct cmd *c, const char *id, const struct cgroup *cg);

#endif
