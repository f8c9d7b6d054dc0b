/* coverage.h - what the cases of a policy cover, as the verb `test` tells it. */
#ifndef DEVGUARD_CMD_COVERAGE_H
#define DEVGUARD_CMD_COVERAGE_H

#include <jansson.h>

#include "cmd/unit.h"
#include "policy/cases.h"
#include "policy/coverage.h"

/* What the judge said, checked. A decision is a mutant of the policy that means something else (policy/mutants.h). */
struct covered {
	const struct policy *policy;
	const struct mutant_record *list; /* the decisions */
	size_t n;
	struct found_case *cases;         /* those that are missing */
	size_t ncases;
	size_t killed, undecided;         /* of the list */
	size_t undecidable;               /* given cases that cover nothing: a fact is missing */
};

/* ---- coverage.c ---- */

/* STATUS_OK or a status with diagnostics. */
int unit_coverage(struct cmd *c, const struct unit *u, const struct cases *cases, struct covered *out);

/* ---- coverage_text.c ---- */

/* What a decision is about: "minor 15, not 16". */
const char *decision_text(struct arena *a, const struct mutant_record *m);
/* A case that is missing: "allow c 195:15 rw". */
const char *case_text(struct arena *a, const struct found_case *k);

/* ---- coverage_print.c ---- */

void coverage_print(struct arena *a, const struct covered *v);
json_t *coverage_json(struct arena *a, const struct covered *v);
/* The missing cases as a part of a file of cases, for the policy that was read from `file`. `alone`: it is all of it. */
void coverage_write(FILE *out, struct arena *a, const struct covered *v, const char *file, bool alone);

#endif
