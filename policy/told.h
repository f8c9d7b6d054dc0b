/*
 * told.h - what a record tells of the calling task (struct event_told in policy/event.h), as a request has it.
 *
 * A record has numbers. What they mean, the asks of a policy and the paths that it names, stands behind the names of its
 * rules in the map devguard_names, so whoever reads records needs no policy.
 */
#ifndef DEVGUARD_POLICY_TOLD_H
#define DEVGUARD_POLICY_TOLD_H

#include "policy/asked.h"
#include "policy/event.h"
#include "policy/request.h"

/* The entries for the map: NAME_PARTS for each ask, then for each path of a file. How many. */
size_t told_names(struct arena *a, const struct asked *as, struct rule_name **out);
/* How many paths of files that are. */
size_t told_paths(const struct asked *as);

/* Reads them again: `entry` gives the one of that number, NULL: it is not there. What is no ask or path any more, which a map may
 * hold, leaves a place that nothing matches. */
void told_asked(struct arena *a, const struct event_told *t, const struct rule_name *(*entry)(void *self, uint32_t number), void *self,
                struct asked *out);

/* The bits of event_told.which for these inputs, of which only those of the task count. */
uint64_t told_which(input_set inputs);

/* Adds to the request what a record tells. The names of what the policy reads and it does not tell, "euid, in_group?(44)"; NULL:
 * it tells all. */
const char *told_request(struct arena *a, const struct event_told *t, const struct asked *as, struct request *r);

#endif
