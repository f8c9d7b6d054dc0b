/*
 * observe.h - what `observe`, `audit` and `stats --observe` share: records and counts of the host program
 * (policy/hostprog.h), and what is found out about them.
 *
 *   asker.c      a process of our own that finds out: reads programs, files of engines
 *   known.c      what was found out, kept; what was not yet, is asked for
 *   print.c      a record as a line or as JSON
 *   counts.c     counts by cgroup: compared, added up
 *   stream.c     waits for records, prints them in their order; the end
 *   summary.c    what was counted, when it ends
 *   told.c       what is counted, for `stats --observe`: table, JSON, for Prometheus
 *
 * The kernel never waits for this tool, and a reader that is slow loses records. So the process that reads does nothing
 * that may take long: what decides for a request is found out by another one, and a record waits for its answer
 * for a moment only.
 */
#ifndef DEVGUARD_CMD_OBSERVE_OBSERVE_H
#define DEVGUARD_CMD_OBSERVE_OBSERVE_H

#include "cmd/audit/audit.h"
#include "cmd/cmd.h"
#include "cmd/where/where.h"

/* ---- asker.c ---------------------------------------------------------------------------- */

enum ask_kind { ASK_CONTAINER, ASK_WHO };
enum { ASK_PROGRAMS = 256 };
struct question {
	uint64_t number;            /* given back with the answer */
	uint32_t kind;              /* enum ask_kind */
	uint32_t n;                 /* ASK_WHO: the programs that decide there, in the kernel's order */
	uint32_t ids[ASK_PROGRAMS];
	struct host_event event;    /* ASK_WHO */
	char path[CGROUP_PATH];     /* of the cgroup, from the mount on; "": it is gone */
};

/* Texts may hold control bytes: of policies, and of whoever started a container. "": there is none. */
struct answer {
	uint64_t number;
	uint32_t kind;
	uint32_t by_caller;   /* another caller may get another answer */
	uint32_t program;     /* the first that denies, 0: none; `text` says why that is not known */
	uint32_t denials;     /* how many programs deny it */
	uint32_t line;        /* 0: not known */
	char where[CGROUP_PATH]; /* the cgroup it is on, from the mount on */
	char policy[64], author[64], whose[160];
	char file[256], label[256], text[768];
	char engine[64], id[80], name[256], pod[320], unit[256]; /* ASK_CONTAINER */
};

/* The process; it ends with this one. NULL with a diagnostic. */
struct asker;
struct asker *asker_start(struct cmd *c);
void asker_end(struct asker *a);
/* For poll(2); -1: it has ended. */
int asker_fd(const struct asker *a);
/* False: it takes none now. */
bool asker_send(struct asker *a, const struct question *q);
/* False: there is none now. */
bool asker_receive(struct asker *a, struct answer *out);

/* ---- known.c ------------------------------------------------------------------------------ */

/* Who denied a request; texts as in struct answer, NULL: none. */
struct who {
	uint32_t program, denials, line;
	const char *where, *policy, *author, *whose, *file, *label, *text;
};

/* A cgroup that a record is of. */
struct seen {
	uint64_t id;
	const char *path;       /* from the mount on; NULL: it was gone already */
	const struct container_told *container; /* NULL: not found out (yet) */
	const char *text;       /* that in words, or NULL */
	uint64_t asked_at;      /* when its container was asked for, CLOCK_MONOTONIC ns; 0: never */
	bool waits;             /* for that answer */
	const struct program_set *set; /* the programs that decide there */
	uint64_t set_at;        /* the batch of records when they were looked up */
	uint64_t lost_told;     /* of its records */
};

struct known;
struct known *known_new(struct cmd *c);
void known_end(struct known *k);
/* For poll(2): answers; -1: nobody answers. */
int known_fd(const struct known *k);
/* The cgroup with that id. Valid until the next record is looked up. */
struct seen *known_cgroup(struct known *k, uint64_t id);
/* Before each batch of records that is read: programs may have been replaced. */
void known_batch(struct known *k);
/* Goes with a record: which programs decided, as far as known when it was read first. All zero: it is new. */
struct ticket { uint64_t epoch; const struct program_set *set; };
/* Who denied the request of a record. NULL: that is not found out yet. */
const struct who *known_who(struct known *k, const struct host_event *e, struct ticket *t);
/* Is all that is asked about it answered? */
bool known_all(struct known *k, const struct host_event *e, struct ticket *t);
/* Takes the answers that have come. */
void known_take(struct known *k);

/* ---- print.c ---------------------------------------------------------------------------------- */

struct observed_printer;
struct observed_printer *observed_printer_new(struct cmd *c, struct known *known, struct grants_known *grants);
/* Once before the records of a batch. */
void observed_begin(struct observed_printer *p);
/* late: who denied is not waited for any more. */
void observed_print(struct observed_printer *p, const struct host_event *e, struct ticket *t, bool late);
/* "granted", "permitted", "deny", "allow". */
const char *observed_verdict(const struct host_event *e);

/* ---- counts.c ---------------------------------------------------------------------------------- */

/* What was counted of one cgroup, NULL: nothing. The list is by watcher, then by cgroup. */
const struct host_count *counts_find(const struct host_count_entry *list, size_t n, uint32_t watcher, uint64_t cgroup);
void counts_add(struct host_count *to, const struct host_count *one);
/* By watcher, then most requests first, then by cgroup. */
void counts_sort(struct host_count_entry *list, size_t n);
uint64_t counts_requests(const struct host_count *count);
/* "/web", "/web (cgroups below it)", "cgroup 1234 (removed)"; path NULL: it is not known any more. */
const char *counts_place(struct arena *a, const struct host_count_entry *e, const char *path);
/* "1000 denied, 2 opened by grants; 900 records, 100 lost": what there is none of is left out. */
const char *counts_text(struct arena *a, const struct host_count *count);

/* ---- stream.c ----------------------------------------------------------------------------------- */

struct observing {
	struct cmd *c;
	struct cgroup *cgroup;    /* NULL: everywhere */
	struct hostprog *hp;
	struct watcher *watcher;
	struct known *known;
	struct grants_known *grants;
	struct observed_printer *printer;
	uint64_t most;            /* --count, 0: no end */
	uint64_t timeout;         /* --timeout, ns */
	uint64_t printed;
	bool pinned;              /* the watcher stays */
	bool pipe_closed;         /* nobody reads stdout any more */
};
/* Prints records until it is to end. STATUS_OK, STATUS_FAILED with a diagnostic, STATUS_DETACHED. */
int observe_stream(struct observing *o);

/* ---- summary.c ------------------------------------------------------------------------------------ */

/* Says which records were lost since the last time. 0 or -1. */
int observe_losses(struct observing *o);
/* Says what was counted, by cgroup. */
void observe_summary(struct observing *o);

/* ---- told.c ---------------------------------------------------------------------------------------- */

enum told_form { TOLD_TABLE, TOLD_JSON, TOLD_PROMETHEUS };
/* What is counted below a cgroup (NULL: everywhere). STATUS_OK or a status with a diagnostic. */
int observe_told(struct cmd *c, const struct cgroup *cg, enum told_form form);

#endif
