/*
 * hosted.h - the host program (policy/hostprog.h), for those who look at programs: is it what it says, who watches, which
 * grants open something in a cgroup. Nothing is changed, and no lock is taken.
 */
#ifndef DEVGUARD_CMD_HOSTED_H
#define DEVGUARD_CMD_HOSTED_H

#include "cgroup/hostprog.h"
#include "cmd/cmd.h"

struct dump;
struct request;

/* ---- hosted.c: what is there ------------------------------------------------------------------- */

/* The host program that is attached. */
struct hosted {
	uint32_t id;               /* 0: there is none */
	const char *failed, *hint; /* what it is cannot be told, or it is not believed, and why; else NULL */
	struct hostprog_info info;
	struct host_grant *grants; /* by time and id, those that are over too */
	size_t ngrants, over;
	struct host_watcher watchers[HOSTPROG_WATCHERS];
	size_t dead;               /* watchers whose process ended */
	uint64_t now;              /* CLOCK_BOOTTIME ns when they were read */
};
void hosted_read(struct cmd *c, struct hosted *out);
/* Before the kernel is asked by a probe (cgroup/probe.c): 0, or -1 with a diagnostic, one that cannot be believed answers,
 * too. */
int hosted_unbelieved(struct cmd *c);
/* It is there, and can be believed. */
bool hosted_known(const struct hosted *h);
bool grant_over(const struct hosted *h, const struct host_grant *g);

/* What it does for the processes of one cgroup. */
struct hosted_here {
	const struct hosted *host;
	const struct host_grant **list; /* for it and those above, not over */
	size_t n;
	struct attached guard;  /* guard.ours: nothing is opened, this one does not allow it */
	const char *guard_on;   /* which cgroup it is on */
	unsigned level;         /* below the root */
	bool deep;              /* more than HOSTPROG_LEVELS: nothing is opened */
	uint64_t *ids;          /* of the cgroup, its parent, ... the root */
	size_t nids, ids_cap;
	const char *path;       /* from the mount on */
	size_t watchers;        /* that see what is denied there */
	uint64_t permit_until;  /* CLOCK_BOOTTIME ns; 0: no watcher lets everything pass */
};
/* 0, or -1 with a diagnostic: whether a guard is in the way cannot be told. Of a host program that is not known: nothing. */
int hosted_at(struct arena *a, struct diags *d, const struct hosted *h, const struct cgroup *cg, struct hosted_here *out);
/* Can grants, or a watcher, open anything there? */
bool hosted_opens(const struct hosted_here *e);
/* Is the program with this number that one? No, too, where there is none. */
bool hosted_is(const struct hosted *h, uint32_t id);
/* What stands for it in a list of programs (policy/dump.h). True. */
bool hosted_dump(struct arena *a, const struct hosted_here *e, struct dump *out);

/* ---- answer.c: one request ----------------------------------------------------------------------- */

/* What becomes of a request that a program below denies. */
struct hosted_answer {
	bool opens;
	const struct host_grant *grant; /* that opens it, or would; NULL: none */
	const char *text;               /* by what it is opened, or why not */
};
void hosted_ask(struct arena *a, const struct hosted_here *e, const struct request *r, struct hosted_answer *out);

/* ---- words.c --------------------------------------------------------------------------------------- */

/* "observes, grants; 2 watchers, 3 grants" */
const char *hosted_words(struct arena *a, const struct hosted *h);
/* "grant 3 of root until 2026-01-31 12:30:00: debugging" */
const char *grant_words(struct arena *a, const struct hosted *h, const struct host_grant *g);
/* The same behind what it is for: "c 10:229 rw on /web: grant 3 of root" */
const char *grant_line(struct arena *a, const struct hosted *h, const struct host_grant *g);
/* What is told of a cgroup's grants and watchers: lines, each with its end. */
const char *hosted_lines(struct arena *a, const struct hosted_here *e);
/* Lines to stdout, each behind so many blanks. */
void hosted_put(const char *lines, int indent);
/* The host program as an object, null: there is none; `here`: or NULL. */
json_t *hosted_json(struct arena *a, const struct hosted *h, const struct hosted_here *here);

/* ---- warn.c ----------------------------------------------------------------------------------------- */

/* Warns, also where others are left out, that what is told of a source holds now: grants that apply there end. */
void hosted_warn(struct cmd *c, const char *source, const struct hosted_here *e);

/* ---- checks.c --------------------------------------------------------------------------------------- */

/* For `doctor`: what host programs need, what there is, what was left behind. */
struct host_check;
void hosted_checks(struct cmd *c, struct host_check **list, size_t *n);

#endif
