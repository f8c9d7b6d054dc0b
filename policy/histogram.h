/* histogram.h - counts by slot, drawn with stars: the columns that BCC's tools print. */
#ifndef DEVGUARD_POLICY_HISTOGRAM_H
#define DEVGUARD_POLICY_HISTOGRAM_H

#include "policy/arena.h"

#include <stdint.h>

/* Slots of a histogram of raw.h (RAW_SLOTS), from 1 to the last one that counted something; with `strip` from the
 * first one. Slot 0, what is not positive, is in the line "0 -> 1". "": nothing was counted. */
char *histogram_text(struct arena *a, const uint64_t *slots, size_t n, const char *label, bool strip);
/* A line for each index, from 0 to the last one that counted something. */
char *histogram_linear(struct arena *a, const uint64_t *counts, size_t n, const char *label);

#endif
