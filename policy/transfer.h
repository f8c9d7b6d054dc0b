/* transfer.h - what is about one set of terms becomes about another. */
#ifndef DEVGUARD_POLICY_TRANSFER_H
#define DEVGUARD_POLICY_TRANSFER_H

#include "policy/diagram.h"

/* Terms of one set are to be made of terms of another: what each input becomes (see term_brought()). What they ask of the
 * calling task gets its place among what is asked there, as far as it is `used`; parameters are left out. 0, or -1
 * and *why: what both do. */
int terms_joined(struct terms *to, const struct terms *from, input_set used, term inputs[INPUT_MAX], const char **why);
/* A verdict (OUT_ALLOW or not) of one set as a boolean diagram of another; that says whether it fits
 * (diagram_ok()). `inputs`: what each input becomes, which is an input or a number (see term_brought()). Of the same
 * order the cost is the sizes' sum, else as of diagram_ite(). */
node diagram_moved(struct diagrams *to, const struct diagrams *from, node root, const term inputs[INPUT_MAX]);

#endif
