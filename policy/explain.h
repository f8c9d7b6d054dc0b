/* explain.h - what a policy amounts to for people: rules by device, each with its condition in words. */
#ifndef DEVGUARD_POLICY_EXPLAIN_H
#define DEVGUARD_POLICY_EXPLAIN_H

#include "policy/device.h"
#include "policy/rules.h"

enum explain_verdict { EXPLAIN_ALLOW, EXPLAIN_DENY, EXPLAIN_UNKNOWN /* it hangs on what is not understood */, EXPLAIN_VERDICTS };
extern const char *const explain_words[EXPLAIN_VERDICTS];

struct explained {
	enum explain_verdict verdict;
	struct pattern pattern; /* its text: without letters. access: letters; 0: of a request that asks for none */
	const char *when;       /* "only when uid is 1000", "unless ..."; what it hangs on; NULL: always */
	int asked;              /* only where these letters are asked for together; -1: wherever */
	node allowed;           /* in which cases: a diagram of OUT_ALLOW and OUT_DENY */
};
struct explanation {
	struct explained *list;
	size_t n, cap;
};

/* The rules that mean what a verdict of requests means (of diagrams in the order ORDER_FACTS_LAST). A rule
 * about fewer devices goes before one about all devices of a type, which come last; besides that, no two
 * say anything about the same letter of the same device. What no rule allows is denied. None can be left
 * out, and no two of the same kind of device can be one. A request for several letters is allowed when each
 * is, unless a condition says which are asked for together; one for none where some letter is, unless a
 * rule about no access says other. 0, or -1 with a diagnostic: there are too many
 * different devices. */
int policy_explain(struct arena *a, struct diags *d, const char *name, struct diagrams *dg, struct terms *ts, node verdict,
                   struct explanation *out);

/* ---- explain_when.c: a condition in words --------------------------------------------------- */

struct condition_words {
	const char *text;    /* "uid is 1000, or gid is 5"; of what is not understood the names */
	bool negated;        /* allowed unless it is so */
	bool unknown, many;  /* many cases: the text is what they are about */
};
/* When a diagram of OUT_ALLOW and OUT_DENY, no terminal, allows. */
struct condition_words condition_in_words(struct arena *a, const struct diagrams *dg, const struct terms *ts, node n);

#endif
