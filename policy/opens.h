/* opens.h - the requests that a host program opens (policy/hostprog.h), as a diagram. */
#ifndef DEVGUARD_POLICY_OPENS_H
#define DEVGUARD_POLICY_OPENS_H

#include "policy/diagram.h"
#include "policy/dump.h"

/* What one of n grants opens: OUT_ALLOW, else OUT_PASS. No grant opens what only two of them cover together. In
 * halves: n log n for grants of different devices. */
node requests_opened(struct arena *a, struct diagrams *dg, const struct dump_opens *list, size_t n);

#endif
