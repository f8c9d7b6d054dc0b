/* find.h - a request for which a diagram is true, or the proof that there is none. */
#ifndef DEVGUARD_POLICY_FIND_H
#define DEVGUARD_POLICY_FIND_H

#include "policy/diagram.h"

enum found { FOUND_NONE, FOUND_ONE, FOUND_UNSURE };
/* Values of all inputs for which the diagram (OUT_ALLOW: true; terminals without rules) is true, each within
 * its range, and in *asked those that it was asked about. FOUND_NONE is proven, of free variables too;
 * FOUND_UNSURE: none was found within *effort, of which it takes some. `values`: the parameters' values, preferred. */
enum { FIND_EFFORT = 300000 };
enum found find_true(struct arena *a, const struct diagrams *dg, struct terms *ts, node root, const int64_t *values,
                     long *effort, int64_t inputs[INPUT_MAX], input_set *asked);

/* On what an answer hangs, for people: these inputs, NULL: there are none; the comparisons that a diagram asks for. */
const char *inputs_text(struct arena *a, const struct terms *ts, input_set inputs);
const char *comparisons_asked(struct arena *a, const struct diagrams *dg, const struct terms *ts, node n);

#endif
