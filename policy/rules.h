/*
 * rules.h - what a device policy means: rules, and their diagrams.
 *
 * Everything in policy/ is pure: no kernel, no mruby, no BPF. A policy is a list of rules
 * over the inputs of one device request; the first rule that matches an access decides it
 * (README.md states the meaning in full).
 */
#ifndef DEVGUARD_POLICY_RULES_H
#define DEVGUARD_POLICY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/diag.h"
#include "policy/diagram.h"
#include "policy/request.h"
#include "policy/term.h"

struct asked;
struct pattern;

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

/* A statement about every request, proven and not asked: no access that `what` matches is allowed
 * (never), or every request for such accesses alone is (always). */
struct claim {
	bool always;
	struct rule what; /* its place, label, patterns and condition; it raises nowhere */
};
enum { CLAIMS_MAX = 1000 };

/* A `param` with a range: a runtime input (IN_PARAM_0 + index). */
struct param {
	const char *name;
	int64_t value, lo, hi;
};

/* What a program reports, and whether what the rules deny is denied. */
enum audit_level { AUDIT_NONE, AUDIT_DENIED, AUDIT_ALL, AUDIT_LEVELS };
enum policy_mode { MODE_ENFORCE, MODE_PERMISSIVE, POLICY_MODES };
/* What policies, options and manifests call them. */
extern const char *const audit_words[AUDIT_LEVELS], *const mode_words[POLICY_MODES];
extern const char *const grants_words[2]; /* by policy.grants */

/* What a policy's name, 1 to IMAGE_NAME_MAX - 1 bytes, is made of; a file's name of one too. */
#define POLICY_NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

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
	bool grants;       /* `grants :allowed`: a grant may open what it denies */
	struct rule *rules;
	size_t nrules, rules_cap;
	struct claim *claims;
	size_t nclaims, claims_cap;
	struct param *params;
	size_t nparams, params_cap;
	const struct asked *asked; /* of one whose terms are not here: policy_asks() */
	struct raw *raw;     /* what else it does (policy/raw.h); NULL: a policy of rules */
	struct { const void *data; size_t len; } handlers; /* bytecode of the file, where it has a user half; NULL: none */
	const char *meaning; /* policy_meaning(), of one that was proven, or NULL */
	/* The policy as an object has it, of one whose terms are not here: it came from
	 * another process. NULL data: it is made from the terms. */
	struct { const void *data; size_t len; uint64_t digest; } serial;
};

/* Permissive mode is there to report: without a word about audit, denials are reported. */
void policy_permissive_reports(struct policy *p, bool audit_said);
/* Mode and audit as who compiles it says, 1 + value, 0: as the policy says. True: the program
 * differs. Warns of permissive mode without audit. */
bool policy_override(struct policy *p, struct diags *d, int mode, int audit);

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

/* What a rule decides about one access, as the rule of that number; OUT_PASS elsewhere. */
node rule_decides(struct diagrams *dg, const struct rule *r, uint32_t number);

/* A diagram within the domain of requests, another outside of it. */
node requests_within(struct diagrams *dg, node n, node outside);

/* What a program reports of a decision, as the `rule` of an outcome: the rule and
 * the access that decided. */
enum { REPORT_ACCESS_BITS = 2, REPORT_MKNOD = 1, REPORT_READ = 2, REPORT_WRITE = 3 };
/* Does any rule deny with an errno of its own? */
bool policy_has_errno(const struct policy *p);
/* Does a denial do more than return: report, take an errno, or let pass? */
bool policy_has_tail(const struct policy *p);
/* The errno of a denial with an outcome of `report`, 0: the kernel's. */
int policy_outcome_errno(const struct policy *p, outcome o);

/* What a policy asks of the calling task: its inputs from IN_ASK_0 on, and the names of files (policy/asked.h). */
const struct asked *policy_asks(const struct policy *p);

/* The inputs that its rules read. */
input_set policy_inputs(const struct policy *p);
/* Does it read the calling task (policy/facts.def, TASK_FACT; policy/asked.h)? */
bool policy_reads_task(const struct policy *p);
/* Where the kernel does not tell a fact about the calling task, a request that depends on it is denied as by an exception:
 * the outcome, of the first rule that reads the fact, as `report` has it. */
outcome policy_untold(const struct policy *p, enum input in);

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
/* On which facts the answer to a request depends still, beside those that it gives. *allows: with other values of them a
 * rule allows it, the first such, or the default (rule NULL). */
struct policy_open { input_set facts; bool allows; const struct rule *rule; };
struct policy_open policy_open(struct arena *a, const struct policy *p, const struct policy_diagram *pd, const struct request *r);

#endif
