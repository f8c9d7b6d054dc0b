/*
 * audit.h - what the verbs `audit` and `stats` share: which of our programs
 * report, one program being read, and how a device, a rule and a verdict are
 * written. Private to cmd/.
 */
#ifndef DEVGUARD_CMD_AUDIT_AUDIT_H
#define DEVGUARD_CMD_AUDIT_AUDIT_H

#include "cgroup/hostprog.h"
#include "cmd/cmd.h"
#include "policy/event.h"

struct asked;

enum { NSEC = 1000000000 };

/* ---- device_name.c ---------------------------------------------------------------- */

enum { DEVICE_TEXT = 160 };
/* "/dev/kmsg (c 1:11)", or "c 1:11" where this host has no name for it: escaped,
 * ready to print. Answers are remembered for a second. */
struct device_names;
struct device_names *device_names_new(struct arena *a);
void device_text(struct device_names *names, int type, uint32_t major, uint32_t minor,
                 char out[DEVICE_TEXT]);
/* Its path alone, NULL when there is none; valid until the next call. */
const char *device_path(struct device_names *names, int type, uint32_t major, uint32_t minor);
/* "c", "b". */
const char *device_type(int type);

/* ---- audit/nodes.c ----------------------------------------------------------------- */

struct dev_node {
	int type;
	uint32_t major, minor;
	const char *path; /* while it is shown */
};
/* Shows every device node below /dev until `one` says that it is enough. */
void dev_nodes(bool (*one)(void *self, const struct dev_node *node), void *self);

/* ---- audit/words.c ------------------------------------------------------------------ */

enum { RULE_TEXT = 1024, ACCESS_WORDS = 24 };
/* "policy.rb:7 label", "policy.rb:3 default", "rule 7" when its name is not known
 * (NULL): escaped. */
void rule_text(const struct rule_name *name, uint32_t rule, char out[RULE_TEXT]);
/* "read", "write (of rw)", "none". */
void access_words(int decided, int requested, char out[ACCESS_WORDS]);
/* All that was asked together: "read", "read, write", "none". */
void access_set_words(int access, char out[ACCESS_WORDS]);
/* "deny", "allow", "permitted". */
const char *verdict_word(int verdict, uint32_t flags);
/* audit_words and mode_words for what the kernel told, which may be anything. */
const char *audit_word(int audit);
const char *mode_word(int mode);
/* The object's fields for a rule: rule, label, file, line. */
void rule_json(json_t *o, const struct rule_name *name, uint32_t rule);

/* ---- audit/columns.c ---------------------------------------------------------------- */

/* Columns a text takes on a terminal. */
int columns_of(const char *text);
/* Takes the middle out of a text that is wider. */
void column_cut(char *text, int width);
/* Columns of the terminal that stdout is; 0: it is none, and nothing depends on a width. */
int terminal_width(void);

/* ---- audit/line.c ------------------------------------------------------------------- */

/* Whose request a record is of. */
struct record_caller {
	uint64_t cgroup_id;
	uint32_t pid, tid, uid, gid;
	const char *comm; /* COMM_SIZE bytes; NULL: not told */
	bool pid_told;
};
#define COLOUR_ALLOW "\033[32m"
#define COLOUR_PERMITTED "\033[1;35m"
#define COLOUR_DENY "\033[1;31m"

enum line_column { LINE_CGROUP, LINE_COMM, LINE_UID, LINE_VERDICT, LINE_ACCESS, LINE_DEVICE, LINE_COLUMNS };
/* Records as lines: what the columns had to hold so far. */
struct line {
	FILE *out;
	bool colour;
	int64_t wall;    /* CLOCK_REALTIME - CLOCK_BOOTTIME, ns */
	int widths[LINE_COLUMNS];
	int most[LINE_COLUMNS];
	int width;       /* of the terminal; 0: none, nothing is cut to `most` */
	bool two_lines;
	int used;        /* columns of the line so far */
};
void line_new(struct line *l, FILE *out);
/* Once before the records of each batch: the wall clock may have been set, the terminal be of another width. */
void line_batch(struct line *l);
/* A line: its time, CLOCK_BOOTTIME; then all columns in their order. Texts are escaped already; they may be cut. */
void line_begin(struct line *l, uint64_t time);
void line_column(struct line *l, enum line_column col, char *text, const char *colour);
/* LINE_CGROUP: its path, escaped here, NULL: not known. */
void line_cgroup(struct line *l, const char *path, uint64_t id);
/* LINE_COMM and LINE_UID. */
void line_caller(struct line *l, const struct record_caller *who);
/* What stands behind the columns, escaped. */
void line_rest(struct line *l, const char *text);

