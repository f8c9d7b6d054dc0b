/* beside.h - other ways to the hardware that a policy denies. */
#ifndef DEVGUARD_POLICY_BESIDE_H
#define DEVGUARD_POLICY_BESIDE_H

struct diags;
struct host;
struct policy;

/* Warns of a policy that allows by default, denies a device by its numbers, and leaves open
 * another that leads to the same hardware. */
void lint_beside(struct diags *d, const struct policy *p, const struct host *h);

#endif
