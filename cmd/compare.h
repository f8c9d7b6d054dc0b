/* compare.h - two units compared by their judges. */
#ifndef DEVGUARD_CMD_COMPARE_H
#define DEVGUARD_CMD_COMPARE_H

#include "cmd/unit.h"
#include "policy/compare.h"

/* What changes from one to the other; `same`: both are one program of the kernel. Both have their judges. The texts
 * may hold control bytes. STATUS_OK or a status with diagnostics. */
int unit_compare(struct cmd *c, const struct unit *a, const struct unit *b, bool same, struct comparison *out);

#endif
