/* compare.h - two policies: what one allows and the other does not. */
#ifndef DEVGUARD_POLICY_COMPARE_H
#define DEVGUARD_POLICY_COMPARE_H

#include "policy/rules.h"

/* A policy and its diagrams. Inputs beyond its parameters are values of a program that are not understood. */
struct compared {
	const struct policy *policy;
	const struct policy_diagram *diagram;
};

/* Requests that go from denied to allowed, or the other way. A request is a type, a major, a minor number and one
 * of {}, r, w, rw, m; it counts when it is so for at least one caller, and may be the other way for another. */
struct change {
	uint64_t least, most;     /* how many there are: the same, unless something is not told */
	bool found;               /* there is one: least is not 0 */
	struct request witness;   /* with the facts that decide; `text` is it, for people and for eval */
	struct decision was, is;  /* by the one and the other policy, of the witness */
	const char *rules;        /* which, as policy_recover() writes rules; NULL: too many different devices */
	const char *hangs;        /* on what it hangs that least and most differ; NULL: they do not */
};
struct comparison { struct change allowed, denied; };

/* From policy `a` to policy `b`, exactly, each with the values that its parameters have. Where it cannot be
 * told whether a condition on several inputs holds for any caller, least and most differ. `same`: what is not
 * understood is the same in both, as they are one program. Each witness is checked by policy_decide(). 0, or
 * -1 with a diagnostic: together they need too many nodes, or have too many unknown values; or a fault. */
int policy_compare(struct arena *arena, struct diags *d, const struct compared *a, const struct compared *b, bool same,
                   struct comparison *out);

#endif
