/* interval.h - sets of numbers as ranges: `0-2,7`, `*`. */
#ifndef DEVGUARD_POLICY_INTERVAL_H
#define DEVGUARD_POLICY_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct fault;
struct slice;

struct interval { int64_t lo, hi; };

/* Sorts n intervals and merges those that overlap or touch; the number left. */
size_t intervals_merge(struct interval *list, size_t n);
/* Reads a list: numbers and ranges from 0 to max, or * for all of them. `what` names them
 * ("major"). 0, or -1 with the fault set. */
int intervals_read(struct fault *f, const char *what, struct slice s, int64_t max, struct interval **list, size_t *n);
/* Is the number in a merged list? */
bool intervals_have(const struct interval *list, size_t n, int64_t v);
/* Is it one number alone? */
bool intervals_are_one(const struct interval *list, size_t n);
/* Is a number in both lists? */
bool intervals_meet(const struct interval *x, size_t n, const struct interval *y, size_t m);
/* A merged list as text. */
char *intervals_text(struct arena *a, const struct interval *list, size_t n, int64_t max);

#endif
