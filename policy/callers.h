/* callers.h - which callers there can be, as far as one fact says something of another. */
#ifndef DEVGUARD_POLICY_CALLERS_H
#define DEVGUARD_POLICY_CALLERS_H

#include "policy/asked.h"
#include "policy/diagram.h"
#include "policy/request.h"

/* Where a boolean function of requests is true of callers that there can be. What it does not read stays unread, unless
 * that is a file's name. */
node callers_only(struct arena *a, struct diagrams *dg, node n);
/* Those whose inputs, of a set, can be together. */
node callers_possible(struct diagrams *dg, input_set inputs);
/* An everyday value for a fact about the task, or the answer to a question; `people`: what an id of a user is. */
int64_t caller_likely(enum input in, int64_t people);
/* The facts of a request, which are known, as its words: the files and groups, capabilities and cgroup of the questions.
 * False: no caller is like that, or it is too much for a request. */
bool caller_words(const struct asked *as, struct request *r);
/* Values that go together for all facts about the task and all questions: those of `chosen` stay. */
bool caller_completed(const struct asked *as, input_set chosen, int64_t fact[INPUT_MAX]);
/* The texts of a request that came from another process, as far as its files and its cgroup are named here. False: not
 * all are. */
bool request_names(const struct asked *as, struct request *r);

#endif
