/* conditions.h - what decides beside the device, as a term and as Ruby. Private to policy/recover.c. */
#ifndef DEVGUARD_POLICY_CONDITIONS_H
#define DEVGUARD_POLICY_CONDITIONS_H

#include "policy/classes.h"

/* A condition and Ruby for it, NULL: there is none. */
struct condition { term t; const char *ruby; };

/* When a diagram of OUT_ALLOW and OUT_DENY allows. The policy has the terms and the parameters. */
struct condition condition_of(struct arena *a, struct diagrams *dg, const struct policy *p, node n);
/* When the kernel's requests for a class of devices are allowed: with what is asked for. */
struct condition condition_of_requests(struct arena *a, const struct device_classes *cs, const struct policy *p,
                                       const struct device_class *c);
/* Is it one of the sets that the kernel asks for: nothing, m, r, w, rw? */
bool is_asked(int set);

#endif
