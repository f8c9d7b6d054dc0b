/* who_text.h - what is asked of the calling task, in words and as Ruby. Private to policy/explain_when.c, conditions.c,
 * picture.c and term_text.c. */
#ifndef DEVGUARD_POLICY_WHO_TEXT_H
#define DEVGUARD_POLICY_WHO_TEXT_H

#include "policy/asked.h"
#include "policy/interval.h"
#include "policy/term.h"

struct arena;

/* What an input is called in a sentence: "login uid". */
const char *who_name(const struct terms *ts, enum input in);
/* The answer to a question, or a fact that is true or not: "the caller is in group 44 (video)". NULL: it is no such. */
const char *who_words(struct arena *a, const struct terms *ts, enum input in, bool yes);
/* The same as Ruby, with its exclamation mark: "!ctx.in_group?(44)". */
const char *who_ruby(struct arena *a, const struct terms *ts, enum input in, bool yes);
/* A fact that is a file: it has these values, of which those count that are names, and 0, any other. */
const char *who_file_words(struct arena *a, const struct terms *ts, enum input in, const struct interval *list, size_t n);
const char *who_file_ruby(struct arena *a, const struct terms *ts, enum input in, const struct interval *list, size_t n);
/* A path between quotes, as Ruby reads it. */
const char *who_path_ruby(struct arena *a, const char *path);

#endif
