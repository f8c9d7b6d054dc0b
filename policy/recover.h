/* recover.h - a decision about requests, of whatever origin, as a policy. */
#ifndef DEVGUARD_POLICY_RECOVER_H
#define DEVGUARD_POLICY_RECOVER_H

#include "policy/rules.h"

/* The rules that mean what a verdict of requests means (OUT_ALLOW, OUT_DENY; of diagrams in the order
 * ORDER_FACTS_LAST): devices that are treated alike in one rule, with as few rules as there are
 * different sets of letters, so that none can be left out. Where the answer to a request is not that
 * to each of its accesses, or hangs on the caller, rules have conditions. What the kernel never asks
 * (m together with r or w) is as it comes. The policy is about terms `ts`, and
 * has the parameters of the policy `of` (NULL: none); its rules' `source` is
 * Ruby, a line each, and `at` counts these lines; *text is all of them, and
 * *in_ruby whether it compiles: not where a condition is no Ruby (halves of comm, what is not
 * understood). 0, or -1 with a diagnostic:
 * there are too many different devices. */
int policy_recover(struct arena *a, struct diags *d, const char *name, const struct policy *of, struct diagrams *dg,
                   struct terms *ts, node verdict, struct policy **out, const char **text, bool *in_ruby);

#endif
