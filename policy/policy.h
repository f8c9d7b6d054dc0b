/*
 * policy.h - what a device policy means.
 *
 * Everything here is pure: no kernel, no mruby, no BPF. A policy is a list of
 * rules over the inputs of one device request; the first rule that matches an
 * access decides it (README.md in this directory states the meaning in full).
 *
 * Memory: objects belong to the arena they were made in and live until
 * arena_free(). Allocation never returns NULL: when memory runs out the arena
 * jumps to the handler set by arena_catch().
 */
#ifndef DEVRULING_POLICY_H
#define DEVRULING_POLICY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/budget.h"
#include "policy/host.h"

/* ---- arena.c: one allocation region a compilation ---------------------- */

struct arena;

/* A new, empty arena, or NULL when there is no memory for it. */
struct arena *arena_new(void);
/* Frees the arena and everything made in it. NULL is allowed. */
void arena_free(struct arena *a);
/* Where allocation failure jumps to (longjmp with 1). */
void arena_catch(struct arena *a, jmp_buf *handler);
/* What is allocated counts against a budget (budget.h); NULL: against none. */
void arena_charge(struct arena *a, struct budget *b);
/* The budget that the arena counts against, or NULL. */
struct budget *arena_budget(const struct arena *a);
/* Goes there: for allocations beside the arena that failed. */
_Noreturn void arena_fail(struct arena *a);
/* `size` bytes, zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);
/* Bytes the arena holds, its scratch arenas among them. */
size_t arena_size(const struct arena *a);
/* A new arena for what one stage needs: failure of its allocations is its parent's.
 * It is freed by the stage, or at the latest with its parent. */
struct arena *arena_scratch(struct arena *parent);
/* Gives back a block that is no longer needed, when it is large enough to matter. */
void arena_release(struct arena *a, void *block, size_t size);
/* Grows a block made by arena_alloc from old_size to new_size bytes; the new
 * part is zeroed. The block may move; the old one stays readable. */
void *arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size);
/* The same, but the old block is given back: nothing may point into it any more. */
void *arena_move(struct arena *a, void *old, size_t old_size, size_t new_size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap);
/* A stream whose text becomes the arena's: what is written when there is no memory fails
 * as any allocation of the arena does, at the latest in arena_text(). */
struct arena_stream { FILE *out; char *text; size_t len, cap; bool failed; };
FILE *arena_stream(struct arena *a, struct arena_stream *s);
/* Closes it. The text, and its length in s->len. */
char *arena_text(struct arena *a, struct arena_stream *s);

/* Makes room for one more element in a growing array kept as (ptr, n, cap). */
#define ARENA_PUSH(a, ptr, n, cap) ARENA_PUSH_BY(arena_grow, a, ptr, n, cap)
/* The same for an array that may be very long and that nothing points into. */
#define ARENA_APPEND(a, ptr, n, cap) ARENA_PUSH_BY(arena_move, a, ptr, n, cap)
#define ARENA_PUSH_BY(grow, a, ptr, n, cap)                                                        \
	((n) < (cap) ? (ptr) + (n)++                                                               \
	             : ((ptr) = grow((a), (ptr), (size_t)(cap) * sizeof *(ptr),                    \
	                             ((cap) ? 2 * (size_t)(cap) : 8) * sizeof *(ptr)),             \
	                (cap) = (cap) ? 2 * (cap) : 8, (ptr) + (n)++))

/* ---- diag.c: collected diagnostics ------------------------------------- */

/* A place in a source text; line and column count from 1, 0 = not known. */
struct span {
	const char *file;
	int line;
	int column;
};

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

struct diag {
	enum diag_level level;
	struct span at;     /* at.file may be NULL */
	const char *text;   /* what is wrong: one line, no full stop */
	const char *hint;   /* what to do about it, or NULL */
	const char *source; /* the source line's text, or NULL */
};

struct diags {
	struct arena *arena;
	struct diag *items;
	size_t n, cap;
	size_t errors, warnings;
};

void diags_init(struct diags *d, struct arena *a);
/* Adds one diagnostic and returns it (source is left NULL). A hint is copied;
 * NULL for none. */
