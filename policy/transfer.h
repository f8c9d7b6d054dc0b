/* transfer.h - diagrams of one set as diagrams of another: free variables move with them. */
#ifndef DEVGUARD_POLICY_TRANSFER_H
#define DEVGUARD_POLICY_TRANSFER_H

#include "policy/diagram.h"

/* A verdict (OUT_ALLOW or not) of one set as a boolean diagram of another; that says whether it fits
 * (diagram_ok()). `inputs`: what each input becomes, which is an input or a number (see term_brought()). Of the same
 * order the cost is the sizes' sum, else as of diagram_ite(). */
node diagram_moved(struct diagrams *to, const struct diagrams *from, node root, const term inputs[INPUT_MAX]);

#endif
