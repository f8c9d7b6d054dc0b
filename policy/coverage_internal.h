/* coverage_internal.h - what the files that measure and find cases share. */
#ifndef DEVGUARD_POLICY_COVERAGE_INTERNAL_H
#define DEVGUARD_POLICY_COVERAGE_INTERNAL_H

#include "policy/arena.h"
#include "policy/asked.h"
#include "policy/coverage.h"
#include "policy/find.h"

/* A request as values, with the answer of the policy. */
struct trial {
	int64_t inputs[INPUT_MAX]; /* IN_REQUESTED: what is asked together */
	input_set known;
	int allowed;  /* of the accesses asked, those that are allowed: set of ACC_* */
	bool decided; /* no fact is missing by which any access, or its rule, is decided */
	bool allow;
};

/* ---- coverage_kill.c ---- */

struct trial trial_of(const struct request *r);
/* With its words. False: they are no request. */
bool trial_request(const struct asked *as, const struct trial *t, struct request *out);
/* What the policy says to it: sets the last three. */
void trial_ask(struct mutants *ms, struct trial *t);
/* Do a policy and a mutant differ on it, whatever facts are not given? */
bool trial_kills(struct mutants *ms, const struct mutant *m, const struct trial *t);

/* ---- coverage_find.c ---- */

/* A request that kills a mutant, of few and small numbers where there is a choice. FOUND_NONE is proven. */
enum found find_trial(struct mutants *ms, const struct mutant *m, struct trial *out);

#endif
