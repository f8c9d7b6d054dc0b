/* why.h - what `why` finds out about a request. Private to this folder and its verb. */
#ifndef DEVGUARD_CMD_WHY_H
#define DEVGUARD_CMD_WHY_H

#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/hosted/hosted.h"
#include "cmd/names_now.h"
#include "cmd/rule.h"
#include "policy/request.h"

struct host_device;

enum says { SAYS_ALLOW, SAYS_DENY, SAYS_UNKNOWN, SAYS_OPENS /* the host program: what those before it deny */ };
/* One program and what it says. */
struct opinion {
	uint32_t id;
	const char *path;           /* of the cgroup it is on; NULL: above what is mounted here */
	const struct attached *at;  /* NULL: likewise */
	const char *author;         /* by its shape, or NULL */
	bool host;                  /* the host program */
	bool turns;                 /* what it says is not known, and it may open what others deny */
	enum says says;
	struct rule_told own;       /* ours: by which rule of the policy */
	const char *rule;           /* that decides, in words; why it is not known */
	bool asked;                 /* the kernel itself was, by a process in a cgroup that is not this one */
	const char *change;         /* what would have to change; NULL: it does not deny */
	const char *remedy;         /* where nothing has to change but which file or cgroup a name is: how; or NULL */
	bool of_others;             /* it allows by a name that the request gives, and what has that name now is denied */
	struct names_now names;     /* ours: those that are not what they were, and could change what it says */
};

/* What would refuse the request whatever programs say. */
struct refusal {
	const char *what;  /* "the node's mode denies it" */
	const char *error; /* "EACCES" */
	const char *text;  /* one line, without an end */
	const char *hint;  /* or NULL */
	bool perhaps;      /* more would have to be known of the caller */
};
enum { REFUSALS_MAX = 12 };
/* The device's node, as the process sees it; without one, as this tool does. */
struct node {
	const char *path;  /* NULL: the request names numbers */
	bool there;
	unsigned mode, uid, gid;
	struct refusal list[REFUSALS_MAX];
	size_t n;
};

struct inquiry {
	struct cmd *c;
	struct cgroup *cg;          /* NULL: programs are read, and nothing else is asked or proposed */
	struct request request;
	input_set of_process;       /* facts that are not of the request */
	const char *path;           /* of the device, as given; NULL: by its numbers */
	struct process_held held;   /* in whose mounts a path is looked up; pid 0: in those of this tool */
	bool caller;                /* it is the one that asks */
	struct process_view view;
	struct process_task task;   /* of the caller */
	struct opinion *list;       /* in the order in which the kernel asks them */
	size_t n, denials, unknown;
	size_t of_caller;           /* of the unknown: those that depend on a fact about the caller */
	size_t hosts;               /* of them the host program: 0 or 1 */
	enum says verdict;          /* of all together */
	const struct opinion *denied_by; /* the first that denies what nobody opens afterwards, or NULL */
	struct hosted host;
	struct hosted_here here;
	struct hosted_answer answer; /* of the host program, where one is in the list */
	struct node node;
};

/* ---- caller.c -------------------------------------------------------------------------- */

/* May one of the programs know files or cgroups by name? */
bool why_names(const uint32_t *ids, size_t n);
/* Takes the facts of the process into the request: those that mean the same to every program. */
void why_take_facts(struct inquiry *q);
/* The request as it is put to one of them, with the policy that was read of it. */
struct policy;
struct request why_request(const struct inquiry *q, uint32_t program, const struct policy *p);

/* ---- names.c --------------------------------------------------------------------------- */

/* Fills in o->names of one to which `r` was put, and which said that; of one that could not be read, all that are not what they
 * were. STATUS_OK or a status with diagnostics. */
struct program_unit;
struct verdict_pair;
int why_find_names(struct inquiry *q, struct opinion *o, const struct program_unit *one, const struct request *r,
                   const struct verdict_pair *said);

/* ---- programs.c ------------------------------------------------------------------------ */

/* Fills in the programs of q->cg. STATUS_OK or a status with diagnostics. */
int why_programs(struct inquiry *q);
/* What one that was read says. The same. */
int why_ask(struct inquiry *q, struct opinion *o, const struct program_unit *one);

/* ---- change.c -------------------------------------------------------------------------- */

/* What would have to change so that a program that denies would allow it: by whom it was made. */
const char *why_change(const struct inquiry *q, const struct opinion *o);

/* ---- way.c ----------------------------------------------------------------------------- */

struct stat;
/* Is the process let through each directory on the way from its root directory to the path, by `may`? What is
 * not there ends the way. */
bool why_passes(int root, const char *path, bool (*may)(void *arg, int fd, const struct stat *st), void *arg);

/* ---- node.c ---------------------------------------------------------------------------- */

/* The device at a path as the process sees it, for request_parse(); then as this tool does. */
void why_find_device(const struct inquiry *q, struct arena *a, const char *path, struct host_device *out);
/* Fills in q->node. */
void why_node(struct inquiry *q);

/* ---- barriers.c ------------------------------------------------------------------------- */

/* What stands beside node and programs: capabilities that drivers ask for, drivers that are not there. */
void why_barriers(struct inquiry *q);
/* Adds one. */
struct refusal *why_refuses(struct inquiry *q, const char *what, const char *error, const char *text);
/* A capability of the process that counts on the whole host. */
bool why_capable(const struct inquiry *q, int capability);

/* ---- tell.c ------------------------------------------------------------------------------ */

/* What a program is called, and whose it is. */
const char *why_name(struct arena *a, const struct opinion *o);
/* A rule of very many devices: its beginning, and its end behind the last comma. */
const char *why_shortened(struct arena *a, const char *rule);
void why_print(const struct inquiry *q);
void why_json(const struct inquiry *q);

#endif
