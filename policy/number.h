/* number.h - integers as people write them in options and in guard.yaml. */
#ifndef DEVGUARD_POLICY_NUMBER_H
#define DEVGUARD_POLICY_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A decimal or 0x number of 64 bits with an optional minus, nothing else: no zero before a
 * decimal one, which is octal to some. */
bool number_read(const char *text, size_t n, int64_t *out);

#endif
