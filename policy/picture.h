/* picture.h - a policy drawn, for Graphviz. */
#ifndef DEVGUARD_POLICY_PICTURE_H
#define DEVGUARD_POLICY_PICTURE_H

#include "policy/rules.h"

enum { PICTURE_NODES_MAX = 40 };

/* Draws what a policy decides: devices by name to what else is asked to the rule that decides.
 * Where that takes more than PICTURE_NODES_MAX nodes, or no diagram with the facts behind the
 * device fits the budget, the rules in their order instead, those of one verdict together. */
void policy_picture(FILE *out, struct policy *p);

/* For the files of the picture: */
/* Text inside a quoted label. */
void picture_text(FILE *out, const char *text);
/* A rule (NULL: the default), or one that raises, as a node. */
void picture_leaf(FILE *out, const struct policy *p, const char *node, const struct rule *r, bool raises);
/* What is before the first node; `of`: what the picture is about. */
void picture_begin(FILE *out, const struct policy *p, const char *of);
/* The rules in order. */
void picture_of_rules(FILE *out, const struct policy *p);

#endif
