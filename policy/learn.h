/*
 * learn.h - what was recorded of the device requests of a workload, and the least policy that allows it.
 *
 * A recording is a file of JSON lines. The first says what follows: {"recording": "rucy-devguard/1", "lines": 2, ...}.
 * Each further line is a request, with how often it was made. Recordings add up: one may follow another in a file.
 */
#ifndef DEVGUARD_POLICY_LEARN_H
#define DEVGUARD_POLICY_LEARN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/reach.h"
#include "policy/table.h"

struct diags;
struct host;

enum {
	LEARN_PROGRAMS_MAX = 32, /* of one request; those that come later are counted together */
	LEARN_COMM = 16,
	LEARN_PATH_MAX = 255,
	LEARN_EXES_MAX = 256, /* of a recording that is made; what comes later has no name */
};
/* What else requests are told apart by. */
enum learn_by { LEARN_BY_UID = 1, LEARN_BY_EXE = 2 };
#define LEARN_COUNT_MAX (1ull << 53) /* what every reader of JSON has as a number */
#define LEARN_SCHEMA "rucy-devguard/1"

struct learned_program { const char *name; /* safe to print */ uint64_t count; };

/* Requests that are alike. */
struct learned_request {
	int type, access;          /* DEV_*; the set of ACC_* that was asked for together, may be 0 */
	int64_t major, minor, uid; /* uid -1: it was not asked for */
	const char *exe;           /* the file of the program, as a rule names it; NULL: it was not asked for, or see gone */
	uint64_t allowed, denied;  /* in the end */
	uint64_t permitted;        /* what filters now denied them, and they were let pass to be learned */
	struct learned_program *programs; /* by name */
	size_t nprograms, programs_cap;
	uint64_t others;           /* requests of further programs */
	uint64_t gone;             /* exe NULL: so many programs were gone when they were looked at; of the others' files no rule may tell */
	const char *path, *driver; /* what the host called it when it was recorded, or NULL */
	bool exact;                /* no family may stand for it */
};

struct learned {
	struct arena *arena;
	struct learned_request *list;
	size_t n, cap;
	struct table unique;
	unsigned by;        /* set of enum learn_by */
	uint64_t runs;      /* recordings that were added up */
	uint64_t lost;      /* requests of which nothing but their number is known */
	uint64_t permitted; /* recordings with --permissive */
	const struct learned *part_of; /* what it was taken out of, or NULL: families are chosen by that */
};

/* ---- learn.c ------------------------------------------------------------------------ */

void learned_start(struct arena *a, unsigned by, struct learned *out);
/* The place for requests of that device, access, uid and program. Valid until the next one is made. */
struct learned_request *learned_request(struct learned *l, int type, int access, int64_t major, int64_t minor, int64_t uid, const char *exe);
/* Are both of the same program, or of one that is not known? */
bool learned_same_exe(const char *a, const char *b);
/* May that path of a program stand in a rule? */
bool learned_exe_fits(const char *path);
/* Adds requests of a program, whose name may hold any bytes: it ends at the first NUL. */
void learned_by(struct learned *l, struct learned_request *r, const char comm[LEARN_COMM], uint64_t count);
/* The same of a name that is safe already. */
void learned_named(struct learned *l, struct learned_request *r, const char *name, uint64_t count);
/* A sum that does not leave what can be written. */
void learned_count(uint64_t *sum, uint64_t n);
/* All of them in the order of their devices: character devices first, then by number, access, uid and program. */
void learned_sort(struct learned *l);
/* How often it was made; how often all were. */
uint64_t learned_times(const struct learned_request *r);
uint64_t learned_total(const struct learned *l);
/* Was it let pass? That is what the policy allows. */
bool learned_passed(const struct learned_request *r);
/* What was always denied is to be allowed, too. How often it was denied. */
uint64_t learned_open_denied(struct learned *l);

/* ---- learn_file.c --------------------------------------------------------------------- */