/* ---- audit/json_line.c --------------------------------------------------------------- */

/* Begins an object with its schema and time, nanoseconds since 1970. */
void put_json_time(FILE *out, uint64_t ns);
/* A text; NULL: null. */
void put_json_value(FILE *out, const char *text);
/* A member each, with the comma before it; NULL, !known: null. */
void put_json_text(FILE *out, const char *name, const char *text);
void put_json_number(FILE *out, const char *name, uint64_t value, bool known);
void put_json_flag(FILE *out, const char *name, bool value);
void put_json_caller(FILE *out, const char *cgroup, const struct record_caller *who);
void put_json_device(FILE *out, struct device_names *devices, int type, uint32_t major, uint32_t minor);
/* The members facts, untold and request, with the comma before them. */
void put_json_told(FILE *out, struct arena *a, const struct request *r, const char *untold);

/* ---- audit/find.c --------------------------------------------------------------------- */

/* Our programs on the cgroup that report; of that policy name only when it is not
 * NULL. 0 (also when there is none) or -1. */
int find_reporting(struct arena *a, struct diags *d, const struct cgroup *cg, const char *name,
                   struct attached **list, size_t *n);
/* Says why find_reporting() found none, and what to do: always STATUS_FAILED. */
int nothing_reports(struct cmd *c, const struct cgroup *cg, const char *name);
/* Was the cgroup's directory removed? */
bool cgroup_removed(const struct cgroup *cg);

/* ---- audit/source.c ------------------------------------------------------------------- */

/* One policy being read. */
struct source {
	uint32_t program;            /* the one attached now, as far as known */
	const char *policy;
	struct arena *arena;         /* of all this */
	struct audit *audit;
	bool claimed;                /* else another reader has it */
	struct folds *folds;         /* NULL without --fold */
	struct name_cache *names;
	uint64_t records;            /* given to us */
	uint64_t began;              /* CLOCK_BOOTTIME when we became its reader: records before it were waiting */
	uint64_t before;             /* how many of those came; counted by who reads */
	struct totals last, sum;     /* the kernel's, and what was added since we read */
	uint64_t lost_told;
	bool seen;                   /* by the check that runs */
	unsigned absent;             /* checks in a row that did not find it */
};

/* Opens the maps of a program, without reading. NULL with a diagnostic. */
struct source *source_open(struct cmd *c, struct diags *d, uint32_t program);
/* Becomes its reader. fold_ns 0: a record for each decision. 0, or -1 with a
 * diagnostic: another one reads. */
int source_claim(struct diags *d, struct source *s, uint64_t fold_ns);
void source_close(struct source *s);
/* How many decisions this record stands for: those since the record before it of
 * the same kind. */
uint64_t source_count(struct source *s, const struct event *e);
/* The rule of a record, NULL: not known. Valid until the next call. */
const struct rule_name *source_rule(struct source *s, uint32_t generation, uint32_t rule);
/* What the numbers of a record mean. Valid until the next call. */
const struct asked *source_asked(struct source *s, const struct event_record *r);
/* Adds what the kernel counted since the last call. 0 or -1. */
int source_update(struct diags *d, struct source *s);

/* ---- audit/told.c --------------------------------------------------------------------- */

/* The request that a record is of, with all that it tells; path: of the caller's cgroup now, or NULL; *untold: what the policy reads and the kernel did not tell, by
 * name, or NULL. */
struct request record_request(struct arena *a, const struct event_record *record, const struct asked *as, const char *path,
                              const char **untold);
/* " euid=0 exe=/usr/bin/x", as eval takes it, and what is not told; escaped. */
const char *told_words(struct arena *a, const struct request *r, const char *untold);

/* ---- audit/granted.c ------------------------------------------------------------------- */

/* The grants there are, read again when one is not among them that may have been given since. */
struct grants_known;
struct grants_known *grants_known_new(struct cmd *c, struct hostprog *hp);
/* One entry of the grant with that id, which a request at `time` met (CLOCK_BOOTTIME ns, as records have it); NULL: it is not
 * there any more. Valid until the next call. */
const struct host_grant *grant_known(struct grants_known *g, uint64_t id, uint64_t time);
void grants_known_end(struct grants_known *g);
/* How many requests grants opened in the cgroup and below it. False: there is no host program. */
bool granted_count(struct arena *a, const struct cgroup *cg, uint64_t *out);
/* Gives a place among those that watch back, `pinned`: also one that is pinned; takes the host program off where nobody needs it
 * any more. */
