/* meaning.h - what a policy amounts to, in a line. */
#ifndef DEVGUARD_POLICY_MEANING_H
#define DEVGUARD_POLICY_MEANING_H

#include "policy/rules.h"

enum { MEANING_MAX = 192 };
/* "opens 9 character devices and c 136:*, no block device; makes everything": exact, about reading,
 * writing and making nodes, of what is allowed whoever asks; what some callers have beside it is told
 * by the facts that decide. Shorter than MEANING_MAX. Parameters have the policy's values. */
const char *policy_meaning(struct arena *a, const struct policy *p, const struct policy_diagram *pd);

#endif