/* Adds the recordings in a text to those there are. 0, or -1 with diagnostics: it is none, or damaged. */
int learned_read(struct diags *d, const char *file, const char *text, size_t len, struct learned *into);
/* As a recording; in the order of learned_sort(). */
void learned_write(FILE *out, const struct learned *l);

/* ---- learn_name.c ----------------------------------------------------------------------- */

/* How a rule names a device: exactly, or with its family where its number is handed out by chance. */
struct learned_name {
	const char *text;   /* as it stands in a rule: ":null", "\"char-hidraw\""; NULL: its numbers */
	const char *shown;  /* for people: "/dev/null", "c 42:7" */
	const char *what;   /* a few words, or "" */
	const char *why;    /* of a family: why it is there; NULL: it is this device alone */
	int type;
	struct interval majors, minors; /* all that it means on this host */
	enum reach reach;
	bool terminal;      /* of those that every program has: tty, ptmx, pts */
};
/* The host that is asked for names (policy/host.h), and what it said. */
struct learned_names {
	struct arena *arena;
	const struct host *host;
	bool loops;         /* the workload has numbers of loop devices handed out */
	uint32_t spared;    /* families (as the table has them) of which a member was only denied */
	uint64_t majors[(MAJOR_MAX + 1) / 64]; /* the same of numbers of drivers */
	const char *groups; /* of /proc/devices */
};
void learned_names_start(struct arena *a, const struct host *h, const struct learned *l, struct learned_names *out);
struct learned_name learned_name(struct learned_names *n, const struct learned_request *r);
/* May a recorded path stand in a rule? */
bool learned_path_fits(const char *path);

/* ---- learn_rules.c ------------------------------------------------------------------------ */

/* What is known of one name in one rule. */
struct learned_use {
	struct learned_name name;
	int letters;         /* set of ACC_*; 0: it was only looked for */
	const int64_t *uids; /* ascending; nuids 0: everybody */
	size_t nuids;
	const char *const *exes; /* ascending; nexes 0: every program */
	size_t nexes;
	uint64_t gone;       /* so many programs were gone when they were looked at */
	uint64_t unnamed;    /* and of so many no rule may tell the file */
	size_t devices;      /* so many were used */
	uint64_t times;
	uint64_t denied;     /* of what was let pass: so often filters denied it, whether it was let pass then or not */
	struct learned_program *programs; /* most first */
	size_t nprograms;
	uint64_t others;
};
enum { LEARN_SECTIONS = REACHES + 1 };
struct learned_rule {
	int section;
	const struct learned_use *uses; /* of the same letters, uids and programs */
	size_t n;
};
/* The rules for what was let pass; `denied`: for what was always denied instead. */
void learned_rules(struct arena *a, const struct host *h, const struct learned *l, bool denied, struct learned_rule **rules,
                   size_t *n);
/* "standard devices" */
const char *learned_section(int section);

/* ---- learn_ruby.c --------------------------------------------------------------------------- */

struct learn_text {
	const struct host *host;
	const char *name; /* of the policy */
	const char *from; /* what was recorded, safe to print; NULL: not known */
};
/* The whole policy. */
void learned_ruby(FILE *out, struct arena *a, const struct learned *l, const struct learn_text *t);
/* Its rules alone, each line with that before it; with `denied` those for what was always denied. False: there are none. */
bool learned_ruby_rules(FILE *out, struct arena *a, const struct learned *l, const struct host *h, bool denied,
                        const char *indent);

/* ---- learn_patch.c --------------------------------------------------------------------------- */

/* The text with `added` (whole lines) behind that line. */
char *learned_insert(struct arena *a, const char *text, size_t len, int after, const char *added);
/* The same as a unified diff of the file, as patch(1) takes it. */
void learned_patch(FILE *out, struct arena *a, const char *file, const char *text, size_t len, int after, const char *added);

#endif
