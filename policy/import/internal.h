/*
 * internal.h - what the readers of other tools' device lists share, and
 * the plan both ways out (Ruby, policy) are made from. Private to policy/.
 */
#ifndef DEVGUARD_POLICY_IMPORT_INTERNAL_H
#define DEVGUARD_POLICY_IMPORT_INTERNAL_H

#include "policy/access.h"
#include "policy/device.h"
#include "policy/names.h"
#include "policy/table.h"
#include "policy/text.h"
#include "policy/import/import.h"

/* ---- import/import.c ----------------------------------------------------------- */

enum { FOREIGN_ERRORS = 20 }; /* so many are told, then reading ends */

/* A file of lines while it is read. */
struct lines {
	struct diags *d;
	struct foreign *out;
	const char *file;
	int line;           /* of `text`, from 1 */
	struct slice text;  /* without blanks around it */
	struct slice raw;   /* as it stands, without \r */
	struct slice rest;
};

void foreign_start(struct diags *d, enum foreign_format format, const char *file, struct foreign *out);
/* The next line, blanks around it gone. False at the end and after too many errors. */
bool lines_next(struct lines *l);
/* The fault as an error of this line; always -1. */
int lines_fail(struct lines *l, const struct fault *f);
struct slice trimmed(struct slice s);
/* Adds one error with the line's text (NULL: none); always -1. */
int foreign_fail(struct diags *d, struct span at, const char *source, const struct fault *f);
struct foreign_entry *foreign_add(struct arena *a, struct foreign *f, struct foreign_entry e);
/* Room for so many entries, before the first. */
void foreign_reserve(struct arena *a, struct foreign *f, size_t n);
void foreign_note(struct arena *a, struct foreign *f, const char *note);
void foreign_skip(struct arena *a, struct foreign *f, struct foreign_skip s);
/* inspect: the member of HostConfig it is of. */
const char *foreign_member(bool in_rules, bool in_requests);
/* `c 195:* rwm`: type, numbers or *, letters. `a` alone too, where lone_a. */
int foreign_rule(struct fault *f, struct slice text, bool lone_a, struct foreign_entry *e);
/* The text as a policy's name; "" and NULL give NULL. */
const char *foreign_name(struct arena *a, const char *text);
/* A policy's name from that of a file, never NULL. */
const char *foreign_file_name(struct arena *a, const char *file);

/* ---- import/paths.c ------------------------------------------------------------- */

/* A line that grants nothing, with the fault that says so. */
void foreign_skip_fault(struct foreign *f, const char *file, int line, const struct fault *why, const char *rule);
/* A device that is not there: the hint says what to do, in the words of the list. */
void foreign_skip_missing(struct foreign *f, const struct foreign_entry *e, const struct fault *why, const char *rule);
/* Must be below /dev, without "..": 0 or -1. */
int foreign_path_check(struct fault *f, struct slice path);
/* Is nothing there at a path below /dev? */
bool foreign_path_absent(struct arena *a, struct slice path);
bool foreign_path_is_node(const char *path);
/* A device by its path on this host, `e` has file, place and verdict: 0, or -1. One that is not
 * there is left out of what is allowed. */
int foreign_add_path(struct foreign *out, struct fault *f, struct slice path, struct slice letters,
                     struct foreign_entry e);
/* The same, where a directory stands for all devices in it and below, as engines take it. */
int foreign_add_tree(struct foreign *out, struct fault *f, struct slice path, struct slice letters,
                     struct foreign_entry e);
/* "vendor.com/gpu=0" where a path may stand; left for foreign_cdi_resolve(). */
bool foreign_is_cdi(struct slice device);
void foreign_skip_cdi(struct foreign *out, struct fault *f, struct slice device, const struct foreign_entry *e);

/* ---- import/container.c -------------------------------------------------- */

/* What containers are given whatever their list says: to make any node, what every program
 * counts on, its terminals, and one of the misc devices. */
struct usual {
	int32_t misc;
	bool console;
	bool v2; /* by keys of cgroup v2 */
};
void foreign_add_usual(struct arena *a, struct foreign *f, struct usual u);
/* What runc and crun allow every container. */
void foreign_add_runtime(struct arena *a, struct foreign *f);
/* A privileged container: no list is asked. */
void foreign_privileged(struct foreign *out);
/* What every container has, and what is to be said when nothing was about devices. */
void foreign_container(struct arena *a, struct foreign *out, bool said);

/* ---- import/near.c ------------------------------------------------------ */

/* The word without case and punctuation: "Device_Allow" is "deviceallow". */
char *foreign_plain(struct arena *a, struct slice word);
/* The known word that another is nearly, case and punctuation aside; NULL: none. */
const char *foreign_near(struct arena *a, struct slice word, const char *const *known, size_t n);

/* ---- import/cells.c: what is known of devices --------------------------- */

/* One more coordinate beside numbers and FOREIGN_ANY: all that was ever put
 * there, whatever the coordinate. */
enum { CELL_UNION = -2 };
enum { PLANES = 6 }; /* (type, access): what is decided apart */

struct cell {
	uint64_t key;
	uint32_t last[2][PLANES];      /* by verdict (1 = allow); the user's */
	uint8_t decided;               /* set of planes */
};
struct cells {
	struct arena *arena;
	struct cell *cells;
	size_t n, cap;
	struct table table;
};
void cells_init(struct cells *c, struct arena *a);
/* The cells whose devices can be among those of a pair: at most 4. */
size_t cells_meeting(const struct cells *c, int32_t major, int32_t minor, const struct cell **out);
/* The cells that have all the devices of a pair: at most 4. */
size_t cells_covering(const struct cells *c, int32_t major, int32_t minor, const struct cell **out);
/* The cells to be told about a pair: itself and the unions; always 4. */
void cells_telling(struct cells *c, int32_t major, int32_t minor, struct cell **out);
/* Bit 3 * (type is char) + {m 0, r 1, w 2}. */
unsigned planes_of(int types, int access);

/* ---- import/notes.c ----------------------------------------------------- */

/* Sets the notes on what the OCI runtimes, systemd and LXC do otherwise. */
void foreign_compare(struct arena *a, struct foreign *f);

/* ---- import/plan.c ------------------------------------------------------ */

/* One rule: entries of one verdict, put together. */
struct step {
	bool allow, builtin;
	uint32_t level;
	struct pattern pattern;           /* text: only of a path or group */
	const struct foreign_entry *first, *last; /* of its entries, by place in the list */
	size_t nentries;
	const struct foreign_entry **noted; /* those with a note */
	size_t nnoted;
};
struct plan {
	bool default_allow;
	const struct foreign_entry *default_from; /* the entry that says so, or NULL */
	struct step *steps;
	size_t nsteps;
	const struct foreign_entry **dropped;     /* never decide; in the order of the list */
	size_t ndropped;
};
void foreign_plan(struct arena *a, const struct foreign *f, struct plan *out);

#endif