struct diag *diag_add(struct diags *d, enum diag_level level, struct span at, const char *hint,
                      const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* diag_add(DIAG_ERROR) without a place; always returns -1, so that a failing
 * function can `return diag_fail(...)`. */
int diag_fail(struct diags *d, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The nearest of n candidates within an edit distance a typo explains, or NULL. */
const char *did_you_mean(const char *word, const char *const *candidates, size_t n);

/* ---- request.c: what the kernel asks ------------------------------------ */

/* The kernel's numbers, <linux/bpf.h>: BPF_DEVCG_DEV_*, BPF_DEVCG_ACC_*. */
enum { DEV_BLOCK = 1, DEV_CHAR = 2 };
enum { ACC_MKNOD = 1, ACC_READ = 2, ACC_WRITE = 4, ACC_ALL = 7 };
enum { MAJOR_MAX = 4095, MINOR_MAX = 1048575 }; /* dev_t: 12 and 20 bits */

/* The inputs of a policy. The first five are the device; the others are facts
 * about the caller, known in the kernel by a helper call. */
enum input {
	IN_TYPE,      /* DEV_BLOCK or DEV_CHAR */
	IN_REQUESTED, /* set of accesses asked together, 0..7 */
	IN_ACCESS,    /* the one access asked about: 0, 1, 2 or 4 */
	IN_MAJOR,
	IN_MINOR,
	IN_UID,
	IN_GID,
	IN_PID,
	IN_TID,
	IN_CGROUP_ID,
	IN_UPTIME, /* seconds */
	IN_COMM_0, /* bytes 0..7 of comm, as a little-endian int64 */
	IN_COMM_1, /* bytes 8..15 */
	IN_PARAM_0, /* the first parameter with a range; the others follow */
	INPUT_MAX = IN_PARAM_0 + 16
};

enum { COMM_SIZE = 16 }; /* TASK_COMM_LEN, with the final NUL */

/* The smallest and largest value an input may have. A parameter's range is not
 * known here (its policy has it): the whole of int64. */
void input_range(enum input in, int64_t *lo, int64_t *hi);
/* "major", "uid", ...; IN_COMM_* give "comm", parameters "param". */
const char *input_name(enum input in);

struct request {
	int type;            /* DEV_* */
	int access;          /* set of ACC_*, may be 0 */
	int64_t major, minor;
	int64_t fact[INPUT_MAX]; /* by enum input, from IN_UID on */
	uint32_t known;      /* bit i: fact[i] was given */
	const char *text;    /* as it was written, white space folded, comments gone */
};

/* Parses `c 1:3 rw uid=1000 comm=qemu` or `/dev/null rw ...` (the device then
 * found as the host says). Access letters in any order, none twice; `-` is none; they
 * may be left out for a path only when facts or nothing follow (then: rw).
 * 0, or -1 with *error (arena text, one line, without place). */
int request_parse(struct arena *a, const struct host *h, const char *text, struct request *r,
                  const char **error);
/* Parses one `key=value` into r. 0 or -1 with *error. */
int request_fact(struct arena *a, const char *text, struct request *r, const char **error);
/* "rw", "m", "-" ...: into buf (at least 4 bytes); returns buf. */
const char *access_text(int access, char *buf);

/* ---- cases.c: NAME.cases files ------------------------------------------ */

struct test_case {
	struct request request;
	bool allow;       /* the verdict expected */
	struct span at;
};
struct cases {
	struct test_case *items;
	size_t n, cap;
};
/* Parses a cases text (`allow c 1:3 rw [key=value...]`, `deny ...`, # comments,
 * blank lines). `file` names it in diagnostics. 0 or -1; every bad line is
 * reported, none skipped silently. */
int cases_parse(struct diags *d, const char *file, const char *text, size_t len, struct cases *out);

/* ---- device.c: device patterns and names -------------------------------- */

struct interval { int64_t lo, hi; };

/* Devices as a rule names them: all of (type in types) x majors x minors, and
 * the accesses the rule is about. */
struct pattern {
	int types;                 /* bit DEV_BLOCK (1) and DEV_CHAR (2): a set, 3 = any */
	struct interval *majors, *minors; /* ascending, disjoint */
	size_t nmajors, nminors;
	int access;                /* set of ACC_*; 0 = no letters were written */
	const char *text;          /* as written */
};

/* Parses one positional string of a rule:
 *   "c 1:3 rwm" "b 8:* r" "c 5:0-2,7 rw" "a *:* m"  letters may be left out
 *   "/dev/fuse"                                      as the host says
 *   "char-pts" "block-sd"                            by /proc/devices, as the host says
 * 0, or -1 with *error and *hint set. */
int pattern_parse(struct arena *a, const struct host *h, const char *text, struct pattern *out,
                  const char **error, const char **hint);
/* The well-known device of that name (null, zero, full, random, urandom, tty,
 * console, ptmx, pts, kmsg, mem, port, fuse, tun, kvm, ...). 0 or -1 with
 * *error, *hint (a near name). */
int pattern_named(struct arena *a, const char *name, struct pattern *out, const char **error,
                  const char **hint);
/* Set of ACC_* of letters such as "rw", or -1 (empty, unknown or repeated letter). */
int access_parse(const char *letters);
/* Does the pattern of an allow (or deny) rule match this access of a device?
 * access is one ACC_* or 0 (README.md: requests with no access bit). The
 * reference for what rule_devices() builds as a term. */
bool pattern_matches(const struct pattern *p, bool deny, int type, int64_t major, int64_t minor,
                     int access);
/* "c 10:229 rwm": canonical text of a pattern. */
char *pattern_text(struct arena *a, const struct pattern *p);

/* ---- term.c: hash-consed expressions over the inputs --------------------- */

typedef uint32_t term;
enum { T_FALSE = 0, T_TRUE = 1 };

enum term_op {
	/* booleans */
	TERM_FALSE, TERM_TRUE, TERM_NOT, TERM_AND, TERM_EQ, TERM_LT,
	/* integers */
	TERM_CONST, TERM_INPUT,
	TERM_ITE, /* c ? a : b */
	TERM_ADD, TERM_SUB, TERM_MUL, TERM_DIV, TERM_MOD, /* floor; total: see term_op */
	TERM_BAND, TERM_BOR, TERM_BXOR, TERM_SHL, TERM_SHR,
	TERM_OPS
};

struct term_node {
	uint8_t op;
	bool chooses;   /* it, or a term below it, is a TERM_ITE */
	term a, b, c;   /* operands; TERM_INPUT: a = enum input */
	int64_t lo, hi; /* every value it can have; TERM_CONST: lo == hi */
	uint32_t inputs; /* set of enum input it reads */
	uint32_t height; /* operations on the longest way to an input or constant */
};

struct terms;
struct terms *terms_new(struct arena *a);
/* Narrows an input's range; before any term reads it (parameters). */
void terms_input_range(struct terms *ts, enum input in, int64_t lo, int64_t hi);
const struct term_node *term_get(const struct terms *ts, term t);
size_t terms_count(const struct terms *ts);

term term_const(struct terms *ts, int64_t v);
term term_input(struct terms *ts, enum input in);
/* Integer operations are total, so that a term may be evaluated where its
 * guard does not hold: they wrap at 64 bits; SHL and SHR (arithmetic) use the
 * low six bits of the count; DIV and MOD take the divisor as unsigned:
 * s = a >> 63, DIV = ((a ^ s) / b) ^ s with x / 0 = 0, MOD = a - b * DIV, which
 * is Ruby's floor division and modulo for b > 0. */
term term_op(struct terms *ts, enum term_op op, term a, term b);
/* c ? a : b for integers a and b; the condition that is kept is never a NOT. */
term term_ite(struct terms *ts, term c, term a, term b);
/* Boolean constructors fold and normalise: only NOT, AND, EQ and LT are kept. */
term term_not(struct terms *ts, term a);
term term_and(struct terms *ts, term a, term b);
term term_or(struct terms *ts, term a, term b);
term term_eq(struct terms *ts, term a, term b);
term term_lt(struct terms *ts, term a, term b); /* signed */
term term_le(struct terms *ts, term a, term b);
/* lo <= a <= hi */
term term_between(struct terms *ts, term a, int64_t lo, int64_t hi);
/* Narrows *lo..*hi, a range of t, by what the conjunction `given` says; looks a
 * bounded way into both. */
void term_range_given(const struct terms *ts, term given, term t, int64_t *lo, int64_t *hi);
/* Value of a term for values of the inputs (indexed by enum input): 0 or 1 for
 * a boolean. Total, iterative. */
int64_t term_eval(struct terms *ts, term t, const int64_t *inputs);
/* A boolean term of one input, by value of that input, lo..hi: true or false up to `hi`, from
 * the piece before. 0: more than `max` pieces, or too much work. */
struct term_piece { int64_t hi; bool value; };
size_t term_pieces(struct terms *ts, term t, enum input in, int64_t lo, int64_t hi,
                   struct term_piece *out, size_t max);
/* The term with an input replaced by a value; with a condition (or its negation) true: choices
 * made by it, or by what it decides, become the arm. */
term term_substitute(struct terms *ts, term t, enum input in, int64_t value);
term term_assume(struct terms *ts, term t, term literal);
/* A choice that is an operand of the comparison t, with no other in its condition; T_FALSE: none. */
term term_top_choice(const struct terms *ts, term t);
/* The first choice below a condition that others are computed from; T_FALSE: there is none. */
term term_choice_in(struct terms *ts, term t);
/* Does each comparison in a condition read one input only? */
bool term_reads_one(struct terms *ts, term t);
/* One operation on constants, as term_op defines it. */
int64_t term_apply(enum term_op op, int64_t a, int64_t b);
/* "major == 195 && minor < 4": for people; cut to about `limit` bytes. */
char *term_text(struct arena *a, const struct terms *ts, term t, size_t limit);
/* The whole DAG below the given roots, one numbered line a node (--emit=terms). */
void terms_dump(FILE *out, const struct terms *ts, const term *roots, const char *const *names,
                size_t n);

/* ---- diagram.c: decision diagrams ---------------------------------------- */

/* A node is an interval switch on one variable, hash-consed: equal functions
 * are equal nodes. Terminals are outcomes. Variables are the inputs, then free
 * boolean variables, one for each comparison that is no predicate of one input. */
typedef uint32_t node;

/* Outcome of one access or request: which rule decided and how. */
typedef uint32_t outcome;
enum { OUT_PASS = 0, OUT_DENY = 1, OUT_ALLOW = 2, OUT_ERROR = 3, OUTCOME_BITS = 2 };
#define OUTCOME(kind, rule) ((outcome)(kind) | (outcome)(rule) << OUTCOME_BITS)
#define OUTCOME_KIND(o) ((o) & ((1u << OUTCOME_BITS) - 1))
#define OUTCOME_RULE(o) ((o) >> OUTCOME_BITS) /* 1 + index in the policy; 0 = the default */

enum diagram_order { ORDER_FACTS_LAST, ORDER_FACTS_FIRST };
enum { DIAGRAM_ORDERS = 2 };

struct diagrams; /* a set of diagrams that share nodes and a variable order */
struct diagrams *diagrams_new(struct arena *a, struct terms *ts, enum diagram_order order);
/* A new set with the order and the free variables of another, and of its nodes only
 * what is below the roots, which become nodes of the new one. */
struct diagrams *diagrams_kept(struct arena *a, const struct diagrams *from, node *roots, size_t n);
/* Forgets which operations were done already: memory, when others follow. */
void diagrams_forget(struct diagrams *dg);

struct edge { int64_t hi; node to; }; /* values up to hi, from the edge before */
struct switch_node {
	uint32_t var;       /* enum input, or INPUT_MAX + i: free variable i */
	uint32_t n;
	const struct edge *edges; /* ascending; the last hi is the variable's largest value */
};
/* How many nodes the set holds: every node that is no terminal is below it. */
size_t diagram_nodes(const struct diagrams *dg);
bool node_is_terminal(node n, outcome *out);
struct switch_node node_switch(const struct diagrams *dg, node n);
/* The comparison a free variable stands for. */
term diagram_free_term(const struct diagrams *dg, uint32_t var);
/* Smallest and largest raw value of a variable, as a program may meet it. */
int64_t diagram_var_min(const struct diagrams *dg, uint32_t var);
int64_t diagram_var_max(const struct diagrams *dg, uint32_t var);
/* Position of a variable in the order; terminals come last. */
uint32_t diagram_level(const struct diagrams *dg, uint32_t var);

node diagram_terminal(outcome o);
/* Interval switch; edges are merged where equal. */
node diagram_switch(struct diagrams *dg, uint32_t var, const struct edge *edges, size_t n);
/* if cond then yes else no: cond is boolean; linear in the sizes' product. */
node diagram_ite(struct diagrams *dg, node cond, node yes, node no);
/* A boolean term as a diagram of OUT_ALLOW (true) and OUT_PASS (false). */
node diagram_of_term(struct diagrams *dg, term t);
/* a where it decides, else b. */
node diagram_over(struct diagrams *dg, node a, node b);
/* a where it denies; else b where that denies; else a. */
node diagram_first_deny(struct diagrams *dg, node a, node b);
/* The diagram with one variable fixed. */
node diagram_restrict(struct diagrams *dg, node n, uint32_t var, int64_t value);
/* Overlays n diagrams in order, in halves. */
node diagram_over_all(struct diagrams *dg, const node *parts, size_t n);
/* Values of the inputs by enum input; an input not in the set `known` that is
 * asked for ends the walk: *missing (enum input) is set and OUT_ERROR returned;
 * *missing is -1 otherwise. */
outcome diagram_eval(struct diagrams *dg, node root, const int64_t *inputs, uint32_t known,
                     int *missing);
/* Nodes and edges below root. */
void diagram_size(const struct diagrams *dg, node root, size_t *nodes, size_t *edges);
/* Text of the diagram, one node a line; and Graphviz. */
void diagram_dump(FILE *out, const struct diagrams *dg, node root);
void diagram_dot(FILE *out, const struct diagrams *dg, node root, const char *title);
/* False once the node budget (DIAGRAM_BUDGET) was exceeded: results are then
 * meaningless and must not be used. */
enum { DIAGRAM_BUDGET = 512 << 10 };
bool diagram_ok(const struct diagrams *dg);
/* Sets the budget of a set; what is kept of it has the same. */
void diagrams_allow(struct diagrams *dg, size_t nodes);

/* ---- rules.c: a policy, and its diagrams --------------------------------- */

/* A way a block can raise, asked before the block's own answer. */
struct raise {
	term when;
	struct span at;
	const char *what; /* "undefined method 'include?' for nil" */
};

enum { ERRNO_MAX = 133 }; /* EHWPOISON, the last errno of Linux */

struct rule {
	bool deny;
	int error;                /* errno of a denial by it, 0: the kernel's EPERM */
	struct span at;
	const char *label;        /* or NULL */
	const char *source;       /* text of the rule's first line */
	struct pattern *patterns; /* any of them; none = every device */
	size_t npatterns;
	int block;                /* index of the compiler's block, -1 = none */
	term devices;             /* a pattern matches */
	term match;               /* the whole condition: devices and block, no raise */
	struct raise *raises;     /* disjoint of match, in order */
	size_t nraises;
};

/* A `param` with a range: a runtime input (IN_PARAM_0 + index). */
struct param {
	const char *name;
	int64_t value, lo, hi;
};

/* What a program reports, and whether what the rules deny is denied. */
enum audit_level { AUDIT_NONE, AUDIT_DENIED, AUDIT_ALL };
enum policy_mode { MODE_ENFORCE, MODE_PERMISSIVE };

struct policy {
	struct arena *arena;
	struct terms *terms;
	const char *name;  /* `policy "name"`, else the file's */
	const char *file;
	bool default_allow;
	struct span default_at;
	enum audit_level audit;
	bool audit_given;  /* by the file; permissive mode without it reports denials */
	enum policy_mode mode;
	struct rule *rules;
	size_t nrules, rules_cap;
	struct param *params;
	size_t nparams, params_cap;
	/* The policy as an object has it, of one whose terms are not here: it came from
	 * another process. NULL data: it is made from the terms. */
	struct { const void *data; size_t len; uint64_t digest; } serial;
};

/* The file of each rule as struct image_line has it. */
const uint32_t *policy_files(struct arena *a, const struct policy *p);
/* The name of such a file. */
const char *policy_file(const struct policy *p, uint32_t file);
/* The `devices` term of a rule from its patterns. */
term rule_devices(struct policy *p, const struct rule *r);

/* A policy as functions of a whole request. Both deny outside the domain of
 * requests when asked with raw 32-bit values. */
struct policy_diagram {
	struct diagrams *dg;
	node verdict;     /* OUT_ALLOW or OUT_DENY, rule 0 */
	node attribution; /* the same with the deciding rule, OUT_ERROR for a raise */
	node access;      /* the rules asked about one access, IN_ACCESS */
	/* With policy_has_tail() only. Requests to what is reported of them, see below;
	 * allowed ones are all alike unless `audit :all`. Without audit the `rule` is the
	 * errno instead. */
	node report;
	node blame;       /* that where it denies; elsewhere anything, so that it is small */
};
/* Builds them for one variable order. 0, or -1 with a diagnostic at the rule where
 * the node budget is exceeded. */
int policy_diagram(struct policy *p, struct diags *d, enum diagram_order order,
                   struct policy_diagram *out);
/* The same for the first order that fits the budget. */
int policy_diagram_any(struct policy *p, struct diags *d, struct policy_diagram *out);
/* How many orders differ: only where a rule reads a caller fact there are several. */
int policy_orders(const struct policy *p);
/* Builds them for every order by which they are small: out[order].dg is NULL for one
 * that is out of proportion. 0, or -1 as above when no order fits the budget. */
int policy_diagrams(struct policy *p, struct diags *d, struct policy_diagram out[DIAGRAM_ORDERS]);

/* What a program reports of a decision, as the `rule` of an outcome: the rule and
 * the access that decided. */
enum { REPORT_ACCESS_BITS = 2, REPORT_MKNOD = 1, REPORT_READ = 2, REPORT_WRITE = 3 };
/* Does any rule deny with an errno of its own? */
bool policy_has_errno(const struct policy *p);
/* Does a denial do more than return: report, take an errno, or let pass? */
bool policy_has_tail(const struct policy *p);
/* The errno of a denial with an outcome of `report`, 0: the kernel's. */
int policy_outcome_errno(const struct policy *p, outcome o);

/* The verdict on a request and the rule that decided. */
struct decision {
	bool allow;
	bool error;                /* a raise decided */
	const struct rule *rule;   /* NULL: the default (or outside the domain) */
	const struct raise *raise; /* when error */
};
/* 0, or -1 with *missing = the fact that decides and was not given. */
int policy_decide(const struct policy *p, const struct policy_diagram *pd, const struct request *r,
                  struct decision *out, int *missing);

/* ---- foreign.c: device lists of other tools ------------------------------------ */

enum foreign_format {
	FOREIGN_OCI, FOREIGN_DOCKER, FOREIGN_INSPECT, FOREIGN_COMPOSE, FOREIGN_SYSTEMD, FOREIGN_LXC,
	FOREIGN_PROXMOX, FOREIGN_V1, FOREIGN_FORMATS
};
/* "oci", "docker", ... */
extern const char *const foreign_names[FOREIGN_FORMATS];

enum { FOREIGN_ANY = -1 }; /* every major, every minor */

struct foreign_entry {
	bool allow;
	bool builtin;                /* none of the list: the tool adds it by itself */
	bool v2;                     /* lxc: the key is of cgroup v2 */
	bool lone;                   /* lxc: `a` alone, at which LXC forgets the rules before */
	uint8_t types, access;       /* sets of DEV_*, ACC_*; never empty */
	int32_t major, minor;        /* or FOREIGN_ANY */
	const struct pattern *named; /* a path or group as this host has it: instead of the numbers */
	const char *file;
	uint32_t place;              /* line of the file, or index in the list */
	bool in_rules;               /* inspect: of DeviceCgroupRules, not of Devices */
	const char *path;            /* the numbers are those of this path on this host, or NULL */
	const char *note;            /* where the tool itself does otherwise, or NULL */
};

/* A line that grants nothing here: the device it names is not there, or its tool
 * passes over the line. The policy has it as a comment. */
struct foreign_skip {
	const char *file;
	uint32_t line;
	const char *rule;        /* as a pattern: "char-nvidia-uvm rw" */
	const char *why, *hint;
};

/* A list in the order of its tool, where the last entry that matches an access
 * decides it, else default_allow. */
struct foreign {
	enum foreign_format format;
	const char *file;        /* where it comes from, as messages name it */
	const char *name;        /* for the policy */
	bool default_allow;
	bool exact;              /* set by the caller: without what the tool adds by itself */
	struct foreign_entry *entries, *added; /* added: what the tool allows unless an entry about
	                                          devices of one major or minor says otherwise */
	size_t n, cap, nadded, added_cap;
	const char **notes;      /* about the whole list */
	size_t nnotes, notes_cap;
	struct foreign_skip *skipped;
	size_t nskipped, skipped_cap;
	const char *silent;      /* it says nothing about devices; then: how that is told, */
	const char *silent_hint; /* and what its tool does with such a file */
	const char *open;        /* why every device is allowed although no entry says so, or NULL */
};

/* Each reads one list whole. 0, or -1 with diagnostics: nothing is skipped. */
/* linux.resources.devices of an OCI config.json. */
int foreign_oci(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out);
/* Values of docker's --device-cgroup-rule, the option's name may stand in front. */
int foreign_docker(struct diags *d, const char *const *rules, size_t n, struct foreign *out);
/* What docker inspect prints of one container: HostConfig. */
int foreign_inspect(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out);
/* A service of a compose file; NULL: the only one. */
int foreign_compose(struct diags *d, const char *file, const char *text, size_t len, const char *service,
                    struct foreign *out);
/* A unit file, or what `systemctl cat` prints. Paths and groups are this host's. */
int foreign_systemd(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out);
/* A container's configuration; lxc.include is followed. */
int foreign_lxc(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out);
/* /etc/pve/lxc/ID.conf: the lxc.* keys of its first section. foreign_lxc() reads
 * such a file, too. */
int foreign_proxmox(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out);
/* devices.list of the v1 controller. */
int foreign_v1(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out);

/* Tells what a list leaves open: skipped lines (errors, when the caller wants none),
 * and that everything is allowed. A list that says nothing about devices is an
 * error, or, when the caller says that it is meant, allows every device. 0 or -1. */
int foreign_settle(struct diags *d, struct foreign *f, bool empty_is_allow, bool missing_fails);

/* The list as a Ruby policy; about n log n for n entries. */
void foreign_ruby(FILE *out, struct arena *a, const struct foreign *f);
/* The list as a policy, which decides as that Ruby does. 0 or -1. */
int foreign_policy(struct arena *a, struct diags *d, const struct foreign *f, struct policy **out);

/* ---- image.c: a program ready to be written to an object ------------------ */

/* From this instruction on; file: 0 the policy's, else 1 + the first rule that is in it. */
struct image_line { uint32_t insn; int line; uint32_t file; };
/* An ldimm64 of an address: of parameter `target`, or one of those below. */
struct image_reloc { uint32_t insn; uint32_t target; };
enum image_target { TARGET_HEADER = 1 << 16, TARGET_EVENTS, TARGET_TALLY, TARGET_TOTALS, TARGET_CONFIG,
                    TARGETS_END };

struct image {
	const void *insns; /* 8-byte BPF instructions */
	size_t ninsns;
	const struct image_line *lines;
	size_t nlines;
	const struct image_reloc *relocs;
	size_t nrelocs;
	size_t tail;        /* first of the instructions that report and return a denial;
	                       ninsns: there are none */
	unsigned longest;   /* instructions on the longest path of a request that is not reported */
};

/* The head of every program's .rodata, readable without BTF: how our programs
 * are found again in the kernel. Followed by nparams int64 values (in the order
 * of the policy's parameters), then bpf_metadata_* strings. Little-endian. */
#define IMAGE_MAGIC 0x4452414756454452ull
enum { IMAGE_VERSION = 2, IMAGE_NAME_MAX = 64 };
struct image_header {
	uint64_t magic;
	uint32_t version;
	uint32_t size;                /* of this header, in bytes */
	char name[IMAGE_NAME_MAX];    /* the policy's name, NUL-terminated */
	char tool[16];                /* version of the tool that compiled it */
	uint32_t nrules;
	uint32_t nparams;
	uint64_t digest;              /* FNV-1a 64 of the policy's canonical text */
	uint32_t audit;               /* enum audit_level */
	uint32_t mode;                /* enum policy_mode */
	uint32_t generation;          /* set when it is loaded: struct event */
	uint32_t features;            /* enum feature: cleared when loaded where the kernel lacks it */
};
enum feature { FEATURE_PID = 1, FEATURE_COMM = 2 };

/* ---- limits.c: what a compilation may take ------------------------------------ */

struct limits {
	double seconds; /* of the clock */
	double cpu;     /* of CPU time */
	size_t memory;  /* bytes */
};
enum { LIMIT_SECONDS = 10, LIMIT_CPU = 5, LIMIT_MEMORY = 512 << 20 };
/* "time=30s,cpu=20s,memory=2g", any of them; what is not named stays, but CPU time, which
 * keeps step with the time. NULL with *out, or what the text is instead. */
const char *limits_parse(const char *text, struct limits *out);

/* ---- manifest.c: guard.yaml, which policy guards which container ---------- */

struct manifest;

/* Reads the text of a manifest (rucy-devguard-guard.yaml(5)); `file` names it in
 * messages. 0, or -1: all that is wrong is reported, with line and column. */
int manifest_read(struct arena *a, struct diags *d, const char *file, const char *text, size_t len,
                  struct manifest **out);
/* Adds an error at a place of the manifest, with its line; always -1. */
int manifest_fail(const struct manifest *m, struct diags *d, struct span at, const char *hint,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

struct annotation {
	const char *key, *value;
};

/* What is known of a container. NULL: not known, and no condition on it holds. */
struct container {
	const char *id, *name, *image;
	const char *cgroup; /* from the mount of its hierarchy on: "/machine.slice/x" */
	bool rootless;
	const struct annotation *annotations;
	size_t nannotations;
};
/* Fills in name and image, where they are NULL, from the annotations that CRI-O
 * and containerd give. */
void container_describe(struct container *who);

enum ruling_kind { RULING_REFUSE, RULING_NONE, RULING_POLICY };

struct ruling_param {
	const char *name;
	int64_t value;
	struct span at;
};

/* What the manifest says about a container. */
/* The size of a ring buffer for records, "65536", "64K" or "1M": a power of two, from a page to
 * 256M. NULL, or what it is not. */
const char *ring_size_parse(const char *text, uint32_t *bytes);

struct ruling {
	const char *entry;      /* the name of the entry, or "default" */
	struct span at;         /* of the entry */
	enum ruling_kind kind;
	const char *why;        /* RULING_REFUSE: for people */
	const char *policy;     /* RULING_POLICY: its name, for manifest_policy_open() */
	struct span policy_at;  /* where it is named */
	const struct ruling_param *params;
	size_t nparams;
	bool mode_given, audit_given;
	enum policy_mode mode;
	enum audit_level audit;
	uint32_t ring;          /* bytes of the ring buffer, 0: not given */
	const char *limit;      /* for limits_parse(), which takes it; NULL: not given */
};

/* The first entry that matches decides, else the default. 0, or -1 with a
 * diagnostic: an annotation asks for what the manifest does not offer. */
int manifest_choose(struct arena *a, struct diags *d, const struct manifest *m,
                    const struct container *who, struct ruling *out);

/* The entries in order, without the default. */
struct manifest_entry {
	const char *name;
	struct span at;
	bool by_cgroup; /* its one condition is the cgroup, and no annotation is read */
};
size_t manifest_entries(const struct manifest *m, const struct manifest_entry **list);
/* manifest_choose() of a cgroup of which only the path is known: only entries
 * by_cgroup are asked, and not the default. False: none matches. */
bool manifest_choose_cgroup(struct arena *a, const struct manifest *m, const char *cgroup,
                            struct ruling *out);
/* Everything with a policy that manifest_choose() may answer, the default too:
 * parameters from annotations stand at the ends of their ranges. */
void manifest_variants(struct arena *a, const struct manifest *m, const struct ruling **list,
                       size_t *n);

struct policy_file {
	int fd;           /* for reading, O_CLOEXEC */
	const char *path;
};
/* Opens NAME.rb or NAME.o in the first directory of the manifest that has one.
 * What anybody but root could have written, or a symbolic link on the way, is
 * refused. `at` is where the manifest names it. 0, or with a diagnostic -1, or -2 when the
 * host could not tell. */
int manifest_policy_open(struct arena *a, struct diags *d, const struct manifest *m,
                         const char *name, struct span at, struct policy_file *out);

/* ---- trusted.c: files that only root can have written ------------------------ */

/* Opens an absolute path for reading: no component is a symbolic link; all belong
 * to root; the file and its directory can be written by root only, the directories
 * above too, or they are sticky. 0 with *fd; 1: it is not there; -1 with *why: others may
 * have written it; -2 with *why: the host could not tell. */
int trusted_open(struct arena *a, const char *path, int *fd, const char **why);

#endif