void watcher_give_back(struct cmd *c, struct watcher *w, bool pinned);

/* ---- audit/joined.c -------------------------------------------------------------------- */

/* What grants opened although a policy that is read here denied it. */
struct joined;
/* A denial, as it was told. */
struct denial { struct event event; char policy[IMAGE_NAME_MAX]; struct rule_name name; bool named; };
/* cg NULL: everywhere. `one` is given each such request, with the denials of it. */
struct joined *joined_new(struct cmd *c, const struct cgroup *cg,
                          void (*one)(void *arg, const struct host_event *e, const struct host_grant *grant, const struct denial *const *denials,
                                      size_t n),
                          void *arg);
/* Is there a host program with grants (now), or none any more? To be called every now and then. */
void joined_check(struct joined *j);
/* For poll(2); -1: nothing to wait for. */
int joined_fd(const struct joined *j);
/* Takes note of a denial that was told. */
void joined_denial(struct joined *j, const char *policy, const struct event *e, const struct rule_name *name);
/* Reads what was opened: before the denials are read that belong to it. */
void joined_read(struct joined *j);
/* After that. */
void joined_tell(struct joined *j);
void joined_end(struct joined *j);

/* ---- audit/watch.c -------------------------------------------------------------------- */

/* The policies that are read, kept up to date with what is attached. */
struct watch {
	struct cmd *c;
	const struct cgroup *cgroup; /* NULL: all of the host */
	const char *name;            /* of one policy, or NULL */
	uint64_t fold_ns;
	struct source **sources;
	size_t n, cap;
	unsigned misses;             /* checks in a row that found a program they could not open */
	/* Reads what waits in a source that is about to be closed. */
	void (*drain)(void *arg, struct source *s);
	/* Takes note of what was counted of one that is closed, instead of a summary; or NULL. */
	void (*closed)(void *arg, const struct source *s);
	void *arg;
};
/* Compares with what is attached: opens what is new, drains and closes what is
 * gone. 0, or -1 with a diagnostic in c->diags. */
int watch_check(struct watch *w);
/* Is something missing that the next check, soon, may find again? */
bool watch_unsure(const struct watch *w);
/* Says "12 records were lost ..." when there are new ones. 0 or -1. */
int watch_losses(struct watch *w);
/* Closes all, with a summary each. */
void watch_end(struct watch *w, bool summary);
/* A note on stderr, escaped, also with --json. */
void tell(struct cmd *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- audit/print.c ---------------------------------------------------------------------- */

struct printer;
/* Records go to `path`, appended, or to stdout (NULL). 0 or -1 with a diagnostic. */
int printer_new(struct cmd *c, const char *path, struct printer **out);
/* Opens the path again: it was rotated. */
int printer_reopen(struct printer *p, struct diags *d);
/* Once before the records of each batch: the wall clock may have been set. */
void printer_begin(struct printer *p);
void print_record(struct printer *p, struct source *s, const struct event_record *r, uint64_t count);
/* A request that a policy denied and a grant opened. */
void print_granted(struct printer *p, const struct host_event *e, const struct host_grant *grant, const struct denial *const *denials, size_t n);
/* Flushes. 0, or -1: it could not be written. */
int printer_end(struct printer *p, struct diags *d);
void printer_close(struct printer *p);

/* ---- table.c ----------------------------------------------------------------------------- */

/* What is counted of one policy, for people. */
struct stats;
void table_print(struct device_names *devices, const struct stats *st);

/* ---- prometheus.c ------------------------------------------------------------------------- */

/* What is counted of one policy. */
struct stats_row {
	struct tally_key key;          /* generation: the newest of those added up */
	const struct rule_name *name;  /* NULL: not known any more */
	uint64_t count;
};
struct stats {
	const char *cgroup;
	const struct attached *at;
	struct totals totals;
	struct stats_row *rows;        /* largest count first; no two alike but for it */
	size_t n;
};
/* Text exposition format, version 0.0.4. HELP and TYPE of rucy_devguard_METRIC; `,name="value"`, escaped. */
void prometheus_head(FILE *out, const char *metric, const char *type, const char *help);
void prometheus_label(FILE *out, const char *name, const char *value);
void prometheus_granted(FILE *out, const char *cgroup, uint64_t count);
void prometheus_print(FILE *out, struct device_names *devices, const struct stats *list, size_t n);

#endif
