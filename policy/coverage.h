/* coverage.h - which mutants of a policy its cases tell from it, and the cases that are missing. */
#ifndef DEVGUARD_POLICY_COVERAGE_H
#define DEVGUARD_POLICY_COVERAGE_H

#include "policy/mutants.h"

/* What becomes of a mutant. */
enum fate {
	FATE_KILLED,    /* a case has another verdict under it */
	FATE_LIVES,     /* no case has; a new one does */
	FATE_UNDECIDED, /* nor was a request found that has, or a proof that there is none */
	FATE_EQUAL,     /* no request can have: it is not counted */
	FATES
};

struct found_case {
	struct request request; /* without text */
	bool allow;
};

struct coverage {
	struct mutants mutants;
	enum fate *fates;   /* by mutant */
	size_t *by;         /* by mutant: 1 + the first case that kills it, a given one or (FATE_LIVES) of `found` */
	bool *needs;        /* by mutant: only that one does, of `found` */
	size_t count[FATES];
	struct found_case *found; /* in the order of the rules that they are for */
	size_t nfound;
	size_t undecidable; /* given cases that hang on a fact which they do not give: they kill nothing */
};

/* Measures n cases, and finds those that are missing so that every mutant is killed that can be: of these none
 * can be left out. None asks for m together with another access. 0, or -1 with a diagnostic. */
int policy_coverage(struct arena *a, struct diags *d, const struct policy *p, const struct request *cases, size_t n,
                    struct coverage *out);

#endif
