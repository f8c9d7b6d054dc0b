/* mutants.h - the mutants of a policy: all that one step in one line of it would change. */
#ifndef DEVGUARD_POLICY_MUTANTS_H
#define DEVGUARD_POLICY_MUTANTS_H

#include "policy/interval.h"
#include "policy/rules.h"

enum mutant_kind {
	MUTANT_RULE,      /* the rule is gone */
	MUTANT_VERDICT,   /* it has the other verdict */
	MUTANT_DEFAULT,   /* the default is the other one */
	MUTANT_VALUE,     /* a boundary between `value` and `other` is moved by one: `value` changes sides; `other` is
	                   * `value` where there is no number beyond */
	MUTANT_LETTER,    /* the letter `value` of a pattern is gone, or there too */
	MUTANT_CONDITION, /* a comparison of several inputs, or of a name, is always `value` */
	MUTANT_KINDS
};

struct mutant {
	enum mutant_kind kind;
	size_t rule;          /* 1 + index; 0: the default */
	enum input input;     /* MUTANT_VALUE */
	int64_t value, other;
	bool inside;          /* the condition holds for `value`, or has the letter */
	const char *text;     /* the pattern or comparison, or "" */
	node diff;            /* where it decides an access otherwise (IN_ACCESS): OUT_ALLOW, else OUT_PASS */
	struct interval majors; /* and elsewhere it does not */
};

struct mutants {
	struct policy policy; /* with its parameters as constants */
	struct policy_diagram pd;
	node allows;          /* one access: OUT_ALLOW, else OUT_PASS */
	node possible;        /* callers that there can be (policy/callers.h) */
	input_set inputs;     /* those by which it decides */
	bool sets;            /* some rule reads ctx.requested */
	input_set compared;   /* inputs of comparisons that are free variables */
	uint32_t ncompared;   /* how many of these there are, from INPUT_MAX on */
	bool *many;           /* by comparison: it changes too often to calculate where; scratch of coverage_find.c */
	struct mutant *list;  /* in the order of the rules; none means what another of the same rule does */
	size_t n, cap;
	size_t equal;         /* of those that were made mean what the policy does */
};

enum { MUTANTS_MAX = 20000 };
/* All mutants that are not the policy, within what the kernel asks: one access, or r and w together. The
 * patterns of a rule without a block are taken one by one, and of any other rule each comparison at each
 * place where it stands. Time for each mutant times the pieces of the diagram; 0, or -1 with a diagnostic:
 * there are more than MUTANTS_MAX, or the diagrams are too large. */
int policy_mutants(struct arena *a, struct diags *d, const struct policy *p, struct mutants *out);
/* Where a mutant decides a request for a set of accesses otherwise, without IN_ACCESS and IN_REQUESTED. */
node mutant_request_diff(struct mutants *ms, const struct mutant *m, int set);

#endif
