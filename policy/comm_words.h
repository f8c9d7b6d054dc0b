/* comm_words.h - the name of a process as people write it: 16 bytes in two halves, the first NUL ends it. */
#ifndef DEVGUARD_POLICY_COMM_WORDS_H
#define DEVGUARD_POLICY_COMM_WORDS_H

#include "policy/text.h"

/* The name as a request has it behind `comm=`, as it is where that does, else in quotes: bytes that nobody can
 * see, and what both kinds of quotes are in, as $'\x01\x27'. request_read() reads it as the same name. */
const char *comm_fact(struct arena *a, const int64_t half[2]);
/* Reads it. 0, or -1 with f filled in. */
int comm_read(struct fault *f, struct slice value, int64_t half[2]);
/* The end of a value that opens with a quote, behind the quote that closes it; 0: none opens, SIZE_MAX: none closes. */
size_t comm_quoted(const char *s, size_t n);

#endif
