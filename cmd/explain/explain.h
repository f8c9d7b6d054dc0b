/* explain.h - what a policy or programs amount to, as people and programs read it. */
#ifndef DEVGUARD_CMD_EXPLAIN_EXPLAIN_H
#define DEVGUARD_CMD_EXPLAIN_EXPLAIN_H

#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/unit.h"
#include "cmd/where/where.h"
#include "policy/explain.h"
#include "policy/reach.h"

struct device_names;
struct source_programs;

/* ---- rows.c: a line for what has a name of its own ---------------------------------------------- */

struct explain_row {
	const struct explained *rule;
	struct device_run run;
	size_t runs;          /* that are told by this one: 1, or many of a rule */
	uint64_t devices;     /* in all of them */
	const char *numbers;  /* "c 1:3", "c 188:0,2,4,..." */
	struct device_called called;
	bool here;            /* this host calls it so, others may not */
	enum reach reach;
};
struct explain_rows {
	struct explain_row *list; /* most important first, what is denied behind what is allowed */
	size_t n, cap;
	size_t of_none;           /* rules about requests that ask for no access: not in the list */
	bool nothing_else;        /* every device has a line for every letter: allowed, or not known */
	bool else_unknown;        /* and what has none of its own is not known */
	bool none_allowed;
	bool all_told;            /* some lines are about all devices, and there are conditions on them */
};
/* `here`: the numbers are those of this host, so that names are, too. NULL: they may be of any. */
void explain_rows(struct cmd *c, const struct explanation *e, struct device_names *here, struct explain_rows *out);
/* Many lines of a kind that say the same of devices without a name become one. */
void explain_rows_join(struct cmd *c, struct explain_rows *rows);

/* ---- print.c: for people ------------------------------------------------------------------------ */

/* `unknown`: what it decides by that is not understood, a line each, or "". */
void explain_print(const struct explain_rows *rows, const struct unit *u, const char *unknown);
/* Text in lines of at most 80 columns, each with so many blanks before it. */
void put_wrapped(const char *text, int indent);

/* ---- json.c ---------------------------------------------------------------------------------------- */

/* Adds to an object: meaning, table, otherwise, unknown. */
void explain_json(json_t *o, struct cmd *c, const struct explanation *e, struct device_names *here, const struct unit *u,
                  const char *unknown);

/* ---- tell.c ------------------------------------------------------------------------------------------ */

/* One unit as rules, into an object or as text. STATUS_OK or a status with diagnostics. */
int explain_unit(struct cmd *c, const struct unit *u, const char *unknown, struct device_names *here, json_t *o);
/* A policy that was loaded and kept; the same. */
enum explain_as { EXPLAIN_ROWS, EXPLAIN_RUBY, EXPLAIN_DOT };
int explain_kept(struct cmd *c, const char *source, const struct unit *u, enum explain_as as);
void explain_put_title(const char *title);

/* ---- whose.c: programs of a SOURCE, and whose they are ------------------------------------------- */

/* STATUS_OK or a status with diagnostics. */
int explain_whose(struct cmd *c, const char *source, struct source_programs *all, struct placed **out);
/* "program 42 on /sys/fs/cgroup/web: container-default (ours)" */
const char *explain_title(struct arena *a, const struct placed *p);

#endif
