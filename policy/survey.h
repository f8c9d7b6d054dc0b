/* survey.h - what a diagram says about its policy. */
#ifndef DEVGUARD_POLICY_SURVEY_H
#define DEVGUARD_POLICY_SURVEY_H

#include "policy/arena.h"
#include "policy/rules.h"

/* What a diagram reads, and which outcomes it can have. */
struct survey {
	input_set inputs;
	bool *decides;   /* by rule index + 1; [0] is the default */
};
void survey_diagram(struct arena *a, const struct policy *p, const struct policy_diagram *pd,
                    struct survey *out);
/* Warns of rules that never decide a request. */
void lint_rules(struct diags *d, const struct policy *p, struct policy_diagram *pd,
                const struct survey *s);

/* Warns of devices that were not there when the policy was compiled, and were left out. */
void lint_left_out(struct diags *d, const struct policy *p);

#endif
