/* claims.h - what a policy says of all requests, proven. */
#ifndef DEVGUARD_POLICY_CLAIMS_H
#define DEVGUARD_POLICY_CLAIMS_H

#include "policy/rules.h"

enum claim_state {
	CLAIM_HOLDS,    /* for every request, caller and value of a parameter */
	CLAIM_FALSE,    /* there is a counterexample */
	CLAIM_UNKNOWN,  /* it hangs on values that are not understood */
	CLAIM_UNPROVEN, /* on comparisons of several inputs, or it is too much work */
	CLAIM_STATES
};

struct claim_answer {
	enum claim_state state;
	bool about_nothing;        /* it is about no request */
	/* CLAIM_FALSE: the counterexample, what decides it, and which inputs matter */
	int64_t inputs[INPUT_MAX];
	input_set asked;
	struct decision by;
	const char *on;            /* CLAIM_UNKNOWN, CLAIM_UNPROVEN: what it hangs on */
};

/* Puts claims to a policy; their conditions are of its terms. A value behind the policy's parameters is one
 * that is not understood. */
void claims_prove(struct arena *a, struct policy *p, const struct policy_diagram *pd, const struct claim *list, size_t n,
                  struct claim_answer *out);

/* ---- claims_text.c ------------------------------------------------------------------- */

/* The answer as a message at the claim's place; nothing for one that holds. */
void claim_tell(struct diags *d, const struct policy *p, const struct claim *c, const struct claim_answer *answer);
/* A counterexample as eval reads it: "b 8:0 w uid=0"; the parameters that matter: "gpu=3 slot=1", or "". */
const char *claim_request(struct arena *a, const struct policy *p, const struct claim_answer *answer);
const char *claim_params(struct arena *a, const struct policy *p, const struct claim_answer *answer);
/* The name of its device below /dev, or NULL. */
const char *claim_device(struct arena *a, const struct claim_answer *answer);
/* Warns of claims that are about no request, and of such as say again what one before says. */
void lint_claims(struct diags *d, const struct claim *list, size_t n, const struct claim_answer *answers);

#endif
