/* lint_who.h - warns of conditions on the caller that a caller gets round. */
#ifndef DEVGUARD_POLICY_LINT_WHO_H
#define DEVGUARD_POLICY_LINT_WHO_H

#include "policy/rules.h"

/* Facts that anybody sets; what is denied to one executable, and so not to its copy; to those who have what they can
 * give up; executables that run what they are told to. The policy has its terms. */
void lint_who(struct diags *d, const struct policy *p, const struct policy_diagram *pd);
/* What runs other people's programs as itself: "an interpreter", "a shell", "the loader of programs"; NULL: nothing that
 * is known by the name of its file. */
const char *runs_others(const char *path);

#endif
