/* recover_patterns.h - devices of classes as patterns of a rule. Private to policy/recover.c. */
#ifndef DEVGUARD_POLICY_RECOVER_PATTERNS_H
#define DEVGUARD_POLICY_RECOVER_PATTERNS_H

#include "policy/classes.h"

/* Adds n blocks of one type (n is not 0) to a rule's patterns, for these letters. `cap` is the room that
 * the patterns have. Linear in the majors times the blocks. */
void rule_add_blocks(struct arena *a, struct rule *r, size_t *cap, int letters, const struct block_of_devices *const *blocks,
                     size_t n);
/* Patterns of both types with the same numbers become one. */
void rule_join_types(struct rule *r);

#endif
