/* transfer.h - diagrams of one set as diagrams of another: conditions and free variables move with them. */
#ifndef DEVGUARD_POLICY_TRANSFER_H
#define DEVGUARD_POLICY_TRANSFER_H

#include "policy/diagram.h"

struct arena;

/* What becomes of the parameters, and of what was not understood: a value, or another input. */
struct transfer {
	struct { bool fixed; int64_t value; enum input in; } param[INPUT_MAX - IN_PARAM_0];
};

/* A condition about `from` as one about `to`. */
term term_moved(struct arena *a, struct terms *to, const struct terms *from, term t, const struct transfer *how);
/* A verdict (OUT_ALLOW or not) of one set as a boolean diagram of another, whose terms are `ts`; the set
 * says whether it fits (diagram_ok()). Of the same order the cost is the sizes' sum, else as of diagram_ite(). */
node diagram_moved(struct arena *a, struct diagrams *to, struct terms *ts, const struct diagrams *from,
                   const struct terms *of, node root, const struct transfer *how);

#endif
